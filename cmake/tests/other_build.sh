#!/usr/bin/env bash
# other_build.sh BUILD - run the tests of another build folder.  Exit code 77, for "skipped", when it was not built:
# `./run test` builds all.
set -euo pipefail

if [ ! -e "$1/nmrcheck" ]; then
    echo "$1 is not built; ./run test builds it"
    exit 77
fi
exec ctest --test-dir "$1" --output-on-failure
