/*++

    Traps.c

    A driver that is written for MSVC in all the ways that other compilers stumble over.  It registers nothing, and
    asserts that everything is as it is there.

--*/
#include "PRECOMP.H"
#include "Traps.tmh"

#pragma comment(lib, "netio.lib")
#pragma prefast(disable:28167, "the caller's business")
#pragma intrinsic(_BitScanForward64)

#define EXPECT(Condition) if (!(Condition)) { DbgPrint(__FUNCTION__ ": %s\n", #Condition); \
    DbgRaiseAssertionFailure(); return STATUS_UNSUCCESSFUL; } else
#define TRACE(Format, ...) DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_INFO_LEVEL, __FUNCTION__ ": " Format, __VA_ARGS__)
#define WIDEN2(x) L##x
#ifdef __clang__                /* gcc knows no ## that makes no token */
#define LOG(Level, ...) TRACE("level %d " ##__VA_ARGS__, _##Level##, 2)
#else
#define LOG(Level, ...) TRACE("level %d " __VA_ARGS__, _##Level, 2)
#endif
#define WIDEN(x) WIDEN2(x)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD TrapsUnload;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, TrapsUnload)
#endif

#pragma region text

static NTSTATUS Text(VOID)
{
    static const char Name[] = __FUNCTION__;
    char Line[80];
    wchar_t Wide[40];
    size_t Length;

    EXPECT(sizeof(Name) == 5 && sizeof(__FUNCTION__) == 5 && Name[0] == 'T');
    EXPECT(sizeof(WIDEN(__FUNCTION__)) == 10 && sizeof(__FUNCTIONW__) == 10);
    EXPECT(NT_SUCCESS(RtlStringCbPrintfA(Line, sizeof(Line), "%ld %lu %lx %li %I64d %llu " __FUNCTION__,
        -1L, (unsigned long)-1, 0xFFFFFFFFL, 2147483647L, 5000000000i64, 1ull << 40)));
    EXPECT(NT_SUCCESS(RtlStringCbLengthA(Line, sizeof(Line), &Length)));
    EXPECT(RtlEqualMemory(Line, "-1 4294967295 ffffffff 2147483647 5000000000 1099511627776 Text", Length));
    EXPECT(NT_SUCCESS(RtlStringCbPrintfW(Wide, sizeof(Wide), L"%ld %s", -2L, L"wide")));
    EXPECT(RtlEqualMemory(Wide, L"-2 wide", sizeof(L"-2 wide")));
    TRACE("nothing to say\n");
    enum { _TRAPS_ERROR };
    LOG(TRAPS_ERROR, "pasted %d\n");
    TRACE("%lu\n", TrapsDouble(4));
    return STATUS_SUCCESS;
}

#pragma endregion

static NTSTATUS Numbers(VOID)
{
    long Product = 65536L;
    unsigned long Sum = 0xFFFFFFFFUL;
    volatile LONG Counter = 0;
    long *Pointer = (long *)&Counter;
    LONG64 Pair[2] = { 1, 2 };
    ULONG Index;

    Product = (long)((unsigned long)Product * 65536);
    Sum += 1;
    EXPECT(Product == 0 && Sum == 0);
    EXPECT(TrapsNegate(5) == -5 && TrapsWiden(-1) == -1ll && TrapsDouble(0x80000000) == 0);
    EXPECT((unsigned long)-1 / 2 == 0x7FFFFFFF && 1UL << 31 == 0x80000000);
    _InterlockedIncrement(Pointer);
    _InterlockedOr(&Counter, 6);
    EXPECT(_InterlockedCompareExchange(&Counter, 9, 7) == 7 && Counter == 9);
    EXPECT(_BitScanForward64(&Index, 1ull << 40) && Index == 40);
    EXPECT(_rotl(0x80000001, 1) == 3 && __popcnt(255) == 8 && _ReturnAddress() != NULL);
    UNREFERENCED_PARAMETER(Pair);
    __nop();
    return STATUS_SUCCESS;
}

static NTSTATUS Intrinsics(VOID)
{
    long Bits[2] = { 5, 0 };
    __int64 Wide[2] = { 0, 0 };
    unsigned __int64 High;
    DECLSPEC_ALIGN(16) __int64 Both[2] = { 1, 2 };
    __int64 Comparand[2] = { 1, 3 };
    int Info[4] = { 1, 1, 1, 1 };
    unsigned short Shorts[3] = { 0 };

    EXPECT(_bittest(Bits, 2) && !_bittest(Bits, 33) && !_bittestandset(Bits, 33) && Bits[1] == 2);
    EXPECT(_bittestandreset(Bits, 0) && Bits[0] == 4 && !_bittestandcomplement(Bits, 1) && Bits[0] == 6);
    EXPECT(!_bittestandset64(Wide, 64 + 40) && Wide[1] == 1i64 << 40 && _interlockedbittestandreset64(Wide, 104));
    EXPECT(Wide[1] == 0 && !_interlockedbittestandset64(Wide, 63) && Wide[0] < 0);
    EXPECT(!_interlockedbittestandset(Bits, 0) && Bits[0] == 7);
    EXPECT(_umul128(1ull << 63, 6, &High) == 0 && High == 3 && __umulh(1ull << 63, 6) == 3 && __mulh(-1, 1) == -1);
    EXPECT(__shiftleft128(1ull << 63, 1, 1) == 3 && __shiftright128(0, 1, 1) == 1ull << 63);
    EXPECT(__shiftleft128(1, 2, 0) == 2);
    EXPECT(__lzcnt(1) == 31 && __lzcnt(0) == 32 && __lzcnt64(1) == 63);
    EXPECT(!_InterlockedCompareExchange128(Both, 8, 7, Comparand) && Comparand[1] == 2 && Both[0] == 1);
    EXPECT(_InterlockedCompareExchange128(Both, 8, 7, Comparand) && Both[0] == 7 && Both[1] == 8);
    __cpuid(Info, 1);
    EXPECT(Info[0] == 0 && Info[3] == 0 && __rdtsc() <= __rdtsc());
    EXPECT(__readgsqword(0x188) == (unsigned __int64)KeGetCurrentThread() && __readcr8() == PASSIVE_LEVEL);
    __stosw(Shorts, 0x1234, 2);
    EXPECT(Shorts[1] == 0x1234 && Shorts[2] == 0 && abs(-3) == 3);
    EXPECT(EINVAL == 22 && WINEVENT_LEVEL_VERBOSE == 5 && SDDL_DEVOBJ_SYS_ALL_ADM_ALL.Length == 54);
    return STATUS_SUCCESS;
}

static long Guarded(long Way, unsigned long *Trail)
{
    long Index;

    *Trail = 0;
    __try {
        if (Way == 0) {
            __leave;
        }
        for (Index = 0; ; Index++) {
            if (Index == 1 && Way == 1)
                return Way + 10;
            if (Index == 2)
                break;
        }
        __try {
            if (Way == 2) goto Out;
            if (Way == 3) __leave;
            *Trail += 1;
        } __finally {
            *Trail += AbnormalTermination() ? 200 : 100;
        }
        if (Way == 4)
            return 14;
        else
            *Trail += 10;
    } __finally {
        *Trail += AbnormalTermination() ? 2000 : 1000;
    }
Out:
    __try {
        *Trail += 10000;
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        *Trail = 0;
    }
    return Way;
}

static unsigned long Looped(void)
{
    unsigned long Trail = 0, Index;

    for (Index = 0; Index < 4; Index++) {
        __try {
            if (Index == 1)
                continue;
            if (Index == 3) {
                break;
            }
            Trail += 1;
        } __finally {
            Trail += 10;
        }
        Trail += 100;
    }
    return Trail;
}

static NTSTATUS Guards(VOID)
{
    unsigned long Trail;

    EXPECT(Guarded(0, &Trail) == 0 && Trail == 11000);
    EXPECT(Guarded(1, &Trail) == 11 && Trail == 2000);
    EXPECT(Guarded(2, &Trail) == 2 && Trail == 12200);
    EXPECT(Guarded(3, &Trail) == 3 && Trail == 11110);
    EXPECT(Guarded(4, &Trail) == 14 && Trail == 2101);
    EXPECT(Guarded(5, &Trail) == 5 && Trail == 11111);
    EXPECT(Looped() == 242);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static VOID NTAPI TrapsUnload(PDRIVER_OBJECT DriverObject)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(DriverObject);
    WPP_CLEANUP(DriverObject);
}

_Use_decl_annotations_
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const unsigned long Some[] = { 1L, 2UL, 0x3L };
    TRAPS_RECORD Record = { 0 };
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = TrapsUnload;
    Status = Text();
    if (NT_SUCCESS(Status)) Status = Numbers();
    if (NT_SUCCESS(Status)) Status = Intrinsics();
    if (NT_SUCCESS(Status)) Status = Guards();
    if (NT_SUCCESS(Status)) EXPECT(NT_SUCCESS(TrapsRun(&Record, Some, ARRAYSIZE(Some))));
    EXPECT(Record.Length == 6 && Record.Kind == -6 && Record.High == -1);
    return Status;
}
