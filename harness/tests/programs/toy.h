/* toy.h - what the programs of programs.h are made of. */
#ifndef HARNESS_TESTS_TOY_H
#define HARNESS_TESTS_TOY_H

#include <stdbool.h>

#include "sched.h"
#include "vocabulary.h"

enum { TOY_STEP = 1, TOY_FAIL = 2 };        /* sites: a scheduling point; a fault */
extern const struct vocabulary toy_words;

struct toy_lock { sched_wait waiters; bool held; };

static inline void toy_acquire(struct toy_lock *lock)
{
    if (!lock->held)
        sched_point_for(&lock->waiters, TOY_STEP);
    while (lock->held)
        sched_block(&lock->waiters, TOY_STEP, SCHED_FOREVER);
    lock->held = true;
    sched_hold(&lock->waiters);
}

static inline void toy_release(struct toy_lock *lock)
{
    lock->held = false;
    sched_release(&lock->waiters);
}

/* A scheduling point, then a read or a write. */
static inline void toy_touch(unsigned object, bool write)
{
    sched_point(TOY_STEP);
    sched_touch(object, write ? TOUCH_WRITE : TOUCH_READ);
}

#endif
