/*++

    Exnpi_immediate.c

    An EXNPI provider that serves one client at a time and never calls it.

    Binding protocol:

    1. Attach.  The client's characteristics are checked, then the provider's only slot is claimed with
       one interlocked operation, so that of two clients that attach at the same time one is declined.
       What fails after that gives the slot back.
    2. Calls.  Requests use nothing but the binding context.  The client's dispatch table is kept, since
       EXNPI requires one, but no function in it is ever called.
    3. Detach.  With no call to the client ever in progress the detach is complete at once.  Requests of
       the client that are still in progress are the client's to wait for; the context stays valid.
    4. Cleanup.  Both sides are detached: the context is freed, and only then is the slot free again.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'mIxE'

typedef struct PROVIDER_ {
    HANDLE NmrProviderHandle;
    volatile LONG Claimed;
} PROVIDER, *PPROVIDER;

typedef struct PROVIDER_BINDING_CONTEXT_ {
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    PCEXNPI_CLIENT_DISPATCH ClientDispatch;
    PPROVIDER Provider;
    volatile LONG Requests;
} PROVIDER_BINDING_CONTEXT, *PPROVIDER_BINDING_CONTEXT;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
static NPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext;
static EXNPI_REQUEST ProviderRequest;
static EXNPI_REQUEST ProviderRequestNotSupported;
static EXNPI_QUERY_INSTANCE ProviderQueryInstance;
static EXNPI_INDICATE_COMPLETE ProviderIndicateComplete;

static const EXNPI_PROVIDER_DISPATCH ProviderDispatchTable = {
    ProviderRequest,
    ProviderRequestNotSupported,
    ProviderRequestNotSupported,
    ProviderRequestNotSupported,
    ProviderQueryInstance,
    ProviderIndicateComplete,
};

//
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F101}
//
static const NPI_MODULEID ProviderModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x01 } } },
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

static PROVIDER Provider;

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
    PPROVIDER AttachingProvider = ProviderContext;
    PPROVIDER_BINDING_CONTEXT BindingContext;

    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        return STATUS_INVALID_PARAMETER;
    }

    if (ClientDispatch == NULL || !ClientIsAcceptable(ClientRegistrationInstance->NpiSpecificCharacteristics)) {
        return STATUS_NOINTERFACE;
    }

    if (InterlockedCompareExchange(&AttachingProvider->Claimed, 1, 0) != 0) {
        return STATUS_NOINTERFACE;
    }

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        InterlockedExchange(&AttachingProvider->Claimed, 0);
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    BindingContext->NmrBindingHandle = NmrBindingHandle;
    BindingContext->ClientBindingContext = ClientBindingContext;
    BindingContext->ClientDispatch = ClientDispatch;
    BindingContext->Provider = AttachingProvider;

    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &ProviderDispatchTable;
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderDetachClient(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
VOID
NTAPI
ProviderCleanupBindingContext(
    PVOID ProviderBindingContext
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;
    PPROVIDER AttachedProvider = BindingContext->Provider;

    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
    InterlockedExchange(&AttachedProvider->Claimed, 0);
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderRequest(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;

    UNREFERENCED_PARAMETER(Code);

    InterlockedIncrement(&BindingContext->Requests);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
ProviderRequestNotSupported(
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
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    NT_ASSERT(FALSE);
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

    Status = NmrDeregisterProvider(Provider.NmrProviderHandle);
    if (Status == STATUS_PENDING) {
        Status = NmrWaitForProviderDeregisterComplete(Provider.NmrProviderHandle);
    }
    NT_ASSERT(NT_SUCCESS(Status));
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

    return NmrRegisterProvider(&ProviderCharacteristics, &Provider, &Provider.NmrProviderHandle);
}
