/*
 * lists.c - lists that need no lock of the caller's (SLIST), lists under a given spin lock, lookaside lists.
 */
#include "footprint.h"
#include "internal.h"

#include <string.h>

#include <ntddk.h>

/* ---- SLIST: Alignment holds the depth, Region the first entry ---------------------------------------------- */

static void begin(PSLIST_HEADER head, const void *pc)
{
    sched_point(SITE_INTERLOCKED);
    footprint_address(head, TOUCH_WRITE);
    memory_check(head, sizeof *head, false, pc);
    memory_check(head, sizeof *head, true, pc);
    race_acquire_address(head, true);
    race_release_address(head, true);
    event_emit(EV_INTERLOCKED, 0, 0, (uint64_t)(uintptr_t)head, 0, 0, pc);
}

static PSLIST_ENTRY first(PSLIST_HEADER head)
{
    return (PSLIST_ENTRY)(uintptr_t)head->Region;
}

static void put(PSLIST_HEADER head, PSLIST_ENTRY entry, ULONGLONG depth)
{
    head->Region = (uintptr_t)entry;
    head->Alignment = depth;
}

/*
 * InitializeSListHead, InterlockedPushEntrySList, InterlockedPopEntrySList, InterlockedFlushSList,
 * ExQueryDepthSList (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  atomic; push returns the former first entry, pop the one removed, flush the whole list
 *                                                                  (ExInterlockedPushEntrySList)
 */
VOID InitializeSListHead(PSLIST_HEADER SListHead)
{
    memory_use(SListHead, sizeof *SListHead, true, CALLER());
    put(SListHead, NULL, 0);
}

PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    const void *pc = CALLER();
    PSLIST_ENTRY old;

    memory_check(ListEntry, sizeof ListEntry->Next, true, pc);
    begin(ListHead, pc);
    old = first(ListHead);
    ListEntry->Next = old;
    put(ListHead, ListEntry, ListHead->Alignment + 1);
    return old;
}

PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
    const void *pc = CALLER();
    PSLIST_ENTRY entry;

    begin(ListHead, pc);
    entry = first(ListHead);
    if (entry) {
        memory_check(entry, sizeof entry->Next, false, pc);
        put(ListHead, entry->Next, ListHead->Alignment - 1);
    }
    return entry;
}

PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead)
{
    PSLIST_ENTRY entry;

    begin(ListHead, CALLER());
    entry = first(ListHead);
    put(ListHead, NULL, 0);
    return entry;
}

USHORT ExQueryDepthSList(PSLIST_HEADER SListHead)
{
    begin(SListHead, CALLER());
    return (USHORT)SListHead->Alignment;
}

/* ---- under a spin lock ------------------------------------------------------------------------------------- */

/*
 * ExInterlockedInsertHeadList, …TailList, RemoveHeadList, PushEntryList, PopEntryList, AddUlong, AddLargeInteger
 * (wdm.h)
 *
 * Caller      module; any IRQL when the lock is used for nothing else
 * Documented  the operation under the lock; insertions return the former first or last entry, NULL when the list was
 *             empty                                                (ExInterlockedInsertHeadList)
 * Our reading IRQL <= DISPATCH_LEVEL, as the lock is an ordinary one here
 */
PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(Lock);
    PLIST_ENTRY former;

    memory_use(&ListHead->Flink, sizeof ListHead->Flink, true, CALLER());
    memory_use(&ListHead->Flink->Blink, sizeof ListHead->Blink, true, CALLER());
    memory_use(ListEntry, sizeof *ListEntry, true, CALLER());
    former = IsListEmpty(ListHead) ? NULL : ListHead->Flink;
    InsertHeadList(ListHead, ListEntry);
    KeReleaseSpinLock(Lock, old);
    return former;
}

PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(Lock);
    PLIST_ENTRY former;

    memory_use(&ListHead->Blink, sizeof ListHead->Blink, true, CALLER());
    memory_use(&ListHead->Blink->Flink, sizeof ListHead->Flink, true, CALLER());
    memory_use(ListEntry, sizeof *ListEntry, true, CALLER());
    former = IsListEmpty(ListHead) ? NULL : ListHead->Blink;
    InsertTailList(ListHead, ListEntry);
    KeReleaseSpinLock(Lock, old);
    return former;
}

PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(Lock);
    PLIST_ENTRY entry = NULL;

    memory_use(ListHead, sizeof *ListHead, true, CALLER());
    if (!IsListEmpty(ListHead)) {
        memory_use(ListHead->Flink, sizeof *ListHead, true, CALLER());
        entry = RemoveHeadList(ListHead);
    }
    KeReleaseSpinLock(Lock, old);
    return entry;
}

PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
                                              PKSPIN_LOCK Lock)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(Lock);
    PSINGLE_LIST_ENTRY former;

    memory_use(ListHead, sizeof *ListHead, true, CALLER());
    former = ListHead->Next;
    memory_use(ListEntry, sizeof *ListEntry, true, CALLER());
    PushEntryList(ListHead, ListEntry);
    KeReleaseSpinLock(Lock, old);
    return former;
}

PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(Lock);
    PSINGLE_LIST_ENTRY entry;

    memory_use(ListHead, sizeof *ListHead, true, CALLER());
    entry = PopEntryList(ListHead);
    KeReleaseSpinLock(Lock, old);
    return entry;
}

ULONG ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(Lock);
    ULONG former;

    memory_use(Addend, sizeof *Addend, true, CALLER());
    former = *Addend;
    *Addend = former + Increment;
    KeReleaseSpinLock(Lock, old);
    return former;
}

LARGE_INTEGER ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment, PKSPIN_LOCK Lock)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(Lock);
    LARGE_INTEGER former;

    memory_use(Addend, sizeof *Addend, true, CALLER());
    former = *Addend;
    Addend->QuadPart = (LONGLONG)((ULONGLONG)former.QuadPart + (ULONGLONG)Increment.QuadPart);
    KeReleaseSpinLock(Lock, old);
    return former;
}

/* ---- lookaside lists --------------------------------------------------------------------------------------- */

/*
 * ExInitializeNPagedLookasideList, ExAllocateFromNPagedLookasideList, ExFreeToNPagedLookasideList,
 * ExDeleteNPagedLookasideList, and the paged and Ex forms (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for paged lists
 * Documented  entries of one size; the list must be deleted        (ExInitializeNPagedLookasideList)
 * Our reading nothing is cached: each entry is a pool block of its own, so that a use after free is seen; a
 *             list is to be deleted before its memory goes away
 */
static void initialise(GENERAL_LOOKASIDE *l, POOL_TYPE type, SIZE_T size, ULONG tag, const void *pc)
{
    irql_require_max(type & PagedPool ? LEVEL_APC : LEVEL_DISPATCH, pc);
    sync_init(l, sizeof *l, SYNC_OTHER, pc)->must_be_deleted = true;
    memset(l, 0, sizeof *l);
    l->Type = type;
    l->Size = (ULONG)size;
    l->Tag = tag;
}

/* The list, which must have been initialised and not been deleted since. */
static struct sync *lookaside(GENERAL_LOOKASIDE *l, const void *pc)
{
    struct sync *s;

    memory_check(l, sizeof *l, true, pc);
    s = sync_get(l, SYNC_OTHER);
    if (!s->must_be_deleted)
        misuse(MISUSE_NOT_INITIALISED, s->number, l, SYNC_OTHER, 0, pc);
    irql_require_max(l->Type & PagedPool ? LEVEL_APC : LEVEL_DISPATCH, pc);
    return s;
}

static void delete(GENERAL_LOOKASIDE *l, const void *pc)
{
    lookaside(l, pc)->must_be_deleted = false;
}

static PVOID from_pool(const GENERAL_LOOKASIDE *l, const void *pc)
{
    return pool_allocate(l->Size, l->Tag, l->Type & PagedPool ? ALLOC_PAGED : 0, pc);
}

#define LOOKASIDE(Kind, TYPE, pool_type)                                                                            \
    VOID ExInitialize##Kind##LookasideList(TYPE *Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,        \
                                           ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)                       \
    {                                                                                                               \
        (void)Depth;                                                                                                \
        initialise(&Lookaside->L, (POOL_TYPE)((ULONG)pool_type | Flags), Size, Tag, CALLER());                      \
        Lookaside->L.Allocate = Allocate;                                                                           \
        Lookaside->L.Free = Free;                                                                                   \
    }                                                                                                               \
    VOID ExDelete##Kind##LookasideList(TYPE *Lookaside)                                                             \
    {                                                                                                               \
        delete(&Lookaside->L, CALLER());                                                                            \
    }                                                                                                               \
    PVOID ExAllocateFrom##Kind##LookasideList(TYPE *Lookaside)                                                      \
    {                                                                                                               \
        GENERAL_LOOKASIDE *l = &Lookaside->L;                                                                       \
                                                                                                                    \
        lookaside(l, CALLER());                                                                                     \
        return l->Allocate ? l->Allocate(l->Type, l->Size, l->Tag) : from_pool(l, CALLER());                        \
    }                                                                                                               \
    VOID ExFreeTo##Kind##LookasideList(TYPE *Lookaside, PVOID Entry)                                                \
    {                                                                                                               \
        GENERAL_LOOKASIDE *l = &Lookaside->L;                                                                       \
                                                                                                                    \
        lookaside(l, CALLER());                                                                                     \
        if (l->Free)                                                                                                \
            l->Free(Entry);                                                                                         \
        else                                                                                                        \
            pool_free(Entry, l->Tag, CALLER());                                                                     \
    }

LOOKASIDE(NPaged, NPAGED_LOOKASIDE_LIST, NonPagedPoolNx)
LOOKASIDE(Paged, PAGED_LOOKASIDE_LIST, PagedPool)

NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                     PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag,
                                     USHORT Depth)
{
    (void)Flags;
    (void)Depth;
    initialise(&Lookaside->L, PoolType, Size, Tag, CALLER());
    Lookaside->L.AllocateEx = Allocate;
    Lookaside->L.FreeEx = Free;
    return STATUS_SUCCESS;
}

VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    delete(&Lookaside->L, CALLER());
}

VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    lookaside(&Lookaside->L, CALLER());
}

PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    GENERAL_LOOKASIDE *l = &Lookaside->L;

    lookaside(l, CALLER());
    return l->AllocateEx ? l->AllocateEx(l->Type, l->Size, l->Tag, Lookaside) : from_pool(l, CALLER());
}

VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry)
{
    GENERAL_LOOKASIDE *l = &Lookaside->L;

    lookaside(l, CALLER());
    if (l->FreeEx)
        l->FreeEx(Entry, Lookaside);
    else
        pool_free(Entry, l->Tag, CALLER());
}
