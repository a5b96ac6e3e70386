/*
 * test_dfs.c - the explorer is honest: unbounded depth-first search executes each interleaving exactly once.
 *
 * n threads of k steps have (nk)! / (k!)^n interleavings.  Also guards: preemption and deviation bounds count
 * what they say, "complete" is said only when it was, deadlocks and step limits are verdicts.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event.h"
#include "explore.h"

static unsigned thread_count, step_count;

static const struct site sites[] = {
    {"end", 1u << CHOICE_SWITCH, NULL}, {"step", 1u << CHOICE_SWITCH, NULL},
    {"fail", 1u << CHOICE_FAULT, (const char *const[]){"ok", "fail", NULL}}};
static const struct vocabulary words = {
    .sites = sites, .site_count = 3, .kind_names = {"op", "peer", "switch", "fault", "system"},
    .driving_prefix = "t", .driving_count = 4, .worker_prefix = "w", .peer_prefix = "c", .peer_count = 1};

/* A thread of k visible steps has k - 1 scheduling points between them, and one where it hands over. */
static void body(void *argument)
{
    (void)argument;
    for (unsigned i = 1; i < step_count; i++) {
        event_emit(1, i, 0, 0, 0, 0, NULL);
        sched_point(1);
    }
    event_emit(1, step_count, 0, 0, 0, 0, NULL);
}

static void start_threads(void *script)
{
    (void)script;
    for (unsigned i = 0; i < thread_count; i++)
        sched_spawn(1, body, NULL);
}

static struct explore_result all(void (*main)(void *), unsigned preemptions, unsigned deviations)
{
    struct program program = {.name = "toy", .words = &words, .main = main};
    struct explore_options options = {.preemptions_max = preemptions, .deviations_max = deviations};

    return explore_dfs(&program, NULL, &options);
}

static uint64_t multinomial(unsigned n, unsigned k)
{
    uint64_t result = 1;

    for (unsigned t = 1; t < n; t++)        /* choose(k * (t + 1), k), one factor at a time stays whole */
        for (unsigned i = 1; i <= k; i++)
            result = result * (t * k + i) / i;
    return result;
}

static void test_counts_are_multinomial(void **state)
{
    static const struct { unsigned n, k; uint64_t expected; } cases[] = {
        {1, 3, 1}, {2, 1, 2}, {2, 2, 6}, {2, 5, 252}, {3, 2, 90}, {3, 3, 1680}, {3, 4, 34650}, {4, 2, 2520}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct explore_result r;

        thread_count = cases[i].n;
        step_count = cases[i].k;
        r = all(start_threads, UINT_MAX, 0);
        assert_int_equal(multinomial(cases[i].n, cases[i].k), cases[i].expected);
        assert_int_equal(r.end, EXPLORE_COMPLETE);
        assert_int_equal(r.executions, cases[i].expected);
        assert_int_equal(r.distinct, cases[i].expected);
    }
}

static void test_preemption_bound(void **state)
{
    (void)state;
    thread_count = 2;
    step_count = 3;
    /* No preemption: who is first.  One: also the 2 places in the first thread to leave it. */
    assert_int_equal(all(start_threads, 0, 0).executions, 2);
    assert_int_equal(all(start_threads, 0, 0).preemptions_done, 0);
    assert_int_equal(all(start_threads, 1, 0).preemptions_done, 1);
    assert_int_equal(all(start_threads, 1, 0).distinct, 2 + 2 * 2);
    assert_int_equal(all(start_threads, 4, 0).distinct, 20);
}

static void main_with_faults(void *script)
{
    (void)script;
    for (unsigned i = 0; i < 5; i++)
        event_emit(1, i, choice_ask(CHOICE_FAULT, 0, 2, 2), 0, 0, 0, NULL);
}

static void test_each_fault_in_turn(void **state)
{
    (void)state;
    assert_int_equal(all(main_with_faults, 0, 0).executions, 1);
    assert_int_equal(all(main_with_faults, 0, 1).executions, 1 + 5);
    assert_int_equal(all(main_with_faults, 0, 2).executions, 1 + 5 + 10);
    assert_int_equal(all(main_with_faults, 0, UINT_MAX).executions, 32);
}

static void main_with_both(void *script)
{
    for (unsigned i = 0; i < 3; i++)
        event_emit(1, i, choice_ask(CHOICE_FAULT, 0, 2, 3), 0, 0, 0, NULL);
    start_threads(script);
}

static uint64_t hashes;

static unsigned add_shard(struct shard shard, unsigned *runs)
{
    static struct strategy_dfs dfs;
    struct program program = {.name = "toy", .words = &words, .main = main_with_both};
    struct strategy s = strategy_dfs(&dfs, 2, 2);
    unsigned count = 0;

    dfs.shard = shard;
    do {
        uint64_t hash = execution_run(&program, NULL, &s).hash;

        ++*runs;
        if (!strategy_dfs_mine(&dfs))
            continue;
        hashes += hash * (hash >> 7 | 1);
        count++;
    } while (strategy_dfs_next(&dfs));
    return count;
}

static void test_shards_are_the_whole(void **state)
{
    unsigned whole, runs = 0, sum = 0, largest = 0;
    uint64_t all;

    (void)state;
    thread_count = 3;
    step_count = 3;
    hashes = 0;
    whole = add_shard((struct shard){0}, &runs);
    all = hashes;
    assert_int_equal(whole, runs);
    hashes = runs = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned count = add_shard((struct shard){i, 4}, &runs);

        sum += count;
        largest = largest > count ? largest : count;
    }
    assert_int_equal(sum, whole);
    assert_true(hashes == all);
    assert_true(largest < whole / 2);
    assert_true(runs < whole + whole / 8);  /* the ways to them */
}

static void test_budget_is_not_complete(void **state)
{
    struct program program = {.name = "toy", .words = &words, .main = start_threads};
    struct explore_options options = {.preemptions_max = UINT_MAX, .executions_max = 89};
    struct explore_result r;

    (void)state;
    thread_count = 3;
    step_count = 2;
    r = explore_dfs(&program, NULL, &options);
    assert_int_equal(r.end, EXPLORE_BUDGET);
    assert_int_equal(r.executions, 89);
    assert_int_equal(r.preemptions_done, -1);
    options.executions_max = 90;
    assert_int_equal(explore_dfs(&program, NULL, &options).end, EXPLORE_COMPLETE);
}

static sched_wait lock_waiters[2];
static bool held[2];

static void acquire(unsigned lock)
{
    if (!held[lock])
        sched_point_for(&lock_waiters[lock], 1);
    while (held[lock])
        sched_block(&lock_waiters[lock], 1, SCHED_FOREVER);
    held[lock] = true;
    sched_hold(&lock_waiters[lock]);
}

static void release(unsigned lock)
{
    held[lock] = false;
    sched_release(&lock_waiters[lock]);
}

static void forwards(void *argument)
{
    (void)argument;
    acquire(0);
    acquire(1);
    release(1);
    release(0);
}

static void backwards(void *argument)
{
    (void)argument;
    acquire(1);
    acquire(0);
    release(0);
    release(1);
}

static void main_with_locks(void *script)
{
    (void)script;
    lock_waiters[0] = lock_waiters[1] = 0;
    held[0] = held[1] = false;
    sched_spawn(1, forwards, NULL);
    sched_spawn(1, backwards, NULL);
}

static void test_deadlock_is_found_and_is_a_verdict(void **state)
{
    struct explore_result r = all(main_with_locks, UINT_MAX, 0);

    (void)state;
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_true(r.verdicts[VERDICT_DEADLOCK] > 0);
    assert_true(r.verdicts[VERDICT_PASS] > 0);
    assert_int_equal(r.verdicts[VERDICT_DEADLOCK] + r.verdicts[VERDICT_PASS], r.executions);
}

static void spin(void *argument)
{
    (void)argument;
    for (;;)
        sched_give_way(1);
}

static void test_step_limit_is_a_verdict(void **state)
{
    struct program program = {.name = "toy", .words = &words, .main = spin};
    struct outcome o;

    (void)state;
    sched_steps_max = 100;
    o = execution_run(&program, NULL, NULL);
    assert_int_equal(o.verdict, VERDICT_STEPS);
    assert_int_equal(sched_steps_max, 100);
    sched_steps_max = 20000;
}

static bool done;

static void spin_until_done(void *argument)
{
    (void)argument;
    while (!done)
        sched_point(1);
}

static void give_way_until_done(void *argument)
{
    (void)argument;
    while (!done)
        sched_give_way(1);
}

static void work_and_be_done(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 10; i++)
        sched_point(1);
    done = true;
}

/* Nobody is ever made to leave a thread that could go on: fairness does. */
static enum verdict run_spinners(void (*main)(void *argument))
{
    struct program program = {.name = "toy", .words = &words, .main = main};
    struct outcome o;

    done = false;
    o = execution_run(&program, NULL, NULL);
    assert_int_equal(o.preemptions, 0);
    return o.verdict;
}

static void main_with_spinners(void *script)
{
    (void)script;
    sched_spawn(1, spin_until_done, NULL);
    sched_spawn(1, give_way_until_done, NULL);
    sched_spawn(1, spin_until_done, NULL);
    sched_spawn(1, work_and_be_done, NULL);
}

static void main_with_yielders(void *script)
{
    (void)script;
    sched_spawn(1, give_way_until_done, NULL);
    sched_spawn(1, give_way_until_done, NULL);
    sched_spawn(1, work_and_be_done, NULL);
}

static void main_that_spins_alone(void *script)
{
    (void)script;
    sched_spawn(1, spin_until_done, NULL);
    sched_spawn(1, spin_until_done, NULL);
}

static void test_only_who_waits_for_nothing_reaches_the_step_limit(void **state)
{
    (void)state;
    assert_int_equal(run_spinners(main_with_spinners), VERDICT_PASS);
    assert_int_equal(run_spinners(main_with_yielders), VERDICT_PASS);
    assert_int_equal(run_spinners(main_that_spins_alone), VERDICT_STEPS);
}

static void sleeper(void *argument)
{
    sched_wait nobody = 0;
    uint64_t deadline = *(uint64_t *)argument;

    assert_false(sched_block(&nobody, 1, deadline));
    assert_int_equal(sched_now(), deadline);
    event_emit(2, (uint32_t)deadline, 0, 0, 0, 0, NULL);
}

static void main_with_sleepers(void *script)
{
    static uint64_t late = 500, early = 20;

    (void)script;
    sched_spawn(1, sleeper, &late);
    sched_spawn(1, sleeper, &early);
}

static void test_time_moves_to_the_earliest_deadline(void **state)
{
    struct program program = {.name = "toy", .words = &words, .main = main_with_sleepers};
    unsigned kept;

    (void)state;
    assert_int_equal(execution_run(&program, NULL, NULL).verdict, VERDICT_PASS);
    assert_int_equal(event_log(&kept)[0].object, 20);
    assert_int_equal(event_log(&kept)[1].object, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_are_multinomial),
        cmocka_unit_test(test_preemption_bound),
        cmocka_unit_test(test_each_fault_in_turn),
        cmocka_unit_test(test_shards_are_the_whole), cmocka_unit_test(test_budget_is_not_complete),
        cmocka_unit_test(test_deadlock_is_found_and_is_a_verdict),
        cmocka_unit_test(test_step_limit_is_a_verdict),
        cmocka_unit_test(test_only_who_waits_for_nothing_reaches_the_step_limit),
        cmocka_unit_test(test_time_moves_to_the_earliest_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
