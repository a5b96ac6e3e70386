/* attach_detach.c - attach and detach in small: see programs.h. */
#include <string.h>

#include "check.h"
#include "choice.h"
#include "finding.h"
#include "programs.h"
#include "toy.h"

/* What steps touch, beside locks. */
enum { REFERENCES = 1, DATA, DRAINED };

static struct attach_detach what;

static struct { unsigned references; bool drained, freed; } context;
static sched_wait draining;
static struct toy_lock table_lock, private_locks[THREADS_MAX];
static bool published;

static void noise(unsigned times)
{
    struct toy_lock *mine = &private_locks[sched_self()];

    for (unsigned i = 0; i < times; i++) {
        toy_acquire(mine);
        toy_release(mine);
    }
}

/* A scheduling point, then one member of the context is touched. */
static void use(unsigned member, bool write)
{
    toy_touch(member, write);
    if (context.freed)
        finding_raise(1, "context", "the context was freed");
}

static void attacher(void *argument)
{
    (void)argument;
    noise(what.attacher_noise);
    if (what.may_fail && choice_ask(CHOICE_FAULT, sched_self(), TOY_FAIL, 2))
        return;
    toy_acquire(&table_lock);
    context.references = 1;
    published = true;
    toy_release(&table_lock);
}

/* Who has the last reference sets `drained` after that, so that nobody ever finds it set and need not wait. */
static void drain(void)
{
    CHECK(!context.drained);
    while (!context.drained)
        sched_block(&draining, TOY_STEP, SCHED_FOREVER);
    sched_touch(DRAINED, TOUCH_READ);
}

static void detacher(void *argument)
{
    bool mine;

    (void)argument;
    noise(what.detacher_noise);
    toy_acquire(&table_lock);
    mine = published;
    published = false;
    toy_release(&table_lock);
    if (!mine)
        return;
    use(REFERENCES, true);
    if (--context.references > 0)
        drain();
    use(REFERENCES, true);
    sched_touch(DATA, TOUCH_WRITE);
    sched_touch(DRAINED, TOUCH_WRITE);
    context.freed = true;
}

static bool reference(void)
{
    bool there;

    toy_acquire(&table_lock);
    there = published;
    if (there && !what.use_after_free) {
        use(REFERENCES, true);
        context.references++;
    }
    toy_release(&table_lock);
    if (there && what.use_after_free) {
        use(REFERENCES, true);
        context.references++;
    }
    return there;
}

static void caller(void *argument)
{
    (void)argument;
    noise(what.caller_noise);
    for (unsigned i = 0; i < what.calls; i++) {
        if (!reference())
            continue;
        use(DATA, false);
        use(REFERENCES, true);
        if (--context.references > 0)
            continue;
        use(DRAINED, true);
        context.drained = true;
        sched_release(&draining);
    }
}

static void attach_detach_main(void *script)
{
    (void)script;
    memset(&context, 0, sizeof context);
    memset(private_locks, 0, sizeof private_locks);
    table_lock = (struct toy_lock){0};
    draining = 0;
    published = false;
    sched_spawn(1, attacher, NULL);
    sched_spawn(1, detacher, NULL);
    for (unsigned i = 0; i < what.callers; i++)
        sched_spawn(1, caller, NULL);
}

const struct program *attach_detach(struct attach_detach wanted)
{
    static const struct program p = {.name = "attach detach", .words = &toy_words, .main = attach_detach_main};

    CHECK(wanted.callers + 3 <= THREADS_MAX);
    what = wanted;
    return &p;
}

const struct attach_detach attach_detach_noises[ATTACH_DETACH_NOISES] = {
    {.callers = 1, .calls = 1, .use_after_free = true},
    {.callers = 2, .calls = 2, .use_after_free = true},
    {1, 1, 15, 15, 15, .use_after_free = true},
    {2, 2, 15, 15, 15, .use_after_free = true},
    {1, 1, .attacher_noise = 15, .use_after_free = true},
    {1, 1, .detacher_noise = 15, .use_after_free = true},
    {1, 1, .caller_noise = 15, .use_after_free = true},
    {2, 2, .attacher_noise = 15, .caller_noise = 5, .use_after_free = true},
};
