/*
 * test_surface.c - a driver that uses everything that real network modules use (surface.c), one with what other drivers
 * have, too (everyday.c), and one that does not return as it was called (unbalanced.c).
 *
 * Guards: it compiles as it is, links against the simulated kernel, runs from load to unload, gets by when any
 * one of its calls fails, and gives no finding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "execution.h"
#include "explore.h"
#include "rules/rules.h"
#include "sites.h"
#include "world.h"

static bool print_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context;
    print_message("%s: %s\n", verdict_name(o->verdict), o->finding.detail);
    scenario_print(s, &model_words, "surface", NULL, stderr);
    return false;
}

static void test_everything_is_there(void **state)
{
    static const struct scenario nothing;
    struct outcome first, second;
    const struct program *p;

    (void)state;
    p = world_program(module_find("surface"));
    first = execution_replay(p, &nothing);
    second = execution_replay(p, &nothing);
    if (first.verdict != VERDICT_PASS)
        print_outcome(NULL, &first, &nothing);
    assert_int_equal(first.verdict, VERDICT_PASS);
    assert_true(first.hash == second.hash);
}

static void test_every_failure_is_survived(void **state)
{
    static const struct scenario nothing;
    struct explore_options options = {.deviations_max = 1, .on_outcome = print_outcome};
    struct explore_result r;

    (void)state;
    r = explore_dfs(world_program(module_find("surface")), &nothing, &options);
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(r.verdicts[VERDICT_PASS], r.executions);
    assert_true(r.choices[CHOICE_FAULT] > 10);
}

/* Its assertions judge the C library's functions. */
static void test_everyday_things(void **state)
{
    static const struct scenario nothing;
    struct explore_options options = {.deviations_max = 1, .on_outcome = print_outcome};
    struct explore_result r;

    (void)state;
    r = explore_dfs(world_program(module_find("everyday")), &nothing, &options);
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(r.verdicts[VERDICT_PASS], r.executions);
    assert_true(r.choices[CHOICE_FAULT] > 1);
}

static void expect_unbalanced(const struct scenario *s, const char *where)
{
    struct outcome o = execution_replay(world_program(module_find("unbalanced")), s);

    assert_int_equal(o.verdict, VERDICT_FINDING);
    assert_string_equal(rule_table[o.finding.rule].name, "KRN-3");
    assert_non_null(strstr(o.finding.detail, where));
}

static void test_regions_must_balance(void **state)
{
    static const struct scenario nothing;
    struct scenario low = {0};

    (void)state;
    assert_true(scenario_add(&low, (struct record){.kind = CHOICE_FAULT, .site = SITE_ALLOCATE, .value = 1}));
    expect_unbalanced(&nothing, frame_names[FRAME_WORK_ITEM]);
    expect_unbalanced(&low, frame_names[FRAME_DRIVER_ENTRY]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_there),
        cmocka_unit_test(test_every_failure_is_survived),
        cmocka_unit_test(test_everyday_things),
        cmocka_unit_test(test_regions_must_balance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
