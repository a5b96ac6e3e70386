#!/usr/bin/env bash
# aarch64.sh ROOT EXECUTIONS - another machine, the same executions: random and depth-first ones of every module, by
# the AArch64 build under qemu-user and by a build for this machine.  That covers the fiber switch written for AArch64,
# its signal frames, and a third compiler.  Exit code 77, for "skipped", when a program is missing.
#
# Left out are the mutants that cmake/tests/determinism.sh leaves out, for the same reasons.
set -euo pipefail

root=$1
executions=$2
own=$root/build/plain-clang/nmrcheck-digest
other=$root/build/aarch64/nmrcheck-digest
for need in "$own" "$other"; do
    [ -x "$need" ] || { echo "$need is not built; ./run test builds it"; exit 77; }
done
command -v qemu-aarch64 >/dev/null || { echo "qemu-aarch64 is missing: install qemu-user"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

read -ra modules <<<"$("$root/build/plain-clang/nmrcheck" list | awk '$2 !~ /^MEM-[79]$/ {printf "%s ", $1}')"
"$own" "$executions" "${modules[@]}" >"$work/own"
qemu-aarch64 -L /usr/aarch64-linux-gnu "$other" "$executions" "${modules[@]}" >"$work/other" 2>"$work/log" ||
    { cat "$work/log"; exit 1; }
grep -q 'by aarch64' "$work/log" || { cat "$work/log"; echo "not the fiber switch for AArch64"; exit 1; }
diff "$work/own" "$work/other"
echo "${#modules[@]} modules, $(wc -l <"$work/own") digests: the same"
