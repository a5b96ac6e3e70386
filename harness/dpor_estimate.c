/*
 * dpor_estimate.c - how large is a tree of which a part is explored?
 *
 * A dull child that was not explored yet is taken to have as many traces as the explored ones of the same node had on
 * average (Kilby, Slaney, Thiebaux, Walsh: Estimating Search Tree Size, AAAI 2006).  One with a deviation has as many
 * as these have with one deviation less, since that is how many more it may make: taken for equal, the hundreds of
 * deviations along a path would be multiplied instead of added.
 *
 * It is the tree as far as it is known.  Races that nobody has seen yet add to it, so early estimates are too small.
 */
#include <string.h>

#include "dpor_node.h"

void tally_begin(struct tally *t, const uint64_t executions[CLASSES])
{
    *t = (struct tally){0};
    memcpy(t->began, executions, sizeof t->began);
}

void tally_begin_child(struct tally *t, const uint64_t executions[CLASSES])
{
    memcpy(t->before_child, executions, sizeof t->before_child);
}

void tally_end_child(struct tally *t, const struct op *child, const uint64_t executions[CLASSES])
{
    if (op_deviations(child) > 0)
        return;
    t->dull_children++;
    for (unsigned c = 0; c < CLASSES; c++)
        t->dull[c] += executions[c] - t->before_child[c];
}

/* *left: of the current child of this node, if it has one that is partly explored; then of all. */
static void add_node(const struct node *n, bool partly, const struct tree *pool, unsigned deviations_max,
                     const uint64_t executions[CLASSES], double left[CLASSES])
{
    const struct tally *t = &n->tally;
    double average[CLASSES];
    bool dull = partly && op_deviations(&n->op) == 0;
    unsigned children = t->dull_children + dull;

    for (unsigned c = 0; c < CLASSES; c++) {
        double child = left[c] + (double)(executions[c] - t->before_child[c]);

        average[c] = children ? ((double)t->dull[c] + (dull ? child : 0)) / children : child;
    }
    for (int at = partly ? pool[n->tree].next : n->tree; at != TREE_NONE; at = pool[at].next) {
        unsigned more = op_deviations(&pool[at].op);

        for (unsigned c = 0; c < CLASSES && c + more <= deviations_max; c++)
            left[c + more < CLASSES ? c + more : CLASSES - 1] += average[c];
    }
}

double tally_left(const struct node *nodes, unsigned last, const struct tree *pool, unsigned deviations_max,
                  const uint64_t executions[CLASSES])
{
    double left[CLASSES] = {0}, all = 0;

    for (unsigned i = last + 1; i-- > 0;)
        add_node(&nodes[i], i < last, pool, deviations_max, executions, left);
    for (unsigned c = 0; c < CLASSES; c++)
        all += left[c];
    return all;
}
