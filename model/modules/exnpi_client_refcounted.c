/*++

    Exnpi_client_refcounted.c

    An EXNPI client that looks at who its providers are, and counts references to each binding in one atomic word.

    Binding protocol:

    1. Attach.  A provider whose module id is of an unknown type is declined.  What is worth knowing of its
       registration is copied: pointers into that are good only while attached.  State is 0 until
       NmrClientAttachProvider has succeeded and what the provider handed out is stored; then it is 1, the reference
       of the attach itself, and the binding enters the list.
    2. Calls.  A call to the provider holds a reference, which is given only while State is above 0.  So does a
       request or an Indicate that is pending.  Whoever finds a binding in the list takes the reference under the
       list's lock.
    3. Detach.  Drops the reference of the attach and adds DETACHING, in one step.  Without other references the
       detach is complete.  Otherwise it is pending, and whoever drops the last one completes it.
    4. Cleanup.  Both sides are detached: the context is unlinked and freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'rCxE'
#define MAXIMUM_REQUESTS 4

typedef struct CLIENT_ {
    HANDLE NmrClientHandle;
    PDEVICE_OBJECT DeviceObject;
    NPAGED_LOOKASIDE_LIST BindingContexts;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY Bindings;
    _Guarded_by_(Lock) NPI_MODULEID LastModuleId;   // Of the provider that came last
    _Guarded_by_(Lock) ULONG Returned;          // How often it had been the last before
} CLIENT, *PCLIENT;

//
// State: the number of references, with DETACHING added once the detach has begun.
//
#define DETACHING (-0x40000000)

typedef struct CLIENT_BINDING_CONTEXT_ {
    LIST_ENTRY Link;                            // Client->Bindings
    PCLIENT Client;
    HANDLE NmrBindingHandle;
    PVOID ProviderBindingContext;
    PCEXNPI_PROVIDER_DISPATCH ProviderDispatch;
    NPI_MODULEID ProviderModuleId;
    ULONG ProviderNumber;
    USHORT ProviderVersion;
    volatile LONG State;
    volatile LONG Notifications;
} CLIENT_BINDING_CONTEXT, *PCLIENT_BINDING_CONTEXT;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;
static EXNPI_NOTIFY ClientNotify;
static EXNPI_INDICATE ClientIndicate;
static EXNPI_REQUEST_COMPLETE ClientRequestComplete;
static IO_WORKITEM_ROUTINE_EX IndicateWorker;
EXNPI_ENTRY ClientRequest;
EXNPI_ENTRY ClientRequestIndicate;
EXNPI_ENTRY ClientRequestLater;

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
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F10D}
//
static const NPI_MODULEID ClientModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x0d } } },
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

static
BOOLEAN
BindingAcquire(
    _In_ PCLIENT_BINDING_CONTEXT BindingContext
    )
{
    LONG State = InterlockedCompareExchange(&BindingContext->State, 0, 0);

    while (State > 0) {
        LONG Found = InterlockedCompareExchange(&BindingContext->State, State + 1, State);

        if (Found == State) {
            return TRUE;
        }
        State = Found;
    }
    return FALSE;
}

//
// The binding context must not be used after this, except in a function that the provider is calling: the provider
// does not complete its own detach before that returns.
//
static
VOID
BindingRelease(
    _In_ PCLIENT_BINDING_CONTEXT BindingContext
    )
{
    HANDLE NmrBindingHandle = BindingContext->NmrBindingHandle;

    if (InterlockedDecrement(&BindingContext->State) == DETACHING) {
        NmrClientDetachProviderComplete(NmrBindingHandle);
    }
}

//
// Copies of a module id what its type selects.  Fails when the type is unknown.
//
static
BOOLEAN
CopyModuleId(
    _In_ PNPI_MODULEID From,
    _Out_ NPI_MODULEID *To
    )
{
    RtlZeroMemory(To, sizeof(*To));
    To->Length = sizeof(*To);
    To->Type = From->Type;
    switch (From->Type) {
    case MIT_GUID:
        To->Guid = From->Guid;
        return TRUE;
    case MIT_IF_LUID:
        To->IfLuid = From->IfLuid;
        return TRUE;
    default:
        return FALSE;
    }
}

//
// EXNPI defines no characteristics of providers.  Whatever a later one defines begins with its version.
//
static
USHORT
VersionOf(
    _In_opt_ const VOID *NpiSpecificCharacteristics
    )
{
    const USHORT *Version = NpiSpecificCharacteristics;

    return Version == NULL ? EXNPI_VERSION_1 : *Version;
}

//
// Enters an attached binding in the list.
//
static
VOID
ClientInsert(
    _In_ PCLIENT AttachedClient,
    _In_ PCLIENT_BINDING_CONTEXT BindingContext
    )
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&AttachedClient->Lock, &OldIrql);
    if (NmrIsEqualNpiModuleId(&AttachedClient->LastModuleId, &BindingContext->ProviderModuleId)) {
        AttachedClient->Returned++;
    } else {
        AttachedClient->LastModuleId = BindingContext->ProviderModuleId;
        AttachedClient->Returned = 0;
    }
    InsertTailList(&AttachedClient->Bindings, &BindingContext->Link);
    KeReleaseSpinLock(&AttachedClient->Lock, OldIrql);
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

    BindingContext = ExAllocateFromNPagedLookasideList(&AttachingClient->BindingContexts);
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    RtlZeroMemory(BindingContext, sizeof(*BindingContext));
    BindingContext->Client = AttachingClient;
    BindingContext->NmrBindingHandle = NmrBindingHandle;
    if (!CopyModuleId(ProviderRegistrationInstance->ModuleId, &BindingContext->ProviderModuleId)) {
        Status = STATUS_NOINTERFACE;
        goto Exit;
    }
    BindingContext->ProviderNumber = ProviderRegistrationInstance->Number;
    BindingContext->ProviderVersion = VersionOf(ProviderRegistrationInstance->NpiSpecificCharacteristics);

    Status = NmrClientAttachProvider(NmrBindingHandle, BindingContext, &ClientDispatchTable, &ProviderBindingContext,
                                     &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        goto Exit;
    }

    BindingContext->ProviderBindingContext = ProviderBindingContext;
    BindingContext->ProviderDispatch = ProviderDispatch;
    InterlockedExchange(&BindingContext->State, 1);
    ClientInsert(AttachingClient, BindingContext);

Exit:

    if (Status != STATUS_SUCCESS) {
        ExFreeToNPagedLookasideList(&AttachingClient->BindingContexts, BindingContext);
    }
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

    if (InterlockedExchangeAdd(&BindingContext->State, DETACHING - 1) == 1) {
        return STATUS_SUCCESS;
    }
    return STATUS_PENDING;
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
    PCLIENT DetachedClient = BindingContext->Client;
    KIRQL OldIrql;

    KeAcquireSpinLock(&DetachedClient->Lock, &OldIrql);
    RemoveEntryList(&BindingContext->Link);
    KeReleaseSpinLock(&DetachedClient->Lock, OldIrql);

    ExFreeToNPagedLookasideList(&DetachedClient->BindingContexts, BindingContext);
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
VOID
IndicateWorker(
    PVOID IoObject,
    PVOID Context,
    PIO_WORKITEM IoWorkItem
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = Context;

    UNREFERENCED_PARAMETER(IoObject);

    IoFreeWorkItem(IoWorkItem);
    BindingContext->ProviderDispatch->IndicateComplete(BindingContext->ProviderBindingContext);
    BindingRelease(BindingContext);
}

//
// Answers later.  The reference is the work item's.
//
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
    PIO_WORKITEM WorkItem;

    UNREFERENCED_PARAMETER(Code);

    if (!BindingAcquire(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    WorkItem = IoAllocateWorkItem(BindingContext->Client->DeviceObject);
    if (WorkItem == NULL) {
        BindingRelease(BindingContext);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IoQueueWorkItemEx(WorkItem, IndicateWorker, DelayedWorkQueue, BindingContext);
    return STATUS_PENDING;
}

_Use_decl_annotations_
static
VOID
NTAPI
ClientRequestComplete(
    PVOID ClientBindingContext
    )
{
    BindingRelease(ClientBindingContext);
}

//
// References the provider that was attached last, of those that still are.
//
static
PCLIENT_BINDING_CONTEXT
ClientAcquire(
    VOID
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = NULL;
    PLIST_ENTRY Link;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Client.Lock, &OldIrql);
    for (Link = Client.Bindings.Blink; Link != &Client.Bindings && BindingContext == NULL; Link = Link->Blink) {
        BindingContext = CONTAINING_RECORD(Link, CLIENT_BINDING_CONTEXT, Link);
        if (!BindingAcquire(BindingContext)) {
            BindingContext = NULL;
        }
    }
    KeReleaseSpinLock(&Client.Lock, OldIrql);
    return BindingContext;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequest(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientAcquire();
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->Request(BindingContext->ProviderBindingContext, Argument);
    BindingRelease(BindingContext);
    return Status;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequestIndicate(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientAcquire();
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->RequestIndicate(BindingContext->ProviderBindingContext, Argument);
    BindingRelease(BindingContext);
    return Status;
}

//
// The call has a reference, and so has what may be pending after it: the provider may complete the request before it
// has returned STATUS_PENDING.  A second reference can always be had by who has one, even while detaching.
//
_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequestLater(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientAcquire();
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    InterlockedIncrement(&BindingContext->State);
    Status = BindingContext->ProviderDispatch->RequestLater(BindingContext->ProviderBindingContext, Argument);
    if (Status != STATUS_PENDING) {
        BindingRelease(BindingContext);
    }
    BindingRelease(BindingContext);
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
    NT_ASSERT(IsListEmpty(&Client.Bindings));

    ExDeleteNPagedLookasideList(&Client.BindingContexts);
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

    //
    // Work items belong to a device object, so that the driver stays in memory while one runs.
    //
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &Client.DeviceObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    KeInitializeSpinLock(&Client.Lock);
    InitializeListHead(&Client.Bindings);
    ExInitializeNPagedLookasideList(&Client.BindingContexts, NULL, NULL, 0, sizeof(CLIENT_BINDING_CONTEXT),
                                    BINDING_CONTEXT_POOL_TAG, 0);

    //
    // Last: the callbacks can run before this returns.
    //
    Status = NmrRegisterClient(&ClientCharacteristics, &Client, &Client.NmrClientHandle);
    if (!NT_SUCCESS(Status)) {
        ExDeleteNPagedLookasideList(&Client.BindingContexts);
        IoDeleteDevice(Client.DeviceObject);
    }
    return Status;
}
