/*
 * test_scenario.c - the three spellings of a scenario say the same.
 *
 * Guards: bytes and text are lossless over what a scenario can hold, decoding accepts any bytes and gives only
 * canonical records, and each mistake in a text is named with its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenario.h"

static const char *const faults[] = {"ok", "fail", "no-memory", NULL};
static const char *const ids[] = {"guid", "null", NULL};
static const char *const numbers[] = {"0", "1", "65535", NULL};

enum { NOWHERE, REGISTER, CALL, LOCK, ALLOCATE, ID, VERSION, ORDER, BOTH, SITES };

static const struct site sites[SITES] = {
    [NOWHERE] = {"none", 0, NULL},
    [REGISTER] = {"register", 1u << CHOICE_OP, NULL},
    [CALL] = {"call", 1u << CHOICE_OP, NULL},
    [LOCK] = {"KeAcquireSpinLock", 1u << CHOICE_SWITCH, NULL},
    [ALLOCATE] = {"ExAllocatePool", 1u << CHOICE_FAULT, faults},
    [ID] = {"module-id", 1u << CHOICE_PEER, ids},
    [VERSION] = {"version", 1u << CHOICE_PEER, numbers},
    [ORDER] = {"detach-order", 1u << CHOICE_SYSTEM, (const char *const[]){"client-first", "provider-first", NULL}},
    [BOTH] = {"NmrRegisterClient", 1u << CHOICE_SWITCH | 1u << CHOICE_FAULT, faults},
};

static const struct vocabulary words = {
    .sites = sites, .site_count = SITES, .kind_names = {"op", "peer", "switch", "fault", "nmr"},
    .driving_prefix = "t", .driving_count = 4, .worker_prefix = "w", .peer_prefix = "c", .peer_count = 3};

/* xorshift: the tests draw the same inputs everywhere */
static uint64_t noise = 0x9E3779B97F4A7C15u;

static uint8_t next_byte(void)
{
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    return (uint8_t)(noise >> 32);
}

/* Bytes that are records of small fields now and then, so that many of them decode to something. */
static size_t draw_bytes(uint8_t *bytes, size_t capacity)
{
    const size_t size = (size_t)(next_byte() | next_byte() << 8) % (capacity + 1);
    const bool tame = next_byte() % 4 != 0;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = next_byte();
        if (tame && i % 8 < 3)
            bytes[i] = (uint8_t)(bytes[i] % (i % 8 == 1 ? 20 : i % 8 == 0 ? CHOICE_KINDS : SITES));
    }
    if (size >= 8 && next_byte() % 2)
        memcpy(bytes, "NMC\1", 4);
    return size;
}

static void assert_canonical(const struct scenario *s)
{
    assert_true(s->count <= SCENARIO_RECORDS_MAX);
    for (unsigned i = 0; i < s->count; i++) {
        const struct record *r = &s->records[i];

        assert_true(r->kind < CHOICE_KINDS);
        assert_true(r->site < SITES);
        assert_true(sites[r->site].kinds & 1u << r->kind);
        assert_int_equal(r->zero, 0);
        assert_true(r->thread < (r->kind == CHOICE_OP ? 4 : r->kind == CHOICE_PEER ? 3 : THREADS_MAX));
        if (r->kind == CHOICE_OP)
            assert_true(r->nth < 3);
        else if (r->kind == CHOICE_SWITCH)
            assert_true(r->value < THREADS_MAX);
        else
            assert_true(r->value > 0 && r->value < site_value_count(&sites[r->site]));
    }
}

static void assert_same(const struct scenario *a, const struct scenario *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->module, b->module);
    assert_memory_equal(a->records, b->records, a->count * sizeof *a->records);
}

static void test_any_bytes_decode_to_canonical_records(void **state)
{
    static uint8_t bytes[SCENARIO_BYTES_MAX + 800], copy[SCENARIO_BYTES_MAX];
    static struct scenario s, again;
    unsigned records = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        const size_t size = draw_bytes(bytes, i % 16 == 0 ? sizeof bytes : 200);
        uint8_t *exact = malloc(size + 1);  /* the address sanitizer sees a read past the end */

        memcpy(exact + 1, bytes, size);
        scenario_decode(&s, &words, exact + 1, size);
        free(exact);
        assert_canonical(&s);
        records += s.count;

        const size_t written = scenario_encode(&s, copy, sizeof copy);
        assert_int_equal(written, 8 + 8 * s.count);
        assert_true(scenario_is_binary(copy, written));
        scenario_decode(&again, &words, copy, written);
        assert_same(&s, &again);
    }
    assert_true(records > 50000);
}

static size_t print(const struct scenario *s, const char *module, const char *comment, char *text, size_t capacity)
{
    FILE *out = fmemopen(text, capacity, "w");

    assert_non_null(out);
    scenario_print(s, &words, module, comment, out);
    assert_int_equal(fclose(out), 0);
    return strlen(text);
}

static void test_text_is_lossless(void **state)
{
    static uint8_t bytes[SCENARIO_BYTES_MAX];
    static struct scenario s, again;
    static char text[SCENARIO_RECORDS_MAX * 80];

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        char module[SCENARIO_MODULE_MAX];
        struct scenario_error error;

        scenario_decode(&s, &words, bytes, draw_bytes(bytes, i % 16 == 0 ? sizeof bytes : 200));
        s.module = scenario_module_hash("exnpi");
        const size_t size = print(&s, "exnpi", i % 2 ? "two lines\nof comment" : NULL, text, sizeof text);
        assert_true(scenario_is_text((uint8_t *)text, size));
        if (!scenario_parse(&again, &words, text, size, module, &error))
            fail_msg("line %u: %s", error.line, error.reason);
        assert_string_equal(module, "exnpi");
        assert_same(&s, &again);
    }
}

static void test_text_looks_like_the_manual(void **state)
{
    static const char expected[] =
        "# a comment\n#\n# of three lines\n"
        "module exnpi_refcounted\n"
        "op     t1 register c0\n"
        "op     t2 call c1 2\n"
        "peer   c0 module-id = null\n"
        "peer   c2 version #2 = 65535\n"
        "switch t2 at KeAcquireSpinLock #3 -> t1\n"
        "switch w11 at NmrRegisterClient #65536 -> w0\n"
        "fault  t0 at ExAllocatePool #1 = fail\n"
        "nmr    t0 at detach-order #1 = provider-first\n";
    static const struct scenario s = {.module = 1, .count = 8, .records = {
        {CHOICE_OP, 1, REGISTER, 0, 0, 0}, {CHOICE_OP, 2, CALL, 0, 1, 2},
        {CHOICE_PEER, 0, ID, 0, 0, 1}, {CHOICE_PEER, 2, VERSION, 0, 1, 2},
        {CHOICE_SWITCH, 2, LOCK, 0, 2, 1}, {CHOICE_SWITCH, 15, BOTH, 0, 65535, 4},
        {CHOICE_FAULT, 0, ALLOCATE, 0, 0, 1}, {CHOICE_SYSTEM, 0, ORDER, 0, 0, 1}}};
    char text[1024];

    (void)state;
    print(&s, "exnpi_refcounted", "a comment\n\nof three lines\n", text, sizeof text);
    assert_string_equal(text, expected);
}

static bool parse(struct scenario *s, const char *text, char module[SCENARIO_MODULE_MAX], struct scenario_error *e)
{
    return scenario_parse(s, &words, text, strlen(text), module, e);
}

static void test_parser_is_tolerant(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF# found on a Tuesday\r\n"
        "\r\n"
        "  module   exnpi  # the parent\r\n"
        "op t1 register\r\n"             /* counterpart 0 */
        "\top\tt2  call c0 2 # why\r\n"
        "switch t2 at KeAcquireSpinLock #3->t1   # 3 and not 2\r\n"
        "peer c0 module-id=null\r\n"
        "#op t1 call c0\r\n"
        "#1 is not a record\r\n"
        "fault t0 at ExAllocatePool #1 = ok\r\n"  /* the dull answer */
        "nmr t0 at detach-order #1 = provider-first";
    static struct scenario s;
    char module[SCENARIO_MODULE_MAX];
    struct scenario_error error;

    (void)state;
    if (!parse(&s, text, module, &error))
        fail_msg("line %u: %s", error.line, error.reason);
    assert_string_equal(module, "exnpi");
    assert_int_equal(s.module, scenario_module_hash("exnpi"));
    assert_int_equal(s.count, 5);
    assert_int_equal(s.records[1].value, 2);
    assert_int_equal(s.records[2].nth, 2);
    assert_int_equal(s.records[4].kind, CHOICE_SYSTEM);
    assert_true(parse(&s, "", module, &error));
    assert_int_equal(s.count, 0);
    assert_int_equal(s.module, 0);
    assert_string_equal(module, "");
}

static void test_each_mistake_is_named(void **state)
{
    static const struct { const char *text; unsigned line; const char *reason; } cases[] = {
        {"frobnicate t1", 1, "unknown kind of record 'frobnicate'"},
        {"\n\nfault t0 at KeFoo #1 = fail", 3, "unknown site 'KeFoo'"},
        {"fault t0 at KeAcquireSpinLock #1 = fail", 1, "site 'KeAcquireSpinLock' has no 'fault' choice"},
        {"fault t0 at none #1 = fail", 1, "unknown site 'none'"},
        {"fault t0 at", 1, "expected a site"},
        {"op t4 call c0", 1, "unknown thread 't4'"},
        {"op w0 call c0", 1, "'w0' is not a driving thread: t0 to t3 are"},
        {"op", 1, "expected a thread"},
        {"switch w12 at KeAcquireSpinLock #1 -> t0", 1, "unknown thread 'w12'"},
        {"op t1 call c3", 1, "unknown counterpart 'c3'"},
        {"peer", 1, "expected a counterpart"},
        {"op t1 call c0 notify", 1, "argument 'notify' is not a number from 0 to 65535"},
        {"op t1 call c0 65536", 1, "argument '65536' is not a number from 0 to 65535"},
        {"op t1 call c0 1 2", 1, "unexpected '2' at the end of the line"},
        {"switch t1 KeAcquireSpinLock", 1, "expected 'at' instead of 'KeAcquireSpinLock'"},
        {"switch t1", 1, "expected 'at' before the end of the line"},
        {"switch t1 at KeAcquireSpinLock -> t2", 1, "expected a visit number such as #1 instead of '->'"},
        {"switch t1 at KeAcquireSpinLock", 1, "expected a visit number such as #1 before the end of the line"},
        {"switch t1 at KeAcquireSpinLock #0 -> t2", 1, "visit number 0 is not in 1 to 65536"},
        {"switch t1 at KeAcquireSpinLock #65537 -> t2", 1, "visit number 65537 is not in 1 to 65536"},
        {"switch t1 at KeAcquireSpinLock #1x -> t2", 1, "expected a visit number such as #1 instead of '#1x'"},
        {"switch t1 at KeAcquireSpinLock #1 = t2", 1, "expected '->' instead of '='"},
        {"fault t0 at ExAllocatePool #1", 1, "expected '=' before the end of the line"},
        {"fault t0 at ExAllocatePool #1 = lost", 1,
         "unknown answer 'lost' of 'ExAllocatePool'; there are: ok fail no-memory"},
        {"fault t0 at ExAllocatePool #1 =", 1, "expected an answer of 'ExAllocatePool': ok fail no-memory"},
        {"peer c0 module-id null", 1, "expected '=' instead of 'null'"},
        {"peer c0 module-id", 1, "expected '=' before the end of the line"},
        {"module", 1, "expected a module name"},
        {"module a\nmodule b", 2, "a second 'module' line"},
        {"op t1 call c0\nmodule a", 2, "the 'module' line must come before the records"},
        {"module a b", 1, "unexpected 'b' at the end of the line"},
        {"module a123456789b123456789c123456789d123456789e123456789f123456789gxyz", 1,
         "the module name is longer than 63 characters"},
        {"op\x01 t1", 1, "unknown kind of record 'op?'"},
    };
    static struct scenario s;

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char module[SCENARIO_MODULE_MAX];
        struct scenario_error error;

        assert_false(parse(&s, cases[i].text, module, &error));
        assert_string_equal(error.reason, cases[i].reason);
        assert_int_equal(error.line, cases[i].line);
    }
}

static void test_too_many_records(void **state)
{
    static char text[(SCENARIO_RECORDS_MAX + 1) * 16];
    static struct scenario s;
    char module[SCENARIO_MODULE_MAX];
    struct scenario_error error;

    (void)state;
    for (unsigned i = 0; i < SCENARIO_RECORDS_MAX; i++)
        strcat(text, "op t1 call c0\n");
    assert_true(parse(&s, text, module, &error));
    assert_false(scenario_add(&s, s.records[0]));
    strcat(text, "op t1 call c0\n");
    assert_false(parse(&s, text, module, &error));
    assert_int_equal(error.line, SCENARIO_RECORDS_MAX + 1);
    assert_string_equal(error.reason, "more than 256 records");
}

static void test_parser_survives_any_text(void **state)
{
    static const char alphabet[] = "op t1c0 =->#123\n\r\tatswitch KeAcquireSpinLock module-id";
    static struct scenario s;
    unsigned accepted = 0;

    (void)state;
    for (unsigned i = 0; i < 50000; i++) {
        const size_t size = next_byte() % 64;
        char *text = malloc(size + 1);
        char module[SCENARIO_MODULE_MAX];
        struct scenario_error error;

        for (size_t k = 0; k < size; k++)
            text[k] = i % 2 ? alphabet[next_byte() % (sizeof alphabet - 1)] : (char)next_byte();
        if (scenario_parse(&s, &words, text, size, module, &error)) {
            assert_canonical(&s);
            accepted++;
        } else {
            assert_true(error.line > 0);
            assert_true(strlen(error.reason) > 0 && strlen(error.reason) < sizeof error.reason);
            assert_null(strchr(error.reason, '\n'));
        }
        free(text);
    }
    assert_true(accepted > 0);
}

static void test_encode_writes_whole_records(void **state)
{
    const struct scenario s = {.module = 0x11223344, .count = 2, .records = {
        {CHOICE_OP, 1, CALL, 0, 2, 0x0102}, {CHOICE_SWITCH, 3, LOCK, 0, 0x0304, 2}}};
    static const uint8_t expected[] = {'N', 'M', 'C', 1, 0x44, 0x33, 0x22, 0x11,
                                       0, 1, CALL, 0, 2, 0, 2, 1, 2, 3, LOCK, 0, 4, 3, 2, 0};
    uint8_t bytes[32];

    (void)state;
    for (size_t capacity = 0; capacity <= sizeof bytes; capacity++) {
        const size_t size = scenario_encode(&s, bytes, capacity);

        assert_int_equal(size, capacity < 8 ? 0 : capacity < 16 ? 8 : capacity < 24 ? 16 : 24);
        assert_memory_equal(bytes, expected, size);
    }
}

static void test_format_respects_capacity(void **state)
{
    const struct record r = {CHOICE_SWITCH, 2, LOCK, 0, 2, 1};
    char line[80];

    (void)state;
    for (size_t capacity = 1; capacity < sizeof line; capacity++) {
        memset(line, 'x', sizeof line);
        const size_t length = record_format(&r, &words, line, capacity);
        assert_true(length < capacity);
        assert_int_equal(line[length], '\0');
        assert_int_equal(line[capacity], 'x');
    }
    assert_int_equal(record_format(&r, &words, line, 0), 0);
    const size_t length = record_format(&(struct record){9, 9, 99, 0, 9, 9}, &words, line, sizeof line);
    assert_int_equal(length, strlen(line));
}

static void test_kinds_of_input(void **state)
{
    (void)state;
    assert_true(scenario_is_binary((const uint8_t *)"NMC\1", 4));
    assert_false(scenario_is_binary((const uint8_t *)"NM", 2));
    assert_true(scenario_is_text((const uint8_t *)"op t1\r\n# \xC3\xA9", 10));
    assert_false(scenario_is_text((const uint8_t *)"op t1\0", 6));
    assert_false(scenario_is_text((const uint8_t *)"", 0));
    assert_int_not_equal(scenario_module_hash(""), 0);
    assert_int_equal(scenario_module_hash("a"), 0xE40C292C);
}

static void test_vocabulary(void **state)
{
    (void)state;
    assert_int_equal(site_value_count(&sites[LOCK]), 1);
    assert_int_equal(site_value_count(&sites[ALLOCATE]), 3);
    assert_int_equal(vocabulary_find(&words, CHOICE_FAULT, "NmrRegisterClient"), BOTH);
    assert_int_equal(vocabulary_find(&words, CHOICE_PEER, "NmrRegisterClient"), -1);
    assert_int_equal(vocabulary_find(&words, CHOICE_OP, "cal"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_bytes_decode_to_canonical_records),
        cmocka_unit_test(test_text_is_lossless),
        cmocka_unit_test(test_text_looks_like_the_manual),
        cmocka_unit_test(test_parser_is_tolerant),
        cmocka_unit_test(test_each_mistake_is_named),
        cmocka_unit_test(test_too_many_records),
        cmocka_unit_test(test_parser_survives_any_text),
        cmocka_unit_test(test_encode_writes_whole_records),
        cmocka_unit_test(test_format_respects_capacity),
        cmocka_unit_test(test_kinds_of_input),
        cmocka_unit_test(test_vocabulary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
