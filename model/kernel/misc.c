/*
 * misc.c - assertions and bug checks, time, processors, devices, strings.
 */
#include "internal.h"

#include <string.h>

#include <ntddk.h>
#include <wdmsec.h>

#include "dispatcher.h"

/* The execution cannot go on after these; a judge names the rule, or else nobody judges it. */
static _Noreturn void stop(void)
{
    sched_stop(VERDICT_OUTSIDE);
}

/*
 * KeBugCheck, KeBugCheckEx, RtlFailFast, DbgBreakPoint (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  bring the system down; without a debugger DbgBreakPoint does too      (KeBugCheckEx)
 */
VOID KeBugCheck(ULONG BugCheckCode)
{
    event_emit(EV_BUGCHECK, NONE, BugCheckCode, 0, 0, 0, CALLER());
    stop();
}

VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
                  ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4)
{
    (void)BugCheckParameter4;
    event_emit(EV_BUGCHECK, NONE, BugCheckCode, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3,
               CALLER());
    stop();
}

VOID RtlFailFast(ULONG Code)
{
    static const char text[] = "RtlFailFast";

    event_emit(EV_ASSERT, NONE, Code, (uint64_t)(uintptr_t)text, 0, 0, CALLER());
    stop();
}

VOID DbgBreakPoint(VOID)
{
    static const char text[] = "DbgBreakPoint";

    event_emit(EV_ASSERT, NONE, 0, (uint64_t)(uintptr_t)text, 0, 0, CALLER());
}

/*
 * RtlAssert, DbgRaiseAssertionFailure: what ASSERT, NT_ASSERT and NT_VERIFY call (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  break into the debugger in a checked build           (ASSERT)
 * Our reading a failed assertion is the module's own judgement that it is wrong; when no judge ends the
 *             execution it goes on, as a free build would
 */
VOID RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PCHAR Message)
{
    (void)Message;
    event_emit(EV_ASSERT, NONE, 0, (uint64_t)(uintptr_t)FailedAssertion, LineNumber, (uint64_t)(uintptr_t)FileName,
               CALLER());
}

VOID DbgRaiseAssertionFailure(VOID)
{
    static const char text[] = "DbgRaiseAssertionFailure";

    event_emit(EV_ASSERT, NONE, 0, (uint64_t)(uintptr_t)text, 0, 0, CALLER());
}

/* Documented: PAGED_CODE asserts that the IRQL is at most APC_LEVEL (PAGED_CODE). */
VOID nmrcheck_paged_code(const char *File, int Line)
{
    if (event_level > LEVEL_APC)
        misuse(MISUSE_PAGED_CODE, NONE, File, (uint64_t)Line, event_level, CALLER());
}

/* Nothing is printed and nothing is formatted: an execution has no output of the module's. */
ULONG DbgPrint(PCSTR Format, ...)
{
    (void)Format;
    return STATUS_SUCCESS;
}

ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    (void)ComponentId;
    (void)Level;
    (void)Format;
    return STATUS_SUCCESS;
}

ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, va_list Arguments)
{
    (void)ComponentId;
    (void)Level;
    (void)Format;
    (void)Arguments;
    return STATUS_SUCCESS;
}

/* ---- time: virtual, in 100 ns ---------------------------------------------------------------------------- */

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER now;

    if (PerformanceFrequency)
        PerformanceFrequency->QuadPart = 10 * 1000 * 1000;
    now.QuadPart = (LONGLONG)sched_now();
    return now;
}

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = SYSTEM_TIME_START + (LONGLONG)sched_now();
}

VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = SYSTEM_TIME_START + (LONGLONG)sched_now();
}

ULONGLONG KeQueryInterruptTime(VOID)
{
    return sched_now();
}

ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    *QpcTimeStamp = sched_now();
    return sched_now();
}

ULONGLONG KeQueryUnbiasedInterruptTime(VOID)
{
    return sched_now();
}

enum { TICK_100NS = 156250 };

VOID KeQueryTickCount(PLARGE_INTEGER CurrentCount)
{
    CurrentCount->QuadPart = (LONGLONG)(sched_now() / TICK_100NS);
}

ULONG KeQueryTimeIncrement(VOID)
{
    return TICK_100NS;
}

/* Spinning lets others run: a loop around it would not end otherwise. */
VOID YieldProcessor(VOID)
{
    sched_give_way(SITE_YIELD_PROCESSOR);
}

VOID KeStallExecutionProcessor(ULONG MicroSeconds)
{
    (void)MicroSeconds;
    sched_give_way(SITE_YIELD_PROCESSOR);
}

/* ---- processors: every thread has its own ---------------------------------------------------------------- */

ULONG KeGetCurrentProcessorNumber(VOID)
{
    return sched_self();
}

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber) {
        memset(ProcNumber, 0, sizeof *ProcNumber);
        ProcNumber->Number = (UCHAR)sched_self();
    }
    return sched_self();
}

ULONG KeQueryMaximumProcessorCount(VOID)
{
    return THREADS_MAX;
}

ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    (void)GroupNumber;
    return THREADS_MAX;
}

ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    if (ActiveProcessors)
        *ActiveProcessors = (1u << THREADS_MAX) - 1;
    return THREADS_MAX;
}

ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    (void)GroupNumber;
    return THREADS_MAX;
}

VOID ExInitializeDriverRuntime(ULONG RuntimeFlags)
{
    (void)RuntimeFlags;
}

/*
 * KeExpandKernelStackAndCallout, KeExpandKernelStackAndCalloutEx (ntddk.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL; <= APC_LEVEL when Wait is TRUE
 * Documented  calls the routine on a stack of at least that size; STATUS_INVALID_PARAMETER for more than
 *             MAXIMUM_EXPANSION_SIZE, STATUS_NO_MEMORY when the stack cannot grow; the routine returns at the level
 *             it was called at                                     (KeExpandKernelStackAndCalloutEx)
 * Our reading the caller's stack is large enough, so the routine is called on it; whether that fails is a choice, as
 *             for an allocation
 */
static NTSTATUS expand_stack(PEXPAND_STACK_CALLOUT callout, PVOID parameter, SIZE_T size, BOOLEAN wait, const void *pc)
{
    unsigned level = irql_get(), region = region_depth();

    irql_require_max(wait ? LEVEL_APC : LEVEL_DISPATCH, pc);
    if (size > MAXIMUM_EXPANSION_SIZE)
        return STATUS_INVALID_PARAMETER;
    if (choice_ask(CHOICE_FAULT, sched_self(), SITE_ALLOCATE, 2)) {
        event_emit(EV_ALLOC_FAILED, NONE, (int64_t)size, 0, 0, ALLOC_INJECTED | ALLOC_INTERNAL, pc);
        return STATUS_NO_MEMORY;
    }
    callout(parameter);
    if (irql_get() != level)
        misuse(irql_get() > level ? MISUSE_IRQL_TOO_HIGH : MISUSE_IRQL_TOO_LOW, NONE, NULL, irql_get(), level, pc);
    if (region_depth() != region)
        misuse(MISUSE_REGION_UNBALANCED, NONE, NULL, region_depth(), region, pc);
    return STATUS_SUCCESS;
}

NTSTATUS KeExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size)
{
    return expand_stack(Callout, Parameter, Size, TRUE, CALLER());
}

NTSTATUS KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size, BOOLEAN Wait,
                                         PVOID Context)
{
    (void)Context;
    return expand_stack(Callout, Parameter, Size, Wait, CALLER());
}

/* ---- devices --------------------------------------------------------------------------------------------- */

enum { DEVICE_TAG = 0x69766544 };           /* 'Devi' */

/*
 * IoCreateDevice, IoDeleteDevice (wdm.h)
 *
 * Caller      module, PASSIVE_LEVEL (IoDeleteDevice <= APC_LEVEL)
 * Documented  the extension is zeroed; the driver deletes its devices in its unload routine (IoCreateDevice)
 * Our reading names are not checked for collisions
 */
static NTSTATUS create_device(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                              DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                              PDEVICE_OBJECT *DeviceObject, const void *pc)
{
    PDEVICE_OBJECT device;

    (void)DeviceName;
    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(DeviceObject, sizeof *DeviceObject, true, pc);
    device = (PDEVICE_OBJECT)(void *)pool_internal(sizeof *device + DeviceExtensionSize, DEVICE_TAG,
                                                   SITE_IO_CREATE_DEVICE, pc);
    if (!device)
        return STATUS_INSUFFICIENT_RESOURCES;
    device->Size = (USHORT)(sizeof *device + DeviceExtensionSize);
    device->Type = 3;                       /* IO_TYPE_DEVICE */
    device->ReferenceCount = 0;
    device->DriverObject = DriverObject;
    device->DeviceType = DeviceType;
    device->Characteristics = DeviceCharacteristics;
    device->Flags = DO_DEVICE_INITIALIZING | (Exclusive ? DO_EXCLUSIVE : 0);
    device->StackSize = 1;
    device->DeviceExtension = DeviceExtensionSize ? device + 1 : NULL;
    device->NextDevice = DriverObject->DeviceObject;
    DriverObject->DeviceObject = device;
    *DeviceObject = device;
    return STATUS_SUCCESS;
}

NTSTATUS IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                        DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                        PDEVICE_OBJECT *DeviceObject)
{
    return create_device(DriverObject, DeviceExtensionSize, DeviceName, DeviceType, DeviceCharacteristics, Exclusive,
                         DeviceObject, CALLER());
}

/*
 * IoCreateDeviceSecure (wdmsec.h): nobody opens devices here, so that the descriptor is never asked
 *
 * Documented  as IoCreateDevice, with a security descriptor for the device    (WdmlibIoCreateDeviceSecure)
 */
NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                              DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                              PCUNICODE_STRING DefaultSDDLString, const GUID *DeviceClassGuid,
                              PDEVICE_OBJECT *DeviceObject)
{
    (void)DeviceClassGuid;
    memory_use(DefaultSDDLString, sizeof *DefaultSDDLString, false, CALLER());
    return create_device(DriverObject, DeviceExtensionSize, DeviceName, DeviceType, DeviceCharacteristics, Exclusive,
                         DeviceObject, CALLER());
}

#define SDDL(Name, Text) \
    static WCHAR Name##_text[] = Text; \
    const UNICODE_STRING SDDL_DEVOBJ_##Name = {sizeof(Text) - sizeof(WCHAR), sizeof(Text), Name##_text}

SDDL(KERNEL_ONLY, L"D:P");
SDDL(SYS_ALL, L"D:P(A;;GA;;;SY)");
SDDL(SYS_ALL_ADM_ALL, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
SDDL(SYS_ALL_ADM_RX, L"D:P(A;;GA;;;SY)(A;;GRGX;;;BA)");
SDDL(SYS_ALL_ADM_RWX_WORLD_R, L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)");
SDDL(SYS_ALL_ADM_RWX_WORLD_R_RES_R, L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)(A;;GR;;;RC)");
SDDL(SYS_ALL_ADM_RWX_WORLD_RW_RES_R, L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGW;;;WD)(A;;GR;;;RC)");
SDDL(SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX, L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)");

VOID IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    const void *pc = CALLER();
    uint32_t number = NONE;
    struct pool_block *b = pool_near(DeviceObject, &number);
    PDEVICE_OBJECT *link;

    irql_require_max(LEVEL_APC, pc);
    memory_check(DeviceObject, sizeof *DeviceObject, true, pc);
    if (!b || b->address != (char *)DeviceObject || b->tag != DEVICE_TAG || b->free_event) {
        misuse(MISUSE_POOL_NOT_POOL, number, DeviceObject, DEVICE_TAG, 0, pc);
        return;
    }
    link = &DeviceObject->DriverObject->DeviceObject;
    while (*link && *link != DeviceObject)
        link = &(*link)->NextDevice;
    if (*link)
        *link = DeviceObject->NextDevice;
    pool_internal_free(DeviceObject, pc);
}

/* ---- strings ----------------------------------------------------------------------------------------- */

SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const unsigned char *a = Source1, *b = Source2;
    SIZE_T equal = 0;

    memory_use(a, Length, false, CALLER());
    memory_use(b, Length, false, CALLER());
    while (equal < Length && a[equal] == b[equal])
        equal++;
    return equal;
}

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    size_t length = 0;

    while (SourceString && SourceString[length] && length < UNICODE_STRING_MAX_CHARS - 1)
        length++;
    DestinationString->Length = (USHORT)(length * sizeof *SourceString);
    DestinationString->MaximumLength = SourceString ? (USHORT)((length + 1) * sizeof *SourceString) : 0;
    DestinationString->Buffer = (PWCH)(uintptr_t)SourceString;
}

VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    size_t length = SourceString ? strlen(SourceString) : 0;

    DestinationString->Length = (USHORT)length;
    DestinationString->MaximumLength = SourceString ? (USHORT)(length + 1) : 0;
    DestinationString->Buffer = (PCHAR)(uintptr_t)SourceString;
}

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    USHORT length = SourceString ? SourceString->Length : 0;

    if (length > DestinationString->MaximumLength)
        length = DestinationString->MaximumLength;
    if (length)
        memory_copy(DestinationString->Buffer, SourceString->Buffer, length, CALLER());
    DestinationString->Length = length;
}

/* Our reading: letters of the ASCII range are all that differs in case. */
static int folded(WCHAR c, BOOLEAN fold)
{
    return fold && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    size_t n1 = String1->Length / sizeof(WCHAR), n2 = String2->Length / sizeof(WCHAR);

    for (size_t i = 0; i < n1 && i < n2; i++) {
        int difference = folded(String1->Buffer[i], CaseInSensitive) - folded(String2->Buffer[i], CaseInSensitive);

        if (difference)
            return difference;
    }
    return (LONG)n1 - (LONG)n2;
}

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0;
}

/* Documented: PASSIVE_LEVEL; a UUID (ExUuidCreate).  Our reading: the first of each execution is the same. */
static uint32_t uuids;

void misc_reset(void)
{
    uuids = 0;
}

NTSTATUS ExUuidCreate(UUID *Uuid)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(Uuid, sizeof *Uuid, true, pc);
    memset(Uuid, 0, sizeof *Uuid);
    Uuid->Data1 = 0x4E4D5200u + ++uuids;
    Uuid->Data3 = 0x4000;                   /* version 4, variant 1 */
    Uuid->Data4[0] = 0x80;
    return STATUS_SUCCESS;
}
