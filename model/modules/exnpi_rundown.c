/*++

    Exnpi_rundown.c

    An EXNPI provider that guards its calls with rundown protection.

    Binding protocol:

    1. Attach.  The context, its rundown reference and the work item that will end the binding are made before
       the context enters the provider's list, under a push lock: attach callbacks run at PASSIVE_LEVEL.
    2. Calls.  Each call to the client, and each work item that will make one, holds rundown protection of its
       binding, and starts nothing when Detaching is set.  An Indicate that returned STATUS_PENDING keeps its
       protection until IndicateComplete.
    3. Detach.  Can be called at DISPATCH_LEVEL, where neither a wait nor the push lock is allowed.  It sets
       Detaching, queues the work item and returns STATUS_PENDING without touching the context again.
       The work item waits until the last call has returned, unlinks the binding and completes.
    4. Cleanup.  Both sides are detached: the context, which the work item has unlinked, is freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'uRxE'
#define WORK_POOL_TAG 'wUxE'

typedef struct PROVIDER_ {
    HANDLE NmrProviderHandle;
    PDEVICE_OBJECT DeviceObject;
    EX_PUSH_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY Bindings;
} PROVIDER, *PPROVIDER;

typedef struct PROVIDER_BINDING_CONTEXT_ {
    LIST_ENTRY Link;                            // Provider->Bindings
    PPROVIDER Provider;
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    PCEXNPI_CLIENT_DISPATCH ClientDispatch;
    EX_RUNDOWN_REF Rundown;
    PIO_WORKITEM DetachWorkItem;
    volatile LONG Detaching;
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
static IO_WORKITEM_ROUTINE DetachWorker;
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
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F104}
//
static const NPI_MODULEID ProviderModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x04 } } },
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

static PROVIDER Provider;

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
// The push lock must be held with normal kernel APCs disabled.
//
_IRQL_requires_max_(APC_LEVEL)
static
VOID
ProviderLock(
    _Inout_ PPROVIDER LockedProvider
    )
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&LockedProvider->Lock);
}

_IRQL_requires_max_(APC_LEVEL)
static
VOID
ProviderUnlock(
    _Inout_ PPROVIDER LockedProvider
    )
{
    ExReleasePushLockExclusive(&LockedProvider->Lock);
    KeLeaveCriticalRegion();
}

//
// Rundown protection is refused only when the work item has begun to wait, which is too late: no call
// to the client may be started once the detach has begun.
//
static
BOOLEAN
BindingAcquire(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    if (!ExAcquireRundownProtection(&BindingContext->Rundown)) {
        return FALSE;
    }
    if (InterlockedCompareExchange(&BindingContext->Detaching, 0, 0) != 0) {
        ExReleaseRundownProtection(&BindingContext->Rundown);
        return FALSE;
    }
    return TRUE;
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
    PPROVIDER AttachingProvider = ProviderContext;
    PPROVIDER_BINDING_CONTEXT BindingContext = NULL;

    PAGED_CODE();

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

    BindingContext->DetachWorkItem = IoAllocateWorkItem(AttachingProvider->DeviceObject);
    if (BindingContext->DetachWorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    ExInitializeRundownProtection(&BindingContext->Rundown);
    BindingContext->Provider = AttachingProvider;
    BindingContext->NmrBindingHandle = NmrBindingHandle;
    BindingContext->ClientBindingContext = ClientBindingContext;
    BindingContext->ClientDispatch = ClientDispatch;

    ProviderLock(AttachingProvider);
    InsertTailList(&AttachingProvider->Bindings, &BindingContext->Link);
    ProviderUnlock(AttachingProvider);

    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &ProviderDispatchTable;
    BindingContext = NULL;
    Status = STATUS_SUCCESS;

Exit:

    if (BindingContext != NULL) {
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

    InterlockedExchange(&BindingContext->Detaching, TRUE);
    IoQueueWorkItem(BindingContext->DetachWorkItem, DetachWorker, DelayedWorkQueue, BindingContext);
    return STATUS_PENDING;
}

_Use_decl_annotations_
static
VOID
DetachWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = Context;
    HANDLE NmrBindingHandle = BindingContext->NmrBindingHandle;

    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();

    ExWaitForRundownProtectionRelease(&BindingContext->Rundown);

    ProviderLock(BindingContext->Provider);
    RemoveEntryList(&BindingContext->Link);
    ProviderUnlock(BindingContext->Provider);

    IoFreeWorkItem(BindingContext->DetachWorkItem);
    NmrProviderDetachClientComplete(NmrBindingHandle);
}

_Use_decl_annotations_
static
VOID
NTAPI
ProviderCleanupBindingContext(
    PVOID ProviderBindingContext
    )
{
    ExFreePoolWithTag(ProviderBindingContext, BINDING_CONTEXT_POOL_TAG);
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
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    UNREFERENCED_PARAMETER(Code);

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

    if (!BindingAcquire(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, Code);
    ExReleaseRundownProtection(&BindingContext->Rundown);
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

    if (!BindingAcquire(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    Status = BindingContext->ClientDispatch->Indicate(BindingContext->ClientBindingContext, Code);
    if (Status != STATUS_PENDING) {
        ExReleaseRundownProtection(&BindingContext->Rundown);
    }
    return STATUS_SUCCESS;
}

//
// The protection that ProviderRequestIndicate acquired when the client answered STATUS_PENDING.
//
_Use_decl_annotations_
static
VOID
NTAPI
ProviderIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;

    ExReleaseRundownProtection(&BindingContext->Rundown);
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
    NTSTATUS Status;

    Work = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Work), WORK_POOL_TAG);
    if (Work == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    Work->WorkItem = IoAllocateWorkItem(BindingContext->Provider->DeviceObject);
    if (Work->WorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    if (!BindingAcquire(BindingContext)) {
        Status = STATUS_DELETE_PENDING;
        goto Exit;
    }

    Work->BindingContext = BindingContext;
    Work->Code = Code;
    IoQueueWorkItem(Work->WorkItem, LaterWorker, DelayedWorkQueue, Work);
    Work = NULL;
    Status = STATUS_SUCCESS;

Exit:

    if (Work != NULL) {
        if (Work->WorkItem != NULL) {
            IoFreeWorkItem(Work->WorkItem);
        }
        ExFreePoolWithTag(Work, WORK_POOL_TAG);
    }
    return Status;
}

//
// Runs with the protection that ProviderRequestLater acquired.
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

    if (BindingAcquire(BindingContext)) {
        BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, Code);
        ExReleaseRundownProtection(&BindingContext->Rundown);
    }
    ExReleaseRundownProtection(&BindingContext->Rundown);
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

_Use_decl_annotations_
static
VOID
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);

    Status = NmrDeregisterProvider(Provider.NmrProviderHandle);
    if (Status == STATUS_PENDING) {
        Status = NmrWaitForProviderDeregisterComplete(Provider.NmrProviderHandle);
    }
    NT_ASSERT(NT_SUCCESS(Status));
    NT_ASSERT(IsListEmpty(&Provider.Bindings));

    IoDeleteDevice(Provider.DeviceObject);
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = DriverUnload;
    ExInitializePushLock(&Provider.Lock);
    InitializeListHead(&Provider.Bindings);

    //
    // Work items belong to a device object, so that the driver stays in memory while one runs.
    //
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &Provider.DeviceObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }

    //
    // Last: the callbacks can run before this returns.
    //
    Status = NmrRegisterProvider(&ProviderCharacteristics, &Provider, &Provider.NmrProviderHandle);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Provider.DeviceObject);
    }
    return Status;
}
