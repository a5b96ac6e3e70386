/* cmd_fuzz.c - nmrcheck fuzz: an engine searches, we shrink and explain. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct arguments {
    const struct module *module;
    const char *out;
    double seconds;
    enum engine engine;
    bool keep_going;
    char **engine_arguments;
};

enum { KEY_TIME = 256, KEY_ENGINE };
enum { SECONDS_DEFAULT = 60, SECONDS_MAX = 10000000 };

static const struct argp_option options[] = {
    {"engine", KEY_ENGINE, "NAME", 0, "libfuzzer (default) or afl", 0},
    {"time", KEY_TIME, "SECONDS", 0, "Stop after so long (default 60; 0: never)", 0},
    {"out", 'o', "DIR", 0, "Output folder (default ./nmrcheck-out/MODULE)", 0},
    {"keep-going", 'k', NULL, 0, "Do not stop at the first crash", 0},
    {0},
};

static void take_engine(struct arguments *a, struct argp_state *state, const char *name)
{
    if (strcmp(name, "libfuzzer") == 0)
        a->engine = ENGINE_LIBFUZZER;
    else if (strcmp(name, "afl") == 0)
        a->engine = ENGINE_AFL;
    else
        argp_failure(state, EXIT_TROUBLE, 0, "unknown engine '%s'; there are: libfuzzer afl", name);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_ENGINE: take_engine(a, state, argument); return 0;
    case KEY_TIME: a->seconds = (double)cli_number(state, "time", argument, SECONDS_MAX); return 0;
    case 'o': a->out = argument; return 0;
    case 'k': a->keep_going = true; return 0;
    case ARGP_KEY_ARG:
        if (a->module != NULL)
            argp_failure(state, EXIT_TROUBLE, 0, "'%s' is one argument too many; what is for the engine comes after --",
                         argument);
        a->module = cli_module(argument);
        return 0;
    case ARGP_KEY_END:
        if (a->module == NULL)
            a->module = cli_only_module(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Turn one crash file into a finding.  False: it shows none here. */
static bool take_crash(struct findings *f, const struct engine_result *r, const char *path)
{
    const char *ending = strrchr(path, '.');
    struct input_options o = {.module = f->module, .raw = ending == NULL || strcmp(ending, ".scn") != 0};
    struct input in;
    if (input_load(path, &o, &in) != INPUT_OK)
        return false;
    struct outcome outcome = execution_replay(f->program, &in.scenario);
    bool finding = outcome.verdict == VERDICT_FINDING;
    if (finding)
        findings_note(f, &outcome, &in.scenario);
    else
        cli_complain(path, 0, "crashed the engine's build but shows no finding here; see %s", r->log);
    input_release(&in);
    return finding;
}

/* Turn the crash files of this run into findings.  Returns how many show none here. */
static unsigned take_crashes(struct findings *f, const struct engine_result *r, unsigned *shown)
{
    const char *const folders[] = {r->crashes, r->own_crashes};
    unsigned unexplained = 0;
    for (unsigned k = 0; k < sizeof folders / sizeof *folders; k++) {
        struct input_list list = {0};
        input_folder(folders[k], &list);
        for (size_t i = 0; i < list.count; i++) {
            struct stat s;
            if (stat(list.paths[i], &s) != 0 || s.st_mtime < r->started)
                continue;
            if (take_crash(f, r, list.paths[i]))
                ++*shown;
            else
                unexplained++;
        }
        input_list_release(&list);
    }
    return unexplained;
}

static void summarise(struct summary *s, enum engine engine, const struct engine_result *r, unsigned shown)
{
    struct summary_phase *p = summary_add_phase(s, "seeds");
    snprintf(p->result, sizeof p->result, "%u seeds replayed, %u with a finding", r->seed_count, r->seed_findings);
    p->executions = r->seed_count;
    p->findings = r->seed_findings;
    p = summary_add_phase(s, engine == ENGINE_AFL ? "afl" : "libfuzzer");
    if (r->executions > 0)
        snprintf(p->result, sizeof p->result, "%s executions in %.0f s, %s/s, coverage %s, %s %s, %u crash file%s",
                 cli_count(r->executions), r->seconds, cli_count((uint64_t)((double)r->executions / r->seconds)),
                 cli_count(r->coverage), cli_count(r->features), engine == ENGINE_AFL ? "inputs kept" : "features",
                 r->crash_count, r->crash_count == 1 ? "" : "s");
    else
        snprintf(p->result, sizeof p->result, "not run: a seed shows a finding already");
    p->executions = r->executions;
    p->seconds = r->seconds;
    p->findings = shown;
}

int cmd_fuzz(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_rules_children,
        .args_doc = "[MODULE] [-- ENGINE-ARGUMENT...]",
        .doc = "Let libFuzzer or AFL++ search for a while; shrink and explain what they find.\v"
               "The engine's corpus, seeds, crash files and log stay in DIR/libfuzzer or DIR/afl, and the next run "
               "goes on from there. Exit code: 0 no finding, 1 a finding.",
    };
    static struct findings findings;
    static struct summary summary;
    static struct engine_result r;
    struct campaign c = {0};
    struct arguments a = {.seconds = SECONDS_DEFAULT};
    unsigned shown = 0, unexplained = 0;
    /* What follows "--" belongs to the engine. */
    int own = 1;
    while (own < argc && strcmp(argv[own], "--") != 0)
        own++;
    a.engine_arguments = own < argc ? argv + own + 1 : NULL;
    if (own < argc)
        argv[own] = NULL;
    cli_parse(&argp, own, argv, &a);
    if (findings_open(&findings, a.module, findings_folder(a.module, a.out)) != OUTPUT_OK)
        return EXIT_TROUBLE;
    campaign_begin(&c, &findings, &summary, 0, a.keep_going);
    struct engine_options o = {
        .engine = a.engine, .module = a.module, .findings = &findings, .folder = findings.folder, .seconds = a.seconds,
        .keep_going = a.keep_going, .arguments = a.engine_arguments,
    };
    if (!engine_run(&o, &r))
        return EXIT_TROUBLE;
    if (r.crash_count > 0)
        unexplained = take_crashes(&findings, &r, &shown);
    summarise(&summary, a.engine, &r, shown);
    c.executions = r.executions + r.seed_count;
    int code = campaign_finish(&c);
    return code == EXIT_CLEAN && unexplained > 0 ? EXIT_TROUBLE : code;
}
