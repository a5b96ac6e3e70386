/*
 * test_sample.c - strategies that sample: execution number N is always the same one, none leaves out an interleaving,
 * and each draws them as its paper says.
 *
 * Seeds are fixed, so nothing here is left to chance: a number is within its bounds always, or never.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "explore.h"
#include "programs/programs.h"
#include "strategy.h"

/* ---- a toy: threads of writes, which note the order of those to object SHARED */

enum { OP = 1, STEP, FAIL };
static const struct site sites[] = {
    {"end", 1u << CHOICE_SWITCH, NULL}, {"op", 1u << CHOICE_OP, NULL}, {"step", 1u << CHOICE_SWITCH, NULL},
    {"fail", 1u << CHOICE_FAULT, (const char *const[]){"ok", "fail", NULL}}};
static const struct vocabulary words = {
    .sites = sites, .site_count = 4, .kind_names = {"op", "peer", "switch", "fault", "system"},
    .driving_prefix = "t", .driving_count = 4, .worker_prefix = "w", .peer_prefix = "c", .peer_count = 3};

enum { SHARED = 0, OTHER = 14, SPAWN = 15, ORDERS = 1 << 17, ENOUGH = 20000 };

/* Objects that each thread writes, as hexadecimal digits; SPAWN makes thread 3. */
static const char *bodies[4];
static bool note_all;                       /* the order of all writes, not only those to SHARED */
static unsigned order;                      /* two bits for each write, whose it was; from a leading 1 */
static unsigned orders[ORDERS];             /* how often each came up */

static void body(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;

    for (const char *c = bodies[self]; *c; c++) {
        unsigned object = (unsigned)(*c <= '9' ? *c - '0' : *c - 'a' + 10);

        if (c != bodies[self])
            sched_point(STEP);
        if (object == SPAWN) {
            sched_spawn(1, body, (void *)(uintptr_t)3);
            continue;
        }
        sched_touch(object, TOUCH_WRITE);
        if (object == SHARED || note_all)
            order = order << 2 | self;
    }
}

static void toy_main(void *script)
{
    (void)script;
    order = 1;
    sched_touch(OTHER, TOUCH_WRITE);
    sched_spawn(1, body, (void *)(uintptr_t)1);
    sched_spawn(1, body, (void *)(uintptr_t)2);
}

static const struct program toy = {.name = "toy", .words = &words, .main = toy_main};
static const struct scenario no_script;

static struct sampler sampler;

static struct outcome sample(uint64_t index)
{
    const struct scenario *script;
    struct strategy s = sampler_strategy(&sampler, index, &script);
    struct outcome o = execution_run(sampler.program, script, &s);

    sampler_end(&sampler);
    return o;
}

/* Run so many, without pilots; returns how many orders came up. */
static unsigned count_orders(enum sampling sampling, unsigned depth, unsigned executions)
{
    unsigned different = 0;

    memset(orders, 0, sizeof orders);
    sampler_begin(&sampler, &toy, &no_script, sampling, depth, 1);
    for (uint64_t i = 0; executions > 0; i++) {
        struct outcome o = sample(i);

        assert_int_equal(o.verdict, VERDICT_PASS);
        assert_true(order < ORDERS);
        if (sampling != SAMPLE_RANDOM && sampler.ran == SAMPLE_RANDOM)
            continue;
        different += orders[order]++ == 0;
        executions--;
        if (sampling == SAMPLE_PCT && depth == 1)
            assert_int_equal(o.preemptions, 0);
    }
    return different;
}

static void test_all_interleavings(void **state)
{
    (void)state;
    bodies[1] = bodies[2] = "00";
    for (unsigned s = 0; s < SAMPLINGS; s++)
        assert_int_equal(count_orders((enum sampling)s, 3, 2000), 6);
    note_all = true;                        /* 4 of 4 + 4; pct would take a depth of 7 */
    bodies[1] = bodies[2] = "0123";
    assert_int_equal(count_orders(SAMPLE_POS, 1, ENOUGH), 70);
    assert_int_equal(count_orders(SAMPLE_SURW, 1, ENOUGH), 70);
    note_all = false;
}

/* What pilots tell.  What thread 0 does before others run is not looked at, and the release of a lock is no step. */
static void test_profile(void **state)
{
    const struct profile *p = &sampler.profile;

    (void)state;
    bodies[1] = "001";
    bodies[2] = "03";
    count_orders(SAMPLE_POS, 1, 1);
    assert_int_equal(p->threads, 3);
    assert_int_equal(p->length, 5);         /* the only step of thread 0 began alone */
    assert_int_equal(p->step_count, 5);
    assert_int_equal(p->object_count, 3);
    assert_int_equal(profile_shared_count(p), 1);
    assert_int_equal(profile_shared(p, 0)->steps[1], 2);
    assert_int_equal(profile_shared(p, 0)->steps[2], 1);

    sampler_begin(&sampler, attach_detach((struct attach_detach){.callers = 1, .calls = 1}), &no_script, SAMPLE_POS,
                  1, 1);
    for (unsigned i = 0; i < 11; i++)
        sample(i);
    for (unsigned i = 0; i < profile_shared_count(p); i++) {
        const struct profile_object *o = profile_shared(p, i);

        if (o->steps[1] > 0)                /* thread 1, which attaches, only takes the lock of the table */
            for (unsigned t = 1; t <= 3; t++)
                assert_int_equal(o->steps[t], 1);
    }
}

/* With no change of priorities one thread runs before the other; each change allows one more turn. */
static void test_pct_depth(void **state)
{
    static const unsigned expected[] = {2, 4, 6};

    (void)state;
    bodies[1] = bodies[2] = "00";
    for (unsigned depth = 1; depth <= 3; depth++)
        assert_int_equal(count_orders(SAMPLE_PCT, depth, 2000), expected[depth - 1]);
}

static void test_pct_bound(void **state)
{
    struct explore_options o = {.keep_going = true};
    struct explore_samples samples = {SAMPLE_PCT, 3, 1, 0, 10000};
    struct sampler_pct pct;

    (void)state;
    for (unsigned i = 0; i < ATTACH_DETACH_NOISES; i++) {
        const struct program *p = attach_detach(attach_detach_noises[i]);
        struct explore_result r = explore_sample(p, &no_script, &samples, &o, &pct);

        assert_int_equal(pct.threads, 3 + attach_detach_noises[i].callers);
        assert_true(pct.bound == 1.0 / pct.threads / pct.length / pct.length);
        assert_true((double)r.verdicts[VERDICT_FINDING] >= pct.bound * (double)samples.count);
    }
}

static unsigned permille(unsigned of_order)
{
    return orders[of_order] * 1000 / ENOUGH;
}

/* The order in which thread 2's only write of SHARED is the last, after `writes` ones of thread 1. */
static unsigned order_last(unsigned writes)
{
    unsigned last = 1;

    while (writes-- > 0)
        last = last << 2 | 1;
    return last << 2 | 2;
}

/* A step that waits keeps its priority p while others do what does not concern it, so they all go first with a
 * probability of the integral of p^n; where each of them concerns it, 1 / 2^n. */
static void test_pos(void **state)
{
    (void)state;
    bodies[2] = "0";
    bodies[1] = "1110";
    count_orders(SAMPLE_POS, 1, ENOUGH);
    assert_in_range(permille(order_last(1)), 190, 210);         /* 1 / 5; random: 16 in 81 */
    bodies[1] = "000";
    count_orders(SAMPLE_POS, 1, ENOUGH);
    assert_in_range(permille(order_last(3)), 115, 135);         /* 1 / 8; with priorities kept, 1 / 4 */
}

static void test_surw(void **state)
{
    (void)state;
    bodies[1] = "1110110";
    bodies[2] = "00020";
    assert_int_equal(count_orders(SAMPLE_SURW, 1, ENOUGH), 15); /* 6 of 2 + 4 */
    for (unsigned i = 0; i < ORDERS; i++)
        if (orders[i] > 0)
            assert_in_range(permille(i), 57, 76);               /* 1 / 15 */
}

/* A thread that is not there yet counts with the one that makes it. */
static void test_surw_counts_unborn(void **state)
{
    (void)state;
    bodies[1] = "01f10";
    bodies[2] = "00";
    bodies[3] = "0";
    assert_int_equal(count_orders(SAMPLE_SURW, 1, ENOUGH), 20);
    for (unsigned i = 0; i < ORDERS; i++)
        if (orders[i] > 0)
            assert_in_range(permille(i), 42, 58);               /* 1 / 20 */
}

/* ---- the same number is the same execution */

static const struct scenario *script_of_toy;

static void scripted_body(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;

    for (unsigned i = 0; i < script_of_toy->count; i++) {
        const struct record *r = &script_of_toy->records[i];

        if (r->thread != self)
            continue;
        sched_point(STEP);
        sched_touch(r->nth, r->value % 2 ? TOUCH_WRITE : TOUCH_READ);
        event_emit(1, i, choice_ask(CHOICE_FAULT, self, FAIL, 2), 0, 0, 0, NULL);
    }
}

static void scripted_main(void *script)
{
    script_of_toy = script;
    for (unsigned t = 1; t < 4; t++)
        sched_spawn(1, scripted_body, (void *)(uintptr_t)t);
}

static const struct program scripted = {.name = "toy", .words = &words, .main = scripted_main};

static void test_number_is_execution(void **state)
{
    enum { COUNT = 1100 };
    static uint64_t hashes[COUNT];
    static const uint64_t alone[] = {0, 3, 4, 9, 10, 17, 31, 500, 1023, 1024, 1030, 1099};
    static struct scenario fixed;

    (void)state;
    sample_script(&words, 1, 1, &fixed);
    for (unsigned s = 0; s < SAMPLINGS * 2; s++) {
        const struct scenario *script = s % 2 ? &fixed : NULL;
        unsigned different = 0;

        sampler_begin(&sampler, &scripted, script, (enum sampling)(s / 2), 3, 7);
        for (unsigned i = 0; i < COUNT; i++)
            hashes[i] = sample(i).hash;
        for (unsigned i = 0; i < sizeof alone / sizeof *alone; i++) {
            sampler_begin(&sampler, &scripted, script, (enum sampling)(s / 2), 3, 7);
            assert_true(sample(alone[i]).hash == hashes[alone[i]]);
        }
        sampler_begin(&sampler, &scripted, script, (enum sampling)(s / 2), 3, 8);
        for (unsigned i = 0; i < COUNT; i++)
            different += sample(i).hash != hashes[i];
        assert_true(different > COUNT / 2);
    }
}

static void test_faults_are_drawn(void **state)
{
    struct explore_options o = {.keep_going = true};

    (void)state;
    for (unsigned s = 0; s < SAMPLINGS; s++) {
        struct explore_samples samples = {(enum sampling)s, 3, 1, 0, 10000};
        struct explore_result r = explore_sample(&scripted, NULL, &samples, &o, NULL);

        assert_in_range(r.deviated[CHOICE_FAULT], 1000, 3000);
    }
}

/* ---- threads that wait by looking again and again */

static bool ready;

static void spinner(void *argument)
{
    (void)argument;
    while (!ready)
        sched_give_way(STEP);
}

static void setter(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 20; i++)
        sched_point(STEP);
    ready = true;
}

static void spinning_main(void *script)
{
    (void)script;
    ready = false;
    sched_spawn(1, spinner, NULL);
    sched_spawn(1, spinner, NULL);
    sched_spawn(1, setter, NULL);
}

static void test_spinning_ends(void **state)
{
    static const struct program spinning = {.name = "toy", .words = &words, .main = spinning_main};

    (void)state;
    for (unsigned s = 0; s < SAMPLINGS; s++) {
        struct explore_options o = {.keep_going = true};
        struct explore_samples samples = {(enum sampling)s, 3, 1, 0, 1000};
        struct explore_result r = explore_sample(&spinning, &no_script, &samples, &o, NULL);

        assert_int_equal(r.verdicts[VERDICT_PASS], r.executions);
    }
}

/* ---- the use after free that each plain strategy has trouble with in another way */

static void test_first_bug(void **state)
{
    enum { RUNS = 500 };

    (void)state;
    for (unsigned i = 0; i < ATTACH_DETACH_NOISES; i++) {
        const struct program *p = attach_detach(attach_detach_noises[i]);
        struct explore_options o = {.executions_max = 100000};
        uint64_t sum = 0;

        for (unsigned seed = 1; seed <= RUNS; seed++) {
            struct explore_samples samples = {SAMPLE_PORTFOLIO, 3, seed, 0, UINT32_MAX};
            struct explore_result r = explore_sample(p, &no_script, &samples, &o, NULL);

            assert_int_equal(r.end, EXPLORE_FINDING);
            sum += r.executions;
        }
        if (sum > 70 * RUNS)
            fail_msg("noise %u: %.1f executions to the first finding", i, (double)sum / (double)RUNS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_interleavings),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_pct_depth),
        cmocka_unit_test(test_pct_bound),
        cmocka_unit_test(test_pos),
        cmocka_unit_test(test_surw),
        cmocka_unit_test(test_surw_counts_unborn),
        cmocka_unit_test(test_number_is_execution),
        cmocka_unit_test(test_faults_are_drawn),
        cmocka_unit_test(test_spinning_ends),
        cmocka_unit_test(test_first_bug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
