/*++

    Exnpi_multi_client.c

    A client of two NPIs in one driver, each a registration of its own.

    Binding protocol:

    1. Attach.  NMR passes the context of the registration that a provider is offered to; that and nothing else tells
       the NPIs apart.  The binding context is complete before NmrClientAttachProvider is called, because the
       provider may call back before that returns.  A failed attach frees it: no cleanup callback will come.
    2. Calls.  The provider is called from within the attach callback only: no detach comes before that returns, so no
       call is ever in progress when one does.  What the provider hands out is not kept.
    3. Detach.  With no call in progress the detach is complete at once.  The provider may still call back.
    4. Cleanup.  Both sides are detached: the registration's count of bindings goes down and the context is freed.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'cMxE'
#define REGISTRATION_COUNT 2
#define MAXIMUM_REQUESTS 1

typedef struct REGISTRATION_ {
    HANDLE NmrClientHandle;
    const NPI_CLIENT_CHARACTERISTICS *Characteristics;
    volatile LONG Bindings;
} REGISTRATION, *PREGISTRATION;

typedef struct CLIENT_BINDING_CONTEXT_ {
    PREGISTRATION Registration;
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
// {0D5A1C30-6E0B-4D0B-8B32-6E51A6C0F108}
//
static const NPI_MODULEID ClientModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x08 } } },
};

static const NPI_CLIENT_CHARACTERISTICS ExnpiClientCharacteristics = {
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

static const NPI_CLIENT_CHARACTERISTICS LowerClientCharacteristics = {
    0,
    sizeof(NPI_CLIENT_CHARACTERISTICS),
    ClientAttachProvider,
    ClientDetachProvider,
    ClientCleanupBindingContext,
    {
        0,
        sizeof(NPI_REGISTRATION_INSTANCE),
        &EXNPI_LOWER_NPIID,
        &ClientModuleId,
        0,
        &ExnpiCharacteristics,
    },
};

static REGISTRATION Registrations[REGISTRATION_COUNT] = {
    { NULL, &ExnpiClientCharacteristics, 0 },
    { NULL, &LowerClientCharacteristics, 0 },
};

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
    PREGISTRATION Registration = ClientContext;
    PCLIENT_BINDING_CONTEXT BindingContext;
    PVOID ProviderBindingContext;
    const VOID *ProviderDispatch;
    PCEXNPI_PROVIDER_DISPATCH Provider;
    NTSTATUS Status;

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    BindingContext->Registration = Registration;

    Status = NmrClientAttachProvider(NmrBindingHandle, BindingContext, &ClientDispatchTable, &ProviderBindingContext,
                                     &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
        return Status;
    }
    InterlockedIncrement(&Registration->Bindings);

    Provider = ProviderDispatch;
    NT_ASSERT(Provider->QueryInstance(ProviderBindingContext) == ProviderRegistrationInstance->Number);
    (VOID)Provider->RequestNotify(ProviderBindingContext, 0);
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
    UNREFERENCED_PARAMETER(ClientBindingContext);

    return STATUS_SUCCESS;
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

    InterlockedDecrement(&BindingContext->Registration->Bindings);
    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
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

    UNREFERENCED_PARAMETER(Code);

    InterlockedIncrement(&BindingContext->Notifications);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
VOID
NTAPI
ClientRequestComplete(
    PVOID ClientBindingContext
    )
{
    UNREFERENCED_PARAMETER(ClientBindingContext);

    NT_ASSERT(FALSE);
}

//
// Undoes the first Count registrations.  All deregistrations are started before the first is waited for,
// so that no detach of one can hold up another's.
//
static
VOID
RegistrationsUndo(
    _In_ ULONG Count
    )
{
    NTSTATUS Status[REGISTRATION_COUNT];
    ULONG Index;

    for (Index = 0; Index < Count; Index++) {
        Status[Index] = NmrDeregisterClient(Registrations[Index].NmrClientHandle);
    }
    for (Index = 0; Index < Count; Index++) {
        if (Status[Index] == STATUS_PENDING) {
            Status[Index] = NmrWaitForClientDeregisterComplete(Registrations[Index].NmrClientHandle);
        }
        NT_ASSERT(NT_SUCCESS(Status[Index]));
        NT_ASSERT(Registrations[Index].Bindings == 0);
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

    RegistrationsUndo(REGISTRATION_COUNT);
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

    for (Index = 0; Index < REGISTRATION_COUNT; Index++) {
        Status = NmrRegisterClient(Registrations[Index].Characteristics, &Registrations[Index],
                                   &Registrations[Index].NmrClientHandle);
        if (!NT_SUCCESS(Status)) {
            //
            // A driver whose DriverEntry fails is not unloaded: it leaves memory as it is.
            //
            RegistrationsUndo(Index);
            break;
        }
    }
    return Status;
}
