/* cmd_hash.c - nmrcheck hash: random executions in one number, to compare builds and machines. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

struct arguments {
    char **names;
    const char *write;
    uint64_t seed, first, executions;
    bool each;
    json_t *results;
};

enum { KEY_SEED = 256, KEY_EXECUTIONS, KEY_FIRST, KEY_EACH, KEY_WRITTEN };
enum { EXECUTIONS_DEFAULT = 10000 };

static const struct argp_option options[] = {
    {"seed", KEY_SEED, "S", 0, "The seed (default 1)", 0},
    {"executions", KEY_EXECUTIONS, "N", 0, "How many (default 10000)", 0},
    {"first", KEY_FIRST, "N", 0, "Number of the first execution (default 0)", 0},
    {"each", KEY_EACH, NULL, 0, "A line for each execution, too: number, event hash, verdict, fingerprint", 0},
    {"write", KEY_WRITTEN, "DIR", 0, "Write each scenario there in binary, as MODULE/NUMBER, for other engines", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_SEED: a->seed = cli_number(state, "seed", argument, INT64_MAX); return 0;
    case KEY_EXECUTIONS: a->executions = cli_number(state, "executions", argument, INT32_MAX); return 0;
    case KEY_FIRST: a->first = cli_number(state, "first", argument, INT32_MAX); return 0;
    case KEY_EACH: a->each = true; return 0;
    case KEY_WRITTEN: a->write = argument; return 0;
    case ARGP_KEY_ARGS:
        a->names = state->argv + state->next;
        for (char **name = a->names; *name != NULL; name++)
            cli_module(*name);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool make_folder(const struct arguments *a, const struct module *m)
{
    char folder[OUTPUT_PATH_MAX];
    struct output_error error;
    snprintf(folder, sizeof folder, "%s/%s", a->write, m->image.name);
    if (output_make_folder(folder, &error) == OUTPUT_OK)
        return true;
    cli_complain_output(&error);
    return false;
}

static bool write_scenario(const struct arguments *a, const struct module *m, uint64_t index, const struct scenario *s)
{
    char path[OUTPUT_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%08" PRIu64, a->write, m->image.name, index);
    return input_write(path, s);
}

/* False: the reason was printed. */
static bool hash_module(const struct arguments *a, const struct module *m)
{
    static struct scenario s;
    const struct program *p = world_program(m);
    uint64_t digest = 0, count = 0;
    if (a->write != NULL && !make_folder(a, m))
        return false;
    for (; count < a->executions && !cli_interrupted; count++) {
        struct outcome o, again;
        char line[DIGEST_LINE_MAX], other[DIGEST_LINE_MAX];
        uint64_t index = a->first + count;
        bool same = digest_random(p, a->seed, index, &s, &o, &again);
        digest_line(&o, line);
        if (!same) {
            digest_line(&again, other);
            cli_complain(NULL, 0, "%s: random execution %" PRIu64 " of seed %" PRIu64 " is not deterministic, which is "
                         "our bug: %s, then %s", m->image.name, index, a->seed, line, other);
            return false;
        }
        digest = digest_add(digest, &o);
        if (a->each && !cli.json)
            printf("%s %" PRIu64 " %s\n", m->image.name, index, line);
        if (a->write != NULL && !write_scenario(a, m, index, &s))
            return false;
    }
    if (cli.json)
        json_array_append_new(a->results, json_pack("{s:s, s:o}", "module", m->image.name, "digest",
                                                    json_sprintf("%016" PRIx64, digest)));
    else
        printf("%s %016" PRIx64 "\n", m->image.name, digest);
    return true;
}

int cmd_hash(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_children, .args_doc = "[MODULE...]",
        .doc = "Run random executions, each a second time from the scenario it left, and print one number for each "
               "module.\v"
               "Every build on every machine prints the same number: it is made of the event hash, the verdict, the "
               "rule and the fingerprint of each execution. Without MODULE: all but mutants. Exit code 2 when an "
               "execution could not be repeated.",
    };
    struct arguments a = {.seed = 1, .executions = EXECUTIONS_DEFAULT};
    bool good = true;
    cli_parse(&argp, argc, argv, &a);
    if (cli.json)
        a.results = json_array();
    if (a.names != NULL)
        for (char **name = a.names; *name != NULL && good; name++)
            good = hash_module(&a, module_find(*name));
    for (unsigned i = 0; a.names == NULL && i < module_count && good; i++)
        if (modules[i]->rule == NULL)
            good = hash_module(&a, modules[i]);
    if (cli.json)
        cli_print_json(a.results);
    return good ? EXIT_CLEAN : EXIT_TROUBLE;
}
