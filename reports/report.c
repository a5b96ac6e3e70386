/* report.c - taking a report from the last execution, and writing its three files. */
#include "report.h"

#include <string.h>

void report_muted(const struct report_words *words, char *text, size_t capacity)
{
    size_t length = 0;
    struct report_rule rule;
    text[0] = '\0';
    for (unsigned i = 1; i < FINDING_RULES_MAX; i++) {
        if (!finding_passed_over((uint16_t)i) || !words->rule((uint16_t)i, &rule) ||
            length + strlen(rule.name) + 1 >= capacity)
            continue;
        length += (size_t)snprintf(text + length, capacity - length, " %s", rule.name);
    }
}

void report_take(struct report *r, const struct report_words *words, const struct program *program,
                 const struct scenario *scenario, const struct outcome *outcome, const char *path)
{
    *r = (struct report){
        .words = words, .program = program, .scenario = scenario, .path = path, .outcome = *outcome,
    };
    r->log = event_log(&r->kept);
    r->events = outcome->events;
    if (outcome->verdict == VERDICT_FINDING)
        r->rule_known = words->rule(outcome->finding.rule, &r->rule);
    report_muted(words, r->muted, sizeof r->muted);
    if (words->ending != NULL)
        words->ending(r->log, r->kept, outcome, &r->ending);
}

void report_resolve(const struct report *r)
{
    static const void *pcs[EVENTS_MAX + REPORT_PLACES_MAX];
    struct report_place places[REPORT_PLACES_MAX];
    unsigned count = 0, place_count = 0;
    if (r->outcome.verdict == VERDICT_FINDING)
        place_count = r->words->places(r->log, r->kept, &r->outcome.finding, places);
    for (unsigned i = 0; i < place_count; i++)
        if (places[i].event == REPORT_NO_EVENT)
            pcs[count++] = places[i].pc;
    for (unsigned i = 0; i < r->kept; i++)
        if (r->log[i].pc != NULL)
            pcs[count++] = r->log[i].pc;
    symbols_load(pcs, count);
}

/* The author wants to read about the module.  A line of ours means that the compiler turned a call into a jump, so
 * that the return address is our caller's.  The build gives each module's functions its name as a prefix. */
static bool find_source(const struct report *r, const void *pc, struct symbol *out)
{
    if (!symbol_find(pc, out))
        return false;
    for (const char *const *own = r->words->own_folders; own != NULL && *own != NULL; own++)
        if (strncmp(out->file, *own, strlen(*own)) == 0)
            return false;
    size_t length = strlen(r->program->name);
    const char *function = out->function;
    if (strncmp(function, r->program->name, length) == 0 && strncmp(function + length, "__", 2) == 0)
        memmove(out->function, function + length + 2, strlen(function + length + 2) + 1);
    return true;
}

bool report_source(const struct report *r, uint32_t event, struct symbol *out)
{
    return event < r->kept && find_source(r, r->log[event].pc, out);
}

bool report_place_source(const struct report *r, const struct report_place *place, struct symbol *out)
{
    return place->event == REPORT_NO_EVENT ? find_source(r, place->pc, out) : report_source(r, place->event, out);
}

const char *report_expectation(const struct report_words *words, const struct outcome *o)
{
    static const char *const names[VERDICTS] = {
        [VERDICT_PASS] = "PASS", [VERDICT_FINDING] = "FINDING", [VERDICT_OUTSIDE] = "OUTSIDE",
        [VERDICT_STEPS] = "STEPS", [VERDICT_THREADS] = "THREADS", [VERDICT_MEMORY] = "MEMORY",
    };
    struct report_rule rule;
    if (o->verdict == VERDICT_FINDING && words->rule(o->finding.rule, &rule))
        return rule.name;
    return names[o->verdict];
}

const char *report_verdict(const struct report *r, char *line, size_t capacity)
{
    const struct outcome *o = &r->outcome;
    if (o->verdict == VERDICT_FINDING)
        snprintf(line, capacity, "finding %s, fingerprint %016llx, hash %016llx", report_expectation(r->words, o),
                 (unsigned long long)o->finding.fingerprint, (unsigned long long)o->hash);
    else
        snprintf(line, capacity, "%s, hash %016llx", report_expectation(r->words, o), (unsigned long long)o->hash);
    return line;
}

void report_print_scenario(const struct report *r, FILE *out)
{
    const struct outcome *o = &r->outcome;
    char comment[512];
    int length = 0;
    if (r->rule_known)
        length = snprintf(comment, sizeof comment, "%s: %s\n", r->rule.name, o->finding.detail);
    if (r->muted[0] != '\0')
        length += snprintf(comment + length, sizeof comment - (size_t)length, "mute%s\n", r->muted);
    snprintf(comment + length, sizeof comment - (size_t)length, "expect %s\nhash %016llx",
             report_expectation(r->words, o), (unsigned long long)o->hash);
    scenario_print(r->scenario, r->program->words, r->program->name, comment, out);
}

static enum output_result write_part(const struct report *r, const char *folder, const char *name,
                                     const char *ending, struct output_error *error)
{
    char path[OUTPUT_PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending) >= (int)sizeof path)
        path[sizeof path - 1] = '\0';       /* opening it reports the length */
    if (strcmp(ending, "json") == 0) {
        json_t *value = report_json(r);
        enum output_result result = output_json(path, value, error);
        json_decref(value);
        return result;
    }
    struct output o;
    if (output_open(&o, path, error) != OUTPUT_OK)
        return OUTPUT_FAILED;
    if (strcmp(ending, "scn") == 0)
        report_print_scenario(r, o.file);
    else
        report_print_text(r, false, o.file);
    return output_close(&o, error);
}

enum output_result report_write(const struct report *r, const char *folder, const char *name,
                                struct output_error *error)
{
    /* The scenario comes last: where it is, the others are. */
    static const char *const endings[] = {"txt", "json", "scn"};
    for (unsigned i = 0; i < sizeof endings / sizeof *endings; i++)
        if (write_part(r, folder, name, endings[i], error) != OUTPUT_OK)
            return OUTPUT_FAILED;
    return OUTPUT_OK;
}
