/* callback.c - calls between the attached modules: who, when, with what (PA-7, PA-8, PA-24, PA-25, PD-1, PD-2, …). */
#include "view.h"

/* The table that was used is that of the counterpart whose context was passed. */
static bool is_pair(const struct event *e)
{
    return e->object != NONE && CALLBACK_PEER(e->b) == e->c;
}

/*
 * Does the call go to the counterpart it should go to?  Known when the module serves a call of that binding; serving
 * one end of a chain, it may call anybody at the other end.
 */
static void judge_identity(const struct event *e)
{
    enum side side = CALLBACK_SIDE(e->b);
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_frame *call = f && f->frame == FRAME_CALL && view_frame_side(f) == side ? f : NULL;
    const struct view_binding *b = call ? view_binding(call->object) : NULL;
    bool pair = is_pair(e);
    const char *other = view_side_names[other_side(side)];

    if (!b) {
        if (e->object == NONE)
            REPORT_SIDE(e, side, RULE_PA_7, "a function of a %s got a context that no %s handed out", other, other);
        if (!pair)
            REPORT_SIDE(e, side, RULE_PA_8, "a function was called through another %s's table", other);
        return;
    }
    /* The context may be NULL or another counterpart's too: then that one is `object`, if its table was used. */
    if (e->a == b->sides[other_side(side)].context && (!pair || e->object != call->object))
        REPORT_SIDE(e, side, RULE_PA_8, "a function was called through another %s's table", other);
    if (e->object != NONE && e->object != call->object)
        REPORT_SIDE(e, side, RULE_PA_25, "serving one %s, the module called with another one's context", other);
    if (!pair)
        REPORT_SIDE(e, side, RULE_PA_7, "a function of a %s got a context that no %s handed out", other, other);
}

static void judge_time(const struct event *e, const struct view_binding *b)
{
    const struct view_frame *f = view_module_frame(e->thread);
    enum side side = view_module_side(b);
    const struct view_side *s = &b->sides[side];

    if (!f)
        return;
    /* While a provider attaches see attach.c: another thread cannot know whether the callback has returned. */
    if (side == SIDE_CLIENT ? !view_proposal_succeeded(b) : b->state == BINDING_OFFERED)
        REPORT_SIDE(e, side, RULE_PA_24, "the %s was called before the attach had succeeded",
                    view_side_names[other_side(side)]);
    if (!s->detach_left)
        return;
    if (f->started > s->detach_left && !(CALLBACK_IN_TEARDOWN(e->b) && !view_detach_over(s)))
        REPORT_SIDE(e, side, RULE_PD_1, "the %s was called by code that started after the detach callback returned",
                    view_side_names[other_side(side)]);
    if (!view_detach_over(s))
        return;
    if (f->frame == FRAME_WORK_ITEM)
        REPORT_SIDE(e, side, RULE_PD_19, "a work item called the %s after the detach was over",
                    view_side_names[other_side(side)]);
    REPORT_SIDE(e, side, RULE_PD_2, "the %s was called after the detach was over, by a call in progress at the time",
                view_side_names[other_side(side)]);
}

/* Attaching or cleaning up one binding, the module may call the counterparts of others. */
static bool is_other(const struct event *e, const struct view_frame *f, const struct view_binding *b)
{
    return b && e->object != f->object && is_pair(e) && b->state == BINDING_ATTACHED;
}

static bool has_attached(const struct view_frame *attach)
{
    const struct view_binding *b = view_binding(attach->object);

    return b && view_proposal_succeeded(b);
}

static void callback_entered(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_binding *b = view_binding(e->object);

    if (f && f->frame == FRAME_PROVIDER_ATTACH && (!b || f->object == e->object))
        REPORT(e, RULE_PA_24, "a client callback was called inside the attach callback");
    if (f && f->frame == FRAME_CLIENT_ATTACH && !is_other(e, f, b) && !has_attached(f))
        REPORT(e, RULE_CA_18, "a provider was called inside the attach callback, which has not attached yet");
    if (f && view_is_cleanup(f->frame) && !is_other(e, f, b))
        REPORT(e, RULE_PC_4, "the other side was called from the cleanup callback");
    judge_identity(e);
    if (b)
        judge_time(e, b);
}

static bool allowed(const struct event *e, const struct view_frame *call, const struct view_binding *b)
{
    switch ((enum answer)e->c) {
    case ANSWER_WHEN_DETACHING:
        return b->sides[view_module_side(b)].detach_entered;
    case ANSWER_WHEN_LOW:
        return call->low_resources;
    case ANSWER_WRONG:
        return false;
    default:
        return true;
    }
}

static void call_left(const struct event *e)
{
    const struct view_frame *f = view_inside(e->thread, FRAME_CALL);
    const struct view_binding *b = view_binding(e->object);
    enum side side;
    bool detaching;

    if (!f || !b || allowed(e, f, b))
        return;
    side = view_module_side(b);
    detaching = b->sides[side].detach_entered;
    if (f->low_resources)
        REPORT(e, RULE_NPI_1, "low memory was answered with status 0x%08X, which the NPI does not allow",
               (unsigned)e->value);
    if (e->value == STATUS_DEVICE_NOT_READY)
        REPORT_SIDE(e, side, RULE_PA_23, "a call was answered with STATUS_DEVICE_NOT_READY");
    if (detaching)
        REPORT_SIDE(e, side, RULE_PD_17, "a call between detach and cleanup was answered with status 0x%08X",
                    (unsigned)e->value);
    if (e->c == ANSWER_WHEN_DETACHING && view.any_detached)
        REPORT_SIDE(e, side, RULE_PD_16, "after another binding's detach a call was answered as if it were this one's");
    if (f->c)
        REPORT_SIDE(e, side, RULE_PA_23, "a call made right after the attach was answered with status 0x%08X",
               (unsigned)e->value);
    if (view.any_detached)
        REPORT_SIDE(e, side, RULE_PD_16, "after another binding's detach a call was answered with status 0x%08X",
               (unsigned)e->value);
    REPORT(e, RULE_NPI_1, "a call was answered with status 0x%08X, which the NPI does not allow", (unsigned)e->value);
}

static void judge_instance(const struct event *e)
{
    if (e->value == 0)
        REPORT(e, RULE_PA_34, "a binding is served by another registration instance than the client attached to");
}

void callback_watch(void)
{
    event_add_judge_of(EV_ENTER + FRAME_CALLBACK, callback_entered);
    event_add_judge_of(EV_LEAVE + FRAME_CALL, call_left);
    event_add_judge_of(EV_IDENTITY, judge_instance);
}
