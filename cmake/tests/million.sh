#!/usr/bin/env bash
# million.sh NMRCHECK - a million random executions of each correct module, and no finding.
# Exit code 77, for "skipped", when the program is not built.
set -euo pipefail

[ -x "$1" ] || { echo "$1 is not built; ./run test builds it"; exit 77; }
export nmrcheck=$1
export work
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

one() {
    "$nmrcheck" explore --strategy random --seed 2 --executions 1000000 --out "$work/$1" "$1" >"$work/$1.log" 2>&1 ||
        { cat "$work/$1.log"; return 1; }
    echo "$1: $(grep -o 'no finding in.*' "$work/$1.log")"
}
export -f one
"$nmrcheck" list | awk '$2 !~ /^[A-Z]+-[0-9]+$/ && $1 != "page_literal" {print $1}' |
    xargs -P 2 -L 1 bash -c 'one "$@"' one
