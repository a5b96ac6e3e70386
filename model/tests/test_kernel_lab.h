/*
 * test_kernel_lab.h - small programs against the simulated kernel.
 *
 * A test's body is thread 0 of an execution; it may start driving threads and wait for them.  No judge is
 * installed: what was told in events is looked up afterwards.
 */
#ifndef MODEL_TEST_KERNEL_LAB_H
#define MODEL_TEST_KERNEL_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "execution.h"
#include "explore.h"
#include "strategy.h"

#include "events.h"
#include "kernel/hook.h"
#include "kernel/memory.h"
#include "sites.h"

#include <ntddk.h>

#define LAB_UNUSED __attribute__((unused))
#define LAB_TAG 0x2062614C                  /* 'Lab ' */

static void (*lab_body)(void);
static unsigned lab_threads;
static sched_wait lab_joined;

static void lab_main(void *script)
{
    (void)script;
    lab_body();
}

static void lab_reset(void)
{
    kernel_reset();
    lab_threads = 0;
    lab_joined = 0;
}

static const struct program lab = {.name = "kernel-lab", .words = &model_words, .reset = lab_reset, .main = lab_main};
static const struct scenario lab_empty;

static void lab_thread(void *body)
{
    (*(void (**)(void))body)();
    if (--lab_threads == 0)
        sched_release(&lab_joined);
}

/* Start a driving thread.  The function pointer must outlive the execution: pass the address of a static one. */
static LAB_UNUSED void lab_spawn(void (**body)(void))
{
    lab_threads++;
    race_spawned(sched_spawn(1, lab_thread, (void *)body));
}

static LAB_UNUSED void lab_join(void)
{
    while (lab_threads)
        sched_block(&lab_joined, SITE_OP_NEXT, SCHED_FOREVER);
}

/* A statement that every interleaving must fulfil. */
#define LAB_EXPECT(condition) ((condition) ? (void)0 : finding_raise(1, "lab", "%d: %s", __LINE__, #condition))

static LAB_UNUSED bool lab_print(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context;
    print_message("%s: %s\n", verdict_name(o->verdict), o->finding.detail);
    scenario_print(s, &model_words, "kernel-lab", NULL, stderr);
    return false;
}

static LAB_UNUSED struct outcome lab_run(void (*body)(void))
{
    lab_body = body;
    return execution_run(&lab, &lab_empty, NULL);
}

/* All interleavings within the bounds pass. */
static LAB_UNUSED struct explore_result lab_all(void (*body)(void), unsigned preemptions, unsigned deviations)
{
    struct explore_options options = {.preemptions_max = preemptions, .deviations_max = deviations,
                                      .on_outcome = lab_print};
    struct explore_result r;

    lab_body = body;
    r = explore_dfs(&lab, &lab_empty, &options);
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(r.verdicts[VERDICT_PASS], r.executions);
    return r;
}

/* ---- what the last execution told */

static LAB_UNUSED unsigned lab_count(uint16_t kind, int64_t value)
{
    unsigned kept, found = 0;
    const struct event *log = event_log(&kept);

    for (unsigned i = 0; i < kept; i++)
        found += log[i].kind == kind && (value == INT64_MIN || log[i].value == value);
    return found;
}

static LAB_UNUSED const struct event *lab_find(uint16_t kind, int64_t value)
{
    unsigned kept;
    const struct event *log = event_log(&kept);

    for (unsigned i = 0; i < kept; i++)
        if (log[i].kind == kind && (value == INT64_MIN || log[i].value == value))
            return &log[i];
    return NULL;
}

#define LAB_ANY_VALUE INT64_MIN

/* The body is told of once, for this and nothing else. */
static LAB_UNUSED void lab_only_misuse(void (*body)(void), enum misuse what)
{
    lab_run(body);
    assert_int_equal(lab_count(EV_MISUSE, what), 1);
    assert_int_equal(lab_count(EV_MISUSE, LAB_ANY_VALUE), 1);
    assert_int_equal(lab_count(EV_ACCESS, LAB_ANY_VALUE), 0);
}

static LAB_UNUSED void lab_only_access(void (*body)(void), enum access_fault what)
{
    lab_run(body);
    assert_int_equal(lab_count(EV_ACCESS, what), 1);
    assert_int_equal(lab_count(EV_ACCESS, LAB_ANY_VALUE), 1);
    assert_int_equal(lab_count(EV_MISUSE, LAB_ANY_VALUE), 0);
}

static LAB_UNUSED void lab_clean(void (*body)(void))
{
    struct outcome o = lab_run(body);

    assert_int_equal(o.verdict, VERDICT_PASS);
    assert_int_equal(lab_count(EV_MISUSE, LAB_ANY_VALUE), 0);
    assert_int_equal(lab_count(EV_ACCESS, LAB_ANY_VALUE), 0);
    assert_int_equal(lab_count(EV_RACE, LAB_ANY_VALUE), 0);
}

/* What module code does to memory, as the compiler's hooks tell it: those of one instruction, or memory.c. */
static LAB_UNUSED void lab_access(const void *address, size_t size, bool write)
{
    if (size && size <= CELL && (size & (size - 1)) == 0)
        hook_access(address, size, write, NULL);
    else
        memory_access(address, size, write, NULL);
}

static LAB_UNUSED void lab_load(const void *address, size_t size)
{
    lab_access(address, size, false);
}

static LAB_UNUSED void lab_store(const void *address, size_t size)
{
    lab_access(address, size, true);
}

#endif
