//
// upper.c - the upper edge: a provider of the tunnel.
//
#include "precomp.h"

static NPI_PROVIDER_ATTACH_CLIENT_FN OtAttachUpper;
static NPI_PROVIDER_DETACH_CLIENT_FN OtDetachUpper;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN OtCleanupUpper;

// {E9471D39-05BC-4F6A-8B2E-93C6F1A0D754}
static const NPI_MODULEID OtUpperModuleId = {
    sizeof(NPI_MODULEID), MIT_GUID,
    { { 0xe9471d39, 0x05bc, 0x4f6a, { 0x8b, 0x2e, 0x93, 0xc6, 0xf1, 0xa0, 0xd7, 0x54 } } }
};

static const NPI_PROVIDER_CHARACTERISTICS OtUpperCharacteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS),
    OtAttachUpper, OtDetachUpper, OtCleanupUpper,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &TUNNEL_NPIID, &OtUpperModuleId, 0, NULL }
};

static
NTSTATUS
NTAPI
OtTransmit(
    PVOID ProviderBinding,
    const UINT8 *Data,
    ULONG Length
    )
{
    OT_UPPER *Upper = ProviderBinding;
    NTSTATUS Status;

    if (!OtEnter(Upper->Tunnel)) {
        return STATUS_DELETE_PENDING;
    }
    Status = OtSend(Upper->Tunnel, Data, Length);
    OtLeave(Upper->Tunnel);
    return Status;
}

static
ULONG
NTAPI
OtGetMtu(
    PVOID ProviderBinding
    )
{
    OT_UPPER *Upper = ProviderBinding;
    ULONG Mtu = 0;

    if (OtEnter(Upper->Tunnel)) {
        Mtu = Upper->Tunnel->Carrier->Mtu - OT_HEADER_LENGTH;
        OtLeave(Upper->Tunnel);
    }
    return Mtu;
}

static const TUNNEL_PROVIDER_DISPATCH OtTunnelProvider = { OtTransmit, OtGetMtu };

NTSTATUS
OtUpperRegister(
    _Inout_ OT_TUNNEL *Tunnel
    )
{
    return NmrRegisterProvider(&OtUpperCharacteristics, Tunnel, &Tunnel->NmrProvider);
}

VOID
OtUpperDeregister(
    _Inout_ OT_TUNNEL *Tunnel
    )
{
    if (NmrDeregisterProvider(Tunnel->NmrProvider) == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(Tunnel->NmrProvider);
    }
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
OtAttachUpper(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch
    )
{
    OT_TUNNEL *Tunnel = ProviderContext;
    OT_UPPER *Upper;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(ClientRegistrationInstance);

    Upper = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Upper), OT_TAG_UPPER);
    if (Upper == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Upper, sizeof(*Upper));
    Upper->Tunnel = Tunnel;
    Upper->NmrUpper = NmrBindingHandle;
    Upper->ClientBinding = ClientBindingContext;
    Upper->Client = ClientDispatch;

    *ProviderBindingContext = Upper;
    *ProviderDispatch = &OtTunnelProvider;

    KeAcquireSpinLock(&Tunnel->Lock, &OldIrql);
    InsertTailList(&Tunnel->Uppers, &Upper->Link);
    KeReleaseSpinLock(&Tunnel->Lock, OldIrql);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
static
NTSTATUS
NTAPI
OtDetachUpper(
    PVOID ProviderBindingContext
    )
{
    OT_UPPER *Upper = ProviderBindingContext;
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Upper->Tunnel->Lock, &OldIrql);
    Upper->Detaching = TRUE;
    if (Upper->Busy != 0) {
        Upper->DetachPending = TRUE;
        Status = STATUS_PENDING;
    }
    KeReleaseSpinLock(&Upper->Tunnel->Lock, OldIrql);
    return Status;
}

_Use_decl_annotations_
static
VOID
NTAPI
OtCleanupUpper(
    PVOID ProviderBindingContext
    )
{
    OT_UPPER *Upper = ProviderBindingContext;
    OT_TUNNEL *Tunnel = Upper->Tunnel;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Tunnel->Lock, &OldIrql);
    RemoveEntryList(&Upper->Link);
    KeReleaseSpinLock(&Tunnel->Lock, OldIrql);

    ExFreePoolWithTag(Upper, OT_TAG_UPPER);
}

//
// The next client from Link on that is not being detached, busy.
//
_Requires_lock_held_(Tunnel->Lock)
static
OT_UPPER *
OtNextUpper(
    _In_ OT_TUNNEL *Tunnel,
    _In_ LIST_ENTRY *Link
    )
{
    OT_UPPER *Upper;

    for (; Link != &Tunnel->Uppers; Link = Link->Flink) {
        Upper = CONTAINING_RECORD(Link, OT_UPPER, Link);
        if (!Upper->Detaching) {
            Upper->Busy++;
            return Upper;
        }
    }
    return NULL;
}

//
// Gives the data to everybody above.  The caller has entered the tunnel, or is the carrier.  A client that is busy
// stays in the list.
//
VOID
OtDeliver(
    _Inout_ OT_TUNNEL *Tunnel,
    const UINT8 *Data,
    ULONG Length
    )
{
    OT_UPPER *Upper;
    OT_UPPER *Next;
    HANDLE Complete;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Tunnel->Lock, &OldIrql);
    Upper = OtNextUpper(Tunnel, Tunnel->Uppers.Flink);
    KeReleaseSpinLock(&Tunnel->Lock, OldIrql);

    while (Upper != NULL) {
        Upper->Client->Receive(Upper->ClientBinding, Data, Length);

        KeAcquireSpinLock(&Tunnel->Lock, &OldIrql);
        Next = OtNextUpper(Tunnel, Upper->Link.Flink);
        Complete = NULL;
        if (--Upper->Busy == 0 && Upper->DetachPending) {
            Upper->DetachPending = FALSE;
            Complete = Upper->NmrUpper;
        }
        KeReleaseSpinLock(&Tunnel->Lock, OldIrql);

        if (Complete != NULL) {
            NmrProviderDetachClientComplete(Complete);
        }
        Upper = Next;
    }
}
