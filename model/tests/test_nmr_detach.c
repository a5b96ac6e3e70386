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
        lab_explore_whoever(every_manner, 3, 2);
    }
}

/* Neither the side that deregisters nor the other waits for the other's completion (known bug 8). */
static unsigned initiator;

static void both_pending(void *script)
{
    (void)script;
    attach_pair();
    take_manner(c, AFTERWARDS);
    take_manner(p, AFTERWARDS);
    EXPECT(lab_deregister(&parties[initiator]) == STATUS_PENDING);
    EXPECT(c->detaches == 1 && p->detaches == 1);
    lab_complete(c, c->last_binding);
    lab_complete(p, p->last_binding);
    EXPECT(lab_wait(&parties[initiator]) == STATUS_SUCCESS);
    lab_close(&parties[!initiator]);
}

static void n13_both_sides_are_told(void **state)
{
    (void)state;
    for (initiator = 0; initiator < 2; initiator++)
        for (unsigned order = 0; order < 2; order++)
            lab_pass_with(both_pending, CHOICE_SYSTEM, SITE_ND_DETACH_ORDER, order);
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
    lab_explore_always(both_deregister, 2, 1);
    lab_random(both_deregister, 10000);
}

/* ---- waiting */

static void wait_task(struct party *l)
{
    EXPECT(lab_wait(l) == STATUS_SUCCESS);
    seen[0] = true;
    EXPECT(c->cleanups == 1 && p->cleanups == 1);
}

/* The initiator's own side is done at once; its wait must still last until the other is done. */
static void wait_for_the_other(void *script)
{
    struct party *mine, *other;

    (void)script;
    attach_pair();
    mine = &parties[initiator];
    other = &parties[!initiator];
    take_manner(other, AFTERWARDS);
    EXPECT(lab_deregister(mine) == STATUS_PENDING);
    seen[0] = false;
    lab_start(wait_task, mine);
    sched_give_way(SITE_OP_NEXT);
    EXPECT(!seen[0] && c->cleanups == 0 && p->cleanups == 0);                   /* N-18, N-22, N-27 */
    lab_complete(other, other->last_binding);
    lab_join();
    EXPECT(seen[0]);
    lab_close(other);
}

static void n22_n27_wait_covers_the_other_side(void **state)
{
    (void)state;
    for (initiator = 0; initiator < 2; initiator++)
        lab_explore_whoever(wait_for_the_other, 2, 0);
}

/* Others run while a callback is on the stack, some of them in NmrWait...; the clerk checks when they come back. */
static void linger(struct party *l)
{
    (void)l;
    sched_point(SITE_IN_CALLBACK);
}

static void complete_and_linger(struct party *l, HANDLE binding)
{
    lab_complete(l, binding);
    linger(l);
}

static void slow_callbacks(void *script)
{
    (void)script;
    attach_pair();
    p->in_cleanup = c->in_cleanup = linger;
    p->in_detach = c->in_detach = complete_and_linger;
    p->detach = c->detach = STATUS_PENDING;
    lab_start(close_task, p);
    lab_start(close_task, c);
    lab_join();
    expect_one_of_each();
}

static void n27_wait_covers_the_other_side_s_callbacks(void **state)
{
    (void)state;
    lab_explore_always(slow_callbacks, 2, 1);
    lab_random(slow_callbacks, 10000);
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

/* Two providers, two clients: of the four bindings, two are the leaving client's. */
static void one_of_two_leaves(void *script)
{
    struct party *d = lab_new(2, SIDE_CLIENT), *q = lab_new(3, SIDE_PROVIDER);

    (void)script;
    attach_pair();
    EXPECT(lab_register(d) == STATUS_SUCCESS && lab_register(q) == STATUS_SUCCESS);
    lab_close(c);
    EXPECT(c->detaches == 2 && d->detaches == 0 && p->detaches == 1 && q->detaches == 1);
    lab_close(q);
    EXPECT(d->detaches == 1 && p->detaches == 1 && q->detaches == 2);
    lab_close(p);
    lab_close(d);
}

/* A completion that nobody asked for is no deregistration. */
static void completes_unasked(void *script)
{
    (void)script;
    attach_pair();
    lab_complete(p, p->last_binding);
    EXPECT(p->detaches == 0 && c->detaches == 0);
    lab_close(p);
    lab_close(c);
}

static void n12_only_the_leaving_module_s_bindings(void **state)
{
    (void)state;
    lab_pass(one_of_two_leaves);
    lab_pass(completes_unasked);
}

static void n11_n12_n15_each_binding_for_itself(void **state)
{
    (void)state;
    lab_pass(several);
}

/* ---- attaches that fail */

static enum { DECLINED_BY_PROVIDER, DECLINED_AFTER_WRITING, DECLINED_BY_CLIENT, NMR_FAILED, FAILURES } failure;

static void failed_attach(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    p->attach = failure == DECLINED_BY_PROVIDER || failure == DECLINED_AFTER_WRITING ? STATUS_NOINTERFACE
                                                                                     : STATUS_SUCCESS;
    p->outs_on_failure = failure == DECLINED_AFTER_WRITING;
    c->tries = failure == DECLINED_BY_CLIENT ? 0 : 1;
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
    EXPECT(c->attaches == 1 && c->attached == 0);
    lab_close(p);
    lab_close(c);
    for (unsigned i = 0; i < 2; i++)
        EXPECT(parties[i].detaches == 0 && parties[i].cleanups == 0);
}

/* Known bug 2: the client's cleanup was called; the provider's too, if it had written its out-parameter. */
static void n11_nothing_follows_a_failed_attach(void **state)
{
    (void)state;
    for (failure = 0; failure < FAILURES; failure++)
        lab_pass_with(failed_attach, CHOICE_FAULT, SITE_NMR_CLIENT_ATTACH, failure == NMR_FAILED);
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
            lab_pass_with(pair, CHOICE_SYSTEM, at[i].site, value);
            assert_int_equal(lab_events((uint16_t)(EV_ENTER + at[i].frame), &e), 1);
            assert_int_equal(e.level, value ? DISPATCH_LEVEL : PASSIVE_LEVEL);
            assert_int_equal(lab_events((uint16_t)(EV_LEAVE + at[i].frame), &e), 1);
            assert_int_equal(e.level, value ? DISPATCH_LEVEL : PASSIVE_LEVEL);
            lab_events(EV_LEAVE + FRAME_NMR_DEREGISTER, &e);
            assert_int_equal(e.level, PASSIVE_LEVEL);
        }
    }
}

/* All callbacks of both sides at any level they may be called at: the clerk checks the limit. */
static void n16_n20_never_above_dispatch_level(void **state)
{
    (void)state;
    lab_explore(pair, 0, 4);
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
    lab_pass(forgetful);
    assert_int_equal(lab_events(EV_LEAVE + FRAME_CLIENT_DETACH, &e), 1);
    assert_int_equal(e.level, DISPATCH_LEVEL);
}

static void nd10_cleanup_on_a_worker(void **state)
{
    struct event e;

    (void)state;
    lab_pass_with(pair, CHOICE_SYSTEM, SITE_ND_CLEANUP_THREAD, 1);
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
        lab_pass(without_cleanup);
}

/* ---- NMR is called from callbacks */

static void register_more(struct party *l)
{
    struct party *more = lab_new(3, SIDE_PROVIDER);

    (void)l;
    more->npi.Data1++;                      /* another NPI */
    EXPECT(lab_register(more) == STATUS_SUCCESS);
    lab_close(more);
    EXPECT(more->attaches == 0);
    seen[0] = true;
}

static void register_more_in_between(struct party *l, HANDLE binding)
{
    (void)binding;
    register_more(l);
}

static void close_other(struct party *l)
{
    (void)l;
    EXPECT(lab_deregister(c) == STATUS_PENDING);
}

/* Which of the two calls NMR, and from which callback. */
static unsigned busy;
static enum { IN_ATTACH, IN_DETACH, IN_CLEANUP, PLACES } where;

static void busy_callback(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    parties[busy].in_attach = where == IN_ATTACH ? register_more_in_between : NULL;
    parties[busy].in_detach = where == IN_DETACH ? register_more_in_between : NULL;
    parties[busy].in_cleanup = where == IN_CLEANUP ? register_more : NULL;
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
    lab_close(p);
    lab_close(c);
    expect_one_of_each();
}

static void close_in_cleanup(void *script)
{
    (void)script;
    attach_pair();
    p->in_cleanup = close_other;
    lab_close(p);
    EXPECT(lab_wait(c) == STATUS_SUCCESS);
    expect_one_of_each();
}

/* Known bug 4: cleanup ran under the mock's lock, and any NMR call from it hung. */
static void n28_callbacks_may_call_nmr(void **state)
{
    (void)state;
    for (busy = 0; busy < 2; busy++) {
        for (where = 0; where < PLACES; where++) {
            lab_pass(busy_callback);
            all_seen(1);
        }
    }
    lab_pass(close_in_cleanup);
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
    lab_pass(deregister_within_detach);
}

/* ---- N-30: cleanup comes when both sides said they are done, whatever they are still doing */

static sched_wait call_over;

/* A function of the client's table, which the provider called; told as counterparts tell it. */
static void call_task(struct party *l)
{
    uint32_t number = nmr_binding_number(l->last_binding);

    event_emit(EV_ENTER + FRAME_CALLBACK, number, 0, 0, 0, 0, NULL);
    sched_block(&call_over, SITE_IN_CALLBACK, SCHED_FOREVER);
    event_emit(EV_LEAVE + FRAME_CALLBACK, number, STATUS_SUCCESS, 0, 0, 0, NULL);
    seen[1] = true;
}

static void too_early(void *script)
{
    (void)script;
    call_over = 0;
    seen[1] = false;
    attach_pair();
    lab_start(call_task, c);
    sched_give_way(SITE_OP_NEXT);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(c->cleanups == 1 && p->cleanups == 1);           /* nor delayed to the wait */
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    EXPECT(!seen[1]);
    sched_release(&call_over);
    lab_join();
    lab_close(c);
}

static void n30_nmr_takes_modules_at_their_word(void **state)
{
    (void)state;
    lab_pass(too_early);
    assert_true(seen[1]);
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
    lab_pass(odd_detach);
    odd_status = 0x102;
    lab_pass(odd_detach);
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
    lab_pass(early);
    lab_pass(late);
    lab_pass(eager);
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
    lab_pass(lying_client);
    assert_string_equal(lab_log, "C1.attach C1.attach=0 ");
}

static void nd22_failure_after_attach(void **state)
{
    (void)state;
    odd_status = STATUS_NOINTERFACE;
    lab_pass(lying_client);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(n11_n12_n15_each_binding_for_itself),
        cmocka_unit_test(n11_nothing_follows_a_failed_attach),
        cmocka_unit_test(n12_only_the_leaving_module_s_bindings),
        cmocka_unit_test(n13_both_sides_are_told),
        cmocka_unit_test(n13_n18_n19_n21_every_pair_of_manners),
        cmocka_unit_test(n14_one_detach_even_if_both_deregister),
        cmocka_unit_test(n16_n20_levels),
        cmocka_unit_test(n16_n20_never_above_dispatch_level),
        cmocka_unit_test(n19_only_a_null_callback_is_skipped),
        cmocka_unit_test(n22_n27_wait_covers_the_other_side),
        cmocka_unit_test(n24_wait_lasts_for_ever_if_need_be),
        cmocka_unit_test(n27_wait_covers_the_other_side_s_callbacks),
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
        cmocka_unit_test(n21_completion_before_and_after_the_result_is_used),   /* the last: its judge stays */
    };

    lab_select(argc, argv);
    return cmocka_run_group_tests_name("nmr detach", tests, NULL, NULL);
}
