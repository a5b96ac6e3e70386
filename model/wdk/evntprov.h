/*
 * evntprov.h
 *
 * Event tracing as a driver calls it: registered, and nobody listens.
 *
 * Source      evntprov.h and the Etw functions of wdm.h
 */
#ifndef NMRCHECK_WDK_EVNTPROV_H
#define NMRCHECK_WDK_EVNTPROV_H

#include "ntdef.h"
#include "guiddef.h"

EXTERN_C_START

typedef ULONGLONG REGHANDLE, *PREGHANDLE;

typedef struct _EVENT_DESCRIPTOR {
    USHORT Id;
    UCHAR Version;
    UCHAR Channel;
    UCHAR Level;
    UCHAR Opcode;
    USHORT Task;
    ULONGLONG Keyword;
} EVENT_DESCRIPTOR, *PEVENT_DESCRIPTOR;
typedef const EVENT_DESCRIPTOR *PCEVENT_DESCRIPTOR;

typedef struct _EVENT_DATA_DESCRIPTOR {
    ULONGLONG Ptr;
    ULONG Size;
    union {
        ULONG Reserved;
        struct {
            UCHAR Type;
            UCHAR Reserved1;
            USHORT Reserved2;
        };
    };
} EVENT_DATA_DESCRIPTOR, *PEVENT_DATA_DESCRIPTOR;

struct _EVENT_FILTER_DESCRIPTOR;

typedef VOID NTAPI ETWENABLECALLBACK(
    _In_ const GUID *SourceId,
    _In_ ULONG ControlCode,
    _In_ UCHAR Level,
    _In_ ULONGLONG MatchAnyKeyword,
    _In_ ULONGLONG MatchAllKeyword,
    _In_opt_ struct _EVENT_FILTER_DESCRIPTOR *FilterData,
    _Inout_opt_ PVOID CallbackContext);
typedef ETWENABLECALLBACK *PETWENABLECALLBACK;

NMRCHECK_INLINE VOID EventDataDescCreate(
    _Out_ PEVENT_DATA_DESCRIPTOR Descriptor, _In_ const VOID *Data, _In_ ULONG Size)
{
    Descriptor->Ptr = (ULONGLONG)(ULONG_PTR)Data;
    Descriptor->Size = Size;
    Descriptor->Reserved = 0;
}

NTSTATUS EtwRegister(
    _In_ const GUID *ProviderId,
    _In_opt_ PETWENABLECALLBACK EnableCallback,
    _In_opt_ PVOID CallbackContext,
    _Out_ PREGHANDLE RegHandle);
NTSTATUS EtwUnregister(_In_ REGHANDLE RegHandle);
BOOLEAN EtwEventEnabled(_In_ REGHANDLE RegHandle, _In_ PCEVENT_DESCRIPTOR EventDescriptor);
BOOLEAN EtwProviderEnabled(_In_ REGHANDLE RegHandle, _In_ UCHAR Level, _In_ ULONGLONG Keyword);
NTSTATUS EtwWrite(
    _In_ REGHANDLE RegHandle,
    _In_ PCEVENT_DESCRIPTOR EventDescriptor,
    _In_opt_ const GUID *ActivityId,
    _In_ ULONG UserDataCount,
    _In_opt_ PEVENT_DATA_DESCRIPTOR UserData);

EXTERN_C_END

C_ASSERT(sizeof(EVENT_DESCRIPTOR) == 16 && sizeof(EVENT_DATA_DESCRIPTOR) == 16);

#endif /* NMRCHECK_WDK_EVNTPROV_H */
