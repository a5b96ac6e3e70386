/*++

Module Name:

    nmr.c

Abstract:

    LinkWatch as a client module: registration, and the states of its binding.

--*/

#include "precomp.h"

static IO_WORKITEM_ROUTINE LwRegisterWorker;
static IO_WORKITEM_ROUTINE LwRefreshWorker;
static NPI_CLIENT_ATTACH_PROVIDER_FN LwAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN LwDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN LwCleanupBinding;
static LINK_CHANGED LwLinkChanged;

static const LINK_CLIENT_DISPATCH LwDispatch = { LwLinkChanged, LwSendComplete };

// {C2D7F0A4-1B65-4E93-8F58-D03B9A6E217C}
static const NPI_MODULEID LwModuleId = {
    sizeof(NPI_MODULEID), MIT_GUID,
    { { 0xc2d7f0a4, 0x1b65, 0x4e93, { 0x8f, 0x58, 0xd0, 0x3b, 0x9a, 0x6e, 0x21, 0x7c } } }
};

static const NPI_CLIENT_CHARACTERISTICS LwCharacteristics = {
    .Version = 0,
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = LwAttachProvider,
    .ClientDetachProvider = LwDetachProvider,
    .ClientCleanupBindingContext = LwCleanupBinding,
    .ClientRegistrationInstance = {
        .Version = 0,
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &LINK_NPIID,
        .ModuleId = &LwModuleId,
    },
};

NTSTATUS
LwStart(
    VOID
    )
{
    g_Lw.RegisterWorkItem = IoAllocateWorkItem(g_Lw.DeviceObject);
    if (g_Lw.RegisterWorkItem == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IoQueueWorkItem(g_Lw.RegisterWorkItem, LwRegisterWorker, DelayedWorkQueue, NULL);
    return STATUS_SUCCESS;
}

//
// Not in DriverEntry: the providers are loaded at the same time, and attaching takes them long.
//
static
VOID
NTAPI
LwRegisterWorker(
    _In_ PDEVICE_OBJECT DeviceObject,
    _In_opt_ PVOID Context
    )
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);

    IoFreeWorkItem(g_Lw.RegisterWorkItem);

    LwAcquireLock(&g_Lw.Lock);
    g_Lw.State = LwWaiting;
    LwReleaseLock(&g_Lw.Lock);

    Status = NmrRegisterClient(&LwCharacteristics, &g_Lw, &g_Lw.NmrClientHandle);
    if (!NT_SUCCESS(Status)) {
        TraceLoggingWrite(g_LwTrace, "RegisterFailed", TraceLoggingNTStatus(Status, "status"));
        LwAcquireLock(&g_Lw.Lock);
        g_Lw.State = LwStopped;
        LwReleaseLock(&g_Lw.Lock);
    }

    g_Lw.RegisterStatus = Status;
    KeSetEvent(&g_Lw.Registered, IO_NO_INCREMENT, FALSE);
}

VOID
LwStop(
    VOID
    )
{
    (VOID)KeWaitForSingleObject(&g_Lw.Registered, Executive, KernelMode, FALSE, NULL);
    if (!NT_SUCCESS(g_Lw.RegisterStatus)) {
        return;
    }
    if (NmrDeregisterClient(g_Lw.NmrClientHandle) == STATUS_PENDING) {
        (VOID)NmrWaitForClientDeregisterComplete(g_Lw.NmrClientHandle);
    }
}

static
BOOLEAN
LwIsSupported(
    _In_opt_ const LINK_PROVIDER_CHARACTERISTICS *Characteristics
    )
{
    if (Characteristics == NULL) {
        return FALSE;
    }
    switch (Characteristics->Version) {
    case LINK_VERSION_1:
        return Characteristics->Size >= LINK_PROVIDER_CHARACTERISTICS_SIZE_1;
    case LINK_VERSION_2:
        return Characteristics->Size >= sizeof(LINK_PROVIDER_CHARACTERISTICS);
    }
    return FALSE;
}

static
NTSTATUS
NTAPI
LwAttachProvider(
    _In_ HANDLE NmrBindingHandle,
    _In_ PVOID ClientContext,
    _In_ PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance
    )
{
    PVOID ProviderContext;
    const VOID *ProviderDispatch;
    BOOLEAN Claimed;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ClientContext);

    if (!LwIsSupported(ProviderRegistrationInstance->NpiSpecificCharacteristics)) {
        return STATUS_NOINTERFACE;
    }

    LwAcquireLock(&g_Lw.Lock);
    Claimed = g_Lw.State == LwWaiting;
    if (Claimed) {
        g_Lw.State = LwAttaching;
        g_Lw.NmrBindingHandle = NmrBindingHandle;
    }
    LwReleaseLock(&g_Lw.Lock);
    if (!Claimed) {
        return STATUS_NOINTERFACE;              // one provider is enough
    }

    Status = NmrClientAttachProvider(NmrBindingHandle, &g_Lw, &LwDispatch, &ProviderContext, &ProviderDispatch);

    LwAcquireLock(&g_Lw.Lock);
    if (Status == STATUS_SUCCESS) {
        g_Lw.ProviderContext = ProviderContext;
        g_Lw.Provider = ProviderDispatch;
        g_Lw.State = LwAttached;
    } else {
        g_Lw.State = LwWaiting;
    }
    LwReleaseLock(&g_Lw.Lock);
    return Status;
}

static
NTSTATUS
NTAPI
LwDetachProvider(
    _In_ PVOID ClientBindingContext
    )
{
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(ClientBindingContext);

    LwAcquireLock(&g_Lw.Lock);
    NT_ASSERT(g_Lw.State == LwAttached);
    g_Lw.State = LwDetaching;
    if (g_Lw.References != 0) {
        g_Lw.DetachPending = TRUE;
        Status = STATUS_PENDING;
    }
    LwReleaseLock(&g_Lw.Lock);
    return Status;
}

static
VOID
NTAPI
LwCleanupBinding(
    _In_ PVOID ClientBindingContext
    )
{
    UNREFERENCED_PARAMETER(ClientBindingContext);

    LwAcquireLock(&g_Lw.Lock);
    NT_ASSERT(g_Lw.State == LwDetaching && g_Lw.References == 0);
    g_Lw.Provider = NULL;
    g_Lw.State = LwWaiting;
    LwReleaseLock(&g_Lw.Lock);
}

BOOLEAN
LwReference(
    _Out_ PVOID *ProviderContext,
    _Outptr_ const LINK_PROVIDER_DISPATCH **Provider
    )
{
    BOOLEAN Attached;

    LwAcquireLock(&g_Lw.Lock);
    Attached = g_Lw.State == LwAttached;
    if (Attached) {
        g_Lw.References++;
        *ProviderContext = g_Lw.ProviderContext;
        *Provider = g_Lw.Provider;
    }
    LwReleaseLock(&g_Lw.Lock);
    return Attached;
}

//
// The binding may be gone when this returns.
//
VOID
LwDereference(
    VOID
    )
{
    HANDLE NmrBindingHandle = NULL;

    LwAcquireLock(&g_Lw.Lock);
    if (--g_Lw.References == 0 && g_Lw.DetachPending) {
        g_Lw.DetachPending = FALSE;
        NmrBindingHandle = g_Lw.NmrBindingHandle;
    }
    LwReleaseLock(&g_Lw.Lock);

    if (NmrBindingHandle != NULL) {
        NmrClientDetachProviderComplete(NmrBindingHandle);
    }
}

//
// The provider may be in the middle of anything: ask it later.  What it says before the attach is over is as good as
// what is asked then.
//
static
VOID
NTAPI
LwLinkChanged(
    _In_ PVOID ClientContext,
    _In_ ULONG Generation
    )
{
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(Generation);

    LwAcquireLock(&g_Lw.Lock);
    if (g_Lw.State == LwAttached && !g_Lw.RefreshQueued) {
        g_Lw.RefreshQueued = TRUE;
        g_Lw.References++;
        IoQueueWorkItem(g_Lw.RefreshWorkItem, LwRefreshWorker, DelayedWorkQueue, NULL);
    }
    LwReleaseLock(&g_Lw.Lock);
}

static
VOID
NTAPI
LwRefreshWorker(
    _In_ PDEVICE_OBJECT DeviceObject,
    _In_opt_ PVOID Context
    )
{
    const LINK_PROVIDER_DISPATCH *Provider;
    PVOID ProviderContext;
    LINK_STATUS LinkStatus = { 0 };

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);

    if (LwReference(&ProviderContext, &Provider)) {
        if (NT_SUCCESS(Provider->Query(ProviderContext, &LinkStatus))) {
            LwAcquireLock(&g_Lw.Lock);
            g_Lw.LinkStatus = LinkStatus;
            LwReleaseLock(&g_Lw.Lock);
        }
        LwDereference();
    }

    LwAcquireLock(&g_Lw.Lock);
    g_Lw.RefreshQueued = FALSE;
    LwReleaseLock(&g_Lw.Lock);
    LwDereference();                            // LwLinkChanged's
}
