/*
 * sched.h - simulated threads on one OS thread.
 *
 * A thread is a fiber.  It runs until it reaches a scheduling point, blocks or ends; the strategy
 * then says who runs next.  Between two scheduling points nothing else runs.  Time is virtual: it
 * moves only when no thread can run, to the earliest deadline.
 *
 * A wait list is the set of threads whose next step needs something (a lock to be free, an event
 * to be set).  They cannot be chosen while it is missing:
 *
 *     while (lock->held)                     sched_block(&lock->waiters, site, SCHED_FOREVER);
 *     lock->held = true;                     sched_hold(&lock->waiters);    the others cannot run
 *     …
 *     lock->held = false;                    sched_release(&lock->waiters); now they can
 *
 * Every scheduling point is named by a site of the vocabulary.
 */
#ifndef HARNESS_SCHED_H
#define HARNESS_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "vocabulary.h"

/* How an execution ended. */
enum verdict {
    VERDICT_PASS,                           /* every thread ended, no rule broken */
    VERDICT_FINDING,                        /* a rule was broken */
    VERDICT_OUTSIDE,                        /* the module met input the contract excludes; not judged further */
    VERDICT_DEADLOCK,                       /* no thread can run, and no judge had more to say */
    VERDICT_STEPS,                          /* step limit reached */
    VERDICT_THREADS,                        /* thread limit reached */
    VERDICT_MEMORY,                         /* a bounded table or the simulated pool is full */
    VERDICTS
};
const char *verdict_name(enum verdict v);

typedef uint32_t sched_wait;                /* bit mask of waiting threads; zero is empty */

#define SCHED_FOREVER UINT64_MAX

enum { SCHED_STACK_BYTES = 64 * 1024 };     /* usable bytes of a thread's stack; a guard page lies below */

/* Run `main` as thread 0 until every thread has ended or someone stopped the execution. */
enum verdict sched_run(void (*main)(void *argument), void *argument);

/* Create a thread that can run at once.  Stops the execution when there are THREADS_MAX already.
 * `first` reserves the range: driving threads ask for first = 0, workers for the first worker number. */
unsigned sched_spawn(unsigned first, void (*body)(void *argument), void *argument);

/* The number of the running thread; whether there is one (inside sched_run); the threads that have not ended. */
extern unsigned sched_current;              /* these three are sched.c's to write */
extern bool sched_running;
extern uint32_t sched_living;
static inline unsigned sched_self(void) { return sched_current; }
static inline bool sched_active(void) { return sched_running; }
static inline uint32_t sched_alive(void) { return sched_living; }

/* The running thread is about to do something others can see. */
void sched_point(unsigned site);

/* The same, for a step that needs `w`: while another thread takes what `w` stands for, this one cannot run. */
void sched_point_for(sched_wait *w, unsigned site);

/* Stop running until released, or until virtual time reaches `deadline` (100 ns units).
 * True when released, false when the time came.  Re-check the condition after true. */
bool sched_block(sched_wait *w, unsigned site, uint64_t deadline);

/* What `w` stands for was taken: its threads cannot run.  / The same, by a thread that would not have waited for it. /
 * It is there again: they can. */
void sched_hold(sched_wait *w);
void sched_hold_tried(sched_wait *w);
void sched_touch_wait(const sched_wait *w);     /* it was looked at, and not taken */
void sched_release(sched_wait *w);

/*
 * Waiting until several have left: each says so, and the last one releases those who wait.  Who comes looks at it
 * (sched_touch_wait); who has waited says that it goes on because all have left, in whatever order.
 */
void sched_left(const sched_wait *w);
void sched_all_left(const sched_wait *w);

/* Let someone else run if anyone can, for spin loops; a strategy that lets threads stay may still choose this one.
 * (sched_yield is a name of the C library.) */
void sched_give_way(unsigned site);

/* The scheduler is fair: a thread that went on for SCHED_FAIR_STEPS points gives way to the next one that can run, so
 * that only a thread which waits for nothing that others still do can reach the step limit. */
enum { SCHED_FAIR_STEPS = 1000 };

/* The last scheduling points, oldest first; returns how many.  At the step limit: what never ends. */
enum { SCHED_RECENT_MAX = 64 };
struct sched_step { uint8_t thread, site; };
unsigned sched_recent(struct sched_step out[SCHED_RECENT_MAX]);

uint64_t sched_now(void);                   /* virtual time, 100 ns units, 0 at the start */

/* End the execution now with this verdict; does not return. */
_Noreturn void sched_stop(enum verdict v) __attribute__((cold));

/*
 * What an explorer sees of an execution, beside the choices.  A step of a thread lasts from one scheduling point to the
 * next: it begins with `run`.  NULL when nobody watches; a function that is not wanted is NULL, too.
 *
 * A release is a change, too; two of them could as well have come in the other order.  Who acquires comes after the
 * releases before it, and could not have come earlier.
 */
enum sched_touch { TOUCH_READ, TOUCH_WRITE, TOUCH_ACQUIRE, TOUCH_RELEASE };
struct sched_observer {
    void (*run)(unsigned thread);           /* this thread's next step begins */
    void (*touch)(uint64_t object, enum sched_touch how);
    void (*enable)(uint32_t waiters, uint64_t object);  /* these threads, which waited for it, can go on */
    void (*spawn)(unsigned child);          /* by the running thread */
    void (*time_out)(unsigned thread);      /* nobody could run, so this thread's deadline came */
    /* The running step ends in sched_give_way.  When `state` is the same, so are the thread's registers and stack. */
    void (*give_way)(uint64_t state);
};
extern const struct sched_observer *sched_observer; /* who is told now, or NULL; sched.c's to write */

/* The first steps of an execution that repeats the beginning of another: which threads take them.  Nobody is asked, and
 * nobody is told of them. */
struct sched_plan { uint32_t count; const uint8_t *threads; };

/* For the next execution; both may be NULL, the plan's threads live until it has ended. */
void sched_watch(const struct sched_observer *observer, const struct sched_plan *plan);

/* What a wait list is called as an object; its address when this is NULL.  For models whose lists move. */
extern uint64_t (*sched_name)(const sched_wait *w);
uint64_t sched_object(const sched_wait *w);     /* what this one is called */

/* Does anybody want to know what steps touch? */
static inline bool sched_watched(void) { return sched_observer && sched_observer->touch; }

/* The running step touches a shared object, named by a number that is the same in each execution. */
static inline void sched_touch(uint64_t object, enum sched_touch how)
{
    if (sched_watched())
        sched_observer->touch(object, how);
}

bool sched_can_run(unsigned thread);        /* is it ready for its next step */

/* What each thread is doing, for judges of a hang: its wait list (NULL when it can run) and the site. */
const sched_wait *sched_waiting_for(unsigned thread, unsigned *site);

/* Hooks of the model; any may be NULL.  At a deadlock (no thread can run and no deadline is left) and at the
 * step limit a judge may raise a finding; when none does, the verdict is DEADLOCK or STEPS. */
extern void (*sched_on_deadlock)(void);
extern void (*sched_on_step_limit)(void);
extern void (*sched_on_thread_end)(unsigned thread);
extern void (*sched_on_switch)(unsigned from, unsigned to);

/* Give up all frames of the running thread: the top of its stack, to go on from after an overflow. */
char *sched_clear_stack(void);

extern unsigned sched_end_site;             /* names the hand-over of a thread that ended */
extern uint32_t sched_steps_max;            /* default 20,000 scheduling points */
extern uint32_t sched_steps;                /* scheduling points of this execution */
extern uint32_t sched_switches;             /* context switches of this execution */
extern uint32_t sched_preemptions;          /* switches away from a thread that could have gone on */

/* Where the registers of a thread that is not running are kept (struct fiber's context): for debuggers. */
const void *sched_context(unsigned thread);

/* Is the address inside the stack of a simulated thread (or its guard page)?  Which thread, in *thread. */
bool sched_stack_contains(const void *address, unsigned *thread, bool *guard);

#endif
