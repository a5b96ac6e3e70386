#!/usr/bin/env bash
# isolate.sh NAME OUTPUT OBJECT... - make one module's objects fit to share a program with other modules.
#
# Drivers define the same names (DriverEntry, ProviderAttachClient, g_Lock ...), and each needs its globals
# restored before every execution.  So, for a module NAME:
#
#   - the objects become one relocatable object,
#   - each global symbol S that it defines becomes NAME__S,
#   - its writable sections become one section nmrdata_NAME, between __start_nmrdata_NAME and __stop_nmrdata_NAME,
#   - the C library's functions become those of the kernel model, which check what they touch.
#
# What compilers add for themselves (sanitizer, coverage) keeps its names and sections.
#
# With NMRCHECK_LIBRARY, the simulated kernel, and NMRCHECK_FUNCTIONS, what neither it nor the module defines is listed
# (missing.sh), and there is no output.
set -euo pipefail

name=$1 output=$2
shift 2

work=$output.work
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

"${NMRCHECK_LD:-ld}" -r -o "$work/joined.o" "$@"

# A compiler's own tables and start-up functions are told apart by their names.
"${NMRCHECK_NM:-nm}" --defined-only --extern-only --format=posix "$work/joined.o" |
    awk -v module="$name" '
        $1 ~ /^(asan\.|sancov\.|tsan\.|__sancov|___asan|__asan_|__llvm|__prof|__cov|__start_|__stop_)/ { next }
        $2 ~ /^[TDBRSGCAWV]$/ { print $1, module "__" $1 }' >"$work/symbols"
if ! grep -q '^DriverEntry ' "$work/symbols"; then
    echo "module $name: no source file defines DriverEntry" >&2
    exit 1
fi
library="memcpy memset memmove memcmp strlen strnlen strcmp strncmp _stricmp _strnicmp strcpy strncpy strcat strchr
    strrchr strstr wcslen wcsnlen wcscmp wcsncmp _wcsicmp _wcsnicmp wcscpy wcsncpy wcscat wcschr wcsrchr wcsstr
    toupper tolower isdigit isxdigit isupper islower isalpha isalnum isspace isprint"
for function in $library; do
    echo "$function nmrcheck_$function"
done >>"$work/symbols"

# The same functions under the names of sanitizers and optimisers.  They need a pass of their own, for objcopy
# refuses two sources of one target; the second pass may leave two undefined symbols of one name, which is sound.
"${NMRCHECK_NM:-nm}" --undefined-only --format=posix "$work/joined.o" |
    awk '$1 ~ /^__(asan|tsan)_mem(cpy|set|move)$/ { print $1, "nmrcheck_" substr($1, 8) }
         $1 == "bcmp" { print $1, "nmrcheck_memcmp" }' >"$work/aliases"

# All that is written: .data*, .bss*, and what `#pragma data_seg` names.  Not .data.rel.ro*, which is constant once the
# program runs, nor what compilers add.  "contents" turns a .bss section into zeroes on file, so that all parts have one
# type.
sections=()
while read -r section; do
    sections+=(--rename-section "$section=nmrdata_$name,alloc,load,data,contents")
done < <("${NMRCHECK_READELF:-readelf}" -SW "$work/joined.o" | sed -n 's/^ *\[ *[0-9]*\] //p' |
    awk '$2 ~ /^(PROGBITS|NOBITS)$/ && $7 ~ /^WA[^T]*$/ { print $1 }' |
    grep -vE '^(\.data\.rel\.ro|\.got|\.tm_clone|__|asan_)' | sort -u)

objcopy=${NMRCHECK_OBJCOPY:-objcopy}
"$objcopy" --redefine-syms="$work/symbols" "${sections[@]}" "$work/joined.o" "$work/renamed.o"
"$objcopy" --redefine-syms="$work/aliases" "$work/renamed.o" "$work/isolated.o"
if [ -n "${NMRCHECK_LIBRARY-}" ]; then
    "${BASH_SOURCE%/*}/missing.sh" "$name" "$work/isolated.o" "$NMRCHECK_LIBRARY" "$(dirname "$output")/.defined" \
        "$NMRCHECK_FUNCTIONS"
fi
mv "$work/isolated.o" "$output"
