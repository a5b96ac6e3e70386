#!/usr/bin/env bash
# fuzz_programs.sh FOLDER - the fuzz targets keep the contract of the services that run them (OSS-Fuzz's
# bad_build_check): they start, run, count coverage, and end by themselves.  FOLDER holds build/fuzz and build/afl.
set -euo pipefail

root=$1
if [ ! -e "$root/build/fuzz/nmrcheck-libfuzzer" ] || [ ! -e "$root/build/afl/nmrcheck-afl" ]; then
    echo "build/fuzz or build/afl is not built; ./run test builds them"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

for target in "$root"/build/fuzz/fuzz_*; do
    [ -x "$target" ] || continue
    # page_literal is there to be found broken, and a finding ends the process.
    [ "$(basename "$target")" != fuzz_page_literal ] || continue
    "$target" -runs=4 -seed=1337 >log 2>&1 || { cat log; echo "$target: failed"; exit 1; }
    grep -q '^Done 4 runs' log || { cat log; echo "$target: did not end after 4 runs"; exit 1; }
    # Few are enough here: example modules are small, and the simulated state counts as well.
    counters=$(sed -n "s/^INFO: Loaded .*(\([0-9]*\) inline 8-bit counters).*/\1/p" log |
        awk "{ n += \$1 } END { print n + 0 }")
    [ "$counters" -ge 15 ] || { cat log; echo "$target: only $counters counters"; exit 1; }
    grep -q 'Extra Counters' log || { cat log; echo "$target: no counters of simulated state"; exit 1; }
done

# libAFLDriver skips empty files.
mkdir in
echo 'some bytes, which are a scenario' >in/seed
export NMRCHECK_MODULE=exnpi_refcounted
AFL_QUIET=1 afl-showmap -o map -t 10000 -- "$root/build/afl/nmrcheck-afl" <in/seed >log 2>&1 ||
    { cat log; echo "nmrcheck-afl: afl-showmap failed"; exit 1; }
[ "$(wc -l <map)" -ge 20 ] || { cat log; echo "nmrcheck-afl: only $(wc -l <map) map entries"; exit 1; }

# A muted rule ends no execution; of a list each is muted; a word that is no rule is one clear line.
fuzzer=$root/build/fuzz/nmrcheck-libfuzzer
runs() { NMRCHECK_MODULE=mutant_PR_1 NMRCHECK_MUTE=$1 "$fuzzer" -runs=4 -seed=1337 >log 2>&1; }
if runs ''; then echo "$fuzzer: does not find mutant_PR_1"; exit 1; fi
if runs PA-4,PD-6; then echo "$fuzzer: mutes PR-1, too"; exit 1; fi
runs PD-6,PR-1 || { cat log; echo "$fuzzer: does not mute the second of two rules"; exit 1; }
runs PR-1,XX-1 && { echo "$fuzzer: mutes XX-1"; exit 1; }
[ "$(cat log)" = "nmrcheck: NMRCHECK_MUTE: no rule 'XX-1'" ] || { cat log; echo "$fuzzer: not that line"; exit 1; }
