/*++

    Exnpi_refcounted.c

    An EXNPI provider that counts what is in progress on each binding, in both directions.

    Binding protocol:

    1. Attach.  The context and the buffer it owns are allocated and initialised in full before the context
       is inserted in the provider's list, because the client may call as soon as the attach succeeds.
    2. Calls.  A request of the client, a call to the client (an Indicate that returned STATUS_PENDING too,
       until IndicateComplete) and a work item each count as in progress.  A new one is counted only while
       Detaching is not set; flag and count are read and written together, under the binding's lock.
    3. Detach.  Sets Detaching.  With nothing in progress the detach is complete.  Otherwise it is pending,
       and whoever ends the last thing in progress completes it: DetachPending is consumed under the
       lock, so that this happens once.  The context may be gone when NmrProviderDetachClientComplete
       returns, which is why the handle is copied first and no lock is held across the call.
    4. Cleanup.  Both sides are detached: the context is unlinked, then the buffer and the context are freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define PROVIDER_POOL_TAG 'pRxE'
#define BINDING_CONTEXT_POOL_TAG 'bRxE'
#define BINDING_BUFFER_POOL_TAG 'fRxE'
#define WORK_POOL_TAG 'wRxE'

#define BINDING_BUFFER_ENTRIES 8

typedef struct PROVIDER_ {
    HANDLE NmrProviderHandle;
    PDEVICE_OBJECT DeviceObject;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY Bindings;
} PROVIDER, *PPROVIDER;

typedef struct PROVIDER_BINDING_CONTEXT_ {
    LIST_ENTRY Link;                            // Provider->Bindings
    PPROVIDER Provider;
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    PCEXNPI_CLIENT_DISPATCH ClientDispatch;
    GUID ClientGuid;                            // Zero when the client is not identified by a GUID
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) PULONG Buffer;           // The codes of the last requests
    _Guarded_by_(Lock) ULONG BufferNext;
    _Guarded_by_(Lock) ULONG InProgress;
    _Guarded_by_(Lock) BOOLEAN Detaching;
    _Guarded_by_(Lock) BOOLEAN DetachPending;   // Whoever makes InProgress 0 completes the detach
} PROVIDER_BINDING_CONTEXT, *PPROVIDER_BINDING_CONTEXT;

typedef struct LATER_WORK_ {
    PPROVIDER_BINDING_CONTEXT BindingContext;
    PIO_WORKITEM WorkItem;
    ULONG Code;
} LATER_WORK, *PLATER_WORK;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext;
static EXNPI_REQUEST ProviderRequest;
static EXNPI_REQUEST ProviderRequestNotify;
static EXNPI_REQUEST ProviderRequestIndicate;
static EXNPI_REQUEST ProviderRequestLater;
static EXNPI_QUERY_INSTANCE ProviderQueryInstance;
static EXNPI_INDICATE_COMPLETE ProviderIndicateComplete;
static IO_WORKITEM_ROUTINE LaterWorker;

static const EXNPI_PROVIDER_DISPATCH ProviderDispatchTable = {
    ProviderRequest,
    ProviderRequestNotify,
    ProviderRequestIndicate,
    ProviderRequestLater,
    ProviderQueryInstance,
    ProviderIndicateComplete,
};

//
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F103}
//
static const NPI_MODULEID ProviderModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x03 } } },
};

static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
    0,
    sizeof(NPI_PROVIDER_CHARACTERISTICS),
    ProviderAttachClient,
    ProviderDetachClient,
    ProviderCleanupBindingContext,
    {
        0,
        sizeof(NPI_REGISTRATION_INSTANCE),
        &EXNPI_NPIID,
        &ProviderModuleId,
        0,
        NULL,
    },
};

//
// For DriverUnload, which has no other way to find it.  The callbacks use their ProviderContext.
//
static PPROVIDER RegisteredProvider;

//
// Whether EXNPI lets a provider attach to a client with these characteristics.  Nothing past the
// first two members may be read before Length has been checked.
//
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

//
// Counts one thing as in progress.  Fails once the detach has begun.
//
static
BOOLEAN
BindingEnter(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    KIRQL OldIrql;
    BOOLEAN Entered = FALSE;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    if (!BindingContext->Detaching) {
        BindingContext->InProgress++;
        Entered = TRUE;
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);
    return Entered;
}

//
// Ends one thing in progress.  The binding context must not be used after this.
//
static
VOID
BindingLeave(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    HANDLE NmrBindingHandle = BindingContext->NmrBindingHandle;
    KIRQL OldIrql;
    BOOLEAN Complete = FALSE;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    NT_ASSERT(BindingContext->InProgress != 0);
    BindingContext->InProgress--;
    if (BindingContext->InProgress == 0 && BindingContext->DetachPending) {
        BindingContext->DetachPending = FALSE;
        Complete = TRUE;
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);

    if (Complete) {
        NmrProviderDetachClientComplete(NmrBindingHandle);
    }
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderAttachClient(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch
    )
{
    NTSTATUS Status;
    KIRQL OldIrql;
    PPROVIDER Provider = ProviderContext;
    PNPI_MODULEID ClientModuleId;
    PPROVIDER_BINDING_CONTEXT BindingContext = NULL;

    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        Status = STATUS_INVALID_PARAMETER;
        goto Exit;
    }

    if (ClientDispatch == NULL || !ClientIsAcceptable(ClientRegistrationInstance->NpiSpecificCharacteristics)) {
        Status = STATUS_NOINTERFACE;
        goto Exit;
    }

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    BindingContext->Buffer =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, BINDING_BUFFER_ENTRIES * sizeof(ULONG), BINDING_BUFFER_POOL_TAG);
    if (BindingContext->Buffer == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    KeInitializeSpinLock(&BindingContext->Lock);
    BindingContext->Provider = Provider;
    BindingContext->NmrBindingHandle = NmrBindingHandle;
    BindingContext->ClientBindingContext = ClientBindingContext;
    BindingContext->ClientDispatch = ClientDispatch;

    //
    // A copy, because the client's registration data may be gone before the binding context is.
    //
    ClientModuleId = ClientRegistrationInstance->ModuleId;
    if (ClientModuleId != NULL && ClientModuleId->Type == MIT_GUID) {
        BindingContext->ClientGuid = ClientModuleId->Guid;
    }

    KeAcquireSpinLock(&Provider->Lock, &OldIrql);
    InsertTailList(&Provider->Bindings, &BindingContext->Link);
    KeReleaseSpinLock(&Provider->Lock, OldIrql);

    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &ProviderDispatchTable;
    BindingContext = NULL;
    Status = STATUS_SUCCESS;

Exit:

    if (BindingContext != NULL) {
        if (BindingContext->Buffer != NULL) {
            ExFreePoolWithTag(BindingContext->Buffer, BINDING_BUFFER_POOL_TAG);
        }
        ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
    }
    return Status;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderDetachClient(
    PVOID ProviderBindingContext
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL OldIrql;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    BindingContext->Detaching = TRUE;
    if (BindingContext->InProgress != 0) {
        BindingContext->DetachPending = TRUE;
        Status = STATUS_PENDING;
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);
    return Status;
}

_Use_decl_annotations_
static
VOID
NTAPI
ProviderCleanupBindingContext(
    PVOID ProviderBindingContext
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    PPROVIDER Provider = BindingContext->Provider;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Provider->Lock, &OldIrql);
    RemoveEntryList(&BindingContext->Link);
    KeReleaseSpinLock(&Provider->Lock, OldIrql);

    ExFreePoolWithTag(BindingContext->Buffer, BINDING_BUFFER_POOL_TAG);
    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderRequest(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    KIRQL OldIrql;

    if (!BindingEnter(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    BindingContext->Buffer[BindingContext->BufferNext % BINDING_BUFFER_ENTRIES] = Code;
    BindingContext->BufferNext++;
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);

    BindingLeave(BindingContext);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderRequestNotify(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;

    if (!BindingEnter(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, Code);
    BindingLeave(BindingContext);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderRequestIndicate(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    NTSTATUS Status;

    if (!BindingEnter(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }

    Status = BindingContext->ClientDispatch->Indicate(BindingContext->ClientBindingContext, Code);
    if (Status != STATUS_PENDING) {
        BindingLeave(BindingContext);
    }
    return STATUS_SUCCESS;
}

//
// Ends what ProviderRequestIndicate left in progress when the client answered STATUS_PENDING.
//
_Use_decl_annotations_
static
VOID
NTAPI
ProviderIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    BindingLeave(ProviderBindingContext);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderRequestLater(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    PLATER_WORK Work;

    Work = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Work), WORK_POOL_TAG);
    if (Work == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Work->WorkItem = IoAllocateWorkItem(BindingContext->Provider->DeviceObject);
    if (Work->WorkItem == NULL) {
        ExFreePoolWithTag(Work, WORK_POOL_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Work->BindingContext = BindingContext;
    Work->Code = Code;

    if (!BindingEnter(BindingContext)) {
        IoFreeWorkItem(Work->WorkItem);
        ExFreePoolWithTag(Work, WORK_POOL_TAG);
        return STATUS_DELETE_PENDING;
    }
    IoQueueWorkItem(Work->WorkItem, LaterWorker, DelayedWorkQueue, Work);
    return STATUS_SUCCESS;
}

//
// The work item itself is in progress since ProviderRequestLater; the call to the client is counted
// again, because none may be started once the detach has begun.
//
_Use_decl_annotations_
static
VOID
LaterWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PLATER_WORK Work = Context;
    PPROVIDER_BINDING_CONTEXT BindingContext = Work->BindingContext;
    ULONG Code = Work->Code;

    UNREFERENCED_PARAMETER(DeviceObject);

    IoFreeWorkItem(Work->WorkItem);
    ExFreePoolWithTag(Work, WORK_POOL_TAG);

    if (BindingEnter(BindingContext)) {
        BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, Code);
        BindingLeave(BindingContext);
    }
    BindingLeave(BindingContext);
}

_Use_decl_annotations_
static
ULONG
NTAPI
ProviderQueryInstance(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return ProviderCharacteristics.ProviderRegistrationInstance.Number;
}

static
VOID
ProviderDelete(
    _In_ PPROVIDER Provider
    )
{
    NT_ASSERT(IsListEmpty(&Provider->Bindings));
    if (Provider->DeviceObject != NULL) {
        IoDeleteDevice(Provider->DeviceObject);
    }
    ExFreePoolWithTag(Provider, PROVIDER_POOL_TAG);
}

_Use_decl_annotations_
static
VOID
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    PPROVIDER Provider = RegisteredProvider;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);

    Status = NmrDeregisterProvider(Provider->NmrProviderHandle);
    if (Status == STATUS_PENDING) {
        Status = NmrWaitForProviderDeregisterComplete(Provider->NmrProviderHandle);
    }
    NT_ASSERT(NT_SUCCESS(Status));

    RegisteredProvider = NULL;
    ProviderDelete(Provider);
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    PPROVIDER Provider;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);

    Provider = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Provider), PROVIDER_POOL_TAG);
    if (Provider == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }
    KeInitializeSpinLock(&Provider->Lock);
    InitializeListHead(&Provider->Bindings);

    //
    // Work items belong to a device object, so that the driver stays in memory while one runs.
    //
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &Provider->DeviceObject);
    if (!NT_SUCCESS(Status)) {
        Provider->DeviceObject = NULL;
        goto Exit;
    }

    //
    // Last: the callbacks can run before this returns.
    //
    Status = NmrRegisterProvider(&ProviderCharacteristics, Provider, &Provider->NmrProviderHandle);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }

    DriverObject->DriverUnload = DriverUnload;
    RegisteredProvider = Provider;
    Provider = NULL;

Exit:

    if (Provider != NULL) {
        ProviderDelete(Provider);
    }
    return Status;
}
