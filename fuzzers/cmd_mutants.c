/*
 * cmd_mutants.c - nmrcheck mutants: is each mistake found, by its own rule and by no other?
 *
 * The table test of the rules.  Each module is explored depth first over all setups and then at random, and what was
 * reported is counted by rule.  A mutant that is named after its rule must be found both ways and only ever break that
 * rule; one that is named after a mistake must be found by its rule one way; a correct module must break none.  A
 * mutant whose rule this build cannot judge is left out.
 *
 * Modules are independent, so several processes share the list; each row lies in shared memory and is written by one.
 */
#include "cli.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rules/rules.h"

enum { JOBS_MAX = 64, EXCEPT_MAX = 16, PATIENCE = 10 };

struct arguments {
    char **names;
    const char *except[EXCEPT_MAX];
    unsigned except_count, jobs;
    uint64_t seed, random;
    struct bounds bounds;
};

enum way { WAY_DFS, WAY_RANDOM, WAYS };
static const char *const way_names[WAYS] = {"dfs", "random"};

struct row {
    const struct module *module;
    bool left_out, done;
    uint64_t executions[WAYS];
    uint64_t first[WAYS];                   /* number, from 1, of the first execution that broke its rule; 0: none */
    double seconds[WAYS];
    uint64_t broken[RULES];                 /* executions that broke each rule */
};

struct table {
    unsigned count;
    atomic_uint next;                       /* the row that nobody has taken */
    struct row rows[];
};

enum { KEY_PREEMPTIONS = 256, KEY_DEVIATIONS, KEY_EXECUTIONS, KEY_RANDOM, KEY_SEED, KEY_EXCEPT, KEY_JOBS };

static const struct argp_option options[] = {
    {"preemptions", KEY_PREEMPTIONS, "N", 0, "Up to N preemptions (default 2)", 0},
    {"deviations", KEY_DEVIATIONS, "N", 0, "Up to N faults, odd peers or NMR choices at once (default 1)", 0},
    {"executions", KEY_EXECUTIONS, "N", 0, "Depth first: at most N executions of each setup (default 20000)", 0},
    {"random", KEY_RANDOM, "N", 0, "Random executions; ten times as many until the mutant is found (default "
                               "20000)", 0},
    {"seed", KEY_SEED, "S", 0, "Of the random executions (default 1)", 0},
    {"except", KEY_EXCEPT, "MODULE", 0, "Leave this module out; may be repeated", 0},
    {"jobs", KEY_JOBS, "N", 0, "Processes (default: one for each processor)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_PREEMPTIONS: a->bounds.preemptions = (unsigned)cli_number(state, "preemptions", argument, 100); return 0;
    case KEY_DEVIATIONS: a->bounds.deviations = (unsigned)cli_number(state, "deviations", argument, 100); return 0;
    case KEY_EXECUTIONS: a->bounds.executions = cli_number(state, "executions", argument, INT64_MAX); return 0;
    case KEY_RANDOM: a->random = cli_number(state, "random", argument, INT32_MAX); return 0;
    case KEY_SEED: a->seed = cli_number(state, "seed", argument, INT64_MAX); return 0;
    case KEY_JOBS: a->jobs = (unsigned)cli_number(state, "jobs", argument, JOBS_MAX); return 0;
    case KEY_EXCEPT:
        if (a->except_count == EXCEPT_MAX)
            argp_failure(state, EXIT_TROUBLE, 0, "--except: more than %d modules", EXCEPT_MAX);
        a->except[a->except_count++] = cli_module(argument)->image.name;
        return 0;
    case ARGP_KEY_ARGS:
        a->names = state->argv + state->next;
        for (char **name = a->names; *name != NULL; name++)
            cli_module(*name);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one row -------------------------------------------------------------------------------------------- */

/* Executions are counted where each begins: callbacks only hear of those that did not pass. */
static uint64_t executions;
static void (*reset_world)(void);

static void counting_reset(void)
{
    executions++;
    reset_world();
}

struct look { struct row *row; enum way way; enum rule own; };

static bool on_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    struct look *look = context;
    (void)s;
    if (o->verdict != VERDICT_FINDING)
        return true;
    look->row->broken[o->finding.rule]++;
    if (o->finding.rule == look->own && look->row->first[look->way] == 0)
        look->row->first[look->way] = executions;
    return true;
}

static void try_dfs(const struct arguments *a, const struct program *p, struct look *look)
{
    static struct scenario script;
    struct explore_options o = {
        .preemptions_max = a->bounds.preemptions, .deviations_max = a->bounds.deviations,
        .executions_max = a->bounds.executions, .keep_going = true, .context = look, .on_outcome = on_outcome,
    };
    for (unsigned i = 0; i < setup_count(world_module()); i++) {
        setup_script(&setups[i], &script);
        explore_dfs(p, &script, &o);
    }
}

/* A mutant that is not found by then has more. */
static void try_random(const struct arguments *a, const struct program *p, struct look *look)
{
    struct explore_options o = {.keep_going = true, .context = look, .on_outcome = on_outcome};
    explore_random(p, NULL, a->seed, 0, a->random, &o);
    if (look->own == RULE_NONE || look->row->first[WAY_RANDOM] > 0)
        return;
    o.keep_going = false;
    explore_random(p, NULL, a->seed, a->random, (PATIENCE - 1) * a->random, &o);
}

static enum rule own_rule(const struct module *m)
{
    return m->rule != NULL ? rule_find(m->rule) : RULE_NONE;
}

static void fill_row(const struct arguments *a, struct row *r)
{
    static void (*const ways[WAYS])(const struct arguments *, const struct program *, struct look *) = {
        try_dfs, try_random,
    };
    struct program p = *world_program(r->module);
    r->left_out = own_rule(r->module) == RULE_MEM_9 && !sanitizer_watches();
    reset_world = p.reset;
    p.reset = counting_reset;
    for (unsigned way = 0; way < WAYS && !r->left_out; way++) {
        struct look look = {r, way, own_rule(r->module)};
        double started = cli_now();
        executions = 0;
        ways[way](a, &p, &look);
        r->executions[way] = executions;
        r->seconds[way] = cli_now() - started;
    }
    r->done = true;
}

/* ---- all rows ------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct arguments *a, const struct module *m)
{
    for (unsigned i = 0; i < a->except_count; i++)
        if (strcmp(a->except[i], m->image.name) == 0)
            return false;
    for (char **name = a->names; name != NULL && *name != NULL; name++)
        if (strcmp(*name, m->image.name) == 0)
            return true;
    return a->names == NULL;
}

/* NULL: the reason was printed. */
static struct table *make_table(const struct arguments *a)
{
    size_t size = sizeof(struct table) + module_count * sizeof(struct row);
    struct table *t = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t == MAP_FAILED) {
        cli_complain(NULL, 0, "no memory for the table: %s", strerror(errno));
        return NULL;
    }
    for (unsigned i = 0; i < module_count; i++)
        if (is_wanted(a, modules[i]))
            t->rows[t->count++].module = modules[i];
    return t;
}

static void work(const struct arguments *a, struct table *t)
{
    for (unsigned i; !cli_interrupted && (i = atomic_fetch_add(&t->next, 1)) < t->count;)
        fill_row(a, &t->rows[i]);
}

/* False when a process died, which is our bug, or was interrupted. */
static bool fill_table(const struct arguments *a, struct table *t)
{
    bool good = true;
    unsigned started = 0;
    fflush(NULL);
    for (; started < a->jobs; started++) {
        pid_t child = fork();
        if (child == 0) {
            sanitizer_keep_quiet();
            work(a, t);
            _exit(0);
        }
        if (child < 0) {
            cli_complain(NULL, 0, "cannot start another process: %s", strerror(errno));
            good = false;
            break;
        }
    }
    for (int status; started > 0; started--)
        good = wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && good;
    for (unsigned i = 0; i < t->count; i++) {
        if (!t->rows[i].done)
            cli_complain(NULL, 0, "%s: not finished", t->rows[i].module->image.name);
        good = good && t->rows[i].done;
    }
    return good;
}

/* ---- the verdict ---------------------------------------------------------------------------------------- */

/* Rules that this module should not break, "" when there is none. */
static void other_rules(const struct row *r, char *text, size_t capacity)
{
    enum rule own = own_rule(r->module);
    size_t length = 0;
    text[0] = '\0';
    for (unsigned i = 1; i < RULES && length < capacity; i++)
        if (r->broken[i] > 0 && i != (unsigned)own)
            length += (size_t)snprintf(text + length, capacity - length, "%s%s(%llu)", length > 0 ? " " : "",
                                       rule_table[i].name, (unsigned long long)r->broken[i]);
}

/* A mutant that is named after its rule was made to break that and nothing else. */
static bool is_named_after_rule(const struct module *m)
{
    const char *name = m->image.name + strlen("mutant_");
    for (const char *c = m->rule; *c != '\0'; c++, name++)
        if (*name != (*c == '-' ? '_' : *c))
            return false;
    return *name == '\0';
}

/* Any other mutant is a mistake that somebody made: it may show in several ways, one of which is the one to expect. */
static bool is_good(const struct row *r)
{
    char others[256];
    bool dfs = r->first[WAY_DFS] > 0, random = r->first[WAY_RANDOM] > 0;
    if (r->module->rule != NULL && !is_named_after_rule(r->module))
        return dfs || random;
    other_rules(r, others, sizeof others);
    return (r->module->rule == NULL || r->left_out || (dfs && random)) && others[0] == '\0';
}

static json_t *row_json(const struct row *r)
{
    char others[256];
    json_t *o = json_object();
    other_rules(r, others, sizeof others);
    json_object_set_new(o, "module", output_json_text(r->module->image.name));
    if (r->module->rule != NULL)
        json_object_set_new(o, "rule", output_json_text(r->module->rule));
    for (unsigned way = 0; way < WAYS; way++)
        json_object_set_new(o, way_names[way],
                            json_pack("{s:I, s:I, s:f}", "executions", (json_int_t)r->executions[way], "first",
                                      (json_int_t)r->first[way], "seconds", r->seconds[way]));
    if (r->left_out)
        json_object_set_new(o, "left-out", json_true());
    json_object_set_new(o, "others", output_json_text(others));
    json_object_set_new(o, "good", json_boolean(is_good(r)));
    return o;
}

static const char *first_text(const struct row *r, enum way way)
{
    if (r->first[way] > 0)
        return cli_count(r->first[way]);
    return !r->left_out && r->module->rule != NULL ? "never" : "-";
}

static void print_row(const struct row *r)
{
    char others[256];
    other_rules(r, others, sizeof others);
    printf("%-7s %-38s %10s %10s %11s  %s%s%s\n", r->module->rule != NULL ? r->module->rule : "-",
           r->module->image.name, first_text(r, WAY_DFS), first_text(r, WAY_RANDOM),
           cli_count(r->executions[WAY_DFS] + r->executions[WAY_RANDOM]), others[0] != '\0' ? others : "",
           others[0] != '\0' ? " " : "", r->left_out ? "needs AddressSanitizer" : is_good(r) ? "ok" : "WRONG");
}

static int print_table(const struct arguments *a, const struct table *t)
{
    json_t *list = json_array();
    unsigned wrong = 0, mutants = 0;
    if (!cli.json)
        printf("%-7s %-38s %10s %10s %11s  %s\n", "rule", "module", "found: dfs", "random", "executions",
               "other rules");
    for (unsigned i = 0; i < t->count; i++) {
        wrong += !is_good(&t->rows[i]);
        mutants += t->rows[i].module->rule != NULL;
        if (cli.json)
            json_array_append_new(list, row_json(&t->rows[i]));
        else
            print_row(&t->rows[i]);
    }
    if (cli.json)
        cli_print_json(list);
    else
        printf("%u mutants, %u correct modules; <= %u preemptions, <= %u deviations, <= %s executions of each setup, "
               "%s random executions, or up to %ux as many until found: %u wrong\n", mutants,
               t->count - mutants, a->bounds.preemptions, a->bounds.deviations,
               cli_count(a->bounds.executions), cli_count(a->random), PATIENCE, wrong);
    if (!cli.json)
        json_decref(list);
    return wrong > 0 ? EXIT_FOUND : EXIT_CLEAN;
}

int cmd_mutants(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_rules_children, .args_doc = "[MODULE...]",
        .doc = "Test the rules: is each mutant found, by its own rule and by no other?\v"
               "Prints a row for each module: the number of the first execution that broke its rule, depth first and "
               "at random, and the rules that were broken beside it. Exit code 1 when a mutant was not found both "
               "ways, when it broke another rule, or when a correct module broke one.",
    };
    struct arguments a = {
        .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), .seed = 1, .random = 20000,
        .bounds = {.preemptions = 2, .deviations = 1, .executions = 20000},
    };
    cli_parse(&argp, argc, argv, &a);
    struct table *t = make_table(&a);
    if (t == NULL)
        return EXIT_TROUBLE;
    if (!fill_table(&a, t))
        return EXIT_TROUBLE;
    return print_table(&a, t);
}
