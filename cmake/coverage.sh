#!/usr/bin/env bash
# coverage.sh BUILD SOURCE PROFDATA COV - which of our code the tests reach: builds, runs them, makes a report.
#
# BUILD is a build folder of the preset coverage, SOURCE the project's; PROFDATA and COV are LLVM's two tools of the
# compiler's version.  The last lines are the numbers of all files together, and where the report is.
set -euo pipefail

build=$1 source=$2 profdata=$3 cov=$4
report=$build/coverage-report
rm -rf "$report" "$build/profiles"

cmake --build "$build"
failed=0
ctest --test-dir "$build" --output-on-failure -j "$(nproc)" || failed=$?
"$profdata" merge -sparse -o "$build/coverage.profdata" "$build"/profiles/*.profraw

programs=("$build/nmrcheck")
while IFS= read -r program; do
    programs+=(-object "$program")
done < <(find "$build" -name scratch -prune -o -type f -perm -u+x -name 'test_*' -print)
ours=("$source"/{harness,model,model/kernel,model/nmr,model/peers,model/rules,reports,fuzzers}/*.c)
"$cov" show -format=html -output-dir="$report" -instr-profile="$build/coverage.profdata" "${programs[@]}" "${ours[@]}"
"$cov" report -instr-profile="$build/coverage.profdata" "${programs[@]}" "${ours[@]}" >"$report/summary.txt"
tail -n 1 "$report/summary.txt"
echo "The report is in $report/index.html, its numbers in $report/summary.txt"
exit "$failed"
