/* strategy_script.c - a scenario answers.  See strategy.h. */
#include "strategy.h"

#include <string.h>

/* Records are found by a small open-addressing table, refilled at the start of each execution: its cost follows
 * the number of records, and most questions miss in the first slot. */
static unsigned slot_of(unsigned kind, unsigned thread, unsigned site, unsigned nth)
{
    uint32_t key = kind << 28 | thread << 24 | site << 16 | nth;

    return key * 2654435761u >> 22;
}

static void begin(void *context)
{
    struct strategy_script *state = context;
    const struct scenario *s = state->scenario;

    if (++state->stamp == 0) {
        memset(state->slots, 0, sizeof state->slots);
        state->stamp = 1;
    }
    state->kinds = 0;
    for (unsigned i = 0; i < s->count; i++) {
        const struct record *r = &s->records[i];
        unsigned slot = slot_of(r->kind, r->thread, r->site, r->nth);

        if (r->kind == CHOICE_OP)
            continue;
        while (state->slots[slot].stamp == state->stamp)
            slot = (slot + 1) % SCRIPT_SLOTS;
        state->slots[slot].stamp = state->stamp;
        state->slots[slot].record = (uint16_t)i;
        state->kinds |= 1u << r->kind;
    }
}

static unsigned answer(void *context, const struct choice_point *p)
{
    struct strategy_script *state = context;
    unsigned slot;

    if (!(state->kinds & 1u << p->kind))
        return 0;
    slot = slot_of(p->kind, p->thread, p->site, p->nth);
    for (; state->slots[slot].stamp == state->stamp; slot = (slot + 1) % SCRIPT_SLOTS) {
        const struct record *r = &state->scenario->records[state->slots[slot].record];

        if (r->kind != p->kind || r->thread != p->thread || r->site != p->site || r->nth != p->nth)
            continue;
        return p->kind == CHOICE_SWITCH ? choice_option(p, r->value) : r->value % p->options;
    }
    return 0;
}

struct strategy strategy_script(struct strategy_script *state, const struct scenario *s)
{
    state->scenario = s;
    return (struct strategy){.name = "script", .state = state, .begin = begin, .answer = answer, .stays = true};
}
