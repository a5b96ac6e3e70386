#!/usr/bin/env bash
# tutorial.sh PAGE BUILD FOLDER - the tutorial is true: its commands do what it says.
#
# The ```console blocks of the page are run in order, in a copy of the driver, with nmrcheck installed from
# the build tree into an empty folder.  Lines behind "$ " are commands.  Each other line must be found in what the
# command before it prints, whatever the spaces; "…" stands for any text.  A command may fail only where the page
# expects a finding of it.
set -euo pipefail
export LC_ALL=C.UTF-8

page=$(realpath "$1") build=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder"
cp -r "$(dirname "$page")/tutorial/." "$folder"
cmake --install "$build" --prefix "$folder/prefix" >"$folder/install.log"
export PATH=$folder/prefix/bin:$PATH CMAKE_PREFIX_PATH=$folder/prefix
cd "$folder/beacon"

squeeze() { tr -s ' \t\n' ' ' <"$1"; }

# The line as a pattern.
pattern() {
    local text
    text=$(printf '%s' "$1" | sed 's/[][*?\\]/\\&/g; s/…/*/g' | tr -s ' ')
    printf '%s' "*$text*"
}

wrong=0
complain() {
    printf '%s: %s\n' "$page" "$*"
    wrong=1
}

command='' status=0
run() {
    status=0
    command=$1
    bash -c "$command" >"$folder/output" 2>&1 </dev/null || status=$?
    findings=0
}

# What the page says of the last command is complete.
settle() {
    if [ -n "$command" ] && [ "$status" -ne "$findings" ]; then
        complain "'$command' ends with exit code $status instead of $findings:"
        tail -n 20 "$folder/output"
    fi
}

inside=0 findings=0 commands=0
while IFS= read -r line; do
    case $line in
        '```console') inside=1 ;;
        '```') inside=0 ;;
        '$ '*)
            [ "$inside" -eq 1 ] || continue
            settle
            run "${line#\$ }"
            commands=$((commands + 1)) ;;
        *)
            if [ "$inside" -eq 0 ] || [ -z "$line" ]; then
                continue
            fi
            case $line in *'broken by'*) findings=1 ;; esac
            # shellcheck disable=SC2053 # it is a pattern
            [[ $(squeeze "$folder/output") == $(pattern "$line") ]] || {
                complain "'$command' does not print '$line', but:"
                tail -n 20 "$folder/output"
            } ;;
    esac
done <"$page"
settle
if [ "$commands" -lt 10 ]; then
    complain "only $commands commands were found"
fi
exit "$wrong"
