/*
 * callback.c - calls from NMR into client and provider modules.
 *
 * The only place that calls them.  Nothing of ours is half-changed and nothing is held around a callback (N-28);
 * the callback may call any NMR function and may let other threads run.  The frame's events are emitted at
 * the callback's own IRQL; the caller's IRQL is put back afterwards, whatever the module left.
 */
#include "choice.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "nmr/state.h"
#include "sites.h"

/* What a callback of a binding depends on besides the binding. */
static void touch(const struct binding *b, enum side side)
{
    footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
    footprint_world(FOOTPRINT_REGISTRATION, b->sides[SIDE_CLIENT].registration->number, TOUCH_READ);
    footprint_world(FOOTPRINT_REGISTRATION, b->sides[SIDE_PROVIDER].registration->number, TOUCH_READ);
    if (b->sides[side].registration->owner == CALLER_MODULE)
        footprint_world(FOOTPRINT_DETACHED, 0, TOUCH_READ);
}

/* Judges compare with other bindings: what a module attached to, what it calls, what it uses. */
static void touch_others(const struct binding *b, enum side side, enum footprint_object object, enum sched_touch how)
{
    if (b->sides[side].registration->owner == CALLER_MODULE)
        footprint_world(object, 0, how);
}

/* ND-7 leaves the IRQL open for the sites that ask: SITE_NONE does not.  Returns what end() has to restore. */
static unsigned begin(const struct binding *b, enum side side, const void *function, enum site_number irql_site)
{
    const struct registration *r = b->sides[side].registration;
    unsigned level = irql_get();

    touch(b, side);
    if (r->owner == CALLER_MODULE && image_gone()) {
        event_emit(EV_MISUSE, NONE, MISUSE_IMAGE_GONE, ADDRESS(function), 0, 0, function);
        sched_stop(VERDICT_FINDING);
    }
    order_before_callback(b);
    if (irql_site != SITE_NONE && r->owner == CALLER_MODULE && level < DISPATCH_LEVEL &&
        profile_choose(irql_site))
        irql_set(DISPATCH_LEVEL);
    return level;
}

static void end(const struct binding *b, unsigned level)
{
    order_after_callback(b);
    irql_set(level);
}

static void enter(const struct binding *b, enum frame frame, PVOID context, const void *function)
{
    event_emit((uint16_t)(EV_ENTER + frame), b->number, 0, ADDRESS(context), 0, 0, function);
}

static void leave(const struct binding *b, enum frame frame, NTSTATUS status, PVOID context, const void *function)
{
    event_emit((uint16_t)(EV_LEAVE + frame), b->number, status, ADDRESS(context), 0, 0, function);
}

/* Did the running thread touch the context's memory when that many events had happened, or later? */
static bool touched(PVOID context, unsigned events)
{
    const struct pool_block *block = pool_find(context, NULL);

    return block && block->touched_event[sched_self()] > events;
}

/* enum detach_touched: which of the module's contexts this detach callback used, from that many events on. */
static unsigned detach_touched(const struct binding *b, enum side side, unsigned events)
{
    const struct binding_side *s = &b->sides[side];
    unsigned what = touched(s->context, events) ? DETACH_TOUCHED_OWN : 0;

    if (s->completed_event && touched(s->context, s->completed_event))
        what |= DETACH_TOUCHED_LATE;
    for (uint32_t i = 0; i < binding_count(); i++) {
        const struct binding *other = binding_get(i);

        if (other != b && other->sides[side].registration->owner == CALLER_MODULE &&
            touched(other->sides[side].context, events))
            what |= DETACH_TOUCHED_OTHER;
    }
    return what;
}

NTSTATUS callback_client_attach(struct binding *b)
{
    struct registration *client = b->sides[SIDE_CLIENT].registration;
    struct registration *provider = b->sides[SIDE_PROVIDER].registration;
    PNPI_CLIENT_ATTACH_PROVIDER_FN attach = client_of(client)->ClientAttachProvider;
    unsigned level = begin(b, SIDE_CLIENT, CODE(attach), SITE_NONE);
    NTSTATUS status;

    event_emit(EV_ENTER + FRAME_CLIENT_ATTACH, b->number,
               client->owner == CALLER_MODULE ? provider->flags : 0, ADDRESS(client->context), 0, 0,
               CODE(attach));
    status = attach(b->sides[SIDE_CLIENT].handle, client->context, provider->instance);
    touch_others(b, SIDE_CLIENT, FOOTPRINT_ENDING, TOUCH_READ);
    leave(b, FRAME_CLIENT_ATTACH, status, NULL, CODE(attach));
    end(b, level);
    return status;
}

NTSTATUS callback_provider_attach(struct binding *b, const VOID *client_dispatch, struct attach_disturbance d)
{
    struct registration *client = b->sides[SIDE_CLIENT].registration;
    struct registration *provider = b->sides[SIDE_PROVIDER].registration;
    PNPI_PROVIDER_ATTACH_CLIENT_FN attach = provider_of(provider)->ProviderAttachClient;
    PVOID context = b->sides[SIDE_CLIENT].context;
    PVOID context_canary = handle_make(TOKEN_GARBAGE, SIDE_PROVIDER, b->number);
    const VOID *dispatch_canary = handle_make(TOKEN_GARBAGE, SIDE_PROVIDER, b->number);
    unsigned level = begin(b, SIDE_PROVIDER, CODE(attach), SITE_NONE);
    unsigned flags = d.flags;
    uint64_t written = 0;
    NTSTATUS status;

    flags |= d.null_context_out ? ATTACH_NULL_CONTEXT_OUT : 0u;
    flags |= d.null_dispatch_out ? ATTACH_NULL_DISPATCH_OUT : 0u;
    flags |= client_dispatch ? 0u : ATTACH_NO_DISPATCH;
    b->context_slot = context_canary;
    b->dispatch_slot = dispatch_canary;
    event_emit(EV_ENTER + FRAME_PROVIDER_ATTACH, b->number, flags, ADDRESS(provider->context), ADDRESS(context),
               ADDRESS(client_dispatch), CODE(attach));
    status = attach(b->sides[SIDE_PROVIDER].handle, provider->context, client->instance, context, client_dispatch,
                    d.null_context_out ? NULL : &b->context_slot, d.null_dispatch_out ? NULL : &b->dispatch_slot);
    touch_others(b, SIDE_PROVIDER, FOOTPRINT_ENDING, TOUCH_READ);
    written |= b->context_slot != context_canary ? 1u : 0u;
    written |= b->dispatch_slot != dispatch_canary ? 2u : 0u;
    event_emit(EV_LEAVE + FRAME_PROVIDER_ATTACH, b->number, status, ADDRESS(b->context_slot),
               ADDRESS(b->dispatch_slot), written, CODE(attach));
    end(b, level);
    return status;
}

NTSTATUS callback_detach(struct binding *b, enum side side)
{
    struct registration *r = b->sides[side].registration;
    /* Two names of one type: NTSTATUS (PVOID BindingContext). */
    PNPI_CLIENT_DETACH_PROVIDER_FN detach = side == SIDE_CLIENT ? client_of(r)->ClientDetachProvider
                                                                : provider_of(r)->ProviderDetachClient;
    enum frame frame = side == SIDE_CLIENT ? FRAME_CLIENT_DETACH : FRAME_PROVIDER_DETACH;
    PVOID context = b->sides[side].context;
    unsigned level, events, what = 0;
    NTSTATUS status;

    fields_check(r);
    level = begin(b, side, CODE(detach), SITE_ND_DETACH_IRQL);
    touch_others(b, side, FOOTPRINT_ENDING, TOUCH_RELEASE);
    enter(b, frame, context, CODE(detach));
    events = event_count();
    b->sides[side].detach_thread = sched_self();
    status = detach(context);
    if (r->owner == CALLER_MODULE)
        what = detach_touched(b, side, events);
    if (r->owner == CALLER_MODULE) {
        footprint_world(FOOTPRINT_CALLED, b->number, TOUCH_WRITE);
        footprint_world(FOOTPRINT_SERVED, b->number, TOUCH_WRITE);
        footprint_world(FOOTPRINT_DETACHED, 0, TOUCH_RELEASE);
    }
    event_emit((uint16_t)(EV_LEAVE + frame), b->number, status, ADDRESS(context), 0, what, CODE(detach));
    end(b, level);
    return status;
}

static PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN cleanup_of(const struct binding *b, enum side side)
{
    const struct registration *r = b->sides[side].registration;

    return side == SIDE_CLIENT ? client_of(r)->ClientCleanupBindingContext
                               : provider_of(r)->ProviderCleanupBindingContext;
}

bool callback_has_cleanup(const struct binding *b, enum side side)
{
    return cleanup_of(b, side) && !b->sides[side].no_cleanup;
}

void callback_cleanup(struct binding *b, enum side side)
{
    PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN cleanup = cleanup_of(b, side);
    enum frame frame = side == SIDE_CLIENT ? FRAME_CLIENT_CLEANUP : FRAME_PROVIDER_CLEANUP;
    PVOID context = b->sides[side].context;
    unsigned level = begin(b, side, CODE(cleanup), SITE_ND_CLEANUP_IRQL);

    touch_others(b, side, FOOTPRINT_ENDING, TOUCH_RELEASE);
    enter(b, frame, context, CODE(cleanup));
    cleanup(context);
    leave(b, frame, 0, context, CODE(cleanup));
    end(b, level);
}
