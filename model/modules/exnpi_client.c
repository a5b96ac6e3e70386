/*++

    Exnpi_client.c

    An EXNPI client that attaches to every provider it is offered, and makes requests of them: one after each attach,
    and others when another part of the system asks for them.

    Binding protocol:

    1. Attach.  The binding context is complete before NmrClientAttachProvider is called, because the provider
       may call back before that returns.  What the provider hands out is published under the binding's
       lock, by setting Attached.  When the attach fails there will be no cleanup callback: the context is
       freed here, and the status is returned as it came.
    2. Calls.  A call to the provider is counted as in progress, and is started only when Attached is set and
       Detaching is not; the three are read and written together, under the binding's lock.  A request that
       returned STATUS_PENDING is in progress until RequestComplete.  Whoever looks for a binding in the
       list starts the call under the list's lock: what is in progress stays in the list.
    3. Detach.  Sets Detaching.  With no call in progress the detach is complete.  Otherwise it is pending, and
       whoever ends the last call completes it, once.  The provider may still call back.
    4. Cleanup.  Both sides are detached: the context is unlinked and freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'lCxE'
#define MAXIMUM_REQUESTS 4

typedef struct CLIENT_ {
    HANDLE NmrClientHandle;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY Bindings;
} CLIENT, *PCLIENT;

typedef struct CLIENT_BINDING_CONTEXT_ {
    LIST_ENTRY Link;                            // Client->Bindings
    PCLIENT Client;
    HANDLE NmrBindingHandle;
    volatile LONG Notifications;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) PVOID ProviderBindingContext;
    _Guarded_by_(Lock) PCEXNPI_PROVIDER_DISPATCH ProviderDispatch;
    _Guarded_by_(Lock) ULONG InProgress;
    _Guarded_by_(Lock) BOOLEAN Attached;
    _Guarded_by_(Lock) BOOLEAN Detaching;
    _Guarded_by_(Lock) BOOLEAN DetachPending;   // Whoever makes InProgress 0 completes the detach
} CLIENT_BINDING_CONTEXT, *PCLIENT_BINDING_CONTEXT;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;
static EXNPI_NOTIFY ClientNotify;
static EXNPI_INDICATE ClientIndicate;
static EXNPI_REQUEST_COMPLETE ClientRequestComplete;
EXNPI_ENTRY ClientRequest;
EXNPI_ENTRY ClientRequestNotify;
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
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F106}
//
static const NPI_MODULEID ClientModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x06 } } },
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
// Counts calls to the provider as in progress.  Fails before the attach, and once the detach has begun.
//
static
BOOLEAN
BindingEnter(
    _In_ PCLIENT_BINDING_CONTEXT BindingContext,
    _In_ ULONG Calls
    )
{
    KIRQL OldIrql;
    BOOLEAN Entered = FALSE;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    if (BindingContext->Attached && !BindingContext->Detaching) {
        BindingContext->InProgress += Calls;
        Entered = TRUE;
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);
    return Entered;
}

//
// Ends a call to the provider.  The binding context must not be used after this, except in a function
// that the provider is calling: the provider does not complete its own detach before that returns.
//
static
VOID
BindingLeave(
    _In_ PCLIENT_BINDING_CONTEXT BindingContext
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
        NmrClientDetachProviderComplete(NmrBindingHandle);
    }
}

static
NTSTATUS
BindingRequest(
    _In_ PCLIENT_BINDING_CONTEXT BindingContext,
    _In_ ULONG Code
    )
{
    NTSTATUS Status;

    if (!BindingEnter(BindingContext, 1)) {
        return STATUS_DELETE_PENDING;
    }
    Status = BindingContext->ProviderDispatch->Request(BindingContext->ProviderBindingContext, Code);
    BindingLeave(BindingContext);
    return Status;
}

static
VOID
BindingFree(
    _In_ PCLIENT_BINDING_CONTEXT BindingContext
    )
{
    PCLIENT OwningClient = BindingContext->Client;
    KIRQL OldIrql;

    KeAcquireSpinLock(&OwningClient->Lock, &OldIrql);
    RemoveEntryList(&BindingContext->Link);
    KeReleaseSpinLock(&OwningClient->Lock, OldIrql);

    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
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
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    BindingContext->Client = AttachingClient;
    BindingContext->NmrBindingHandle = NmrBindingHandle;
    KeInitializeSpinLock(&BindingContext->Lock);

    KeAcquireSpinLock(&AttachingClient->Lock, &OldIrql);
    InsertTailList(&AttachingClient->Bindings, &BindingContext->Link);
    KeReleaseSpinLock(&AttachingClient->Lock, OldIrql);

    Status = NmrClientAttachProvider(NmrBindingHandle, BindingContext, &ClientDispatchTable, &ProviderBindingContext,
                                     &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        BindingFree(BindingContext);
        return Status;
    }

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    BindingContext->ProviderBindingContext = ProviderBindingContext;
    BindingContext->ProviderDispatch = ProviderDispatch;
    BindingContext->Attached = TRUE;
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);

    //
    // No detach callback comes before this one returns, so the context is there to be used.
    //
    (VOID)BindingRequest(BindingContext, 0);
    return STATUS_SUCCESS;
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

    InterlockedIncrement(&BindingContext->Notifications);
    return BindingRequest(BindingContext, Code);
}

_Use_decl_annotations_
static
VOID
NTAPI
ClientRequestComplete(
    PVOID ClientBindingContext
    )
{
    BindingLeave(ClientBindingContext);
}

//
// Starts calls to the provider that was attached Index-th of those that still are, or to the last one.
//
static
PCLIENT_BINDING_CONTEXT
ClientEnter(
    _In_ ULONG Index,
    _In_ ULONG Calls
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = NULL;
    PLIST_ENTRY Link;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Client.Lock, &OldIrql);
    for (Link = Client.Bindings.Flink; Link != &Client.Bindings && Index != 0; Link = Link->Flink) {
        if (Link->Flink == &Client.Bindings) {
            break;
        }
        Index--;
    }
    if (Link != &Client.Bindings) {
        BindingContext = CONTAINING_RECORD(Link, CLIENT_BINDING_CONTEXT, Link);
        if (!BindingEnter(BindingContext, Calls)) {
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
    PCLIENT_BINDING_CONTEXT BindingContext = ClientEnter(Argument, 1);
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->Request(BindingContext->ProviderBindingContext, Argument);
    BindingLeave(BindingContext);
    return Status;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequestNotify(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientEnter(Argument, 1);
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->RequestNotify(BindingContext->ProviderBindingContext, Argument);
    BindingLeave(BindingContext);
    return Status;
}

//
// The call and what may be pending after it are counted each for itself: the provider may complete the request
// before it has returned STATUS_PENDING.
//
_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequestLater(
    ULONG Argument
    )
{
    PCLIENT_BINDING_CONTEXT BindingContext = ClientEnter(Argument, 2);
    NTSTATUS Status;

    if (BindingContext == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = BindingContext->ProviderDispatch->RequestLater(BindingContext->ProviderBindingContext, Argument);
    if (Status != STATUS_PENDING) {
        BindingLeave(BindingContext);
    }
    BindingLeave(BindingContext);
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
    KeInitializeSpinLock(&Client.Lock);
    InitializeListHead(&Client.Bindings);

    //
    // Last: the callbacks can run before this returns.
    //
    return NmrRegisterClient(&ClientCharacteristics, &Client, &Client.NmrClientHandle);
}
