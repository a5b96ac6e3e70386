/* nmrcheck_idle.c - a clean result of a driver that does nothing says nothing: the plain run shows how far it comes. */
#include "cli.h"

static struct { int64_t entry, attach; unsigned offered, attached; } seen;

static void look(const struct module *m)
{
    static const struct scenario nothing;
    unsigned count;
    (void)execution_run(world_program(m), &nothing, NULL);
    const struct event *log = event_log(&count);
    seen.entry = seen.attach = 0;
    seen.offered = seen.attached = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct event *e = &log[i];
        if (e->kind == EV_LEAVE + FRAME_DRIVER_ENTRY)
            seen.entry = e->value;
        else if ((e->kind == EV_LEAVE + FRAME_PROVIDER_ATTACH || e->kind == EV_LEAVE + FRAME_CLIENT_ATTACH) && e->value)
            seen.attach = e->value;
        seen.offered += e->kind == EV_BINDING_OFFERED;
        seen.attached += e->kind == EV_BINDING_STATE && e->value == BINDING_ATTACHED;
    }
}

void cli_print_idle(const struct module *m)
{
    const char *name = m->image.name, *value;
    look(m);
    if (seen.attached > 0)
        return;
    value = registry_missed();
    if (seen.entry < 0)
        printf("\nBut nothing was tried: DriverEntry of %s returns 0x%08X even when no call fails. What it\n"
               "asks for and does not find here, such as values of the registry%s%s%s, belongs into the NPI\n"
               "description.\n",
               name, (unsigned)seen.entry, value ? " (" : "", value ? value : "", value ? ")" : "");
    else if (seen.offered == 0)
        printf("\nBut nothing was tried: %s registers nothing with NMR, neither when it is loaded nor when its\n"
               "operations are called. What makes it register belongs into nmrcheck_operations of the NPI\n"
               "description.\n", name);
    else
        printf("\nBut little was tried: in the plain run no counterpart is attached to %s; an attach callback\n"
               "answers 0x%08X. What it wants of the other side, such as characteristics, belongs into the NPI\n"
               "description.\n",
               name, (unsigned)seen.attach);
}
