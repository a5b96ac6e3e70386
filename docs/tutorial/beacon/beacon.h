/*++

    beacon.h

    Beacon tells its clients that something happened.  A client registers for the NPI below; whoever has news calls
    BeaconPost, at PASSIVE_LEVEL, and a work item passes it on to every client that is attached.

--*/

#pragma once

#include <ntddk.h>
#include <netioddk.h>

#define BEACON_TAG 'ncaB'

//
// What a client says about itself (NpiSpecificCharacteristics), and what it can be called with.
//
typedef struct _BEACON_CLIENT_CHARACTERISTICS {
    USHORT Version;                     // BEACON_VERSION
    USHORT Length;
} BEACON_CLIENT_CHARACTERISTICS;

#define BEACON_VERSION 1

typedef
VOID
(NTAPI BEACON_NEWS)(
    _In_opt_ PVOID ClientBindingContext,
    _In_ ULONG News
    );

typedef struct _BEACON_CLIENT_DISPATCH {
    BEACON_NEWS *News;                  // at PASSIVE_LEVEL
} BEACON_CLIENT_DISPATCH;

extern const NPIID BEACON_NPIID;

//
// One client.
//
typedef struct _BEACON_CLIENT {
    LIST_ENTRY Link;
    HANDLE BindingHandle;
    PVOID Context;
    const BEACON_CLIENT_DISPATCH *Dispatch;
    ULONG Calls;                        // in progress
    BOOLEAN Detaching;
} BEACON_CLIENT;

extern LIST_ENTRY BeaconClients;
extern KSPIN_LOCK BeaconLock;           // guards the list, and Calls and Detaching of each client

VOID BeaconPassOn(_In_ ULONG News);
NTSTATUS BeaconPost(_In_ ULONG News);

NPI_PROVIDER_ATTACH_CLIENT_FN BeaconAttachClient;
NPI_PROVIDER_DETACH_CLIENT_FN BeaconDetachClient;
NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN BeaconCleanupBindingContext;
