/* event.c - see event.h. */
#include "event.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "check.h"
#include "sched.h"

uint8_t event_level;

static struct event kept[EVENTS_MAX];
static unsigned count;
static uint64_t running_hash;
static void (*judges[EVENT_JUDGES_MAX])(const struct event *e);
static unsigned judge_count;

void event_begin(void)
{
    count = 0;
    running_hash = 0;
    event_level = 0;
}

void event_add_judge(void (*judge)(const struct event *e))
{
    CHECK(judge_count < EVENT_JUDGES_MAX);
    judges[judge_count++] = judge;
}

void event_emit(uint16_t kind, uint32_t object, int64_t value, uint64_t a, uint64_t b, uint64_t c, const void *pc)
{
    struct event spare;
    struct event *e = count < EVENTS_MAX ? &kept[count] : &spare;
    struct { uint64_t head; int64_t value; } hashed;

    e->kind = kind;
    e->thread = (uint8_t)sched_self();
    e->level = event_level;
    e->object = object;
    e->value = value;
    e->a = a;
    e->b = b;
    e->c = c;
    e->pc = pc;
    count++;

    hashed.head = (uint64_t)kind << 48 | (uint64_t)e->thread << 40 | (uint64_t)e->level << 32 | object;
    hashed.value = value;
    running_hash = XXH3_64bits_withSeed(&hashed, sizeof hashed, running_hash);

    for (unsigned i = 0; i < judge_count; i++)
        judges[i](e);
}

uint64_t event_hash(void)
{
    return running_hash;
}

unsigned event_count(void)
{
    return count;
}

const struct event *event_log(unsigned *kept_count)
{
    *kept_count = count < EVENTS_MAX ? count : EVENTS_MAX;
    return kept;
}
