/*
 * shrink.c - delta debugging over records, then over threads and numbers.
 *
 * ddmin (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002) without its subset step:
 * records are independent, so removing complements finds the same in fewer replays.  An execution tells which of
 * the records it used, so those never reached go in one step.  All is a pure function of the scenario.
 */
#include "shrink.h"

#include <string.h>

enum {
    REPLAYS_MAX = 50000,                    /* beyond this the smallest scenario so far has to do */
    PAIRS_MAX = 24                          /* with at most this many records, pairs are tried too */
};

struct shrinker {
    const struct program *program;
    uint64_t fingerprint;
    unsigned replays;
    struct scenario best, trial;
};

/* Replay the trial; when it shows the fingerprint it is the best from now on. */
static bool try_trial(struct shrinker *k)
{
    if (k->replays >= REPLAYS_MAX)
        return false;
    k->replays++;

    const struct outcome o = execution_replay(k->program, &k->trial);
    if (o.verdict != VERDICT_FINDING || o.finding.fingerprint != k->fingerprint)
        return false;
    k->best = k->trial;
    return true;
}

/* Replace the best by the records that its execution used, in the order of their use. */
static void drop_unused(struct shrinker *k)
{
    struct scenario used;

    k->trial = k->best;
    if (!try_trial(k))
        return;
    execution_scenario(&used);
    used.module = k->best.module;
    if (used.count > k->best.count)         /* a full log is cut off: keep what is known to work */
        return;
    k->trial = used;
    try_trial(k);
}

/* Remove runs of `length` records wherever possible; true when any went. */
static bool remove_runs(struct shrinker *k, unsigned length)
{
    bool removed = false;

    for (unsigned at = 0; at + length <= k->best.count;) {
        k->trial = k->best;
        scenario_cut(&k->trial, at, length);
        if (try_trial(k))
            removed = true;
        else
            at += length;
    }
    return removed;
}

static bool remove_pair(struct shrinker *k)
{
    if (k->best.count > PAIRS_MAX)
        return false;
    for (unsigned i = 0; i < k->best.count; i++)
        for (unsigned j = i + 1; j < k->best.count; j++) {
            k->trial = k->best;
            scenario_cut(&k->trial, j, 1);
            scenario_cut(&k->trial, i, 1);
            if (try_trial(k))
                return true;
        }
    return false;
}

/* Fewer records, until no single one and no pair can go. */
static void remove_records(struct shrinker *k)
{
    for (unsigned length = k->best.count / 2; length > 1; length /= 2)
        remove_runs(k, length);
    do {
        while (remove_runs(k, 1))
            ;
    } while (remove_pair(k));
}

/* Lower one number of a record as far as it goes: 0 (or `least`), then halves, then steps of one. */
static bool lower(struct shrinker *k, unsigned at, bool of_value, uint16_t least)
{
    bool lowered = false, again = true;

    while (again) {
        const uint16_t now = of_value ? k->best.records[at].value : k->best.records[at].nth;
        const uint16_t candidates[] = {least, (uint16_t)(now / 2), (uint16_t)(now - 1)};

        again = false;
        for (unsigned i = 0; i < 3 && !again && now > least; i++) {
            if (candidates[i] < least || (i > 0 && candidates[i] == candidates[i - 1]))
                continue;
            k->trial = k->best;
            *(of_value ? &k->trial.records[at].value : &k->trial.records[at].nth) = candidates[i];
            again = try_trial(k);
        }
        lowered |= again;
    }
    return lowered;
}

static bool has_ops(const struct scenario *s, unsigned thread)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->records[i].kind == CHOICE_OP && s->records[i].thread == thread)
            return true;
    return false;
}

/* All that a driving thread does, and is asked, becomes another one's. */
static void move_thread(struct scenario *s, unsigned from, unsigned to)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct record *r = &s->records[i];

        if (r->kind != CHOICE_PEER && r->thread == from)
            r->thread = (uint8_t)to;
        if (r->kind == CHOICE_SWITCH && r->value == from)
            r->value = (uint16_t)to;
    }
}

/* Fewer threads with lower numbers, so that they take turns less often: all operations of one, or a single one. */
static bool lower_threads(struct shrinker *k)
{
    bool lowered = false;

    for (unsigned from = k->program->words->driving_count; from-- > 1;)
        for (unsigned to = 0; to < from && has_ops(&k->best, from); to++) {
            k->trial = k->best;
            move_thread(&k->trial, from, to);
            lowered |= try_trial(k);
        }
    for (unsigned i = 0; i < k->best.count; i++)
        for (unsigned to = 0; k->best.records[i].kind == CHOICE_OP && to < k->best.records[i].thread; to++) {
            k->trial = k->best;
            k->trial.records[i].thread = (uint8_t)to;
            if (has_ops(&k->best, to))
                lowered |= try_trial(k);
        }
    return lowered;
}

static bool lower_numbers(struct shrinker *k)
{
    bool lowered = lower_threads(k);

    for (unsigned i = 0; i < k->best.count; i++) {
        const uint8_t kind = k->best.records[i].kind;
        /* 0 is the dull answer of a fault, peer or system choice: that would be a removal. */
        const uint16_t least = kind == CHOICE_OP || kind == CHOICE_SWITCH ? 0 : 1;

        lowered |= lower(k, i, false, 0);
        lowered |= lower(k, i, true, least);
    }
    return lowered;
}

/* The last execution is that of the result, from the caller's own memory: reports may go on from there. */
struct shrink_result shrink(const struct program *p, struct scenario *s, uint64_t fingerprint)
{
    struct shrinker k = {.program = p, .fingerprint = fingerprint, .trial = *s};
    struct shrink_result result = {.reproduced = try_trial(&k)};

    if (result.reproduced) {
        drop_unused(&k);
        do
            remove_records(&k);
        while (lower_numbers(&k));
        drop_unused(&k);
        *s = k.best;
    }
    execution_replay(p, s);
    result.replays = k.replays + 1;
    return result;
}
