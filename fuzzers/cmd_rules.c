/* cmd_rules.c - nmrcheck rules: what is checked, where it is written, and what a broken rule looks like. */
#include "cli.h"

#include <string.h>

#include "rules/rules.h"

enum { PAGES_MAX = 16, FIELD = 11 };

static const char *const judged_names[] = {
    [JUDGED_RUNNING] = "running", [JUDGED_COMPILING] = "compiling", [JUDGED_NOWHERE] = "nowhere",
};
enum { JUDGED = sizeof judged_names / sizeof *judged_names };

static const char *const judged_words[JUDGED] = {
    [JUDGED_RUNNING] = "while a module runs", [JUDGED_COMPILING] = "by the compiler",
    [JUDGED_NOWHERE] = "not decidable here",
};

static const struct module *mutant_of(enum rule rule)
{
    unsigned from = 0;
    return mutant_next(rule_table[rule].name, &from);
}

/* ---- one rule ----------------------------------------------------------------------------------------------- */

static json_t *rule_json(enum rule rule)
{
    const struct rule_info *r = &rule_table[rule];
    const char *pages[PAGES_MAX];
    unsigned count = rule_pages(r->source, pages, PAGES_MAX), from = 0;
    json_t *o = json_object(), *page_list = json_array(), *mutants = json_array();
    json_object_set_new(o, "id", output_json_text(r->name));
    json_object_set_new(o, "severity", json_string(rule_severity(rule)));
    json_object_set_new(o, "class", json_string(rule_class_name(r->class)));
    json_object_set_new(o, "judged", json_string(judged_names[r->judged]));
    if (r->reason != NULL)
        json_object_set_new(o, "reason", output_json_text(r->reason));
    json_object_set_new(o, "sentence", output_json_text(r->sentence));
    json_object_set_new(o, "why", output_json_text(rule_why(rule)));
    json_object_set_new(o, "source", output_json_text(r->source));
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(page_list, output_json_text(pages[i]));
    json_object_set_new(o, "pages", page_list);
    for (const struct module *m; (m = mutant_next(r->name, &from)) != NULL;)
        json_array_append_new(mutants, output_json_text(m->image.name));
    json_object_set_new(o, "mutants", mutants);
    return o;
}

/* Search for what the mutant does.  False: the scenario shows no finding. */
static bool find(const struct module *m, struct report *r)
{
    static struct scenario s;
    if (!mutant_find(m, &s))
        return false;
    findings_report(r, world_program(m), &s, NULL);
    return true;
}

static void explain_json(enum rule rule)
{
    static struct report r;
    const struct module *m = mutant_of(rule);
    json_t *o = rule_json(rule);
    if (m != NULL) {
        if (m->parent != NULL)
            json_object_set_new(o, "mutant_of", output_json_text(m->parent));
        json_object_set_new(o, "mistake", output_json_text(m->summary));
        if (m->patch != NULL)
            json_object_set_new(o, "code", mutant_code_json(m));
        json_object_set_new(o, "report", find(m, &r) ? report_json(&r) : json_null());
    }
    cli_print_json(o);
}

static void print_field(const char *name, const char *text)
{
    printf("  %-*s", FIELD, name);
    report_wrap(stdout, text, FIELD + 2);
}

static void print_judged(const struct rule_info *r)
{
    printf("  %-*s%s%s\n", FIELD, "judged", judged_words[r->judged],
           r->judged == JUDGED_RUNNING && r->reason != NULL ? "; no mutant proves it" : "");
    if (r->reason != NULL)
        print_field("because", r->reason);
}

static void print_finding(const struct module *m)
{
    static struct report r;
    printf("\nWhat the bad code leads to\n\n");
    fflush(stdout);                         /* the search may take a while */
    if (!find(m, &r)) {
        printf("  %s\n", cli_interrupted ? "(interrupted)" : "Nothing was found within the bounds of this search.");
        return;
    }
    report_print_brief(&r, stdout);
    printf("\n  The whole story: nmrcheck check %s\n", m->image.name);
}

static void print_code(const struct module *m)
{
    printf("\nGood and bad code: %s breaks it", m->image.name);
    if (m->parent != NULL)
        printf(", %s does not", m->parent);
    printf("\n\n  ");
    report_wrap(stdout, m->summary, 2);
    if (m->patch != NULL)
        mutant_print_code(m, stdout);
}

static void print_others(const char *rule)
{
    unsigned from = 0;
    mutant_next(rule, &from);
    const struct module *m = mutant_next(rule, &from);
    if (m != NULL)
        printf("\nOther mistakes that break it\n\n");
    for (; m != NULL; m = mutant_next(rule, &from))
        printf("  %-38s  %s\n", m->image.name, m->summary);
}

static void explain(enum rule rule)
{
    const struct rule_info *r = &rule_table[rule];
    const struct module *m = mutant_of(rule);
    const char *pages[PAGES_MAX];
    unsigned count = rule_pages(r->source, pages, PAGES_MAX);
    printf("%s: %s\n\n", r->name, r->sentence);
    print_field("severity", rule_severity(rule));
    print_field("class", rule_class_name(r->class));
    print_judged(r);
    print_field("source", count > 0 ? pages[0] : r->source);
    for (unsigned i = 1; i < count; i++)
        print_field("", pages[i]);
    print_field("why", rule_why(rule));
    if (m == NULL) {
        if (r->reason == NULL)
            printf("\nThis program holds no module that breaks it.\n");
        return;
    }
    print_code(m);
    print_finding(m);
    print_others(r->name);
}

/* ---- all rules ---------------------------------------------------------------------------------------------- */

/* Rules whose names begin alike; the last one takes what is left. */
static const struct group { const char *prefix, *title; } groups[] = {
    {"PA-", "a provider attaches"}, {"PD-", "a provider detaches"}, {"PC-", "a provider cleans up"},
    {"PR-", "a provider registers and unloads"}, {"CA-", "a client attaches"}, {"CD-", "a client detaches"},
    {"CC-", "a client cleans up"}, {"CR-", "a client registers and unloads"}, {"", "any driver"},
};
enum { GROUPS = sizeof groups / sizeof *groups };

struct counts { unsigned rules, violations, broken, judged[JUDGED]; };

static unsigned group_of(const char *name)
{
    unsigned i = 0;
    while (strncmp(groups[i].prefix, name, strlen(groups[i].prefix)) != 0)
        i++;
    return i;
}

static void count_rule(struct counts *c, enum rule rule)
{
    c->rules++;
    c->violations += strcmp(rule_severity(rule), "violation") == 0;
    c->broken += mutant_of(rule) != NULL;
    c->judged[rule_table[rule].judged]++;
}

static json_t *counts_json(const struct counts *c)
{
    json_t *judged = json_object();
    for (unsigned i = 0; i < JUDGED; i++)
        json_object_set_new(judged, judged_names[i], json_integer(c->judged[i]));
    return json_pack("{s:i, s:i, s:i, s:i, s:o}", "rules", (int)c->rules, "violations", (int)c->violations, "warnings",
                     (int)(c->rules - c->violations), "broken", (int)c->broken, "judged", judged);
}

static void print_counts(const char *title, const struct counts *c)
{
    printf("%-36s %6u %11u %9u %12u %13u %10u\n", title, c->rules, c->violations, c->rules - c->violations,
           c->judged[JUDGED_RUNNING], c->judged[JUDGED_COMPILING], c->judged[JUDGED_NOWHERE]);
}

static void print_rule(enum rule rule)
{
    const struct rule_info *r = &rule_table[rule];
    printf("%-7s %c %-9s  %s\n", r->name, r->class, rule_severity(rule), r->sentence);
    if (r->judged != JUDGED_RUNNING)
        printf("%21s(%s: %s)\n", "", judged_words[r->judged], r->reason);
}

static void list_json(const struct counts counts[GROUPS], const struct counts *all)
{
    json_t *rules = json_array(), *group_list = json_array();
    for (unsigned i = 1; i < RULES; i++)
        json_array_append_new(rules, rule_json((enum rule)i));
    for (unsigned i = 0; i < GROUPS; i++) {
        json_t *o = counts_json(&counts[i]);
        json_object_set_new(o, "prefix", json_string(groups[i].prefix));
        json_object_set_new(o, "title", json_string(groups[i].title));
        json_array_append_new(group_list, o);
    }
    cli_print_json(json_pack("{s:o, s:o, s:o}", "rules", rules, "groups", group_list, "all", counts_json(all)));
}

static void list(void)
{
    struct counts counts[GROUPS] = {0}, all = {0};
    for (unsigned i = 1; i < RULES; i++) {
        count_rule(&counts[group_of(rule_table[i].name)], (enum rule)i);
        count_rule(&all, (enum rule)i);
    }
    if (cli.json) {
        list_json(counts, &all);
        return;
    }
    for (unsigned i = 1; i < RULES; i++)
        print_rule((enum rule)i);
    printf("\n%-36s %6s %11s %9s %12s %13s %10s\n", "group", "rules", "violations", "warnings", "at run time",
           "compile time", "undecided");
    for (unsigned i = 0; i < GROUPS; i++) {
        char title[64];
        snprintf(title, sizeof title, "%-2.2s  %s", groups[i].prefix, groups[i].title);
        print_counts(title, &counts[i]);
    }
    print_counts("    all", &all);
    printf("\n%u of them are broken by a mutant in this program; nmrcheck rules RULE shows how.\n", all.broken);
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const char **name = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*name != NULL)
        argp_failure(state, EXIT_TROUBLE, 0, "one rule at a time, not also '%s'", argument);
    *name = argument;
    return 0;
}

int cmd_rules(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse, .children = cli_children, .args_doc = "[RULE]",
        .doc = "List the rules that are checked, or explain one: why it matters, code that keeps and code that breaks "
               "it, and the finding that this leads to.\v"
               "The letter is the rule's class: D documented as a must, S documented as advice, H follows from the "
               "header, K general kernel rule, W how Windows behaves, I inferred.  D, H and K are violations, the "
               "others warnings.",
    };
    const char *name = NULL;
    cli_parse(&argp, argc, argv, &name);
    enum rule rule = name != NULL ? rule_find(name) : RULE_NONE;
    if (name == NULL) {
        list();
    } else if (rule == RULE_NONE) {
        cli_complain(NULL, 0, "unknown rule '%s'; nmrcheck rules lists them", name);
        return EXIT_TROUBLE;
    } else if (cli.json) {
        explain_json(rule);
    } else {
        explain(rule);
    }
    return EXIT_CLEAN;
}
