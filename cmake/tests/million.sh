#!/usr/bin/env bash
# million.sh NMRCHECK - a million random executions of each correct module under each profile, and no finding.
# Exit code 77, for "skipped", when the program is not built.
set -euo pipefail

[ -x "$1" ] || { echo "$1 is not built; ./run test builds it"; exit 77; }
export nmrcheck=$1
export work
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# one PROFILE MODULE
one() {
    "$nmrcheck" explore --strategy random --profile "$1" --seed 2 --executions 1000000 --out "$work/$1/$2" "$2" \
        >"$work/$1-$2.log" 2>&1 || { cat "$work/$1-$2.log"; return 1; }
    echo "$1 $2: $(grep -o 'no finding in.*' "$work/$1-$2.log")"
}
export -f one
correct=$("$nmrcheck" list | awk '$2 !~ /^[A-Z]+-[0-9]+$/ && $1 != "page_literal" {print $1}')
for profile in strict windows chaos; do
    printf "$profile %s\n" $correct
done | xargs -P 2 -L 1 bash -c 'one "$@"' one
