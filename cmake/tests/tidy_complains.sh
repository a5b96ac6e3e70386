#!/usr/bin/env bash
# tidy_complains.sh TIDY - tidy.sh accepts a clean project and complains about each thing that it is there for.
set -euo pipefail

tidy=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0

fresh() {
    rm -rf "$work/p"
    mkdir -p "$work"/p/{harness,reports,fuzzers,model/{wdk,rules,kernel,nmr,modules/mutants}}
    cd "$work/p"
    printf '%s\n' '/* time() in a comment */' 'int ours(void);' >harness/ours.h
    printf '%s\n' '#include "ours.h"' '#include <string.h>' 'int ours(void)' '{' '    return runtime(0) + x.time(1);' \
        '}' >harness/ours.c
    echo 'int k(void);' >model/kernel/kernel.h
    echo 'int i(void);' >model/kernel/internal.h
    echo '#include <stddef.h>' >model/wdk/ntddk.h
    echo '#include <ntddk.h>' >model/modules/driver.c
    echo 'enum { E };' >model/events.h
    echo '#include "events.h"' >model/rules/rules.c
    echo 'RULE(PA_1, "PA-1", D, "pac", "A sentence (of a rule).")' >model/rules/rules.def
    echo 'WHY(PA_1, "It crashes.")' >model/rules/why.def
    touch model/modules/mutants/PA-1.patch
}

# expect TEXT: tidy.sh complains, with this text among others.
expect() {
    local output
    if output=$("$tidy" "$work/p"); then
        echo "accepted, though it should say: $1"
        wrong=1
    elif ! grep -qF -- "$1" <<<"$output"; then
        printf 'said "%s" instead of "%s"\n' "$output" "$1"
        wrong=1
    fi
}

fresh
if ! "$tidy" "$work/p"; then
    echo "complains about a clean project"
    wrong=1
fi

fresh; printf '%121s\n' x >>harness/ours.h;                         expect "harness/ours.h:3: 121 characters"
fresh; { echo 'int f(void)'; echo '{'; printf ';%.0s\n' {1..71}; echo '}'; } >>harness/ours.c
                                                                    expect "harness/ours.c:8: function of 71 lines"
fresh; echo '#include "events.h"' >>harness/ours.c;                 expect "harness may not include model/events.h"
fresh; echo '#include <stdio.h>' >>model/modules/driver.c;          expect "driver.c:2: includes stdio.h"
fresh; echo '#include <stdio.h>' >>model/wdk/ntddk.h;               expect "ntddk.h:2: includes stdio.h"
fresh; echo '#include "kernel/kernel.h"' >>model/rules/rules.c;     expect "rules may not include model/kernel/kernel.h"
fresh; echo '#include "kernel/internal.h"' >model/nmr/a.c;          expect "internal.h is private to model/kernel"
fresh; echo '#include "../kernel/kernel.h"' >model/nmr/a.c;         expect "without .."
fresh; touch fuzzers/a.h; echo '#include "a.h"' >reports/a.c;       expect "reports may not include fuzzers/a.h"
fresh; echo 'int t = (int)time(0);' >>harness/ours.c;               expect "ours.c:7: calls"
fresh; echo 'char *e = getenv ("X"), *q = "/*";' >model/a.c;        expect "model/a.c:1: calls"
fresh; echo '/* a */ void *p = malloc(1);' >model/kernel/a.c;       expect "model/kernel/a.c:1: calls"
fresh; rm model/modules/mutants/*;                                  expect "rule PA-1 has no mutant"
fresh; echo 'RULE(PA_2, "PA-2", D, "",' >>model/rules/rules.def; echo '    "B.")' >>model/rules/rules.def
                                                                    expect "rules.def:2: rule PA-2 has no source"
fresh; echo 'WHY(PA_1, "")' >model/rules/why.def;                   expect "rule PA-1 has no line in model/rules/why"
fresh; sed -i 's/^RULE(\(.*\))$/RULE_WITHOUT(\1, NOWHERE, "A reason.")/' model/rules/rules.def
                                                                    expect "rule PA-1 has a mutant, so"
rm model/modules/mutants/*
if ! "$tidy" "$work/p"; then
    echo "complains about a reason"
    wrong=1
fi
sed -i 's/A reason.//' model/rules/rules.def;                       expect "rule PA-1 does not say why"
exit "$wrong"
