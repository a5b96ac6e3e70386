/*++

    Exnpi_multi.c

    An EXNPI provider with two implementations in one driver, each a registration of its own.

    Binding protocol:

    1. Attach.  NMR passes the context of the registration that the client is offered.  The binding keeps that
       pointer, and nothing else tells the two implementations apart: no callback looks at a global.
    2. Calls.  Requests use nothing but the binding and its instance.  The client is never called.
    3. Detach.  With no call to the client ever in progress the detach is complete at once.  Requests of
       the client that are still in progress are the client's to wait for; the context stays valid.
    4. Cleanup.  Both sides are detached: the instance's count of bindings goes down and the context is freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'uMxE'
#define INSTANCE_COUNT 2

typedef struct INSTANCE_ {
    HANDLE NmrProviderHandle;
    const NPI_PROVIDER_CHARACTERISTICS *Characteristics;
    volatile LONG Bindings;
} INSTANCE, *PINSTANCE;

typedef struct PROVIDER_BINDING_CONTEXT_ {
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    PCEXNPI_CLIENT_DISPATCH ClientDispatch;
    PINSTANCE Instance;
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
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F105}
//
static const NPI_MODULEID ProviderModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x05 } } },
};

//
// Registered data must not be shared between registrations: a set of structures for each.
//
static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics0 = {
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

static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics1 = {
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
        1,
        NULL,
    },
};

static INSTANCE Instances[INSTANCE_COUNT] = {
    { NULL, &ProviderCharacteristics0, 0 },
    { NULL, &ProviderCharacteristics1, 0 },
};

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
    PINSTANCE Instance = ProviderContext;
    PPROVIDER_BINDING_CONTEXT BindingContext;

    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        return STATUS_INVALID_PARAMETER;
    }

    if (ClientDispatch == NULL || !ClientIsAcceptable(ClientRegistrationInstance->NpiSpecificCharacteristics)) {
        return STATUS_NOINTERFACE;
    }

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    BindingContext->NmrBindingHandle = NmrBindingHandle;
    BindingContext->ClientBindingContext = ClientBindingContext;
    BindingContext->ClientDispatch = ClientDispatch;
    BindingContext->Instance = Instance;
    InterlockedIncrement(&Instance->Bindings);

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

    InterlockedDecrement(&BindingContext->Instance->Bindings);
    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
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
    PPROVIDER_BINDING_CONTEXT BindingContext = ProviderBindingContext;

    return BindingContext->Instance->Characteristics->ProviderRegistrationInstance.Number;
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

//
// Undoes the first Count registrations.  All deregistrations are started before the first is waited for,
// so that no detach of one can hold up another's.
//
static
VOID
InstancesDeregister(
    _In_ ULONG Count
    )
{
    NTSTATUS Status[INSTANCE_COUNT];
    ULONG Index;

    for (Index = 0; Index < Count; Index++) {
        Status[Index] = NmrDeregisterProvider(Instances[Index].NmrProviderHandle);
    }
    for (Index = 0; Index < Count; Index++) {
        if (Status[Index] == STATUS_PENDING) {
            Status[Index] = NmrWaitForProviderDeregisterComplete(Instances[Index].NmrProviderHandle);
        }
        NT_ASSERT(NT_SUCCESS(Status[Index]));
        NT_ASSERT(Instances[Index].Bindings == 0);
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

    InstancesDeregister(INSTANCE_COUNT);
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Index;

    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = DriverUnload;

    for (Index = 0; Index < INSTANCE_COUNT; Index++) {
        Status = NmrRegisterProvider(Instances[Index].Characteristics, &Instances[Index],
                                     &Instances[Index].NmrProviderHandle);
        if (!NT_SUCCESS(Status)) {
            //
            // A driver whose DriverEntry fails is not unloaded: it leaves memory as it is.
            //
            InstancesDeregister(Index);
            break;
        }
    }
    return Status;
}
