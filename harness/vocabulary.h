/*
 * vocabulary.h - the words a model lends to the harness.
 *
 * The harness knows threads, choices and events, but no name of the simulated world.  A model
 * describes its sites once, in a static table; scenario texts, reports and mutators read it.
 *
 * A site is a place where an execution may differ from the dull one: a kernel function (who runs
 * next, does it fail), a property of a simulated counterpart, a point where the simulated system
 * may choose, or an operation a driving thread can be told to do.  The number of a site is its
 * index here.  Numbers are part of the binary scenario format: append, never reorder or reuse.
 */
#ifndef HARNESS_VOCABULARY_H
#define HARNESS_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

/* What kind of choice a scenario record makes.  The numbers are part of the binary format. */
enum choice_kind {
    CHOICE_OP,                              /* append an operation to a driving thread's script */
    CHOICE_PEER,                            /* how a simulated counterpart behaves or what its data holds */
    CHOICE_SWITCH,                          /* which thread runs next */
    CHOICE_FAULT,                           /* whether a call fails, and how */
    CHOICE_SYSTEM,                          /* which option the simulated system takes */
    CHOICE_KINDS
};

struct site {
    const char *name;                       /* as scenarios spell it, e.g. "KeAcquireSpinLock" */
    unsigned kinds;                         /* bit (1u << kind) for each kind that is asked here */
    /* Names of the answers, dull one first, NULL-terminated; NULL for a site that only knows switches or numbers. */
    const char *const *values;
};

struct vocabulary {
    const struct site *sites;
    unsigned site_count;                    /* at most SITES_MAX */
    const char *kind_names[CHOICE_KINDS];   /* "op", "peer", "switch", "fault", "nmr" */
    const char *driving_prefix;             /* "t": threads 0 … driving_count-1 are t0, t1, … */
    unsigned driving_count;
    const char *worker_prefix;              /* "w": all further threads, in order of creation: w0, w1, … */
    const char *peer_prefix;                /* "c": the thread field of a peer record names counterpart c0, c1, … */
    unsigned peer_count;
    unsigned end_site;                      /* the site at which a thread that ended hands over */
};

enum { SITES_MAX = 256, THREADS_MAX = 16 };

/* The number of answers a fault, peer or system choice has at a site (at least 1, the dull one). */
unsigned site_value_count(const struct site *site);

/* An operation that is none: it sets one of its values for the whole execution. */
static inline bool site_is_setting(const struct site *site)
{
    return site->kinds == 1u << CHOICE_OP && site->values;
}

/* The index of the site of that name and kind, or -1. */
int vocabulary_find(const struct vocabulary *words, enum choice_kind kind, const char *name);

#endif
