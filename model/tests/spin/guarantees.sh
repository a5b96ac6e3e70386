#!/usr/bin/env bash
# guarantees.sh MODEL - SPIN finds nothing wrong in model/nmr.pml: every guarantee holds in every reachable state, no
# state is stuck before all that was begun has ended, and there is no cycle: so everything that was begun does end.
set -euo pipefail

model=$1
here=$(dirname "$(readlink -f "$0")")
. "$here/pan.sh"

# verify NAME "SPIN FLAGS" "COMPILER FLAGS" [FLAG...]
verify() {
    make_pan "$1" "$2" "$3"
    run_pan "$1" "${@:4}"
    printf '%-46s' "$2 ${*:4}"
    if ! grep -q 'errors: 0' "$work/$1/pan.log"; then
        cat "$work/$1/pan.log"
        exit 1
    fi
    awk '/depth reached/ { depth = $6 + 0 }
        /states, stored/ { states = $1 }
        END { print states " states, depth " depth }' "$work/$1/pan.log"
}

everything="-DFAIL -DEARLY -DINSIDE -DOMIT -DSTAY"
verify one_pair       "$everything"                        "-DSAFETY"
verify again          "-DROUNDS=2 $everything"             "-DSAFETY"
verify patient        "-DPATIENT $everything"              "-DSAFETY"
verify no_cycle       "$everything"                        "-DNP -DNOREDUCE" -l
verify two_providers  "-DPROVIDERS=2"                      "-DSAFETY"
verify two_clients    "-DCLIENTS=2"                        "-DSAFETY"
verify two_and_two    "-DCLIENTS=2 -DPROVIDERS=2 -DFOCUS"  "-DSAFETY -DNOREDUCE -DCOLLAPSE"
