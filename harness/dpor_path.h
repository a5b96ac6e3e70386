/*
 * dpor_path.h - the path that dpor explores, for the files that dpor.c consists of.
 *
 * dpor.c        executes: repeats the path, goes on beyond it, and finds the next one
 * dpor_race.c   what steps touched, and which pairs of them could have come in the other order
 * dpor_order.c  the sequences of steps that show these other orders, and into which trees they go
 * dpor_spin.c   which steps of threads that spin are in vain
 * dpor_parts.c  the search in parts, for shards
 */
#ifndef HARNESS_DPOR_PATH_H
#define HARNESS_DPOR_PATH_H

#include "dpor.h"
#include "dpor_node.h"
#include "dpor_touch.h"
#include "sched.h"

enum { SLEEP_MAX = 1 << 15, ACCESSES_MAX = 1 << 16, RACES_MAX = 1 << 16, NONE = -1 };
#define NOWHERE UINT32_MAX                  /* a node behind all others */

/* A touch in the path, and the one before it of the same object. */
struct access { uint32_t object; uint8_t how; uint16_t step; int previous; };

/* What a thread's next step comes after. */
struct thread_state {
    clock_type clock;                       /* of its last step */
    int enabling;                           /* the step that made it able to go on, NONE when none did … */
    uint64_t told;                          /* … and of what that one told */
    int kept;                               /* the last step for which the state was kept */
};

struct path {
    unsigned deviations_max;
    struct shard shard;
    struct dpor_statistics statistics;
    struct node nodes[STEPS_MAX + 1];       /* the last one for a step that was never taken */
    unsigned depth;                         /* steps begun in this execution, or known */
    unsigned root;                          /* nodes below this one lead to the part that is explored, 0: all is one */
    bool splitting;                         /* into parts, which begin with what can be tried at the root */
    unsigned parts_enough;                  /* so many are not split any further */
    unsigned fixed;                         /* nodes below this one repeat, this one takes its tree's first child */
    unsigned known;                         /* nodes below this one have their clocks and accesses */
    uint8_t plan[STEPS_MAX];                /* the threads of the steps */
    bool open;                              /* the last step is still running, and is not known */
    bool chosen;                            /* who runs next is known */
    bool revalued;                          /* this execution has another answer where the last one had a step */
    uint32_t spawned;                       /* threads that the running step has made */
    unsigned asked, asking;                 /* questions so far of step number `asking` */
    bool clipped;
    unsigned barren;                        /* the node where all that can run is asleep, or NOWHERE */
    bool cut;                               /* a turn was in vain, and the execution was ended there */
    uint32_t spinning;                      /* who can run when all of them spin in vain: the path has no more steps */
    unsigned turns;                         /* that they have made since */
    unsigned touch_count;                   /* of the running step */
    touch_type touches[TOUCHES_MAX];
    struct thread_state threads[THREADS_MAX];
    /* What they were before steps changed them, each once for a step. */
    struct { unsigned thread; int step; struct thread_state state; } kept[THREADS_MAX * STEPS_MAX];
    unsigned kept_count;
    struct op sleep[SLEEP_MAX];
    struct access accesses[ACCESSES_MAX];
    unsigned access_count;
    int last_access[TOUCH_OBJECTS_MAX];
    struct race {
        uint16_t early, late;
        bool turned;                        /* the later step is another one when it comes first */
    } races[RACES_MAX];                     /* by the later step */
    unsigned race_count;
    uint64_t executions[CLASSES];           /* so far, by their number of deviations */
    bool more;                              /* there is another one to explore */
    bool loaded;                            /* the path was loaded: nothing is known of its races */
};
extern struct path path;

/* ---- steps */

static inline bool dependent(const struct op *a, const struct op *b)
{
    return a->thread == b->thread || footprints_conflict(a->footprint, b->footprint);
}

/* Does step i come before whatever has this clock? */
static inline bool before(unsigned i, const clock_type clock)
{
    return clock[path.nodes[i].op.thread] >= path.nodes[i].index;
}

/* Room for one more node.  Without, the search is not complete, and says so. */
static inline bool has_room(void)
{
    bool room = tree_has_room(STEPS_MAX);

    path.clipped |= !room;
    return room;
}

/* ---- dpor.c: the sleep set of a node, which has to be the last one of the path: one more / that of node i begins with
 * what is still asleep after the step before it */
void sleep_add(struct node *n, const struct op *op);
void sleep_inherit(unsigned i);

/* ---- dpor_race.c */

/* The running step touches this. */
void add_touch(uint64_t object, enum sched_touch how);
/* The touches so far are what step j touched. */
void take_touches(unsigned j);
/* Step j touched what it touched.  / Steps from number `depth` on did not happen. */
void add_accesses(unsigned j);
void forget_accesses(unsigned depth);

/* After this one, all that touched the object before comes before whatever touches it later. */
static inline bool ends_search(const struct access *a)
{
    return a->how == TOUCH_WRITE || a->how == TOUCH_ACQUIRE;
}

/* The last steps that touched what step j touches, in ways that conflict; the last one first. */
struct candidates { unsigned count; uint16_t steps[STEPS_MAX]; uint8_t bonds[STEPS_MAX]; };
void find_candidates(unsigned j, struct candidates *c);
/* Those of them that could have come after step j, into path.races. */
void find_races(unsigned j, const struct candidates *c);

/* ---- dpor_spin.c */

/* Step j, which is known now, may have ended a turn of a spin loop, or may be part of one. */
void note_turn(unsigned j);
/* The last step gave way: the step that ended a turn in vain, as is known now; NONE: none. */
int vain_step(void);
/* Do all of these threads sleep at node `at` because they spin in vain? */
bool all_spin(unsigned at, uint32_t threads);
/* Have those that spin in vain gone on for so long that they do for ever, or count? */
bool spun_long(void);

/* ---- dpor_order.c */

/* After an execution: put into the trees what shows the other orders of its races. */
void reverse_all(void);

/* ---- dpor_parts.c */

void parts_begin(void);
/* After the first execution behind the root of the part that is split, which is one step deeper now: is there more? */
void parts_add(bool more);
/* The current part is done: go on with another.  False: none is left for this shard. */
bool parts_next(void);
/* About how many executions the parts have that this shard has not begun. */
uint64_t parts_left(void);
void parts_save(FILE *out);
void parts_load(struct numbers *in);

#endif
