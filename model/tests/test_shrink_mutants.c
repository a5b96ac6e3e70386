/*
 * test_shrink_mutants.c - long findings of real modules become short ones, at a bearable cost.
 *
 * The findings of random executions of each mutant are joined until they have a hundred records and more, as what
 * fuzzers leave behind has.  Guards: no record of the shrunk scenario can be spared, no operation can be left to a
 * thread with a lower number that has others, and most take less than 300 executions to shrink.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "execution.h"
#include "explore.h"
#include "kernel/kernel.h"
#include "shrink.h"
#include "sites.h"
#include "test_faults.h"
#include "world.h"

enum { RECORDS_WANTED = 120, EXECUTIONS_MAX = 500, FINDINGS_MAX = 1024, REPLAYS_TYPICAL = 300 };

/* What AddressSanitizer sees of mutants is a finding and not the end. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0:detect_leaks=0:halt_on_error=0:suppress_equal_pcs=0";
}

struct pile { struct scenario joined, last; };

static bool gather(void *context, const struct outcome *o, const struct scenario *s)
{
    struct pile *pile = context;

    if (o->verdict != VERDICT_FINDING)
        return true;
    pile->last = *s;
    for (unsigned i = 0; i < s->count; i++)
        scenario_add(&pile->joined, s->records[i]);
    return pile->joined.count < RECORDS_WANTED;
}

/* The joined scenario, or the last of its parts when it shows no finding.  False: nothing was found. */
static bool find(const struct program *p, struct scenario *s)
{
    static struct pile pile;
    struct explore_options options = {.keep_going = true, .context = &pile, .on_outcome = gather};

    pile.joined.count = pile.last.count = 0;
    explore_random(p, NULL, 1, 0, EXECUTIONS_MAX, &options);
    *s = execution_replay(p, &pile.joined).verdict == VERDICT_FINDING ? pile.joined : pile.last;
    return execution_replay(p, s).verdict == VERDICT_FINDING;
}

static bool shows(const struct program *p, const struct scenario *s, uint64_t fingerprint)
{
    struct outcome o = execution_replay(p, s);

    return o.verdict == VERDICT_FINDING && o.finding.fingerprint == fingerprint;
}

static bool can_spare_one(const struct program *p, const struct scenario *s, uint64_t fingerprint)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct scenario less = {.module = s->module};

        for (unsigned k = 0; k < s->count; k++)
            if (k != i)
                scenario_add(&less, s->records[k]);
        if (shows(p, &less, fingerprint))
            return true;
    }
    return false;
}

static bool can_move_one(const struct program *p, const struct scenario *s, uint64_t fingerprint)
{
    for (unsigned i = 0; i < s->count; i++) {
        for (unsigned k = 0; k < s->count; k++) {
            struct scenario moved = *s;

            moved.records[i].thread = s->records[k].thread;
            if (s->records[i].kind == CHOICE_OP && s->records[k].kind == CHOICE_OP &&
                s->records[k].thread < s->records[i].thread && shows(p, &moved, fingerprint))
                return true;
        }
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

static void print_row(const char *name, unsigned *numbers, unsigned count)
{
    qsort(numbers, count, sizeof *numbers, compare);
    print_message("%-16s %7u %7u %7u\n", name, numbers[count / 2], numbers[count * 9 / 10], numbers[count - 1]);
}

static void test_long_findings_become_short(void **state)
{
    static unsigned before[FINDINGS_MAX], after[FINDINGS_MAX], replays[FINDINGS_MAX];
    unsigned count = 0, expensive = 0;

    (void)state;
    faults_take();
    sanitizer_keep_quiet();
    for (unsigned i = 0; i < module_count && count < FINDINGS_MAX; i++) {
        const struct program *p = world_program(modules[i]);
        struct shrink_result r;
        struct scenario s;
        uint64_t fingerprint;

        if (!modules[i]->parent || !find(p, &s))
            continue;
        fingerprint = execution_replay(p, &s).finding.fingerprint;
        before[count] = s.count;
        r = shrink(p, &s, fingerprint);
        assert_true(r.reproduced);
        if (can_spare_one(p, &s, fingerprint))
            fail_msg("%s: a record can be spared", modules[i]->image.name);
        if (can_move_one(p, &s, fingerprint))
            fail_msg("%s: an operation can be moved", modules[i]->image.name);
        after[count] = s.count;
        replays[count++] = r.replays;
        expensive += r.replays > REPLAYS_TYPICAL;
    }
    print_message("%3u findings       median    90 %%     all\n", count);
    print_row("records", before, count);
    print_row("records left", after, count);
    print_row("executions", replays, count);
    assert_true(count > 80);
    assert_true(expensive <= count / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_findings_become_short),
    };

    faults_keep();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
