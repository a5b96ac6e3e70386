/* dpor_tree.c - see dpor_tree.h. */
#include "dpor_tree.h"

#include "check.h"

struct tree tree_pool[TREE_MAX];
unsigned tree_in_use, tree_in_use_max;

static int free_list;
static unsigned used;                       /* nodes that were ever in use */

void tree_begin(void)
{
    free_list = TREE_NONE;
    used = tree_in_use = tree_in_use_max = 0;
}

int tree_append(int *list, const struct op *op)
{
    int i = free_list;

    if (i != TREE_NONE) {
        free_list = tree_pool[i].next;
    } else {
        CHECK(used < TREE_MAX);
        i = (int)used++;
    }
    tree_pool[i] = (struct tree){.op = *op, .first = TREE_NONE, .next = TREE_NONE};
    if (++tree_in_use > tree_in_use_max)
        tree_in_use_max = tree_in_use;
    while (*list != TREE_NONE)
        list = &tree_pool[*list].next;
    *list = i;
    return i;
}

void tree_drop_first(int *list)
{
    int next = tree_pool[*list].next;

    /* Children go in front of what is still to be dropped. */
    tree_pool[*list].next = TREE_NONE;
    for (int i = *list; i != TREE_NONE;) {
        int child = tree_pool[i].first, rest = tree_pool[i].next, *end = &child;

        while (*end != TREE_NONE)
            end = &tree_pool[*end].next;
        *end = rest;
        tree_pool[i].next = free_list;
        free_list = i;
        tree_in_use--;
        i = child;
    }
    *list = next;
}

bool op_same(const struct op *a, const struct op *b)
{
    unsigned count = a->answer_count > b->answer_count ? a->answer_count : b->answer_count;

    if (a->thread != b->thread || (a->complete && b->complete && a->answer_count != b->answer_count))
        return false;
    for (unsigned i = 0; i < count; i++)
        if ((i < a->answer_count ? a->answers[i] : 0) != (i < b->answer_count ? b->answers[i] : 0) ||
            (i < a->answer_count && a->answers[i] && a->questions[i] != b->questions[i]))
            return false;
    return true;
}

int op_comes_to(const struct op *planned, const struct op *known)
{
    unsigned hold = 0;

    if (planned->thread != known->thread)
        return OP_DIFFERS;
    while (hold < known->answer_count && hold < planned->answer_count &&
           planned->questions[hold] == known->questions[hold])
        hold++;
    for (unsigned i = 0; i < known->answer_count; i++)
        if (known->answers[i] != (i < hold ? planned->answers[i] : 0))
            return OP_DIFFERS;
    return (int)hold;
}
