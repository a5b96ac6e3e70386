/*
 * registration.c - registering, deregistering, waiting.
 *
 * What the nine functions promise a driver is said in calls.c.
 */
#include <assert.h>
#include <string.h>

#include "check.h"
#include "choice.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "nmr/state.h"
#include "sites.h"

static struct registration registrations[REGISTRATIONS_MAX];
static uint32_t count;
static unsigned odd_flags;                  /* of the next registration of a counterpart */

void registration_reset(void)
{
    memset(registrations, 0, count * sizeof *registrations);
    count = 0;
    odd_flags = 0;
    nmr_set_profile(PROFILE_WINDOWS);
}

void nmr_registers_oddly(unsigned flags)
{
    odd_flags = flags;
}

void nmr_reset(void)
{
    registration_reset();
    binding_reset();
    handle_reset();
    attach_reset();
    wsk_reset();
}

uint32_t registration_count(void)
{
    return count;
}

struct registration *registration_get(uint32_t number)
{
    CHECK(number < count);
    return &registrations[number];
}

/*
 * NONE           not registered, or registering failed
 * REGISTERING    inside NmrRegister…; callbacks may run already
 * REGISTERED
 * DEREGISTERING  from the entry of NmrDeregister…: no new offers (N-25)
 * DRAINED        no binding is left, none is being attached
 * CLOSED         NmrWait… has returned STATUS_SUCCESS; the handle is dead
 */
static void set_state(struct registration *r, enum registration_state next)
{
#define TO(state) (1u << REGISTRATION_##state)
    static const unsigned transitions[] = {
        [REGISTRATION_NONE]          = TO(REGISTERING),
        [REGISTRATION_REGISTERING]   = TO(REGISTERED) | TO(DEREGISTERING),
        [REGISTRATION_REGISTERED]    = TO(DEREGISTERING),
        [REGISTRATION_DEREGISTERING] = TO(DRAINED),
        [REGISTRATION_DRAINED]       = TO(CLOSED),
        [REGISTRATION_CLOSED]        = 0,
    };
#undef TO
    static_assert(sizeof transitions / sizeof *transitions == REGISTRATION_CLOSED + 1, "one row for each state");

    CHECK(transitions[r->state] & 1u << next);
    r->state = next;
    event_emit(EV_REGISTRATION_STATE, r->number, next, 0, r->owner == CALLER_MODULE, r->peer, NULL);
}

bool registration_accepts(const struct registration *r)
{
    footprint_world(FOOTPRINT_REGISTRATION, r->number, TOUCH_READ);
    return r->state == REGISTRATION_REGISTERING || r->state == REGISTRATION_REGISTERED;
}

static bool has_binding(const struct registration *r)
{
    for (uint32_t i = 0; i < binding_count(); i++) {
        const struct binding *b = binding_get(i);

        if (b->sides[r->side].registration != r)
            continue;
        footprint_world(FOOTPRINT_BINDING, b->number, TOUCH_READ);
        if (b->state != BINDING_GONE)
            return true;
    }
    return false;
}

void registration_drain(struct registration *r)
{
    footprint_world(FOOTPRINT_REGISTRATION, r->number, TOUCH_READ);
    if (r->state != REGISTRATION_DEREGISTERING || has_binding(r))
        return;
    footprint_world(FOOTPRINT_DRAINED, r->number, TOUCH_WRITE);
    set_state(r, REGISTRATION_DRAINED);
    sched_release(&r->waiters);
}

/* ---- register */

static struct registration *create(enum caller who, unsigned peer, enum side side, const void *characteristics)
{
    struct registration *r;

    if (count == REGISTRATIONS_MAX)
        sched_stop(VERDICT_MEMORY);
    r = &registrations[count];
    r->number = count++;
    r->owner = who;
    r->peer = peer;
    r->side = side;
    r->characteristics = characteristics;
    return r;
}

/* ND-12: whether registering works, and with what status it does not. */
static NTSTATUS admit(const struct registration *r)
{
    static const NTSTATUS answers[] = {STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_NO_MEMORY};
    unsigned site = r->side == SIDE_CLIENT ? SITE_NMR_REGISTER_CLIENT : SITE_NMR_REGISTER_PROVIDER;

    if (r->owner == CALLER_PEER)
        return STATUS_SUCCESS;
    fields_tell(r);
    if (!fields_well_formed(r))
        return STATUS_INVALID_PARAMETER;
    return answers[choice_ask(CHOICE_FAULT, sched_self(), site, sizeof answers / sizeof *answers)];
}

/* ND-12: what the handle holds after a failure. */
static void fail_handle(const struct registration *r, PHANDLE handle)
{
    if (!handle)
        return;
    switch (profile_choose(SITE_ND_FAILED_HANDLE)) {
    case 1:
        *handle = NULL;
        break;
    case 2:
        *handle = handle_make(TOKEN_GARBAGE, r->side, r->number);
        break;
    default:
        break;
    }
}

static void offer_worker(void *registration)
{
    struct registration *r = registration;

    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    if (registration_accepts(r))            /* or its structures may be gone by now */
        attach_offer_all(r);
    r->offered = true;
    sched_release(&r->offering);
}

/* ND-2: on this thread; on another one while this one waits, or later. */
static void offer_all(struct registration *r)
{
    enum { CALLER, WORKER, LATER };
    unsigned where = attach_counterparts(r) > 0 ? profile_choose(SITE_ND_ATTACH_THREAD) : CALLER;

    if (where == CALLER) {
        attach_offer_all(r);
        return;
    }
    race_spawned(sched_spawn(FIRST_WORKER, offer_worker, r));
    while (where == WORKER && !r->offered)
        sched_block(&r->offering, SITE_CALLBACK_RETURN, SCHED_FOREVER);
}

/* From here on the registration can be found by others.  ND-1: the handle is written before the callbacks or after. */
static void enlist(struct registration *r, PHANDLE handle)
{
    bool late = r->owner == CALLER_MODULE && attach_counterparts(r) > 0 &&
                profile_choose(SITE_ND_HANDLE_WRITTEN) == 1;

    r->handle = handle_make(TOKEN_REGISTRATION, r->side, r->number);
    fields_remember(r);
    order_begin_registration(r);
    set_state(r, REGISTRATION_REGISTERING);
    if (!late)
        *handle = r->handle;
    offer_all(r);
    if (late)
        *handle = r->handle;
    if (r->state == REGISTRATION_REGISTERING)        /* a callback may have deregistered it meanwhile */
        set_state(r, REGISTRATION_REGISTERED);
}

static NTSTATUS register_module(struct registration *r, PHANDLE handle, const void *pc)
{
    NTSTATUS status;

    r->pc = pc;
    event_emit(EV_ENTER + FRAME_NMR_REGISTER, r->number, r->side, ADDRESS(r->characteristics), r->owner,
               ADDRESS(handle), pc);
    irql_require_max(PASSIVE_LEVEL, pc);
    if (r->owner == CALLER_MODULE)
        memory_use(handle, sizeof *handle, true, pc);
    status = handle ? admit(r) : STATUS_INVALID_PARAMETER;
    if (status == STATUS_SUCCESS)
        enlist(r, handle);
    else
        fail_handle(r, handle);
    event_emit(EV_LEAVE + FRAME_NMR_REGISTER, r->number, status, ADDRESS(r->handle), r->owner, 0, pc);
    return status;
}

NTSTATUS nmr_register_client(enum caller who, unsigned peer, PNPI_CLIENT_CHARACTERISTICS c, PVOID context,
                             PHANDLE handle, const void *pc)
{
    struct registration *r;

    sched_point(SITE_NMR_REGISTER_CLIENT);
    r = create(who, peer, SIDE_CLIENT, c);
    r->instance = c ? &c->ClientRegistrationInstance : NULL;
    r->context = context;
    return register_module(r, handle, pc);
}

NTSTATUS nmr_register_provider(enum caller who, unsigned peer, PNPI_PROVIDER_CHARACTERISTICS c, PVOID context,
                               PHANDLE handle, const void *pc)
{
    unsigned flags = odd_flags;
    struct registration *r;

    odd_flags = 0;                          /* before anybody else can register */
    sched_point(SITE_NMR_REGISTER_PROVIDER);
    r = create(who, peer, SIDE_PROVIDER, c);
    r->flags = flags;
    r->instance = c ? &c->ProviderRegistrationInstance : NULL;
    r->context = context;
    return register_module(r, handle, pc);
}

/* ---- deregister and wait */

/* The handle is dead from here on.  Several threads may wait for one registration; the first to go on closes it. */
static void end(struct registration *r)
{
    order_wait(r);
    if (r->state == REGISTRATION_CLOSED)
        return;
    fields_check(r);
    set_state(r, REGISTRATION_CLOSED);
}

/* STATUS_PENDING always, even when all is over already (E1).  ND-11: or STATUS_SUCCESS then, and the handle is dead. */
static NTSTATUS deregistered_status(struct registration *r)
{
    if (r->owner == CALLER_MODULE)
        footprint_world(FOOTPRINT_DRAINED, r->number, TOUCH_READ);
    if (r->state != REGISTRATION_DRAINED || r->owner != CALLER_MODULE || !profile_choose(SITE_ND_DEREGISTER_STATUS))
        return STATUS_PENDING;
    end(r);
    return STATUS_SUCCESS;
}

NTSTATUS nmr_deregister(enum caller who, enum side side, HANDLE handle, const void *pc)
{
    NTSTATUS status;
    struct registration *r;
    struct bad bad;
    uint32_t object;

    sched_point(side == SIDE_CLIENT ? SITE_NMR_DEREGISTER_CLIENT : SITE_NMR_DEREGISTER_PROVIDER);
    r = handle_registration(handle, side, &bad);
    object = r ? r->number : NONE;
    event_emit(EV_ENTER + FRAME_NMR_DEREGISTER, object, side, ADDRESS(handle), who, 0, pc);
    irql_require_max(DISPATCH_LEVEL, pc);
    if (!r)
        handle_bugcheck(who, FRAME_NMR_DEREGISTER, handle, bad, pc);
    if (registration_accepts(r)) {
        order_begin_registration(r);
        set_state(r, REGISTRATION_DEREGISTERING);
        detach_all(r);
        registration_drain(r);
        status = deregistered_status(r);
    } else {
        bad.why = HANDLE_TWICE;
        handle_tell_bad(who, FRAME_NMR_DEREGISTER, handle, bad, pc);
        status = STATUS_INVALID_PARAMETER;
    }
    event_emit(EV_LEAVE + FRAME_NMR_DEREGISTER, object, status, ADDRESS(handle), who, 0, pc);
    return status;
}

static void wait_until_drained(struct registration *r, unsigned site, const void *pc)
{
    sched_touch_wait(&r->waiters);
    if (r->state == REGISTRATION_DEREGISTERING) {
        event_emit(EV_BLOCK, r->number, SYNC_REGISTRATION, 0, 0, 0, pc);
        while (r->state == REGISTRATION_DEREGISTERING)
            sched_block(&r->waiters, site, SCHED_FOREVER);
        sched_all_left(&r->waiters);        /* bindings, of which the last one released */
        event_emit(EV_WAKE, r->number, SYNC_REGISTRATION, 0, 0, 0, pc);
    }
    end(r);
}

NTSTATUS nmr_wait(enum caller who, enum side side, HANDLE handle, const void *pc)
{
    unsigned site = side == SIDE_CLIENT ? SITE_NMR_WAIT_CLIENT : SITE_NMR_WAIT_PROVIDER;
    NTSTATUS status = STATUS_SUCCESS;
    struct registration *r;
    struct bad bad;
    uint32_t object;

    sched_point(site);
    r = handle_registration(handle, side, &bad);
    object = r ? r->number : NONE;
    event_emit(EV_ENTER + FRAME_NMR_WAIT, object, side, ADDRESS(handle), who, 0, pc);
    irql_require_max(APC_LEVEL, pc);
    if (r && !registration_accepts(r)) {
        wait_until_drained(r, site, pc);
    } else {
        if (r)
            bad.why = HANDLE_NOT_DEREGISTERED;
        handle_tell_bad(who, FRAME_NMR_WAIT, handle, bad, pc);
        status = STATUS_INVALID_PARAMETER;
    }
    event_emit(EV_LEAVE + FRAME_NMR_WAIT, object, status, ADDRESS(handle), who, 0, pc);
    return status;
}
