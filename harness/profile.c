/* profile.c - see profile.h. */
#include "profile.h"

#include <assert.h>
#include <string.h>

#include "check.h"

/* ---- steps have names */

static uint32_t step_name(struct follower *f, unsigned thread, unsigned site)
{
    return (uint32_t)thread << 24 | (uint32_t)site << 16 | f->visits[thread][site]++;
}

void follower_begin(struct follower *f)
{
    memset(f->visits, 0, sizeof f->visits);
    f->running = THREADS_MAX;
    for (unsigned t = 0; t < THREADS_MAX; t++)      /* a thread's first step begins at site 0 */
        f->pending[t] = step_name(f, t, 0);
}

unsigned follower_settle(struct follower *f)
{
    unsigned thread = f->running, site;

    f->running = THREADS_MAX;
    if (thread == THREADS_MAX)
        return thread;
    (void)sched_waiting_for(thread, &site);
    f->pending[thread] = step_name(f, thread, sched_alive() & 1u << thread ? site : 0);
    return thread;
}

void follower_run(struct follower *f, unsigned thread)
{
    f->running = thread;
}

/* ---- what they touch */

/* Its slot: of this name, or free.  The table is never full: see learn(). */
static unsigned slot_of(const struct profile *p, uint32_t name)
{
    unsigned i = name * 2654435761u >> 21;

    static_assert(PROFILE_STEPS_MAX == 1 << 11, "as many slots as the hash has values");
    while (p->steps[i].stamp == p->stamp && p->steps[i].name != name)
        i = (i + 1) % PROFILE_STEPS_MAX;
    return i;
}

const struct footprint *profile_next(const struct profile *p, const struct follower *f, unsigned thread)
{
    const struct profile_step *s = &p->steps[slot_of(p, f->pending[thread])];

    return s->stamp == p->stamp ? &s->footprint : NULL;
}

bool footprint_has(const struct footprint *f, unsigned object)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->touches[i].object == object)
            return true;
    return false;
}

bool footprint_conflict(const struct footprint *a, const struct footprint *b)
{
    for (unsigned i = 0; i < a->count; i++)
        for (unsigned k = 0; k < b->count; k++)
            if (a->touches[i].object == b->touches[k].object && (a->touches[i].write || b->touches[k].write))
                return true;
    return false;
}

static void footprint_add(struct footprint *f, unsigned object, bool write)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->touches[i].object == object) {
            f->touches[i].write |= write;
            return;
        }
    if (f->count == PROFILE_TOUCHES_MAX)
        return;
    f->touches[f->count].object = (uint16_t)object;
    f->touches[f->count++].write = write;
}

/* ---- pilots */

static struct profile *learning;            /* observers have no context */

/* PROFILE_OBJECTS_MAX: no room. */
static unsigned object_number(struct profile *p, uint64_t name)
{
    unsigned i = 0;

    while (i < p->object_count && p->objects[i].name != name)
        i++;
    if (i == p->object_count && i < PROFILE_OBJECTS_MAX)
        p->objects[p->object_count++] = (struct profile_object){.name = name};
    return i;
}

static void count_step(struct profile *p, unsigned object, unsigned thread, bool write)
{
    struct profile_object *o = &p->objects[object];

    if (o->pilot != p->pilots) {
        o->pilot = p->pilots;
        memset(o->now, 0, sizeof o->now);
    }
    o->written |= write;
    if (++o->now[thread] > o->steps[thread])
        o->steps[thread] = o->now[thread];
}

/* The running step has ended: remember what it touched. */
static void learn(struct profile *p)
{
    unsigned thread = p->follower.running;
    struct profile_step *s;

    if (thread == THREADS_MAX || p->alone)
        return;
    s = &p->steps[slot_of(p, p->follower.pending[thread])];
    if (s->stamp != p->stamp) {
        if (p->step_count > PROFILE_STEPS_MAX / 2)
            return;
        p->step_count++;
        *s = (struct profile_step){.name = p->follower.pending[thread], .stamp = p->stamp};
    }
    for (unsigned i = 0; i < p->current.count; i++) {
        unsigned object = p->current.touches[i].object;
        bool write = p->current.touches[i].write;

        footprint_add(&s->footprint, object, write);
        count_step(p, object, thread, write);
    }
}

static void on_run(unsigned thread)
{
    struct profile *p = learning;

    learn(p);
    (void)follower_settle(&p->follower);
    follower_run(&p->follower, thread);
    p->current.count = 0;
    p->seen |= 1u << thread;
    p->alone = p->seen == 1;
    p->begun += !p->alone;
}

/* The release of a lock is none of its steps: it could not have come earlier. */
static void on_touch(uint64_t object, enum sched_touch how)
{
    unsigned number;

    if (how == TOUCH_RELEASE || learning->alone)
        return;
    number = object_number(learning, object);
    if (number < PROFILE_OBJECTS_MAX)
        footprint_add(&learning->current, number, how != TOUCH_READ);
}

static void on_spawn(unsigned child)
{
    learning->maker[child] = (uint8_t)sched_self();
}

static const struct sched_observer observer = {.run = on_run, .touch = on_touch, .spawn = on_spawn};

static void begin(void *state)
{
    struct profile *p = state;

    learning = p;
    p->pilots++;
    p->seen = 0;
    p->begun = 0;
    p->current.count = 0;
    follower_begin(&p->follower);
    if (p->inner.begin)
        p->inner.begin(p->inner.state);
}

static unsigned answer(void *state, const struct choice_point *point)
{
    struct profile *p = state;

    return p->inner.answer(p->inner.state, point);
}

struct strategy profile_pilot(struct profile *p, struct strategy inner)
{
    p->inner = inner;
    return (struct strategy){.name = inner.name, .state = p, .begin = begin, .answer = answer, .observer = &observer};
}

void profile_end(struct profile *p)
{
    unsigned threads = (unsigned)__builtin_popcount(p->seen);

    learn(p);
    if (threads > p->threads)
        p->threads = threads;
    if (p->begun > p->length)
        p->length = p->begun;
}

void profile_clear(struct profile *p)
{
    p->pilots = p->threads = p->length = 0;
    p->step_count = p->object_count = 0;
    memset(p->maker, 0, sizeof p->maker);
    if (++p->stamp == 0) {
        memset(p->steps, 0, sizeof p->steps);
        p->stamp = 1;
    }
}

/* ---- shared objects */

static bool is_shared(const struct profile_object *o)
{
    unsigned threads = 0;

    for (unsigned t = 0; t < THREADS_MAX; t++)
        threads += o->steps[t] > 0;
    return o->written && threads > 1;
}

unsigned profile_shared_count(const struct profile *p)
{
    unsigned count = 0;

    for (unsigned i = 0; i < p->object_count; i++)
        count += is_shared(&p->objects[i]);
    return count;
}

const struct profile_object *profile_shared(const struct profile *p, unsigned n)
{
    for (unsigned i = 0; i < p->object_count; i++)
        if (is_shared(&p->objects[i]) && n-- == 0)
            return &p->objects[i];
    CHECK(false && "no such shared object");
    return NULL;
}
