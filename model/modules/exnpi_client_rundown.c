/*++

    Exnpi_client_rundown.c

    An EXNPI client for one provider at a time, which guards its calls with rundown protection and completes
    indications from work items.

    Binding protocol:

    1. Attach.  Claims the client, or declines: there is room for one provider.  The context, its rundown
       reference and the work item that will end the binding are made before NmrClientAttachProvider is
       called.  When that fails all of it is undone here.  What the provider hands out is saved before
       State says that the binding is attached, and before the client points to it.
    2. Calls.  Each call to the provider holds rundown protection of its binding, and is started only in the
       state BindingAttached.  A request that returned STATUS_PENDING keeps its protection until RequestComplete,
       an indication that was answered with STATUS_PENDING until the work item has completed it.
    3. Detach.  Can be called at DISPATCH_LEVEL, where neither a wait nor the push lock is allowed.  It changes
       State, queues the work item and returns STATUS_PENDING without touching the context again.  The work
       item waits until the last call has returned, takes the binding from the client and completes.
    4. Cleanup.  Both sides are detached: the context is freed, and the client may be claimed again.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'rCxE'
#define INDICATION_POOL_TAG 'iCxE'

typedef enum BINDING_STATE_ {
    BindingAttaching,
    BindingAttached,
    BindingDetaching
} BINDING_STATE;

typedef struct CLIENT_BINDING_CONTEXT_ CLIENT_BINDING_CONTEXT, *PCLIENT_BINDING_CONTEXT;

typedef struct CLIENT_ {
    HANDLE NmrClientHandle;
    PDEVICE_OBJECT DeviceObject;
    volatile LONG Claimed;                      // By the binding that there is, until its cleanup
    EX_PUSH_LOCK Lock;
    _Guarded_by_(Lock) PCLIENT_BINDING_CONTEXT Binding;
} CLIENT, *PCLIENT;

struct CLIENT_BINDING_CONTEXT_ {
    PCLIENT Client;
    HANDLE NmrBindingHandle;
    PVOID ProviderBindingContext;
    PCEXNPI_PROVIDER_DISPATCH ProviderDispatch;
    EX_RUNDOWN_REF Rundown;
    PIO_WORKITEM DetachWorkItem;
    volatile LONG State;                        // BINDING_STATE
    volatile LONG Notifications;
};

typedef struct INDICATION_ {
    PCLIENT_BINDING_CONTEXT BindingContext;
    PIO_WORKITEM WorkItem;
} INDICATION, *PINDICATION;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;
static EXNPI_NOTIFY ClientNotify;
static EXNPI_INDICATE ClientIndicate;
static EXNPI_REQUEST_COMPLETE ClientRequestComplete;
static IO_WORKITEM_ROUTINE DetachWorker;
static IO_WORKITEM_ROUTINE IndicationWorker;
EXNPI_ENTRY ClientRequest;
EXNPI_ENTRY ClientRequestIndicate;
EXNPI_ENTRY ClientRequestLater;

static const EXNPI_CLIENT_DISPATCH ClientDispatchTable = {
    ClientNotify,
    ClientIndicate,
    ClientRequestComplete,
};

//
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F107}
//
static const NPI_MODULEID ClientModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x07 } } },
};

static const EXNPI_CLIENT_CHARACTERISTICS ExnpiCharacteristics = {
    EXNPI_VERSION_1,
    EXNPI_CLIENT_CHARACTERISTICS_V1_LENGTH,
    0,
    0,
    0,
};

static const NPI_CLIENT_CHARACTERISTICS ClientCharacteristics = {
    0,
    sizeof(NPI_CLIENT_CHARACTERISTICS),
    ClientAttachProvider,
    ClientDetachProvider,
    ClientCleanupBindingContext,
    {
        0,
        sizeof(NPI_REGISTRATION_INSTANCE),
        &EXNPI_NPIID,
        &ClientModuleId,
        0,
        &ExnpiCharacteristics,
    },
};

static CLIENT Client;

//
// The push lock must be held with normal kernel APCs disabled.
//
_IRQL_requires_max_(APC_LEVEL)
static
VOID
ClientSetBinding(
    _Inout_ PCLIENT OwningClient,
    _In_opt_ PCLIENT_BINDING_CONTEXT BindingContext
    )
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&OwningClient->Lock);
    OwningClient->Binding = BindingContext;
    ExReleasePushLockExclusive(&OwningClient->Lock);
    KeLeaveCriticalRegion();
}

//
// Rundown protection is refused only when the work item has begun to wait, which is too late: no call
// to the provider may be started once the detach has begun.
//
static
BOOLEAN
BindingAcquire(
    _In_ PCLIENT_BINDING_CONTEXT BindingContext,
    _In_ ULONG Calls
    )
{
    if (!ExAcquireRundownProtectionEx(&BindingContext->Rundown, Calls)) {
        return FALSE;
    }
    if (InterlockedCompareExchange(&BindingContext->State, 0, 0) != BindingAttached) {
        ExReleaseRundownProtectionEx(&BindingContext->Rundown, Calls);
        return FALSE;
    }
    return TRUE;
}

//
// Starts calls to the provider that is attached.  NULL when there is none, or when it is about to go.
//
_IRQL_requires_max_(APC_LEVEL)
static
PCLIENT_BINDING_CONTEXT
ClientAcquireBinding(
    _Inout_ PCLIENT OwningClient,
    _In_ ULONG Calls
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext;

    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&OwningClient->Lock);
    BindingContext = OwningClient->Binding;
    if (BindingContext != NULL && !BindingAcquire(BindingContext, Calls)) {
        BindingContext = NULL;
    }
    ExReleasePushLockShared(&OwningClient->Lock);
    KeLeaveCriticalRegion();
    return BindingContext;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ClientAttachProvider(
    HANDLE NmrBindingHandle,
    PVOID ClientContext,
    PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance
    )
{
    PCLIENT AttachingClient = ClientContext;
    PCLIENT_BINDING_CONTEXT BindingContext;
    PVOID ProviderBindingContext;
    const VOID *ProviderDispatch;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);
    PAGED_CODE();

    if (InterlockedCompareExchange(&AttachingClient->Claimed, TRUE, FALSE) != FALSE) {
        return STATUS_NOINTERFACE;
    }

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    BindingContext->DetachWorkItem = IoAllocateWorkItem(AttachingClient->DeviceObject);
    if (BindingContext->DetachWorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    ExInitializeRundownProtection(&BindingContext->Rundown);
    BindingContext->Client = AttachingClient;
    BindingContext->NmrBindingHandle = NmrBindingHandle;

    Status = NmrClientAttachProvider(NmrBindingHandle, BindingContext, &ClientDispatchTable, &ProviderBindingContext,
                                     &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        goto Exit;
    }

    //
    // No detach callback comes before this one returns, so the context is there to be used.
    //
    BindingContext->ProviderBindingContext = ProviderBindingContext;
    BindingContext->ProviderDispatch = ProviderDispatch;
    InterlockedExchange(&BindingContext->State, BindingAttached);
    ClientSetBinding(AttachingClient, BindingContext);
    return STATUS_SUCCESS;

Exit:

    if (BindingContext != NULL) {
        if (BindingContext->DetachWorkItem != NULL) {
            IoFreeWorkItem(BindingContext->DetachWorkItem);
        }
        ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
    }
    InterlockedExchange(&AttachingClient->Claimed, FALSE);
    return Status;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ClientDetachProvider(
    PVOID ClientBindingContext
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientBindingContext;

    InterlockedExchange(&BindingContext->State, BindingDetaching);
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
    PCLIENT_BINDING_CONTEXT BindingContext = Context;
    HANDLE NmrBindingHandle = BindingContext->NmrBindingHandle;

    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();

    ExWaitForRundownProtectionRelease(&BindingContext->Rundown);
    ClientSetBinding(BindingContext->Client, NULL);
    IoFreeWorkItem(BindingContext->DetachWorkItem);
    NmrClientDetachProviderComplete(NmrBindingHandle);
}

_Use_decl_annotations_
static
VOID
NTAPI
ClientCleanupBindingContext(
    PVOID ClientBindingContext
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientBindingContext;
    PCLIENT OwningClient = BindingContext->Client;

    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
    InterlockedExchange(&OwningClient->Claimed, FALSE);
}

_Use_decl_annotations_
static
VOID
NTAPI
ClientNotify(
    PVOID ClientBindingContext,
    ULONG Code
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientBindingContext;

    UNREFERENCED_PARAMETER(Code);

    InterlockedIncrement(&BindingContext->Notifications);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ClientIndicate(
    PVOID ClientBindingContext,
    ULONG Code
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientBindingContext;
    PINDICATION Indication;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Code);

    Indication = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Indication), INDICATION_POOL_TAG);
    if (Indication == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    Indication->WorkItem = IoAllocateWorkItem(BindingContext->Client->DeviceObject);
    if (Indication->WorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    if (!BindingAcquire(BindingContext, 1)) {
        Status = STATUS_DELETE_PENDING;
        goto Exit;
    }

    Indication->BindingContext = BindingContext;
    IoQueueWorkItem(Indication->WorkItem, IndicationWorker, DelayedWorkQueue, Indication);
    Indication = NULL;
    Status = STATUS_PENDING;

Exit:

    if (Indication != NULL) {
        if (Indication->WorkItem != NULL) {
            IoFreeWorkItem(Indication->WorkItem);
        }
        ExFreePoolWithTag(Indication, INDICATION_POOL_TAG);
    }
    return Status;
}

//
// Runs with the protection that ClientIndicate acquired.  The call was begun there: it may be made after the
// detach has begun, which waits for it.
//
_Use_decl_annotations_
static
VOID
IndicationWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PINDICATION Indication = Context;
    PCLIENT_BINDING_CONTEXT BindingContext = Indication->BindingContext;

    UNREFERENCED_PARAMETER(DeviceObject);

    IoFreeWorkItem(Indication->WorkItem);
    ExFreePoolWithTag(Indication, INDICATION_POOL_TAG);

    BindingContext->ProviderDispatch->IndicateComplete(BindingContext->ProviderBindingContext);
    ExReleaseRundownProtection(&BindingContext->Rundown);
}

//
// The protection that ClientRequestLater acquired for the answer STATUS_PENDING.
//
_Use_decl_annotations_
static
VOID
NTAPI
ClientRequestComplete(
    PVOID ClientBindingContext
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientBindingContext;

    ExReleaseRundownProtection(&BindingContext->Rundown);
}

_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequest(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientAcquireBinding(&Client, 1);
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->Request(BindingContext->ProviderBindingContext, Argument);
    ExReleaseRundownProtection(&BindingContext->Rundown);
    return Status;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequestIndicate(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientAcquireBinding(&Client, 1);
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->RequestIndicate(BindingContext->ProviderBindingContext, Argument);
    ExReleaseRundownProtection(&BindingContext->Rundown);
    return Status;
}

//
// The call and what may be pending after it are protected each for itself: the provider may complete the request
// before it has returned STATUS_PENDING.
//
_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequestLater(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientAcquireBinding(&Client, 2);
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->RequestLater(BindingContext->ProviderBindingContext, Argument);
    if (Status != STATUS_PENDING) {
        ExReleaseRundownProtection(&BindingContext->Rundown);
    }
    ExReleaseRundownProtection(&BindingContext->Rundown);
    return Status;
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

    Status = NmrDeregisterClient(Client.NmrClientHandle);
    if (Status == STATUS_PENDING) {
        Status = NmrWaitForClientDeregisterComplete(Client.NmrClientHandle);
    }
    NT_ASSERT(NT_SUCCESS(Status));
    NT_ASSERT(Client.Binding == NULL);

    IoDeleteDevice(Client.DeviceObject);
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
    ExInitializePushLock(&Client.Lock);

    //
    // Work items belong to a device object, so that the driver stays in memory while one runs.
    //
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &Client.DeviceObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }

    //
    // Last: the callbacks can run before this returns.
    //
    Status = NmrRegisterClient(&ClientCharacteristics, &Client, &Client.NmrClientHandle);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Client.DeviceObject);
    }
    return Status;
}
