/*++

Module Name:

    flownpi.h

Abstract:

    The flow metering NPI.  A provider samples the flows that pass through it; clients receive the samples, and ask
    for the last one of a flow.

--*/

#ifndef _FLOWNPI_H_
#define _FLOWNPI_H_

#pragma once

// {A0D3B6F1-5A2C-4E38-9D06-61F0B7C2E4A9}
DEFINE_GUID(FLOW_NPIID,
    0xa0d3b6f1, 0x5a2c, 0x4e38, 0x9d, 0x06, 0x61, 0xf0, 0xb7, 0xc2, 0xe4, 0xa9);

#define FLOW_NPI_VERSION    0x0100

#pragma pack(push, 8)

typedef struct _FLOW_SAMPLE {
    unsigned long    FlowId;
    unsigned long    Sequence;
    unsigned __int64 Bytes;
} FLOW_SAMPLE, *PFLOW_SAMPLE;

#pragma pack(pop)

//
// Of a client.  A provider declines any other version.
//
typedef struct _FLOW_CLIENT_CHARACTERISTICS {
    unsigned long Version;
    unsigned long Options;
} FLOW_CLIENT_CHARACTERISTICS;
typedef const FLOW_CLIENT_CHARACTERISTICS *PCFLOW_CLIENT_CHARACTERISTICS;

//
// Client callbacks, at PASSIVE_LEVEL.
//
typedef VOID (NTAPI *FLOW_CLIENT_SAMPLE_FN)(_In_ PVOID ClientBindingContext, _In_ const FLOW_SAMPLE *Sample);

typedef struct _FLOW_CLIENT_DISPATCH {
    unsigned long         Version;
    FLOW_CLIENT_SAMPLE_FN Sample;
} FLOW_CLIENT_DISPATCH;
typedef const FLOW_CLIENT_DISPATCH *PCFLOW_CLIENT_DISPATCH;

//
// Provider functions, at PASSIVE_LEVEL.
//
// Query    The last sample of a flow.  STATUS_NOT_FOUND when there is none.
// Replay   The last samples again, to this client only, from a system worker thread.  STATUS_DELETE_PENDING during
//          detach.
//
typedef NTSTATUS (NTAPI *FLOW_PROVIDER_QUERY_FN)(_In_ PVOID ProviderBindingContext, _In_ unsigned long FlowId,
    _Out_ PFLOW_SAMPLE Sample);
typedef NTSTATUS (NTAPI *FLOW_PROVIDER_REPLAY_FN)(_In_ PVOID ProviderBindingContext);

typedef struct _FLOW_PROVIDER_DISPATCH {
    unsigned long           Version;
    FLOW_PROVIDER_QUERY_FN  Query;
    FLOW_PROVIDER_REPLAY_FN Replay;
} FLOW_PROVIDER_DISPATCH;

#endif // _FLOWNPI_H_
