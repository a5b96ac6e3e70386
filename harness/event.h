/*
 * event.h - what happened.
 *
 * An event is one thing that happened in an execution.  The running hash over `kind`, `thread`,
 * `level`, `object` and `value` is the execution's identity: two executions are the same exactly
 * when their hashes are.  `a`, `b`, `c` and `pc` hold addresses for judges and reports; they are
 * not hashed, since address space layout differs between processes.
 *
 * Judges (rules) see events only.  Those of a kind are called in the order of their registration, after
 * the event is recorded.  The log is bounded: past EVENTS_MAX events are hashed and judged but no
 * longer kept; event_count() counts them all.
 */
#ifndef HARNESS_EVENT_H
#define HARNESS_EVENT_H

#include <stdint.h>

struct event {
    union {
        struct {
            uint32_t object;                /* number of the object it is about; never an address */
            uint8_t level;                  /* interrupt level the thread ran at */
            uint8_t thread;
            uint16_t kind;                  /* the model's enumeration */
        };
        uint64_t head;                      /* these four as one number: written, and hashed, at once */
    };
    int64_t value;                          /* status, size, tag, …; never an address */
    uint64_t a, b, c;                       /* addresses and other values outside the hash */
    const void *pc;                         /* inside the instruction of the module that did it, or NULL */
};

enum { EVENTS_MAX = 4096, EVENT_KINDS_MAX = 128, EVENT_JUDGES_MAX = 7 };

/* Append an event; fills in thread and level itself. */
void event_emit(uint16_t kind, uint32_t object, int64_t value, uint64_t a, uint64_t b, uint64_t c, const void *pc);

/* Start an execution: empty log, hash of nothing. */
void event_begin(void);

uint64_t event_hash(void);
extern unsigned event_counter;              /* all events so far, kept or not; event.c's to write */
static inline unsigned event_count(void) { return event_counter; }
const struct event *event_log(unsigned *kept);
/* The same as long as nothing happens.  Its upper bits are event_count(), or UINT16_MAX when there are more; the lower
 * 48 are the model's, 0 at the start of an execution. */
extern uint64_t event_stamp;
enum { EVENT_STAMP_COUNT = 48 };            /* the number of the count's first bit */

/* Called for each event of this kind, or of any kind, for the life of the process. */
void event_add_judge_of(uint16_t kind, void (*judge)(const struct event *e));
void event_add_judge(void (*judge)(const struct event *e));

/* The interrupt level of the running thread, kept by the model. */
extern uint8_t event_level;

#endif
