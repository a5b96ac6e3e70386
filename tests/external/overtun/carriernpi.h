/*++
    carriernpi.h - the carrier NPI: what an overlay needs below it.
--*/
#pragma once

// {B35A9E10-7C46-4D8B-A1F2-0C97D6E3548A}
DEFINE_GUID(CARRIER_NPIID, 0xb35a9e10, 0x7c46, 0x4d8b, 0xa1, 0xf2, 0x0c, 0x97, 0xd6, 0xe3, 0x54, 0x8a);

#define CARRIER_CLIENT_VERSION 3

typedef struct _CARRIER_CLIENT_CHARACTERISTICS {
    ULONG Version;
    ULONG HeaderLength;             // what the client prepends
} CARRIER_CLIENT_CHARACTERISTICS;

// Both are called as soon as the carrier has accepted its client, at <= DISPATCH_LEVEL.
typedef VOID (NTAPI *CARRIER_CLIENT_RECEIVE)(PVOID ClientBinding, const UINT8 *Data, ULONG Length);

typedef struct _CARRIER_CLIENT_DISPATCH {
    ULONG                  Size;
    CARRIER_CLIENT_RECEIVE Receive;
} CARRIER_CLIENT_DISPATCH;

typedef NTSTATUS (NTAPI *CARRIER_TRANSMIT)(PVOID ProviderBinding, const UINT8 *Data, ULONG Length);

typedef struct _CARRIER_PROVIDER_DISPATCH {
    ULONG            Size;
    ULONG            Mtu;
    CARRIER_TRANSMIT Transmit;
} CARRIER_PROVIDER_DISPATCH;
