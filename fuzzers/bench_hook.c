/* bench_hook.c - see bench.h. */
#include "bench.h"

#include <stddef.h>
#include <stdio.h>

#include "event.h"
#include "events.h"
#include "execution.h"
#include "kernel/kernel.h"
#include "sites.h"
#include "world.h"

enum { HOOKS = 4 * 1000 * 1000, LINE = 64, BLOCK = 1024, FRESH_EVENTS = 4000 };

/* What the compiler calls before an access. */
void __tsan_read8(void *address);
void __tsan_write8(void *address);

static sched_wait parked;
static double call_ns, stack_ns, alone_ns, shared_ns, fresh_alone_ns, fresh_shared_ns;

static void wait_there(void *argument)
{
    (void)argument;
    sched_block(&parked, 0, SCHED_FOREVER);
}

/* As in a module: one after the other. */
static inline void access_line(char *line)
{
    __tsan_write8(line);
    __tsan_read8(line + 8);
    __tsan_write8(line + 16);
    __tsan_read8(line + 24);
    __tsan_write8(line + 32);
    __tsan_read8(line + 40);
    __tsan_write8(line + 48);
    __tsan_read8(line + 56);
}

static __attribute__((noinline)) void do_nothing(void)
{
    __asm__ volatile("");
}

/* What calls alone take. */
static double measure_calls(void)
{
    double best = 1e9;

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();

        for (unsigned i = 0; i < HOOKS; i += 4) {
            do_nothing();
            do_nothing();
            do_nothing();
            do_nothing();
        }
        best = smaller(best, (cpu_seconds() - start) / (double)HOOKS);
    }
    return best * 1e9;
}

static double measure(char *line)
{
    double best = 1e9;

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();

        for (unsigned i = 0; i < HOOKS; i += LINE / 8)
            access_line(line);
        best = smaller(best, (cpu_seconds() - start) / (double)HOOKS);
    }
    return best * 1e9;
}

/* Each access is the first to its place since the last event, as nearly all of a driver's are. */
static double measure_fresh(char *block)
{
    double best = 1e9;

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();

        for (unsigned i = 0; i < FRESH_EVENTS; i++) {
            event_emit(EV_NONE, 0, 0, 0, 0, 0, NULL);
            for (unsigned at = 0; at < BLOCK; at += LINE)
                access_line(block + at);
        }
        best = smaller(best, (cpu_seconds() - start) / (double)(FRESH_EVENTS * BLOCK / 8));
    }
    return best * 1e9;
}

static void hook_main(void *script)
{
    char *block = pool_internal(BLOCK, 0, 0, NULL), local[LINE];

    (void)script;
    call_ns = measure_calls();
    stack_ns = measure(local);
    alone_ns = measure(block);
    fresh_alone_ns = measure_fresh(block);
    race_spawned(sched_spawn(1, wait_there, NULL));
    sched_give_way(0);
    shared_ns = measure(block);
    fresh_shared_ns = measure_fresh(block);
    sched_stop(VERDICT_PASS);
}

void part_hook(void)
{
    const struct program *world = world_program(module_find("exnpi_deferred"));
    struct program p = {.name = world->name, .words = world->words, .reset = world->reset, .main = hook_main};

    parked = 0;
    execution_run(&p, NULL, NULL);
    printf("call_ns %.4f\n", call_ns);
    printf("stack_ns %.4f\n", stack_ns);
    printf("alone_ns %.4f\n", alone_ns);
    printf("shared_ns %.4f\n", shared_ns);
    printf("fresh_alone_ns %.4f\n", fresh_alone_ns);
    printf("fresh_shared_ns %.4f\n", fresh_shared_ns);
}
