/* hang.c - nobody can go on, or somebody never stops: who was to do what. */
#include "view.h"

#define STATUS_PENDING 0x103

/* The thread that holds this lock, or THREADS_MAX. */
static unsigned holder(uint32_t lock)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        for (unsigned i = 0; i < view.threads[t].lock_count; i++)
            if (view.threads[t].locks[i].object == lock)
                return t;
    return THREADS_MAX;
}

static void blocked_on_lock(const struct event *e, uint32_t lock)
{
    unsigned owner = holder(lock);

    if (owner == THREADS_MAX)
        return;
    if (view_inside(owner, FRAME_NMR_REGISTER))
        REPORT(e, RULE_PR_12, "a callback waits for a lock that is held across NmrRegisterProvider");
    if (view_inside(owner, FRAME_NMR_DEREGISTER) || view_inside(owner, FRAME_NMR_WAIT))
        REPORT(e, RULE_PR_28, "a callback waits for a lock that is held across the deregistration or the wait");
    if (view_inside(owner, FRAME_NMR_COMPLETE))
        REPORT(e, RULE_PD_15, "cleanup waits for a lock that is held across the completion");
}

static void blocked_thread(const struct event *e, unsigned t)
{
    const struct view_thread *w = &view.threads[t];
    const struct view_frame *f = view_module_frame(t);

    if (!w->blocked || !f)
        return;
    if (w->blocked_kind <= LOCK_MUTEX)
        blocked_on_lock(e, w->blocked_on);
    if (f->frame == FRAME_PROVIDER_ATTACH)
        finding_report(RULE_PA_32, frame_names[f->frame], "t%u waits for ever inside the attach callback", t);
    if (f->frame == FRAME_PROVIDER_DETACH)
        finding_report(RULE_PD_22, frame_names[f->frame], "t%u waits for ever inside the detach callback", t);
}

static void pending_detach(const struct view_binding *b, uint32_t number)
{
    if (!b->detach_left || b->detach_status != STATUS_PENDING || b->completions > 0)
        return;
    if (b->detach_live)
        finding_report(RULE_PD_4, "ProviderDetachClient",
                       "binding %u: the detach is pending, its last call has ended, and nobody completed it", number);
    finding_report(RULE_PD_21, "ProviderDetachClient",
                   "binding %u: the detach is pending, nothing was in progress, and nobody completed it", number);
}

static void deadlock(const struct event *e)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        blocked_thread(e, t);
    for (uint32_t i = 0; i < view.binding_count; i++)
        pending_detach(&view.bindings[i], i);
    REPORT(e, RULE_HANG_1, "no thread can go on");
}

static void step_limit(const struct event *e)
{
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        const struct view_frame *f = view_module_frame(t);
        const struct view_binding *b = f && f->frame == FRAME_PROVIDER_DETACH ? view_binding(f->object) : NULL;

        if (!b)
            continue;
        if (b->callbacks > 0 || b->pending > 0)
            REPORT(e, RULE_PD_3, "the detach callback spins until the calls in progress have ended");
        REPORT(e, RULE_PD_22, "the detach callback never returns");
    }
}

void hang_monitor(const struct event *e)
{
    if (e->kind == EV_DEADLOCK)
        deadlock(e);
    else
        step_limit(e);
}
