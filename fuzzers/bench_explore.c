/* bench_explore.c - see bench.h. */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>

#include "explore.h"
#include "programs.h"
#include "strategy.h"
#include "toy.h"

/* ---- all traces */

const struct bench_known bench_known[BENCH_KNOWN] = {
    {"lock25", "2 threads lock 5 times", 252, ""},
    {"lock33", "3 threads lock 3 times", 1680, ""},
    {"lock34", "3 threads lock 4 times", 34650, ""},
    {"lock43", "4 threads lock 3 times", 369600, "<= 900 ms"},
    {"writers", "8 writers of a variable", 40320, ""},
    {"separate", "8 writers of one each", 1, ""},
    {"readers", "a writer, 13 readers", 8192, ""},
    {"zero5", "last zero of 5", 64, ""},
    {"zero10", "last zero of 10", 3328, ""},
    {"zero15", "last zero of 15", 147456, ""},
    {"attach11", "attach and detach, 1 caller, 1 call", 7, ""},
    {"attach21", "attach and detach, 2 callers, 1 call", 46, ""},
    {"attach22", "attach and detach, 2 callers, 2 calls", 744, ""},
    {"attach32", "attach and detach, 3 callers, 2 calls", 266898, "<= 1000 ms"},
};

static const struct program *known_program(unsigned number)
{
    switch (number) {
    case 0: return lock_increments(2, 5);
    case 1: return lock_increments(3, 3);
    case 2: return lock_increments(3, 4);
    case 3: return lock_increments(4, 3);
    case 4: return writers(8);
    case 5: return separate_writers(8);
    case 6: return readers(13);
    case 7: return last_zero(5);
    case 8: return last_zero(10);
    case 9: return last_zero(15);
    case 10: return attach_detach((struct attach_detach){.callers = 1, .calls = 1});
    case 11: return attach_detach((struct attach_detach){.callers = 2, .calls = 1});
    case 12: return attach_detach((struct attach_detach){.callers = 2, .calls = 2});
    default: return attach_detach((struct attach_detach){.callers = 3, .calls = 2});
    }
}

void part_traces(void)
{
    for (unsigned i = 0; i < BENCH_KNOWN; i++) {
        struct explore_options options = {.keep_going = true};
        struct dpor_statistics statistics;
        const struct program *p = known_program(i);
        double start = cpu_seconds();
        struct explore_result r = explore_dpor(p, NULL, &options, &statistics);

        printf("%s_s %.6f\n", bench_known[i].name, cpu_seconds() - start);
        printf("%s_found %" PRIu64 "\n", bench_known[i].name, r.executions);
        printf("%s_blocked %" PRIu64 "\n", bench_known[i].name, statistics.blocked);
    }
}

/* ---- fifty scheduling points: three threads, seventeen each */

enum { POINTS = 17, BATCH = 10000, BATCHES = 50, TICKS = 64 };

static void points_body(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < POINTS; i++)
        sched_point(TOY_STEP);
}

static void points_main(void *script)
{
    (void)script;
    for (unsigned i = 0; i < 3; i++)
        sched_spawn(1, points_body, NULL);
}

static void measure_random(void)
{
    static const struct program points = {.name = "points", .words = &toy_words, .main = points_main};
    double best = 1e9;

    for (unsigned batch = 0; batch < BATCHES; batch++) {
        double start = cpu_seconds();

        for (unsigned i = 0; i < BATCH; i++) {
            struct strategy_random state;
            struct strategy random = strategy_random(&state, 1, batch * BATCH + i);

            execution_run(&points, NULL, &random);
        }
        best = smaller(best, (cpu_seconds() - start) / (double)BATCH);
    }
    printf("random_ns %.2f\n", best * 1e9);
}

/* CPU time at each tick of an exploration. */
struct ticks { unsigned count; uint64_t executions[TICKS]; double seconds[TICKS]; };

static bool on_progress(void *context, uint64_t executions)
{
    struct ticks *t = context;

    if (t->count < TICKS) {
        t->executions[t->count] = executions;
        t->seconds[t->count++] = cpu_seconds();
    }
    return true;
}

/* Seconds of an execution between two ticks. */
static double between(const struct ticks *t, unsigned from, unsigned to)
{
    return per(t->seconds[to] - t->seconds[from], (double)(t->executions[to] - t->executions[from]));
}

static void measure_dpor(void)
{
    static struct ticks ticks;
    struct explore_options options = {.executions_max = 1000000, .keep_going = true, .context = &ticks,
                                      .on_progress = on_progress};
    struct dpor_statistics statistics;
    double best = 1e9;
    unsigned tenth;

    (void)explore_dpor(lock_increments(3, POINTS), NULL, &options, &statistics);
    tenth = ticks.count / 10;
    for (unsigned i = tenth; i < ticks.count; i += tenth)
        best = smaller(best, between(&ticks, i - tenth, i));
    printf("dpor_ns %.2f\n", best * 1e9);
    printf("steady %.3f\n", per(between(&ticks, ticks.count - 1 - tenth, ticks.count - 1), between(&ticks, 0, tenth)));
}

/* The worst of the programs. */
static void measure_bug(void)
{
    uint64_t worst = 0;

    for (unsigned i = 0; i < ATTACH_DETACH_NOISES; i++) {
        struct explore_options options = {.executions_max = 1000};
        struct dpor_statistics statistics;
        struct explore_result r = explore_dpor(attach_detach(attach_detach_noises[i]), NULL, &options, &statistics);

        if (r.executions > worst)
            worst = r.executions;
    }
    printf("bug %" PRIu64 "\n", worst);
}

void part_points(void)
{
    measure_random();
    measure_dpor();
    measure_bug();
}
