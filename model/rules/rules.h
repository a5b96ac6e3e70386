/*
 * rules.h - the judges.
 *
 * A rule is one checkable sentence of the contract.  rules.def lists them; the monitors in this
 * folder watch events and raise a finding when one is broken.  They know nothing of the mock but
 * its events, so a mistake in the mock cannot hide behind a judge that shares it.
 */
#ifndef MODEL_RULES_H
#define MODEL_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum rule {
    RULE_NONE,
#define RULE(id, name, class, source, sentence) RULE_##id,
#include "rules.def"
#undef RULE
    RULES
};

/* Where a rule is judged: while a module runs, when it is compiled, or nowhere, since it cannot be decided here. */
enum rule_judged { JUDGED_RUNNING, JUDGED_COMPILING, JUDGED_NOWHERE };

struct rule_info {
    const char *name;                           /* "PA-4" */
    char class;                                 /* D documented, S should, H header, K kernel, W Windows, I inferred */
    const char *source;                         /* page codes of the contract, e.g. "pac, apc" */
    const char *sentence;
    enum rule_judged judged;
    const char *reason;                         /* why no mutant breaks it; NULL: one does */
};
extern const struct rule_info rule_table[RULES];
/* D, H and K are "violation"s; S, W and I "warning"s: a reader may weigh them, or have them muted. */
const char *rule_severity(enum rule rule);
/* What happens on a real machine when it is broken; "" when nobody has written it down. */
const char *rule_why(enum rule rule);
void rules_mute_warnings(void);
enum rule rule_find(const char *name);          /* RULE_NONE when there is no such rule */
/* The page's address behind a source code such as "pac"; NULL for codes without one. */
const char *rule_source_page(const char *code, unsigned length);

/* Who waits for whom, as the last execution left it: a line for each thread that waits, and indented ones for what it
 * waits for.  More than fit are left out. */
enum { RULES_WAITS_MAX = 32 };
struct rules_waits { unsigned count; char lines[RULES_WAITS_MAX][160]; };
void rules_who_waits(struct rules_waits *out);

/* Register the judges, once. */
void rules_install(void);
/*
 * Start an execution of a module that serves so many counterparts at once (0: any number) and is a client only.
 */
void rules_begin(unsigned counterparts_max, bool client_only);

#endif
