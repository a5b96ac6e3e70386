/*
 * test_races.c - data races that were put in are found, all of them and no others.
 *
 * Guards: of each pair in races.c every exploration of the racy one reports RACE-1, or the use of freed memory that it
 * leads to, and no exploration of its twin reports anything; most races show in the very first execution, whatever its
 * interleaving.
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

enum { PAIRS_MIN = 30, PREEMPTIONS = 2, EXECUTIONS_MAX = 20000 };

static unsigned races, others;

static bool note(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context;
    if (o->verdict != VERDICT_FINDING) {
        others++;
    } else if (o->finding.rule == RULE_RACE_1) {
        races++;
    } else if (o->finding.rule != RULE_MEM_1) {
        print_message("%s: %s\n", rule_table[o->finding.rule].name, o->finding.detail);
        scenario_print(s, &model_words, "races", NULL, stderr);
        others++;
    }
    return true;
}

/* Two threads in this entry, all interleavings. */
static struct explore_result explore_entry(unsigned entry, bool keep_going)
{
    struct explore_options o = {.preemptions_max = PREEMPTIONS, .executions_max = EXECUTIONS_MAX,
                                .keep_going = keep_going, .on_outcome = note};
    struct scenario script = {0};

    races = others = 0;
    for (unsigned thread = 0; thread < 2; thread++)
        scenario_add(&script, (struct record){.kind = CHOICE_OP, .thread = (uint8_t)(1 + thread), .site = SITE_OP_ENTER,
                                              .nth = (uint16_t)thread, .value = (uint16_t)entry});
    return explore_dfs(world_program(module_find("races")), &script, &o);
}

static bool is_racy(const char *name)
{
    return strncmp(name, "Racy", 4) == 0;
}

static void test_every_racy_one_has_a_twin(void **state)
{
    const struct module *m = module_find("races");

    (void)state;
    assert_true(m->entry_count >= 2 * PAIRS_MIN);
    assert_int_equal(m->entry_count % 2, 0);
    for (unsigned i = 0; i < m->entry_count; i += 2) {
        assert_true(is_racy(m->entries[i].name));
        assert_string_equal(m->entries[i + 1].name + strlen("Ordered"), m->entries[i].name + strlen("Racy"));
    }
}

static void test_racy_ones_are_reported(void **state)
{
    const struct module *m = module_find("races");
    unsigned found = 0, at_once = 0;

    (void)state;
    for (unsigned i = 0; i < m->entry_count; i += 2) {
        struct explore_result r = explore_entry(i, false);

        at_once += r.executions == 1;
        found += races > 0;
        if (!races || others)
            print_message("%s: no race, or something else, in %llu executions\n", m->entries[i].name,
                          (unsigned long long)r.executions);
    }
    print_message("%u of %u races reported, %u in the first execution\n", found, m->entry_count / 2, at_once);
    assert_int_equal(found, m->entry_count / 2);
}

static void test_twins_are_clean(void **state)
{
    const struct module *m = module_find("races");

    (void)state;
    for (unsigned i = 1; i < m->entry_count; i += 2) {
        struct explore_result r = explore_entry(i, true);

        if (r.end != EXPLORE_COMPLETE || r.verdicts[VERDICT_PASS] != r.executions)
            fail_msg("%s: %llu of %llu executions pass, end %d", m->entries[i].name,
                     (unsigned long long)r.verdicts[VERDICT_PASS], (unsigned long long)r.executions, (int)r.end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_racy_one_has_a_twin),
        cmocka_unit_test(test_racy_ones_are_reported),
        cmocka_unit_test(test_twins_are_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
