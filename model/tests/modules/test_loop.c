/*
 * test_loop.c - a module that is provider and client of one NPI is bound to itself (ND-29).
 *
 * Guards: the pair is offered and attached like any other, with nobody else there; both of its sides are detached and
 * cleaned up once; and judges that see two sides of the module in one binding blame neither.
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

enum { RANDOM_EXECUTIONS = 20000, DFS_EXECUTIONS_MAX = 4000 };

static unsigned count_events(unsigned kind, int64_t value)
{
    unsigned count, found = 0;
    const struct event *log = event_log(&count);

    for (unsigned i = 0; i < count; i++)
        found += log[i].kind == kind && (value < 0 || log[i].value == value);
    return found;
}

static void test_bound_to_itself(void **state)
{
    struct scenario script = {0};

    (void)state;
    scenario_add(&script, (struct record){CHOICE_OP, 1, SITE_OP_UNLOAD, 0, 0, 0});
    assert_int_equal(execution_replay(world_program(module_find("loop")), &script).verdict, VERDICT_PASS);
    assert_int_equal(count_events(EV_BINDING_OFFERED, -1), 1);
    assert_int_equal(count_events(EV_BINDING_STATE, BINDING_ATTACHED), 1);
    assert_int_equal(count_events(EV_ENTER + FRAME_CLIENT_DETACH, -1), 1);
    assert_int_equal(count_events(EV_ENTER + FRAME_PROVIDER_DETACH, -1), 1);
    assert_int_equal(count_events(EV_ENTER + FRAME_CLIENT_CLEANUP, -1), 1);
    assert_int_equal(count_events(EV_ENTER + FRAME_PROVIDER_CLEANUP, -1), 1);
    assert_int_equal(count_events(EV_REGISTRATION_STATE, REGISTRATION_CLOSED), 2);
}

static bool print_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context;
    if (o->verdict == VERDICT_OUTSIDE)
        return true;
    print_message("%s: %s\n", verdict_name(o->verdict), o->finding.detail);
    scenario_print(s, &model_words, "loop", "a correct module", stderr);
    return false;
}

static void test_correct_in_all_setups(void **state)
{
    const struct module *m = module_find("loop");
    struct explore_options o = {.preemptions_max = 1, .deviations_max = 1, .executions_max = DFS_EXECUTIONS_MAX,
                                .on_outcome = print_outcome};

    (void)state;
    (void)world_program(m);
    for (unsigned k = 0; k < setup_count(); k++) {
        struct scenario script = {0};
        struct explore_result r;

        setup_script(&setups[k], &script);
        r = explore_dfs(world_program(m), &script, &o);
        assert_true(r.executions > 100);
        assert_int_equal(r.verdicts[VERDICT_FINDING], 0);
    }
}

static void test_correct_at_random(void **state)
{
    struct explore_options o = {.on_outcome = print_outcome};
    struct explore_result r;

    (void)state;
    r = explore_random(world_program(module_find("loop")), NULL, 1, 0, RANDOM_EXECUTIONS, &o);
    assert_int_equal(r.executions, RANDOM_EXECUTIONS);
    assert_int_equal(r.verdicts[VERDICT_FINDING], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_to_itself),
        cmocka_unit_test(test_correct_in_all_setups),
        cmocka_unit_test(test_correct_at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
