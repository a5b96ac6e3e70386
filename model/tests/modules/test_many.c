/*
 * test_many.c - a driver with more faces than there are counterparts.
 *
 * Guards: all are found; the plain run attaches to each; each setup comes for each group of faces, with a name of its
 * own; the module is found correct.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "execution.h"
#include "explore.h"
#include "tests/test_faults.h"
#include "world.h"

enum { FACES = 5 };

static unsigned attached;                   /* bit (1u << registration) */

static void on_binding(const struct event *e)
{
    attached |= 1u << (e->value & 31);
}

static void test_all_are_met(void **state)
{
    static const struct scenario nothing;
    const struct program *p = world_program(module_find("many"));
    unsigned count;

    (void)state;
    faults_take();
    (void)world_faces(&count);
    assert_int_equal(count, FACES);
    event_add_judge_of(EV_BINDING_OFFERED, on_binding);
    attached = 0;
    assert_int_equal(execution_replay(p, &nothing).verdict, VERDICT_PASS);
    assert_int_equal(__builtin_popcount(attached), FACES);
}

static void test_setups_for_each_group(void **state)
{
    const struct program *p = world_program(module_find("many"));
    struct explore_options o = {.preemptions_max = 1, .deviations_max = 1, .executions_max = 1000};
    unsigned again = 0;

    (void)state;
    faults_take();
    for (unsigned k = 0; k < setup_count(); k++) {
        struct scenario script = {0};

        for (unsigned other = 0; other < k; other++)
            assert_string_not_equal(setups[other].name, setups[k].name);
        setup_script(&setups[k], &script);
        if (strcmp(setups[k].name, "two-counterparts-2") == 0) {
            attached = 0;
            assert_int_equal(execution_replay(p, &script).verdict, VERDICT_PASS);
            again += attached == (1u << 3 | 1u << 4);
        }
        assert_int_equal(explore_dfs(p, &script, &o).verdicts[VERDICT_FINDING], 0);
    }
    assert_int_equal(again, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_met), cmocka_unit_test(test_setups_for_each_group)};

    faults_keep();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
