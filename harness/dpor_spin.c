/*
 * dpor_spin.c - see dpor_path.h: threads that spin.
 *
 * A thread that gives way can go on like any other: a loop that counts its turns may give up before others have done
 * anything, and that is to be tried.  But most loops go on until somebody else changes something, and the turns before
 * that are in vain.  To tell these apart, a thread that has given way goes on alone for some turns.
 *
 * A turn is in vain when it left everything as it was: what its thread holds in registers and on its stack, and all
 * that it told of; and when several like it followed and the loop did not end, for a count may lie in memory, of which
 * nobody is told.  Whatever can come after such a turn can come without it.  So the step that ended it sleeps where it
 * came, like one whose executions were explored: until somebody does something that it depends on.  Unlike these it
 * does not stand for executions in which it does not occur (dpor_order.c), since nothing was explored after it.
 *
 * When all that can run sleep so, they spin for ever, and that is a trace.
 */
#include "dpor_path.h"

enum { TURNS_MAX = 16,                      /* turns alone that change nothing: the loop does not end by itself */
       ALONE_MAX = 64 };                    /* turns alone: now somebody else */

/* Did a step of this thread, among these, touch the object in this way? */
static bool touched(unsigned first, unsigned last, unsigned thread, touch_type touch)
{
    for (unsigned i = first; i <= last; i++) {
        unsigned count;
        const touch_type *touches = footprint_touches(path.nodes[i].op.footprint, &count);

        for (unsigned k = 0; k < count && path.nodes[i].op.thread == thread; k++)
            if (touches[k] == touch)
                return true;
    }
    return false;
}

/* Does step i change nothing, if its turn releases what it takes, and the reverse? */
static bool harmless(unsigned i)
{
    const struct footprint_sum sum = footprint_sum(path.nodes[i].op.footprint);
    unsigned count;
    const touch_type *touches = footprint_touches(path.nodes[i].op.footprint, &count);

    for (unsigned k = 0; k < count && sum.taken; k++)
        if (touch_how(touches[k]) == TOUCH_WRITE)
            return false;
    return path.nodes[i].op.answer_count == 0;
}

/* Did the steps of this thread, among these, leave everything as it was? */
static bool idle(unsigned first, unsigned last, unsigned thread)
{
    for (unsigned i = first; i <= last; i++) {
        unsigned count;
        const touch_type *touches = footprint_touches(path.nodes[i].op.footprint, &count);

        if (path.nodes[i].op.thread != thread)
            continue;
        if (!harmless(i))
            return false;
        for (unsigned k = 0; k < count; k++) {
            enum sched_touch how = touch_how(touches[k]), back = how == TOUCH_ACQUIRE ? TOUCH_RELEASE : TOUCH_ACQUIRE;

            if (how != TOUCH_READ && !touched(first, last, thread, touch_make(touch_object(touches[k]), back)))
                return false;
        }
    }
    return true;
}

/* Where the thread of step i gave way last before it; NONE: nowhere. */
static int last_turn(unsigned i)
{
    unsigned thread = path.nodes[i].op.thread;

    while (i-- > 0)
        if (path.nodes[i].op.thread == thread && path.nodes[i].gave_way)
            return (int)i;
    return NONE;
}

/* The same, if nobody else has run since. */
static int last_turn_alone(unsigned i)
{
    int last = last_turn(i);

    for (unsigned k = (unsigned)last; last != NONE && k < i; k++)
        if (path.nodes[k].op.thread != path.nodes[i].op.thread)
            return NONE;
    return last;
}

/* Does step i end a turn, begun behind step `last`, that left the thread where it was? */
static bool same_again(int last, unsigned i)
{
    return last != NONE && path.nodes[last].state == path.nodes[i].state &&
           idle((unsigned)last + 1, i, path.nodes[i].op.thread);
}

void note_turn(unsigned j)
{
    struct node *n = &path.nodes[j];
    int last = n->gave_way ? last_turn_alone(j) : NONE;

    n->turns = n->alone = 0;
    n->turning = n->gave_way || (n[-1].op.thread == n->op.thread && n[-1].turning && harmless(j));
    if (last == NONE)
        return;
    if (same_again(last, j))
        n->turns = (uint16_t)(path.nodes[last].turns + 1);
    n->alone = (uint16_t)(path.nodes[last].alone + 1);
    n->turning = n->alone < ALONE_MAX && idle((unsigned)last + 1, j, n->op.thread);
}

int vain_step(void)
{
    unsigned i = path.depth - 1, next = i;

    if (path.nodes[i].turns != TURNS_MAX)
        return NONE;
    while (path.nodes[i].turns > 0) {
        next = i;
        i = (unsigned)last_turn(i);
    }
    return (int)(same_again(last_turn(i), i) ? i : next);
}

bool all_spin(unsigned at, uint32_t threads)
{
    const struct node *n = &path.nodes[at];

    for (unsigned k = 0; k < n->sleep_count; k++) {
        const struct op *z = &path.sleep[n->sleep_first + k];

        if (z->vain)
            threads &= ~(1u << z->thread);
    }
    return threads == 0;
}

bool spun_long(void)
{
    return path.turns >= TURNS_MAX;
}
