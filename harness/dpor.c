/*
 * dpor.c - see dpor.h.
 *
 * Node i of the path is the state before step i.  It holds the steps that need not be tried there (sleep: explored, and
 * independent of all since) and those that must be (tree: an ordered wakeup tree whose first child is being explored).
 * An execution repeats the path up to the deepest node whose tree has another child, takes that child, and goes on
 * along its subtree; beyond it picks whatever is not asleep.  At the end each pair of steps that could have come in the
 * other order (a race) puts the steps that show it into the tree of the node before the first of the two.
 */
#include "dpor.h"

#include <string.h>

#include "check.h"
#include "choice.h"
#include "dpor_node.h"
#include "sched.h"

static struct {
    unsigned deviations_max;
    struct dpor_statistics statistics;
    struct node nodes[STEPS_MAX];
    unsigned depth;                         /* steps begun in this execution */
    unsigned fixed;                         /* nodes below this one repeat, this one takes its tree's first child */
    bool open;                              /* the last step is still running */
    bool chosen;                            /* who runs next is known */
    uint32_t spawned;                       /* threads that the running step has made */
    unsigned asked;                         /* questions of the running step so far */
    bool blocked, clipped;
    clock_type thread_clock[THREADS_MAX];   /* of each thread's last step */
    /* Steps that made a blocked thread able to go on, and of what they told it. */
    struct { unsigned count; struct { uint64_t object; unsigned step; } by[ENABLERS_MAX]; } enabled[THREADS_MAX];
    struct tree pool[TREE_MAX];
    int free_tree;
    unsigned pool_count, in_use;
    uint64_t executions[CLASSES];           /* so far, by their number of deviations */
    bool more;                              /* there is another one to explore */
} d;

/* ---- wakeup trees */

static int tree_new(const struct op *op)
{
    int i = d.free_tree;

    if (i != NONE) {
        d.free_tree = d.pool[i].next;
    } else {
        CHECK(d.pool_count < TREE_MAX);
        i = (int)d.pool_count++;
    }
    d.pool[i] = (struct tree){.op = *op, .first = NONE, .next = NONE};
    if (++d.in_use > d.statistics.nodes_max)
        d.statistics.nodes_max = d.in_use;
    return i;
}

static void tree_free(int i)
{
    for (int child = d.pool[i].first; child != NONE;) {
        int next = d.pool[child].next;

        tree_free(child);
        child = next;
    }
    d.pool[i].next = d.free_tree;
    d.free_tree = i;
    d.in_use--;
}

/* Behind the last of a list of siblings, of which *list is the first. */
static int *tree_end(int *list)
{
    while (*list != NONE)
        list = &d.pool[*list].next;
    return list;
}

/* Room for one more, beside what the path itself may need.  Without, the search is not complete, and says so. */
static bool tree_has_room(void)
{
    bool room = d.in_use < TREE_MAX - STEPS_MAX;

    d.clipped |= !room;
    return room;
}

static void tree_append(unsigned at, const struct op *op)
{
    *tree_end(&d.nodes[at].tree) = tree_new(op);
}

/* ---- steps */

static bool touches_conflict(const struct touch *a, const struct touch *b)
{
    if (a->object != b->object)
        return false;
    return !(a->how == TOUCH_READ && b->how == TOUCH_READ) && !(a->how == TOUCH_RELEASE && b->how == TOUCH_RELEASE);
}

static bool dependent(const struct op *a, const struct op *b)
{
    if (a->thread == b->thread || a->wide || b->wide)
        return true;
    for (unsigned i = 0; i < a->touch_count; i++)
        for (unsigned k = 0; k < b->touch_count; k++)
            if (touches_conflict(&a->touches[i], &b->touches[k]))
                return true;
    return false;
}

/* How `late`, which came after `early`, hangs on it. */
struct bond {
    bool conflict;                          /* they touch the same, other than as below: each could be first */
    bool lock;                              /* both take a lock: each could be first */
    bool release;                           /* the lock that `late` takes was released: it could not have been first */
};

static struct bond bond_of(const struct op *early, const struct op *late)
{
    struct bond bond = {.conflict = early->wide || late->wide};

    for (unsigned i = 0; i < early->touch_count; i++)
        for (unsigned k = 0; k < late->touch_count; k++) {
            const struct touch *a = &early->touches[i], *b = &late->touches[k];

            if (!touches_conflict(a, b))
                continue;
            if (b->how == TOUCH_ACQUIRE && a->how == TOUCH_RELEASE)
                bond.release = true;
            else if (b->how == TOUCH_ACQUIRE && a->how == TOUCH_ACQUIRE)
                bond.lock = true;
            else
                bond.conflict = true;
        }
    return bond;
}

/* The same step?  The answers that an incomplete one does not have are dull. */
static bool same_step(const struct op *a, const struct op *b)
{
    unsigned count = a->answer_count > b->answer_count ? a->answer_count : b->answer_count;

    if (a->thread != b->thread || (a->complete && b->complete && a->answer_count != b->answer_count))
        return false;
    for (unsigned i = 0; i < count; i++)
        if ((i < a->answer_count ? a->answers[i] : 0) != (i < b->answer_count ? b->answers[i] : 0))
            return false;
    return true;
}

static void join(clock_type into, const clock_type from)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        if (into[t] < from[t])
            into[t] = from[t];
}

/* Does step i come before whatever has this clock? */
static bool before(unsigned i, const clock_type clock)
{
    return clock[d.nodes[i].op.thread] >= d.nodes[i].index;
}

static void add_touch(struct op *op, uint64_t object, enum sched_touch how)
{
    for (unsigned i = 0; i < op->touch_count; i++)
        if (op->touches[i].object == object && op->touches[i].how == how)
            return;
    if (op->touch_count == TOUCHES_MAX) {
        op->wide = true;
        return;
    }
    op->touches[op->touch_count++] = (struct touch){object, how};
}

/* ---- sleep sets */

static void sleep_add(struct node *n, const struct op *op)
{
    if (n->sleep_count < SLEEP_MAX)         /* else it may be tried once more than needed */
        n->sleep[n->sleep_count++] = *op;
}

static void sleep_inherit(unsigned i)
{
    struct node *n = &d.nodes[i];
    const struct node *parent = &d.nodes[i - 1];

    n->sleep_count = 0;
    for (unsigned k = 0; k < parent->sleep_count; k++)
        if (!dependent(&parent->sleep[k], &parent->op))
            sleep_add(n, &parent->sleep[k]);
}

static bool asleep(const struct node *n, const struct op *op)
{
    for (unsigned k = 0; k < n->sleep_count; k++)
        if (same_step(&n->sleep[k], op))
            return true;
    return false;
}

/* ---- executing */

static unsigned deviations(unsigned depth)
{
    unsigned count = 0;

    for (unsigned i = 0; i < depth; i++)
        count += op_deviations(&d.nodes[i].op);
    return count;
}

static bool acquires(const struct op *op, uint64_t object)
{
    for (unsigned i = 0; i < op->touch_count; i++)
        if (op->touches[i].object == object && op->touches[i].how == TOUCH_ACQUIRE)
            return true;
    return false;
}

/*
 * Without the step that let it go on this one would not be.  That holds for good, but for a lock: there only the one
 * who had it before must be through, which its release tells.
 */
static void add_enablers(struct node *n)
{
    unsigned t = n->op.thread;

    for (unsigned i = 0; i < d.enabled[t].count; i++)
        if (!acquires(&n->op, d.enabled[t].by[i].object))
            join(n->past, d.nodes[d.enabled[t].by[i].step].clock);
    d.enabled[t].count = 0;
}

/* The running step has ended: what came before it is what it touched after others did. */
static void close_step(void)
{
    unsigned j;
    struct node *n;

    if (!d.open)
        return;
    d.open = false;
    j = d.depth - 1;
    n = &d.nodes[j];
    n->op.known = n->op.complete = true;
    add_enablers(n);
    memcpy(n->clock, n->past, sizeof n->clock);
    n->clock[n->op.thread] = n->index;
    for (unsigned i = 0; i < j; i++)
        if (d.nodes[i].op.thread != n->op.thread && dependent(&d.nodes[i].op, &n->op))
            join(n->clock, d.nodes[i].clock);
    join(d.thread_clock[n->op.thread], n->clock);
    for (; d.spawned; d.spawned &= d.spawned - 1)
        join(d.thread_clock[__builtin_ctz(d.spawned)], n->clock);
    if (j >= d.fixed && n->tree != NONE)
        d.pool[n->tree].op = n->op;
}

/* What may be tried at a node for a thread of which some answers are asleep: one of the others. */
static bool other_answers(const struct node *n, unsigned thread, unsigned depth, struct op *found)
{
    for (unsigned k = 0; k < n->sleep_count; k++) {
        const struct op *z = &n->sleep[k];
        unsigned used = deviations(depth);

        if (z->thread != thread)
            continue;
        for (unsigned at = 0; at < z->answer_count; at++) {
            struct op op = {.thread = (uint8_t)thread, .answer_count = (uint8_t)(at + 1), .enumerate = true};

            memcpy(op.answers, z->answers, at);
            for (unsigned v = 0; v < z->options[at]; v++) {
                op.answers[at] = (uint8_t)v;
                if (v != z->answers[at] && !asleep(n, &op) &&
                    used + (v != 0) <= d.deviations_max) {
                    *found = op;
                    return true;
                }
            }
            used += z->answers[at] != 0;
        }
    }
    return false;
}

/* Nobody asked for anything here: a step that is not asleep. */
static void pick_fresh(unsigned at, uint32_t enabled, unsigned dull)
{
    struct node *n = &d.nodes[at];

    for (unsigned k = 0; k <= THREADS_MAX; k++) {
        unsigned t = k == 0 ? dull : k - 1;
        struct op op = {.thread = (uint8_t)t, .enumerate = true};

        if (!(enabled & 1u << t) || (k > 0 && t == dull))
            continue;
        if (!asleep(n, &op) || other_answers(n, t, at, &op)) {
            tree_append(at, &op);
            return;
        }
    }
    d.blocked = true;                       /* does not happen, or the search is not optimal */
    tree_append(at, &(struct op){.thread = (uint8_t)dull});
}

/* Who runs next, at the node after the last step. */
static unsigned choose(uint32_t enabled, unsigned dull)
{
    unsigned at = d.depth;
    struct node *n;

    close_step();
    d.chosen = true;
    if (at >= STEPS_MAX) {
        d.clipped = true;
        return dull;
    }
    n = &d.nodes[at];
    if (at >= d.fixed) {
        if (at > d.fixed) {
            tally_begin(&n->tally, d.executions);
            sleep_inherit(at);
            n->tree = d.pool[d.nodes[at - 1].tree].first;
            d.pool[d.nodes[at - 1].tree].first = NONE;
        }
        if (n->tree == NONE)
            pick_fresh(at, enabled, dull);
        tally_begin_child(&n->tally, d.executions);
        n->op = d.pool[n->tree].op;
    }
    CHECK(enabled & 1u << n->op.thread);
    return n->op.thread;
}

static void on_run(unsigned thread)
{
    struct node *n;

    if (!d.chosen)                          /* with one thread to run nobody asked */
        (void)choose(1u << thread, thread);
    d.chosen = false;
    d.asked = 0;
    if (d.depth >= STEPS_MAX)
        return;
    n = &d.nodes[d.depth++];
    CHECK(n->op.thread == thread);
    n->op.known = n->op.complete = n->op.wide = false;
    n->op.touch_count = 0;
    memset(n->op.options, 0, sizeof n->op.options);
    memcpy(n->past, d.thread_clock[thread], sizeof n->past);
    n->index = (uint16_t)(n->past[thread] + 1);
    d.open = true;
}

static void on_touch(uint64_t object, enum sched_touch how)
{
    if (!d.open)
        return;
    add_touch(&d.nodes[d.depth - 1].op, object, how);
}

static void on_enable(uint32_t waiters, uint64_t object)
{
    unsigned self = d.open ? d.nodes[d.depth - 1].op.thread : THREADS_MAX;

    for (uint32_t rest = waiters; rest && d.open; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (t == self)
            continue;
        if (d.enabled[t].count == ENABLERS_MAX) {
            d.clipped = true;
            return;
        }
        d.enabled[t].by[d.enabled[t].count].object = object;
        d.enabled[t].by[d.enabled[t].count++].step = d.depth - 1;
    }
}

static void on_spawn(unsigned child)
{
    struct node *n = &d.nodes[d.depth - 1];

    if (!d.open)
        return;
    d.spawned |= 1u << child;               /* a number that is used again goes on where it stopped */
    d.enabled[child].count = 0;
    add_touch(&n->op, SPAWNING, TOUCH_WRITE);   /* who is spawned first gets the lower number */
}

/* It can go on because all the others cannot: after everything. */
static void on_time_out(unsigned thread)
{
    close_step();
    for (unsigned i = 0; i < d.depth; i++)
        join(d.thread_clock[thread], d.nodes[i].clock);
}

static const struct sched_observer observer = {on_run, on_touch, on_enable, on_spawn, on_time_out};

/* ---- answers */

static void begin(void *state)
{
    (void)state;
    d.depth = 0;
    d.open = d.chosen = d.blocked = d.clipped = false;
    d.asked = 0;
    d.spawned = 0;
    memset(d.thread_clock, 0, sizeof d.thread_clock);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        d.enabled[t].count = 0;
}

static void branch(unsigned at, unsigned position, unsigned options)
{
    struct node *n = &d.nodes[at];
    struct op op = {.thread = n->op.thread, .answer_count = (uint8_t)(position + 1), .enumerate = true};
    unsigned used = deviations(at);

    for (unsigned k = 0; k < position; k++)
        used += n->op.answers[k] != 0;
    memcpy(op.answers, n->op.answers, position);
    for (unsigned v = 1; v < options && used < d.deviations_max; v++) {
        op.answers[position] = (uint8_t)v;
        if (!asleep(n, &op) && tree_has_room())
            tree_append(at, &op);
    }
}

static unsigned answer_value(const struct choice_point *p)
{
    unsigned at = d.depth - 1, position = d.asked++;
    struct node *n = &d.nodes[at];

    if (!d.open || position >= ANSWERS_MAX || p->options > UINT8_MAX) {
        d.clipped = true;
        return 0;
    }
    n->op.options[position] = (uint8_t)p->options;
    if (position < n->op.answer_count)
        return n->op.answers[position];
    n->op.answer_count = (uint8_t)(position + 1);
    n->op.answers[position] = 0;
    if (n->op.enumerate)
        branch(at, position, p->options);
    return 0;
}

static unsigned answer(void *state, const struct choice_point *p)
{
    (void)state;
    if (p->kind != CHOICE_SWITCH)
        return answer_value(p);
    return choice_option(p, choose(p->enabled, p->dull));
}

/* ---- races */

/* Steps that may be put in front of step e: those after it that do not depend on it, and one that races with it. */
struct sequence {
    unsigned count;
    struct item { const struct op *op; unsigned step; const uint16_t *clock; } items[STEPS_MAX];
};

/* Can `first` be the first step of v, in some order that is as good?  *found is its place in v, or v->count when it is
 * none of v's, and independent of all. */
static bool weak_initial(const struct op *first, const struct sequence *v, unsigned *found)
{
    for (unsigned i = 0; i < v->count; i++) {
        if (v->items[i].op->thread != first->thread)
            continue;
        if (!same_step(first, v->items[i].op))
            return false;
        for (unsigned k = 0; k < i; k++)
            if (before(v->items[k].step, v->items[i].clock))
                return false;
        *found = i;
        return true;
    }
    if (!first->known)
        return false;
    for (unsigned i = 0; i < v->count; i++)
        if (dependent(first, v->items[i].op))
            return false;
    *found = v->count;
    return true;
}

static void insert(struct sequence *v, unsigned at)
{
    int parent = NONE;

    for (;;) {
        int child = parent == NONE ? d.nodes[at].tree : d.pool[parent].first;
        unsigned found = 0;

        if (child == NONE && parent != NONE)
            return;                         /* a leaf: what comes of v will be explored from there */
        while (child != NONE && !weak_initial(&d.pool[child].op, v, &found))
            child = d.pool[child].next;
        if (child == NONE)
            break;
        if (found < v->count) {
            memmove(&v->items[found], &v->items[found + 1], (v->count - found - 1) * sizeof v->items[0]);
            v->count--;
        }
        parent = child;
        if (v->count == 0)
            return;
    }
    for (unsigned i = 0; i < v->count; i++) {
        struct op op = *v->items[i].op;
        int added;

        op.enumerate = false;
        if (!tree_has_room())
            return;
        added = tree_new(&op);
        *tree_end(parent == NONE ? &d.nodes[at].tree : &d.pool[parent].first) = added;
        parent = added;
    }
}

/* Step e and `late` (step j, or one that a blocked thread could not take: j == depth) could change places. */
static void reverse(unsigned e, const struct op *late, unsigned j, const clock_type past)
{
    static struct sequence v;
    static clock_type clock;
    struct op moved = *late;
    unsigned found;

    moved.complete = false;                 /* it may ask other questions where it comes first */
    v.count = 0;
    for (unsigned i = e + 1; i < d.depth; i++)
        if (i != j && !before(e, d.nodes[i].clock))
            v.items[v.count++] = (struct item){&d.nodes[i].op, i, d.nodes[i].clock};
    v.items[v.count++] = (struct item){&moved, j, clock};
    /* What comes before `late` now: not what came through e. */
    memcpy(clock, past, sizeof clock);
    for (unsigned i = 0; i < j; i++)
        if (i != e && d.nodes[i].op.thread != late->thread && dependent(&d.nodes[i].op, late) &&
            !before(e, d.nodes[i].clock))
            join(clock, d.nodes[i].clock);
    for (unsigned k = 0; k < d.nodes[e].sleep_count; k++)
        if (weak_initial(&d.nodes[e].sleep[k], &v, &found))
            return;
    insert(&v, e);
}

/*
 * A step races with the last ones before it that it conflicts with, but for those that come before it by way of
 * another.  The way through the release of a lock counts for all but the step that took the lock: against that one it
 * raced for it.
 */
static void races_of(const struct op *late, unsigned j, const clock_type past)
{
    static struct bond bonds[STEPS_MAX];    /* with the steps of other threads */
    clock_type seen, seen_unlocked;

    memcpy(seen, past, sizeof seen);
    memcpy(seen_unlocked, past, sizeof seen_unlocked);
    for (unsigned i = 0; i < j; i++) {
        const struct node *n = &d.nodes[i];

        bonds[i] = n->op.thread != late->thread ? bond_of(&n->op, late) : (struct bond){0};
        if (bonds[i].release)
            join(seen, n->clock);
    }
    for (unsigned i = j; i-- > 0;) {
        if (!bonds[i].conflict || before(i, seen))
            continue;
        reverse(i, late, j, past);
        join(seen, d.nodes[i].clock);
        join(seen_unlocked, d.nodes[i].clock);
    }
    for (unsigned i = j; i-- > 0;) {
        if (!bonds[i].lock || before(i, seen_unlocked))
            continue;
        reverse(i, late, j, past);
        join(seen_unlocked, d.nodes[i].clock);
    }
}

static void find_races(void)
{
    close_step();
    for (unsigned j = 0; j < d.depth; j++)
        races_of(&d.nodes[j].op, j, d.nodes[j].past);
    /* A deadlock: each blocked thread could have been first. */
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        unsigned site;
        const sched_wait *w = sched_alive() & 1u << t ? sched_waiting_for(t, &site) : NULL;
        struct op op = {.thread = (uint8_t)t, .known = true};

        if (!w)
            continue;
        add_touch(&op, sched_object(w), TOUCH_ACQUIRE);
        races_of(&op, d.depth, d.thread_clock[t]);
    }
}

/* The deepest node that has another child to explore.  False: none has. */
static bool backtrack(void)
{
    for (unsigned i = d.depth; i-- > 0;) {
        struct node *n = &d.nodes[i];
        int done = n->tree;

        tally_end_child(&n->tally, &n->op, d.executions);
        sleep_add(n, &n->op);
        n->tree = d.pool[done].next;
        d.pool[done].next = NONE;
        tree_free(done);
        if (n->tree != NONE) {
            d.fixed = i;
            return true;
        }
    }
    return false;
}

/* ---- the strategy */

struct strategy strategy_dpor(unsigned deviations_max)
{
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        d.nodes[i].tree = NONE;
        d.nodes[i].sleep_count = 0;
    }
    d.deviations_max = deviations_max;
    d.fixed = 0;
    d.free_tree = NONE;
    d.pool_count = d.in_use = 0;
    memset(d.executions, 0, sizeof d.executions);
    d.more = false;
    tally_begin(&d.nodes[0].tally, d.executions);
    d.statistics = (struct dpor_statistics){0};
    sched_observer = &observer;
    return (struct strategy){.name = "dpor", .begin = begin, .answer = answer};
}

bool strategy_dpor_next(void)
{
    unsigned class = deviations(d.depth);

    find_races();
    d.executions[class < CLASSES ? class : CLASSES - 1]++;
    d.statistics.blocked += d.blocked;
    d.statistics.clipped += d.clipped;
    d.more = backtrack();
    return d.more;
}

struct dpor_statistics strategy_dpor_end(void)
{
    sched_observer = NULL;
    if (d.more)
        d.statistics.left = tally_left(d.nodes, d.fixed, d.pool, d.deviations_max, d.executions);
    return d.statistics;
}
