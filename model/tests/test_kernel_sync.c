/* test_kernel_sync.c - IRQL, locks, events, mutexes, rundown protection: what they do and what they notice. */
#include "test_kernel_lab.h"

static KSPIN_LOCK spin;
static EX_SPIN_LOCK ex;
static EX_PUSH_LOCK push;
static FAST_MUTEX fast;
static KEVENT event;
static KMUTEX mutex;
static EX_RUNDOWN_REF rundown;
static unsigned inside, readers, done;

static void clear_globals(void)
{
    spin = 0;
    ex = 0;
    push = 0;
    memset(&rundown, 0, sizeof rundown);
    memset(&event, 0, sizeof event);
    inside = readers = done = 0;
}

static LARGE_INTEGER relative(LONGLONG time)
{
    LARGE_INTEGER t;

    t.QuadPart = -time;
    return t;
}

static NTSTATUS wait_for(void *object, LARGE_INTEGER *timeout)
{
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, timeout);
}

/* ---- mutual exclusion, in every interleaving */

static void enter_alone(void)
{
    LAB_EXPECT(inside == 0 && readers == 0);
    inside++;
    sched_point(SITE_IN_CALL);
    inside--;
}

static void enter_shared(void)
{
    LAB_EXPECT(inside == 0);
    readers++;
    sched_point(SITE_IN_CALL);
    readers--;
}

static void with_spin(void)
{
    KIRQL old;

    KeAcquireSpinLock(&spin, &old);
    LAB_EXPECT(old == PASSIVE_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL && locks_held() == 1);
    enter_alone();
    KeReleaseSpinLock(&spin, old);
    LAB_EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL && locks_held() == 0);
}

static void with_queued(void)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&spin, &handle);
    enter_alone();
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void with_ex(void)
{
    KIRQL old = ExAcquireSpinLockExclusive(&ex);

    enter_alone();
    ExReleaseSpinLockExclusive(&ex, old);
}

static void with_ex_shared(void)
{
    KIRQL old = ExAcquireSpinLockShared(&ex);

    enter_shared();
    ExReleaseSpinLockShared(&ex, old);
}

static void with_push(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&push);
    enter_alone();
    ExReleasePushLockExclusive(&push);
    KeLeaveCriticalRegion();
}

static void with_push_shared(void)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&push);
    enter_shared();
    ExReleasePushLockShared(&push);
    KeLeaveCriticalRegion();
}

static void with_fast(void)
{
    ExAcquireFastMutex(&fast);
    LAB_EXPECT(KeGetCurrentIrql() == APC_LEVEL);
    enter_alone();
    ExReleaseFastMutex(&fast);
    LAB_EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static void with_mutex(void)
{
    LAB_EXPECT(wait_for(&mutex, NULL) == STATUS_SUCCESS);
    LAB_EXPECT(wait_for(&mutex, NULL) == STATUS_SUCCESS);
    enter_alone();
    KeReleaseMutex(&mutex, FALSE);
    LAB_EXPECT(KeReadStateMutex(&mutex) == 0);
    KeReleaseMutex(&mutex, FALSE);
}

static void (*first)(void), (*second)(void);

static void two(void)
{
    clear_globals();
    ExInitializeFastMutex(&fast);
    KeInitializeMutex(&mutex, 0);
    lab_spawn(&first);
    lab_spawn(&second);
    lab_join();
    LAB_EXPECT(lab_count(EV_MISUSE, LAB_ANY_VALUE) == 0);
}

static void exclude(void (*a)(void), void (*b)(void))
{
    first = a;
    second = b;
    lab_all(two, 2, 0);
}

static void test_locks_exclude(void **state)
{
    (void)state;
    exclude(with_spin, with_spin);
    exclude(with_spin, with_queued);
    exclude(with_ex, with_ex);
    exclude(with_ex, with_ex_shared);
    exclude(with_push, with_push);
    exclude(with_push, with_push_shared);
    exclude(with_fast, with_fast);
    exclude(with_mutex, with_mutex);
}

static bool together;
static void note_together(void) { with_ex_shared(); }

static void read_together(void)
{
    KIRQL old = ExAcquireSpinLockShared(&ex);

    readers++;
    sched_point(SITE_IN_CALL);
    together |= readers == 2;
    readers--;
    ExReleaseSpinLockShared(&ex, old);
}

static void test_readers_share(void **state)
{
    (void)state;
    together = false;
    exclude(read_together, read_together);
    assert_true(together);
    exclude(note_together, read_together);
}

/* A thread that waits for a lock cannot be chosen: with one lock, holders run to their release. */
static void test_waiting_costs_no_interleavings(void **state)
{
    (void)state;
    first = second = with_spin;
    lab_body = two;
    assert_true(lab_all(two, 0, 0).executions < 12);
}

/* ---- misuse of locks and levels */

static void spin_twice(void)
{
    clear_globals();
    KeAcquireSpinLockRaiseToDpc(&spin);
    KeAcquireSpinLockAtDpcLevel(&spin);
}

static void spin_not_held(void)
{
    KIRQL old;

    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeReleaseSpinLockFromDpcLevel(&spin);
    KeLowerIrql(old);
}

static void spin_low(void)
{
    clear_globals();
    KeAcquireSpinLockAtDpcLevel(&spin);
    KeReleaseSpinLockFromDpcLevel(&spin);
}

static void spin_junk(void)
{
    clear_globals();
    spin = 7;
    KeReleaseSpinLock(&spin, KeAcquireSpinLockRaiseToDpc(&spin));
}

static void lower_held(void) { clear_globals(); KeAcquireSpinLockRaiseToDpc(&spin); KeLowerIrql(PASSIVE_LEVEL); }
static void raise_down(void) { KIRQL old; KeRaiseIrql(DISPATCH_LEVEL, &old); KeRaiseIrql(APC_LEVEL, &old); }
static void lower_up(void) { KeLowerIrql(DISPATCH_LEVEL); }
static void leave_first(void) { KeEnterCriticalRegion(); ExAcquirePushLockShared(&push); KeLeaveCriticalRegion(); }

static void push_outside(void)
{
    clear_globals();
    ExAcquirePushLockExclusive(&push);
    KeEnterCriticalRegion();
    ExReleasePushLockExclusive(&push);
}

static void released_outside(void)
{
    clear_globals();
    leave_first();
    ExReleasePushLockShared(&push);
}

static void leave_twice(void) { KeLeaveCriticalRegion(); }
static void fast_raw(void) { memset(&fast, 0, sizeof fast); ExAcquireFastMutex(&fast); ExReleaseFastMutex(&fast); }
static void event_raw(void) { clear_globals(); KeSetEvent(&event, 0, FALSE); }
static void wait_raw(void) { LARGE_INTEGER none = {.QuadPart = 0}; clear_globals(); wait_for(&event, &none); }
static void mutex_foreign(void) { KeInitializeMutex(&mutex, 0); KeReleaseMutex(&mutex, FALSE); }

static void wait_high(void)
{
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeRaiseIrqlToDpcLevel();
    wait_for(&event, NULL);
}

static void poll_high(void)
{
    LARGE_INTEGER none = {.QuadPart = 0};

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeRaiseIrqlToDpcLevel();
    LAB_EXPECT(wait_for(&event, &none) == STATUS_TIMEOUT);
}

static void test_misuse(void **state)
{
    (void)state;
    lab_only_misuse(spin_twice, MISUSE_LOCK_RECURSIVE);
    assert_int_equal(lab_run(spin_twice).verdict, VERDICT_DEADLOCK);
    lab_only_misuse(spin_not_held, MISUSE_LOCK_NOT_HELD);
    lab_run(spin_low);
    assert_int_equal(lab_count(EV_MISUSE, MISUSE_IRQL_TOO_LOW), 1);
    lab_only_misuse(spin_junk, MISUSE_NOT_INITIALISED);
    lab_only_misuse(lower_held, MISUSE_IRQL_TOO_LOW);
    lab_only_misuse(raise_down, MISUSE_IRQL_TOO_HIGH);
    lab_only_misuse(lower_up, MISUSE_IRQL_TOO_LOW);
    lab_only_misuse(push_outside, MISUSE_LOCK_NO_REGION);
    lab_only_misuse(released_outside, MISUSE_LOCK_NO_REGION);
    lab_only_misuse(leave_twice, MISUSE_REGION_UNBALANCED);
    lab_only_misuse(fast_raw, MISUSE_NOT_INITIALISED);
    lab_only_misuse(event_raw, MISUSE_NOT_INITIALISED);
    lab_only_misuse(wait_raw, MISUSE_NOT_INITIALISED);
    lab_only_misuse(mutex_foreign, MISUSE_LOCK_NOT_HELD);
    lab_only_misuse(wait_high, MISUSE_WAIT_AT_DISPATCH);
    lab_clean(poll_high);
}

static void paged_code_high(void) { KeRaiseIrqlToDpcLevel(); nmrcheck_paged_code("file.c", 1); }
static void paged_code_low(void) { nmrcheck_paged_code("file.c", 1); }

static void test_paged_code(void **state)
{
    (void)state;
    lab_only_misuse(paged_code_high, MISUSE_PAGED_CODE);
    lab_clean(paged_code_low);
}

/* ---- events */

static void wait_event(void) { LAB_EXPECT(wait_for(&event, NULL) == STATUS_SUCCESS); done++; }
static void (*waiter)(void) = wait_event;

static void set_wakes(void)
{
    clear_globals();
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    lab_spawn(&waiter);
    lab_spawn(&waiter);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    lab_join();
    LAB_EXPECT(done == 2 && KeReadStateEvent(&event) == 1 && event.Header.SignalState == 1);
}

static void synchronization_wakes_one(void)
{
    clear_globals();
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    lab_spawn(&waiter);
    lab_spawn(&waiter);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    while (done < 1)
        sched_give_way(SITE_OP_NEXT);
    LAB_EXPECT(done == 1 && KeReadStateEvent(&event) == 0);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    lab_join();
    LAB_EXPECT(done == 2 && event.Header.SignalState == 0);
}

/* Who waited when it was set goes on, though it was reset before that thread ran. */
static void set_then_reset(void)
{
    clear_globals();
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    lab_spawn(&waiter);
    while (lab_count(EV_BLOCK, SYNC_EVENT) == 0)
        sched_give_way(SITE_OP_NEXT);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    KeClearEvent(&event);
    lab_join();
    LAB_EXPECT(done == 1);
}

static void pulse(void)
{
    clear_globals();
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    lab_spawn(&waiter);
    while (lab_count(EV_BLOCK, SYNC_EVENT) == 0)
        sched_give_way(SITE_OP_NEXT);
    KePulseEvent(&event, IO_NO_INCREMENT, FALSE);
    lab_join();
    LAB_EXPECT(done == 1 && KeReadStateEvent(&event) == 0);
}

static void timeouts(void)
{
    LARGE_INTEGER span = relative(10 * 1000 * 1000), absolute;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    LAB_EXPECT(wait_for(&event, &span) == STATUS_TIMEOUT);
    LAB_EXPECT(sched_now() == 10 * 1000 * 1000);
    KeQuerySystemTime(&absolute);
    absolute.QuadPart += 5;
    LAB_EXPECT(wait_for(&event, &absolute) == STATUS_TIMEOUT && sched_now() == 10 * 1000 * 1000 + 5);
    KeDelayExecutionThread(KernelMode, FALSE, &span);
    LAB_EXPECT(sched_now() == 20 * 1000 * 1000 + 5);
    LAB_EXPECT(lab_find(EV_WAIT, STATUS_TIMEOUT));
}

static void never(void) { KeInitializeEvent(&event, NotificationEvent, FALSE); wait_for(&event, NULL); }

static void test_events(void **state)
{
    (void)state;
    lab_all(set_wakes, 2, 0);
    lab_clean(synchronization_wakes_one);
    lab_clean(set_then_reset);
    lab_clean(pulse);
    lab_clean(timeouts);
    assert_int_equal(lab_run(never).verdict, VERDICT_DEADLOCK);
}

/* ---- rundown protection */

static void user(void)
{
    if (!ExAcquireRundownProtection(&rundown))
        return;
    LAB_EXPECT(!done);
    inside++;
    sched_point(SITE_IN_CALL);
    LAB_EXPECT(!done);
    inside--;
    ExReleaseRundownProtection(&rundown);
}

static void (*users)(void) = user;

static void rundown_waits(void)
{
    clear_globals();
    lab_spawn(&users);
    lab_spawn(&users);
    ExWaitForRundownProtectionRelease(&rundown);
    LAB_EXPECT(inside == 0);
    done = 1;
    LAB_EXPECT(!ExAcquireRundownProtection(&rundown) && rundown.Count == 1);
    lab_join();
    done = 0;
    ExReInitializeRundownProtection(&rundown);
    LAB_EXPECT(ExAcquireRundownProtectionEx(&rundown, 3) && rundown.Count == 6);
    ExReleaseRundownProtectionEx(&rundown, 2);
    ExReleaseRundownProtection(&rundown);
    LAB_EXPECT(rundown.Count == 0);
    LAB_EXPECT(lab_count(EV_MISUSE, LAB_ANY_VALUE) == 0);
}

static void underflow(void) { clear_globals(); ExReleaseRundownProtection(&rundown); }
static void reinit_early(void) { clear_globals(); ExReInitializeRundownProtection(&rundown); }
static void rundown_junk(void) { clear_globals(); rundown.Count = 0xA5A5; ExAcquireRundownProtection(&rundown); }

static void zeroed_held(void)
{
    clear_globals();
    ExAcquireRundownProtection(&rundown);
    rundown.Count = 0;
    ExAcquireRundownProtection(&rundown);
}

static void wait_rundown_high(void)
{
    clear_globals();
    KeRaiseIrqlToDpcLevel();
    ExWaitForRundownProtectionRelease(&rundown);
}

static void init_held(void)
{
    PEX_RUNDOWN_REF ref = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *ref, LAB_TAG);

    ExInitializeRundownProtection(ref);
    ExAcquireRundownProtection(ref);
    ExInitializeRundownProtection(ref);
}

/* Zero-filled again after its end: a new one. */
static void zeroed_again(void)
{
    clear_globals();
    ExWaitForRundownProtectionRelease(&rundown);
    rundown.Count = 0;
    LAB_EXPECT(ExAcquireRundownProtection(&rundown));
    ExReleaseRundownProtection(&rundown);
}

static void cache_aware(void)
{
    PEX_RUNDOWN_REF_CACHE_AWARE ref = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, LAB_TAG);

    LAB_EXPECT(ExAcquireRundownProtectionCacheAware(ref));
    ExReleaseRundownProtectionCacheAware(ref);
    ExWaitForRundownProtectionReleaseCacheAware(ref);
    LAB_EXPECT(!ExAcquireRundownProtectionCacheAware(ref));
    ExReInitializeRundownProtectionCacheAware(ref);
    ExFreeCacheAwareRundownProtection(ref);
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
}

static void test_rundown(void **state)
{
    (void)state;
    lab_all(rundown_waits, 2, 0);
    lab_only_misuse(underflow, MISUSE_RUNDOWN_UNDERFLOW);
    lab_only_misuse(reinit_early, MISUSE_RUNDOWN_REINIT);
    lab_only_misuse(rundown_junk, MISUSE_NOT_INITIALISED);
    lab_only_misuse(zeroed_held, MISUSE_RUNDOWN_REINIT);
    lab_only_misuse(init_held, MISUSE_RUNDOWN_REINIT);
    lab_only_misuse(wait_rundown_high, MISUSE_WAIT_AT_DISPATCH);
    lab_clean(zeroed_again);
    lab_clean(cache_aware);
}

/* ---- semaphores, several objects, resources, lists */

static KSEMAPHORE semaphore;
static KEVENT other;
static ERESOURCE resource;
static SLIST_HEADER slist;

static void take_one(void) { LAB_EXPECT(wait_for(&semaphore, NULL) == STATUS_SUCCESS); done++; }
static void (*taker)(void) = take_one;

static void semaphore_counts(void)
{
    clear_globals();
    KeInitializeSemaphore(&semaphore, 1, 2);
    lab_spawn(&taker);
    lab_spawn(&taker);
    LAB_EXPECT(KeReleaseSemaphore(&semaphore, 0, 1, FALSE) <= 1);
    lab_join();
    LAB_EXPECT(done == 2 && KeReadStateSemaphore(&semaphore) == 0);
}

static void semaphore_past_limit(void)
{
    KeInitializeSemaphore(&semaphore, 2, 2);
    KeReleaseSemaphore(&semaphore, 0, 1, FALSE);
}

static NTSTATUS wait_two(WAIT_TYPE type, LARGE_INTEGER *timeout)
{
    PVOID both[2] = {&event, &other};

    return KeWaitForMultipleObjects(2, both, type, Executive, KernelMode, FALSE, timeout, NULL);
}

static void wait_any(void) { LAB_EXPECT(wait_two(WaitAny, NULL) == STATUS_WAIT_1); done++; }
static void (*any_waiter)(void) = wait_any;

static void several_objects(void)
{
    LARGE_INTEGER span = relative(100);

    clear_globals();
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    KeInitializeEvent(&other, SynchronizationEvent, FALSE);
    lab_spawn(&any_waiter);
    KeSetEvent(&other, 0, FALSE);
    lab_join();
    KeSetEvent(&event, 0, FALSE);
    LAB_EXPECT(done == 1 && KeReadStateEvent(&other) == 0 && KeReadStateEvent(&event) == 1);
    LAB_EXPECT(wait_two(WaitAll, &span) == STATUS_TIMEOUT);
    LAB_EXPECT(wait_two(WaitAny, &span) == STATUS_WAIT_0);
    LAB_EXPECT(wait_two(WaitAny, &span) == STATUS_TIMEOUT);
    KeSetEvent(&event, 0, FALSE);
    KeSetEvent(&other, 0, FALSE);
    LAB_EXPECT(wait_two(WaitAll, NULL) == STATUS_SUCCESS);
}

static void with_resource(void)
{
    LAB_EXPECT(ExEnterCriticalRegionAndAcquireResourceExclusive(&resource) == NULL);
    LAB_EXPECT(ExAcquireResourceSharedLite(&resource, FALSE));
    enter_alone();
    ExReleaseResourceLite(&resource);
    LAB_EXPECT(ExIsResourceAcquiredExclusiveLite(&resource));
    ExReleaseResourceAndLeaveCriticalRegion(&resource);
}

static void (*resource_user)(void) = with_resource;

static void resources(void)
{
    clear_globals();
    ExInitializeResourceLite(&resource);
    lab_spawn(&resource_user);
    lab_spawn(&resource_user);
    lab_join();
    ExDeleteResourceLite(&resource);
    LAB_EXPECT(lab_count(EV_MISUSE, LAB_ANY_VALUE) == 0);
    LAB_EXPECT(lab_count(EV_LOCK_ACQUIRE, LOCK_RESOURCE_EXCLUSIVE) == 2);
}

static void lists(void)
{
    static SLIST_ENTRY a, b;
    static LIST_ENTRY head, entry;

    InitializeSListHead(&slist);
    LAB_EXPECT(!InterlockedPushEntrySList(&slist, &a) && InterlockedPushEntrySList(&slist, &b) == &a);
    LAB_EXPECT(ExQueryDepthSList(&slist) == 2 && InterlockedPopEntrySList(&slist) == &b);
    LAB_EXPECT(InterlockedFlushSList(&slist) == &a && !InterlockedPopEntrySList(&slist));
    InitializeListHead(&head);
    spin = 0;
    LAB_EXPECT(!ExInterlockedInsertTailList(&head, &entry, &spin));
    LAB_EXPECT(ExInterlockedRemoveHeadList(&head, &spin) == &entry && !ExInterlockedRemoveHeadList(&head, &spin));
}

static void lookaside(void)
{
    NPAGED_LOOKASIDE_LIST list;
    PVOID entry;

    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 40, LAB_TAG, 0);
    entry = ExAllocateFromNPagedLookasideList(&list);
    LAB_EXPECT(entry && pool_get(0)->size == 40);
    ExFreeToNPagedLookasideList(&list, entry);
    ExDeleteNPagedLookasideList(&list);
    LAB_EXPECT(pool_get(0)->free_event);
}

static void test_more_objects(void **state)
{
    (void)state;
    lab_all(semaphore_counts, 2, 0);
    lab_run(semaphore_past_limit);
    assert_int_equal(lab_count(EV_BUGCHECK, STATUS_SEMAPHORE_LIMIT_EXCEEDED), 1);
    lab_all(several_objects, 2, 0);
    lab_all(resources, 2, 0);
    lab_clean(lists);
    lab_clean(lookaside);
}

/* ---- interlocked */

static LONG volatile counter;

static void interlocked(void)
{
    LONG64 volatile wide = 5;
    PVOID volatile pointer = NULL;
    CHAR volatile byte = 1;

    counter = 0;
    LAB_EXPECT(InterlockedIncrement(&counter) == 1 && InterlockedDecrement(&counter) == 0);
    LAB_EXPECT(InterlockedAdd(&counter, 4) == 4 && InterlockedExchangeAdd(&counter, 4) == 4);
    LAB_EXPECT(InterlockedExchange(&counter, 2) == 8 && InterlockedCompareExchange(&counter, 3, 2) == 2);
    LAB_EXPECT(InterlockedOr(&counter, 8) == 3 && InterlockedAnd(&counter, 9) == 11);
    LAB_EXPECT(InterlockedXor(&counter, 1) == 9);
    LAB_EXPECT(InterlockedBitTestAndSet(&counter, 0) == 0 && InterlockedBitTestAndReset(&counter, 3) == 1);
    LAB_EXPECT(ReadNoFence(&counter) == 1 && InterlockedIncrement64(&wide) == 6 && InterlockedOr8(&byte, 2) == 1);
    LAB_EXPECT(InterlockedExchangePointer(&pointer, (PVOID)(uintptr_t)&wide) == NULL);
    LAB_EXPECT(ReadPointerAcquire(&pointer) == &wide);
    WriteNoFence64(&wide, 9);
    LAB_EXPECT(wide == 9);
    counter = MAXLONG;
    LAB_EXPECT(InterlockedIncrement(&counter) == INT32_MIN);
}

static void test_interlocked(void **state)
{
    (void)state;
    lab_clean(interlocked);
}

/* ---- objects are numbered by what the module does, not by where its stack lies */

static __attribute__((noinline)) void local_event(void)
{
    KEVENT local;

    KeInitializeEvent(&local, NotificationEvent, TRUE);
    wait_for(&local, NULL);
}

static void two_locals(void)
{
    local_event();
    local_event();
}

static void test_stack_objects_are_new_each_time(void **state)
{
    (void)state;
    lab_clean(two_locals);
    assert_int_equal(lab_find(EV_WAIT, STATUS_SUCCESS)->object, 0);
    assert_int_equal(lab_count(EV_SYNC_INIT, SYNC_EVENT), 2);
    {
        unsigned kept;
        const struct event *log = event_log(&kept);

        assert_int_equal(log[kept - 1].object, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locks_exclude),
        cmocka_unit_test(test_readers_share),
        cmocka_unit_test(test_waiting_costs_no_interleavings),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_paged_code),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_rundown),
        cmocka_unit_test(test_more_objects),
        cmocka_unit_test(test_interlocked),
        cmocka_unit_test(test_stack_objects_are_new_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
