#!/usr/bin/env bash
# mutate.sh PATCH-PROGRAM PATCH FOLDER SOURCE... - copy a module's sources into a folder and apply a mutant's patch.
#
# The patch must fit exactly: a mutant that no longer matches its parent stops the build.  Of a parent with
# several sources, the patch names its file as diff -u of two folders does ("--- a/file.c").
set -euo pipefail

program=$1 patch=$2 folder=$3
shift 3

rm -rf "$folder"
mkdir -p "$folder"
cp "$@" "$folder"
only=()
if [ $# -eq 1 ]; then
    only=("$(basename "$1")")
fi
if ! "$program" --silent --fuzz=0 --no-backup-if-mismatch --reject-file=- -p1 -d "$folder" "${only[@]}" <"$patch"; then
    echo "$patch: does not apply to its parent; make it again with diff -u" >&2
    rm -rf "$folder"
    exit 1
fi
