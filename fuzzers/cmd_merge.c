/* cmd_merge.c - nmrcheck merge: one summary and one set of findings out of those of the shards of a run. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    char **folders;
    unsigned count;
    const char *out;
};

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "Output folder (default ./nmrcheck-out/MODULE)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'o': a->out = argument; return 0;
    case ARGP_KEY_ARGS:
        a->folders = state->argv + state->next;
        a->count = (unsigned)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_TROUBLE, 0, "no folders given");
        return 0;
    default:
        (void)argument;
        return ARGP_ERR_UNKNOWN;
    }
}

struct merge {
    struct summary sum;
    char *module;
    const char *first;                      /* folder */
    bool seen[SUMMARY_SHARDS_MAX + 1];      /* by index */
    unsigned count;
    char out[OUTPUT_PATH_MAX];
};

static bool load(const char *folder, struct summary *s, char **module)
{
    char path[OUTPUT_PATH_MAX];
    json_error_t error;
    if (snprintf(path, sizeof path, "%s/summary.json", folder) >= (int)sizeof path) {
        cli_complain(folder, 0, "%s", strerror(ENAMETOOLONG));
        return false;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        cli_complain(path, 0, "%s", strerror(errno));
        return false;
    }
    json_t *value = json_loadf(file, 0, &error);
    fclose(file);
    if (value == NULL) {
        cli_complain(path, (unsigned)(error.line > 0 ? error.line : 0), "%s", error.text);
        return false;
    }
    const char *wrong = summary_from_json(value, s, module);
    json_decref(value);
    if (wrong != NULL)
        cli_complain(path, 0, "%s", wrong);
    return wrong == NULL;
}

/* The phases of all shards of a run are the same, in the same order. */
static void add_phase(struct summary_phase *sum, const struct summary_phase *p)
{
    sum->executions += p->executions;
    sum->findings += p->findings;
    sum->detours += p->detours;
    sum->distinct += p->distinct;
    sum->faults += p->faults;
    sum->longest = p->longest > sum->longest ? p->longest : sum->longest;
    sum->complete = sum->complete && p->complete;
    sum->seconds += p->seconds;
}

static void add_finding(struct summary *sum, const struct summary_finding *f)
{
    for (unsigned i = 0; i < sum->finding_count; i++) {
        struct summary_finding *known = &sum->findings[i];
        if (strcmp(known->fingerprint, f->fingerprint) != 0)
            continue;
        uint64_t seen = known->seen + f->seen;
        bool old = known->old && f->old;
        if (f->records < known->records)
            *known = *f;
        known->seen = seen;
        known->old = old;
        return;
    }
    if (sum->finding_count < SUMMARY_FINDINGS_MAX)
        sum->findings[sum->finding_count++] = *f;
}

static bool add_shard(struct merge *m, const char *folder)
{
    static struct summary s;
    struct summary *sum = &m->sum;
    char *module;
    if (!load(folder, &s, &module))
        return false;
    if (m->count == 0) {
        *sum = s;
        m->module = module;
        m->first = folder;
    } else {
        bool same = strcmp(sum->shard.run, s.shard.run) == 0 && sum->shard.count == s.shard.count;
        free(module);
        if (!same) {
            cli_complain(folder, 0, "a shard of another run than %s", m->first);
            return false;
        }
        if (m->seen[s.shard.index]) {
            cli_complain(folder, 0, "shard %u was there before", s.shard.index);
            return false;
        }
        for (unsigned i = 0; i < s.phase_count && i < sum->phase_count; i++)
            add_phase(&sum->phases[i], &s.phases[i]);
        for (unsigned i = 0; i < s.finding_count; i++)
            add_finding(sum, &s.findings[i]);
    }
    m->seen[s.shard.index] = true;
    m->count++;
    return true;
}

/* "shard 2 is missing", "shards 2 4 5 are missing" */
static int name_missing(const struct merge *m, char *text, size_t capacity)
{
    unsigned missing = m->sum.shard.count - m->count;
    int length = snprintf(text, capacity, missing == 1 ? "shard" : "shards");
    for (unsigned i = 1; i <= m->sum.shard.count && length < (int)capacity - 40; i++)
        if (!m->seen[i])
            length += snprintf(text + length, capacity - (size_t)length, " %u", i);
    return length + snprintf(text + length, capacity - (size_t)length, missing == 1 ? " is missing" : " are missing");
}

static void say_phase(const struct merge *m, struct summary_phase *p)
{
    bool all = m->count == m->sum.shard.count;
    size_t capacity = sizeof p->result / 2;
    int length = 0;
    p->complete = p->complete && all;
    if (p->complete) {
        length = snprintf(p->result, capacity, "complete: all %s: ", p->scope);
    } else if (p->scope[0] != '\0') {
        length = snprintf(p->result, capacity, "not complete: ");
        length += all ? snprintf(p->result + length, capacity, "a shard was not")
                      : name_missing(m, p->result + length, capacity - (size_t)length);
        length += snprintf(p->result + length, sizeof p->result - (size_t)length, "; wanted: all %s: ", p->scope);
    }
    snprintf(p->result + length, sizeof p->result - (size_t)length, "%s executions in %u of %u shards, longest %u "
             "scheduling points, at most %s distinct event hashes, %s with a failed call, %s with a finding; besides "
             "%s that led to these", cli_count(p->executions), m->count, m->sum.shard.count, p->longest,
             cli_count(p->distinct), cli_count(p->faults), cli_count(p->findings), cli_count(p->detours));
}

static bool copy(const char *from, const char *to)
{
    char bytes[4096];
    struct output o;
    struct output_error error;
    FILE *in = fopen(from, "r");
    if (in == NULL) {
        cli_complain(from, 0, "%s", strerror(errno));
        return false;
    }
    bool good = output_open(&o, to, &error) == OUTPUT_OK;
    for (size_t size; good && (size = fread(bytes, 1, sizeof bytes, in)) > 0;)
        fwrite(bytes, 1, size, o.file);
    fclose(in);
    good = good && output_close(&o, &error) == OUTPUT_OK;
    if (!good)
        cli_complain_output(&error);
    return good;
}

/* A finding's three files into the output folder. */
static bool take_finding(const struct merge *m, struct summary_finding *f)
{
    static const char *const endings[] = {"scn", "txt", "json"};
    const char *name = strrchr(f->path, '/') != NULL ? strrchr(f->path, '/') + 1 : f->path;
    const char *dot = strrchr(f->path, '.');
    char from[OUTPUT_PATH_MAX + 8], to[2 * OUTPUT_PATH_MAX];
    if (dot == NULL || dot < name) {
        cli_complain(f->path, 0, "not the name of a scenario");
        return false;
    }
    for (unsigned i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(from, sizeof from, "%.*s.%s", (int)(dot - f->path), f->path, endings[i]);
        snprintf(to, sizeof to, "%s/%.*s.%s", m->out, (int)(dot - name), name, endings[i]);
        if (strcmp(from, to) != 0 && !copy(from, to))
            return false;
    }
    snprintf(to, sizeof to, "%s/%s", m->out, name);
    snprintf(f->path, sizeof f->path, "%.*s", OUTPUT_PATH_MAX - 1, to);
    return true;
}

static bool write_out(struct merge *m)
{
    struct output_error error;
    if (output_make_folder(m->out, &error) != OUTPUT_OK) {
        cli_complain_output(&error);
        return false;
    }
    for (unsigned i = 0; i < m->sum.finding_count; i++)
        if (!take_finding(m, &m->sum.findings[i]))
            return false;
    if (summary_write(&m->sum, m->out, &error) == OUTPUT_OK)
        return true;
    cli_complain_output(&error);
    return false;
}

int cmd_merge(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_children, .args_doc = "DIR...",
        .doc = "Put the results of the shards of an exploration together: their output folders, which explore --shard "
               "wrote.\vFindings with the same fingerprint are one. It says \"complete\" only when each shard is there "
               "and is complete itself. Shards of different runs, or builds, do not belong together.",
    };
    static struct merge m;
    struct arguments a = {0};
    uint64_t executions = 0;
    cli_parse(&argp, argc, argv, &a);
    for (unsigned i = 0; i < a.count; i++)
        if (!add_shard(&m, a.folders[i]))
            return EXIT_TROUBLE;
    for (unsigned i = 0; i < m.sum.phase_count; i++) {
        say_phase(&m, &m.sum.phases[i]);
        executions += m.sum.phases[i].executions;
    }
    if (a.out != NULL)
        snprintf(m.out, sizeof m.out, "%s", a.out);
    else
        snprintf(m.out, sizeof m.out, "nmrcheck-out/%s", m.module);
    m.sum.module = m.module;
    m.sum.verdict = cli_verdict(m.sum.finding_count, executions, m.out);
    m.sum.shard = (struct summary_shard){0};
    if (!write_out(&m))
        return EXIT_TROUBLE;
    if (cli.json)
        cli_print_json(summary_json(&m.sum));
    else
        summary_print(&m.sum, 0, stdout);
    return m.sum.finding_count > 0 ? EXIT_FOUND : EXIT_CLEAN;
}
