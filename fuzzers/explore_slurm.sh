#!/usr/bin/env bash
# explore_slurm.sh NMRCHECK FOLDER SHARDS MODULE [OPTION...] - nmrcheck explore in shards, as a Slurm job array.
#
# Submits one array job of SHARDS tasks of one processor each, waits for it, and merges into FOLDER.  NMRCHECK and
# FOLDER have to be on a file system that all nodes share.  sbatch takes more options from the environment
# (SBATCH_PARTITION, SBATCH_TIMELIMIT, ...).  A dpor task that is killed or requeued goes on from its last save.
# Exit codes are nmrcheck's: 0 no finding, 1 a finding, 2 trouble.
set -eu

[ $# -ge 4 ] || { sed -n '2s/^# /usage: /p' "$0" >&2; exit 2; }
command -v sbatch >/dev/null || { echo "explore_slurm.sh: needs Slurm's sbatch" >&2; exit 2; }
nmrcheck=$(realpath "$1") folder=$(realpath -m "$2") shards=$3
shift 3
mkdir -p "$folder"

task="$(printf '%q ' "$nmrcheck" explore "$@") --shard \$SLURM_ARRAY_TASK_ID/$shards"
task+=" --out $(printf %q "$folder")/shard-\$SLURM_ARRAY_TASK_ID"
code=0
# --wait gives the largest exit code of the tasks; 1 is a finding.
sbatch --wait --requeue --cpus-per-task=1 --array="1-$shards" --output="$folder/shard-%a.log" --wrap="$task" || code=$?
if [ $code -gt 1 ]; then
    echo "explore_slurm.sh: a shard failed; see $folder/shard-*.log" >&2
    exit 2
fi
exec "$nmrcheck" merge "$folder"/shard-*/ --out "$folder"
