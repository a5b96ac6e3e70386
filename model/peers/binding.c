/* binding.c - bindings of counterparts: calls in both directions, detach, cleanup.  See state.h. */
#include <string.h>

#include "check.h"
#include "event.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "nmr/nmr.h"
#include "peers/state.h"
#include "sched.h"

/* Answers of the sites PEER_…, in the order of sites.def. */
enum { CONTEXT_OWN, CONTEXT_NULL, CONTEXT_SHARED };
enum { DETACH_WHEN_IDLE, DETACH_PENDING, DETACH_COMPLETE_INSIDE };

/*
 * What a real module's lock orders, for the race detector: a call comes after the attach, and the end of a detach
 * after all calls.  Two calls are not ordered by each other.
 */
enum { RACE_KEY_ATTACHED = 1 << 24, RACE_KEY_CALLED = 1 << 25 };

static struct peer_binding bindings[BINDINGS_MAX];
static unsigned binding_count;

/* Calls that the counterparts answered STATUS_PENDING. */
enum { PENDED_MAX = 256 };
static struct pended { struct peer_binding *binding; uintptr_t arguments[NPI_ARGUMENTS_MAX]; } pended[PENDED_MAX];
static unsigned pended_count;

/* ---- finding them */

static bool is_live(const struct peer_binding *b)
{
    footprint_world(FOOTPRINT_CALLED, b->number, TOUCH_READ);
    return b->live;
}

struct peer_binding *peer_binding_find(unsigned peer, PVOID context)
{
    for (unsigned i = 0; i < binding_count; i++)
        if (bindings[i].peer == peer && bindings[i].context == context && is_live(&bindings[i]))
            return &bindings[i];
    return NULL;
}

struct peer_binding *peer_binding_number(uint32_t number)
{
    for (unsigned i = 0; i < binding_count; i++)
        if (bindings[i].number == number)
            return &bindings[i];
    return NULL;
}

/* One of the counterpart whose table was used, if there is any. */
struct peer_binding *peer_binding_named(unsigned peer, PVOID context)
{
    struct peer_binding *found = peer_binding_find(peer, context);

    if (!found)
        footprint_world(FOOTPRINT_NMR, 0, TOUCH_READ);
    for (unsigned i = 0; i < binding_count && !found; i++)
        if (bindings[i].context == context && is_live(&bindings[i]))
            found = &bindings[i];
    for (unsigned i = binding_count; i-- > 0 && !found;)
        if (bindings[i].context == context)
            found = &bindings[i];
    return found;
}

struct peer_binding *peer_binding_latest(unsigned peer)
{
    struct peer_binding *found = NULL;

    footprint_world(FOOTPRINT_BINDINGS_OF, peer, TOUCH_READ);
    for (unsigned i = 0; i < binding_count; i++)
        if (bindings[i].peer == peer && (is_live(&bindings[i]) || !found || !found->live))
            found = &bindings[i];
    return found;
}

/* NULL and the shared value are given to one live binding of a counterpart at a time, so that they name it. */
static PVOID context_for(const struct peer *p)
{
    PVOID shared = PEER_PAGES_BASE - PEER_PAGE_BYTES;   /* nothing is there: nobody may look at it */
    PVOID context = p->context == CONTEXT_NULL ? NULL : shared;

    if (p->context == CONTEXT_OWN || peer_binding_find(p->number, context))
        return peer_page_token(p->number, binding_count);
    return context;
}

struct peer_binding *peer_binding_new(const struct peer *p, HANDLE handle, ULONG other_number)
{
    struct peer_binding *b;

    if (binding_count == BINDINGS_MAX)
        sched_stop(VERDICT_MEMORY);
    footprint_world(FOOTPRINT_BINDINGS_OF, p->number, TOUCH_WRITE);
    b = &bindings[binding_count];
    b->context = context_for(p);
    binding_count++;
    b->peer = p->number;
    b->handle = handle;
    b->number = nmr_binding_number(handle);
    b->other_number = other_number;
    b->live = b->attaching = true;
    return b;
}

void peer_binding_attached(struct peer_binding *b, PVOID context, const VOID *dispatch)
{
    b->other_context = context;
    b->other_dispatch = dispatch;
    footprint_world(FOOTPRINT_CALLER, b->number, TOUCH_WRITE);
    b->attached = true;
    race_release(RACE_KEY_ATTACHED + b->number);
}

void peer_binding_forget(unsigned peer)
{
    for (unsigned i = 0; i < binding_count; i++) {
        if (bindings[i].peer != peer || !bindings[i].live)
            continue;
        footprint_world(FOOTPRINT_CALLED, bindings[i].number, TOUCH_WRITE);
        bindings[i].live = false;
    }
}

void peer_binding_reset(void)
{
    memset(bindings, 0, binding_count * sizeof *bindings);
    binding_count = pended_count = 0;
}

/* ---- calls into the module */

static void complete_detach(const struct peer_binding *b)
{
    nmr_detach_complete(CALLER_PEER, peer_get(b->peer)->side, b->handle, NULL);
}

static void call_end(struct peer_binding *b)
{
    CHECK(b->calls > 0);
    footprint_world(FOOTPRINT_CALLER, b->number, b->pending ? TOUCH_WRITE : TOUCH_READ);
    race_release(RACE_KEY_CALLED + b->number);
    if (--b->calls > 0 || !b->pending)
        return;
    b->pending = false;
    race_acquire(RACE_KEY_CALLED + b->number);
    complete_detach(b);
}

static const struct npi_side *module_npi(const struct peer_binding *b)
{
    return peer_other_side(peer_get(b->peer));
}

static enum side module_side(const struct peer_binding *b)
{
    return other_side(peer_get(b->peer)->side);
}

/* The module's function of this number: what its table holds there. */
static const void *function_of(const struct peer_binding *b, unsigned function)
{
    const void *entry;

    memory_use(b->other_dispatch, module_npi(b)->table_size, false, NULL);
    memcpy(&entry, (const char *)b->other_dispatch + module_npi(b)->functions[function].offset, sizeof entry);
    return entry;
}

/* What the NPI says about a status; whether the module is being detached or low on memory, the judges know. */
static enum answer answer(const struct npi_side *side, unsigned call, NTSTATUS status)
{
    if (!side->status_ok || side->status_ok(call, status, false, false))
        return ANSWER_FINE;
    if (side->status_ok(call, status, false, true))
        return ANSWER_WHEN_DETACHING;
    return side->status_ok(call, status, true, false) ? ANSWER_WHEN_LOW : ANSWER_WRONG;
}

static NTSTATUS call_module(struct peer_binding *b, unsigned function, bool early)
{
    const struct npi_side *side = module_npi(b);
    const struct npi_function *f = &side->functions[function];
    const void *pc = function_of(b, function);
    NTSTATUS status;

    event_emit(EV_ENTER + FRAME_CALL, b->number, function, 0, module_side(b), early, pc);
    status = npi_call(f, pc, b->other_dispatch, b->other_context, b->peer, NULL);
    event_emit(EV_LEAVE + FRAME_CALL, b->number, status, 0, 0, answer(side, function, status), pc);
    if (!(f->flags & NPI_INSTANCE))
        return status;
    event_emit(EV_IDENTITY, b->number, (ULONG)status == b->other_number, 0, 0, 0, pc);
    return STATUS_SUCCESS;
}

/* Calls that begin or end, while none of them completes a detach, may do so in any order. */
static void use(const struct peer_binding *b)
{
    footprint_world(FOOTPRINT_CALLER, b->number, TOUCH_READ);
    footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
}

/* May the counterpart call that function now?  While its own detach is pending only what the NPI allows then. */
static bool may_call(const struct peer_binding *b, int function)
{
    use(b);
    if (function < 0 || !b->attached || !b->other_dispatch || image_gone())
        return false;
    return !b->detaching || (b->pending && module_npi(b)->functions[function].flags & NPI_IN_TEARDOWN);
}

/* A call is in progress from the moment it was decided on, so that a detach that comes now waits for it. */
void peer_binding_call(struct peer_binding *b, int function)
{
    bool early = b->attaching;

    if (!may_call(b, function))
        return;
    b->calls++;
    race_acquire(RACE_KEY_ATTACHED + b->number);
    sched_point(SITE_IN_CALL);
    /* Answered STATUS_PENDING, it goes on until the module completes it, which may have happened already. */
    if (call_module(b, (unsigned)function, early) == STATUS_PENDING && peer_ends_calls(peer_side(peer_get(b->peer)))) {
        footprint_world(FOOTPRINT_AWAITED, b->number, TOUCH_WRITE);
        if (++b->awaited > 0)
            return;
    }
    call_end(b);
}

void peer_call(unsigned peer, unsigned call)
{
    unsigned count = binding_count;

    footprint_world(FOOTPRINT_BINDINGS_OF, peer, TOUCH_READ);
    for (unsigned i = 0; i < count; i++)
        if (bindings[i].peer == peer)
            peer_binding_call(&bindings[i], npi_callable(module_npi(&bindings[i]), call));
}

/* ---- what a counterpart leaves to a worker thread */

static void call_worker(void *binding)
{
    struct peer_binding *b = binding;

    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    footprint_world(FOOTPRINT_AWAITED, b->number, TOUCH_READ);
    peer_binding_call(b, b->later);
    call_end(b);
}

/* A detach that comes before the worker has begun waits for it, and is waited for no longer than that. */
void peer_binding_call_later(struct peer_binding *b, int function)
{
    use(b);
    if (!b->attached || b->detaching)
        return;
    b->calls++;
    footprint_world(FOOTPRINT_AWAITED, b->number, TOUCH_WRITE);
    b->later = function;
    race_spawned(sched_spawn(FIRST_WORKER, call_worker, b));
}

static void complete_detach_worker(void *binding)
{
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    call_end(binding);
}

/* The call is over when the module is told so: it may complete its detach inside that function. */
static void complete_call_worker(void *call)
{
    const struct pended *p = call;
    struct peer_binding *b = p->binding;
    const struct npi_side *side = module_npi(b);
    unsigned function = peer_ending_function(side);
    const void *pc;

    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    if (!image_gone()) {
        pc = function_of(b, function);
        event_emit(EV_PENDING_CALLBACK, b->number, 0, 0, 0, 0, pc);
        event_emit(EV_ENTER + FRAME_CALL, b->number, function, 0, module_side(b), 0, pc);
        (void)npi_call(&side->functions[function], pc, b->other_dispatch, b->other_context, b->peer,
                       p->arguments);
        event_emit(EV_LEAVE + FRAME_CALL, b->number, STATUS_SUCCESS, 0, 0, 0, pc);
    }
    call_end(b);
}

void peer_binding_pend(struct peer_binding *b, const uintptr_t *arguments)
{
    struct pended *p = &pended[pended_count];

    if (pended_count == PENDED_MAX)
        sched_stop(VERDICT_MEMORY);
    pended_count++;
    p->binding = b;
    memcpy(p->arguments, arguments, sizeof p->arguments);
    use(b);
    b->calls++;
    race_spawned(sched_spawn(FIRST_WORKER, complete_call_worker, p));
}

void peer_binding_completed(struct peer_binding *b)
{
    footprint_world(FOOTPRINT_AWAITED, b->number, TOUCH_WRITE);
    if (b->awaited-- > 0)
        call_end(b);
}

/* ---- detach and cleanup */

NTSTATUS peer_binding_detach(unsigned peer, PVOID context)
{
    struct peer_binding *b = peer_binding_find(peer, context);
    unsigned manner;

    CHECK(b && b->attached && !b->detaching);
    b->detaching = true;
    race_acquire(RACE_KEY_ATTACHED + b->number);
    race_acquire(RACE_KEY_CALLED + b->number);
    manner = peer_ask(peer, SITE_PEER_DETACH);
    footprint_world(FOOTPRINT_CALLER, b->number, TOUCH_WRITE);
    if (manner == DETACH_PENDING) {
        b->calls++;
        race_spawned(sched_spawn(FIRST_WORKER, complete_detach_worker, b));
    } else if (b->calls == 0 && manner == DETACH_COMPLETE_INSIDE) {
        complete_detach(b);
        return STATUS_PENDING;
    } else if (b->calls == 0) {
        return STATUS_SUCCESS;
    }
    b->pending = true;
    return STATUS_PENDING;
}

void peer_binding_cleanup(unsigned peer, PVOID context)
{
    struct peer_binding *b = peer_binding_find(peer, context);

    CHECK(b && b->detaching && !b->pending && b->calls == 0);
    footprint_world(FOOTPRINT_CALLED, b->number, TOUCH_WRITE);
    b->live = false;
}

/*
 * Both sides are detached when the module's cleanup callback runs: nothing of this counterpart may be looked at in
 * it, whether its own cleanup has come already or not (ND-10).
 */
static void forbid(const struct event *e)
{
    const struct peer_binding *b = peer_binding_number(e->object);
    enum side side = e->kind == EV_ENTER + FRAME_CLIENT_CLEANUP ? SIDE_CLIENT : SIDE_PROVIDER;

    if (b && peer_get(b->peer)->side != side)
        peer_pages_forbid(b->peer, e->thread);
}

static void permit(const struct event *e)
{
    peer_pages_permit(e->thread);
}

void peer_binding_watch(void)
{
    event_add_judge_of(EV_ENTER + FRAME_PROVIDER_CLEANUP, forbid);
    event_add_judge_of(EV_LEAVE + FRAME_PROVIDER_CLEANUP, permit);
    event_add_judge_of(EV_ENTER + FRAME_CLIENT_CLEANUP, forbid);
    event_add_judge_of(EV_LEAVE + FRAME_CLIENT_CLEANUP, permit);
}
