/*
 * test_world_bare.c - modules of whose NPI nobody knows anything: what DriverEntry registers is seen, counterparts
 * attach and detach, and correct modules are found correct.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "execution.h"
#include "explore.h"
#include "rules/rules.h"
#include "sites.h"
#include "test_faults.h"
#include "world.h"

enum { DFS_EXECUTIONS_MAX = 3000, RANDOM_EXECUTIONS = 3000, MODULES_MAX = 512 };

static unsigned attached;
static uint64_t assertions;

static bool print_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context;
    if (o->verdict != VERDICT_FINDING)
        return true;
    if (o->finding.rule == rule_find("KRN-8")) {     /* about what a function answered, which nobody knows: 0 */
        assertions++;
        return true;
    }
    print_message("%s: rule %u: %s\n", world_module()->image.name, o->finding.rule, o->finding.detail);
    scenario_print(s, &model_words, world_module()->image.name, "a correct module", stderr);
    return false;
}

static void on_attached(const struct event *e)
{
    attached += e->value == BINDING_ATTACHED;
}

/* The module without its description. */
static const struct program *bare_program(const struct module *m, struct module *bare)
{
    *bare = *m;
    bare->npis = NULL;
    bare->roles = 0;
    return world_program(bare);
}

static bool is_correct(const struct module *m)
{
    return !m->parent && strcmp(m->image.name, "page_literal") != 0;
}

static void test_no_false_alarm(void **state)
{
    uint64_t found = 0;

    (void)state;
    faults_take();
    event_add_judge_of(EV_BINDING_STATE, on_attached);
    assert_true(module_count <= MODULES_MAX);
    for (unsigned i = 0; i < module_count; i++) {
        static struct module bare[MODULES_MAX];
        const struct program *p = bare_program(modules[i], &bare[i]);
        struct explore_options o = {.preemptions_max = 1, .deviations_max = 1, .executions_max = DFS_EXECUTIONS_MAX,
                                    .on_outcome = print_outcome};

        for (unsigned k = 0; is_correct(modules[i]) && k < setup_count(); k++) {
            struct scenario script = {0};

            setup_script(&setups[k], &script);
            found += explore_dfs(p, &script, &o).verdicts[VERDICT_FINDING];
        }
        if (is_correct(modules[i]))
            found += explore_random(p, NULL, 1, 0, RANDOM_EXECUTIONS, &o).verdicts[VERDICT_FINDING];
    }
    assert_int_equal(found, assertions);
    assert_true(attached > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_false_alarm)};

    faults_keep();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
