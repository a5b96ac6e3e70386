/*++

    OneContext.c

    A client of one provider at a time, with one context for all of its bindings: the registration's.  There is no
    cleanup callback.  When a provider is gone the next one may come, whether or not NMR is through with the last.
    It registers characteristics, of which its NPI's description says nothing.

--*/

#include <ntddk.h>
#include <netioddk.h>

const NPIID NpiId = { 0x5f1c0a77, 0x31b4, 0x4f0e, { 0x8a, 0x11, 0x6d, 0x2b, 0x90, 0x3c, 0x54, 0xe2 } };
static const NPI_MODULEID ModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x0d9e4b31, 0x7c52, 0x4e8f, { 0x9b, 0x60, 0x1f, 0xa3, 0x48, 0xd7, 0x25, 0x6c } } },
};

static struct {
    HANDLE NmrClientHandle;
} Client;
static LONG Attached;
static const ULONG ClientDispatch;
static const ULONG Characteristic = 1;

static
NTSTATUS
NTAPI
ClientAttachProvider(
    HANDLE NmrBindingHandle,
    PVOID ClientContext,
    PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance
    )
{
    PVOID ProviderContext;
    const VOID *ProviderDispatch;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);

    if (InterlockedExchange(&Attached, 1)) {
        return STATUS_NOINTERFACE;
    }
    Status = NmrClientAttachProvider(
        NmrBindingHandle, ClientContext, &ClientDispatch, &ProviderContext, &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        InterlockedExchange(&Attached, 0);
    }

    return Status;
}

static
NTSTATUS
NTAPI
ClientDetachProvider(
    PVOID ClientBindingContext
    )
{
    UNREFERENCED_PARAMETER(ClientBindingContext);

    InterlockedExchange(&Attached, 0);

    return STATUS_SUCCESS;
}

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    0,
    sizeof(NPI_CLIENT_CHARACTERISTICS),
    ClientAttachProvider,
    ClientDetachProvider,
    NULL,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &NpiId, &ModuleId, 0, &Characteristic },
};

static
VOID
Unload(
    PDRIVER_OBJECT DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);

    if (NmrDeregisterClient(Client.NmrClientHandle) == STATUS_PENDING) {
        NmrWaitForClientDeregisterComplete(Client.NmrClientHandle);
    }
}

NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = Unload;
    return NmrRegisterClient(&Characteristics, &Client, &Client.NmrClientHandle);
}
