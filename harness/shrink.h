/*
 * shrink.h - a smaller scenario with the same finding.
 *
 * Fewer records first, then fewer threads and smaller values (nth, value), always to the same fingerprint.  The
 * result is 1-minimal: no single record can be removed.  Deterministic.
 */
#ifndef HARNESS_SHRINK_H
#define HARNESS_SHRINK_H

#include "execution.h"

struct shrink_result {
    bool reproduced;                        /* the given scenario does show the fingerprint */
    unsigned replays;                       /* executions spent */
};

/* Shrink *s in place, keeping `fingerprint`. */
struct shrink_result shrink(const struct program *p, struct scenario *s, uint64_t fingerprint);

#endif
