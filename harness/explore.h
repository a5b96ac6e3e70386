/*
 * explore.h - many executions: systematic, then counted.  shrink.h makes what they find small.
 */
#ifndef HARNESS_EXPLORE_H
#define HARNESS_EXPLORE_H

#include "dpor.h"
#include "execution.h"
#include "sample.h"

enum explore_end {
    EXPLORE_COMPLETE,
    EXPLORE_BUDGET,                         /* executions_max */
    EXPLORE_CLIPPED,                        /* all that could be followed was; some was too deep or too wide */
    EXPLORE_STOPPED,                        /* by a callback */
    EXPLORE_FINDING,
    EXPLORE_UNREADABLE                      /* `saved` makes no sense; nothing was run */
};

struct explore_result;
struct explore_options {
    unsigned preemptions_max;               /* bound on preemptions, tried 0, 1, … up to this */
    unsigned deviations_max;                /* bound on faults, peer and system choices together */
    uint64_t executions_max;                /* 0: no limit */
    struct shard shard;                     /* explore_dfs and explore_dpor: only these executions; see shard.h */
    bool keep_going;                        /* do not stop at the first finding */
    void *context;                          /* for the callbacks */
    /* Each execution that did not pass; return false to stop.  May be NULL. */
    bool (*on_outcome)(void *context, const struct outcome *o, const struct scenario *s);
    /* Now and then (every 1,024 executions); return false to stop.  `executions`: without those that `saved` told of.
     * May be NULL. */
    bool (*on_progress)(void *context, uint64_t executions);
    /* dpor: go on from what explore_save wrote here, when not NULL. */
    FILE *saved;
    /* dpor: between two executions, every so many of them, and after the last: where to call explore_save.  `more`:
     * there are executions left.  May be NULL. */
    void (*on_rest)(void *context, const struct explore_result *so_far, bool more);
};

enum { EXPLORE_DISTINCT_MAX = 1 << 20 };

struct explore_result {
    enum explore_end end;
    uint64_t executions, verdicts[VERDICTS];
    uint64_t detours;                       /* executions that led to these, of other shards or ended where a thread
                                             * spun in vain; not counted elsewhere */
    uint64_t resumed;                       /* executions of these that `saved` told of */
    uint64_t choices[CHOICE_KINDS];         /* the largest number of choices asked in one execution, by kind */
    uint64_t deviated[CHOICE_KINDS];        /* executions with an answer other than 0, by kind */
    int preemptions_done;                   /* all executions with up to this many preemptions were run; -1: none */
    uint64_t distinct;                      /* distinct event hashes, counted up to EXPLORE_DISTINCT_MAX; of an
                                             * exploration that went on from a file each part's count for itself */
    unsigned longest;                       /* scheduling points of the longest execution */
};

/* Depth-first over one script. */
struct explore_result explore_dfs(const struct program *p, const struct scenario *script,
                                  const struct explore_options *options);

/* One execution of each trace of one script; preemptions_max is not looked at.  See dpor.h. */
struct explore_result explore_dpor(const struct program *p, const struct scenario *script,
                                   const struct explore_options *options, struct dpor_statistics *statistics);

/* explore_save.c: the counts, and where dpor stands.  Only inside on_rest.  / Back again; false: they make no sense. */
void explore_save(FILE *out, const struct explore_result *r);
bool explore_load(struct numbers *in, struct explore_result *r, bool *more);

/* Executions number `first` and on of a seed; see sample.h. */
struct explore_samples {
    enum sampling sampling;
    unsigned depth;                         /* of pct */
    uint64_t seed, first, count;
};

/* With a NULL script operations are drawn, too.  `pct` may be NULL. */
struct explore_result explore_sample(const struct program *p, const struct scenario *script,
                                     const struct explore_samples *samples, const struct explore_options *options,
                                     struct sampler_pct *pct);
/* By the random walk. */
struct explore_result explore_random(const struct program *p, const struct scenario *script, uint64_t seed,
                                     uint64_t first, uint64_t count, const struct explore_options *options);

#endif
