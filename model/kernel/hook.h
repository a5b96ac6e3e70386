/*
 * hook.h - a load or store of module code that repeats the last access to its cell; all others are memory.c's.
 *
 * A cell is 8 bytes of the pool or of the module's globals.  It remembers accesses (race.c), each as a word and the
 * place in the code.  The word says who did what and when: thread, time of the thread's clock, number of events so far
 * (these three are event_stamp, for an access now), which bytes, and whether it was a store.
 *
 * So when the word of an access now is what the cell holds, the same thread did the same since the last event, and
 * since it last released anything.  Nothing has changed what the access means (block freed, level raised, other thread,
 * memory wanted by a judge: all that is an event, or a new stamp): it was in order and is so again, and it raced with
 * nobody.  Only its place is new.
 *
 * The stamp's clock (race.c) is 0 while every access must be looked at.  While there is one thread it is a time just
 * before the execution's first: words repeat as ever, and to race.c the cell is empty.
 *
 * The idea is FastTrack's (Flanagan and Freund 2009), whose fast path is for the same epoch; ours ends with each event,
 * since reports name events.
 */
#ifndef KERNEL_HOOK_H
#define KERNEL_HOOK_H

#include "internal.h"

enum {
    CELL = 8,                               /* bytes */
    CELL_SLOTS = 4,                         /* accesses that each cell has room for; race.c has more for a few */
    POOL_CELLS = POOL_BYTES_MAX / CELL,
    IMAGE_CELLS = IMAGE_WATCHED_MAX / CELL + 1
};

struct access {
    union {
        struct {
            uint32_t clock;                 /* of the thread; before race_origin: the slot is free */
            uint8_t bytes;                  /* mask within the cell */
            uint8_t thread : 5;
            uint8_t again : 1;              /* the same access must be looked at again */
            uint8_t write : 1;              /* a plain one */
            uint8_t atomic : 1;             /* for the report */
            uint16_t event;                 /* number of events so far; UINT16_MAX: that many or more */
        };
        uint64_t word;
    };
    const void *pc;
};
/* The numbers of their first bits. */
enum { ACCESS_BYTES = 32, ACCESS_THREAD = 40, ACCESS_AGAIN = 45, ACCESS_WRITE = 46, ACCESS_ATOMIC = 47 };

struct cell { struct access slots[CELL_SLOTS]; };       /* those in use come first */

extern struct cell race_cells[POOL_CELLS + IMAGE_CELLS];    /* of the pool, then of the module's globals */
extern uint32_t race_origin;                /* the time at which the clocks of this execution began */

/* What memory_access and race_access do, for bytes of one cell, with the word for them; race_access_cell is for a cell
 * that is in use. */
void memory_access_cell(const char *address, size_t size, bool write, const void *pc, struct cell *cell, uint64_t word);
void race_access_cell(const char *address, const void *pc, struct cell *cell, uint64_t word);

/* The cell of this byte, or NULL: it is not watched. */
static inline struct cell *race_cell_of_image(const char *at)
{
    if ((size_t)(at - image_data_begin) >= image_watched)
        return NULL;
    return &race_cells[POOL_CELLS + (uintptr_t)at / CELL - (uintptr_t)image_data_begin / CELL];
}

static inline struct cell *race_cell(const char *at)
{
    size_t in_pool = (size_t)(at - POOL_BASE);

    return in_pool < POOL_BYTES_MAX ? &race_cells[in_pool / CELL] : race_cell_of_image(at);
}

/* These bytes, all of one cell, in the word of an access. */
static inline uint64_t access_bytes(const char *at, size_t size)
{
    unsigned mask = size == CELL ? 0xFF : ((1u << size) - 1) << (uintptr_t)at % CELL;

    return (uint64_t)(uint8_t)mask << ACCESS_BYTES;
}

/* Is it on the running thread's stack, above the caller's frame? */
static inline __attribute__((always_inline)) bool hook_own_stack(const void *address)
{
    uintptr_t here;

    /* A frame pointer, or a local variable's address, would keep the compiler from leaving with a jump. */
#if defined(__x86_64__)
    __asm__("mov %%rsp, %0" : "=r"(here));
#elif defined(__aarch64__)
    __asm__("mov %0, sp" : "=r"(here));
#else
    here = (uintptr_t)__builtin_frame_address(0);
#endif
    return (uintptr_t)address - here < SCHED_STACK_BYTES;
}

/* `size` is one of 1, 2, 4, 8 and 16. */
static inline __attribute__((always_inline)) void hook_access(const char *address, size_t size, bool write,
                                                              const void *pc)
{
    size_t in_pool = (size_t)(address - POOL_BASE);
    struct cell *cell;
    uint64_t word;

    if (__builtin_expect(in_pool < POOL_BYTES_MAX, 1))
        cell = &race_cells[in_pool / CELL];
    else if (hook_own_stack(address))
        return;
    else
        cell = race_cell_of_image(address);
    if (!cell || size > CELL || __builtin_expect((uintptr_t)address % size != 0, 0)) {
        memory_access(address, size, write, pc);
        return;
    }
    word = event_stamp | access_bytes(address, size) | (uint64_t)write << ACCESS_WRITE;
    if (__builtin_expect(cell->slots[0].word == word, 1))
        cell->slots[0].pc = pc;
    else
        memory_access_cell(address, size, write, pc, cell, word);
}

#endif
