/* test_wsk.c - Winsock Kernel's registration functions on top of NMR. */
#include "test_kernel_lab.h"

#include "nmr/nmr.h"

#include <wsk.h>

enum { VALUE_LATE = 1, VALUE_ABSENT };

static NTSTATUS WSKAPI client_event(PVOID ClientContext, ULONG EventType, PVOID Information, SIZE_T Length)
{
    (void)ClientContext, (void)EventType, (void)Information, (void)Length;
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_DISPATCH good = {MAKE_WSK_VERSION(1, 0), 0, client_event};
static const WSK_CLIENT_DISPATCH newer = {MAKE_WSK_VERSION(2, 0), 0, client_event};
static WSK_CLIENT_NPI npi;
static WSK_REGISTRATION registration, second;

static NTSTATUS begin(const WSK_CLIENT_DISPATCH *dispatch)
{
    nmr_reset();
    npi = (WSK_CLIENT_NPI){.ClientContext = &npi, .Dispatch = dispatch};
    memset(&registration, 0, sizeof registration);
    memset(&second, 0, sizeof second);
    return WskRegister(&npi, &registration);
}

static NTSTATUS capture(ULONG timeout)
{
    WSK_PROVIDER_NPI provider;
    NTSTATUS status = WskCaptureProviderNPI(&registration, timeout, &provider);

    if (status == STATUS_SUCCESS)
        LAB_EXPECT(provider.Client && provider.Dispatch && provider.Dispatch->Version == MAKE_WSK_VERSION(1, 0) &&
                   provider.Dispatch->WskSocket && provider.Dispatch->WskGetNameInfo);
    return status;
}

/* The same scenario with one record, for the subsystem. */
static struct outcome run(void (*body)(void), unsigned value)
{
    struct scenario s = {.count = value ? 1 : 0};
    static struct strategy_script state;
    struct strategy script = strategy_script(&state, &s);

    s.records[0] = (struct record){.kind = CHOICE_SYSTEM, .site = SITE_WSK_PROVIDER, .nth = 0, .value = (uint8_t)value};
    lab_body = body;
    return execution_run(&lab, &s, &script);
}

static void clean(void (*body)(void), unsigned value)
{
    struct outcome o = run(body, value);

    if (o.verdict != VERDICT_PASS)
        print_message("%s: %s\n", verdict_name(o.verdict), o.finding.detail);
    assert_int_equal(o.verdict, VERDICT_PASS);
    assert_int_equal(lab_count(EV_MISUSE, LAB_ANY_VALUE), 0);
    assert_int_equal(lab_count(EV_ACCESS, LAB_ANY_VALUE), 0);
    assert_int_equal(lab_count(EV_RACE, LAB_ANY_VALUE), 0);
    assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 0);
}

/* ---- attached at once, later, never */

static void plain(void)
{
    if (begin(&good) != STATUS_SUCCESS)
        return;
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_SUCCESS);
    LAB_EXPECT(capture(WSK_INFINITE_WAIT) == STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_DEVICE_NOT_READY);
    LAB_EXPECT(capture(WSK_INFINITE_WAIT) == STATUS_DEVICE_NOT_READY);
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
}

static PWSK_REGISTRATION in_pool;             /* in pool, where races are noticed */

static void capture_late(void)
{
    WSK_PROVIDER_NPI provider;

    LAB_EXPECT(WskCaptureProviderNPI(in_pool, WSK_INFINITE_WAIT, &provider) == STATUS_DEVICE_NOT_READY);
}

static void (*capturer)(void) = capture_late;

/* A thread of the driver's captures after the deregistration, with nothing else between them. */
static void deregistered_before(void)
{
    begin(&good);
    WskDeregister(&registration);
    in_pool = ExAllocatePoolZero(NonPagedPoolNx, sizeof *in_pool, LAB_TAG);
    LAB_EXPECT(in_pool && WskRegister(&npi, in_pool) == STATUS_SUCCESS);
    lab_spawn(&capturer);
    WskDeregister(in_pool);
    lab_join();
    ExFreePool(in_pool);
}

static void late(void)
{
    begin(&good);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_DEVICE_NOT_READY);
    LAB_EXPECT(capture(WSK_INFINITE_WAIT) == STATUS_SUCCESS && sched_now() == 0);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void absent(void)
{
    begin(&good);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_DEVICE_NOT_READY && sched_now() == 0);
    LAB_EXPECT(capture(5) == STATUS_DEVICE_NOT_READY && sched_now() == 5 * 10000);
    WskDeregister(&registration);
}

static void too_new(void)
{
    begin(&newer);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_NOINTERFACE);
    LAB_EXPECT(capture(WSK_INFINITE_WAIT) == STATUS_NOINTERFACE);
    WskDeregister(&registration);
}

static void twice(void)
{
    begin(&good);
    LAB_EXPECT(WskRegister(&npi, &second) == STATUS_SUCCESS);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_SUCCESS);
    WskDeregister(&second);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
    LAB_EXPECT(WskRegister(&npi, &registration) == STATUS_SUCCESS);
    WskDeregister(&registration);
}

static void forever(void)
{
    begin(&good);
    (void)capture(WSK_INFINITE_WAIT);
}

static void test_capture(void **state)
{
    struct explore_result r;

    (void)state;
    clean(plain, 0);
    clean(deregistered_before, 0);
    clean(late, VALUE_LATE);
    clean(absent, VALUE_ABSENT);
    clean(too_new, 0);
    clean(twice, 0);
    assert_int_equal(run(forever, VALUE_ABSENT).verdict, VERDICT_DEADLOCK);
    r = lab_all(plain, 1, 0);
    assert_true(r.executions > 0);
}

/* Memory may be low: the driver is told, and nothing is left. */
static void test_low_resources(void **state)
{
    struct explore_options options = {.preemptions_max = 0, .deviations_max = 1};
    struct explore_result r;

    (void)state;
    lab_body = forever;
    r = explore_dfs(&lab, &lab_empty, &options);
    assert_int_equal(r.choices[CHOICE_FAULT], 1);
}

/* ---- deregistration waits for the last release, and wakes those who wait for the attach */

static bool released;

static void hold(void)
{
    released = true;
    WskReleaseProviderNPI(&registration);
}

static void (*const hold_it)(void) = hold;
static void (*holder)(void);

static void deregister_waits(void)
{
    released = false;
    begin(&good);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_SUCCESS);
    holder = hold_it;
    lab_spawn(&holder);
    WskDeregister(&registration);
    LAB_EXPECT(released);
    lab_join();
    LAB_EXPECT(lab_count(EV_MISUSE, LAB_ANY_VALUE) == 0);
}

static void never_released(void)
{
    begin(&good);
    (void)capture(WSK_NO_WAIT);
    WskDeregister(&registration);
}

static void wait_for_it(void) { LAB_EXPECT(capture(WSK_INFINITE_WAIT) == STATUS_DEVICE_NOT_READY); }

static void deregister_wakes(void)
{
    begin(&good);
    holder = wait_for_it;
    lab_spawn(&holder);
    sched_give_way(SITE_OP_NEXT);
    WskDeregister(&registration);
    lab_join();
}

static void test_deregister(void **state)
{
    (void)state;
    lab_all(deregister_waits, 2, 0);
    assert_int_equal(run(never_released, 0).verdict, VERDICT_DEADLOCK);
    clean(deregister_wakes, VALUE_ABSENT);
}

/* ---- misuse */

static void register_raised(void) { nmr_reset(); KeRaiseIrqlToDpcLevel(); begin(&good); sched_stop(VERDICT_OUTSIDE); }

static void capture_waits_raised(void)
{
    begin(&good);
    KeRaiseIrqlToDpcLevel();
    (void)capture(WSK_INFINITE_WAIT);
}

static void capture_raised(void)
{
    KIRQL old;

    begin(&good);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    LAB_EXPECT(capture(WSK_NO_WAIT) == STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration);
    KeLowerIrql(old);
    WskDeregister(&registration);
}

static void release_high(void)
{
    KIRQL old;

    begin(&good);
    (void)capture(WSK_NO_WAIT);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    WskReleaseProviderNPI(&registration);
}

static void deregister_raised(void)
{
    begin(&good);
    KeRaiseIrqlToDpcLevel();
    WskDeregister(&registration);
    sched_stop(VERDICT_OUTSIDE);
}

static void released_twice(void)
{
    begin(&good);
    (void)capture(0);
    WskReleaseProviderNPI(&registration);
    WskReleaseProviderNPI(&registration);
}

static void registered_twice(void) { begin(&good); (void)WskRegister(&npi, &registration); }
static void deregistered_twice(void) { begin(&good); WskDeregister(&registration); WskDeregister(&registration); }
static void unknown_release(void) { nmr_reset(); WskReleaseProviderNPI(&second); }
static void unknown_deregister(void) { nmr_reset(); WskDeregister(&second); }
static void unknown_capture(void)
{
    WSK_PROVIDER_NPI p;

    nmr_reset();
    LAB_EXPECT(WskCaptureProviderNPI(&second, 0, &p) == STATUS_DEVICE_NOT_READY);
}

static void forgotten(void) { begin(&good); pool_report_leaks(); }

static void freed_block(void)
{
    PWSK_REGISTRATION block = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *block, LAB_TAG);

    begin(&good);
    LAB_EXPECT(WskRegister(&npi, block) == STATUS_SUCCESS);
    ExFreePool(block);
    WskDeregister(block);
    sched_stop(VERDICT_OUTSIDE);
}

static void socket_call(void)
{
    WSK_PROVIDER_NPI p;

    begin(&good);
    LAB_EXPECT(WskCaptureProviderNPI(&registration, 0, &p) == STATUS_SUCCESS);
    p.Dispatch->WskFreeAddressInfo(p.Client, NULL);
    LAB_EXPECT(false);
}

static void test_misuse(void **state)
{
    (void)state;
    run(register_raised, 0);
    assert_true(lab_count(EV_MISUSE, MISUSE_IRQL_TOO_HIGH) > 0);
    lab_only_misuse(capture_waits_raised, MISUSE_IRQL_TOO_HIGH);
    clean(capture_raised, 0);
    lab_only_misuse(release_high, MISUSE_IRQL_TOO_HIGH);
    run(deregister_raised, 0);
    assert_true(lab_count(EV_MISUSE, MISUSE_IRQL_TOO_HIGH) > 0);
    lab_only_misuse(released_twice, MISUSE_WSK_UNBALANCED);
    lab_only_misuse(registered_twice, MISUSE_WSK_UNBALANCED);
    lab_only_misuse(deregistered_twice, MISUSE_WSK_UNBALANCED);
    lab_only_misuse(unknown_release, MISUSE_NOT_INITIALISED);
    lab_only_misuse(unknown_deregister, MISUSE_NOT_INITIALISED);
    lab_only_misuse(unknown_capture, MISUSE_NOT_INITIALISED);
    lab_run(forgotten);
    assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 1);
    lab_only_access(freed_block, ACCESS_FREED);
    assert_int_equal(run(socket_call, 0).verdict, VERDICT_OUTSIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture),
        cmocka_unit_test(test_low_resources),
        cmocka_unit_test(test_deregister),
        cmocka_unit_test(test_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
