/*
 * test_footprint.c - what steps touch is told in full: partial order reduction loses nothing.
 *
 * Each correct module runs each setup that depth-first search, without a bound on preemptions, can finish.  What the
 * threads went through, each for itself, must be the same set of stories either way.  A shared object that nobody tells
 * of shows as a story that only the search of all interleavings has.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dpor_path.h"
#include "event.h"
#include "events.h"
#include "execution.h"
#include "strategy.h"
#include "test_faults.h"
#include "world.h"

enum { STORIES_MAX = 4096, EXECUTIONS_MAX = 5000, SOME = 16000 };

struct stories { unsigned count; uint64_t hashes[STORIES_MAX]; };

static bool has(const struct stories *s, uint64_t hash)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->hashes[i] == hash)
            return true;
    return false;
}

static void add(struct stories *s, uint64_t hash)
{
    if (has(s, hash))
        return;
    assert_true(s->count < STORIES_MAX);
    s->hashes[s->count++] = hash;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15;
    return hash ^ hash >> 31;
}

/* The part of an event that does not depend on the order of other threads' steps: numbers of objects may. */
static bool tells(const struct event *e)
{
    return (e->kind > EV_ENTER && e->kind < EV_THREAD_START) || e->kind == EV_BINDING_STATE ||
           e->kind == EV_REGISTRATION_STATE || e->kind == EV_WAIT || e->kind == EV_RUNDOWN;
}

/* What each thread went through, whatever the others did in between. */
static uint64_t story(void)
{
    uint64_t threads[THREADS_MAX] = {0}, all = 0;
    unsigned count;
    const struct event *log = event_log(&count);

    for (unsigned i = 0; i < count; i++)
        if (tells(&log[i]))
            threads[log[i].thread] = mix(mix(threads[log[i].thread], log[i].kind), (uint64_t)log[i].value);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        all += mix(threads[t], t + 1);
    return all;
}

static void run(const struct program *p, const struct scenario *script, const struct strategy *s, struct stories *out)
{
    enum verdict verdict = execution_run(p, script, s).verdict;

    assert_true(verdict == VERDICT_PASS || verdict == VERDICT_OUTSIDE);
    add(out, story());
}

/* All interleavings; false when they are too many. */
static bool search_all(const struct program *p, const struct scenario *script, unsigned deviations, unsigned executions,
                       struct stories *out)
{
    static struct strategy_dfs state;
    struct strategy dfs = strategy_dfs(&state, UINT_MAX, deviations);

    out->count = 0;
    for (unsigned i = 0; i < executions; i++) {
        run(p, script, &dfs, out);
        if (!strategy_dfs_next(&state))
            return true;
    }
    return false;
}

/* How many they are. */
static unsigned search_traces(const struct program *p, const struct scenario *script, unsigned deviations,
                              struct stories *out)
{
    struct strategy dpor = strategy_dpor(deviations);
    struct dpor_statistics statistics;
    unsigned executions = 0;

    out->count = 0;
    do {
        run(p, script, &dpor, out);
        executions++;
    } while (strategy_dpor_next());
    statistics = strategy_dpor_end();
    assert_int_equal(statistics.clipped, 0);
    if (deviations == 0)                    /* one execution for each trace */
        assert_int_equal(statistics.blocked, 0);
    return executions;
}

static bool is_correct(const struct module *m)
{
    return m->rule == NULL && strcmp(m->image.name, "page_literal") != 0;
}

static unsigned compare_all(unsigned deviations)
{
    static struct stories all, reduced;
    unsigned compared = 0;

    for (unsigned m = 0; m < module_count; m++) {
        const struct program *p = world_program(modules[m]);

        for (unsigned k = 0; is_correct(modules[m]) && k < setup_count(); k++) {
            struct scenario script = {0};

            setup_script(&setups[k], &script);
            if (!search_all(p, &script, deviations, EXECUTIONS_MAX, &all))
                continue;
            (void)search_traces(p, &script, deviations, &reduced);
            compared++;
            for (unsigned i = 0; i < all.count; i++)
                if (!has(&reduced, all.hashes[i]))
                    fail_msg("%s, %s: of %u stories a trace is missing", p->name, setups[k].name, all.count);
            assert_int_equal(reduced.count, all.count);
        }
    }
    return compared;
}

static void test_interleavings(void **state)
{
    (void)state;
    faults_take();
    assert_true(compare_all(0) >= 20);
}

static void test_answers(void **state)
{
    (void)state;
    faults_take();
    assert_true(compare_all(1) >= 10);
}

static void search_some(const struct program *p, const struct scenario *script)
{
    static struct stories stories;
    struct strategy dpor = strategy_dpor(1);
    unsigned executions = 0;

    do {
        stories.count = 0;
        run(p, script, &dpor, &stories);
    } while (strategy_dpor_next() && ++executions < SOME);
    assert_int_equal(strategy_dpor_end().clipped, 0);
}

/* Where all interleavings are too many: steps that were put into another order can be gone in it. */
static void test_ways_can_be_gone(void **state)
{
    unsigned searched = 0;

    (void)state;
    faults_take();
    for (unsigned m = 0; m < module_count; m++) {
        const struct program *p = world_program(modules[m]);

        for (unsigned k = 0; is_correct(modules[m]) && k < setup_count(); k++) {
            struct scenario script = {0};

            if (strcmp(setups[k].name, "call-vs-deregister") != 0)
                continue;
            setup_script(&setups[k], &script);
            search_some(p, &script);
            searched++;
        }
    }
    assert_true(searched >= 10);
}

/* The setup of this name, which each module has. */
static struct scenario setup_named(const char *name)
{
    struct scenario script = {0};
    unsigned k = 0;

    while (k < setup_count() && strcmp(setups[k].name, name) != 0)
        k++;
    assert_true(k < setup_count());
    setup_script(&setups[k], &script);
    return script;
}

/* Some questions are asked in one order of steps only: whether a completion came while a detach callback returned. */
static void test_questions_of_one_order(void **state)
{
    enum { MANY = 60000 };
    static struct stories all, reduced;
    const struct program *p = world_program(module_find("exnpi_multi"));
    struct scenario script = setup_named("call-vs-deregister");

    (void)state;
    faults_take();
    assert_true(search_all(p, &script, 1, MANY, &all));
    (void)search_traces(p, &script, 1, &reduced);
    assert_int_equal(reduced.count, all.count);
}

/* What two counterparts do each for itself comes in one order: else these would be thousands of times as many. */
static void test_counterparts_are_apart(void **state)
{
    enum { TRACES = 500 };

    (void)state;
    faults_take();
    for (unsigned m = 0; m < module_count; m++) {
        static struct stories stories;
        const struct program *p = world_program(modules[m]);
        struct scenario script = setup_named("two-counterparts");

        if (is_correct(modules[m]))
            assert_in_range(search_traces(p, &script, 0, &stories), 2, TRACES);
    }
}

/* A module that uses something of a counterpart's, without any lock or event, when that may be gone. */
static void test_data_of_counterparts(void **state)
{
    const struct program *p = world_program(module_find("mutant_PA_33"));
    struct scenario script = setup_named("two-registers");
    struct strategy dpor = strategy_dpor(1);
    unsigned found = 0;

    (void)state;
    faults_take();
    do {
        found += execution_run(p, &script, &dpor).verdict == VERDICT_FINDING;
    } while (strategy_dpor_next());
    (void)strategy_dpor_end();
    assert_true(found > 0);
}

/* One of the shards; returns how many executions are its own.  Those that end early, outside the contract, tell nothing
 * of what other threads would have done: of these there may be others. */
static unsigned search_shard(const struct program *p, const struct scenario *script, struct shard shard, unsigned parts,
                             struct stories *out)
{
    struct strategy dpor = strategy_dpor(1);
    unsigned executions = 0;

    strategy_dpor_shard(shard);
    path.parts_enough = parts;
    do {
        bool passed = execution_run(p, script, &dpor).verdict == VERDICT_PASS, mine = strategy_dpor_mine();

        if (passed && mine)
            add(out, story());
        executions += mine;
    } while (strategy_dpor_next());
    assert_int_equal(strategy_dpor_end().clipped, 0);
    return executions;
}

/* The shards have the whole's stories, and are the same executions however many they are. */
static void compare_shards(const char *module, const char *setup, unsigned parts)
{
    static struct stories whole, shards;
    const struct program *p = world_program(module_find(module));
    struct scenario script = setup_named(setup);
    unsigned executions = 0;

    whole.count = shards.count = 0;
    (void)search_shard(p, &script, (struct shard){0}, parts, &whole);
    for (unsigned index = 0; index < 3; index++)
        executions += search_shard(p, &script, (struct shard){index, 3}, parts, &shards);
    assert_int_equal(shards.count, whole.count);
    for (unsigned k = 0; k < whole.count; k++)
        if (!has(&shards, whole.hashes[k]))
            fail_msg("%s, %s: a story is in no shard", p->name, setup);
    assert_int_equal(executions, search_shard(p, &script, (struct shard){0, 1}, parts, &whole));
}

/* Some steps here touch and ask other things when they come at another time, or take a lock shared. */
static void test_shards(void **state)
{
    (void)state;
    faults_take();
    for (unsigned parts = 3; parts <= 1000; parts *= 3) {
        compare_shards("exnpi_client", "register-vs-unload", parts);
        compare_shards("exnpi_client_rundown", "entry-vs-register", parts);
    }
    compare_shards("exnpi_client", "two-registers", 1000);
    compare_shards("exnpi_client_refcounted", "two-registers", 100);
    compare_shards("session_client", "two-registers", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interleavings), cmocka_unit_test(test_answers), cmocka_unit_test(test_ways_can_be_gone),
        cmocka_unit_test(test_questions_of_one_order), cmocka_unit_test(test_counterparts_are_apart),
        cmocka_unit_test(test_data_of_counterparts), cmocka_unit_test(test_shards),
    };

    faults_keep();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
