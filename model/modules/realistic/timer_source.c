/*++

    Timer_source.c

    A source of events: an EXNPI provider that calls its clients from a timer's DPC, and guards those calls with a
    rundown of its own, because DPCs cannot wait.

    Binding protocol:

    1. Attach.  The context, its timer and its DPC are complete before the attach returns.
    2. Calls.  The binding's rundown word counts references above bit 0; bit 0 says that the detach has begun, and no
       reference is given out any more.  Each call to the client holds one, and so does an armed timer, for the DPC that
       is to come.  A timer is armed once at a time, so that each reference has a DPC of its own.
    3. Detach.  Bit 0 is set and a reference taken in one step, so that the context stays while the callback uses it.
       A timer that could be cancelled has no DPC to come: its reference is dropped.  Then the callback drops its own.
       When that was the last one the detach is complete; otherwise it is pending, and whoever drops the last
       reference, in a DPC or not, completes it.
    4. Cleanup.  Both sides are detached: the context is freed.  Unload then waits until every DPC has returned, because
       the one that completed the last detach may still be on its way out.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'cSmT'

#define RUNDOWN_ACTIVE 1
#define RUNDOWN_REFERENCE 2

#define DELAY_100NS 10000

typedef struct SOURCE_ {
    HANDLE NmrProviderHandle;
    volatile LONG Bindings;
} SOURCE, *PSOURCE;

typedef struct SOURCE_BINDING_CONTEXT_ {
    PSOURCE Source;
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    PCEXNPI_CLIENT_DISPATCH ClientDispatch;
    volatile LONG Rundown;
    volatile LONG Armed;
    KTIMER Timer;
    KDPC Dpc;
} SOURCE_BINDING_CONTEXT, *PSOURCE_BINDING_CONTEXT;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_PROVIDER_ATTACH_CLIENT_FN SourceAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN SourceDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN SourceCleanupBindingContext;
static EXNPI_REQUEST SourceRequest;
static EXNPI_REQUEST SourceRequestNotify;
static EXNPI_REQUEST SourceRequestNotSupported;
static EXNPI_REQUEST SourceRequestLater;
static EXNPI_QUERY_INSTANCE SourceQueryInstance;
static EXNPI_INDICATE_COMPLETE SourceIndicateComplete;
static KDEFERRED_ROUTINE SourceTimerDpc;

static const EXNPI_PROVIDER_DISPATCH SourceDispatchTable = {
    SourceRequest,
    SourceRequestNotify,
    SourceRequestNotSupported,
    SourceRequestLater,
    SourceQueryInstance,
    SourceIndicateComplete,
};

//
// {3B1F0C52-8E51-4C0A-9C55-7A3C0F2D6E01}
//
static const NPI_MODULEID SourceModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x3b1f0c52, 0x8e51, 0x4c0a, { 0x9c, 0x55, 0x7a, 0x3c, 0x0f, 0x2d, 0x6e, 0x01 } } },
};

static const NPI_PROVIDER_CHARACTERISTICS SourceCharacteristics = {
    0,
    sizeof(NPI_PROVIDER_CHARACTERISTICS),
    SourceAttachClient,
    SourceDetachClient,
    SourceCleanupBindingContext,
    {
        0,
        sizeof(NPI_REGISTRATION_INSTANCE),
        &EXNPI_NPIID,
        &SourceModuleId,
        0,
        NULL,
    },
};

static SOURCE Source;

static
BOOLEAN
ClientIsAcceptable(
    _In_opt_ PCEXNPI_CLIENT_CHARACTERISTICS Characteristics
    )
{
    if (Characteristics == NULL) {
        return TRUE;
    }
    switch (Characteristics->Version) {
    case EXNPI_VERSION_1:
        return Characteristics->Length >= EXNPI_CLIENT_CHARACTERISTICS_V1_LENGTH;
    case EXNPI_VERSION_2:
        return Characteristics->Length >= sizeof(EXNPI_CLIENT_CHARACTERISTICS);
    default:
        return FALSE;
    }
}

static
BOOLEAN
RundownAcquire(
    _Inout_ PSOURCE_BINDING_CONTEXT BindingContext
    )
{
    LONG Old;
    LONG Seen = InterlockedCompareExchange(&BindingContext->Rundown, 0, 0);

    do {
        Old = Seen;
        if ((Old & RUNDOWN_ACTIVE) != 0) {
            return FALSE;
        }
        Seen = InterlockedCompareExchange(&BindingContext->Rundown, Old + RUNDOWN_REFERENCE, Old);
    } while (Seen != Old);
    return TRUE;
}

//
// TRUE when that was the last reference, and the detach has begun.
//
static
BOOLEAN
RundownDrop(
    _Inout_ PSOURCE_BINDING_CONTEXT BindingContext
    )
{
    LONG Old = InterlockedExchangeAdd(&BindingContext->Rundown, -RUNDOWN_REFERENCE);

    NT_ASSERT(Old >= RUNDOWN_REFERENCE);
    return Old == RUNDOWN_REFERENCE + RUNDOWN_ACTIVE;
}

//
// Drops a reference.  The context must not be used after this, but by a function that the client is calling.
//
static
VOID
RundownRelease(
    _Inout_ PSOURCE_BINDING_CONTEXT BindingContext
    )
{
    HANDLE NmrBindingHandle = BindingContext->NmrBindingHandle;

    if (RundownDrop(BindingContext)) {
        NmrProviderDetachClientComplete(NmrBindingHandle);
    }
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
SourceAttachClient(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch
    )
{
    PSOURCE AttachingSource = ProviderContext;
    PSOURCE_BINDING_CONTEXT BindingContext;

    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        return STATUS_INVALID_PARAMETER;
    }

    if (ClientDispatch == NULL || !ClientIsAcceptable(ClientRegistrationInstance->NpiSpecificCharacteristics)) {
        return STATUS_NOINTERFACE;
    }

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    BindingContext->Source = AttachingSource;
    BindingContext->NmrBindingHandle = NmrBindingHandle;
    BindingContext->ClientBindingContext = ClientBindingContext;
    BindingContext->ClientDispatch = ClientDispatch;
    KeInitializeTimer(&BindingContext->Timer);
    KeInitializeDpc(&BindingContext->Dpc, SourceTimerDpc, BindingContext);
    InterlockedIncrement(&AttachingSource->Bindings);

    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &SourceDispatchTable;
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
SourceDetachClient(
    PVOID ProviderBindingContext
    )
{
    PSOURCE_BINDING_CONTEXT BindingContext = ProviderBindingContext;

    InterlockedExchangeAdd(&BindingContext->Rundown, RUNDOWN_REFERENCE + RUNDOWN_ACTIVE);
    if (KeCancelTimer(&BindingContext->Timer)) {
        (VOID)RundownDrop(BindingContext);
    }
    return RundownDrop(BindingContext) ? STATUS_SUCCESS : STATUS_PENDING;
}

_Use_decl_annotations_
static
VOID
NTAPI
SourceCleanupBindingContext(
    PVOID ProviderBindingContext
    )
{
    PSOURCE_BINDING_CONTEXT BindingContext = ProviderBindingContext;

    InterlockedDecrement(&BindingContext->Source->Bindings);
    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
SourceRequest(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    UNREFERENCED_PARAMETER(Code);

    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
SourceRequestNotSupported(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    UNREFERENCED_PARAMETER(Code);

    return STATUS_NOT_SUPPORTED;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
SourceRequestNotify(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PSOURCE_BINDING_CONTEXT BindingContext = ProviderBindingContext;

    if (!RundownAcquire(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, Code);
    RundownRelease(BindingContext);
    return STATUS_SUCCESS;
}

//
// One event is as good as several: a timer that is armed already stays as it is.
//
_Use_decl_annotations_
static
NTSTATUS
NTAPI
SourceRequestLater(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PSOURCE_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    LARGE_INTEGER DueTime;

    UNREFERENCED_PARAMETER(Code);

    if (!RundownAcquire(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    if (InterlockedExchange(&BindingContext->Armed, TRUE) != FALSE) {
        RundownRelease(BindingContext);
        return STATUS_SUCCESS;
    }
    DueTime.QuadPart = -DELAY_100NS;
    KeSetTimer(&BindingContext->Timer, DueTime, &BindingContext->Dpc);
    return STATUS_SUCCESS;
}

//
// Runs with the reference that SourceRequestLater acquired.
//
_Use_decl_annotations_
static
VOID
SourceTimerDpc(
    PKDPC Dpc,
    PVOID DeferredContext,
    PVOID SystemArgument1,
    PVOID SystemArgument2
    )
{
    PSOURCE_BINDING_CONTEXT BindingContext = DeferredContext;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(SystemArgument1);
    UNREFERENCED_PARAMETER(SystemArgument2);

    InterlockedExchange(&BindingContext->Armed, FALSE);
    if (RundownAcquire(BindingContext)) {
        BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, 0);
        RundownRelease(BindingContext);
    }
    RundownRelease(BindingContext);
}

_Use_decl_annotations_
static
ULONG
NTAPI
SourceQueryInstance(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return SourceCharacteristics.ProviderRegistrationInstance.Number;
}

_Use_decl_annotations_
static
VOID
NTAPI
SourceIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    NT_ASSERT(FALSE);
}

_Use_decl_annotations_
static
VOID
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);

    Status = NmrDeregisterProvider(Source.NmrProviderHandle);
    if (Status == STATUS_PENDING) {
        Status = NmrWaitForProviderDeregisterComplete(Source.NmrProviderHandle);
    }
    NT_ASSERT(NT_SUCCESS(Status));
    NT_ASSERT(Source.Bindings == 0);

    KeFlushQueuedDpcs();
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = DriverUnload;

    //
    // Last: the callbacks can run before this returns.
    //
    return NmrRegisterProvider(&SourceCharacteristics, &Source, &Source.NmrProviderHandle);
}
