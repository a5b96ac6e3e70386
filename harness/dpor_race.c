/*
 * dpor_race.c - see dpor_path.h: what steps touched, and which of them race.
 */
#include <string.h>

#include "dpor_path.h"

void add_touch(uint64_t object, enum sched_touch how)
{
    uint32_t number = touch_object_of(object);
    touch_type touch = touch_make(number, how);

    for (unsigned i = 0; i < path.touch_count; i++)
        if (path.touches[i] == touch)
            return;
    if (path.touch_count == TOUCHES_MAX || number == TOUCH_NONE) {
        path.clipped = true;
        return;
    }
    path.touches[path.touch_count++] = touch;
}

/* The touches so far are what step j touched. */
void take_touches(unsigned j)
{
    uint32_t footprint = footprint_of(path.touches, path.touch_count);

    path.clipped |= footprint == TOUCH_NONE;
    path.nodes[j].op.footprint = footprint == TOUCH_NONE ? 0 : footprint;
}

void add_accesses(unsigned j)
{
    struct node *n = &path.nodes[j];
    unsigned count;
    const touch_type *touches = footprint_touches(n->op.footprint, &count);

    n->access_first = path.access_count;
    n->access_count = 0;
    if (path.access_count + count > ACCESSES_MAX) {
        path.clipped = true;
        return;
    }
    n->access_count = count;
    for (unsigned i = 0; i < count; i++) {
        uint32_t object = touch_object(touches[i]);

        path.accesses[path.access_count] = (struct access){object, (uint8_t)touch_how(touches[i]), (uint16_t)j,
                                                     path.last_access[object]};
        path.last_access[object] = (int)path.access_count++;
    }
}

/* Steps from number `depth` on did not happen. */
void forget_accesses(unsigned depth)
{
    for (; path.access_count && path.accesses[path.access_count - 1].step >= depth; path.access_count--)
        path.last_access[path.accesses[path.access_count - 1].object] = path.accesses[path.access_count - 1].previous;
}

/* ---- races */

/* How a step hangs on an earlier one. */
enum { BOND_CONFLICT = 1,                   /* they touch the same, other than as below: each could be first */
       BOND_LOCK = 2,                       /* the later one takes a lock that the other took: each could be first */
       BOND_RELEASE = 4 };                  /* the lock that the later one takes was released: it could not be first */

static unsigned bond_of(enum sched_touch early, enum sched_touch late)
{
    if (!touch_hows_conflict(early, late))
        return 0;
    if (late != TOUCH_ACQUIRE)
        return BOND_CONFLICT;
    switch (early) {
    case TOUCH_RELEASE: return BOND_RELEASE;
    case TOUCH_ACQUIRE: return BOND_LOCK;
    case TOUCH_WRITE: return BOND_CONFLICT | BOND_LOCK;     /* it was taken by who would not have waited for it */
    default: return BOND_CONFLICT;
    }
}

/* Sorted, the last step first. */
static void add_candidate(struct candidates *c, unsigned step, unsigned bond)
{
    unsigned at = c->count;

    while (at > 0 && c->steps[at - 1] < step)
        at--;
    if (at > 0 && c->steps[at - 1] == step) {
        c->bonds[at - 1] |= (uint8_t)bond;
        return;
    }
    memmove(&c->steps[at + 1], &c->steps[at], (c->count - at) * sizeof c->steps[0]);
    memmove(&c->bonds[at + 1], &c->bonds[at], c->count - at);
    c->steps[at] = (uint16_t)step;
    c->bonds[at] = (uint8_t)bond;
    c->count++;
}

/* The last steps that touched what step j touches, in ways that conflict. */
void find_candidates(unsigned j, struct candidates *c)
{
    const struct node *late = &path.nodes[j];
    unsigned count;
    const touch_type *touches = footprint_touches(late->op.footprint, &count);

    c->count = 0;
    for (unsigned i = 0; i < count; i++)
        for (int k = path.last_access[touch_object(touches[i])]; k != NONE; k = path.accesses[k].previous) {
            const struct access *a = &path.accesses[k];
            unsigned bond = bond_of((enum sched_touch)a->how, touch_how(touches[i]));

            if (bond && path.nodes[a->step].op.thread != late->op.thread)
                add_candidate(c, a->step, bond);
            if (ends_search(a))
                break;
        }
}

static void add_race(unsigned early, unsigned late)
{
    if (path.race_count == RACES_MAX) {
        path.clipped = true;
        return;
    }
    path.races[path.race_count++] = (struct race){
        .early = (uint16_t)early, .late = (uint16_t)late, .turned = path.loaded && late < path.fixed};
}

/*
 * A step races with the last ones before it that it conflicts with, but for those that come before it by way of
 * another.  The way through the release of a lock counts for all but the step that took the lock: against that one it
 * raced for it.
 */
void find_races(unsigned j, const struct candidates *c)
{
    clock_type seen, seen_unlocked;

    memcpy(seen, path.nodes[j].past, sizeof seen);
    memcpy(seen_unlocked, path.nodes[j].past, sizeof seen_unlocked);
    for (unsigned i = 0; i < c->count; i++)
        if (c->bonds[i] & BOND_RELEASE)
            clock_join(seen, path.nodes[c->steps[i]].clock);
    for (unsigned i = 0; i < c->count; i++) {
        unsigned early = c->steps[i];

        if (!(c->bonds[i] & BOND_CONFLICT) || before(early, seen))
            continue;
        add_race(early, j);
        clock_join(seen, path.nodes[early].clock);
        clock_join(seen_unlocked, path.nodes[early].clock);
    }
    for (unsigned i = 0; i < c->count; i++) {
        unsigned early = c->steps[i];

        if (!(c->bonds[i] & BOND_LOCK) || before(early, seen_unlocked))
            continue;
        add_race(early, j);
        clock_join(seen_unlocked, path.nodes[early].clock);
    }
}
