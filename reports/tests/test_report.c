/*
 * test_report.c - reports of a world of four events, so that nothing but the reports is tested here.
 *
 * The little world: thread 0 enters a function, allocates, frees, and reads what it freed when the one
 * choice it asks is answered with 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "report.h"
#include "summary.h"

enum { LITTLE_ENTER = 1, LITTLE_LEAVE, LITTLE_ALLOCATE, LITTLE_FREE, LITTLE_NOISE, LITTLE_READ };
enum { SITE_WHETHER = 1, RULE_USE = 7 };

static const char *const answers[] = {"no", "yes", NULL};
static const struct site sites[] = {
    {"none", 0, NULL}, {"whether", 1u << CHOICE_FAULT, answers}, {"end", 1u << CHOICE_SWITCH, NULL},
};
static const struct vocabulary words = {
    .sites = sites, .site_count = 3, .kind_names = {"op", "peer", "switch", "fault", "nmr"}, .driving_prefix = "t",
    .driving_count = 2, .worker_prefix = "w", .peer_prefix = "c", .peer_count = 1, .end_site = 2,
};

static void body(void *script)
{
    (void)script;
    event_emit(LITTLE_ENTER, 0, 0, 0, 0, 0, NULL);
    event_emit(LITTLE_NOISE, 0, 0, 0, 0, 0, NULL);
    event_emit(LITTLE_ALLOCATE, 3, 64, 0, 0, 0, NULL);
    event_emit(LITTLE_FREE, 3, 64, 0, 0, 0, NULL);
    if (choice_ask(CHOICE_FAULT, 0, SITE_WHETHER, 2) == 1) {
        event_emit(LITTLE_READ, 3, 0, 0, 0, 0, NULL);
        finding_raise(RULE_USE, "body", "block %d was read after it was freed", 3);
    }
    event_emit(LITTLE_LEAVE, 0, 0, 0, 0, 0, NULL);
}

static const struct program program = {.name = "little", .words = &words, .main = body};

static void describe(const struct event *log, unsigned kept, unsigned number, struct story_line *line)
{
    static const char *const texts[] = {"?", "enters", "leaves", "allocates", "frees", "noise", "reads"};
    (void)kept;
    line->weight = log[number].kind == LITTLE_NOISE ? STORY_DETAIL : STORY_PLAIN;
    line->nest = log[number].kind == LITTLE_ENTER ? 1 : log[number].kind == LITTLE_LEAVE ? -1 : 0;
    snprintf(line->text, sizeof line->text, "%s", texts[log[number].kind]);
}

static const char *level(unsigned number)
{
    return number == 0 ? "PASSIVE" : "other";
}

static bool rule(uint16_t number, struct report_rule *out)
{
    if (number != RULE_USE)
        return false;
    *out = (struct report_rule){
        .name = "LI-7", .class_name = "documented", .severity = "violation", .source = "book",
        .pages = {"https://example.org/book"},
        .sentence = "Memory that was freed is not read again, and this sentence is long enough to need a second line",
    };
    return true;
}

static unsigned places(const struct event *log, unsigned kept, const struct finding *f,
                       struct report_place out[REPORT_PLACES_MAX])
{
    (void)log, (void)kept, (void)f;
    out[0] = (struct report_place){.what = "block 3 was allocated", .event = 2};
    out[1] = (struct report_place){.what = "block 3 was freed", .event = 3};
    return 2;
}

static const struct report_words little = {
    .tool = "nmrcheck", .describe = describe, .level = level, .rule = rule, .places = places,
};

static struct scenario scenario_of(bool broken)
{
    struct scenario s = {.count = 0};
    if (broken)
        scenario_add(&s, (struct record){.kind = CHOICE_FAULT, .site = SITE_WHETHER, .value = 1});
    return s;
}

static struct report take(const struct scenario *s, const char *path)
{
    struct report r;
    struct outcome o = execution_replay(&program, s);
    report_take(&r, &little, &program, s, &o, path);
    report_resolve(&r);
    return r;
}

/* What was printed; the caller frees it. */
static char *text_of(const struct report *r, bool every_event)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    report_print_text(r, every_event, out);
    fclose(out);
    return text;
}

static void hide(char *text, const char *after)
{
    char *at = strstr(text, after);
    assert_non_null(at);
    for (at += strlen(after); *at != '\0' && *at != '\n'; at++)
        if (*at != ' ')
            *at = 'h';
}

static void finding_as_text(void **state)
{
    static const char expected[] =
        "LI-7 broken by little\n"
        "\n"
        "  what        block 3 was read after it was freed\n"
        "  when        step 4, thread t0, IRQL PASSIVE\n"
        "  rule        Memory that was freed is not read again, and this sentence is long enough to need a\n"
        "              second line\n"
        "  class       documented (violation)\n"
        "  source      https://example.org/book\n"
        "\n"
        "Scenario: 1 record; whatever is not listed takes its dull answer.\n"
        "\n"
        "  fault  t0 at whether #1 = yes\n"
        "\n"
        "Memory\n"
        "\n"
        "  block 3 was allocated, step 2, thread t0\n"
        "  block 3 was freed, step 3, thread t0\n"
        "\n"
        "Story (> marks the step that broke the rule)\n"
        "\n"
        "  step  thread  IRQL      event        source\n"
        "     0  t0      PASSIVE   enters\n"
        "     2  t0      PASSIVE     allocates\n"
        "     3  t0      PASSIVE     frees\n"
        ">    4  t0      PASSIVE     reads\n"
        "  (1 event of less interest not shown; nmrcheck replay --all shows everything)\n"
        "\n"
        "  fingerprint hhhhhhhhhhhhhhhh\n"
        "  event hash  hhhhhhhhhhhhhhhh\n"
        "  replay      nmrcheck replay out/LI-7.scn\n";
    (void)state;
    struct scenario s = scenario_of(true);
    struct report r = take(&s, "out/LI-7.scn");
    char *text = text_of(&r, false);
    hide(text, "fingerprint ");
    hide(text, "event hash ");
    assert_string_equal(text, expected);
    free(text);
}

static void finding_in_brief(void **state)
{
    char *text = NULL;
    size_t size = 0;
    (void)state;
    struct scenario s = scenario_of(true);
    struct report r = take(&s, NULL);
    FILE *out = open_memstream(&text, &size);
    report_print_brief(&r, out);
    fclose(out);
    assert_string_equal(text, "  what        block 3 was read after it was freed\n"
                              "  when        step 4, thread t0, IRQL PASSIVE\n"
                              "\n"
                              "Scenario: 1 record; whatever is not listed takes its dull answer.\n"
                              "\n"
                              "  fault  t0 at whether #1 = yes\n");
    free(text);
}

static void all_events_when_wanted(void **state)
{
    (void)state;
    struct scenario s = scenario_of(true);
    struct report r = take(&s, NULL);
    char *text = text_of(&r, true);
    assert_non_null(strstr(text, "     1  t0      PASSIVE     noise\n"));
    assert_null(strstr(text, "of less interest"));
    assert_null(strstr(text, "  replay "));
    free(text);
}

static void no_finding_as_text(void **state)
{
    (void)state;
    struct scenario s = scenario_of(false);
    struct report r = take(&s, NULL);
    char *text = text_of(&r, false), line[200];
    assert_int_equal(strncmp(text, "little: PASS\n\nScenario: empty: the plain run.\n", 46), 0);
    assert_non_null(strstr(text, "     4  t0      PASSIVE   leaves\n"));
    assert_null(strstr(text, "fingerprint"));
    assert_int_equal(strncmp(report_verdict(&r, line, sizeof line), "PASS, hash ", 11), 0);
    free(text);
}

static void finding_as_json(void **state)
{
    const char *id, *severity, *page, *sentence, *detail, *what, *event, *replay;
    int step;
    (void)state;
    struct scenario s = scenario_of(true);
    struct report r = take(&s, "x.scn");
    json_t *value = report_json(&r);
    assert_int_equal(json_unpack(value, "{s:{s:s, s:i, s:{s:s, s:s, s:s, s:[s]}, s:[{s:s}]}, s:[{s:s}], s:s}",
                                 "finding", "detail", &detail, "step", &step, "rule", "id", &id, "severity", &severity,
                                 "sentence", &sentence, "pages", &page, "memory", "what", &what, "story", "event",
                                 &event, "replay", &replay), 0);
    assert_string_equal(id, "LI-7");
    assert_string_equal(severity, "violation");
    assert_string_equal(page, "https://example.org/book");
    assert_string_equal(detail, "block 3 was read after it was freed");
    assert_string_equal(what, "block 3 was allocated");
    assert_string_equal(event, "enters");
    assert_string_equal(replay, "nmrcheck replay x.scn");
    assert_int_equal(step, 4);
    assert_int_equal(json_array_size(json_object_get(value, "story")), 5);
    json_decref(value);
}

/* ---- files ---------------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_report.XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t slurp(const char *path, char *text, size_t capacity)
{
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t size = fread(text, 1, capacity - 1, in);
    text[size] = '\0';
    fclose(in);
    return size;
}

static unsigned files_in_folder(void)
{
    char command[128];
    unsigned count = 0;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "%u", &count), 1);
    pclose(in);
    return count;
}

static void three_files_and_the_scenario_reads_back(void **state)
{
    struct output_error error;
    struct scenario_error parse_error;
    struct scenario s = scenario_of(true), again;
    char text[4096], module[SCENARIO_MODULE_MAX];
    (void)state;
    struct report r = take(&s, NULL);
    assert_int_equal(report_write(&r, folder, "LI-7", &error), OUTPUT_OK);
    assert_int_equal(files_in_folder(), 3);
    size_t size = slurp(in_folder("LI-7.scn"), text, sizeof text);
    assert_int_equal(strncmp(text, "# LI-7: block 3 was read after it was freed\n# expect LI-7\n# hash ", 65), 0);
    assert_true(scenario_parse(&again, &words, text, size, module, &parse_error));
    assert_string_equal(module, "little");
    assert_int_equal(again.count, 1);
    assert_memory_equal(again.records, s.records, sizeof *s.records);
    json_t *value = json_load_file(in_folder("LI-7.json"), 0, NULL);
    assert_non_null(value);
    json_decref(value);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    struct output o;
    struct output_error error;
    char text[64];
    (void)state;
    assert_int_equal(output_open(&o, in_folder("a"), &error), OUTPUT_OK);
    fputs("old\n", o.file);
    assert_int_equal(output_close(&o, &error), OUTPUT_OK);
    assert_int_equal(output_open(&o, in_folder("a"), &error), OUTPUT_OK);
    fputs("new\n", o.file);
    output_abandon(&o);
    slurp(in_folder("a"), text, sizeof text);
    assert_string_equal(text, "old\n");
    assert_int_equal(files_in_folder(), 1);
}

static void errors_say_what_and_why(void **state)
{
    struct output o;
    struct output_error error;
    (void)state;
    assert_int_equal(output_open(&o, "/nowhere/at/all", &error), OUTPUT_FAILED);
    assert_string_equal(error.path, "/nowhere/at/all");
    assert_string_equal(error.reason, "No such file or directory");
    if (access("/dev/full", W_OK) == 0) {
        assert_int_equal(output_open(&o, "/dev/full", &error), OUTPUT_OK);
        fputs("anything", o.file);
        assert_int_equal(output_close(&o, &error), OUTPUT_FAILED);
        assert_string_equal(error.reason, "No space left on device");
        assert_int_equal(access("/dev/full", F_OK), 0);
    }
    assert_int_equal(output_make_folder(in_folder("x/y/z"), &error), OUTPUT_OK);
    assert_int_equal(output_make_folder(in_folder("x/y/z"), &error), OUTPUT_OK);
    assert_int_equal(output_open(&o, in_folder("file"), &error), OUTPUT_OK);
    assert_int_equal(output_close(&o, &error), OUTPUT_OK);
    assert_int_equal(output_make_folder(in_folder("file/below"), &error), OUTPUT_FAILED);
    assert_string_equal(error.reason, "Not a directory");
}

/* ---- the rest ------------------------------------------------------------------------------------- */

__attribute__((noinline)) static const void *here(void)
{
    return __builtin_return_address(0);
}

static void program_counters_become_source_lines(void **state)
{
    struct symbol s;
    (void)state;
    int line = __LINE__ + 1;
    const void *pc = here();
    symbols_load(&pc, 1);
    if (!symbol_find(pc, &s) || s.line == 0) {
        skip();                             /* neither llvm-symbolizer nor addr2line */
    }
    assert_string_equal(s.file, "reports/tests/test_report.c");
    assert_int_equal(s.line, line);
    assert_string_equal(s.function, "program_counters_become_source_lines");
    assert_false(symbol_find((const char *)pc + 1, &s));
}

static void summary_as_markdown(void **state)
{
    static struct summary s = {.tool = "nmrcheck", .module = "little", .verdict = "1 finding"};
    static const char expected[] =
        "# little: 1 finding\n"
        "\n"
        "| phase | executions | seconds | result |\n|---|---:|---:|---|\n"
        "| explore | 1,234,567 | 1.5 | a \\| b |\n"
        "\n"
        "| rule | what happened | records | seen in executions | replay |\n|---|---|---:|---:|---|\n"
        "| LI-7 | it broke | 2 | 12 (known before) | `nmrcheck replay f.scn` |\n";
    char *text = NULL;
    size_t size = 0;
    (void)state;
    struct summary_phase *p = summary_add_phase(&s, "explore");
    p->executions = 1234567;
    p->seconds = 1.5;
    snprintf(p->result, sizeof p->result, "a | b");
    s.finding_count = 1;
    s.findings[0] = (struct summary_finding){.rule = "LI-7", .detail = "it broke", .path = "f.scn", .records = 2,
                                             .seen = 12, .old = true};
    FILE *out = open_memstream(&text, &size);
    summary_print_markdown(&s, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void more_phases_than_fit(void **state)
{
    static struct summary s;
    (void)state;
    for (unsigned i = 0; i < SUMMARY_PHASES_MAX + 3; i++)
        assert_non_null(summary_add_phase(&s, "again"));
    assert_int_equal(s.phase_count, SUMMARY_PHASES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_as_text),
        cmocka_unit_test(finding_in_brief),
        cmocka_unit_test(all_events_when_wanted),
        cmocka_unit_test(no_finding_as_text),
        cmocka_unit_test(finding_as_json),
        cmocka_unit_test_setup_teardown(three_files_and_the_scenario_reads_back, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(errors_say_what_and_why, make_folder, remove_folder),
        cmocka_unit_test(program_counters_become_source_lines),
        cmocka_unit_test(summary_as_markdown),
        cmocka_unit_test(more_phases_than_fit),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
