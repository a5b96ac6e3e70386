/* summary_read.c - a summary from its JSON, as far as merging needs it. */
#include <string.h>

#include "summary.h"

static const char damaged[] = "this is no summary of nmrcheck explore, or it is damaged";

static bool take_text(char *to, size_t capacity, const char *text)
{
    return snprintf(to, capacity, "%s", text) < (int)capacity;
}

static bool read_phase(const json_t *value, struct summary_phase *p)
{
    const char *name, *scope;
    json_int_t executions, findings, detours, faults, distinct;
    int complete, longest;
    if (json_unpack((json_t *)value, "{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:i, s:F}", "name", &name,
                    "scope", &scope, "complete", &complete, "executions", &executions,
                    "executions_with_finding", &findings, "executions_on_the_way", &detours,
                    "executions_with_failed_call", &faults, "distinct_hashes", &distinct,
                    "longest_scheduling_points", &longest, "seconds", &p->seconds) != 0)
        return false;
    p->complete = complete != 0;
    p->executions = (uint64_t)executions;
    p->findings = (uint64_t)findings;
    p->detours = (uint64_t)detours;
    p->faults = (uint64_t)faults;
    p->distinct = (uint64_t)distinct;
    p->longest = (unsigned)longest;
    return take_text(p->name, sizeof p->name, name) && take_text(p->scope, sizeof p->scope, scope);
}

static bool read_finding(const json_t *value, struct summary_finding *f)
{
    const char *rule, *detail, *fingerprint, *path;
    json_int_t seen;
    int records, old;
    if (json_unpack((json_t *)value, "{s:s, s:s, s:s, s:s, s:i, s:I, s:b}", "rule", &rule, "detail", &detail,
                    "fingerprint", &fingerprint, "path", &path, "records", &records, "seen", &seen,
                    "known_before", &old) != 0)
        return false;
    f->records = (unsigned)records;
    f->seen = (uint64_t)seen;
    f->old = old != 0;
    return take_text(f->rule, sizeof f->rule, rule) && take_text(f->detail, sizeof f->detail, detail) &&
           take_text(f->fingerprint, sizeof f->fingerprint, fingerprint) && take_text(f->path, sizeof f->path, path);
}

const char *summary_from_json(const json_t *value, struct summary *s, char **module)
{
    const char *name, *run;
    json_t *phases, *findings, *shard = json_object_get(value, "shard");
    int index, count;
    *s = (struct summary){.tool = "nmrcheck", .verdict = ""};
    *module = NULL;
    if (json_unpack((json_t *)value, "{s:s, s:o, s:o}", "module", &name, "phases", &phases, "findings", &findings) != 0)
        return damaged;
    if (shard == NULL)
        return "this is a whole run, not a shard of one";
    if (json_unpack(shard, "{s:i, s:i, s:s}", "index", &index, "count", &count, "run", &run) != 0 || index < 1 ||
        index > count || count > SUMMARY_SHARDS_MAX || !take_text(s->shard.run, sizeof s->shard.run, run) ||
        json_array_size(phases) > SUMMARY_PHASES_MAX || json_array_size(findings) > SUMMARY_FINDINGS_MAX)
        return damaged;
    s->shard.index = (unsigned)index;
    s->shard.count = (unsigned)count;
    for (; s->phase_count < json_array_size(phases); s->phase_count++)
        if (!read_phase(json_array_get(phases, s->phase_count), &s->phases[s->phase_count]))
            return damaged;
    for (; s->finding_count < json_array_size(findings); s->finding_count++)
        if (!read_finding(json_array_get(findings, s->finding_count), &s->findings[s->finding_count]))
            return damaged;
    *module = strdup(name);
    return NULL;
}
