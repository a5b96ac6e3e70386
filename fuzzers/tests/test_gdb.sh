#!/usr/bin/env bash
# test_gdb.sh NMRCHECK SCRATCH - a replay in gdb, started by hand or by replay --gdb, as README.md tells.
#
# Code 77 (skipped) where there is no gdb.
set -eu

nmrcheck=$(realpath "$1")
mkdir -p "$2"
scratch=$(realpath "$2")
log=$scratch/log
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
matches() { grep -qE -- "$1" "$log" || fail "gdb says nothing like '$1'"; }

# The stack of the simulated thread that broke the rule, down to its bottom.
debug corpus/page_literal/regress-PA-12-*.scn 'break finding_report' run bt
says 'Breakpoint 1, finding_report ('
says ' callback_provider_attach ('
says ' in fiber_main ('

# A crash stops at the module's own line; what follows is the broken rule.
debug corpus/page_literal/regress-MEM-5-*.scn 'break finding_report' run 'bt 1' continue
matches 'Program received signal SIG(SEGV|BUS)'
grep -qE "^#0 .* in ProviderRequestNotify \(.*$module:[0-9]+" "$log" || fail "a crash is not shown at the module's line"
says 'Breakpoint 1, finding_report ('

# At a line of the driver.
line=$(grep -n 'ProviderBindingContext == NULL' "$module" | head -1 | cut -d: -f1)
debug corpus/page_literal/regress-PA-12-*.scn "break page_literal.c:$line" run 'info locals'
says 'Breakpoint 1, ProviderAttachClient ('
says "page_literal.c:$line"
# replay --gdb: the commands come from standard input.
starts() {
    local file=$1 arguments=()
    shift
    while [[ "${1-}" == --* ]]; do
        arguments+=("$1")
        shift
    done
    printf '%s\n' "$@" | HOME=$scratch "$nmrcheck" replay --gdb "${arguments[@]}" "$file" >"$log" 2>&1 ||
        fail "gdb failed"
}

# At the violation, in the module's frame.
starts corpus/page_literal/regress-PA-12-*.scn 'nmrcheck nmr' 'nmrcheck story' continue
says 'finding PA-12'
matches "^#[0-9]+ .*ProviderAttachClient"
matches 'at .*model/modules/page_literal.c:[0-9]+$'
says 'registration 0 (the module'"'"'s) is registered'
matches '^binding 0 is '
matches '^> +[0-9]+  t0 +.*page_literal.c:[0-9]+$'
matches 'Inferior 1 .* exited with code 01'

# A crash.
starts corpus/page_literal/regress-MEM-5-*.scn 'nmrcheck pool'
matches 'Program received signal SIG(SEGV|BUS)'
matches '^#0 .* in ProviderRequestNotify '
matches "^(.gdb. )?0x31[0-9a-f]+  live +step [0-9]+ allocates block 0: 24 bytes, tag 'tpcb'  .*page_literal.c:[0-9]+$"

# An earlier step, in a scenario without a finding: t1 runs, w0 and t3 wait.  A frame that is not the innermost stays
# selected; running on is the running thread's business.
file=corpus/exnpi_rundown/parked-callback.scn
step=$("$nmrcheck" replay --trace "$file" | awk '/ NmrClientDetachProviderComplete returns/ { print $1; exit }')
starts "$file" --step="$step" 'nmrcheck threads' 'nmrcheck thread t3' 'up' 'nmrcheck pool' 'frame' 'bt' 'stepi' 'bt'
says "step $step, thread t1"
matches '^\(gdb\)   t0 .* waits in next-op'
matches '^\* t1 .* running'
matches '^  w0 .* the system calls the routine of work item 1'
matches '^ +DetachWorker \(\) at .*exnpi_rundown.c:[0-9]+$'
[ "$(grep -cE '^(\(gdb\) )?#[0-9]+ .* in DriverUnload ' "$log")" -ge 2 ] || fail "thread t3 is not in DriverUnload"
[ "$(grep -cE '^\(gdb\) #[0-9]+ .* image_unload ' "$log")" = 2 ] || fail "the selected frame is lost"
matches '^\(gdb\) t1 .* running'
matches '^\(gdb\) #0 .* (gdb_stopped|on_event|event_emit) '

# What cannot be done is one line, code 2.
refuses() {
    local line=$1 status=0
    shift
    PATH=${path-$PATH} "$nmrcheck" replay "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" = 2 ] && [ "$(wc -l <"$log")" = 1 ] || fail "code $status instead of one line and 2"
    says "$line"
}
refuses 'no finding to stop at' --gdb "$file"
refuses '--step 999: the last step is' --gdb --step 999 "$file"
refuses '--gdb takes one FILE' --gdb "$file" "$file"
refuses '--step is for --gdb' --step 3 "$file"

# No gdb, or one without Python.
finding=$(echo corpus/page_literal/regress-PA-12-*.scn)
mkdir -p "$scratch/none" "$scratch/plain"
for tool in sh addr2line; do
    ln -sf "$(command -v "$tool")" "$scratch/none/"
done
path=$scratch/none refuses 'nmrcheck: --gdb: there is no gdb: install it (apt install gdb)' --gdb "$finding"
cat >"$scratch/plain/gdb" <<'END'
#!/bin/sh
case $* in *-batch*) echo gdb; exit 1 ;; esac
echo "started: $*"
END
chmod +x "$scratch/plain/gdb"
PATH=$scratch/plain:$PATH "$nmrcheck" replay --gdb "$finding" >"$log" 2>&1 || fail "gdb without Python failed"
says 'started: -q -ex break gdb_stopped -ex run --args'
says 'nmrcheck: --gdb: this gdb has no Python'
echo "test_gdb.sh: all sessions as expected"
