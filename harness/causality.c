/* causality.c - see causality.h. */
#include "causality.h"

#include <stddef.h>

#include "event.h"
#include "strategy.h"

/* Answers of a scenario, but for the switches after the first `fixed` ones. */
struct prefix {
    struct strategy script, random;
    unsigned fixed, asked;
    struct causality *record;               /* to note the decisions in, or NULL */
};

static void begin(void *context)
{
    struct prefix *prefix = context;

    prefix->asked = 0;
    prefix->script.begin(prefix->script.state);
}

static void note(struct causality *c, const struct choice_point *p, unsigned answer)
{
    unsigned next = choice_thread(p, answer);

    if (c->count == CAUSALITY_DECISIONS_MAX)
        return;
    c->decisions[c->count++] = (struct causality_decision){
        .record = {.kind = CHOICE_SWITCH, .thread = p->thread, .site = p->site, .nth = p->nth, .value = (uint16_t)next},
        .forced = p->forced, .dull = next == p->dull, .event = event_count()};
}

static unsigned answer(void *context, const struct choice_point *p)
{
    struct prefix *prefix = context;
    unsigned answer;

    if (p->kind != CHOICE_SWITCH)
        return prefix->script.answer(prefix->script.state, p);
    if (prefix->asked++ >= prefix->fixed)
        return prefix->random.answer(prefix->random.state, p);
    answer = prefix->script.answer(prefix->script.state, p);
    if (prefix->record)
        note(prefix->record, p, answer);
    return answer;
}

/* How many of the continuations of this prefix fail in the same way. */
static uint32_t count_failures(const struct program *program, const struct scenario *s, struct prefix *prefix,
                               const struct causality *c, uint64_t seed, uint64_t fingerprint)
{
    struct strategy strategy = {.name = "prefix", .state = prefix, .begin = begin, .answer = answer};
    uint32_t failures = 0;

    for (uint32_t i = 0; i < c->runs; i++) {
        struct strategy_random random;
        struct outcome o;

        prefix->random = strategy_random(&random, seed, (uint64_t)prefix->fixed * c->runs + i);
        o = execution_run(program, s, &strategy);
        failures += o.verdict == VERDICT_FINDING && o.finding.fingerprint == fingerprint;
    }
    return failures;
}

/* A rise counts when it is more than three standard deviations; shares below a hundredth are all alike. */
static void find_guilty(struct causality *c)
{
    uint64_t before = c->failures, best_before = 1, best_now = 1, little = c->runs / 100 + 1;

    c->guilty = c->count;
    for (unsigned i = 0; i < c->count; i++) {
        uint64_t now = c->decisions[i].failures;

        if (now > before && (now - before) * (now - before) > 9 * (now + before) &&
            (now + little) * best_before > best_now * (before + little)) {
            best_now = now + little;
            best_before = before + little;
            c->guilty = i;
        }
        before = now;
    }
}

bool causality_measure(const struct program *p, const struct scenario *s, uint32_t runs, uint64_t seed,
                       struct causality *out)
{
    static struct strategy_script script;
    struct prefix prefix = {.script = strategy_script(&script, s), .fixed = UINT32_MAX, .record = out};
    struct strategy strategy = {.name = "prefix", .state = &prefix, .begin = begin, .answer = answer};
    struct outcome o;

    out->count = 0;
    out->runs = runs;
    o = execution_run(p, s, &strategy);
    if (o.verdict != VERDICT_FINDING)
        return false;
    prefix.record = NULL;
    prefix.fixed = 0;
    out->failures = count_failures(p, s, &prefix, out, seed, o.finding.fingerprint);
    for (unsigned i = 0; i < out->count; i++) {
        prefix.fixed = i + 1;
        out->decisions[i].failures = count_failures(p, s, &prefix, out, seed, o.finding.fingerprint);
    }
    find_guilty(out);
    return true;
}
