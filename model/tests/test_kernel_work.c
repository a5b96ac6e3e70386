/* test_kernel_work.c - work items, system threads, the image, and data races between threads. */
#include "test_kernel_lab.h"

static DEVICE_OBJECT device;
static unsigned ran;
static PIO_WORKITEM item;
static WORK_QUEUE_ITEM queue_item;
static KEVENT finished;

static VOID routine(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    LAB_EXPECT(DeviceObject == &device && Context == (PVOID)&ran);
    LAB_EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL && sched_self() >= FIRST_WORKER);
    ran++;
    KeSetEvent(&finished, 0, FALSE);
}

static VOID routine_that_frees(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    IoFreeWorkItem(item);
    routine(DeviceObject, Context);
}

static VOID routine_ex(PVOID IoObject, PVOID Context, PIO_WORKITEM IoWorkItem)
{
    LAB_EXPECT(IoWorkItem == item);
    routine(IoObject, Context);
    IoFreeWorkItem(IoWorkItem);
}

static VOID queue_routine(PVOID Parameter) { routine(&device, Parameter); }

static VOID routine_high(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    routine(DeviceObject, Context);
    KeRaiseIrqlToDpcLevel();
}

static void begin(void)
{
    ran = 0;
    KeInitializeEvent(&finished, NotificationEvent, FALSE);
    item = IoAllocateWorkItem(&device);
}

static void wait(void) { KeWaitForSingleObject(&finished, Executive, KernelMode, FALSE, NULL); }

static void leaks_none(void)
{
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
    LAB_EXPECT(lab_count(EV_MISUSE, LAB_ANY_VALUE) == 0);
}

static void queue_and_wait(void)
{
    begin();
    if (!item)
        return;
    IoQueueWorkItem(item, routine, DelayedWorkQueue, &ran);
    wait();
    LAB_EXPECT(ran == 1);
    KeClearEvent(&finished);
    IoQueueWorkItem(item, routine, DelayedWorkQueue, &ran);
    wait();
    IoFreeWorkItem(item);
    LAB_EXPECT(ran == 2);
    leaks_none();
}

static void free_inside(void)
{
    begin();
    IoQueueWorkItem(item, routine_that_frees, DelayedWorkQueue, &ran);
    wait();
    leaks_none();
}

static void free_inside_ex(void)
{
    begin();
    IoQueueWorkItemEx(item, routine_ex, DelayedWorkQueue, &ran);
    wait();
    while (work_queued())
        sched_give_way(SITE_OP_NEXT);
    leaks_none();
}

static void executive(void)
{
    ran = 0;
    KeInitializeEvent(&finished, NotificationEvent, FALSE);
    ExInitializeWorkItem(&queue_item, queue_routine, &ran);
    ExQueueWorkItem(&queue_item, DelayedWorkQueue);
    wait();
    LAB_EXPECT(ran == 1);
}

static void test_items_run(void **state)
{
    struct explore_result r;

    (void)state;
    r = lab_all(queue_and_wait, 2, 1);
    assert_int_equal(r.choices[CHOICE_FAULT], 1);
    lab_all(free_inside, 2, 0);
    lab_clean(free_inside_ex);
    lab_all(executive, 2, 0);
    lab_clean(queue_and_wait);
    assert_int_equal(lab_count(EV_ENTER + FRAME_WORK_ITEM, LAB_ANY_VALUE), 2);
    assert_int_equal(lab_count(EV_THREAD_END, LAB_ANY_VALUE), 2);
}

static void queue(void) { IoQueueWorkItem(item, routine, DelayedWorkQueue, &ran); }
static void free_queued(void) { begin(); queue(); IoFreeWorkItem(item); }
static void twice(void) { begin(); queue(); queue(); }
static void no_item(void) { static char bytes[64]; IoFreeWorkItem((PIO_WORKITEM)(void *)bytes); }
static void pool_freed(void) { begin(); ExFreePool(item); }

static void raw(void)
{
    memset(&queue_item, 0, sizeof queue_item);
    queue_item.WorkerRoutine = queue_routine;
    queue_item.Parameter = &ran;
    KeInitializeEvent(&finished, NotificationEvent, FALSE);
    ExQueueWorkItem(&queue_item, DelayedWorkQueue);
}

static void left_high(void) { begin(); IoQueueWorkItem(item, routine_high, DelayedWorkQueue, &ran); wait(); }

static void freed_with_queued(void)
{
    PWORK_QUEUE_ITEM in_pool = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *in_pool, LAB_TAG);

    ExInitializeWorkItem(in_pool, queue_routine, NULL);
    ExQueueWorkItem(in_pool, DelayedWorkQueue);
    ExFreePool(in_pool);
    sched_stop(VERDICT_OUTSIDE);
}

static void leak(void) { begin(); pool_report_leaks(); }

static void test_misuse(void **state)
{
    (void)state;
    lab_only_misuse(free_queued, MISUSE_WORK_FREED_QUEUED);
    lab_only_misuse(twice, MISUSE_WORK_QUEUED_TWICE);
    lab_only_misuse(no_item, MISUSE_WORK_NOT_AN_ITEM);
    lab_only_misuse(pool_freed, MISUSE_POOL_NOT_POOL);
    lab_only_misuse(raw, MISUSE_NOT_INITIALISED);
    lab_only_misuse(left_high, MISUSE_IRQL_TOO_HIGH);
    lab_only_misuse(freed_with_queued, MISUSE_POOL_FREE_IN_USE);
    lab_run(leak);
    assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 1);
}

/* ---- system threads */

static VOID start(PVOID Context)
{
    ran++;
    if (Context)
        PsTerminateSystemThread(STATUS_SUCCESS);
    ran += 10;
}

static void thread_joined(void)
{
    HANDLE handle;
    PVOID thread;

    ran = 0;
    LAB_EXPECT(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, start, &ran) == STATUS_SUCCESS);
    LAB_EXPECT(ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, NULL) ==
               STATUS_SUCCESS);
    LAB_EXPECT(ZwClose(handle) == STATUS_SUCCESS);
    LAB_EXPECT(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    ObDereferenceObject(thread);
    LAB_EXPECT(ran == 1);
    LAB_EXPECT(PsTerminateSystemThread(STATUS_SUCCESS) == STATUS_INVALID_PARAMETER);
}

static void close_token(void) { ZwClose((HANDLE)0xA11C100001000000); }
static void close_wild(void) { ZwClose((HANDLE)0x1234); }

static void test_threads(void **state)
{
    (void)state;
    lab_all(thread_joined, 2, 0);
    lab_only_misuse(close_token, MISUSE_HANDLE_CLOSED);
    lab_only_misuse(close_wild, MISUSE_HANDLE_CLOSED);
}

/* ---- DPCs and timers */

static KDPC dpc;
static KTIMER timer;

static VOID deferred(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    LAB_EXPECT(Dpc == &dpc && Context == (PVOID)&ran && KeGetCurrentIrql() == DISPATCH_LEVEL);
    LAB_EXPECT((Argument1 == NULL) == (Argument2 == NULL));
    ran++;
}

static void dpcs(void)
{
    ran = 0;
    KeInitializeDpc(&dpc, deferred, &ran);
    LAB_EXPECT(KeInsertQueueDpc(&dpc, &ran, &ran));
    KeFlushQueuedDpcs();
    LAB_EXPECT(ran == 1);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    LAB_EXPECT(KeRemoveQueueDpc(&dpc) == (ran == 1));
    KeFlushQueuedDpcs();
    LAB_EXPECT(ran <= 2 && !KeRemoveQueueDpc(&dpc));
}

static VOID deferred_terminates(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    (void)Dpc, (void)Context, (void)Argument1, (void)Argument2;
    LAB_EXPECT(PsTerminateSystemThread(STATUS_SUCCESS) == STATUS_INVALID_PARAMETER);
}

static void dpc_is_no_system_thread(void)
{
    KeInitializeThreadedDpc(&dpc, deferred_terminates, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void timers(void)
{
    LARGE_INTEGER due;

    ran = 0;
    due.QuadPart = -1000;
    KeInitializeDpc(&dpc, deferred, &ran);
    KeInitializeTimer(&timer);
    LAB_EXPECT(!KeSetTimer(&timer, due, &dpc));
    LAB_EXPECT(KeSetTimer(&timer, due, &dpc));          /* set again: one expiry */
    LAB_EXPECT(KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    LAB_EXPECT(sched_now() == 1000 && KeReadStateTimer(&timer));
    KeFlushQueuedDpcs();
    LAB_EXPECT(ran == 1 && !KeCancelTimer(&timer));
    KeSetTimerEx(&timer, due, 1, &dpc);
    KeDelayExecutionThread(KernelMode, FALSE, (due.QuadPart = -25000, &due));
    LAB_EXPECT(KeCancelTimer(&timer));
    KeFlushQueuedDpcs();
    LAB_EXPECT(ran == 4);                               /* at 1000, then after 1000, 11000 and 21000 */
}

static void timer_freed(void)
{
    PKTIMER in_pool = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *in_pool, LAB_TAG);
    LARGE_INTEGER due;

    due.QuadPart = -1000;
    KeInitializeTimer(in_pool);
    KeSetTimer(in_pool, due, NULL);
    ExFreePool(in_pool);
    sched_stop(VERDICT_OUTSIDE);
}

static void test_dpcs_and_timers(void **state)
{
    (void)state;
    lab_all(dpcs, 2, 0);
    lab_all(dpc_is_no_system_thread, 1, 0);
    lab_all(timers, 1, 0);
    lab_only_misuse(timer_freed, MISUSE_POOL_FREE_IN_USE);
}

/* ---- the image: a module whose globals are these */

static struct {
    int value;
    char text[13];
    PVOID leaked;
    enum { LEAVE_NOTHING, LEAVE_IO, LEAVE_EX, FAIL } leave;
} globals = {42, "as built", NULL, LEAVE_NOTHING};

static VOID unload(PDRIVER_OBJECT DriverObject)
{
    (void)DriverObject;
    if (globals.leave == LEAVE_IO) {
        item = IoAllocateWorkItem(&device);
        IoQueueWorkItem(item, routine_that_frees, DelayedWorkQueue, &ran);
    } else if (globals.leave == LEAVE_EX) {
        ExInitializeWorkItem(&queue_item, queue_routine, &ran);
        ExQueueWorkItem(&queue_item, DelayedWorkQueue);
    }
}

static int entry(void *driver, void *path)
{
    PDRIVER_OBJECT object = driver;

    LAB_EXPECT(path && globals.value == 42 && strcmp(globals.text, "as built") == 0);
    globals.value = 0;
    globals.leaked = ExAllocatePool2(POOL_FLAG_NON_PAGED, 8, LAB_TAG);
    object->DriverUnload = unload;
    return globals.leave == FAIL ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static const struct image image = {"lab", entry, (char *)&globals, (char *)(&globals + 1)};
static int leave_what;

static void load_unload(void)
{
    ran = 0;
    image_restore(&image);
    globals.leave = (unsigned)leave_what;
    KeInitializeEvent(&finished, NotificationEvent, FALSE);
    if (image_load(&image) == STATUS_SUCCESS) {
        LAB_EXPECT(image_loaded() && !image_gone());
        image_unload();
    }
    LAB_EXPECT(image_gone() && !image_loaded());
}

static void test_image(void **state)
{
    bool writable;

    (void)state;
    image_restore(&image);                  /* keeps the bytes as they are now */
    for (leave_what = LEAVE_NOTHING; leave_what <= FAIL; leave_what++) {
        struct outcome o = lab_run(load_unload);

        assert_int_equal(o.verdict, VERDICT_PASS);
        assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 1);
        assert_int_equal(lab_count(EV_MISUSE, MISUSE_IMAGE_GONE), leave_what == LEAVE_EX);
        assert_int_equal(ran, leave_what == LEAVE_IO);
        assert_int_equal(lab_count(EV_IMAGE_LOADED, 1), leave_what != FAIL);
        assert_int_equal(lab_count(EV_IMAGE_GONE, 0), 1);
    }
    assert_true(image_contains(&globals.text, &writable) && writable);
    assert_true(image_contains(&image, &writable) && !writable);
}

/* ---- races: t1 and t2 on one word, ordered or not */

static uint64_t *word;
static KSPIN_LOCK spin;
static EX_RUNDOWN_REF rundown;
static LONG volatile counter;

static void plain(void) { lab_store(word, 8); sched_point(SITE_IN_CALL); }
static void plain_read(void) { lab_load(word, 8); sched_point(SITE_IN_CALL); }
static void low_half(void) { lab_store(word, 4); sched_point(SITE_IN_CALL); }
static void high_half(void) { lab_store((char *)word + 4, 4); sched_point(SITE_IN_CALL); }
static void set(void) { lab_store(word, 8); KeSetEvent(&finished, 0, FALSE); }
static void waited(void) { wait(); lab_load(word, 8); }
static void run_down(void) { ExWaitForRundownProtectionRelease(&rundown); lab_store(word, 8); }
static void freeing(void) { ExFreePool(word); }
static void operation(void) { InterlockedIncrement64((LONG64 *)word); sched_point(SITE_IN_CALL); }
static void waited_and_freed(void) { wait(); ExFreePool(word); }

static void locked(void)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc(&spin);

    lab_store(word, 8);
    KeReleaseSpinLock(&spin, old);
}

/* The classic: who waits for the event may free the lock before it is released. */
static void signals_locked(void)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc((PKSPIN_LOCK)word);

    KeSetEvent(&finished, 0, FALSE);
    KeReleaseSpinLock((PKSPIN_LOCK)word, old);
}

static void locked_signals(void)
{
    KIRQL old = KeAcquireSpinLockRaiseToDpc((PKSPIN_LOCK)word);

    KeReleaseSpinLock((PKSPIN_LOCK)word, old);
    KeSetEvent(&finished, 0, FALSE);
}

/* A reference count in the word itself: the last one frees it. */
static void counted_and_freed(void)
{
    if (InterlockedIncrement((LONG *)word) == 2)
        ExFreePool(word);
}

/* A reference count: each has a byte of its own, and the last one takes the whole word. */
static void counted(void)
{
    lab_store((char *)word + sched_self(), 1);
    if (InterlockedDecrement(&counter) == 0)
        lab_store(word, 8);
}

static void protected(void)
{
    if (!ExAcquireRundownProtection(&rundown))
        return;
    lab_load(word, 8);
    ExReleaseRundownProtection(&rundown);
}

static void (*left)(void), (*right)(void);

static void racing(void)
{
    spin = 0;
    rundown.Count = 0;
    counter = 2;
    KeInitializeEvent(&finished, NotificationEvent, FALSE);
    word = ExAllocatePool2(POOL_FLAG_NON_PAGED, 8, LAB_TAG);
    if (!word)
        return;
    *word = 0;
    lab_store(word, 8);                     /* before the threads: no race with them */
    lab_spawn(&left);
    lab_spawn(&right);
    lab_join();
    if (!pool_blocks[0].free_event)
        lab_load(word, 8);
}

static void expect_none(void)
{
    racing();
    LAB_EXPECT(lab_count(EV_RACE, LAB_ANY_VALUE) == 0);
}

static unsigned races(void (*a)(void), void (*b)(void))
{
    left = a;
    right = b;
    lab_run(racing);
    return lab_count(EV_RACE, LAB_ANY_VALUE);
}

static void no_race(void (*a)(void), void (*b)(void))
{
    left = a;
    right = b;
    lab_all(expect_none, 2, 0);
}

static void test_races(void **state)
{
    (void)state;
    assert_int_equal(races(plain, plain), 1);
    assert_int_equal(lab_find(EV_RACE, 0)->object, 0);
    assert_int_equal(races(plain, plain_read), 1);
    assert_int_equal(races(plain, locked), 1);
    assert_int_equal(races(plain_read, freeing), 1);
    assert_int_equal(races(operation, operation), 0);
    assert_int_equal(races(operation, freeing), 1);
    assert_int_equal(races(signals_locked, waited_and_freed), 1);
    race_enabled = false;
    assert_int_equal(races(plain, plain), 0);
    race_enabled = true;
}

static void test_no_false_races(void **state)
{
    (void)state;
    no_race(plain_read, plain_read);
    no_race(low_half, high_half);
    no_race(locked, locked);
    no_race(set, waited);
    no_race(counted, counted);
    no_race(counted_and_freed, counted_and_freed);
    no_race(locked_signals, waited_and_freed);
    no_race(run_down, protected);
}

static void test_deterministic(void **state)
{
    uint64_t hash;

    (void)state;
    left = plain;
    right = locked;
    hash = lab_run(racing).hash;
    lab_run(queue_and_wait);
    assert_true(lab_run(racing).hash == hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_run),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_dpcs_and_timers),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_races),
        cmocka_unit_test(test_no_false_races),
        cmocka_unit_test(test_deterministic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
