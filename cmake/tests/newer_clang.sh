#!/usr/bin/env bash
# newer_clang.sh FOLDER CLANG - our own code compiles without warnings with the newest clang that is installed, too:
# each version warns of more.  FOLDER is the project's.
#
# Exit code 77, for "skipped", when none newer than CLANG is installed.
set -euo pipefail

major() { "$1" -dumpversion | cut -d. -f1; }
newest=$(compgen -c clang- | grep -xE 'clang-[0-9]+' | sort -t- -k2n | tail -1)
if [ -z "$newest" ] || [ "$(major "$newest")" -le "$(major "$2")" ]; then
    echo "no clang newer than $("$2" -dumpversion)"
    exit 77
fi
cd "$1"
"$newest" -std=gnu11 -fsyntax-only -Wall -Wextra -Wconversion -Wshadow -Wno-enum-enum-conversion -Werror \
    -fshort-wchar -Wno-multichar -Wno-unknown-pragmas -D_GNU_SOURCE -DNMRCHECK_SOURCE_DIR='""' \
    -DNMRCHECK_BINARY_DIR='""' -DNMRCHECK_GDB_SCRIPT='""' -iquote harness -iquote model \
    -iquote reports -iquote fuzzers -iquote harness/tests/programs -I model/wdk -I model/npi \
    {harness,model,model/kernel,model/nmr,model/peers,model/rules,reports,fuzzers}/*.c \
    {harness,model,reports,fuzzers}/tests/*.c harness/tests/programs/*.c
