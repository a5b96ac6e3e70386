/*
 * dpor_tree.h - steps as an explorer names them, and trees of them.
 *
 * A tree is a number: that of its first root; its siblings follow.  TREE_NONE is the empty one.  All trees share one
 * pool of nodes.
 */
#ifndef HARNESS_DPOR_TREE_H
#define HARNESS_DPOR_TREE_H

#include <stdbool.h>
#include <stdint.h>

enum { ANSWERS_MAX = 16, TREE_MAX = 1 << 20, TREE_NONE = -1 };

/* What a thread does in one step. */
struct op {
    uint8_t thread;
    uint8_t answer_count;
    bool known;                             /* it was executed: what it touches is there */
    bool complete;                          /* and so are all its answers; else those that are missing are dull */
    bool enumerate;                         /* answers to further questions are branches of this node */
    bool open;                              /* and so are other answers to these */
    bool held;                              /* where it was executed some answers would have been too many deviations */
    bool doubtful;                          /* asleep, but what was left out for its sake was not all explored */
    bool vain;                              /* asleep, for it ends a turn of a spin loop that changes nothing */
    bool elsewhere;                         /* asleep, since another part begins with it */
    uint8_t answers[ANSWERS_MAX];
    uint8_t options[ANSWERS_MAX];           /* how many answers there were */
    uint16_t questions[ANSWERS_MAX];        /* what was asked: its site, and who was */
    uint32_t footprint;
};

struct tree { struct op op; int first, next; };     /* first child, next sibling */

extern struct tree tree_pool[TREE_MAX];
extern unsigned tree_in_use, tree_in_use_max;       /* nodes; dpor_tree.c's to write */

void tree_begin(void);                      /* no trees */
/* A new node behind the last of the list.  There must be room. */
int tree_append(int *list, const struct op *op);
/* Take the first of a list out, with all below it. */
void tree_drop_first(int *list);
/* Room for one more, beside what a path of so many steps may need? */
static inline bool tree_has_room(unsigned steps) { return tree_in_use + steps < TREE_MAX; }

/* The same step?  The answers that an incomplete one does not have are dull. */
bool op_same(const struct op *a, const struct op *b);
/*
 * Is `known`, which was executed, what `planned`, which was seen at another time, turns out to be at its place?  There
 * it is asked what `known` was; an answer to something else is no answer, and it goes on dull.  Returns how many of its
 * answers hold, or OP_DIFFERS.
 */
enum { OP_DIFFERS = -1 };
int op_comes_to(const struct op *planned, const struct op *known);
static inline unsigned op_deviations(const struct op *op)
{
    unsigned count = 0;

    for (unsigned k = 0; k < op->answer_count; k++)
        count += op->answers[k] != 0;
    return count;
}

#endif
