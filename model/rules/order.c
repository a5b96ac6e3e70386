/*
 * order.c - two locks that two threads take in opposite orders: they can wait for each other, even if this time they
 * did not.
 *
 * An edge says that a thread wanted one lock while it held another.  Two edges between the same locks in opposite
 * directions are an inversion when they are of two threads, when each acquisition would have had to wait for the other
 * thread's (not two shared ones, not one that only tries), and when nothing keeps the two apart: a third lock that was
 * held both times (Goodlock: Havelund 2000), or NMR, whose attach, detach and cleanup callbacks of one binding come one
 * after the other.  Cycles of more than two locks are left to HANG-1.
 */
#include "view.h"

enum { EDGES_MAX = 128, GUARDS_MAX = VIEW_LOCKS_MAX };

static struct edge {
    uint32_t held, wanted;
    uint32_t binding;                       /* whose attach, detach or cleanup callback it was in, or NONE */
    uint8_t thread;
    bool held_shared, wanted_shared;
    uint8_t guard_count;
    uint32_t guards[GUARDS_MAX];            /* other locks that it held */
} edges[EDGES_MAX];
static unsigned edge_count;

void order_begin(void)
{
    edge_count = 0;
}

static bool is_shared(int64_t kind)
{
    return kind == LOCK_EX_SHARED || kind == LOCK_PUSH_SHARED || kind == LOCK_RESOURCE_SHARED;
}

static bool guarded(const struct edge *a, const struct edge *b)
{
    for (unsigned i = 0; i < a->guard_count; i++)
        for (unsigned k = 0; k < b->guard_count; k++)
            if (a->guards[i] == b->guards[k])
                return true;
    return false;
}

static bool inverts(const struct edge *a, const struct edge *b)
{
    return a->held == b->wanted && a->wanted == b->held && a->thread != b->thread && !guarded(a, b) &&
           (a->binding != b->binding || a->binding == NONE) &&
           !(a->held_shared && b->wanted_shared) && !(a->wanted_shared && b->held_shared);
}

static uint32_t binding_of(unsigned thread)
{
    const struct view_frame *f = view_module_frame(thread);

    return f && (view_is_attach(f->frame) || view_is_detach(f->frame) || view_is_cleanup(f->frame)) ? f->object : NONE;
}

static struct edge make_edge(const struct event *e, unsigned thread, unsigned held)
{
    const struct view_thread *w = &view.threads[thread];
    struct edge edge = {.held = w->locks[held].object, .wanted = e->object, .binding = binding_of(thread),
                        .thread = (uint8_t)thread, .held_shared = is_shared(w->locks[held].kind),
                        .wanted_shared = is_shared(e->value)};

    for (unsigned i = 0; i < w->lock_count; i++)
        if (i != held)
            edge.guards[edge.guard_count++] = w->locks[i].object;
    return edge;
}

/* An edge like it, which excuses no more, is there already. */
static bool is_known(const struct edge *edge)
{
    for (unsigned i = 0; i < edge_count; i++)
        if (edges[i].held == edge->held && edges[i].wanted == edge->wanted && edges[i].thread == edge->thread &&
            (edges[i].binding == NONE || edges[i].binding == edge->binding) &&
            edges[i].held_shared <= edge->held_shared && edges[i].wanted_shared <= edge->wanted_shared &&
            edges[i].guard_count == 0)
            return true;
    return false;
}

static void wanted(const struct event *e, unsigned thread)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned held = 0; held < w->lock_count; held++) {
        struct edge edge = make_edge(e, thread, held);

        for (unsigned i = 0; i < edge_count; i++)
            if (inverts(&edge, &edges[i]))
                REPORT(e, RULE_KRN_11, "%s %u is wanted with %s %u held; another thread took them the other way round",
                       lock_names[e->value], edge.wanted, lock_names[w->locks[held].kind], edge.held);
        if (edge_count < EDGES_MAX && !is_known(&edge))
            edges[edge_count++] = edge;
    }
}

static void acquired(const struct event *e)
{
    if (e->c == 0)
        wanted(e, e->thread);
}

static void blocked(const struct event *e)
{
    if (lock_kind_is_lock(e->value))
        wanted(e, e->thread);
}

static void kept_out(const struct event *e)
{
    wanted(e, (unsigned)e->b);
}

void order_watch(void)
{
    event_add_judge_of(EV_LOCK_ACQUIRE, acquired);
    event_add_judge_of(EV_BLOCK, blocked);
    event_add_judge_of(EV_KEPT_OUT, kept_out);
}
