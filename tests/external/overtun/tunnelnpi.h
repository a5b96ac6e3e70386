/*++
    tunnelnpi.h - the tunnel NPI: what an overlay offers to those above it.
--*/
#pragma once

// {6D1C84B7-2F09-4A5E-9C73-E8B50A41D2F6}
DEFINE_GUID(TUNNEL_NPIID, 0x6d1c84b7, 0x2f09, 0x4a5e, 0x9c, 0x73, 0xe8, 0xb5, 0x0a, 0x41, 0xd2, 0xf6);

typedef VOID (NTAPI *TUNNEL_CLIENT_RECEIVE)(PVOID ClientBinding, const UINT8 *Data, ULONG Length);

typedef struct _TUNNEL_CLIENT_DISPATCH {
    TUNNEL_CLIENT_RECEIVE Receive;
} TUNNEL_CLIENT_DISPATCH;

// STATUS_DELETE_PENDING: the carrier is on its way out, and the tunnel with it.
typedef NTSTATUS (NTAPI *TUNNEL_TRANSMIT)(PVOID ProviderBinding, const UINT8 *Data, ULONG Length);
typedef ULONG (NTAPI *TUNNEL_GET_MTU)(PVOID ProviderBinding);

typedef struct _TUNNEL_PROVIDER_DISPATCH {
    TUNNEL_TRANSMIT Transmit;
    TUNNEL_GET_MTU  GetMtu;
} TUNNEL_PROVIDER_DISPATCH;
