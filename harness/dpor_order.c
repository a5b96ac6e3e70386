/*
 * dpor_order.c - see dpor_path.h: sequences of steps that show other orders.
 *
 * For a race the sequence is what came after the first step and does not depend on it, and the second step last.  It
 * goes into the wakeup tree of the node before the first step, unless what was or will be tried there covers it.  What
 * the second step is in its new place nobody knows before it was executed there: dpor.h.
 */
#include <string.h>

#include "dpor_path.h"

enum { OTHERS_MAX = 1 << 10 };
static struct { unsigned count; struct op ops[OTHERS_MAX]; } others;

/*
 * Steps that may be put in front of step `early`: those after it that do not depend on it, and `late`, which races
 * with it, last.
 */
struct sequence {
    unsigned count;
    uint16_t steps[STEPS_MAX];
    unsigned early, late;
    struct op last;                         /* `late`, as it may come: with what it was asked, and answers to that */
    bool turns;                             /* `late` is asked or touches something else in its new place */
    bool clocked;
    clock_type clock;                       /* of `late`, without what came to it through `early`; when clocked */
    int place[THREADS_MAX];                 /* of each thread's first step; NONE */
    clock_type first;                       /* its index; INT16_MAX when there is none */
    int next[THREADS_MAX];                  /* each thread's next step in the execution, of these or not; NONE */
    struct footprint_sum sum;
};

/* Clock and index of the steps' threads, for quick answers. */
static void summarise(struct sequence *v)
{
    v->sum = (struct footprint_sum){0};
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        v->place[t] = NONE;
        v->first[t] = INT16_MAX;
    }
    for (unsigned i = v->count; i-- > 0;) {
        const struct node *n = &path.nodes[v->steps[i]];
        struct footprint_sum sum = footprint_sum(n->op.footprint);

        v->place[n->op.thread] = (int)i;
        v->first[n->op.thread] = n->index;
        footprint_add(&v->sum, &sum);
    }
}

static void collect(struct sequence *v, unsigned early, unsigned late)
{
    unsigned thread = path.nodes[early].op.thread;
    int16_t index = path.nodes[early].index;

    v->early = early;
    v->late = late;
    v->last = path.nodes[late].op;
    v->last.complete = v->last.enumerate = false;
    v->last.open = v->last.held;
    v->clocked = v->turns = false;
    v->count = 0;
    for (unsigned t = 0; t < THREADS_MAX; t++)
        v->next[t] = NONE;
    v->next[path.nodes[late].op.thread] = (int)late;
    for (unsigned i = path.depth; i-- > early;)
        v->next[path.nodes[i].op.thread] = (int)i;
    for (unsigned i = early + 1; i < path.depth; i++)
        if (i != late && path.nodes[i].clock[thread] < index)
            v->steps[v->count++] = (uint16_t)i;
    v->steps[v->count++] = (uint16_t)late;
    summarise(v);
}

/* What comes before `late` now: not what came through `early`. */
static const int16_t *clock_of_late(struct sequence *v)
{
    const struct node *n = &path.nodes[v->late];

    if (v->clocked)
        return v->clock;
    v->clocked = true;
    memcpy(v->clock, n->past, sizeof v->clock);
    for (unsigned i = n->access_first; i < n->access_first + n->access_count; i++)
        for (int k = path.accesses[i].previous; k != NONE; k = path.accesses[k].previous) {
            const struct access *a = &path.accesses[k];

            if (path.nodes[a->step].op.thread == n->op.thread || before(v->early, path.nodes[a->step].clock))
                continue;
            if (touch_hows_conflict((enum sched_touch)a->how, (enum sched_touch)path.accesses[i].how))
                clock_join(v->clock, path.nodes[a->step].clock);
            if (ends_search(a))
                break;
        }
    return v->clock;
}

/*
 * Does the execution go on with another answer in this step?  Then what comes of it is no order of the steps of this
 * execution, even if all of v can come later.
 */
static bool other_answer(const struct op *first, const struct sequence *v)
{
    int next = v->next[first->thread];

    return next != NONE && !op_same(first, &path.nodes[next].op);
}

/* Is `first` independent of v's steps, but for the one at this place? */
static bool independent_of_others(const struct op *first, const struct sequence *v, unsigned place)
{
    for (unsigned i = 0; i < v->count; i++)
        if (i != place && dependent(first, &path.nodes[v->steps[i]].op))
            return false;
    return true;
}

/* Can the step of v at this place come before the others? */
static bool can_lead(struct sequence *v, unsigned place)
{
    unsigned step = v->steps[place], thread = path.nodes[step].op.thread;
    const int16_t *clock = step == v->late ? clock_of_late(v) : path.nodes[step].clock;

    for (unsigned t = 0; t < THREADS_MAX; t++)
        if (v->first[t] <= clock[t] && t != thread)
            return false;
    return true;
}

/* May v end with this step, as far as deviations go? */
static bool may_end(const struct sequence *v, const struct op *op)
{
    unsigned used = path.nodes[v->early].deviations + op_deviations(op);

    for (unsigned i = 0; i < v->count; i++)
        if (v->steps[i] != v->late)
            used += op_deviations(&path.nodes[v->steps[i]].op);
    return used <= path.deviations_max;
}

/* Other answers of `known`, from this question on, in the place of v's last step: sequences still to be put in. */
static void ask_otherwise(const struct sequence *v, const struct op *known, unsigned position)
{
    for (; position < known->answer_count; position++) {
        struct op op = *known;

        op.answer_count = (uint8_t)(position + 1);
        op.complete = op.open = false;
        op.enumerate = true;
        for (op.answers[position] = 0; op.answers[position] < known->options[position]; op.answers[position]++) {
            if (op.answers[position] == known->answers[position] || !may_end(v, &op))
                continue;
            if (others.count == OTHERS_MAX) {
                path.clipped = true;
                return;
            }
            others.ops[others.count++] = op;
        }
    }
}

/*
 * The first step of this thread in v is its last, which was seen at another time: is it `first`, and can it lead?  If
 * `first` was executed where v is to go, what it is there is known, and how it was later is not asked.
 */
static bool late_is(const struct op *first, struct sequence *v, unsigned place)
{
    int hold;

    if (!first->complete)
        return op_same(first, &v->last) && (v->last.enumerate || can_lead(v, place));
    hold = op_comes_to(&v->last, first);
    if (hold == OP_DIFFERS)
        return false;
    v->turns |= hold < first->answer_count || first->footprint != path.nodes[v->late].op.footprint;
    if (!independent_of_others(first, v, place))
        return false;
    ask_otherwise(v, first, (unsigned)hold);
    return true;
}

/* Can `first` be the first step of v, in some order that is as good?  *found is its place in v, or v->count when it is
 * none of v's, and independent of all. */
static bool weak_initial(const struct op *first, struct sequence *v, unsigned *found)
{
    int place = v->place[first->thread];
    struct footprint_sum sum;

    if (place != NONE) {
        *found = (unsigned)place;
        if (v->steps[place] == v->late)
            return late_is(first, v, *found);
        return op_same(first, &path.nodes[v->steps[place]].op) && can_lead(v, *found);
    }
    if (!first->known || other_answer(first, v))
        return false;
    *found = v->count;
    sum = footprint_sum(first->footprint);
    return !footprint_may_conflict(&sum, &v->sum) || independent_of_others(first, v, v->count);
}

static int next_of_thread(unsigned step)
{
    for (unsigned i = step + 1; i < path.depth; i++)
        if (path.nodes[i].op.thread == path.nodes[step].op.thread)
            return (int)i;
    return NONE;
}

/* All that can come of these steps is to be explored, not only what is in the tree. */
static void open_all(int list)
{
    for (; list != TREE_NONE; list = tree_pool[list].next) {
        tree_pool[list].op.open = true;
        open_all(tree_pool[list].first);
    }
}

/* This thread's next step is done. */
static void go_past(struct sequence *v, unsigned thread)
{
    if (v->next[thread] != NONE)
        v->next[thread] = next_of_thread((unsigned)v->next[thread]);
}

static void insert(struct sequence *v)
{
    int *list = &path.nodes[v->early].tree;

    for (;;) {
        unsigned found = 0;
        int child = *list;

        while (child != TREE_NONE && !weak_initial(&tree_pool[child].op, v, &found))
            child = tree_pool[child].next;
        if (child == TREE_NONE)
            break;
        list = &tree_pool[child].first;
        go_past(v, tree_pool[child].op.thread);
        if (found < v->count) {
            tree_pool[child].op.open |= path.nodes[v->steps[found]].op.held;
            v->count--;
            memmove(&v->steps[found], &v->steps[found + 1], (v->count - found) * sizeof v->steps[0]);
            summarise(v);
        }
        if (*list == TREE_NONE)
            return;                         /* a leaf: what comes of v will be explored from there */
        if (v->count == 0) {
            open_all(*list);
            return;
        }
    }
    for (unsigned i = 0; i < v->count; i++) {
        struct op op = v->steps[i] == v->late ? v->last : path.nodes[v->steps[i]].op;

        if (v->steps[i] != v->late) {
            op.enumerate = false;
            op.open = op.held;
        }
        if (!has_room())
            return;
        list = &tree_pool[tree_append(list, &op)].first;
    }
}

/*
 * Steps that were tried at a node cover a sequence that may as well begin with them.  Not so one that the first step of
 * the race waked, unless it is a step of the sequence itself: the sequence that it left out was left to that first
 * step, which was seen at another time and is another one now.  Nor so one that ends a turn in vain: after that nothing
 * was explored, since all of it can come without such a turn.  Nor one that other parts only might begin with: they do
 * not tell here what they have.
 */
static bool covered(struct sequence *v)
{
    const struct node *n = &path.nodes[v->early];
    unsigned found;

    for (unsigned k = 0; k < n->sleep_count; k++) {
        const struct op *z = &path.sleep[n->sleep_first + k];

        if (!z->doubtful && weak_initial(z, v, &found) &&
            (found < v->count || (!z->vain && !z->elsewhere && !dependent(z, &n->op))))
            return true;
    }
    return false;
}

/* The two steps of a race could change places.  Before the root all other orders are those of other parts. */
static void reverse(struct race *race)
{
    static struct sequence v;

    if (race->early < path.root)
        return;
    collect(&v, race->early, race->late);
    others.count = 0;
    do {
        if (!covered(&v))
            insert(&v);
        race->turned |= v.turns;
        if (others.count == 0)
            return;
        collect(&v, race->early, race->late);
        v.last = others.ops[--others.count];
    } while (true);
}

/* Each thread that waits for a lock at the end could have had it first. */
static void reverse_blocked(unsigned t, const sched_wait *w)
{
    static struct candidates c;
    struct node *n = &path.nodes[path.depth];
    unsigned count = path.race_count;

    n->op = (struct op){.thread = (uint8_t)t, .known = true};
    memcpy(n->past, path.threads[t].clock, sizeof n->past);
    n->index = (int16_t)(n->past[t] + 1);
    path.touch_count = 0;
    add_touch(sched_object(w), TOUCH_ACQUIRE);
    take_touches(path.depth);
    find_candidates(path.depth, &c);
    find_races(path.depth, &c);
    add_accesses(path.depth);
    for (unsigned i = count; i < path.race_count; i++)
        reverse(&path.races[i]);
    path.race_count = count;
    forget_accesses(path.depth);
}

/* Races of what was repeated were seen to before; but no order of steps shows an answer that came in since. */
void reverse_all(void)
{
    bool ended = !path.cut && path.barren == NOWHERE;
    unsigned first = path.race_count;

    while (first > 0 && (path.revalued || path.races[first - 1].late >= path.fixed))
        first--;
    for (unsigned i = 0; i < path.race_count; i++)
        if (i >= first || path.races[i].turned)
            reverse(&path.races[i]);
    for (uint32_t rest = ended ? sched_alive() & ~path.spinning : 0; rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest), site;
        const sched_wait *w = sched_waiting_for(t, &site);

        if (w)
            reverse_blocked(t, w);
    }
}
