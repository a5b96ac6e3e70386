#!/usr/bin/env bash
# llp64.sh ROOT NMRCHECK_CC FOLDER - what nmrcheck-cc makes of driver sources (msvc/): the text that it compiles, token
# by token, and the one line that it says of what cannot be compiled.  Whether the code then runs as on Windows:
# model/tests/modules/traps.
set -euo pipefail
export LC_ALL=C

root=$1 program=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder/inc/Sub"
cd "$folder"
status=0

# ---- the text: a compiler that preprocesses nothing, and writes what it is given

cat >compiler <<'END'
#!/usr/bin/env bash
while [ $# -gt 0 ]; do
    case $1 in
        -E) exec cat case.c ;;
        -o) output=$2; shift ;;
        *.i) input=$1 ;;
    esac
    shift
done
exec cp "$input" "$output"
END
chmod +x compiler

# becomes TEXT EXPECTED: but for spaces.
becomes() {
    local got
    printf '%s\n' "$1" >case.c
    "$program" ./compiler -c case.c -o case.o || true
    got=$(tr -d ' \n' <case.o)
    if [ "$got" != "$(tr -d ' \n' <<<"$2")" ]; then
        printf 'not as it should be: %s\n  got      %s\n  expected %s\n' "$1" "$(<case.o)" "$2"
        status=1
    fi
}

becomes 'long a; unsigned long b; long unsigned c; long int d; int long e;' \
    'int a; unsigned int b; int unsigned c; int d; int e;'
becomes 'long long a; unsigned long long int b; long const long c; long volatile *d;' \
    'long a; unsigned long int b; const long c; int volatile *d;'
becomes 'long double a; double long b; (long)c; sizeof(long); long f(long, long);' \
    'double a; double b; (int )c; sizeof(int ); int f(int , int );'
becomes 'struct { long a : 3; } b; long_t c; x.longer; longlong d;' \
    'struct { int a : 3; } b; long_t c; x.longer; longlong d;'
becomes '"long 1L" '\''l'\'' "a\"long" L"1L" 0x1L' '"long 1L" '\''l'\'' "a\"long" L"1L" 0x1'
becomes '1L 1UL 1lu 0xffL 1LL 1ull 1i64 0xAui64 5i32 5ui8' '1 1U 1U 0xff 1L 1UL 1L 0xAUL 5 5U'
becomes '2147483647L 2147483648L 4294967295 4294967296L 0xFFFFFFFFL 0x100000000L 0777L' \
    '2147483647 2147483648U 4294967295U 4294967296 0xFFFFFFFF 0x100000000 0777'
becomes '1.5L 1e5L .5f 0x1p3L 0x1e+2L 1.L 99999999999999999999L' '1.5L 1e5L .5f 0x1p3L 0x1e+2 1.L 99999999999999999999L'
becomes 'int f(void) { g(__FUNCTION__ ": x", L__FUNCTION__); } a = __FUNCTION__;' \
    'int f(void) { g("f" ": x", L"f"); } a = __FUNCTION__;'
becomes 'static int (*h(int a))(void) { return __FUNCSIG__; }' 'static int (*h(int a))(void) { return "h"; }'
becomes '__attribute__((x(1))) void k(void) { __FUNCTION__; }' '__attribute__((x(1))) void k(void) { "k"; }'
becomes 'struct s { int (*f)(int); } t = { 1 }; int u(void) { __FUNCTION__; }' \
    'struct s { int (*f)(int); } t = { 1 }; int u(void) { "u"; }'
becomes 'inline int f(void) { } static inline int g(void) { } __inline int h(void); extern __inline int i(void) { }' \
    '__attribute__((weak)) int f(void) { } static inline int g(void) { } int h(void);
     extern __attribute__((weak)) int i(void) { }'
becomes '#pragma warning(disable:1)
#pragma pack(push, 1)
f(a, b, ); g(a , );' '#pragma pack(push, 1) f(a, b ); g(a );'
becomes '_Static_assert((int)&(((struct s *)0)->a.b) == 4, ""); &((t *)0)->a' \
    '_Static_assert((int)__builtin_offsetof( struct s , a.b) == 4, ""); &((t *)0)->a'
becomes 'x __attribute__((aligned(16))) struct s { int a; } y;' 'x struct __attribute__((aligned(16))) s { int a; } y;'
becomes 'void f(void) { __try { a; } __except (b(1)) { c; } }' \
    'void f(void) { { __label__ nmrcheck_leave_1; { a; nmrcheck_leave_1: __attribute__((unused)); }
     if (((void) (b(1))), 0) { c; } } }'
becomes '# 5 "a b.c"
__FILEW__' '# 5 "a b.c" L"a b.c"'
becomes '' ''

# Columns stay where they are, so that messages point to the right place.
printf 'unsigned long long x = 1L; long int y = 1UL; long z;\n' >case.c
"$program" ./compiler -c case.c -o case.o
if [ "$(cat case.o)" != 'unsigned      long x = 1 ;      int y = 1U ; int  z;' ]; then
    echo "columns moved: $(cat case.o)"
    status=1
fi

# ---- what is said, by each compiler

cat >inc/Sub/Foo.h <<'END'
#pragma once
#include "..\OTHER.h"
int InFoo(void);
END
echo 'int InOther(void);' >inc/other.h
last=nothing

# says EXPECTED NAME TEXT: compiling TEXT ends with this line, what is to be done left out; nothing is left behind.
# "" is success.
says() {
    local got
    printf '%s\n' "$3" >"$2.c"
    rm -f out.o
    if "$program" --folder="$folder/headers" --functions="$root/model/wdk/functions.txt" "$cc" -std=gnu11 \
        -fshort-wchar -Wno-unknown-pragmas -Iinc -I "$root/model/wdk" -MD -MF out.d -o out.o -c "$2.c" >log 2>&1; then
        got=$(tail -n 1 log)
        [ -e out.o ] || got="no object"
    else
        got=$(tail -n 1 log)
        [ ! -e out.o ] || got="an object"
    fi
    if [ "${got%%: "$todo"*}" != "$1" ] || [ "$todo:$got" = "${todo/nothing/}:$1" ] || [ -e out.o.i ]; then
        printf '%s: %s\n  got      %s\n  expected %s\n' "$cc" "$3" "$got" "$1"
        status=1
    fi
    last=$2
}

for cc in clang gcc; do
    if ! command -v "$cc" >/dev/null; then
        continue
    fi
    todo=nothing
    says '' spelling '#include <NtDDK.h>
#include "Inc\Sub\FOO.H"
#include "SUB/foo.h"
#include "trace.TMH"
int x(void) { return InFoo() + InOther(); }'
    if grep -q headers/ out.d || ! grep -q 'inc/other.h' out.d; then
        echo "$cc: the list of headers is wrong after $last:"
        cat out.d
        status=1
    fi
    todo='add its folder to INCLUDES'
    says "missing.c:2: <usbdlib.h> is not in the simulated WDK, nor in the driver's folders" missing '#include <ntddk.h>
#include <usbdlib.h>'
    says "quoted.c:1: \"private.h\" is not in the simulated WDK, nor in the driver's folders" quoted \
        '#include "private.h"'
    todo='give the driver a C function for it'
    says 'assembly.c:2: inline assembly cannot be compiled' assembly 'void f(void) {
    __asm { mov eax, 1 } }'
    todo='only drivers in C can be tested'
    says 'plus.c:1: this is C++ (namespace)' plus 'namespace a { int b; }'
    todo='if no header of the driver does it, d'
    says 'function.c:2: function Unheard is not declared' function 'void f(void); void f(void) {
    Unheard(1); }'
    says 'name.c:1: FWPM_THING is not declared (the WDK does it in fwpmk.h)' name \
        'int f(void); int f(void) { return FWPM_THING; }'
    todo='define it in a header of your own'
    says 'type.c:2: type NDIS_THING is not in the simulated WDK (the WDK has it in ndis.h)' type 'int f(void);
NDIS_THING *g;'
    todo='if it is a macro that the WDK has'
    says 'macro.c:2: DECLARE_THING(...) is no declaration' macro 'Name *g;
DECLARE_THING(Name);'
    todo=nothing
    # What the WDK declares and ours does not: cmake/missing.sh tells of it, once for the whole module.
    says '' known '#include <ntddk.h>
NTSTATUS f(void); NTSTATUS f(void) { PVOID p = MmMapLockedPages(NULL, 0); return p ? CmUnRegisterCallback(p) : 0; }'
    says 'constant.c: compiled without const, since declarations differ in it' constant \
        'int f(const int *a); int f(int *a) { return *a; }'
done
exit $status
