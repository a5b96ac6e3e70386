/* A provider whose calls end at once: nothing is left to wait for when it is detached. */
#include "minimal.h"

typedef struct _BINDING {
    volatile LONG Sum;
} BINDING;

static HANDLE Registration;

static NTSTATUS NTAPI Add(PVOID Binding, ULONG Number)
{
    InterlockedAdd(&((BINDING *)Binding)->Sum, (LONG)Number);
    return STATUS_SUCCESS;
}

static const MINIMAL_PROVIDER_DISPATCH Dispatch = { Add };

static NTSTATUS NTAPI Attach(HANDLE NmrBindingHandle, PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance, PVOID ClientBindingContext, const VOID *ClientDispatch,
    PVOID *ProviderBindingContext, const VOID **ProviderDispatch)
{
    BINDING *Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Binding), MINIMAL_TAG);
    UNREFERENCED_PARAMETER(NmrBindingHandle);
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(ClientRegistrationInstance);
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(ClientDispatch);
    if (Binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *ProviderBindingContext = Binding;
    *ProviderDispatch = &Dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Detach(PVOID ProviderBindingContext)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    return STATUS_SUCCESS;
}

static VOID NTAPI Cleanup(PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, MINIMAL_TAG);
}

static const NPI_MODULEID ModuleId = { sizeof(NPI_MODULEID), MIT_GUID,
    { { 0x5b8a9f11, 0x1c8e, 0x4c53, { 0x9b, 0x44, 0x5d, 0x4b, 0x11, 0xb0, 0xa0, 0x02 } } } };

static const NPI_PROVIDER_CHARACTERISTICS Characteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), Attach, Detach, Cleanup,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &MinimalNpiId, &ModuleId, 0, NULL },
};

NTSTATUS MinimalRegister(VOID)
{
    return NmrRegisterProvider(&Characteristics, NULL, &Registration);
}

VOID MinimalDeregister(VOID)
{
    NTSTATUS Status = NmrDeregisterProvider(Registration);
    if (Status == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(Registration);
    }
}
