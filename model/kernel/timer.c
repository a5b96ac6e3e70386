/*
 * timer.c - DPCs and timers, on virtual time.
 *
 * A queued DPC and a set timer are simulated threads.  A DPC that was removed and a timer that was cancelled or set
 * again are told by a ticket: the thread that holds an old one does nothing.
 */
#include "footprint.h"
#include "internal.h"

#include <ntddk.h>

#include "dispatcher.h"

enum { TICKETS_MAX = 256, MILLISECOND = 10000 };

static struct ticket {
    struct sync *object;                    /* the DPC's or the timer's */
    PKDPC dpc;
    uint32_t number;                        /* valid while object->references is the same */
    uint64_t due, period;
    unsigned thread;
} tickets[TICKETS_MAX];
static unsigned ticket_count;
static uint32_t dpcs;                       /* queued or running */
static sched_wait flushed;

void timer_reset(void)
{
    ticket_count = 0;
    dpcs = 0;
    flushed = 0;
}

static struct ticket *ticket(struct sync *s, PKDPC dpc)
{
    struct ticket *t = &tickets[ticket_count];

    if (ticket_count == TICKETS_MAX)
        sched_stop(VERDICT_MEMORY);
    ticket_count++;
    *t = (struct ticket){.object = s, .dpc = dpc, .number = ++s->references};
    return t;
}

/* ---- DPCs ------------------------------------------------------------------------------------------------ */

static void call_deferred(void *argument)
{
    PKDPC dpc = argument;

    dpc->DeferredRoutine(dpc, dpc->DeferredContext, dpc->SystemArgument1, dpc->SystemArgument2);
}

static void run_dpc(const struct ticket *t)
{
    PKDPC dpc = t->dpc;

    memory_check(dpc, sizeof *dpc, true, NULL);
    footprint_address(dpc, TOUCH_WRITE);
    if (t->object->references != t->number || !t->object->work)
        return;
    t->object->work = 0;
    race_acquire(RACE_KEY_SYNC + t->object->number);
    work_call(t->object->number, t->object->synchronization ? LEVEL_PASSIVE : LEVEL_DISPATCH,
              (void *)dpc->DeferredRoutine, dpc->DeferredContext, call_deferred, dpc);
    irql_assign(LEVEL_PASSIVE);
}

static void dpc_body(void *argument)
{
    irql_thread_begin();
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    run_dpc(argument);
    race_release(RACE_KEY_NMR - 2);
    sched_left(&flushed);
    if (--dpcs == 0)
        sched_release(&flushed);
    event_emit(EV_THREAD_END, sched_self(), 0, 0, 0, 0, NULL);
}

/* `synchronization` of a DPC's entry says that it is a threaded one. */
static struct sync *dpc_of(PKDPC dpc, const void *pc)
{
    struct sync *s;

    memory_check(dpc, sizeof *dpc, true, pc);
    s = sync_get(dpc, SYNC_WORK);
    if (!s->ready)
        misuse(MISUSE_NOT_INITIALISED, s->number, dpc, SYNC_WORK, 0, pc);
    s->ready = true;
    return s;
}

static bool queue_dpc(PKDPC dpc, PVOID first, PVOID second, const void *pc)
{
    struct sync *s = dpc_of(dpc, pc);

    footprint_address(dpc, TOUCH_WRITE);
    if (s->work)
        return false;
    s->work = 1;
    dpc->SystemArgument1 = first;
    dpc->SystemArgument2 = second;
    dpcs++;
    race_release(RACE_KEY_SYNC + s->number);
    event_emit(EV_WORK_QUEUED, s->number, 0, (uint64_t)(uintptr_t)dpc->DeferredRoutine,
               (uint64_t)(uintptr_t)dpc->DeferredContext, 0, pc);
    work_spawn(dpc_body, ticket(s, dpc));
    return true;
}

static void initialise_dpc(PKDPC dpc, PKDEFERRED_ROUTINE routine, PVOID context, bool threaded, const void *pc)
{
    sync_init(dpc, sizeof *dpc, SYNC_WORK, pc)->synchronization = threaded;
    dpc->DeferredRoutine = routine;
    dpc->DeferredContext = context;
}

/*
 * KeInitializeDpc, KeInitializeThreadedDpc (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  the routine runs at DISPATCH_LEVEL; a threaded one may run at PASSIVE_LEVEL (KeInitializeThreadedDpc)
 * Our reading a threaded one does run at PASSIVE_LEVEL
 */
VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    initialise_dpc(Dpc, DeferredRoutine, DeferredContext, false, CALLER());
}

VOID KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    initialise_dpc(Dpc, DeferredRoutine, DeferredContext, true, CALLER());
}

/*
 * KeInsertQueueDpc, KeRemoveQueueDpc (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  FALSE when it is queued already, or is not queued    (KeInsertQueueDpc, KeRemoveQueueDpc)
 */
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    const void *pc = CALLER();

    sched_point(SITE_WORK_ITEM);
    return queue_dpc(Dpc, SystemArgument1, SystemArgument2, pc);
}

BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc)
{
    const void *pc = CALLER();
    struct sync *s;
    bool was;

    sched_point(SITE_WORK_ITEM);
    s = dpc_of(Dpc, pc);
    footprint_address(Dpc, TOUCH_WRITE);
    was = s->work;
    s->work = 0;
    return was;
}

/*
 * KeFlushQueuedDpcs (ntddk.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  returns when all queued DPCs have run                (KeFlushQueuedDpcs)
 */
VOID KeFlushQueuedDpcs(VOID)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_PASSIVE, pc);
    sched_point(SITE_WORK_ITEM);
    work_wait_for_none(&dpcs, &flushed, pc);
    race_acquire(RACE_KEY_NMR - 2);
}

VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    (void)Importance;
    dpc_of(Dpc, CALLER());
}

VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    (void)Number;
    dpc_of(Dpc, CALLER());
}

NTSTATUS KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
    (void)ProcNumber;
    dpc_of(Dpc, CALLER());
    return STATUS_SUCCESS;
}

/* ---- timers ---------------------------------------------------------------------------------------------- */

static struct sync *timer_of(PKTIMER timer, const void *pc)
{
    struct sync *s;

    irql_require_max(LEVEL_DISPATCH, pc);
    memory_check(timer, sizeof *timer, true, pc);
    s = sync_get(timer, SYNC_OTHER);
    if (!s->ready)
        misuse(MISUSE_NOT_INITIALISED, s->number, timer, SYNC_OTHER, 0, pc);
    s->ready = true;
    return s;
}

static void expire(const struct ticket *t)
{
    struct sync *s = t->object;

    memory_check(s->address, sizeof(KTIMER), true, NULL);
    race_release(RACE_KEY_SYNC + s->number);
    if (!s->synchronization || !sync_satisfy_first(s))
        s->signalled = true;
    while (!s->synchronization && sync_satisfy_first(s)) {
    }
    wait_all_satisfy();
    ((PKTIMER)(uintptr_t)s->address)->Header.SignalState = s->signalled;
    if (t->dpc)
        queue_dpc(t->dpc, NULL, NULL, NULL);
}

/* `work` of a timer's entry says that it is set. */
static void timer_body(void *argument)
{
    struct ticket *t = argument;

    irql_thread_begin();
    t->thread = sched_self();
    while (t->object->references == t->number) {
        if (sched_now() < t->due)
            sched_block(&thread_state()->parked, SITE_WORK_ITEM, t->due);
        footprint_address(t->object->address, TOUCH_WRITE);
        if (t->object->references != t->number)
            break;
        t->object->work = t->period != 0;
        expire(t);
        if (!t->period || image_gone())
            break;
        t->due += t->period;
    }
}

/* Whatever the timer was set to no longer holds.  Was it set? */
static bool cancel(struct sync *s)
{
    bool was = s->work;

    footprint_address(s->address, TOUCH_WRITE);
    for (unsigned i = 0; was && i < ticket_count; i++)
        if (tickets[i].object == s && tickets[i].number == s->references && tickets[i].thread)
            sched_release(&thread_states[tickets[i].thread].parked);
    s->references++;
    s->work = 0;
    return was;
}

static bool set_timer(PKTIMER timer, LARGE_INTEGER due, ULONG period, PKDPC dpc, const void *pc)
{
    struct sync *s;
    struct ticket *t;
    bool was;

    sched_point(SITE_KE_SET_EVENT);
    s = timer_of(timer, pc);
    was = cancel(s);
    s->signalled = false;
    timer->Header.SignalState = 0;
    t = ticket(s, dpc);
    t->due = deadline_of(&due);
    t->period = (uint64_t)period * MILLISECOND;
    s->work = 1;
    race_release(RACE_KEY_SYNC + s->number);
    work_spawn(timer_body, t);
    return was;
}

/*
 * KeInitializeTimer, KeInitializeTimerEx, KeSetTimer(Ex), KeSetCoalescableTimer, KeCancelTimer, KeReadStateTimer
 * (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  setting a timer that is set cancels it first and returns TRUE; cancelling does not remove a DPC that
 *             is queued already                                    (KeSetTimer, KeCancelTimer)
 * Our reading time moves only when no thread can run, so a timer expires after all else that could happen
 */
VOID KeInitializeTimer(PKTIMER Timer)
{
    sync_init(Timer, sizeof *Timer, SYNC_OTHER, CALLER());
    Timer->Header.SignalState = 0;
}

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    sync_init(Timer, sizeof *Timer, SYNC_OTHER, CALLER())->synchronization = Type == SynchronizationTimer;
    Timer->Header.SignalState = 0;
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return set_timer(Timer, DueTime, 0, Dpc, CALLER());
}

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    return set_timer(Timer, DueTime, (ULONG)Period, Dpc, CALLER());
}

BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG TolerableDelay, PKDPC Dpc)
{
    (void)TolerableDelay;
    return set_timer(Timer, DueTime, Period, Dpc, CALLER());
}

BOOLEAN KeCancelTimer(PKTIMER Timer)
{
    const void *pc = CALLER();

    sched_point(SITE_KE_RESET_EVENT);
    return cancel(timer_of(Timer, pc));
}

BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
    return timer_of(Timer, CALLER())->signalled;
}
