#!/usr/bin/env bash
# missing.sh NAME OBJECT LIBRARY LIST FUNCTIONS - what one module needs and nobody defines, before a linker complains.
#
# NAME       the module, for the message
# OBJECT     all of the module's code, as isolate.sh made it
# LIBRARY    the simulated kernel, which the module will be linked with
# LIST       a file of ours that keeps the names defined there for the next module
# FUNCTIONS  what the WDK declares: model/wdk/functions.txt
#
# Fails when names are missing.  Each is listed once, with its header, where it is used first, and a stub to paste.
set -euo pipefail
export LC_ALL=C

name=$1 object=$2 library=$3 list=$4 functions=$5
nm=${NMRCHECK_NM:-nm}

if [ "$list" -ot "$library" ]; then
    "$nm" --defined-only --extern-only --format=posix "$library" 2>/dev/null |
        awk 'NF > 1 && $2 ~ /^[TDBRVWGSC]$/ { print $1 }' | sort -u >"$list.$$"
    mv "$list.$$" "$list"
fi
# An nm that cannot read the library, say one optimised across files: then the linker has the word.
grep -qx NmrRegisterProvider "$list" || exit 0

# What a compiler brings by itself: sanitizers, coverage, arithmetic on wide integers.
runtime='^(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__[a-z]+[sdt]i[234]?'
runtime+='|__(asan|ubsan|tsan|sanitizer|sancov|llvm|gcov|afl|start|stop|atomic)_.*)$'
missing=$("$nm" --undefined-only --format=posix "$object" |
    awk -v runtime="$runtime" '$2 == "U" && $1 !~ runtime { print $1 }' | sort -u | comm -23 - "$list")
[ -n "$missing" ] || exit 0

# Where it is used first, by the debug information; and whether it is called, else it may be a variable.
places=$("$nm" --line-numbers --undefined-only "$object" 2>/dev/null |
    awk -F'\t' 'NF > 1 { sub(/^ *U /, "", $1); print "place", $1, $2 }')
calls=$("${NMRCHECK_READELF:-readelf}" -rW "$object" |
    awk '$3 ~ /PLT32|CALL26|JUMP26/ { print "call", $5 }' | sort -u)

# shellcheck disable=SC2016 # awk's
awk -v module="$name" '
    function stub_value(type) {
        if (type ~ /STATUS$/) return "STATUS_SUCCESS"
        if (type ~ /^(BOOLEAN|LOGICAL)$/) return "FALSE"
        return type ~ /^P[A-Z]|^HANDLE$|^WDF[A-Z]|\*$/ ? "NULL" : "0"
    }
    # A modelled function of nearly the same name.
    function twin(name,  base) {
        base = name
        if (sub(/^Nt/, "Zw", base) || sub(/^Zw/, "Nt", base)) if (base in defined) return base
        base = name
        if (sub(/(Ex)?[0-9]*$/, "", base) && base in defined) return base
        return (name "Ex") in defined ? name "Ex" : (name "2") in defined ? name "2" : ""
    }
    function pad(text, width) { return sprintf("%-" width "s", text) }

    FILENAME == ARGV[1] { defined[$1]; next }
    FILENAME == ARGV[2] { if (!/^#/) { header[$1] = $2; type[$1] = $3 " " $4 (NF > 4 ? " " $5 : "") } next }
    $1 == "place" { place[$2] = $3; next }
    $1 == "call" { called[$2]; next }
    { names[++count] = $1 }
    END {
        for (i = 1; i <= count; i++) {
            name = names[i]
            sub(/ +$/, "", type[name])
            if (!(name in header)) { what[i] = "not in the WDK"; elsewhere = 1; from = "" }
            else if (type[name] == "macro") { what[i] = "a macro: is its header included?"; from = header[name] }
            else {
                from = header[name] == "-" ? "no header" : header[name]
                what[i] = (type[name] ~ /^data / ? "variable, " : "") "not modelled"
                if (twin(name) != "") what[i] = what[i] " (" twin(name) " is)"
            }
            of[i] = from
            if (length(name) > wide) wide = length(name)
            if (length(from) > wide_of) wide_of = length(from)
            if (length(what[i]) > wide_what) wide_what = length(what[i])
            if (type[name] ~ /^data /) {
                stub[i] = substr(type[name], 6) " " name ";"
                sub(/\* /, "*", stub[i])
            }
            else if (!(name in header) && !(name in called))
                stub[i] = "TYPE " name ";    /* a variable? */"
            else if (type[name] != "macro") stub[i] = "NMRCHECK_STUB(" name ", " stub_value(type[name]) ")"
            if (stub[i] != "") stubs = 1
        }
        print "nmrcheck: module " module " needs " count (count == 1 ? " name" : " names") " that nobody defines:"
        for (i = 1; i <= count; i++) {
            line = "  " pad(names[i], wide) "  " pad(of[i], wide_of) "  " pad(what[i], wide_what)
            line = line "  " place[names[i]]
            sub(/ +$/, "", line)
            print line
        }
        if (elsewhere)
            print "What is not in the WDK may be in a source file of the driver that SOURCES does not list."
        if (stubs) {
            print (elsewhere ? "Or paste" : "Paste") " stubs into a C file that nmrcheck_add_module gets as NPI,",
                "with the values that suit:"
            print "  #include <nmrcheck/npi.h>"
            for (i = 1; i <= count; i++) if (stub[i] != "") print "  " stub[i]
        }
    }' "$list" "$functions" <(echo "$places"; echo "$calls"; echo "$missing") >&2
exit 1
