/* detach.c - the detach callback, its completion, the cleanup callback (PD, PC). */
#include "view.h"

static void detach_left(const struct event *e)
{
    enum frame frame = (enum frame)(e->kind - EV_LEAVE);
    const struct view_frame *f = view_inside(e->thread, frame);
    const struct view_binding *b = view_binding(e->object);
    const struct view_side *s;

    if (!f || !b || !f->module)
        return;
    s = &b->sides[view_frame_side(f)];
    if (e->level != f->level)
        REPORT(e, RULE_PD_20, "the detach callback returned at IRQL %u; it was called at %u", e->level, f->level);
    if (view.threads[e->thread].lock_count > f->locks)
        REPORT(e, RULE_PD_20, "the detach callback returned with a lock held");
    if ((e->c & (DETACH_TOUCHED_OWN | DETACH_TOUCHED_OTHER)) == DETACH_TOUCHED_OTHER)
        REPORT(e, RULE_PD_23, "the detach callback used another binding's context and not the one it was given");
    if (e->c & DETACH_TOUCHED_LATE)
        REPORT(e, RULE_PD_25, "the detach callback used the context after somebody else had completed the detach");
    if (e->value != STATUS_SUCCESS && e->value != STATUS_PENDING)
        REPORT(e, RULE_PD_10, "the detach callback returned status 0x%08X", (unsigned)e->value);
    if (e->value != STATUS_SUCCESS)
        return;
    if (s->calls > 0)
        REPORT(e, RULE_PD_2, "STATUS_SUCCESS with %d call(s) of the other side in progress", s->calls);
    if (s->pending > 0)
        REPORT(e, RULE_PD_18, "STATUS_SUCCESS although a call that returned STATUS_PENDING is not over");
    if (s->completions > 0)
        REPORT(e, RULE_PD_5, "the detach was completed, and its callback returned STATUS_SUCCESS");
}

/* A lock that lies inside the binding's context, held by this thread. */
static bool holds_context_lock(unsigned thread, const struct view_side *s)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned i = 0; i < w->lock_count; i++)
        if (s->context_block != NONE && w->locks[i].address - s->context < s->context_size)
            return true;
    return false;
}

static void judge_early(const struct event *e, enum side side, const struct view_side *s)
{
    const struct view_frame *attach =
        view_inside(e->thread, side == SIDE_CLIENT ? FRAME_CLIENT_ATTACH : FRAME_PROVIDER_ATTACH);
    const struct view_frame *detach =
        view_inside(e->thread, side == SIDE_CLIENT ? FRAME_CLIENT_DETACH : FRAME_PROVIDER_DETACH);

    if (attach && attach->object == e->object)
        REPORT_SIDE(e, side, RULE_PA_30, "the binding that is being attached was completed");
    if (s->detach_entered)
        return;
    if (detach && detach->object != e->object)
        REPORT_SIDE(e, side, RULE_PD_23, "the detach callback of one binding completed another one");
    REPORT_SIDE(e, side, RULE_PD_9, "the detach was completed before the detach callback was called");
}

static void complete_entered(const struct event *e)
{
    const struct view_binding *b = view_binding(e->object);
    const struct view_frame *f = view_module_frame(e->thread);
    enum side side = (enum side)e->value;
    const struct view_side *s;

    if (e->b != 1 || !b)
        return;                             /* a counterpart, or a bad handle, which EV_BAD_HANDLE tells */
    s = &b->sides[side];
    if (f && view_is_cleanup(f->frame) && view_frame_side(f) == side)
        REPORT_SIDE(e, side, RULE_PC_5, "the cleanup callback completed the detach");
    judge_early(e, side, s);
    if (s->completions > 0)
        REPORT_SIDE(e, side, RULE_PD_6, "the detach was completed a second time");
    if (s->detach_left && s->detach_status == STATUS_SUCCESS)
        REPORT_SIDE(e, side, RULE_PD_5, "the detach had returned STATUS_SUCCESS and was completed afterwards");
    if (s->calls > 0)
        REPORT_SIDE(e, side, RULE_PD_8, "the detach was completed with %d call(s) of the other side in progress",
                    s->calls);
    if (s->pending > 0)
        REPORT_SIDE(e, side, RULE_PD_18, "completed although a call that returned STATUS_PENDING is not over");
    if (holds_context_lock(e->thread, s))
        REPORT_SIDE(e, side, RULE_PD_15, "a lock inside the binding context is held across the completion");
}

void detach_watch(void)
{
    event_add_judge_of(EV_LEAVE + FRAME_PROVIDER_DETACH, detach_left);
    event_add_judge_of(EV_LEAVE + FRAME_CLIENT_DETACH, detach_left);
    event_add_judge_of(EV_ENTER + FRAME_NMR_COMPLETE, complete_entered);
}
