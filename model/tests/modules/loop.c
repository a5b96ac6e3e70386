/*++

    Loop.c

    A driver that is provider and client of the same NPI: NMR binds it to itself, too (ND-29).

    Each binding context counts what the other side asked for.  Neither side has a call in progress when it is
    detached: the client makes its only call inside the attach callback, the provider never calls its clients.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'pooL'

typedef struct BINDING_CONTEXT_ {
    volatile LONG Calls;
} BINDING_CONTEXT, *PBINDING_CONTEXT;

static const NPI_MODULEID ModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0xf0 } } },
};

static HANDLE NmrProviderHandle;
static HANDLE NmrClientHandle;

static
PBINDING_CONTEXT
AllocateContext(
    VOID
    )
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(BINDING_CONTEXT), BINDING_CONTEXT_POOL_TAG);
}

static
NTSTATUS
NTAPI
Detach(
    PVOID BindingContext
    )
{
    UNREFERENCED_PARAMETER(BindingContext);

    return STATUS_SUCCESS;
}

static
VOID
NTAPI
Cleanup(
    PVOID BindingContext
    )
{
    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
}

//
// The provider.
//

static
NTSTATUS
NTAPI
ProviderRequest(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    PBINDING_CONTEXT BindingContext = ProviderBindingContext;

    UNREFERENCED_PARAMETER(Code);

    InterlockedIncrement(&BindingContext->Calls);
    return STATUS_SUCCESS;
}

static
NTSTATUS
NTAPI
ProviderNotSupported(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    UNREFERENCED_PARAMETER(Code);

    return STATUS_NOT_SUPPORTED;
}

static
ULONG
NTAPI
ProviderQueryInstance(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return 0;
}

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

static const EXNPI_PROVIDER_DISPATCH ProviderDispatchTable = {
    ProviderRequest,
    ProviderNotSupported,
    ProviderNotSupported,
    ProviderNotSupported,
    ProviderQueryInstance,
    ProviderIndicateComplete,
};

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
    PCEXNPI_CLIENT_CHARACTERISTICS Characteristics = ClientRegistrationInstance->NpiSpecificCharacteristics;
    PBINDING_CONTEXT BindingContext;

    UNREFERENCED_PARAMETER(NmrBindingHandle);
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(ClientBindingContext);

    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (ClientDispatch == NULL || (Characteristics != NULL && Characteristics->Version != EXNPI_VERSION_1)) {
        return STATUS_NOINTERFACE;
    }
    BindingContext = AllocateContext();
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &ProviderDispatchTable;
    return STATUS_SUCCESS;
}

static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), ProviderAttachClient, Detach, Cleanup,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &EXNPI_NPIID, &ModuleId, 0, NULL },
};

//
// The client.
//

static
VOID
NTAPI
ClientNotify(
    PVOID ClientBindingContext,
    ULONG Code
    )
{
    PBINDING_CONTEXT BindingContext = ClientBindingContext;

    UNREFERENCED_PARAMETER(Code);

    InterlockedIncrement(&BindingContext->Calls);
}

static
NTSTATUS
NTAPI
ClientIndicate(
    PVOID ClientBindingContext,
    ULONG Code
    )
{
    ClientNotify(ClientBindingContext, Code);
    return STATUS_SUCCESS;
}

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

static const EXNPI_CLIENT_DISPATCH ClientDispatchTable = { ClientNotify, ClientIndicate, ClientRequestComplete };

static
NTSTATUS
NTAPI
ClientAttachProvider(
    HANDLE NmrBindingHandle,
    PVOID ClientContext,
    PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance
    )
{
    PBINDING_CONTEXT BindingContext;
    PVOID ProviderBindingContext;
    const VOID *ProviderDispatch;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);

    BindingContext = AllocateContext();
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = NmrClientAttachProvider(NmrBindingHandle, BindingContext, &ClientDispatchTable, &ProviderBindingContext,
                                     &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        Cleanup(BindingContext);
        return Status;
    }
    (VOID)((PCEXNPI_PROVIDER_DISPATCH)ProviderDispatch)->Request(ProviderBindingContext, 0);
    return STATUS_SUCCESS;
}

static const NPI_CLIENT_CHARACTERISTICS ClientCharacteristics = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS), ClientAttachProvider, Detach, Cleanup,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &EXNPI_NPIID, &ModuleId, 0, NULL },
};

//
// The driver.
//

static
VOID
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);

    NT_VERIFY(NmrDeregisterClient(NmrClientHandle) == STATUS_PENDING);
    NT_VERIFY(NmrDeregisterProvider(NmrProviderHandle) == STATUS_PENDING);
    NT_VERIFY(NmrWaitForClientDeregisterComplete(NmrClientHandle) == STATUS_SUCCESS);
    NT_VERIFY(NmrWaitForProviderDeregisterComplete(NmrProviderHandle) == STATUS_SUCCESS);
}

DRIVER_INITIALIZE DriverEntry;

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
    Status = NmrRegisterProvider(&ProviderCharacteristics, NULL, &NmrProviderHandle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NmrRegisterClient(&ClientCharacteristics, NULL, &NmrClientHandle);
    if (!NT_SUCCESS(Status)) {
        NT_VERIFY(NmrDeregisterProvider(NmrProviderHandle) == STATUS_PENDING);
        NT_VERIFY(NmrWaitForProviderDeregisterComplete(NmrProviderHandle) == STATUS_SUCCESS);
    }
    return Status;
}
