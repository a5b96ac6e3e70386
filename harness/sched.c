/* sched.c - see sched.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sched.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "choice.h"
#include "fiber.h"

/* Stacks have fixed addresses: what a thread's uninitialised memory or a pointer to a local looks like must
 * not differ between executions.  Each slot is a guard of the stack's own size, then the stack. */
#define STACK_BASE ((char *)0x320000000000)
enum { STACK_SLOT = 2 * SCHED_STACK_BYTES, CLEANED_BYTES = 8 * 1024 };

/* Registers that belong to the caller, right below the frame pointer; elsewhere they are above it. */
#if defined(__x86_64__)
enum { SAVED_REGISTERS = 5 };
#else
enum { SAVED_REGISTERS = 0 };
#endif

struct thread {
    struct fiber fiber;
    void (*body)(void *argument);
    void *argument;
    sched_wait *waiting;                    /* what its next step needs, or NULL */
    uint64_t deadline;                      /* SCHED_FOREVER: none */
    unsigned site;                          /* where it stands */
    bool timed_out;
};

unsigned sched_end_site;
uint32_t sched_steps_max = 20000;
uint32_t sched_steps, sched_switches, sched_preemptions;
void (*sched_on_deadlock)(void);
void (*sched_on_step_limit)(void);
void (*sched_on_thread_end)(unsigned thread);
void (*sched_on_switch)(unsigned from, unsigned to);
const struct sched_observer *sched_observer;
uint64_t (*sched_name)(const sched_wait *w);

static struct thread threads[THREADS_MAX];
static struct fiber host;                   /* the OS thread's own context, which called sched_run */
unsigned sched_current;
bool sched_running;
uint32_t sched_living;
static uint32_t used, runnable;             /* bit masks of threads */
static uint32_t streak;                     /* points since the last switch */
static struct sched_plan plan;
static const struct sched_observer *observer;   /* after the planned steps */
static struct sched_step recent[SCHED_RECENT_MAX];
static bool states_told;                    /* somebody is told what threads have on their stacks */
static uint64_t now;
static enum verdict verdict;

static const char *const verdict_names[VERDICTS] = {
    "pass", "finding", "outside the contract", "deadlock", "step limit", "thread limit", "memory limit"};

const char *verdict_name(enum verdict v)
{
    CHECK(v < VERDICTS);
    return verdict_names[v];
}

uint64_t sched_now(void)
{
    return now;
}

static char *stack_of(unsigned thread)
{
    return STACK_BASE + (size_t)thread * STACK_SLOT + SCHED_STACK_BYTES;
}

static void map_stacks(void)
{
    static bool mapped;
    size_t bytes = (size_t)THREADS_MAX * STACK_SLOT;

    if (mapped)
        return;
    CHECK(mmap(STACK_BASE, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
               -1, 0) == STACK_BASE);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        CHECK(mprotect(stack_of(t), SCHED_STACK_BYTES, PROT_READ | PROT_WRITE) == 0);
    mapped = true;
}

bool sched_stack_contains(const void *address, unsigned *thread, bool *guard)
{
    size_t offset = (size_t)((const char *)address - STACK_BASE);

    if (offset >= (size_t)THREADS_MAX * STACK_SLOT)
        return false;
    *thread = (unsigned)(offset / STACK_SLOT);
    *guard = offset % STACK_SLOT < SCHED_STACK_BYTES;
    return true;
}

const void *sched_context(unsigned thread)
{
    return threads[thread].fiber.context;
}

char *sched_clear_stack(void)
{
    return fiber_clear_stack(&threads[sched_current].fiber);
}

void sched_stop(enum verdict v)
{
    CHECK(sched_running);
    verdict = v;
    threads[sched_current].fiber.dirty = true;
    fiber_leave(&threads[sched_current].fiber, &host);
    __builtin_unreachable();
}

/* Another thread is the running one. */
static void turn_to(unsigned next)
{
    sched_switches++;
    streak = 0;
    if (sched_on_switch)
        sched_on_switch(sched_current, next);
    sched_current = next;
}

uint64_t sched_object(const sched_wait *w)
{
    return sched_name ? sched_name(w) : (uint64_t)(uintptr_t)w;
}

void sched_watch(const struct sched_observer *who, const struct sched_plan *p)
{
    observer = who;
    plan = p ? *p : (struct sched_plan){0};
    sched_observer = plan.count ? NULL : observer;
}

static void runs(unsigned next)
{
    if (sched_observer && sched_observer->run)
        sched_observer->run(next);
}

/* The next step begins, of this thread or another; returns when it is this one's turn again. */
static void go_on(unsigned next)
{
    unsigned self = sched_current;

    runs(next);
    if (next == self)
        return;
    turn_to(next);
    fiber_switch(&threads[self].fiber, &threads[next].fiber);
}

static void count_step(unsigned site)
{
    recent[sched_steps % SCHED_RECENT_MAX] = (struct sched_step){(uint8_t)sched_current, (uint8_t)site};
    streak++;
    if (++sched_steps == plan.count)
        sched_observer = observer;
    if (sched_steps <= sched_steps_max)
        return;
    sched_steps_max = UINT32_MAX;           /* the hook may reach scheduling points; restored by sched_run */
    if (sched_on_step_limit)
        sched_on_step_limit();
    sched_stop(VERDICT_STEPS);
}

/* No thread can run: move time to the earliest deadline and let that thread go on. */
static void advance_clock(void)
{
    uint64_t earliest = SCHED_FOREVER;
    unsigned next = THREADS_MAX;

    for (uint32_t rest = sched_living; rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (threads[t].deadline < earliest) {
            earliest = threads[t].deadline;
            next = t;
        }
    }
    if (next == THREADS_MAX) {
        if (sched_on_deadlock)
            sched_on_deadlock();
        sched_stop(VERDICT_DEADLOCK);
    }
    if (now < earliest)
        now = earliest;
    threads[next].timed_out = true;
    threads[next].deadline = SCHED_FOREVER;
    runnable |= 1u << next;
    if (sched_observer && sched_observer->time_out)
        sched_observer->time_out(next);
}

/* Who takes the next step. */
static inline unsigned choose(unsigned site, uint32_t candidates, unsigned dull, bool forced)
{
    if (sched_steps < plan.count)
        return choice_planned(sched_current, site, candidates, dull, plan.threads[sched_steps]);
    return choice_switch(sched_current, site, candidates, dull, forced);
}

/* The running thread cannot go on.  Returns the thread that can. */
static unsigned choose_other(unsigned site, uint32_t candidates)
{
    return choose(site, candidates, (unsigned)__builtin_ctz(candidates), true);
}

/* The running thread gives way, by default to the next one upwards: two that spin must not keep out a third. */
static unsigned choose_next(unsigned site, bool stays)
{
    uint32_t self = 1u << sched_current, others = runnable & ~self, upwards = others & ~(2 * self - 1);

    return choose(site, stays ? runnable : others, (unsigned)__builtin_ctz(upwards ? upwards : others), true);
}

void sched_point(unsigned site)
{
    unsigned next;

    count_step(site);
    threads[sched_current].site = site;
    if (runnable == 1u << sched_current) {
        runs(sched_current);
        return;
    }
    if (!(runnable & 1u << sched_current)) {
        next = choose_other(site, runnable);
    } else if (streak >= SCHED_FAIR_STEPS) {
        next = choose_next(site, false);
    } else {
        next = choose(site, runnable, sched_current, false);
        sched_preemptions += next != sched_current;
    }
    go_on(next);
}

void sched_point_for(sched_wait *w, unsigned site)
{
    struct thread *self = &threads[sched_current];
    uint32_t bit = 1u << sched_current;

    *w |= bit;
    self->waiting = w;
    sched_point(site);
    *w &= ~bit;
    self->waiting = NULL;
}

bool sched_block(sched_wait *w, unsigned site, uint64_t deadline)
{
    struct thread *self = &threads[sched_current];
    uint32_t bit = 1u << sched_current;

    count_step(site);
    *w |= bit;
    self->waiting = w;
    self->site = site;
    self->deadline = deadline;
    self->timed_out = false;
    runnable &= ~bit;
    if (!runnable)
        advance_clock();
    go_on(runnable != bit ? choose_other(site, runnable) : sched_current);
    *w &= ~bit;
    self->waiting = NULL;
    self->deadline = SCHED_FOREVER;
    return !self->timed_out;
}

void sched_hold(sched_wait *w)
{
    runnable &= ~*w;
    if (sched_watched())
        sched_observer->touch(sched_object(w), TOUCH_ACQUIRE);
}

void sched_hold_tried(sched_wait *w)
{
    runnable &= ~*w;
    if (sched_watched())
        sched_observer->touch(sched_object(w), TOUCH_WRITE);
}

void sched_touch_wait(const sched_wait *w)
{
    if (sched_watched())
        sched_observer->touch(sched_object(w), TOUCH_READ);
}

void sched_release(sched_wait *w)
{
    uint32_t stopped = *w & ~runnable;

    runnable |= *w;
    if (sched_watched())
        sched_observer->touch(sched_object(w), TOUCH_RELEASE);
    if (stopped && sched_observer && sched_observer->enable)
        sched_observer->enable(stopped, sched_object(w));
}

void sched_left(const sched_wait *w)
{
    if (sched_watched())
        sched_observer->touch(sched_object(w), TOUCH_RELEASE);
}

void sched_all_left(const sched_wait *w)
{
    if (sched_watched())
        sched_observer->touch(sched_object(w), TOUCH_ACQUIRE);
}

#define BARE __attribute__((noinline, no_sanitize("address")))

/* The running thread's stack from this address on, as one number.  Addresses repeat: stacks have fixed places. */
static BARE uint64_t stack_state(const uint64_t *from)
{
    const uint64_t *end = (const uint64_t *)(void *)(stack_of(sched_current) + SCHED_STACK_BYTES);
    uint64_t hash = (uint64_t)(end - from);

    states_told = true;
    for (; from < end; from++) {
        hash = (hash ^ *from) * 0x9E3779B97F4A7C15;
        hash ^= hash >> 32;
    }
    return hash;
}

void sched_give_way(unsigned site)
{
    if (sched_observer && sched_observer->give_way) {
        __builtin_unwind_init();            /* puts the registers that belong to the caller into this frame, on top */
        sched_observer->give_way(stack_state((uint64_t *)__builtin_frame_address(0) - SAVED_REGISTERS));
    }
    count_step(site);
    threads[sched_current].site = site;
    go_on(runnable == 1u << sched_current ? sched_current : choose_next(site, choice_stays()));
}

unsigned sched_recent(struct sched_step out[SCHED_RECENT_MAX])
{
    uint32_t count = sched_steps < SCHED_RECENT_MAX ? sched_steps : SCHED_RECENT_MAX;

    for (uint32_t i = 0; i < count; i++)
        out[i] = recent[(sched_steps - count + i) % SCHED_RECENT_MAX];
    return count;
}

bool sched_can_run(unsigned thread)
{
    return runnable >> thread & 1;
}

const sched_wait *sched_waiting_for(unsigned thread, unsigned *site)
{
    *site = threads[thread].site;
    return runnable & 1u << thread ? NULL : threads[thread].waiting;
}

static void thread_entry(void *argument)
{
    struct thread *self = argument;
    uint32_t bit = 1u << sched_current;

    self->body(self->argument);
    if (sched_on_thread_end)
        sched_on_thread_end(sched_current);
    sched_living &= ~bit;
    runnable &= ~bit;
    if (!sched_living) {
        verdict = VERDICT_PASS;
        fiber_leave(&self->fiber, &host);
    }
    count_step(sched_end_site);
    self->site = sched_end_site;
    if (!runnable)
        advance_clock();
    {
        unsigned next = choose_other(sched_end_site, runnable);

        runs(next);
        turn_to(next);
        fiber_leave(&self->fiber, &threads[next].fiber);
    }
}

/* What is on a new stack must not hang on earlier executions: functions leave gaps in their frames. */
static BARE void clean_stack(unsigned thread)
{
    volatile uint64_t *end = (volatile uint64_t *)(void *)(stack_of(thread) + SCHED_STACK_BYTES);

    for (volatile uint64_t *p = end - CLEANED_BYTES / sizeof *p; states_told && p < end; p++)
        *p = 0;
}

unsigned sched_spawn(unsigned first, void (*body)(void *argument), void *argument)
{
    uint32_t range = (1u << THREADS_MAX) - (1u << first);
    uint32_t fresh = range & ~used;
    uint32_t ended = range & ~sched_living & ~(sched_running ? 1u << sched_current : 0u);
    struct thread *t;
    unsigned number;

    CHECK(first < THREADS_MAX);
    if (!fresh && !ended)
        sched_stop(VERDICT_THREADS);
    number = (unsigned)__builtin_ctz(fresh ? fresh : ended);
    t = &threads[number];
    t->body = body;
    t->argument = argument;
    t->waiting = NULL;
    t->deadline = SCHED_FOREVER;
    t->timed_out = false;
    t->site = 0;
    clean_stack(number);
    fiber_init(&t->fiber, stack_of(number), SCHED_STACK_BYTES, thread_entry, t);
    used |= 1u << number;
    sched_living |= 1u << number;
    runnable |= 1u << number;
    if (sched_observer && sched_observer->spawn && sched_running)
        sched_observer->spawn(number);
    return number;
}

enum verdict sched_run(void (*main)(void *argument), void *argument)
{
    uint32_t limit = sched_steps_max;

    CHECK(!sched_running);
    map_stacks();
    used = sched_living = runnable = 0;
    now = 0;
    sched_steps = sched_switches = sched_preemptions = streak = 0;
    sched_current = 0;
    sched_spawn(0, main, argument);
    sched_running = true;
    runs(0);
    fiber_switch(&host, &threads[0].fiber);
    sched_running = false;
    sched_steps_max = limit;
    for (uint32_t rest = sched_living; rest; rest &= rest - 1)
        fiber_abandon(&threads[__builtin_ctz(rest)].fiber);
    sched_current = 0;
    return verdict;
}
