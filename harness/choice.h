/*
 * choice.h - the one source of nondeterminism.
 *
 * Whatever may differ between two executions is asked here and nowhere else.  Answer 0 is the
 * dull one.  A choice is identified by (kind, thread, site, nth): the nth time this thread asks
 * this kind of question at this site.  Each answer other than 0 is appended to a log, which is
 * the scenario that repeats the execution.
 *
 * Caller: the running thread of an execution only.
 */
#ifndef HARNESS_CHOICE_H
#define HARNESS_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "scenario.h"

struct choice_point {
    uint8_t kind;                           /* enum choice_kind */
    uint8_t thread;                         /* who asks (peer: the counterpart asked about) */
    uint8_t site;
    bool forced;                            /* switch: the asking thread cannot go on, so any answer is free */
    uint16_t nth;                           /* from 0 */
    uint16_t options;                       /* answers are 0 … options-1, at least 2 */
    uint32_t enabled;                       /* switch: bit mask of the threads that can run */
    uint8_t dull;                           /* switch: the thread that answer 0 runs */
};

struct sched_observer;
struct sched_plan;

/* Whatever answers choices.  `answer` returns less than point->options. */
struct strategy {
    const char *name;
    void *state;
    void (*begin)(void *state);             /* before each execution; may be NULL */
    unsigned (*answer)(void *state, const struct choice_point *point);
    /* The same for a switch, as the thread that runs next; NULL: `answer` is asked. */
    unsigned (*next)(void *state, uint32_t enabled, unsigned dull);
    bool stays;                             /* it may let a thread go on that gives way (sched_give_way) */
    const struct sched_observer *observer;  /* watches its executions; may be NULL */
    const struct sched_plan *plan;          /* the steps that it knows, when `begin` has returned; may be NULL */
};

/* Ask.  `options` >= 1; with 1 nothing is asked and 0 is returned.  kind is not CHOICE_SWITCH. */
unsigned choice_ask(enum choice_kind kind, unsigned thread, unsigned site, unsigned options);

/* Ask which of the `enabled` threads runs next; `dull` is one of them.  Returns a thread number. */
unsigned choice_switch(unsigned thread, unsigned site, uint32_t enabled, unsigned dull, bool forced);

/* The same where it is known that `chosen` does, and nobody is asked.  Returns it. */
unsigned choice_planned(unsigned thread, unsigned site, uint32_t enabled, unsigned dull, unsigned chosen);

/* May the strategy let a thread go on that gives way? */
bool choice_stays(void);

/* For a switch point: the thread that answer `option` stands for (0: dull, then the others upwards),
 * and the reverse (0 when that thread cannot run). */
unsigned choice_thread(const struct choice_point *point, unsigned option);
unsigned choice_option(const struct choice_point *point, unsigned thread);

/* Start an execution: forget all counts and the log; `s` may be NULL for all-dull answers. */
void choice_begin(const struct strategy *s);

/* The answers other than 0 since choice_begin, in order, as records. */
const struct scenario *choice_log(void);

/* How often choices were asked since choice_begin, by kind: what an exploration had to decide. */
extern uint32_t choice_asked[CHOICE_KINDS];

/* Called for each choice with two answers or more, before it is answered; for mutators.  May be NULL. */
extern void (*choice_on_ask)(const struct choice_point *point);

#endif
