/* explore.c - see explore.h. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dpor.h"
#include "strategy.h"

enum { PROGRESS_EVERY = 1024, REST_EVERY = 256 };

/* A set of event hashes, half full at most.  It lives as long as the process: exploring starts often.  It uses the
 * first slots only, more as it fills, so that a small exploration need not clear them all. */
enum { SEEN_FIRST = 1 << 10 };
static struct { uint64_t *slots, *spare; size_t size; uint64_t count; } seen;

static void seen_clear(void)
{
    size_t most = 2 * (size_t)EXPLORE_DISTINCT_MAX;

    if (!seen.slots) {
        seen.slots = calloc(most, sizeof *seen.slots);
        seen.spare = calloc(most, sizeof *seen.spare);
    }
    CHECK(seen.slots != NULL && seen.spare != NULL);
    memset(seen.slots, 0, seen.size * sizeof *seen.slots);
    seen.size = SEEN_FIRST;
    seen.count = 0;
}

static bool seen_put(uint64_t hash)
{
    size_t i = hash & (seen.size - 1);

    for (; seen.slots[i]; i = (i + 1) & (seen.size - 1))
        if (seen.slots[i] == hash)
            return false;
    seen.slots[i] = hash;
    return true;
}

static void seen_grow(void)
{
    uint64_t *old = seen.slots;
    size_t size = seen.size;

    seen.slots = seen.spare;
    seen.spare = old;
    seen.size *= 4;
    if (seen.size > 2 * (size_t)EXPLORE_DISTINCT_MAX)
        seen.size = 2 * (size_t)EXPLORE_DISTINCT_MAX;
    for (size_t i = 0; i < size; i++)
        if (old[i])
            (void)seen_put(old[i]);
    memset(old, 0, size * sizeof *old);
}

static void seen_add(uint64_t hash)
{
    if (seen.count == EXPLORE_DISTINCT_MAX)
        return;
    seen.count += seen_put(hash + (hash == 0));     /* 0 marks an empty slot */
    if (seen.count > seen.size / 2)
        seen_grow();
}

/* The script with the program's setting. */
static const struct scenario *with_setting(const struct program *p, const struct scenario *script)
{
    static struct scenario set;

    if (!p->setting_count || !script)
        return script;
    execution_set(p, script, &set);
    return &set;
}

struct run {
    const struct program *program;
    const struct scenario *script;
    const struct explore_options *options;
    struct explore_result result;
    bool (*mine)(const void *state);        /* is the last execution the shard's?  NULL: all are */
};

static void count(struct run *run, const struct outcome *o)
{
    struct explore_result *r = &run->result;
    const struct scenario *log = choice_log();
    bool kinds[CHOICE_KINDS] = {false};

    r->executions++;
    r->verdicts[o->verdict]++;
    if (o->steps > r->longest)
        r->longest = o->steps;
    for (unsigned i = 0; i < log->count; i++)
        kinds[log->records[i].kind] = true;
    for (unsigned k = 0; k < CHOICE_KINDS; k++) {
        if (choice_asked[k] > r->choices[k])
            r->choices[k] = choice_asked[k];
        r->deviated[k] += kinds[k];
    }
    seen_add(o->hash);
}

static bool go_on_after(struct run *run, const struct outcome *o)
{
    const struct explore_options *options = run->options;

    if (o->verdict != VERDICT_PASS && options->on_outcome) {
        static struct scenario scenario;

        execution_scenario(&scenario);
        if (!options->on_outcome(options->context, o, &scenario)) {
            run->result.end = EXPLORE_STOPPED;
            return false;
        }
    }
    if (o->verdict == VERDICT_FINDING && !options->keep_going) {
        run->result.end = EXPLORE_FINDING;
        return false;
    }
    return true;
}

static uint64_t total(const struct run *run)
{
    return run->result.executions + run->result.detours;
}

/* Run once and account for it.  True: go on. */
static bool step(struct run *run, const struct strategy *s)
{
    const struct explore_options *options = run->options;
    struct outcome o = execution_run(run->program, run->script, s);

    if (run->mine && !run->mine(s->state)) {
        run->result.detours++;
    } else {
        count(run, &o);
        if (!go_on_after(run, &o))
            return false;
    }
    if (total(run) % PROGRESS_EVERY == 0 && options->on_progress &&
        !options->on_progress(options->context, run->result.executions - run->result.resumed)) {
        run->result.end = EXPLORE_STOPPED;
        return false;
    }
    return true;
}

static bool over_budget(struct run *run)
{
    if (run->options->executions_max == 0 || run->result.executions < run->options->executions_max)
        return false;
    run->result.end = EXPLORE_BUDGET;
    return true;
}

static bool dfs_mine(const void *state)
{
    return strategy_dfs_mine(state);
}

static bool dpor_mine(const void *state)
{
    (void)state;
    return strategy_dpor_mine();
}

/* Everything within one preemption bound.  True when that was exhausted. */
static bool explore_bound(struct run *run, unsigned preemptions)
{
    static struct strategy_dfs state;
    struct strategy dfs = strategy_dfs(&state, preemptions, run->options->deviations_max);

    state.shard = run->options->shard;
    do {
        if (over_budget(run) || !step(run, &dfs))
            return false;
    } while (strategy_dfs_next(&state));
    if (state.clipped)
        run->result.end = EXPLORE_CLIPPED;
    return !state.clipped;
}

struct explore_result explore_dpor(const struct program *p, const struct scenario *script,
                                   const struct explore_options *options, struct dpor_statistics *statistics)
{
    struct run run = {p, with_setting(p, script), options, {.end = EXPLORE_COMPLETE, .preemptions_done = -1},
                      dpor_mine};
    struct strategy dpor = strategy_dpor(options->deviations_max);
    bool more = true, go_on = true;
    uint64_t distinct_before = 0;

    strategy_dpor_shard(options->shard);
    seen_clear();
    if (options->saved) {
        struct numbers in = {.file = options->saved};

        if (!explore_load(&in, &run.result, &more)) {
            run.result.end = EXPLORE_UNREADABLE;
            more = false;
        }
        distinct_before = run.result.distinct;
        run.result.resumed = run.result.executions;
    }
    while (more && go_on && !over_budget(&run)) {
        go_on = step(&run, &dpor);
        more = strategy_dpor_next();        /* also after the last one: what is left is known then */
        run.result.distinct = distinct_before + seen.count;
        if (options->on_rest && total(&run) % REST_EVERY == 0)
            options->on_rest(options->context, &run.result, more);
    }
    if (!more && run.result.end == EXPLORE_STOPPED)
        run.result.end = EXPLORE_COMPLETE;  /* it was the last one */
    if (options->on_rest && run.result.end != EXPLORE_UNREADABLE)
        options->on_rest(options->context, &run.result, more);
    *statistics = strategy_dpor_end();
    if (statistics->clipped && run.result.end == EXPLORE_COMPLETE)
        run.result.end = EXPLORE_CLIPPED;
    if (run.result.end == EXPLORE_COMPLETE)
        run.result.preemptions_done = INT32_MAX;
    return run.result;
}

struct explore_result explore_dfs(const struct program *p, const struct scenario *script,
                                  const struct explore_options *options)
{
    struct run run = {p, with_setting(p, script), options, {.end = EXPLORE_COMPLETE, .preemptions_done = -1}, dfs_mine};

    seen_clear();
    if (options->preemptions_max == UINT32_MAX) {
        if (explore_bound(&run, UINT32_MAX))
            run.result.preemptions_done = INT32_MAX;
    } else {
        for (unsigned bound = 0; bound <= options->preemptions_max && explore_bound(&run, bound); bound++)
            run.result.preemptions_done = (int)bound;
    }
    run.result.distinct = seen.count;
    return run.result;
}

struct explore_result explore_sample(const struct program *p, const struct scenario *script,
                                     const struct explore_samples *samples, const struct explore_options *options,
                                     struct sampler_pct *pct)
{
    static struct sampler sampler;
    struct run run = {p, NULL, options, {.end = EXPLORE_COMPLETE, .preemptions_done = -1}, NULL};

    seen_clear();
    sampler_begin(&sampler, p, with_setting(p, script), samples->sampling, samples->depth, samples->seed);
    for (uint64_t i = samples->first, more = true; more && i < samples->first + samples->count; i++) {
        struct strategy strategy;

        if (over_budget(&run))
            break;
        strategy = sampler_strategy(&sampler, i, &run.script);
        more = step(&run, &strategy);
        sampler_end(&sampler);
    }
    if (pct)
        *pct = sampler.pct;
    run.result.distinct = seen.count;
    return run.result;
}

struct explore_result explore_random(const struct program *p, const struct scenario *script, uint64_t seed,
                                     uint64_t first, uint64_t count, const struct explore_options *options)
{
    struct explore_samples samples = {SAMPLE_RANDOM, 1, seed, first, count};

    return explore_sample(p, script, &samples, options, NULL);
}
