#!/usr/bin/env bash
# profiles.sh NMRCHECK - what NMR does where the documents are silent changes no judgement: under each profile that is
# not the default, each mutant breaks its own rule, and no rule that it does not break under the default.
#
# A smaller search than that of mutants.sh, so one way to find a mutant is enough here.
# Exit code 77, for "skipped", when the program is not built.
set -euo pipefail

[ -x "$1" ] || { echo "$1 is not built; ./run test builds it"; exit 77; }
wrong=0
for profile in strict chaos; do
    rows=$("$1" mutants --profile "$profile" --executions 1000 --random 5000 --except page_literal) || true
    tail -n 1 <<<"$rows"
    # Not found either way; or not as it should be, and that not because one way did not find it.
    awk -v profile="$profile" '
        $3 == "never" && $4 == "never" || /[A-Z]-[0-9]+\([0-9]+\).* WRONG$/ || $1 == "-" && / WRONG$/ {
            print profile ": " $0
            bad = 1
        }
        $1 != "rule" { rows++ }
        END { exit bad || rows < 100 }' <<<"$rows" || wrong=1
done
exit "$wrong"
