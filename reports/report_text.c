/* report_text.c - a report for a person. */
#include "report.h"

#include <string.h>

enum { WIDTH = 100, NEST_MAX = 6, EVENT_COLUMNS_MAX = 72 };

void report_wrap(FILE *out, const char *text, unsigned indent)
{
    unsigned column = indent;
    while (*text != '\0') {
        size_t word = strcspn(text, " \n");
        if (column > indent && column + word + 1 > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (column > indent)
            fputc(' ', out);
        fprintf(out, "%.*s", (int)word, text);
        column += (unsigned)word + 1;
        text += word;
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

static void print_field(FILE *out, const char *name, const char *text)
{
    fprintf(out, "  %-12s", name);
    report_wrap(out, text, 14);
}

static void print_rule(const struct report *r, FILE *out)
{
    if (!r->rule_known)
        return;
    print_field(out, "rule", r->rule.sentence);
    fprintf(out, "  %-12s%s (%s)\n", "class", r->rule.class_name, r->rule.severity);
    bool any = false;
    for (unsigned i = 0; i < sizeof r->rule.pages / sizeof *r->rule.pages; i++) {
        if (r->rule.pages[i][0] == '\0')
            continue;
        fprintf(out, "  %-12s%s\n", any ? "" : "source", r->rule.pages[i]);
        any = true;
    }
    if (!any)
        print_field(out, "source", r->rule.source);
}

/* A source as "ex.c:12 (ProviderDetachClient)". */
static const char *source_text(const struct symbol *s, char *text, size_t capacity)
{
    symbol_format(s, text, capacity);
    size_t length = strlen(text);
    if (s->line != 0 && s->function[0] != '\0')
        snprintf(text + length, capacity - length, " (%s)", s->function);
    return text;
}

/* The finding's own event may be the mock's; then the last line of the module on that thread is the place. */
static uint32_t place_event(const struct report *r)
{
    uint32_t event = r->outcome.finding.event;
    struct symbol s;
    if (event >= r->kept || report_source(r, event, &s))
        return event;
    for (uint32_t i = event; i > 0; i--)
        if (r->log[i - 1].thread == r->log[event].thread && report_source(r, i - 1, &s))
            return i - 1;
    return event;
}

static void print_facts(const struct report *r, FILE *out)
{
    char text[400];
    const struct finding *f = &r->outcome.finding;
    print_field(out, "what", f->detail);
    struct symbol s;
    if (report_source(r, place_event(r), &s))
        print_field(out, place_event(r) == f->event ? "where" : "after", source_text(&s, text, sizeof text));
    if (f->event < r->kept) {
        char thread[8];
        const struct event *e = &r->log[f->event];
        snprintf(text, sizeof text, "step %u, thread %s, IRQL %s", (unsigned)f->event,
                 thread_name(r->program->words, e->thread, thread), r->words->level(e->level));
        print_field(out, "when", text);
    }
    if (r->cause[0] != '\0')
        print_field(out, "cause", r->cause);
}

static void print_finding(const struct report *r, FILE *out)
{
    fprintf(out, "%s broken by %s\n\n", report_expectation(r->words, &r->outcome), r->program->name);
    print_facts(r, out);
    print_rule(r, out);
}

static void print_places(const struct report *r, FILE *out)
{
    struct report_place places[REPORT_PLACES_MAX];
    unsigned count = r->words->places(r->log, r->kept, &r->outcome.finding, places);
    if (count == 0)
        return;
    fprintf(out, "\nMemory\n\n");
    for (unsigned i = 0; i < count; i++) {
        const struct report_place *p = &places[i];
        char source[400], thread[8];
        struct symbol s;
        fprintf(out, "  %s", p->what);
        if (p->event != REPORT_NO_EVENT)
            fprintf(out, ", step %u", (unsigned)p->event);
        unsigned number = p->event != REPORT_NO_EVENT ? r->log[p->event].thread : p->thread;
        fprintf(out, ", thread %s", thread_name(r->program->words, number, thread));
        if (report_place_source(r, p, &s))
            fprintf(out, "\n      %s", source_text(&s, source, sizeof source));
        fputc('\n', out);
        if (p->access) {
            snprintf(source, sizeof source, "in %s; it holds %s", p->inside,
                     p->locks[0] != '\0' ? p->locks : "no lock");
            fprintf(out, "      ");
            report_wrap(out, source, 6);
        }
    }
}

static void print_records(const struct report *r, FILE *out)
{
    const struct scenario *s = r->scenario;
    if (s->count == 0) {
        fprintf(out, "\nScenario: empty: the plain run.\n");
        return;
    }
    fprintf(out, "\nScenario: %u record%s; whatever is not listed takes its dull answer.\n\n", s->count,
            s->count == 1 ? "" : "s");
    for (unsigned i = 0; i < s->count; i++) {
        char line[200];
        record_format(&s->records[i], r->program->words, line, sizeof line);
        fprintf(out, "  %s\n", line);
    }
}

static void print_ending(const struct report *r, FILE *out)
{
    if (r->ending.title == NULL)
        return;
    fprintf(out, "\n%s\n\n", r->ending.title);
    for (unsigned i = 0; i < r->ending.count; i++)
        fprintf(out, "  %s\n", r->ending.lines[i]);
}

void report_print_brief(const struct report *r, FILE *out)
{
    print_facts(r, out);
    print_records(r, out);
}

/* One row of the story. */
struct step { unsigned number, nest; struct story_line line; };

static void print_step(const struct report *r, const struct step *step, int columns, FILE *out)
{
    const struct event *e = &r->log[step->number];
    char thread[8], source[300] = "";
    struct symbol s;
    if (report_source(r, step->number, &s))
        symbol_format(&s, source, sizeof source);
    bool broken = r->outcome.verdict == VERDICT_FINDING && r->outcome.finding.event == step->number;
    int indent = (int)(2 * step->nest);
    fprintf(out, "%c %4u  %-6s  %-8s  %*s", broken ? '>' : ' ', step->number,
            thread_name(r->program->words, e->thread, thread), r->words->level(e->level), indent, "");
    if (source[0] != '\0')
        fprintf(out, "%-*s  %s\n", columns - indent, step->line.text, source);
    else
        fprintf(out, "%s\n", step->line.text);
}

/* Print each row that is to be shown; with no `out`, only widen *columns to fit it.  Returns how many are not. */
static unsigned walk(const struct report *r, bool every_event, int *columns, FILE *out)
{
    unsigned nests[256] = {0}, hidden = 0;
    bool finding = r->outcome.verdict == VERDICT_FINDING;
    for (unsigned i = 0; i < r->kept; i++) {
        struct step step = {.number = i, .line = {.weight = STORY_PLAIN}};
        r->words->describe(r->log, r->kept, i, &step.line);
        unsigned *nest = &nests[r->log[i].thread];
        if (step.line.nest < 0 && *nest > 0)
            (*nest)--;
        step.nest = *nest < NEST_MAX ? *nest : NEST_MAX;
        bool shown = every_event || step.line.weight == STORY_PLAIN || (finding && i == r->outcome.finding.event);
        int width = (int)(strlen(step.line.text) + 2 * step.nest);
        hidden += !shown;
        if (shown && out != NULL)
            print_step(r, &step, *columns, out);
        else if (shown && width > *columns)
            *columns = width < EVENT_COLUMNS_MAX ? width : EVENT_COLUMNS_MAX;
        if (step.line.nest > 0)
            (*nest)++;
    }
    return hidden;
}

void report_print_story(const struct report *r, bool every_event, FILE *out)
{
    int columns = (int)sizeof "event";
    walk(r, every_event, &columns, NULL);   /* only to see how wide it gets */
    fprintf(out, "  %4s  %-6s  %-8s  %-*s  %s\n", "step", "thread", "IRQL", columns, "event", "source");
    unsigned hidden = walk(r, every_event, &columns, out);
    if (r->events > r->kept)
        fprintf(out, "  … %u more events were not kept.\n", r->events - r->kept);
    if (hidden > 0)
        fprintf(out, "  (%u event%s of less interest not shown; %s replay --all shows everything)\n", hidden,
                hidden == 1 ? "" : "s", r->words->tool);
}

void report_print_text(const struct report *r, bool every_event, FILE *out)
{
    const struct outcome *o = &r->outcome;
    if (o->verdict == VERDICT_FINDING)
        print_finding(r, out);
    else
        fprintf(out, "%s: %s\n", r->program->name, report_expectation(r->words, o));
    print_records(r, out);
    if (o->verdict == VERDICT_FINDING)
        print_places(r, out);
    print_ending(r, out);
    fprintf(out, "\nStory%s\n\n", o->verdict == VERDICT_FINDING ? " (> marks the step that broke the rule)" : "");
    report_print_story(r, every_event, out);
    fprintf(out, "\n");
    if (o->verdict == VERDICT_FINDING)
        fprintf(out, "  %-12s%016llx\n", "fingerprint", (unsigned long long)o->finding.fingerprint);
    fprintf(out, "  %-12s%016llx\n", "event hash", (unsigned long long)o->hash);
    if (r->muted[0] != '\0')
        fprintf(out, "  %-12s%s: broken before, and passed over; the scenario says so\n", "muted", r->muted + 1);
    if (r->path != NULL)
        fprintf(out, "  %-12s%s replay %s\n", "replay", r->words->tool, r->path);
}
