/*++

Copyright notice and licence terms would be here.

Module Name:

    linknpi.h

Abstract:

    The link NPI: a provider is a medium, a client sends on it and is told when its state changes.

--*/

#pragma once

// {0F6B8E52-93D4-4C1A-B7E0-5A82C4D913F6}
DEFINE_GUID(LINK_NPIID, 0x0f6b8e52, 0x93d4, 0x4c1a, 0xb7, 0xe0, 0x5a, 0x82, 0xc4, 0xd9, 0x13, 0xf6);

#define LINK_VERSION_1  1
#define LINK_VERSION_2  2

typedef struct LINK_PROVIDER_CHARACTERISTICS_ {
    USHORT Version;
    USHORT Size;
    ULONG  MaximumLength;           // version 2
} LINK_PROVIDER_CHARACTERISTICS, *PLINK_PROVIDER_CHARACTERISTICS;

#define LINK_PROVIDER_CHARACTERISTICS_SIZE_1 FIELD_OFFSET(LINK_PROVIDER_CHARACTERISTICS, MaximumLength)

typedef struct LINK_STATUS_ {
    BOOLEAN       Up;
    unsigned long Speed;            // kbit/s
} LINK_STATUS, *PLINK_STATUS;

//
// The client's, until the provider has completed it.
//
typedef struct LINK_REQUEST_ {
    PVOID         ProviderReserved[2];
    unsigned long Length;
    unsigned char Data[64];
} LINK_REQUEST, *PLINK_REQUEST;

typedef VOID NTAPI LINK_CHANGED(_In_ PVOID ClientContext, _In_ ULONG Generation);
typedef VOID NTAPI LINK_SEND_COMPLETE(_In_ PVOID ClientContext, _In_ PLINK_REQUEST Request);

typedef struct LINK_CLIENT_DISPATCH_ {
    LINK_CHANGED       *Changed;        // <= DISPATCH_LEVEL, as soon as the provider has accepted the client
    LINK_SEND_COMPLETE *SendComplete;   // <= DISPATCH_LEVEL, ends a Send that returned STATUS_PENDING
} LINK_CLIENT_DISPATCH;

typedef NTSTATUS NTAPI LINK_SEND(_In_ PVOID ProviderContext, _Inout_ PLINK_REQUEST Request);
typedef NTSTATUS NTAPI LINK_QUERY(_In_ PVOID ProviderContext, _Out_ PLINK_STATUS Status);

typedef struct LINK_PROVIDER_DISPATCH_ {
    LINK_SEND  *Send;
    LINK_QUERY *Query;
} LINK_PROVIDER_DISPATCH;
