/*
 * dpor_node.h - what the path of an exploration is made of: for dpor.c and those who count and save it.
 */
#ifndef HARNESS_DPOR_NODE_H
#define HARNESS_DPOR_NODE_H

#include "sched.h"

enum { STEPS_MAX = 1024, TOUCHES_MAX = 24, ANSWERS_MAX = 16, ENABLERS_MAX = 8, SLEEP_MAX = 48, TREE_MAX = 1 << 16,
       NONE = -1,
       CLASSES = 4 };                       /* of executions: with 0, 1, 2 deviations, or more */

#define SPAWNING UINT64_MAX                 /* an object of ours */

struct touch { uint64_t object; enum sched_touch how; };

/* What a thread does in one step. */
struct op {
    uint8_t thread;
    uint8_t answer_count, touch_count;
    bool known;                             /* it was executed: what it touches is there */
    bool complete;                          /* and so are all its answers; else those that are missing are dull */
    bool wide;                              /* too many touches: dependent on everything */
    bool enumerate;                         /* answers to further questions are branches of this node */
    uint8_t answers[ANSWERS_MAX];
    uint8_t options[ANSWERS_MAX];           /* how many answers there were */
    struct touch touches[TOUCHES_MAX];
};

/* Number of steps of each thread that come before, itself included. */
typedef uint16_t clock_type[THREADS_MAX];

struct tree { struct op op; int first, next; };     /* first child, next sibling; NONE */

struct node {
    struct op op;                           /* the step that was executed here */
    clock_type clock, past;                 /* of that step; of its thread before it, without what it touched */
    uint16_t index;                         /* which of its thread's steps, from 1 */
    struct op sleep[SLEEP_MAX];
    unsigned sleep_count;
    int tree;                               /* first child */
    struct tally {                          /* numbers of executions, for the estimate of what is left */
        uint64_t began[CLASSES], before_child[CLASSES]; /* before the first child, before the current one */
        uint64_t dull[CLASSES];             /* of the explored children that are dull … */
        unsigned dull_children;             /* … and how many these are */
    } tally;
};

static inline unsigned op_deviations(const struct op *op)
{
    unsigned count = 0;

    for (unsigned k = 0; k < op->answer_count; k++)
        count += op->answers[k] != 0;
    return count;
}

/* ---- how much is left (dpor_estimate.c); `executions`: so far, by class */
void tally_begin(struct tally *t, const uint64_t executions[CLASSES]);
void tally_begin_child(struct tally *t, const uint64_t executions[CLASSES]);
void tally_end_child(struct tally *t, const struct op *child, const uint64_t executions[CLASSES]);

/* How many executions are still to come; the path ends at node `last`, of whose tree nothing was explored yet. */
double tally_left(const struct node *nodes, unsigned last, const struct tree *pool, unsigned deviations_max,
                  const uint64_t executions[CLASSES]);

#endif
