#!/usr/bin/env bash
# explore_parallel.sh NMRCHECK FOLDER SHARDS MODULE [OPTION...] - nmrcheck explore in shards, under GNU parallel.
#
# Runs `nmrcheck explore MODULE OPTION... --shard I/SHARDS --out FOLDER/shard-I` for each I, as many at once as there
# are processors, and merges into FOLDER.  Exit codes are nmrcheck's: 0 no finding, 1 a finding, 2 trouble.
#
# GNU parallel takes more options from the environment, such as more hosts (with the number of jobs before a slash where
# it is not installed there, too).  They have to see NMRCHECK, FOLDER and the current folder under the same paths:
#     PARALLEL='--sshlogin host1,16/host2,:' fuzzers/explore_parallel.sh /shared/nmrcheck /shared/out 64 mine
# What a host that is down should have run, another one does.
set -eu

[ $# -ge 4 ] || { sed -n '2s/^# /usage: /p' "$0" >&2; exit 2; }
command -v parallel >/dev/null || { echo "explore_parallel.sh: needs GNU parallel (package parallel)" >&2; exit 2; }
nmrcheck=$(realpath "$1") folder=$(realpath -m "$2") shards=$3
shift 3
mkdir -p "$folder"

# Exit code 1 is a finding.  All that is worse is tried again, on another host if there is one.
finding_is_no_failure='"$@" || [ $? -eq 1 ]'
if ! seq "$shards" | parallel --will-cite --quote --joblog "$folder/jobs.log" --retries 3 --workdir "$PWD" \
    sh -c "$finding_is_no_failure" sh \
    "$nmrcheck" explore "$@" --shard "{}/$shards" --out "$folder/shard-{}" >"$folder/shards.txt"; then
    echo "explore_parallel.sh: a shard failed; see $folder/jobs.log" >&2
    exit 2
fi
exec "$nmrcheck" merge "$folder"/shard-*/ --out "$folder"
