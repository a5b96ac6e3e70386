/*
 * spinlock.c - KSPIN_LOCK and EX_SPIN_LOCK.
 *
 * A thread that waits for a spin lock is one that the scheduler cannot choose.  The bytes of the
 * lock stay zero: drivers do not look at them.
 */
#include "internal.h"

#include <ntddk.h>

static void acquire(const void *lock, enum lock_kind kind, unsigned site, size_t size, const void *pc)
{
    enum lock_kind family = kind == LOCK_EX_SHARED ? LOCK_EX_EXCLUSIVE : kind;
    struct sync *s;

    memory_check(lock, size, true, pc);
    s = sync_get(lock, family);
    sync_require_zero(s, size, pc);
    sync_take(s, kind, site, size, pc);
    thread_state()->spins++;
    if (irql_get() < LEVEL_DISPATCH)
        irql_assign(LEVEL_DISPATCH);
    event_emit(EV_LOCK_ACQUIRE, s->number, (int64_t)kind, (uint64_t)(uintptr_t)lock, 0, 0, pc);
}

/* Documented: at IRQL <= DISPATCH_LEVEL; returns the level to restore. */
static KIRQL acquire_raise(const void *lock, enum lock_kind kind, unsigned site, size_t size, const void *pc)
{
    unsigned old = irql_get();

    irql_require_max(LEVEL_DISPATCH, pc);
    acquire(lock, kind, site, size, pc);
    return (KIRQL)old;
}

static void acquire_at_dispatch(const void *lock, enum lock_kind kind, unsigned site, size_t size, const void *pc)
{
    irql_require_min(LEVEL_DISPATCH, pc);
    acquire(lock, kind, site, size, pc);
}

static bool release(const void *lock, enum lock_kind kind, size_t size, const void *pc)
{
    enum lock_kind family = kind == LOCK_EX_SHARED ? LOCK_EX_EXCLUSIVE : kind;

    memory_check(lock, size, true, pc);
    irql_require_min(LEVEL_DISPATCH, pc);
    if (!sync_give(sync_get(lock, family), kind, pc))
        return false;
    thread_state()->spins--;
    return true;
}

/* Our reading: a level below DISPATCH_LEVEL while another spin lock is held is as wrong as lowering it there. */
static void restore(unsigned old, const void *pc)
{
    if (old > irql_get())
        misuse(MISUSE_IRQL_TOO_LOW, NONE, NULL, irql_get(), old, pc);
    else if (old < LEVEL_DISPATCH && thread_state()->spins)
        misuse(MISUSE_IRQL_TOO_LOW, NONE, NULL, old, LEVEL_DISPATCH, pc);
    irql_assign(old);
}

/*
 * KeInitializeSpinLock (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  to be called before the first use                       (KeInitializeSpinLock)
 * Our reading a lock of zero bytes is an initialised one, as it is in Windows; other bytes are not
 */
VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    *SpinLock = 0;
    sync_init(SpinLock, sizeof *SpinLock, LOCK_SPIN, CALLER());
}

/*
 * KeAcquireSpinLock, KeReleaseSpinLock and their …DpcLevel and …Raise… forms (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL; the …DpcLevel forms at >= DISPATCH_LEVEL
 * Documented  raises to DISPATCH_LEVEL and returns the old level, which the release restores; not
 *             recursive; released at DISPATCH_LEVEL                     (KeAcquireSpinLock)
 * Our reading the scheduling point lies before the attempt and at the caller's IRQL; a release is none
 */
unsigned char spinlock_acquire(void *lock, const void *pc)
{
    return acquire_raise(lock, LOCK_SPIN, SITE_KE_ACQUIRE_SPIN_LOCK, sizeof(KSPIN_LOCK), pc);
}

void spinlock_release(void *lock, unsigned char old, const void *pc)
{
    if (release(lock, LOCK_SPIN, sizeof(KSPIN_LOCK), pc))
        restore(old, pc);
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    return spinlock_acquire(SpinLock, CALLER());
}

VOID KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql)
{
    const void *pc = CALLER();
    KIRQL old = acquire_raise(SpinLock, LOCK_SPIN, SITE_KE_ACQUIRE_SPIN_LOCK, sizeof *SpinLock, pc);

    memory_use(OldIrql, sizeof *OldIrql, true, pc);
    *OldIrql = old;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    spinlock_release(SpinLock, NewIrql, CALLER());
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    acquire_at_dispatch(SpinLock, LOCK_SPIN, SITE_KE_ACQUIRE_SPIN_LOCK, sizeof *SpinLock, CALLER());
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    release(SpinLock, LOCK_SPIN, sizeof *SpinLock, CALLER());
}

/*
 * ExAcquireSpinLockExclusive, …Shared and their releases (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL; the …AtDpcLevel forms at >= DISPATCH_LEVEL
 * Documented  the lock starts as zero; many readers or one writer; not recursive
 *                                                                 (ExAcquireSpinLockExclusive)
 * Our reading a reader may take the lock again while no writer holds it
 */
KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    return acquire_raise((const void *)SpinLock, LOCK_EX_EXCLUSIVE, SITE_EX_ACQUIRE_SPIN_LOCK, sizeof *SpinLock,
                         CALLER());
}

KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
    return acquire_raise((const void *)SpinLock, LOCK_EX_SHARED, SITE_EX_ACQUIRE_SPIN_LOCK, sizeof *SpinLock,
                         CALLER());
}

VOID ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    const void *pc = CALLER();

    if (release((const void *)SpinLock, LOCK_EX_EXCLUSIVE, sizeof *SpinLock, pc))
        restore(OldIrql, pc);
}

VOID ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    const void *pc = CALLER();

    if (release((const void *)SpinLock, LOCK_EX_SHARED, sizeof *SpinLock, pc))
        restore(OldIrql, pc);
}

VOID ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    acquire_at_dispatch((const void *)SpinLock, LOCK_EX_EXCLUSIVE, SITE_EX_ACQUIRE_SPIN_LOCK, sizeof *SpinLock,
                        CALLER());
}

VOID ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    acquire_at_dispatch((const void *)SpinLock, LOCK_EX_SHARED, SITE_EX_ACQUIRE_SPIN_LOCK, sizeof *SpinLock,
                        CALLER());
}

VOID ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    release((const void *)SpinLock, LOCK_EX_EXCLUSIVE, sizeof *SpinLock, CALLER());
}

VOID ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    release((const void *)SpinLock, LOCK_EX_SHARED, sizeof *SpinLock, CALLER());
}

/* A reader becomes the writer when it is the only reader; no scheduling point of its own: it holds the lock. */
LOGICAL ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    const void *pc = CALLER();
    struct sync *s;

    memory_check(SpinLock, sizeof *SpinLock, true, pc);
    irql_require_min(LEVEL_DISPATCH, pc);
    s = sync_get(SpinLock, LOCK_EX_EXCLUSIVE);
    if (s->reader_count != 1)
        return FALSE;
    if (!sync_give(s, LOCK_EX_SHARED, pc))
        return FALSE;
    sync_try(s, LOCK_EX_EXCLUSIVE);
    event_emit(EV_LOCK_ACQUIRE, s->number, LOCK_EX_EXCLUSIVE, (uint64_t)(uintptr_t)SpinLock, 0, 1, pc);
    return TRUE;
}

/*
 * KeTryToAcquireSpinLockAtDpcLevel, KeTestSpinLock (wdm.h)
 *
 * Caller      module, IRQL >= DISPATCH_LEVEL
 * Documented  FALSE when the lock is held; KeTestSpinLock: TRUE when it is free     (KeTestSpinLock)
 */
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    const void *pc = CALLER();
    struct sync *s;

    irql_require_min(LEVEL_DISPATCH, pc);
    sched_point(SITE_KE_ACQUIRE_SPIN_LOCK);
    memory_check(SpinLock, sizeof *SpinLock, true, pc);
    s = sync_get(SpinLock, LOCK_SPIN);
    sync_require_zero(s, sizeof *SpinLock, pc);
    if (!sync_try(s, LOCK_SPIN))
        return FALSE;
    thread_state()->spins++;
    event_emit(EV_LOCK_ACQUIRE, s->number, LOCK_SPIN, (uint64_t)(uintptr_t)SpinLock, 0, 1, pc);
    return TRUE;
}

BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    sched_point(SITE_KE_ACQUIRE_SPIN_LOCK);
    memory_check(SpinLock, sizeof *SpinLock, false, CALLER());
    return sync_get(SpinLock, LOCK_SPIN)->owner == OWNER_NONE;
}

/*
 * KeAcquireInStackQueuedSpinLock, KeReleaseInStackQueuedSpinLock and their …DpcLevel forms (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL; the …DpcLevel forms at >= DISPATCH_LEVEL
 * Documented  as KeAcquireSpinLock; the handle belongs to this acquisition
 *                                                                  (KeAcquireInStackQueuedSpinLock)
 * Our reading the same lock as any KSPIN_LOCK; waiting threads are served in any order
 */
VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    const void *pc = CALLER();

    memory_use(LockHandle, sizeof *LockHandle, true, pc);
    LockHandle->OldIrql = acquire_raise(SpinLock, LOCK_SPIN, SITE_KE_ACQUIRE_SPIN_LOCK, sizeof *SpinLock, pc);
    LockHandle->LockQueue.Lock = SpinLock;
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    const void *pc = CALLER();

    memory_use(LockHandle, sizeof *LockHandle, false, pc);
    if (release(LockHandle->LockQueue.Lock, LOCK_SPIN, sizeof(KSPIN_LOCK), pc))
        restore(LockHandle->OldIrql, pc);
}

VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    const void *pc = CALLER();

    memory_use(LockHandle, sizeof *LockHandle, true, pc);
    acquire_at_dispatch(SpinLock, LOCK_SPIN, SITE_KE_ACQUIRE_SPIN_LOCK, sizeof *SpinLock, pc);
    LockHandle->LockQueue.Lock = SpinLock;
}

VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    const void *pc = CALLER();

    memory_use(LockHandle, sizeof *LockHandle, false, pc);
    release(LockHandle->LockQueue.Lock, LOCK_SPIN, sizeof(KSPIN_LOCK), pc);
}
