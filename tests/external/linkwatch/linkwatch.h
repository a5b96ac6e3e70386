/*++

Module Name:

    linkwatch.h

Abstract:

    Private declarations.

--*/

#pragma once

#define LW_TAG_REQUEST 'qRwL'
#define LW_TAG_FILE    'iFwL'

//
// Where the client stands with its only provider.  Guarded by g_Lw.Lock.
//
//      Stopped -> Waiting -> Attaching -> Attached -> Detaching -> Waiting ...
//
// Attaching falls back to Waiting when the attach fails; Waiting to Stopped when the registration does.
//
typedef enum LW_STATE_ {
    LwStopped,
    LwWaiting,
    LwAttaching,
    LwAttached,
    LwDetaching
} LW_STATE;

typedef struct LW_GLOBALS_ {
    PDEVICE_OBJECT DeviceObject;

    //
    // The registration is made by a work item; whoever wants to undo it waits for Registered.
    //
    PIO_WORKITEM   RegisterWorkItem;
    KEVENT         Registered;
    NTSTATUS       RegisterStatus;
    HANDLE         NmrClientHandle;

    LW_LOCK        Lock;
    LW_STATE       State;
    HANDLE         NmrBindingHandle;
    PVOID          ProviderContext;
    const LINK_PROVIDER_DISPATCH *Provider;
    long           References;          // calls of the provider in progress
    BOOLEAN        DetachPending;       // whoever makes References 0 completes the detach
    BOOLEAN        RefreshQueued;
    PIO_WORKITEM   RefreshWorkItem;
    LINK_STATUS    LinkStatus;
    LIST_ENTRY     Files;
} LW_GLOBALS;

typedef struct LW_FILE_ {
    LIST_ENTRY     Link;                // g_Lw.Files
    volatile long  Sends;
} LW_FILE, *PLW_FILE;

TRACELOGGING_DECLARE_PROVIDER(g_LwTrace);
extern LW_GLOBALS g_Lw;

// nmr.c
NTSTATUS LwStart(VOID);
VOID LwStop(VOID);
BOOLEAN LwReference(_Out_ PVOID *ProviderContext, _Outptr_ const LINK_PROVIDER_DISPATCH **Provider);
VOID LwDereference(VOID);

// send.c
NTSTATUS LwOpen(_Outptr_ PLW_FILE *File);
NTSTATUS LwSend(_In_ PLW_FILE File, _In_ unsigned long Length);
VOID LwClose(_In_ PLW_FILE File);
LINK_SEND_COMPLETE LwSendComplete;
