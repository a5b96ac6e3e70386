/* summary.c - what a whole campaign did and found. */
#include "summary.h"

#include <string.h>

#include "report.h"

struct summary_phase *summary_add_phase(struct summary *s, const char *name)
{
    if (s->phase_count < SUMMARY_PHASES_MAX)
        s->phase_count++;
    struct summary_phase *p = &s->phases[s->phase_count - 1];
    *p = (struct summary_phase){0};
    snprintf(p->name, sizeof p->name, "%s", name);
    return p;
}

static void print_count(FILE *out, uint64_t value)
{
    char digits[32], text[48];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), n = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[n++] = ',';
        text[n++] = digits[i];
    }
    text[n] = '\0';
    fputs(text, out);
}

void summary_print(const struct summary *s, unsigned first, FILE *out)
{
    for (unsigned i = 0; i < s->phase_count; i++) {
        fprintf(out, "  %-12s", s->phases[i].name);
        report_wrap(out, s->phases[i].result, 14);
    }
    for (unsigned i = first; i < s->finding_count; i++) {
        const struct summary_finding *f = &s->findings[i];
        fprintf(out, "  %-12s", f->rule);
        report_wrap(out, f->detail, 14);
        fprintf(out, "  %-12s%s replay %s\n", "", s->tool, f->path);
    }
    fprintf(out, "\n%s: %s\n", s->module, s->verdict);
}

/* Table cells end at a bar and rows at a line end. */
static void print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '\\')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void print_finding_row(const struct summary *s, const struct summary_finding *f, FILE *out)
{
    fprintf(out, "| %s | ", f->rule);
    print_cell(out, f->detail);
    fprintf(out, " | %u | ", f->records);
    print_count(out, f->seen);
    fprintf(out, "%s | `%s replay %s` |\n", f->old ? " (known before)" : "", s->tool, f->path);
}

void summary_print_markdown(const struct summary *s, FILE *out)
{
    fprintf(out, "# %s: %s\n\n", s->module, s->verdict);
    fprintf(out, "| phase | executions | seconds | result |\n|---|---:|---:|---|\n");
    for (unsigned i = 0; i < s->phase_count; i++) {
        const struct summary_phase *p = &s->phases[i];
        fprintf(out, "| %s | ", p->name);
        print_count(out, p->executions);
        fprintf(out, " | %.1f | ", p->seconds);
        print_cell(out, p->result);
        fprintf(out, " |\n");
    }
    if (s->finding_count == 0)
        return;
    fprintf(out, "\n| rule | what happened | records | seen in executions | replay |\n|---|---|---:|---:|---|\n");
    for (unsigned i = 0; i < s->finding_count; i++)
        print_finding_row(s, &s->findings[i], out);
}

json_t *summary_json(const struct summary *s)
{
    json_t *phases = json_array(), *findings = json_array(), *whole = json_object();
    for (unsigned i = 0; i < s->phase_count; i++) {
        const struct summary_phase *p = &s->phases[i];
        json_array_append_new(phases, json_pack("{s:o, s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:i, s:f}",
            "name", output_json_text(p->name), "result", output_json_text(p->result),
            "scope", output_json_text(p->scope), "complete", (int)p->complete,
            "executions", (json_int_t)p->executions, "executions_with_finding", (json_int_t)p->findings,
            "executions_on_the_way", (json_int_t)p->detours,
            "executions_with_failed_call", (json_int_t)p->faults, "distinct_hashes", (json_int_t)p->distinct,
            "longest_scheduling_points", (int)p->longest, "seconds", p->seconds));
    }
    for (unsigned i = 0; i < s->finding_count; i++) {
        const struct summary_finding *f = &s->findings[i];
        json_array_append_new(findings, json_pack("{s:s, s:o, s:s, s:o, s:i, s:I, s:b}", "rule", f->rule,
            "detail", output_json_text(f->detail), "fingerprint", f->fingerprint, "path", output_json_text(f->path),
            "records", (int)f->records, "seen", (json_int_t)f->seen, "known_before", (int)f->old));
    }
    json_object_set_new(whole, "module", output_json_text(s->module));
    json_object_set_new(whole, "verdict", output_json_text(s->verdict));
    if (s->shard.count > 0)
        json_object_set_new(whole, "shard", json_pack("{s:i, s:i, s:s}", "index", (int)s->shard.index,
                            "count", (int)s->shard.count, "run", s->shard.run));
    json_object_set_new(whole, "phases", phases);
    json_object_set_new(whole, "findings", findings);
    return whole;
}

enum output_result summary_write(const struct summary *s, const char *folder, struct output_error *error)
{
    char path[OUTPUT_PATH_MAX];
    if (strlen(folder) + sizeof "/summary.json" > sizeof path) {
        snprintf(error->path, sizeof error->path, "%s", folder);
        snprintf(error->reason, sizeof error->reason, "File name too long");
        return OUTPUT_FAILED;
    }
    struct output o;
    snprintf(path, sizeof path, "%s/summary.md", folder);
    if (output_open(&o, path, error) != OUTPUT_OK)
        return OUTPUT_FAILED;
    summary_print_markdown(s, o.file);
    if (output_close(&o, error) != OUTPUT_OK)
        return OUTPUT_FAILED;
    snprintf(path, sizeof path, "%s/summary.json", folder);
    json_t *value = summary_json(s);
    enum output_result result = output_json(path, value, error);
    json_decref(value);
    return result;
}
