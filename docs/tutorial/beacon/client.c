/*++

    client.c

    The clients of Beacon: they attach, are told the news, and detach.

--*/

#include "beacon.h"

LIST_ENTRY BeaconClients;
KSPIN_LOCK BeaconLock;

NTSTATUS
NTAPI
BeaconAttachClient(
    _In_ HANDLE NmrBindingHandle,
    _In_ PVOID ProviderContext,
    _In_ PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    _In_ PVOID ClientBindingContext,
    _In_ CONST VOID *ClientDispatch,
    _Out_ PVOID *ProviderBindingContext,
    _Out_ CONST VOID **ProviderDispatch
    )
{
    const BEACON_CLIENT_CHARACTERISTICS *Characteristics = ClientRegistrationInstance->NpiSpecificCharacteristics;
    BEACON_CLIENT *Client;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(ProviderContext);

    if (Characteristics == NULL || Characteristics->Version != BEACON_VERSION || ClientDispatch == NULL) {
        return STATUS_NOINTERFACE;
    }

    Client = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Client), BEACON_TAG);
    if (Client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    Client->BindingHandle = NmrBindingHandle;
    Client->Context = ClientBindingContext;
    Client->Dispatch = ClientDispatch;

    *ProviderBindingContext = Client;
    *ProviderDispatch = NULL;

    KeAcquireSpinLock(&BeaconLock, &Irql);
    InsertTailList(&BeaconClients, &Client->Link);
    KeReleaseSpinLock(&BeaconLock, Irql);

    return STATUS_SUCCESS;
}

static
VOID
EndCall(
    _In_ BEACON_CLIENT *Client
    )
{
    BOOLEAN Complete;
    KIRQL Irql;

    KeAcquireSpinLock(&BeaconLock, &Irql);
    Client->Calls--;
    Complete = Client->Detaching && Client->Calls == 0;
    KeReleaseSpinLock(&BeaconLock, Irql);

    if (Complete) {
        NmrProviderDetachClientComplete(Client->BindingHandle);
    }
}

VOID
BeaconPassOn(
    _In_ ULONG News
    )
{
    BEACON_CLIENT *Clients[16];
    ULONG Count = 0;
    LIST_ENTRY *Link;
    KIRQL Irql;
    ULONG i;

    KeAcquireSpinLock(&BeaconLock, &Irql);
    for (Link = BeaconClients.Flink; Link != &BeaconClients && Count < RTL_NUMBER_OF(Clients); Link = Link->Flink) {
        Clients[Count] = CONTAINING_RECORD(Link, BEACON_CLIENT, Link);
        Clients[Count++]->Calls++;
    }
    KeReleaseSpinLock(&BeaconLock, Irql);

    for (i = 0; i < Count; i++) {
        Clients[i]->Dispatch->News(Clients[i]->Context, News);
        EndCall(Clients[i]);
    }
}

NTSTATUS
NTAPI
BeaconDetachClient(
    _In_ PVOID ProviderBindingContext
    )
{
    BEACON_CLIENT *Client = ProviderBindingContext;
    KIRQL Irql;

    KeAcquireSpinLock(&BeaconLock, &Irql);
    RemoveEntryList(&Client->Link);
    Client->Detaching = TRUE;
    KeReleaseSpinLock(&BeaconLock, Irql);

    return Client->Calls > 0 ? STATUS_PENDING : STATUS_SUCCESS;
}

VOID
NTAPI
BeaconCleanupBindingContext(
    _In_ PVOID ProviderBindingContext
    )
{
    ExFreePoolWithTag(ProviderBindingContext, BEACON_TAG);
}
