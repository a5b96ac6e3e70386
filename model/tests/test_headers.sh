#!/usr/bin/env bash
# test_headers.sh NMRCHECK FOLDER - each header of the shim compiles alone, and before the others, without a warning;
# all of them get on with the C library.
set -euo pipefail

folder=$2
mkdir -p "$folder"
flags=(-std=gnu11 -fsyntax-only -fshort-wchar -Wall -Wextra -Wconversion -Wshadow -Wno-multichar -Werror -I model/wdk)
status=0

compile() {
    local compiler=$1 what=$2
    if ! "$compiler" "${flags[@]}" "$folder/case.c" >"$folder/case.log" 2>&1; then
        echo "$compiler does not compile $what:"
        head -n 20 "$folder/case.log"
        status=1
    fi
}

for compiler in clang gcc; do
    if ! command -v "$compiler" >/dev/null; then
        continue
    fi
    for path in model/wdk/*.h; do
        header=$(basename "$path")
        printf '#include <%s>\nint x;\n' "$header" >"$folder/case.c"
        compile "$compiler" "$header alone"
        printf '#include <%s>\n' "$header" ntifs.h netioddk.h wsk.h "$header" >"$folder/case.c"
        compile "$compiler" "$header before others"
    done
    {
        printf '#include <%s>\n' model/wdk/*.h | sed 's,model/wdk/,,'
        printf '#include <%s>\n' stdio.h stdlib.h string.h limits.h errno.h time.h wchar.h inttypes.h
    } >"$folder/case.c"
    compile "$compiler" "all headers, then the C library's"
done
exit $status
