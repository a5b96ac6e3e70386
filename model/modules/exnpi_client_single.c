/*++

    Exnpi_client_single.c

    An EXNPI client for a single provider: its one binding is a static variable, and a state machine under one lock.

    Binding protocol:

    1. Attach.  Claims the binding, from Free to Attaching; a provider that comes while it is not Free is declined.
       What the provider hands out is stored with Attached.  When NmrClientAttachProvider fails the claim is
       undone, and the status is returned as it came.
    2. Calls.  A call to the provider is counted as in progress, and is started only when Attached.  A request that
       returned STATUS_PENDING is in progress until RequestComplete.
    3. Detach.  Detaching.  With no call in progress the detach is complete.  Otherwise it is pending, and whoever
       ends the last call completes it, once.
    4. Cleanup.  Both sides are detached: the binding is Free again.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define MAXIMUM_REQUESTS 1

typedef enum BINDING_STATE_ {
    BindingFree,
    BindingAttaching,
    BindingAttached,
    BindingDetaching,
    BindingDetachPending                        // Whoever makes InProgress 0 completes the detach
} BINDING_STATE;

typedef struct CLIENT_ {
    HANDLE NmrClientHandle;
    volatile LONG Notifications;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) BINDING_STATE State;
    _Guarded_by_(Lock) ULONG InProgress;
    _Guarded_by_(Lock) HANDLE NmrBindingHandle;
    _Guarded_by_(Lock) PVOID ProviderBindingContext;
    _Guarded_by_(Lock) PCEXNPI_PROVIDER_DISPATCH ProviderDispatch;
} CLIENT, *PCLIENT;

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
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F10C}
//
static const NPI_MODULEID ClientModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x0c } } },
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
// Counts calls to the provider as in progress.  Fails unless one is attached.
//
static
BOOLEAN
ClientEnter(
    _In_ PCLIENT CallingClient,
    _In_ ULONG Calls
    )
{
    KIRQL OldIrql;
    BOOLEAN Entered = FALSE;

    KeAcquireSpinLock(&CallingClient->Lock, &OldIrql);
    if (CallingClient->State == BindingAttached) {
        CallingClient->InProgress += Calls;
        Entered = TRUE;
    }
    KeReleaseSpinLock(&CallingClient->Lock, OldIrql);
    return Entered;
}

//
// Ends a call to the provider.  After this the binding may belong to another one.
//
static
VOID
ClientLeave(
    _In_ PCLIENT CallingClient
    )
{
    HANDLE NmrBindingHandle;
    KIRQL OldIrql;
    BOOLEAN Complete = FALSE;

    KeAcquireSpinLock(&CallingClient->Lock, &OldIrql);
    NmrBindingHandle = CallingClient->NmrBindingHandle;
    CallingClient->InProgress--;
    if (CallingClient->InProgress == 0 && CallingClient->State == BindingDetachPending) {
        CallingClient->State = BindingDetaching;
        Complete = TRUE;
    }
    KeReleaseSpinLock(&CallingClient->Lock, OldIrql);

    if (Complete) {
        NmrClientDetachProviderComplete(NmrBindingHandle);
    }
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
    PVOID ProviderBindingContext;
    const VOID *ProviderDispatch;
    BOOLEAN Claimed = FALSE;
    NTSTATUS Status;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);

    KeAcquireSpinLock(&AttachingClient->Lock, &OldIrql);
    if (AttachingClient->State == BindingFree) {
        AttachingClient->State = BindingAttaching;
        AttachingClient->NmrBindingHandle = NmrBindingHandle;
        Claimed = TRUE;
    }
    KeReleaseSpinLock(&AttachingClient->Lock, OldIrql);
    if (!Claimed) {
        return STATUS_NOINTERFACE;
    }

    Status = NmrClientAttachProvider(NmrBindingHandle, AttachingClient, &ClientDispatchTable,
                                     &ProviderBindingContext, &ProviderDispatch);

    KeAcquireSpinLock(&AttachingClient->Lock, &OldIrql);
    if (Status == STATUS_SUCCESS) {
        AttachingClient->ProviderBindingContext = ProviderBindingContext;
        AttachingClient->ProviderDispatch = ProviderDispatch;
        AttachingClient->State = BindingAttached;
    } else {
        AttachingClient->State = BindingFree;
    }
    KeReleaseSpinLock(&AttachingClient->Lock, OldIrql);
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
    PCLIENT DetachingClient = ClientBindingContext;
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL OldIrql;

    KeAcquireSpinLock(&DetachingClient->Lock, &OldIrql);
    DetachingClient->State = BindingDetaching;
    if (DetachingClient->InProgress != 0) {
        DetachingClient->State = BindingDetachPending;
        Status = STATUS_PENDING;
    }
    KeReleaseSpinLock(&DetachingClient->Lock, OldIrql);
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
    PCLIENT DetachedClient = ClientBindingContext;
    KIRQL OldIrql;

    KeAcquireSpinLock(&DetachedClient->Lock, &OldIrql);
    DetachedClient->State = BindingFree;
    KeReleaseSpinLock(&DetachedClient->Lock, OldIrql);
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
    PCLIENT NotifiedClient = ClientBindingContext;

    UNREFERENCED_PARAMETER(Code);

    InterlockedIncrement(&NotifiedClient->Notifications);
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
    PCLIENT CallingClient = ClientBindingContext;
    NTSTATUS Status;

    if (!ClientEnter(CallingClient, 1)) {
        return STATUS_DELETE_PENDING;
    }
    Status = CallingClient->ProviderDispatch->Request(CallingClient->ProviderBindingContext, Code);
    ClientLeave(CallingClient);
    return Status;
}

_Use_decl_annotations_
static
VOID
NTAPI
ClientRequestComplete(
    PVOID ClientBindingContext
    )
{
    ClientLeave(ClientBindingContext);
}

_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequest(
    ULONG Argument
    )
{
    NTSTATUS Status;

    if (!ClientEnter(&Client, 1)) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = Client.ProviderDispatch->Request(Client.ProviderBindingContext, Argument);
    ClientLeave(&Client);
    return Status;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
ClientRequestNotify(
    ULONG Argument
    )
{
    NTSTATUS Status;

    if (!ClientEnter(&Client, 1)) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = Client.ProviderDispatch->RequestNotify(Client.ProviderBindingContext, Argument);
    ClientLeave(&Client);
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
    NTSTATUS Status;

    if (!ClientEnter(&Client, 2)) {
        return STATUS_DEVICE_NOT_READY;
    }
    Status = Client.ProviderDispatch->RequestLater(Client.ProviderBindingContext, Argument);
    if (Status != STATUS_PENDING) {
        ClientLeave(&Client);
    }
    ClientLeave(&Client);
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
    NT_ASSERT(Client.State == BindingFree);
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

    //
    // Last: the callbacks can run before this returns.
    //
    return NmrRegisterClient(&ClientCharacteristics, &Client, &Client.NmrClientHandle);
}
