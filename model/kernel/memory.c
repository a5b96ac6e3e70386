/*
 * memory.c - what the module's loads and stores touch.
 *
 * An access is looked at in three steps: is it one that cannot matter (the thread's own stack, the
 * harness's memory), is it in the pool, is it in somebody's region.  What is wrong is told in an
 * EV_ACCESS; the judges end the execution, and when none does the access happens.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <string.h>

#include "check.h"
#include "execution.h"
#include "footprint.h"
#include "hook.h"
#include "memory.h"

/* nmr.h needs the WDK's types; this is all that is wanted of it. */
bool nmr_is_token(uint64_t value);

enum {
    REGIONS_MAX = 64, SMALL_ADDRESS = 64 * 1024, TOKEN_SPAN = 4096, JUNK = 0xA5,
    KMODE_EXCEPTION_NOT_HANDLED = 0x1E      /* bugcodes.h */
};

static uint64_t stored[POOL_BYTES_MAX / 64];            /* a bit for each byte of the pool that was written */
static struct region {
    const char *base;
    size_t size;
    void (*check)(const char *address, size_t size, bool write, const void *pc);
} regions[REGIONS_MAX];
static unsigned region_count;
static uintptr_t regions_begin = UINTPTR_MAX, regions_end;
/* The last access that is neither to the pool nor to the module's own: it may be about to fault. */
static struct { uintptr_t address; const void *pc; bool write, seen; } foreign;

bool memory_careful;
static bool points;                         /* loads and stores are scheduling points */

static void on_fault(const struct fault *f);

/*
 * Setting a bit-field in junk loads the junk first and stores it back, which is no use of it.  So such a load is
 * only doubted, until the thread's next access tells: a store to the same place clears it.
 */
struct doubt {
    bool raised;
    unsigned thread;
    uint32_t block;
    const char *address;
    size_t offset;
    const void *pc;
};
static struct doubt doubt;

static void set_doubt(struct doubt d)
{
    doubt = d;
    memory_careful = points || d.raised;
    race_turn(sched_self());
}

void memory_reset(void)
{
    set_doubt((struct doubt){false});
    execution_on_fault = on_fault;
    region_count = 0;
    regions_begin = UINTPTR_MAX;
    regions_end = 0;
    foreign.seen = false;
}

/* ---- the pool -------------------------------------------------------------------------------------------- */

/* Bits first … last-1 of the bitmap: set, clear, or ask whether all are clear. */
static void set_stored(size_t first, size_t last, bool value)
{
    while (first < last) {
        size_t word = first / 64, end = (word + 1) * 64 < last ? (word + 1) * 64 : last;
        uint64_t mask = ~(uint64_t)0 >> (64 - (end - first)) << first % 64;

        stored[word] = value ? stored[word] | mask : stored[word] & ~mask;
        first = end;
    }
}

static bool none_stored(size_t first, size_t size)
{
    for (size_t i = first; i < first + size; i++)
        if (stored[i / 64] >> i % 64 & 1)
            return false;
    return true;
}

void memory_forget(uint32_t used)
{
    memset(stored, 0, (used + 63) / 64 * sizeof *stored);
}

static RAW bool all_junk(const char *address, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)address[i] != JUNK)
            return false;
    return true;
}

static __attribute__((cold)) void bad(enum access_fault what, uint32_t object, const void *address, bool write,
                                      uint64_t c, const void *pc)
{
    event_emit(EV_ACCESS, object, (int64_t)what, (uint64_t)(uintptr_t)address, write, c, pc);
}

/* One of the sizes a load instruction has, all of it junk that nobody stored. */
static bool is_uninitialised(const char *address, size_t size)
{
    return size <= 8 && (size & (size - 1)) == 0 &&
           none_stored((size_t)(address - POOL_BASE), size) && all_junk(address, size);
}

static __attribute__((noinline)) void settle_doubt(const char *address, bool write)
{
    struct doubt d = doubt;

    set_doubt((struct doubt){false});
    if (!write || address != d.address || sched_self() != d.thread)
        bad(ACCESS_UNINITIALISED, d.block, d.address, false, d.offset, d.pc);
}

/* Returns true when nothing was wrong. */
static __attribute__((noinline)) bool check_pool(const char *address, size_t size, bool write, bool load,
                                                 const void *pc)
{
    uint32_t number = pool_owners[(size_t)(address - POOL_BASE) / POOL_GRANULE] - 1u;
    struct pool_block *b;
    size_t offset;

    if (number == NONE) {
        bad(ACCESS_OUT_OF_BOUNDS, NONE, address, write, 0, pc);
        return false;
    }
    b = &pool_blocks[number];
    offset = (size_t)(address - b->address);
    if (b->free_event) {
        bad(ACCESS_FREED, number, address, write, offset, pc);
        return false;
    }
    if (offset >= b->size || size > b->size - offset) {
        bad(ACCESS_OUT_OF_BOUNDS, number, address, write, offset, pc);
        return false;
    }
    b->touched_event[sched_self()] = event_count() + 1;
    if (b->flags & ALLOC_PAGED && event_level >= LEVEL_DISPATCH)
        bad(ACCESS_PAGED, number, address, write, offset, pc);
    if (b->flags & ALLOC_ZEROED)            /* every byte means something from the start */
        return true;
    if (write)
        set_stored((size_t)(address - POOL_BASE), (size_t)(address - POOL_BASE) + size, true);
    else if (load && is_uninitialised(address, size))
        set_doubt((struct doubt){true, sched_self(), number, address, offset, pc});
    return true;
}

/* The most frequent case, at once: memory where all is in order.  False: check_pool decides. */
static inline bool is_plain(const char *address, size_t size)
{
    unsigned owner = pool_owners[(size_t)(address - POOL_BASE) / POOL_GRANULE];
    struct pool_block *b;
    size_t offset;

    if (owner == 0)
        return false;
    b = &pool_blocks[owner - 1];
    offset = (size_t)(address - b->address);
    if (offset >= b->plain || size > b->plain - offset)
        return false;
    b->touched_event[sched_self()] = event_count() + 1;
    return true;
}

/* ---- everything else ------------------------------------------------------------------------------------- */

void memory_add_region(const char *base, size_t size,
                       void (*check)(const char *address, size_t size, bool write, const void *pc))
{
    uintptr_t begin = (uintptr_t)base;

    for (unsigned i = 0; i < region_count; i++) {
        if (regions[i].base == base) {
            regions[i].size = size;
            regions[i].check = check;
            return;
        }
    }
    CHECK(region_count < REGIONS_MAX);
    regions[region_count++] = (struct region){base, size, check};
    if (regions_begin > begin)
        regions_begin = begin;
    if (regions_end < begin + size)
        regions_end = begin + size;
}

/* The region with the first byte of the access. */
static bool check_regions(const char *address, size_t size, bool write, const void *pc)
{
    for (unsigned i = 0; i < region_count; i++) {
        if ((size_t)(address - regions[i].base) < regions[i].size) {
            regions[i].check(address, size, write, pc);
            return true;
        }
    }
    return false;
}

static void check_stack(const char *address, bool write, const void *pc)
{
    unsigned thread;
    bool guard;

    if (sched_stack_contains(address, &thread, &guard) && !guard && !(sched_alive() >> thread & 1))
        bad(ACCESS_STACK_DEAD, thread, address, write, 0, pc);
}

/* Neither in the pool nor the module's own. */
static __attribute__((noinline)) void check_foreign(const char *address, size_t size, bool write, const void *pc)
{
    uintptr_t a = (uintptr_t)address;

    foreign.address = a;
    foreign.write = write;
    foreign.pc = pc;
    foreign.seen = true;
    if (a < regions_begin || a >= regions_end || !check_regions(address, size, write, pc))
        check_stack(address, write, pc);
}

static inline bool in_pool(const char *address)
{
    return (size_t)(address - POOL_BASE) < POOL_BYTES_MAX;
}

static inline bool in_image(const char *address)
{
    return (size_t)(address - image_data_begin) < (size_t)(image_data_end - image_data_begin);
}

/* False: something is wrong with it, or it is nothing that threads could race for.  `load`: one instruction, so that
 * reading junk is reading an uninitialised variable; a copy may do that. */
static inline __attribute__((always_inline)) bool check(const char *address, size_t size, bool write, bool load,
                                                        const void *pc)
{
    if (size == 0 || !sched_active())
        return false;
    if (doubt.raised)
        settle_doubt(address, write);
    if (in_pool(address))
        return is_plain(address, size) || check_pool(address, size, write, load, pc);
    if (in_image(address))
        return true;
    check_foreign(address, size, write, pc);
    return false;
}

void memory_set_points(bool on)
{
    points = on;
    race_enabled = !on;
}

static __attribute__((noinline)) void point(const char *address, size_t size, bool write)
{
    if (!sched_active() || race_alone() || doubt.raised || !(in_pool(address) || in_image(address)))
        return;
    sched_point(SITE_MEMORY);
    for (const char *at = address - (uintptr_t)address % CELL; at < address + size; at += CELL)
        footprint_address(at, write ? TOUCH_WRITE : TOUCH_READ);
}

void memory_access(const void *address, size_t size, bool write, const void *pc)
{
    if (points)
        point(address, size, write);
    if (check(address, size, write, true, pc))
        race_access(address, size, write, pc);
}

void memory_access_cell(const char *address, size_t size, bool write, const void *pc, struct cell *cell, uint64_t word)
{
    uint32_t now = (uint32_t)word;

    if (now == 0 || event_count() >= UINT16_MAX || (in_pool(address) && !is_plain(address, size))) {
        memory_access(address, size, write, pc);
    } else if (cell->slots[0].clock < race_origin) {
        cell->slots[0].word = word;
        cell->slots[0].pc = pc;
    } else if (now >= race_origin) {
        race_access_cell(address, pc, cell, word);
    }
}

void memory_use(const void *address, size_t size, bool write, const void *pc)
{
    if (check(address, size, write, false, pc))
        race_use(address, size, write, pc);
}

void memory_copy(void *to, const void *from, size_t size, const void *pc)
{
    bool overlaps = (const char *)to > (const char *)from && (const char *)to < (const char *)from + size;

    memory_use(from, size, false, pc);
    memory_use(to, size, true, pc);
    if (overlaps)
        memmove(to, from, size);
    else
        raw_copy(to, from, size);
}

void memory_check(const void *address, size_t size, bool write, const void *pc)
{
    uint32_t owner;

    check(address, size, write, true, pc);
    if (!in_pool(address) || !sched_active())
        return;
    owner = pool_owners[(size_t)((const char *)address - POOL_BASE) / POOL_GRANULE];
    if (owner)
        race_operation(owner - 1, pc);
}

RAW void memory_try(const void *address, size_t size, bool write, const void *pc)
{
    if (size == 0 || !sched_active() || (size_t)((const char *)address - POOL_BASE) < POOL_BYTES_MAX)
        return;
    if (foreign.seen && (uintptr_t)address == foreign.address)
        (void)*(const volatile char *)address;
    sanitizer_ask(address, size, write, pc);
}

enum place memory_place(const void *address, uint32_t *object)
{
    uintptr_t a = (uintptr_t)address;
    unsigned thread;
    bool flag;
    struct pool_block *b;

    *object = NONE;
    if (a < SMALL_ADDRESS)
        return a ? PLACE_OTHER : PLACE_NULL;
    b = pool_find(address, object);
    if (b)
        return b->free_event ? PLACE_POOL_FREED : b->flags & ALLOC_PAGED ? PLACE_POOL_PAGED : PLACE_POOL;
    if (sched_stack_contains(address, &thread, &flag)) {
        *object = thread;
        return PLACE_STACK;
    }
    for (unsigned i = 0; i < region_count; i++) {
        if ((size_t)((const char *)address - regions[i].base) < regions[i].size) {
            *object = i;
            return PLACE_PEER;
        }
    }
    if (image_contains(address, &flag))
        return flag ? PLACE_IMAGE : PLACE_IMAGE_CONST;
    return PLACE_OTHER;
}

/* ---- faults of the machine ------------------------------------------------------------------------------- */

/* The value itself, or a member of the structure it was taken for. */
static bool near_token(uint64_t address)
{
    return nmr_is_token(address) || nmr_is_token(address & ~(uint64_t)(TOKEN_SPAN - 1));
}

/* Tell what is at this address; false when nothing is known about it. */
static bool tell_fault(const struct fault *f)
{
    uint64_t at = f->address;
    const char *address = (const char *)(uintptr_t)at;
    unsigned thread;
    bool guard;

    if (f->overflow)
        bad(ACCESS_STACK_OVERFLOW, sched_self(), address, f->write, 0, f->pc);
    else if (at < SMALL_ADDRESS)
        bad(ACCESS_NULL, NONE, address, f->write, at, f->pc);
    else if ((size_t)(address - POOL_BASE) < POOL_BYTES_MAX)
        return !check_pool(address, 1, f->write, false, f->pc);
    else if (sched_stack_contains(address, &thread, &guard) && !guard)
        bad(ACCESS_STACK_DEAD, thread, address, f->write, 0, f->pc);
    else if (near_token(at))
        bad(ACCESS_HANDLE, NONE, address, f->write, 0, f->pc);
    else
        return false;
    return true;
}

static bool is_canonical(uint64_t address)
{
    return (address + (1ull << 47)) >> 48 == 0;
}

/*
 * What faulted is not always what the machine says: x86-64 reports address 0 for a non-canonical one, and
 * AddressSanitizer looks at its own memory first.  The hook that ran just before knows better.  Without one, address 0
 * is taken for a NULL pointer, by far the likelier.
 */
static struct fault meant(const struct fault *f)
{
    struct fault m = *f;

    if (foreign.seen && (f->address == foreign.address || f->address == sanitizer_shadow(foreign.address) ||
                       (f->address == 0 && !is_canonical(foreign.address)))) {
        m.address = foreign.address;
        m.write = foreign.write;
        m.pc = foreign.pc;
    }
    return m;
}

static void on_fault(const struct fault *fault)
{
    struct fault f = meant(fault);
    const char *address = (const char *)(uintptr_t)f.address;

    if (f.signal != SIGSEGV && f.signal != SIGBUS) {
        event_emit(EV_BUGCHECK, NONE, KMODE_EXCEPTION_NOT_HANDLED, (uint64_t)f.signal, 0, 0, f.pc);
    } else {
        check_regions(address, 1, f.write, f.pc);
        if (!tell_fault(&f))
            bad(ACCESS_WILD, NONE, address, f.write, 0, f.pc);
    }
    sched_stop(VERDICT_OUTSIDE);            /* no judge wanted it, and the thread cannot go on */
}

/* ---- the module's calls of the C library ----------------------------------------------------------------- */

static void use(const void *address, size_t size, bool write, const void *pc)
{
    memory_use(address, size, write, pc);
    memory_try(address, size, write, pc);
}

void *nmrcheck_memcpy(void *to, const void *from, size_t size)
{
    use(from, size, false, CALLER());
    use(to, size, true, CALLER());
    return size ? memcpy(to, from, size) : to;
}

void *nmrcheck_memmove(void *to, const void *from, size_t size)
{
    use(from, size, false, CALLER());
    use(to, size, true, CALLER());
    return size ? memmove(to, from, size) : to;
}

void *nmrcheck_memset(void *to, int byte, size_t size)
{
    use(to, size, true, CALLER());
    return size ? memset(to, byte, size) : to;
}

int nmrcheck_memcmp(const void *a, const void *b, size_t size)
{
    use(a, size, false, CALLER());
    use(b, size, false, CALLER());
    return size ? memcmp(a, b, size) : 0;
}

size_t nmrcheck_strlen(const char *text)
{
    size_t length = 0;

    do
        use(text + length, 1, false, CALLER());
    while (text[length++]);
    return length - 1;
}
