#!/usr/bin/env bash
# package.sh ROOT FOLDER CLANG GCC - projects of others, in folders of their own, use nmrcheck as it is installed from
# the builds of `./run test` (ROOT/build/check, fuzz, afl), and as a part of themselves.
#
# Each folder of ROOT/tests/external is such a project.  All its modules are correct: they are explored for a moment,
# and its own ctest passes.  Exit code 77, for "skipped", when a build is missing.
set -euo pipefail
export LC_ALL=C

root=$1 folder=$2 clang=$3 gcc=$4
for build in check fuzz afl; do
    [ -e "$root/build/$build/fuzzers/libnmrcheck_main.a" ] ||
        { echo "build/$build is not built; ./run test builds it"; exit 77; }
done
if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache
fi
unset CMAKE_GENERATOR CMAKE_BUILD_TYPE CMAKE_PREFIX_PATH CFLAGS
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

fail() {
    echo "package.sh: $*"
    exit 1
}

# run COMMAND...: its output is shown when it fails.
run() { "$@" >log 2>&1 || { cat log; fail "failed: $*"; }; }

# ---- three trees into one prefix, which was another one's name; a space is in its path
for build in check fuzz afl; do
    DESTDIR=$folder/stage run cmake --install "$root/build/$build" --prefix /opt/nmrcheck
done
prefix="$folder/a prefix"
mv stage/opt/nmrcheck "$prefix"
if grep -rlF "$root" "$prefix" --include='*.cmake' --include='*.sh' | grep .; then
    fail "these name the tree that they were installed from"
fi
[ "$("$prefix/bin/nmrcheck" list | wc -l)" -gt 10 ] || fail "the installed nmrcheck has no examples"

# ---- each project
for project in "$root"/tests/external/*/; do
    name=$(basename "$project")
    cp -r "$project" "$name"
    [ "$(wc -l <"$name/CMakeLists.txt")" -lt 15 ] || fail "$name/CMakeLists.txt is longer than anybody should write"
    run cmake -S "$name" -B "build-$name" -G Ninja -DCMAKE_C_COMPILER="$clang" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DNMRCHECK_CAMPAIGN_TIME=2
    run cmake --build "build-$name"
    run ctest --test-dir "build-$name" --output-on-failure
    modules=$(ctest --test-dir "build-$name" -N | sed -nE 's/.*Test .*: (.*)\.corpus$/\1/p')
    [ -n "$modules" ] || fail "$name has no module"
    for module in $modules; do
        [ -x "build-$name/$module-libfuzzer" ] && [ -x "build-$name/$module-afl" ] || fail "$module: no fuzz targets"
        (cd "build-$name" && run "./$module" explore --executions 500)
    done
done

# ---- the smallest one: what is the project's own stays as it is
own=$(grep -F 'own.c.o ' build-minimal/compile_commands.json)
[ "$(sed -E 's/.*(ccache )?[^ ]*clang[^ ]* +//' <<<"$own" | tr ' ' '\n' | grep -c '^-')" -eq 2 ] ||
    fail "other flags than -o and -c for a program of the project's: $own"

# ---- both engines are found, and the mutator; the program needs no word for its only module
run cmake --build build-minimal --target minimal-campaign
for engine in libfuzzer afl; do
    [ -e "build-minimal/nmrcheck-out/minimal/$engine/engine.log" ] || fail "the campaign left out $engine"
done
grep -q 'Custom mutator.*installed' build-minimal/nmrcheck-out/minimal/afl/engine.log || fail "no mutator for AFL++"

# ---- a bug is found, kept in the project's own corpus, and replayed from there by ctest
says() { grep -qF -- "$1" log || { cat log; fail "does not say '$1'"; }; }
run build-minimal/minimal replay --check
says "no scenario in $folder/minimal/corpus/minimal yet"
sed -i 's/^ *ExFreePoolWithTag(ProviderBindingContext.*/    (void)ProviderBindingContext;/' minimal/nmr/main.c
run cmake --build build-minimal --target minimal
if build-minimal/minimal explore --executions 500 --out found >log; then
    fail "explore does not find a leak"
fi
says "  replay      minimal replay found/"
run build-minimal/minimal keep found/*.scn
ls minimal/corpus/minimal/regress-*.scn >/dev/null || fail "keep did not write into the project"
run ctest --test-dir build-minimal -R minimal.corpus -V
says '1 scenario, 1 as expected, 0 not'

# ---- a compiler that nmrcheck was not built by
if cmake -S minimal -B build-gcc -DCMAKE_C_COMPILER="$gcc" -DCMAKE_PREFIX_PATH="$prefix" >log 2>&1; then
    fail "gcc's code cannot be linked with clang's sanitizers"
fi
tr -s ' \n' ' ' <log >said
grep -q 'the compiler is GNU [0-9]*, but nmrcheck was built by another (check: Clang' said || { cat log; fail "why?"; }

# ---- as a part of the project: fetched, with make, a build type, another standard, by gcc …
part() { sed "s,^find_package.*,$1," minimal/CMakeLists.txt >fetched/CMakeLists.txt; }
mkdir fetched
cp -r "$root"/tests/external/minimal/* fetched
part "set(CMAKE_C_STANDARD 99)\ninclude(FetchContent)\nFetchContent_Declare(nmrcheck SOURCE_DIR $root)\n\
FetchContent_MakeAvailable(nmrcheck)"
run cmake -S fetched -B build-fetched -G 'Unix Makefiles' -DCMAKE_C_COMPILER="$gcc" -DCMAKE_BUILD_TYPE=Release \
    -DNMRCHECK_OPT=-O0
says 'AddressSanitizer and fuzzers take clang'
run cmake --build build-fetched --parallel 2 --target minimal
run cmake --build build-fetched --parallel 2
run ctest --test-dir build-fetched --output-on-failure
[ "$(ctest --test-dir build-fetched -N | sed -n 's/Total Tests: //p')" -eq 4 ] || fail "tests of nmrcheck's own"
[ ! -e build-fetched/minimal-afl ] || fail "gcc made a fuzz target"
# … and in a folder, by clang: three builds, of which only what is asked for is made.
part "add_subdirectory($root nmrcheck)"
run cmake -S fetched -B build-part -G Ninja -DCMAKE_C_COMPILER="$clang"
ninja -C build-part -t commands >all
ninja -C build-part -t commands minimal-libfuzzer minimal-afl >named
grep -q 'check/harness' all || fail "the command line is not part of all"
! grep -q 'fuzz/harness\|afl/harness\|exnpi\|tests/' all || fail "all has parts that nobody asked for"
grep -q 'fuzz/harness' named && grep -q 'afl/harness' named || fail "not all of the fuzz targets is made"
# What the project installs is its own.
echo 'install(FILES own.c DESTINATION share)' >>fetched/CMakeLists.txt
run cmake build-part
run cmake --install build-part --prefix "$folder/theirs"
[ "$(find theirs -type f)" = theirs/share/own.c ] || fail "the project installs more than its own files"
echo "$(ls "$root/tests/external" | wc -w) projects"
