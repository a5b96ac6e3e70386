/* callback.c - what a counterpart does when the module calls a function of its table.  See state.h. */
#include "check.h"
#include "choice.h"
#include "event.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "peers/state.h"
#include "sched.h"

/* Answers of PEER_CALLBACK, in the order of sites.def; a function that never fails is not asked the last. */
enum { CALLBACK_RETURN, CALLBACK_PEND, CALLBACK_CALL_BACK, CALLBACK_PARK, CALLBACK_FAIL };
enum {
    CALL_DULL = 0,                          /* the call made from within a function of the counterpart's */
    PARK_100NS = 10000                      /* longer than anything else takes: time moves when nobody can run */
};

static uint32_t enter(const struct peer *p, unsigned function, PVOID context, const struct peer_binding *b,
                      const void *pc)
{
    uint32_t number = b ? b->number : NONE;
    bool teardown = peer_side(p)->functions[function].flags & NPI_IN_TEARDOWN;

    event_emit(EV_ENTER + FRAME_CALLBACK, number, function, (uint64_t)(uintptr_t)context,
               p->number | (unsigned)other_side(p->side) << 8 | (unsigned)teardown << 16, b ? b->peer : p->number, pc);
    return number;
}

/* Lets the scheduler park the call, may call back; says how the function is to end. */
static unsigned body(const struct peer *p, const struct npi_function *f, struct peer_binding *b)
{
    bool may_pend = f->flags & NPI_MAY_PEND && peer_ends_calls(peer_other_side(p));
    sched_wait nothing = 0;
    unsigned manner;

    sched_point(SITE_IN_CALLBACK);
    if (!b)
        return CALLBACK_RETURN;
    manner = choice_ask(CHOICE_PEER, p->number, SITE_PEER_CALLBACK, f->failure ? CALLBACK_FAIL + 1 : CALLBACK_FAIL);
    switch (manner) {
    case CALLBACK_PEND:
        /* It must still be allowed to call the module: one that is detaching answers at once. */
        footprint_world(FOOTPRINT_CALLER, b->number, TOUCH_READ);
        return may_pend && b->live && b->attached && !b->detaching ? CALLBACK_PEND : CALLBACK_RETURN;
    case CALLBACK_CALL_BACK:
        peer_binding_call(b, npi_callable(peer_other_side(p), CALL_DULL));
        break;
    case CALLBACK_PARK:
        (void)sched_block(&nothing, SITE_IN_CALLBACK, sched_now() + PARK_100NS);
        break;
    default:
        break;
    }
    return manner;
}

static void leave(unsigned function, uint32_t binding, NTSTATUS status, const uintptr_t *arguments)
{
    struct peer_binding *b = peer_binding_number(binding);

    if (status == STATUS_PENDING)
        event_emit(EV_PENDING_CALLBACK, binding, 1, 0, 0, 0, NULL);
    event_emit(EV_LEAVE + FRAME_CALLBACK, binding, status, function, 0, 0, NULL);
    if (image_gone()) {                     /* it would return into code that is not there any more */
        event_emit(EV_MISUSE, NONE, MISUSE_IMAGE_GONE, 0, 0, 0, NULL);
        sched_stop(VERDICT_FINDING);
    }
    if (status == STATUS_PENDING) {
        CHECK(b);
        peer_binding_pend(b, arguments);
    }
}

static uintptr_t answer(const struct npi_function *f, const struct peer *p, const struct peer_binding *b,
                        const uintptr_t *arguments)
{
    if (f->flags & NPI_INSTANCE)
        return b ? p->instance_number : 0;
    return f->answer ? f->answer(arguments) : 0;
}

uintptr_t peer_callback(unsigned peer, unsigned function, const uintptr_t *arguments, const void *pc)
{
    const struct peer *p = peer_get(peer);
    const struct npi_function *f = &peer_side(p)->functions[function];
    bool named = !(f->flags & NPI_NO_CONTEXT);
    PVOID context = named ? (PVOID)arguments[0] : NULL;
    struct peer_binding *b = named ? peer_binding_named(peer, context) : peer_binding_latest(peer);
    uint32_t binding;
    unsigned manner;
    NTSTATUS status;

    if (!named && b)
        context = b->context;
    binding = enter(p, function, context, b, pc);
    manner = body(p, f, b);
    if (b && f->flags & NPI_ENDS_CALL)
        peer_binding_completed(b);
    if (b && f->calls && manner != CALLBACK_PEND)
        peer_binding_call(b, (int)f->calls - 1);
    if (b && f->calls_later && manner != CALLBACK_PEND)
        peer_binding_call_later(b, (int)f->calls_later - 1);
    status = manner == CALLBACK_PEND ? STATUS_PENDING : manner == CALLBACK_FAIL ? f->failure : STATUS_SUCCESS;
    leave(function, binding, status, arguments);
    return status == STATUS_SUCCESS ? answer(f, p, b, arguments) : (uintptr_t)(uint32_t)status;
}
