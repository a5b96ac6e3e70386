#!/usr/bin/env bash
# orders.sh MODEL ORDERS - for one client and one provider, the mock NMR (the program ORDERS) and the Promela model show
# the modules the same sequences of callbacks: none more, none less.  And the comparison notices when they do not: a
# mock that makes one choice less, a model that completes too much, one that forgets a completion.
# Exit code 77, for "skipped", when the program is not built.
set -euo pipefail

model=$1
orders=$2
[ -x "$orders" ] || { echo "$orders is not built; ./run test builds it"; exit 77; }
here=$(dirname "$(readlink -f "$0")")
. "$here/pan.sh"
export LC_ALL=C

# of_model NAME "SPIN FLAGS": what the model allows.  Assertions and end states are of no interest here.
of_model() {
    make_pan "$1" "-DRECORD $2" "-DSAFETY -DNOREDUCE"
    run_pan "$1" -A -E -n
    grep '^[CP]\.' "$work/$1/pan.log" | sort -u >"$work/$1.txt"
}

of_mock() {
    "$orders" "${@:2}" 2>"$work/$1.log" | sort >"$work/$1.txt"
}

# difference A B: how many sequences are in one only, and the shortest of them.
difference() {
    diff "$work/$1.txt" "$work/$2.txt" | grep '^[<>]' | awk '{ print length, $0 }' | sort -n | cut -d' ' -f2- \
        >"$work/difference" || true
    echo "$1 and $2: $(grep -c '' "$work/$1.txt") and $(grep -c '' "$work/$2.txt") sequences," \
        "$(grep -c '' "$work/difference") of them in one only"
    head -n "${3:-1}" "$work/difference"
}

of_model model ""
of_mock mock
difference model mock 20
cat "$work/mock.log"
if [ -s "$work/difference" ] || ! [ -s "$work/model.txt" ]; then
    exit 1
fi

must_differ() {
    difference "$1" "$2"
    [ -s "$work/difference" ] || { echo "$1 and $2 must differ, and do not"; exit 1; }
}
of_mock mock_without_detach_order detach-order
must_differ model mock_without_detach_order
of_model model_broken_18 -DBROKEN=18
must_differ mock model_broken_18
of_model model_broken_21 -DBROKEN=21
must_differ mock model_broken_21
