/*
 * event.c - dispatcher objects: KEVENT, KMUTEX, threads, and waiting for them.
 *
 * Signalling an object satisfies the waits of threads that wait already, in their order, at once; what
 * happens to the object before such a thread runs again does not matter to it.  That is how
 * Windows does it: a set followed by a reset still wakes those who waited.
 */
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
        return;
    }
    s->signalled = true;
    while (sync_satisfy_first(s)) {
    }
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

static void took_mutex(struct sync *s, const void *pc)
{
    s->depth = 1;
    event_emit(EV_LOCK_ACQUIRE, s->number, LOCK_MUTEX, address_of(s), 0, 0, pc);
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
    if (sync_satisfy_first(s)) {
        s->owner = (uint8_t)next;
        thread_states[next].locks++;
        Mutex->Header.SignalState = 0;
    }
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
    Semaphore->Header.SignalState = (LONG)s->references;
    event_emit(EV_EVENT_SET, s->number, previous, address_of(s), 0, 0, pc);
    return previous;
}

LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    const void *pc = CALLER();

    sched_point(SITE_KE_READ_EVENT);
    memory_check(Semaphore, sizeof *Semaphore, false, pc);
    return (LONG)sync_get(Semaphore, SYNC_OTHER)->references;
}

/* ---- waiting --------------------------------------------------------------------------------------------- */

/* Could the running thread's wait be satisfied at once? */
static bool satisfiable(const struct sync *s)
{
    if (s->kind == LOCK_MUTEX)
        return s->owner == OWNER_NONE || s->owner == sched_self();
    return s->limit ? s->references > 0 : s->signalled;
}

/* Take what a satisfied wait takes. */
static void consume(struct sync *s, const void *pc)
{
    if (s->kind == LOCK_MUTEX) {
        if (s->owner == sched_self()) {
            s->depth++;
        } else {
            sync_try(s, LOCK_MUTEX);
            ((PRKMUTEX)(uintptr_t)s->address)->Header.SignalState = 0;
            took_mutex(s, pc);
        }
    } else if (s->limit) {
        s->references--;
        ((PRKSEMAPHORE)(uintptr_t)s->address)->Header.SignalState = (LONG)s->references;
    } else if (s->synchronization) {
        s->signalled = false;
        show(s);
    }
}

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

static NTSTATUS wait_for(const void *object, const LARGE_INTEGER *timeout, const void *pc)
{
    bool poll = timeout && timeout->QuadPart == 0, satisfied = true;
    struct sync *s;

    if (irql_get() >= LEVEL_DISPATCH + (unsigned)poll)
        misuse(MISUSE_WAIT_AT_DISPATCH, NONE, object, irql_get(), LEVEL_APC, pc);
    s = waitable(object, pc);
    if (poll || satisfiable(s)) {
        sched_point(SITE_KE_WAIT_SINGLE);
        s = waitable(object, pc);
    }
    if (satisfiable(s)) {
        consume(s, pc);
    } else if (poll) {
        satisfied = false;
    } else {
        satisfied = sync_wait(s, SITE_KE_WAIT_SINGLE, deadline_of(timeout), pc);
        if (satisfied && s->kind == LOCK_MUTEX)
            took_mutex(s, pc);
    }
    if (satisfied)
        race_acquire(RACE_KEY_SYNC + s->number);
    event_emit(EV_WAIT, s->number, satisfied ? STATUS_SUCCESS : STATUS_TIMEOUT, address_of(s), 0, 0, pc);
    return satisfied ? STATUS_SUCCESS : STATUS_TIMEOUT;
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

/* A wait for all is one wait after the other. */
static NTSTATUS wait_all(ULONG count, PVOID objects[], const LARGE_INTEGER *timeout, const void *pc)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < count && status == STATUS_SUCCESS; i++)
        status = wait_for(objects[i], timeout, pc);
    return status;
}

static NTSTATUS wait_any(ULONG count, PVOID objects[], const LARGE_INTEGER *timeout, const void *pc)
{
    struct sync *list[MAXIMUM_WAIT_OBJECTS], *satisfied = NULL;
    bool poll = timeout && timeout->QuadPart == 0;
    ULONG i;

    if (irql_get() >= LEVEL_DISPATCH + (unsigned)poll)
        misuse(MISUSE_WAIT_AT_DISPATCH, NONE, objects[0], irql_get(), LEVEL_APC, pc);
    sched_point(SITE_KE_WAIT_SINGLE);
    for (i = 0; i < count; i++)
        list[i] = waitable(objects[i], pc);
    for (i = 0; i < count && !satisfiable(list[i]); i++) {
    }
    if (i < count) {
        satisfied = list[i];
        consume(satisfied, pc);
    } else if (!poll) {
        satisfied = sync_wait_any(list, count, SITE_KE_WAIT_SINGLE, deadline_of(timeout), pc);
        if (satisfied && satisfied->kind == LOCK_MUTEX)
            took_mutex(satisfied, pc);
        for (i = 0; satisfied && list[i] != satisfied; i++) {
        }
    }
    if (satisfied)
        race_acquire(RACE_KEY_SYNC + satisfied->number);
    event_emit(EV_WAIT, list[0]->number, satisfied ? (NTSTATUS)i : STATUS_TIMEOUT, address_of(list[0]), count, 0, pc);
    return satisfied ? (NTSTATUS)i : STATUS_TIMEOUT;
}

/*
 * KeWaitForMultipleObjects (wdm.h)
 *
 * Caller      as KeWaitForSingleObject
 * Documented  WaitAny: the index of the object that satisfied the wait; more than THREAD_WAIT_OBJECTS need a
 *             WaitBlockArray                                       (KeWaitForMultipleObjects)
 * Our reading WaitAll waits for one object after the other; a missing WaitBlockArray is not noticed
 */
NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON WaitReason,
                                  KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                  PKWAIT_BLOCK WaitBlockArray)
{
    const void *pc = CALLER();

    (void)WaitReason;
    (void)WaitMode;
    (void)Alertable;
    (void)WaitBlockArray;
    memory_use(Object, Count * sizeof *Object, false, pc);
    if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS)
        KeBugCheck(MAXIMUM_WAIT_OBJECTS_EXCEEDED);
    return WaitType == WaitAll ? wait_all(Count, Object, Timeout, pc) : wait_any(Count, Object, Timeout, pc);
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
