/*++

Module Name:

    meter.c

Abstract:

    Recording of samples, and their way to the clients.

--*/

#include "precomp.h"
#include "meter.tmh"

static IO_WORKITEM_ROUTINE FmReplayWorker;

typedef struct _FM_REPLAY {
    PIO_WORKITEM WorkItem;
    PFM_BINDING  Binding;
} FM_REPLAY, *PFM_REPLAY;

//
// The next client after Previous that is not being detached, protected; Previous is released.
//
static
PFM_BINDING
FmNextBinding(
    _In_opt_ PFM_BINDING Previous
    )
{
    PFM_BINDING Next = NULL;
    PFM_BINDING Candidate;
    PLIST_ENTRY Link;
    KIRQL OldIrql;

    KeAcquireSpinLock(&g_Fm.BindingLock, &OldIrql);
    for (Link = Previous ? Previous->Link.Flink : g_Fm.BindingList.Flink;
         Link != &g_Fm.BindingList;
         Link = Link->Flink) {

        Candidate = CONTAINING_RECORD(Link, FM_BINDING, Link);
        if (FmProtect(Candidate)) {
            Next = Candidate;
            break;
        }
    }
    KeReleaseSpinLock(&g_Fm.BindingLock, OldIrql);

    if (Previous) {
        ExReleaseRundownProtection(&Previous->Rundown);
    }
    return Next;
}

//
// Called by the packet path, on any thread.
//
_Use_decl_annotations_
NTSTATUS
NTAPI
FmRecord(
    unsigned long Tuple,
    unsigned __int64 Bytes
    )
{
    FLOW_SAMPLE Sample;
    PFM_BINDING Binding;
    NTSTATUS Status;
    KIRQL OldIrql;

    Status = ClsLookupFlow(Tuple, &Sample.FlowId);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Sample.Bytes = Bytes;

    KeAcquireSpinLock(&g_Fm.HistoryLock, &OldIrql);
    Sample.Sequence = ++g_Fm.Sequence;
    *FmHistoryEntry(Sample.Sequence) = Sample;
    KeReleaseSpinLock(&g_Fm.HistoryLock, OldIrql);

    for (Binding = FmNextBinding(NULL); Binding; Binding = FmNextBinding(Binding)) {
        Binding->ClientDispatch->Sample(Binding->ClientContext, &Sample);
    }

    DoTraceMessage(FM_DATA, "flow %lu: %I64u bytes", Sample.FlowId, Sample.Bytes);
    return STATUS_SUCCESS;
}

static
NTSTATUS
NTAPI
FmQuery(
    _In_ PVOID ProviderBindingContext,
    _In_ unsigned long FlowId,
    _Out_ PFLOW_SAMPLE Sample
    )
{
    NTSTATUS Status = STATUS_NOT_FOUND;
    unsigned long Sequence;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(ProviderBindingContext);

    KeAcquireSpinLock(&g_Fm.HistoryLock, &OldIrql);
    for (Sequence = g_Fm.Sequence; Sequence != 0 && Sequence + FM_HISTORY > g_Fm.Sequence; Sequence--) {
        if (FmHistoryEntry(Sequence)->FlowId == FlowId) {
            *Sample = *FmHistoryEntry(Sequence);
            Status = STATUS_SUCCESS;
            break;
        }
    }
    KeReleaseSpinLock(&g_Fm.HistoryLock, OldIrql);
    return Status;
}

static
NTSTATUS
NTAPI
FmReplay(
    _In_ PVOID ProviderBindingContext
    )
{
    PFM_BINDING Binding = ProviderBindingContext;
    PFM_REPLAY Replay;
    NTSTATUS Status;

    if (!FmProtect(Binding)) {
        return STATUS_DELETE_PENDING;
    }

    Replay = (PFM_REPLAY)ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(FM_REPLAY), FM_TAG_REPLAY);
    if (!Replay) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Fail;
    }

    Replay->Binding = Binding;
    Replay->WorkItem = IoAllocateWorkItem(g_Fm.DeviceObject);
    if (!Replay->WorkItem) {
        ExFreePoolWithTag(Replay, FM_TAG_REPLAY);
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Fail;
    }

    IoQueueWorkItem(Replay->WorkItem, FmReplayWorker, DelayedWorkQueue, Replay);
    return STATUS_SUCCESS;

Fail:

    ExReleaseRundownProtection(&Binding->Rundown);
    return Status;
}

//
// Runs with the protection that FmReplay acquired.  A detach may have begun since.
//
_Use_decl_annotations_
static
VOID
FmReplayWorker(
    PDEVICE_OBJECT DeviceObject,
    PVOID Context
    )
{
    PFM_REPLAY Replay = Context;
    PFM_BINDING Binding = Replay->Binding;
    unsigned long First;
    FLOW_SAMPLE Sample;
    KIRQL OldIrql;
    long Index;

    UNREFERENCED_PARAMETER(DeviceObject);

    KeAcquireSpinLock(&g_Fm.HistoryLock, &OldIrql);
    First = g_Fm.Sequence;
    KeReleaseSpinLock(&g_Fm.HistoryLock, OldIrql);

    for (Index = 0; Index < FM_REPLAYED && (long)First - Index > 0; Index++) {
        if (InterlockedCompareExchange(&Binding->Detaching, 0, 0)) {
            break;
        }
        KeAcquireSpinLock(&g_Fm.HistoryLock, &OldIrql);
        Sample = *FmHistoryEntry(First - Index);
        KeReleaseSpinLock(&g_Fm.HistoryLock, OldIrql);
        Binding->ClientDispatch->Sample(Binding->ClientContext, &Sample);
    }

    IoFreeWorkItem(Replay->WorkItem);
    ExFreePoolWithTag(Replay, FM_TAG_REPLAY);
    ExReleaseRundownProtection(&Binding->Rundown);
}

const FLOW_PROVIDER_DISPATCH FmProviderDispatch = {
    FLOW_NPI_VERSION,
    FmQuery,
    FmReplay
};
