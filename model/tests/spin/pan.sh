# pan.sh - sourced: SPIN's verifiers for variants of the Promela model $model, in the scratch folder $work.
#
# make_pan NAME "SPIN FLAGS" "COMPILER FLAGS": $work/NAME/pan, the verifier of that variant.
# run_pan NAME [FLAG...]: run it; a search that is cut short by a bound is an error.
# Exit code 77, for "skipped", without spin: `./run` installs it.

command -v spin >/dev/null || { echo "spin is not installed; ./run installs it"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_pan() {
    local -a of_spin of_cc
    read -ra of_spin <<<"$2"
    read -ra of_cc <<<"$3"
    mkdir -p "$work/$1"
    cd "$work/$1"
    if ! spin -a "${of_spin[@]}" "$model" >spin.log 2>&1; then
        cat spin.log
        exit 1
    fi
    # Messages of the compiler are about code that SPIN wrote.
    gcc -w -O1 "${of_cc[@]}" -o pan pan.c
}

run_pan() {
    cd "$work/$1"
    ./pan -m100000 "${@:2}" >pan.log 2>&1 || true
    if grep -q -e 'search depth too small' -e 'max search depth' -e 'out of memory' pan.log; then
        cat pan.log
        exit 1
    fi
}
