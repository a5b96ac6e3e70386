/*++

Module Name:

    nmr.c

Abstract:

    The flow meter as a provider module.

--*/

#include "precomp.h"
#include "nmr.tmh"

static NPI_PROVIDER_ATTACH_CLIENT_FN FmAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN FmDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN FmCleanupBinding;
static IO_WORKITEM_ROUTINE FmDetachWorker;

// {5E8A2D04-0C3B-4D7F-8E11-27A9F6B05D3C}
static const NPI_MODULEID FmModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x5e8a2d04, 0x0c3b, 0x4d7f, { 0x8e, 0x11, 0x27, 0xa9, 0xf6, 0xb0, 0x5d, 0x3c } } }
};

static const NPI_PROVIDER_CHARACTERISTICS FmProviderCharacteristics = {
    0,                                      // Version
    sizeof(NPI_PROVIDER_CHARACTERISTICS),
    FmAttachClient,
    FmDetachClient,
    FmCleanupBinding,
    {
        0,
        sizeof(NPI_REGISTRATION_INSTANCE),
        &FLOW_NPIID,
        &FmModuleId,
        0,                                  // Number
        NULL                                // NpiSpecificCharacteristics
    }
};

NTSTATUS
FmNmrRegister(
    VOID
    )
{
    return NmrRegisterProvider(&FmProviderCharacteristics, &g_Fm, &g_Fm.ProviderHandle);
}

VOID
FmNmrDeregister(
    VOID
    )
{
    NTSTATUS Status;

    Status = NmrDeregisterProvider(g_Fm.ProviderHandle);
    if (Status == STATUS_PENDING) {
        Status = NmrWaitForProviderDeregisterComplete(g_Fm.ProviderHandle);
    }
    NT_ASSERT(NT_SUCCESS(Status));
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
FmAttachClient(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch
    )
{
    PCFLOW_CLIENT_CHARACTERISTICS Characteristics = ClientRegistrationInstance->NpiSpecificCharacteristics;
    PFM_BINDING Binding = NULL;
    NTSTATUS Status;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(ProviderContext);

    if (Characteristics == NULL || Characteristics->Version != FLOW_NPI_VERSION || ClientDispatch == NULL) {
        DoTraceMessage(FM_ATTACH, "client declined");
        Status = STATUS_NOINTERFACE;
        goto Exit;
    }

    Binding = (PFM_BINDING)ExAllocatePoolZero(NonPagedPoolNx, sizeof(FM_BINDING), FM_TAG_BINDING);
    if (!Binding) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    Binding->NmrBindingHandle = NmrBindingHandle;
    Binding->ClientContext = ClientBindingContext;
    Binding->ClientDispatch = ClientDispatch;
    ExInitializeRundownProtection(&Binding->Rundown);

    Binding->DetachWorkItem = IoAllocateWorkItem(g_Fm.DeviceObject);
    if (Binding->DetachWorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }

    //
    // From here on the client is called.
    //
    *ProviderBindingContext = Binding;
    *ProviderDispatch = &FmProviderDispatch;
    KeAcquireSpinLock(&g_Fm.BindingLock, &OldIrql);
    InsertTailList(&g_Fm.BindingList, &Binding->Link);
    KeReleaseSpinLock(&g_Fm.BindingLock, OldIrql);

    Binding = NULL;
    Status = STATUS_SUCCESS;

Exit:

    if (Binding) {
        ExFreePoolWithTag(Binding, FM_TAG_BINDING);
    }
    return Status;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
FmDetachClient(
    PVOID ProviderBindingContext
    )
{
    PFM_BINDING Binding = ProviderBindingContext;

    //
    // Can be called at DISPATCH_LEVEL, so the wait is left to a thread of the system.
    //
    InterlockedExchange(&Binding->Detaching, TRUE);
    IoQueueWorkItem(Binding->DetachWorkItem, FmDetachWorker, DelayedWorkQueue, Binding);
    return STATUS_PENDING;
}

_Use_decl_annotations_
static
VOID
FmDetachWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PFM_BINDING Binding = Context;
    HANDLE NmrBindingHandle = Binding->NmrBindingHandle;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(DeviceObject);

    ExWaitForRundownProtectionRelease(&Binding->Rundown);

    KeAcquireSpinLock(&g_Fm.BindingLock, &OldIrql);
    RemoveEntryList(&Binding->Link);
    KeReleaseSpinLock(&g_Fm.BindingLock, OldIrql);

    IoFreeWorkItem(Binding->DetachWorkItem);
    Binding->DetachWorkItem = NULL;

    //
    // Binding may be gone when this returns.
    //
    NmrProviderDetachClientComplete(NmrBindingHandle);
    DoTraceMessage(FM_ATTACH, "detached");
}

_Use_decl_annotations_
static
VOID
NTAPI
FmCleanupBinding(
    PVOID ProviderBindingContext
    )
{
    PFM_BINDING Binding = ProviderBindingContext;

    ExFreePoolWithTag(Binding, FM_TAG_BINDING);
}
