/*
 * dpor.c - see dpor.h.
 *
 * Node i of the path is the state before step i.  It holds the steps that need not be tried there (sleep: explored, and
 * independent of all since) and those that must be (tree: an ordered wakeup tree whose first child is being explored).
 * An execution repeats the path up to the deepest node whose tree has another child, takes that child, and goes on
 * along its subtree; beyond it picks whatever is not asleep.  At the end each pair of steps that could have come in the
 * other order (a race) puts the steps that show it into the tree of the node before the first of the two.
 *
 * What is repeated is known: its clocks, footprints and races are kept, so that an execution costs what is new in it.
 */
#include "dpor.h"

#include <string.h>

#include "check.h"
#include "choice.h"
#include "dpor_node.h"
#include "dpor_touch.h"
#include "sched.h"

enum { SLEEP_MAX = 1 << 15, ACCESSES_MAX = 1 << 16, RACES_MAX = 1 << 16, NONE = -1 };

#define SPAWNING UINT64_MAX                 /* an object of ours */

/* A touch in the path, and the one before it of the same object. */
struct access { uint32_t object; uint8_t how; uint16_t step; int previous; };

static struct {
    unsigned deviations_max;
    struct shard shard;
    struct dpor_statistics statistics;
    struct node nodes[STEPS_MAX + 1];       /* the last one for a step that was never taken */
    unsigned depth;                         /* steps begun in this execution */
    unsigned fixed;                         /* nodes below this one repeat, this one takes its tree's first child */
    unsigned known;                         /* nodes below this one have their clocks and accesses */
    bool open;                              /* the last step is still running, and is not known */
    bool chosen;                            /* who runs next is known */
    bool revalued;                          /* this execution has another answer where the last one had a step */
    uint32_t spawned;                       /* threads that the running step has made */
    unsigned asked;                         /* questions of the running step so far */
    bool blocked, clipped;
    unsigned touch_count;                   /* of the running step */
    touch_type touches[TOUCHES_MAX];
    clock_type thread_clock[THREADS_MAX];   /* of each thread's last step */
    /* The step that made a blocked thread able to go on, NONE when none did, and of what it told. */
    struct { int step; uint64_t object; } enabled[THREADS_MAX];
    struct op sleep[SLEEP_MAX];
    struct access accesses[ACCESSES_MAX];
    unsigned access_count;
    int last_access[TOUCH_OBJECTS_MAX];
    struct race {
        uint16_t early, late;
        bool turned;                        /* the later step is asked other questions when it comes first */
    } races[RACES_MAX];                     /* by the later step */
    unsigned race_count;
    uint64_t executions[CLASSES];           /* so far, by their number of deviations */
    bool more;                              /* there is another one to explore */
    bool loaded;                            /* the path was loaded: nothing is known of its races */
} d;

/* ---- steps */

static bool dependent(const struct op *a, const struct op *b)
{
    return a->thread == b->thread || footprints_conflict(a->footprint, b->footprint);
}

/* Does step i come before whatever has this clock? */
static bool before(unsigned i, const clock_type clock)
{
    return clock[d.nodes[i].op.thread] >= d.nodes[i].index;
}

static void add_touch(uint64_t object, enum sched_touch how)
{
    uint32_t number = touch_object_of(object);
    touch_type touch = touch_make(number, how);

    for (unsigned i = 0; i < d.touch_count; i++)
        if (d.touches[i] == touch)
            return;
    if (d.touch_count == TOUCHES_MAX || number == TOUCH_NONE) {
        d.clipped = true;
        return;
    }
    d.touches[d.touch_count++] = touch;
}

/* The touches so far are what step j touched. */
static void take_touches(unsigned j)
{
    uint32_t footprint = footprint_of(d.touches, d.touch_count);

    d.clipped |= footprint == TOUCH_NONE;
    d.nodes[j].op.footprint = footprint == TOUCH_NONE ? 0 : footprint;
}

static void add_accesses(unsigned j)
{
    struct node *n = &d.nodes[j];
    unsigned count;
    const touch_type *touches = footprint_touches(n->op.footprint, &count);

    n->access_first = d.access_count;
    n->access_count = 0;
    if (d.access_count + count > ACCESSES_MAX) {
        d.clipped = true;
        return;
    }
    n->access_count = count;
    for (unsigned i = 0; i < count; i++) {
        uint32_t object = touch_object(touches[i]);

        d.accesses[d.access_count] = (struct access){object, (uint8_t)touch_how(touches[i]), (uint16_t)j,
                                                     d.last_access[object]};
        d.last_access[object] = (int)d.access_count++;
    }
}

/* Steps from number `depth` on did not happen. */
static void forget_accesses(unsigned depth)
{
    for (; d.access_count && d.accesses[d.access_count - 1].step >= depth; d.access_count--)
        d.last_access[d.accesses[d.access_count - 1].object] = d.accesses[d.access_count - 1].previous;
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

/* After this one, all that touched the object before comes before whatever touches it later. */
static bool ends_search(const struct access *a)
{
    return a->how == TOUCH_WRITE || a->how == TOUCH_ACQUIRE;
}

struct candidates { unsigned count; uint16_t steps[STEPS_MAX]; uint8_t bonds[STEPS_MAX]; };

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
static void find_candidates(unsigned j, struct candidates *c)
{
    const struct node *late = &d.nodes[j];
    unsigned count;
    const touch_type *touches = footprint_touches(late->op.footprint, &count);

    c->count = 0;
    for (unsigned i = 0; i < count; i++)
        for (int k = d.last_access[touch_object(touches[i])]; k != NONE; k = d.accesses[k].previous) {
            const struct access *a = &d.accesses[k];
            unsigned bond = bond_of((enum sched_touch)a->how, touch_how(touches[i]));

            if (bond && d.nodes[a->step].op.thread != late->op.thread)
                add_candidate(c, a->step, bond);
            if (ends_search(a))
                break;
        }
}

static void add_race(unsigned early, unsigned late)
{
    if (d.race_count == RACES_MAX) {
        d.clipped = true;
        return;
    }
    d.races[d.race_count++] = (struct race){
        .early = (uint16_t)early, .late = (uint16_t)late, .turned = d.loaded && late < d.fixed};
}

/*
 * A step races with the last ones before it that it conflicts with, but for those that come before it by way of
 * another.  The way through the release of a lock counts for all but the step that took the lock: against that one it
 * raced for it.
 */
static void find_races(unsigned j, const struct candidates *c)
{
    clock_type seen, seen_unlocked;

    memcpy(seen, d.nodes[j].past, sizeof seen);
    memcpy(seen_unlocked, d.nodes[j].past, sizeof seen_unlocked);
    for (unsigned i = 0; i < c->count; i++)
        if (c->bonds[i] & BOND_RELEASE)
            clock_join(seen, d.nodes[c->steps[i]].clock);
    for (unsigned i = 0; i < c->count; i++) {
        unsigned early = c->steps[i];

        if (!(c->bonds[i] & BOND_CONFLICT) || before(early, seen))
            continue;
        add_race(early, j);
        clock_join(seen, d.nodes[early].clock);
        clock_join(seen_unlocked, d.nodes[early].clock);
    }
    for (unsigned i = 0; i < c->count; i++) {
        unsigned early = c->steps[i];

        if (!(c->bonds[i] & BOND_LOCK) || before(early, seen_unlocked))
            continue;
        add_race(early, j);
        clock_join(seen_unlocked, d.nodes[early].clock);
    }
}

/* ---- sleep sets: those of the path, one behind the other */

static void sleep_add(struct node *n, const struct op *op)
{
    if (n->sleep_first + n->sleep_count < SLEEP_MAX)    /* else it may be tried once more than needed */
        d.sleep[n->sleep_first + n->sleep_count++] = *op;
}

static void sleep_inherit(unsigned i)
{
    struct node *n = &d.nodes[i];
    const struct node *parent = &d.nodes[i - 1];

    n->sleep_first = parent->sleep_first + parent->sleep_count;
    n->sleep_count = 0;
    for (unsigned k = 0; k < parent->sleep_count; k++) {
        struct op z = d.sleep[parent->sleep_first + k];

        if (dependent(&z, &parent->op))
            continue;
        z.doubtful |= footprints_conflict(z.footprint, parent->expected);
        sleep_add(n, &z);
    }
}

static bool asleep(const struct node *n, const struct op *op)
{
    for (unsigned k = 0; k < n->sleep_count; k++)
        if (op_same(&d.sleep[n->sleep_first + k], op))
            return true;
    return false;
}

/* ---- executing */

static void drop_twins(unsigned at);

static bool acquires(uint64_t object)
{
    touch_type acquired = touch_make(touch_object_of(object), TOUCH_ACQUIRE);

    for (unsigned i = 0; i < d.touch_count; i++)
        if (d.touches[i] == acquired)
            return true;
    return false;
}

/*
 * Without the step that let it go on this one would not be.  That holds for good, but for a lock: there only the one
 * who had it before must be through, which its release tells.
 */
static void add_enabler(struct node *n)
{
    unsigned t = n->op.thread;

    if (d.enabled[t].step != NONE && !acquires(d.enabled[t].object))
        clock_join(n->past, d.nodes[d.enabled[t].step].clock);
    d.enabled[t].step = NONE;
}

/* The running step has ended: what came before it is what it touched after others did. */
static void close_step(void)
{
    static struct candidates c;
    unsigned j = d.depth - 1;
    struct node *n = &d.nodes[j];

    d.open = false;
    n->op.known = n->op.complete = true;
    if (n->op.answer_count > d.asked)       /* an answer to what was not asked here */
        n->op.answer_count = (uint8_t)d.asked;
    take_touches(j);
    add_enabler(n);
    find_candidates(j, &c);
    find_races(j, &c);
    memcpy(n->clock, n->past, sizeof n->clock);
    n->clock[n->op.thread] = n->index;
    for (unsigned i = 0; i < c.count; i++)
        clock_join(n->clock, d.nodes[c.steps[i]].clock);
    add_accesses(j);
    memcpy(d.thread_clock[n->op.thread], n->clock, sizeof n->clock);
    for (; d.spawned; d.spawned &= d.spawned - 1)
        clock_join(d.thread_clock[__builtin_ctz(d.spawned)], n->clock);
    if (n->tree != TREE_NONE) {
        tree_pool[n->tree].op = n->op;
        drop_twins(j);
    }
}

/* ---- which executions are this shard's */

static uint64_t key_of(const struct op *op, unsigned index)
{
    uint64_t key = 0;

    for (unsigned k = 0; k < op->answer_count; k++)
        if (op->answers[k])
            key += shard_key(op->thread, index, k, op->answers[k]);
    return key;
}

static bool mine(unsigned depth, uint64_t key)
{
    for (unsigned i = 0; i < depth && d.shard.count > 1; i++)
        key += key_of(&d.nodes[i].op, (unsigned)d.nodes[i].index);
    return shard_has(&d.shard, key);
}

/* May this step be tried at node `at`, as far as its deviations go? */
static bool allowed(unsigned at, const struct op *op)
{
    unsigned used = d.nodes[at].deviations + op_deviations(op);

    if (used < d.deviations_max || op_deviations(op) == 0)
        return true;
    return used == d.deviations_max && mine(at, key_of(op, (unsigned)d.thread_clock[op->thread][op->thread] + 1));
}

static bool in_list(int list, const struct op *op)
{
    for (; list != TREE_NONE; list = tree_pool[list].next)
        if (op_same(&tree_pool[list].op, op))
            return true;
    return false;
}

/* Room for one more node.  Without, the search is not complete, and says so. */
static bool has_room(void)
{
    bool room = tree_has_room(STEPS_MAX);

    d.clipped |= !room;
    return room;
}

/* Let this step's question number `position` be answered otherwise, too.  False: some would be too many
 * deviations. */
static bool add_answers(unsigned at, const struct op *step, unsigned position)
{
    struct node *n = &d.nodes[at];
    struct op op = {.thread = step->thread, .answer_count = (uint8_t)(position + 1), .enumerate = true};
    bool all = true;

    memcpy(op.answers, step->answers, position);
    memcpy(op.questions, step->questions, sizeof op.questions);
    for (unsigned v = 0; v < step->options[position]; v++) {
        op.answers[position] = (uint8_t)v;
        if (v == step->answers[position])
            continue;
        if (n->deviations + op_deviations(&op) > d.deviations_max)
            all = false;
        else if (allowed(at, &op) && !asleep(n, &op) && !in_list(n->tree, &op) && has_room())
            tree_append(&n->tree, &op);
    }
    return all;
}

/* What may be tried at a node for a thread of which some answers are asleep: each of the others. */
static void add_other_answers(unsigned at, unsigned thread)
{
    struct node *n = &d.nodes[at];

    for (unsigned k = 0; k < n->sleep_count; k++) {
        const struct op *z = &d.sleep[n->sleep_first + k];

        for (unsigned i = 0; z->thread == thread && i < z->answer_count; i++)
            (void)add_answers(at, z, i);
    }
}

/*
 * Is a step that was seen at another time, and is to come at this node, what was executed there?  Then what it is asked
 * and was not asked before is to be answered otherwise, too.
 */
static bool comes_to(unsigned at, const struct op *planned, const struct op *known)
{
    int hold = op_comes_to(planned, known);

    for (unsigned i = (unsigned)hold; hold != OP_DIFFERS && i < known->answer_count; i++)
        (void)add_answers(at, known, i);
    return hold != OP_DIFFERS;
}

/* The first child of a node was executed there: children that come to the same need not be. */
static void drop_twins(unsigned at)
{
    struct node *n = &d.nodes[at];
    int *link = &tree_pool[n->tree].next;

    while (*link != TREE_NONE) {
        const struct op *twin = &tree_pool[*link].op;

        if (!twin->complete && !twin->enumerate && comes_to(at, twin, &n->op))
            tree_drop_first(link);
        else
            link = &tree_pool[*link].next;
    }
}

/* Is a step of this thread asleep, with whatever answers? */
static bool some_asleep(const struct node *n, unsigned thread)
{
    for (unsigned k = 0; k < n->sleep_count; k++)
        if (d.sleep[n->sleep_first + k].thread == thread)
            return true;
    return false;
}

/*
 * Nobody asked for anything here: a step that is not asleep.  The thread of the lowest number, whoever ran before:
 * first findings come sooner than when threads go on as long as they can.  A thread of which some answers are asleep
 * will not do alone: such an answer may wake when another thread runs first, and the answers that are left need not
 * race with that one.  So another thread is taken, or what is left of all of them.
 */
static void pick_fresh(unsigned at, uint32_t enabled, unsigned dull)
{
    struct node *n = &d.nodes[at];

    for (uint32_t rest = enabled; rest && n->tree == TREE_NONE; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (!some_asleep(n, t))
            tree_append(&n->tree, &(struct op){.thread = (uint8_t)t, .enumerate = true});
    }
    for (uint32_t rest = n->tree == TREE_NONE ? enabled : 0; rest; rest &= rest - 1) {
        struct op op = {.thread = (uint8_t)__builtin_ctz(rest), .enumerate = true};

        if (asleep(n, &op))
            add_other_answers(at, op.thread);
        else
            tree_append(&n->tree, &op);
    }
    if (n->tree != TREE_NONE)
        return;
    d.blocked = true;                       /* does not happen, or the search is not optimal */
    tree_append(&n->tree, &(struct op){.thread = (uint8_t)dull});
}

/* The tree leads to a thread that cannot run: earlier steps depended on something that nobody told.  Another way, then,
 * and the search is not complete. */
static void lose_way(struct node *n, unsigned dull)
{
    struct tree *lost = &tree_pool[n->tree];

    d.clipped = true;
    while (lost->first != TREE_NONE)
        tree_drop_first(&lost->first);
    lost->op = (struct op){.thread = (uint8_t)dull};
}

/* Node `at` is reached, with a new step before it unless it is the first new one itself. */
static void enter(unsigned at, uint32_t enabled, unsigned dull)
{
    struct node *n = &d.nodes[at];

    if (at > d.fixed) {
        const struct node *parent = &d.nodes[at - 1];

        n->deviations = (uint16_t)(parent->deviations + op_deviations(&parent->op));
        tally_begin(&n->tally, d.executions);
        sleep_inherit(at);
        n->tree = tree_pool[parent->tree].first;
        tree_pool[parent->tree].first = TREE_NONE;
    }
    if (n->tree == TREE_NONE)
        pick_fresh(at, enabled, dull);
    if (!(enabled & 1u << tree_pool[n->tree].op.thread))
        lose_way(n, dull);
    tally_begin_child(&n->tally, d.executions);
    n->op = tree_pool[n->tree].op;
    n->expected = n->op.known ? n->op.footprint : 0;
}

/* Who runs next, behind the known part of the path. */
static __attribute__((noinline)) unsigned choose_anew(uint32_t enabled, unsigned dull)
{
    unsigned at = d.depth;

    if (d.open)
        close_step();
    if (at >= STEPS_MAX) {
        d.clipped = true;
        return dull;
    }
    if (at >= d.fixed)
        enter(at, enabled, dull);
    CHECK(enabled & 1u << d.nodes[at].op.thread);
    return d.nodes[at].op.thread;
}

/* Who runs next, at the node after the last step. */
static unsigned choose(uint32_t enabled, unsigned dull)
{
    d.chosen = true;
    if (d.depth >= d.known)
        return choose_anew(enabled, dull);
    CHECK(enabled & 1u << d.nodes[d.depth].op.thread);
    return d.nodes[d.depth].op.thread;
}

static void on_run(unsigned thread);
static void on_touch(uint64_t object, enum sched_touch how);
static void on_enable(uint32_t waiters, uint64_t object);
static void on_spawn(unsigned child);
static void on_time_out(unsigned thread);

/* What a step of the known part touches is known. */
static const struct sched_observer observer = {on_run, on_touch, on_enable, on_spawn, on_time_out};
static const struct sched_observer repeating = {on_run, NULL, on_enable, on_spawn, on_time_out};

static __attribute__((noinline)) void begin_step(struct node *n)
{
    unsigned thread = n->op.thread;

    sched_observer = &observer;
    n->op.enumerate |= !n->op.complete;     /* of questions that it did not have where it came from */
    n->op.known = n->op.complete = n->op.held = false;
    memset(n->op.options, 0, sizeof n->op.options);
    memcpy(n->past, d.thread_clock[thread], sizeof n->past);
    n->index = (int16_t)(n->past[thread] + 1);
    d.touch_count = 0;
    d.open = true;
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
    if (d.depth > d.known) {
        begin_step(n);
        return;
    }
    d.enabled[thread].step = NONE;
    memcpy(d.thread_clock[thread], n->clock, sizeof n->clock);
}

static void on_touch(uint64_t object, enum sched_touch how)
{
    if (d.open)
        add_touch(object, how);
}

/* A step is running, and it is one of the path. */
static bool in_step(void)
{
    return d.open || (d.depth > 0 && d.depth <= d.known);
}

static void on_enable(uint32_t waiters, uint64_t object)
{
    for (uint32_t rest = in_step() ? waiters : 0; rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        d.enabled[t].object = object;
        d.enabled[t].step = (int)d.depth - 1;
    }
}

/* A number that is used again goes on where it stopped. */
static void on_spawn(unsigned child)
{
    if (!in_step())
        return;
    d.enabled[child].step = NONE;
    if (!d.open) {
        clock_join(d.thread_clock[child], d.nodes[d.depth - 1].clock);
        return;
    }
    d.spawned |= 1u << child;
    add_touch(SPAWNING, TOUCH_WRITE);       /* who is spawned first gets the lower number */
}

/* It can go on because all the others cannot: after everything. */
static void on_time_out(unsigned thread)
{
    if (d.open)
        close_step();
    for (unsigned i = 0; i < d.depth; i++)
        clock_join(d.thread_clock[thread], d.nodes[i].clock);
}

/* ---- answers */

static void begin(void *state)
{
    (void)state;
    d.depth = 0;
    d.open = d.chosen = d.blocked = d.clipped = false;
    d.asked = 0;
    d.spawned = 0;
    sched_observer = d.known > 0 ? &repeating : &observer;
    memset(d.thread_clock, 0, sizeof d.thread_clock);
    for (unsigned t = 0; t < THREADS_MAX; t++)
        d.enabled[t].step = NONE;
}

static unsigned answer_value(const struct choice_point *p)
{
    unsigned position = d.asked++;
    struct node *n = &d.nodes[d.depth - 1];
    uint16_t question = (uint16_t)(p->thread << 8 | p->site);

    if (!in_step() || position >= ANSWERS_MAX || p->options > UINT8_MAX) {
        d.clipped = true;
        return 0;
    }
    if (!d.open)
        return n->op.answers[position];
    n->op.options[position] = (uint8_t)p->options;
    if (position < n->op.answer_count && n->op.questions[position] == question) {
        if (n->op.open && !add_answers(d.depth - 1, &n->op, position))
            n->op.held = true;
        return n->op.answers[position];
    }
    if (position < n->op.answer_count)      /* another question, since the step comes at another time */
        n->op.enumerate = true;
    n->op.questions[position] = question;
    n->op.answer_count = (uint8_t)(position + 1);
    n->op.answers[position] = 0;
    if (n->op.enumerate && !add_answers(d.depth - 1, &n->op, position))
        n->op.held = true;
    return 0;
}

static unsigned answer(void *state, const struct choice_point *p)
{
    (void)state;
    if (p->kind != CHOICE_SWITCH)
        return answer_value(p);
    return choice_option(p, choose(p->enabled, p->dull));
}

static unsigned next(void *state, uint32_t enabled, unsigned dull)
{
    (void)state;
    return choose(enabled, dull);
}

/* ---- other orders */

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
    bool turns;                             /* `late` is asked other questions in its new place */
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
        const struct node *n = &d.nodes[v->steps[i]];
        struct footprint_sum sum = footprint_sum(n->op.footprint);

        v->place[n->op.thread] = (int)i;
        v->first[n->op.thread] = n->index;
        footprint_add(&v->sum, &sum);
    }
}

static void collect(struct sequence *v, unsigned early, unsigned late)
{
    unsigned thread = d.nodes[early].op.thread;
    int16_t index = d.nodes[early].index;

    v->early = early;
    v->late = late;
    v->last = d.nodes[late].op;
    v->last.complete = v->last.enumerate = false;
    v->last.open = v->last.held;
    v->clocked = v->turns = false;
    v->count = 0;
    for (unsigned t = 0; t < THREADS_MAX; t++)
        v->next[t] = NONE;
    v->next[d.nodes[late].op.thread] = (int)late;
    for (unsigned i = d.depth; i-- > early;)
        v->next[d.nodes[i].op.thread] = (int)i;
    for (unsigned i = early + 1; i < d.depth; i++)
        if (i != late && d.nodes[i].clock[thread] < index)
            v->steps[v->count++] = (uint16_t)i;
    v->steps[v->count++] = (uint16_t)late;
    summarise(v);
}

/* What comes before `late` now: not what came through `early`. */
static const int16_t *clock_of_late(struct sequence *v)
{
    const struct node *n = &d.nodes[v->late];

    if (v->clocked)
        return v->clock;
    v->clocked = true;
    memcpy(v->clock, n->past, sizeof v->clock);
    for (unsigned i = n->access_first; i < n->access_first + n->access_count; i++)
        for (int k = d.accesses[i].previous; k != NONE; k = d.accesses[k].previous) {
            const struct access *a = &d.accesses[k];

            if (d.nodes[a->step].op.thread == n->op.thread || before(v->early, d.nodes[a->step].clock))
                continue;
            if (touch_hows_conflict((enum sched_touch)a->how, (enum sched_touch)d.accesses[i].how))
                clock_join(v->clock, d.nodes[a->step].clock);
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

    return next != NONE && !op_same(first, &d.nodes[next].op);
}

/* Is `first` independent of v's steps, but for the one at this place? */
static bool independent_of_others(const struct op *first, const struct sequence *v, unsigned place)
{
    for (unsigned i = 0; i < v->count; i++)
        if (i != place && dependent(first, &d.nodes[v->steps[i]].op))
            return false;
    return true;
}

/* Can the step of v at this place come before the others? */
static bool can_lead(struct sequence *v, unsigned place)
{
    unsigned step = v->steps[place], thread = d.nodes[step].op.thread;
    const int16_t *clock = step == v->late ? clock_of_late(v) : d.nodes[step].clock;

    for (unsigned t = 0; t < THREADS_MAX; t++)
        if (v->first[t] <= clock[t] && t != thread)
            return false;
    return true;
}

/* May v end with this step, as far as deviations go? */
static bool may_end(const struct sequence *v, const struct op *op)
{
    unsigned used = d.nodes[v->early].deviations + op_deviations(op);

    for (unsigned i = 0; i < v->count; i++)
        if (v->steps[i] != v->late)
            used += op_deviations(&d.nodes[v->steps[i]].op);
    return used <= d.deviations_max;
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
                d.clipped = true;
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
    v->turns |= hold < first->answer_count || first->footprint != d.nodes[v->late].op.footprint;
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
        return op_same(first, &d.nodes[v->steps[place]].op) && can_lead(v, *found);
    }
    if (!first->known || other_answer(first, v))
        return false;
    *found = v->count;
    sum = footprint_sum(first->footprint);
    return !footprint_may_conflict(&sum, &v->sum) || independent_of_others(first, v, v->count);
}

static int next_of_thread(unsigned step)
{
    for (unsigned i = step + 1; i < d.depth; i++)
        if (d.nodes[i].op.thread == d.nodes[step].op.thread)
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
    int *list = &d.nodes[v->early].tree;

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
            tree_pool[child].op.open |= d.nodes[v->steps[found]].op.held;
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
        struct op op = v->steps[i] == v->late ? v->last : d.nodes[v->steps[i]].op;

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
 * step, which was seen at another time and is another one now.
 */
static bool covered(struct sequence *v)
{
    const struct node *n = &d.nodes[v->early];
    unsigned found;

    for (unsigned k = 0; k < n->sleep_count; k++) {
        const struct op *z = &d.sleep[n->sleep_first + k];

        if (!z->doubtful && weak_initial(z, v, &found) && (found < v->count || !dependent(z, &n->op)))
            return true;
    }
    return false;
}

/* The two steps of a race could change places. */
static void reverse(struct race *race)
{
    static struct sequence v;

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
    struct node *n = &d.nodes[d.depth];
    unsigned count = d.race_count;

    n->op = (struct op){.thread = (uint8_t)t, .known = true};
    memcpy(n->past, d.thread_clock[t], sizeof n->past);
    n->index = (int16_t)(n->past[t] + 1);
    d.touch_count = 0;
    add_touch(sched_object(w), TOUCH_ACQUIRE);
    take_touches(d.depth);
    find_candidates(d.depth, &c);
    find_races(d.depth, &c);
    add_accesses(d.depth);
    for (unsigned i = count; i < d.race_count; i++)
        reverse(&d.races[i]);
    d.race_count = count;
    forget_accesses(d.depth);
}

/* Races of what was repeated were seen to before; but no order of steps shows an answer that came in since. */
static void reverse_all(void)
{
    unsigned first = d.race_count;

    while (first > 0 && (d.revalued || d.races[first - 1].late >= d.fixed))
        first--;
    for (unsigned i = 0; i < d.race_count; i++)
        if (i >= first || d.races[i].turned)
            reverse(&d.races[i]);
    for (uint32_t rest = sched_alive(); rest; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest), site;
        const sched_wait *w = sched_waiting_for(t, &site);

        if (w)
            reverse_blocked(t, w);
    }
}

/* The deepest node that has another child to explore.  False: none has. */
static bool backtrack(void)
{
    for (unsigned i = d.depth; i-- > 0;) {
        struct node *n = &d.nodes[i];

        tally_end_child(&n->tally, &n->op, d.executions);
        sleep_add(n, &n->op);
        tree_drop_first(&n->tree);
        if (n->tree == TREE_NONE)
            continue;
        d.fixed = d.known = i;
        d.revalued = tree_pool[n->tree].op.thread == n->op.thread;
        forget_accesses(i);
        while (d.race_count && d.races[d.race_count - 1].late >= i)
            d.race_count--;
        return true;
    }
    return false;
}


/* ---- the strategy */

struct strategy strategy_dpor(unsigned deviations_max)
{
    d.shard = (struct shard){0};
    for (unsigned i = 0; i <= STEPS_MAX; i++)
        d.nodes[i].tree = TREE_NONE;
    d.nodes[0].sleep_first = d.nodes[0].sleep_count = 0;
    d.nodes[0].deviations = 0;
    d.deviations_max = deviations_max;
    d.fixed = d.known = 0;
    d.revalued = d.more = d.loaded = false;
    memset(d.executions, 0, sizeof d.executions);
    tally_begin(&d.nodes[0].tally, d.executions);
    d.access_count = d.race_count = 0;
    memset(d.last_access, 0xFF, sizeof d.last_access);      /* NONE */
    touch_begin();
    tree_begin();
    d.statistics = (struct dpor_statistics){0};
    return (struct strategy){
        .name = "dpor", .begin = begin, .answer = answer, .next = next, .observer = &observer};
}

void strategy_dpor_shard(struct shard shard)
{
    d.shard = shard;
}

/* Of the last execution. */
static unsigned deviations_made(void)
{
    const struct node *last = &d.nodes[d.depth - 1];

    if (d.open)
        close_step();
    return last->deviations + op_deviations(&last->op);
}

/* Was it no new trace, or none of those that are asked for? */
static bool beside(void)
{
    return d.blocked || deviations_made() > d.deviations_max;
}

bool strategy_dpor_mine(void)
{
    return !beside() && mine(d.depth, 0);
}

bool strategy_dpor_next(void)
{
    unsigned class = deviations_made();

    reverse_all();
    d.loaded = false;
    d.executions[class < CLASSES ? class : CLASSES - 1]++;
    d.statistics.blocked += beside();
    d.statistics.clipped += d.clipped;
    d.more = backtrack();
    return d.more;
}

struct dpor_statistics strategy_dpor_end(void)
{
    d.statistics.nodes_max = tree_in_use_max;
    if (d.more)
        d.statistics.left = tally_left(d.nodes, d.fixed, tree_pool, d.deviations_max, d.executions);
    return d.statistics;
}

/* ---- saving: what the repeated part of the next execution does not tell by itself */

void strategy_dpor_save(FILE *out)
{
    number_write(out, d.more);
    number_write(out, d.revalued);
    number_write(out, d.statistics.blocked);
    number_write(out, d.statistics.clipped);
    for (unsigned c = 0; c < CLASSES; c++)
        number_write(out, d.executions[c]);
    number_write(out, d.fixed);
    for (unsigned i = 0; i <= d.fixed && d.more; i++) {
        const struct node *n = &d.nodes[i];

        fputc('\n', out);
        tally_save(out, &n->tally);
        number_write(out, n->sleep_count);
        for (unsigned k = 0; k < n->sleep_count; k++)
            op_save(out, &d.sleep[n->sleep_first + k]);
        tree_save(out, n->tree, 1);
    }
}

static void load_node(struct numbers *in, unsigned at)
{
    struct node *n = &d.nodes[at];

    if (at > 0) {
        n->deviations = (uint16_t)(n[-1].deviations + op_deviations(&n[-1].op));
        n->sleep_first = n[-1].sleep_first + n[-1].sleep_count;
    }
    tally_load(in, &n->tally);
    n->sleep_count = (unsigned)number_read(in, SLEEP_MAX - n->sleep_first);
    for (unsigned k = 0; k < n->sleep_count; k++)
        op_load(in, &d.sleep[n->sleep_first + k]);
    tree_load(in, &n->tree);
    in->bad |= n->tree == TREE_NONE;
    if (!in->bad)
        n->op = tree_pool[n->tree].op;
}

bool strategy_dpor_load(struct numbers *in)
{
    d.more = number_read(in, 1);
    d.revalued = number_read(in, 1);
    d.statistics.blocked = number_read(in, UINT64_MAX);
    d.statistics.clipped = number_read(in, UINT64_MAX);
    for (unsigned c = 0; c < CLASSES; c++)
        d.executions[c] = number_read(in, UINT64_MAX);
    d.fixed = (unsigned)number_read(in, STEPS_MAX - 1);
    d.loaded = true;
    for (unsigned i = 0; i <= d.fixed && d.more && !in->bad; i++)
        load_node(in, i);
    return d.more && !in->bad;
}
