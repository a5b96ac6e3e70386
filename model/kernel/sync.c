/*
 * sync.c - the side table of synchronisation objects, and what all locks and waits share.
 *
 * Open addressing over the address; a slot belongs to this execution when its epoch is the
 * current one, so forgetting everything is one increment.
 */
#include "footprint.h"
#include "internal.h"

#include <string.h>

enum { SLOTS = 2 * SYNC_OBJECTS_MAX };

static struct sync objects[SYNC_OBJECTS_MAX];
static uint32_t count, epoch = 1;
static struct { uint32_t epoch; uint16_t object; } slots[SLOTS];

void sync_reset(void)
{
    count = 0;
    if (++epoch == 0) {                     /* once in 4 G executions */
        memset(slots, 0, sizeof slots);
        epoch = 1;
    }
}

static unsigned slot_of(const void *address)
{
    return (unsigned)((uint64_t)(uintptr_t)address * 0x9E3779B97F4A7C15u >> 32) % SLOTS;
}

struct sync *sync_peek(const void *address)
{
    for (unsigned i = slot_of(address); slots[i].epoch == epoch; i = (i + 1) % SLOTS)
        if (objects[slots[i].object].address == address)
            return &objects[slots[i].object];
    return NULL;
}

struct sync *sync_number(uint32_t number)
{
    return number < count ? &objects[number] : NULL;
}

const void *sync_address(const sched_wait *w, unsigned *field)
{
    size_t offset = (size_t)((uintptr_t)w - (uintptr_t)objects);
    const struct sync *s;

    if (offset >= sizeof objects)
        return NULL;
    s = &objects[offset / sizeof *objects];
    *field = w == &s->shared;
    return s->address;
}

static void clear(struct sync *s, enum lock_kind kind)
{
    const void *address = s->address;
    uint32_t number = s->number;

    memset(s, 0, sizeof *s);
    s->address = address;
    s->number = number;
    s->kind = (uint8_t)kind;
    s->owner = OWNER_NONE;
}

/* A new object; the slot may be one that an older object at the same address had. */
static struct sync *make(const void *address, enum lock_kind kind)
{
    struct sync *s;
    unsigned i = slot_of(address);

    if (count == SYNC_OBJECTS_MAX)
        sched_stop(VERDICT_MEMORY);
    while (slots[i].epoch == epoch && objects[slots[i].object].address != address)
        i = (i + 1) % SLOTS;
    slots[i].epoch = epoch;
    slots[i].object = (uint16_t)count;
    s = &objects[count];
    s->address = address;
    s->number = count++;
    clear(s, kind);
    return s;
}

struct sync *sync_get(const void *address, enum lock_kind kind)
{
    struct sync *s = sync_peek(address);

    if (!s)
        return make(address, kind);
    if (s->kind != kind)
        clear(s, kind);
    return s;
}

static bool in_use(const struct sync *s)
{
    return s->owner != OWNER_NONE || s->reader_count || s->queue_length || (s->running_down && s->references) ||
           ((s->kind == SYNC_WORK || s->kind == SYNC_OTHER) && s->work);
}

/*
 * Stack memory is used again for other objects, and whether two locals share an address is the
 * compiler's business.  There each initialisation makes a new object, so that numbers depend on
 * what the module does and not on how it was compiled.
 */
struct sync *sync_init(const void *address, size_t size, enum lock_kind kind, const void *pc)
{
    struct sync *s = sync_peek(address);
    unsigned thread;
    bool guard;

    memory_use(address, size, true, pc);
    if (!s || sched_stack_contains(address, &thread, &guard))
        s = make(address, kind);
    else
        clear(s, kind);
    s->ready = true;
    event_emit(EV_SYNC_INIT, s->number, (int64_t)kind, (uint64_t)(uintptr_t)address, 0, 0, pc);
    race_release(RACE_KEY_SYNC + s->number);
    return s;
}

static bool must_be_deleted(const struct sync *s)
{
    return s->must_be_deleted;
}

/* Is there such an object in these bytes? */
static bool any(const char *begin, size_t size, bool (*is_such)(const struct sync *s), uint32_t *number)
{
    for (uint32_t i = 0; i < count; i++) {
        if ((size_t)((const char *)objects[i].address - begin) < size && is_such(&objects[i])) {
            *number = i;
            return true;
        }
    }
    return false;
}

bool sync_in_use(const char *begin, size_t size, uint32_t *number)
{
    return any(begin, size, in_use, number);
}

bool sync_not_deleted(const char *begin, size_t size, uint32_t *number)
{
    return any(begin, size, must_be_deleted, number);
}

void sync_require_zero(struct sync *s, size_t size, const void *pc)
{
    static const char zero[64];

    if (s->used || s->ready)
        return;
    if (size <= sizeof zero && memcmp(s->address, zero, size) != 0)
        misuse(MISUSE_NOT_INITIALISED, s->number, s->address, s->kind, 0, pc);
    s->ready = true;
}

/* ---- locks ----------------------------------------------------------------------------------------------- */

bool sync_kind_shared(enum lock_kind kind)
{
    return kind == LOCK_EX_SHARED || kind == LOCK_PUSH_SHARED || kind == LOCK_RESOURCE_SHARED;
}

static bool can_take(const struct sync *s, bool shared)
{
    return s->owner == OWNER_NONE && (shared || !s->reader_count);
}

static void took(struct sync *s, bool shared, void (*hold)(sched_wait *w))
{
    unsigned self = sched_self();

    s->used = true;
    if (shared) {
        s->readers[self]++;
        s->reader_count++;
        hold(&s->free);
    } else {
        s->owner = (uint8_t)self;
        hold(&s->free);
        hold(&s->shared);
    }
    thread_state()->locks++;
    race_acquire(RACE_KEY_SYNC + s->number);
    if (!shared)
        race_acquire(RACE_KEY_SHARED + s->number);
}

bool sync_try(struct sync *s, enum lock_kind kind)
{
    bool shared = sync_kind_shared(kind);

    if (!can_take(s, shared)) {
        sched_touch_wait(&s->free);         /* it was held: that could have been otherwise */
        return false;
    }
    took(s, shared, sched_hold_tried);
    return true;
}

static void check_recursion(const struct sync *s, enum lock_kind kind, const void *pc)
{
    unsigned self = sched_self();
    bool shared = sync_kind_shared(kind);

    if (s->owner == self || (!shared && s->readers[self]))
        misuse(MISUSE_LOCK_RECURSIVE, s->number, s->address, (uint64_t)kind, 0, pc);
}

void sync_take(struct sync *s, enum lock_kind kind, unsigned site, size_t size, const void *pc)
{
    bool shared = sync_kind_shared(kind), blocked = false;
    sched_wait *w = shared ? &s->shared : &s->free;

    check_recursion(s, kind, pc);
    if (can_take(s, shared)) {
        thread_state()->wanted = s;
        thread_state()->wanted_kind = (uint8_t)kind;
        sched_point_for(w, site);
        thread_state()->wanted = NULL;
    }
    while (!can_take(s, shared)) {
        if (!blocked)
            event_emit(EV_BLOCK, s->number, (int64_t)kind, (uint64_t)(uintptr_t)s->address, 0, 0, pc);
        blocked = true;
        sched_block(w, site, SCHED_FOREVER);
    }
    if (blocked)
        event_emit(EV_WAKE, s->number, (int64_t)kind, (uint64_t)(uintptr_t)s->address, 0, 0, pc);
    memory_check(s->address, size, true, pc);
    took(s, shared, sched_hold);
    if (shared)                             /* which only who has it for itself keeps others from */
        sched_touch(sched_object(w), TOUCH_ACQUIRE);
}

void kernel_tell_kept_out(void)
{
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        const struct sync *s = thread_states[t].wanted;
        enum lock_kind kind = (enum lock_kind)thread_states[t].wanted_kind;

        if (s && !can_take(s, sync_kind_shared(kind)))
            event_emit(EV_KEPT_OUT, s->number, (int64_t)kind, (uint64_t)(uintptr_t)s->address, t, 0, NULL);
    }
}

bool sync_give(struct sync *s, enum lock_kind kind, const void *pc)
{
    bool shared = sync_kind_shared(kind);
    unsigned self = sched_self();

    if (shared ? s->readers[self] == 0 : s->owner != self) {
        misuse(MISUSE_LOCK_NOT_HELD, s->number, s->address, (uint64_t)kind, 0, pc);
        return false;
    }
    if (shared) {
        s->readers[self]--;
        s->reader_count--;
    } else {
        s->owner = OWNER_NONE;
        sched_release(&s->shared);
    }
    if (!s->reader_count)
        sched_release(&s->free);
    thread_state()->locks--;
    race_release((shared ? RACE_KEY_SHARED : RACE_KEY_SYNC) + s->number);
    event_emit(EV_LOCK_RELEASE, s->number, (int64_t)kind, (uint64_t)(uintptr_t)s->address, 0, 0, pc);
    return true;
}

/* ---- dispatcher objects ---------------------------------------------------------------------------------- */

unsigned sync_first(const struct sync *s)
{
    return s->queue[0];
}

static void leave_queue(struct sync *s, unsigned position)
{
    s->queue_length--;
    for (unsigned i = position; i < s->queue_length; i++)
        s->queue[i] = s->queue[i + 1];
}

/* A thread that waits for any of several objects leaves the queues of the others. */
static void leave_all(unsigned thread)
{
    for (uint32_t i = 0; i < count; i++)
        for (unsigned k = objects[i].queue_length; k-- > 0;)
            if (objects[i].queue[k] == thread)
                leave_queue(&objects[i], k);
}

bool sync_satisfy_first(struct sync *s)
{
    unsigned thread = s->queue[0];

    if (!s->queue_length)
        return false;
    leave_queue(s, 0);
    if (thread_states[thread].several) {
        thread_states[thread].several = false;
        thread_states[thread].satisfied_by = s->number;
        leave_all(thread);
    }
    sched_release(&thread_states[thread].parked);
    return true;
}

/* The wait is over exactly when somebody took this thread out of the queue, even if the time came as well. */
bool sync_wait(struct sync *s, unsigned site, uint64_t deadline, const void *pc)
{
    unsigned self = sched_self();
    bool satisfied = true;

    event_emit(EV_BLOCK, s->number, s->kind, (uint64_t)(uintptr_t)s->address, 0, 0, pc);
    s->queue[s->queue_length++] = (uint8_t)self;
    sched_block(&thread_state()->parked, site, deadline);
    for (unsigned i = 0; i < s->queue_length; i++) {
        if (s->queue[i] == self) {
            leave_queue(s, i);
            satisfied = false;
            break;
        }
    }
    event_emit(EV_WAKE, s->number, s->kind, (uint64_t)(uintptr_t)s->address, 0, !satisfied, pc);
    return satisfied;
}

struct sync *sync_wait_any(struct sync *const *list, unsigned length, unsigned site, uint64_t deadline, const void *pc)
{
    struct thread_state *self = thread_state();
    bool timed_out;

    for (unsigned i = 0; i < length; i++) {
        struct sync *s = list[i];

        if (s->queue_length && s->queue[s->queue_length - 1] == sched_self())
            continue;                       /* the same object twice */
        s->queue[s->queue_length++] = (uint8_t)sched_self();
    }
    event_emit(EV_BLOCK, list[0]->number, list[0]->kind, (uint64_t)(uintptr_t)list[0]->address, length, 0, pc);
    self->several = true;
    sched_block(&self->parked, site, deadline);
    timed_out = self->several;
    if (timed_out) {
        self->several = false;
        leave_all(sched_self());
    }
    event_emit(EV_WAKE, list[0]->number, list[0]->kind, (uint64_t)(uintptr_t)list[0]->address, length, timed_out, pc);
    return timed_out ? NULL : sync_number(self->satisfied_by);
}
