/* bench_hook.c - see bench.h. */
#include "bench.h"

#include <stddef.h>
#include <stdio.h>

#include "execution.h"
#include "kernel/kernel.h"
#include "sites.h"
#include "world.h"

enum { HOOKS = 4 * 1000 * 1000, BLOCK = 64 };

/* What the compiler calls before an access. */
void __tsan_read8(void *address);
void __tsan_write8(void *address);

static sched_wait parked;
static double stack_ns, alone_ns, shared_ns;

static void wait_there(void *argument)
{
    (void)argument;
    sched_block(&parked, 0, SCHED_FOREVER);
}

static double measure(char *block)
{
    double best = 1e9;

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();

        for (unsigned i = 0; i < HOOKS; i += 2) {
            __tsan_write8(block + i * 8 % BLOCK);
            __tsan_read8(block + (i + 1) * 8 % BLOCK);
        }
        best = smaller(best, (cpu_seconds() - start) / (double)HOOKS);
    }
    return best * 1e9;
}

static void hook_main(void *script)
{
    char *block = pool_internal(BLOCK, 0, 0, NULL), local[BLOCK];

    (void)script;
    stack_ns = measure(local);
    alone_ns = measure(block);
    race_spawned(sched_spawn(1, wait_there, NULL));
    sched_give_way(0);
    shared_ns = measure(block);
    sched_stop(VERDICT_PASS);
}

void part_hook(void)
{
    const struct program *world = world_program(module_find("exnpi_deferred"));
    struct program p = {.name = world->name, .words = world->words, .reset = world->reset, .main = hook_main};

    parked = 0;
    execution_run(&p, NULL, NULL);
    printf("stack_ns %.4f\n", stack_ns);
    printf("alone_ns %.4f\n", alone_ns);
    printf("shared_ns %.4f\n", shared_ns);
}
