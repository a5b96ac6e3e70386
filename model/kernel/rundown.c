/*
 * rundown.c - EX_RUNDOWN_REF.
 *
 * Count shows what Windows keeps there: twice the references, plus 1 once rundown began.  A module
 * that fills the structure with zeros starts it anew, which is legal exactly when nothing is held;
 * that is seen as Count being 0 although we left something else there.
 */
#include "internal.h"

#include <ntddk.h>

static void show(const struct sync *s, PEX_RUNDOWN_REF ref)
{
    ref->Count = 2 * (ULONG_PTR)s->references + s->running_down;
}

static void tell(const struct sync *s, enum rundown_op op, const void *pc)
{
    event_emit(EV_RUNDOWN, s->number, (int64_t)op, (uint64_t)(uintptr_t)s->address, 0, s->references, pc);
}

static struct sync *rundown(PEX_RUNDOWN_REF ref, const void *pc)
{
    struct sync *s;
    ULONG_PTR expected;

    memory_check(ref, sizeof *ref, true, pc);
    s = sync_get(ref, SYNC_RUNDOWN);
    expected = 2 * (ULONG_PTR)s->references + s->running_down;
    s->used = s->ready = true;
    if (ref->Count == expected)
        return s;
    if (ref->Count != 0)
        misuse(MISUSE_NOT_INITIALISED, s->number, ref, SYNC_RUNDOWN, 0, pc);
    else if (s->references)
        misuse(MISUSE_RUNDOWN_REINIT, s->number, ref, s->references, 0, pc);
    s->references = 0;
    s->running_down = false;
    show(s, ref);
    return s;
}

static void initialise(PEX_RUNDOWN_REF RunRef, const void *pc)
{
    struct sync *s = sync_peek(RunRef);

    if (s && s->kind == SYNC_RUNDOWN && s->references && pool_find(RunRef, NULL))
        misuse(MISUSE_RUNDOWN_REINIT, s->number, RunRef, s->references, 0, pc);
    s = sync_init(RunRef, sizeof *RunRef, SYNC_RUNDOWN, pc);
    show(s, RunRef);
    tell(s, RUNDOWN_INIT, pc);
}

/*
 * ExInitializeRundownProtection (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  to be called once, before the first use              (ExInitializeRundownProtection)
 * Our reading a zero-filled structure is an initialised one
 */
VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    initialise(RunRef, CALLER());
}

static void reinitialise(PEX_RUNDOWN_REF RunRef, const void *pc)
{
    struct sync *s;

    sched_point(SITE_EX_REINIT_RUNDOWN);
    s = rundown(RunRef, pc);
    if (!s->running_down || s->references)
        misuse(MISUSE_RUNDOWN_REINIT, s->number, RunRef, s->references, 0, pc);
    s->running_down = false;
    s->references = 0;
    race_acquire(RACE_KEY_SYNC + s->number);
    race_release(RACE_KEY_SYNC + s->number);
    show(s, RunRef);
    tell(s, RUNDOWN_REINIT, pc);
}

/*
 * ExReInitializeRundownProtection (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  only after ExWaitForRundownProtectionRelease returned; afterwards protection can be acquired again
 *                                                                  (ExReInitializeRundownProtection)
 */
VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    reinitialise(RunRef, CALLER());
}

static BOOLEAN acquire(PEX_RUNDOWN_REF ref, ULONG count, const void *pc)
{
    struct sync *s;

    sched_point(SITE_EX_ACQUIRE_RUNDOWN);
    s = rundown(ref, pc);
    race_acquire(RACE_KEY_SYNC + s->number);
    if (s->running_down) {
        tell(s, RUNDOWN_REFUSED, pc);
        return FALSE;
    }
    s->references += count;
    show(s, ref);
    tell(s, RUNDOWN_ACQUIRE, pc);
    return TRUE;
}

static void release(PEX_RUNDOWN_REF ref, ULONG count, const void *pc)
{
    struct sync *s;

    sched_point(SITE_EX_RELEASE_RUNDOWN);
    s = rundown(ref, pc);
    if (s->references < count) {
        misuse(MISUSE_RUNDOWN_UNDERFLOW, s->number, ref, s->references, count, pc);
        return;
    }
    s->references -= count;
    race_release(RACE_KEY_SYNC + s->number);
    show(s, ref);
    tell(s, RUNDOWN_RELEASE, pc);
    if (s->running_down && !s->references)
        sched_release(&s->free);
}

/*
 * ExAcquireRundownProtection(Ex), ExReleaseRundownProtection(Ex) (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  acquiring fails once rundown began; each success is matched by a release of the same count
 *                                                                  (ExAcquireRundownProtection)
 * Our reading the release is a scheduling point of its own: after it the object may be gone
 */
BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    return acquire(RunRef, 1, CALLER());
}

BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    return acquire(RunRef, Count, CALLER());
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    release(RunRef, 1, CALLER());
}

VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    release(RunRef, Count, CALLER());
}

/* Returns once no reference is left; the structure may be gone in between only by a bug of the module. */
static void wait(PEX_RUNDOWN_REF ref, const void *pc)
{
    struct sync *s;
    bool blocked = false;

    if (irql_get() >= LEVEL_DISPATCH)
        misuse(MISUSE_WAIT_AT_DISPATCH, NONE, ref, irql_get(), LEVEL_APC, pc);
    sched_point(SITE_EX_WAIT_RUNDOWN);
    s = rundown(ref, pc);
    s->running_down = true;
    show(s, ref);
    tell(s, RUNDOWN_WAIT, pc);
    while (s->references) {
        if (!blocked)
            event_emit(EV_BLOCK, s->number, SYNC_RUNDOWN, (uint64_t)(uintptr_t)ref, 0, 0, pc);
        blocked = true;
        sched_block(&s->free, SITE_EX_WAIT_RUNDOWN, SCHED_FOREVER);
    }
    if (blocked) {
        event_emit(EV_WAKE, s->number, SYNC_RUNDOWN, (uint64_t)(uintptr_t)ref, 0, 0, pc);
        memory_check(ref, sizeof *ref, true, pc);
    }
    race_acquire(RACE_KEY_SYNC + s->number);
    race_release(RACE_KEY_SYNC + s->number);
    tell(s, RUNDOWN_DONE, pc);
}

/*
 * ExWaitForRundownProtectionRelease (wdm.h)
 *
 * Caller      module, IRQL <= APC_LEVEL
 * Documented  from now on acquiring fails; waits until every protection was released
 *                                                                  (ExWaitForRundownProtectionRelease)
 * Our reading a second wait after the first returns at once
 */
VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    wait(RunRef, CALLER());
}

static void completed(PEX_RUNDOWN_REF RunRef, const void *pc)
{
    struct sync *s = rundown(RunRef, pc);

    if (s->references)
        misuse(MISUSE_RUNDOWN_REINIT, s->number, RunRef, s->references, 0, pc);
    s->running_down = true;
    race_acquire(RACE_KEY_SYNC + s->number);
    race_release(RACE_KEY_SYNC + s->number);
    show(s, RunRef);
    tell(s, RUNDOWN_DONE, pc);
}

/*
 * ExRundownCompleted (wdm.h)
 *
 * Caller      module, after ExWaitForRundownProtectionRelease
 * Documented  marks the object as run down                         (ExRundownCompleted)
 */
VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    completed(RunRef, CALLER());
}

/* ---- the cache-aware form: one EX_RUNDOWN_REF in memory of its own size ----------------------------------- */

static PEX_RUNDOWN_REF plain(PEX_RUNDOWN_REF_CACHE_AWARE ref)
{
    return (PEX_RUNDOWN_REF)(void *)ref;
}

/*
 * ExAllocateCacheAwareRundownProtection, ExFreeCacheAwareRundownProtection (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  allocated from the pool with the given tag, initialised; NULL when memory is low
 *                                                                  (ExAllocateCacheAwareRundownProtection)
 */
PEX_RUNDOWN_REF_CACHE_AWARE ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag)
{
    const void *pc = CALLER();
    char *ref;

    (void)PoolType;
    irql_require_max(LEVEL_DISPATCH, pc);
    ref = pool_internal(sizeof(EX_RUNDOWN_REF), PoolTag, SITE_ALLOCATE, pc);
    if (ref)
        initialise((PEX_RUNDOWN_REF)(void *)ref, pc);
    return (PEX_RUNDOWN_REF_CACHE_AWARE)(void *)ref;
}

VOID ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    const void *pc = CALLER();
    uint32_t number = NONE;

    memory_check(RunRef, sizeof(EX_RUNDOWN_REF), true, pc);
    if (pool_is_internal(RunRef, &number))
        pool_internal_free(RunRef, pc);
    else
        misuse(MISUSE_POOL_NOT_POOL, number, RunRef, 0, 0, pc);
}

SIZE_T ExSizeOfRundownProtectionCacheAware(VOID)
{
    return sizeof(EX_RUNDOWN_REF);
}

VOID ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, SIZE_T Size)
{
    (void)Size;
    initialise(plain(RunRef), CALLER());
}

BOOLEAN ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    return acquire(plain(RunRef), 1, CALLER());
}

BOOLEAN ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count)
{
    return acquire(plain(RunRef), Count, CALLER());
}

VOID ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    release(plain(RunRef), 1, CALLER());
}

VOID ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count)
{
    release(plain(RunRef), Count, CALLER());
}

VOID ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    wait(plain(RunRef), CALLER());
}

VOID ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    reinitialise(plain(RunRef), CALLER());
}

VOID ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    completed(plain(RunRef), CALLER());
}
