/* strategy_dfs.c - all answers in turn, depth first, within bounds.  See strategy.h.
 *
 * The path of the last execution is kept as one step for each choice.  The next execution repeats the path up
 * to the deepest step that has an answer left, gives the next answer there and dull ones after it. */
#include "strategy.h"

#include <limits.h>

#include "check.h"

static bool is_preemption(const struct dfs_step *s)
{
    return s->kind == CHOICE_SWITCH && !s->forced && s->answer != 0;
}

static bool is_deviation(const struct dfs_step *s)
{
    return s->kind != CHOICE_SWITCH && s->answer != 0;
}

static void begin(void *context)
{
    struct strategy_dfs *d = context;

    d->depth = 0;
}

static unsigned answer(void *context, const struct choice_point *p)
{
    struct strategy_dfs *d = context;
    struct dfs_step *s;

    if (d->depth >= DFS_DEPTH_MAX) {
        d->clipped = true;
        return 0;
    }
    s = &d->steps[d->depth++];
    if (d->depth > d->length) {
        *s = (struct dfs_step){.answer = 0, .options = p->options, .kind = p->kind, .forced = p->forced};
        d->length = d->depth;
    }
    CHECK(s->options == p->options);        /* otherwise something besides choices differed */
    CHECK(s->kind == p->kind);
    return s->answer;
}

/* The key of the first two answers among `length` that are not dull; how many of these there are, up to 2. */
static uint64_t first_answers(const struct strategy_dfs *d, unsigned length, unsigned *count)
{
    uint64_t key = 0;

    *count = 0;
    for (unsigned i = 0; i < length && *count < 2; i++)
        if (d->steps[i].answer) {
            key += shard_key(d->steps[i].kind, i, *count, d->steps[i].answer);
            ++*count;
        }
    return key;
}

bool strategy_dfs_mine(const struct strategy_dfs *d)
{
    unsigned count;

    return d->shard.count < 2 || shard_has(&d->shard, first_answers(d, d->depth, &count));
}

/* Are some of the executions that begin with these `length` answers this shard's, or the way to them? */
static bool allowed(const struct strategy_dfs *d, unsigned length)
{
    unsigned count;
    uint64_t key;

    if (d->shard.count < 2)
        return true;
    key = first_answers(d, length, &count);
    return count < 2 || shard_has(&d->shard, key);
}

bool strategy_dfs_next(struct strategy_dfs *d)
{
    unsigned preemptions = 0, deviations = 0;

    d->length = d->depth;                   /* an execution that ended early forgets what lay behind */
    for (unsigned i = 0; i < d->length; i++) {
        preemptions += is_preemption(&d->steps[i]);
        deviations += is_deviation(&d->steps[i]);
    }
    while (d->length > 0) {
        struct dfs_step *s = &d->steps[d->length - 1];

        preemptions -= is_preemption(s);
        deviations -= is_deviation(s);
        while (s->answer + 1u < s->options) {
            s->answer++;
            if (preemptions + is_preemption(s) > d->preemptions_max ||
                deviations + is_deviation(s) > d->deviations_max)
                break;
            if (allowed(d, d->length))
                return true;
        }
        d->length--;
    }
    return false;
}

struct strategy strategy_dfs(struct strategy_dfs *state, unsigned preemptions_max, unsigned deviations_max)
{
    state->shard = (struct shard){0};
    state->preemptions_max = preemptions_max;
    state->deviations_max = deviations_max;
    state->depth = state->length = 0;
    state->clipped = false;
    return (struct strategy){.name = "dfs", .state = state, .begin = begin, .answer = answer};
}
