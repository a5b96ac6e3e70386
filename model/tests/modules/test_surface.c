/*
 * test_surface.c - a driver that uses everything that real network modules use (surface.c).
 *
 * Guards: it compiles as it is, links against the simulated kernel, runs from load to unload, gets by when any
 * one of its calls fails, and gives no finding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "execution.h"
#include "explore.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_there),
        cmocka_unit_test(test_every_failure_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
