/*++

    Exnpi_deferred.c

    An EXNPI provider that serves any number of clients and completes each detach from a work item.

    Binding protocol:

    1. Attach.  Everything a binding will ever need is allocated here: the context and two work items.  It
       is initialised in full before it is inserted in the provider's list, because the client may call
       as soon as the attach succeeds.  References starts at 1: that reference belongs to the attachment.
    2. Calls.  Whoever calls the client holds a reference for as long as the call is in progress, and takes
       it under the binding's lock only while Detaching is not set.  RequestLater holds one on behalf of
       its work item until that has run dry.
    3. Detach.  Sets Detaching, gives up the attachment's reference and returns STATUS_PENDING.  Whoever
       gives up the last reference queues the detach work item, which unlinks the binding, frees both work
       items and completes.  The context may be gone when NmrProviderDetachClientComplete returns.
    4. Cleanup.  Both sides are detached and the work items are freed: only the context is left to free.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'eDxE'

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
    PIO_WORKITEM DetachWorkItem;
    PIO_WORKITEM LaterWorkItem;
    volatile LONG References;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) ULONG LaterRequests;     // Notify calls that LaterWorker still has to make
    _Guarded_by_(Lock) BOOLEAN LaterQueued;     // LaterWorker is queued or running
    _Guarded_by_(Lock) BOOLEAN Detaching;
} PROVIDER_BINDING_CONTEXT, *PPROVIDER_BINDING_CONTEXT;

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
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F102}
//
static const NPI_MODULEID ProviderModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x02 } } },
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

static
VOID
BindingFree(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    if (BindingContext->LaterWorkItem != NULL) {
        IoFreeWorkItem(BindingContext->LaterWorkItem);
    }
    if (BindingContext->DetachWorkItem != NULL) {
        IoFreeWorkItem(BindingContext->DetachWorkItem);
    }
    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
}

//
// Keeps the detach from completing.  Fails once the detach has begun; no call to the client may be
// started then.
//
static
BOOLEAN
BindingReference(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    KIRQL OldIrql;
    BOOLEAN Referenced = FALSE;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    if (!BindingContext->Detaching) {
        InterlockedIncrement(&BindingContext->References);
        Referenced = TRUE;
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);
    return Referenced;
}

//
// The binding context must not be used after this, except by a function the client is calling: the
// client does not complete its own detach before that returns.
//
static
VOID
BindingDereference(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    if (InterlockedDecrement(&BindingContext->References) == 0) {
        IoQueueWorkItem(BindingContext->DetachWorkItem, DetachWorker, DelayedWorkQueue, BindingContext);
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
    PPROVIDER AttachingProvider = ProviderContext;
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

    BindingContext->DetachWorkItem = IoAllocateWorkItem(AttachingProvider->DeviceObject);
    BindingContext->LaterWorkItem = IoAllocateWorkItem(AttachingProvider->DeviceObject);
    if (BindingContext->DetachWorkItem == NULL || BindingContext->LaterWorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    BindingContext->Provider = AttachingProvider;
    BindingContext->NmrBindingHandle = NmrBindingHandle;
    BindingContext->ClientBindingContext = ClientBindingContext;
    BindingContext->ClientDispatch = ClientDispatch;
    BindingContext->References = 1;
    KeInitializeSpinLock(&BindingContext->Lock);

    KeAcquireSpinLock(&AttachingProvider->Lock, &OldIrql);
    InsertTailList(&AttachingProvider->Bindings, &BindingContext->Link);
    KeReleaseSpinLock(&AttachingProvider->Lock, OldIrql);

    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &ProviderDispatchTable;
    BindingContext = NULL;
    Status = STATUS_SUCCESS;

Exit:

    if (BindingContext != NULL) {
        BindingFree(BindingContext);
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
    KIRQL OldIrql;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    BindingContext->Detaching = TRUE;
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);

    BindingDereference(BindingContext);
    return STATUS_PENDING;
}

//
// No reference is left: this is the only user of the binding on the provider's side.  Work items may be
// freed from the moment their routine runs.
//
_Use_decl_annotations_
static
VOID
DetachWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = Context;
    PPROVIDER DetachingProvider = BindingContext->Provider;
    HANDLE NmrBindingHandle = BindingContext->NmrBindingHandle;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(DeviceObject);

    KeAcquireSpinLock(&DetachingProvider->Lock, &OldIrql);
    RemoveEntryList(&BindingContext->Link);
    KeReleaseSpinLock(&DetachingProvider->Lock, OldIrql);

    IoFreeWorkItem(BindingContext->LaterWorkItem);
    BindingContext->LaterWorkItem = NULL;
    IoFreeWorkItem(BindingContext->DetachWorkItem);
    BindingContext->DetachWorkItem = NULL;

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
    BindingFree(ProviderBindingContext);
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

    if (!BindingReference(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, Code);
    BindingDereference(BindingContext);
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

    if (!BindingReference(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    Status = BindingContext->ClientDispatch->Indicate(BindingContext->ClientBindingContext, Code);
    if (Status != STATUS_PENDING) {
        BindingDereference(BindingContext);
    }
    return STATUS_SUCCESS;
}

//
// The reference that ProviderRequestIndicate took when the client answered STATUS_PENDING.
//
_Use_decl_annotations_
static
VOID
NTAPI
ProviderIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    BindingDereference(ProviderBindingContext);
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
    NTSTATUS Status = STATUS_DELETE_PENDING;
    BOOLEAN Queue = FALSE;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(Code);

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    if (!BindingContext->Detaching) {
        Status = STATUS_SUCCESS;
        BindingContext->LaterRequests++;
        if (!BindingContext->LaterQueued) {
            BindingContext->LaterQueued = TRUE;
            InterlockedIncrement(&BindingContext->References);
            Queue = TRUE;
        }
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);

    if (Queue) {
        IoQueueWorkItem(BindingContext->LaterWorkItem, LaterWorker, DelayedWorkQueue, BindingContext);
    }
    return Status;
}

//
// Makes the calls that were asked for, including those asked for meanwhile.  After LaterQueued was reset
// the work item may be queued again, with a reference of its own.
//
_Use_decl_annotations_
static
VOID
LaterWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = Context;
    BOOLEAN Call;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(DeviceObject);

    do {
        KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
        Call = !BindingContext->Detaching && BindingContext->LaterRequests != 0;
        if (Call) {
            BindingContext->LaterRequests--;
        } else {
            BindingContext->LaterQueued = FALSE;
        }
        KeReleaseSpinLock(&BindingContext->Lock, OldIrql);

        if (Call) {
            BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, 0);
        }
    } while (Call);

    BindingDereference(BindingContext);
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
    KeInitializeSpinLock(&Provider.Lock);
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
