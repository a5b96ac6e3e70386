/*
 * race.c - two accesses to the same byte, one of them a write, that no synchronisation orders.
 *
 * Happens-before by vector clocks.  Each 8-byte cell of the pool and of the module's globals
 * remembers accesses with the bytes they touched, as ThreadSanitizer's shadow words do, but never
 * pushes one out.  An access is forgotten only when a later one stands for it: which accesses there
 * are differs between compilers (they read a member once or twice, before a write or not at all),
 * and which races there are must not.
 *
 * Synchronisation: every acquire of an object joins all earlier releases of it, but a lock taken shared orders nothing
 * among those who share it.  Interlocked functions are acquire and release on their address; thread creation and end
 * order, too; a volatile load acquires and a volatile store releases (hooks.c).
 * What has "no fence" tells others only what was known at the thread's last barrier, and is told only at its next one.
 * Atomic operations do not race with one another, nor with a plain load (which is not torn); a plain store may undo
 * them.  So each is kept as a load.
 * Operations on an object of the pool do not race with one another, but with the free of its memory: the
 * release of a lock after the event was set that lets another thread free the lock.
 *
 * Clocks go on from execution to execution: what is older than `race_origin` happened in an earlier
 * one and orders before everything, so that no cell needs to be cleared.
 */
#include "hook.h"

#include <string.h>

enum {
    SPILLS = 256, SPILL_SLOTS = 32,         /* how many cells of an execution have room for how many more accesses */
    OBJECTS = 1024, REPORTS = 64
};

struct spill { uint32_t epoch; uint16_t index, count; };   /* of another epoch: empty */

struct cell race_cells[POOL_CELLS + IMAGE_CELLS];
static struct spill spills[POOL_CELLS + IMAGE_CELLS];
static struct access spilled[SPILLS][SPILL_SLOTS];
static unsigned spill_count;
static uint32_t clocks[THREADS_MAX][THREADS_MAX];       /* what each thread knows of each */
static uint32_t fenced[THREADS_MAX][THREADS_MAX];       /* what it knew at its last barrier … */
static uint32_t pending[THREADS_MAX][THREADS_MAX];      /* … and what it will know at its next */
uint32_t race_origin = 2;
static uint32_t started;                                /* threads that have a clock */
static struct object {
    uint32_t key, epoch;
    uint32_t known_to;                                  /* threads that know all of `clock` already */
    uint32_t clock[THREADS_MAX];
} objects[OBJECTS];
static uint32_t object_count, epoch;
static struct { const void *a, *b; } reports[REPORTS];
static unsigned report_count;
static struct access operations[POOL_BLOCKS_MAX][THREADS_MAX];  /* the last synchronisation in each block */

bool race_enabled = true;

_Static_assert(THREADS_MAX <= 32, "an access has five bits for its thread");

/* See hook.h. */
static void set_stamp(unsigned thread, uint32_t clock)
{
    event_stamp = event_stamp >> EVENT_STAMP_COUNT << EVENT_STAMP_COUNT | (uint64_t)thread << ACCESS_THREAD |
                  (race_enabled && !memory_careful ? clock : 0);
}

void race_turn(unsigned thread)
{
    set_stamp(thread, race_alone() ? race_origin - 1 : started >> thread & 1 ? clocks[thread][thread] : 0);
}

void race_reset(void)
{
    for (uint32_t rest = started; rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (race_origin <= clocks[t][t])
            race_origin = clocks[t][t] + 1;
    }
    race_origin++;                          /* a time of no clock lies between two executions */
    if (race_origin > UINT32_MAX / 2) {     /* once in a very long campaign */
        memset(race_cells, 0, sizeof race_cells);
        memset(operations, 0, sizeof operations);
        memset(clocks, 0, sizeof clocks);
        memset(fenced, 0, sizeof fenced);
        memset(pending, 0, sizeof pending);
        race_origin = 2;
    }
    started = 0;
    set_stamp(0, race_origin - 1);
    object_count = 0;
    report_count = 0;
    spill_count = 0;
    if (++epoch == 0) {
        memset(objects, 0, sizeof objects);
        memset(spills, 0, sizeof spills);
        epoch = 1;
    }
}

/* Of a thread that has not started nobody knows anything: mostly the first half of the clock is all there is. */
static inline void join(uint32_t *to, const uint32_t *from)
{
    enum { HALF = THREADS_MAX / 2 };

    for (unsigned i = 0; i < HALF; i++)
        to[i] = to[i] < from[i] ? from[i] : to[i];
    if (started >> HALF == 0)
        return;
    for (unsigned i = HALF; i < THREADS_MAX; i++)
        to[i] = to[i] < from[i] ? from[i] : to[i];
}

static void start(unsigned thread)
{
    for (unsigned i = 0; !(started & 1u << thread) && i < THREADS_MAX; i++)
        clocks[thread][i] = i == thread ? race_origin : race_origin - 1;
    started |= 1u << thread;
    clocks[thread][thread]++;
}

/* What the running thread does from now on is not what it tells others of now. */
static inline void tick(uint32_t *mine)
{
    mine[sched_self()]++;
    if ((uint32_t)event_stamp >= race_origin)
        event_stamp++;
}

/* A thread that nobody announced knows all that happened so far: no false race. */
static __attribute__((noinline)) void start_unannounced(unsigned self)
{
    start(self);
    for (uint32_t rest = started; rest; rest &= rest - 1) {
        unsigned other = (unsigned)__builtin_ctz(rest);

        join(clocks[self], clocks[other]);
        if (other != self)
            clocks[other][other]++;
    }
    race_turn(self);
}

/* The clock of the running thread. */
static inline uint32_t *own_clock(void)
{
    unsigned self = sched_self();

    if (!(started & 1u << self))
        start_unannounced(self);
    return clocks[self];
}

void race_spawned(unsigned thread)
{
    uint32_t *mine = own_clock();

    start(thread);
    join(clocks[thread], mine);
    tick(mine);
    race_turn(sched_self());                /* it may have been alone */
}

/* t0 waits for the driving threads before it goes on; the harness does that, so no object tells. */
void race_ended(unsigned thread)
{
    if (thread > 0 && thread < FIRST_WORKER && started & 1u << thread && started & 1u)
        join(clocks[0], clocks[thread]);
}

/* The object with this key; NULL when there is none, and none is to be made. */
static inline struct object *object_of(uint32_t key, bool make)
{
    unsigned i = (unsigned)((uint64_t)key * 0x9E3779B97F4A7C15u >> 40) % OBJECTS;

    while (objects[i].epoch == epoch && objects[i].key != key)
        i = (i + 1) % OBJECTS;
    if (objects[i].epoch != epoch) {
        if (!make)
            return NULL;
        if (++object_count == OBJECTS)
            sched_stop(VERDICT_MEMORY);
        objects[i].epoch = epoch;
        objects[i].key = key;
        objects[i].known_to = UINT32_MAX;               /* nothing */
        memset(objects[i].clock, 0, sizeof objects[i].clock);
    }
    return &objects[i];
}

void race_release(uint32_t key)
{
    uint32_t *mine, bit = 1u << sched_self();
    struct object *o;

    if (!race_enabled || race_alone())
        return;
    mine = own_clock();
    o = object_of(key, true);
    if (o->known_to & bit)
        memcpy(o->clock, mine, sizeof o->clock);
    else
        join(o->clock, mine);
    o->known_to &= bit;
    tick(mine);
}

void race_acquire(uint32_t key)
{
    struct object *o = race_enabled ? object_of(key, false) : NULL;
    uint32_t bit = 1u << sched_self();

    if (!o || o->known_to & bit)
        return;
    join(own_clock(), o->clock);
    o->known_to |= bit;
}

/* Two addresses with the same key share their edges: fewer races seen, none invented. */
static uint32_t address_key(const void *address)
{
    return RACE_KEY_ADDRESS | ((uint32_t)((uintptr_t)address >> 2) & (RACE_KEY_ADDRESS - 1));
}

void race_release_address(const void *address, bool ordered)
{
    struct object *o;

    if (ordered) {
        race_release(address_key(address));
    } else if (race_enabled && !race_alone() && fenced[sched_self()][sched_self()] >= race_origin) {
        o = object_of(address_key(address), true);
        join(o->clock, fenced[sched_self()]);
        o->known_to &= 1u << sched_self();
    }
}

void race_acquire_address(const void *address, bool ordered)
{
    struct object *o = race_enabled && !ordered ? object_of(address_key(address), false) : NULL;

    if (ordered)
        race_acquire(address_key(address));
    else if (o)
        join(pending[sched_self()], o->clock);
}

void race_fence(void)
{
    uint32_t *mine;

    if (!race_enabled)
        return;
    mine = own_clock();
    join(mine, pending[sched_self()]);
    memcpy(fenced[sched_self()], mine, sizeof fenced[0]);
    tick(mine);
}

static void report(const void *address, const struct access *earlier, const struct access *now)
{
    uint32_t object = NONE;

    for (unsigned i = 0; i < report_count; i++)
        if ((reports[i].a == earlier->pc && reports[i].b == now->pc) ||
            (reports[i].a == now->pc && reports[i].b == earlier->pc))
            return;
    if (report_count < REPORTS) {
        reports[report_count].a = earlier->pc;
        reports[report_count++].b = now->pc;
    }
    pool_find(address, &object);
    event_emit(EV_RACE, object, 0, (uint64_t)(uintptr_t)address, (uint64_t)(uintptr_t)earlier->pc,
               (uint64_t)earlier->thread | (uint64_t)earlier->write << 8 | (uint64_t)now->write << 9 |
                   (uint64_t)earlier->atomic << 10 | (uint64_t)now->atomic << 11 | (uint64_t)earlier->event << 16,
               now->pc);
}

/* The accesses of a cell, without gaps: slots that are in use, then what was spilled. */
static inline struct access *access_at(struct cell *cell, const struct spill *spill, unsigned i)
{
    return i < CELL_SLOTS ? &cell->slots[i] : &spilled[spill->index][i - CELL_SLOTS];
}

static inline unsigned access_count(const struct cell *cell, const struct spill *spill)
{
    unsigned count = 0;

    while (count < CELL_SLOTS && cell->slots[count].clock >= race_origin)
        count++;
    return count == CELL_SLOTS && spill->epoch == epoch ? count + spill->count : count;
}

static void forget_last(struct cell *cell, struct spill *spill, unsigned count)
{
    if (count > CELL_SLOTS)
        spill->count--;
    else
        cell->slots[count - 1].clock = 0;
}

static __attribute__((noinline)) struct access *spill_one(struct spill *spill)
{
    if (spill->epoch != epoch) {
        if (spill_count == SPILLS)
            sched_stop(VERDICT_MEMORY);
        *spill = (struct spill){epoch, (uint16_t)spill_count++, 0};
    }
    if (spill->count == SPILL_SLOTS)
        sched_stop(VERDICT_MEMORY);
    return &spilled[spill->index][spill->count++];
}

/* What is unordered with the old access is so with the later one: that one stands for both. */
static inline bool stands_for(const struct access *now, const struct access *old)
{
    return !(old->bytes & ~now->bytes) && old->write <= now->write;
}

static __attribute__((noinline)) void access_cell(struct cell *cell, const char *address, struct access now)
{
    struct access racing = {.event = 0}, *place = NULL;
    const uint32_t *mine = clocks[now.thread];
    struct spill *spill = &spills[cell - race_cells];
    bool race = false, known = false;

    for (unsigned i = 0, count = access_count(cell, spill); i < count;) {
        struct access *old = access_at(cell, spill, i);
        bool own = old->thread == now.thread;

        i++;
        if (!own && old->clock > mine[old->thread]) {
            /* The earliest, so that the order in which they lie here does not matter. */
            if (old->bytes & now.bytes && (old->write || now.write) && (!race || old->event < racing.event)) {
                race = true;
                racing = *old;
            }
        } else if (stands_for(&now, old)) {
            if (place) {
                *old = *access_at(cell, spill, count - 1);
                forget_last(cell, spill, count--);
                i--;
            } else {
                place = old;
            }
        } else if (own && old->clock == now.clock && stands_for(old, &now)) {
            known = true;
        }
    }
    if (race) {
        report(address, &racing, &now);
        now.again = true;                   /* from another line it is another race */
    }
    if (!place && known)
        return;
    if (!place) {
        unsigned count = access_count(cell, spill);

        place = count < CELL_SLOTS ? &cell->slots[count] : spill_one(spill);
    }
    *place = now;
}

/* event_stamp, where it is not to be had: for an access that was looked at, or a thread without a clock. */
static __attribute__((noinline, cold)) uint64_t stamp_of_own_clock(void)
{
    uint64_t self = sched_self();

    return event_stamp >> EVENT_STAMP_COUNT << EVENT_STAMP_COUNT | self << ACCESS_THREAD | own_clock()[self];
}

/* What the running thread does now, to no byte yet. */
static inline struct access access_now(bool write, bool atomic, const void *pc)
{
    uint64_t stamp = (uint32_t)event_stamp >= race_origin ? event_stamp : stamp_of_own_clock();

    return (struct access){.word = stamp | (uint64_t)write << ACCESS_WRITE | (uint64_t)atomic << ACCESS_ATOMIC,
                           .pc = pc};
}

void race_operation(uint32_t block, const void *pc)
{
    if (race_enabled && !race_alone())
        operations[block][sched_self()] = access_now(true, false, pc);
}

void race_free(uint32_t block, const void *address, size_t size, const void *pc)
{
    struct access now;

    race_use(address, size, true, pc);
    if (!race_enabled || race_alone())
        return;
    now = access_now(true, false, pc);
    for (uint32_t rest = started & ~(1u << now.thread); rest; rest &= rest - 1) {
        const struct access *old = &operations[block][__builtin_ctz(rest)];

        if (old->clock >= race_origin && old->clock > own_clock()[old->thread])
            report(address, old, &now);
    }
}

/* All in one cell. */
static inline void access_in_cell(struct cell *cell, const char *address, struct access now)
{
    struct access *old = &cell->slots[0];

    /* Mostly nobody was here, or one access that this one comes after. */
    if (old->clock < race_origin || (cell->slots[1].clock < race_origin &&
                                     old->clock <= clocks[now.thread][old->thread] && stands_for(&now, old))) {
        old->word = now.word;
        old->pc = now.pc;
    } else {
        access_cell(cell, address, now);
    }
}

void race_access_cell(const char *address, const void *pc, struct cell *cell, uint64_t word)
{
    access_in_cell(cell, address, (struct access){.word = word, .pc = pc});
}

static inline void access_part(const char *at, size_t size, struct access now)
{
    struct cell *cell = race_cell(at);

    now.word |= access_bytes(at, size);
    if (cell)
        access_in_cell(cell, at, now);
}

static void access(const char *at, size_t size, struct access now)
{
    size_t room = CELL - (uintptr_t)at % CELL;      /* in the first cell */

    for (; size > room; room = CELL) {
        access_part(at, room, now);
        at += room;
        size -= room;
    }
    if (size)
        access_part(at, size, now);
}

void race_access(const void *address, size_t size, bool write, const void *pc)
{
    struct access now;

    if (!race_enabled || race_alone())
        return;
    now = access_now(write, false, pc);
    now.again = now.event == UINT16_MAX;    /* it may be another event by then */
    access(address, size, now);
}

void race_use(const void *address, size_t size, bool write, const void *pc)
{
    struct access now;

    if (!race_enabled || race_alone())
        return;
    now = access_now(write, false, pc);
    now.again = true;                       /* a load may use what a copy of it did not */
    access(address, size, now);
}

void race_atomic(const void *address, size_t size, const void *pc)
{
    if (race_enabled && !race_alone())
        access(address, size, access_now(false, true, pc));
}
