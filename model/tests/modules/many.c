/* many.c - a driver that provides five NPIs, more than there are counterparts at once.  It is correct. */
#include <ntddk.h>
#include <netioddk.h>

#define COUNT 5
#define TAG 'ynaM'

static NPIID Ids[COUNT];
static NPI_PROVIDER_CHARACTERISTICS Characteristics[COUNT];
static HANDLE Handles[COUNT];
static const NPI_MODULEID ModuleId = {
    sizeof(NPI_MODULEID), MIT_GUID, {{0x3a1f2a02, 0x7c3d, 0x4b0e, {0x9a, 0x5b, 0x0f, 0x6c, 0x1e, 0x7d, 0x2a, 0x61}}}};

static NTSTATUS NTAPI Attach(HANDLE Handle, PVOID ProviderContext, PNPI_REGISTRATION_INSTANCE Instance,
                             PVOID ClientContext, CONST VOID *ClientDispatch, PVOID *Context, CONST VOID **Dispatch)
{
    UNREFERENCED_PARAMETER(Handle);
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(ClientDispatch);
    *Context = ExAllocatePoolZero(NonPagedPoolNx, 16, TAG);
    *Dispatch = NULL;
    return *Context ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS NTAPI Detach(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return STATUS_SUCCESS;
}

static VOID NTAPI Cleanup(PVOID Context)
{
    ExFreePoolWithTag(Context, TAG);
}

static VOID Deregister(ULONG Count)
{
    while (Count-- > 0)
        if (NmrDeregisterProvider(Handles[Count]) == STATUS_PENDING)
            NmrWaitForProviderDeregisterComplete(Handles[Count]);
}

static DRIVER_UNLOAD Unload;
static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    Deregister(COUNT);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(Path);
    Driver->DriverUnload = Unload;
    for (ULONG i = 0; i < COUNT; i++) {
        NPI_PROVIDER_CHARACTERISTICS *c = &Characteristics[i];
        NTSTATUS Status;

        Ids[i].Data1 = 0x3a1f2a10 + i;
        c->Length = sizeof *c;
        c->ProviderAttachClient = Attach;
        c->ProviderDetachClient = Detach;
        c->ProviderCleanupBindingContext = Cleanup;
        c->ProviderRegistrationInstance.Size = sizeof(NPI_REGISTRATION_INSTANCE);
        c->ProviderRegistrationInstance.NpiId = &Ids[i];
        c->ProviderRegistrationInstance.ModuleId = &ModuleId;
        Status = NmrRegisterProvider(c, NULL, &Handles[i]);
        if (!NT_SUCCESS(Status)) {
            Deregister(i);
            return Status;
        }
    }
    return STATUS_SUCCESS;
}
