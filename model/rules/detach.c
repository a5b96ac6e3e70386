/* detach.c - the detach callback, its completion, the cleanup callback (PD, PC). */
#include "view.h"

#define STATUS_SUCCESS 0
#define STATUS_PENDING 0x103

static void detach_left(const struct event *e)
{
    const struct view_frame *f = view_inside(e->thread, FRAME_PROVIDER_DETACH);
    const struct view_binding *b = view_binding(e->object);

    if (!f || !b)
        return;
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
    if (b->callbacks > 0)
        REPORT(e, RULE_PD_2, "STATUS_SUCCESS with %d client callback(s) in progress", b->callbacks);
    if (b->pending > 0)
        REPORT(e, RULE_PD_18, "STATUS_SUCCESS although a client callback that returned STATUS_PENDING is not over");
    if (b->completions > 0)
        REPORT(e, RULE_PD_5, "the detach was completed, and its callback returned STATUS_SUCCESS");
}

/* A lock that lies inside the binding's context, held by this thread. */
static bool holds_context_lock(unsigned thread, const struct view_binding *b)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned i = 0; i < w->lock_count; i++)
        if (b->context_block != NONE && w->locks[i].address - b->context < b->context_size)
            return true;
    return false;
}

static void judge_early(const struct event *e, const struct view_binding *b)
{
    const struct view_frame *attach = view_inside(e->thread, FRAME_PROVIDER_ATTACH);
    const struct view_frame *detach = view_inside(e->thread, FRAME_PROVIDER_DETACH);

    if (attach && attach->object == e->object)
        REPORT(e, RULE_PA_30, "the binding that is being attached was completed");
    if (b->detach_entered)
        return;
    if (detach && detach->object != e->object)
        REPORT(e, RULE_PD_23, "the detach callback of one binding completed another one");
    REPORT(e, RULE_PD_9, "the detach was completed before the detach callback was called");
}

static void complete_entered(const struct event *e)
{
    const struct view_binding *b = view_binding(e->object);
    const struct view_frame *f = view_module_frame(e->thread);

    if (e->b != 1 || e->value != SIDE_PROVIDER || !b)
        return;                             /* a counterpart, or a bad handle, which EV_BAD_HANDLE tells */
    if (f && f->frame == FRAME_PROVIDER_CLEANUP)
        REPORT(e, RULE_PC_5, "the cleanup callback completed the detach");
    judge_early(e, b);
    if (b->completions > 0)
        REPORT(e, RULE_PD_6, "the detach was completed a second time");
    if (b->detach_left && b->detach_status == STATUS_SUCCESS)
        REPORT(e, RULE_PD_5, "the detach had returned STATUS_SUCCESS and was completed afterwards");
    if (b->callbacks > 0)
        REPORT(e, RULE_PD_8, "the detach was completed with %d client callback(s) in progress", b->callbacks);
    if (b->pending > 0)
        REPORT(e, RULE_PD_18, "completed although a client callback that returned STATUS_PENDING is not completed");
    if (holds_context_lock(e->thread, b))
        REPORT(e, RULE_PD_15, "a lock inside the binding context is held across the completion");
}

static void entry_point_left(const struct event *e, enum frame frame)
{
    const struct view_frame *f = view_inside(e->thread, frame);

    if (!f)
        return;
    if (e->level != f->level)
        REPORT(e, RULE_KRN_1, "%s returned at IRQL %u; it was called at %u", frame_names[frame], e->level, f->level);
    if (view.threads[e->thread].lock_count > f->locks)
        REPORT(e, RULE_KRN_2, "%s returned with a lock held", frame_names[frame]);
}

void detach_monitor(const struct event *e)
{
    switch (e->kind) {
    case EV_LEAVE + FRAME_PROVIDER_DETACH:
        detach_left(e);
        break;
    case EV_ENTER + FRAME_NMR_COMPLETE:
        complete_entered(e);
        break;
    case EV_LEAVE + FRAME_PROVIDER_CLEANUP:
        entry_point_left(e, FRAME_PROVIDER_CLEANUP);
        break;
    case EV_LEAVE + FRAME_WORK_ITEM:
        entry_point_left(e, FRAME_WORK_ITEM);
        break;
    case EV_LEAVE + FRAME_CALL:
        entry_point_left(e, FRAME_CALL);
        break;
    default:
        break;
    }
}
