/*
 * internal.h - what the files of this folder share.  Nobody else includes it.
 *
 * Every synchronisation object of the module has an entry in a side table, keyed by its address
 * and numbered in order of first use (sync.c).  The module's bytes hold no state that we trust;
 * what a driver may read there (KEVENT's SignalState, EX_RUNDOWN_REF's Count) is kept up to date.
 */
#ifndef KERNEL_INTERNAL_H
#define KERNEL_INTERNAL_H

#include "choice.h"
#include "event.h"
#include "kernel.h"
#include "sched.h"
#include "sites.h"

/* Code that may touch poisoned or watched memory: no sanitizer, no hooks of our own. */
#if defined(__clang__)
#define RAW __attribute__((no_sanitize("address", "thread", "undefined", "coverage")))
#else
#define RAW __attribute__((no_sanitize("address", "thread", "undefined"), no_sanitize_coverage))
#endif

#if defined(__SANITIZE_ADDRESS__)
#define KERNEL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KERNEL_ASAN 1
#endif
#endif
#ifndef KERNEL_ASAN
#define KERNEL_ASAN 0
#endif

enum { LEVEL_PASSIVE, LEVEL_APC, LEVEL_DISPATCH, LEVEL_HIGH = 15 };

/* Copy or fill without asking any sanitizer; not for overlapping memory. */
void raw_copy(void *to, const void *from, size_t size);
void raw_fill(void *to, unsigned char byte, size_t size);

/* ---- a misuse of a kernel function */
void misuse(enum misuse what, uint32_t object, const void *address, uint64_t b, uint64_t c, const void *pc)
    __attribute__((cold));
/* Like irql_require_max, for functions with a lower bound. */
void irql_require_min(unsigned level, const void *pc);

/* ---- what each thread is in (irql.c) */
struct thread_state {
    uint8_t irql;
    uint8_t region;                         /* critical region depth */
    uint8_t guarded;                        /* guarded region depth */
    uint8_t locks;                          /* of any kind */
    uint8_t spins;                          /* of these, the ones that need DISPATCH_LEVEL */
    bool several;                           /* it waits for any of several objects … */
    uint32_t satisfied_by;                  /* … and this one ended the wait */
    const struct sync *wanted;              /* the lock that it is about to take, and … */
    uint8_t wanted_kind;                    /* … as what: enum lock_kind */
    struct sync *const *all;                /* it waits for all of these at once; NULL: it does not */
    unsigned all_length;
    sched_wait parked;                      /* where the thread waits for a dispatcher object */
};
extern struct thread_state thread_states[THREADS_MAX];
struct thread_state *thread_state(void);    /* the running thread's */
void irql_reset(void);
void irql_assign(unsigned level);           /* no event: a lock's own event tells */
void irql_region(int step, const void *pc); /* +1 enters a critical region, -1 leaves it */
void irql_thread_begin(void);               /* a thread number starts anew, at PASSIVE_LEVEL */

/* ---- synchronisation objects (sync.c) */
enum { SYNC_OBJECTS_MAX = 512, OWNER_NONE = 0xFF };

struct sync {
    const void *address;
    uint32_t number;
    uint8_t kind;                           /* enum lock_kind; LOCK_EX_SHARED and the like: the exclusive one's */
    bool ready;                             /* initialised by its function */
    bool used;
    bool must_be_deleted;                   /* before its memory goes away: resources, lookaside lists */
    uint8_t owner;                          /* thread that holds it exclusively, or OWNER_NONE */
    uint8_t depth;                          /* KMUTEX: times its owner took it */
    uint8_t old_irql;                       /* FAST_MUTEX */
    uint8_t readers[THREADS_MAX];           /* times each thread holds it shared */
    uint8_t reader_count;
    sched_wait free;                        /* threads that need it to be free */
    sched_wait shared;                      /* threads that need it not to be held exclusively */
    /* dispatcher objects */
    bool signalled, synchronization;
    uint8_t queue[THREADS_MAX], queue_length;   /* threads that wait, first come first served */
    uint32_t limit;                         /* of a semaphore, whose count is `references`; 0: no semaphore */
    /* EX_RUNDOWN_REF; tickets of timers and DPCs */
    uint32_t references;
    bool running_down;
    /* work items, threads */
    uint16_t work;                          /* index into work.c's table */
};

void sync_reset(void);
/* The entry for this address, made when there is none.  An entry of another family is recycled. */
struct sync *sync_get(const void *address, enum lock_kind kind);
struct sync *sync_peek(const void *address);            /* NULL when there is none */
/* Initialisation of an object: a fresh entry state, EV_SYNC_INIT. */
struct sync *sync_init(const void *address, size_t size, enum lock_kind kind, const void *pc);
/* Is a held lock, a thread that waits or a queued work item in these bytes?  Its number in *number. */
bool sync_in_use(const char *begin, size_t size, uint32_t *number);
/* Is there an object in these bytes that a function of its own has to delete first? */
bool sync_not_deleted(const char *begin, size_t size, uint32_t *number);
/* An object without need for initialisation: its bytes must be zero at its first use. */
void sync_require_zero(struct sync *s, size_t size, const void *pc);
/* The object of this number, of this execution. */
struct sync *sync_number(uint32_t number);

/* A lock.  Exclusive and shared acquisition wait until they can; the scheduling point comes first.
 * `kind` is what events call it.  Release: false when the running thread does not hold it. */
void sync_take(struct sync *s, enum lock_kind kind, unsigned site, size_t size, const void *pc);
bool sync_try(struct sync *s, enum lock_kind kind);     /* no scheduling point, no wait */
bool sync_give(struct sync *s, enum lock_kind kind, const void *pc);
bool sync_kind_shared(enum lock_kind kind);

/* A dispatcher object: wait in its queue, first come first served, until somebody satisfies the wait.
 * False when the deadline came first. */
bool sync_wait(struct sync *s, unsigned site, uint64_t deadline, const void *pc);
/* The same for any of several; the one that satisfied it, or NULL when the deadline came first. */
struct sync *sync_wait_any(struct sync *const *list, unsigned length, unsigned site, uint64_t deadline, const void *pc);
bool sync_satisfy_first(struct sync *s);                /* false when nobody waits */
unsigned sync_first(const struct sync *s);              /* the thread sync_satisfy_first would take */
void wait_all_satisfy(void);                            /* a dispatcher object was signalled (event.c) */

/* ---- spin locks (spinlock.c): a KSPIN_LOCK, for code of ours on behalf of the module's line */
unsigned char spinlock_acquire(void *lock, const void *pc);     /* the IRQL to go back to */
void spinlock_release(void *lock, unsigned char old, const void *pc);

/* ---- the driver framework (wdf.c) */
void wdf_reset(void);
void wdf_entry_failed(void);                /* DriverEntry failed: what the framework has of the driver goes */

/* ---- pool (pool.c) */
void pool_reset(void);
/* What all allocators and all ways to free have in common, checks included; flags: enum alloc_flags. */
char *pool_allocate(size_t size, uint32_t tag, uint32_t flags, const void *pc);
void pool_free(void *address, uint32_t tag, const void *pc);
extern uint32_t pool_used;                  /* bytes of the arena in use, from POOL_BASE */
struct pool_block *pool_near(const void *address, uint32_t *number);    /* red zones too */
bool pool_is_internal(const void *address, uint32_t *number);   /* does a live block of pool_internal's begin there? */
enum { POOL_GRANULE = 16 };
extern uint16_t pool_owners[POOL_BYTES_MAX / POOL_GRANULE]; /* of each granule: block number + 1; 0 nobody's */
extern struct pool_block pool_blocks[POOL_BLOCKS_MAX];

/* ---- memory (memory.c) */
void memory_reset(void);
extern bool memory_careful;                 /* every access must be looked at */
/* After those checks, when code of ours goes on to use the memory: a fault comes here, and is the module's line's. */
void memory_try(const void *address, size_t size, bool write, const void *pc);
void memory_forget(uint32_t used);                      /* the pool is reset; this many bytes were in use */

/* ---- work and threads (work.c) */
void work_reset(void);
void work_thread_end(unsigned thread);
void work_drain(void);                      /* block until no I/O work item is queued or running */
/* Block until there is none of what is counted; `none` is released then. */
void work_wait_for_none(const uint32_t *count, sched_wait *none, const void *pc);
uint32_t work_running(void);                /* threads inside module code that they began as workers */

/* A new worker thread.  Its body calls irql_thread_begin, and module code through work_call: inside
 * FRAME_WORK_ITEM at this level, unless the image is gone. */
void work_spawn(void (*body)(void *), void *argument);
void work_call(uint32_t item, unsigned level, void *routine, void *context, void (*call)(void *), void *argument);

/* ---- timers and DPCs (timer.c) */
void timer_reset(void);

/* ---- image (image.c) */
void image_reset(void);
void misc_reset(void);
void sanitizer_reset(void);
/* EV_ACCESS when AddressSanitizer knows better. */
void sanitizer_ask(const void *address, size_t size, bool write, const void *pc);
/* Where AddressSanitizer keeps what it knows of an address; 0 without it. */
uintptr_t sanitizer_shadow(uintptr_t address);
extern const char *image_data_begin, *image_data_end;   /* writable bytes of the module under test … */
enum { IMAGE_WATCHED_MAX = 64 * 1024 - 8 };
extern size_t image_watched;                /* … and how many of them are watched for races */

/* A pointer without its volatile. */
#define PLAIN(p) ((void *)(uintptr_t)(p))

/* ---- atomic operations (interlocked.c): before, the scheduling point, the checks and the edges; after, the event */
/* `ordered`: not one of those that have "no fence". */
void interlocked_begin(const void *address, size_t size, bool read, bool write, bool ordered, const void *pc);
void interlocked_end(const void *address, const void *pc);

/* ---- races (race.c) */
void race_reset(void);
void race_turn(unsigned thread);            /* another thread runs, or memory_careful has changed */
void race_access(const void *address, size_t size, bool write, const void *pc);
void race_use(const void *address, size_t size, bool write, const void *pc);    /* by a function, not an instruction */
void race_atomic(const void *address, size_t size, const void *pc);
void race_operation(uint32_t block, const void *pc);        /* of an object that lies in the block */
void race_free(uint32_t block, const void *address, size_t size, const void *pc);
/* No other thread exists: those to come will know all that this one did. */
static inline bool race_alone(void)
{
    uint32_t alive = sched_alive();

    return (alive & (alive - 1)) == 0;
}
void race_ended(unsigned thread);
void race_release_address(const void *address, bool ordered);
void race_acquire_address(const void *address, bool ordered);
void race_fence(void);                      /* a memory barrier */
/* Of a lock: what those did who had it exclusively; plus RACE_KEY_SHARED: who had it shared. */
enum { RACE_KEY_SYNC = 0, RACE_KEY_SHARED = 1 << 12, RACE_KEY_ADDRESS = 1 << 30 };

#endif
