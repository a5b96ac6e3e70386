/*
 * profile.h - what some executions, the pilots, tell about the executions to come.
 *
 * A strategy that samples must know before it decides: how many threads there are and how often it will be asked, what
 * each thread is about to touch, and how many steps on an object are still to come.  An explorer only knows that of
 * steps that ran.  So a few pilots run first, and a step is called the same in all executions: by its thread, the site
 * where it begins, and how many steps of the thread began there before.
 *
 * That is a guess.  It is right as long as a thread does the same in another interleaving; where it is wrong, samples
 * are less even, and each is still an execution that can happen.
 *
 * Same pilots, same profile: nothing depends on the values of addresses.  State belongs to the caller.
 */
#ifndef HARNESS_PROFILE_H
#define HARNESS_PROFILE_H

#include "choice.h"
#include "sched.h"

enum { PROFILE_STEPS_MAX = 2048, PROFILE_OBJECTS_MAX = 256, PROFILE_TOUCHES_MAX = 8 };

/* Objects by number of a profile.  What does not fit is left out. */
struct footprint {
    uint8_t count;
    struct { uint16_t object; bool write; } touches[PROFILE_TOUCHES_MAX];
};

/* Counts are the largest of a pilot.  What thread 0 does before another thread runs is not looked at. */
struct profile_object {
    uint64_t name;
    bool written;
    uint16_t steps[THREADS_MAX];            /* that touch it, of each thread */
    uint16_t now[THREADS_MAX];              /* the same, of pilot number `pilot` */
    unsigned pilot;
};

/* The steps of one execution: where each thread is. */
struct follower {
    unsigned running;                       /* whose step is running; THREADS_MAX: nobody's */
    uint32_t pending[THREADS_MAX];          /* the name of the step that each thread is about to make, or makes */
    uint16_t visits[THREADS_MAX][SITES_MAX];
};

struct profile {
    unsigned pilots;                        /* how many there were */
    unsigned threads;                       /* n: numbers of threads in use, the most of a pilot */
    unsigned length;                        /* k: steps from when a second thread ran, the most of a pilot */
    uint8_t maker[THREADS_MAX];             /* who made each thread */
    unsigned step_count, object_count;
    struct profile_step { uint32_t name, stamp; struct footprint footprint; } steps[PROFILE_STEPS_MAX];
    struct profile_object objects[PROFILE_OBJECTS_MAX];
    uint32_t stamp;                         /* of the steps that are there */
    /* Of the pilot that is running. */
    struct follower follower;
    struct footprint current;
    bool alone;                             /* no thread but 0 has run */
    uint32_t seen;                          /* threads */
    unsigned begun;                         /* steps from when a second one ran */
    struct strategy inner;
};

/* Forget all pilots. */
void profile_clear(struct profile *p);
/* A pilot: the same answers as `inner`, and the profile learns.  Call profile_end after its execution. */
struct strategy profile_pilot(struct profile *p, struct strategy inner);
void profile_end(struct profile *p);

/* What the step that this thread is about to make touches; NULL: not known. */
const struct footprint *profile_next(const struct profile *p, const struct follower *f, unsigned thread);
bool footprint_conflict(const struct footprint *a, const struct footprint *b);
bool footprint_has(const struct footprint *f, unsigned object);

/* Objects that several threads touch and one writes: how many, and number n of them. */
unsigned profile_shared_count(const struct profile *p);
const struct profile_object *profile_shared(const struct profile *p, unsigned n);

/* The follower of an execution.  A step has ended when another begins, or when it is asked who does: follower_settle
 * then says whose it was, and has moved this thread on to its next one.  THREADS_MAX: the last one was told. */
void follower_begin(struct follower *f);
unsigned follower_settle(struct follower *f);
void follower_run(struct follower *f, unsigned thread);

#endif
