/* attach.c - how an attach callback left, and what it attached with (PA, CA). */
#include "view.h"

/* One more is attached now.  A place is free again when the detach of its binding has begun. */
static void judge_number(const struct event *e, enum side side)
{
    unsigned live = 1;

    for (uint32_t i = 0; i < view.binding_count && view.counterparts_max; i++) {
        const struct view_binding *b = &view.bindings[i];

        live += i != e->object && b->sides[side].module && b->sides[side].attached && !b->sides[side].detach_entered;
    }
    if (view.counterparts_max && live > view.counterparts_max)
        REPORT_SIDE(e, side, RULE_PA_26, "attached to %u %ss at once; the module serves %u", live,
                    view_side_names[other_side(side)], view.counterparts_max);
}

/* ---- ProviderAttachClient */

static void judge_success(const struct event *e, const struct view_frame *f)
{
    unsigned flags = (unsigned)f->value;

    if (flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT))
        REPORT(e, RULE_PA_35, "the attach succeeded although an out-parameter was NULL");
    if (flags & ATTACH_MUST_REFUSE)
        REPORT(e, RULE_PA_12, "the provider attached to a client whose characteristics the NPI tells to decline");
    if (flags & ATTACH_NO_DISPATCH && !(flags & ATTACH_TABLE_OPTIONAL))
        REPORT(e, RULE_PA_9, "the provider attached to a client without a dispatch table, which this NPI requires");
    if ((e->c & 3) == 0)
        REPORT(e, RULE_PA_1, "STATUS_SUCCESS, but neither out-parameter was set: nothing is attached");
    if (!(e->c & 1))
        REPORT(e, RULE_PA_4, "STATUS_SUCCESS, but *ProviderBindingContext was not set");
    if (!(e->c & 2) || (e->b == 0 && !(flags & ATTACH_OWN_OPTIONAL)))
        REPORT(e, RULE_PA_5, "STATUS_SUCCESS, but *ProviderDispatch was not set to a table");
    judge_number(e, SIDE_PROVIDER);
}

static void judge_failure(const struct event *e, const struct view_frame *f)
{
    const struct view_binding *b = view_binding(e->object);
    unsigned flags = (unsigned)f->value;

    if (b && b->called_early)
        REPORT(e, RULE_PA_24, "the client was called meanwhile, and the attach failed");
    if (e->value > 0)
        REPORT(e, RULE_PA_3, "the attach returned success code 0x%llX", (unsigned long long)e->value);
    if (flags & ATTACH_MUST_REFUSE && e->value != STATUS_NOINTERFACE && !f->low_resources &&
        !(flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT)))
        REPORT(e, RULE_PA_2, "a client to decline was answered with status 0x%08X", (unsigned)e->value);
    if ((e->c & 1 && e->a != 0) || (e->c & 2 && e->b != 0))
        REPORT(e, RULE_PA_18, "the attach failed, but an out-parameter was set");
}

/* ---- ClientAttachProvider */

/* Failing for want of resources is not declining, whether the kernel ran out of them or a table of the client's. */
static bool is_want(int64_t status)
{
    return status == STATUS_INSUFFICIENT_RESOURCES || status == STATUS_NO_MEMORY;
}

static void judge_client(const struct event *e, const struct view_frame *f)
{
    const struct view_binding *b = view_binding(e->object);

    if (!b)
        return;
    if (b->proposals == 0 && e->value >= 0)
        REPORT(e, RULE_CA_10, "success code 0x%llX, but NmrClientAttachProvider was not called",
               (unsigned long long)e->value);
    if (b->proposals == 0) {
        if (e->value != STATUS_NOINTERFACE && !f->low_resources && !is_want(e->value))
            REPORT(e, RULE_CA_1, "a provider was declined with status 0x%08X", (unsigned)e->value);
        return;
    }
    if (b->proposal_status > 0 && e->value >= 0)
        return;                             /* no provider may return that: a client may take any success for one */
    if (b->proposal_status == STATUS_SUCCESS && e->value != STATUS_SUCCESS)
        REPORT(e, RULE_CA_9, "the attach had succeeded, and the client returned status 0x%08X", (unsigned)e->value);
    if (b->proposal_status != e->value)
        REPORT(e, RULE_CA_2, "NmrClientAttachProvider returned 0x%08X, the attach 0x%08X",
               (unsigned)b->proposal_status, (unsigned)e->value);
    if (e->value == STATUS_SUCCESS)
        judge_number(e, SIDE_CLIENT);
}

static void proposed(const struct event *e)
{
    const struct view_frame *f = view_inside(e->thread, FRAME_CLIENT_ATTACH);
    const struct view_binding *b = view_binding(e->object);

    if (e->b != 1 || !b)
        return;                             /* a counterpart, or a bad handle, which EV_BAD_HANDLE tells */
    if (!f || f->object != e->object)
        REPORT(e, RULE_CA_11, "NmrClientAttachProvider was called outside the attach callback of this binding");
    if (b->proposals > 0 && b->proposal_status == STATUS_SUCCESS)
        REPORT(e, RULE_CA_12, "NmrClientAttachProvider was called again after it had succeeded");
    if (e->level > f->level)
        REPORT(e, RULE_CA_20, "NmrClientAttachProvider was called at IRQL %u", e->level);
}

/* ---- both */

static void attach_left(const struct event *e)
{
    enum frame frame = (enum frame)(e->kind - EV_LEAVE);
    const struct view_frame *f = view_inside(e->thread, frame);
    const struct view_thread *w = &view.threads[e->thread];

    if (!f || !f->module)
        return;
    if (e->level != f->level)
        REPORT(e, RULE_PA_28, "the attach callback returned at IRQL %u; it was called at %u", e->level, f->level);
    if (w->lock_count > f->locks)
        REPORT(e, RULE_PA_28, "the attach callback returned with a lock held");
    if (frame == FRAME_CLIENT_ATTACH)
        judge_client(e, f);
    else if (e->value == STATUS_SUCCESS)
        judge_success(e, f);
    else
        judge_failure(e, f);
}

/* Without a cleanup callback nobody hands the context back: it is the module's again when its side is detached, and the
 * other side is inside of no call. */
static bool handed_back(const struct view_binding *b, enum side side)
{
    const struct view_registration *r = view_registration_of(b, side);
    const struct view_side *other = &b->sides[side == SIDE_CLIENT ? SIDE_PROVIDER : SIDE_CLIENT];

    return r && !r->has_cleanup && view_detach_over(&b->sides[side]) && other->calls <= 0 && other->pending <= 0;
}

/* The context belongs to the binding: from when it is proposed until its cleanup callback. */
static bool has_context(const struct view_binding *b, enum side side)
{
    const struct view_side *s = &b->sides[side];

    if (side == SIDE_CLIENT && (b->state == BINDING_PROPOSING || b->state == BINDING_ACCEPTED))
        return s->module;
    return s->module && s->attached && !s->cleanup_entered && b->state < BINDING_GONE && !handed_back(b, side);
}

/* Two bindings may share NULL; anything else belongs to one. */
static bool shared(const struct event *e, enum side side)
{
    for (uint32_t i = 0; e->a && i < view.binding_count; i++) {
        const struct view_binding *b = &view.bindings[i];

        if (i != e->object && has_context(b, side) && b->sides[side].context == e->a)
            return true;
    }
    return false;
}

static void judge_context(const struct event *e)
{
    enum side side = (enum side)e->c;

    if (e->value == PLACE_POOL_PAGED)
        REPORT_SIDE(e, side, RULE_PA_19, "the binding context is in paged pool");
    if (e->value == PLACE_STACK)
        REPORT_SIDE(e, side, RULE_PA_20, "the binding context is a local variable");
    if (e->value == PLACE_POOL_FREED)
        REPORT_SIDE(e, side, RULE_PA_20, "the binding context was freed before the attach returned");
    if (shared(e, side))
        REPORT(e, side == SIDE_CLIENT ? RULE_CA_16 : RULE_PA_20, "two live bindings have the same binding context");
}

static void judge_dispatch(const struct event *e)
{
    enum side side = (enum side)e->c;

    if (e->value == PLACE_STACK)
        REPORT_SIDE(e, side, RULE_PA_21, "the %s's dispatch table is a local variable", view_side_names[side]);
    if (e->value == PLACE_POOL_PAGED || e->value == PLACE_POOL_FREED)
        REPORT_SIDE(e, side, RULE_PA_21, "the %s's dispatch table is in paged or freed pool", view_side_names[side]);
}

static void judge_dispatch_change(const struct event *e)
{
    REPORT_SIDE(e, (enum side)e->c, RULE_PA_21, "the %s's dispatch table changed while attached",
                view_side_names[e->c]);
}

void attach_watch(void)
{
    event_add_judge_of(EV_ENTER + FRAME_NMR_CLIENT_ATTACH, proposed);
    event_add_judge_of(EV_LEAVE + FRAME_PROVIDER_ATTACH, attach_left);
    event_add_judge_of(EV_LEAVE + FRAME_CLIENT_ATTACH, attach_left);
    event_add_judge_of(EV_BINDING_CONTEXT, judge_context);
    event_add_judge_of(EV_BINDING_DISPATCH, judge_dispatch);
    event_add_judge_of(EV_BINDING_DISPATCH_CHANGED, judge_dispatch_change);
}
