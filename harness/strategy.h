/*
 * strategy.h - the ways to answer choices.
 *
 * script   a scenario answers: replay, fuzzing
 * random   each choice is drawn; the baseline, and the determinism tests' workhorse
 * pct      who runs next by random priorities that change a few times
 * pos      who runs next by a random priority of each step
 * surw     who runs next so that all orders of the steps on one shared object are equally likely
 * dfs      all answers in turn, depth first, within bounds
 *
 * pct, pos and surw draw other choices than switches as random does.  Each makes one execution, number `index` of the
 * seed.  What they must know of the program, a profile tells.  sample.h puts all that together.
 *
 * A strategy's state belongs to the caller and needs no release.
 */
#ifndef HARNESS_STRATEGY_H
#define HARNESS_STRATEGY_H

#include "choice.h"
#include "profile.h"
#include "shard.h"

/* -- script: answers come from the records of a scenario; others in it, never reached, do nothing.  A thread that gives
 * way goes on if a record says that it runs next itself. */
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
/* Answer as random does; not for a switch. */
unsigned random_answer(struct strategy_random *state, const struct choice_point *point);

/* Does the thread that asks only let others go first, in a spin loop?  By priorities it would wait for ever for a
 * thread that has a lower one, so then it goes below all that do something. */
static inline bool strategy_gives_way(const struct choice_point *point)
{
    return point->kind == CHOICE_SWITCH && point->forced && sched_can_run(point->thread);
}

/* Of these threads, at least one, the one of the greatest priority. */
static inline unsigned strategy_first(const uint64_t priority[THREADS_MAX], uint32_t threads)
{
    unsigned first = (unsigned)__builtin_ctz(threads);

    for (uint32_t rest = threads; rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (priority[t] > priority[first])
            first = t;
    }
    return first;
}

/* -- pct: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with
 * Probabilistic Guarantees of Finding Bugs, ASPLOS 2010).
 *
 * Threads have random priorities, the first that can run does.  At depth - 1 random questions of who runs next, the
 * thread that would run gets a priority below all others.  A bug that takes an order of `depth` steps is found with a
 * probability of at least 1 / (n k^(depth - 1)): n threads, k steps.  Differences: where one thread alone can run
 * there is nothing to decide, and no change; a thread that takes an ended one's number takes its priority, too. */
enum { PCT_DEPTH_MAX = 16 };
struct strategy_pct {
    struct strategy_random random;
    unsigned change_count;
    uint32_t change[PCT_DEPTH_MAX - 1];     /* numbers of the questions where priorities change, from 0 */
    uint32_t asked;                         /* questions so far */
    uint64_t priority[THREADS_MAX];         /* the greatest runs */
    uint64_t lowest;                        /* the next one below all */
};
struct strategy strategy_pct(struct strategy_pct *state, uint64_t seed, uint64_t index, unsigned depth,
                             const struct profile *profile);
/* The bound for an execution of such a program. */
double pct_bound(const struct profile *profile, unsigned depth);

/* -- pos: partial order sampling (Yuan, Yang, Gu: Partial Order Aware Concurrency Sampling, CAV 2018).
 *
 * Each step has a random priority, drawn when its thread comes to it; the first that can run does.  Then the steps of
 * other threads that conflict with it are drawn anew.  What a step that has not run will touch, the profile tells; one
 * that no pilot has seen conflicts with nothing. */
struct strategy_pos {
    struct strategy_random random;
    const struct profile *profile;
    struct follower follower;
    uint64_t priority[THREADS_MAX];         /* of each thread's next step */
};
struct strategy strategy_pos(struct strategy_pos *state, uint64_t seed, uint64_t index, const struct profile *profile);

/* -- surw: selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury: Selectively Uniform Concurrency
 * Testing, ASPLOS 2025).
 *
 * One object that several threads touch is drawn; steps on it are interesting.  Whose interesting step comes next is
 * drawn by how many each thread still has, and other threads are held at theirs.  So each order of these steps is as
 * likely as any other when the profile has counted right.  A thread that was not made yet counts with the one that
 * makes it.  Difference: which of the threads that are not held runs is not drawn at each step but by priorities,
 * drawn anew at each interesting step: a walk of single steps hardly ever lets one thread go far while another waits.
 * One execution in four walks, for the interleavings that never come up by priorities. */
struct strategy_surw {
    struct strategy_random random;
    const struct profile *profile;
    struct follower follower;
    const struct profile_object *object;    /* NULL: no thread shares anything */
    uint16_t left[THREADS_MAX];             /* interesting steps to come */
    uint32_t made;                          /* bit mask of threads that are there, or were */
    unsigned intended;                      /* who makes the next interesting step */
    bool walks;                             /* priorities are drawn at each question */
    uint64_t priority[THREADS_MAX];         /* among those that are not held */
};
struct strategy strategy_surw(struct strategy_surw *state, uint64_t seed, uint64_t index,
                              const struct profile *profile);

/* -- dfs: bounded depth-first search over all answers.
 *
 * A preemption is a switch away from a thread that could have gone on; a deviation is an answer other
 * than 0 to a fault, peer or system choice.  Forced switches are free.  Within the bounds every
 * combination is executed exactly once. */
enum { DFS_DEPTH_MAX = 4096 };
struct strategy_dfs {
    unsigned preemptions_max, deviations_max;   /* UINT_MAX: no bound */
    unsigned depth, length;                 /* next position; positions of the last execution */
    struct shard shard;                     /* everything, unless set before the first execution; see shard.h */
    bool clipped;                           /* an execution was deeper than DFS_DEPTH_MAX: not exhaustive */
    struct dfs_step { uint16_t answer, options; uint8_t kind; bool forced; } steps[DFS_DEPTH_MAX];
};
struct strategy strategy_dfs(struct strategy_dfs *state, unsigned preemptions_max, unsigned deviations_max);
/* After an execution: is it one of the shard's? */
bool strategy_dfs_mine(const struct strategy_dfs *state);
/* Move on to the next unexplored branch; false when all are done. */
bool strategy_dfs_next(struct strategy_dfs *state);

#endif
