/*
 * detach.c - detach, completion, cleanup.
 *
 * A binding is detached by whoever first needs it gone: a deregistration of either side, or the attach itself
 * when it came too late (E3).  Each side's callback is called once.  A side is done when its callback returned
 * STATUS_SUCCESS, or when it returned STATUS_PENDING and its Complete was seen, before or after (E10, E11).
 * Whoever makes the second side done goes on to the cleanup.  A Complete that comes inside its detach callback may
 * count at once: then cleanup runs with that callback still on a stack (PC-11, PD-25), and the binding stays until
 * it has returned (N-27).
 */
#include "choice.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "nmr/state.h"
#include "sites.h"

/* ---- cleanup */

/* Cleaned up, and no detach callback has yet to return. */
static void end_binding(struct binding *b)
{
    if (b->cleaned && !b->sides[SIDE_CLIENT].inside && !b->sides[SIDE_PROVIDER].inside)
        binding_gone(b);
}

static void cleanup_sides(struct binding *b)
{
    bool both = callback_has_cleanup(b, SIDE_CLIENT) && callback_has_cleanup(b, SIDE_PROVIDER);
    unsigned order = both ? profile_choose(SITE_ND_CLEANUP_ORDER) : 0;
    enum side first = order == 0 ? SIDE_CLIENT : SIDE_PROVIDER;
    enum side second = other_side(first);

    if (callback_has_cleanup(b, first))
        callback_cleanup(b, first);
    if (callback_has_cleanup(b, second))
        callback_cleanup(b, second);
    b->cleaned = true;
    end_binding(b);
}

static void cleanup_worker(void *binding)
{
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    cleanup_sides(binding);
}

static bool is_module(const struct binding *b, enum side side)
{
    return b->sides[side].registration->owner == CALLER_MODULE;
}

/* Both sides are done (N-18).  ND-10: here and now, or on a thread of NMR's own. */
static void cleanup(struct binding *b)
{
    bool module_cleanup;

    binding_set_state(b, BINDING_CLEANUP);
    fields_check_dispatch(b);
    fields_check(b->sides[SIDE_CLIENT].registration);
    fields_check(b->sides[SIDE_PROVIDER].registration);
    module_cleanup = (is_module(b, SIDE_CLIENT) && callback_has_cleanup(b, SIDE_CLIENT)) ||
                     (is_module(b, SIDE_PROVIDER) && callback_has_cleanup(b, SIDE_PROVIDER));
    if (module_cleanup && profile_choose(SITE_ND_CLEANUP_THREAD) == 1)
        race_spawned(sched_spawn(FIRST_WORKER, cleanup_worker, b));
    else
        cleanup_sides(b);
}

static void start_side(struct binding *b, enum side side);

static void side_done(struct binding *b, enum side side)
{
    enum side other = other_side(side);

    b->sides[side].detach = DETACH_DONE;
    if (b->sides[other].detach == DETACH_DONE) {
        cleanup(b);
    } else if (b->sides[other].last) {
        b->sides[other].last = false;
        start_side(b, other);
    }
}

/* ---- detach */

/* ND-27: a status that is neither STATUS_SUCCESS nor STATUS_PENDING counts as done; a detach cannot be refused. */
static void detach_side(struct binding *b, enum side side)
{
    struct binding_side *s = &b->sides[side];
    NTSTATUS status;

    s->detach = DETACH_IN_CALL;
    s->inside = true;
    status = callback_detach(b, side);
    if (is_module(b, side))
        sched_point(SITE_CALLBACK_RETURN);
    footprint_world(FOOTPRINT_COMPLETED, b->number, TOUCH_WRITE);  /* a completion that came meanwhile, or did not */
    s->inside = false;
    if (s->detach == DETACH_DONE)
        end_binding(b);
    else if (status == STATUS_PENDING && !s->completed)
        s->detach = DETACH_PENDING;
    else
        side_done(b, side);
}

static void detach_client_worker(void *binding)
{
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    detach_side(binding, SIDE_CLIENT);
}

static void detach_provider_worker(void *binding)
{
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    detach_side(binding, SIDE_PROVIDER);
}

/* ND-8: on this thread or on one of NMR's own, and so perhaps in parallel with the other side's (ND-6). */
static void start_side(struct binding *b, enum side side)
{
    b->sides[side].started = true;
    if (profile_choose(SITE_ND_DETACH_THREAD) == 0)
        detach_side(b, side);
    else
        race_spawned(sched_spawn(FIRST_WORKER, side == SIDE_CLIENT ? detach_client_worker : detach_provider_worker, b));
}

void detach_binding(struct binding *b)
{
    enum side first, second;

    binding_set_state(b, BINDING_DETACHING);
    fields_check_dispatch(b);
    first = profile_choose(SITE_ND_DETACH_ORDER) == 0 ? SIDE_CLIENT : SIDE_PROVIDER;
    second = other_side(first);
    b->sides[second].last = profile_choose(SITE_ND_DETACH_SECOND) == 1;
    start_side(b, first);
    if (!b->sides[second].last && !b->sides[second].started)
        start_side(b, second);              /* else it waits, or was started when the first side was done */
}

void detach_failed_client(struct binding *b)
{
    binding_set_state(b, BINDING_DETACHING);
    b->sides[SIDE_CLIENT].no_cleanup = profile_choose(SITE_ND_FAILED_CLEANUP) == 0;
    b->sides[SIDE_CLIENT].detach = DETACH_DONE;
    detach_side(b, SIDE_PROVIDER);
}

/* Bindings that are still being attached are left to the thread that attaches them (N-17, N-26). */
void detach_all(struct registration *r)
{
    for (uint32_t i = 0; i < binding_count(); i++) {
        struct binding *b = binding_get(i);

        if (b->sides[r->side].registration != r)
            continue;
        footprint_world(FOOTPRINT_BINDING, i, TOUCH_READ);
        if (b->state == BINDING_ATTACHED)
            detach_binding(b);
    }
}

/* ---- completion */

/* ND-9a, ND-10: what Complete does inside the detach callback that it ends. */
static bool counts_at_once(const struct binding *b, enum side side)
{
    return is_module(b, side) && profile_choose(SITE_ND_COMPLETE_INSIDE) == 1;
}

void nmr_detach_complete(enum caller who, enum side side, HANDLE handle, const void *pc)
{
    struct binding *b;
    struct bad bad;

    sched_point(side == SIDE_CLIENT ? SITE_NMR_CLIENT_COMPLETE : SITE_NMR_PROVIDER_COMPLETE);
    b = handle_binding(handle, side, &bad);
    event_emit(EV_ENTER + FRAME_NMR_COMPLETE, b ? b->number : NONE, side, ADDRESS(handle), who, 0, pc);
    irql_require_max(DISPATCH_LEVEL, pc);
    if (!b)
        handle_bugcheck(who, FRAME_NMR_COMPLETE, handle, bad, pc);
    order_after_callback(b);
    footprint_world(FOOTPRINT_COMPLETED, b->number, TOUCH_WRITE);
    switch (b->sides[side].detach) {
    case DETACH_NOT_CALLED:                 /* ND-9b */
        b->sides[side].completed = !profile_is(PROFILE_STRICT);
        break;
    case DETACH_IN_CALL:                    /* ND-9a */
        b->sides[side].completed = true;
        if (sched_self() != b->sides[side].detach_thread)
            b->sides[side].completed_event = event_count();
        if (counts_at_once(b, side))
            side_done(b, side);
        break;
    case DETACH_PENDING:
        side_done(b, side);
        break;
    case DETACH_DONE:                       /* ND-9c: the judges know it from the frame; nothing happens twice */
        break;
    }
    event_emit(EV_LEAVE + FRAME_NMR_COMPLETE, b->number, side, ADDRESS(handle), who, 0, pc);
}
