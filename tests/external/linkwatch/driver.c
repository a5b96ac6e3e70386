#include <initguid.h>
#include "precomp.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LwUnload;

TRACELOGGING_DEFINE_PROVIDER(g_LwTrace, "Vendor.LinkWatch",
    (0x7c0e5d31, 0x4a8f, 0x49b6, 0x92, 0x1d, 0x6e, 0xf3, 0x05, 0xb8, 0xc7, 0x4a));

LW_GLOBALS g_Lw;

static
VOID
LwUnload(
    _In_ PDRIVER_OBJECT DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);

    LwStop();
    IoFreeWorkItem(g_Lw.RefreshWorkItem);
    IoDeleteDevice(g_Lw.DeviceObject);
    TraceLoggingUnregister(g_LwTrace);
}

NTSTATUS
DriverEntry(
    _In_ PDRIVER_OBJECT DriverObject,
    _In_ PUNICODE_STRING RegistryPath
    )
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);

    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    TraceLoggingRegister(g_LwTrace);

    LwInitializeLock(&g_Lw.Lock);
    InitializeListHead(&g_Lw.Files);
    KeInitializeEvent(&g_Lw.Registered, NotificationEvent, FALSE);

    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &g_Lw.DeviceObject);
    if (!NT_SUCCESS(Status)) {
        TraceLoggingUnregister(g_LwTrace);
        return Status;
    }

    Status = STATUS_INSUFFICIENT_RESOURCES;
    g_Lw.RefreshWorkItem = IoAllocateWorkItem(g_Lw.DeviceObject);
    if (g_Lw.RefreshWorkItem != NULL) {
        Status = LwStart();
        if (NT_SUCCESS(Status)) {
            DriverObject->DriverUnload = LwUnload;
            return STATUS_SUCCESS;
        }
        IoFreeWorkItem(g_Lw.RefreshWorkItem);
    }

    IoDeleteDevice(g_Lw.DeviceObject);
    TraceLoggingUnregister(g_LwTrace);
    return Status;
}
