/*++

    Session_client.c

    A client of one provider at a time.  Other parts of the system send through it whenever they like; what is sent
    goes out at once or from a work item.

    Binding protocol:

    1. Attach.  The first provider claims the client, in one atomic step; others are declined until the binding is gone.
       The binding, its rundown reference and the work item that will end it are made before NmrClientAttachProvider is
       called, because the provider may call back before that returns.  What the provider hands out is published under
       the client's push lock.  A failed attach frees what it made and gives the claim back.
    2. Calls.  Whoever sends takes the binding from the client under the push lock, with rundown protection, and holds
       that until the call has returned; a request that returned STATUS_PENDING holds it until RequestComplete.  No
       call is started when Detaching is set.
    3. Detach.  Can be called at DISPATCH_LEVEL, where neither a wait nor the push lock is allowed.  It sets
       Detaching, queues the work item and returns STATUS_PENDING without touching the binding again.  The work item
       takes the binding from the client, waits until the last call has returned and completes.
    4. Cleanup.  Both sides are detached: the binding is freed, and the claim given back.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_POOL_TAG 'bCeS'
#define SEND_POOL_TAG 'sCeS'
#define MAXIMUM_REQUESTS 4

typedef struct BINDING_ BINDING, *PBINDING;

typedef struct CLIENT_ {
    HANDLE NmrClientHandle;
    PDEVICE_OBJECT DeviceObject;
    volatile LONG Claimed;
    EX_PUSH_LOCK Lock;
    _Guarded_by_(Lock) PBINDING Binding;
} CLIENT, *PCLIENT;

struct BINDING_ {
    PCLIENT Client;
    HANDLE NmrBindingHandle;
    PVOID ProviderBindingContext;
    PCEXNPI_PROVIDER_DISPATCH ProviderDispatch;
    EX_RUNDOWN_REF Rundown;
    PIO_WORKITEM DetachWorkItem;
    volatile LONG Detaching;
    volatile LONG Notifications;
};

typedef struct SEND_WORK_ {
    PBINDING Binding;
    PIO_WORKITEM WorkItem;
    ULONG Code;
} SEND_WORK, *PSEND_WORK;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;
static EXNPI_NOTIFY ClientNotify;
static EXNPI_INDICATE ClientIndicate;
static EXNPI_REQUEST_COMPLETE ClientRequestComplete;
static IO_WORKITEM_ROUTINE DetachWorker;
static IO_WORKITEM_ROUTINE SendWorker;
EXNPI_ENTRY SessionSend;
EXNPI_ENTRY SessionSendAsync;
EXNPI_ENTRY SessionQueueSend;

static const EXNPI_CLIENT_DISPATCH ClientDispatchTable = {
    ClientNotify,
    ClientIndicate,
    ClientRequestComplete,
};

static const EXNPI_CLIENT_CHARACTERISTICS ExnpiCharacteristics = {
    EXNPI_VERSION_2,
    sizeof(EXNPI_CLIENT_CHARACTERISTICS),
    0,
    MAXIMUM_REQUESTS,
    0,
};

//
// {3B1F0C52-8E51-4C0A-9C55-7A3C0F2D6E03}
//
static const NPI_MODULEID ClientModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x3b1f0c52, 0x8e51, 0x4c0a, { 0x9c, 0x55, 0x7a, 0x3c, 0x0f, 0x2d, 0x6e, 0x03 } } },
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
ClientLock(
    _Inout_ PCLIENT LockedClient
    )
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&LockedClient->Lock);
}

_IRQL_requires_max_(APC_LEVEL)
static
VOID
ClientUnlock(
    _Inout_ PCLIENT LockedClient
    )
{
    ExReleasePushLockExclusive(&LockedClient->Lock);
    KeLeaveCriticalRegion();
}

static
BOOLEAN
BindingAcquire(
    _Inout_ PBINDING Binding
    )
{
    if (!ExAcquireRundownProtection(&Binding->Rundown)) {
        return FALSE;
    }
    if (InterlockedCompareExchange(&Binding->Detaching, 0, 0) != 0) {
        ExReleaseRundownProtection(&Binding->Rundown);
        return FALSE;
    }
    return TRUE;
}

//
// The binding, with rundown protection; NULL when there is none.
//
static
PBINDING
ClientAcquireBinding(
    _Inout_ PCLIENT LockedClient
    )
{
    PBINDING Binding;

    ClientLock(LockedClient);
    Binding = LockedClient->Binding;
    if (Binding != NULL && !BindingAcquire(Binding)) {
        Binding = NULL;
    }
    ClientUnlock(LockedClient);
    return Binding;
}

static
VOID
BindingFree(
    _In_ PBINDING Binding
    )
{
    PCLIENT OwningClient = Binding->Client;

    if (Binding->DetachWorkItem != NULL) {
        IoFreeWorkItem(Binding->DetachWorkItem);
    }
    ExFreePoolWithTag(Binding, BINDING_POOL_TAG);
    InterlockedExchange(&OwningClient->Claimed, FALSE);
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
    PBINDING Binding;
    PVOID ProviderBindingContext;
    const VOID *ProviderDispatch;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);
    PAGED_CODE();

    if (InterlockedCompareExchange(&AttachingClient->Claimed, TRUE, FALSE) != FALSE) {
        return STATUS_NOINTERFACE;
    }

    Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Binding), BINDING_POOL_TAG);
    if (Binding == NULL) {
        InterlockedExchange(&AttachingClient->Claimed, FALSE);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Binding->Client = AttachingClient;
    Binding->NmrBindingHandle = NmrBindingHandle;
    ExInitializeRundownProtection(&Binding->Rundown);
    Binding->DetachWorkItem = IoAllocateWorkItem(AttachingClient->DeviceObject);
    if (Binding->DetachWorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Fail;
    }

    Status = NmrClientAttachProvider(NmrBindingHandle, Binding, &ClientDispatchTable, &ProviderBindingContext,
                                     &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        goto Fail;
    }

    Binding->ProviderBindingContext = ProviderBindingContext;
    Binding->ProviderDispatch = ProviderDispatch;
    ClientLock(AttachingClient);
    AttachingClient->Binding = Binding;
    ClientUnlock(AttachingClient);
    return STATUS_SUCCESS;

Fail:

    BindingFree(Binding);
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
    PBINDING Binding = ClientBindingContext;

    InterlockedExchange(&Binding->Detaching, TRUE);
    IoQueueWorkItem(Binding->DetachWorkItem, DetachWorker, DelayedWorkQueue, Binding);
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
    PBINDING Binding = Context;
    PCLIENT OwningClient = Binding->Client;
    HANDLE NmrBindingHandle = Binding->NmrBindingHandle;

    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();

    ClientLock(OwningClient);
    OwningClient->Binding = NULL;
    ClientUnlock(OwningClient);

    ExWaitForRundownProtectionRelease(&Binding->Rundown);
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
    BindingFree(ClientBindingContext);
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
    PBINDING Binding = ClientBindingContext;

    UNREFERENCED_PARAMETER(Code);

    InterlockedIncrement(&Binding->Notifications);
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
    ClientNotify(ClientBindingContext, Code);
    return STATUS_SUCCESS;
}

//
// The protection that SessionSendAsync acquired when the provider answered STATUS_PENDING.
//
_Use_decl_annotations_
static
VOID
NTAPI
ClientRequestComplete(
    PVOID ClientBindingContext
    )
{
    PBINDING Binding = ClientBindingContext;

    ExReleaseRundownProtection(&Binding->Rundown);
}

_Use_decl_annotations_
NTSTATUS
NTAPI
SessionSend(
    ULONG Argument
    )
{
    PBINDING Binding = ClientAcquireBinding(&Client);
    NTSTATUS Status;

    if (Binding == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = Binding->ProviderDispatch->RequestNotify(Binding->ProviderBindingContext, Argument);
    ExReleaseRundownProtection(&Binding->Rundown);
    return Status;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
SessionSendAsync(
    ULONG Argument
    )
{
    PBINDING Binding = ClientAcquireBinding(&Client);
    NTSTATUS Status;

    if (Binding == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = Binding->ProviderDispatch->RequestLater(Binding->ProviderBindingContext, Argument);
    if (Status != STATUS_PENDING) {
        ExReleaseRundownProtection(&Binding->Rundown);
    }
    return Status;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
SessionQueueSend(
    ULONG Argument
    )
{
    PSEND_WORK Work;
    NTSTATUS Status;

    Work = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Work), SEND_POOL_TAG);
    if (Work == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Work->Code = Argument;

    Work->WorkItem = IoAllocateWorkItem(Client.DeviceObject);
    if (Work->WorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Fail;
    }

    Work->Binding = ClientAcquireBinding(&Client);
    if (Work->Binding == NULL) {
        Status = STATUS_DEVICE_NOT_READY;
        goto Fail;
    }
    IoQueueWorkItem(Work->WorkItem, SendWorker, DelayedWorkQueue, Work);
    return STATUS_SUCCESS;

Fail:

    if (Work->WorkItem != NULL) {
        IoFreeWorkItem(Work->WorkItem);
    }
    ExFreePoolWithTag(Work, SEND_POOL_TAG);
    return Status;
}

//
// Runs with the protection that SessionQueueSend acquired.
//
_Use_decl_annotations_
static
VOID
SendWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PSEND_WORK Work = Context;
    PBINDING Binding = Work->Binding;
    ULONG Code = Work->Code;

    UNREFERENCED_PARAMETER(DeviceObject);

    IoFreeWorkItem(Work->WorkItem);
    ExFreePoolWithTag(Work, SEND_POOL_TAG);

    if (BindingAcquire(Binding)) {
        (VOID)Binding->ProviderDispatch->Request(Binding->ProviderBindingContext, Code);
        ExReleaseRundownProtection(&Binding->Rundown);
    }
    ExReleaseRundownProtection(&Binding->Rundown);
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
