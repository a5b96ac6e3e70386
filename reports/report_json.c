/* report_json.c - a report for a program. */
#include "report.h"

static json_t *hex(uint64_t value)
{
    return json_sprintf("%016llx", (unsigned long long)value);
}

/* Set a new reference; jansson ignores a failed allocation, and so may we: the dump then lacks the field. */
static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void set_symbol(json_t *object, const struct symbol *s)
{
    if (s->line != 0) {
        set(object, "file", output_json_text(s->file));
        set(object, "line", json_integer(s->line));
    }
    if (s->function[0] != '\0')
        set(object, "function", output_json_text(s->function));
}

static void set_source(const struct report *r, json_t *object, uint32_t event)
{
    struct symbol s;
    if (report_source(r, event, &s))
        set_symbol(object, &s);
}

static json_t *rule_json(const struct report *r)
{
    json_t *rule = json_object(), *pages = json_array();
    set(rule, "id", output_json_text(r->rule.name));
    set(rule, "class", output_json_text(r->rule.class_name));
    set(rule, "severity", output_json_text(r->rule.severity));
    set(rule, "sentence", output_json_text(r->rule.sentence));
    set(rule, "source", output_json_text(r->rule.source));
    for (unsigned i = 0; i < sizeof r->rule.pages / sizeof *r->rule.pages; i++)
        if (r->rule.pages[i][0] != '\0')
            json_array_append_new(pages, output_json_text(r->rule.pages[i]));
    set(rule, "pages", pages);
    return rule;
}

static json_t *step_json(const struct report *r, unsigned number)
{
    const struct event *e = &r->log[number];
    struct story_line line = {.weight = STORY_PLAIN};
    char thread[8];
    r->words->describe(r->log, r->kept, number, &line);
    json_t *step = json_object();
    set(step, "step", json_integer(number));
    set(step, "thread", json_string(thread_name(r->program->words, e->thread, thread)));
    set(step, "irql", json_string(r->words->level(e->level)));
    set(step, "event", output_json_text(line.text));
    set(step, "detail", json_boolean(line.weight == STORY_DETAIL));
    set(step, "kind", json_integer(e->kind));
    set(step, "object", json_integer(e->object));
    set(step, "value", json_integer(e->value));
    set_source(r, step, number);
    return step;
}

static json_t *places_json(const struct report *r)
{
    struct report_place places[REPORT_PLACES_MAX];
    unsigned count = r->words->places(r->log, r->kept, &r->outcome.finding, places);
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++) {
        json_t *place = json_object();
        set(place, "what", output_json_text(places[i].what));
        if (places[i].event != REPORT_NO_EVENT)
            set(place, "step", json_integer(places[i].event));
        if (places[i].access) {
            char thread[8];
            set(place, "thread", json_string(thread_name(r->program->words, places[i].thread, thread)));
            set(place, "inside", output_json_text(places[i].inside));
            set(place, "locks", output_json_text(places[i].locks));
        }
        struct symbol s;
        if (report_place_source(r, &places[i], &s))
            set_symbol(place, &s);
        json_array_append_new(list, place);
    }
    return list;
}

static json_t *ending_json(const struct report *r)
{
    json_t *ending = json_object(), *lines = json_array();
    set(ending, "title", output_json_text(r->ending.title));
    for (unsigned i = 0; i < r->ending.count; i++)
        json_array_append_new(lines, output_json_text(r->ending.lines[i]));
    set(ending, "lines", lines);
    return ending;
}

static json_t *records_json(const struct report *r)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < r->scenario->count; i++) {
        char line[200];
        record_format(&r->scenario->records[i], r->program->words, line, sizeof line);
        json_array_append_new(list, output_json_text(line));
    }
    return list;
}

json_t *report_json(const struct report *r)
{
    const struct outcome *o = &r->outcome;
    json_t *report = json_object(), *story = json_array();
    set(report, "module", output_json_text(r->program->name));
    set(report, "verdict", json_string(verdict_name(o->verdict)));
    set(report, "expectation", json_string(report_expectation(r->words, o)));
    set(report, "hash", hex(o->hash));
    if (o->verdict == VERDICT_FINDING) {
        json_t *finding = json_object();
        set(finding, "fingerprint", hex(o->finding.fingerprint));
        set(finding, "detail", output_json_text(o->finding.detail));
        set(finding, "step", json_integer(o->finding.event));
        set_source(r, finding, o->finding.event);
        if (r->cause[0] != '\0')
            set(finding, "cause", output_json_text(r->cause));
        if (r->rule_known)
            set(finding, "rule", rule_json(r));
        set(finding, "memory", places_json(r));
        set(report, "finding", finding);
    }
    if (r->ending.title != NULL)
        set(report, "ending", ending_json(r));
    set(report, "scenario", records_json(r));
    set(report, "events", json_integer(o->events));
    set(report, "scheduling_points", json_integer(o->steps));
    set(report, "context_switches", json_integer(o->switches));
    set(report, "preemptions", json_integer(o->preemptions));
    for (unsigned i = 0; i < r->kept; i++)
        json_array_append_new(story, step_json(r, i));
    set(report, "story", story);
    if (r->path != NULL)
        set(report, "replay", json_sprintf("%s replay %s", r->words->tool, r->path));
    return report;
}
