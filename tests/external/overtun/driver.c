//
// driver.c - load, unload, and what the management driver calls.
//
#include <initguid.h>
#include "precomp.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD OtUnload;

OT_GLOBALS g_Ot;

//
// The tunnel, entered; NULL when there is none.
//
static
OT_TUNNEL *
OtEnterCurrent(
    VOID
    )
{
    OT_TUNNEL *Tunnel;
    KIRQL OldIrql;

    KeAcquireSpinLock(&g_Ot.Lock, &OldIrql);
    Tunnel = g_Ot.Tunnel;
    if (Tunnel != NULL && !OtEnter(Tunnel)) {
        Tunnel = NULL;
    }
    KeReleaseSpinLock(&g_Ot.Lock, OldIrql);
    return Tunnel;
}

NTSTATUS
OtProbe(
    ULONG Sequence
    )
{
    OT_TUNNEL *Tunnel = OtEnterCurrent();
    UINT8 Probe[4];
    NTSTATUS Status;

    if (Tunnel == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    RtlCopyMemory(Probe, &Sequence, sizeof(Probe));
    Status = OtSend(Tunnel, Probe, sizeof(Probe));
    OtLeave(Tunnel);
    return Status;
}

NTSTATUS
OtLoopback(
    ULONG Sequence
    )
{
    OT_TUNNEL *Tunnel = OtEnterCurrent();

    if (Tunnel == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    OtDeliver(Tunnel, (const UINT8 *)&Sequence, sizeof(Sequence));
    OtLeave(Tunnel);
    return STATUS_SUCCESS;
}

static
VOID
OtUnload(
    _In_ DRIVER_OBJECT *DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);

    OtLowerDeregister();
    IoDeleteDevice(g_Ot.Device);
}

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    DRIVER_OBJECT *DriverObject,
    UNICODE_STRING *RegistryPath
    )
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);

    KeInitializeSpinLock(&g_Ot.Lock);
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, 0, FALSE, &g_Ot.Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = OtLowerRegister();
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(g_Ot.Device);
        return Status;
    }
    DriverObject->DriverUnload = OtUnload;
    return STATUS_SUCCESS;
}
