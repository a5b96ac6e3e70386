/*
 * cmd_check.c - nmrcheck check: everything for one module, with a verdict.
 *
 * First what is known already (the corpus and earlier findings), then all executions within bounds,
 * then random ones until the time is up.  Where the random numbers stopped is kept in the output
 * folder, so that the next check goes on there.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

struct arguments {
    const struct module *module;
    const char *out;
    double seconds;
    uint64_t seed;
    bool keep_going, fresh;
    struct bounds bounds;
};

enum { KEY_TIME = 256, KEY_SEED, KEY_PREEMPTIONS, KEY_DEVIATIONS, KEY_EXECUTIONS, KEY_FRESH };
enum { SECONDS_DEFAULT = 20, SECONDS_MAX = 10000000, RANDOM_MAX = INT32_MAX };

static const struct argp_option options[] = {
    {"time", KEY_TIME, "SECONDS", 0, "Stop after so long (default 20); half of it at most for exploring", 0},
    {"out", 'o', "DIR", 0, "Output folder (default ./nmrcheck-out/MODULE)", 0},
    {"keep-going", 'k', NULL, 0, "Do not stop at the first finding", 0},
    {"preemptions", KEY_PREEMPTIONS, "N", 0, "Explore up to N preemptions (default 2)", 0},
    {"deviations", KEY_DEVIATIONS, "N", 0, "Explore up to N faults, odd peers or NMR choices at once (default 1)", 0},
    {"executions", KEY_EXECUTIONS, "N", 0, "At most N executions for each setup and N random ones", 0},
    {"seed", KEY_SEED, "S", 0, "Seed of the random executions (default 1)", 0},
    {"fresh", KEY_FRESH, NULL, 0, "Begin at random execution 0, not where the last check stopped", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_TIME: a->seconds = (double)cli_number(state, "time", argument, SECONDS_MAX); return 0;
    case 'o': a->out = argument; return 0;
    case 'k': a->keep_going = true; return 0;
    case KEY_PREEMPTIONS: a->bounds.preemptions = (unsigned)cli_number(state, "preemptions", argument, 100); return 0;
    case KEY_DEVIATIONS: a->bounds.deviations = (unsigned)cli_number(state, "deviations", argument, 100); return 0;
    case KEY_EXECUTIONS: a->bounds.executions = cli_number(state, "executions", argument, INT64_MAX); return 0;
    case KEY_SEED: a->seed = cli_number(state, "seed", argument, INT64_MAX); return 0;
    case KEY_FRESH: a->fresh = true; return 0;
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

/* ---- the corpus --------------------------------------------------------------------------------- */

static void replay_corpus(struct campaign *c)
{
    struct input_list list = {0};
    struct input_options options_in = {.module = c->findings->module};
    unsigned count = 0, differing = 0;
    if (!input_folder(cli_corpus(c->findings->module), &list))
        return;
    struct summary_phase *p = summary_add_phase(c->summary, "corpus");
    double started = cli_now();
    for (size_t i = 0; i < list.count && !cli_interrupted; i++) {
        struct input in;
        if (input_load(list.paths[i], &options_in, &in) != INPUT_OK) {
            c->findings->failed = true;
            continue;
        }
        struct outcome o = execution_replay(in.program, &in.scenario);
        const char *expected = in.expect[0] != '\0' ? in.expect : "PASS";
        count++;
        differing += strcmp(report_expectation(&cli_words, &o), expected) != 0 || (in.has_hash && in.hash != o.hash);
        if (o.verdict == VERDICT_FINDING) {
            p->findings++;
            findings_note(c->findings, &o, &in.scenario);
            c->found_now = true;
        }
        input_release(&in);
    }
    input_list_release(&list);
    snprintf(p->result, sizeof p->result, "%u scenarios replayed, %u not as their files expect", count, differing);
    p->executions = count;
    p->seconds = cli_now() - started;
    c->executions += count;
}

/* ---- where random executions stopped ------------------------------------------------------------- */

static void state_path(const struct findings *f, char *path, size_t capacity)
{
    if (snprintf(path, capacity, "%s/campaign.json", f->folder) >= (int)capacity)
        path[capacity - 1] = '\0';
}

static uint64_t load_next(const struct findings *f, uint64_t seed)
{
    char path[OUTPUT_PATH_MAX];
    json_int_t kept_seed = 0, next = 0;
    state_path(f, path, sizeof path);
    json_t *state = json_load_file(path, 0, NULL);
    int unpacked = state != NULL ? json_unpack(state, "{s:I, s:I}", "seed", &kept_seed, "random_next", &next) : -1;
    json_decref(state);
    return unpacked == 0 && (uint64_t)kept_seed == seed && next > 0 ? (uint64_t)next : 0;
}

static void save_next(struct findings *f, uint64_t seed, uint64_t next)
{
    char path[OUTPUT_PATH_MAX];
    struct output_error error;
    state_path(f, path, sizeof path);
    json_t *state = json_pack("{s:I, s:I}", "seed", (json_int_t)seed, "random_next", (json_int_t)next);
    if (output_json(path, state, &error) != OUTPUT_OK) {
        cli_complain_output(&error);
        f->failed = true;
    }
    json_decref(state);
}

int cmd_check(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_rules_children, .args_doc = "[MODULE]",
        .doc = "The main job: replay the corpus, explore all setups within bounds, then run random executions until "
               "the time is up; shrink and explain what was found.\v"
               "Findings go to the output folder, one .scn, .txt and .json for each; summary.md tells what was "
               "covered. Ctrl-C ends it early with a summary. Exit code: 0 no finding, 1 a finding.",
    };
    static struct findings findings;
    static struct summary summary;
    struct campaign c = {0};
    struct arguments a = {.seconds = SECONDS_DEFAULT, .seed = 1, .bounds = {.preemptions = 2, .deviations = 1}};
    cli_parse(&argp, argc, argv, &a);
    if (findings_open(&findings, a.module, findings_folder(a.module, a.out)) != OUTPUT_OK)
        return EXIT_TROUBLE;
    campaign_begin(&c, &findings, &summary, a.seconds, a.keep_going);
    replay_corpus(&c);
    if (!campaign_over(&c))
        campaign_dfs(&c, NULL, "explore", &a.bounds, a.seconds > 0 ? c.started + a.seconds / 2 : 0);
    if (!campaign_over(&c)) {
        uint64_t first = a.fresh ? 0 : load_next(&findings, a.seed);
        uint64_t count = a.bounds.executions > 0 ? a.bounds.executions : RANDOM_MAX;
        struct explore_samples samples = {SAMPLE_RANDOM, 1, a.seed, first, count};
        uint64_t next = campaign_sample(&c, NULL, &samples, c.deadline);
        if (!findings.failed)
            save_next(&findings, a.seed, next);
    }
    return campaign_finish(&c);
}
