/* test_nmr_detach.c - detach, completion, cleanup. */
#include "test_nmr_lab.h"

#define ATTACHED "C1.attach P0.attach P0.attach=0 C1.attach=0 "

static bool seen[8];                        /* things that some execution of an exploration must show */

static void all_seen(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_true(seen[i]);
    memset(seen, 0, sizeof seen);
}

static struct party *p, *c;                 /* registrations 0 and 1 of the execution */

/* ---- every way for the two sides to detach */

enum manner { AT_ONCE, INSIDE, BY_ANOTHER_THREAD, AFTERWARDS, MANNERS };
static enum manner manners[2];

static void complete_task(struct party *l)
{
    lab_complete(l, l->last_binding);
}

/* The completing thread can run as soon as the callback gives it a chance: before its result is used, or after. */
static void start_completion(struct party *l, HANDLE binding)
{
    (void)binding;
    lab_start(complete_task, l);
}

static void take_manner(struct party *l, enum manner m)
{
    l->detach = m == AT_ONCE ? STATUS_SUCCESS : STATUS_PENDING;
    l->complete = m == INSIDE ? COMPLETE_INSIDE : COMPLETE_LATER;
    l->in_detach = m == BY_ANOTHER_THREAD ? start_completion : NULL;
}

static void close_task(struct party *l)
{
    lab_close(l);
}

static void attach_pair(void)
{
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    lab_register(p);
    lab_register(c);
}

static void expect_one_of_each(void)
{
    EXPECT(c->detaches == c->attached && p->detaches == p->attached);           /* N-13, N-14 */
    EXPECT(c->cleanups == c->attached && p->cleanups == p->attached);           /* N-19 */
}

static void every_manner(void *script)
{
    (void)script;
    attach_pair();
    take_manner(c, manners[SIDE_CLIENT]);
    take_manner(p, manners[SIDE_PROVIDER]);
    if (c->listed && p->listed)
        EXPECT(lab_deregister(p) == STATUS_PENDING);        /* N-23: PENDING detaches do not block it */
    for (unsigned i = 0; i < 2; i++)
        if (manners[parties[i].side] == AFTERWARDS && parties[i].detaches)
            lab_complete(&parties[i], parties[i].last_binding);
    if (p->listed && lab_deregistering[0])
        EXPECT(lab_wait(p) == STATUS_SUCCESS);
    else
        lab_close(p);
    expect_one_of_each();
    lab_close(c);
}

/* Known bugs 3 and 8: completing inside both callbacks cleaned up twice; the second side waited for the first. */
static void n13_n18_n19_n21_every_pair_of_manners(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MANNERS * MANNERS; i++) {
        manners[SIDE_CLIENT] = i / MANNERS;
        manners[SIDE_PROVIDER] = i % MANNERS;
        lab_explore(every_manner, 3, 2);
    }
}

static void dull_logs(void **state)
{
    (void)state;
    manners[SIDE_CLIENT] = manners[SIDE_PROVIDER] = INSIDE;
    lab_run(every_manner);
    assert_string_equal(lab_log, ATTACHED "C1.detach C1.complete P0.detach P0.complete C1.cleanup P0.cleanup ");
    manners[SIDE_CLIENT] = AFTERWARDS;
    manners[SIDE_PROVIDER] = AT_ONCE;
    lab_run(every_manner);
    assert_string_equal(lab_log, ATTACHED "C1.detach P0.detach C1.complete C1.cleanup P0.cleanup ");
    lab_run_with(every_manner, CHOICE_SYSTEM, SITE_ND_DETACH_ORDER, 1);
    assert_string_equal(lab_log, ATTACHED "P0.detach C1.detach C1.complete C1.cleanup P0.cleanup ");
    lab_run_with(every_manner, CHOICE_SYSTEM, SITE_ND_CLEANUP_ORDER, 1);
    assert_string_equal(lab_log, ATTACHED "C1.detach P0.detach C1.complete P0.cleanup C1.cleanup ");
}

/* ---- both sides deregister */

static void both_deregister(void *script)
{
    (void)script;
    attach_pair();
    take_manner(c, BY_ANOTHER_THREAD);
    take_manner(p, BY_ANOTHER_THREAD);
    lab_start(close_task, p);
    lab_start(close_task, c);
    lab_join();
    expect_one_of_each();
}

static void n14_one_detach_even_if_both_deregister(void **state)
{
    (void)state;
    lab_explore(both_deregister, 2, 1);
    lab_random(both_deregister, 20000);
}

/* ---- waiting */

static void wait_task(struct party *l)
{
    EXPECT(lab_wait(l) == STATUS_SUCCESS);
    seen[0] = true;
    EXPECT(c->cleanups == 1 && p->cleanups == 1);
}

/* The provider's own side is done at once; its wait must still last until the client is done. */
static void wait_for_the_other(void *script)
{
    (void)script;
    attach_pair();
    take_manner(c, AFTERWARDS);
    take_manner(p, AT_ONCE);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    seen[0] = false;
    lab_start(wait_task, p);
    sched_give_way(SITE_OP_NEXT);
    EXPECT(!seen[0] && c->cleanups == 0 && p->cleanups == 0);                   /* N-18, N-22, N-27 */
    lab_complete(c, c->last_binding);
    lab_join();
    EXPECT(seen[0]);
    lab_close(c);
}

static void n22_n27_wait_covers_the_other_side(void **state)
{
    (void)state;
    lab_explore(wait_for_the_other, 2, 0);
}

/* Nobody completes: the wait must not come back, and that is a deadlock. */
static void never_completed(void *script)
{
    (void)script;
    attach_pair();
    take_manner(c, AFTERWARDS);
    lab_close(p);
}

static void n24_wait_lasts_for_ever_if_need_be(void **state)
{
    struct event e;

    (void)state;
    assert_int_equal(lab_run(never_completed).verdict, VERDICT_DEADLOCK);
    assert_int_equal(lab_events(EV_BLOCK, &e), 1);
    assert_int_equal(e.value, SYNC_REGISTRATION);
    assert_int_equal(e.object, 0);
}

/* ---- one of several bindings */

static void several(void *script)
{
    struct party *d = lab_new(2, SIDE_CLIENT), *q = lab_new(3, SIDE_PROVIDER);

    (void)script;
    attach_pair();
    EXPECT(lab_register(d) == STATUS_SUCCESS);
    q->attach = STATUS_NOINTERFACE;
    EXPECT(lab_register(q) == STATUS_SUCCESS);
    EXPECT(c->attaches == 2 && d->attaches == 2 && p->attached == 2 && q->attached == 0);
    EXPECT(c->detaches == 0 && d->detaches == 0);           /* N-12: declining one leaves the others alone */
    take_manner(c, AFTERWARDS);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(p->detaches == 2 && c->detaches == 1 && d->detaches == 1);           /* N-15: PENDING stops nothing */
    EXPECT(d->cleanups == 1 && c->cleanups == 0 && p->cleanups == 1);
    lab_complete(c, lab_bindings[0][SIDE_CLIENT].handle);
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    lab_close(c);
    lab_close(d);
    lab_close(q);
    EXPECT(q->detaches == 0 && q->cleanups == 0);           /* N-11 */
}

static void n11_n12_n15_each_binding_for_itself(void **state)
{
    (void)state;
    assert_int_equal(lab_run(several).verdict, VERDICT_PASS);
}

/* ---- IRQL, thread, missing callbacks */

static void pair(void *script)
{
    (void)script;
    attach_pair();
    lab_close(p);
    lab_close(c);
    expect_one_of_each();
}

static void n16_n20_levels(void **state)
{
    static const struct { unsigned site, frame; } at[] = {
        {SITE_ND_DETACH_IRQL, FRAME_CLIENT_DETACH}, {SITE_ND_CLEANUP_IRQL, FRAME_CLIENT_CLEANUP}};
    struct event e;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned value = 0; value < 2; value++) {
            assert_int_equal(lab_run_with(pair, CHOICE_SYSTEM, at[i].site, value).verdict, VERDICT_PASS);
            assert_int_equal(lab_events((uint16_t)(EV_ENTER + at[i].frame), &e), 1);
            assert_int_equal(e.level, value ? DISPATCH_LEVEL : PASSIVE_LEVEL);
            assert_int_equal(lab_events((uint16_t)(EV_LEAVE + at[i].frame), &e), 1);
            assert_int_equal(e.level, value ? DISPATCH_LEVEL : PASSIVE_LEVEL);
            lab_events(EV_LEAVE + FRAME_NMR_DEREGISTER, &e);
            assert_int_equal(e.level, PASSIVE_LEVEL);
        }
    }
}

static void leave_raised(struct party *l, HANDLE binding)
{
    (void)l;
    (void)binding;
    irql_set(DISPATCH_LEVEL);
}

static void forgetful(void *script)
{
    (void)script;
    attach_pair();
    c->in_detach = leave_raised;
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(irql_get() == PASSIVE_LEVEL);
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    lab_close(c);
}

static void irql_is_told_and_put_back(void **state)
{
    struct event e;

    (void)state;
    assert_int_equal(lab_run(forgetful).verdict, VERDICT_PASS);
    assert_int_equal(lab_events(EV_LEAVE + FRAME_CLIENT_DETACH, &e), 1);
    assert_int_equal(e.level, DISPATCH_LEVEL);
}

static void nd10_cleanup_on_a_worker(void **state)
{
    struct event e;

    (void)state;
    assert_int_equal(lab_run_with(pair, CHOICE_SYSTEM, SITE_ND_CLEANUP_THREAD, 1).verdict, VERDICT_PASS);
    assert_int_equal(lab_events(EV_ENTER + FRAME_PROVIDER_CLEANUP, &e), 1);
    assert_int_equal(e.thread, FIRST_WORKER);
}

static unsigned missing;

static void without_cleanup(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    if (missing & 1)
        c->client.ClientCleanupBindingContext = NULL;
    if (missing & 2)
        p->provider.ProviderCleanupBindingContext = NULL;
    EXPECT(lab_register(c) == STATUS_SUCCESS && lab_register(p) == STATUS_SUCCESS);
    lab_close(c);
    lab_close(p);
    EXPECT(c->detaches == 1 && p->detaches == 1);
    EXPECT(c->cleanups == !(missing & 1) && p->cleanups == !(missing & 2));
}

static void n19_only_a_null_callback_is_skipped(void **state)
{
    (void)state;
    for (missing = 0; missing < 4; missing++)
        assert_int_equal(lab_run(without_cleanup).verdict, VERDICT_PASS);
}

/* ---- NMR is called from callbacks */

static void register_more(struct party *l)
{
    struct party *more = lab_new(3, SIDE_PROVIDER);

    (void)l;
    more->npi.Data1++;                      /* another NPI */
    lab_register(more);
    lab_close(more);
}

static void close_other(struct party *l)
{
    (void)l;
    EXPECT(lab_deregister(c) == STATUS_PENDING);
}

static void busy_callbacks(void *script)
{
    (void)script;
    attach_pair();
    c->in_cleanup = register_more;
    p->in_cleanup = close_other;
    lab_close(p);
    EXPECT(lab_wait(c) == STATUS_SUCCESS);
    expect_one_of_each();
}

/* Known bug 4: cleanup ran under the mock's lock, and any NMR call from it hung. */
static void n28_callbacks_may_call_nmr(void **state)
{
    (void)state;
    assert_int_equal(lab_run(busy_callbacks).verdict, VERDICT_PASS);
    assert_int_equal(parties[3].attaches, 0);
}

static void deregister_the_other(struct party *l, HANDLE binding)
{
    (void)binding;
    EXPECT(lab_deregister(l == p ? c : p) == STATUS_PENDING);
}

static void deregister_within_detach(void *script)
{
    (void)script;
    attach_pair();
    p->in_detach = deregister_the_other;
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(lab_wait(p) == STATUS_SUCCESS && lab_wait(c) == STATUS_SUCCESS);
    expect_one_of_each();
}

static void nd30_deregister_inside_a_callback(void **state)
{
    (void)state;
    assert_int_equal(lab_run(deregister_within_detach).verdict, VERDICT_PASS);
}

/* Cleanup comes when both sides said they are done, whatever they are still doing. */
static void too_early(void *script)
{
    (void)script;
    attach_pair();
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(c->cleanups == 1 && p->cleanups == 1);           /* not delayed to the wait */
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    lab_close(c);
}

static void n30_nmr_takes_modules_at_their_word(void **state)
{
    (void)state;
    assert_int_equal(lab_run(too_early).verdict, VERDICT_PASS);
}

/* ---- modules that break the contract; NMR stays in order */

static NTSTATUS odd_status;

static void odd_detach(void *script)
{
    (void)script;
    attach_pair();
    c->detach = odd_status;
    lab_close(p);
    lab_close(c);
    expect_one_of_each();
}

static void nd27_any_other_status_counts_as_done(void **state)
{
    (void)state;
    odd_status = STATUS_INVALID_PARAMETER;
    assert_int_equal(lab_run(odd_detach).verdict, VERDICT_PASS);
    odd_status = 0x102;
    assert_int_equal(lab_run(odd_detach).verdict, VERDICT_PASS);
}

static void complete_twice(struct party *l, HANDLE binding)
{
    lab_complete(l, binding);
    lab_complete(l, binding);
}

static void eager(void *script)
{
    (void)script;
    attach_pair();
    lab_complete(p, p->last_binding);       /* before the detach was asked for: latched (E11) */
    lab_bindings[0][SIDE_PROVIDER].done = false;
    EXPECT(p->detaches == 0 && p->cleanups == 0);
    p->detach = STATUS_PENDING;
    c->in_detach = complete_twice;          /* and then STATUS_SUCCESS */
    p->in_detach = complete_twice;
    lab_close(p);
    lab_close(c);
    expect_one_of_each();
}

/* Before the detach was asked for (E11). */
static void early(void *script)
{
    (void)script;
    attach_pair();
    p->detach = STATUS_PENDING;
    lab_complete(p, p->last_binding);
    EXPECT(p->detaches == 0 && p->cleanups == 0);
    lab_close(p);
    lab_close(c);
    expect_one_of_each();
}

/* After STATUS_SUCCESS, and after a completion, while the other side is still pending. */
static void late(void *script)
{
    (void)script;
    attach_pair();
    take_manner(c, AFTERWARDS);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    lab_complete(p, p->last_binding);
    lab_complete(p, p->last_binding);
    EXPECT(p->cleanups == 0 && c->cleanups == 0);
    lab_complete(c, c->last_binding);
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    lab_close(c);
    expect_one_of_each();
}

static void nd9_completion_is_latched_and_cleanup_runs_once(void **state)
{
    (void)state;
    assert_int_equal(lab_run(early).verdict, VERDICT_PASS);
    assert_int_equal(lab_run(late).verdict, VERDICT_PASS);
    assert_int_equal(lab_run(eager).verdict, VERDICT_PASS);
}

static void lying_client(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    c->lies = true;
    c->lie = odd_status;
    c->tries = odd_status == STATUS_SUCCESS ? 0 : 1;
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
    EXPECT(p->cleanups == p->attached && p->detaches == p->attached);
    EXPECT(c->detaches == 0 && c->cleanups == 0);
    lab_close(p);
    lab_close(c);
    EXPECT(p->cleanups == p->attached && p->detaches == p->attached);
}

static void nd21_success_without_attach(void **state)
{
    (void)state;
    odd_status = STATUS_SUCCESS;
    assert_int_equal(lab_run(lying_client).verdict, VERDICT_PASS);
    assert_string_equal(lab_log, "C1.attach C1.attach=0 ");
}

static void nd22_failure_after_attach(void **state)
{
    (void)state;
    odd_status = STATUS_NOINTERFACE;
    assert_int_equal(lab_run(lying_client).verdict, VERDICT_PASS);
    assert_string_equal(lab_log, "C1.attach P0.attach P0.attach=0 C1.attach=c00002b9 P0.detach P0.cleanup ");
}

/* ---- completions from several threads are latched, used and never lost */

static void watch(const struct event *e)
{
    static bool client_in_detach;

    if (e->kind == EV_ENTER + FRAME_CLIENT_DETACH)
        client_in_detach = true;
    if (e->kind == EV_ENTER + FRAME_PROVIDER_DETACH)
        client_in_detach = false;           /* its result was used */
    if (e->kind == EV_ENTER + FRAME_NMR_COMPLETE && e->value == SIDE_CLIENT)
        seen[client_in_detach ? 0 : 1] = true;
}

static void n21_completion_before_and_after_the_result_is_used(void **state)
{
    (void)state;
    event_add_judge(watch);
    memset(seen, 0, sizeof seen);
    manners[SIDE_CLIENT] = BY_ANOTHER_THREAD;
    manners[SIDE_PROVIDER] = AT_ONCE;
    lab_explore(every_manner, 2, 0);
    all_seen(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(n11_n12_n15_each_binding_for_itself),
        cmocka_unit_test(n13_n18_n19_n21_every_pair_of_manners),
        cmocka_unit_test(n14_one_detach_even_if_both_deregister),
        cmocka_unit_test(n16_n20_levels),
        cmocka_unit_test(n19_only_a_null_callback_is_skipped),
        cmocka_unit_test(n22_n27_wait_covers_the_other_side),
        cmocka_unit_test(n24_wait_lasts_for_ever_if_need_be),
        cmocka_unit_test(n28_callbacks_may_call_nmr),
        cmocka_unit_test(n30_nmr_takes_modules_at_their_word),
        cmocka_unit_test(dull_logs),
        cmocka_unit_test(irql_is_told_and_put_back),
        cmocka_unit_test(nd9_completion_is_latched_and_cleanup_runs_once),
        cmocka_unit_test(nd10_cleanup_on_a_worker),
        cmocka_unit_test(nd21_success_without_attach),
        cmocka_unit_test(nd22_failure_after_attach),
        cmocka_unit_test(nd27_any_other_status_counts_as_done),
        cmocka_unit_test(nd30_deregister_inside_a_callback),
        cmocka_unit_test(n21_completion_before_and_after_the_result_is_used),
    };

    return cmocka_run_group_tests_name("nmr detach", tests, NULL, NULL);
}
