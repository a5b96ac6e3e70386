/*++

Module Name:

    flowmeter.h

Abstract:

    Private declarations of the flow meter.

--*/

#pragma once

#define FM_TAG_BINDING  'BmlF'
#define FM_TAG_REPLAY   'RmlF'

#define FM_HISTORY      512             // a power of two
#define FM_REPLAYED     2

#define WPP_CONTROL_GUIDS                                                       \
    WPP_DEFINE_CONTROL_GUID(FlowMeterTrace, (4b2f9c60,7d11,4f0e,a3c5,90e15f7a2b18), \
        WPP_DEFINE_BIT(FM_ATTACH)                                               \
        WPP_DEFINE_BIT(FM_DATA))

typedef struct _FM_GLOBALS {
    PDEVICE_OBJECT DeviceObject;
    HANDLE         ProviderHandle;

    KSPIN_LOCK     BindingLock;
    LIST_ENTRY     BindingList;

    KSPIN_LOCK     HistoryLock;
    unsigned long  Sequence;
    FLOW_SAMPLE    History[FM_HISTORY];
} FM_GLOBALS;

//
// A client.  Whoever calls it holds Rundown; the detach work item waits for them.  A binding that is protected stays
// in the list.  Once Detaching is set no call is started.
//
typedef struct _FM_BINDING {
    LIST_ENTRY             Link;
    HANDLE                 NmrBindingHandle;
    PVOID                  ClientContext;
    PCFLOW_CLIENT_DISPATCH ClientDispatch;
    EX_RUNDOWN_REF         Rundown;
    PIO_WORKITEM           DetachWorkItem;
    volatile long          Detaching;
} FM_BINDING, *PFM_BINDING;

extern FM_GLOBALS g_Fm;
extern const FLOW_PROVIDER_DISPATCH FmProviderDispatch;

// nmr.c
NTSTATUS FmNmrRegister(VOID);
VOID FmNmrDeregister(VOID);

// meter.c
NTSTATUS NTAPI FmRecord(_In_ unsigned long Tuple, _In_ unsigned __int64 Bytes);

//
// Protects the client from being detached.  The detach callback cannot wait, and the work item that does comes later:
// until then only Detaching tells.
//
__forceinline
BOOLEAN
FmProtect(
    _Inout_ PFM_BINDING Binding
    )
{
    if (!ExAcquireRundownProtection(&Binding->Rundown)) {
        return FALSE;
    }
    if (InterlockedCompareExchange(&Binding->Detaching, 0, 0)) {
        ExReleaseRundownProtection(&Binding->Rundown);
        return FALSE;
    }
    return TRUE;
}

__forceinline
PFLOW_SAMPLE
FmHistoryEntry(
    _In_ unsigned long Sequence
    )
{
    return &g_Fm.History[Sequence & (FM_HISTORY - 1)];
}
