/* leak.c - what is still allocated when the module is gone, and whose task it was to free it. */
#include "view.h"

#define REPORT_LEAK(side, rule, ...) finding_report(view_rule((rule), (side)), "unload", __VA_ARGS__)

static void binding_leak(const struct event *e, const struct view_block *block, const struct view_binding *b)
{
    enum side side = block->side;
    const struct view_registration *r = view_registration_of(b, side);
    const struct view_block *context = view_block(b->sides[side].context_block);
    unsigned size = (unsigned)e->value;

    if (block->attach_failed && block->attach_flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT))
        REPORT_LEAK(side, RULE_PA_35, "an attach with a NULL out-parameter kept %u bytes", size);
    if (block->attach_failed)
        REPORT_LEAK(side, RULE_PA_17, "a failed attach kept %u bytes", size);
    if (r && !r->has_cleanup)
        REPORT_LEAK(side, RULE_PC_6, "%u bytes of a binding were not freed; there is no cleanup callback", size);
    if (e->object == b->sides[side].context_block || (context && context->live))
        REPORT_LEAK(side, RULE_PC_1, "the binding context of %u bytes was not freed", context ? context->size : size);
    REPORT_LEAK(side, RULE_PC_2, "%u bytes that the binding owned were not freed with its context", size);
}

static void leak(const struct event *e)
{
    const struct view_block *block = view_block(e->object);
    const struct view_binding *b = block && block->in_attach ? view_binding(block->binding) : NULL;

    if (b)
        binding_leak(e, block, b);
    else
        finding_report(RULE_MEM_8, "unload", "%u bytes were not freed before the unload", (unsigned)e->value);
}

void leak_watch(void)
{
    event_add_judge_of(EV_LEAK, leak);
}
