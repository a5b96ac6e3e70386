/*
 * report.h - what a finding becomes.
 *
 * A report is made from the last execution: replay the scenario, call report_take, then print as
 * often as you like, until the next execution overwrites the event log.
 *
 *   text      for a person: the rule, where it was broken, the scenario, the story, how to replay it
 *   JSON      the same facts for a program; field names are stable
 *   scenario  the corpus form of the scenario, with its expectation as comment lines
 *
 * Text and JSON hold no address and no time, so two runs on two machines give the same bytes.
 *
 * This folder knows no more of the simulated world than the harness does.  What events mean, what
 * rules say and which memory a finding is about is lent to it as a struct report_words.
 */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "event.h"
#include "execution.h"
#include "output.h"
#include "symbol.h"

/* How much an event matters to someone who reads the story. */
enum story_weight {
    STORY_DETAIL,                           /* shown only when everything is */
    STORY_PLAIN,
};

/* One event in words. */
struct story_line {
    enum story_weight weight;
    int nest;                               /* +1: what follows on this thread happens inside it; -1: that is over */
    char text[160];                         /* no address, no full stop */
};

/* A rule as the report quotes it. */
struct report_rule {
    const char *name;                       /* "PA-4" */
    const char *class_name;                 /* "documented" */
    const char *severity;                   /* "violation", "warning" */
    const char *sentence;
    const char *source;                     /* codes, as in the rule table */
    char pages[3][160];                     /* addresses of the source pages; "" for unused ones */
};

/* Something that happened to the memory a finding is about. */
struct report_place {
    char what[96];                          /* "block 3 (64 bytes, tag 'tpcb') was allocated" */
    uint32_t event;                         /* its number in the log, or REPORT_NO_EVENT … */
    uint8_t thread;                         /* … and then the thread … */
    const void *pc;                         /* … and the place */
    bool access;                            /* one of two that race: … */
    char inside[160];                       /* … what the thread was in, innermost first … */
    char locks[160];                        /* … and the locks that it held; "" none */
};
#define REPORT_NO_EVENT UINT32_MAX
enum { REPORT_PLACES_MAX = 8 };

/* How an execution ended that did not end by itself: who waits for whom, or what is repeated for ever. */
enum { REPORT_ENDING_MAX = 40 };
struct report_ending {
    const char *title;                      /* "Waits"; NULL: there is nothing to tell */
    unsigned count;
    char lines[REPORT_ENDING_MAX][160];
};

/* What a model lends to the reports.  Every function sees the log of one execution. */
struct report_words {
    const char *tool;                       /* as a user types it: "nmrcheck" */
    const char *const *own_folders;         /* sources never shown, being ours: "harness/", …; NULL ends the list */
    void (*describe)(const struct event *log, unsigned kept, unsigned number, struct story_line *line);
    const char *(*level)(unsigned level);   /* "PASSIVE", "DISPATCH" */
    bool (*rule)(uint16_t rule, struct report_rule *out);
    unsigned (*places)(const struct event *log, unsigned kept, const struct finding *f,
                       struct report_place out[REPORT_PLACES_MAX]);
    /* Of the last execution; may be NULL. */
    void (*ending)(const struct event *log, unsigned kept, const struct outcome *o, struct report_ending *out);
};

struct report {
    const struct report_words *words;
    const struct program *program;
    const struct scenario *scenario;        /* what was replayed; the caller's, kept by pointer */
    const char *path;                       /* of the scenario file, for the replay command; NULL: none yet */
    struct outcome outcome;
    const struct event *log;                /* from here on set by report_take */
    unsigned kept, events;
    bool rule_known;
    struct report_rule rule;
    struct report_ending ending;
    char muted[120];                        /* muted rules that it broke on the way: " PA-4 PD-6"; "" for none */
    char cause[240];                        /* what made it likely, when the caller knows; else "" */
};

/* The names of the muted rules that the last execution broke, each behind a space; those that fit. */
void report_muted(const struct report_words *words, char *text, size_t capacity);

/* Take the last execution, which gave `outcome` for `scenario`.  Cheap. */
void report_take(struct report *r, const struct report_words *words, const struct program *program,
                 const struct scenario *scenario, const struct outcome *outcome, const char *path);

/* Look up the source lines: runs the symboliser once.  Reports that were not resolved name no sources. */
void report_resolve(const struct report *r);

/* The source line an event, or a place, is about: false when there is none. */
bool report_source(const struct report *r, uint32_t event, struct symbol *out);
bool report_place_source(const struct report *r, const struct report_place *place, struct symbol *out);

void report_print_text(const struct report *r, bool every_event, FILE *out);

/* Of a finding only what happened, where, and the scenario. */
void report_print_brief(const struct report *r, FILE *out);

/* Only the story: a table of step, thread, IRQL, event, source line. */
void report_print_story(const struct report *r, bool every_event, FILE *out);

/* One line: "finding PA-4 (fingerprint …)", "pass", …  At most `capacity` bytes; returns `line`. */
const char *report_verdict(const struct report *r, char *line, size_t capacity);

/* Print `text` in lines of at most 100 columns, all but the first indented by `indent`. */
void report_wrap(FILE *out, const char *text, unsigned indent);

/* A new reference; the caller releases it. */
json_t *report_json(const struct report *r);

/* The corpus form: comment lines with rule, expectation and hash, then the scenario. */
void report_print_scenario(const struct report *r, FILE *out);

/* What a corpus file expects of an outcome: "PASS", "OUTSIDE", … or the rule's name. */
const char *report_expectation(const struct report_words *words, const struct outcome *o);

/* Write FOLDER/NAME.txt, .json and .scn, each complete or not at all; the folder must exist. */
enum output_result report_write(const struct report *r, const char *folder, const char *name,
                                struct output_error *error);

#endif
