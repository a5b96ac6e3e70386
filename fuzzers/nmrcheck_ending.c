/* nmrcheck_ending.c - how an execution ended that nobody wanted to end: a deadlock, or the step limit. */
#include "cli.h"

#include <string.h>

#include "events.h"
#include "rules/rules.h"
#include "sites.h"

static void add(struct report_ending *out, const char *line)
{
    if (out->count < REPORT_ENDING_MAX)
        snprintf(out->lines[out->count++], sizeof out->lines[0], "%s", line);
}

/* Of how many steps is the end of the list a repetition?  0: of none that shows at least twice. */
static unsigned find_period(const struct sched_step *steps, unsigned count)
{
    for (unsigned period = 1; 2 * period <= count; period++) {
        unsigned same = 0;
        while (same < count - period && memcmp(&steps[count - 1 - same], &steps[count - 1 - same - period],
                                               sizeof *steps) == 0)
            same++;
        if (same >= period)
            return period;
    }
    return 0;
}

static void loop(struct report_ending *out)
{
    struct sched_step steps[SCHED_RECENT_MAX];
    unsigned count = sched_recent(steps), period = find_period(steps, count);
    char line[160], thread[8];
    out->title = period > 0 ? "Loop: the last steps, which repeat" : "The last steps, none of which repeat at once";
    for (unsigned i = count - (period > 0 ? period : count); i < count; i++) {
        snprintf(line, sizeof line, "%-4s %s", thread_name(&model_words, steps[i].thread, thread),
                 model_words.sites[steps[i].site].name);
        add(out, line);
    }
}

void cli_ending(const struct event *log, unsigned kept, const struct outcome *o, struct report_ending *out)
{
    static struct rules_waits waits;
    bool deadlock = o->verdict == VERDICT_DEADLOCK || (o->verdict == VERDICT_FINDING && o->finding.event < kept &&
                                                       log[o->finding.event].kind == EV_DEADLOCK);
    *out = (struct report_ending){0};
    if (o->steps > sched_steps_max)
        loop(out);
    else if (!deadlock)
        return;
    rules_who_waits(&waits);
    if (out->title == NULL && waits.count > 0)
        out->title = "Waits";
    for (unsigned i = 0; i < waits.count; i++)
        add(out, waits.lines[i]);
}
