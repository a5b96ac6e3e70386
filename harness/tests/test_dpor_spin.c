/*
 * test_dpor_spin.c - threads that spin: each trace is found once, but for turns in vain.
 *
 * The number of traces of small programs is counted by hand.  For random ones, depth-first search runs every
 * interleaving of a program that waits without spinning: whoever has looked in vain is blocked until somebody writes,
 * and one that gives up after some looks only lets others run.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "choice.h"
#include "explore.h"
#include "sched.h"
#include "toy.h"

/* ---- programs: threads of operations on two variables and a lock */

/*
 * SPIN waits until its variable is written, SPIN_LOCKED looks under the lock.  COUNT gives up after so many `looks`, as
 * does COUNT_IN_MEMORY, whose count is not on the stack.  GIVE gives way once.  ASK writes if the answer is 1.  LOCKED
 * only takes the lock, WRITE_LOCKED writes under it.
 */
enum what { READ, WRITE, CLEAR, LOCKED, WRITE_LOCKED, GIVE, ASK, SPIN, SPIN_LOCKED, COUNT, COUNT_IN_MEMORY, KINDS };
enum { VARIABLES = 2, LOCK = VARIABLES, OBJECTS, OPERATIONS_MAX = 4, TRACES_MAX = 1 << 16 };
struct operation { enum what what; unsigned object; };

static struct { unsigned count; struct operation operations[OPERATIONS_MAX]; } program_threads[3];
static unsigned thread_count, looks = 3;
static bool blocking;                       /* nobody spins */
static struct toy_lock lock;
static sched_wait news[VARIABLES];
static bool written[VARIABLES];
static unsigned counts[THREADS_MAX];

/* What came before what, found out without the explorer. */
static struct {
    uint16_t clock[THREADS_MAX][THREADS_MAX], written[OBJECTS][THREADS_MAX], read[OBJECTS][THREADS_MAX];
} order;
static uint64_t trace;

static void join(uint16_t *into, const uint16_t *from)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        if (into[t] < from[t])
            into[t] = from[t];
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15;
    return hash ^ hash >> 29;
}

static void note(unsigned object, bool write, unsigned value)
{
    unsigned self = sched_self();
    uint16_t *mine = order.clock[self];
    uint64_t hash = mix(self, value);

    join(mine, order.written[object]);
    if (write)
        join(mine, order.read[object]);
    mine[self]++;
    join(write ? order.written[object] : order.read[object], mine);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        hash = mix(hash, mine[t]);
    trace += hash;                          /* in whatever order */
}

static void write_now(unsigned object, bool value)
{
    sched_touch(object, TOUCH_WRITE);
    note(object, true, value);
    written[object] = value;
    if (value && blocking)
        sched_release(&news[object]);
}

static void give_way(void)
{
    if (blocking)
        sched_point(TOY_STEP);
    else
        sched_give_way(TOY_STEP);
}

/* A look in vain is no part of the trace unless it is `told`.  The first one is: to come to a loop before a write is
 * something else than to come there after it. */
static bool look(unsigned object, bool locked, bool told)
{
    bool seen;

    if (locked)
        toy_acquire(&lock);
    else
        sched_point(TOY_STEP);
    sched_touch(object, TOUCH_READ);
    seen = written[object];
    if ((told || seen) && locked)
        note(LOCK, true, 0);
    if (told || seen)
        note(object, false, seen);
    if (locked)
        toy_release(&lock);
    return seen;
}

static void spin(unsigned object, bool locked)
{
    for (bool seen = look(object, locked, true); !seen; seen = look(object, locked, false)) {
        if (blocking)
            sched_block(&news[object], TOY_STEP, SCHED_FOREVER);
        else
            sched_give_way(TOY_STEP);
    }
}

static void count_looks(unsigned object)
{
    for (unsigned i = 0; i < looks && !look(object, false, true); i++)
        give_way();
}

static void count_looks_in_memory(unsigned object)
{
    unsigned *count = &counts[sched_self()];

    for (*count = 0; *count < looks && !look(object, false, true); ++*count)
        give_way();
}

static void take_lock(const struct operation *o)
{
    toy_acquire(&lock);
    note(LOCK, true, 0);
    if (o->what == WRITE_LOCKED) {
        sched_point(TOY_STEP);
        write_now(o->object, true);
    }
    toy_release(&lock);
}

static void perform(const struct operation *o)
{
    switch (o->what) {
    case READ:
        sched_point(TOY_STEP);
        sched_touch(o->object, TOUCH_READ);
        note(o->object, false, 0);
        break;
    case WRITE: case CLEAR:
        sched_point(TOY_STEP);
        write_now(o->object, o->what == WRITE);
        break;
    case ASK:
        sched_point(TOY_STEP);
        if (choice_ask(CHOICE_FAULT, sched_self(), TOY_FAIL, 2))
            write_now(o->object, true);
        break;
    case LOCKED: case WRITE_LOCKED: take_lock(o); break;
    case GIVE: give_way(); break;
    case SPIN: case SPIN_LOCKED: spin(o->object, o->what == SPIN_LOCKED); break;
    case COUNT: count_looks(o->object); break;
    case COUNT_IN_MEMORY: count_looks_in_memory(o->object); break;
    case KINDS: break;
    }
}

static void body(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;

    for (unsigned i = 0; i < program_threads[number].count; i++)
        perform(&program_threads[number].operations[i]);
}

static void spin_main(void *script)
{
    (void)script;
    memset(&lock, 0, sizeof lock);
    memset(&order, 0, sizeof order);
    memset(written, 0, sizeof written);
    memset(news, 0, sizeof news);
    trace = 0;
    for (unsigned i = 0; i < thread_count; i++)
        sched_spawn(1, body, (void *)(uintptr_t)i);
}

static const struct program spinning = {.name = "toy", .words = &toy_words, .main = spin_main};

/* ---- traces */

static struct { unsigned count; uint64_t hashes[TRACES_MAX]; } found;

static void keep_trace(void)
{
    for (unsigned i = 0; i < found.count; i++)
        if (found.hashes[i] == trace)
            return;
    CHECK(found.count < TRACES_MAX);
    found.hashes[found.count++] = trace;
}

static void on_end(unsigned ended)
{
    (void)ended;
    if (sched_alive() == 1u << sched_self())
        keep_trace();
}

/* At a deadlock, or at the step limit: those that are left wait for ever. */
static void on_hang(void)
{
    trace = mix(trace, sched_alive());
    keep_trace();
}

static int set_up(void **state)
{
    (void)state;
    sched_on_thread_end = on_end;
    sched_on_deadlock = sched_on_step_limit = on_hang;
    sched_steps_max = 400;
    return 0;
}

/* ---- counted by hand */

static void thread(unsigned number, unsigned count, const struct operation *operations)
{
    program_threads[number].count = count;
    memcpy(program_threads[number].operations, operations, count * sizeof *operations);
    thread_count = number + 1;
}

#define THREAD(number, ...) \
    thread(number, sizeof (struct operation[]){__VA_ARGS__} / sizeof(struct operation), \
           (struct operation[]){__VA_ARGS__})

static void expect(const struct program *p, uint64_t executions, uint64_t hangs)
{
    struct explore_options options = {.keep_going = true};
    struct dpor_statistics statistics;
    struct explore_result r = explore_dpor(p, NULL, &options, &statistics);

    assert_int_equal(r.executions, executions);
    assert_int_equal(r.verdicts[VERDICT_STEPS], hangs);
    assert_int_equal(r.verdicts[VERDICT_PASS], executions - hangs);
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(statistics.blocked, 0);
}

/* Each comes to its loop before the write, or after it. */
static void test_flag(void **state)
{
    (void)state;
    THREAD(0, {SPIN, 0});
    THREAD(1, {WRITE, 0});
    expect(&spinning, 2, 0);
    THREAD(2, {SPIN, 0});
    expect(&spinning, 4, 0);
    THREAD(0, {WRITE, 0});                  /* another order of the threads' numbers */
    THREAD(1, {SPIN, 0});
    THREAD(2, {SPIN, 0});
    expect(&spinning, 4, 0);
}

static void test_flag_under_lock(void **state)
{
    (void)state;
    THREAD(0, {SPIN_LOCKED, 0});
    THREAD(1, {WRITE_LOCKED, 0});
    expect(&spinning, 2, 0);
    THREAD(2, {LOCKED, 0});                 /* somewhere in: look, write, look; or in: write, look */
    expect(&spinning, 4 + 3, 0);
}

/* Any number of looks comes before the write. */
static void test_count(void **state)
{
    struct explore_options options = {.keep_going = true};
    struct dpor_statistics statistics;

    (void)state;
    for (enum what what = COUNT; what <= COUNT_IN_MEMORY; what++) {
        THREAD(0, {what, 0});
        THREAD(1, {WRITE, 0});
        expect(&spinning, looks + 1, 0);
    }
    looks = 20;
    THREAD(0, {COUNT, 0});
    THREAD(1, {WRITE, 0});
    expect(&spinning, looks + 1, 0);
    THREAD(0, {COUNT_IN_MEMORY, 0});        /* taken for endless, and then it ends */
    assert_int_equal(explore_dpor(&spinning, NULL, &options, &statistics).end, EXPLORE_CLIPPED);
    looks = 3;
}

static enum sched_touch busy_how;

static void busy_main(void *unused)
{
    (void)unused;
    for (counts[0] = 0; counts[0] < 20; counts[0]++) {
        sched_touch(0, busy_how);
        sched_give_way(TOY_STEP);
    }
}

/* A turn that changes something is not in vain, whatever the thread's stack looks like. */
static void test_busy(void **state)
{
    static const struct program busy = {.name = "toy", .words = &toy_words, .main = busy_main};
    struct explore_options options = {.keep_going = true};
    struct dpor_statistics statistics;

    (void)state;
    for (busy_how = TOUCH_WRITE; busy_how <= TOUCH_RELEASE; busy_how++)
        assert_int_equal(explore_dpor(&busy, NULL, &options, &statistics).end, EXPLORE_COMPLETE);
    busy_how = TOUCH_READ;                  /* no change; that it comes to its end was not foreseen */
    assert_int_equal(explore_dpor(&busy, NULL, &options, &statistics).end, EXPLORE_CLIPPED);
}

static void sleeper(void *unused)
{
    static sched_wait never;

    (void)unused;
    sched_block(&never, TOY_STEP, 5);
    write_now(0, true);
}

static void sleeping_main(void *script)
{
    spin_main(script);
    sched_spawn(1, sleeper, NULL);
}

static void test_hangs(void **state)
{
    static const struct program with_sleeper = {.name = "toy", .words = &toy_words, .main = sleeping_main};

    (void)state;
    THREAD(0, {SPIN, 0});
    expect(&spinning, 1, 1);
    expect(&with_sleeper, 1, 1);            /* time passes only when nobody can run */
    THREAD(1, {SPIN, 1});
    expect(&spinning, 1, 1);
    THREAD(0, {SPIN, 0}, {WRITE, 1});
    THREAD(1, {SPIN, 1}, {WRITE, 0});
    expect(&spinning, 1, 1);
    THREAD(0, {SPIN, 0});                   /* seen or not, by a first look that comes before the write or after it */
    THREAD(1, {WRITE, 0}, {CLEAR, 0});
    expect(&spinning, 4, 2);
    THREAD(0, {SPIN_LOCKED, 0});            /* the lock is free in between */
    THREAD(1, {SPIN_LOCKED, 1});
    expect(&spinning, 2, 2);
}

/* ---- at random */

static uint64_t random_state;

static unsigned below(unsigned limit)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (unsigned)((random_state >> 33) % limit);
}

static void random_program(uint64_t number)
{
    random_state = number;
    thread_count = 2 + below(2);
    for (unsigned t = 0; t < thread_count; t++) {
        program_threads[t].count = 1 + below(thread_count == 2 ? 4 : 3);
        for (unsigned i = 0; i < program_threads[t].count; i++)
            program_threads[t].operations[i] = (struct operation){below(KINDS), below(VARIABLES)};
    }
}

static uint64_t executed, cut, blocked;

/* Of one program: all traces are found, and how many more executions there were than that. */
static uint64_t compare(unsigned number)
{
    struct explore_options options = {.preemptions_max = UINT32_MAX, .deviations_max = number % 2,
                                      .executions_max = 2000, .keep_going = true};
    struct explore_result r;
    struct dpor_statistics statistics;
    unsigned all;

    found.count = 0;
    blocking = true;
    r = explore_dfs(&spinning, NULL, &options);
    blocking = false;
    if (r.end != EXPLORE_COMPLETE)
        return 0;
    all = found.count;
    found.count = 0;
    r = explore_dpor(&spinning, NULL, &options, &statistics);
    if (found.count != all || r.end != EXPLORE_COMPLETE)
        fail_msg("program %u: %u traces, %llu executions showed %u", number, all, (unsigned long long)r.executions,
                 found.count);
    executed += r.executions;
    cut += r.detours;
    blocked += statistics.blocked;
    return r.executions - all;
}

/* What a step does after a loop is known only where it was executed, so a few traces are run again. */
static void test_random_programs(void **state)
{
    uint64_t extra = 0;

    (void)state;
    executed = cut = blocked = 0;
    for (unsigned i = 0; i < 2500; i++) {
        random_program(i);
        extra += compare(i);
    }
    assert_true(extra <= executed / 100);
    assert_true(blocked <= executed / 100);
    assert_true(cut <= executed);
}

/* No trace is in none of three shards.  Where a part begins behind a turn in vain its traces may be there once more. */
static void test_shards(void **state)
{
    uint64_t whole = 0, shards = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct explore_options options = {.deviations_max = i % 2, .keep_going = true};
        struct dpor_statistics statistics;
        unsigned all;

        random_program(i);
        found.count = 0;
        whole += explore_dpor(&spinning, NULL, &options, &statistics).executions;
        all = found.count;
        found.count = 0;
        for (options.shard.count = 3; options.shard.index < 3; options.shard.index++)
            shards += explore_dpor(&spinning, NULL, &options, &statistics).executions;
        if (found.count < all)
            fail_msg("program %u: %u traces, in shards %u", i, all, found.count);
    }
    assert_in_range(shards, whole, whole + whole / 200);
}

/* Scenarios say where a thread went on instead of giving way. */
static void test_replay(void **state)
{
    static struct scenario scenario;
    unsigned replayed = 0;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        struct strategy s = strategy_dpor(i % 2);
        bool more = true;

        random_program(i);
        for (unsigned k = 0; more && k < 20; k++) {
            enum verdict verdict = execution_run(&spinning, NULL, &s).verdict;
            uint64_t seen = trace;
            bool mine = strategy_dpor_mine();

            execution_scenario(&scenario);
            more = strategy_dpor_next();
            if (!mine)
                continue;
            assert_int_equal(execution_replay(&spinning, &scenario).verdict, verdict);
            assert_true(trace == seen);
            replayed++;
        }
        (void)strategy_dpor_end();
    }
    assert_true(replayed > 1000);
}

/* ---- stopped, saved, gone on with */

static uint64_t sum_of_all, number_of_all;

/* All executions, a few at a time, each time by an explorer that knows only what the last one saved. */
static void explore_in_parts(unsigned part)
{
    char *text = NULL;
    size_t size = 0;
    bool more = true;

    sum_of_all = number_of_all = 0;
    while (more) {
        struct strategy s = strategy_dpor(0);
        FILE *file;

        if (text) {
            struct numbers in = {.file = fmemopen(text, size, "r")};

            assert_true(strategy_dpor_load(&in));
            fclose(in.file);
            free(text);
        }
        for (unsigned i = 0; more && i < part; i++) {
            (void)execution_run(&spinning, NULL, &s);
            sum_of_all += strategy_dpor_mine() ? mix(7, trace) : 1;
            number_of_all++;
            more = strategy_dpor_next();
        }
        file = open_memstream(&text, &size);
        strategy_dpor_save(file);
        fclose(file);
        (void)strategy_dpor_end();
    }
    free(text);
}

static void test_resume(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t sum, number;

        random_program(i);
        explore_in_parts(UINT_MAX);
        sum = sum_of_all;
        number = number_of_all;
        explore_in_parts(1 + i % 7);
        assert_int_equal(number_of_all, number);
        assert_true(sum_of_all == sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flag), cmocka_unit_test(test_flag_under_lock), cmocka_unit_test(test_count),
        cmocka_unit_test(test_busy), cmocka_unit_test(test_hangs), cmocka_unit_test(test_random_programs),
        cmocka_unit_test(test_shards), cmocka_unit_test(test_replay), cmocka_unit_test(test_resume)};

    return cmocka_run_group_tests(tests, set_up, NULL);
}
