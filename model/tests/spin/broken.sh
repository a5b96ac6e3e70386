#!/usr/bin/env bash
# broken.sh MODEL - SPIN rejects each broken NMR of model/nmr.pml, for the guarantee that it breaks: so none of them
# is true of whatever NMR does.  An NMR that breaks one may break others with it.
set -euo pipefail

model=$1
self=$(readlink -f "$0")
. "${self%/*}/pan.sh"

# reject N "SPIN FLAGS" [hangs]: N-n is among what is wrong; or what is wrong is that something hangs.
reject() {
    make_pan "$1" "-DBROKEN=$1 $2" "-O0 -DSAFETY"
    run_pan "$1" -c0
    local wanted="assertion violated ($1&&"
    [ "${3:-}" = "" ] || wanted="invalid end state"
    if ! grep -qF "$wanted" "$work/$1/pan.log"; then
        echo "BROKEN=$1 $2: nobody says '$wanted'"
        grep -e pan: -e errors "$work/$1/pan.log" | head
        exit 1
    fi
    printf 'N-%-3s %-14s %s\n' "$1" "$2" "rejected: ${wanted%% (*}"
}

reject 3  ""
reject 4  ""
reject 5  ""
reject 6  ""
reject 11 ""
reject 12 "-DPROVIDERS=2"
reject 13 ""
reject 14 ""
reject 15 "-DPROVIDERS=2"
reject 17 ""
reject 18 ""
reject 19 ""
reject 21 "" hangs
reject 22 ""
reject 23 "-DPATIENT" hangs
reject 24 ""
reject 25 "-DPROVIDERS=2"
reject 26 "-DSTAY" hangs
reject 27 ""
reject 28 "-DINSIDE" hangs
reject 29 ""
reject 31 "-DROUNDS=2"
reject 32 ""
reject 34 "-DFAIL"

# Each guarantee that the model states has its line above.
stated=$(grep -o 'guarantee([0-9]*' "$model" | tr -dc '0-9\n' | sort -nu)
for n in $stated; do
    grep -q "^reject $n " "$self" || { echo "guarantee($n) has no broken variant"; exit 1; }
done
