/* balance.c - code of the module returns as it was called: IRQL, locks, critical regions. */
#include "view.h"

/* Attach and detach callbacks have narrower rules of their own for the first two: PA-28, PD-20. */
static bool has_own_rule(enum frame frame)
{
    return view_is_attach(frame) || view_is_detach(frame);
}

static void left(const struct event *e)
{
    enum frame frame = (enum frame)(e->kind - EV_LEAVE);
    const struct view_frame *f = view_inside(e->thread, frame);
    const struct view_thread *w = &view.threads[e->thread];

    if (!f || !f->module)
        return;
    if (e->level != f->level && !has_own_rule(frame))
        REPORT(e, RULE_KRN_1, "%s returned at IRQL %u; it was called at %u", frame_names[frame], e->level, f->level);
    if (w->lock_count > f->locks && !has_own_rule(frame))
        REPORT(e, RULE_KRN_2, "%s returned with a lock held", frame_names[frame]);
    if (w->regions != f->regions)
        REPORT(e, RULE_KRN_3, "%s returned inside %u critical region(s); it was called inside %u", frame_names[frame],
               w->regions, f->regions);
}

void balance_watch(void)
{
    static const enum frame frames[] = {
        FRAME_DRIVER_ENTRY, FRAME_DRIVER_UNLOAD, FRAME_WORK_ITEM, FRAME_ENTRY, FRAME_CALL,
        FRAME_CLIENT_ATTACH, FRAME_CLIENT_DETACH, FRAME_CLIENT_CLEANUP,
        FRAME_PROVIDER_ATTACH, FRAME_PROVIDER_DETACH, FRAME_PROVIDER_CLEANUP};

    for (unsigned i = 0; i < sizeof frames / sizeof *frames; i++)
        event_add_judge_of((uint16_t)(EV_LEAVE + frames[i]), left);
}
