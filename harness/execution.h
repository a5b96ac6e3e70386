/*
 * execution.h - one run from an empty world to a verdict.
 *
 * A program is a world to run in: how to reset it, what thread 0 does, and its vocabulary.  The
 * same program, script and answers give the same events, always and everywhere.
 */
#ifndef HARNESS_EXECUTION_H
#define HARNESS_EXECUTION_H

#include "choice.h"
#include "finding.h"
#include "sched.h"

struct program {
    const char *name;                       /* of the module under test */
    const struct vocabulary *words;
    void (*prepare)(void);                  /* before an execution is begun: may run others; may be NULL */
    void (*reset)(void);                    /* empty world; cost follows what the last execution touched */
    void (*main)(void *script);             /* body of thread 0; script is a const struct scenario *, its op records */
    unsigned setting_count;
    struct record settings[2];              /* op records; explorations add those that are not dull to each script */
};

struct outcome {
    enum verdict verdict;
    struct finding finding;                 /* rule 0 unless verdict is VERDICT_FINDING */
    uint64_t hash;                          /* event hash */
    uint32_t events, steps, switches, preemptions;
};

/* Run once.  `script` supplies the op records (others in it are ignored), `s` answers all choices. */
struct outcome execution_run(const struct program *p, const struct scenario *script, const struct strategy *s);

/* Run a scenario: its ops as the script, its other records as the answers. */
struct outcome execution_replay(const struct program *p, const struct scenario *s);

/* The script with the program's settings, but for dull ones, in front of it, since the last one of a kind counts. */
void execution_set(const struct program *p, const struct scenario *script, struct scenario *out);

/* The scenario that repeats the last execution: the ops of its script and each answer that was not dull. */
void execution_scenario(struct scenario *out);

/* Install the process-wide handlers that turn a crash of simulated code into execution_on_fault.
 * Idempotent; called by execution_run. */
void execution_handle_faults(void);

/* A memory fault in a simulated thread: called on that thread (after a stack overflow with its frames given up),
 * outside the signal handler.  Set by the model; must end the execution. */
struct fault {
    uint64_t address;                       /* as the machine told; 0 when it told none */
    const void *pc;
    bool write, execute, overflow;          /* overflow: the guard page of the thread's stack */
    int signal;
};
extern void (*execution_on_fault)(const struct fault *f);

#endif
