/*
 * strategy.h - the ways to answer choices.
 *
 * script   a scenario answers: replay, fuzzing
 * random   each choice is drawn; the baseline, and the determinism tests' workhorse
 * dfs      all answers in turn, depth first, within bounds
 *
 * A strategy's state belongs to the caller and needs no release.
 */
#ifndef HARNESS_STRATEGY_H
#define HARNESS_STRATEGY_H

#include "choice.h"

/* -- script: answers come from the records of a scenario; others in it, never reached, do nothing. */
enum { SCRIPT_SLOTS = 1024 };
struct strategy_script {
    uint16_t stamp;                         /* slots with another stamp are empty */
    struct { uint16_t stamp, record; } slots[SCRIPT_SLOTS];
    const struct scenario *scenario;
    uint32_t kinds;                         /* kinds that occur at all */
};
struct strategy strategy_script(struct strategy_script *state, const struct scenario *s);

/* -- random: a fixed generator, seeded by (seed, index), so execution number `index` can be repeated alone. */
struct strategy_random {
    uint64_t state[2];
    uint32_t chance[CHOICE_KINDS];          /* of an answer other than 0, out of 2^32; switch: of leaving a thread */
};
struct strategy strategy_random(struct strategy_random *state, uint64_t seed, uint64_t index);
uint64_t random_next(struct strategy_random *state);
uint32_t random_below(struct strategy_random *state, uint32_t limit);

/* -- dfs: bounded depth-first search over all answers.
 *
 * A preemption is a switch away from a thread that could have gone on; a deviation is an answer other
 * than 0 to a fault, peer or system choice.  Forced switches are free.  Within the bounds every
 * combination is executed exactly once. */
enum { DFS_DEPTH_MAX = 4096 };
struct strategy_dfs {
    unsigned preemptions_max, deviations_max;   /* UINT_MAX: no bound */
    unsigned depth, length;                 /* next position; positions of the last execution */
    bool clipped;                           /* an execution was deeper than DFS_DEPTH_MAX: not exhaustive */
    struct dfs_step { uint16_t answer, options; uint8_t kind; bool forced; } steps[DFS_DEPTH_MAX];
};
struct strategy strategy_dfs(struct strategy_dfs *state, unsigned preemptions_max, unsigned deviations_max);
/* Move on to the next unexplored branch; false when all are done. */
bool strategy_dfs_next(struct strategy_dfs *state);

#endif
