/*
 * cmd_mutants.c - nmrcheck mutants: is each mistake found, by its own rule and by no other?
 *
 * The table test of the rules.  Each module is explored depth first over all setups and then at random, and what was
 * reported is counted by rule.  A mutant that is named after its rule must be found both ways and only ever break that
 * rule; one that is named after a mistake must be found by its rule one way; a correct module must break none.  A
 * mutant whose rule this build cannot judge is left out.
 *
 * With --strategies it is the table test of the strategies instead: how many executions each takes to the first finding
 * of the mutant's rule, the median of several seeds for those that sample.
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

enum { JOBS_MAX = 64, EXCEPT_MAX = 16, SEEDS_MAX = 1000, PATIENCE = 10 };

struct arguments {
    char **names;
    const char *except[EXCEPT_MAX];
    unsigned except_count, jobs, seeds;
    bool strategies;
    uint64_t seed, random;
    struct bounds bounds;
};

enum way { WAY_DFS, WAY_DPOR, WAY_RANDOM, WAY_PCT, WAY_POS, WAY_SURW, WAY_PORTFOLIO, WAYS };

static const struct { const char *name; enum sampling sampling; bool samples, usual, compared; } ways[WAYS] = {
    [WAY_DFS] = {.name = "dfs", .usual = true},
    [WAY_DPOR] = {.name = "dpor", .compared = true},
    [WAY_RANDOM] = {"random", SAMPLE_RANDOM, true, true, true},
    [WAY_PCT] = {"pct", SAMPLE_PCT, true, false, true},
    [WAY_POS] = {"pos", SAMPLE_POS, true, false, true},
    [WAY_SURW] = {"surw", SAMPLE_SURW, true, false, true},
    [WAY_PORTFOLIO] = {"portfolio", SAMPLE_PORTFOLIO, true, false, true},
};

struct row {
    const struct module *module;
    bool left_out, done;
    uint64_t executions[WAYS];
    uint64_t first[WAYS];                   /* number, from 1, of the first execution that broke its rule; 0: none */
    unsigned missed[WAYS];                  /* seeds, of several, with which no execution did */
    double seconds[WAYS];
    uint64_t broken[RULES];                 /* executions that broke each rule */
};

struct table {
    unsigned count;
    atomic_uint next;                       /* the row that nobody has taken */
    struct row rows[];
};

enum { PCT_DEPTH = 3 };
enum { KEY_PREEMPTIONS = 256, KEY_DEVIATIONS, KEY_EXECUTIONS, KEY_RANDOM, KEY_SEED, KEY_EXCEPT, KEY_JOBS,
       KEY_STRATEGIES, KEY_SEEDS };

static const struct argp_option options[] = {
    {"preemptions", KEY_PREEMPTIONS, "N", 0, "Up to N preemptions (default 2)", 0},
    {"deviations", KEY_DEVIATIONS, "N", 0, "Up to N faults, odd peers or NMR choices at once (default 1)", 0},
    {"executions", KEY_EXECUTIONS, "N", 0, "Depth first: at most N executions of each setup (default 20000)", 0},
    {"random", KEY_RANDOM, "N", 0, "Random executions; ten times as many until the mutant is found (default "
                               "20000)", 0},
    {"seed", KEY_SEED, "S", 0, "Of the random executions (default 1)", 0},
    {"strategies", KEY_STRATEGIES, NULL, 0, "Compare strategies: executions to the first finding by its rule", 0},
    {"seeds", KEY_SEEDS, "N", 0, "With --strategies: the median of so many seeds (default 20)", 0},
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
    case KEY_STRATEGIES: a->strategies = true; return 0;
    case KEY_SEEDS:
        a->seeds = (unsigned)cli_number(state, "seeds", argument, SEEDS_MAX);
        if (a->seeds == 0)
            argp_failure(state, EXIT_TROUBLE, 0, "--seeds: from 1 to %d", SEEDS_MAX);
        return 0;
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

struct look {
    struct row *row;
    enum way way;
    enum rule own;
    bool once;                              /* stop at the first finding of its own rule … */
    uint64_t first;                         /* … which is this execution; 0: none */
};

static bool on_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    struct look *look = context;
    (void)s;
    if (o->verdict != VERDICT_FINDING)
        return true;
    look->row->broken[o->finding.rule]++;
    if (o->finding.rule == look->own && look->first == 0)
        look->first = executions;
    return !look->once || look->first == 0;
}

static void try_setups(const struct arguments *a, const struct program *p, struct look *look)
{
    static struct scenario script;
    struct dpor_statistics statistics;
    struct explore_options o = {
        .preemptions_max = a->bounds.preemptions, .deviations_max = a->bounds.deviations,
        .executions_max = a->bounds.executions, .keep_going = true, .context = look, .on_outcome = on_outcome,
    };
    for (unsigned i = 0; i < setup_count() && !(look->once && look->first > 0); i++) {
        setup_script(&setups[i], &script);
        if (look->way == WAY_DPOR)
            explore_dpor(p, &script, &o, &statistics);
        else
            explore_dfs(p, &script, &o);
    }
}

/* A mutant that is not found by then has more, unless strategies are compared. */
static void try_samples(const struct arguments *a, const struct program *p, struct look *look, uint64_t seed)
{
    struct explore_options o = {.keep_going = true, .context = look, .on_outcome = on_outcome};
    struct explore_samples samples = {ways[look->way].sampling, PCT_DEPTH, seed, 0, a->random};
    explore_sample(p, NULL, &samples, &o, NULL);
    if (look->once || look->own == RULE_NONE || look->first > 0)
        return;
    look->once = true;
    samples.first = a->random;
    samples.count = (PATIENCE - 1) * a->random;
    explore_sample(p, NULL, &samples, &o, NULL);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* One way: the number of the first execution with the finding, the median of several seeds. */
static void try_way(const struct arguments *a, const struct program *p, struct look look)
{
    uint64_t firsts[SEEDS_MAX];
    unsigned seeds = a->strategies && ways[look.way].samples ? a->seeds : 1;
    double started = cli_now();
    look.once = a->strategies;
    for (unsigned i = 0; i < seeds; i++) {
        executions = look.first = 0;
        if (ways[look.way].samples)
            try_samples(a, p, &look, a->seed + i);
        else
            try_setups(a, p, &look);
        firsts[i] = look.first > 0 ? look.first : UINT64_MAX;
        look.row->missed[look.way] += look.first == 0;
        look.row->executions[look.way] += executions;
    }
    qsort(firsts, seeds, sizeof *firsts, compare);
    look.row->first[look.way] = firsts[seeds / 2] != UINT64_MAX ? firsts[seeds / 2] : 0;
    look.row->seconds[look.way] = cli_now() - started;
}

static enum rule own_rule(const struct module *m)
{
    return m->rule != NULL ? rule_find(m->rule) : RULE_NONE;
}

static void fill_row(const struct arguments *a, struct row *r)
{
    struct program p = *world_program(r->module);
    r->left_out = own_rule(r->module) == RULE_MEM_9 && !sanitizer_watches();
    reset_world = p.reset;
    p.reset = counting_reset;
    for (unsigned way = 0; way < WAYS && !r->left_out; way++)
        if (a->strategies ? ways[way].compared : ways[way].usual)
            try_way(a, &p, (struct look){.row = r, .way = (enum way)way, .own = own_rule(r->module)});
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
        if (is_wanted(a, modules[i]) && !(a->strategies && modules[i]->rule == NULL))
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
        if (ways[way].usual)
            json_object_set_new(o, ways[way].name,
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

/* ---- the comparison ------------------------------------------------------------------------------------- */

/* Did any strategy find it? */
static bool is_found(const struct row *r)
{
    for (unsigned way = 0; way < WAYS; way++)
        if (r->first[way] > 0)
            return true;
    return r->left_out;
}

static void compare_row(const struct row *r)
{
    printf("%-7s %-38s", r->module->rule, r->module->image.name);
    for (unsigned way = 0; way < WAYS; way++) {
        char missed[16] = "";
        if (!ways[way].compared)
            continue;
        if (ways[way].samples && r->missed[way] > 0 && r->first[way] > 0)
            snprintf(missed, sizeof missed, "-%u", r->missed[way]);
        printf(" %9s%-4s", first_text(r, (enum way)way), missed);
    }
    printf("%s\n", r->left_out ? " needs AddressSanitizer" : "");
}

static json_t *compare_json(const struct row *r)
{
    json_t *o = json_pack("{s:s, s:s}", "module", r->module->image.name, "rule", r->module->rule);
    for (unsigned way = 0; way < WAYS; way++)
        if (ways[way].compared)
            json_object_set_new(o, ways[way].name,
                                json_pack("{s:I, s:I, s:i, s:f}", "median", (json_int_t)r->first[way], "executions",
                                          (json_int_t)r->executions[way], "missed", (int)r->missed[way], "seconds",
                                          r->seconds[way]));
    return o;
}

/* How many mutants each strategy misses, and who none finds: exit code 1. */
static int print_comparison(const struct arguments *a, const struct table *t)
{
    json_t *list = json_array();
    unsigned missed[WAYS] = {0}, wrong = 0;
    for (unsigned i = 0; i < t->count; i++) {
        const struct row *r = &t->rows[i];
        for (unsigned way = 0; way < WAYS; way++)
            missed[way] += !r->left_out && r->first[way] == 0;
        wrong += !is_found(r);
        json_array_append_new(list, compare_json(r));
    }
    if (cli.json) {
        cli_print_json(list);
        return wrong > 0 ? EXIT_FOUND : EXIT_CLEAN;
    }
    json_decref(list);
    printf("%-7s %-38s", "rule", "module");
    for (unsigned way = 0; way < WAYS; way++)
        if (ways[way].compared)
            printf(" %9s%-4s", ways[way].name, "");
    putchar('\n');
    for (unsigned i = 0; i < t->count; i++)
        compare_row(&t->rows[i]);
    printf("%u mutant%s, median of %u seeds, at most %s executions of each seed and %s of each setup, "
           "<= %u deviations; \"-n\": n seeds missed it; none found %u\nnever found:", t->count,
           t->count == 1 ? "" : "s", a->seeds, cli_count(a->random), cli_count(a->bounds.executions),
           a->bounds.deviations, wrong);
    for (unsigned way = 0; way < WAYS; way++)
        if (ways[way].compared)
            printf(" %s %u", ways[way].name, missed[way]);
    putchar('\n');
    return wrong > 0 ? EXIT_FOUND : EXIT_CLEAN;
}

int cmd_mutants(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_rules_children, .args_doc = "[MODULE...]",
        .doc = "Test the rules: is each mutant found, by its own rule and by no other?\v"
               "Prints a row for each module: the number of the first execution that broke its rule, depth first and "
               "at random, and the rules that were broken beside it. Exit code 1 when a mutant was not found both "
               "ways, when it broke another rule, or when a correct module broke one; with --strategies, when no "
               "strategy found it.",
    };
    struct arguments a = {
        .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), .seed = 1, .random = 20000, .seeds = 20,
        .bounds = {.preemptions = 2, .deviations = 1, .executions = 20000},
    };
    cli_parse(&argp, argc, argv, &a);
    struct table *t = make_table(&a);
    if (t == NULL)
        return EXIT_TROUBLE;
    if (!fill_table(&a, t))
        return EXIT_TROUBLE;
    return a.strategies ? print_comparison(&a, t) : print_table(&a, t);
}
