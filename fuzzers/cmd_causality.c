/* cmd_causality.c - nmrcheck causality: the decision that makes a finding likely. */
#include "cli.h"

#include <ctype.h>
#include <string.h>

#include "causality.h"
#include "sites.h"

enum { KEY_RUNS = 256, KEY_SEED, BAR = 40, SHOWN_PERCENT = 5, REPORT_RUNS = 200 };
enum { REPORT_STEPS = 5000000 };            /* steps of all continuations for a report: some tenths of a second */

struct arguments {
    const char *file;
    uint32_t runs;
    uint64_t seed;
    struct input_options input;
};

static const struct argp_option options[] = {
    {"runs", KEY_RUNS, "N", 0, "Continuations of each prefix (default 1000)", 0},
    {"seed", KEY_SEED, "S", 0, "Of the random continuations (default 1)", 0},
    {"module", 'm', "MODULE", 0, "For a file that names no module, or to choose another", 0},
    {"raw", 'r', NULL, 0, "Take any bytes for a binary scenario, as fuzzers do", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_RUNS:
        a->runs = (uint32_t)cli_number(state, "runs", argument, CAUSALITY_RUNS_MAX);
        if (a->runs == 0)
            argp_failure(state, EXIT_TROUBLE, 0, "--runs: at least one");
        return 0;
    case KEY_SEED: a->seed = cli_number(state, "seed", argument, UINT64_MAX); return 0;
    default: return input_parse_file(key, argument, state, &a->file, &a->input);
    }
}

static double percent(const struct causality *c, uint32_t failures)
{
    return 100.0 * failures / c->runs;
}

/* Before the decision: how many failed when all up to the one before were fixed. */
static uint32_t failures_before(const struct causality *c, unsigned decision)
{
    return decision > 0 ? c->decisions[decision - 1].failures : c->failures;
}

/* The module's line that the thread had come to. */
static bool decision_source(const struct report *r, const struct causality_decision *d, struct symbol *out)
{
    uint32_t i = d->event < r->kept ? d->event : r->kept;
    while (i-- > 0)
        if (r->log[i].thread == d->record.thread && report_source(r, i, out))
            return true;
    return false;
}

static const char *decision_text(const struct causality_decision *d, char *text, size_t capacity)
{
    char from[8], to[8];
    bool same = d->record.value == d->record.thread;
    snprintf(text, capacity, "%s %s%s at %s #%u", thread_name(&model_words, d->record.value, to),
             same ? "goes on" : "runs after ", same ? "" : thread_name(&model_words, d->record.thread, from),
             model_words.sites[d->record.site].name, d->record.nth + 1u);
    return text;
}

static void print_row(const struct causality *c, unsigned fixed, uint32_t failures, const char *text, bool guilty)
{
    int length = (int)((uint64_t)failures * BAR / c->runs);
    printf("%c %5u  %5.1f %%  %-*.*s  %s\n", guilty ? '>' : ' ', fixed, percent(c, failures), BAR, length,
           "########################################", text);
}

/* All rows would be hundreds: those are shown where the share has changed. */
static void print_plot(const struct causality *c)
{
    uint32_t shown = c->failures;
    char text[120];
    printf("  fixed  failing%*s  decision\n", BAR + 1, "");
    print_row(c, 0, c->failures, "none", false);
    for (unsigned i = 0; i < c->count; i++) {
        const struct causality_decision *d = &c->decisions[i];
        double change = percent(c, d->failures) - percent(c, shown);
        if (i != c->guilty && i + 1 != c->count && abs((int)change) < SHOWN_PERCENT)
            continue;
        print_row(c, i + 1, d->failures, decision_text(d, text, sizeof text), i == c->guilty);
        shown = d->failures;
    }
}

static void conclude(const struct causality *c, char *text, size_t capacity)
{
    char decision[120];
    if (c->guilty == c->count) {
        snprintf(text, capacity, "no decision makes it more likely: whatever runs when, %.1f %% fail",
                 percent(c, c->failures));
        return;
    }
    const struct causality_decision *d = &c->decisions[c->guilty];
    snprintf(text, capacity, "it becomes likely when %s (step %u): %.1f %% of random continuations fail before, "
             "%.1f %% after", decision_text(d, decision, sizeof decision), (unsigned)d->event,
             percent(c, failures_before(c, c->guilty)), percent(c, d->failures));
}

void cli_cause(const struct program *p, const struct scenario *s, char *text, size_t capacity)
{
    static struct causality c;
    struct outcome o = execution_replay(p, s);
    bool cheap = (uint64_t)o.steps * choice_asked[CHOICE_SWITCH] * REPORT_RUNS < REPORT_STEPS;
    text[0] = '\0';
    if (cheap && causality_measure(p, s, REPORT_RUNS, 1, &c))
        conclude(&c, text, capacity);
}

static void print_conclusion(const struct causality *c, const struct report *r)
{
    char text[300], thread[8];
    struct symbol s;
    conclude(c, text, sizeof text);
    text[0] = (char)toupper(text[0]);
    putchar('\n');
    report_wrap(stdout, text, 0);
    if (c->guilty == c->count || !decision_source(r, &c->decisions[c->guilty], &s))
        return;
    printf("There %s was at %s.\n", thread_name(&model_words, c->decisions[c->guilty].record.thread, thread),
           symbol_format(&s, text, sizeof text));
}

static json_t *decision_json(const struct causality *c, const struct report *r, unsigned number)
{
    const struct causality_decision *d = &c->decisions[number];
    char thread[8], source[300];
    struct symbol s;
    json_t *value = json_object();
    json_object_set_new(value, "thread", json_string(thread_name(&model_words, d->record.thread, thread)));
    json_object_set_new(value, "site", json_string(model_words.sites[d->record.site].name));
    json_object_set_new(value, "visit", json_integer(d->record.nth + 1));
    json_object_set_new(value, "next", json_string(thread_name(&model_words, d->record.value, thread)));
    json_object_set_new(value, "forced", json_boolean(d->forced));
    json_object_set_new(value, "dull", json_boolean(d->dull));
    json_object_set_new(value, "step", json_integer(d->event));
    json_object_set_new(value, "failures", json_integer(d->failures));
    if (decision_source(r, d, &s))
        json_object_set_new(value, "source", output_json_text(symbol_format(&s, source, sizeof source)));
    return value;
}

static void print_json(const struct causality *c, const struct report *r)
{
    json_t *decisions = json_array();
    json_t *value = json_pack("{s:i, s:i}", "runs", (int)c->runs, "failures", (int)c->failures);
    for (unsigned i = 0; i < c->count; i++)
        json_array_append_new(decisions, decision_json(c, r, i));
    json_object_set_new(value, "decisions", decisions);
    json_object_set_new(value, "guilty", c->guilty < c->count ? json_integer(c->guilty) : json_null());
    cli_print_json(value);
}

int cmd_causality(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_children, .args_doc = "FILE",
        .doc = "Tell which scheduling decision makes a finding likely.\v"
               "For each prefix of the schedule: the decisions of the prefix are fixed, the rest of the schedule is "
               "drawn at random N times, and how many of these continuations show the same finding is counted. "
               "Exit code 0: it was measured; 2: there is no finding.",
    };
    static struct causality c;
    static struct report r;
    struct arguments a = {.runs = CAUSALITY_RUNS, .seed = 1};
    struct input in;
    cli_parse(&argp, argc, argv, &a);
    if (input_load(a.file, &a.input, &in) != INPUT_OK)
        return EXIT_TROUBLE;
    bool measured = causality_measure(in.program, &in.scenario, a.runs, a.seed, &c);
    if (measured) {
        findings_report(&r, in.program, &in.scenario, a.file);
        if (cli.json) {
            print_json(&c, &r);
        } else {
            print_plot(&c);
            print_conclusion(&c, &r);
        }
    } else {
        cli_complain(a.file, 0, "shows no finding");
    }
    input_release(&in);
    return measured ? EXIT_CLEAN : EXIT_TROUBLE;
}
