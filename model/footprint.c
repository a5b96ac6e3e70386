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

#include <string.h>

#include "event.h"
#include "events.h"
#include "kernel/kernel.h"
#include "nmr/nmr.h"

enum { NAMES_MAX = 4096,
       FIELD_LIST = 3,                      /* 1 and 2: the lists of a synchronisation object */
       FIELD_BLOCK = 4 };                   /* a block of the pool: is it there */

enum class { CLASS_ADDRESS, CLASS_POOL, CLASS_PROGRAM, CLASS_WORLD };

extern const char __executable_start[], _end[];     /* the linker's: this program with its variables */

static struct { uint16_t thread, ordinal; } names[NAMES_MAX];
static uint16_t allocated[THREADS_MAX];
static uint32_t contexts[BINDINGS_MAX];     /* the module's context of each binding: number of the block, or NONE */
static unsigned attaching[THREADS_MAX];     /* attach and cleanup callbacks that each thread is inside of */
static uint32_t sides;                      /* that the module has registered on: a bit for each */

static uint64_t name(enum class class, uint64_t value, unsigned field)
{
    return (uint64_t)class << 60 | (uint64_t)field << 56 | (value & 0xFFFFFFFFFFFFFF);
}

static uint64_t pool_name(uint32_t block, uint64_t offset, unsigned field)
{
    return name(CLASS_POOL, (uint64_t)names[block].thread << 48 | (uint64_t)names[block].ordinal << 32 | offset, field);
}

static uint64_t address_name(const void *address, unsigned field)
{
    uint32_t number = NONE;
    const struct pool_block *block = pool_find(address, &number);

    if (!block && (const char *)address >= __executable_start && (const char *)address < _end)
        return name(CLASS_PROGRAM, (uint64_t)((const char *)address - __executable_start), field);
    if (!block || number >= NAMES_MAX)
        return name(CLASS_ADDRESS, (uint64_t)(uintptr_t)address, field);
    return pool_name(number, (uint64_t)((const char *)address - block->address), field);
}

/* A wait list of a synchronisation object is named after that; others lie at fixed places. */
static uint64_t wait_name(const sched_wait *w)
{
    unsigned field = 0;
    const void *address = sync_address(w, &field);

    return address ? address_name(address, 1 + field) : address_name(w, FIELD_LIST);
}

void footprint_world(enum footprint_object object, unsigned number, enum sched_touch how)
{
    sched_touch(name(CLASS_WORLD, (uint64_t)object << 32 | number, 0), how);
}

/* Whatever lies in a block of the pool is gone when that is freed. */
void footprint_address(const void *address, enum sched_touch how)
{
    uint32_t number = NONE;

    if (!sched_watched())
        return;
    sched_touch(address_name(address, 0), how);
    if (pool_find(address, &number) && number < NAMES_MAX)
        sched_touch(pool_name(number, 0, FIELD_BLOCK), TOUCH_READ);
}

static void touch(const struct event *e, enum sched_touch how)
{
    footprint_address((const void *)(uintptr_t)e->a, how);
}

/* Of NONE nobody knows which one it is. */
static void touch_number(enum footprint_object object, const struct event *e, enum sched_touch how)
{
    if (e->object != NONE)
        footprint_world(object, e->object, how);
    else
        footprint_world(FOOTPRINT_NMR, 0, TOUCH_WRITE);
}

/* Judges look at each binding that has this context. */
static void freed(const struct event *e)
{
    for (unsigned i = 0; i < BINDINGS_MAX; i++)
        if (contexts[i] == e->object)
            footprint_world(FOOTPRINT_BINDING, i, TOUCH_READ);
    if (e->object < NAMES_MAX)
        sched_touch(pool_name(e->object, 0, FIELD_BLOCK), TOUCH_WRITE);
}

/*
 * A call may end in one to another binding, whose detach has returned before it began or not, only where the module
 * serves one end and calls at the other: with one end this breaks a rule whenever it is.
 */
static void call(const struct event *e, bool enter)
{
    touch_number(FOOTPRINT_SERVED, e, TOUCH_READ);
    if (enter && sides == (1u << SIDE_CLIENT | 1u << SIDE_PROVIDER))
        footprint_world(FOOTPRINT_DETACHED, 0, TOUCH_READ);
    if (!enter && e->c >= ANSWER_WRONG) {   /* why it is wrong depends on detaches, also of others */
        footprint_world(FOOTPRINT_ENDING, 0, TOUCH_READ);
        touch_number(FOOTPRINT_BINDING, e, TOUCH_READ);
    }
}

/* Only inside some callbacks do judges ask for the state of the binding that the module calls. */
static void callback(const struct event *e)
{
    if (e->object == NONE)
        return;
    footprint_world(FOOTPRINT_CALLED, e->object, TOUCH_READ);
    if (attaching[e->thread])
        footprint_world(FOOTPRINT_BINDING, e->object, TOUCH_READ);
}

static void frame(const struct event *e, enum frame f, bool enter)
{
    switch (f) {
    case FRAME_CALL:
        call(e, enter);
        footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
        break;
    case FRAME_CALLBACK:
        callback(e);
        footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
        break;
    case FRAME_WORK_ITEM:
        footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
        break;
    case FRAME_ENTRY: case FRAME_DRIVER_UNLOAD:
        footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
        if (enter)
            footprint_world(FOOTPRINT_DETACHED, 0, TOUCH_READ);
        break;
    case FRAME_DRIVER_ENTRY:
        footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_WRITE);
        break;
    case FRAME_NMR_REGISTER:
        if (enter)
            footprint_world(FOOTPRINT_NMR, 0, TOUCH_WRITE);
        touch_number(FOOTPRINT_REGISTRATION, e, TOUCH_WRITE);
        break;
    case FRAME_NMR_DEREGISTER: case FRAME_NMR_WAIT:
        touch_number(FOOTPRINT_REGISTRATION, e, TOUCH_READ);
        break;
    case FRAME_CLIENT_ATTACH: case FRAME_PROVIDER_ATTACH: case FRAME_NMR_CLIENT_ATTACH: case FRAME_NMR_COMPLETE:
        touch_number(FOOTPRINT_CALLED, e, TOUCH_WRITE);
        touch_number(FOOTPRINT_BINDING, e, TOUCH_WRITE);
        break;
    default:
        touch_number(FOOTPRINT_BINDING, e, TOUCH_WRITE);
        break;
    }
}

/* What later steps need to know. */
static void remember(const struct event *e)
{
    switch (e->kind) {
    case EV_ALLOC:
        if (e->object >= NAMES_MAX)
            break;
        names[e->object].thread = e->thread;
        names[e->object].ordinal = allocated[e->thread]++;
        break;
    case EV_BINDING_CONTEXT:
        contexts[e->object] = e->value == PLACE_POOL || e->value == PLACE_POOL_PAGED ? (uint32_t)e->b : NONE;
        break;
    case EV_ENTER + FRAME_CLIENT_ATTACH: case EV_ENTER + FRAME_PROVIDER_ATTACH:
    case EV_ENTER + FRAME_CLIENT_CLEANUP: case EV_ENTER + FRAME_PROVIDER_CLEANUP:
        attaching[e->thread]++;
        break;
    case EV_LEAVE + FRAME_CLIENT_ATTACH: case EV_LEAVE + FRAME_PROVIDER_ATTACH:
    case EV_LEAVE + FRAME_CLIENT_CLEANUP: case EV_LEAVE + FRAME_PROVIDER_CLEANUP:
        attaching[e->thread]--;
        break;
    case EV_ENTER + FRAME_NMR_REGISTER:
        if (e->b == CALLER_MODULE)
            sides |= 1u << e->value;
        break;
    default:
        break;
    }
}

static void on_event(const struct event *e)
{
    remember(e);
    if (!sched_watched())
        return;
    if (e->kind > EV_ENTER && e->kind < EV_THREAD_START) {
        bool enter = e->kind < EV_LEAVE;

        frame(e, (enum frame)(e->kind - (enter ? EV_ENTER : EV_LEAVE)), enter);
        return;
    }
    switch (e->kind) {
    case EV_BINDING_OFFERED:
        footprint_world(FOOTPRINT_NMR, 0, TOUCH_WRITE);
        break;
    case EV_BINDING_STATE:
        footprint_world(FOOTPRINT_BINDING, e->object, TOUCH_WRITE);
        if (e->value < BINDING_ATTACHED)
            footprint_world(FOOTPRINT_CALLED, e->object, TOUCH_WRITE);
        break;
    case EV_BINDING_CONTEXT:                /* another binding may have the same one */
        footprint_world(FOOTPRINT_ENDING, 0, TOUCH_READ);
        break;
    case EV_REGISTRATION_STATE:
        if (e->value != REGISTRATION_DRAINED)
            footprint_world(FOOTPRINT_REGISTRATION, e->object, TOUCH_WRITE);
        break;
    case EV_IMAGE_LOADED: case EV_IMAGE_GONE:
        footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_WRITE);
        break;
    case EV_PENDING_CALLBACK:
        touch_number(FOOTPRINT_CALLED, e, TOUCH_READ);
        break;
    case EV_EVENT_SET: case EV_EVENT_RESET: case EV_WAIT: case EV_RUNDOWN: case EV_SYNC_INIT:
        touch(e, TOUCH_WRITE);
        break;
    case EV_LOCK_ACQUIRE: case EV_LOCK_RELEASE:     /* whose order the lists tell */
        touch(e, TOUCH_READ);
        break;
    case EV_FREE:
        freed(e);
        break;
    case EV_BLOCK: case EV_WAKE:
        if (!lock_kind_is_lock(e->value) && e->a)  /* who waits for a lock has not looked at anything yet */
            touch(e, TOUCH_WRITE);
        break;
    case EV_WORK_QUEUED:
        footprint_world(FOOTPRINT_WORK, 0, TOUCH_WRITE);
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
    memset(allocated, 0, sizeof allocated);
    memset(attaching, 0, sizeof attaching);
    memset(contexts, 0xFF, sizeof contexts);        /* NONE */
    sides = 0;
}
