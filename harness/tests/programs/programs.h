/*
 * programs.h - small programs whose number of traces is known: for tests of explorers, and for the table of speeds.
 *
 * Each function makes its program ready and returns it; it is good until the next of these calls.  Threads' operations
 * are the scheduling points and a lock's release is none, so the numbers are those of other optimal explorers, too.
 * A run of one takes no script.
 */
#ifndef HARNESS_TESTS_PROGRAMS_H
#define HARNESS_TESTS_PROGRAMS_H

#include <stdbool.h>

#include "execution.h"

/* (threads * times)! / times!^threads traces.  At most 15 threads. */
const struct program *lock_increments(unsigned threads, unsigned times);

/* As many threads that write once: the same variable (n! traces), or one each (1 trace). */
const struct program *writers(unsigned n);
const struct program *separate_writers(unsigned n);

/* One writer of a variable, n readers: 2^n traces. */
const struct program *readers(unsigned n);

/* Writer i of n copies a[i - 1] + 1 to a[i]; a reader looks for the last zero from the end.  5: 64 traces; 10: 3,328;
 * 15: 147,456.  An explorer without wakeup trees begins many executions in vain here. */
const struct program *last_zero(unsigned n);

/*
 * Attach and detach in small.  The attaching thread publishes a context under a lock.  The detaching one takes it back
 * under the lock, drops its reference, waits until the last one is dropped, and frees it.  Each calling thread, some
 * times: takes a reference under the lock, calls, drops the reference.
 *
 *     callers, calls        1, 1    2, 1    2, 2       3, 2
 *     traces                   7      46     744    266,898
 *     with `may_fail`          9              774
 *
 * A use of the freed context is a finding of rule 1.
 */
struct attach_detach {
    unsigned callers, calls;                /* calls: of each caller */
    unsigned attacher_noise, detacher_noise, caller_noise;  /* times that a thread first takes a lock of its own */
    bool use_after_free;                    /* the reference is taken after the lock is released */
    bool may_fail;                          /* the allocation of the context asks whether it fails */
};
const struct program *attach_detach(struct attach_detach what);

/* Programs with the use after free that are hard for samplers, each in another way. */
enum { ATTACH_DETACH_NOISES = 8 };
extern const struct attach_detach attach_detach_noises[ATTACH_DETACH_NOISES];

#endif
