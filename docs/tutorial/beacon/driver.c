/*++

    driver.c

    Beacon: DriverEntry and DriverUnload, and the work item that passes on the news.

--*/

#include "beacon.h"

//
// {2F3C8A10-77E1-4C0B-8E54-5D1B6A90C2E1}
//
const NPIID BEACON_NPIID = {0x2f3c8a10, 0x77e1, 0x4c0b, {0x8e, 0x54, 0x5d, 0x1b, 0x6a, 0x90, 0xc2, 0xe1}};

static const NPI_MODULEID BeaconModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    {{0x2f3c8a11, 0x77e1, 0x4c0b, {0x8e, 0x54, 0x5d, 0x1b, 0x6a, 0x90, 0xc2, 0xe1}}}
};

static const NPI_PROVIDER_CHARACTERISTICS BeaconCharacteristics = {
    0,
    sizeof(NPI_PROVIDER_CHARACTERISTICS),
    BeaconAttachClient,
    BeaconDetachClient,
    BeaconCleanupBindingContext,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &BEACON_NPIID, &BeaconModuleId, 0, NULL}
};

typedef struct _BEACON_POST {
    PIO_WORKITEM Item;
    ULONG News;
} BEACON_POST;

static PDEVICE_OBJECT BeaconDevice;
static HANDLE BeaconHandle;
static EX_RUNDOWN_REF BeaconPosts;

static
VOID
NTAPI
PostWorker(
    _In_ PDEVICE_OBJECT DeviceObject,
    _In_opt_ PVOID Context
    )
{
    BEACON_POST *Post = Context;

    UNREFERENCED_PARAMETER(DeviceObject);

    BeaconPassOn(Post->News);
    IoFreeWorkItem(Post->Item);
    ExFreePoolWithTag(Post, BEACON_TAG);
    ExReleaseRundownProtection(&BeaconPosts);
}

NTSTATUS
BeaconPost(
    _In_ ULONG News
    )
{
    BEACON_POST *Post;

    if (!ExAcquireRundownProtection(&BeaconPosts)) {
        return STATUS_DELETE_PENDING;
    }

    Post = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Post), BEACON_TAG);
    if (Post != NULL) {
        Post->Item = IoAllocateWorkItem(BeaconDevice);
    }
    if (Post == NULL || Post->Item == NULL) {
        if (Post != NULL) {
            ExFreePoolWithTag(Post, BEACON_TAG);
        }
        ExReleaseRundownProtection(&BeaconPosts);
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    Post->News = News;
    IoQueueWorkItem(Post->Item, PostWorker, DelayedWorkQueue, Post);
    return STATUS_SUCCESS;
}

static
VOID
NTAPI
BeaconUnload(
    _In_ PDRIVER_OBJECT DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);

    ExWaitForRundownProtectionRelease(&BeaconPosts);
    if (NmrDeregisterProvider(BeaconHandle) == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(BeaconHandle);
    }
    IoDeleteDevice(BeaconDevice);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS
NTAPI
DriverEntry(
    _In_ PDRIVER_OBJECT DriverObject,
    _In_ PUNICODE_STRING RegistryPath
    )
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);

    InitializeListHead(&BeaconClients);
    KeInitializeSpinLock(&BeaconLock);
    ExInitializeRundownProtection(&BeaconPosts);
    DriverObject->DriverUnload = BeaconUnload;

    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &BeaconDevice);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }

    Status = NmrRegisterProvider(&BeaconCharacteristics, NULL, &BeaconHandle);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(BeaconDevice);
    }
    return Status;
}
