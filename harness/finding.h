/*
 * finding.h - a broken rule.
 *
 * The first finding ends an execution.  Its fingerprint names the defect, not the run: the same
 * rule broken at the same place gives the same fingerprint under every compiler, whatever else
 * the scenario holds.  Shrinking and de-duplication compare fingerprints.
 */
#ifndef HARNESS_FINDING_H
#define HARNESS_FINDING_H

#include <stdbool.h>
#include <stdint.h>

struct finding {
    uint16_t rule;                          /* the model's number of the rule; 0 is no rule */
    uint32_t event;                         /* number of the event that broke it, from 0 */
    uint64_t fingerprint;
    char detail[200];                       /* one sentence about this occurrence, in the user's terms */
};

/* Report and end the execution.  `anchor` is hashed into the fingerprint with the rule: a stable word
 * such as the callback or function where it happened ("ProviderDetachClient", "ExFreePoolWithTag"). */
_Noreturn void finding_raise(uint16_t rule, const char *anchor, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Same, but only when `rule` is enabled (finding_mute); returns when it is muted. */
void finding_report(uint16_t rule, const char *anchor, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* Rules that are muted do not end executions; for "known" lists.  All rules are enabled at first. */
void finding_mute(uint16_t rule, bool muted);
bool finding_muted(uint16_t rule);
/* Was this rule broken in the last execution, and not reported because it is muted? */
bool finding_passed_over(uint16_t rule);

void finding_begin(void);
const struct finding *finding_get(void);    /* rule 0 when there is none */

enum { FINDING_RULES_MAX = 512 };

#endif
