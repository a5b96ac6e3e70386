/*
 * described.c - a part of a driver: no DriverEntry, functions that other parts have, an NPI of its own, registered from
 * a work item.  It is correct.
 */
#include "described.h"

#define TAG 'rotS'

typedef struct BINDING_ {
    HANDLE Handle;
    PVOID ClientContext;
    const STORE_CLIENT_DISPATCH *Client;
    EX_RUNDOWN_REF Rundown;
    LONG Detaching;
    PIO_WORKITEM Item;
} BINDING;

const NPIID STORE_NPIID = {0x5e1f2a01, 0x7c3d, 0x4b0e, {0x9a, 0x5b, 0x0f, 0x6c, 0x1e, 0x7d, 0x2a, 0x51}};
const NPI_MODULEID StoreModuleId = {
    sizeof(NPI_MODULEID), MIT_GUID, {{0x5e1f2a02, 0x7c3d, 0x4b0e, {0x9a, 0x5b, 0x0f, 0x6c, 0x1e, 0x7d, 0x2a, 0x52}}}};

static PDEVICE_OBJECT StoreDevice;
static PIO_WORKITEM StoreItem;
static KEVENT StoreRegistered;
static NTSTATUS StoreStatus;
static HANDLE StoreHandle;
static LONG StoreOpens;

#pragma data_seg(push, "store")
static ULONG StoreKind = 0;
static GUID StoreId = {0};
#pragma data_seg(pop)

static BOOLEAN Enter(BINDING *Binding)
{
    if (!ExAcquireRundownProtection(&Binding->Rundown))
        return FALSE;
    if (!InterlockedOr(&Binding->Detaching, 0))
        return TRUE;
    ExReleaseRundownProtection(&Binding->Rundown);
    return FALSE;
}

static NTSTATUS NTAPI Send(PVOID ProviderContext, UCHAR *Buffer, SIZE_T Length)
{
    BINDING *Binding = ProviderContext;
    ULONG Value = 0, Answer = 0;
    NTSTATUS Status;

    if (!Enter(Binding))
        return STATUS_DELETE_PENDING;
    NT_ASSERT(Length == 48 && Buffer[0] == 0);
    Buffer[Length - 1] = 1;
    Status = Binding->Client->Indicate(&Value, sizeof Value, Binding->ClientContext, &Answer);
    NT_ASSERT(Status == STATUS_DEVICE_BUSY || (Status == STATUS_SUCCESS && Answer == 42 && Value == 4));
    ExReleaseRundownProtection(&Binding->Rundown);
    return Status;
}

/* The NPI allows both, this call and the note, until the detach is over. */
static NTSTATUS NTAPI Flush(UCHAR *Buffer, PVOID ProviderContext)
{
    BINDING *Binding = ProviderContext;

    if (!ExAcquireRundownProtection(&Binding->Rundown))
        return STATUS_DELETE_PENDING;
    Buffer[7] = 1;
    Binding->Client->Note(Binding->ClientContext);
    ExReleaseRundownProtection(&Binding->Rundown);
    return STATUS_SUCCESS;
}

static const STORE_PROVIDER_DISPATCH StoreDispatch = {{STORE_VERSION, sizeof StoreDispatch}, Send, Flush};

static NTSTATUS NTAPI Attach(HANDLE Handle, PVOID ProviderContext, PNPI_REGISTRATION_INSTANCE Instance,
                             PVOID ClientContext, CONST VOID *ClientDispatch, PVOID *Context, CONST VOID **Dispatch)
{
    const STORE_CHARACTERISTICS *Characteristics = Instance->NpiSpecificCharacteristics;
    const STORE_CLIENT_DISPATCH *Client = ClientDispatch;
    BINDING *Binding;

    UNREFERENCED_PARAMETER(ProviderContext);
    if (Instance->Version != STORE_VERSION || Instance->Number != STORE_NUMBER ||
        !NmrIsEqualNpiModuleId(Instance->ModuleId, &StoreModuleId))
        return STATUS_NOINTERFACE;
    if (Characteristics->Header.Size < sizeof *Characteristics || Characteristics->Kind != STORE_KIND)
        return STATUS_NOINTERFACE;
    NT_ASSERT(Client->Header.Version == STORE_VERSION && Characteristics->Name[0] == 'c');
    if (!OtherReady())
        return STATUS_NOINTERFACE;
    Binding = ExAllocatePoolZero(NonPagedPoolNx, sizeof *Binding, TAG);
    if (!Binding)
        return STATUS_INSUFFICIENT_RESOURCES;
    Binding->Item = IoAllocateWorkItem(StoreDevice);
    if (!Binding->Item || !OtherAllocate(16)) {
        if (Binding->Item)
            IoFreeWorkItem(Binding->Item);
        ExFreePoolWithTag(Binding, TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Binding->Handle = Handle;
    Binding->ClientContext = ClientContext;
    Binding->Client = Client;
    ExInitializeRundownProtection(&Binding->Rundown);
    *Context = Binding;
    *Dispatch = &StoreDispatch;
    return STATUS_SUCCESS;
}

/* The client is told before it is detached from. */
static VOID NTAPI Released(PDEVICE_OBJECT Device, PVOID Context)
{
    BINDING *Binding = Context;

    UNREFERENCED_PARAMETER(Device);
    ExWaitForRundownProtectionRelease(&Binding->Rundown);
    Binding->Client->Note(Binding->ClientContext);
    NmrProviderDetachClientComplete(Binding->Handle);
}

static NTSTATUS NTAPI Detach(PVOID Context)
{
    BINDING *Binding = Context;

    InterlockedExchange(&Binding->Detaching, 1);
    IoQueueWorkItem(Binding->Item, Released, DelayedWorkQueue, Binding);
    return STATUS_PENDING;
}

static VOID NTAPI Cleanup(PVOID Context)
{
    BINDING *Binding = Context;

    OtherNote(Binding);
    IoFreeWorkItem(Binding->Item);
    ExFreePoolWithTag(Binding, TAG);
}

static const NPI_PROVIDER_CHARACTERISTICS StoreCharacteristics = {
    0, sizeof StoreCharacteristics, Attach, Detach, Cleanup,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &STORE_NPIID, &StoreModuleId, 0, NULL}};

static VOID NTAPI Register(PDEVICE_OBJECT Device, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    StoreStatus = NmrRegisterProvider(&StoreCharacteristics, NULL, &StoreHandle);
    KeSetEvent(&StoreRegistered, IO_NO_INCREMENT, FALSE);
}

/* The registry has to hold the kind, and the identifier, which a routine takes. */
static NTSTATUS NTAPI TakeId(PWSTR Name, ULONG Type, PVOID Data, ULONG Length, PVOID Context, PVOID EntryContext)
{
    UNREFERENCED_PARAMETER(Name);
    UNREFERENCED_PARAMETER(Context);
    if (Type != REG_BINARY || Length != sizeof(GUID))
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(EntryContext, Data, Length);
    RtlZeroMemory(Data, Length);
    return STATUS_SUCCESS;
}

static NTSTATUS QueryRegistry(PCWSTR Path)
{
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED, (PWSTR)L"storeKIND", &StoreKind, REG_NONE, NULL,
         0},
        {TakeId, RTL_QUERY_REGISTRY_REQUIRED, (PWSTR)L"Id", &StoreId, REG_NONE, NULL, 0},
        {NULL, 0, NULL, NULL, REG_NONE, NULL, 0},
    };

    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Path, Table, NULL, NULL);
}

NTSTATUS StoreInitialize(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    NTSTATUS Status = QueryRegistry(Path->Buffer);

    if (!NT_SUCCESS(Status))
        return Status;
    NT_ASSERT(StoreKind == STORE_KIND && IsEqualGUID(&StoreId, &STORE_NPIID));
    Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &StoreDevice);

    if (!NT_SUCCESS(Status))
        return Status;
    StoreItem = IoAllocateWorkItem(StoreDevice);
    if (!StoreItem) {
        IoDeleteDevice(StoreDevice);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&StoreRegistered, NotificationEvent, FALSE);
    IoQueueWorkItem(StoreItem, Register, DelayedWorkQueue, NULL);
    return STATUS_SUCCESS;
}

VOID StoreUninitialize(VOID)
{
    KeWaitForSingleObject(&StoreRegistered, Executive, KernelMode, FALSE, NULL);
    if (NT_SUCCESS(StoreStatus) && NmrDeregisterProvider(StoreHandle) == STATUS_PENDING)
        NmrWaitForProviderDeregisterComplete(StoreHandle);
    IoFreeWorkItem(StoreItem);
    IoDeleteDevice(StoreDevice);
}

NTSTATUS StoreOpen(VOID)
{
    InterlockedIncrement(&StoreOpens);
    return STATUS_SUCCESS;
}

VOID StoreClose(VOID)
{
    InterlockedDecrement(&StoreOpens);
}

ULONG StoreOpened(VOID)
{
    return (ULONG)StoreOpens;
}
