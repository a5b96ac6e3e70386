/* choice.c - see choice.h. */
#include "choice.h"

#include <stddef.h>
#include <string.h>

#include "check.h"

uint32_t choice_asked[CHOICE_KINDS];
void (*choice_on_ask)(const struct choice_point *point);

static const struct strategy *strategy;
static unsigned (*next_thread)(void *state, uint32_t enabled, unsigned dull);   /* the strategy's */
static struct scenario answers;

/* How often (kind, thread, site) was asked; a cell with another stamp counts as never asked, so that
 * starting an execution does not have to clear the table. */
static struct { uint16_t stamp, count; } visits[CHOICE_KINDS][THREADS_MAX][SITES_MAX];
static uint16_t stamp;

void choice_begin(const struct strategy *s)
{
    if (++stamp == 0) {
        memset(visits, 0, sizeof visits);
        stamp = 1;
    }
    strategy = s;
    next_thread = s ? s->next : NULL;
    answers.count = 0;
    answers.module = 0;
    memset(choice_asked, 0, sizeof choice_asked);
    if (s && s->begin)
        s->begin(s->state);
}

const struct scenario *choice_log(void)
{
    return &answers;
}

static uint16_t visit(unsigned kind, unsigned thread, unsigned site)
{
    CHECK(thread < THREADS_MAX);
    CHECK(site < SITES_MAX);
    if (visits[kind][thread][site].stamp != stamp) {
        visits[kind][thread][site].stamp = stamp;
        visits[kind][thread][site].count = 0;
    }
    return visits[kind][thread][site].count++;
}

static unsigned answer(const struct choice_point *p)
{
    unsigned chosen;

    choice_asked[p->kind]++;
    if (choice_on_ask)
        choice_on_ask(p);
    if (!strategy)
        return 0;
    chosen = strategy->answer(strategy->state, p);
    CHECK(chosen < p->options);
    return chosen;
}

static void note(unsigned kind, unsigned thread, unsigned site, uint16_t nth, unsigned value)
{
    scenario_add(&answers, (struct record){.kind = (uint8_t)kind, .thread = (uint8_t)thread, .site = (uint8_t)site,
                                           .nth = nth, .value = (uint16_t)value});
}

unsigned choice_ask(enum choice_kind kind, unsigned thread, unsigned site, unsigned options)
{
    struct choice_point p;
    unsigned chosen;

    CHECK(options >= 1);
    p = (struct choice_point){.kind = (uint8_t)kind, .thread = (uint8_t)thread, .site = (uint8_t)site,
                              .nth = visit(kind, thread, site), .options = (uint16_t)options};
    if (options == 1)
        return 0;
    chosen = answer(&p);
    if (chosen)
        note(kind, thread, site, p.nth, chosen);
    return chosen;
}

unsigned choice_thread(const struct choice_point *p, unsigned option)
{
    uint32_t others = p->enabled & ~(1u << p->dull);

    if (option == 0)
        return p->dull;
    while (--option)
        others &= others - 1;
    CHECK(others != 0);
    return (unsigned)__builtin_ctz(others);
}

unsigned choice_option(const struct choice_point *p, unsigned thread)
{
    uint32_t others = p->enabled & ~(1u << p->dull);

    if (thread >= THREADS_MAX || !(others & 1u << thread))
        return 0;
    return 1 + (unsigned)__builtin_popcount(others & ((1u << thread) - 1));
}

/* By way of an option: for strategies that want to know all about the choice. */
static __attribute__((noinline)) unsigned switch_answer(struct choice_point p)
{
    p.options = (uint16_t)__builtin_popcount(p.enabled);
    return choice_thread(&p, answer(&p));
}

bool choice_stays(void)
{
    return strategy && strategy->stays;
}

unsigned choice_planned(unsigned thread, unsigned site, uint32_t enabled, unsigned dull, unsigned chosen)
{
    uint16_t nth = visit(CHOICE_SWITCH, thread, site);

    CHECK(enabled & 1u << chosen);
    choice_asked[CHOICE_SWITCH] += (enabled & (enabled - 1)) != 0;
    if (chosen != dull)
        note(CHOICE_SWITCH, thread, site, nth, chosen);
    return chosen;
}

unsigned choice_switch(unsigned thread, unsigned site, uint32_t enabled, unsigned dull, bool forced)
{
    uint16_t nth = visit(CHOICE_SWITCH, thread, site);
    unsigned chosen;

    if (!(enabled & (enabled - 1)))
        return dull;
    if (next_thread && !choice_on_ask) {
        choice_asked[CHOICE_SWITCH]++;
        chosen = next_thread(strategy->state, enabled, dull);
    } else {
        chosen = switch_answer((struct choice_point){
            .kind = CHOICE_SWITCH, .thread = (uint8_t)thread, .site = (uint8_t)site, .forced = forced, .nth = nth,
            .enabled = enabled, .dull = (uint8_t)dull});
    }
    if (chosen != dull)
        note(CHOICE_SWITCH, thread, site, nth, chosen);
    return chosen;
}
