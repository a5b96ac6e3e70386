#!/usr/bin/env bash
# test_types.sh NMRCHECK FOLDER - rules that the compiler judges: the shim's types refuse what the WDK's do.
#
# PA-31: the type of ProviderAttachClient, whose last parameter is const VOID **.  CA-21: the last argument of
# NmrClientAttachProvider, which is of the same type.  Of PA-10, PA-11 and CA-17: what the other side registers and
# hands out is constant, unless a driver casts that away.
set -euo pipefail

folder=$2
mkdir -p "$folder"
status=0

# Each line: yes or no, what the compilers should say; then a translation unit.
cases() {
    local attach='NTSTATUS NTAPI Attach(HANDLE, PVOID, PNPI_REGISTRATION_INSTANCE, PVOID, const VOID *, PVOID *'
    local callback='PNPI_PROVIDER_ATTACH_CLIENT_FN Callback = Attach;'
    local table='typedef struct TABLE_ { VOID (*Function)(VOID); } TABLE;'
    local use='VOID Use(HANDLE); VOID Use(HANDLE Binding) { PVOID Context;'
    local call='(VOID)NmrClientAttachProvider(Binding, NULL, NULL, &Context, &Dispatch); }'
    local instance='VOID Use(PNPI_REGISTRATION_INSTANCE Client); VOID Use(PNPI_REGISTRATION_INSTANCE Client)'

    echo "yes $attach, const VOID **); $callback"
    echo "no  $attach, PVOID *); $callback"
    echo "no  $attach); $callback"
    echo "yes $instance { (VOID)Client->Number; }"
    echo "no  $instance { Client->Number = 1; }"
    echo "no  $instance { Client->ModuleId->Length = 1; }"
    echo "yes $use const VOID *Dispatch; $call"
    echo "no  $use PVOID Dispatch; $call"
    echo "no  $table $use TABLE *Dispatch; $call"
    echo "no  $table $use const TABLE *Dispatch; $call"
}

check() {
    local compiler=$1 want=$2 text=$3 got=no

    printf '#include <ntddk.h>\n#include <netioddk.h>\n%s\n' "$text" >"$folder/case.c"
    if "$compiler" -std=gnu11 -fsyntax-only -fshort-wchar -Wall -Werror -Wno-multichar -Wno-unknown-pragmas \
        -I model/wdk "$folder/case.c" >"$folder/case.log" 2>&1; then
        got=yes
    fi
    if [ "$got" != "$want" ]; then
        echo "$compiler compiles this: $got; it should be $want: $text"
        cat "$folder/case.log"
        status=1
    fi
}

for compiler in clang gcc; do
    if ! command -v "$compiler" >/dev/null; then
        continue
    fi
    while read -r want text; do
        check "$compiler" "$want" "$text"
    done < <(cases)
done
exit $status
