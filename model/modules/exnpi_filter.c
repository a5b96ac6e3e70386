/*++

    Exnpi_filter.c

    A driver in the middle of a chain: an EXNPI provider to the clients above it, and a client of the providers below
    it.  Requests of its clients go down, calls of the providers below go up.

    Binding protocol, the same at both ends:

    1. Attach.  The binding is complete before it enters its end's list.  At the lower end that is before
       NmrClientAttachProvider is called, because the provider may call as soon as it has accepted; what it hands out
       is published under the filter's lock, by setting Attached.  A failed attach frees what it made: there
       will be no cleanup callback.
    2. Calls.  Each call to the other side, at either end, is counted as in progress on the binding that it goes
       through, and is started only when that is Attached and not Detaching.  All of that is read and written
       under the filter's lock.  A binding with a call in progress stays in its list, so a call that goes up to every
       client can drop the lock for each of them.  What the other side answers with STATUS_PENDING is in progress
       until it says that it is over; the other end of the chain is not kept waiting for that.
    3. Detach.  Each end detaches for itself: sets Detaching, and with no call in progress is done.  Otherwise the
       detach is pending, and whoever ends the last call completes it, once.  A request that
       finds no provider below is not supported; nobody waits for one to come.
    4. Cleanup.  Both sides are detached: the binding is unlinked and freed.

    The driver registers at the lower end first, so that clients find somebody to serve them, and undoes both
    registrations together: both deregistrations are started before the first is waited for, because what one end
    has in progress may have to come back from the other.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_POOL_TAG 'iFxE'
#define MAXIMUM_REQUESTS 4

typedef struct FILTER_ {
    HANDLE NmrProviderHandle;
    HANDLE NmrClientHandle;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY Uppers;       // Bindings to clients
    _Guarded_by_(Lock) LIST_ENTRY Lowers;       // Bindings to providers
} FILTER, *PFILTER;

typedef struct BINDING_ {
    LIST_ENTRY Link;                            // Filter->Uppers or Filter->Lowers
    PFILTER Filter;
    HANDLE NmrBindingHandle;
    PVOID OtherContext;                         // What the other side calls this binding
    union {
        PCEXNPI_CLIENT_DISPATCH Client;         // Of a binding in Uppers
        PCEXNPI_PROVIDER_DISPATCH Provider;     // Of a binding in Lowers
    } Dispatch;
    _Guarded_by_(Filter->Lock) ULONG InProgress;
    _Guarded_by_(Filter->Lock) BOOLEAN Attached;
    _Guarded_by_(Filter->Lock) BOOLEAN Detaching;
    _Guarded_by_(Filter->Lock) BOOLEAN DetachPending;   // Whoever makes InProgress 0 completes the detach
} BINDING, *PBINDING;

typedef enum UPPER_CALL_ { CallNotify, CallIndicate } UPPER_CALL;
typedef enum LOWER_CALL_ { CallRequest, CallRequestNotify, CallRequestIndicate, CallRequestLater } LOWER_CALL;

//
// A call is counted twice: for itself, and for what may be pending after it.  The other side may say that it is over
// before the call has returned STATUS_PENDING.
//
#define CALL_COUNT(Status) ((Status) == STATUS_PENDING ? 1 : 2)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_PROVIDER_ATTACH_CLIENT_FN UpperAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN UpperDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN UpperCleanupBindingContext;
static NPI_CLIENT_ATTACH_PROVIDER_FN LowerAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN LowerDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN LowerCleanupBindingContext;
static EXNPI_REQUEST UpperRequest;
static EXNPI_REQUEST UpperRequestNotify;
static EXNPI_REQUEST UpperRequestIndicate;
static EXNPI_REQUEST UpperRequestLater;
static EXNPI_QUERY_INSTANCE UpperQueryInstance;
static EXNPI_INDICATE_COMPLETE UpperIndicateComplete;
static EXNPI_NOTIFY LowerNotify;
static EXNPI_INDICATE LowerIndicate;
static EXNPI_REQUEST_COMPLETE LowerRequestComplete;

static const EXNPI_PROVIDER_DISPATCH UpperDispatchTable = {
    UpperRequest,
    UpperRequestNotify,
    UpperRequestIndicate,
    UpperRequestLater,
    UpperQueryInstance,
    UpperIndicateComplete,
};

static const EXNPI_CLIENT_DISPATCH LowerDispatchTable = {
    LowerNotify,
    LowerIndicate,
    LowerRequestComplete,
};

static const EXNPI_CLIENT_CHARACTERISTICS LowerExnpiCharacteristics = {
    EXNPI_VERSION_2,
    sizeof(EXNPI_CLIENT_CHARACTERISTICS),
    0,
    MAXIMUM_REQUESTS,
    0,
};

//
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F107}
//
static const NPI_MODULEID FilterModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x07 } } },
};

static const NPI_PROVIDER_CHARACTERISTICS UpperCharacteristics = {
    0,
    sizeof(NPI_PROVIDER_CHARACTERISTICS),
    UpperAttachClient,
    UpperDetachClient,
    UpperCleanupBindingContext,
    {
        0,
        sizeof(NPI_REGISTRATION_INSTANCE),
        &EXNPI_NPIID,
        &FilterModuleId,
        0,
        NULL,
    },
};

static const NPI_CLIENT_CHARACTERISTICS LowerCharacteristics = {
    0,
    sizeof(NPI_CLIENT_CHARACTERISTICS),
    LowerAttachProvider,
    LowerDetachProvider,
    LowerCleanupBindingContext,
    {
        0,
        sizeof(NPI_REGISTRATION_INSTANCE),
        &EXNPI_LOWER_NPIID,
        &FilterModuleId,
        0,
        &LowerExnpiCharacteristics,
    },
};

static FILTER Filter;

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
// Counts a call through the first binding of a list, from Link on, that may be called.
//
_Requires_lock_held_(Filter->Lock)
static
PBINDING
BindingEnterNext(
    _In_ PLIST_ENTRY List,
    _In_ PLIST_ENTRY Link
    )
{
    PBINDING Binding;

    for (; Link != List; Link = Link->Flink) {
        Binding = CONTAINING_RECORD(Link, BINDING, Link);
        if (Binding->Attached && !Binding->Detaching) {
            Binding->InProgress += 2;
            return Binding;
        }
    }
    return NULL;
}

//
// Ends what was counted.  When this returns TRUE the caller, having dropped the lock, completes the detach: the binding
// may be gone then.
//
_Requires_lock_held_(Binding->Filter->Lock)
static
BOOLEAN
BindingLeave(
    _Inout_ PBINDING Binding,
    _In_ ULONG Count
    )
{
    NT_ASSERT(Binding->InProgress >= Count);
    Binding->InProgress -= Count;
    if (Binding->InProgress != 0 || !Binding->DetachPending) {
        return FALSE;
    }
    Binding->DetachPending = FALSE;
    return TRUE;
}

static
PBINDING
BindingAllocate(
    _In_ PFILTER OwningFilter,
    _In_ HANDLE NmrBindingHandle
    )
{
    PBINDING Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Binding), BINDING_POOL_TAG);

    if (Binding != NULL) {
        Binding->Filter = OwningFilter;
        Binding->NmrBindingHandle = NmrBindingHandle;
    }
    return Binding;
}

static
VOID
BindingInsert(
    _Inout_ PBINDING Binding,
    _Inout_ PLIST_ENTRY List
    )
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Binding->Filter->Lock, &OldIrql);
    InsertTailList(List, &Binding->Link);
    KeReleaseSpinLock(&Binding->Filter->Lock, OldIrql);
}

static
NTSTATUS
BindingDetach(
    _Inout_ PBINDING Binding
    )
{
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Binding->Filter->Lock, &OldIrql);
    Binding->Detaching = TRUE;
    if (Binding->InProgress != 0) {
        Binding->DetachPending = TRUE;
        Status = STATUS_PENDING;
    }
    KeReleaseSpinLock(&Binding->Filter->Lock, OldIrql);
    return Status;
}

static
VOID
BindingFree(
    _In_ PBINDING Binding
    )
{
    PFILTER OwningFilter = Binding->Filter;
    KIRQL OldIrql;

    KeAcquireSpinLock(&OwningFilter->Lock, &OldIrql);
    RemoveEntryList(&Binding->Link);
    KeReleaseSpinLock(&OwningFilter->Lock, OldIrql);

    ExFreePoolWithTag(Binding, BINDING_POOL_TAG);
}

//
// Ends what was counted at the upper end.  Returns the next client from there on, its call counted, if Next.
//
static
PBINDING
UpperLeave(
    _Inout_ PBINDING Upper,
    _In_ ULONG Count,
    _In_ BOOLEAN Next
    )
{
    PFILTER OwningFilter = Upper->Filter;
    HANDLE NmrBindingHandle = Upper->NmrBindingHandle;
    PBINDING NextUpper = NULL;
    BOOLEAN Complete;
    KIRQL OldIrql;

    KeAcquireSpinLock(&OwningFilter->Lock, &OldIrql);
    if (Next) {
        NextUpper = BindingEnterNext(&OwningFilter->Uppers, Upper->Link.Flink);
    }
    Complete = BindingLeave(Upper, Count);
    KeReleaseSpinLock(&OwningFilter->Lock, OldIrql);

    if (Complete) {
        NmrProviderDetachClientComplete(NmrBindingHandle);
    }
    return NextUpper;
}

static
VOID
LowerLeave(
    _Inout_ PBINDING Lower,
    _In_ ULONG Count
    )
{
    PFILTER OwningFilter = Lower->Filter;
    HANDLE NmrBindingHandle = Lower->NmrBindingHandle;
    BOOLEAN Complete;
    KIRQL OldIrql;

    KeAcquireSpinLock(&OwningFilter->Lock, &OldIrql);
    Complete = BindingLeave(Lower, Count);
    KeReleaseSpinLock(&OwningFilter->Lock, OldIrql);

    if (Complete) {
        NmrClientDetachProviderComplete(NmrBindingHandle);
    }
}

//
// Calls every client above.
//
static
VOID
FilterCallUp(
    _Inout_ PFILTER CallingFilter,
    _In_ UPPER_CALL Call,
    _In_ ULONG Code
    )
{
    PBINDING Upper;
    NTSTATUS Status;
    KIRQL OldIrql;

    KeAcquireSpinLock(&CallingFilter->Lock, &OldIrql);
    Upper = BindingEnterNext(&CallingFilter->Uppers, CallingFilter->Uppers.Flink);
    KeReleaseSpinLock(&CallingFilter->Lock, OldIrql);

    while (Upper != NULL) {
        Status = STATUS_SUCCESS;
        if (Call == CallIndicate) {
            Status = Upper->Dispatch.Client->Indicate(Upper->OtherContext, Code);
        } else {
            Upper->Dispatch.Client->Notify(Upper->OtherContext, Code);
        }
        Upper = UpperLeave(Upper, CALL_COUNT(Status), TRUE);
    }
}

//
// Calls a provider below.  One that is about to go away is as good as none.
//
static
NTSTATUS
FilterCallDown(
    _Inout_ PFILTER CallingFilter,
    _In_ LOWER_CALL Call,
    _In_ ULONG Code
    )
{
    PBINDING Lower;
    PCEXNPI_PROVIDER_DISPATCH Dispatch;
    NTSTATUS Status = STATUS_DELETE_PENDING;
    KIRQL OldIrql;

    KeAcquireSpinLock(&CallingFilter->Lock, &OldIrql);
    Lower = BindingEnterNext(&CallingFilter->Lowers, CallingFilter->Lowers.Flink);
    KeReleaseSpinLock(&CallingFilter->Lock, OldIrql);

    if (Lower == NULL) {
        return STATUS_NOT_SUPPORTED;
    }

    Dispatch = Lower->Dispatch.Provider;
    switch (Call) {
    case CallRequest:
        Status = Dispatch->Request(Lower->OtherContext, Code);
        break;
    case CallRequestNotify:
        Status = Dispatch->RequestNotify(Lower->OtherContext, Code);
        break;
    case CallRequestIndicate:
        Status = Dispatch->RequestIndicate(Lower->OtherContext, Code);
        break;
    case CallRequestLater:
        Status = Dispatch->RequestLater(Lower->OtherContext, Code);
        break;
    }
    LowerLeave(Lower, CALL_COUNT(Status));

    if (Status == STATUS_PENDING) {
        return STATUS_SUCCESS;
    }
    return Status == STATUS_DELETE_PENDING ? STATUS_NOT_SUPPORTED : Status;
}

//
// The upper end: a provider.
//

_Use_decl_annotations_
static
NTSTATUS
NTAPI
UpperAttachClient(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch
    )
{
    PFILTER AttachingFilter = ProviderContext;
    PBINDING Upper;

    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        return STATUS_INVALID_PARAMETER;
    }

    if (ClientDispatch == NULL || !ClientIsAcceptable(ClientRegistrationInstance->NpiSpecificCharacteristics)) {
        return STATUS_NOINTERFACE;
    }

    Upper = BindingAllocate(AttachingFilter, NmrBindingHandle);
    if (Upper == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Upper->OtherContext = ClientBindingContext;
    Upper->Dispatch.Client = ClientDispatch;
    Upper->Attached = TRUE;

    //
    // Last: from here on the client may be called, and nothing can fail any more.
    //
    *ProviderBindingContext = Upper;
    *ProviderDispatch = &UpperDispatchTable;
    BindingInsert(Upper, &AttachingFilter->Uppers);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
UpperDetachClient(
    PVOID ProviderBindingContext
    )
{
    return BindingDetach(ProviderBindingContext);
}

_Use_decl_annotations_
static
VOID
NTAPI
UpperCleanupBindingContext(
    PVOID ProviderBindingContext
    )
{
    BindingFree(ProviderBindingContext);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
UpperRequest(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PBINDING Upper = ProviderBindingContext;
    NTSTATUS Status = FilterCallDown(Upper->Filter, CallRequest, Code);

    //
    // With nobody below there is nothing to be done.
    //
    return Status == STATUS_NOT_SUPPORTED ? STATUS_SUCCESS : Status;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
UpperRequestNotify(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PBINDING Upper = ProviderBindingContext;

    return FilterCallDown(Upper->Filter, CallRequestNotify, Code);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
UpperRequestIndicate(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PBINDING Upper = ProviderBindingContext;

    return FilterCallDown(Upper->Filter, CallRequestIndicate, Code);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
UpperRequestLater(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PBINDING Upper = ProviderBindingContext;

    return FilterCallDown(Upper->Filter, CallRequestLater, Code);
}

_Use_decl_annotations_
static
ULONG
NTAPI
UpperQueryInstance(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return UpperCharacteristics.ProviderRegistrationInstance.Number;
}

_Use_decl_annotations_
static
VOID
NTAPI
UpperIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    UpperLeave(ProviderBindingContext, 1, FALSE);
}

//
// The lower end: a client.
//

_Use_decl_annotations_
static
NTSTATUS
NTAPI
LowerAttachProvider(
    HANDLE NmrBindingHandle,
    PVOID ClientContext,
    PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance
    )
{
    PFILTER AttachingFilter = ClientContext;
    PBINDING Lower;
    PVOID ProviderBindingContext;
    const VOID *ProviderDispatch;
    NTSTATUS Status;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);

    Lower = BindingAllocate(AttachingFilter, NmrBindingHandle);
    if (Lower == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    BindingInsert(Lower, &AttachingFilter->Lowers);

    Status = NmrClientAttachProvider(NmrBindingHandle, Lower, &LowerDispatchTable, &ProviderBindingContext,
                                     &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        BindingFree(Lower);
        return Status;
    }

    KeAcquireSpinLock(&AttachingFilter->Lock, &OldIrql);
    Lower->OtherContext = ProviderBindingContext;
    Lower->Dispatch.Provider = ProviderDispatch;
    Lower->Attached = TRUE;
    KeReleaseSpinLock(&AttachingFilter->Lock, OldIrql);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
LowerDetachProvider(
    PVOID ClientBindingContext
    )
{
    return BindingDetach(ClientBindingContext);
}

_Use_decl_annotations_
static
VOID
NTAPI
LowerCleanupBindingContext(
    PVOID ClientBindingContext
    )
{
    BindingFree(ClientBindingContext);
}

_Use_decl_annotations_
static
VOID
NTAPI
LowerNotify(
    PVOID ClientBindingContext,
    ULONG Code
    )
{
    PBINDING Lower = ClientBindingContext;

    FilterCallUp(Lower->Filter, CallNotify, Code);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
LowerIndicate(
    PVOID ClientBindingContext,
    ULONG Code
    )
{
    PBINDING Lower = ClientBindingContext;

    FilterCallUp(Lower->Filter, CallIndicate, Code);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
VOID
NTAPI
LowerRequestComplete(
    PVOID ClientBindingContext
    )
{
    LowerLeave(ClientBindingContext, 1);
}

//
// The driver.
//

_Use_decl_annotations_
static
VOID
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    NTSTATUS ProviderStatus;
    NTSTATUS ClientStatus;

    UNREFERENCED_PARAMETER(DriverObject);

    ProviderStatus = NmrDeregisterProvider(Filter.NmrProviderHandle);
    ClientStatus = NmrDeregisterClient(Filter.NmrClientHandle);
    if (ProviderStatus == STATUS_PENDING) {
        ProviderStatus = NmrWaitForProviderDeregisterComplete(Filter.NmrProviderHandle);
    }
    if (ClientStatus == STATUS_PENDING) {
        ClientStatus = NmrWaitForClientDeregisterComplete(Filter.NmrClientHandle);
    }
    NT_ASSERT(NT_SUCCESS(ProviderStatus) && NT_SUCCESS(ClientStatus));
    NT_ASSERT(IsListEmpty(&Filter.Uppers) && IsListEmpty(&Filter.Lowers));
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
    KeInitializeSpinLock(&Filter.Lock);
    InitializeListHead(&Filter.Uppers);
    InitializeListHead(&Filter.Lowers);

    Status = NmrRegisterClient(&LowerCharacteristics, &Filter, &Filter.NmrClientHandle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }

    Status = NmrRegisterProvider(&UpperCharacteristics, &Filter, &Filter.NmrProviderHandle);
    if (!NT_SUCCESS(Status)) {
        //
        // A driver whose DriverEntry fails is not unloaded: it leaves memory as it is.
        //
        if (NmrDeregisterClient(Filter.NmrClientHandle) == STATUS_PENDING) {
            NmrWaitForClientDeregisterComplete(Filter.NmrClientHandle);
        }
    }
    return Status;
}
