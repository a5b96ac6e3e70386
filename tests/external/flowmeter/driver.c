/*++

Module Name:

    driver.c

Abstract:

    Load and unload of the flow meter.

--*/

#include <initguid.h>
#include "precomp.h"
#include "driver.tmh"

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD FmUnload;

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, FmUnload)
#endif

FM_GLOBALS g_Fm;

_Use_decl_annotations_
VOID
FmUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    PAGED_CODE();

    FmNmrDeregister();
    IoDeleteDevice(g_Fm.DeviceObject);
    WPP_CLEANUP(DriverObject);
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    NTSTATUS Status;

    WPP_INIT_TRACING(DriverObject, RegistryPath);

    KeInitializeSpinLock(&g_Fm.BindingLock);
    InitializeListHead(&g_Fm.BindingList);
    KeInitializeSpinLock(&g_Fm.HistoryLock);

    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
        &g_Fm.DeviceObject);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }

    Status = FmNmrRegister();
    if (!NT_SUCCESS(Status)) {
        DoTraceMessage(FM_ATTACH, "NMR registration failed: %!STATUS!", Status);
        IoDeleteDevice(g_Fm.DeviceObject);
        goto Exit;
    }

    DriverObject->DriverUnload = FmUnload;

Exit:

    if (!NT_SUCCESS(Status)) {
        WPP_CLEANUP(DriverObject);
    }
    return Status;
}
