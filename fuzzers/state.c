/*
 * state.c - see state.h.
 *
 * libFuzzer reads a section of that name, resets it before each execution and keeps it through -merge.
 * AFL++'s runtime hands out places in its map to ranges of guards, as to those of the compiler.
 */
#include "state.h"

#include <stddef.h>
#include <stdint.h>

#include "world.h"

/* Nobody in this program reads them: without `volatile` the stores would be optimised away. */
extern volatile uint8_t state_counters[STATES];
__attribute__((used, section("__libfuzzer_extra_counters"))) volatile uint8_t state_counters[STATES];

static uint32_t guards[STATES];

/* Of the engine's runtime.  Sanitizers bring empty guard functions of their own; the map is AFL++'s alone. */
extern uint8_t *__afl_area_ptr __attribute__((weak));
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) __attribute__((weak));

static int under_afl(void)
{
    return &__afl_area_ptr != NULL && __sanitizer_cov_trace_pc_guard_init != NULL;
}

/* Before the engine measures its map, hence a constructor. */
__attribute__((constructor)) static void reserve_guards(void)
{
    if (under_afl())
        __sanitizer_cov_trace_pc_guard_init(guards, guards + STATES);
}

static unsigned place(uint32_t state_hash)
{
    return state_hash * 2654435761u >> (32 - STATES_LOG2);
}

static void count_for_libfuzzer(uint32_t state_hash)
{
    state_counters[place(state_hash)] = 1;
}

static void count_for_afl(uint32_t state_hash)
{
    __afl_area_ptr[guards[place(state_hash)]] = 1;
}

void state_install(void)
{
    world_on_state = under_afl() ? count_for_afl : count_for_libfuzzer;
}
