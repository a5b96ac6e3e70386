/* attach.c - what ProviderAttachClient returned (PA). */
#include "view.h"

#define STATUS_SUCCESS 0
#define STATUS_NOINTERFACE ((int64_t)(int32_t)0xC00002B9)

static void judge_success(const struct event *e, const struct view_frame *f)
{
    unsigned flags = (unsigned)f->value;

    if (flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT))
        REPORT(e, RULE_PA_35, "the attach succeeded although an out-parameter was NULL");
    if (flags & ATTACH_MUST_REFUSE)
        REPORT(e, RULE_PA_12, "the provider attached to a client whose characteristics the NPI tells to decline");
    if (flags & ATTACH_NO_CLIENT_DISPATCH && view.needs_client_dispatch)
        REPORT(e, RULE_PA_9, "the provider attached to a client without a dispatch table, which this NPI requires");
    if ((e->c & 3) == 0)
        REPORT(e, RULE_PA_1, "STATUS_SUCCESS, but neither out-parameter was set: nothing is attached");
    if (!(e->c & 1))
        REPORT(e, RULE_PA_4, "STATUS_SUCCESS, but *ProviderBindingContext was not set");
    if (!(e->c & 2) || (e->b == 0 && view.needs_client_dispatch))
        REPORT(e, RULE_PA_5, "STATUS_SUCCESS, but *ProviderDispatch was not set to a table");
    if (view.clients_max) {
        unsigned live = 1;

        for (uint32_t i = 0; i < view.binding_count; i++) {
            const struct view_binding *b = &view.bindings[i];

            live += i != e->object && b->attached && b->state < BINDING_CLEANUP;
        }
        if (live > view.clients_max)
            REPORT(e, RULE_PA_26, "attached to %u clients at once; the module serves %u", live, view.clients_max);
    }
}

static void judge_failure(const struct event *e, const struct view_frame *f)
{
    unsigned flags = (unsigned)f->value;

    if (e->value > 0)
        REPORT(e, RULE_PA_3, "the attach returned success code 0x%llX", (unsigned long long)e->value);
    if (flags & ATTACH_MUST_REFUSE && e->value != STATUS_NOINTERFACE && !f->low_resources &&
        !(flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT)))
        REPORT(e, RULE_PA_2, "a client to decline was answered with status 0x%08X", (unsigned)e->value);
    if ((e->c & 1 && e->a != 0) || (e->c & 2 && e->b != 0))
        REPORT(e, RULE_PA_18, "the attach failed, but an out-parameter was set");
}

static void attach_left(const struct event *e)
{
    const struct view_frame *f = view_inside(e->thread, FRAME_PROVIDER_ATTACH);
    const struct view_thread *w = &view.threads[e->thread];

    if (!f)
        return;
    if (e->level != f->level)
        REPORT(e, RULE_PA_28, "the attach callback returned at IRQL %u; it was called at %u", e->level, f->level);
    if (w->lock_count > f->locks)
        REPORT(e, RULE_PA_28, "the attach callback returned with a lock held");
    if (e->value == STATUS_SUCCESS)
        judge_success(e, f);
    else
        judge_failure(e, f);
}

/* Two bindings may share NULL; anything else belongs to one. */
static bool shared(const struct event *e)
{
    for (uint32_t i = 0; e->a && i < view.binding_count; i++)
        if (i != e->object && view.bindings[i].attached && view.bindings[i].context == e->a &&
            view.bindings[i].state < BINDING_GONE)
            return true;
    return false;
}

static void judge_context(const struct event *e)
{
    if (e->value == PLACE_POOL_PAGED)
        REPORT(e, RULE_PA_19, "the binding context is in paged pool");
    if (e->value == PLACE_STACK)
        REPORT(e, RULE_PA_20, "the binding context is a local variable");
    if (e->value == PLACE_POOL_FREED)
        REPORT(e, RULE_PA_20, "the binding context was freed before the attach returned");
    if (shared(e))
        REPORT(e, RULE_PA_20, "two live bindings have the same binding context");
}

static void judge_dispatch(const struct event *e)
{
    if (e->value == PLACE_STACK)
        REPORT(e, RULE_PA_21, "the provider's dispatch table is a local variable");
    if (e->value == PLACE_POOL_PAGED || e->value == PLACE_POOL_FREED)
        REPORT(e, RULE_PA_21, "the provider's dispatch table is in paged or freed pool");
}

void attach_monitor(const struct event *e)
{
    switch (e->kind) {
    case EV_LEAVE + FRAME_PROVIDER_ATTACH:
        attach_left(e);
        break;
    case EV_BINDING_CONTEXT:
        judge_context(e);
        break;
    case EV_BINDING_DISPATCH:
        judge_dispatch(e);
        break;
    case EV_BINDING_DISPATCH_CHANGED:
        REPORT(e, RULE_PA_21, "the provider's dispatch table changed while a client was attached");
        break;
    default:
        break;
    }
}
