/*++

    Page_corrected.c

    The provider of "Attaching a Provider Module to a Client Module", with the page's names and order of
    steps and its mistakes mended.  See page_literal.c for the page as it stands.

    Binding protocol:

    1. Attach.  The client's own registration instance decides, and each part of it that a client may omit or
       shorten is tested before it is read.  A zeroed context is allocated and initialised in full; then the
       binding handle and the client's pointers are saved in it as they were passed, and it enters the
       provider's list.  The client may call from this moment, before its own attach callback has returned.
    2. Calls.  A call to the client is in progress until it returns or, when it returned STATUS_PENDING, until
       IndicateComplete.  It is started only while Detaching is not set, under the binding's lock.
    3. Detach.  Sets Detaching.  With no call in progress the detach is complete; else it is pending and the end
       of the last call completes it.  The context is not used after that.
    4. Cleanup.  Both sides are detached: the context leaves the list and is freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

//
// The provider's registration: what NMR passes back as ProviderContext.
//
typedef struct PROVIDER_REGISTRATION_ {
    HANDLE NmrProviderHandle;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY Bindings;
} PROVIDER_REGISTRATION, *PPROVIDER_REGISTRATION;

//
// Context structure for the provider module's binding to a client module.
//
typedef struct PROVIDER_BINDING_CONTEXT_ {
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    PCEXNPI_CLIENT_DISPATCH ClientDispatch;
    LIST_ENTRY Link;                            // Registration->Bindings
    PPROVIDER_REGISTRATION Registration;
    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) ULONG InProgress;        // Calls to the client
    _Guarded_by_(Lock) BOOLEAN Detaching;
    _Guarded_by_(Lock) BOOLEAN DetachPending;
} PROVIDER_BINDING_CONTEXT, *PPROVIDER_BINDING_CONTEXT;

//
// Pool tag used for allocating the binding context; not one that another module uses.
//
#define BINDING_CONTEXT_POOL_TAG 'pbPE'

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

//
// Structure for the provider's dispatch table.
//
static const EXNPI_PROVIDER_DISPATCH Dispatch = {
    ProviderRequest,
    ProviderRequestNotify,
    ProviderRequestIndicate,
    ProviderRequestLater,
    ProviderQueryInstance,
    ProviderIndicateComplete,
};

//
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F108}
//
static const NPI_MODULEID ProviderModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x08 } } },
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

static PROVIDER_REGISTRATION ProviderRegistration;

//
// Whether to attach to a client that registered this instance.  Its NPI-specific characteristics may be
// omitted or be of an older, shorter version; its identification may be a GUID or an interface LUID.
//
static
BOOLEAN
ProviderAcceptsClient(
    _In_ PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance
    )
{
    PNPI_MODULEID ClientModuleId = ClientRegistrationInstance->ModuleId;
    PCEXNPI_CLIENT_CHARACTERISTICS Characteristics = ClientRegistrationInstance->NpiSpecificCharacteristics;

    //
    // A driver that is a provider and a client does not attach to itself.
    //
    if (ClientModuleId != NULL && ClientModuleId->Type == MIT_GUID &&
        NmrIsEqualNpiModuleId(ClientModuleId, &ProviderModuleId)) {
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
// ProviderAttachClient callback function.
//
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
    PPROVIDER_REGISTRATION Registration = ProviderContext;
    PPROVIDER_BINDING_CONTEXT BindingContext;
    KIRQL OldIrql;

    //
    // Check parameters, before anything has been done that would have to be undone.
    //
    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        return STATUS_INVALID_PARAMETER;
    }

    //
    // If the provider module determines that it will not attach to the client module.
    //
    if (ClientDispatch == NULL || !ProviderAcceptsClient(ClientRegistrationInstance)) {
        return STATUS_NOINTERFACE;
    }

    //
    // Allocate memory for the provider module's binding context structure: zeroed, and not executable.
    //
    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    //
    // Initialize the provider binding context structure, and save NmrBindingHandle,
    // ClientBindingContext and ClientDispatch for future reference.
    //
    KeInitializeSpinLock(&BindingContext->Lock);
    BindingContext->Registration = Registration;
    BindingContext->NmrBindingHandle = NmrBindingHandle;
    BindingContext->ClientBindingContext = ClientBindingContext;
    BindingContext->ClientDispatch = ClientDispatch;

    KeAcquireSpinLock(&Registration->Lock, &OldIrql);
    InsertTailList(&Registration->Bindings, &BindingContext->Link);
    KeReleaseSpinLock(&Registration->Lock, OldIrql);

    //
    // Return pointers to the provider binding context and dispatch structures.
    //
    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &Dispatch;
    return STATUS_SUCCESS;
}

//
// ProviderDetachClient callback function.
//
_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderDetachClient(
    PVOID ProviderBindingContext
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
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

//
// ProviderCleanupBindingContext callback function.
//
_Use_decl_annotations_
static
VOID
NTAPI
ProviderCleanupBindingContext(
    PVOID ProviderBindingContext
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    PPROVIDER_REGISTRATION Registration = BindingContext->Registration;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Registration->Lock, &OldIrql);
    RemoveEntryList(&BindingContext->Link);
    KeReleaseSpinLock(&Registration->Lock, OldIrql);

    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
}

//
// Counts a call to the client as in progress.  Fails once the detach has begun.
//
static
BOOLEAN
ClientCallBegin(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    KIRQL OldIrql;
    BOOLEAN Begun = FALSE;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    if (!BindingContext->Detaching) {
        BindingContext->InProgress++;
        Begun = TRUE;
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);
    return Begun;
}

//
// Ends a call to the client, and with the last one a detach that was left pending.  The handle is copied
// out: the context can be gone when NmrProviderDetachClientComplete returns.
//
static
VOID
ClientCallEnd(
    _In_ PPROVIDER_BINDING_CONTEXT BindingContext
    )
{
    HANDLE NmrBindingHandle = BindingContext->NmrBindingHandle;
    KIRQL OldIrql;
    BOOLEAN Complete = FALSE;

    KeAcquireSpinLock(&BindingContext->Lock, &OldIrql);
    BindingContext->InProgress--;
    if (BindingContext->InProgress == 0 && BindingContext->DetachPending) {
        BindingContext->DetachPending = FALSE;
        Complete = TRUE;
    }
    KeReleaseSpinLock(&BindingContext->Lock, OldIrql);

    if (Complete) {
        NmrProviderDetachClientComplete(NmrBindingHandle);
    }
}

//
// The provider module's NPI functions.
//
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

    if (!ClientCallBegin(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    BindingContext->ClientDispatch->Notify(BindingContext->ClientBindingContext, Code);
    ClientCallEnd(BindingContext);
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

    if (!ClientCallBegin(BindingContext)) {
        return STATUS_DELETE_PENDING;
    }
    Status = BindingContext->ClientDispatch->Indicate(BindingContext->ClientBindingContext, Code);
    if (Status != STATUS_PENDING) {
        ClientCallEnd(BindingContext);
    }
    return STATUS_SUCCESS;
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
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    UNREFERENCED_PARAMETER(Code);

    return STATUS_NOT_SUPPORTED;
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
NTAPI
ProviderIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    ClientCallEnd(ProviderBindingContext);
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

    Status = NmrDeregisterProvider(ProviderRegistration.NmrProviderHandle);
    if (Status == STATUS_PENDING) {
        Status = NmrWaitForProviderDeregisterComplete(ProviderRegistration.NmrProviderHandle);
    }
    NT_ASSERT(NT_SUCCESS(Status));
    NT_ASSERT(IsListEmpty(&ProviderRegistration.Bindings));
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
    KeInitializeSpinLock(&ProviderRegistration.Lock);
    InitializeListHead(&ProviderRegistration.Bindings);

    //
    // Last: the callbacks can run before this returns.
    //
    return NmrRegisterProvider(&ProviderCharacteristics, &ProviderRegistration,
                               &ProviderRegistration.NmrProviderHandle);
}
