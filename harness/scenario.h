/*
 * scenario.h - the list of choices that differ from the dull answer.
 *
 * A scenario is an array of records.  A record says: the nth time that this thread reaches this
 * site, answer `value` instead of the dull answer 0.  Everything not listed is dull.  Records are
 * keyed, not positional, so that a scenario keeps its meaning when other records are removed or
 * the code under test gains a call elsewhere.
 *
 * Three spellings:
 *   struct scenario    in memory, in order; operations of one thread run in record order
 *   binary             8-byte header, then 8 bytes a record, little-endian: what fuzzers mutate.
 *                      Decoding is total: any byte string is a scenario.  Without the magic the
 *                      header is taken for a record; fields are reduced into range, records of an
 *                      unknown kind or site and a tail shorter than a record are ignored.
 *   text (.scn)        one record a line, names instead of numbers, '#' comments; lossless both ways
 */
#ifndef HARNESS_SCENARIO_H
#define HARNESS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vocabulary.h"

struct record {
    uint8_t kind;                           /* enum choice_kind */
    uint8_t thread;                         /* op: driving thread; peer: counterpart; else thread number */
    uint8_t site;                           /* index into the vocabulary */
    uint8_t zero;                           /* always 0 */
    uint16_t nth;                           /* which visit, from 0; op: the counterpart it is about */
    uint16_t value;                         /* the answer; switch: number of the thread to run; op: argument */
};

enum {
    SCENARIO_RECORDS_MAX = 256,             /* more records of an input are ignored */
    SCENARIO_HEADER_BYTES = 8, SCENARIO_RECORD_BYTES = 8,   /* of the binary form */
    SCENARIO_BYTES_MAX = SCENARIO_HEADER_BYTES + SCENARIO_RECORD_BYTES * SCENARIO_RECORDS_MAX,
    SCENARIO_MODULE_MAX = 64                /* bytes of a module name with its terminator */
};

struct scenario {
    unsigned count;
    struct record records[SCENARIO_RECORDS_MAX];
    uint32_t module;                        /* scenario_module_hash() of the module's name; 0 unknown */
};

/* A 32-bit name hash (FNV-1a), never 0: how the binary header names its module. */
uint32_t scenario_module_hash(const char *name);

/* Decode any bytes.  Never fails; the result is canonical (all fields in range). */
void scenario_decode(struct scenario *s, const struct vocabulary *words, const uint8_t *bytes, size_t size);

/* Encode; returns the number of bytes written, at most `capacity`; whole records only. */
size_t scenario_encode(const struct scenario *s, uint8_t *bytes, size_t capacity);

/* True when the bytes begin with the binary magic. */
bool scenario_is_binary(const uint8_t *bytes, size_t size);

/* True when the bytes look like text: printable characters and line ends only, and at least one. */
bool scenario_is_text(const uint8_t *bytes, size_t size);

struct scenario_error {
    unsigned line;                          /* from 1 */
    char reason[160];                       /* one line, no full stop */
};

/* Parse text.  False on the first wrong line, which *error then names; *s is then undefined.
 * `module` receives the name on the "module" line, or "" when there is none. */
bool scenario_parse(struct scenario *s, const struct vocabulary *words, const char *text, size_t size,
                    char module[SCENARIO_MODULE_MAX], struct scenario_error *error);

/* Write one record as a line of text without line end, at most `capacity` bytes; returns its length. */
size_t record_format(const struct record *r, const struct vocabulary *words, char *line, size_t capacity);

/* Write the whole text form: an optional comment of one line or more, the module line, the records. */
void scenario_print(const struct scenario *s, const struct vocabulary *words, const char *module,
                    const char *comment, FILE *out);

/* Append a record; false when the scenario is full. */
bool scenario_add(struct scenario *s, struct record r);
/* Take `length` records out, which are there. */
void scenario_cut(struct scenario *s, unsigned at, unsigned length);

/* The name of a thread ("t1", "w0") or of a counterpart ("c0"), in a caller's buffer. */
const char *thread_name(const struct vocabulary *words, unsigned thread, char buffer[8]);

#endif
