#!/usr/bin/env bash
# campaign.sh PROGRAM SECONDS ENGINE... - fuzz with each engine for its share of the time; what one of them finds, and
# the corpus that it leaves, is there for the next campaign.  Exit codes are nmrcheck's: 0 no finding, 1 a finding, 2
# trouble.
set -euo pipefail

program=$1 seconds=$2
shift 2

worst=0
for engine; do
    status=0
    "$program" fuzz --engine="$engine" --time=$((seconds / $#)) --keep-going || status=$?
    if [ "$status" -gt "$worst" ]; then
        worst=$status
    fi
done
exit "$worst"
