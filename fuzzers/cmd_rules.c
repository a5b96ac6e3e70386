/* cmd_rules.c - nmrcheck rules: what is checked, and where it is written. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "rules/rules.h"

enum { PAGES_MAX = 16 };

static const struct module *mutant_of(const char *rule, unsigned *from)
{
    for (; *from < module_count; (*from)++)
        if (modules[*from]->rule != NULL && strcmp(modules[*from]->rule, rule) == 0)
            return modules[(*from)++];
    return NULL;
}

static json_t *rule_json(const struct rule_info *r)
{
    const char *pages[PAGES_MAX];
    unsigned count = rule_pages(r->source, pages, PAGES_MAX), from = 0;
    json_t *o = json_object(), *page_list = json_array(), *mutants = json_array();
    json_object_set_new(o, "id", output_json_text(r->name));
    json_object_set_new(o, "class", json_string(rule_class_name(r->class)));
    json_object_set_new(o, "sentence", output_json_text(r->sentence));
    json_object_set_new(o, "source", output_json_text(r->source));
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(page_list, output_json_text(pages[i]));
    for (const struct module *m; (m = mutant_of(r->name, &from)) != NULL;)
        json_array_append_new(mutants, output_json_text(m->image.name));
    json_object_set_new(o, "pages", page_list);
    json_object_set_new(o, "mutants", mutants);
    return o;
}

static void explain(const struct rule_info *r)
{
    const char *pages[PAGES_MAX];
    unsigned count = rule_pages(r->source, pages, PAGES_MAX), from = 0;
    printf("%s: %s\n\n  class    %s\n", r->name, r->sentence, rule_class_name(r->class));
    printf("  source   %s\n", r->source);
    for (unsigned i = 0; i < count; i++)
        printf("           %s\n", pages[i]);
    for (const struct module *m; (m = mutant_of(r->name, &from)) != NULL;)
        printf("  mutant   %s  (try: nmrcheck check %s)\n", m->image.name, m->image.name);
}

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
        .doc = "List the rules that are checked, or explain one.\v"
               "The letter is the rule's class: D documented as a must, S documented as advice, H follows from the "
               "header, K general kernel rule, W how Windows behaves, I inferred.",
    };
    const char *name = NULL;
    cli_parse(&argp, argc, argv, &name);
    if (name != NULL) {
        enum rule rule = rule_find(name);
        if (rule == RULE_NONE) {
            cli_complain(NULL, 0, "unknown rule '%s'; nmrcheck rules lists them", name);
            return EXIT_TROUBLE;
        }
        if (cli.json)
            cli_print_json(rule_json(&rule_table[rule]));
        else
            explain(&rule_table[rule]);
        return EXIT_CLEAN;
    }
    json_t *list = json_array();
    for (unsigned i = 1; i < RULES; i++) {
        if (cli.json)
            json_array_append_new(list, rule_json(&rule_table[i]));
        else
            printf("%-7s %c  %s\n", rule_table[i].name, rule_table[i].class, rule_table[i].sentence);
    }
    if (cli.json)
        cli_print_json(list);
    else
        json_decref(list);
    return EXIT_CLEAN;
}
