/*++
    overtun.h - private declarations.

    One carrier at a time is below, and makes a tunnel; as long as there is one, the driver is a provider to those
    above.  The provider is registered after the carrier has been attached, by a work item; another one undoes that
    before the carrier's detach is completed.
--*/
#pragma once

#define OT_TAG_TUNNEL 'nTtO'
#define OT_TAG_UPPER  'pUtO'

#define OT_HEADER_LENGTH 8
#define OT_PACKET_MAX    96

typedef struct _OT_TUNNEL OT_TUNNEL;

typedef struct _OT_GLOBALS {
    DEVICE_OBJECT *Device;
    HANDLE NmrClient;
    KSPIN_LOCK Lock;
    BOOLEAN Claimed;                // there is a carrier, or one is being attached
    OT_TUNNEL *Tunnel;
} OT_GLOBALS;

struct _OT_TUNNEL {
    // The carrier.
    HANDLE NmrLower;
    PVOID CarrierBinding;
    const CARRIER_PROVIDER_DISPATCH *Carrier;
    EX_RUNDOWN_REF Calls;           // of the carrier, and through the tunnel
    volatile LONG Closing;

    // The provider.
    PIO_WORKITEM StartItem;
    PIO_WORKITEM StopItem;
    KEVENT Started;
    NTSTATUS StartStatus;
    HANDLE NmrProvider;

    // The clients of the provider.
    KSPIN_LOCK Lock;
    LIST_ENTRY Uppers;
};

typedef struct _OT_UPPER {
    LIST_ENTRY Link;
    OT_TUNNEL *Tunnel;
    HANDLE NmrUpper;
    PVOID ClientBinding;
    const TUNNEL_CLIENT_DISPATCH *Client;
    ULONG Busy;                     // calls of the client in progress; these three under Tunnel->Lock
    BOOLEAN Detaching;
    BOOLEAN DetachPending;
} OT_UPPER;

extern OT_GLOBALS g_Ot;

// lower.c
NTSTATUS OtLowerRegister(VOID);
VOID OtLowerDeregister(VOID);
BOOLEAN OtEnter(_Inout_ OT_TUNNEL *Tunnel);
VOID OtLeave(_Inout_ OT_TUNNEL *Tunnel);
NTSTATUS OtSend(_In_ OT_TUNNEL *Tunnel, const UINT8 *Data, ULONG Length);

// upper.c
NTSTATUS OtUpperRegister(_Inout_ OT_TUNNEL *Tunnel);
VOID OtUpperDeregister(_Inout_ OT_TUNNEL *Tunnel);
VOID OtDeliver(_Inout_ OT_TUNNEL *Tunnel, const UINT8 *Data, ULONG Length);

// driver.c: for the management driver
NTSTATUS OtProbe(ULONG Sequence);
NTSTATUS OtLoopback(ULONG Sequence);
