/* finding.c - see finding.h. */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "check.h"
#include "event.h"
#include "sched.h"

static struct finding current;
static bool muted_rules[FINDING_RULES_MAX], passed_over[FINDING_RULES_MAX];
static bool any_passed_over;

void finding_begin(void)
{
    current.rule = 0;
    if (any_passed_over)
        memset(passed_over, 0, sizeof passed_over);
    any_passed_over = false;
}

const struct finding *finding_get(void)
{
    return &current;
}

void finding_mute(uint16_t rule, bool muted)
{
    CHECK(rule < FINDING_RULES_MAX);
    muted_rules[rule] = muted;
}

bool finding_muted(uint16_t rule)
{
    CHECK(rule < FINDING_RULES_MAX);
    return muted_rules[rule];
}

bool finding_passed_over(uint16_t rule)
{
    CHECK(rule < FINDING_RULES_MAX);
    return passed_over[rule];
}

static void record(uint16_t rule, const char *anchor, const char *format, va_list arguments)
{
    CHECK(rule != 0 && rule < FINDING_RULES_MAX);
    current.rule = rule;
    current.event = event_count() ? event_count() - 1 : 0;
    current.fingerprint = XXH3_64bits_withSeed(anchor, strlen(anchor), rule);
    vsnprintf(current.detail, sizeof current.detail, format, arguments);
}

void finding_raise(uint16_t rule, const char *anchor, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    record(rule, anchor, format, arguments);
    va_end(arguments);
    sched_stop(VERDICT_FINDING);
}

void finding_report(uint16_t rule, const char *anchor, const char *format, ...)
{
    va_list arguments;

    CHECK(rule < FINDING_RULES_MAX);
    if (muted_rules[rule]) {
        passed_over[rule] = any_passed_over = true;
        return;
    }
    va_start(arguments, format);
    record(rule, anchor, format, arguments);
    va_end(arguments);
    sched_stop(VERDICT_FINDING);
}
