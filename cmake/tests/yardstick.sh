#!/usr/bin/env bash
# yardstick.sh ROOT FOLDER EXCEPTIONS - the shim against an independent reading of the same headers: mingw-w64's.
#
# Names are taken from the headers in model/wdk mechanically, so that a new one is covered by itself.  For each name
# that mingw-w64 knows too, its compiler judges an assertion with the value that our headers give:
#
#   size NAME            sizeof of a type; and of a number, whether it has a sign
#   offset TYPE.FIELD
#   value NAME           a macro or an enumerator
#   prototype NAME       a function, or the type of a callback function
#   export NAME          the kernel (or netio, ndis, hal) exports a function of that name
#
# Where mingw-w64 is wrong or behind, EXCEPTIONS says so: lines of "kind pattern reason".  Without the cross compiler
# the test is skipped.
set -euo pipefail
export LC_ALL=C

root=$1 folder=$2 exceptions=$3
target=x86_64-w64-mingw32
wdk=$root/model/wdk

if ! command -v "$target-gcc" >/dev/null || ! command -v gcc >/dev/null; then
    echo "no $target-gcc (package gcc-mingw-w64-x86-64), or no gcc: skipped"
    exit 77
fi
sysroot=/usr/$target
for path in include/ddk/ntifs.h lib/libntoskrnl.a; do
    if [ ! -e "$sysroot/$path" ]; then
        echo "no $sysroot/$path: skipped"
        exit 77
    fi
done
mkdir -p "$folder"
ours=(gcc -std=gnu11 -fshort-wchar -w -I "$wdk")
theirs=("$target-gcc" -std=gnu11 -w -D_WIN32_WINNT=0x0A00 -DNTDDI_VERSION=0x0A00000B -I "$sysroot/include/ddk")

# ---- the names in our headers

headers=("$wdk"/*.h)
printf '#include <%s>\n' "${headers[@]##*/}" >"$folder/ours.h"
cat >"$folder/theirs.h" <<'END'
#include <ntifs.h>
#define WIN32_NO_STATUS
#include <ntstatus.h>
#include <bugcodes.h>
#include <ntintsafe.h>
#include <evntprov.h>
#include <evntrace.h>
END

# Types, fields, enumerators and object-like macros.  What the shim adds of its own begins with NMRCHECK.
awk '
    function type(names,  n, i, part) {
        n = split(names, part, /[ ,;]+/)
        for (i = 1; i <= n; i++)
            if (part[i] ~ /^[A-Za-z_]/)
                print "type", part[i]
    }
    /^#[ ]*define [A-Za-z_][A-Za-z0-9_]* [^ ]/ && $2 !~ /^(NMRCHECK|_|nmrcheck)/ { print "value", $2 }
    /^typedef (struct|union|enum) .*{$/ { inside = $2; count = 0; next }
    inside && /^}/ {
        names = $0
        sub(/^}/, "", names); gsub(/\*/, " ", names)
        split(names, part, /[ ,;]+/)
        for (i = 1; i <= count; i++)
            print "offset", part[2] "." fields[i]
        type(names); inside = ""; next
    }
    inside == "enum" && match($0, /^    [A-Za-z_][A-Za-z0-9_]*/) { print "value", substr($0, 5, RLENGTH - 4) }
    inside && inside != "enum" && /;$/ && !/ : [0-9]+;$/ {
        field = $0
        sub(/(\[[^\]]*\])?;$/, "", field)
        if (field !~ /^ *}$/ && match(field, /[A-Za-z_][A-Za-z0-9_]*$/))
            fields[++count] = substr(field, RSTART)
    }
    /^typedef [^{(]*;$/ {
        names = $0
        sub(/^typedef (const |volatile )*(struct |union |enum )?[A-Za-z_][A-Za-z0-9_]*/, "", names)
        gsub(/\*/, " ", names); gsub(/\[[^\]]*\]/, "", names)
        type(names)
    }
    /^typedef .*[ (*]([A-Z_0-9]+)\)?\($/ || /^typedef .* NTAPI [A-Z_0-9]+\(/ {
        name = $0
        sub(/\)?\(($|_In|_Out|VOID|struct|[A-Z]+ ).*/, "", name)
        sub(/.*[ (*]/, "", name)
        print "type", name
    }' "${headers[@]}" | sort -u >"$folder/names"

# ---- what our headers say of them

# lines_without_errors FILE PRELUDE COMPILER...: each line is put in a function of its own, and the compiler names the
# functions in which it finds errors.
lines_without_errors() {
    local file=$1 prelude=$2
    shift 2
    { cat "$prelude"; awk '{ print "void line" FNR "(void) { " $0 " }" }' "$file"; } >"$folder/judged.c"
    { "$@" -fmax-errors=0 -fsyntax-only "$folder/judged.c" 2>&1 || true; } >"$folder/log"
    sed -nE 's/.*: In function .line([0-9]+).:$/\1/p' "$folder/log" |
        awk 'FILENAME == "-" { bad[$1] = 1; next } !(FNR in bad)' - "$file"
}

# Reads "kind name expression" a line; writes "kind name value expression" for those that our compiler evaluates.
ask() {
    sort -u | awk '{ name = $1 " " $2; sub(/^[^ ]+ [^ ]+ /, "")
                     print "static const int x = (long long)(" $0 ") > 5; /* " name " */" }' >"$folder/questions"
    lines_without_errors "$folder/questions" "$folder/ours.h" "${ours[@]}" |
        sed 's/^static const int x = //; s/ > 5; \/\*/, \/*/' >"$folder/lines"
    {
        cat "$folder/ours.h"
        echo '__attribute__((section("values"))) const long long table[] = {'
        cat "$folder/lines"
        echo '};'
    } >"$folder/ours.c"
    "${ours[@]}" -c -o "$folder/ours.o" "$folder/ours.c"
    objcopy -O binary -j values "$folder/ours.o" "$folder/ours.bin"
    od -An -v -w8 -td8 "$folder/ours.bin" >"$folder/values"
    paste -d ' ' "$folder/values" "$folder/lines" | awk '{
        value = $1
        match($0, /\/\* .* \*\/$/)
        name = substr($0, RSTART + 3, RLENGTH - 6)
        expression = substr($0, 1, RSTART - 3)
        sub(/^ *-?[0-9]+ /, "", expression)
        print name, value, expression }'
}
awk '$1 == "type" { print "size", $2, "sizeof(" $2 ")"; print "sign", $2, "(" $2 ")-1 < (" $2 ")1" }
     $1 == "value" { print "value", $2, $2 }
     $1 == "offset" { split($2, part, "."); print "offset", $2, "__builtin_offsetof(" part[1] ", " part[2] ")" }' \
    "$folder/names" | ask >"$folder/facts"

# Prototypes, as "name|type": gcc writes down those of the functions that are declared; the types of callback functions
# are read off the preprocessed headers.
"${ours[@]}" -aux-info "$folder/prototypes" -fsyntax-only -x c "$folder/ours.h"
sed -nE 's,^/\* [^ ]*wdk/[a-z]+\.h:[0-9]+:NC \*/ extern (.*[ *])([A-Za-z_0-9]+) \((.*)\);$,\2|\1 (\3),p' \
    "$folder/prototypes" | grep -v -e '^nmrcheck_' -e va_list_tag | sort -u >"$folder/functions"
"${ours[@]}" -E -P -x c "$folder/ours.h" | tr -s '\n ' ' ' | sed 's/;/;\n/g' |
    sed -nE 's/^ ?typedef ([^{}()]*[ *])([A-Z_0-9]+) ?\((.*)\) ?;$/\2|\1 (\3)/p
             s/^ ?typedef ([^{}()]*[ *])\( ?\*([A-Z_0-9]+)\) ?\((.*)\) ?;$/\2|\1 (*)(\3)/p' |
    sort -u >"$folder/callbacks"

# ---- what mingw-w64 says

{
    awk '{ kind = $1; name = $2; value = $3; $1 = $2 = $3 = ""
           print "_Static_assert(" $0 " == " value "ll, \"" kind " " name " is " value " in the shim\");" }' \
        "$folder/facts"
    awk -F'|' '{ of = FILENAME ~ /functions$/ ? "__typeof__(" $1 ")" : $1
                 print "_Static_assert(__builtin_types_compatible_p(" of ", " $2 "), \"prototype " $1 " is " $2 \
                       " in the shim\");" }' "$folder/functions" "$folder/callbacks"
} >"$folder/assertions"
lines_without_errors "$folder/assertions" "$folder/theirs.h" "${theirs[@]}" >"$folder/agreed"
sed -nE 's/.*error: static assertion failed: "(.*)"$/\1/p' "$folder/log" >"$folder/complaints"

# exports: what is no inline function of ours
for library in ntoskrnl netio ndis hal; do
    if [ -e "$sysroot/lib/lib$library.a" ]; then
        "$target-nm" --defined-only "$sysroot/lib/lib$library.a" 2>/dev/null
    fi
done | awk '$2 == "T" { print $3 }' | sort -u >"$folder/exports"
cut -d '|' -f 1 "$folder/functions" | sort -u >"$folder/called"
comm -23 "$folder/called" "$folder/exports" | sed 's/.*/export & is not there/' >>"$folder/complaints"

# ---- the result

wrong=0
used=$folder/used
: >"$used"
while read -r kind name text; do
    reason=
    while read -r of pattern why; do
        # shellcheck disable=SC2053 # patterns are meant
        if [[ $of == "$kind" && $name == $pattern ]]; then
            reason=$why
            echo "$of $pattern" >>"$used"
            break
        fi
    done < <(grep -v -e '^#' -e '^$' "$exceptions")
    if [ -z "$reason" ]; then
        echo "$kind $name $text; mingw-w64 says otherwise"
        wrong=1
    fi
done <"$folder/complaints"
while read -r of pattern why; do
    grep -qxF "$of $pattern" "$used" || echo "note: exception '$of $pattern' is not needed with this mingw-w64"
done < <(grep -v -e '^#' -e '^$' "$exceptions")

agreed=$(wc -l <"$folder/agreed")
exported=$(comm -12 "$folder/called" "$folder/exports" | wc -l)
echo "$(wc -l <"$folder/assertions") assertions, of which mingw-w64 confirms $agreed;" \
    "it exports $exported of $(wc -l <"$folder/called") functions"
# Much less than now means that the script no longer finds what it should compare.
if [ "$agreed" -lt 1000 ] || [ "$exported" -lt 150 ]; then
    echo "that is too little"
    wrong=1
fi
exit $wrong
