#!/usr/bin/env bash
# test_determinism.sh NMRCHECK SCRATCH - the same scenario gives the same events: twice in a process, in two processes
# whose addresses differ, and for each scenario of the corpus the ones that were written down with it.
#
# Builds are compared with each other by cmake/tests/determinism.sh.
set -euo pipefail

nmrcheck=$1
scratch=$2
mkdir -p "$scratch"

# Each of these executions is run twice, the second time from its scenario; `hash` itself compares the two.
"$nmrcheck" hash >"$scratch/first"
"$nmrcheck" hash >"$scratch/second"
"$nmrcheck" hash --first 1000000 --executions 1000 >"$scratch/elsewhere"
if ! diff "$scratch/first" "$scratch/second"; then
    echo "two processes disagree; nmrcheck hash --each shows on which execution"
    exit 1
fi

# A digest that never changes would agree with everything.
if [ "$(cut -d' ' -f2 "$scratch/first" "$scratch/elsewhere" | sort | uniq -d | wc -l)" -ne 0 ]; then
    echo "other executions or other modules, but the same digest:"
    cat "$scratch/first" "$scratch/elsewhere"
    exit 1
fi

# Without randomised addresses, where that is allowed.
if setarch -R true 2>/dev/null; then
    setarch -R "$nmrcheck" hash --executions 1000 >"$scratch/fixed"
    "$nmrcheck" hash --executions 1000 | diff "$scratch/fixed" -
fi
