/* strategy_pct.c - random priorities that change a few times.  See strategy.h. */
#include "check.h"
#include "sched.h"
#include "strategy.h"

/* Priorities from the start lie above, those given later below. */
#define FIRST_PRIORITY (UINT64_C(1) << 32)

static unsigned next_thread(struct strategy_pct *s, const struct choice_point *p)
{
    unsigned number = s->asked++;

    if (strategy_gives_way(p))
        s->priority[p->thread] = s->lowest--;
    for (unsigned i = 0; i < s->change_count; i++)
        if (s->change[i] == number)
            s->priority[strategy_first(s->priority, p->enabled)] = s->lowest--;
    return strategy_first(s->priority, p->enabled);
}

static unsigned answer(void *context, const struct choice_point *p)
{
    struct strategy_pct *s = context;

    if (p->kind != CHOICE_SWITCH)
        return random_answer(&s->random, p);
    return choice_option(p, next_thread(s, p));
}

struct strategy strategy_pct(struct strategy_pct *s, uint64_t seed, uint64_t index, unsigned depth,
                             const struct profile *profile)
{
    CHECK(depth >= 1 && depth <= PCT_DEPTH_MAX);
    (void)strategy_random(&s->random, seed, index);
    s->change_count = profile->length > 0 ? depth - 1 : 0;
    for (unsigned i = 0; i < s->change_count; i++)
        s->change[i] = random_below(&s->random, profile->length);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        s->priority[t] = FIRST_PRIORITY + (random_next(&s->random) >> 1);
    s->lowest = FIRST_PRIORITY - 1;
    s->asked = 0;
    return (struct strategy){.name = "pct", .state = s, .answer = answer};
}

double pct_bound(const struct profile *profile, unsigned depth)
{
    double bound = 1.0 / (profile->threads > 0 ? profile->threads : 1);

    for (unsigned i = 1; i < depth && profile->length > 0; i++)
        bound /= profile->length;
    return bound;
}
