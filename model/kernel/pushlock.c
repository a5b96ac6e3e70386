/*
 * pushlock.c - EX_PUSH_LOCK and FAST_MUTEX.
 */
#include "internal.h"

#include <ntddk.h>

/* Documented: normal kernel APCs must be disabled around a push lock (ExAcquirePushLockExclusive). */
static void acquire_push(const void *lock, enum lock_kind kind, size_t size, const void *pc)
{
    struct sync *s;

    irql_require_max(LEVEL_APC, pc);
    memory_check(lock, size, true, pc);
    s = sync_get(lock, LOCK_PUSH_EXCLUSIVE);
    if (!KeAreApcsDisabled())
        misuse(MISUSE_LOCK_NO_REGION, s->number, lock, 0, 0, pc);
    sync_require_zero(s, size, pc);
    sync_take(s, kind, SITE_EX_ACQUIRE_PUSH_LOCK, size, pc);
    event_emit(EV_LOCK_ACQUIRE, s->number, (int64_t)kind, (uint64_t)(uintptr_t)lock, 0, 0, pc);
}

static void release_push(const void *lock, enum lock_kind kind, size_t size, const void *pc)
{
    struct sync *s;

    irql_require_max(LEVEL_APC, pc);
    memory_check(lock, size, true, pc);
    s = sync_get(lock, LOCK_PUSH_EXCLUSIVE);
    if (sync_give(s, kind, pc) && !KeAreApcsDisabled())
        misuse(MISUSE_LOCK_NO_REGION, s->number, lock, 1, 0, pc);
}

/*
 * ExInitializePushLock (wdm.h, ntifs.h)
 *
 * Caller      module, IRQL <= APC_LEVEL
 * Documented  a push lock is initialised to NULL                   (ExInitializePushLock)
 * Our reading zero bytes are an initialised push lock, as in Windows
 */
VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    *PushLock = 0;
    sync_init((const void *)PushLock, sizeof *PushLock, LOCK_PUSH_EXCLUSIVE, CALLER());
}

/*
 * ExAcquirePushLockExclusive, …Shared and their releases (wdm.h)
 *
 * Caller      module, IRQL <= APC_LEVEL, inside a critical or guarded region or at APC_LEVEL
 * Documented  many readers or one writer; not recursive            (ExAcquirePushLockExclusive)
 * Our reading the region must last until after the release
 */
VOID ExAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    acquire_push((const void *)PushLock, LOCK_PUSH_EXCLUSIVE, sizeof *PushLock, CALLER());
}

VOID ExAcquirePushLockShared(PEX_PUSH_LOCK PushLock)
{
    acquire_push((const void *)PushLock, LOCK_PUSH_SHARED, sizeof *PushLock, CALLER());
}

VOID ExReleasePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    release_push((const void *)PushLock, LOCK_PUSH_EXCLUSIVE, sizeof *PushLock, CALLER());
}

VOID ExReleasePushLockShared(PEX_PUSH_LOCK PushLock)
{
    release_push((const void *)PushLock, LOCK_PUSH_SHARED, sizeof *PushLock, CALLER());
}

static void initialize_fast(PFAST_MUTEX FastMutex, const void *pc)
{
    irql_require_max(LEVEL_DISPATCH, pc);
    sync_init(FastMutex, sizeof *FastMutex, LOCK_FAST_MUTEX, pc);
    FastMutex->Count = 1;
}

static struct sync *fast_mutex(const void *mutex, size_t size, const void *pc)
{
    struct sync *s;

    memory_check(mutex, size, true, pc);
    s = sync_get(mutex, LOCK_FAST_MUTEX);
    if (!s->ready)
        misuse(MISUSE_NOT_INITIALISED, s->number, mutex, LOCK_FAST_MUTEX, 0, pc);
    s->ready = true;
    return s;
}

static void took_fast(struct sync *s, unsigned old, bool tried, const void *pc)
{
    s->old_irql = (uint8_t)old;
    event_emit(EV_LOCK_ACQUIRE, s->number, LOCK_FAST_MUTEX, (uint64_t)(uintptr_t)s->address, 0, tried, pc);
}

static void acquire_fast(PFAST_MUTEX FastMutex, const void *pc)
{
    unsigned old = irql_get();
    struct sync *s;

    irql_require_max(LEVEL_APC, pc);
    s = fast_mutex(FastMutex, sizeof *FastMutex, pc);
    sync_take(s, LOCK_FAST_MUTEX, SITE_EX_ACQUIRE_FAST_MUTEX, sizeof *FastMutex, pc);
    if (old < LEVEL_APC)
        irql_assign(LEVEL_APC);
    took_fast(s, old, false, pc);
}

static BOOLEAN try_fast(PFAST_MUTEX FastMutex, const void *pc)
{
    unsigned old = irql_get();
    struct sync *s;

    irql_require_max(LEVEL_APC, pc);
    sched_point(SITE_EX_ACQUIRE_FAST_MUTEX);
    s = fast_mutex(FastMutex, sizeof *FastMutex, pc);
    if (!sync_try(s, LOCK_FAST_MUTEX))
        return FALSE;
    if (old < LEVEL_APC)
        irql_assign(LEVEL_APC);
    took_fast(s, old, true, pc);
    return TRUE;
}

static void release_fast(PFAST_MUTEX FastMutex, const void *pc)
{
    struct sync *s = fast_mutex(FastMutex, sizeof *FastMutex, pc);

    irql_require_min(LEVEL_APC, pc);
    if (sync_give(s, LOCK_FAST_MUTEX, pc))
        irql_assign(s->old_irql);
}

static void acquire_unsafe(PFAST_MUTEX FastMutex, const void *pc)
{
    struct sync *s;

    irql_require_max(LEVEL_APC, pc);
    s = fast_mutex(FastMutex, sizeof *FastMutex, pc);
    if (!KeAreApcsDisabled())
        misuse(MISUSE_LOCK_NO_REGION, s->number, FastMutex, 0, 0, pc);
    sync_take(s, LOCK_FAST_MUTEX, SITE_EX_ACQUIRE_FAST_MUTEX, sizeof *FastMutex, pc);
    took_fast(s, irql_get(), false, pc);
}

static void release_unsafe(PFAST_MUTEX FastMutex, const void *pc)
{
    sync_give(fast_mutex(FastMutex, sizeof *FastMutex, pc), LOCK_FAST_MUTEX, pc);
}

/*
 * ExInitializeFastMutex (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  required before the first use                        (ExInitializeFastMutex)
 */
VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    initialize_fast(FastMutex, CALLER());
}

/*
 * ExAcquireFastMutex, ExTryToAcquireFastMutex, ExReleaseFastMutex (wdm.h)
 *
 * Caller      module, IRQL <= APC_LEVEL
 * Documented  raises to APC_LEVEL until the release; not recursive (ExAcquireFastMutex)
 */
VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    acquire_fast(FastMutex, CALLER());
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    return try_fast(FastMutex, CALLER());
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    release_fast(FastMutex, CALLER());
}

/*
 * ExAcquireFastMutexUnsafe, ExReleaseFastMutexUnsafe (wdm.h)
 *
 * Caller      module, with APCs disabled, IRQL <= APC_LEVEL
 * Documented  as above, but the level stays                        (ExAcquireFastMutexUnsafe)
 */
VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    acquire_unsafe(FastMutex, CALLER());
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    release_unsafe(FastMutex, CALLER());
}

/*
 * KeInitializeGuardedMutex, KeAcquireGuardedMutex, KeTryToAcquireGuardedMutex, KeReleaseGuardedMutex (wdm.h)
 *
 * Caller      module, IRQL <= APC_LEVEL
 * Documented  the same object as a fast mutex since Windows 8      (KeAcquireGuardedMutex)
 */
VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    initialize_fast(Mutex, CALLER());
}

VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    acquire_fast(Mutex, CALLER());
}

BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    return try_fast(Mutex, CALLER());
}

VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    release_fast(Mutex, CALLER());
}

VOID KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    acquire_unsafe(Mutex, CALLER());
}

VOID KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    release_unsafe(Mutex, CALLER());
}
