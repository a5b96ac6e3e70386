//
// lower.c - the lower edge: a client of the carrier.
//
#include "precomp.h"

static NPI_CLIENT_ATTACH_PROVIDER_FN OtAttachCarrier;
static NPI_CLIENT_DETACH_PROVIDER_FN OtDetachCarrier;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN OtCleanupCarrier;
static IO_WORKITEM_ROUTINE OtStart;
static IO_WORKITEM_ROUTINE OtStop;

static
VOID
NTAPI
OtReceive(
    PVOID ClientBinding,
    const UINT8 *Data,
    ULONG Length
    )
{
    OT_TUNNEL *Tunnel = ClientBinding;

    if (Length > OT_HEADER_LENGTH) {
        OtDeliver(Tunnel, Data + OT_HEADER_LENGTH, Length - OT_HEADER_LENGTH);
    }
}

static const CARRIER_CLIENT_DISPATCH OtCarrierClient = { sizeof(CARRIER_CLIENT_DISPATCH), OtReceive };

static const CARRIER_CLIENT_CHARACTERISTICS OtCarrierCharacteristics = { CARRIER_CLIENT_VERSION, OT_HEADER_LENGTH };

// {E9471D38-05BC-4F6A-8B2E-93C6F1A0D754}
static const NPI_MODULEID OtLowerModuleId = {
    sizeof(NPI_MODULEID), MIT_GUID,
    { { 0xe9471d38, 0x05bc, 0x4f6a, { 0x8b, 0x2e, 0x93, 0xc6, 0xf1, 0xa0, 0xd7, 0x54 } } }
};

static const NPI_CLIENT_CHARACTERISTICS OtLowerCharacteristics = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS),
    OtAttachCarrier, OtDetachCarrier, OtCleanupCarrier,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &CARRIER_NPIID, &OtLowerModuleId, 0, &OtCarrierCharacteristics }
};

NTSTATUS
OtLowerRegister(
    VOID
    )
{
    return NmrRegisterClient(&OtLowerCharacteristics, &g_Ot, &g_Ot.NmrClient);
}

VOID
OtLowerDeregister(
    VOID
    )
{
    if (NmrDeregisterClient(g_Ot.NmrClient) == STATUS_PENDING) {
        NmrWaitForClientDeregisterComplete(g_Ot.NmrClient);
    }
}

//
// Calls through the tunnel: none begins once the carrier wants to go.
//
BOOLEAN
OtEnter(
    _Inout_ OT_TUNNEL *Tunnel
    )
{
    if (!ExAcquireRundownProtection(&Tunnel->Calls)) {
        return FALSE;
    }
    if (InterlockedCompareExchange(&Tunnel->Closing, 0, 0) != 0) {
        ExReleaseRundownProtection(&Tunnel->Calls);
        return FALSE;
    }
    return TRUE;
}

VOID
OtLeave(
    _Inout_ OT_TUNNEL *Tunnel
    )
{
    ExReleaseRundownProtection(&Tunnel->Calls);
}

//
// The caller has entered the tunnel.
//
NTSTATUS
OtSend(
    _In_ OT_TUNNEL *Tunnel,
    const UINT8 *Data,
    ULONG Length
    )
{
    UINT8 Packet[OT_PACKET_MAX];

    if (Length > OT_PACKET_MAX - OT_HEADER_LENGTH || Length + OT_HEADER_LENGTH > Tunnel->Carrier->Mtu) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    RtlZeroMemory(Packet, OT_HEADER_LENGTH);
    RtlCopyMemory(Packet + OT_HEADER_LENGTH, Data, Length);
    return Tunnel->Carrier->Transmit(Tunnel->CarrierBinding, Packet, Length + OT_HEADER_LENGTH);
}

static
VOID
OtFreeTunnel(
    _In_ OT_TUNNEL *Tunnel
    )
{
    KIRQL OldIrql;

    if (Tunnel->StartItem != NULL) {
        IoFreeWorkItem(Tunnel->StartItem);
    }
    if (Tunnel->StopItem != NULL) {
        IoFreeWorkItem(Tunnel->StopItem);
    }
    ExFreePoolWithTag(Tunnel, OT_TAG_TUNNEL);

    KeAcquireSpinLock(&g_Ot.Lock, &OldIrql);
    g_Ot.Claimed = FALSE;
    KeReleaseSpinLock(&g_Ot.Lock, OldIrql);
}

static
NTSTATUS
OtCreateTunnel(
    _In_ HANDLE NmrLower,
    _Outptr_ OT_TUNNEL **NewTunnel
    )
{
    OT_TUNNEL *Tunnel;
    BOOLEAN Claimed;
    KIRQL OldIrql;

    KeAcquireSpinLock(&g_Ot.Lock, &OldIrql);
    Claimed = !g_Ot.Claimed;
    g_Ot.Claimed = TRUE;
    KeReleaseSpinLock(&g_Ot.Lock, OldIrql);
    if (!Claimed) {
        return STATUS_NOINTERFACE;
    }

    Tunnel = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Tunnel), OT_TAG_TUNNEL);
    if (Tunnel == NULL) {
        KeAcquireSpinLock(&g_Ot.Lock, &OldIrql);
        g_Ot.Claimed = FALSE;
        KeReleaseSpinLock(&g_Ot.Lock, OldIrql);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Tunnel, sizeof(*Tunnel));
    Tunnel->NmrLower = NmrLower;
    ExInitializeRundownProtection(&Tunnel->Calls);
    KeInitializeEvent(&Tunnel->Started, NotificationEvent, FALSE);
    KeInitializeSpinLock(&Tunnel->Lock);
    InitializeListHead(&Tunnel->Uppers);
    Tunnel->StartItem = IoAllocateWorkItem(g_Ot.Device);
    Tunnel->StopItem = IoAllocateWorkItem(g_Ot.Device);
    if (Tunnel->StartItem == NULL || Tunnel->StopItem == NULL) {
        OtFreeTunnel(Tunnel);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *NewTunnel = Tunnel;
    return STATUS_SUCCESS;
}

static
NTSTATUS
NTAPI
OtAttachCarrier(
    _In_ HANDLE NmrBindingHandle,
    _In_ PVOID ClientContext,
    _In_ PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance
    )
{
    OT_TUNNEL *Tunnel;
    NTSTATUS Status;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(ProviderRegistrationInstance);

    Status = OtCreateTunnel(NmrBindingHandle, &Tunnel);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }

    Status = NmrClientAttachProvider(NmrBindingHandle, Tunnel, &OtCarrierClient, &Tunnel->CarrierBinding,
                                     (const VOID **)&Tunnel->Carrier);
    if (Status != STATUS_SUCCESS) {
        OtFreeTunnel(Tunnel);
        return Status;
    }

    KeAcquireSpinLock(&g_Ot.Lock, &OldIrql);
    g_Ot.Tunnel = Tunnel;
    KeReleaseSpinLock(&g_Ot.Lock, OldIrql);

    //
    // Those above attach at once, and may take their time: not on NMR's thread.
    //
    IoQueueWorkItem(Tunnel->StartItem, OtStart, DelayedWorkQueue, Tunnel);
    return STATUS_SUCCESS;
}

static
VOID
NTAPI
OtStart(
    _In_ DEVICE_OBJECT *Device,
    _In_opt_ PVOID Context
    )
{
    OT_TUNNEL *Tunnel = Context;

    UNREFERENCED_PARAMETER(Device);

    Tunnel->StartStatus = OtUpperRegister(Tunnel);
    KeSetEvent(&Tunnel->Started, IO_NETWORK_INCREMENT, FALSE);
}

static
NTSTATUS
NTAPI
OtDetachCarrier(
    _In_ PVOID ClientBindingContext
    )
{
    OT_TUNNEL *Tunnel = ClientBindingContext;

    InterlockedExchange(&Tunnel->Closing, TRUE);
    IoQueueWorkItem(Tunnel->StopItem, OtStop, DelayedWorkQueue, Tunnel);
    return STATUS_PENDING;
}

//
// From top to bottom: the clients above first, then the carrier.
//
static
VOID
NTAPI
OtStop(
    _In_ DEVICE_OBJECT *Device,
    _In_opt_ PVOID Context
    )
{
    OT_TUNNEL *Tunnel = Context;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(Device);

    KeWaitForSingleObject(&Tunnel->Started, Executive, KernelMode, FALSE, NULL);
    if (NT_SUCCESS(Tunnel->StartStatus)) {
        OtUpperDeregister(Tunnel);
    }

    KeAcquireSpinLock(&g_Ot.Lock, &OldIrql);
    g_Ot.Tunnel = NULL;
    KeReleaseSpinLock(&g_Ot.Lock, OldIrql);

    ExWaitForRundownProtectionRelease(&Tunnel->Calls);
    NmrClientDetachProviderComplete(Tunnel->NmrLower);
}

static
VOID
NTAPI
OtCleanupCarrier(
    _In_ PVOID ClientBindingContext
    )
{
    OtFreeTunnel(ClientBindingContext);
}
