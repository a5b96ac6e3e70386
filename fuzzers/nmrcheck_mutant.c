/*
 * nmrcheck_mutant.c - a rule's mutant: the good and the bad code, and the finding that the bad code produces.
 *
 * A mutant carries its patch: lines with '-' are its parent's, which are good, and lines with '+' are its own.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "rules/rules.h"
#include "shrink.h"

/* Depth first for the simplest scenario, not for all of them; each mistake is found at random, too. */
enum { PREEMPTIONS = 2, DEVIATIONS = 1, DFS_EXECUTIONS = 2000, RANDOM_EXECUTIONS = 200000, SEED = 1 };

/* Sorted by name, and "mutant_PA_4" comes before "mutant_any_mistake". */
const struct module *mutant_next(const char *rule, unsigned *from)
{
    for (; *from < module_count; (*from)++)
        if (modules[*from]->rule != NULL && strcmp(modules[*from]->rule, rule) == 0)
            return modules[(*from)++];
    return NULL;
}

/* ---- the code ----------------------------------------------------------------------------------------------- */

enum part { PART_FILE, PART_PLACE, PART_BOTH, PART_GOOD, PART_BAD, PARTS };

static const char *const part_names[PARTS] = {[PART_BOTH] = "both", [PART_GOOD] = "good", [PART_BAD] = "bad"};

/* Where in a patch we are, and what was read last. */
struct patch {
    const char *next;
    unsigned good_left, bad_left;           /* lines of this hunk, of the parent and of the mutant */
    enum part part;
    const char *text;                       /* of the line or the file's name, `length` bytes */
    int length;
    unsigned number;                        /* PART_PLACE: the first line's, in the parent */
};

/* "-155,10 +155,6 @@" */
static void read_place(struct patch *p, const char *text)
{
    char *end;
    p->number = (unsigned)strtoul(text + strlen("-"), &end, 10);
    p->good_left = *end == ',' ? (unsigned)strtoul(end + 1, &end, 10) : 1;
    end += strlen(" +");
    strtoul(end, &end, 10);
    p->bad_left = *end == ',' ? (unsigned)strtoul(end + 1, &end, 10) : 1;
}

static void read_line_of_hunk(struct patch *p, const char *line)
{
    p->part = *line == '-' ? PART_GOOD : *line == '+' ? PART_BAD : PART_BOTH;
    p->good_left -= p->part != PART_BAD;
    p->bad_left -= p->part != PART_GOOD;
    p->text = p->length > 0 ? line + 1 : line;
    p->length -= p->length > 0;
}

/* The next part of a patch; false at its end.  What is neither a hunk nor the parent's name is passed over. */
static bool patch_next(struct patch *p)
{
    static const char file[] = "--- a/", place[] = "@@ ";
    while (*p->next != '\0') {
        const char *line = p->next;
        p->length = (int)strcspn(line, "\n");
        p->next += p->length + (line[p->length] == '\n');
        if (p->good_left > 0 || p->bad_left > 0) {
            read_line_of_hunk(p, line);
            return true;
        }
        if (strncmp(line, place, strlen(place)) == 0) {
            p->part = PART_PLACE;
            read_place(p, line + strlen(place));
            return true;
        }
        if (strncmp(line, file, strlen(file)) == 0) {
            p->part = PART_FILE;
            p->text = line + strlen(file);
            p->length = (int)strcspn(p->text, "\t\n");
            return true;
        }
    }
    return false;
}

void mutant_print_code(const struct module *m, FILE *out)
{
    struct patch p = {.next = m->patch};
    struct patch file = {.text = ""};
    while (patch_next(&p)) {
        switch (p.part) {
        case PART_FILE:
            file = p;
            break;
        case PART_PLACE:
            fprintf(out, "\n  %.*s, from line %u\n\n", file.length, file.text, p.number);
            break;
        default:
            fprintf(out, "  %-5s|%s%.*s\n", p.part == PART_BOTH ? "" : part_names[p.part], p.length > 0 ? " " : "",
                    p.length, p.text);
            break;
        }
    }
}

json_t *mutant_code_json(const struct module *m)
{
    struct patch p = {.next = m->patch};
    struct patch file = {.text = ""};
    json_t *hunks = json_array(), *lines = NULL;
    while (patch_next(&p)) {
        if (p.part == PART_FILE) {
            file = p;
        } else if (p.part == PART_PLACE) {
            lines = json_array();
            json_array_append_new(hunks, json_pack("{s:s%, s:i, s:o}", "file", file.text, (size_t)file.length, "line",
                                                   (int)p.number, "lines", lines));
        } else {
            json_array_append_new(lines, json_pack("{s:s, s:s%}", "in", part_names[p.part], "text", p.text,
                                                   (size_t)p.length));
        }
    }
    return hunks;
}

/* ---- the finding -------------------------------------------------------------------------------------------- */

struct search {
    enum rule rule;
    bool found;
    uint64_t fingerprint;
    struct scenario *scenario;
};

static bool on_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    struct search *search = context;
    search->found = o->verdict == VERDICT_FINDING && o->finding.rule == search->rule;
    if (search->found) {
        search->fingerprint = o->finding.fingerprint;
        *search->scenario = *s;
    }
    return !search->found && !cli_interrupted;
}

static bool on_progress(void *context, uint64_t executions)
{
    (void)context, (void)executions;
    return !cli_interrupted;
}

bool mutant_find(const struct module *m, struct scenario *s)
{
    static struct scenario script;
    struct search search = {.rule = rule_find(m->rule), .scenario = s};
    struct explore_options o = {
        .preemptions_max = PREEMPTIONS, .deviations_max = DEVIATIONS, .executions_max = DFS_EXECUTIONS,
        .keep_going = true, .context = &search, .on_outcome = on_outcome, .on_progress = on_progress,
    };
    const struct program *program = world_program(m);
    for (unsigned i = 0; i < setup_count() && !search.found && !cli_interrupted; i++) {
        setup_script(&setups[i], &script);
        explore_dfs(program, &script, &o);
    }
    if (!search.found && !cli_interrupted)
        explore_random(program, NULL, SEED, 0, RANDOM_EXECUTIONS, &o);
    return search.found && shrink(program, s, search.fingerprint).reproduced;
}
