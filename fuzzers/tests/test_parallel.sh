#!/usr/bin/env bash
# test_parallel.sh NMRCHECK SCRATCH - shards under GNU parallel are the whole.  Code 77 (skipped) where that is missing.
set -eu

command -v parallel >/dev/null || exit 77
nmrcheck=$(realpath "$1")
script=$(realpath "$(dirname "$0")/../explore_parallel.sh")
mkdir -p "$2"
cd "$2"
find . -mindepth 1 -delete

fail() { echo "test_parallel.sh: $*" >&2; exit 1; }
executions() { sed -n 's/.*"executions": \([0-9]*\).*/\1/p' "$1/summary.json" | head -1; }

explore=(exnpi_refcounted --strategy dpor --setup call-vs-deregister)
"$nmrcheck" explore "${explore[@]}" --out whole >/dev/null
"$script" "$nmrcheck" shards 3 "${explore[@]}" >out
grep -q 'complete: all' out || fail "not complete: $(cat out)"
[ "$(executions shards)" = "$(executions whole)" ] || fail "$(executions shards) executions, not $(executions whole)"
"$script" "$nmrcheck" found 2 page_literal --strategy dpor >out && fail "a finding gives exit code 0"
[ -n "$(find found -maxdepth 1 -name '*.scn')" ] || fail "the finding is not there"
code=0
"$script" "$nmrcheck" none 2 no_such_module >out 2>err || code=$?
[ $code -eq 2 ] || fail "shards that fail give exit code $code"
