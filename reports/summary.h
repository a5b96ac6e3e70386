/*
 * summary.h - what a whole campaign did and found, as Markdown, as plain text and as JSON.
 *
 * A campaign is a list of phases ("explore", "random", "corpus", "libfuzzer") with one sentence on
 * what each of them covered or what stopped it, and a list of findings.
 */
#ifndef REPORTS_SUMMARY_H
#define REPORTS_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "output.h"

enum { SUMMARY_PHASES_MAX = 32, SUMMARY_FINDINGS_MAX = 128, SUMMARY_SHARDS_MAX = 10000 };

struct summary_phase {
    char name[64];
    char result[800];                       /* one sentence */
    uint64_t executions, findings;          /* findings: executions that ended in one */
    char scope[300];                        /* what there is to cover ("traces of 9 setups with …"); "" for samples */
    uint64_t detours;                       /* executions of other shards that had to be run, too */
    uint64_t distinct, faults;              /* distinct event hashes; executions with a failed call; 0 unknown */
    unsigned longest;                       /* scheduling points of the longest execution; 0 unknown */
    bool complete;                          /* everything within the bounds was run */
    double seconds;
};

struct summary_finding {
    char rule[16], detail[200], fingerprint[20];
    char path[OUTPUT_PATH_MAX];             /* of the shrunk scenario */
    unsigned records;                       /* of the shrunk scenario */
    uint64_t seen;                          /* executions that showed it */
    bool old;                               /* was there before this campaign */
};

/* Which part of a run this is; count 0: all of it. */
struct summary_shard {
    unsigned index, count;                  /* index from 1 */
    char run[20];                           /* the same for the shards of a run, and for no other */
};

struct summary {
    const char *tool, *module, *verdict;    /* verdict: one sentence, "no finding" first if there is none */
    struct summary_shard shard;
    unsigned phase_count, finding_count;
    struct summary_phase phases[SUMMARY_PHASES_MAX];
    struct summary_finding findings[SUMMARY_FINDINGS_MAX];
};

/* The next free phase, or the last one when there are too many; never NULL. */
struct summary_phase *summary_add_phase(struct summary *s, const char *name);

/* For a terminal: phases, the findings from number `first` on, the verdict. */
void summary_print(const struct summary *s, unsigned first, FILE *out);
void summary_print_markdown(const struct summary *s, FILE *out);
json_t *summary_json(const struct summary *s);

/* Read what summary_json made of a shard's summary.  NULL, or what is wrong with it.  `module` is to be freed. */
const char *summary_from_json(const json_t *value, struct summary *s, char **module);

/* FOLDER/summary.md and FOLDER/summary.json, each whole or not at all. */
enum output_result summary_write(const struct summary *s, const char *folder, struct output_error *error);

#endif
