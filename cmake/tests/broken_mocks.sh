#!/usr/bin/env bash
# broken_mocks.sh SOURCES COMPILER FOLDER TABLE - the tests of the mock NMR can fail.
#
# Each patch of model/nmr/broken makes a mock that breaks one guarantee.  Its first lines say which one, the test that
# rejects it, and what is wrong:
#
#   # guarantee: N-17
#   # test: test_nmr_attach n17_no_detach_before_the_attach_is_over
#   # A late comer is detached inside NmrClientAttachProvider.
#
# That test must pass with the mock as it is and fail with the broken one: by an assertion, neither by a crash nor by
# running for ever.  Each guarantee, and each of the known bugs of other mocks, must have such a patch.  Only what a
# patch changes is compiled anew.  The table is printed, and kept in the file TABLE; FOLDER is for scratch.
set -euo pipefail

guarantees=34
known_bugs=9
jobs=2

# why OUTPUT: the check that failed, or else the verdict of the execution.
why() {
    sed -n -E '/^execution: /{s,^execution: (finding: .*/)?,,p;q}' "$1" | cut -c 1-80 | grep . ||
        sed -n -E '/ ERROR .*--- /{s/.*--- //p;q}' "$1" | cut -c 1-80
}

# variant PATCH: makes, links and runs one broken mock.  Its line of the table goes into NAME.row, or a complaint into
# NAME.bad.
variant() {
    local patch=$1 name folder guarantee program test changed status=0
    name=$(basename "$patch" .patch)
    folder=$scratch/$name
    {
        read -r _ _ guarantee
        read -r _ _ program test
    } <"$patch"
    complain() {
        echo "$patch: $*" >"$scratch/$name.bad"
        exit 0
    }
    [[ $name == "$guarantee"-* ]] || complain "is named $name and breaks '$guarantee'"
    [[ _$test == *_n${guarantee#N-}_* ]] || complain "test $test does not say that it guards $guarantee"
    grep -q " OK \] $test\$" "$scratch/$program.txt" || complain "there is no $program $test that passes"

    cmake/mutate.sh patch "$patch" "$folder/nmr" model/nmr/*.[ch] || complain "does not apply; make it again"
    mapfile -t changed < <(sed -n 's,^+++ b/,,p' "$patch")
    # shellcheck disable=SC2086
    (cd "$folder" && "$compiler" -iquote . $flags -O1 -w -c "${changed[@]/#/nmr/}") || complain "does not compile"
    "$compiler" "$folder"/*.o "$scratch/$program.o" "$scratch/mock.a" -lcmocka -o "$folder/$program"
    timeout 60 "$folder/$program" "$test" >"$scratch/$name.txt" 2>&1 || status=$?
    case $status in
        0) complain "$test does not notice" ;;
        1) ! grep -q 'failed with exception' "$scratch/$name.txt" || complain "$test crashes" ;;
        124) complain "$test does not end" ;;
        *) complain "$test crashes with status $status" ;;
    esac
    printf '%-9s  %-21s  %-66s  %s\n' "$guarantee" "$name" "$program $test" "$(why "$scratch/$name.txt")" \
        >"$scratch/$name.row"
    rm -rf "$folder"
}

if [ $# -eq 1 ]; then
    variant "$1"
    exit
fi

cd "$1"
export compiler=$2 scratch=$3
table=$4
export flags="-std=gnu11 -D_GNU_SOURCE -fshort-wchar -I$PWD/model/wdk -I$PWD/model/npi
    -iquote $PWD/harness -iquote $PWD/model -iquote $PWD/model/rules"
unset CMOCKA_MESSAGE_OUTPUT
rm -rf "$scratch"
mkdir -p "$scratch/objects"

# ---- the mock as it is: a library, from which the linker leaves out what a broken mock brings itself
# shellcheck disable=SC2016
for source in harness/*.c model/*.c model/kernel/*.c model/nmr/*.c; do
    printf '%s\0%s\0' "$source" "$scratch/objects/${source//\//_}.o"
done | xargs -0 -n 2 -P $jobs sh -c '"$compiler" $flags -O1 -w -c "$0" -o "$1"'
ar rcs "$scratch/mock.a" "$scratch"/objects/*.o
for source in model/tests/test_nmr_*.c; do
    program=$(basename "$source" .c)
    # shellcheck disable=SC2086
    "$compiler" $flags -O1 -w -c "$source" -o "$scratch/$program.o"
    "$compiler" "$scratch/$program.o" "$scratch/mock.a" -lcmocka -o "$scratch/$program"
    if ! "$scratch/$program" >"$scratch/$program.txt" 2>&1; then
        cat "$scratch/$program.txt"
        echo "$program fails with the mock as it is"
        exit 1
    fi
done

# ---- the broken ones
printf '%s\0' model/nmr/broken/*.patch | xargs -0 -n 1 -P $jobs "$PWD/cmake/tests/broken_mocks.sh"
for ((n = 1; n <= guarantees; n++)); do
    compgen -G "model/nmr/broken/N-$n-*.patch" >/dev/null ||
        echo "no patch of model/nmr/broken breaks N-$n" >"$scratch/N-$n.bad"
done
for ((n = 1; n <= known_bugs; n++)); do
    grep -q "^# .*known bug $n\>" model/nmr/broken/*.patch ||
        echo "no patch of model/nmr/broken has known bug $n of other mocks" >"$scratch/bug-$n.bad"
done

{
    printf '%-9s  %-21s  %-66s  %s\n' guarantee variant 'rejected by' 'which says'
    find "$scratch" -maxdepth 1 -name '*.row' | sort -V | xargs -r -d '\n' cat
    find "$scratch" -maxdepth 1 -name '*.bad' | sort -V | xargs -r -d '\n' cat
    echo "$(find "$scratch" -maxdepth 1 -name '*.row' | wc -l) broken mocks rejected, $guarantees guarantees," \
        "$(find "$scratch" -maxdepth 1 -name '*.bad' | wc -l) complaints"
} | tee "$table"
! compgen -G "$scratch/*.bad" >/dev/null
