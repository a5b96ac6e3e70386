#!/usr/bin/env bash
# mutants.sh NMRCHECK TABLE SANITIZED - each mutant is found, depth first and at random, by its own rule and by no
# other, and the correct modules break none.  The table is printed, and kept in the file TABLE.
#
# The rarest mistake (two calls, the later of which must be cut in two places) takes 42,000 random executions.
# What the program NMRCHECK, which is fast, cannot judge is left to SANITIZED, a build with AddressSanitizer.
# Exit code 77, for "skipped", when the program is not built.
set -euo pipefail

[ -x "$1" ] || { echo "$1 is not built; ./run test builds it"; exit 77; }
# page_literal is no mutant, but broken all the same.
"$1" mutants --except page_literal | tee "$2"
read -ra left <<<"$(awk '/needs AddressSanitizer/ {printf "%s ", $2}' "$2")"
[ ${#left[@]} -eq 0 ] || "$3" mutants --executions 2000 "${left[@]}" | tee -a "$2"
