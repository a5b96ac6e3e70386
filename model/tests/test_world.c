/*
 * test_world.c - correct modules are found correct, in every world that the setups and random scripts make.
 *
 * Guards: the plain run of each example passes and repeats itself; operations that make no sense do nothing;
 * clients can be there before the module; no interleaving of a setup with one preemption, no single deviation and
 * no random script makes a correct module look wrong.  What is reported here is a mistake of ours: in a module, a
 * judge, the mock or the simulated client.
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
#include "sites.h"
#include "test_faults.h"
#include "world.h"

enum { RANDOM_EXECUTIONS = 1500, DFS_EXECUTIONS_MAX = 4000 };

/* page_literal is wrong on purpose; mutants have a parent. */
static bool is_correct(const struct module *m)
{
    return !m->parent && strcmp(m->image.name, "page_literal") != 0;
}

static bool print_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    const struct module *m = world_module();

    (void)context;
    if (o->verdict == VERDICT_OUTSIDE)
        return true;
    print_message("%s: %s: %s\n", m->image.name, verdict_name(o->verdict), o->finding.detail);
    scenario_print(s, &model_words, m->image.name, "a correct module", stderr);
    return false;
}

static struct explore_options options(unsigned preemptions, unsigned deviations, uint64_t executions)
{
    return (struct explore_options){.preemptions_max = preemptions, .deviations_max = deviations,
                                    .executions_max = executions, .on_outcome = print_outcome};
}

static void test_plain_run_passes_and_repeats(void **state)
{
    static const struct scenario nothing;

    (void)state;
    faults_take();
    for (unsigned i = 0; i < module_count; i++) {
        const struct program *p = world_program(modules[i]);
        struct outcome first, second;

        if (!is_correct(modules[i]))
            continue;
        first = execution_replay(p, &nothing);
        second = execution_replay(p, &nothing);
        if (first.verdict != VERDICT_PASS)
            print_outcome(NULL, &first, &nothing);
        assert_int_equal(first.verdict, VERDICT_PASS);
        assert_true(first.hash == second.hash);
        assert_true(first.events > 10);
    }
}

static void test_senseless_operations_do_nothing(void **state)
{
    static const struct record ops[] = {
        {CHOICE_OP, 1, SITE_OP_DEREGISTER, 0, 2, 0}, {CHOICE_OP, 1, SITE_OP_CALL, 0, 1, 999},
        {CHOICE_OP, 1, SITE_OP_REGISTER, 0, 0, 0},   {CHOICE_OP, 1, SITE_OP_REGISTER, 0, 0, 0},
        {CHOICE_OP, 1, SITE_OP_UNLOAD, 0, 0, 0},            {CHOICE_OP, 1, SITE_OP_CALL, 0, 0, 1},
        {CHOICE_OP, 1, SITE_OP_UNLOAD, 0, 0, 0},            {CHOICE_OP, 1, SITE_OP_REGISTER, 0, 1, 0}};
    struct scenario script = {0};

    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        scenario_add(&script, ops[i]);
    for (unsigned i = 0; i < module_count; i++)
        if (is_correct(modules[i]))
            assert_int_equal(execution_replay(world_program(modules[i]), &script).verdict, VERDICT_PASS);
}

/* Position of the first event of this kind in the last execution's log; all events there are when there is none. */
static unsigned first_event(unsigned kind)
{
    unsigned count, i = 0;
    const struct event *log = event_log(&count);

    while (i < count && log[i].kind != kind)
        i++;
    return i;
}

static void test_clients_can_be_there_first(void **state)
{
    struct scenario script = {0};

    (void)state;
    faults_take();
    scenario_add(&script, (struct record){CHOICE_OP, 3, SITE_OP_REGISTER_EARLY, 0, 1, 0});
    scenario_add(&script, (struct record){CHOICE_OP, 3, SITE_OP_CALL, 0, 1, 0});
    assert_int_equal(execution_replay(world_program(module_find("exnpi_immediate")), &script).verdict, VERDICT_PASS);
    assert_true(first_event(EV_ENTER + FRAME_CLIENT_ATTACH) < first_event(EV_IMAGE_LOADED));
    assert_true(first_event(EV_IMAGE_LOADED) < first_event(EV_ENTER + FRAME_CALL));
    assert_true(first_event(EV_ENTER + FRAME_CALL) < first_event(EV_IMAGE_GONE));
}

static void explore_setups(unsigned preemptions, unsigned deviations)
{
    for (unsigned i = 0; i < module_count; i++) {
        const struct program *p = world_program(modules[i]);

        for (unsigned k = 0; k < setup_count() && is_correct(modules[i]); k++) {
            struct scenario script = {0};
            struct explore_options o = options(preemptions, deviations, DFS_EXECUTIONS_MAX);
            struct explore_result r;

            setup_script(&setups[k], &script);
            r = explore_dfs(p, &script, &o);
            assert_true(r.executions > 0);
            assert_true(r.verdicts[VERDICT_PASS] + r.verdicts[VERDICT_OUTSIDE] == r.executions);
        }
    }
}

static void test_setups_with_one_preemption(void **state)
{
    (void)state;
    faults_take();
    explore_setups(1, 0);
}

static void test_setups_with_one_deviation(void **state)
{
    (void)state;
    faults_take();
    explore_setups(0, 1);
}

static void test_random_scripts(void **state)
{
    (void)state;
    faults_take();
    for (unsigned i = 0; i < module_count; i++) {
        struct explore_options o = options(0, 0, 0);
        struct explore_result r;

        if (!is_correct(modules[i]))
            continue;
        r = explore_random(world_program(modules[i]), NULL, 1, 0, RANDOM_EXECUTIONS, &o);
        assert_true(r.verdicts[VERDICT_FINDING] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_run_passes_and_repeats),
        cmocka_unit_test(test_senseless_operations_do_nothing),
        cmocka_unit_test(test_clients_can_be_there_first),
        cmocka_unit_test(test_setups_with_one_preemption),
        cmocka_unit_test(test_setups_with_one_deviation),
        cmocka_unit_test(test_random_scripts),
    };

    faults_keep();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
