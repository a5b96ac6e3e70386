#!/usr/bin/env bash
# tidy.sh FOLDER - what a reviewer should not have to look for.  Prints FILE:LINE: what, and fails, when the
# sources in FOLDER break one of these rules:
#
#   lines       at most 120 characters; tables (.def) may be wider
#   functions   at most 70 lines between their braces
#   layers      each folder includes only what DESIGN allows it: the table in allowed() below
#   calls       no clock, random generator, environment or heap in harness/ and model/: executions must repeat
#   rules       each rule has a source, a line that says why it matters (why.def), and a mutant that breaks it or a
#               reason why not (RULE_WITHOUT of rules.def)
set -euo pipefail

cd "$1"
complaints=0
complain() {
    echo "$*"
    complaints=$((complaints + 1))
}

mapfile -t sources < <(find harness model msvc reports fuzzers -name '*.[ch]' -o -name '*.def' | sort)
mapfile -t scripts < <(find . -path ./build -prune -o -path ./.git -prune -o \
    \( -name CMakeLists.txt -o -name '*.cmake' -o -name '*.sh' -o -name run \) -type f -print | sort)

# ---- lines and functions

while read -r line; do
    complain "$line"
done < <(awk 'length($0) > 120 { print FILENAME ":" FNR ": " length($0) " characters, more than 120" }' \
    $(printf '%s\n' "${sources[@]}" | grep -v '\.def$') "${scripts[@]}")

# A function's braces are the only ones at the start of a line that stand alone there.  page_literal.c is the
# documentation's code, whose length is not ours.
while read -r line; do
    complain "$line"
done < <(awk 'FNR == 1 { open = 0 }
    /^{[ \t]*$/ { open = FNR }
    /^}/ { if (open && FNR - open - 1 > 70)
               print FILENAME ":" open ": function of " FNR - open - 1 " lines, more than 70"
           open = 0 }' "${sources[@]}" | grep -v '^model/modules/page_literal.c:')

# ---- layers

# The layer of a file.  Tests may see what the layer that they test may see, and that layer's insides.
layer_of() {
    case $1 in
        model/wdk/*) echo wdk ;;
        model/rules/*) echo rules ;;
        model/modules/*) echo modules ;;
        model/*) echo model ;;
        *) echo "${1%%/*}" ;;
    esac
}

# allowed LAYER PATH: may a file of this layer include this header of ours?
allowed() {
    case $1:$2 in
        harness:harness/*) ;;
        wdk:model/wdk/*) ;;
        modules:model/wdk/* | modules:model/modules/*) ;;
        msvc:msvc/*) ;;
        rules:model/rules/* | rules:model/events.h | rules:model/sites.* | rules:harness/*) ;;
        model:harness/* | model:model/*) ;;
        reports:reports/* | reports:harness/* | reports:model/*) ;;
        fuzzers:*) ;;
        *) return 1 ;;
    esac
}

# private_to PATH: the folder outside of which a header may not be included: those of model's parts, but for
# the one that has its part's name.  The headers of modules are NPIs, which both sides of a binding know.
private_to() {
    case $1 in
        model/kernel/kernel.h | model/nmr/nmr.h | model/peers/peers.h | model/rules/rules.h) ;;
        model/wdk/* | model/modules/*) ;;
        model/*/*) echo "${1%/*}" ;;
    esac
}

# resolve FILE HEADER: the path of a header of ours, as the compiler would find it; nothing for the system's.
resolve() {
    local folder
    for folder in "$(dirname "$1")" harness model model/wdk model/rules model/modules msvc reports fuzzers; do
        if [ -e "$folder/$2" ]; then
            echo "$folder/$2"
            return
        fi
    done
}

while IFS=: read -r file number header; do
    case $header in
        *\\*) ;;                                        # a driver's, with Windows' slashes
        *..*) complain "$file:$number: includes $header; headers are named from their layer, without .." ;;
    esac
    path=$(resolve "$file" "$header")
    layer=$(layer_of "$file")
    if [ -z "$path" ]; then
        case $layer:$header in
            # Driver code has no C library.  The shim may use what every compiler brings.
            wdk:stddef.h | wdk:stdint.h | wdk:stdarg.h | wdk:stdbool.h | wdk:limits.h | wdk:assert.h) ;;
            modules:nmrcheck/npi.h) ;;
            wdk:* | modules:*) complain "$file:$number: includes $header, which is not the shim's" ;;
        esac
        continue
    fi
    if ! allowed "$layer" "$path"; then
        complain "$file:$number: $layer may not include $path"
    fi
    private=$(private_to "$path")
    case $file in
        "$private"/* | */tests/*) ;;
        *) [ -z "$private" ] || complain "$file:$number: $path is private to $private" ;;
    esac
done < <(awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]*[">]/) {
        header = substr($0, RSTART, RLENGTH)
        gsub(/^[^"<]*["<]|[">]$/, "", header)
        print FILENAME ":" FNR ":" header }' "${sources[@]}")

# ---- calls

# Before and after executions, not in them: the set of hashes that an exploration counts, and the first picture of
# a module's globals.
exceptions='^harness/explore.c:[0-9]*: calls +(calloc|free)|^model/kernel/image.c:[0-9]*: calls +malloc'
mapfile -t executed < <(printf '%s\n' "${sources[@]}" |
    grep -E '^(harness|model)/' | grep -v -e /tests/ -e '^model/wdk/')
while read -r line; do
    complain "$line"
done < <(awk '
    BEGIN { banned = "time|clock|gettimeofday|clock_gettime|localtime|gmtime|" \
                     "rand|random|srand|srandom|rand_r|drand48|getrandom|getpid|getenv|secure_getenv|" \
                     "malloc|calloc|realloc|free|strdup|asprintf" }
    FNR == 1 { comment = 0 }
    {
        line = $0
        gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
        while (1) {
            if (comment) {
                if (!(end = index(line, "*/"))) { line = ""; break }
                line = substr(line, end + 2)
                comment = 0
            }
            if (!(start = index(line, "/*"))) break
            rest = substr(line, start + 2)
            if (end = index(rest, "*/")) { line = substr(line, 1, start - 1) " " substr(rest, end + 2) }
            else { line = substr(line, 1, start - 1); comment = 1; break }
        }
        sub(/\/\/.*/, "", line)
        if (match(line, "(^|[^A-Za-z0-9_.>])(" banned ")[ \t]*\\("))
            print FILENAME ":" FNR ": calls " substr(line, RSTART, RLENGTH) ") where executions must repeat"
    }' "${executed[@]}" | grep -v -E "$exceptions")

# ---- rules

if [ -e model/rules/rules.def ]; then
    mutants=model/modules/mutants
    # Joins the lines of a RULE( … ) or RULE_WITHOUT( … ), then takes those of its arguments that are quoted.
    while IFS='|' read -r number kind name source reason; do
        place=model/rules/rules.def:$number
        [ -n "$source" ] || complain "$place: rule $name has no source"
        grep -qs "^WHY(${name/-/_}, \"..*\")\$" model/rules/why.def ||
            complain "$place: rule $name has no line in model/rules/why.def"
        case $kind:$([ -e "$mutants/$name.patch" ] && echo mutant):$reason in
            RULE:mutant:* | RULE_WITHOUT::?*) ;;
            RULE::*) complain "$place: rule $name has no mutant, and is no RULE_WITHOUT that says why" ;;
            RULE_WITHOUT:mutant:*) complain "$place: rule $name has a mutant, so it is no RULE_WITHOUT" ;;
            *) complain "$place: rule $name does not say why it has no mutant" ;;
        esac
    done < <(awk '
        /^RULE(_WITHOUT)?\(/ { text = ""; first = FNR }
        first { text = text $0 }
        first && /\)[ \t]*$/ {
            kind = text
            sub(/\(.*/, "", kind)
            gsub(/\\"/, "", text)
            split(text, part, "\"")
            print first "|" kind "|" part[2] "|" part[4] "|" part[8]
            first = 0
        }' model/rules/rules.def)
fi

if [ "$complaints" -gt 0 ]; then
    echo "$complaints complaints"
    exit 1
fi
