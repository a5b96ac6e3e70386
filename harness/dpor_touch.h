/*
 * dpor_touch.h - footprints: what a step touched, each kept once however many steps leave it.
 *
 * A footprint is a small number, so that steps are cheap to copy and to compare.  Footprints and objects live until the
 * next exploration; there is room for a fixed number of them, and the functions tell when it is used up.
 */
#ifndef HARNESS_DPOR_TOUCH_H
#define HARNESS_DPOR_TOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "sched.h"

enum { TOUCHES_MAX = 256 };                 /* of a step */

/* An object's number and how it was touched, in one. */
typedef uint32_t touch_type;
static inline touch_type touch_make(uint32_t object, enum sched_touch how) { return object << 2 | (uint32_t)how; }
static inline uint32_t touch_object(touch_type t) { return t >> 2; }
static inline enum sched_touch touch_how(touch_type t) { return (enum sched_touch)(t & 3); }

/* Two touches of one object: does their order matter? */
static inline bool touch_hows_conflict(enum sched_touch a, enum sched_touch b)
{
    return a != b || a == TOUCH_WRITE || a == TOUCH_ACQUIRE;
}

/* Forget all. */
void touch_begin(void);

enum { TOUCH_OBJECTS_MAX = 1 << 15, TOUCH_NONE = UINT32_MAX };
/* The number of an object of this name; TOUCH_NONE when there is no room for another. */
uint32_t touch_object_of(uint64_t name);
uint64_t touch_name_of(uint32_t object);

/* The footprint of these touches, number 0 for none of them; TOUCH_NONE when there is no room for another. */
uint32_t footprint_of(const touch_type *touches, unsigned count);
const touch_type *footprint_touches(uint32_t footprint, unsigned *count);
unsigned footprint_count(void);

/* Which objects footprints touch, in a few words: a bit stands for one object of every 64.  Exact for up to 64. */
struct footprint_sum { uint64_t read, released, taken; };   /* taken: written or acquired */
struct footprint_sum footprint_sum(uint32_t footprint);
static inline void footprint_add(struct footprint_sum *into, const struct footprint_sum *from)
{
    into->read |= from->read;
    into->released |= from->released;
    into->taken |= from->taken;
}
/* False: they do not. */
static inline bool footprint_may_conflict(const struct footprint_sum *a, const struct footprint_sum *b)
{
    return (a->taken & (b->read | b->released | b->taken)) | (a->read & (b->released | b->taken)) |
           (a->released & (b->read | b->taken));
}

/* Do they touch one object in ways that conflict? */
bool footprints_conflict(uint32_t a, uint32_t b);

#endif
