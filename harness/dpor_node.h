/*
 * dpor_node.h - what the path of an exploration is made of: for dpor.c and those who count and save it.
 */
#ifndef HARNESS_DPOR_NODE_H
#define HARNESS_DPOR_NODE_H

#include "dpor_clock.h"
#include "dpor_tree.h"
#include "numbers.h"

enum { STEPS_MAX = 1024,
       CLASSES = 4 };                       /* of executions: with 0, 1, 2 deviations, or more */

struct node {
    clock_type clock;                       /* of the step that was executed here */
    struct op op;                           /* that step */
    uint32_t enabled;                       /* the threads that can run here */
    bool gave_way;                          /* the step ended so, … */
    bool turning;                           /* … or its thread did before and now goes on; may it do so alone? */
    uint16_t alone;                         /* it gave way: turns up to this step without another thread's steps, … */
    uint16_t turns;                         /* … the last of them, which changed nothing, … */
    uint64_t state;                         /* … and the thread's state, as the scheduler tells it */
    uint32_t expected;                      /* the footprint it left at another time, for which it is tried here */
    int tree;                               /* first child */
    clock_type past;                        /* of its thread before it, without what it touched */
    int16_t index;                          /* which of its thread's steps, from 1 */
    uint16_t deviations;                    /* of the steps before this one */
    unsigned sleep_first, sleep_count;      /* in the sleep sets of the path */
    unsigned access_first, access_count;    /* in the accesses of the path */
    struct tally {                          /* numbers of executions, for the estimate of what is left */
        uint64_t began[CLASSES], before_child[CLASSES]; /* before the first child, before the current one */
        uint64_t dull[CLASSES];             /* of the explored children that are dull … */
        unsigned dull_children;             /* … and how many these are */
    } tally;
};

/* ---- how much is left (dpor_estimate.c); `executions`: so far, by class */
void tally_begin(struct tally *t, const uint64_t executions[CLASSES]);
void tally_begin_child(struct tally *t, const uint64_t executions[CLASSES]);
void tally_end_child(struct tally *t, const struct op *child, const uint64_t executions[CLASSES]);

/* How many executions are still to come; the path ends at node `last`, of whose tree nothing was explored yet. */
double tally_left(const struct node *nodes, unsigned last, const struct tree *pool, unsigned deviations_max,
                  const uint64_t executions[CLASSES]);

/* ---- saving (dpor_save.c); a tree as its children in order, each with its level, from 1 */
void op_save(FILE *out, const struct op *op);
void op_load(struct numbers *in, struct op *op);
void tree_save(FILE *out, int list, unsigned level);
void tree_load(struct numbers *in, int *list);
void tally_save(FILE *out, const struct tally *t);
void tally_load(struct numbers *in, struct tally *t);

#endif
