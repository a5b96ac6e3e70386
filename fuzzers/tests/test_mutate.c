/*
 * test_mutate.c - what engines rely on: results fit, are canonical, differ, repeat, and trimming ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mutate.h"
#include "sites.h"

/* What an execution might have asked, and some of it nonsense: under AFL++ it comes from another process. */
static const struct choice_point asked[] = {
    {.kind = CHOICE_SWITCH, .thread = 1, .site = SITE_KE_ACQUIRE_SPIN_LOCK, .nth = 7, .options = 3, .enabled = 0x0E,
     .dull = 1},
    {.kind = CHOICE_SWITCH, .thread = 2, .site = SITE_IN_CALL, .nth = 300, .options = 2, .enabled = 0x8004, .dull = 2},
    {.kind = CHOICE_FAULT, .thread = 2, .site = SITE_ALLOCATE, .nth = 41, .options = 2},
    {.kind = CHOICE_PEER, .thread = 1, .site = SITE_PEER_ATTACH, .nth = 5, .options = 5},
    {.kind = CHOICE_SYSTEM, .thread = 3, .site = SITE_ND_FAILED_OUTS, .nth = 2, .options = 3},
    {.kind = 77, .thread = 3, .site = SITE_ND_FAILED_OUTS, .nth = 2, .options = 3},
    {.kind = CHOICE_FAULT, .thread = 200, .site = SITE_ALLOCATE, .options = 9},
    {.kind = CHOICE_PEER, .thread = 9, .site = SITE_PEER_ATTACH, .options = 900},
    {.kind = CHOICE_SYSTEM, .thread = 0, .site = 250, .options = 0},
    {.kind = CHOICE_SWITCH, .thread = 0, .site = SITE_IN_CALL, .options = 2, .enabled = 0xFFFF0000u, .dull = 200},
};
enum { ASKED = sizeof asked / sizeof *asked, ASKED_SOUND = 5 };

static struct mutator plain = {.words = &model_words, .module = 0x12345678};
static struct mutator aimed = {.words = &model_words, .module = 0x12345678, .asked = asked, .asked_count = ASKED};

static void assert_canonical_bytes(const uint8_t *bytes, size_t size)
{
    static struct scenario s;
    static uint8_t again[SCENARIO_BYTES_MAX];

    assert_int_equal(size % 8, 0);
    scenario_decode(&s, &model_words, bytes, size);
    assert_int_equal(8 + 8 * s.count, size);
    assert_int_equal(scenario_encode(&s, again, sizeof again), size);
    assert_memory_equal(bytes, again, size);
    assert_int_equal(s.module, 0x12345678);
}

static void test_results_fit_are_canonical_and_repeat(void **state)
{
    static uint8_t bytes[SCENARIO_BYTES_MAX + 64], copy[sizeof bytes];
    size_t size = 0;
    unsigned unchanged = 0, count = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 200000; seed++) {
        static const size_t capacities[] = {8, 16, 17, 64, 100, SCENARIO_BYTES_MAX, sizeof bytes};
        const size_t capacity = seed % 64 == 0 ? capacities[seed / 64 % 7] : 600;
        const struct mutator *m = seed % 3 ? &aimed : &plain;
        uint8_t before[sizeof bytes];
        const size_t old = size;

        memcpy(copy, bytes, size);
        memcpy(before, bytes, size);
        memset(bytes + capacity, 0xEE, sizeof bytes - capacity);
        size = mutate(m, bytes, old, capacity, 1 + seed % 16, seed);
        assert_true(size >= 8 && size <= capacity);
        for (size_t i = capacity; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], 0xEE);
        assert_canonical_bytes(bytes, size);
        assert_int_equal(mutate(m, copy, old, capacity, 1 + seed % 16, seed), size);
        assert_memory_equal(bytes, copy, size);
        if (capacity >= 600 && old <= capacity) {
            count++;
            unchanged += old == size && memcmp(before, bytes, size) == 0;
        }
    }
    assert_true(count > 100000);
    assert_true(unchanged < count / 100);
}

static void test_any_input_can_be_mutated(void **state)
{
    uint64_t noise = 88172645463325252u;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t bytes[256];
        const size_t size = i % 200;

        for (size_t k = 0; k < size; k++) {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            bytes[k] = (uint8_t)(noise >> 24);
        }
        assert_canonical_bytes(bytes, mutate(&aimed, bytes, size, sizeof bytes, 1, i));
    }
}

static void test_no_room_leaves_bytes_alone(void **state)
{
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    for (size_t capacity = 0; capacity < 8; capacity++)
        for (size_t size = 0; size <= capacity; size++)
            assert_int_equal(mutate(&plain, bytes, size, capacity, 3, capacity), size);
    assert_int_equal(bytes[6], 7);
    assert_int_equal(mutate_crossover(&plain, bytes, 8, bytes, 8, bytes, 7, 1), 0);
}

/* Without a trace, every kind of record at every site can be made; with one, its anchors are used. */
static void test_everything_can_be_reached(void **state)
{
    static uint8_t bytes[SCENARIO_BYTES_MAX];
    static bool seen[CHOICE_KINDS][SITE_COUNT], used[ASKED_SOUND];
    size_t size = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 200000; seed++) {
        static struct scenario s;

        size = mutate(seed % 2 ? &aimed : &plain, bytes, seed % 8 ? size : 0, 400, 1, seed);
        scenario_decode(&s, &model_words, bytes, size);
        for (unsigned i = 0; i < s.count; i++) {
            const struct record *r = &s.records[i];

            seen[r->kind][r->site] = true;
            for (unsigned k = 0; k < ASKED_SOUND; k++)
                used[k] |= r->kind == asked[k].kind && r->thread == asked[k].thread && r->site == asked[k].site
                    && r->nth == asked[k].nth;
        }
    }
    for (unsigned i = 0; i < SITE_COUNT; i++)
        for (unsigned kind = 0; kind < CHOICE_KINDS; kind++)
            assert_int_equal(seen[kind][i],
                             (model_words.sites[i].kinds >> kind & 1) && !site_is_setting(&model_words.sites[i]));
    for (unsigned k = 0; k < ASKED_SOUND; k++)
        assert_true(used[k]);
}

static unsigned bytes_calls;

static size_t flip(uint8_t *bytes, size_t size, size_t capacity)
{
    assert_true(size <= capacity);
    bytes_calls++;
    if (bytes_calls % 3 == 0)
        return 0;                           /* AFL++'s driver has a stub that always does this */
    if (size < capacity)
        bytes[size++] = 0xFF;
    bytes[bytes_calls % size] ^= (uint8_t)(1u << bytes_calls % 8);
    return size;
}

static void test_engine_gets_its_share(void **state)
{
    struct mutator m = aimed;
    uint8_t bytes[512];
    size_t size = 0;

    (void)state;
    m.mutate_bytes = flip;
    for (uint64_t seed = 0; seed < 40000; seed++) {
        size = mutate(&m, bytes, size, seed % 16 ? sizeof bytes : 64, 1, seed);
        assert_canonical_bytes(bytes, size);
    }
    assert_in_range(bytes_calls, 4000, 6000);
}

static bool contains(const struct scenario *s, const struct record *r)
{
    for (unsigned i = 0; i < s->count; i++)
        if (memcmp(&s->records[i], r, sizeof *r) == 0)
            return true;
    return false;
}

static void test_children_have_their_parents_records(void **state)
{
    static uint8_t bytes[3][SCENARIO_BYTES_MAX];
    static struct scenario s[3];
    size_t sizes[3];
    unsigned mixed = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 5000; seed++) {
        const size_t capacity = seed % 4 ? SCENARIO_BYTES_MAX : 80;
        bool from[2] = {false, false};

        sizes[0] = mutate(&plain, bytes[0], 0, 400, 20, seed);
        sizes[1] = mutate(&aimed, bytes[1], 0, 400, 20, ~seed);
        sizes[2] = mutate_crossover(&plain, bytes[0], sizes[0], bytes[1], sizes[1], bytes[2], capacity, seed);
        assert_true(sizes[2] <= capacity);
        assert_canonical_bytes(bytes[2], sizes[2]);
        for (unsigned i = 0; i < 3; i++)
            scenario_decode(&s[i], &model_words, bytes[i], sizes[i]);
        for (unsigned i = 0; i < s[2].count; i++) {
            const bool a = contains(&s[0], &s[2].records[i]), b = contains(&s[1], &s[2].records[i]);

            assert_true(a || b);
            from[0] |= a && !b;
            from[1] |= b && !a;
        }
        mixed += from[0] && from[1];
    }
    assert_true(mixed > 3000);
}

/* Whatever is answered, trimming ends after as many steps as it announced; wanted records survive it. */
static void test_trim_advances_strictly(void **state)
{
    static uint8_t bytes[SCENARIO_BYTES_MAX], candidate[SCENARIO_BYTES_MAX];
    static struct scenario s;
    static struct trim t;

    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        const size_t size = mutate(&plain, bytes, 0, SCENARIO_BYTES_MAX, (unsigned)(seed % 60), seed);
        const unsigned steps = trim_begin(&t, &model_words, bytes, size);
        unsigned step = 0, wanted = 0, left = 0;

        scenario_decode(&s, &model_words, bytes, size);
        assert_int_equal(steps, s.count);
        for (unsigned i = 0; i < s.count; i++)
            wanted += s.records[i].kind == CHOICE_SWITCH;
        while (step < steps) {
            unsigned kept = 0;

            scenario_decode(&s, &model_words, candidate, trim_candidate(&t, candidate, sizeof candidate));
            for (unsigned i = 0; i < s.count; i++)
                kept += s.records[i].kind == CHOICE_SWITCH;
            const unsigned next = trim_judge(&t, kept == wanted);
            assert_int_equal(next, step + 1);
            step = next;
        }
        assert_int_equal(trim_judge(&t, true), steps);
        for (unsigned i = 0; i < t.best.count; i++)
            left += t.best.records[i].kind == CHOICE_SWITCH;
        assert_int_equal(left, wanted);
        assert_int_equal(t.best.count, wanted);
    }
}

static void test_texts_are_inputs(void **state)
{
    static const char text[] = "module exnpi\nop t1 call c0 2\nswitch t1 at KeAcquireSpinLock #1 -> t2\n";
    static struct scenario s;
    uint8_t bytes[200];

    (void)state;
    mutate_read(&s, &model_words, (const uint8_t *)text, strlen(text));
    assert_int_equal(s.count, 2);
    assert_int_equal(s.module, scenario_module_hash("exnpi"));
    memcpy(bytes, text, sizeof text);
    assert_canonical_bytes(bytes, mutate(&plain, bytes, strlen(text), sizeof bytes, 1, 1));
    mutate_read(&s, &model_words, (const uint8_t *)"op t1 cal", 9);     /* no text after all: any bytes */
    assert_int_equal(s.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_fit_are_canonical_and_repeat),
        cmocka_unit_test(test_any_input_can_be_mutated),
        cmocka_unit_test(test_no_room_leaves_bytes_alone),
        cmocka_unit_test(test_everything_can_be_reached),
        cmocka_unit_test(test_engine_gets_its_share),
        cmocka_unit_test(test_children_have_their_parents_records),
        cmocka_unit_test(test_trim_advances_strictly),
        cmocka_unit_test(test_texts_are_inputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
