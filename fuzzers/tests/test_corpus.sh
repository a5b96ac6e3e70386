#!/usr/bin/env bash
# test_corpus.sh NMRCHECK SCRATCH - each kept scenario still has the verdict and the event hash that stand in it.
#
# Mutants have scenarios of which only one rule is true, where another was reported once.
#
# After an intended change: nmrcheck replay --bless corpus, and look at the difference before it is committed.
set -euo pipefail

nmrcheck=$1
scratch=$2
mkdir -p "$scratch"

"$nmrcheck" replay --check corpus | tee "$scratch/replayed"

# Every module but the mutants has seeds, none of which shows a finding; the broken one has its regressions.
for module in $("$nmrcheck" list | awk '$2 !~ /^[A-Z]+-[0-9]+$/ {print $1}'); do
    count=$(find "corpus/$module" -name '*.scn' | wc -l)
    if [ "$module" = page_literal ]; then
        ls corpus/page_literal/regress-*.scn >"$scratch/regressions"
    elif [ "$count" -lt 8 ]; then
        echo "corpus/$module: only $count scenarios"
        exit 1
    elif grep -L '^# expect \(PASS\|OUTSIDE\)$' -r "corpus/$module" | grep .; then
        echo "corpus/$module: a correct module with a finding"
        exit 1
    fi
done

# Each file must say what to expect: without, anything passes.
if grep -L '^# hash [0-9a-f]\{16\}$' -r corpus | grep .; then
    echo "these say nothing about their hash; nmrcheck replay --bless adds it"
    exit 1
fi
