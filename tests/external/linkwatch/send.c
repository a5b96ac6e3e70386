/*++

Module Name:

    send.c

Abstract:

    What other drivers call: open, send, close.

--*/

#include "precomp.h"

typedef struct LW_REQUEST_ {
    LINK_REQUEST Link;
    PLW_FILE     File;
} LW_REQUEST, *PLW_REQUEST;

NTSTATUS
LwOpen(
    _Outptr_ PLW_FILE *File
    )
{
    PLW_FILE NewFile;

    *File = NULL;
    NewFile = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*NewFile), LW_TAG_FILE);
    if (NewFile == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    LwAcquireLock(&g_Lw.Lock);
    InsertTailList(&g_Lw.Files, &NewFile->Link);
    LwReleaseLock(&g_Lw.Lock);

    *File = NewFile;
    return STATUS_SUCCESS;
}

VOID
LwClose(
    _In_ PLW_FILE File
    )
{
    LwAcquireLock(&g_Lw.Lock);
    RemoveEntryList(&File->Link);
    LwReleaseLock(&g_Lw.Lock);

    ExFreePoolWithTag(File, LW_TAG_FILE);
}

//
// Nobody waits for a request: its reference keeps the binding.
//
static
VOID
LwFinish(
    _In_ PLW_REQUEST Request
    )
{
    ExFreePoolWithTag(Request, LW_TAG_REQUEST);
    LwDereference();
}

NTSTATUS
LwSend(
    _In_ PLW_FILE File,
    _In_ unsigned long Length
    )
{
    const LINK_PROVIDER_DISPATCH *Provider;
    PVOID ProviderContext;
    PLW_REQUEST Request;
    NTSTATUS Status;

    if (Length > sizeof(Request->Link.Data)) {
        return STATUS_INVALID_PARAMETER;
    }

    Request = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Request), LW_TAG_REQUEST);
    if (Request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Request->Link.Length = Length;
    Request->File = File;

    if (!LwReference(&ProviderContext, &Provider)) {
        ExFreePoolWithTag(Request, LW_TAG_REQUEST);
        return STATUS_DEVICE_NOT_READY;
    }

    InterlockedIncrement(&File->Sends);
    Status = Provider->Send(ProviderContext, &Request->Link);
    if (Status != STATUS_PENDING) {
        LwFinish(Request);
    }
    return Status;
}

VOID
NTAPI
LwSendComplete(
    _In_ PVOID ClientContext,
    _In_ PLINK_REQUEST Request
    )
{
    UNREFERENCED_PARAMETER(ClientContext);

    LwFinish(CONTAINING_RECORD(Request, LW_REQUEST, Link));
}
