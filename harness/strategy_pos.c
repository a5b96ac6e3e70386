/* strategy_pos.c - a random priority of each step.  See strategy.h. */
#include "strategy.h"

static struct strategy_pos *observed;       /* observers have no context */

/* The step that ran is over: its thread's next one is new, and so are those that it conflicted with. */
static void settle(struct strategy_pos *s)
{
    const struct footprint *mine, *other;
    unsigned ran = s->follower.running;

    if (ran == THREADS_MAX)
        return;
    mine = profile_next(s->profile, &s->follower, ran);
    for (uint32_t rest = sched_alive() & ~(1u << ran); mine && rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        other = profile_next(s->profile, &s->follower, t);
        if (other && footprint_conflict(mine, other))
            s->priority[t] = random_next(&s->random);
    }
    s->priority[ran] = random_next(&s->random);
    (void)follower_settle(&s->follower);
}

static void on_run(unsigned thread)
{
    settle(observed);
    follower_run(&observed->follower, thread);
}

static unsigned answer(void *context, const struct choice_point *p)
{
    struct strategy_pos *s = context;

    if (p->kind != CHOICE_SWITCH)
        return random_answer(&s->random, p);
    settle(s);
    if (strategy_gives_way(p))
        s->priority[p->thread] >>= 32;
    return choice_option(p, strategy_first(s->priority, p->enabled));
}

static void begin(void *context)
{
    observed = context;
}

struct strategy strategy_pos(struct strategy_pos *s, uint64_t seed, uint64_t index, const struct profile *profile)
{
    static const struct sched_observer observer = {.run = on_run};

    (void)strategy_random(&s->random, seed, index);
    s->profile = profile;
    follower_begin(&s->follower);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        s->priority[t] = random_next(&s->random);
    return (struct strategy){.name = "pos", .state = s, .begin = begin, .answer = answer, .observer = &observer};
}
