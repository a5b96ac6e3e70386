/*
 * footprint.c - what each step touches, for the explorer that leaves out what makes no difference (harness/dpor.h).
 *
 * Nearly all of it is told by events: what nobody is told, nobody can depend on.  Locks the scheduler tells itself.
 * The few places that look at the world without an event call sched_touch.
 *
 * Objects are named by what they are to the module, since another order of independent steps gives other addresses and
 * other numbers: memory of the pool by the thread that allocated it, and by how many blocks it had before.  And a saved
 * exploration goes on in another process, which may lie elsewhere: variables by their distance from its beginning.
 */
#include "footprint.h"

#include "event.h"
#include "events.h"
#include "kernel/kernel.h"
#include "sched.h"

enum { NAMES_MAX = 4096,
       FIELD_LIST = 3 };                    /* 1 and 2: the lists of a synchronisation object */

enum class { CLASS_ADDRESS, CLASS_POOL, CLASS_PROGRAM, CLASS_WORLD };

extern const char __executable_start[], _end[];     /* the linker's: this program with its variables */

static struct { uint16_t thread, ordinal; } names[NAMES_MAX];
static uint16_t allocated[THREADS_MAX];

static uint64_t name(enum class class, uint64_t value, unsigned field)
{
    return (uint64_t)class << 60 | (uint64_t)field << 56 | (value & 0xFFFFFFFFFFFFFF);
}

static uint64_t address_name(const void *address, unsigned field)
{
    uint32_t number = NONE;
    const struct pool_block *block = pool_find(address, &number);
    uint64_t offset;

    if (!block && (const char *)address >= __executable_start && (const char *)address < _end)
        return name(CLASS_PROGRAM, (uint64_t)((const char *)address - __executable_start), field);
    if (!block || number >= NAMES_MAX)
        return name(CLASS_ADDRESS, (uint64_t)(uintptr_t)address, field);
    offset = (uint64_t)((const char *)address - block->address);
    return name(CLASS_POOL, (uint64_t)names[number].thread << 48 | (uint64_t)names[number].ordinal << 32 | offset,
                field);
}

/* A wait list of a synchronisation object is named after that; others lie at fixed places. */
static uint64_t wait_name(const sched_wait *w)
{
    unsigned field = 0;
    const void *address = sync_address(w, &field);

    return address ? address_name(address, 1 + field) : address_name(w, FIELD_LIST);
}

void footprint_world(enum footprint_object object, bool write)
{
    sched_touch(name(CLASS_WORLD, object, 0), write);
}

void footprint_address(const void *address, bool write)
{
    if (sched_watched())
        sched_touch(address_name(address, 0), write);
}

static void touch(const struct event *e, bool write)
{
    sched_touch(address_name((const void *)(uintptr_t)e->a, 0), write);
}

static void frame(enum frame f, bool enter)
{
    switch (f) {
    case FRAME_CALL: case FRAME_CALLBACK:
        footprint_world(FOOTPRINT_NMR, false);
        if (!enter)
            footprint_world(FOOTPRINT_CALLS, true);
        break;
    case FRAME_WORK_ITEM: case FRAME_ENTRY:
        footprint_world(FOOTPRINT_CALLS, true);
        break;
    default:
        footprint_world(FOOTPRINT_NMR, true);
        break;
    }
}

static void on_event(const struct event *e)
{
    if (e->kind == EV_ALLOC && e->object < NAMES_MAX) {
        names[e->object].thread = e->thread;
        names[e->object].ordinal = allocated[e->thread]++;
    }
    if (!sched_watched())
        return;
    if (e->kind > EV_ENTER && e->kind < EV_THREAD_START) {
        frame((enum frame)(e->kind < EV_LEAVE ? e->kind - EV_ENTER : e->kind - EV_LEAVE), e->kind < EV_LEAVE);
        return;
    }
    switch (e->kind) {
    case EV_BINDING_OFFERED: case EV_BINDING_STATE: case EV_REGISTRATION_STATE: case EV_IMAGE_LOADED:
    case EV_IMAGE_GONE:
        footprint_world(FOOTPRINT_NMR, true);
        break;
    case EV_PENDING_CALLBACK:
        footprint_world(FOOTPRINT_CALLS, true);
        break;
    case EV_EVENT_SET: case EV_EVENT_RESET: case EV_WAIT: case EV_RUNDOWN: case EV_INTERLOCKED: case EV_SYNC_INIT:
    case EV_WAKE: case EV_FREE:
        touch(e, true);
        break;
    case EV_BLOCK:
        if (e->value > LOCK_MUTEX)          /* who waits for a lock has not looked at anything yet */
            touch(e, true);
        break;
    case EV_WORK_QUEUED:
        footprint_world(FOOTPRINT_WORK, true);
        break;
    default:
        break;
    }
}

void footprint_begin(void)
{
    static bool watching;

    if (!watching && sched_watched()) {
        watching = true;
        event_add_judge(on_event);
        sched_name = wait_name;
    }
    for (unsigned t = 0; t < THREADS_MAX; t++)
        allocated[t] = 0;
}
