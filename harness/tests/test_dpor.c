/*
 * test_dpor.c - the explorer runs each trace once, and all of them.
 *
 * The number of traces of some programs is known.  For random programs it is counted: depth-first search runs every
 * interleaving, and what came before what in each tells the traces apart.
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
#include "dpor_path.h"
#include "event.h"
#include "explore.h"
#include "programs.h"
#include "sched.h"
#include "toy.h"

/* ---- toy programs: threads of operations */

/* What comes of an answer: nothing; another question; a write in the same step; the thread's end. */
enum { ASK_ONLY, ASK_AGAIN, ASK_WRITE, ASK_END, ASK_KINDS };
/* FREE writes both variables in one step.  What a step goes on to do may hang on whether its variable was written: LOOK
 * writes the other one then, WONDER asks something else. */
enum what { READ, WRITE, LOCK, UNLOCK, ASK, FREE, LOOK, WONDER };
enum { VARIABLES = 2 };
struct operation { enum what what; unsigned object; };
enum { OPERATIONS_MAX = 16, OBJECTS = 16, TRACES_MAX = 1 << 20 };

static struct { unsigned count; struct operation operations[OPERATIONS_MAX]; } program_threads[THREADS_MAX];
static unsigned thread_count;
static struct toy_lock locks[OBJECTS];
static bool stopped[THREADS_MAX], written[OBJECTS];

/* What came before what, found out without the explorer: vector clocks over the operations themselves. */
static struct {
    uint16_t clock[THREADS_MAX][THREADS_MAX], written[OBJECTS][THREADS_MAX], read[OBJECTS][THREADS_MAX],
        acquired[OBJECTS][THREADS_MAX], released[OBJECTS][THREADS_MAX];
    uint64_t trace;
} order;

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

static void note(const struct operation *o, unsigned value)
{
    unsigned self = sched_self();
    uint16_t *mine = order.clock[self];
    uint64_t hash;

    switch (o->what) {
    case READ: case LOOK: case WONDER:
        join(mine, order.written[o->object]);
        break;
    case FREE:
        for (unsigned i = 0; i < VARIABLES; i++) {
            join(mine, order.written[i]);
            join(mine, order.read[i]);
        }
        break;
    case WRITE:
        join(mine, order.written[o->object]);
        join(mine, order.read[o->object]);
        break;
    case LOCK:
        join(mine, order.released[o->object]);
        join(mine, order.acquired[o->object]);
        break;
    case UNLOCK: case ASK:
        break;
    }
    mine[self]++;
    if (o->what == READ || o->what == LOOK || o->what == WONDER)
        join(order.read[o->object], mine);
    if (o->what == WRITE)
        memcpy(order.written[o->object], mine, sizeof order.written[0]);
    for (unsigned i = 0; i < VARIABLES && o->what == FREE; i++)
        memcpy(order.written[i], mine, sizeof order.written[0]);
    if (o->what == LOCK)
        memcpy(order.acquired[o->object], mine, sizeof order.acquired[0]);
    if (o->what == UNLOCK)
        memcpy(order.released[o->object], mine, sizeof order.released[0]);
    hash = mix(self, value);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        hash = mix(hash, mine[t]);
    order.trace += hash;                    /* in whatever order */
}

static unsigned ask(void)
{
    return choice_ask(CHOICE_FAULT, sched_self(), TOY_FAIL, 3);
}

static void write_too(unsigned object)
{
    sched_touch(object, TOUCH_WRITE);
    written[object] = true;
    note(&(struct operation){WRITE, object}, 0);
}

static void perform(const struct operation *o)
{
    unsigned value = 0;

    switch (o->what) {
    case READ: case WRITE:
        toy_touch(o->object, o->what == WRITE);
        written[o->object] |= o->what == WRITE;
        break;
    case FREE:
        sched_point(TOY_STEP);
        for (unsigned i = 0; i < VARIABLES; i++) {
            sched_touch(i, TOUCH_WRITE);
            written[i] = true;
        }
        break;
    case LOOK:
        toy_touch(o->object, false);
        if (written[o->object])
            write_too(!o->object);
        break;
    case WONDER:
        toy_touch(o->object, false);
        if (written[o->object])
            value = 4 * choice_ask(CHOICE_FAULT, sched_self(), TOY_STEP, 2);
        else
            value = ask();
        if (value == 1)
            write_too(!o->object);
        break;
    case LOCK:
        toy_acquire(&locks[o->object]);
        break;
    case UNLOCK:
        toy_release(&locks[o->object]);
        break;
    case ASK:
        sched_point(TOY_STEP);
        value = ask();
        if (o->object == ASK_AGAIN && value < 2)
            value = 4 * (value + 1) + ask();
        stopped[sched_self()] = o->object == ASK_END && value == 1;
        if (o->object == ASK_WRITE && value == 1)
            write_too(0);
        break;
    }
    note(o, value);
}

static void body(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument, self = sched_self();

    stopped[self] = false;
    for (unsigned i = 0; i < program_threads[number].count && !stopped[self]; i++)
        perform(&program_threads[number].operations[i]);
}

static void toy_main(void *script)
{
    (void)script;
    memset(locks, 0, sizeof locks);
    memset(&order, 0, sizeof order);
    memset(written, 0, sizeof written);
    for (unsigned i = 0; i < thread_count; i++)
        sched_spawn(1, body, (void *)(uintptr_t)i);
}

static const struct program toy = {.name = "toy", .words = &toy_words, .main = toy_main};

static void thread(unsigned number, unsigned count, const struct operation *operations)
{
    CHECK(count <= OPERATIONS_MAX);
    program_threads[number].count = count;
    memcpy(program_threads[number].operations, operations, count * sizeof *operations);
    if (thread_count <= number)
        thread_count = number + 1;
}

/* ---- sets of traces */

struct traces { unsigned count; uint64_t *hashes; uint64_t executions; };

static bool note_trace(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context, (void)o, (void)s;
    return true;
}

static struct traces found;

static void keep_trace(void)
{
    for (unsigned i = 0; i < found.count; i++)
        if (found.hashes[i] == order.trace)
            return;
    CHECK(found.count < TRACES_MAX);
    found.hashes[found.count++] = order.trace;
}

static bool on_progress(void *context, uint64_t executions)
{
    (void)context, (void)executions;
    return true;
}

static uint64_t repeated, executed;

static uint64_t dpor(unsigned deviations, struct explore_result *result)
{
    struct explore_options options = {.deviations_max = deviations, .keep_going = true, .on_outcome = note_trace,
                                      .on_progress = on_progress};
    struct dpor_statistics statistics;

    *result = explore_dpor(&toy, NULL, &options, &statistics);
    repeated += statistics.blocked;
    executed += result->executions;
    assert_int_equal(result->detours, statistics.blocked);
    assert_int_equal(statistics.clipped, 0);
    assert_int_equal(result->end, EXPLORE_COMPLETE);
    return result->executions;
}

/* ---- known numbers */

static void expect_traces(const struct program *p, unsigned deviations, uint64_t traces)
{
    struct explore_options options = {.deviations_max = deviations, .keep_going = true};
    struct dpor_statistics statistics;
    struct explore_result r = explore_dpor(p, NULL, &options, &statistics);

    assert_int_equal(r.executions, traces);
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(r.verdicts[VERDICT_PASS], traces);
    assert_int_equal(statistics.blocked, 0);
}

static void test_lock_increments(void **state)
{
    (void)state;
    expect_traces(lock_increments(2, 2), 0, 6);
    expect_traces(lock_increments(3, 2), 0, 90);
    expect_traces(lock_increments(2, 5), 0, 252);
    expect_traces(lock_increments(3, 3), 0, 1680);
    expect_traces(lock_increments(3, 4), 0, 34650);
}

static void test_writers_and_readers(void **state)
{
    uint64_t factorial = 1;

    (void)state;
    for (unsigned n = 1; n <= 6; n++) {
        factorial *= n;
        expect_traces(writers(n), 0, factorial);
        expect_traces(separate_writers(n), 0, 1);
        expect_traces(readers(n), 0, 1u << n);
    }
}

static void test_last_zero(void **state)
{
    (void)state;
    expect_traces(last_zero(5), 0, 64);
    expect_traces(last_zero(10), 0, 3328);
}

static void test_attach_detach(void **state)
{
    struct attach_detach one = {.callers = 1, .calls = 1}, two = {.callers = 2, .calls = 2};

    (void)state;
    expect_traces(attach_detach(one), 0, 7);
    expect_traces(attach_detach((struct attach_detach){.callers = 2, .calls = 1}), 0, 46);
    expect_traces(attach_detach(two), 0, 744);
    one.may_fail = two.may_fail = true;
    expect_traces(attach_detach(one), 1, 9);
    expect_traces(attach_detach(two), 1, 774);
}

/* The executions up to the first finding. */
static void expect_found(const struct attach_detach *what, unsigned within)
{
    struct explore_options options = {0};
    struct dpor_statistics statistics;
    struct explore_result r = explore_dpor(attach_detach(*what), NULL, &options, &statistics);

    assert_int_equal(r.end, EXPLORE_FINDING);
    assert_in_range(r.executions, 2, within);
}

/* Noise costs nothing, for it makes no traces. */
static void test_use_after_free(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ATTACH_DETACH_NOISES; i++)
        expect_found(&attach_detach_noises[i], 7);
}

/* ---- what a step makes possible comes after it, though they touch nothing in common */

static sched_wait news;

static void write_other(void *argument)
{
    (void)argument;
    toy_touch(1, true);
}

static void write_and_spawn(void *argument)
{
    (void)argument;
    toy_touch(0, true);
    sched_spawn(1, write_other, NULL);
}

static void write_and_tell(void *argument)
{
    (void)argument;
    toy_touch(0, true);
    sched_release(&news);
}

static void wait_for_news(void *argument)
{
    (void)argument;
    sched_block(&news, TOY_STEP, SCHED_FOREVER);
}

static void write_only(void *argument)
{
    (void)argument;
    toy_touch(0, true);
}

static void spawning_main(void *script)
{
    (void)script;
    sched_spawn(1, write_and_spawn, NULL);
    sched_spawn(1, write_only, NULL);
}

static void telling_main(void *script)
{
    (void)script;
    news = 0;
    sched_spawn(1, wait_for_news, NULL);
    sched_block(&news, TOY_STEP, 1);        /* until the other one waits */
    sched_spawn(1, write_and_tell, NULL);
    sched_spawn(1, write_only, NULL);
}

static void test_made_possible(void **state)
{
    static const struct program spawning = {.name = "toy", .words = &toy_words, .main = spawning_main};
    static const struct program telling = {.name = "toy", .words = &toy_words, .main = telling_main};

    (void)state;
    expect_traces(&spawning, 0, 2);
    expect_traces(&telling, 0, 2);
}

/* Some leave, one waits until all have. */
static struct { unsigned present; sched_wait all; } guests;
static unsigned guest_count;

static void leave(void *unused)
{
    (void)unused;
    sched_point(TOY_STEP);
    sched_left(&guests.all);
    if (--guests.present == 0)
        sched_release(&guests.all);
}

static void close_door(void *unused)
{
    (void)unused;
    sched_point(TOY_STEP);
    sched_touch_wait(&guests.all);
    if (guests.present == 0)
        return;
    while (guests.present > 0)
        sched_block(&guests.all, TOY_STEP, SCHED_FOREVER);
    sched_all_left(&guests.all);
}

static void guests_main(void *unused)
{
    (void)unused;
    guests.present = guest_count;
    guests.all = 0;
    for (unsigned i = 0; i < guest_count; i++)
        sched_spawn(1, leave, NULL);
    sched_spawn(1, close_door, NULL);
}

/* In which order they leave makes no difference, only who has left when somebody looks; and who waits goes on last. */
static void test_all_left(void **state)
{
    static const struct program leaving = {.name = "toy", .words = &toy_words, .main = guests_main};

    (void)state;
    for (guest_count = 1; guest_count <= 6; guest_count++)
        expect_traces(&leaving, 0, 1u << guest_count);
}

static void test_deadlock(void **state)
{
    static const struct operation ab[] = {{LOCK, 0}, {LOCK, 1}, {UNLOCK, 1}, {UNLOCK, 0}};
    static const struct operation ba[] = {{LOCK, 1}, {LOCK, 0}, {UNLOCK, 0}, {UNLOCK, 1}};
    struct explore_result r;

    (void)state;
    thread_count = 0;
    thread(0, 4, ab);
    thread(1, 4, ba);
    assert_int_equal(dpor(0, &r), 3);
    assert_int_equal(r.verdicts[VERDICT_DEADLOCK], 1);
}

/* ---- how much is left */

static double left_after(const struct program *p, unsigned deviations, uint64_t executions)
{
    struct explore_options options = {.deviations_max = deviations, .executions_max = executions, .keep_going = true};
    struct dpor_statistics statistics;

    (void)explore_dpor(p, NULL, &options, &statistics);
    return statistics.left;
}

static void test_estimate(void **state)
{
    static const struct operation asks[] = {{ASK, 0}, {ASK, 0}, {ASK, 0}};
    double left;

    (void)state;
    thread_count = 0;                       /* all is known after the first execution: 12 answers, ... */
    thread(0, 3, asks);
    thread(1, 3, asks);
    assert_true(left_after(&toy, 1, 1) == 12);
    assert_true(left_after(&toy, 1, 8) == 5);
    assert_true(left_after(&toy, 2, 1) == 12 + 60);     /* ... and pairs of them */
    left = left_after(lock_increments(3, 4), 0, 34650 / 2);
    assert_true(left > 34650 / 6 && left < 34650 * 3 / 2);
    assert_true(left_after(lock_increments(3, 3), 0, 1680) == 0);
}

/* ---- random programs, against every interleaving */

static uint64_t random_state;

static unsigned below(unsigned limit)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (unsigned)((random_state >> 33) % limit);
}

/* Programs whose steps do the same whenever they come, but for answers; and others. */
enum { STEADY = 12, UNSTEADY = 18 };

static void random_program(unsigned kinds)
{
    unsigned threads = 2 + below(2), budget = threads == 2 ? 4 : 3;

    thread_count = 0;
    for (unsigned t = 0; t < threads; t++) {
        struct operation o[OPERATIONS_MAX];
        unsigned count = 0, steps = 1 + below(budget);

        for (unsigned i = 0; i < steps; i++) {
            unsigned what = below(kinds), object = below(VARIABLES);

            if (what < 3) {
                o[count++] = (struct operation){READ, object};
            } else if (what < 6) {
                o[count++] = (struct operation){WRITE, object};
            } else if (what < 7) {
                o[count++] = (struct operation){ASK, below(ASK_KINDS)};
            } else if (what < 8) {
                o[count++] = (struct operation){FREE, 0};
            } else if (what >= 12) {
                o[count++] = (struct operation){what < 15 ? LOOK : WONDER, object};
            } else {                        /* locks never nest: deadlocks have a test of their own */
                o[count++] = (struct operation){LOCK, 4 + object};
                if (below(2))
                    o[count++] = (struct operation){WRITE, object};
                o[count++] = (struct operation){UNLOCK, 4 + object};
            }
        }
        thread(t, count, o);
    }
}

/* Each execution reports its trace when its last thread has ended. */
static uint64_t last_trace[1];

static void collect(unsigned ended)
{
    (void)ended;
    last_trace[0] = order.trace;
    if (sched_alive() == 1u << sched_self())
        keep_trace();
}

/* How many executions of these programs showed a trace that another one showed. */
static uint64_t compare_random_programs(unsigned kinds)
{
    uint64_t extra = 0;

    found.hashes = malloc(TRACES_MAX * sizeof *found.hashes);
    sched_on_thread_end = collect;
    repeated = executed = 0;
    for (unsigned i = 0; i < 2500; i++) {
        unsigned deviations = i % 3;
        struct explore_options options = {.preemptions_max = UINT32_MAX, .deviations_max = deviations,
                                          .executions_max = 10000, .keep_going = true};
        struct explore_result r;
        unsigned all;

        random_state = i;
        random_program(kinds);
        found.count = 0;
        r = explore_dfs(&toy, NULL, &options);
        if (r.end != EXPLORE_COMPLETE)
            continue;
        all = found.count;
        found.count = 0;
        extra += dpor(deviations, &r) - all;
        if (found.count < all)
            fail_msg("program %u: %u traces, %llu executions showed %u", i, all, (unsigned long long)r.executions,
                     found.count);
    }
    sched_on_thread_end = NULL;
    free(found.hashes);
    found.hashes = NULL;
    return extra;
}

/* One execution of each trace.  Where an answer changes what a step touches, an execution may have nothing new. */
static void test_random_programs(void **state)
{
    (void)state;
    assert_int_equal(compare_random_programs(STEADY), 0);
    assert_true(repeated <= executed / 1000);
}

/* What is asked and touched is known only where a step was executed: a few traces are run again. */
static void test_unsteady_programs(void **state)
{
    (void)state;
    assert_true(compare_random_programs(UNSTEADY) <= executed / 100);
    assert_true(repeated <= executed / 50);
}

/* ---- stopped, saved, gone on with */

static uint64_t hashes_before, hashes_all;
static unsigned executions_all;

/* All executions of the toy, a few at a time, each time by an explorer that knows only what the last one saved. */
static void explore_in_pieces(unsigned deviations, struct shard shard, unsigned piece)
{
    char *text = NULL;
    size_t size = 0;
    bool more = true;

    executions_all = 0;
    hashes_all = 0;
    while (more) {
        struct strategy s = strategy_dpor(deviations);
        FILE *file;

        strategy_dpor_shard(shard);
        if (text) {
            struct numbers in = {.file = fmemopen(text, size, "r")};

            assert_true(strategy_dpor_load(&in));
            fclose(in.file);
            free(text);
        }
        for (unsigned i = 0; more && i < piece; i++) {
            hashes_all += mix(7, execution_run(&toy, NULL, &s).hash);
            executions_all++;
            more = strategy_dpor_next();
        }
        file = open_memstream(&text, &size);
        strategy_dpor_save(file);
        fclose(file);
        (void)strategy_dpor_end();
    }
    free(text);
}

static void expect_resumed(unsigned deviations, struct shard shard)
{
    unsigned executions;

    explore_in_pieces(deviations, shard, UINT_MAX);
    executions = executions_all;
    hashes_before = hashes_all;
    if (executions > 1000)
        return;
    for (unsigned piece = 1; piece <= 7; piece += 2) {
        explore_in_pieces(deviations, shard, piece);
        assert_int_equal(executions_all, executions);
        assert_true(hashes_all == hashes_before);
    }
}

static void test_resume(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        random_state = i;
        random_program(i % 2 ? UNSTEADY : STEADY);
        expect_resumed(i % 3, (struct shard){0});
        if (i < 40)
            expect_resumed(i % 3, (struct shard){i % 4, 4});
    }
}

static void test_damaged_save(void **state)
{
    struct strategy s = strategy_dpor(0);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    (void)state;
    thread_count = 0;
    for (unsigned t = 0; t < 3; t++)
        thread(t, 1, &(struct operation){WRITE, 0});
    (void)execution_run(&toy, NULL, &s);
    assert_true(strategy_dpor_next());
    strategy_dpor_save(file);
    fclose(file);
    (void)strategy_dpor_end();
    for (size_t length = 1; length + 2 < size; length++) {  /* the last number is a 0, and a space */
        struct numbers in = {.file = fmemopen(text, length, "r")};

        (void)strategy_dpor(0);
        assert_false(strategy_dpor_load(&in));
        assert_true(in.bad);
        fclose(in.file);
    }
    (void)strategy_dpor_end();
    free(text);
}

/* ---- shards */

/* `runs`: with those that the shard had to make to get to its own. */
struct sum { unsigned runs, executions; uint64_t traces; };

static struct sum explore_shard(const struct program *p, unsigned deviations, struct shard shard, unsigned parts)
{
    struct strategy s = strategy_dpor(deviations);
    struct sum sum = {0};

    strategy_dpor_shard(shard);
    path.parts_enough = parts;
    do {
        (void)execution_run(p, NULL, &s);
        sum.runs++;
        if (strategy_dpor_mine()) {
            sum.executions++;
            sum.traces += mix(3, order.trace);
            if (found.hashes)
                keep_trace();
        }
    } while (strategy_dpor_next());
    (void)strategy_dpor_end();
    assert_int_equal(tree_in_use, 0);       /* nothing was put where nobody looks */
    return sum;
}

/* All of `count` shards. */
static struct sum explore_shards(unsigned deviations, unsigned count, unsigned parts)
{
    struct sum sum = {0};

    for (unsigned index = 0; index < count; index++) {
        struct sum one = explore_shard(&toy, deviations, (struct shard){index, count}, parts);

        sum.executions += one.executions;
        sum.traces += one.traces;
    }
    return sum;
}

/* Parts of one execution each, and larger ones. */
static const unsigned part_counts[] = {3, 10, 30, 1000};
enum { PART_COUNTS = sizeof part_counts / sizeof *part_counts };

static void test_shards(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        unsigned deviations = i % 3, parts = part_counts[i % PART_COUNTS];
        struct sum whole, shards;

        random_state = i;
        random_program(STEADY);
        whole = explore_shard(&toy, deviations, (struct shard){0}, 0);
        shards = explore_shards(deviations, 3, parts);
        assert_int_equal(shards.executions, whole.executions);
        assert_true(shards.traces == whole.traces);
    }
}

/* Into how many shards the parts are dealt out makes no difference, and no trace is in none. */
static void test_unsteady_shards(void **state)
{
    unsigned executions = 0, missing = 0, again = 0;

    (void)state;
    found.hashes = malloc(TRACES_MAX * sizeof *found.hashes);
    for (unsigned i = 0; i < 1000; i++) {
        unsigned deviations = i % 3, parts = part_counts[i / 3 % PART_COUNTS], count;
        struct sum shards, one;

        random_state = i;
        random_program(UNSTEADY);
        found.count = 0;
        shards = explore_shards(deviations, 3, parts);
        one = explore_shards(deviations, 1, parts);
        assert_int_equal(shards.executions, one.executions);
        assert_true(shards.traces == one.traces);
        count = found.count;
        executions += explore_shard(&toy, deviations, (struct shard){0}, 0).executions;
        missing += found.count - count;
        again += shards.executions - count;
    }
    free(found.hashes);
    found.hashes = NULL;
    assert_int_equal(missing, 0);
    assert_true(again <= executions / 150);
}

/* Each of four shards runs about a quarter, besides what it takes to divide the search. */
static void expect_shares(const struct program *p)
{
    struct sum whole = explore_shard(p, 0, (struct shard){0}, 0);
    unsigned executions = 0;

    for (unsigned index = 0; index < 4; index++) {
        struct sum sum = explore_shard(p, 0, (struct shard){index, 4}, 200);

        executions += sum.executions;
        assert_in_range(sum.executions, whole.executions / 8, whole.executions / 2);
        assert_in_range(sum.runs, sum.executions, sum.executions + whole.executions / 6);
    }
    assert_int_equal(executions, whole.executions);
}

static void test_shards_are_shares(void **state)
{
    (void)state;
    expect_shares(lock_increments(3, 4));
    expect_shares(attach_detach((struct attach_detach){.callers = 2, .calls = 3}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lock_increments), cmocka_unit_test(test_writers_and_readers),
        cmocka_unit_test(test_last_zero), cmocka_unit_test(test_attach_detach),
        cmocka_unit_test(test_use_after_free), cmocka_unit_test(test_made_possible),
        cmocka_unit_test(test_all_left), cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_estimate), cmocka_unit_test(test_random_programs),
        cmocka_unit_test(test_unsteady_programs),
        cmocka_unit_test(test_resume), cmocka_unit_test(test_damaged_save), cmocka_unit_test(test_shards),
        cmocka_unit_test(test_unsteady_shards), cmocka_unit_test(test_shards_are_shares)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
