/* leak.c - what is still allocated when the module is gone, and whose task it was to free it. */
#include "view.h"

void leak_monitor(const struct event *e)
{
    const struct view_block *block = view_block(e->object);
    const struct view_binding *b = block && block->in_attach ? view_binding(block->binding) : NULL;
    const struct view_registration *r = b ? view_registration(b->provider) : NULL;
    const struct view_block *context = b ? view_block(b->context_block) : NULL;
    unsigned size = (unsigned)e->value;

    if (!b) {
        finding_report(RULE_MEM_8, "unload", "%u bytes were not freed before the unload", size);
        return;
    }
    if (block->attach_failed && block->attach_flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT))
        finding_report(RULE_PA_35, "unload", "an attach with a NULL out-parameter kept %u bytes", size);
    if (block->attach_failed)
        finding_report(RULE_PA_17, "unload", "a failed attach kept %u bytes", size);
    if (r && !r->has_cleanup)
        finding_report(RULE_PC_6, "unload", "%u bytes of a binding were not freed; there is no cleanup callback", size);
    if (e->object == b->context_block || (context && context->live))
        finding_report(RULE_PC_1, "unload", "the binding context of %u bytes was not freed",
                       context ? context->size : size);
    finding_report(RULE_PC_2, "unload", "%u bytes that the binding owned were not freed with its context", size);
}
