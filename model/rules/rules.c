/* rules.c - the table of rules and the judge that hands each event to the monitors. */
#include "rules.h"

#include <string.h>

#include "sched.h"
#include "view.h"

const struct rule_info rule_table[RULES] = {
    [RULE_NONE] = {"", ' ', "", "", JUDGED_NOWHERE, NULL},
#define RULE(id, name, class, source, sentence) RULE_WITHOUT(id, name, class, source, sentence, RUNNING, NULL)
#define RULE_WITHOUT(id, name, class, source, sentence, judged, reason) \
    [RULE_##id] = {name, class, source, sentence, JUDGED_##judged, reason},
#include "rules.def"
#undef RULE
};

enum rule rule_find(const char *name)
{
    for (unsigned i = 1; i < RULES; i++)
        if (strcmp(rule_table[i].name, name) == 0)
            return (enum rule)i;
    return RULE_NONE;
}

const char *rule_severity(enum rule rule)
{
    return strchr("DHK", rule_table[rule].class) ? "violation" : "warning";
}

void rules_mute_warnings(void)
{
    for (unsigned i = 1; i < RULES; i++)
        if (!strchr("DHK", rule_table[i].class))
            finding_mute((uint16_t)i, true);
}

/* Only the monitors that can say something about an event see it. */
static void judge(const struct event *e)
{
    unsigned frame = e->kind >= EV_LEAVE ? e->kind - EV_LEAVE : e->kind - EV_ENTER;

    if (e->kind >= EV_ENTER && e->kind < EV_THREAD_START) {
        switch (frame) {
        case FRAME_PROVIDER_ATTACH: case FRAME_CLIENT_ATTACH: case FRAME_NMR_CLIENT_ATTACH:
            attach_monitor(e);
            break;
        case FRAME_CALL:
            detach_monitor(e);
            callback_monitor(e);
            break;
        case FRAME_CALLBACK:
            callback_monitor(e);
            break;
        case FRAME_PROVIDER_DETACH: case FRAME_PROVIDER_CLEANUP: case FRAME_CLIENT_DETACH: case FRAME_CLIENT_CLEANUP:
        case FRAME_NMR_COMPLETE: case FRAME_WORK_ITEM: case FRAME_ENTRY:
            detach_monitor(e);
            break;
        case FRAME_DRIVER_ENTRY: case FRAME_DRIVER_UNLOAD: case FRAME_NMR_WAIT:
            registration_monitor(e);
            break;
        default:
            break;
        }
        view_update(e);
        return;
    }
    switch (e->kind) {
    case EV_BINDING_CONTEXT: case EV_BINDING_DISPATCH: case EV_BINDING_DISPATCH_CHANGED:
        attach_monitor(e);
        break;
    case EV_IDENTITY:
        callback_monitor(e);
        break;
    case EV_REGISTRATION_FIELD: case EV_REGISTRATION_PLACE: case EV_REGISTRATION_CHANGED: case EV_IMAGE_LOADED:
    case EV_BAD_HANDLE:
        registration_monitor(e);
        break;
    case EV_FREE: case EV_ACCESS: case EV_RACE:
        memory_monitor(e);
        break;
    case EV_MISUSE: case EV_SYNC_INIT: case EV_ASSERT: case EV_BUGCHECK:
        misuse_monitor(e);
        break;
    case EV_LEAK:
        leak_monitor(e);
        break;
    case EV_DEADLOCK: case EV_STEP_LIMIT:
        hang_monitor(e);
        break;
    default:
        break;
    }
    view_update(e);
}

static void deadlock(void)
{
    event_emit(EV_DEADLOCK, 0, 0, 0, 0, 0, NULL);
}

static void step_limit(void)
{
    event_emit(EV_STEP_LIMIT, sched_self(), 0, 0, 0, 0, NULL);
}

void rules_install(void)
{
    static bool installed;

    if (installed)
        return;
    installed = true;
    event_add_judge(judge);
    sched_on_deadlock = deadlock;
    sched_on_step_limit = step_limit;
}

void rules_begin(unsigned counterparts_max, bool needs_dispatch, bool client_only)
{
    view_begin();
    view.counterparts_max = counterparts_max;
    view.needs_dispatch = needs_dispatch;
    view.role = client_only ? SIDE_CLIENT : SIDE_PROVIDER;
}
