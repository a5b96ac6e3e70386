/*
 * test_nmr_profiles.c - what NMR may do in profiles STRICT and CHAOS, and nowhere else.
 *
 * Each option of profile.c is taken once and shows; in the other profiles the same answer is not even asked for.
 */
#include "test_nmr_lab.h"

static struct party *p, *c;

static void pair_up(void)
{
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
}

static void come_and_go(void *script)
{
    (void)script;
    pair_up();
    while (!c->attached)                    /* ND-2: the offer may come later */
        sched_give_way(SITE_OP_NEXT);
    lab_close(p);
    lab_close(c);
}

/* The thread of the first event of that kind, with that answer taken in that profile. */
static unsigned thread_of(enum nmr_profile profile, unsigned site, unsigned value, uint16_t kind)
{
    struct event e;

    lab_profile = profile;
    lab_pass_with(come_and_go, CHOICE_SYSTEM, site, value);
    lab_profile = PROFILE_WINDOWS;
    assert_int_equal(lab_events(kind, &e), 1);
    return e.thread;
}

static void nd2_offers_on_another_thread(void **state)
{
    enum { CALLER, WORKER, LATER };

    (void)state;
    assert_int_equal(thread_of(PROFILE_CHAOS, SITE_ND_ATTACH_THREAD, WORKER, EV_ENTER + FRAME_CLIENT_ATTACH),
                     FIRST_WORKER);
    assert_true(strncmp(lab_log, "C1.attach", 9) == 0);
    assert_int_equal(thread_of(PROFILE_CHAOS, SITE_ND_ATTACH_THREAD, LATER, EV_ENTER + FRAME_CLIENT_ATTACH),
                     FIRST_WORKER);
    assert_int_equal(thread_of(PROFILE_WINDOWS, SITE_ND_ATTACH_THREAD, WORKER, EV_ENTER + FRAME_CLIENT_ATTACH), 0);
    assert_int_equal(thread_of(PROFILE_STRICT, SITE_ND_ATTACH_THREAD, LATER, EV_ENTER + FRAME_CLIENT_ATTACH), 0);
}

static void nd8_detach_on_another_thread(void **state)
{
    (void)state;
    assert_int_equal(thread_of(PROFILE_CHAOS, SITE_ND_DETACH_THREAD, 1, EV_ENTER + FRAME_CLIENT_DETACH), FIRST_WORKER);
    assert_int_equal(thread_of(PROFILE_WINDOWS, SITE_ND_DETACH_THREAD, 1, EV_ENTER + FRAME_CLIENT_DETACH), 0);
    assert_int_equal(thread_of(PROFILE_STRICT, SITE_ND_DETACH_THREAD, 1, EV_ENTER + FRAME_CLIENT_DETACH), 0);
}

/* ---- ND-6: the second side is asked when the first one is through */

static bool second_waits;

static void pending_first(void *script)
{
    (void)script;
    pair_up();
    c->detach = STATUS_PENDING;
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(c->detaches == 1);
    second_waits = p->detaches == 0;
    lab_complete(c, c->last_binding);
    EXPECT(p->detaches == 1);
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    lab_close(c);
}

static void nd6_second_detach_waits_for_the_first(void **state)
{
    (void)state;
    for (lab_profile = 0; lab_profile < PROFILES; lab_profile++) {
        lab_pass_with(pending_first, CHOICE_SYSTEM, SITE_ND_DETACH_SECOND, 1);
        assert_int_equal(second_waits, lab_profile == PROFILE_CHAOS);
        lab_pass(pending_first);
        assert_false(second_waits);
    }
    lab_profile = PROFILE_WINDOWS;
}

/* ---- ND-9b: a completion before the detach callback */

static NTSTATUS waited;

static void complete_early(void *script)
{
    (void)script;
    pair_up();
    p->detach = STATUS_PENDING;
    lab_complete(p, p->last_binding);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(p->cleanups == (lab_profile == PROFILE_STRICT ? 0u : 1u));
    if (lab_profile == PROFILE_STRICT)
        lab_complete(p, p->last_binding);
    waited = lab_wait(p);
    lab_close(c);
}

static void nd9b_an_early_completion_is_dropped_or_kept(void **state)
{
    (void)state;
    for (lab_profile = 0; lab_profile < PROFILES; lab_profile++) {
        lab_run(complete_early);
        assert_string_equal(lab_failure, "");
        assert_int_equal(waited, STATUS_SUCCESS);
    }
    lab_profile = PROFILE_WINDOWS;
}

/* ---- ND-11: nothing to do */

static NTSTATUS deregistered;

static void alone(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    EXPECT(lab_register(p) == STATUS_SUCCESS);
    deregistered = lab_deregister(p);
    if (deregistered == STATUS_PENDING)
        EXPECT(lab_wait(p) == STATUS_SUCCESS);
}

static void nd11_a_deregistration_with_nothing_to_do(void **state)
{
    (void)state;
    for (lab_profile = 0; lab_profile < PROFILES; lab_profile++) {
        lab_run_with(alone, CHOICE_SYSTEM, SITE_ND_DEREGISTER_STATUS, 1);
        assert_string_equal(lab_failure, "");
        assert_int_equal(deregistered, lab_profile == PROFILE_CHAOS ? STATUS_SUCCESS : STATUS_PENDING);
    }
    lab_profile = PROFILE_WINDOWS;
}

/* ---- ND-20: a success code that is not STATUS_SUCCESS */

static void odd_success(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    p->attach = 1;
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
    EXPECT(c->nmr_said == 1);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(p->detaches == (lab_profile == PROFILE_STRICT ? 0u : 1u));
}

static void nd20_an_odd_success_attaches_but_in_strict(void **state)
{
    struct event e;

    (void)state;
    for (lab_profile = 0; lab_profile < PROFILES; lab_profile++) {
        unsigned detaches = lab_profile == PROFILE_STRICT ? 0 : 1;

        lab_run(odd_success);
        assert_int_equal(lab_events(EV_ENTER + FRAME_PROVIDER_DETACH, &e), detaches);
    }
    lab_profile = PROFILE_WINDOWS;
}

/* ---- ND-22: the client fails after it had attached */

static void failing_client(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    c->lies = true;
    c->lie = STATUS_NOINTERFACE;
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
}

static void nd22_cleanup_of_a_client_that_gave_up(void **state)
{
    struct event e;

    (void)state;
    for (lab_profile = 0; lab_profile < PROFILES; lab_profile++) {
        unsigned cleanups = lab_profile == PROFILE_CHAOS ? 1 : 0;

        lab_run_with(failing_client, CHOICE_SYSTEM, SITE_ND_FAILED_CLEANUP, 1);
        assert_int_equal(lab_events(EV_ENTER + FRAME_CLIENT_CLEANUP, &e), cleanups);
        assert_int_equal(lab_events(EV_ENTER + FRAME_PROVIDER_CLEANUP, &e), 1);
    }
    lab_profile = PROFILE_WINDOWS;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nd2_offers_on_another_thread),
        cmocka_unit_test(nd6_second_detach_waits_for_the_first),
        cmocka_unit_test(nd8_detach_on_another_thread),
        cmocka_unit_test(nd9b_an_early_completion_is_dropped_or_kept),
        cmocka_unit_test(nd11_a_deregistration_with_nothing_to_do),
        cmocka_unit_test(nd20_an_odd_success_attaches_but_in_strict),
        cmocka_unit_test(nd22_cleanup_of_a_client_that_gave_up),
    };

    lab_select(argc, argv);
    return cmocka_run_group_tests_name("nmr profiles", tests, NULL, NULL);
}
