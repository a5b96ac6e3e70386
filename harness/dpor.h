/*
 * dpor.h - exploration that runs each behaviour once: dynamic partial order reduction with wakeup trees.
 *
 * Two executions that differ only in the order of independent steps are one trace.  The explorer runs one execution of
 * each trace, and no execution twice (Abdulla, Aronis, Jonsson, Sagonas: Source Sets, JACM 2017, the optimal variant).
 *
 * The literature takes it that a step touches the same wherever it comes.  Ours go on by what they read: they touch and
 * ask other things when they come at another time.  A step that was executed at a node tells what it is there, others
 * are taken for what they were where they were seen, and when one turns out to be another, what had been left to it is
 * explored elsewhere.  Then a few traces are run again (0.2 % of those of random programs made of such steps).
 *
 * An execution that ends before its threads do tells nothing of what these would have done.
 *
 * Spin loops give way (sched_give_way) and look again.  Turns in vain are left out: those that change nothing, of a
 * loop that would go on for ever if nobody else ran.  Executions that differ in how many of them there are count as
 * one; one in which all that can run spin in vain is run on to the step limit.  A thread that gives way may also go on
 * before others do anything, so loops that count their turns and give up are explored as they are.  Two limits: a turn
 * that writes memory of which nobody is told counts as one that changes nothing; and a loop whose count lies there,
 * and not on the stack, is taken for endless after 16 turns.  When such a loop is seen to end, the search is not
 * complete.  A turn that does an interlocked operation is never in vain, nor is one that asks.
 *
 * A step is what a thread does from one scheduling point to the next.  What it touched is recorded while it runs: locks
 * by the scheduler, all else by sched_touch.  Steps are dependent when they touch the same object and one of them
 * writes.  A step that asks (faults, counterparts, the simulated system) has one branch for each answer, in the same
 * tree; at most `deviations_max` answers of an execution are other than dull.
 *
 * What is not touched is taken to be private: a model that forgets to tell about a shared object makes exploration
 * incomplete.  Preemptions are not bounded.
 */
#ifndef HARNESS_DPOR_H
#define HARNESS_DPOR_H

#include <stdio.h>

#include "numbers.h"
#include "shard.h"
#include "strategy.h"

struct dpor_statistics {
    uint64_t blocked;                       /* executions known to show nothing new: of the whole, 0 where answers do
                                             * not change what a step touches */
    uint64_t clipped;                       /* executions with a step too long to describe, or deeper than the limit */
    uint64_t nodes_max;                     /* of the wakeup trees, at once */
    double left;                            /* executions still to come, estimated: see dpor_estimate.c; 0: none */
};

/* Begin to explore; there is one explorer in a process.  It watches the scheduler until strategy_dpor_end. */
struct strategy strategy_dpor(unsigned deviations_max);
/* Before the first execution, and before strategy_dpor_load: only those of this shard, see shard.h.  / After an
 * execution: is it one of the shard's, and the first of its trace?  Others are the way to these. */
void strategy_dpor_shard(struct shard shard);
bool strategy_dpor_mine(void);
/* After an execution: move on to the next trace; false when all are done. */
bool strategy_dpor_next(void);
struct dpor_statistics strategy_dpor_end(void);

/*
 * After strategy_dpor_next: write down where the search stands, that is the path with the sleep sets and the wakeup
 * trees of its nodes.  After strategy_dpor with the same bound: go on from there, with exactly the executions that are
 * left; false when none is, or when the numbers make no sense (in->bad).  It has to be the same program, and objects
 * must have the same names in both processes.
 */
void strategy_dpor_save(FILE *out);
bool strategy_dpor_load(struct numbers *in);

#endif
