/*++

    Surface.c

    A driver that uses every function, macro, type and annotation that was found in real network modules: it has to
    compile without a warning, to link, and to run from load to unload without a finding.

    It is a provider and a client of EXNPI at once.  Its provider declines everybody, and its client wants no other
    provider.

--*/

#include <initguid.h>
#include <ntifs.h>
#include <ntddk.h>
#include <wdm.h>
#include <intrin.h>
#include <ntintsafe.h>
#include <ntstrsafe.h>
#include <evntrace.h>
#include <TraceLoggingProvider.h>
#include <netiodef.h>
#include <netioddk.h>
#include <wsk.h>

#include "exnpi.h"
#include "surface_trace.h"
#include "surface.tmh"

#define SURFACE_POOL_TAG 'fruS'
#define SECOND 10000000ll

TRACELOGGING_DEFINE_PROVIDER(
    SurfaceProvider, "Surface", (0x1b5f8c8f, 0x5a7f, 0x4f7e, 0x9d, 0x3c, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11));

DEFINE_GUID(SURFACE_ID, 0x1b5f8c90, 0x5a7f, 0x4f7e, 0x9d, 0x3c, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11);
DECLSPEC_SELECTANY const UINT64 LargestNumber = MAXUINT64;

typedef struct _SURFACE {
    LIST_ENTRY Link;
    _Guarded_by_(Lock) LIST_ENTRY List;
    KSPIN_LOCK Lock;
    EX_SPIN_LOCK SharedLock;
    EX_PUSH_LOCK PushLock;
    EX_RUNDOWN_REF Rundown;
    KEVENT Event;
    KEVENT Pulse;
    KMUTEX Mutex;
    KTIMER Timer;
    KDPC Dpc;
    FAST_MUTEX FastMutex;
    ERESOURCE Resource;
    NPAGED_LOOKASIDE_LIST Lookaside;
    WORK_QUEUE_ITEM QueueItem;
    PIO_WORKITEM WorkItem;
    WSK_REGISTRATION WskRegistration;
    HANDLE NmrProviderHandle;
    HANDLE NmrClientHandle;
    volatile ULONG64 Marked;
    DRIVER_OBJECT *Driver;
    DEVICE_OBJECT *Device;
    ULONG_PTR Cookie;
    UINT32 Flags;
    USHORT Version;
    _Field_z_ CHAR Name[16];
} SURFACE, *PSURFACE;

C_ASSERT(sizeof(ULONG) == 4);
C_ASSERT(FIELD_OFFSET(SURFACE, Link) == 0);
static_assert(sizeof(WCHAR) == 2, "wchar_t has 16 bits");

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static IO_WORKITEM_ROUTINE WorkItemRoutine;
static WORKER_THREAD_ROUTINE QueueItemRoutine;
static KDEFERRED_ROUTINE DpcRoutine;
static KSTART_ROUTINE ThreadRoutine;
static EXPAND_STACK_CALLOUT StackCallout;
static RTL_QUERY_REGISTRY_ROUTINE QueryRoutine;
static NTSTATUS NTAPI WskClientEvent(PVOID ClientContext, ULONG EventType, PVOID Information, SIZE_T Length);

#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, DriverUnload)

static const NPI_MODULEID ModuleIds[] = {
    { sizeof(NPI_MODULEID), MIT_GUID, { { 0x1b5f8c91, 0x5a7f, 0x4f7e, { 1 } } } },
    { sizeof(NPI_MODULEID), MIT_GUID, { { 0x1b5f8c92, 0x5a7f, 0x4f7e, { 2 } } } },
};

static const EXNPI_CLIENT_CHARACTERISTICS ExnpiCharacteristics = {
    EXNPI_VERSION_2, sizeof(EXNPI_CLIENT_CHARACTERISTICS), 0, 1, 0 };

static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), ProviderAttachClient, ProviderDetachClient, NULL,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &EXNPI_NPIID, &ModuleIds[0], 0, NULL },
};

static const NPI_CLIENT_CHARACTERISTICS ClientCharacteristics = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS), ClientAttachProvider, ClientDetachProvider, NULL,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &EXNPI_NPIID, &ModuleIds[1], 0, &ExnpiCharacteristics },
};

static const WSK_CLIENT_DISPATCH WskDispatch = { MAKE_WSK_VERSION(1, 0), 0, WskClientEvent };

static PSURFACE Surface;

//
// Annotations: a function that does nothing with many of them.
//
_Must_inspect_result_ _Check_return_ _Success_(return != FALSE) _Ret_range_(0, 1)
_IRQL_requires_(PASSIVE_LEVEL) _IRQL_requires_max_(DISPATCH_LEVEL) _IRQL_requires_same_
_When_(Length > 0, _Requires_lock_held_(Lock)) _Requires_exclusive_lock_held_(Lock)
_Function_class_(SURFACE_FUNCTION) _Pre_defensive_
static
BOOLEAN
Annotated(
    _In_ PCVOID Input,
    _In_opt_ PCVOID Optional,
    _In_z_ PCSTR Text,
    _In_reads_(Length) const ULONG *Numbers,
    _In_reads_opt_(Length) const ULONG *OptionalNumbers,
    _In_reads_bytes_(Length) const UCHAR *Bytes,
    _In_reads_bytes_opt_(Length) const UCHAR *OptionalBytes,
    _Out_ PULONG Output,
    _Out_writes_(Length) PULONG Outputs,
    _Out_writes_opt_(Length) PULONG OptionalOutputs,
    _Out_writes_bytes_(Length) PVOID OutputBytes,
    _Out_writes_bytes_to_(Length, *Output) PVOID OutputBytesTo,
    _Out_writes_to_(Length, *Output) PULONG OutputsTo,
    _Outptr_ PVOID *Pointer,
    _Outptr_result_maybenull_ PVOID *MaybeNull,
    _Outptr_result_buffer_maybenull_(*Output) PVOID *Buffer,
    _Inout_ PULONG Both,
    _Inout_opt_ PULONG OptionalBoth,
    _Null_terminated_ PCSTR Name,
    ULONG Length
    )
{
    _Analysis_assume_(Length < 10);
    _Analysis_assume_lock_held_(Both);
    __analysis_assume(Input != NULL);
    *Output = 0;
    UNREFERENCED_PARAMETER(Optional);
    UNREFERENCED_PARAMETER(Text);
    UNREFERENCED_PARAMETER(Numbers);
    UNREFERENCED_PARAMETER(OptionalNumbers);
    UNREFERENCED_PARAMETER(Bytes);
    UNREFERENCED_PARAMETER(OptionalBytes);
    UNREFERENCED_PARAMETER(Outputs);
    UNREFERENCED_PARAMETER(OptionalOutputs);
    UNREFERENCED_PARAMETER(OutputBytes);
    UNREFERENCED_PARAMETER(OutputBytesTo);
    UNREFERENCED_PARAMETER(OutputsTo);
    UNREFERENCED_PARAMETER(Pointer);
    UNREFERENCED_PARAMETER(MaybeNull);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(OptionalBoth);
    UNREFERENCED_PARAMETER(Name);
    return *Both == 0;
}

_Acquires_lock_(Held->Lock) _IRQL_raises_(DISPATCH_LEVEL) _IRQL_saves_
static __forceinline KIRQL Acquire(_Inout_ PSURFACE Held)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Held->Lock, &OldIrql);
    return OldIrql;
}

_Releases_lock_(Held->Lock)
static __forceinline VOID Release(_Inout_ PSURFACE Held, _IRQL_restores_ KIRQL OldIrql)
{
    KeReleaseSpinLock(&Held->Lock, OldIrql);
}

_Ret_maybenull_ __drv_allocatesMem(Mem) _Dispatch_type_(0)
static PVOID Allocate(SIZE_T Size)
{
    return ExAllocatePoolZero(NonPagedPoolNx, Size, SURFACE_POOL_TAG);
}

static VOID Free(_Frees_ptr_opt_ __drv_freesMem(Mem) _Post_ptr_invalid_ _Post_invalid_ PVOID Memory)
{
    if (Memory != NULL) {
        ExFreePoolWithTag(Memory, SURFACE_POOL_TAG);
    }
}

static __declspec(noinline) VOID FreeUntagged(_Frees_ptr_ __drv_aliasesMem PVOID Memory)
{
    ExFreePool(Memory);
}

static __declspec(code_seg("PAGE")) VOID Paged(VOID)
{
    PAGED_CODE();
    TraceEvents(TRACE_LEVEL_VERBOSE, TRACE_DRIVER, "%s", __FUNCTION__);
    DbgPrint("Surface: " "paged\n");
}

//
// The NPI: nobody is attached.
//
_Use_decl_annotations_
static NTSTATUS NTAPI ProviderAttachClient(
    HANDLE NmrBindingHandle, PVOID ProviderContext, PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext, const VOID *ClientDispatch, PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch)
{
    UNREFERENCED_PARAMETER(NmrBindingHandle);
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(ClientRegistrationInstance);
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(ClientDispatch);
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    UNREFERENCED_PARAMETER(ProviderDispatch);
    return STATUS_NOINTERFACE;
}

_Use_decl_annotations_
static NTSTATUS NTAPI ProviderDetachClient(PVOID ProviderBindingContext)
{
    NmrProviderDetachClientComplete(ProviderBindingContext);
    return STATUS_PENDING;
}

_Use_decl_annotations_
static NTSTATUS NTAPI ClientAttachProvider(
    HANDLE NmrBindingHandle, PVOID ClientContext, PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance)
{
    static const VOID *Dispatch[2];
    PVOID ProviderBindingContext;
    const VOID *ProviderDispatch;

    if (ProviderRegistrationInstance->ModuleId == NULL ||
        !NmrIsEqualNpiModuleId(ProviderRegistrationInstance->ModuleId, &ModuleIds[0])) {
        return STATUS_NOINTERFACE;
    }
    return NmrClientAttachProvider(
        NmrBindingHandle, ClientContext, Dispatch, &ProviderBindingContext, &ProviderDispatch);
}

_Use_decl_annotations_
static NTSTATUS NTAPI ClientDetachProvider(PVOID ClientBindingContext)
{
    NmrClientDetachProviderComplete(ClientBindingContext);
    return STATUS_PENDING;
}

static NTSTATUS NTAPI WskClientEvent(PVOID ClientContext, ULONG EventType, PVOID Information, SIZE_T Length)
{
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(EventType);
    UNREFERENCED_PARAMETER(Information);
    UNREFERENCED_PARAMETER(Length);
    return STATUS_SUCCESS;
}

//
// Routines of the system's threads.
//
_Use_decl_annotations_
static VOID NTAPI WorkItemRoutine(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    KeSetEvent(&((PSURFACE)Context)->Event, IO_NO_INCREMENT, FALSE);
}

_Use_decl_annotations_
static VOID NTAPI QueueItemRoutine(PVOID Parameter)
{
    PSURFACE Queued = CONTAINING_RECORD(Parameter, SURFACE, QueueItem);

    KeSetEvent(&Queued->Event, IO_NO_INCREMENT, FALSE);
}

_Use_decl_annotations_
static VOID NTAPI DpcRoutine(PKDPC Dpc, PVOID DeferredContext, PVOID SystemArgument1, PVOID SystemArgument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(SystemArgument1);
    UNREFERENCED_PARAMETER(SystemArgument2);
    KeSetEvent(&((PSURFACE)DeferredContext)->Event, IO_NO_INCREMENT, FALSE);
}

_Use_decl_annotations_
static VOID NTAPI ThreadRoutine(PVOID StartContext)
{
    UNREFERENCED_PARAMETER(StartContext);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

_Use_decl_annotations_
static VOID NTAPI StackCallout(PVOID Parameter)
{
    InterlockedIncrement((LONG volatile *)Parameter);
}

_Use_decl_annotations_
static NTSTATUS NTAPI QueryRoutine(
    PWSTR ValueName, ULONG ValueType, PVOID ValueData, ULONG ValueLength, PVOID Context, PVOID EntryContext)
{
    UNREFERENCED_PARAMETER(ValueName);
    UNREFERENCED_PARAMETER(ValueType);
    UNREFERENCED_PARAMETER(Context);
    RtlCopyMemory(EntryContext, ValueData, min(ValueLength, sizeof(ULONG)));
    return STATUS_SUCCESS;
}

static VOID WaitForEvent(PSURFACE Waiting)
{
    LARGE_INTEGER Timeout;

    Timeout.QuadPart = -SECOND;
    NT_VERIFY(KeWaitForSingleObject(&Waiting->Event, Executive, KernelMode, FALSE, &Timeout) == STATUS_SUCCESS);
    KeClearEvent(&Waiting->Event);
}

static VOID UseLocks(PSURFACE Used)
{
    KIRQL OldIrql = Acquire(Used);

    InsertTailList(&Used->List, &Used->Link);
    RemoveEntryList(&Used->Link);
    InsertHeadList(&Used->List, &Used->Link);
    ASSERT(!IsListEmpty(&Used->List) && KeGetCurrentIrql() == DISPATCH_LEVEL);
    RemoveHeadList(&Used->List);
    Release(Used, OldIrql);

    OldIrql = ExAcquireSpinLockExclusive(&Used->SharedLock);
    ExReleaseSpinLockExclusive(&Used->SharedLock, OldIrql);
    OldIrql = ExAcquireSpinLockShared(&Used->SharedLock);
    ExReleaseSpinLockShared(&Used->SharedLock, OldIrql);

    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Used->PushLock);
    ExReleasePushLockExclusive(&Used->PushLock);
    ExAcquirePushLockShared(&Used->PushLock);
    ExReleasePushLockShared(&Used->PushLock);
    ExAcquireResourceExclusiveLite(&Used->Resource, TRUE);
    ExReleaseResourceLite(&Used->Resource);
    ExAcquireResourceSharedLite(&Used->Resource, TRUE);
    ExReleaseResourceLite(&Used->Resource);
    KeLeaveCriticalRegion();

    ExAcquireFastMutex(&Used->FastMutex);
    NT_ASSERT(KeGetCurrentIrql() == APC_LEVEL);
    ExReleaseFastMutex(&Used->FastMutex);

    KeWaitForSingleObject(&Used->Mutex, Executive, KernelMode, FALSE, NULL);
    KeReleaseMutex(&Used->Mutex, FALSE);

    KeRaiseIrql(HIGH_LEVEL, &OldIrql);
    KeLowerIrql(OldIrql);
    OldIrql = KeRaiseIrqlToDpcLevel();
    KeLowerIrql(OldIrql);
}

static VOID UseRundown(PSURFACE Used)
{
    PEX_RUNDOWN_REF_CACHE_AWARE Aware = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, SURFACE_POOL_TAG);

    if (ExAcquireRundownProtection(&Used->Rundown)) {
        ExReleaseRundownProtection(&Used->Rundown);
    }
    ExWaitForRundownProtectionRelease(&Used->Rundown);
    ExReInitializeRundownProtection(&Used->Rundown);
    if (Aware == NULL) {
        return;
    }
    if (ExAcquireRundownProtectionCacheAware(Aware)) {
        ExReleaseRundownProtectionCacheAware(Aware);
    }
    ExWaitForRundownProtectionReleaseCacheAware(Aware);
    ExReInitializeRundownProtectionCacheAware(Aware);
    ExFreeCacheAwareRundownProtection(Aware);
}

static VOID UseMemory(PSURFACE Used)
{
    PVOID Blocks[] = {
        ExAllocatePoolUninitialized(NonPagedPoolNx, 16, SURFACE_POOL_TAG),
        ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, SURFACE_POOL_TAG),
        ExAllocatePoolWithTag(NonPagedPoolNx, 16, SURFACE_POOL_TAG),
    };
    PVOID Entry = ExAllocateFromNPagedLookasideList(&Used->Lookaside);
    ULONG Index;
    LONG Counter = 0;
    CHAR Flags = 0;

    for (Index = 0; Index < RTL_NUMBER_OF(Blocks); Index++) {
        if (Blocks[Index] != NULL) {
            RtlZeroMemory(Blocks[Index], 16);
            FreeUntagged(Blocks[Index]);
        }
    }
    if (Entry != NULL) {
        ExFreeToNPagedLookasideList(&Used->Lookaside, Entry);
    }
    if (!BitScanForward64(&Index, 0x100) || max(Index, 1) != 8) {
        DbgRaiseAssertionFailure();
    }
    InterlockedIncrement(&Counter);
    InterlockedDecrement(&Counter);
    InterlockedExchange(&Counter, 5);
    InterlockedCompareExchange(&Counter, 6, 5);
    InterlockedOr8(&Flags, 1);
    WriteULong64NoFence(&Used->Marked, LargestNumber);
    if (ReadULong64NoFence(&Used->Marked) != MAXUINT64 || Counter != 6 || Flags != 1) {
        RtlFailFast(FAST_FAIL_INVALID_ARG);
    }
}

static VOID UseWorkers(PSURFACE Used)
{
    LARGE_INTEGER Due, Frequency;
    PVOID Thread;
    HANDLE Handle;

    IoQueueWorkItem(Used->WorkItem, WorkItemRoutine, DelayedWorkQueue, Used);
    WaitForEvent(Used);
    ExInitializeWorkItem(&Used->QueueItem, QueueItemRoutine, &Used->QueueItem);
    ExQueueWorkItem(&Used->QueueItem, DelayedWorkQueue);
    WaitForEvent(Used);

    KeInitializeDpc(&Used->Dpc, DpcRoutine, Used);
    KeInsertQueueDpc(&Used->Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    WaitForEvent(Used);
    Due.QuadPart = -10;
    KeInitializeTimer(&Used->Timer);
    KeSetTimer(&Used->Timer, Due, &Used->Dpc);
    WaitForEvent(Used);
    KeInitializeThreadedDpc(&Used->Dpc, DpcRoutine, Used);
    KeInitializeTimerEx(&Used->Timer, SynchronizationTimer);
    KeSetTimerEx(&Used->Timer, Due, 0, NULL);
    KeCancelTimer(&Used->Timer);
    KeDelayExecutionThread(KernelMode, FALSE, &Due);
    KeQueryPerformanceCounter(&Frequency);

    if (NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadRoutine, NULL))) {
        NT_VERIFY(NT_SUCCESS(ObReferenceObjectByHandle(
            Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, NULL)));
        ZwClose(Handle);
        KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(Thread);
    }
    KeInitializeEvent(&Used->Pulse, SynchronizationEvent, FALSE);
    KePulseEvent(&Used->Pulse, IO_NO_INCREMENT, FALSE);
    KeResetEvent(&Used->Pulse);
}

static VOID UseTheRest(PSURFACE Used)
{
    static ULONG DefaultSize = 4096;
    static WCHAR ValueName[] = L"Size";
    RTL_QUERY_REGISTRY_TABLE Query[] = {
        { QueryRoutine, 0, ValueName, &DefaultSize, REG_DWORD, &DefaultSize, sizeof(DefaultSize) },
        { NULL, 0, NULL, NULL, REG_NONE, NULL, 0 },
    };
    PROCESSOR_NUMBER Number;
    WSK_PROVIDER_NPI Npi;
    LONG Called = 0;
    SIZE_T Sum;
    GUID Id;

    RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"Surface\\Parameters", Query, Used, NULL);
    if (NT_SUCCESS(ExUuidCreate(&Id)) && IsEqualGUID(&Id, &SURFACE_ID)) {
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 1, 2, 3, 4);
    }
    if (NT_SUCCESS(KeExpandKernelStackAndCalloutEx(StackCallout, &Called, 0x2000, FALSE, NULL)) && Called != 1) {
        __fastfail(FAST_FAIL_INVALID_ARG);
    }
    NT_ASSERT(KeGetCurrentProcessorNumber() == KeGetCurrentProcessorNumberEx(&Number));
    NT_FRE_ASSERT(KeQueryMaximumProcessorCount() > 0);
    if (NT_SUCCESS(WskCaptureProviderNPI(&Used->WskRegistration, 5, &Npi))) {
        WskReleaseProviderNPI(&Used->WskRegistration);
    }
    if (NT_SUCCESS(RtlSizeTAdd(1, 2, &Sum))) {
        RtlStringCbPrintfA(Used->Name, sizeof(Used->Name), "%Iu %ld", Sum, (LONG)ARRAYSIZE(ModuleIds));
    }
    TraceLoggingWrite(SurfaceProvider, "Started", TraceLoggingUInt32(0, "Nothing"));
    TraceError(TRACE_DRIVER, "nothing is wrong, %s", Used->Name);
    __try {
        Paged();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
    __try {
        Called = 0;
    } __finally {
        NT_ASSERT(Called == 0);
    }
}

static VOID Delete(PSURFACE Deleted)
{
    ExDeleteNPagedLookasideList(&Deleted->Lookaside);
    ExDeleteResourceLite(&Deleted->Resource);
    if (Deleted->WorkItem != NULL) {
        IoFreeWorkItem(Deleted->WorkItem);
    }
    Free(Deleted);
    Surface = NULL;
}

static NTSTATUS Create(PDRIVER_OBJECT DriverObject)
{
    PSURFACE Created = Allocate(sizeof(*Created));
    PDEVICE_OBJECT DeviceObject;
    UNICODE_STRING DeviceName;
    NTSTATUS Status;
    ULONG Output = 0, Both = 0;

    if (Created == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlInitUnicodeString(&DeviceName, L"\\Device\\Surface");
    Status = IoCreateDevice(DriverObject, 0, &DeviceName, FILE_DEVICE_NETWORK, 0, FALSE, &DeviceObject);
    if (!NT_SUCCESS(Status)) {
        Free(Created);
        return Status;
    }
    Created->Driver = DriverObject;
    Created->Device = DeviceObject;
    InitializeListHead(&Created->List);
    KeInitializeSpinLock(&Created->Lock);
    ExInitializePushLock(&Created->PushLock);
    ExInitializeRundownProtection(&Created->Rundown);
    KeInitializeEvent(&Created->Event, NotificationEvent, FALSE);
    KeInitializeMutex(&Created->Mutex, 0);
    ExInitializeFastMutex(&Created->FastMutex);
    ExInitializeResourceLite(&Created->Resource);
    ExInitializeNPagedLookasideList(&Created->Lookaside, NULL, NULL, 0, 32, SURFACE_POOL_TAG, 0);
    Created->WorkItem = IoAllocateWorkItem(DeviceObject);
    Surface = Created;
    if (Created->WorkItem == NULL ||
        !Annotated(Created, NULL, "", &Both, NULL, (PUCHAR)Created, NULL, &Output, &Output, NULL, &Output, &Output,
                   &Output, NULL, NULL, NULL, &Both, NULL, "", 1)) {
        Delete(Created);
        IoDeleteDevice(DeviceObject);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

static VOID Deregister(VOID)
{
    if (Surface->NmrClientHandle != NULL &&
        NmrDeregisterClient(Surface->NmrClientHandle) == STATUS_PENDING) {
        NmrWaitForClientDeregisterComplete(Surface->NmrClientHandle);
    }
    if (Surface->NmrProviderHandle != NULL &&
        NmrDeregisterProvider(Surface->NmrProviderHandle) == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(Surface->NmrProviderHandle);
    }
}

_Use_decl_annotations_
static VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    PAGED_CODE();
    Deregister();
    WskDeregister(&Surface->WskRegistration);
    TraceLoggingUnregister(SurfaceProvider);
    WPP_CLEANUP(DriverObject);
    Delete(Surface);
    IoDeleteDevice(DriverObject->DeviceObject);
}

_Use_decl_annotations_
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WSK_CLIENT_NPI WskClientNpi = { NULL, &WskDispatch };
    HANDLE Handle;
    NTSTATUS Status;

    WPP_INIT_TRACING(DriverObject, RegistryPath);
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    DriverObject->DriverUnload = DriverUnload;
    Status = TraceLoggingRegister(SurfaceProvider);
    if (NT_SUCCESS(Status)) {
        Status = Create(DriverObject);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskRegister(&WskClientNpi, &Surface->WskRegistration);
    if (!NT_SUCCESS(Status)) {
        Delete(Surface);
        IoDeleteDevice(DriverObject->DeviceObject);
        return Status;
    }
    UseLocks(Surface);
    UseRundown(Surface);
    UseMemory(Surface);
    UseWorkers(Surface);
    UseTheRest(Surface);
    Status = NmrRegisterProvider(&ProviderCharacteristics, Surface, &Handle);
    if (NT_SUCCESS(Status)) {
        Surface->NmrProviderHandle = Handle;
        Status = NmrRegisterClient(&ClientCharacteristics, Surface, &Handle);
    }
    if (NT_SUCCESS(Status)) {
        Surface->NmrClientHandle = Handle;
    } else {
        DriverUnload(DriverObject);
    }
    return Status;
}
