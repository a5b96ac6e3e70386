/* nmrcheck_findings.c - the output folder of one module: a finding is three files named after it. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shrink.h"

const char *findings_folder(const struct module *module, const char *given)
{
    static char folder[OUTPUT_PATH_MAX];
    if (given != NULL)
        snprintf(folder, sizeof folder, "%s", given);
    else
        snprintf(folder, sizeof folder, "nmrcheck-out/%s", module->image.name);
    return folder;
}

void findings_report(struct report *r, const struct program *p, const struct scenario *s, const char *path)
{
    char cause[sizeof r->cause];
    cli_cause(p, s, cause, sizeof cause);
    struct outcome o = execution_replay(p, s);
    report_take(r, &cli_words, p, s, &o, path);
    memcpy(r->cause, cause, sizeof cause);
    report_resolve(r);
}

static struct found *find(struct findings *f, uint64_t fingerprint)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->found[i].finding.fingerprint == fingerprint)
            return &f->found[i];
    return NULL;
}

static void path_of(const struct findings *f, const struct found *found, char *path, size_t capacity)
{
    if (snprintf(path, capacity, "%s/%s.scn", f->folder, found->name) >= (int)capacity)
        path[capacity - 1] = '\0';
}

static struct found *add(struct findings *f, const struct outcome *o, const struct scenario *s)
{
    if (f->count == SUMMARY_FINDINGS_MAX) {
        if (!f->full)
            cli_complain(NULL, 0, "more than %d distinct findings; the others are counted only", SUMMARY_FINDINGS_MAX);
        f->full = true;
        return NULL;
    }
    struct found *found = &f->found[f->count++];
    *found = (struct found){.finding = o->finding, .scenario = *s};
    snprintf(found->name, sizeof found->name, "%s-%016llx", report_expectation(&cli_words, o),
             (unsigned long long)o->finding.fingerprint);
    return found;
}

static void failed(struct findings *f, const struct output_error *error)
{
    if (!f->failed)
        cli_complain_output(error);
    f->failed = true;
}

static void write_scenario(struct findings *f, const char *path, const struct scenario *s, const char *comment)
{
    struct output out;
    struct output_error error;
    if (output_open(&out, path, &error) != OUTPUT_OK) {
        failed(f, &error);
        return;
    }
    scenario_print(s, f->program->words, f->program->name, comment, out.file);
    if (output_close(&out, &error) != OUTPUT_OK)
        failed(f, &error);
}

/* Write the scenario alone, as it was found: whatever happens next, it is not lost. */
static void write_raw(struct findings *f, const struct found *found)
{
    char path[OUTPUT_PATH_MAX], muted[120], comment[420];
    path_of(f, found, path, sizeof path);
    report_muted(&cli_words, muted, sizeof muted);
    snprintf(comment, sizeof comment, "%s%s%s\nnot shrunk yet", found->finding.detail, muted[0] != '\0' ? "\nmute" : "",
             muted);
    write_scenario(f, path, &found->scenario, comment);
}

void findings_note_limit(struct findings *f, const struct outcome *o, const struct scenario *s)
{
    char path[OUTPUT_PATH_MAX + 32], comment[80];
    if (f->limit_noted)
        return;
    f->limit_noted = true;
    snprintf(path, sizeof path, "%s/limit.scenario", f->folder);
    snprintf(comment, sizeof comment, "%s\nexpect %s", verdict_name(o->verdict), report_expectation(&cli_words, o));
    write_scenario(f, path, s, comment);
}

bool findings_note(struct findings *f, const struct outcome *o, const struct scenario *s)
{
    struct found *known = find(f, o->finding.fingerprint);
    if (known != NULL) {
        known->seen++;
        return false;
    }
    struct found *found = add(f, o, s);
    if (found == NULL)
        return false;
    found->seen = 1;
    write_raw(f, found);
    return true;
}

static void settle(struct findings *f, struct found *found)
{
    static struct report r;
    struct output_error error;
    char path[OUTPUT_PATH_MAX];
    struct shrink_result shrunk = shrink(f->program, &found->scenario, found->finding.fingerprint);
    path_of(f, found, path, sizeof path);
    found->settled = true;
    if (!shrunk.reproduced) {
        cli_complain(path, 0, "did not show its finding again: the execution is not deterministic, which is our bug");
        f->failed = true;
        return;
    }
    findings_report(&r, f->program, &found->scenario, path);
    found->finding = r.outcome.finding;
    if (report_write(&r, f->folder, found->name, &error) != OUTPUT_OK)
        failed(f, &error);
}

void findings_settle(struct findings *f)
{
    for (unsigned i = 0; i < f->count && !f->failed; i++)
        if (!f->found[i].settled)
            settle(f, &f->found[i]);
}

/* One scenario that an earlier campaign left.  One that shows another finding now, or none, is told about. */
static void take_old(struct findings *f, const char *name)
{
    char path[OUTPUT_PATH_MAX];
    struct input in;
    struct input_options options = {.module = f->module};
    if (snprintf(path, sizeof path, "%s/%s", f->folder, name) >= (int)sizeof path)
        return;
    if (input_load(path, &options, &in) != INPUT_OK)
        return;
    struct outcome o = execution_replay(f->program, &in.scenario);
    if (o.verdict != VERDICT_FINDING) {
        fprintf(stderr, "nmrcheck: %s: no longer a finding\n", path);
    } else if (find(f, o.finding.fingerprint) == NULL) {
        struct found *found = add(f, &o, &in.scenario);
        if (found != NULL) {
            char own[sizeof found->name + 4];
            snprintf(own, sizeof own, "%s.scn", found->name);
            found->old = true;
            found->settled = strcmp(own, name) == 0 && in.has_hash && in.hash == o.hash;
        }
    }
    input_release(&in);
}

static int is_scenario(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".scn") == 0;
}

enum output_result findings_open(struct findings *f, const struct module *module, const char *folder)
{
    struct output_error error;
    struct dirent **entries = NULL;
    *f = (struct findings){.module = module, .program = world_program(module)};
    snprintf(f->folder, sizeof f->folder, "%s", folder);
    if (output_make_folder(folder, &error) != OUTPUT_OK) {
        cli_complain_output(&error);
        return OUTPUT_FAILED;
    }
    int count = scandir(folder, &entries, is_scenario, alphasort);
    if (count < 0) {
        cli_complain(folder, 0, "%s", strerror(errno));
        return OUTPUT_FAILED;
    }
    for (int i = 0; i < count; i++) {
        take_old(f, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return OUTPUT_OK;
}

void findings_summarise(const struct findings *f, struct summary *s)
{
    s->finding_count = f->count;
    for (unsigned i = 0; i < f->count; i++) {
        const struct found *found = &f->found[i];
        struct summary_finding *row = &s->findings[i];
        *row = (struct summary_finding){.records = found->scenario.count, .seen = found->seen, .old = found->old};
        snprintf(row->rule, sizeof row->rule, "%.*s", (int)strlen(found->name) - 17, found->name);
        snprintf(row->detail, sizeof row->detail, "%s", found->finding.detail);
        snprintf(row->fingerprint, sizeof row->fingerprint, "%016llx", (unsigned long long)found->finding.fingerprint);
        path_of(f, found, row->path, sizeof row->path);
    }
}

void findings_print(struct findings *f, unsigned limit, FILE *out)
{
    static struct report r;
    char path[OUTPUT_PATH_MAX];
    for (unsigned i = 0; i < f->count && i < limit; i++) {
        path_of(f, &f->found[i], path, sizeof path);
        findings_report(&r, f->program, &f->found[i].scenario, path);
        report_print_text(&r, false, out);
        fputc('\n', out);
    }
}
