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
 * The scheduler takes those steps by itself.
 */
#include "dpor.h"

#include <string.h>

#include "check.h"
#include "choice.h"
#include "dpor_path.h"

#define SPAWNING UINT64_MAX                 /* an object of ours */

struct path path;

/* ---- sleep sets: those of the path, one behind the other */

void sleep_add(struct node *n, const struct op *op)
{
    if (n->sleep_first + n->sleep_count < SLEEP_MAX)    /* else it may be tried once more than needed */
        path.sleep[n->sleep_first + n->sleep_count++] = *op;
}

void sleep_inherit(unsigned i)
{
    struct node *n = &path.nodes[i];
    const struct node *parent = &path.nodes[i - 1];

    n->sleep_first = parent->sleep_first + parent->sleep_count;
    n->sleep_count = 0;
    for (unsigned k = 0; k < parent->sleep_count; k++) {
        struct op z = path.sleep[parent->sleep_first + k];

        if (dependent(&z, &parent->op))
            continue;
        z.doubtful |= footprints_conflict(z.footprint, parent->expected);
        sleep_add(n, &z);
    }
}

static bool asleep(const struct node *n, const struct op *op)
{
    for (unsigned k = 0; k < n->sleep_count; k++)
        if (op_same(&path.sleep[n->sleep_first + k], op))
            return true;
    return false;
}

/* ---- executing */

static void drop_twins(unsigned at);

/* What is known of a thread, to be changed by the running step or the one that has just ended. */
static struct thread_state *change(unsigned thread)
{
    struct thread_state *t = &path.threads[thread];
    int step = (int)path.depth - 1;

    if (t->kept < step) {
        path.kept[path.kept_count].thread = thread;
        path.kept[path.kept_count].step = step;
        path.kept[path.kept_count++].state = *t;
        t->kept = step;
    }
    return t;
}

/* Steps from number `depth` on did not happen. */
static void take_back(unsigned depth)
{
    for (; path.kept_count && path.kept[path.kept_count - 1].step >= (int)depth; path.kept_count--)
        path.threads[path.kept[path.kept_count - 1].thread] = path.kept[path.kept_count - 1].state;
}

static bool acquires(uint64_t object)
{
    touch_type acquired = touch_make(touch_object_of(object), TOUCH_ACQUIRE);

    for (unsigned i = 0; i < path.touch_count; i++)
        if (path.touches[i] == acquired)
            return true;
    return false;
}

/*
 * Without the step that let it go on this one would not be.  That holds for good, but for a lock: there only the one
 * who had it before must be through, which its release tells.
 */
static void add_enabler(struct node *n, struct thread_state *t)
{
    if (t->enabling != NONE && !acquires(t->told))
        clock_join(n->past, path.nodes[t->enabling].clock);
    t->enabling = NONE;
}

/* The running step has ended: what came before it is what it touched after others did. */
static void close_step(void)
{
    static struct candidates c;
    unsigned j = path.depth - 1;
    struct node *n = &path.nodes[j];
    struct thread_state *t = change(n->op.thread);

    path.open = false;
    n->op.known = n->op.complete = true;
    if (n->op.answer_count > path.asked)       /* an answer to what was not asked here */
        n->op.answer_count = (uint8_t)path.asked;
    take_touches(j);
    add_enabler(n, t);
    find_candidates(j, &c);
    find_races(j, &c);
    memcpy(n->clock, n->past, sizeof n->clock);
    n->clock[n->op.thread] = n->index;
    for (unsigned i = 0; i < c.count; i++)
        clock_join(n->clock, path.nodes[c.steps[i]].clock);
    add_accesses(j);
    if (n->tree != TREE_NONE) {
        tree_pool[n->tree].op = n->op;
        drop_twins(j);
    }
    if (n->gave_way || (j > 0 && n[-1].turning))
        note_turn(j);
    memcpy(t->clock, n->clock, sizeof n->clock);
    for (; path.spawned; path.spawned &= path.spawned - 1)
        clock_join(change((unsigned)__builtin_ctz(path.spawned))->clock, n->clock);
}

/* ---- what may be tried at a node */

static bool in_list(int list, const struct op *op)
{
    for (; list != TREE_NONE; list = tree_pool[list].next)
        if (op_same(&tree_pool[list].op, op))
            return true;
    return false;
}

/* Let this step's question number `position` be answered otherwise, too.  False: some would be too many
 * deviations. */
static bool add_answers(unsigned at, const struct op *step, unsigned position)
{
    struct node *n = &path.nodes[at];
    struct op op = {.thread = step->thread, .answer_count = (uint8_t)(position + 1), .enumerate = true};
    bool all = true;

    memcpy(op.answers, step->answers, position);
    memcpy(op.questions, step->questions, sizeof op.questions);
    for (unsigned v = 0; v < step->options[position]; v++) {
        op.answers[position] = (uint8_t)v;
        if (v == step->answers[position])
            continue;
        if (n->deviations + op_deviations(&op) > path.deviations_max)
            all = false;
        else if (!asleep(n, &op) && !in_list(n->tree, &op) && has_room())
            tree_append(&n->tree, &op);
    }
    return all;
}

/* What may be tried at a node for a thread of which some answers are asleep: each of the others. */
static void add_other_answers(unsigned at, unsigned thread)
{
    struct node *n = &path.nodes[at];

    for (unsigned k = 0; k < n->sleep_count; k++) {
        const struct op *z = &path.sleep[n->sleep_first + k];

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
    struct node *n = &path.nodes[at];
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
        if (path.sleep[n->sleep_first + k].thread == thread)
            return true;
    return false;
}

/* The first of these threads of which nothing is asleep, if nobody was picked before. */
static void pick_awake(unsigned at, uint32_t threads)
{
    struct node *n = &path.nodes[at];

    for (uint32_t rest = threads; rest && n->tree == TREE_NONE; rest &= rest - 1) {
        unsigned t = (unsigned)__builtin_ctz(rest);

        if (!some_asleep(n, t))
            tree_append(&n->tree, &(struct op){.thread = (uint8_t)t, .enumerate = true});
    }
}

/*
 * Nobody asked for anything here: a step that is not asleep.  The thread of the lowest number, whoever ran before:
 * first findings come sooner than when threads go on as long as they can.  A thread of which some answers are asleep
 * will not do alone: such an answer may wake when another thread runs first, and the answers that are left need not
 * race with that one.  So another thread is taken, or what is left of all of them.  Where a part is split all threads
 * are tried.
 */
static void pick_fresh(unsigned at)
{
    struct node *n = &path.nodes[at];
    uint32_t enabled = n->enabled, last = at > 0 ? 1u << n[-1].op.thread : 0;
    bool all = path.splitting && at == path.root;

    if (!all && at > 0 && n[-1].turning)    /* does the loop end by itself? */
        pick_awake(at, enabled & last);
    else if (!all && at > 0 && n[-1].gave_way)
        pick_awake(at, enabled & ~last);
    pick_awake(at, all ? 0 : enabled);
    for (uint32_t rest = n->tree == TREE_NONE ? enabled : 0; rest; rest &= rest - 1) {
        struct op op = {.thread = (uint8_t)__builtin_ctz(rest), .enumerate = true};

        if (asleep(n, &op))
            add_other_answers(at, op.thread);
        else
            tree_append(&n->tree, &op);
    }
}

/* The tree leads to a thread that cannot run: earlier steps depended on something that nobody told.  Another way, then,
 * and the search is not complete. */
static void lose_way(struct node *n, unsigned dull)
{
    struct tree *lost = &tree_pool[n->tree];

    path.clipped = true;
    while (lost->first != TREE_NONE)
        tree_drop_first(&lost->first);
    lost->op = (struct op){.thread = (uint8_t)dull};
}

/* Nothing is left to be tried at this node.  False: all that can run spin in vain. */
static bool pick_again(unsigned at, unsigned dull)
{
    if (all_spin(at, path.nodes[at].enabled))
        return false;
    path.barren = at;                       /* does not happen but in parts, or the search is not optimal */
    tree_append(&path.nodes[at].tree, &(struct op){.thread = (uint8_t)dull});
    return true;
}

/* Node `at` is reached, with a new step before it unless it is the first new one itself.  False: no step follows that
 * is one of the path. */
static bool enter(unsigned at, unsigned dull)
{
    struct node *n = &path.nodes[at];

    if (at > path.fixed) {
        const struct node *parent = &path.nodes[at - 1];

        n->deviations = (uint16_t)(parent->deviations + op_deviations(&parent->op));
        tally_begin(&n->tally, path.executions);
        sleep_inherit(at);
        n->tree = tree_pool[parent->tree].first;
        tree_pool[parent->tree].first = TREE_NONE;
    }
    if (n->tree == TREE_NONE)
        pick_fresh(at);
    if (n->tree == TREE_NONE && !pick_again(at, dull))
        return false;
    if (!(n->enabled & 1u << tree_pool[n->tree].op.thread))
        lose_way(n, dull);
    tally_begin_child(&n->tally, path.executions);
    n->op = tree_pool[n->tree].op;
    n->expected = n->op.known ? n->op.footprint : 0;
    return true;
}

/* What steps from number `depth` on touched, and their races. */
static void forget(unsigned depth)
{
    forget_accesses(depth);
    while (path.race_count && path.races[path.race_count - 1].late >= depth)
        path.race_count--;
}

/* The path ends with so many steps: those after them need not be known. */
static void shorten(unsigned depth)
{
    while (path.depth > depth)
        for (struct node *n = &path.nodes[--path.depth]; n->tree != TREE_NONE;)
            tree_drop_first(&n->tree);
    forget(depth);
    take_back(depth);
}

/*
 * The last step gave way.  Did it tell of a turn in vain?  If others can run where that ended, what comes of it is
 * explored where they do.  If not, they never will, and the execution goes on for those who judge it.
 */
static void end_spin(void)
{
    int vain = vain_step();
    unsigned step = (unsigned)vain;
    struct node *n;

    if (vain == NONE)
        return;
    n = &path.nodes[step];
    path.turns = path.nodes[path.depth - 1].turns;
    shorten(step + 1);
    n->op.vain = true;
    path.cut = !all_spin(step, n->enabled & ~(1u << n->op.thread));
    if (path.cut)
        sched_stop(VERDICT_PASS);
    path.spinning = n->enabled;
}

/* Who runs next, at the node after the last step: behind the known part of the path. */
static unsigned choose(uint32_t enabled, unsigned dull)
{
    unsigned at = path.depth;

    path.chosen = true;
    if (path.open) {
        close_step();
        if (path.nodes[path.depth - 1].gave_way)
            end_spin();
    }
    if (path.spinning)
        return dull;
    if (at >= STEPS_MAX) {
        path.clipped = true;
        return dull;
    }
    path.nodes[at].enabled = enabled;
    if (at >= path.fixed && !enter(at, dull)) {
        path.spinning = enabled;
        return dull;
    }
    CHECK(enabled & 1u << path.nodes[at].op.thread);
    return path.nodes[at].op.thread;
}

static void begin_step(struct node *n)
{
    unsigned thread = n->op.thread;

    n->op.enumerate |= !n->op.complete;     /* of questions that it did not have where it came from */
    n->op.known = n->op.complete = n->op.held = n->op.vain = false;
    n->gave_way = n->turning = false;
    memset(n->op.options, 0, sizeof n->op.options);
    memcpy(n->past, path.threads[thread].clock, sizeof n->past);
    n->index = (int16_t)(n->past[thread] + 1);
    path.touch_count = 0;
    path.open = true;
}

static void on_run(unsigned thread)
{
    if (!path.chosen)                          /* with one thread to run nobody asked */
        (void)choose(1u << thread, thread);
    path.chosen = false;
    path.asked = 0;
    if (path.depth >= STEPS_MAX || path.spinning)
        return;
    CHECK(path.nodes[path.depth].op.thread == thread);
    path.plan[path.depth] = (uint8_t)thread;
    begin_step(&path.nodes[path.depth++]);
}

static void on_touch(uint64_t object, enum sched_touch how)
{
    if (path.open)
        add_touch(object, how);
}

static void on_enable(uint32_t waiters, uint64_t object)
{
    for (uint32_t rest = path.open ? waiters : 0; rest; rest &= rest - 1) {
        struct thread_state *t = change((unsigned)__builtin_ctz(rest));

        t->told = object;
        t->enabling = (int)path.depth - 1;
    }
}

/* A number that is used again goes on where it stopped. */
static void on_spawn(unsigned child)
{
    if (!path.open)
        return;
    change(child)->enabling = NONE;
    path.spawned |= 1u << child;
    add_touch(SPAWNING, TOUCH_WRITE);       /* who is spawned first gets the lower number */
}

/* It can go on because all the others cannot: after everything. */
static void on_time_out(unsigned thread)
{
    if (path.open)
        close_step();
    for (unsigned i = 0; i < path.depth; i++)
        clock_join(change(thread)->clock, path.nodes[i].clock);
}

static void on_give_way(uint64_t state)
{
    if (path.open) {
        path.nodes[path.depth - 1].gave_way = true;
        path.nodes[path.depth - 1].state = state;
    }
    path.turns += path.spinning != 0;
}

static const struct sched_observer observer = {on_run, on_touch, on_enable, on_spawn, on_time_out, on_give_way};

/* ---- answers */

static struct sched_plan plan = {.threads = path.plan};

static void begin(void *state)
{
    (void)state;
    path.depth = plan.count = path.known;
    path.open = path.chosen = path.clipped = path.cut = false;
    path.barren = NOWHERE;
    path.spinning = path.turns = 0;
    path.asked = path.asking = 0;
    path.spawned = 0;
    take_back(path.known);
}

/* Which of the running step's questions is this one? */
static unsigned count_question(void)
{
    if (path.asking != sched_steps) {
        path.asking = sched_steps;
        path.asked = 0;
    }
    return path.asked++;
}

static unsigned answer_value(const struct choice_point *p)
{
    unsigned position = count_question();
    struct node *n = &path.nodes[path.depth - 1];
    uint16_t question = (uint16_t)(p->thread << 8 | p->site);
    bool repeated = sched_steps < path.known;

    if (path.spinning)
        return 0;
    if (!(path.open || repeated) || position >= ANSWERS_MAX || p->options > UINT8_MAX) {
        path.clipped = true;
        return 0;
    }
    if (repeated)
        return path.nodes[sched_steps].op.answers[position];
    n->op.options[position] = (uint8_t)p->options;
    if (position < n->op.answer_count && n->op.questions[position] == question) {
        if (n->op.open && !add_answers(path.depth - 1, &n->op, position))
            n->op.held = true;
        return n->op.answers[position];
    }
    if (position < n->op.answer_count)      /* another question, since the step comes at another time */
        n->op.enumerate = true;
    n->op.questions[position] = question;
    n->op.answer_count = (uint8_t)(position + 1);
    n->op.answers[position] = 0;
    if (n->op.enumerate && !add_answers(path.depth - 1, &n->op, position))
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

/* ---- on to the next one */

/* The deepest node that has another child to explore.  False: none has. */
static bool backtrack(void)
{
    for (unsigned i = path.depth; i-- > path.root;) {
        struct node *n = &path.nodes[i];

        tally_end_child(&n->tally, &n->op, path.executions);
        sleep_add(n, &n->op);
        tree_drop_first(&n->tree);
        if (n->tree == TREE_NONE && n->op.vain)
            pick_fresh(i);
        if (n->tree == TREE_NONE)
            continue;
        path.fixed = path.known = i;
        path.revalued = tree_pool[n->tree].op.thread == n->op.thread || n->op.vain;
        forget(i);
        return true;
    }
    return false;
}

/* A part is being split: this execution was the first one of a part that began behind the root. */
static bool split_off(void)
{
    path.root++;
    reverse_all();
    parts_add(backtrack());
    path.root--;
    shorten(path.root + 1);
    return backtrack();
}

/* ---- the strategy */

struct strategy strategy_dpor(unsigned deviations_max)
{
    path.shard = (struct shard){0};
    for (unsigned i = 0; i <= STEPS_MAX; i++)
        path.nodes[i].tree = TREE_NONE;
    path.nodes[0].sleep_first = path.nodes[0].sleep_count = 0;
    path.nodes[0].deviations = 0;
    path.deviations_max = deviations_max;
    path.fixed = path.known = path.root = 0;
    path.splitting = false;
    path.revalued = path.more = path.loaded = false;
    memset(path.executions, 0, sizeof path.executions);
    tally_begin(&path.nodes[0].tally, path.executions);
    path.access_count = path.race_count = 0;
    memset(path.last_access, 0xFF, sizeof path.last_access);      /* NONE */
    path.kept_count = 0;
    for (unsigned t = 0; t < THREADS_MAX; t++)
        path.threads[t] = (struct thread_state){.enabling = NONE, .kept = NONE};
    touch_begin();
    tree_begin();
    path.statistics = (struct dpor_statistics){0};
    return (struct strategy){
        .name = "dpor", .begin = begin, .answer = answer, .next = next, .stays = true, .observer = &observer,
        .plan = &plan};
}

void strategy_dpor_shard(struct shard shard)
{
    path.shard = shard;
    if (shard.count > 0)
        parts_begin();
}

/* Of the last execution. */
static unsigned deviations_made(void)
{
    const struct node *last = &path.nodes[path.depth - 1];

    if (path.open)
        close_step();
    return last->deviations + op_deviations(&last->op);
}

/* Was it no new trace, or none of those that are asked for? */
static bool beside(void)
{
    return path.barren != NOWHERE || deviations_made() > path.deviations_max;
}

/* Is it a trace of another part?  A step turned into one that this part leaves to that one. */
static bool elsewhere(void)
{
    for (unsigned i = path.root; i < path.depth; i++) {
        const struct node *n = &path.nodes[i];

        for (unsigned k = n->sleep_first; k < n->sleep_first + n->sleep_count; k++)
            if (path.sleep[k].elsewhere && op_same(&path.sleep[k], &n->op))
                return true;
    }
    return false;
}

/* Were there turns in vain, which other executions do without? */
static bool spun(void)
{
    return path.cut || (path.spinning && !spun_long());
}

bool strategy_dpor_mine(void)
{
    return !path.splitting && !beside() && !spun() && !elsewhere();
}

bool strategy_dpor_next(void)
{
    unsigned class = deviations_made();

    path.statistics.blocked += beside();
    /* A loop ended by itself after all: that it ends while others can run was not tried. */
    path.clipped |= path.spinning && spun_long() && sched_steps <= sched_steps_max;
    if (path.barren < path.depth)
        shorten(path.barren);
    path.executions[class < CLASSES ? class : CLASSES - 1]++;
    if (path.splitting) {
        path.more = split_off();
    } else {
        reverse_all();
        path.more = backtrack();
    }
    path.loaded = false;
    path.statistics.clipped += path.clipped;
    if (!path.more && path.shard.count > 0)
        path.more = parts_next();
    return path.more;
}

struct dpor_statistics strategy_dpor_end(void)
{
    path.statistics.nodes_max = tree_in_use_max;
    if (path.more)
        path.statistics.left = tally_left(path.nodes + path.root, path.fixed - path.root, tree_pool,
                                          path.deviations_max, path.executions);
    if (path.more && path.shard.count > 0)
        path.statistics.left += (double)parts_left();
    return path.statistics;
}

/* ---- saving: what the repeated part of the next execution does not tell by itself */

void strategy_dpor_save(FILE *out)
{
    number_write(out, path.more);
    number_write(out, path.revalued);
    number_write(out, path.statistics.blocked);
    number_write(out, path.statistics.clipped);
    for (unsigned c = 0; c < CLASSES; c++)
        number_write(out, path.executions[c]);
    if (path.shard.count > 0)
        parts_save(out);
    number_write(out, path.fixed);
    for (unsigned i = path.root; i <= path.fixed && path.more; i++) {
        const struct node *n = &path.nodes[i];

        fputc('\n', out);
        tally_save(out, &n->tally);
        number_write(out, n->sleep_count);
        for (unsigned k = 0; k < n->sleep_count; k++)
            op_save(out, &path.sleep[n->sleep_first + k]);
        tree_save(out, n->tree, 1);
    }
}

static void load_node(struct numbers *in, unsigned at)
{
    struct node *n = &path.nodes[at];

    if (at > 0) {
        n->deviations = (uint16_t)(n[-1].deviations + op_deviations(&n[-1].op));
        n->sleep_first = n[-1].sleep_first + n[-1].sleep_count;
    }
    tally_load(in, &n->tally);
    n->sleep_count = (unsigned)number_read(in, SLEEP_MAX - n->sleep_first);
    for (unsigned k = 0; k < n->sleep_count; k++)
        op_load(in, &path.sleep[n->sleep_first + k]);
    tree_load(in, &n->tree);
    in->bad |= n->tree == TREE_NONE && at != path.root;     /* of a part that was not begun */
    if (!in->bad && n->tree != TREE_NONE)
        n->op = tree_pool[n->tree].op;
}

bool strategy_dpor_load(struct numbers *in)
{
    path.more = number_read(in, 1);
    path.revalued = number_read(in, 1);
    path.statistics.blocked = number_read(in, UINT64_MAX);
    path.statistics.clipped = number_read(in, UINT64_MAX);
    for (unsigned c = 0; c < CLASSES; c++)
        path.executions[c] = number_read(in, UINT64_MAX);
    if (path.shard.count > 0)
        parts_load(in);
    path.fixed = (unsigned)number_read(in, STEPS_MAX - 1);
    path.loaded = true;
    for (unsigned i = path.root; i <= path.fixed && path.more && !in->bad; i++)
        load_node(in, i);
    return path.more && !in->bad;
}
