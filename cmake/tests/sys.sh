#!/usr/bin/env bash
# sys.sh ROOT FOLDER MODULE.c... - the example modules are drivers: built from the same unchanged sources against
# mingw-w64's kernel headers and import libraries, they are images for the native subsystem that begin in DriverEntry
# and import the kernel and NETIO.SYS, and nothing else.
#
# What mingw-w64 lacks is in cmake/sys; netioddk.h and netiodef.h are the shim's.  Without the cross compiler the test
# is skipped.
set -euo pipefail
export LC_ALL=C

root=$1 folder=$2
shift 2
target=x86_64-w64-mingw32
sysroot=/usr/$target

if ! command -v "$target-gcc" >/dev/null || [ ! -e "$sysroot/include/ddk/ntddk.h" ]; then
    echo "no $target-gcc (package gcc-mingw-w64-x86-64): skipped"
    exit 77
fi
rm -rf "$folder"
mkdir -p "$folder/include"
cp "$root"/model/wdk/{netioddk,netiodef}.h "$folder/include"
"$target-dlltool" -d "$root/cmake/sys/ntoskrnl.def" -l "$folder/libkernel.a"

compile=("$target-gcc" -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-multichar
    -D_WIN32_WINNT=0x0A00 -DNTDDI_VERSION=0x0A00000B -isystem "$root/cmake/sys" -isystem "$sysroot/include/ddk"
    -I "$folder/include" -I "$root/model/modules")
link=("$target-gcc" -nostdlib -Wl,--fatal-warnings -Wl,--no-insert-timestamp -Wl,--subsystem,native
    -Wl,--entry,DriverEntry)

wrong=0
complain() {
    echo "$*"
    wrong=1
}

for source; do
    name=$(basename "$source" .c)
    sys=$folder/$name.sys
    # Assertions are code only in a checked build.
    if ! "${compile[@]}" -DDBG=1 -c -o "$folder/$name.o" "$source" ||
        ! "${compile[@]}" -c -o "$folder/$name.o" "$source" ||
        ! "${link[@]}" -o "$sys" "$folder/$name.o" -L "$folder" -lkernel -lntoskrnl -lnetio; then
        complain "$name: is no driver"
        continue
    fi
    "$target-objdump" -p "$sys" >"$folder/$name.txt"
    imports=$(sed -nE 's/^\s*DLL Name: (.*)$/\L\1/p' "$folder/$name.txt" | sort -u | tr '\n' ' ')
    [ "$imports" = "netio.sys ntoskrnl.exe " ] || complain "$name: imports $imports"
    grep -q '^Subsystem.*(NT native)$' "$folder/$name.txt" || complain "$name: is not for the native subsystem"
    grep -q '^Entry 5 .* 0*[1-9a-f][0-9a-f]* Base Relocation' "$folder/$name.txt" ||
        complain "$name: cannot be relocated"
    entry=$(sed -nE 's/^AddressOfEntryPoint\s+0*([0-9a-f]+)$/\1/p' "$folder/$name.txt")
    base=$(sed -nE 's/^ImageBase\s+0*([0-9a-f]+)$/\1/p' "$folder/$name.txt")
    begins=$("$target-nm" "$sys" | sed -nE 's/^0*([0-9a-f]+) T DriverEntry$/\1/p')
    [ "$((16#$base + 16#$entry))" = "$((16#${begins:-0}))" ] || complain "$name: does not begin in DriverEntry"
    # Whatever our sources call by an Nmr name comes from NETIO.SYS, all of it and nothing else.
    called=$(sed -nE '/^\s*DLL Name: [Nn][Ee][Tt][Ii][Oo]/,/^\s*$/s/^\s*[0-9a-f]+\s+[0-9]+\s+([A-Za-z]+)$/\1/p' \
        "$folder/$name.txt" | sort -u)
    named=$(grep -oE '\bNmr[A-Za-z]+ *\(' "$source" | tr -d ' (' | grep -v NmrIsEqualNpiModuleId | sort -u)
    [ "$called" = "$named" ] || complain "$name: imports from NETIO.SYS:" $called "; calls:" $named
    echo "$name.sys: $(stat -c %s "$sys") bytes, $(wc -w <<<"$called") functions of NETIO.SYS"
done
exit $wrong
