#!/usr/bin/env bash
# test_gdb.sh NMRCHECK SCRATCH - a replay in gdb, with the commands that README.md tells.
#
# Code 77 (skipped) where there is no gdb.
set -eu

nmrcheck=$(realpath "$1")
mkdir -p "$2"
log=$(realpath "$2")/log
module=$PWD/model/modules/page_literal.c
command -v gdb >/dev/null || exit 77

fail() {
    printf 'test_gdb.sh: %s\n' "$*" >&2
    sed 's/^/  /' "$log" >&2
    exit 1
}

# debug FILE COMMAND... : run these commands on the replay of a scenario that this module's finding is
debug() {
    local file=$1 commands=()
    shift
    for command in "$@"; do
        commands+=(-ex "$command")
    done
    gdb -nx -batch "${commands[@]}" --args "$nmrcheck" replay "$file" >"$log" 2>&1 || fail "gdb failed"
}
says() { grep -qF -- "$1" "$log" || fail "gdb does not say '$1'"; }

# The stack of the simulated thread that broke the rule, down to its bottom.
debug corpus/page_literal/regress-PA-12-*.scn 'break finding_report' run bt
says 'Breakpoint 1, finding_report ('
says ' in callback_provider_attach ('
says ' in fiber_main ('

# A crash stops at the module's own line; what follows is the broken rule.
debug corpus/page_literal/regress-MEM-5-*.scn 'break finding_report' run 'bt 1' continue
says 'Program received signal SIGSEGV'
grep -qE "^#0 .* in ProviderRequestNotify \(.*$module:[0-9]+" "$log" || fail "a crash is not shown at the module's line"
says 'Breakpoint 1, finding_report ('

# At a line of the driver.
line=$(grep -n 'ProviderBindingContext == NULL' "$module" | head -1 | cut -d: -f1)
debug corpus/page_literal/regress-PA-12-*.scn "break page_literal.c:$line" run 'info locals'
says 'Breakpoint 1, ProviderAttachClient ('
says "page_literal.c:$line"
echo "test_gdb.sh: 3 sessions as expected"
