#!/usr/bin/env bash
# layers.sh FOLDER BUILD - a forbidden include does not compile.
#
# For each layer: the command that compiles one of its files, taken from compile_commands.json, must accept a header
# that the layer may include and reject one that it may not.
set -euo pipefail

root=$1 build=$2

# Lines of the file are: "directory": …, "command": …, "file": …
command_of() {
    awk -v file="$1" '
        /"command":/ { command = $0; sub(/^[^:]*: "/, "", command); sub(/",?$/, "", command); gsub(/\\"/, "\"", command)
                       gsub(/\\\\/, "\\", command) }
        index($0, "\"file\": \"" file "\"") { print command; exit }' "$build/compile_commands.json"
}

wrong=0
# try FILE good|bad HEADER: with quotes or angle brackets.
try() {
    local file=$1 expected=$2 header=$3 command outcome=good
    command=$(command_of "$root/$file")
    if [ -z "$command" ]; then
        echo "$file: not compiled in $build"
        wrong=1
        return
    fi
    # The same command, but for the source, what it writes, and warnings.
    command=$(sed -E 's/ -o [^ ]+ -c [^ ]+$//; s/ -M[DTF]( [^ ]+\.[od])?//g; s/ -Werror//g' <<<"$command")
    if ! (cd "$root/$(dirname "$file")" && eval "$command -w -fsyntax-only -x c -") <<<"#include $header" 2>/dev/null
    then
        outcome=bad
    fi
    if [ "$outcome" != "$expected" ]; then
        echo "$file: #include $header is $outcome, not $expected"
        wrong=1
    fi
}

try harness/sched.c good '"choice.h"'
try harness/sched.c good '<sched.h>'
try harness/sched.c bad '"events.h"'
try harness/sched.c bad '"world.h"'
try harness/sched.c bad '<ntddk.h>'
try harness/sched.c bad '"report.h"'

try model/rules/sources.c good '"rules.h"'
try model/rules/sources.c good '"events.h"'
try model/rules/sources.c good '"sites.h"'
try model/rules/sources.c good '"finding.h"'
try model/rules/sources.c bad '"nmr/nmr.h"'
try model/rules/sources.c bad '"kernel/kernel.h"'
try model/rules/sources.c bad '"world.h"'
try model/rules/sources.c bad '<ntddk.h>'

try model/nmr/attach.c good '"nmr/nmr.h"'
try model/nmr/attach.c good '"sched.h"'
try model/nmr/attach.c bad '"report.h"'
try model/nmr/attach.c bad '"mutate.h"'

try model/modules/exnpi_refcounted.c good '<netioddk.h>'
try model/modules/exnpi_refcounted.c bad '"events.h"'
try model/modules/exnpi_refcounted.c bad '"kernel/kernel.h"'
try model/modules/exnpi_refcounted.c bad '"sched.h"'
try model/modules/exnpi_refcounted.c good '<stdio.h>'
try model/modules/exnpi_refcounted.c bad '<pthread.h>'

try reports/report.c good '"world.h"'
try reports/report.c good '"event.h"'
try reports/report.c bad '"cli.h"'
exit "$wrong"
