/*
 * attach.c - offering pairs, and what goes on inside ClientAttachProvider.
 *
 * When a registration enters the table it is offered to every counterpart that is there already, on its own
 * thread (E2).  Of any two registrations exactly one finds the other there, however the calls interleave,
 * because looking and entering are not divided by a scheduling point: so each pair is offered once (N-3, N-4).
 */
#include <string.h>

#include "choice.h"
#include "kernel/kernel.h"
#include "nmr/state.h"
#include "sites.h"

static struct attach_disturbance disturbance;

void attach_reset(void)
{
    disturbance = (struct attach_disturbance){0};
}

void nmr_disturb_attach(struct attach_disturbance d)
{
    disturbance = d;
}

/* ---- offers */

/* N-1, N-2: the value of the NPI identifier decides, and nothing else. */
static bool match(const struct registration *r, const struct registration *other)
{
    return other->side != r->side && registration_accepts(other) &&
           memcmp(r->instance->NpiId, other->instance->NpiId, sizeof(NPIID)) == 0;
}

unsigned attach_counterparts(const struct registration *r)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < r->number; i++)
        n += match(r, registration_get(i));
    return n;
}

static bool detach_asked(const struct binding *b)
{
    return !registration_accepts(b->sides[SIDE_CLIENT].registration) ||
           !registration_accepts(b->sides[SIDE_PROVIDER].registration);
}

/* ClientAttachProvider has returned. */
static void finish(struct binding *b, NTSTATUS status)
{
    if (b->outside)
        sched_stop(VERDICT_OUTSIDE);
    if (b->state != BINDING_ACCEPTED) {     /* declined; or STATUS_SUCCESS without an attach (ND-21) */
        binding_gone(b);
    } else if (!NT_SUCCESS(status)) {
        detach_failed_client(b);
    } else {
        binding_set_state(b, BINDING_ATTACHED);
        if (detach_asked(b))                /* a late comer (E3, N-26): nobody else will detach it */
            detach_binding(b);
    }
}

static void offer(struct registration *r, struct registration *other)
{
    struct binding *b;

    fields_check(r);
    fields_check(other);
    if (!registration_accepts(r) || !match(r, other))
        return;
    if (profile_choose(SITE_ND_BINDING_MEMORY) == 1)
        return;                             /* ND-28: no memory for a binding, the pair is passed over */
    b = r->side == SIDE_CLIENT ? binding_create(r, other) : binding_create(other, r);
    finish(b, callback_client_attach(b));
}

void attach_offer_all(struct registration *r)
{
    bool reverse = attach_counterparts(r) > 1 && profile_choose(SITE_ND_OFFER_ORDER) == 1;

    for (uint32_t i = 0; i < r->number && registration_accepts(r); i++) {
        struct registration *other = registration_get(reverse ? r->number - 1 - i : i);

        if (other->side != r->side && registration_accepts(other))
            offer(r, other);
    }
}

/* ---- NmrClientAttachProvider */

static void tell_place(uint16_t kind, const struct binding *b, enum side side, const void *address, const void *pc)
{
    uint32_t object = NONE;
    enum place place = memory_place(address, &object);

    event_emit(kind, b->number, place, ADDRESS(address), object, side, pc);
}

/* What the module attaches with. */
static void tell_side(struct binding *b, enum side side, const VOID *dispatch, const void *pc)
{
    tell_place(EV_BINDING_CONTEXT, b, side, b->sides[side].context, pc);
    tell_place(EV_BINDING_DISPATCH, b, side, dispatch, pc);
    fields_watch_dispatch(b, side, dispatch, pc);
}

/* The provider attached.  Any success code counts (ND-20); NULL is a context and a table like any other (N-9). */
static void accept(struct binding *b)
{
    const struct registration *provider = b->sides[SIDE_PROVIDER].registration;

    b->sides[SIDE_PROVIDER].context = b->context_slot;
    binding_set_state(b, BINDING_ACCEPTED);
    if (provider->owner == CALLER_MODULE)
        tell_side(b, SIDE_PROVIDER, b->dispatch_slot, CODE(provider_of(provider)->ProviderAttachClient));
}

static NTSTATUS propose(struct binding *b, PVOID context, const VOID *dispatch, struct attach_disturbance d,
                        const void *pc)
{
    NTSTATUS status;

    fields_check(b->sides[SIDE_PROVIDER].registration);
    b->sides[SIDE_CLIENT].context = context;
    b->sides[SIDE_PROVIDER].completed = false;
    if (b->sides[SIDE_CLIENT].registration->owner == CALLER_MODULE)
        tell_side(b, SIDE_CLIENT, dispatch, pc);
    binding_set_state(b, BINDING_PROPOSING);
    status = callback_provider_attach(b, dispatch, d);
    /* A simulated provider that does what no provider may: the client is judged until its callback has returned. */
    if (status != STATUS_SUCCESS && NT_SUCCESS(status) && profile_is(PROFILE_STRICT)) {
        binding_set_state(b, BINDING_OFFERED);
        return status;
    }
    if (NT_SUCCESS(status) && status != STATUS_SUCCESS)
        b->outside = b->sides[SIDE_PROVIDER].registration->owner == CALLER_PEER;
    if (NT_SUCCESS(status))
        accept(b);
    else
        binding_set_state(b, BINDING_OFFERED);
    return status;
}

/* ND-13: what the client's variables hold after a failure means nothing (N-10). */
static void fail_outs(const struct binding *b, PVOID *context, const VOID **dispatch)
{
    enum { UNTOUCHED, CLEARED, GARBAGE };
    unsigned answer = profile_choose(SITE_ND_FAILED_OUTS);

    if (answer == UNTOUCHED || !context || !dispatch)
        return;
    *context = answer == CLEARED ? NULL : handle_make(TOKEN_GARBAGE, SIDE_CLIENT, b->number);
    *dispatch = answer == CLEARED ? NULL : handle_make(TOKEN_GARBAGE, SIDE_CLIENT, b->number);
}

static void pass_outs(const struct binding *b, PVOID *context, const VOID **dispatch)
{
    if (context)
        *context = b->context_slot;
    if (dispatch)
        *dispatch = b->dispatch_slot;
}

NTSTATUS nmr_client_attach_provider(enum caller who, HANDLE handle, PVOID context, const VOID *dispatch,
                                    PVOID *provider_context, const VOID **provider_dispatch, const void *pc)
{
    struct attach_disturbance d = disturbance;
    struct binding *b;
    struct bad bad;
    NTSTATUS status;

    attach_reset();
    sched_point(SITE_NMR_CLIENT_ATTACH);
    b = handle_binding(handle, SIDE_CLIENT, &bad);
    event_emit(EV_ENTER + FRAME_NMR_CLIENT_ATTACH, b ? b->number : NONE, 0, ADDRESS(handle), who, ADDRESS(dispatch),
               pc);
    irql_require_max(PASSIVE_LEVEL, pc);
    if (!b)
        handle_bugcheck(who, FRAME_NMR_CLIENT_ATTACH, handle, bad, pc);
    if (who == CALLER_MODULE) {
        memory_use(provider_context, sizeof *provider_context, true, pc);
        memory_use(provider_dispatch, sizeof *provider_dispatch, true, pc);
    }
    /* ND-23, ND-24: only inside the callback of this binding, and only until one proposal has succeeded. */
    if (b->state != BINDING_OFFERED || b->attach_thread != sched_self())
        status = STATUS_INVALID_DEVICE_STATE;
    else if (who == CALLER_MODULE && choice_ask(CHOICE_FAULT, sched_self(), SITE_NMR_CLIENT_ATTACH, 2) == 1)
        status = STATUS_INSUFFICIENT_RESOURCES;     /* ND-14: the provider is not even asked */
    else
        status = propose(b, context, dispatch, d, pc);
    if (NT_SUCCESS(status)) {
        pass_outs(b, provider_context, provider_dispatch);
        sched_point(SITE_ATTACHED);
    } else if (who == CALLER_MODULE) {
        fail_outs(b, provider_context, provider_dispatch);
    }
    event_emit(EV_LEAVE + FRAME_NMR_CLIENT_ATTACH, b->number, status, ADDRESS(handle), who, 0, pc);
    return status;
}
