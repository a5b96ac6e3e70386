#!/usr/bin/env bash
# init.sh ROOT BUILD COMPILER FOLDER - from a folder with nothing but a driver's sources to its first execution, with an
# installed copy of the build in BUILD and what `nmrcheck init` writes, unedited.
set -euo pipefail

root=$1 build=$2 compiler=$3 folder=$4
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
cmake --install "$build" --prefix "$PWD/prefix" >install.log

# make_driver NAME: builds it by what init wrote; output in NAME.log
make_driver() {
    prefix/bin/nmrcheck init "$1" >"$1.txt"
    cmake -S "$1/nmrcheck" -B "$1/build" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$PWD/prefix" \
        >"$1.log" 2>&1 &&
        cmake --build "$1/build" >>"$1.log" 2>&1
}

for name in exnpi_refcounted exnpi_client_single; do
    mkdir $name
    cp "$root/model/modules/$name.c" "$root/model/modules/exnpi.h" $name
    began=$(date +%s%N)
    make_driver $name || { cat $name.log; exit 1; }
    $name/build/$name explore $name --preemptions 0 --executions 2000 --out out >$name.out || { cat $name.out; exit 1; }
    echo "$name: from init to an exploration in $((($(date +%s%N) - began) / 1000000)) ms"
    grep -q "with an odd counterpart" $name.out || { echo "$name met no counterpart"; cat $name.out; exit 1; }
done

# What is missing: a list, once, and no linker.
mkdir lacks
sed -e '/^#include "exnpi.h"/a NTSTATUS HelperInit(PVOID Object);' -e '0,/^    return /s//    HelperInit(NULL);\n&/' \
    "$root/model/modules/exnpi_client_single.c" >lacks/driver.c
cp "$root/model/modules/exnpi.h" lacks
if make_driver lacks; then
    echo "a driver that lacks a function was built"
    exit 1
fi
if [ "$(grep -c 'nmrcheck: module lacks needs 1 name that nobody defines:' lacks.log)" -ne 1 ] ||
    ! grep -qF 'NMRCHECK_STUB(HelperInit, 0)' lacks.log || grep -q 'undefined reference' lacks.log; then
    echo "not one list of what is missing:"
    cat lacks.log
    exit 1
fi
echo 'NMRCHECK_STUB(HelperInit, 0)' >>lacks/nmrcheck/npi.c
cmake --build lacks/build >>lacks.log 2>&1 || { cat lacks.log; exit 1; }
