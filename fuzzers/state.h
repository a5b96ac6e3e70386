/*
 * state.h - simulated state as coverage.
 *
 * Code coverage hardly notices an interleaving.  A fuzz target therefore counts the states of the
 * simulated world as well: each state hash sets one of STATES counters, which libFuzzer and AFL++
 * read like those of edges.  On the prototype this found the deepest bug with 10 of 10 seeds, against
 * 0 to 2 without.
 *
 * Whether a state was reached counts, not how often.  There are few counters on purpose: with 16,384
 * that count, every fifth execution was "new", the corpus swelled and libFuzzer did 1,800 executions a
 * second instead of 16,000.
 *
 * Link state.c and call state_install once, before the first execution; the engine is recognised.
 */
#ifndef FUZZERS_STATE_H
#define FUZZERS_STATE_H

enum { STATES_LOG2 = 12, STATES = 1 << STATES_LOG2 };

/* Have the world's state changes counted (world_on_state). */
void state_install(void);

#endif
