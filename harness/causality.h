/*
 * causality.h - which scheduling decision makes a finding likely.
 *
 * The schedule of a failing execution is a list of decisions: who runs next, wherever more than one thread could.  For
 * each prefix of it the decisions are fixed, the rest is drawn at random (strategy_random), and how many of `runs` such
 * continuations fail is counted.  Faults, counterparts and the system answer as the scenario says, all the time.  The
 * decision that multiplies the share most is the guilty one: a late one that only ends what others made nearly certain
 * is not.  The same arguments give the same numbers.
 */
#ifndef HARNESS_CAUSALITY_H
#define HARNESS_CAUSALITY_H

#include "execution.h"

enum { CAUSALITY_DECISIONS_MAX = 1024, CAUSALITY_RUNS = 1000, CAUSALITY_RUNS_MAX = 1000000 };

struct causality_decision {
    struct record record;                   /* who was asked, where, which time; value: who ran next */
    bool forced, dull;                      /* the thread could not go on; the answer was the dull one */
    uint32_t event;                         /* events before it */
    uint32_t failures;                      /* of the continuations when all up to this one are fixed */
};

struct causality {
    uint32_t runs;                          /* continuations of each prefix */
    uint32_t failures;                      /* of them, with nothing fixed */
    unsigned count;                         /* decisions until the finding; those past the maximum are not fixed */
    struct causality_decision decisions[CAUSALITY_DECISIONS_MAX];
    unsigned guilty;                        /* that decision; `count`: none raises the share beyond chance */
};

/* False: the scenario shows no finding. */
bool causality_measure(const struct program *p, const struct scenario *s, uint32_t runs, uint64_t seed,
                       struct causality *out);

#endif
