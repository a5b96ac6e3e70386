#!/usr/bin/env bash
# fuzz_mutants.sh ROOT ENGINE RUNS [MUTANT...] - does libfuzzer, or afl, find each mutant by itself?
#
# Every mutant gets a fuzzer that starts from the plain run alone and stops at the first finding or after RUNS
# executions.  Each must be found, and by its own rule.  Prints for each the executions until then: an engine that is
# slow to start is not slow to find, and a count does not depend on how busy the machine is.  Two at a time.
#
# Measured: libFuzzer needs at most 86,000, and with its seed always the same; AFL++, which goes by the clock, 180,000.
# A minute is about a million of either on one processor.
#
# Exit code 77, for "skipped", when a program is missing.
set -euo pipefail

root=$1 engine=$2 runs=$3
shift 3
case $engine in
    libfuzzer) program=$root/build/fuzz/nmrcheck-libfuzzer ;;
    afl) program=$root/build/afl/nmrcheck-afl ;;
    *) echo "unknown engine '$engine'"; exit 2 ;;
esac
nmrcheck=$root/build/check/nmrcheck
for need in "$program" "$nmrcheck"; do
    [ -x "$need" ] || { echo "$need is not built; ./run test builds it"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export program runs work root

if [ $# -eq 0 ]; then
    # What breaks MEM-9 only AddressSanitizer sees, which AFL++'s program is built without.
    read -ra all <<<"$("$nmrcheck" list | awk -v engine="$engine" '
        $2 ~ /^[A-Z]+-[0-9]+$/ && !(engine == "afl" && $2 == "MEM-9") {printf "%s ", $1}')"
    set -- "${all[@]}"
fi

# The plain run as a binary scenario.
printf 'plain' >"$work/text"
"$nmrcheck" show --raw --binary --module exnpi_refcounted --output "$work/plain" "$work/text"

found() { sed -n 's/^nmrcheck: \([A-Z0-9-]*\) was broken by .* in execution \([0-9]*\);.*/\1 \2/p' "$1" | tail -n 1; }

# dies LOG MUTANT ARGUMENT...: run the program, which aborts at a finding, without the shell's remark about that.
dies() {
    local log=$1 mutant=$2
    shift 2
    { (ulimit -c 0; NMRCHECK_MODULE=$mutant "$program" "$@" >"$log" 2>&1) || true; } 2>/dev/null
}

# Each prints "RULE EXECUTIONS", or nothing when nothing was found.
try_libfuzzer() {
    mkdir "$work/$1"
    dies "$work/$1.log" "$1" "$work/$1" -seed=1 "-runs=$runs" -max_len=2056 -handle_abrt=0 "-artifact_prefix=$work/$1/"
    found "$work/$1.log"
}

try_afl() {
    local rule
    # A seed that shows the finding is found before afl-fuzz begins.
    dies "$work/$1.log" "$1" "$work/plain"
    if [ -n "$(found "$work/$1.log")" ]; then
        found "$work/$1.log"
        return
    fi
    mkdir "$work/$1" "$work/$1/in"
    cp "$work/plain" "$work/$1/in/plain"
    NMRCHECK_MODULE=$1 AFL_BENCH_UNTIL_CRASH=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_CUSTOM_MUTATOR_ONLY=1 \
        AFL_CUSTOM_MUTATOR_LIBRARY=$root/build/afl/nmrcheck-afl-mutator.so \
        afl-fuzz -s 1 -i "$work/$1/in" -o "$work/$1/out" -E "$runs" -- "$program" >"$work/$1.log" 2>&1 || true
    for crash in "$work/$1/out/default/crashes"/id*; do
        [ -e "$crash" ] || return 0
        dies "$work/$1.log" "$1" "$crash"
        rule=$(found "$work/$1.log")
        echo "${rule% *} $(sed -n 's/^execs_done *: //p' "$work/$1/out/default/fuzzer_stats")"
        return
    done
}

try() {
    local wanted=${2} result
    result=$("try_$3" "$1")
    # A mutant that is named after a mistake instead of its rule may show by others, too.
    if [ -n "$result" ] && [ "$1" != "mutant_${wanted//-/_}" ]; then
        wanted=${result% *}
    fi
    if [ "${result% *}" = "$wanted" ]; then
        printf '%-7s %-38s %10s\n' "$wanted" "$1" "${result#* }"
    elif [ -z "$result" ]; then
        printf '%-7s %-38s %10s  WRONG: not found\n' "$wanted" "$1" "$runs"
        tail -n 3 "$work/$1.log"
    else
        printf '%-7s %-38s %10s  WRONG: found %s\n' "$wanted" "$1" "${result#* }" "${result% *}"
    fi
    rm -rf "${work:?}/$1"
}
export -f found dies try_libfuzzer try_afl try

started=$SECONDS
for mutant; do
    echo "$mutant $("$nmrcheck" list | awk -v m="$mutant" '$1 == m {print $2}') $engine"
done | xargs -P 2 -L 1 bash -c 'try "$@"' try | tee "$work/table"
echo "$engine: $(wc -l <"$work/table") lines in $((SECONDS - started)) s"
wrong=$(grep -c WRONG "$work/table" || true)
echo "$engine: $(($# - wrong)) of $# mutants found by their own rule within $runs executions"
[ "$wrong" -eq 0 ]
