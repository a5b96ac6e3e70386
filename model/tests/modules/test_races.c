/*
 * test_races.c - data races and lock-order inversions that were put in are found, all of them and no others.
 *
 * Guards: of each pair in races.c an exploration of the wrong one reports RACE-1 or KRN-11, and no exploration of its
 * twin reports anything; nearly all show in the very first execution, whatever its interleaving.  What a race leads to
 * is found when loads and stores are scheduling points, and not else; a replay of that is exact.
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

static enum rule expected;
static unsigned found, others;
static struct scenario last;                /* that showed what was expected, and its hash */
static uint64_t last_hash;

static bool note(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context;
    if (o->verdict == VERDICT_FINDING && o->finding.rule == expected) {
        found++;
        last = *s;
        last_hash = o->hash;
        return true;
    }
    print_message("%s: %s\n", verdict_name(o->verdict), o->finding.detail);
    scenario_print(s, &model_words, "races", NULL, stderr);
    others++;
    return true;
}

static unsigned entry_count(const struct module *m)
{
    unsigned count = 0;

    while (m->entries[count].name)
        count++;
    return count;
}

static unsigned find_entry(const char *name)
{
    const struct module *m = module_find("races");
    unsigned i = 0;

    while (strcmp(m->entries[i].name, name) != 0)
        i++;
    return i;
}

/* Two threads in this entry. */
static struct scenario script_of(unsigned entry)
{
    struct scenario script = {0};

    for (unsigned thread = 0; thread < 2; thread++)
        scenario_add(&script, (struct record){.kind = CHOICE_OP, .thread = (uint8_t)(1 + thread), .site = SITE_OP_ENTER,
                                              .nth = (uint16_t)thread, .value = (uint16_t)entry});
    return script;
}

/* All interleavings of them. */
static struct explore_result explore_entry(unsigned entry, bool keep_going, unsigned preemptions)
{
    struct explore_options o = {.preemptions_max = preemptions, .executions_max = EXECUTIONS_MAX,
                                .keep_going = keep_going, .on_outcome = note};
    struct scenario script = script_of(entry);

    found = others = 0;
    return explore_dfs(world_program(module_find("races")), &script, &o);
}

/* The rule that the entry breaks, and what follows in its name; RULE_NONE: none. */
static enum rule broken_by(const char *name, const char **rest)
{
    static const struct { const char *prefix; enum rule rule; } kinds[] = {
        {"Racy", RULE_RACE_1}, {"Inverted", RULE_KRN_11}, {"Ordered", RULE_NONE},
    };

    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        *rest = name + strlen(kinds[i].prefix);
        if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].rule;
    }
    fail_msg("%s: neither wrong nor right", name);
    return RULE_NONE;
}

static void test_every_wrong_one_has_a_twin(void **state)
{
    const struct module *m = module_find("races");

    (void)state;
    assert_true(entry_count(m) >= 2 * PAIRS_MIN);
    assert_int_equal(entry_count(m) % 2, 0);
    for (unsigned i = 0; i < entry_count(m); i += 2) {
        const char *wrong, *right;

        assert_true(broken_by(m->entries[i].name, &wrong) != RULE_NONE);
        assert_true(broken_by(m->entries[i + 1].name, &right) == RULE_NONE);
        assert_string_equal(wrong, right);
    }
}

static void test_wrong_ones_are_reported(void **state)
{
    const struct module *m = module_find("races");
    unsigned reported = 0, at_once = 0;

    (void)state;
    for (unsigned i = 0; i < entry_count(m); i += 2) {
        struct explore_result r;
        const char *rest;

        expected = broken_by(m->entries[i].name, &rest);
        r = explore_entry(i, false, PREEMPTIONS);
        at_once += r.executions == 1;
        reported += found > 0 && others == 0;
        if (!found || others)
            print_message("%s: not reported, or something else, in %llu executions\n", m->entries[i].name,
                          (unsigned long long)r.executions);
    }
    print_message("%u of %u reported, %u in the first execution\n", reported, entry_count(m) / 2, at_once);
    assert_int_equal(reported, entry_count(m) / 2);
    assert_true(at_once >= entry_count(m) / 2 - 3);     /* home-made flags and locks order some of them */
}

static void test_twins_are_clean(void **state)
{
    const struct module *m = module_find("races");

    (void)state;
    expected = RULE_NONE;
    for (unsigned i = 1; i < entry_count(m); i += 2) {
        struct explore_result r = explore_entry(i, true, PREEMPTIONS);

        if (r.end != EXPLORE_COMPLETE || r.verdicts[VERDICT_PASS] != r.executions)
            fail_msg("%s: %llu of %llu executions pass, end %d", m->entries[i].name,
                     (unsigned long long)r.verdicts[VERDICT_PASS], (unsigned long long)r.executions, (int)r.end);
    }
}

/* A counter is read and written: three pairs of lines, of which read and read is none. */
static void test_each_pair_is_told_of_once(void **state)
{
    unsigned entry = find_entry("RacyCounter"), kept, told = 0;
    const struct event *log;
    struct scenario script = {0};

    (void)state;
    for (unsigned i = 0; i < 12; i++)
        scenario_add(&script, (struct record){.kind = CHOICE_OP, .thread = (uint8_t)(1 + i % 3), .site = SITE_OP_ENTER,
                                              .value = (uint16_t)entry});
    finding_mute(RULE_RACE_1, true);
    assert_int_equal(execution_replay(world_program(module_find("races")), &script).verdict, VERDICT_PASS);
    finding_mute(RULE_RACE_1, false);
    log = event_log(&kept);
    for (unsigned i = 0; i < kept; i++)
        told += log[i].kind == EV_RACE;
    assert_in_range(told, 1, 3);
}

static void test_twins_are_clean_at_each_access(void **state)
{
    const struct module *m = module_find("races");

    (void)state;
    expected = RULE_NONE;
    assert_true(world_set_points("memory"));
    for (unsigned i = 1; i < entry_count(m); i += 2) {
        struct explore_result r = explore_entry(i, true, 1);

        if (r.end != EXPLORE_COMPLETE || r.verdicts[VERDICT_PASS] != r.executions)
            fail_msg("%s: %llu of %llu executions pass, end %d", m->entries[i].name,
                     (unsigned long long)r.verdicts[VERDICT_PASS], (unsigned long long)r.executions, (int)r.end);
    }
    assert_true(world_set_points("kernel"));
}

/* Both threads see that nothing is there, and one of the blocks that they make is lost. */
static void test_what_a_race_leads_to(void **state)
{
    unsigned entry = find_entry("RacyMadeOnce");
    struct outcome o;

    (void)state;
    finding_mute(RULE_RACE_1, true);
    expected = RULE_MEM_8;
    assert_int_equal(explore_entry(entry, true, PREEMPTIONS).end, EXPLORE_COMPLETE);
    assert_int_equal(found, 0);
    finding_mute(RULE_RACE_1, false);
    assert_true(world_set_points("memory"));
    assert_int_equal(explore_entry(entry, false, PREEMPTIONS).end, EXPLORE_FINDING);
    assert_true(world_set_points("kernel"));
    assert_int_equal(found, 1);
    o = execution_replay(world_program(module_find("races")), &last);
    assert_int_equal(o.finding.rule, RULE_MEM_8);
    assert_true(o.hash == last_hash);
}

/*
 * Each of two threads reads the byte, and then writes it: one after the other, or both read before one writes.
 * Entering and leaving make no difference to anybody.
 */
static void test_accesses_are_footprints(void **state)
{
    struct explore_options o = {.keep_going = true, .on_outcome = note};
    struct scenario script = script_of(find_entry("RacyByte"));
    struct dpor_statistics statistics;
    struct explore_result r;

    (void)state;
    assert_true(world_set_points("memory"));
    r = explore_dpor(world_program(module_find("races")), &script, &o, &statistics);
    assert_int_equal(r.executions, 2 + 2);
    assert_true(world_set_points("kernel"));
}

/* A load of a flag changes nothing, so a turn of the loop that waits for it is in vain: it comes to the loop before the
 * store, or after it. */
static void test_loads_change_nothing(void **state)
{
    struct explore_options o = {.executions_max = 10, .keep_going = true, .on_outcome = note};
    struct scenario script = script_of(find_entry("OrderedAwaitedFlag"));
    struct dpor_statistics statistics;
    struct explore_result r;

    (void)state;
    r = explore_dpor(world_program(module_find("races")), &script, &o, &statistics);
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(r.executions, 2);
}

/* With partial order reduction: preemptions without bound, at those accesses only whose order matters. */
static void test_what_a_race_leads_to_in_all_traces(void **state)
{
    struct explore_options o = {.keep_going = true, .on_outcome = note};
    static const char *const names[] = {"RacyMadeOnce", "OrderedMadeOnce"};

    (void)state;
    expected = RULE_MEM_8;
    assert_true(world_set_points("memory"));
    for (unsigned racy = 2; racy-- > 0;) {
        struct scenario script = script_of(find_entry(names[racy ? 0 : 1]));
        struct dpor_statistics statistics;
        struct explore_result r;

        found = others = 0;
        r = explore_dpor(world_program(module_find("races")), &script, &o, &statistics);
        assert_int_equal(r.end, EXPLORE_COMPLETE);
        assert_int_equal(found > 0, racy);
        assert_int_equal(others, 0);
        print_message("%s: %llu traces\n", names[racy ? 0 : 1], (unsigned long long)r.executions);
    }
    assert_true(world_set_points("kernel"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_wrong_one_has_a_twin),
        cmocka_unit_test(test_wrong_ones_are_reported),
        cmocka_unit_test(test_twins_are_clean),
        cmocka_unit_test(test_each_pair_is_told_of_once),
        cmocka_unit_test(test_twins_are_clean_at_each_access),
        cmocka_unit_test(test_accesses_are_footprints),
        cmocka_unit_test(test_loads_change_nothing),
        cmocka_unit_test(test_what_a_race_leads_to),
        cmocka_unit_test(test_what_a_race_leads_to_in_all_traces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
