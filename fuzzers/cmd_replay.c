/* cmd_replay.c - nmrcheck replay: scenarios again, and whether they still mean the same. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct arguments {
    char **files;
    bool check, bless, trace, all, gdb, has_step, stops;
    uint32_t step;                          /* of --step, or --stop-at */
    const char *expect;
    struct input_options input;
    /* results */
    json_t *results;
    unsigned count, findings, differing, bad, blessed;
};

enum { KEY_CHECK = 256, KEY_BLESS, KEY_EXPECT, KEY_ALL, KEY_GDB, KEY_STEP, KEY_STOP_AT };

static const struct argp_option options[] = {
    {"trace", 't', NULL, 0, "Print the whole report: scenario, story, how to repeat it", 0},
    {"all", KEY_ALL, NULL, 0, "With --trace: every event, not only what matters", 0},
    {"gdb", KEY_GDB, NULL, 0, "Start gdb, stopped at the step that breaks the rule, in the thread that does it", 0},
    {"step", KEY_STEP, "NUMBER", 0, "With --gdb: stop at this step of the story", 0},
    {"stop-at", KEY_STOP_AT, "NUMBER", OPTION_HIDDEN, "Inside gdb: call gdb_stopped at this step", 0},
    {"check", KEY_CHECK, NULL, 0, "Compare with the '# expect' and '# hash' lines of each file", 0},
    {"bless", KEY_BLESS, NULL, 0, "Rewrite those lines to what happens now", 0},
    {"expect", KEY_EXPECT, "WORD", 0, "Expect this of every file: PASS, OUTSIDE or a rule's name", 0},
    {"module", 'm', "MODULE", 0, "For files that name no module, or to choose another", 0},
    {"raw", 'r', NULL, 0, "Take any bytes for a binary scenario, as fuzzers do", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 't': a->trace = true; return 0;
    case KEY_ALL: a->all = a->trace = true; return 0;
    case KEY_CHECK: a->check = true; return 0;
    case KEY_BLESS: a->bless = true; return 0;
    case KEY_EXPECT:
        if (!input_expectation_known(argument))
            argp_failure(state, EXIT_TROUBLE, 0, "--expect: '%s' is no verdict and no rule", argument);
        a->expect = argument;
        return 0;
    case KEY_GDB: a->gdb = true; return 0;
    case KEY_STEP:
    case KEY_STOP_AT:
        *(key == KEY_STEP ? &a->has_step : &a->stops) = true;
        a->step = (uint32_t)cli_number(state, "step", argument, UINT32_MAX - 1);
        return 0;
    case ARGP_KEY_ARGS:
        a->files = state->argv + state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        if (module_count != 1)
            argp_failure(state, EXIT_TROUBLE, 0, "no file given");
        return 0;
    default: return input_parse(key, argument, &a->input);
    }
}

/* Is this one of the two comment lines that say what to expect? */
static bool is_expectation(const char *line)
{
    return strncmp(line, "# expect ", 9) == 0 || strncmp(line, "# hash ", 7) == 0;
}

/* The same file with other expectations; all other lines stay as they are. */
static enum output_result bless(const struct input *in, const struct outcome *o, struct output_error *error)
{
    struct output out;
    bool written = false, leading = true;
    if (output_open(&out, in->path, error) != OUTPUT_OK)
        return OUTPUT_FAILED;
    for (const char *at = in->bytes; *at != '\0' || !written;) {
        size_t length = strcspn(at, "\n") + (strchr(at, '\n') != NULL);
        bool expectation = leading && is_expectation(at);
        if (!written && (expectation || *at != '#')) {
            fprintf(out.file, "# expect %s\n# hash %016llx\n", report_expectation(&cli_words, o),
                    (unsigned long long)o->hash);
            written = true;
        }
        leading = leading && (*at == '#' || *at == '\n' || *at == '\r');
        if (!expectation)
            fwrite(at, 1, length, out.file);
        at += length;
    }
    return output_close(&out, error);
}

/* What differs from what was expected; "" when nothing does. */
static void compare(const struct arguments *a, const struct input *in, const struct outcome *o, char *text,
                    size_t capacity)
{
    const char *is = report_expectation(&cli_words, o);
    const char *expected = a->expect != NULL ? a->expect : in->expect;
    text[0] = '\0';
    if (expected[0] == '\0')
        expected = "PASS";
    if (strcmp(is, expected) != 0)
        snprintf(text, capacity, "expected %s, got %s", expected, is);
    else if (a->expect == NULL && in->has_hash && in->hash != o->hash)
        snprintf(text, capacity, "expected hash %016llx, got %016llx", (unsigned long long)in->hash,
                 (unsigned long long)o->hash);
}

static void print_result(struct arguments *a, const struct input *in, const struct report *r, const char *difference)
{
    char line[200];
    bool compared = a->check || a->expect != NULL;
    if (cli.json) {
        json_t *value = a->trace ? report_json(r) : json_object();
        json_object_set_new(value, "path", output_json_text(in->path));
        json_object_set_new(value, "expectation", json_string(report_expectation(&cli_words, &r->outcome)));
        json_object_set_new(value, "hash", json_sprintf("%016llx", (unsigned long long)r->outcome.hash));
        if (r->outcome.verdict == VERDICT_FINDING)
            json_object_set_new(value, "detail", output_json_text(r->outcome.finding.detail));
        if (compared)
            json_object_set_new(value, "difference", output_json_text(difference));
        json_array_append_new(a->results, value);
        return;
    }
    if (a->trace) {
        report_print_text(r, a->all, stdout);
        fputc('\n', stdout);
    }
    if (difference[0] != '\0') {
        printf("%s: %s\n", in->path, difference);
    } else if (!compared) {
        printf("%s: %s\n", in->path, report_verdict(r, line, sizeof line));
        if (r->outcome.verdict == VERDICT_FINDING && !a->trace)
            printf("  %s\n", r->outcome.finding.detail);
    }
}

/* Our promise: the same scenario gives the same execution. */
static bool is_repeatable(const struct input *in, const struct outcome *first)
{
    struct outcome again = execution_replay(in->program, &in->scenario);
    if (again.hash == first->hash && again.verdict == first->verdict)
        return true;
    cli_complain(in->path, 0, "not deterministic, which is our bug: hash %016llx, then %016llx",
                 (unsigned long long)first->hash, (unsigned long long)again.hash);
    return false;
}

static void replay_one(struct arguments *a, const char *path)
{
    static struct report r;
    struct input in;
    struct output_error error;
    char difference[120] = "";
    if (input_load(path, &a->input, &in) != INPUT_OK) {
        a->bad++;
        return;
    }
    a->count++;
    if (a->stops)
        gdb_stop_at(&in, a->step);
    struct outcome o = execution_replay(in.program, &in.scenario);
    if (!is_repeatable(&in, &o))
        a->bad++;
    if (a->check || a->expect != NULL)
        compare(a, &in, &o, difference, sizeof difference);
    if (a->trace)
        findings_report(&r, in.program, &in.scenario, path);
    else
        report_take(&r, &cli_words, in.program, &in.scenario, &o, path);
    a->findings += o.verdict == VERDICT_FINDING;
    a->differing += difference[0] != '\0';
    print_result(a, &in, &r, difference);
    if (a->bless && in.binary) {
        cli_complain(path, 0, "a binary scenario has no place for expectations; nmrcheck show makes it text");
        a->bad++;
    } else if (a->bless && (strcmp(in.expect, report_expectation(&cli_words, &o)) != 0 || !in.has_hash ||
                            in.hash != o.hash)) {
        if (bless(&in, &o, &error) != OUTPUT_OK) {
            cli_complain_output(&error);
            a->bad++;
        } else {
            a->blessed++;
        }
    }
    input_release(&in);
}

static int finish(const struct arguments *a)
{
    bool compared = a->check || a->expect != NULL;
    if (cli.json)
        cli_print_json(a->results);
    else if (a->bless)
        printf("%u scenario%s, %u rewritten\n", a->count, a->count == 1 ? "" : "s", a->blessed);
    else if (compared)
        printf("%u scenario%s, %u as expected, %u not\n", a->count, a->count == 1 ? "" : "s",
               a->count - a->differing, a->differing);
    if (a->bad > 0)
        return EXIT_TROUBLE;
    if (compared)
        return a->differing > 0 ? EXIT_FOUND : EXIT_CLEAN;
    return a->findings > 0 && !a->bless ? EXIT_FOUND : EXIT_CLEAN;
}

static int debug(struct arguments *a)
{
    struct input in;
    if (a->files == NULL || a->files[1] != NULL || a->check || a->bless || a->trace || a->expect != NULL || cli.json) {
        cli_complain(NULL, 0, "--gdb takes one FILE, and no option but --step, --module and --raw");
        return EXIT_TROUBLE;
    }
    if (input_load(a->files[0], &a->input, &in) != INPUT_OK)
        return EXIT_TROUBLE;
    gdb_replay(&in, a->input.raw, a->has_step ? &a->step : NULL);
    input_release(&in);
    return EXIT_TROUBLE;
}

/* What is to be replayed.  Without FILE: the corpus of the only module, which need not have any. */
static void collect(struct arguments *a, struct input_list *list)
{
    char *const corpus[] = {(char *)(uintptr_t)cli_corpus(modules[0]), NULL};
    struct stat s;
    if (a->files != NULL) {
        a->bad += input_expand(a->files, list, false) != INPUT_OK;
        return;
    }
    if (stat(corpus[0], &s) == 0)
        a->bad += input_expand(corpus, list, true) != INPUT_OK;
    if (list->count == 0 && a->bad == 0 && !cli.json)
        printf("no scenario in %s yet; %s keep FILE puts one there\n", corpus[0], cli_words.tool);
}

int cmd_replay(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_children, .args_doc = "[FILE...]",
        .doc = "Run scenarios again, each twice, and compare the event hashes.\v"
               "FILE is a text or binary scenario, a raw libFuzzer or AFL++ input, or a folder of them: there, files "
               "count whose name ends in .scn or has no dot. Without FILE a program of one module replays its corpus. "
               "A text scenario may begin with the comment lines '# expect WORD', '# hash HEX' and '# mute RULE...': "
               "rules that it breaks and that are not reported. With --check or --expect the exit code is 0 when "
               "everything is as expected and 1 when not; without, it is 1 when there is a finding.",
    };
    struct arguments a = {0};
    struct input_list list = {0};
    cli_parse(&argp, argc, argv, &a);
    if (a.has_step && !a.gdb) {
        cli_complain(NULL, 0, "--step is for --gdb; the story of --trace has all steps");
        return EXIT_TROUBLE;
    }
    if (a.gdb)
        return debug(&a);
    if (a.stops)
        gdb_listen();
    if (cli.json)
        a.results = json_array();
    collect(&a, &list);
    for (size_t i = 0; i < list.count && !cli_interrupted; i++)
        replay_one(&a, list.paths[i]);
    input_list_release(&list);
    return finish(&a);
}
