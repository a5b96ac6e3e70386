#!/usr/bin/env bash
# determinism.sh ROOT NMRCHECK - all builds and engines run the same executions: gcc and clang, without optimisation and
# with it, with sanitizers and without, libFuzzer and AFL++.
#
# Compared are the event hash, the verdict, the rule and the fingerprint of 10,000 random executions of each example
# module and of 1,000 of each mutant, which do what correct code does not: use what was freed or never set.  Engines
# get the examples' executions as scenario files.
#
# Two mutants are left out.  What mutant_MEM_9 does only AddressSanitizer sees, so builds differ.  mutant_MEM_7 keeps a
# pointer into a function's frame after its return; what is there when it is used depends on how the compiler laid out
# the frames of other functions, and AddressSanitizer alone tells all of it.
#
# Exit code 77, for "skipped", when no other build is there.
set -euo pipefail

root=$1
nmrcheck=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compared=0
failed=0

read -ra examples <<<"$("$nmrcheck" list | awk '$2 !~ /^[A-Z]+-[0-9]+$/ {printf "%s ", $1}')"
read -ra mutants <<<"$("$nmrcheck" list | awk '$2 ~ /^[A-Z]+-[0-9]+$/ && $2 !~ /^MEM-[79]$/ {printf "%s ", $1}')"

# digests PROGRAM
digests() {
    "$1" hash
    if [ ${#mutants[@]} -gt 0 ]; then
        "$1" hash --executions 1000 "${mutants[@]}"
    fi
}

digests "$nmrcheck" >"$work/own"

# ---- builds
for build in plain-gcc plain-clang plain-gcc-O0 plain-clang-O0; do
    other=$root/build/$build/nmrcheck
    if [ ! -x "$other" ]; then
        echo "$build: not built"
        continue
    fi
    compared=$((compared + 1))
    if digests "$other" | diff "$work/own" - >"$work/difference"; then
        echo "$build: the same"
        continue
    fi
    failed=1
    echo "$build: differs"
    module=$(awk '/^>/ {print $2; exit}' "$work/difference")
    "$nmrcheck" hash --each "$module" >"$work/each"
    "$other" hash --each "$module" | diff "$work/each" - | head -n 10 || true
done

# ---- engines: the executions as files, whose hashes the fuzz programs print
"$nmrcheck" hash --each --write "$work/scenarios" >"$work/each"

# engine NAME PROGRAM [OPTION...]
engine() {
    local name=$1 program=$2 module
    shift 2
    if [ ! -x "$program" ]; then
        echo "$name: not built"
        return
    fi
    compared=$((compared + 1))
    for module in "${examples[@]}"; do
        rm -f "$work/hashes"
        (cd "$work/scenarios/$module" &&
            NMRCHECK_MODULE=$module NMRCHECK_HASHES=$work/hashes "$program" "$@" ./* >"$work/log" 2>&1) ||
            { tail "$work/log"; echo "$name: failed"; exit 1; }
        grep "^$module [0-9]* " "$work/each" | cut -d' ' -f3- >"$work/wanted"
        if ! diff "$work/wanted" "$work/hashes" >"$work/difference"; then
            failed=1
            echo "$name: $module differs:"
            head -n 10 "$work/difference"
        fi
    done
    echo "$name: compared"
}
# Looking for leaks, libFuzzer runs an input again when anybody has allocated meanwhile: we in the first execution,
# a thread of its own later.
engine libFuzzer "$root/build/fuzz/nmrcheck-libfuzzer" -detect_leaks=0
engine AFL++ "$root/build/afl/nmrcheck-afl"

[ "$compared" -gt 0 ] || { echo "no other build is there; ./run test builds them"; exit 77; }
exit $failed
