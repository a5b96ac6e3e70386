/* bench.h - what bench.c and the parts that it is made of share. */
#ifndef FUZZERS_BENCH_H
#define FUZZERS_BENCH_H

#include <stdint.h>
#include <time.h>

enum { ROUNDS = 5 };                        /* of which the best counts */

static inline double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double per(double a, double b)
{
    return b > 0 ? a / b : 0;
}

/*
 * The explorer (bench_explore.c).  A part prints numbers for the table, each behind its name.
 *
 * traces   programs of which the number of traces is known: NAME_found, NAME_blocked, NAME_s
 * points   executions of about fifty scheduling points: random_ns, dpor_ns; steady, the time of the last tenth by that
 *          of the first; bug, executions up to a use after free
 */
struct bench_known { const char *name, *what; uint64_t traces; const char *target; };
enum { BENCH_KNOWN = 14 };
extern const struct bench_known bench_known[BENCH_KNOWN];
void part_traces(void);
void part_points(void);

/*
 * Nanoseconds of a load or store of module code, by what it touches (bench_hook.c): stack_ns, its own stack; alone_ns,
 * the same bytes of the pool again, while there is one thread; shared_ns, while there is another; fresh_alone_ns and
 * fresh_shared_ns, the first time since an event.  Each has a call in it, as in a module: call_ns is one of nothing.
 */
void part_hook(void);

#endif
