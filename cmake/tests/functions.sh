#!/usr/bin/env bash
# functions.sh ROOT - model/wdk/functions.txt is in order, and knows at least what the shim itself declares.
set -euo pipefail
export LC_ALL=C

wdk=$1/model/wdk
list=$wdk/functions.txt
complaints=0
complain() {
    sed "s,^,$list: ,"
    complaints=1
}

names=$(grep -v '^#' "$list" | cut -d ' ' -f 1)
if ! sort -c <<<"$names" 2>/dev/null; then
    echo "$names" | sort -c 2>&1 | sed 's/.*: //; s/$/: not in order/' | complain
fi
repeated=$(uniq -d <<<"$names")
[ -z "$repeated" ] || complain <<<"$repeated twice"

form='^[A-Za-z_][A-Za-z0-9_]* ([a-z0-9_]+\.h|-)( [A-Za-z_][A-Za-z0-9_ *]*)?$'
odd=$(grep -v '^#' "$list" | grep -v -E "$form" || true)
[ -z "$odd" ] || complain <<<"$odd: not NAME HEADER [TYPE]"

# What the compiler sees declared in the shim, without what is ours (nmrcheck_...), and without intrinsics.
declared=$(printf '#include <%s>\n' "$wdk"/*.h | sed 's,<.*/,<,' |
    "${CC:-gcc}" -std=gnu11 -fshort-wchar -w -I "$wdk" -aux-info /dev/stdout -fsyntax-only -x c - |
    sed -nE 's,^/\* [^ ]*/wdk/([a-z]+)\.h:.* ([A-Za-z][A-Za-z0-9_]*) \(.*\);.*,\1 \2,p' |
    awk '$1 !~ /^(intrin|sal|ntdef)$/ && $2 !~ /^(nmrcheck|va_)/ { print $2 }' | sort -u)
unknown=$(comm -23 <(echo "$declared") <(sort <<<"$names"))
[ -z "$unknown" ] || complain < <(sed 's/$/: declared in the shim, but not listed/' <<<"$unknown")

if [ "$(wc -l <<<"$declared")" -lt 250 ]; then
    echo "only $(wc -l <<<"$declared") functions found in the shim"
    complaints=1
fi
exit $complaints
