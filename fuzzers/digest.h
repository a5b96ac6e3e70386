/*
 * digest.h - many executions in one number, to compare builds.
 *
 * The same scenario gives the same execution whatever compiler, optimisation, sanitizer, engine or machine runs
 * it.  Two programs that ran the same executions and print the same digest agree on all of them: on the event
 * hash, the verdict, the rule and the fingerprint of each.
 *
 * Needs the harness and the model only, so that it also links where there is no command line.
 */
#ifndef FUZZERS_DIGEST_H
#define FUZZERS_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "execution.h"

/* Add an outcome to a digest, which is 0 at first. */
uint64_t digest_add(uint64_t digest, const struct outcome *o);

enum { DIGEST_LINE_MAX = 80 };

/* What is compared of one outcome, as a line of text without line end. */
void digest_line(const struct outcome *o, char line[DIGEST_LINE_MAX]);

/* Is it the same in all that is compared? */
bool digest_same(const struct outcome *a, const struct outcome *b);

/* Random execution `index` of a seed, with a script of its own: run as `nmrcheck explore --strategy random` does, and
 * then again from the scenario it left in *s, through its binary form.  False: the two differ, which is our bug. */
bool digest_random(const struct program *p, uint64_t seed, uint64_t index, struct scenario *s, struct outcome *o,
                   struct outcome *again);

#endif
