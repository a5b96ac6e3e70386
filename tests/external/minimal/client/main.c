/* A client that attaches to each provider and calls none. */
#include "minimal.h"

C_ASSERT(__STDC_VERSION__ == 201710L);

static HANDLE Registration;
static const ULONG Nothing;

static NTSTATUS NTAPI Attach(HANDLE NmrBindingHandle, PVOID ClientContext,
    PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance)
{
    PVOID Binding;
    const VOID *Dispatch;
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);
    return NmrClientAttachProvider(NmrBindingHandle, NmrBindingHandle, &Nothing, &Binding, &Dispatch);
}

static NTSTATUS NTAPI Detach(PVOID ClientBindingContext)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    return STATUS_SUCCESS;
}

static const NPI_MODULEID ModuleId = { sizeof(NPI_MODULEID), MIT_GUID,
    { { 0x5b8a9f11, 0x1c8e, 0x4c53, { 0x9b, 0x44, 0x5d, 0x4b, 0x11, 0xb0, 0xa0, 0x03 } } } };

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS), Attach, Detach, NULL,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &MinimalNpiId, &ModuleId, 0, NULL },
};

static VOID NTAPI DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (NmrDeregisterClient(Registration) == STATUS_PENDING) {
        NmrWaitForClientDeregisterComplete(Registration);
    }
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    return NmrRegisterClient(&Characteristics, NULL, &Registration);
}
