/*++

    Hook_extension.c

    An extension with two hooks, each an NPI of its own: clients attach to a hook, and when the system fires it every
    client of that hook is called.

    Binding protocol:

    1. Attach.  The hook is the provider's context.  A client is taken only when its module identifies itself by a
       GUID.  The binding context, its rundown reference and the work item that will end the binding are made before
       it enters the hook's list, under the hook's push lock: attach callbacks run at PASSIVE_LEVEL.  A failing
       attach frees what it made.
    2. Calls.  Each call to the client holds rundown protection of its binding, and is not started when Detaching is
       set.  A binding with protection acquired stays in its list, so a hook that fires can drop the lock for each
       call.  An Indicate that returned STATUS_PENDING keeps its protection until IndicateComplete.
    3. Detach.  Can be called at DISPATCH_LEVEL, where neither a wait nor the push lock is allowed.  It sets
       Detaching, queues the work item and returns STATUS_PENDING without touching the context again.  The work item
       waits until the last call has returned, unlinks the binding and completes.
    4. Cleanup.  Both sides are detached: the context, which the work item has unlinked, is freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define HOOK_POOL_TAG 'hxEH'
#define HOOK_CLIENT_POOL_TAG 'cxEH'
#define HOOK_COUNT 2

typedef struct HOOK_ {
    HANDLE NmrProviderHandle;
    EX_PUSH_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY Clients;
} HOOK, *PHOOK;

typedef struct HOOK_CLIENT_ {
    LIST_ENTRY Link;                            // Hook->Clients
    PHOOK Hook;
    HANDLE NmrBindingHandle;
    GUID ModuleGuid;
    PVOID ClientBindingContext;
    PCEXNPI_CLIENT_DISPATCH ClientDispatch;
    EX_RUNDOWN_REF Rundown;
    PIO_WORKITEM DetachWorkItem;
    volatile LONG Detaching;
} HOOK_CLIENT, *PHOOK_CLIENT;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_PROVIDER_ATTACH_CLIENT_FN HookAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN HookDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN HookCleanupBindingContext;
static EXNPI_REQUEST HookRequest;
static EXNPI_REQUEST HookRequestNotify;
static EXNPI_REQUEST HookRequestIndicate;
static EXNPI_REQUEST HookRequestLater;
static EXNPI_QUERY_INSTANCE HookQueryInstance;
static EXNPI_INDICATE_COMPLETE HookIndicateComplete;
static IO_WORKITEM_ROUTINE HookDetachWorker;
EXNPI_ENTRY HookFire;

static const EXNPI_PROVIDER_DISPATCH HookDispatchTable = {
    HookRequest,
    HookRequestNotify,
    HookRequestIndicate,
    HookRequestLater,
    HookQueryInstance,
    HookIndicateComplete,
};

//
// {3B1F0C52-8E51-4C0A-9C55-7A3C0F2D6E02}
//
static const NPI_MODULEID HookModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x3b1f0c52, 0x8e51, 0x4c0a, { 0x9c, 0x55, 0x7a, 0x3c, 0x0f, 0x2d, 0x6e, 0x02 } } },
};

static const NPI_PROVIDER_CHARACTERISTICS HookCharacteristics[HOOK_COUNT] = {
    {
        0,
        sizeof(NPI_PROVIDER_CHARACTERISTICS),
        HookAttachClient,
        HookDetachClient,
        HookCleanupBindingContext,
        {
            0,
            sizeof(NPI_REGISTRATION_INSTANCE),
            &EXNPI_NPIID,
            &HookModuleId,
            0,
            NULL,
        },
    },
    {
        0,
        sizeof(NPI_PROVIDER_CHARACTERISTICS),
        HookAttachClient,
        HookDetachClient,
        HookCleanupBindingContext,
        {
            0,
            sizeof(NPI_REGISTRATION_INSTANCE),
            &EXNPI_LOWER_NPIID,
            &HookModuleId,
            0,
            NULL,
        },
    },
};

static PDEVICE_OBJECT HookDevice;
static PHOOK Hooks[HOOK_COUNT];

//
// The push lock must be held with normal kernel APCs disabled.
//
_IRQL_requires_max_(APC_LEVEL)
static
VOID
HookLock(
    _Inout_ PHOOK Hook
    )
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Hook->Lock);
}

_IRQL_requires_max_(APC_LEVEL)
static
VOID
HookUnlock(
    _Inout_ PHOOK Hook
    )
{
    ExReleasePushLockExclusive(&Hook->Lock);
    KeLeaveCriticalRegion();
}

static
BOOLEAN
ClientIsAcceptable(
    _In_ PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance
    )
{
    PCEXNPI_CLIENT_CHARACTERISTICS Characteristics = ClientRegistrationInstance->NpiSpecificCharacteristics;
    PNPI_MODULEID ModuleId = ClientRegistrationInstance->ModuleId;

    if (ModuleId == NULL || ModuleId->Type != MIT_GUID) {
        return FALSE;
    }
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
// Rundown protection is refused only when the work item has begun to wait, which is too late: no call
// to the client may be started once the detach has begun.
//
static
BOOLEAN
HookClientAcquire(
    _Inout_ PHOOK_CLIENT Client
    )
{
    if (!ExAcquireRundownProtection(&Client->Rundown)) {
        return FALSE;
    }
    if (InterlockedCompareExchange(&Client->Detaching, 0, 0) != 0) {
        ExReleaseRundownProtection(&Client->Rundown);
        return FALSE;
    }
    return TRUE;
}

static
VOID
HookClientFree(
    _In_ PHOOK_CLIENT Client
    )
{
    if (Client->DetachWorkItem != NULL) {
        IoFreeWorkItem(Client->DetachWorkItem);
    }
    ExFreePoolWithTag(Client, HOOK_CLIENT_POOL_TAG);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
HookAttachClient(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch
    )
{
    PHOOK Hook = ProviderContext;
    PHOOK_CLIENT Client = NULL;
    NTSTATUS Status;

    PAGED_CODE();

    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        Status = STATUS_INVALID_PARAMETER;
        goto Exit;
    }

    if (ClientDispatch == NULL || !ClientIsAcceptable(ClientRegistrationInstance)) {
        Status = STATUS_NOINTERFACE;
        goto Exit;
    }

    Client = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Client), HOOK_CLIENT_POOL_TAG);
    if (Client == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    Client->DetachWorkItem = IoAllocateWorkItem(HookDevice);
    if (Client->DetachWorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    Client->Hook = Hook;
    Client->NmrBindingHandle = NmrBindingHandle;
    Client->ModuleGuid = ClientRegistrationInstance->ModuleId->Guid;
    Client->ClientBindingContext = ClientBindingContext;
    Client->ClientDispatch = ClientDispatch;
    ExInitializeRundownProtection(&Client->Rundown);

    *ProviderBindingContext = Client;
    *ProviderDispatch = &HookDispatchTable;

    //
    // Last: from here on the client may be called, and nothing can fail any more.
    //
    HookLock(Hook);
    InsertTailList(&Hook->Clients, &Client->Link);
    HookUnlock(Hook);
    Client = NULL;
    Status = STATUS_SUCCESS;

Exit:

    if (Client != NULL) {
        HookClientFree(Client);
    }
    return Status;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
HookDetachClient(
    PVOID ProviderBindingContext
    )
{
    PHOOK_CLIENT Client = ProviderBindingContext;

    InterlockedExchange(&Client->Detaching, TRUE);
    IoQueueWorkItem(Client->DetachWorkItem, HookDetachWorker, DelayedWorkQueue, Client);
    return STATUS_PENDING;
}

_Use_decl_annotations_
static
VOID
HookDetachWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PHOOK_CLIENT Client = Context;
    HANDLE NmrBindingHandle = Client->NmrBindingHandle;

    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();

    ExWaitForRundownProtectionRelease(&Client->Rundown);

    HookLock(Client->Hook);
    RemoveEntryList(&Client->Link);
    HookUnlock(Client->Hook);

    //
    // The context may be gone when this returns, or before.
    //
    NmrProviderDetachClientComplete(NmrBindingHandle);
}

_Use_decl_annotations_
static
VOID
NTAPI
HookCleanupBindingContext(
    PVOID ProviderBindingContext
    )
{
    HookClientFree(ProviderBindingContext);
}

//
// The first client from Link on that may be called, protected; or NULL.
//
_Requires_lock_held_(Hook->Lock)
static
PHOOK_CLIENT
HookNextClient(
    _In_ PHOOK Hook,
    _In_ PLIST_ENTRY Link
    )
{
    PHOOK_CLIENT Client;

    for (; Link != &Hook->Clients; Link = Link->Flink) {
        Client = CONTAINING_RECORD(Link, HOOK_CLIENT, Link);
        if (HookClientAcquire(Client)) {
            return Client;
        }
    }
    return NULL;
}

_Use_decl_annotations_
NTSTATUS
NTAPI
HookFire(
    ULONG Argument
    )
{
    PHOOK Hook = Hooks[Argument % HOOK_COUNT];
    PHOOK_CLIENT Client;
    PHOOK_CLIENT Next;

    HookLock(Hook);
    Client = HookNextClient(Hook, Hook->Clients.Flink);
    HookUnlock(Hook);

    while (Client != NULL) {
        Client->ClientDispatch->Notify(Client->ClientBindingContext, Argument);

        HookLock(Hook);
        Next = HookNextClient(Hook, Client->Link.Flink);
        ExReleaseRundownProtection(&Client->Rundown);
        HookUnlock(Hook);
        Client = Next;
    }
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
HookRequest(
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
HookRequestNotify(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PHOOK_CLIENT Client = ProviderBindingContext;

    if (!HookClientAcquire(Client)) {
        return STATUS_DELETE_PENDING;
    }
    Client->ClientDispatch->Notify(Client->ClientBindingContext, Code);
    ExReleaseRundownProtection(&Client->Rundown);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
HookRequestIndicate(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PHOOK_CLIENT Client = ProviderBindingContext;
    NTSTATUS Status;

    if (!HookClientAcquire(Client)) {
        return STATUS_DELETE_PENDING;
    }
    Status = Client->ClientDispatch->Indicate(Client->ClientBindingContext, Code);
    if (Status != STATUS_PENDING) {
        ExReleaseRundownProtection(&Client->Rundown);
    }
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
HookRequestLater(
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
ULONG
NTAPI
HookQueryInstance(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return 0;
}

//
// The protection that HookRequestIndicate acquired when the client answered STATUS_PENDING.
//
_Use_decl_annotations_
static
VOID
NTAPI
HookIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    PHOOK_CLIENT Client = ProviderBindingContext;

    ExReleaseRundownProtection(&Client->Rundown);
}

static
VOID
HooksDelete(
    VOID
    )
{
    ULONG Index;

    for (Index = 0; Index < HOOK_COUNT; Index++) {
        if (Hooks[Index] != NULL) {
            ExFreePoolWithTag(Hooks[Index], HOOK_POOL_TAG);
            Hooks[Index] = NULL;
        }
    }
    if (HookDevice != NULL) {
        IoDeleteDevice(HookDevice);
        HookDevice = NULL;
    }
}

//
// All deregistrations are started before the first is waited for.
//
static
VOID
HooksDeregister(
    VOID
    )
{
    NTSTATUS Status[HOOK_COUNT];
    ULONG Index;

    for (Index = 0; Index < HOOK_COUNT; Index++) {
        Status[Index] = STATUS_SUCCESS;
        if (Hooks[Index] != NULL && Hooks[Index]->NmrProviderHandle != NULL) {
            Status[Index] = NmrDeregisterProvider(Hooks[Index]->NmrProviderHandle);
        }
    }
    for (Index = 0; Index < HOOK_COUNT; Index++) {
        if (Status[Index] == STATUS_PENDING) {
            Status[Index] = NmrWaitForProviderDeregisterComplete(Hooks[Index]->NmrProviderHandle);
        }
        NT_ASSERT(NT_SUCCESS(Status[Index]));
    }
}

_Use_decl_annotations_
static
VOID
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);

    HooksDeregister();
    HooksDelete();
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    NTSTATUS Status;
    ULONG Index;

    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = DriverUnload;

    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE, &HookDevice);
    if (!NT_SUCCESS(Status)) {
        HookDevice = NULL;
        goto Exit;
    }

    for (Index = 0; Index < HOOK_COUNT; Index++) {
        Hooks[Index] = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Hooks[Index]), HOOK_POOL_TAG);
        if (Hooks[Index] == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
            goto Exit;
        }
        ExInitializePushLock(&Hooks[Index]->Lock);
        InitializeListHead(&Hooks[Index]->Clients);
    }

    for (Index = 0; Index < HOOK_COUNT; Index++) {
        Status = NmrRegisterProvider(&HookCharacteristics[Index], Hooks[Index], &Hooks[Index]->NmrProviderHandle);
        if (!NT_SUCCESS(Status)) {
            //
            // What a failed registration leaves in the handle means nothing.
            //
            Hooks[Index]->NmrProviderHandle = NULL;
            HooksDeregister();
            goto Exit;
        }
    }

Exit:

    if (!NT_SUCCESS(Status)) {
        HooksDelete();
    }
    return Status;
}
