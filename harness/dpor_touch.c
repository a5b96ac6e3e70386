/* dpor_touch.c - see dpor_touch.h. */
#include "dpor_touch.h"

#include <string.h>

enum { FOOTPRINTS_MAX = 1 << 17, ARENA_MAX = 1 << 21, OBJECT_SLOTS = 2 * TOUCH_OBJECTS_MAX,
       FOOTPRINT_SLOTS = 2 * FOOTPRINTS_MAX };

/* Slots hold a number plus one; 0 is an empty one. */
static struct { uint64_t names[TOUCH_OBJECTS_MAX]; uint32_t count, slots[OBJECT_SLOTS]; } objects;

struct footprint { struct footprint_sum sum; uint32_t first, count; };
static struct { struct footprint all[FOOTPRINTS_MAX]; uint32_t count, slots[FOOTPRINT_SLOTS]; } footprints;
static touch_type arena[ARENA_MAX];
static uint32_t arena_used;

void touch_begin(void)
{
    if (objects.count)
        memset(objects.slots, 0, sizeof objects.slots);
    if (footprints.count)
        memset(footprints.slots, 0, sizeof footprints.slots);
    objects.count = arena_used = 0;
    footprints.count = 1;                   /* the first is the empty one */
}

uint32_t touch_object_of(uint64_t name)
{
    uint64_t i = (name * 0x9E3779B97F4A7C15) >> 40;

    for (;; i++) {
        uint32_t *slot = &objects.slots[i % OBJECT_SLOTS];

        if (*slot && objects.names[*slot - 1] == name)
            return *slot - 1;
        if (*slot)
            continue;
        if (objects.count == TOUCH_OBJECTS_MAX)
            return TOUCH_NONE;
        objects.names[objects.count] = name;
        *slot = ++objects.count;
        return *slot - 1;
    }
}

uint64_t touch_name_of(uint32_t object)
{
    return objects.names[object];
}

static uint32_t footprint_new(const touch_type *touches, unsigned count)
{
    struct footprint *f = &footprints.all[footprints.count];

    if (footprints.count == FOOTPRINTS_MAX || arena_used + count > ARENA_MAX)
        return TOUCH_NONE;
    *f = (struct footprint){.first = arena_used, .count = count};
    memcpy(&arena[arena_used], touches, count * sizeof *touches);
    arena_used += count;
    for (unsigned i = 0; i < count; i++) {
        enum sched_touch how = touch_how(touches[i]);
        uint64_t bit = UINT64_C(1) << touch_object(touches[i]) % 64;

        *(how == TOUCH_READ ? &f->sum.read : how == TOUCH_RELEASE ? &f->sum.released : &f->sum.taken) |= bit;
    }
    return footprints.count++;
}

uint32_t footprint_of(const touch_type *touches, unsigned count)
{
    uint64_t hash = count;

    if (count == 0)
        return 0;
    for (unsigned i = 0; i < count; i++)
        hash = (hash ^ touches[i]) * 0x9E3779B97F4A7C15;
    for (uint64_t i = hash >> 40;; i++) {
        uint32_t *slot = &footprints.slots[i % FOOTPRINT_SLOTS], made;
        const struct footprint *f = &footprints.all[*slot ? *slot - 1 : 0];

        if (*slot && f->count == count && memcmp(&arena[f->first], touches, count * sizeof *touches) == 0)
            return *slot - 1;
        if (*slot)
            continue;
        made = footprint_new(touches, count);
        *slot = made == TOUCH_NONE ? 0 : made + 1;
        return made;
    }
}

const touch_type *footprint_touches(uint32_t footprint, unsigned *count)
{
    *count = footprints.all[footprint].count;
    return &arena[footprints.all[footprint].first];
}

unsigned footprint_count(void)
{
    return footprints.count;
}

struct footprint_sum footprint_sum(uint32_t footprint)
{
    return footprints.all[footprint].sum;
}

bool footprints_conflict(uint32_t a, uint32_t b)
{
    const struct footprint *x = &footprints.all[a], *y = &footprints.all[b];

    if (!footprint_may_conflict(&x->sum, &y->sum))
        return false;
    if (objects.count <= 64)
        return true;
    for (uint32_t i = 0; i < x->count; i++)
        for (uint32_t k = 0; k < y->count; k++) {
            touch_type p = arena[x->first + i], q = arena[y->first + k];

            if (touch_object(p) == touch_object(q) && touch_hows_conflict(touch_how(p), touch_how(q)))
                return true;
        }
    return false;
}
