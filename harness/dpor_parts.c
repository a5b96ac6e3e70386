/*
 * dpor_parts.c - see dpor_path.h: the search in parts, for shards.
 *
 * Which executions a part of the search has is known from races in all the others.  Not so where at each node before it
 * whatever can run was tried, with all answers: then no race of its own leads out of the part, and none leads into it,
 * and sleep sets see to it that each trace is in one part (Godefroid, 1996).  So a part is a search like any other,
 * which begins behind its first steps, with those steps asleep that other parts begin with.
 *
 * What it costs: executions after which all that can run is asleep.  They show nothing new, and are a few of hundred.
 *
 * How large a part is nobody knows before it was explored; its first execution tells of a few that it has.  So parts
 * are split one after the other, the oldest one and the one that seems largest in turn, until there are enough.  All
 * shards do this alike.  Then the parts are dealt out, the largest first.
 */
#include "dpor_path.h"

enum { ENOUGH = 1000, PARTS_MAX = 1 << 14 };

static struct part {
    struct op op;                           /* the last step before it */
    int before;                             /* the part that it was split off from, … */
    int sibling;                            /* … and what was split off from that one just before, or NONE */
    unsigned depth;                         /* of its first node */
    uint64_t size;                          /* executions that it has, as far as its first one tells */
    bool taken;                             /* it was split, or dealt out */
} parts[PARTS_MAX];

static struct {
    unsigned count, dealt;
    int current, last;                      /* part, and what was split off from it last, or NONE */
    bool by_age;                            /* the oldest one is split next */
} state;

/* The nodes before this part: one step is taken at each, and those of the parts that begin otherwise are asleep. */
static void lead_to(int part)
{
    static int way[STEPS_MAX];              /* the part behind each step */

    for (int p = part; parts[p].depth > 0; p = parts[p].before)
        way[parts[p].depth - 1] = p;
    path.nodes[0].sleep_count = 0;
    for (unsigned i = 0; i < parts[part].depth; i++) {
        struct node *n = &path.nodes[i];

        n->op = parts[way[i]].op;
        n->expected = 0;
        n->tree = TREE_NONE;
        for (int z = parts[way[i]].sibling; z != NONE; z = parts[z].sibling)
            sleep_add(n, &parts[z].op);
        n[1].deviations = (uint16_t)(n->deviations + op_deviations(&n->op));
        sleep_inherit(i + 1);
    }
}

static void begin_part(int part)
{
    state.current = part;
    state.last = NONE;
    lead_to(part);
    path.fixed = path.root = parts[part].depth;
    path.nodes[path.root].tree = TREE_NONE;
    tally_begin(&path.nodes[path.root].tally, path.executions);
    path.known = path.race_count = 0;
    path.revalued = false;
    forget_accesses(0);
}

void parts_begin(void)
{
    state.count = 1;
    state.dealt = 0;
    state.by_age = false;
    parts[0] = (struct part){.before = NONE, .sibling = NONE, .size = 1};
    path.splitting = true;
    path.parts_enough = ENOUGH;
    begin_part(0);
}

void parts_add(bool more)
{
    struct part *p = &parts[state.count];

    if (path.barren < path.root)            /* all of it is in other parts */
        return;
    if (state.count == PARTS_MAX) {
        path.clipped = true;
        return;
    }
    *p = (struct part){.op = path.nodes[path.root - 1].op, .before = state.current, .sibling = state.last,
                       .depth = path.root, .size = 1};
    p->op.elsewhere = !p->op.vain;          /* where it sleeps */
    p->taken = path.cut && p->op.vain;      /* it has no executions: see dpor_spin.c */
    if (more)
        p->size += (uint64_t)tally_left(path.nodes + path.root, path.fixed - path.root, tree_pool, path.deviations_max,
                                        path.executions);
    state.last = (int)state.count++;
}

/* The oldest part, or the largest one, of at least so many executions; NONE: there is none. */
static int choose(bool by_age, uint64_t size_min)
{
    int best = NONE;

    for (int p = 0; p < (int)state.count; p++)
        if (!parts[p].taken && parts[p].size >= size_min &&
            (best == NONE || (!by_age && parts[p].size > parts[best].size)))
            best = p;
    return best;
}

static int choose_to_split(void)
{
    state.by_age = !state.by_age;
    return state.count < path.parts_enough ? choose(state.by_age, 2) : NONE;
}

bool parts_next(void)
{
    int p = NONE;

    parts[state.current].taken = true;
    if (path.splitting)
        p = choose_to_split();
    if (p == NONE) {
        path.splitting = false;
        do {
            p = choose(false, 0);
            if (p == NONE)
                return false;
            parts[p].taken = true;
        } while (state.dealt++ % path.shard.count != path.shard.index);
    }
    begin_part(p);
    return true;
}

uint64_t parts_left(void)
{
    uint64_t left = 0;

    for (unsigned p = 0; p < state.count; p++)
        left += parts[p].taken ? 0 : parts[p].size;
    return left / path.shard.count;
}

/* ---- saving */

void parts_save(FILE *out)
{
    number_write(out, path.splitting);
    number_write(out, state.count);
    for (unsigned p = 1; p < state.count; p++) {
        fputc('\n', out);
        op_save(out, &parts[p].op);
        number_write(out, (uint64_t)parts[p].before);
        number_write(out, (uint64_t)(parts[p].sibling + 1));
        number_write(out, parts[p].size);
        number_write(out, parts[p].taken);
    }
    number_write(out, parts[0].taken);
    number_write(out, state.dealt);
    number_write(out, (uint64_t)state.current);
    number_write(out, (uint64_t)(state.last + 1));
    number_write(out, state.by_age);
}

void parts_load(struct numbers *in)
{
    int last;

    path.splitting = number_read(in, 1);
    state.count = (unsigned)number_read(in, PARTS_MAX);
    for (unsigned p = 1; p < state.count && !in->bad; p++) {
        op_load(in, &parts[p].op);
        parts[p].before = (int)number_read(in, p - 1);
        parts[p].sibling = (int)number_read(in, p) - 1;
        parts[p].size = number_read(in, UINT64_MAX);
        parts[p].taken = number_read(in, 1);
        parts[p].depth = parts[parts[p].before].depth + 1;
        in->bad |= parts[p].depth >= STEPS_MAX;
    }
    parts[0].taken = number_read(in, 1);
    state.dealt = (unsigned)number_read(in, UINT32_MAX);
    state.current = (int)number_read(in, state.count - 1);
    last = (int)number_read(in, state.count) - 1;
    state.by_age = number_read(in, 1);
    if (in->bad)
        return;
    begin_part(state.current);
    state.last = last;
}
