/* strategy_surw.c - all orders of the steps on one object are equally likely.  See strategy.h. */
#include "strategy.h"

enum { WALKS = 4 };                         /* one execution in so many walks */

static struct strategy_surw *observed;      /* observers have no context */

/* Interesting steps to come of this thread, and of those that it will make. */
static unsigned weight(const struct strategy_surw *s, unsigned thread)
{
    unsigned sum = s->left[thread];

    for (unsigned t = 0; t < THREADS_MAX; t++) {
        unsigned maker = t;

        if (s->made & 1u << t)
            continue;
        for (unsigned i = 0; i < THREADS_MAX && !(s->made & 1u << maker); i++)
            maker = s->profile->maker[maker];
        sum += maker == thread ? s->left[t] : 0;
    }
    return sum;
}

/* One of these threads, by weight; THREADS_MAX when none has any. */
static unsigned draw(struct strategy_surw *s, uint32_t threads)
{
    unsigned weights[THREADS_MAX], sum = 0, at;

    for (uint32_t rest = threads; rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        sum += weights[t] = weight(s, t);
    }
    if (sum == 0)
        return THREADS_MAX;
    at = random_below(&s->random, sum);
    for (uint32_t rest = threads;; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (at < weights[t])
            return t;
        at -= weights[t];
    }
}

static void draw_priorities(struct strategy_surw *s)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        s->priority[t] = random_next(&s->random);
}

static bool is_interesting(const struct strategy_surw *s, unsigned thread)
{
    const struct footprint *next = profile_next(s->profile, &s->follower, thread);

    return s->object && next && footprint_has(next, (unsigned)(s->object - s->profile->objects));
}

/* The step that ran is over. */
static void settle(struct strategy_surw *s)
{
    unsigned ran = s->follower.running;

    if (ran == THREADS_MAX)
        return;
    if (is_interesting(s, ran)) {
        if (s->left[ran] > 0)
            s->left[ran]--;
        s->intended = THREADS_MAX;
        draw_priorities(s);
    }
    (void)follower_settle(&s->follower);
}

static void on_run(unsigned thread)
{
    settle(observed);
    follower_run(&observed->follower, thread);
}

/* What its maker was intended for may be the new thread's. */
static void on_spawn(unsigned child)
{
    struct strategy_surw *s = observed;
    unsigned maker = sched_self();

    s->made |= 1u << child;
    if (s->intended == maker)
        s->intended = draw(s, 1u << maker | 1u << child);
}

static unsigned next_thread(struct strategy_surw *s, uint32_t enabled)
{
    uint32_t held = 0;
    unsigned first;

    settle(s);
    if (s->walks)
        draw_priorities(s);
    if (s->intended == THREADS_MAX || !(sched_alive() & 1u << s->intended) || weight(s, s->intended) == 0)
        s->intended = draw(s, sched_alive());
    for (uint32_t rest = enabled; rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (t != s->intended && is_interesting(s, t))
            held |= 1u << t;
    }
    if (enabled & ~held)
        return strategy_first(s->priority, enabled & ~held);
    first = draw(s, enabled);               /* who is intended waits for one of these */
    return first != THREADS_MAX ? first : (unsigned)__builtin_ctz(enabled);     /* nobody counted on their steps */
}

static unsigned answer(void *context, const struct choice_point *p)
{
    struct strategy_surw *s = context;

    if (p->kind != CHOICE_SWITCH)
        return random_answer(&s->random, p);
    if (strategy_gives_way(p))
        s->priority[p->thread] = random_next(&s->random) >> 32;
    return choice_option(p, next_thread(s, p->enabled));
}

static void begin(void *context)
{
    observed = context;
}

struct strategy strategy_surw(struct strategy_surw *s, uint64_t seed, uint64_t index, const struct profile *profile)
{
    static const struct sched_observer observer = {.run = on_run, .spawn = on_spawn};
    unsigned shared = profile_shared_count(profile);

    (void)strategy_random(&s->random, seed, index);
    s->profile = profile;
    follower_begin(&s->follower);
    s->object = shared > 0 ? profile_shared(profile, random_below(&s->random, shared)) : NULL;
    for (unsigned t = 0; t < THREADS_MAX; t++)
        s->left[t] = s->object ? s->object->steps[t] : 0;
    s->walks = random_below(&s->random, WALKS) == 0;
    s->made = 1;
    s->intended = THREADS_MAX;
    draw_priorities(s);
    return (struct strategy){.name = "surw", .state = s, .begin = begin, .answer = answer, .observer = &observer};
}
