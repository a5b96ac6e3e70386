/* explore_save.c - an exploration in a file, to go on with it later. */
#include "explore.h"

static void counts_save(FILE *out, const uint64_t *counts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        number_write(out, counts[i]);
}

static void counts_load(struct numbers *in, uint64_t *counts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        counts[i] = number_read(in, UINT64_MAX);
}

void explore_save(FILE *out, const struct explore_result *r)
{
    number_write(out, r->executions);
    number_write(out, r->detours);
    number_write(out, r->distinct);
    number_write(out, r->longest);
    counts_save(out, r->verdicts, VERDICTS);
    counts_save(out, r->choices, CHOICE_KINDS);
    counts_save(out, r->deviated, CHOICE_KINDS);
    strategy_dpor_save(out);
}

bool explore_load(struct numbers *in, struct explore_result *r, bool *more)
{
    r->executions = number_read(in, UINT64_MAX);
    r->detours = number_read(in, UINT64_MAX);
    r->distinct = number_read(in, UINT64_MAX);
    r->longest = (unsigned)number_read(in, UINT32_MAX);
    counts_load(in, r->verdicts, VERDICTS);
    counts_load(in, r->choices, CHOICE_KINDS);
    counts_load(in, r->deviated, CHOICE_KINDS);
    *more = strategy_dpor_load(in);
    return !in->bad;
}
