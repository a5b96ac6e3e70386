/* footprint.h - what steps touch besides what events tell: see footprint.c. */
#ifndef MODEL_FOOTPRINT_H
#define MODEL_FOOTPRINT_H

#include <stdbool.h>

/* Shared things of the simulated world that have no address. */
enum footprint_object {
    FOOTPRINT_NMR,                          /* registrations and bindings, who is loaded */
    FOOTPRINT_CALLS,                        /* how many calls are in progress */
    FOOTPRINT_WORK,                         /* queues of work items, DPCs, timers */
    FOOTPRINT_PEERS                         /* what counterparts are about to do */
};

void footprint_address(const void *address, bool write);
void footprint_world(enum footprint_object object, bool write);
void footprint_begin(void);                 /* of an execution */

#endif
