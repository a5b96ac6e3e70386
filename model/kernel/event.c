/*
 * event.c - dispatcher objects: KEVENT, KMUTEX, threads, and waiting for them.
 *
 * Signalling an object satisfies the waits of threads that wait already, in their order, at once; what
 * happens to the object before such a thread runs again does not matter to it.  That is how
 * Windows does it: a set followed by a reset still wakes those who waited.
 */
#include "footprint.h"
#include "internal.h"

#include <ntddk.h>

#include "dispatcher.h"

enum { HEADER_BYTES = sizeof(DISPATCHER_HEADER) };

static uint64_t address_of(const struct sync *s)
{
    return (uint64_t)(uintptr_t)s->address;
}

static void require_ready(struct sync *s, const void *pc)
{
    if (!s->ready)
        misuse(MISUSE_NOT_INITIALISED, s->number, s->address, s->kind, 0, pc);
    s->ready = true;
    s->used = true;
}

static void show(const struct sync *s)
{
    ((PKEVENT)(uintptr_t)s->address)->Header.SignalState = s->signalled;
}

/* ---- what a wait needs and takes ------------------------------------------------------------------------- */

/* Could this thread's wait for the object be satisfied at once? */
static bool satisfiable(const struct sync *s, unsigned thread)
{
    if (s->kind == LOCK_MUTEX)
        return s->owner == OWNER_NONE || s->owner == thread;
    return s->limit ? s->references > 0 : s->signalled;
}

/* A mutex that has changed hands and whose new owner has not run yet has depth 0. */
static void hand_over(struct sync *s, unsigned thread)
{
    s->owner = (uint8_t)thread;
    s->depth = 0;
    thread_states[thread].locks++;
    ((PRKMUTEX)(uintptr_t)s->address)->Header.SignalState = 0;
}

/* Take for this thread what a satisfied wait takes. */
static void consume(struct sync *s, unsigned thread)
{
    if (s->kind == LOCK_MUTEX) {
        if (s->owner == thread)
            s->depth++;
        else
            hand_over(s, thread);
    } else if (s->limit) {
        s->references--;
        ((PRKSEMAPHORE)(uintptr_t)s->address)->Header.SignalState = (LONG)s->references;
    } else if (s->synchronization) {
        s->signalled = false;
        show(s);
    }
}

/* The running thread's wait for the object is over. */
static void satisfied(struct sync *s, const void *pc)
{
    s->used = true;
    race_acquire(RACE_KEY_SYNC + s->number);
    if (s->kind == LOCK_MUTEX && s->depth == 0) {
        s->depth = 1;
        event_emit(EV_LOCK_ACQUIRE, s->number, LOCK_MUTEX, address_of(s), 0, 0, pc);
    }
}

static bool all_satisfiable(struct sync *const *list, unsigned length, unsigned thread)
{
    for (unsigned i = 0; i < length; i++)
        if (!satisfiable(list[i], thread))
            return false;
    return true;
}

static void consume_all(struct sync *const *list, unsigned length, unsigned thread)
{
    for (unsigned i = 0; i < length; i++)
        consume(list[i], thread);
}

/* Threads that wait for one object, or for any, are served before those that wait for all. */
void wait_all_satisfy(void)
{
    for (unsigned thread = 0; thread < THREADS_MAX; thread++) {
        struct thread_state *t = &thread_states[thread];

        if (!t->all || !all_satisfiable(t->all, t->all_length, thread))
            continue;
        consume_all(t->all, t->all_length, thread);
        t->all = NULL;
        sched_release(&t->parked);
    }
}

/* Our reading: an event whose bytes were overwritten (SignalState is no longer 0 or 1) is not checked for. */
static struct sync *event_of(const void *event, const void *pc)
{
    struct sync *s;

    irql_require_max(LEVEL_DISPATCH, pc);
    memory_check(event, HEADER_BYTES, true, pc);
    s = sync_get(event, SYNC_EVENT);
    require_ready(s, pc);
    return s;
}

/*
 * KeInitializeEvent (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  to be called before the first use                    (KeInitializeEvent)
 */
VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    struct sync *s = sync_init(Event, sizeof *Event, SYNC_EVENT, CALLER());

    s->synchronization = Type == SynchronizationEvent;
    s->signalled = State != 0;
    Event->Header.Type = (UCHAR)Type;
    show(s);
}

static void satisfy(struct sync *s)
{
    if (s->synchronization) {
        if (!sync_satisfy_first(s))
            s->signalled = true;
    } else {
        s->signalled = true;
        while (sync_satisfy_first(s)) {
        }
    }
    wait_all_satisfy();
}

/*
 * KeSetEvent (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL; <= APC_LEVEL when Wait is TRUE
 * Documented  a synchronisation event wakes one waiting thread and is reset; a notification event wakes all and
 *             stays set; returns the previous state                (KeSetEvent)
 * Our reading Wait changes nothing here
 */
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    const void *pc = CALLER();
    struct sync *s;
    LONG previous;

    (void)Increment;
    if (Wait)
        irql_require_max(LEVEL_APC, pc);
    sched_point(SITE_KE_SET_EVENT);
    s = event_of(Event, pc);
    previous = s->signalled;
    race_release(RACE_KEY_SYNC + s->number);
    satisfy(s);
    show(s);
    event_emit(EV_EVENT_SET, s->number, previous, address_of(s), 0, 0, pc);
    return previous;
}

/*
 * KePulseEvent (ntifs.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  satisfies the waits that can be satisfied and resets the event       (KePulseEvent)
 */
LONG KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    const void *pc = CALLER();
    struct sync *s;
    LONG previous;

    (void)Increment;
    (void)Wait;
    sched_point(SITE_KE_SET_EVENT);
    s = event_of(Event, pc);
    previous = s->signalled;
    race_release(RACE_KEY_SYNC + s->number);
    satisfy(s);
    s->signalled = false;
    show(s);
    event_emit(EV_EVENT_SET, s->number, previous, address_of(s), 0, 0, pc);
    event_emit(EV_EVENT_RESET, s->number, 1, address_of(s), 0, 0, pc);
    return previous;
}

static LONG reset_event(const void *event, const void *pc)
{
    struct sync *s;
    LONG previous;

    sched_point(SITE_KE_RESET_EVENT);
    s = event_of(event, pc);
    previous = s->signalled;
    s->signalled = false;
    show(s);
    event_emit(EV_EVENT_RESET, s->number, previous, address_of(s), 0, 0, pc);
    return previous;
}

/*
 * KeResetEvent, KeClearEvent, KeReadStateEvent (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  KeClearEvent is KeResetEvent without the previous state               (KeClearEvent)
 */
LONG KeResetEvent(PRKEVENT Event)
{
    return reset_event(Event, CALLER());
}

VOID KeClearEvent(PRKEVENT Event)
{
    reset_event(Event, CALLER());
}

LONG KeReadStateEvent(PRKEVENT Event)
{
    const void *pc = CALLER();
    struct sync *s;

    sched_point(SITE_KE_READ_EVENT);
    s = event_of(Event, pc);
    footprint_address(Event, TOUCH_READ);
    if (s->signalled)
        race_acquire(RACE_KEY_SYNC + s->number);
    return s->signalled;
}

/* ---- KMUTEX ---------------------------------------------------------------------------------------------- */

/*
 * KeInitializeMutex (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  to be called before the first use; signalled at first                 (KeInitializeMutex)
 */
VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    (void)Level;
    sync_init(Mutex, sizeof *Mutex, LOCK_MUTEX, CALLER());
    Mutex->Header.SignalState = 1;
}

/*
 * KeReleaseMutex (wdm.h)
 *
 * Caller      the thread that owns it, IRQL <= DISPATCH_LEVEL
 * Documented  a mutex taken n times is free after n releases; a release by another thread is an exception
 *                                                                  (KeReleaseMutex)
 * Our reading the first thread that waits owns it from then on
 */
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    const void *pc = CALLER();
    struct sync *s;
    unsigned next;

    (void)Wait;
    irql_require_max(LEVEL_DISPATCH, pc);
    memory_check(Mutex, sizeof *Mutex, true, pc);
    s = sync_get(Mutex, LOCK_MUTEX);
    require_ready(s, pc);
    if (s->owner == sched_self() && s->depth > 1) {
        s->depth--;
        return 1 - (LONG)s->depth - 1;
    }
    if (!sync_give(s, LOCK_MUTEX, pc))
        return 1;
    Mutex->Header.SignalState = 1;
    next = sync_first(s);
    if (sync_satisfy_first(s))
        hand_over(s, next);
    else
        wait_all_satisfy();
    return 0;
}

LONG KeReadStateMutex(PRKMUTEX Mutex)
{
    const void *pc = CALLER();
    struct sync *s;

    sched_point(SITE_KE_READ_EVENT);
    memory_check(Mutex, sizeof *Mutex, false, pc);
    s = sync_get(Mutex, LOCK_MUTEX);
    require_ready(s, pc);
    footprint_address(Mutex, TOUCH_READ);
    return s->owner == OWNER_NONE;
}

/* ---- KSEMAPHORE ------------------------------------------------------------------------------------------ */

/*
 * KeInitializeSemaphore, KeReleaseSemaphore, KeReadStateSemaphore (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  a release past the limit is an exception             (KeReleaseSemaphore)
 * Our reading that exception is a bug check
 */
VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    struct sync *s = sync_init(Semaphore, sizeof *Semaphore, SYNC_OTHER, CALLER());

    s->limit = (uint32_t)Limit;
    s->references = (uint32_t)Count;
    Semaphore->Header.SignalState = Count;
    Semaphore->Limit = Limit;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    const void *pc = CALLER();
    struct sync *s;
    LONG previous;

    (void)Increment;
    (void)Wait;
    irql_require_max(LEVEL_DISPATCH, pc);
    sched_point(SITE_KE_SET_EVENT);
    memory_check(Semaphore, sizeof *Semaphore, true, pc);
    s = sync_get(Semaphore, SYNC_OTHER);
    require_ready(s, pc);
    previous = (LONG)s->references;
    if (Adjustment < 1 || (uint32_t)Adjustment > s->limit - s->references) {
        event_emit(EV_BUGCHECK, s->number, STATUS_SEMAPHORE_LIMIT_EXCEEDED, address_of(s), 0, 0, pc);
        return previous;
    }
    race_release(RACE_KEY_SYNC + s->number);
    for (LONG i = 0; i < Adjustment; i++)
        if (!sync_satisfy_first(s))
            s->references++;
    wait_all_satisfy();
    Semaphore->Header.SignalState = (LONG)s->references;
    event_emit(EV_EVENT_SET, s->number, previous, address_of(s), 0, 0, pc);
    return previous;
}

LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    const void *pc = CALLER();

    sched_point(SITE_KE_READ_EVENT);
    memory_check(Semaphore, sizeof *Semaphore, false, pc);
    footprint_address(Semaphore, TOUCH_READ);
    return (LONG)sync_get(Semaphore, SYNC_OTHER)->references;
}

/* ---- waiting --------------------------------------------------------------------------------------------- */

uint64_t deadline_of(const LARGE_INTEGER *timeout)
{
    uint64_t now = sched_now();

    if (!timeout)
        return SCHED_FOREVER;
    if (timeout->QuadPart <= 0)
        return now + (uint64_t)-timeout->QuadPart;
    if (timeout->QuadPart <= SYSTEM_TIME_START)
        return now;
    return (uint64_t)(timeout->QuadPart - SYSTEM_TIME_START);
}

/* The object must be one of ours: an event, a mutex, a thread, a timer. */
static struct sync *waitable(const void *object, const void *pc)
{
    struct sync *s = sync_peek(object);

    memory_check(object, HEADER_BYTES, true, pc);
    if (!s || (s->kind != SYNC_EVENT && s->kind != LOCK_MUTEX && s->kind != SYNC_OTHER))
        s = sync_get(object, SYNC_EVENT);
    require_ready(s, pc);
    return s;
}

static void check_wait_level(const void *object, bool poll, const void *pc)
{
    if (irql_get() >= LEVEL_DISPATCH + (unsigned)poll)
        misuse(MISUSE_WAIT_AT_DISPATCH, NONE, object, irql_get(), LEVEL_APC, pc);
}

static NTSTATUS wait_for(const void *object, const LARGE_INTEGER *timeout, const void *pc)
{
    bool poll = timeout && timeout->QuadPart == 0, done = true;
    struct sync *s;

    check_wait_level(object, poll, pc);
    s = waitable(object, pc);
    if (poll || satisfiable(s, sched_self())) {
        sched_point(SITE_KE_WAIT_SINGLE);
        s = waitable(object, pc);
    }
    if (satisfiable(s, sched_self()))
        consume(s, sched_self());
    else
        done = !poll && sync_wait(s, SITE_KE_WAIT_SINGLE, deadline_of(timeout), pc);
    if (done)
        satisfied(s, pc);
    event_emit(EV_WAIT, s->number, done ? STATUS_SUCCESS : STATUS_TIMEOUT, address_of(s), 0, 0, pc);
    return done ? STATUS_SUCCESS : STATUS_TIMEOUT;
}

/*
 * KeWaitForSingleObject (wdm.h); KeWaitForMutexObject is the same
 *
 * Caller      module, IRQL <= APC_LEVEL; <= DISPATCH_LEVEL when *Timeout is 0
 * Documented  satisfied when the object is signalled; STATUS_TIMEOUT when the time came first; a negative
 *             timeout is relative, in units of 100 ns              (KeWaitForSingleObject)
 * Our reading time moves only when no thread can run, so a time-out comes after all else that could happen
 */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
                                     BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    (void)WaitReason;
    (void)WaitMode;
    (void)Alertable;
    return wait_for(Object, Timeout, CALLER());
}

/* Blocks until somebody has taken all the objects for this thread; false when the deadline came first. */
static bool block_for_all(struct sync *const *list, unsigned length, uint64_t deadline, const void *pc)
{
    struct thread_state *self = thread_state();
    bool done;

    event_emit(EV_BLOCK, list[0]->number, list[0]->kind, address_of(list[0]), length, 0, pc);
    self->all = list;
    self->all_length = length;
    sched_block(&self->parked, SITE_KE_WAIT_SINGLE, deadline);
    done = !self->all;
    self->all = NULL;
    event_emit(EV_WAKE, list[0]->number, list[0]->kind, address_of(list[0]), length, !done, pc);
    return done;
}

static NTSTATUS wait_all(struct sync *const *list, unsigned length, const LARGE_INTEGER *timeout, const void *pc)
{
    bool done = all_satisfiable(list, length, sched_self());

    if (done)
        consume_all(list, length, sched_self());
    else if (!timeout || timeout->QuadPart != 0)
        done = block_for_all(list, length, deadline_of(timeout), pc);
    for (unsigned i = 0; done && i < length; i++)
        satisfied(list[i], pc);
    return done ? STATUS_SUCCESS : STATUS_TIMEOUT;
}

static NTSTATUS wait_any(struct sync *const *list, unsigned length, const LARGE_INTEGER *timeout, const void *pc)
{
    struct sync *which = NULL;
    unsigned i = 0;

    while (i < length && !satisfiable(list[i], sched_self()))
        i++;
    if (i < length) {
        which = list[i];
        consume(which, sched_self());
    } else if (!timeout || timeout->QuadPart != 0) {
        which = sync_wait_any(list, length, SITE_KE_WAIT_SINGLE, deadline_of(timeout), pc);
        for (i = 0; which && list[i] != which; i++) {
        }
    }
    if (which)
        satisfied(which, pc);
    return which ? STATUS_WAIT_0 + (NTSTATUS)i : STATUS_TIMEOUT;
}

/*
 * KeWaitForMultipleObjects (wdm.h)
 *
 * Caller      as KeWaitForSingleObject
 * Documented  WaitAny: the index of the object that satisfied the wait; WaitAll: no object is taken before all can be;
 *             more than THREAD_WAIT_OBJECTS need a WaitBlockArray  (KeWaitForMultipleObjects)
 * Our reading too many objects are a bug check, as on Windows
 */
NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON WaitReason,
                                  KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                  PKWAIT_BLOCK WaitBlockArray)
{
    struct sync *list[MAXIMUM_WAIT_OBJECTS];
    const void *pc = CALLER();
    NTSTATUS status;

    (void)WaitReason;
    (void)WaitMode;
    (void)Alertable;
    if (Count == 0 || Count > (WaitBlockArray ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS))
        KeBugCheck(MAXIMUM_WAIT_OBJECTS_EXCEEDED);
    memory_use(Object, Count * sizeof *Object, false, pc);
    if (WaitBlockArray)
        memory_use(WaitBlockArray, Count * sizeof *WaitBlockArray, true, pc);
    check_wait_level(Object[0], Timeout && Timeout->QuadPart == 0, pc);
    sched_point(SITE_KE_WAIT_SINGLE);
    for (ULONG i = 0; i < Count; i++)
        list[i] = waitable(Object[i], pc);
    status = WaitType == WaitAll ? wait_all(list, Count, Timeout, pc) : wait_any(list, Count, Timeout, pc);
    event_emit(EV_WAIT, list[0]->number, status, address_of(list[0]), Count, 0, pc);
    return status;
}

/*
 * KeDelayExecutionThread (wdm.h)
 *
 * Caller      module, IRQL <= APC_LEVEL
 * Documented  waits for the interval                               (KeDelayExecutionThread)
 */
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    const void *pc = CALLER();

    (void)WaitMode;
    (void)Alertable;
    if (irql_get() >= LEVEL_DISPATCH)
        misuse(MISUSE_WAIT_AT_DISPATCH, NONE, NULL, irql_get(), LEVEL_APC, pc);
    if (Interval->QuadPart == 0) {
        sched_give_way(SITE_KE_DELAY);
        return STATUS_SUCCESS;
    }
    event_emit(EV_BLOCK, NONE, SYNC_DELAY, 0, 0, 0, pc);
    sched_block(&thread_state()->parked, SITE_KE_DELAY, deadline_of(Interval));
    event_emit(EV_WAKE, NONE, SYNC_DELAY, 0, 0, 1, pc);
    return STATUS_SUCCESS;
}
