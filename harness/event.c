/* event.c - see event.h. */
#include "event.h"

#include "check.h"
#include "sched.h"

uint8_t event_level;

static struct event kept[EVENTS_MAX + 2];   /* the last two by turns for what is not kept: a judge may emit, too */
unsigned event_counter;
uint64_t event_stamp;
static uint64_t running_hash;
static void (*judges[EVENT_KINDS_MAX][EVENT_JUDGES_MAX + 1])(const struct event *e);   /* up to the first NULL */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the members of an event's head lie in this order");

/* Multiply and fold, as in wyhash: a few cycles, good in all 64 bits, the same on every machine. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void event_begin(void)
{
    event_counter = 0;
    event_stamp = 0;
    running_hash = 0;
    event_level = 0;
}

void event_add_judge_of(uint16_t kind, void (*judge)(const struct event *e))
{
    unsigned count = 0;

    CHECK(kind < EVENT_KINDS_MAX);
    while (judges[kind][count])
        count++;
    CHECK(count < EVENT_JUDGES_MAX);
    judges[kind][count] = judge;
}

void event_add_judge(void (*judge)(const struct event *e))
{
    for (uint16_t kind = 0; kind < EVENT_KINDS_MAX; kind++)
        event_add_judge_of(kind, judge);
}

void event_emit(uint16_t kind, uint32_t object, int64_t value, uint64_t a, uint64_t b, uint64_t c, const void *pc)
{
    struct event *e = &kept[event_counter < EVENTS_MAX ? event_counter : EVENTS_MAX + event_counter % 2];
    uint64_t head = (uint64_t)kind << 48 | (uint64_t)sched_self() << 40 | (uint64_t)event_level << 32 | object;

    CHECK(kind < EVENT_KINDS_MAX);
    e->head = head;
    e->value = value;
    e->a = a;
    e->b = b;
    e->c = c;
    e->pc = pc;
    event_counter++;
    event_stamp += (uint64_t)(event_counter <= UINT16_MAX) << EVENT_STAMP_COUNT;
    /* The kind is below 0x9E37, so that the first factor is never 0, which would forget all that was before. */
    running_hash = mix(head ^ 0x9E3779B97F4A7C15, (uint64_t)value ^ running_hash ^ 0xD1342543DE82EF95);

    for (void (*const *judge)(const struct event *e) = judges[kind]; *judge; judge++)
        (*judge)(e);
}

uint64_t event_hash(void)
{
    return mix(running_hash ^ 0xBF58476D1CE4E5B9, event_counter ^ 0x94D049BB133111EB);
}

const struct event *event_log(unsigned *kept_count)
{
    *kept_count = event_counter < EVENTS_MAX ? event_counter : EVENTS_MAX;
    return kept;
}
