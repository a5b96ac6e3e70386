/* footprint.h - what steps touch besides what events tell: see footprint.c. */
#ifndef MODEL_FOOTPRINT_H
#define MODEL_FOOTPRINT_H

#include "sched.h"

/*
 * Shared things of the simulated world that have no address.  Those of which there are several have numbers.  Calls,
 * which come and go in any order, read; what looks at all of them, or lets no more come, writes.
 */
enum footprint_object {
    FOOTPRINT_NMR,                          /* which registrations and bindings there are */
    FOOTPRINT_REGISTRATION,                 /* by number: its state … */
    FOOTPRINT_DRAINED,                      /* … and whether a binding of it is left */
    FOOTPRINT_BINDING,                      /* by number, as the next four: its state */
    FOOTPRINT_COMPLETED,                    /* a detach was, while its callback had not returned */
    FOOTPRINT_CALLER,                       /* what the counterpart knows: may it call, how many calls there are */
    FOOTPRINT_SERVED,                       /* calls that the module serves */
    FOOTPRINT_CALLED,                       /* may the module call, and how many calls there are */
    FOOTPRINT_ENDING,                       /* detaches and cleanups of the module's have begun, of any binding … */
    FOOTPRINT_DETACHED,                     /* … and its detach callbacks have returned */
    FOOTPRINT_IMAGE,                        /* is the module in memory */
    FOOTPRINT_UNLOAD,                       /* has somebody begun to unload it */
    FOOTPRINT_WORK,                         /* queues of work items, DPCs, timers */
    FOOTPRINT_PEER,                         /* by number: what a counterpart's threads have done with it */
    FOOTPRINT_PAGES,                        /* by number of the counterpart: its data */
    FOOTPRINT_BINDINGS_OF,                  /* by number of the counterpart: which ones it has */
    FOOTPRINT_AWAITED                       /* by binding: what one thread of the counterpart's leaves to another */
};

void footprint_address(const void *address, enum sched_touch how);
void footprint_world(enum footprint_object object, unsigned number, enum sched_touch how);
void footprint_begin(void);                 /* of an execution */

#endif
