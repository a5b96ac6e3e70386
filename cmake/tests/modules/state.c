//
// A driver of two files with each kind of global variable, for test_isolate.c.
//
#include "state.h"

ULONG g_Initialised = 7;
ULONG g_Zero[16];
static UCHAR Bytes[3] = {1, 2, 3};
static ULONG Elsewhere __attribute__((section("maps"))) = 0;   // as #pragma data_seg does it
static const char *const Names[] = {"one", "two"};
static const char *Chosen = "none";

typedef struct LARGE_ { UCHAR Bytes[256]; } LARGE;
static LARGE Original, Copy;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);

    g_Initialised++;
    Elsewhere += 100000;
    g_Zero[Bytes[1]]++;
    Bytes[2]++;
    Chosen = Names[g_Initialised & 1];
    Original.Bytes[9]++;
    Copy = Original;
    return (NTSTATUS)(g_Initialised + 100 * g_Zero[2] + 1000 * Count() + 10000 * Copy.Bytes[9] + Elsewhere + (Chosen[0] == 'x'));
}
