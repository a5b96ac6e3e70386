/*++

    Races.c

    Small pieces of driver code, each written twice: one with a data race or a lock-order inversion, one without.

    Each ENTRY is run by two threads at once, number 0 and number 1, in a driver of its own: nothing else runs in that
    execution.  An entry whose name begins with Racy or Inverted has exactly one mistake; its twin, Ordered, does the
    same right.

--*/

#include <ntddk.h>

#define POOL_TAG 'ecaR'
#define ENTRY(Name) NTSTATUS NTAPI Name(ULONG Thread)

typedef struct BLOCK_ {
    LONG Message;
    LONG References;
    UCHAR Bytes[8];
    UCHAR Low : 4;
    UCHAR High : 4;
    UCHAR Whole[2];
    LONG Parts[4];
} BLOCK, *PBLOCK;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;

static PDEVICE_OBJECT Device;
static PIO_WORKITEM WorkItem;
static KSPIN_LOCK LockA, LockB;
static EX_SPIN_LOCK ReaderWriterLock;
static EX_PUSH_LOCK PushLock;
static ERESOURCE Resource;
static FAST_MUTEX FastMutex;
static EX_RUNDOWN_REF Rundown;
static KEVENT Ready;
static KDPC Dpc;
static KTIMER Timer;
static LIST_ENTRY List;
static LIST_ENTRY Entries[2];

static PBLOCK Block;                // In the pool, for all of them
static PBLOCK Published;            // The same, or NULL
static PBLOCK Once;                 // Made by the first who wants it
static LONG Global;
static LONG Flag;
static volatile LONG VolatileFlag;

static KDEFERRED_ROUTINE DpcWrites;
static IO_WORKITEM_ROUTINE WorkItemWrites;
static KSTART_ROUTINE ThreadWrites;

static VOID Lock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql) { KeAcquireSpinLock(SpinLock, OldIrql); }
static VOID Unlock(PKSPIN_LOCK SpinLock, KIRQL OldIrql) { KeReleaseSpinLock(SpinLock, OldIrql); }

static LONG AddUnder(PKSPIN_LOCK SpinLock, PLONG Counter)
{
    KIRQL OldIrql;
    LONG Value;

    Lock(SpinLock, &OldIrql);
    Value = ++*Counter;
    Unlock(SpinLock, OldIrql);
    return Value;
}

static VOID DpcWrites(PKDPC ThisDpc, PVOID Context, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(ThisDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    Block->Message++;
    KeSetEvent(&Ready, IO_NO_INCREMENT, FALSE);
}

static VOID WorkItemWrites(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    Block->Message++;
    KeSetEvent(&Ready, IO_NO_INCREMENT, FALSE);
}

static VOID ThreadWrites(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Block->Message++;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID WaitForReady(VOID)
{
    KeWaitForSingleObject(&Ready, Executive, KernelMode, FALSE, NULL);
}

//
// Locks.
//

ENTRY(RacyCounter) { UNREFERENCED_PARAMETER(Thread); return ++Global; }
ENTRY(OrderedCounter) { UNREFERENCED_PARAMETER(Thread); return AddUnder(&LockA, &Global); }

ENTRY(RacyPoolCounter) { UNREFERENCED_PARAMETER(Thread); return ++Block->References; }
ENTRY(OrderedPoolCounter) { UNREFERENCED_PARAMETER(Thread); return AddUnder(&LockA, &Block->References); }

ENTRY(RacyOtherLock) { return AddUnder(Thread == 0 ? &LockA : &LockB, &Global); }
ENTRY(OrderedOtherLock) { return AddUnder(Thread == 0 ? &LockA : &LockA, &Global); }

ENTRY(RacyReadWithoutLock) { return Thread == 0 ? AddUnder(&LockA, &Global) : Global; }
ENTRY(OrderedReadWithoutLock)
{
    KIRQL OldIrql;
    LONG Value;

    if (Thread == 0) {
        return AddUnder(&LockA, &Global);
    }
    Lock(&LockA, &OldIrql);
    Value = Global;
    Unlock(&LockA, OldIrql);
    return Value;
}

ENTRY(RacyUnlockTooEarly)
{
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(Thread);
    Lock(&LockA, &OldIrql);
    Block->Parts[0]++;
    Unlock(&LockA, OldIrql);
    return Block->Parts[1]++;
}
ENTRY(OrderedUnlockTooEarly)
{
    KIRQL OldIrql;
    LONG Value;

    UNREFERENCED_PARAMETER(Thread);
    Lock(&LockA, &OldIrql);
    Block->Parts[0]++;
    Value = Block->Parts[1]++;
    Unlock(&LockA, OldIrql);
    return Value;
}

ENTRY(RacyFastMutex)
{
    LONG Value = Block->Message;

    UNREFERENCED_PARAMETER(Thread);
    ExAcquireFastMutex(&FastMutex);
    Block->Message = Value + 1;
    ExReleaseFastMutex(&FastMutex);
    return Value;
}
ENTRY(OrderedFastMutex)
{
    LONG Value;

    UNREFERENCED_PARAMETER(Thread);
    ExAcquireFastMutex(&FastMutex);
    Value = Block->Message;
    Block->Message = Value + 1;
    ExReleaseFastMutex(&FastMutex);
    return Value;
}

ENTRY(RacySharedSpinLock)
{
    KIRQL OldIrql = ExAcquireSpinLockShared(&ReaderWriterLock);

    UNREFERENCED_PARAMETER(Thread);
    Global++;
    ExReleaseSpinLockShared(&ReaderWriterLock, OldIrql);
    return STATUS_SUCCESS;
}
ENTRY(OrderedSharedSpinLock)
{
    KIRQL OldIrql = ExAcquireSpinLockExclusive(&ReaderWriterLock);

    UNREFERENCED_PARAMETER(Thread);
    Global++;
    ExReleaseSpinLockExclusive(&ReaderWriterLock, OldIrql);
    return STATUS_SUCCESS;
}

static LONG PushLocked(BOOLEAN Shared, BOOLEAN Write)
{
    LONG Value;

    KeEnterCriticalRegion();
    if (Shared) {
        ExAcquirePushLockShared(&PushLock);
    } else {
        ExAcquirePushLockExclusive(&PushLock);
    }
    Value = Block->Message;
    if (Write) {
        Block->Message = Value + 1;
    }
    if (Shared) {
        ExReleasePushLockShared(&PushLock);
    } else {
        ExReleasePushLockExclusive(&PushLock);
    }
    KeLeaveCriticalRegion();
    return Value;
}

ENTRY(RacySharedPushLock) { return PushLocked(TRUE, Thread == 0); }
ENTRY(OrderedSharedPushLock) { return PushLocked(Thread != 0, Thread == 0); }

static LONG WriteUnderResource(BOOLEAN Shared)
{
    KeEnterCriticalRegion();
    if (Shared) {
        ExAcquireResourceSharedLite(&Resource, TRUE);
    } else {
        ExAcquireResourceExclusiveLite(&Resource, TRUE);
    }
    Block->Message++;
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    return STATUS_SUCCESS;
}

ENTRY(RacySharedResource) { UNREFERENCED_PARAMETER(Thread); return WriteUnderResource(TRUE); }
ENTRY(OrderedSharedResource) { UNREFERENCED_PARAMETER(Thread); return WriteUnderResource(FALSE); }

ENTRY(RacyList)
{
    InsertTailList(&List, &Entries[Thread]);
    return STATUS_SUCCESS;
}
ENTRY(OrderedList)
{
    KIRQL OldIrql;

    Lock(&LockA, &OldIrql);
    InsertTailList(&List, &Entries[Thread]);
    Unlock(&LockA, OldIrql);
    return STATUS_SUCCESS;
}

ENTRY(RacyListWalk)
{
    if (Thread == 0) {
        ExInterlockedInsertTailList(&List, &Entries[0], &LockA);
        return STATUS_SUCCESS;
    }
    return IsListEmpty(&List);
}
ENTRY(OrderedListWalk)
{
    KIRQL OldIrql;
    BOOLEAN Empty;

    if (Thread == 0) {
        ExInterlockedInsertTailList(&List, &Entries[0], &LockA);
        return STATUS_SUCCESS;
    }
    Lock(&LockA, &OldIrql);
    Empty = IsListEmpty(&List);
    Unlock(&LockA, OldIrql);
    return Empty;
}

//
// A message and a flag.
//

ENTRY(RacyFlag)
{
    if (Thread == 0) {
        Block->Message = 1;
        Flag = 1;
        return STATUS_SUCCESS;
    }
    return Flag ? Block->Message : 1;
}
ENTRY(OrderedFlag)
{
    if (Thread == 0) {
        Block->Message = 1;
        WriteRelease(&Flag, 1);
        return STATUS_SUCCESS;
    }
    return ReadAcquire(&Flag) ? Block->Message : 1;
}

//
// A volatile store releases what was written before it.
//
ENTRY(RacyVolatileFlag)
{
    if (Thread == 0) {
        VolatileFlag = 1;
        Block->Message = 1;
        return STATUS_SUCCESS;
    }
    return VolatileFlag ? Block->Message : 1;
}
ENTRY(OrderedVolatileFlag)
{
    if (Thread == 0) {
        Block->Message = 1;
        VolatileFlag = 1;
        return STATUS_SUCCESS;
    }
    return VolatileFlag ? Block->Message : 1;
}

//
// Who waits for the flag comes after what was written before it.
//
ENTRY(RacyAwaitedFlag)
{
    if (Thread == 0) {
        VolatileFlag = 1;
        Block->Message = 1;
        return STATUS_SUCCESS;
    }
    while (!VolatileFlag)
        YieldProcessor();
    return Block->Message;
}
ENTRY(OrderedAwaitedFlag)
{
    if (Thread == 0) {
        Block->Message = 1;
        VolatileFlag = 1;
        return STATUS_SUCCESS;
    }
    while (!VolatileFlag)
        YieldProcessor();
    return Block->Message;
}

ENTRY(RacyNoFence)
{
    if (Thread == 0) {
        Block->Message = 1;
        WriteNoFence(&Flag, 1);
        return STATUS_SUCCESS;
    }
    return ReadNoFence(&Flag) ? Block->Message : 1;
}
ENTRY(OrderedNoFence)
{
    if (Thread == 0) {
        Block->Message = 1;
        KeMemoryBarrier();
        WriteNoFence(&Flag, 1);
        return STATUS_SUCCESS;
    }
    if (!ReadNoFence(&Flag)) {
        return 1;
    }
    KeMemoryBarrier();
    return Block->Message;
}

ENTRY(RacyReadNoFence)
{
    if (Thread == 0) {
        Block->Message = 1;
        WriteRelease(&Flag, 1);
        return STATUS_SUCCESS;
    }
    return ReadNoFence(&Flag) ? Block->Message : 1;
}
ENTRY(OrderedReadNoFence)
{
    if (Thread == 0) {
        Block->Message = 1;
        WriteRelease(&Flag, 1);
        return STATUS_SUCCESS;
    }
    if (!ReadNoFence(&Flag)) {
        return 1;
    }
    return ReadAcquire(&Flag) ? Block->Message : 1;
}

ENTRY(RacyPointerNoFence)
{
    PBLOCK Seen;

    if (Thread == 0) {
        Block->Message = 1;
        WritePointerNoFence((PVOID volatile *)&Published, Block);
        return STATUS_SUCCESS;
    }
    Seen = ReadPointerAcquire((PVOID volatile *)&Published);
    return Seen != NULL ? Seen->Message : 1;
}
ENTRY(OrderedPointerNoFence)
{
    PBLOCK Seen;

    if (Thread == 0) {
        Block->Message = 1;
        WritePointerRelease((PVOID volatile *)&Published, Block);
        return STATUS_SUCCESS;
    }
    Seen = ReadPointerAcquire((PVOID volatile *)&Published);
    return Seen != NULL ? Seen->Message : 1;
}

ENTRY(RacyWrittenAfterFlag)
{
    if (Thread == 0) {
        WriteRelease(&Flag, 1);
        Block->Message = 1;
        return STATUS_SUCCESS;
    }
    return ReadAcquire(&Flag) ? Block->Message : 1;
}
ENTRY(OrderedWrittenAfterFlag)
{
    if (Thread == 0) {
        Block->Message = 1;
        WriteRelease(&Flag, 1);
        return STATUS_SUCCESS;
    }
    return ReadAcquire(&Flag) ? Block->Message : 1;
}

static LONG Initialise(VOID)
{
    KIRQL OldIrql;

    Lock(&LockA, &OldIrql);
    if (!Flag) {
        Block->Message = 1;
        WriteRelease(&Flag, 1);
    }
    Unlock(&LockA, OldIrql);
    return Block->Message;
}

ENTRY(RacyDoubleChecked)
{
    UNREFERENCED_PARAMETER(Thread);
    return ReadNoFence(&Flag) ? Block->Message : Initialise();
}
ENTRY(OrderedDoubleChecked)
{
    UNREFERENCED_PARAMETER(Thread);
    return ReadAcquire(&Flag) ? Block->Message : Initialise();
}

//
// Interlocked operations.
//

ENTRY(RacyReferences) { UNREFERENCED_PARAMETER(Thread); return --Block->References == 0; }
ENTRY(OrderedReferences) { UNREFERENCED_PARAMETER(Thread); return InterlockedDecrement(&Block->References) == 0; }

ENTRY(RacyHalfInterlocked) { return Thread == 0 ? InterlockedIncrement(&Global) : ++Global; }
ENTRY(OrderedHalfInterlocked) { return Thread == 0 ? InterlockedIncrement(&Global) : InterlockedIncrement(&Global); }

ENTRY(RacyFlagBits)
{
    if (Thread == 0) {
        return InterlockedOr(&Block->References, 1);
    }
    Block->References |= 2;
    return STATUS_SUCCESS;
}
ENTRY(OrderedFlagBits)
{
    if (Thread == 0) {
        return InterlockedOr(&Block->References, 1);
    }
    return InterlockedOr(&Block->References, 2);
}

ENTRY(RacyOwnLock)
{
    UNREFERENCED_PARAMETER(Thread);
    if (VolatileFlag) {
        return STATUS_DEVICE_BUSY;
    }
    VolatileFlag = 1;
    Block->Message++;
    VolatileFlag = 0;
    return STATUS_SUCCESS;
}
ENTRY(OrderedOwnLock)
{
    UNREFERENCED_PARAMETER(Thread);
    if (InterlockedCompareExchange(&VolatileFlag, 1, 0)) {
        return STATUS_DEVICE_BUSY;
    }
    Block->Message++;
    WriteRelease(&VolatileFlag, 0);
    return STATUS_SUCCESS;
}

//
// Hand-over.
//

ENTRY(RacyEvent)
{
    if (Thread == 0) {
        KeSetEvent(&Ready, IO_NO_INCREMENT, FALSE);
        Block->Message = 1;
        return STATUS_SUCCESS;
    }
    WaitForReady();
    return Block->Message;
}
ENTRY(OrderedEvent)
{
    if (Thread == 0) {
        Block->Message = 1;
        KeSetEvent(&Ready, IO_NO_INCREMENT, FALSE);
        return STATUS_SUCCESS;
    }
    WaitForReady();
    return Block->Message;
}

static LONG WriteAfterRundown(VOID)
{
    ExWaitForRundownProtectionRelease(&Rundown);
    Block->Message = 2;
    return STATUS_SUCCESS;
}

ENTRY(RacyRundown)
{
    LONG Value;

    if (Thread == 0) {
        return WriteAfterRundown();
    }
    if (!ExAcquireRundownProtection(&Rundown)) {
        return STATUS_DELETE_PENDING;
    }
    ExReleaseRundownProtection(&Rundown);
    Value = Block->Message;
    return Value;
}
ENTRY(OrderedRundown)
{
    LONG Value;

    if (Thread == 0) {
        return WriteAfterRundown();
    }
    if (!ExAcquireRundownProtection(&Rundown)) {
        return STATUS_DELETE_PENDING;
    }
    Value = Block->Message;
    ExReleaseRundownProtection(&Rundown);
    return Value;
}

ENTRY(RacyWorkItemQueued)
{
    if (Thread == 0) {
        IoQueueWorkItem(WorkItem, WorkItemWrites, DelayedWorkQueue, NULL);
        Block->Message = 1;
        WaitForReady();
    }
    return STATUS_SUCCESS;
}
ENTRY(OrderedWorkItemQueued)
{
    if (Thread == 0) {
        Block->Message = 1;
        IoQueueWorkItem(WorkItem, WorkItemWrites, DelayedWorkQueue, NULL);
        WaitForReady();
    }
    return STATUS_SUCCESS;
}

ENTRY(RacyWorkItemResult)
{
    LONG Value;

    if (Thread != 0) {
        return STATUS_SUCCESS;
    }
    IoQueueWorkItem(WorkItem, WorkItemWrites, DelayedWorkQueue, NULL);
    Value = Block->Message;
    WaitForReady();
    return Value;
}
ENTRY(OrderedWorkItemResult)
{
    if (Thread != 0) {
        return STATUS_SUCCESS;
    }
    IoQueueWorkItem(WorkItem, WorkItemWrites, DelayedWorkQueue, NULL);
    WaitForReady();
    return Block->Message;
}

ENTRY(RacyDpcQueued)
{
    if (Thread == 0) {
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        Block->Message = 1;
    }
    return STATUS_SUCCESS;
}
ENTRY(OrderedDpcQueued)
{
    if (Thread == 0) {
        Block->Message = 1;
        KeInsertQueueDpc(&Dpc, NULL, NULL);
    }
    return STATUS_SUCCESS;
}

ENTRY(RacyDpcResult)
{
    if (Thread != 0) {
        return STATUS_SUCCESS;
    }
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    return Block->Message;
}
ENTRY(OrderedDpcResult)
{
    if (Thread != 0) {
        return STATUS_SUCCESS;
    }
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    return Block->Message;
}

static VOID StartTimer(VOID)
{
    LARGE_INTEGER Due;

    Due.QuadPart = -10000;
    KeSetTimer(&Timer, Due, &Dpc);
}

ENTRY(RacyTimer)
{
    if (Thread == 0) {
        StartTimer();
        Block->Message = 1;
        WaitForReady();
    }
    return STATUS_SUCCESS;
}
ENTRY(OrderedTimer)
{
    if (Thread == 0) {
        Block->Message = 1;
        StartTimer();
        WaitForReady();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS RunThread(BOOLEAN Wait)
{
    HANDLE Handle;
    PVOID Object;
    NTSTATUS Status;

    Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadWrites, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Object, NULL);
    ZwClose(Handle);
    if (!Wait) {
        Status = Block->Message;
    }
    KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Object);
    return Wait ? Block->Message : Status;
}

ENTRY(RacyThread) { return Thread == 0 ? RunThread(FALSE) : STATUS_SUCCESS; }
ENTRY(OrderedThread) { return Thread == 0 ? RunThread(TRUE) : STATUS_SUCCESS; }

static PBLOCK Take(VOID)
{
    PBLOCK Taken;
    KIRQL OldIrql;

    Lock(&LockA, &OldIrql);
    Taken = Published;
    Published = NULL;
    Unlock(&LockA, OldIrql);
    return Taken;
}

static NTSTATUS MakeAndFree(VOID)
{
    PBLOCK Fresh = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(BLOCK), POOL_TAG);
    KIRQL OldIrql;

    if (Fresh == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Lock(&LockA, &OldIrql);
    Published = Fresh;
    Unlock(&LockA, OldIrql);
    ExFreePoolWithTag(Take(), POOL_TAG);
    return STATUS_SUCCESS;
}

ENTRY(RacyFree)
{
    PBLOCK Seen;
    KIRQL OldIrql;

    if (Thread == 0) {
        return MakeAndFree();
    }
    Lock(&LockA, &OldIrql);
    Seen = Published;
    Unlock(&LockA, OldIrql);
    return Seen != NULL ? Seen->Message : STATUS_SUCCESS;
}
ENTRY(OrderedFree)
{
    LONG Value = 0;
    KIRQL OldIrql;

    if (Thread == 0) {
        return MakeAndFree();
    }
    Lock(&LockA, &OldIrql);
    if (Published != NULL) {
        Value = Published->Message;
    }
    Unlock(&LockA, OldIrql);
    return Value;
}

static NTSTATUS MakeOnce(VOID)
{
    if (Once == NULL) {
        Once = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(BLOCK), POOL_TAG);
    }
    return Once != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

ENTRY(RacyMadeOnce) { UNREFERENCED_PARAMETER(Thread); return MakeOnce(); }
ENTRY(OrderedMadeOnce)
{
    KIRQL OldIrql;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Thread);
    Lock(&LockA, &OldIrql);
    Status = MakeOnce();
    Unlock(&LockA, OldIrql);
    return Status;
}

//
// Neighbours.
//

ENTRY(RacyByte) { UNREFERENCED_PARAMETER(Thread); Block->Bytes[3]++; return STATUS_SUCCESS; }
ENTRY(OrderedByte) { Block->Bytes[3 + Thread]++; return STATUS_SUCCESS; }

ENTRY(RacyBits)
{
    if (Thread == 0) {
        Block->Low = 1;
    } else {
        Block->High = 1;
    }
    return STATUS_SUCCESS;
}
ENTRY(OrderedBits) { Block->Whole[Thread] = 1; return STATUS_SUCCESS; }

ENTRY(RacyClear)
{
    if (Thread == 0) {
        RtlZeroMemory(Block->Parts, sizeof(Block->Parts));
    } else {
        Block->Parts[3] = 1;
    }
    return STATUS_SUCCESS;
}
ENTRY(OrderedClear)
{
    if (Thread == 0) {
        RtlZeroMemory(Block->Parts, sizeof(Block->Parts) - sizeof(LONG));
    } else {
        Block->Parts[3] = 1;
    }
    return STATUS_SUCCESS;
}

ENTRY(RacyCopy)
{
    BLOCK Copy;
    KIRQL OldIrql;

    if (Thread == 0) {
        return AddUnder(&LockA, &Block->Parts[2]);
    }
    RtlCopyMemory(&Copy, Block, sizeof(Copy));
    Lock(&LockA, &OldIrql);
    Global = Copy.Parts[2];
    Unlock(&LockA, OldIrql);
    return STATUS_SUCCESS;
}
ENTRY(OrderedCopy)
{
    BLOCK Copy;
    KIRQL OldIrql;

    if (Thread == 0) {
        return AddUnder(&LockA, &Block->Parts[2]);
    }
    Lock(&LockA, &OldIrql);
    RtlCopyMemory(&Copy, Block, sizeof(Copy));
    Global = Copy.Parts[2];
    Unlock(&LockA, OldIrql);
    return STATUS_SUCCESS;
}

//
// Two locks.
//

static VOID Both(PKSPIN_LOCK First, PKSPIN_LOCK Second)
{
    KIRQL OldIrql;

    Lock(First, &OldIrql);
    KeAcquireSpinLockAtDpcLevel(Second);
    Global++;
    KeReleaseSpinLockFromDpcLevel(Second);
    Unlock(First, OldIrql);
}

ENTRY(InvertedLocks)
{
    Both(Thread == 0 ? &LockA : &LockB, Thread == 0 ? &LockB : &LockA);
    return STATUS_SUCCESS;
}
ENTRY(OrderedLocks)
{
    UNREFERENCED_PARAMETER(Thread);
    Both(&LockA, &LockB);
    return STATUS_SUCCESS;
}

static VOID BothShared(PKSPIN_LOCK SpinLock, BOOLEAN Exclusive)
{
    KIRQL OldIrql;

    if (Exclusive) {
        OldIrql = ExAcquireSpinLockExclusive(&ReaderWriterLock);
        KeAcquireSpinLockAtDpcLevel(SpinLock);
        KeReleaseSpinLockFromDpcLevel(SpinLock);
        ExReleaseSpinLockExclusive(&ReaderWriterLock, OldIrql);
    } else {
        OldIrql = ExAcquireSpinLockShared(&ReaderWriterLock);
        KeAcquireSpinLockAtDpcLevel(SpinLock);
        KeReleaseSpinLockFromDpcLevel(SpinLock);
        ExReleaseSpinLockShared(&ReaderWriterLock, OldIrql);
    }
}

static NTSTATUS LockThenRead(BOOLEAN Exclusive, ULONG Thread)
{
    KIRQL OldIrql;

    if (Thread == 0) {
        BothShared(&LockA, Exclusive);
        return STATUS_SUCCESS;
    }
    Lock(&LockA, &OldIrql);
    ExAcquireSpinLockSharedAtDpcLevel(&ReaderWriterLock);
    ExReleaseSpinLockSharedFromDpcLevel(&ReaderWriterLock);
    Unlock(&LockA, OldIrql);
    return STATUS_SUCCESS;
}

ENTRY(InvertedReaders) { return LockThenRead(TRUE, Thread); }
ENTRY(OrderedReaders) { return LockThenRead(FALSE, Thread); }

static NTSTATUS InvertedBehind(BOOLEAN Gate, ULONG Thread)
{
    PKSPIN_LOCK First = Thread == 0 ? &LockA : &LockB;
    PKSPIN_LOCK Second = Thread == 0 ? &LockB : &LockA;

    if (Gate) {
        ExAcquireFastMutex(&FastMutex);
    }
    Both(First, Second);
    if (Gate) {
        ExReleaseFastMutex(&FastMutex);
    }
    return STATUS_SUCCESS;
}

ENTRY(InvertedWithoutGate) { return InvertedBehind(FALSE, Thread); }
ENTRY(OrderedWithoutGate) { return InvertedBehind(TRUE, Thread); }

ENTRY(InvertedNoTry)
{
    Both(Thread == 0 ? &LockA : &LockB, Thread == 0 ? &LockB : &LockA);
    return STATUS_SUCCESS;
}
ENTRY(OrderedNoTry)
{
    KIRQL OldIrql;

    if (Thread == 0) {
        Both(&LockA, &LockB);
        return STATUS_SUCCESS;
    }
    Lock(&LockB, &OldIrql);
    if (KeTryToAcquireSpinLockAtDpcLevel(&LockA)) {
        KeReleaseSpinLockFromDpcLevel(&LockA);
    }
    Unlock(&LockB, OldIrql);
    return STATUS_SUCCESS;
}

static VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeCancelTimer(&Timer);
    KeFlushQueuedDpcs();
    ExDeleteResourceLite(&Resource);
    IoFreeWorkItem(WorkItem);
    IoDeleteDevice(Device);
    if (Once != NULL) {
        ExFreePoolWithTag(Once, POOL_TAG);
    }
    ExFreePoolWithTag(Block, POOL_TAG);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    WorkItem = IoAllocateWorkItem(Device);
    Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(BLOCK), POOL_TAG);
    if (WorkItem == NULL || Block == NULL) {
        if (WorkItem != NULL) {
            IoFreeWorkItem(WorkItem);
        }
        if (Block != NULL) {
            ExFreePoolWithTag(Block, POOL_TAG);
        }
        IoDeleteDevice(Device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeSpinLock(&LockA);
    KeInitializeSpinLock(&LockB);
    ExInitializePushLock(&PushLock);
    ExInitializeResourceLite(&Resource);
    ExInitializeFastMutex(&FastMutex);
    ExInitializeRundownProtection(&Rundown);
    KeInitializeEvent(&Ready, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, DpcWrites, NULL);
    KeInitializeTimer(&Timer);
    InitializeListHead(&List);
    Block->References = 2;
    DriverObject->DriverUnload = DriverUnload;
    return STATUS_SUCCESS;
}
