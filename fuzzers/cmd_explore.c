/* cmd_explore.c - nmrcheck explore: one strategy, one or all scripts, bounds as wanted. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum way { WAY_DFS, WAY_DPOR, WAY_SAMPLE, WAY_AUTO };

struct arguments {
    const struct module *module;
    const char *out, *script, *setup;
    double seconds;
    enum way way;
    struct explore_samples samples;         /* count 0: the default */
    bool keep_going, fresh;
    struct bounds bounds;
};

enum {
    KEY_TIME = 256, KEY_SEED, KEY_PREEMPTIONS, KEY_DEVIATIONS, KEY_EXECUTIONS, KEY_STRATEGY, KEY_SCRIPT, KEY_SETUP,
    KEY_FIRST, KEY_FRESH, KEY_DEPTH, KEY_SHARD
};
enum { SECONDS_MAX = 10000000, SAMPLES_DEFAULT = 100000, AUTO_SECONDS = 60 };

static const struct argp_option options[] = {
    {"strategy", KEY_STRATEGY, "NAME", 0,
     "dfs: all executions within bounds (default); dpor: one execution of each trace, preemptions without bound; "
     "random, pct, pos, surw: some, drawn in that way; portfolio: these in turn; auto: dpor and portfolio "
     "in turn", 0},
    {"depth", KEY_DEPTH, "D", 0, "pct: for bugs that take an order of D steps (default 3)", 0},
    {"preemptions", KEY_PREEMPTIONS, "N", 0, "dfs: up to N preemptions (default 2)", 0},
    {"deviations", KEY_DEVIATIONS, "N", 0, "dfs: up to N faults, odd peers or NMR choices at once (default 1)", 0},
    {"executions", KEY_EXECUTIONS, "N", 0, "At most N executions of each script; sampling: N in all (default 100000; "
                                       "auto: no limit)", 0},
    {"seed", KEY_SEED, "S", 0, "Sampling: the seed (default 1)", 0},
    {"first", KEY_FIRST, "N", 0, "Sampling: number of the first execution (default 0)", 0},
    {"script", KEY_SCRIPT, "FILE", 0, "Operations from a scenario file instead of the built-in setups", 0},
    {"setup", KEY_SETUP, "NAME", 0, "Only this built-in setup", 0},
    {"time", KEY_TIME, "SECONDS", 0, "Stop after so long (default: no limit; auto: 60)", 0},
    {"shard", KEY_SHARD, "I/N", 0, "Only the executions of shard I of N; nmrcheck merge puts them together", 0},
    {"fresh", KEY_FRESH, NULL, 0, "dpor: do not go on with what an earlier run saved in the output folder", 0},
    {"keep-going", 'k', NULL, 0, "Do not stop at the first finding", 0},
    {"out", 'o', "DIR", 0, "Output folder (default ./nmrcheck-out/MODULE)", 0},
    {0},
};

static void take_strategy(struct arguments *a, struct argp_state *state, const char *name)
{
    static const char *const others[] = {[WAY_DFS] = "dfs", [WAY_DPOR] = "dpor", [WAY_AUTO] = "auto"};
    for (unsigned way = 0; way < sizeof others / sizeof *others; way++)
        if (others[way] != NULL && strcmp(name, others[way]) == 0) {
            a->way = (enum way)way;
            return;
        }
    for (unsigned s = 0; s < SAMPLINGS; s++)
        if (strcmp(name, sampling_name((enum sampling)s)) == 0) {
            a->way = WAY_SAMPLE;
            a->samples.sampling = (enum sampling)s;
            return;
        }
    argp_failure(state, EXIT_TROUBLE, 0,
                 "unknown strategy '%s'; there are: dfs dpor random pct pos surw portfolio auto", name);
}

static void take_depth(struct arguments *a, struct argp_state *state, const char *text)
{
    a->samples.depth = (unsigned)cli_number(state, "depth", text, PCT_DEPTH_MAX);
    if (a->samples.depth == 0)
        argp_failure(state, EXIT_TROUBLE, 0, "--depth: from 1 to %d", PCT_DEPTH_MAX);
}

static void take_shard(struct arguments *a, struct argp_state *state, const char *text)
{
    unsigned index, count;
    int length = 0;
    if (sscanf(text, "%5u/%5u%n", &index, &count, &length) != 2 || text[length] != '\0' || index < 1 || index > count ||
        count > SUMMARY_SHARDS_MAX)
        argp_failure(state, EXIT_TROUBLE, 0, "--shard: one of N shards, as 1/N to N/N, not '%s'", text);
    a->bounds.shard = (struct shard){index - 1, count};
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_STRATEGY: take_strategy(a, state, argument); return 0;
    case KEY_TIME: a->seconds = (double)cli_number(state, "time", argument, SECONDS_MAX); return 0;
    case KEY_PREEMPTIONS: a->bounds.preemptions = (unsigned)cli_number(state, "preemptions", argument, 100); return 0;
    case KEY_DEVIATIONS: a->bounds.deviations = (unsigned)cli_number(state, "deviations", argument, 100); return 0;
    case KEY_EXECUTIONS: a->bounds.executions = cli_number(state, "executions", argument, INT64_MAX); return 0;
    case KEY_DEPTH: take_depth(a, state, argument); return 0;
    case KEY_SEED: a->samples.seed = cli_number(state, "seed", argument, INT64_MAX); return 0;
    case KEY_FIRST: a->samples.first = cli_number(state, "first", argument, INT32_MAX); return 0;
    case KEY_SCRIPT: a->script = argument; return 0;
    case KEY_SETUP: a->setup = argument; return 0;
    case KEY_SHARD: take_shard(a, state, argument); return 0;
    case KEY_FRESH: a->fresh = true; return 0;
    case 'k': a->keep_going = true; return 0;
    case 'o': a->out = argument; return 0;
    case ARGP_KEY_ARG:
        if (a->module != NULL)
            argp_failure(state, EXIT_TROUBLE, 0, "one module at a time, not also '%s'", argument);
        a->module = cli_module(argument);
        return 0;
    case ARGP_KEY_NO_ARGS:
        a->module = cli_only_module(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The script the user wants; NULL: all setups, or random ones.  False: the reason was printed. */
static bool choose_script(const struct arguments *a, struct scenario *own, const struct scenario **script)
{
    *script = NULL;
    own->count = 0;
    if (a->script != NULL) {
        struct input in;
        struct input_options o = {.module = a->module};
        if (input_load(a->script, &o, &in) != INPUT_OK)
            return false;
        *own = in.scenario;
        *script = own;
        input_release(&in);
    } else if (a->setup != NULL) {
        for (unsigned i = 0; i < setup_count(); i++) {
            if (strcmp(setups[i].name, a->setup) != 0)
                continue;
            setup_script(&setups[i], own);
            *script = own;
        }
        if (*script == NULL) {
            fprintf(stderr, "nmrcheck: unknown setup '%s'; there are:", a->setup);
            for (unsigned i = 0; i < setup_count(); i++)
                fprintf(stderr, " %s", setups[i].name);
            fputc('\n', stderr);
            return false;
        }
    }
    return true;
}

/* What is not given follows from the strategy. */
static void settle(struct arguments *a)
{
    if (a->way == WAY_AUTO && a->seconds <= 0)
        a->seconds = AUTO_SECONDS;
    if (a->way == WAY_AUTO)
        a->samples.sampling = SAMPLE_PORTFOLIO;
    a->samples.count = a->bounds.executions > 0 ? a->bounds.executions
                     : a->way == WAY_AUTO ? INT64_MAX : SAMPLES_DEFAULT;
    a->bounds.dpor = a->way == WAY_DPOR;
}

static const char *way_name(const struct arguments *a)
{
    return a->way == WAY_SAMPLE ? sampling_name(a->samples.sampling) : a->way == WAY_DPOR ? "dpor" : "dfs";
}

/* What all shards of this run have in common, and no other run has. */
static void name_run(const struct arguments *a, const struct scenario *script, char *run, size_t capacity)
{
    static const struct scenario none;
    char text[300];
    snprintf(text, sizeof text,
             "%s preemptions %u deviations %u executions %" PRIu64 " seed %" PRIu64 " first %" PRIu64 " depth %u "
             "points %s program %" PRIx64,
             way_name(a), a->bounds.preemptions, a->bounds.deviations, a->bounds.executions, a->samples.seed,
             a->samples.first, a->samples.depth, cli_points != NULL ? cli_points : "", identity_of_program());
    snprintf(run, capacity, "%016" PRIx64,
             identity_of_search(world_program(a->module), script != NULL ? script : &none, text));
}

/* This shard's of the numbers. */
static void share(const struct shard *s, struct explore_samples *samples)
{
    uint64_t each = samples->count / s->count, rest = samples->count % s->count;
    samples->first += each * s->index + (s->index < rest ? s->index : rest);
    samples->count = each + (s->index < rest);
}

static const char *folder_of(const struct arguments *a)
{
    static char name[OUTPUT_PATH_MAX];
    if (a->out != NULL || a->bounds.shard.count == 0)
        return findings_folder(a->module, a->out);
    snprintf(name, sizeof name, "nmrcheck-out/%s/shard-%u-of-%u", a->module->image.name, a->bounds.shard.index + 1,
             a->bounds.shard.count);
    return name;
}

int cmd_explore(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_rules_children, .args_doc = "[MODULE]",
        .doc = "Run all interleavings, faults, odd counterparts and NMR choices within bounds, or random ones.\v"
               "It says \"complete\" only when every execution within the bounds was run and none hit a limit. "
               "Executions that differ only in the order of independent steps are one trace; dpor runs one of them. "
               "When sampling, execution number N of a seed is always the same one. For pct, pos and surw the first "
               "ones of each thousand (of each 8 when operations are drawn, too) are random, and tell what to expect.",
    };
    static struct findings findings;
    static struct summary summary;
    static struct scenario own;
    const struct scenario *script;
    struct arguments a = {.samples = {.seed = 1, .depth = 3}, .bounds = {.preemptions = 2, .deviations = 1}};
    cli_parse(&argp, argc, argv, &a);
    settle(&a);
    if (a.way == WAY_AUTO && a.bounds.shard.count > 0) {
        cli_complain(NULL, 0, "--shard: auto goes by the clock, so its shards would not fit together");
        return EXIT_TROUBLE;
    }
    (void)world_program(a.module);          /* which setups there are */
    if (!choose_script(&a, &own, &script))
        return EXIT_TROUBLE;
    const char *folder = folder_of(&a);
    struct campaign c = {
        .save = a.bounds.dpor, .fresh = a.fresh, .script_name = a.setup != NULL ? a.setup : "script",
    };
    if (c.save && !campaign_can_resume(&c, world_program(a.module), folder, script, &a.bounds))
        return EXIT_TROUBLE;
    if (findings_open(&findings, a.module, folder) != OUTPUT_OK)
        return EXIT_TROUBLE;
    campaign_begin(&c, &findings, &summary, a.seconds, a.keep_going);
    if (a.bounds.shard.count > 0) {
        summary.shard = (struct summary_shard){.index = a.bounds.shard.index + 1, .count = a.bounds.shard.count};
        name_run(&a, script, summary.shard.run, sizeof summary.shard.run);
        share(&a.bounds.shard, &a.samples);
    }
    if (a.way == WAY_SAMPLE)
        campaign_sample(&c, script, &a.samples, c.deadline);
    else if (a.way == WAY_AUTO)
        campaign_auto(&c, script, &a.bounds, &a.samples);
    else
        campaign_dfs(&c, script, "explore", &a.bounds, c.deadline);
    return campaign_finish(&c);
}
