/*
 * mutate.h - scenarios out of scenarios.
 *
 * A structure-aware mutator: it edits whole records, and where it can it picks the anchor of a new
 * record from the choices that an execution really asked.  Every result is canonical, so no
 * execution is spent on noise.  Measured on a prototype: records with this kind of mutator need 4 to
 * 10 times fewer executions than a byte per choice; records mutated as bytes need more.
 *
 * One mutator for every engine: libFuzzer's custom mutator, AFL++'s custom mutator library and
 * random campaigns call the same functions.  Nothing here allocates, and nothing is drawn but from
 * the seed that is passed in: the same arguments give the same result, everywhere.
 */
#ifndef FUZZERS_MUTATE_H
#define FUZZERS_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choice.h"

/* What an execution asked.  Plain data: a fuzz target under AFL++ shares it with the mutator in another process. */
enum { ASKED_MAX = 1024 };
struct asked {
    uint32_t count;                         /* points in use; later ones were not kept */
    struct choice_point points[ASKED_MAX];
};

/* AFL++'s mutator library leaves the number of a file descriptor here: a memory file that holds a struct asked,
 * which the target maps and fills. */
#define ASKED_FD_VARIABLE "NMRCHECK_ASKED_FD"

struct mutator {
    const struct vocabulary *words;
    uint32_t module;                        /* hash for the header of results */
    /* What the parent's last execution asked, or a relative's; may be none. */
    const struct choice_point *asked;
    unsigned asked_count;
    /* The engine's own mutation of bytes, used now and then; returns the new size, 0 for "cannot".  May be NULL. */
    size_t (*mutate_bytes)(uint8_t *bytes, size_t size, size_t capacity);
};

/* Read an input as the fuzz targets do: bytes that are a scenario text are parsed, all others decoded.  Total. */
void mutate_read(struct scenario *s, const struct vocabulary *words, const uint8_t *bytes, size_t size);

/* Make `edits` edits (at least 1) in place; the result has at most `records_max` records. */
void mutate_records(const struct mutator *m, struct scenario *s, unsigned records_max, unsigned edits, uint64_t seed);

/* The same over bytes, in place; returns the new size, at most `capacity`.  A capacity too small for a header
 * leaves nothing to mutate: the bytes stay. */
size_t mutate(const struct mutator *m, uint8_t *bytes, size_t size, size_t capacity, unsigned edits, uint64_t seed);

/* Write a child of two scenarios to `out`; returns its size, at most `capacity` (0 when that is below a header's). */
size_t mutate_crossover(const struct mutator *m, const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                        uint8_t *out, size_t capacity, uint64_t seed);

/*
 * Trimming, one record at a time from the last to the first, in a protocol that fits AFL++: begin says
 * how many steps there are at most, each step writes a candidate, and each verdict moves on by one.
 *
 *     for (step = 0, steps = trim_begin(&t, …); step < steps; step = trim_judge(&t, same_behaviour))
 *         run(candidate, trim_candidate(&t, candidate, capacity));
 */
struct trim {
    struct scenario best;                   /* smallest that was accepted */
    unsigned step, steps;
    unsigned at;                            /* record that the candidate lacks */
};
unsigned trim_begin(struct trim *t, const struct vocabulary *words, const uint8_t *bytes, size_t size);
size_t trim_candidate(const struct trim *t, uint8_t *bytes, size_t capacity);
unsigned trim_judge(struct trim *t, bool accepted);

#endif
