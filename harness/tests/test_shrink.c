/*
 * test_shrink.c - what a shrunk scenario promises: the same fingerprint, no record to spare, few threads, always the
 * same result.
 *
 * The toy world has threads that add to a counter without a lock (rule 1: a lost update), an allocation whose
 * failure hurts only with an odd counterpart (rule 2), and an operation that dislikes large arguments (rule 3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "shrink.h"
#include "strategy.h"

enum { END, ADD, ALLOCATE, ARGUMENT, STEP, MANNERS, SITES };

static const struct site sites[SITES] = {
    [END] = {"end", 1u << CHOICE_SWITCH, NULL},
    [ADD] = {"add", 1u << CHOICE_OP, NULL},
    [ALLOCATE] = {"allocate", 1u << CHOICE_OP | 1u << CHOICE_FAULT, (const char *const[]){"ok", "fail", "late", NULL}},
    [ARGUMENT] = {"argument", 1u << CHOICE_OP, NULL},
    [STEP] = {"step", 1u << CHOICE_SWITCH, NULL},
    [MANNERS] = {"manners", 1u << CHOICE_PEER, (const char *const[]){"plain", "odd", "rude", NULL}},
};

static const struct vocabulary words = {
    .sites = sites, .site_count = SITES, .kind_names = {"op", "peer", "switch", "fault", "system"},
    .driving_prefix = "t", .driving_count = 4, .worker_prefix = "w", .peer_prefix = "c", .peer_count = 2,
    .end_site = END};

static const struct scenario *script;
static unsigned counter, added;

static void run_op(const struct record *r)
{
    sched_point(STEP);
    if (r->site == ADD) {
        const unsigned seen = counter;

        sched_point(STEP);
        counter = seen + 1;
        if (counter != ++added)
            finding_raise(1, "add", "an update was lost");
    } else if (r->site == ALLOCATE) {
        const unsigned odd = choice_ask(CHOICE_PEER, r->nth, MANNERS, 3);
        const unsigned failed = choice_ask(CHOICE_FAULT, sched_self(), ALLOCATE, 3);

        if (failed && odd == 2)
            finding_raise(2, "allocate", "no memory for a rude counterpart");
    } else if (r->value >= 5) {
        finding_raise(3, "argument", "argument %u", r->value);
    }
    event_emit(1, r->site, r->value, 0, 0, 0, NULL);
}

static void run_ops(void *argument)
{
    const unsigned thread = (unsigned)(uintptr_t)argument;

    for (unsigned i = 0; i < script->count; i++)
        if (script->records[i].kind == CHOICE_OP && script->records[i].thread == thread)
            run_op(&script->records[i]);
}

static void toy_main(void *argument)
{
    script = argument;
    for (unsigned t = 1; t < words.driving_count; t++)
        sched_spawn(1, run_ops, (void *)(uintptr_t)t);
}

static void toy_reset(void)
{
    counter = added = 0;
}

static const struct program toy = {.name = "toy", .words = &words, .reset = toy_reset, .main = toy_main};

static uint64_t fingerprint_of(const struct scenario *s)
{
    const struct outcome o = execution_replay(&toy, s);

    return o.verdict == VERDICT_FINDING ? o.finding.fingerprint : 0;
}

/* Many ops of all sorts, and answers at random; what happened is the scenario. */
static void draw(struct scenario *s, uint64_t index)
{
    struct strategy_random state;
    struct strategy random = strategy_random(&state, 1, index);
    struct scenario ops = {.count = 0};

    if (random.begin != NULL)
        random.begin(&state);
    for (unsigned i = 0; i < 30; i++)
        scenario_add(&ops, (struct record){CHOICE_OP, (uint8_t)random_below(&state, 4),
                                           (uint8_t)(ADD + random_below(&state, 3)), 0,
                                           (uint16_t)random_below(&state, 2), (uint16_t)random_below(&state, 6)});
    execution_run(&toy, &ops, &random);
    execution_scenario(s);
    for (unsigned i = 0; i < 10; i++)       /* records that nothing reaches */
        scenario_add(s, (struct record){CHOICE_SWITCH, 3, STEP, 0, (uint16_t)(500 + i), 1});
}

static void assert_minimal(const struct scenario *s, uint64_t fingerprint)
{
    assert_true(fingerprint_of(s) == fingerprint);
    for (unsigned i = 0; i < s->count; i++) {
        struct scenario less = *s;

        memmove(&less.records[i], &less.records[i + 1], (s->count - i - 1) * sizeof less.records[0]);
        less.count--;
        assert_true(fingerprint_of(&less) != fingerprint);
    }
}

static void test_result_is_minimal_and_the_same_finding(void **state)
{
    unsigned findings = 0;
    uint64_t seen[3] = {0};

    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        struct scenario s, again;

        draw(&s, i);
        const uint64_t fingerprint = fingerprint_of(&s);
        if (fingerprint == 0)
            continue;
        findings++;
        again = s;
        const struct shrink_result r = shrink(&toy, &s, fingerprint);
        assert_true(r.reproduced);
        assert_true(r.replays > 0 && r.replays < 2000);
        assert_true(finding_get()->fingerprint == fingerprint);
        seen[finding_get()->rule - 1]++;
        assert_minimal(&s, fingerprint);

        assert_int_equal(shrink(&toy, &again, fingerprint).replays, r.replays);
        assert_int_equal(s.count, again.count);
        assert_memory_equal(s.records, again.records, s.count * sizeof s.records[0]);
    }
    assert_true(findings > 100);
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

static void assert_text(const struct scenario *s, const char *expected)
{
    char text[512] = "", line[128];

    for (unsigned i = 0; i < s->count; i++) {
        record_format(&s->records[i], &words, line, sizeof line);
        strcat(strcat(text, line), "\n");
    }
    assert_string_equal(text, expected);
}

static void test_numbers_are_lowered(void **state)
{
    struct scenario s = {.count = 2, .module = 77, .records = {
        {CHOICE_OP, 2, ADD, 0, 1, 3}, {CHOICE_OP, 3, ARGUMENT, 0, 1, 999}}};

    (void)state;
    assert_true(shrink(&toy, &s, fingerprint_of(&s)).reproduced);
    assert_text(&s, "op     t1 argument c0 5\n");
    assert_int_equal(s.module, 77);

    s = (struct scenario){.count = 5, .records = {
        {CHOICE_OP, 1, ALLOCATE, 0, 1, 9}, {CHOICE_OP, 1, ALLOCATE, 0, 1, 0},
        {CHOICE_FAULT, 1, ALLOCATE, 0, 1, 2}, {CHOICE_PEER, 1, MANNERS, 0, 0, 1},
        {CHOICE_PEER, 1, MANNERS, 0, 1, 2}}};
    assert_true(shrink(&toy, &s, fingerprint_of(&s)).reproduced);
    assert_true(s.count >= 3);
    assert_minimal(&s, fingerprint_of(&s));
}

static void test_a_lost_update_takes_two_threads(void **state)
{
    struct scenario s = {.count = 4, .records = {
        {CHOICE_OP, 2, ADD, 0, 1, 3}, {CHOICE_OP, 3, ADD, 0, 1, 3}, {CHOICE_OP, 1, ALLOCATE, 0, 0, 0},
        {CHOICE_SWITCH, 2, STEP, 0, 1, 3}}};

    (void)state;
    assert_true(shrink(&toy, &s, fingerprint_of(&s)).reproduced);
    assert_text(&s, "op     t1 add c0\n"
                    "op     t2 add c0\n"
                    "switch t1 at step #2 -> t2\n");
}

static void test_another_fingerprint_is_not_reproduced(void **state)
{
    struct scenario s = {.count = 1, .records = {{CHOICE_OP, 3, ARGUMENT, 0, 0, 5}}};

    (void)state;
    assert_false(shrink(&toy, &s, fingerprint_of(&s) + 1).reproduced);
    assert_int_equal(s.count, 1);
    s.records[0].value = 1;
    assert_false(shrink(&toy, &s, 0).reproduced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_is_minimal_and_the_same_finding),
        cmocka_unit_test(test_numbers_are_lowered),
        cmocka_unit_test(test_a_lost_update_takes_two_threads),
        cmocka_unit_test(test_another_fingerprint_is_not_reproduced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
