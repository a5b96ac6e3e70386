/* test_kernel_wait.c - waiting for several objects, time-outs, and the life of thread objects. */
#include "test_kernel_lab.h"

static KEVENT a, b;
static KMUTEX mutex;
static KSEMAPHORE semaphore;
static KTIMER timer;
static PVOID both[2], four[4];
static KWAIT_BLOCK blocks[4];

static LARGE_INTEGER relative(LONGLONG time)
{
    LARGE_INTEGER t;

    t.QuadPart = -time;
    return t;
}

static void begin(void)
{
    KeInitializeEvent(&a, SynchronizationEvent, FALSE);
    KeInitializeEvent(&b, NotificationEvent, FALSE);
    KeInitializeMutex(&mutex, 0);
    KeInitializeSemaphore(&semaphore, 0, 4);
    KeInitializeTimer(&timer);
    both[0] = &a;
    both[1] = &b;
    four[0] = &a;
    four[1] = &b;
    four[2] = &mutex;
    four[3] = &semaphore;
}

static NTSTATUS wait_two(WAIT_TYPE type, LARGE_INTEGER *timeout)
{
    return KeWaitForMultipleObjects(2, both, type, Executive, KernelMode, FALSE, timeout, NULL);
}

static NTSTATUS wait_one(PVOID object, LARGE_INTEGER *timeout)
{
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, timeout);
}

/* ---- any and all */

static void (*thread_body)(void);
static void start(void (*body)(void)) { thread_body = body; lab_spawn(&thread_body); }

static void set_a(void) { KeSetEvent(&a, 0, FALSE); }

static void set_both(void)
{
    KeSetEvent(&a, 0, FALSE);
    KeSetEvent(&b, 0, FALSE);
}

static void any(void)
{
    begin();
    start(set_both);
    LAB_EXPECT(wait_two(WaitAny, NULL) <= STATUS_WAIT_0 + 1);
    lab_join();
    LAB_EXPECT(KeReadStateEvent(&b) == 1);
}

static void all(void)
{
    begin();
    start(set_both);
    LAB_EXPECT(wait_two(WaitAll, NULL) == STATUS_SUCCESS);
    LAB_EXPECT(KeReadStateEvent(&a) == 0 && KeReadStateEvent(&b) == 1);
    lab_join();
}

/* No object is taken before all can be: the time-out leaves the one that was set. */
static void all_times_out(void)
{
    LARGE_INTEGER time = relative(700), none = relative(0);

    begin();
    start(set_a);
    LAB_EXPECT(wait_two(WaitAll, &time) == STATUS_TIMEOUT && sched_now() == 700);
    LAB_EXPECT(wait_two(WaitAll, &none) == STATUS_TIMEOUT);
    LAB_EXPECT(KeReadStateEvent(&a) == 1);
    LAB_EXPECT(wait_one(&a, &none) == STATUS_SUCCESS);
    LAB_EXPECT(wait_one(&a, &none) == STATUS_TIMEOUT);
    LAB_EXPECT(wait_two(WaitAny, &time) == STATUS_TIMEOUT && sched_now() == 1400);
    lab_join();
}

static void give_four(void)
{
    wait_one(&mutex, NULL);
    set_both();
    KeReleaseSemaphore(&semaphore, 0, 2, FALSE);
    KeReleaseMutex(&mutex, FALSE);
}

static NTSTATUS wait_four(void)
{
    return KeWaitForMultipleObjects(4, four, WaitAll, Executive, KernelMode, FALSE, NULL, blocks);
}

static void all_kinds(void)
{
    begin();
    start(give_four);
    LAB_EXPECT(wait_four() == STATUS_SUCCESS);
    LAB_EXPECT(KeReadStateMutex(&mutex) == 0 && KeReadStateSemaphore(&semaphore) == 1 && locks_held() == 1);
    LAB_EXPECT(KeReleaseMutex(&mutex, FALSE) == 0 && locks_held() == 0);
    lab_join();
    LAB_EXPECT(lab_count(EV_MISUSE, LAB_ANY_VALUE) == 0);
}

static void all_by_timer(void)
{
    begin();
    KeSetEvent(&a, 0, FALSE);
    both[1] = &timer;
    KeSetTimer(&timer, relative(50), NULL);
    LAB_EXPECT(wait_two(WaitAll, NULL) == STATUS_SUCCESS && sched_now() == 50);
}

/* Who waits for one object goes before who waits for all. */
static void one_before_all(void) { LAB_EXPECT(wait_one(&a, NULL) == STATUS_SUCCESS); }

static void all_after_one(void)
{
    begin();
    KeSetEvent(&b, 0, FALSE);
    start(one_before_all);
    sched_give_way(SITE_OP_NEXT);
    start(set_both);
    sched_give_way(SITE_OP_NEXT);
    KeSetEvent(&a, 0, FALSE);
    LAB_EXPECT(wait_two(WaitAll, NULL) == STATUS_SUCCESS);
    lab_join();
}

static void test_several(void **state)
{
    (void)state;
    lab_all(any, 2, 0);
    lab_all(all, 2, 0);
    lab_clean(all_times_out);
    lab_all(all_kinds, 2, 0);
    lab_clean(all_by_timer);
    lab_clean(all_after_one);
}

static void never(void) { begin(); wait_two(WaitAll, NULL); }

static void wait_without_blocks(ULONG count)
{
    begin();
    KeWaitForMultipleObjects(count, four, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
}

static void without_blocks(void) { wait_without_blocks(4); }
static void of_nothing(void) { wait_without_blocks(0); }
static void raised(void) { begin(); set_both(); KeRaiseIrqlToDpcLevel(); wait_two(WaitAll, NULL); }

static void raised_poll(void)
{
    LARGE_INTEGER none = relative(0);
    KIRQL old;

    begin();
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    LAB_EXPECT(wait_two(WaitAll, &none) == STATUS_TIMEOUT && wait_two(WaitAny, &none) == STATUS_TIMEOUT);
    KeLowerIrql(old);
}

static void test_several_misuse(void **state)
{
    (void)state;
    assert_int_equal(lab_run(never).verdict, VERDICT_DEADLOCK);
    lab_run(without_blocks);
    assert_int_equal(lab_count(EV_BUGCHECK, MAXIMUM_WAIT_OBJECTS_EXCEEDED), 1);
    lab_run(of_nothing);
    assert_int_equal(lab_count(EV_BUGCHECK, MAXIMUM_WAIT_OBJECTS_EXCEEDED), 1);
    lab_only_misuse(raised, MISUSE_WAIT_AT_DISPATCH);
    lab_clean(raised_poll);
}

/* ---- time */

static void delays(void)
{
    LARGE_INTEGER time = relative(300), absolute, now;

    begin();
    LAB_EXPECT(KeDelayExecutionThread(KernelMode, FALSE, &time) == STATUS_SUCCESS && sched_now() == 300);
    KeQuerySystemTime(&now);
    absolute.QuadPart = now.QuadPart + 200;
    LAB_EXPECT(KeDelayExecutionThread(KernelMode, FALSE, &absolute) == STATUS_SUCCESS && sched_now() == 500);
    LAB_EXPECT(wait_one(&mutex, &time) == STATUS_SUCCESS && sched_now() == 500);
    LAB_EXPECT(wait_one(&semaphore, &time) == STATUS_TIMEOUT && sched_now() == 800);
    KeReleaseMutex(&mutex, FALSE);
}

static void delay_raised(void)
{
    LARGE_INTEGER time = relative(1);

    KeRaiseIrqlToDpcLevel();
    KeDelayExecutionThread(KernelMode, FALSE, &time);
}

static void test_time(void **state)
{
    (void)state;
    lab_clean(delays);
    lab_only_misuse(delay_raised, MISUSE_WAIT_AT_DISPATCH);
}

/* ---- thread objects: a handle and references by pointer keep them */

static VOID run(PVOID Context)
{
    (void)Context;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static HANDLE handle;

static PVOID thread_object(void)
{
    PVOID object = NULL;

    if (PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run, NULL) != STATUS_SUCCESS)
        return NULL;
    LAB_EXPECT(ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &object, NULL) ==
               STATUS_SUCCESS);
    return object;
}

static void kept(void)
{
    PVOID object = thread_object();

    if (!object)
        return;
    LAB_EXPECT(ObReferenceObject(object) == 3);
    LAB_EXPECT(ZwClose(handle) == STATUS_SUCCESS && ZwClose((HANDLE)4) != STATUS_SUCCESS);
    LAB_EXPECT(wait_one(object, NULL) == STATUS_SUCCESS);
    LAB_EXPECT(ObDereferenceObject(object) == 1 && ObDereferenceObject(object) == 0);
    pool_report_leaks();
}

static void leak_handle(void) { ObDereferenceObject(thread_object()); pool_report_leaks(); }
static void leak_reference(void) { thread_object(); ZwClose(handle); pool_report_leaks(); }

static void drop_twice(void)
{
    PVOID object = thread_object();

    ObDereferenceObject(object);
    ObDereferenceObject(object);
}

static void wait_for_gone(void)
{
    PVOID object = thread_object();

    ZwClose(handle);
    ObDereferenceObject(object);
    wait_one(object, NULL);
    sched_stop(VERDICT_OUTSIDE);
}

static void wrong_type(void)
{
    PVOID object;

    thread_object();
    LAB_EXPECT(ObReferenceObjectByHandle(handle, 0, *ExEventObjectType, KernelMode, &object, NULL) ==
               STATUS_OBJECT_TYPE_MISMATCH);
    LAB_EXPECT(ObReferenceObjectByHandle((HANDLE)4, 0, NULL, KernelMode, &object, NULL) == STATUS_INVALID_HANDLE);
}

static void reference_raised(void)
{
    PVOID object = thread_object();

    KeRaiseIrqlToDpcLevel();
    ObReferenceObject(object);
    ObDereferenceObject(object);
    ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL);
}

static unsigned leaks_of(void (*body)(void))
{
    lab_run(body);
    return lab_count(EV_LEAK, LAB_ANY_VALUE);
}

static void test_thread_objects(void **state)
{
    struct explore_result r;

    (void)state;
    assert_int_equal(leaks_of(kept), 0);
    r = lab_all(kept, 0, 1);
    assert_int_equal(r.choices[CHOICE_FAULT], 1);
    assert_int_equal(leaks_of(leak_handle), 1);
    assert_int_equal(leaks_of(leak_reference), 1);
    lab_run(drop_twice);
    assert_int_equal(lab_count(EV_BUGCHECK, REFERENCE_BY_POINTER), 1);
    lab_run(wait_for_gone);
    assert_true(lab_count(EV_ACCESS, ACCESS_FREED) > 0);
    lab_clean(wrong_type);
    lab_only_misuse(reference_raised, MISUSE_IRQL_TOO_HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_several_misuse),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_thread_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
