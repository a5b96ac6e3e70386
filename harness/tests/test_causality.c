/*
 * test_causality.c - the shares of failing continuations are those that can be worked out by hand.
 *
 * Guards: each prefix is fixed and nothing beyond it; the rest is random, with strategy_random's chances; the decision
 * that multiplies the share most is named; the same seed gives the same numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "causality.h"
#include "finding.h"

enum { END, STEP, SITES, RUNS = 20000 };

static const struct site sites[SITES] = {
    [END] = {"end", 1u << CHOICE_SWITCH, NULL}, [STEP] = {"step", 1u << CHOICE_SWITCH, NULL}};
static const struct vocabulary words = {
    .sites = sites, .site_count = SITES, .kind_names = {"op", "peer", "switch", "fault", "system"},
    .driving_prefix = "t", .driving_count = 3, .worker_prefix = "w", .peer_prefix = "c", .end_site = END};

static bool window;

static void opener(void *argument)
{
    (void)argument;
    sched_point(STEP);
    window = true;
    sched_point(STEP);
    window = false;
}

static void looker(void *argument)
{
    (void)argument;
    if (!window)
        return;
    sched_point(STEP);
    sched_point(STEP);
    if (window)
        finding_raise(1, "looker", "the window was open");
}

static void program_main(void *script)
{
    (void)script;
    window = false;
    sched_spawn(1, opener, NULL);
    sched_spawn(1, looker, NULL);
}

static const struct program program = {.name = "toy", .words = &words, .main = program_main};
/* t1 is left at its second step; that it runs first, and goes on at its first one, is dull. */
static const struct scenario failing = {1, {{CHOICE_SWITCH, 1, STEP, 0, 1, 2}}, 0};

static void assert_share(uint32_t failures, double share)
{
    double found = (double)failures / (double)RUNS;

    if (found < share - 0.015 || found > share + 0.015)
        fail_msg("%.4f of the continuations fail, expected %.4f", found, share);
}

static void test_shares(void **state)
{
    static struct causality c, again;

    (void)state;
    assert_true(causality_measure(&program, &failing, RUNS, 1, &c));
    assert_int_equal(c.count, 5);
    assert_share(c.failures, 4.0 / 81);                 /* t1 first (1/2), goes on (2/3), is left (1/3), … */
    assert_share(c.decisions[0].failures, 8.0 / 81);
    assert_share(c.decisions[1].failures, 4.0 / 27);
    assert_share(c.decisions[2].failures, 4.0 / 9);     /* … t2 goes on twice (2/3 each) */
    assert_share(c.decisions[3].failures, 2.0 / 3);
    assert_int_equal(c.decisions[4].failures, RUNS);
    assert_int_equal(c.guilty, 2);                      /* not the last one, though that adds most */
    assert_int_equal(c.decisions[2].record.value, 2);
    assert_false(c.decisions[2].dull);
    assert_true(c.decisions[0].forced && c.decisions[0].dull);
    assert_true(causality_measure(&program, &failing, RUNS, 1, &again));
    assert_memory_equal(&c, &again, sizeof c);
}

static void test_without_a_finding(void **state)
{
    static struct causality c;
    static const struct scenario dull;

    (void)state;
    assert_false(causality_measure(&program, &dull, RUNS, 1, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_without_a_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
