/*
 * sample.h - execution number N of a seed, whatever the strategy that samples.
 *
 * Executions come in blocks.  Those of a block run one script, and its first ones walk at random: they are the pilots
 * of the block's profile (profile.h), and executions like others.  So number N depends on nothing but seed, N and the
 * script; who asks for a number in the middle of a block first has its pilots run again.
 */
#ifndef HARNESS_SAMPLE_H
#define HARNESS_SAMPLE_H

#include "execution.h"
#include "strategy.h"

enum sampling {
    SAMPLE_RANDOM,                          /* each choice is drawn, and without a script each execution draws one */
    SAMPLE_PCT,
    SAMPLE_POS,
    SAMPLE_SURW,
    SAMPLE_PORTFOLIO,                       /* all of them in turn */
    SAMPLINGS
};
const char *sampling_name(enum sampling s);

/* What pct can promise. */
struct sampler_pct {
    double bound;                           /* the weakest of an execution, of n … */
    unsigned threads, length;              /* … and k */
    uint64_t longer;                        /* executions with more questions than k: the bound is not theirs */
};

struct sampler {
    const struct program *program;
    const struct scenario *script;          /* NULL: each block draws its own */
    enum sampling sampling;
    unsigned depth;                         /* pct's */
    uint64_t seed;
    /* The rest is the sampler's own. */
    uint64_t block;                         /* the one that the profile is of */
    enum sampling ran;                      /* which strategy answered last … */
    bool pilot;                             /* … and whether the profile learnt from it */
    unsigned piloted;                       /* pilots of it that have run */
    struct scenario drawn;
    struct profile profile;
    union {
        struct strategy_random random;
        struct strategy_pct pct;
        struct strategy_pos pos;
        struct strategy_surw surw;
    } state;
    struct sampler_pct pct;
};

void sampler_begin(struct sampler *s, const struct program *p, const struct scenario *script, enum sampling sampling,
                   unsigned depth, uint64_t seed);

/* What execution `index` runs: its script in *script, and the strategy that answers.  Call sampler_end after it. */
struct strategy sampler_strategy(struct sampler *s, uint64_t index, const struct scenario **script);
void sampler_end(struct sampler *s);

/* Draw a script: operations of the vocabulary, nothing else. */
void sample_script(const struct vocabulary *words, uint64_t seed, uint64_t index, struct scenario *out);

#endif
