/* hang.c - nobody can go on, or somebody never stops: who was to do what. */
#include "view.h"

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
    const struct view_frame *f;

    if (owner == THREADS_MAX)
        return;
    f = view_inside(owner, FRAME_NMR_CLIENT_ATTACH);
    if (f && f->b == 1)
        REPORT(e, RULE_CA_20, "a callback waits for a lock that is held across NmrClientAttachProvider");
    f = view_inside(owner, FRAME_NMR_REGISTER);
    if (f && f->b == 1)
        REPORT_SIDE(e, view_frame_side(f), RULE_PR_12,
                    "a callback waits for a lock that is held across the registration");
    f = view_inside(owner, FRAME_NMR_DEREGISTER);
    if (!f)
        f = view_inside(owner, FRAME_NMR_WAIT);
    if (f && f->b == 1)
        REPORT_SIDE(e, view_frame_side(f), RULE_PR_28,
                    "a callback waits for a lock that is held across the deregistration or the wait");
    f = view_inside(owner, FRAME_NMR_COMPLETE);
    if (f && f->b == 1)
        REPORT_SIDE(e, view_frame_side(f), RULE_PD_15, "cleanup waits for a lock that is held across the completion");
}

/* The module waits for one deregistration, and has another registration that it has not begun to deregister. */
static bool waits_for_one_of_several(const struct view_thread *w)
{
    const struct view_frame *top = w->depth ? &w->frames[w->depth - 1] : NULL;

    if (!top || top->frame != FRAME_NMR_WAIT || top->b != 1)
        return false;
    for (uint32_t i = 0; i < view.registration_count; i++)
        if (i != top->object && view.registrations[i].module && view.registrations[i].state == REGISTRATION_REGISTERED)
            return true;
    return false;
}

/* Of the module, on the side that this callback belongs to. */
static bool calls_in_progress(const struct view_frame *callback)
{
    const struct view_binding *b = view_binding(callback->object);
    const struct view_side *s = b ? &b->sides[view_frame_side(callback)] : NULL;

    return s && (s->calls > 0 || s->pending > 0);
}

/* What a detach waits for tells which rule it breaks; calls in progress it leaves to a later completion. */
static void blocked_in_detach(const struct view_frame *f, unsigned t)
{
    enum side side = view_frame_side(f);

    if (calls_in_progress(f))
        finding_report(view_rule(RULE_PD_12, side), frame_names[f->frame],
                       "t%u waits inside the detach callback for calls in progress, and one of them for it", t);
    finding_report(view_rule(RULE_PD_22, side), frame_names[f->frame],
                   "t%u waits for ever inside the detach callback", t);
}

static void blocked_thread(const struct event *e, unsigned t)
{
    const struct view_thread *w = &view.threads[t];
    const struct view_frame *f = view_module_frame(t);
    enum side side;

    if (!w->blocked || !f)
        return;
    side = view_frame_side(f);
    if (lock_kind_is_lock(w->blocked_kind))
        blocked_on_lock(e, w->blocked_on);
    if (view_is_attach(f->frame))
        finding_report(view_rule(RULE_PA_32, side), frame_names[f->frame],
                       "t%u waits for ever inside the attach callback", t);
    if (view_is_detach(f->frame))
        blocked_in_detach(f, t);
    if (f->frame == FRAME_DRIVER_ENTRY && !view.ever_attached)
        finding_report(view_rule(RULE_PR_32, side), frame_names[f->frame],
                       "t%u waits for ever in DriverEntry, and nothing was attached", t);
    if (f->frame == FRAME_DRIVER_UNLOAD && waits_for_one_of_several(w))
        finding_report(RULE_PR_31, frame_names[f->frame],
                       "t%u waits for one deregistration; another one, which that depends on, was not started", t);
}

static void pending_detach(const struct view_binding *b, uint32_t number, enum side side)
{
    static const char *const anchors[] = {"ClientDetachProvider", "ProviderDetachClient"};
    const struct view_side *s = &b->sides[side];

    if (!s->module || !s->detach_left || s->detach_status != STATUS_PENDING || s->completions > 0)
        return;
    if (s->detach_live)
        finding_report(view_rule(RULE_PD_4, side), anchors[side],
                       "binding %u: the detach is pending, its last call has ended, and nobody completed it", number);
    finding_report(view_rule(RULE_PD_21, side), anchors[side],
                   "binding %u: the detach is pending, nothing was in progress, and nobody completed it", number);
}

static void deadlock(const struct event *e)
{
    static struct rules_waits waits;

    for (unsigned t = 0; t < THREADS_MAX; t++)
        blocked_thread(e, t);
    for (uint32_t i = 0; i < view.binding_count; i++) {
        pending_detach(&view.bindings[i], i, SIDE_PROVIDER);
        pending_detach(&view.bindings[i], i, SIDE_CLIENT);
    }
    rules_who_waits(&waits);
    REPORT(e, RULE_HANG_1, "no thread can go on: %s", waits.count ? waits.lines[0] : "none waits for another");
}

static void step_limit(const struct event *e)
{
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        const struct view_frame *f = view_module_frame(t);

        if (!f || !view_is_detach(f->frame))
            continue;
        if (calls_in_progress(f))
            REPORT_SIDE(e, view_frame_side(f), RULE_PD_3,
                        "the detach callback spins until the calls in progress have ended");
        REPORT_SIDE(e, view_frame_side(f), RULE_PD_22, "the detach callback never returns");
    }
}

void hang_watch(void)
{
    event_add_judge_of(EV_DEADLOCK, deadlock);
    event_add_judge_of(EV_STEP_LIMIT, step_limit);
}
