#!/usr/bin/env bash
# external_bugs.sh ROOT FOLDER CLANG - the drivers of tests/external, with the bugs that shipping drivers had.
#
# Each bugs/*.patch of a driver there is applied to a copy of it, which is built with an installed nmrcheck and explored
# from scratch, for at most a minute.  It must be found, and be a breach of the rule that the patch names.  Exit code
# 77, for "skipped", when build/check is missing.
set -euo pipefail
export LC_ALL=C

root=$1 folder=$2 clang=$3
[ -e "$root/build/check/fuzzers/libnmrcheck_main.a" ] ||
    { echo "build/check is not built; ./run test builds it"; exit 77; }
if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache
fi
unset CMAKE_GENERATOR CMAKE_BUILD_TYPE CMAKE_PREFIX_PATH CFLAGS
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
cmake --install "$root/build/check" --prefix prefix >log

complaints=0
complain() {
    echo "$*"
    complaints=$((complaints + 1))
}

# find_bug DRIVER PATCH: build the copy in DRIVER/ with this bug, explore it, and take the bug back.
find_bug() {
    local driver=$1 patch=$2 status=0 rule found
    rule=$(sed -n '1s/^# rule: //p' "$patch")
    patch -s -p1 -d "$driver" <"$patch"
    cmake --build "build-$driver" --target "$driver" >log || { cat log; complain "$patch: does not compile"; }
    SECONDS=0
    "build-$driver/$driver" explore --strategy auto --time 60 --out "found-$driver" "$driver" >log 2>&1 || status=$?
    found=$(sed -nE 's/^([A-Z]+-[0-9]+) broken by .*/\1/p' log | head -1)
    [ "$status" = 1 ] && [ "$found" = "$rule" ] ||
        complain "$patch: code $status, finds '$found' and not $rule (see $folder)"
    echo "$driver: $rule after $SECONDS s: $(basename "$patch" .patch)"
    rm -rf "found-$driver"
    patch -s -R -p1 -d "$driver" <"$patch"
}

count=0
for patches in "$root"/tests/external/*/bugs; do
    driver=$(basename "$(dirname "$patches")")
    cp -r "$(dirname "$patches")" "$driver"
    cmake -S "$driver" -B "build-$driver" -G Ninja -DCMAKE_C_COMPILER="$clang" -DCMAKE_PREFIX_PATH="$folder/prefix" >log
    for patch in "$patches"/*.patch; do
        find_bug "$driver" "$patch"
        count=$((count + 1))
    done
done
echo "$count bugs, $complaints not found as they should be"
[ "$complaints" -eq 0 ] && [ "$count" -gt 8 ]
