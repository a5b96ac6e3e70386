/*
 * kernel.h - what the rest of the model may ask of the simulated kernel.
 *
 * The functions a driver calls are declared in model/wdk and implemented in this folder, one file
 * for each family: pool.c irql.c spinlock.c pushlock.c event.c rundown.c work.c interlocked.c
 * timer.c resource.c lists.c misc.c image.c.  memory.c watches the module's loads and stores, which
 * compilers tell of in hooks.c; race.c orders them.
 *
 * All state is static, sized by the limits below, and forgotten by kernel_reset at a cost that
 * follows what the last execution used.  Reaching a limit ends the execution with VERDICT_MEMORY.
 */
#ifndef MODEL_KERNEL_H
#define MODEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"
#include "sched.h"
#include "vocabulary.h"

/* The module's line that called the function this is written in: inside the call instruction, not behind it. */
#define CALLER() ((const void *)((const char *)__builtin_return_address(0) - 1))

/* Empty world: no pool block, no lock, IRQL 0 everywhere. */
void kernel_reset(void);
/* At a deadlock: EV_KEPT_OUT for each thread that never came to waiting for its lock. */
void kernel_tell_kept_out(void);

/* ---- IRQL (irql.c): one per thread; event_level mirrors the running thread's. */
unsigned irql_get(void);
/* A function that may have ended the driver's last binding returns to it: the driver may be unloaded before it goes on,
 * when nothing keeps it. */
void work_returns(void);
void irql_set(unsigned level);              /* for NMR: callbacks at DISPATCH_LEVEL; emits EV_IRQL when it changes */
void irql_require_max(unsigned level, const void *pc);  /* MISUSE_IRQL_TOO_HIGH */
unsigned region_depth(void);                /* critical region depth of the running thread */
unsigned locks_held(void);                  /* locks of any kind the running thread holds */

/* ---- pool (pool.c) */
enum { POOL_BLOCKS_MAX = 2048, POOL_BYTES_MAX = 1 << 20 };
#define POOL_BASE ((char *)0x310000000000)  /* fixed: the same addresses in each execution and process */

struct pool_block {
    char *address;
    uint32_t size, tag;
    uint32_t flags;                         /* enum alloc_flags */
    uint32_t alloc_event, free_event;       /* event numbers; free_event 0: live */
    const void *alloc_pc;
    uint32_t plain;                         /* bytes that anyone may load and store at any time */
    uint32_t touched_event[THREADS_MAX];    /* number of the last event before the thread's last access, +1; 0 never */
};
/* The block that holds this address, live or freed, or NULL.  *number is its object number. */
struct pool_block *pool_find(const void *address, uint32_t *number);
const struct pool_block *pool_get(uint32_t number);
uint32_t pool_count(void);                  /* blocks allocated so far in this execution */
void pool_report_leaks(void);               /* EV_LEAK for each live block not ALLOC_INTERNAL-owned by the mock */
/* A block of the kernel's own, made for the module; NULL when the fault point `site` says so. */
char *pool_internal(size_t size, uint32_t tag, unsigned site, const void *pc);
void pool_internal_free(void *address, const void *pc);

/* Which object this wait list is of, and which of its two; NULL: of none. */
const void *sync_address(const sched_wait *w, unsigned *field);

/* ---- memory (memory.c): the module's loads and stores */
/* Every instrumented load or store of module code comes here before it happens. */
void memory_access(const void *address, size_t size, bool write, const void *pc);
/* A kernel function is about to use memory the module passed: the same checks, for any size. */
void memory_use(const void *address, size_t size, bool write, const void *pc);
/* Both, and the copy: a kernel function moves bytes for the module.  AddressSanitizer does not see the copy, since it
 * would end the process where a muted rule lets it come so far. */
void memory_copy(void *to, const void *from, size_t size, const void *pc);
/* A synchronisation operation on these bytes: all checks, but it races with nothing but a free. */
void memory_check(const void *address, size_t size, bool write, const void *pc);
/*
 * Is each of these loads and stores a scheduling point, while there are other threads?  Not by default, and what a
 * kernel function does with the module's memory never is.  Then races are not told of: what they lead to is.
 */
void memory_set_points(bool on);
/* What an address is. */
enum place memory_place(const void *address, uint32_t *object);
/* A region that belongs to someone else: its owner decides about each access by returning normally or raising.
 * kernel_reset forgets all regions; they are numbered in the order they were added: the object of PLACE_PEER. */
void memory_add_region(const char *base, size_t size,
                       void (*check)(const char *address, size_t size, bool write, const void *pc));

/* ---- races (race.c): two accesses to the same byte that nothing orders; EV_RACE once for each pair of lines. */
extern bool race_enabled;                   /* on by default */
/* Synchronisation that only its owner knows of: an acquire comes after all earlier releases of the same key.
 * NMR's keys are RACE_KEY_NMR + number; the kernel's own lie below. */
enum { RACE_KEY_NMR = 1 << 16 };
void race_release(uint32_t key);
void race_acquire(uint32_t key);
/* The running thread made this thread with sched_spawn; without it the new thread is taken to know all so far. */
void race_spawned(unsigned thread);

/* Sanitizer reports about module code become findings (sanitizer.c).  A program that runs many executions calls this
 * once, and after a fork() in the child, so that they are not printed each time as well; one that kills the process is
 * printed then. */
void sanitizer_keep_quiet(void);
/* Is module code of this build under AddressSanitizer?  Else nothing can break MEM-9. */
bool sanitizer_watches(void);

/* ---- work items and threads (work.c) */
uint32_t work_queued(void);                 /* items queued or running that will still run module code */

/* ---- image (image.c): the module under test in memory */
struct image {                              /* a module as the build system describes it: see modules.h */
    const char *name;
    int (*entry)(void *driver_object, void *registry_path);     /* DriverEntry */
    char *data_begin, *data_end;            /* its writable sections */
};
void image_restore(const struct image *i);  /* globals as they were at program start; before each execution */
int image_load(const struct image *i);      /* DriverEntry; returns its status */
bool image_loaded(void);
void image_unload(void);                    /* DriverUnload when there is one; then the image is gone */
bool image_gone(void);
bool image_contains(const void *address, bool *writable);

/* ---- registry (registry.c): the values that are there, up to one without a name; NULL: none */
struct npi_registry_value;
void registry_set_values(const struct npi_registry_value *values);
/* The last required value that was asked for in this execution and is not there; NULL: none. */
const char *registry_missed(void);

#endif
