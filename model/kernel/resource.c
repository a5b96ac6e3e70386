/*
 * resource.c - ERESOURCE: a reader-writer lock that its owner may take again.
 */
#include "internal.h"

#include <ntddk.h>

static struct sync *resource_of(PERESOURCE resource, const void *pc)
{
    struct sync *s;

    irql_require_max(LEVEL_APC, pc);
    memory_check(resource, sizeof *resource, true, pc);
    s = sync_get(resource, LOCK_RESOURCE_EXCLUSIVE);
    if (!s->ready)
        misuse(MISUSE_NOT_INITIALISED, s->number, resource, LOCK_RESOURCE_EXCLUSIVE, 0, pc);
    s->ready = true;
    return s;
}

static bool acquire(PERESOURCE resource, enum lock_kind kind, bool wait, const void *pc)
{
    struct sync *s;

    if (!KeAreApcsDisabled())
        misuse(MISUSE_LOCK_NO_REGION, NONE, resource, 0, 0, pc);
    s = resource_of(resource, pc);
    if (s->owner == sched_self()) {
        s->depth++;
        return true;
    }
    if (wait) {
        sync_take(s, kind, SITE_EX_ACQUIRE_PUSH_LOCK, sizeof *resource, pc);
    } else {
        sched_point(SITE_EX_ACQUIRE_PUSH_LOCK);
        s = resource_of(resource, pc);
        if (!sync_try(s, kind))
            return false;
    }
    s->depth = 1;
    event_emit(EV_LOCK_ACQUIRE, s->number, (int64_t)kind, (uint64_t)(uintptr_t)resource, 0, !wait, pc);
    return true;
}

static void release(PERESOURCE resource, const void *pc)
{
    struct sync *s = resource_of(resource, pc);

    if (s->owner == sched_self() && s->depth > 1)
        s->depth--;
    else
        sync_give(s, s->owner == sched_self() ? LOCK_RESOURCE_EXCLUSIVE : LOCK_RESOURCE_SHARED, pc);
}

/*
 * ExInitializeResourceLite, ExReinitializeResourceLite, ExDeleteResourceLite (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  the resource must be deleted before its memory is freed              (ExDeleteResourceLite)
 * Our reading freeing one that was not deleted is noticed only while it is held
 */
NTSTATUS ExInitializeResourceLite(PERESOURCE Resource)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_DISPATCH, pc);
    sync_init(Resource, sizeof *Resource, LOCK_RESOURCE_EXCLUSIVE, pc)->must_be_deleted = true;
    return STATUS_SUCCESS;
}

NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource)
{
    resource_of(Resource, CALLER());
    return STATUS_SUCCESS;
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource)
{
    const void *pc = CALLER();
    struct sync *s = resource_of(Resource, pc);

    if (s->owner != OWNER_NONE || s->reader_count)
        misuse(MISUSE_POOL_FREE_IN_USE, s->number, Resource, s->number, s->kind, pc);
    s->ready = s->must_be_deleted = false;
    return STATUS_SUCCESS;
}

/*
 * ExAcquireResourceExclusiveLite, ExAcquireResourceSharedLite, ExReleaseResourceLite and their kin (wdm.h)
 *
 * Caller      module, IRQL <= APC_LEVEL, normal APCs disabled
 * Documented  FALSE only when Wait is FALSE and somebody holds it; the owner may take it again, shared too
 *                                                                  (ExAcquireResourceExclusiveLite)
 */
BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return acquire(Resource, LOCK_RESOURCE_EXCLUSIVE, Wait, CALLER());
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return acquire(Resource, LOCK_RESOURCE_SHARED, Wait, CALLER());
}

BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return acquire(Resource, LOCK_RESOURCE_SHARED, Wait, CALLER());
}

VOID ExReleaseResourceLite(PERESOURCE Resource)
{
    release(Resource, CALLER());
}

VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    const void *pc = CALLER();
    struct sync *s = resource_of(Resource, pc);

    if (!sync_give(s, LOCK_RESOURCE_EXCLUSIVE, pc))
        return;
    sync_try(s, LOCK_RESOURCE_SHARED);
    event_emit(EV_LOCK_ACQUIRE, s->number, LOCK_RESOURCE_SHARED, (uint64_t)(uintptr_t)Resource, 0, 1, pc);
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    return resource_of(Resource, CALLER())->owner == sched_self();
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    const struct sync *s = resource_of(Resource, CALLER());

    return s->owner == sched_self() ? s->depth : s->readers[sched_self()];
}

PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    const void *pc = CALLER();

    irql_region(+1, pc);
    acquire(Resource, LOCK_RESOURCE_EXCLUSIVE, true, pc);
    return NULL;
}

PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    const void *pc = CALLER();

    irql_region(+1, pc);
    acquire(Resource, LOCK_RESOURCE_SHARED, true, pc);
    return NULL;
}

VOID ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    const void *pc = CALLER();

    release(Resource, pc);
    irql_region(-1, pc);
}
