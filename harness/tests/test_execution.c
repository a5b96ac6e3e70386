/*
 * test_execution.c - an execution can be repeated, and a crash of simulated code is an outcome, not the end.
 *
 * Guards: what random answers did can be replayed from the choices logged; the same scenario has the same hash; NULL,
 * wild jumps and stack overflows are told apart; a stack that an execution abandoned is clean for the next one (a
 * sanitizer's red zones of frames that never returned would be reported as overflows there).
 *
 * This is no cmocka test: cmocka takes the signals for itself.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "execution.h"
#include "strategy.h"

#define EXPECT(condition) ((condition) ? (void)0 : failed(#condition, __LINE__))

static void failed(const char *condition, int line)
{
    fprintf(stderr, "test_execution.c:%d: %s\n", line, condition);
    exit(1);
}

static const struct site sites[] = {
    {"end", 1u << CHOICE_SWITCH, NULL}, {"step", 1u << CHOICE_SWITCH, NULL},
    {"fail", 1u << CHOICE_FAULT, (const char *const[]){"ok", "fail", "fail-later", NULL}}};
static const struct vocabulary words = {
    .sites = sites, .site_count = 3, .kind_names = {"op", "peer", "switch", "fault", "system"},
    .driving_prefix = "t", .driving_count = 4, .worker_prefix = "w", .peer_prefix = "c", .peer_count = 1};

static void body(void *argument)
{
    for (uint32_t i = 0; i < 6; i++) {
        event_emit(1, i, choice_ask(CHOICE_FAULT, sched_self(), 2, 3), (uint64_t)(uintptr_t)argument, 0, 0, NULL);
        sched_point(1);
    }
}

static void main_with_threads(void *script)
{
    (void)script;
    for (unsigned i = 0; i < 3; i++)
        sched_spawn(1, body, NULL);
    body(NULL);
}

static void test_random_executions_replay(void)
{
    const struct program program = {.name = "toy", .words = &words, .main = main_with_threads};
    unsigned different = 0;

    for (uint64_t i = 0; i < 2000; i++) {
        struct strategy_random state;
        struct strategy random = strategy_random(&state, 7, i);
        struct scenario scenario;
        struct outcome first = execution_run(&program, NULL, &random), again;
        uint64_t before = first.hash;

        EXPECT(first.verdict == VERDICT_PASS);
        execution_scenario(&scenario);
        again = execution_replay(&program, &scenario);
        EXPECT(again.hash == before);
        EXPECT(again.switches == first.switches);
        EXPECT(again.preemptions == first.preemptions);
        different += execution_run(&program, NULL, NULL).hash != before;
    }
    EXPECT(different > 1900);
}

static struct fault last;

/* The crashes are meant: the undefined-behaviour checks of our own build stay out of them. */
#ifdef __clang__
#define ON_PURPOSE __attribute__((no_sanitize("undefined")))
#else
#define ON_PURPOSE
#endif

static void note_fault(const struct fault *f)
{
    last = *f;
    sched_stop(VERDICT_OUTSIDE);
}

ON_PURPOSE static void write_null(void *script)
{
    volatile char local[64];                /* with a sanitizer: red zones that stay behind */

    (void)script;
    local[0] = 0;
    *(volatile int *)(uintptr_t)local[0] = 1;
}

ON_PURPOSE static void read_null(void *script)
{
    volatile unsigned twelve = 12;

    (void)script;
    (void)*(volatile int *)(uintptr_t)twelve;
}

ON_PURPOSE static void jump_nowhere(void *script)
{
    void (*volatile nowhere)(void) = (void (*)(void))(uintptr_t)0x4000;

    (void)script;
    nowhere();
}

static int overflow(volatile char *outer)
{
    volatile char inner[512];

    inner[0] = outer ? outer[0] : 1;
    return inner[0] ? overflow(inner) + inner[0] : 0;
}

static void overflow_stack(void *script)
{
    (void)script;
    overflow(NULL);
}

static void crash(void (*main)(void *))
{
    const struct program program = {.name = "toy", .words = &words, .main = main};

    memset(&last, 0, sizeof last);
    EXPECT(execution_run(&program, NULL, NULL).verdict == VERDICT_OUTSIDE);
}

static void test_crashes_are_outcomes(void)
{
    const struct program program = {.name = "toy", .words = &words, .main = main_with_threads};
    uint64_t hash = execution_run(&program, NULL, NULL).hash;

    execution_on_fault = note_fault;
    for (unsigned i = 0; i < 50; i++) {
        crash(write_null);
        EXPECT(last.address == 0 && !last.overflow);
        crash(read_null);
        EXPECT(last.address == 12 && !last.overflow);
        crash(jump_nowhere);
        EXPECT(last.address == 0x4000 && !last.overflow);
        crash(overflow_stack);
        EXPECT(last.overflow);
        EXPECT(execution_run(&program, NULL, NULL).hash == hash);
    }
#if defined(__x86_64__)
    crash(write_null);
    EXPECT(last.write && !last.execute);
    crash(read_null);
    EXPECT(!last.write && !last.execute);
    crash(jump_nowhere);
    EXPECT(last.execute && last.pc != NULL);
#endif
}

int main(void)
{
    test_random_executions_replay();
    test_crashes_are_outcomes();
    puts("2 passed, 0 failed");
    return 0;
}
