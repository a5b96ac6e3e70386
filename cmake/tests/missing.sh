#!/usr/bin/env bash
# missing.sh ROOT COMPILER LIBRARY FOLDER - a module that needs what nobody defines is told so, name by name, before
# any linker; with stubs it passes.
set -euo pipefail

root=$1 compiler=$2 folder=$4
export NMRCHECK_LIBRARY=$3 NMRCHECK_FUNCTIONS=$root/model/wdk/functions.txt
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

cat >driver.c <<'END'
#include <ntddk.h>
#include <netioddk.h>
extern POBJECT_TYPE *SeTokenObjectType;
extern int OtherTable[4];
NTSTATUS ZwLoadDriver(PUNICODE_STRING Name);
NTSTATUS NtClose(HANDLE Handle);
NTSTATUS HelperInit(PVOID Object);
ULONG NumberOf(ULONG Number) { return Number; }
DRIVER_INITIALIZE DriverEntry;
NTSTATUS DriverEntry(PDRIVER_OBJECT Object, PUNICODE_STRING Path)
{
    NmrWaitForProviderDeregisterComplete(NULL);
    if (OtherTable[1] || !SeTokenObjectType)
        return HelperInit(Object);
    NtClose(NULL);
    ZwLoadDriver(Path);
    return ZwLoadDriver(Path);
}
END
cat >stubs.c <<'END'
long HelperInit(void) { return 0; }
long ZwLoadDriver(void) { return 0; }
long NtClose(void) { return 0; }
void *SeTokenObjectType;
int OtherTable[4];
END
cat >expected <<'END'
nmrcheck: module sample needs 5 names that nobody defines:
  HelperInit                  not in the WDK             driver.c:14
  NtClose            ntifs.h  not modelled (ZwClose is)  driver.c:15
  OtherTable                  not in the WDK             driver.c:13
  SeTokenObjectType  wdm.h    variable, not modelled     driver.c:13
  ZwLoadDriver       wdm.h    not modelled               driver.c:16
What is not in the WDK may be in a source file of the driver that SOURCES does not list.
Or paste stubs into a C file that nmrcheck_add_module gets as NPI, with the values that suit:
  #include <nmrcheck/npi.h>
  NMRCHECK_STUB(HelperInit, 0)
  NMRCHECK_STUB(NtClose, STATUS_SUCCESS)
  TYPE OtherTable;    /* a variable? */
  POBJECT_TYPE *SeTokenObjectType;
  NMRCHECK_STUB(ZwLoadDriver, STATUS_SUCCESS)
END

for source in driver stubs; do
    "$compiler" -std=gnu11 -g -fno-common -fshort-wchar -w -I "$root/model/wdk" -c -o $source.o $source.c
done
if "$root/cmake/isolate.sh" sample sample.o driver.o 2>message; then
    echo "a module with missing names passed"
    exit 1
fi
sed -i "s,$PWD/,," message
diff expected message
if [ -e sample.o ]; then
    echo "there is an object of a module with missing names"
    exit 1
fi
"$root/cmake/isolate.sh" sample sample.o driver.o stubs.o
