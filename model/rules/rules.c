/* rules.c - the table of rules, and the start of the monitors. */
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

static bool is_violation(enum rule rule)
{
    return strchr("DHK", rule_table[rule].class) != NULL;
}

const char *rule_severity(enum rule rule)
{
    return is_violation(rule) ? "violation" : "warning";
}

void rules_mute_warnings(void)
{
    for (unsigned i = 1; i < RULES; i++)
        if (!is_violation((enum rule)i))
            finding_mute((uint16_t)i, true);
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
    attach_watch();
    detach_watch();
    balance_watch();
    callback_watch();
    registration_watch();
    memory_watch();
    misuse_watch();
    leak_watch();
    order_watch();
    hang_watch();
    view_watch();                           /* the last, so that monitors find the state as it was before */
    sched_on_deadlock = deadlock;
    sched_on_step_limit = step_limit;
}

void rules_begin(unsigned counterparts_max, bool client_only)
{
    view_begin();
    order_begin();
    view.counterparts_max = counterparts_max;
    view.role = client_only ? SIDE_CLIENT : SIDE_PROVIDER;
}
