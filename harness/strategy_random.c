/* strategy_random.c - each choice is drawn.  See strategy.h.
 *
 * The generator is xoroshiro128+ (Blackman and Vigna), seeded through splitmix64.
 *
 * How often counterparts are odd and NMR takes another way is drawn for each execution (swarm testing, Groce et al.
 * 2012): bugs that need several odd answers and those that need none are both found, the former four times sooner. */
#include "strategy.h"

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

uint64_t random_next(struct strategy_random *r)
{
    uint64_t a = r->state[0], b = r->state[1], result = a + b;

    b ^= a;
    r->state[0] = rotate(a, 24) ^ b ^ b << 16;
    r->state[1] = rotate(b, 37);
    return result;
}

uint32_t random_below(struct strategy_random *r, uint32_t limit)
{
    return (uint32_t)((random_next(r) >> 32) * limit >> 32);
}

unsigned random_answer(struct strategy_random *r, const struct choice_point *p)
{
    if ((uint32_t)(random_next(r) >> 32) >= r->chance[p->kind])
        return 0;
    return 1 + random_below(r, p->options - 1u);
}

static unsigned answer(void *context, const struct choice_point *p)
{
    struct strategy_random *r = context;

    if (p->kind == CHOICE_SWITCH && p->forced)
        return random_below(r, p->options);
    return random_answer(r, p);
}

/* 1 in 2, 8 or 32. */
static uint32_t swarm_chance(struct strategy_random *r)
{
    return UINT32_MAX / (2u << 2 * random_below(r, 3));
}

struct strategy strategy_random(struct strategy_random *state, uint64_t seed, uint64_t index)
{
    uint64_t x = seed ^ index * 0xd1342543de82ef95;

    state->state[0] = splitmix(&x);
    state->state[1] = splitmix(&x) | 1;
    state->chance[CHOICE_OP] = 0;
    state->chance[CHOICE_PEER] = swarm_chance(state);
    state->chance[CHOICE_SWITCH] = UINT32_MAX / 3;
    state->chance[CHOICE_FAULT] = UINT32_MAX / 24;
    state->chance[CHOICE_SYSTEM] = swarm_chance(state);
    return (struct strategy){.name = "random", .state = state, .answer = answer};
}
