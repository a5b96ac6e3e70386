/*
 * test_accesses.c - each way in which C code touches memory is seen in each build, and is seen as the same.
 *
 * Guards: what is told of an access to NULL, to nowhere, to freed and to other memory that is not its own, and whether
 * as a read or as a write, does not depend on the compiler, on optimisation or on sanitizers; atomic operations of the
 * compiler and volatile accesses are scheduling points and order threads, but not what is relaxed and has no fence.
 */
#include "tests/test_faults.h"
#include "tests/test_kernel_lab.h"
#include "world.h"

#include "accesses.h"

/* What isolate.sh makes of the module's names. */
extern const ACCESS_SHAPE accesses__Shapes[];
extern const ULONG accesses__ShapeCount;
extern void accesses__SendVolatile(void), accesses__SendAtomic(void), accesses__SendRelaxed(void);
extern void accesses__SendFenced(void);
extern LONG accesses__ReceiveVolatile(void), accesses__ReceiveAtomic(void), accesses__CountAtomic(void);

enum where { GOOD, ZERO, NEVER_SET, NOWHERE, HIGH, FREED, PAST_END, JUNK, WHERES };
static const char *const where_names[] = {
    "good", "NULL", "never set", "nowhere", "nowhere higher up", "freed", "past the end", "junk",
};

static const ACCESS_SHAPE *shape;
static enum where where;
static struct event told;                   /* the first EV_ACCESS */

/* As judges do: the first bad access ends the execution. */
static void on_access(const struct event *e)
{
    told = *e;
    sched_stop(VERDICT_OUTSIDE);
}

static PTARGET target(void)
{
    char *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(TARGET), LAB_TAG);

    switch (where) {
    case ZERO:
        return NULL;
    case NEVER_SET:
        return (PTARGET)0xAAAAAAAAAAAAAAAA;
    case NOWHERE:
        return (PTARGET)0x100000000;
    case HIGH:
        return (PTARGET)0x123456780000;
    case FREED:
        ExFreePoolWithTag(block, LAB_TAG);
        break;
    case PAST_END:
        return (PTARGET)(block + sizeof(TARGET));
    case JUNK:
        return ExAllocatePoolUninitialized(NonPagedPoolNx, sizeof(TARGET), LAB_TAG);
    default:
        break;
    }
    return (PTARGET)block;
}

static void perform(void)
{
    PTARGET t = target(), other = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(TARGET), LAB_TAG);

    shape->Perform(t);
    lab_load(other, 1);                     /* junk is told of at the thread's next access */
}

static void expect(enum where w, int fault)
{
    where = w;
    for (ULONG i = 0; i < accesses__ShapeCount; i++) {
        int expected = fault;
        bool write, good;

        shape = &accesses__Shapes[i];
        write = shape->Kind == AccessWrite;
        if (strcmp(shape->Name, "Fence") == 0)
            expected = -1;
        /* Copies and comparisons may touch junk, and a member that is set next is not used. */
        if (w == JUNK && (shape->Kind != AccessRead || strcmp(shape->Name, "Copy") == 0 ||
                          strcmp(shape->Name, "Compare") == 0))
            expected = -1;
        told.kind = EV_NONE;
        lab_run(perform);
        good = (told.kind == EV_ACCESS ? told.value : -1) == expected;
        if (!good || (expected >= 0 && shape->Kind != AccessSetField && told.b != write))
            fail_msg("%s, %s: fault %d, write %d; expected %d, %d", shape->Name, where_names[w],
                     told.kind == EV_ACCESS ? (int)told.value : -1, told.kind == EV_ACCESS ? (int)told.b : -1,
                     expected, write);
        if (w == GOOD)
            assert_int_equal(lab_count(EV_INTERLOCKED, LAB_ANY_VALUE), shape->Atomics);
    }
}

static void test_every_access_is_seen(void **state)
{
    (void)state;
    faults_take();
    assert_true(accesses__ShapeCount > 30);
    expect(GOOD, -1);
    expect(ZERO, ACCESS_NULL);
    expect(NEVER_SET, ACCESS_WILD);
    expect(NOWHERE, ACCESS_WILD);
    expect(HIGH, ACCESS_WILD);
    expect(FREED, ACCESS_FREED);
    expect(PAST_END, ACCESS_OUT_OF_BOUNDS);
    expect(JUNK, ACCESS_UNINITIALISED);
}

/* ---- between threads */

static void (*sender)(void);
static LONG (*receiver)(void);

static void send(void)
{
    sched_point(SITE_OP_NEXT);
    sender();
    sched_point(SITE_OP_NEXT);              /* t0 knows all that a thread did which has ended */
}

static void hand_over(void)
{
    static void (*thread)(void) = send;

    image_restore(&module_find("accesses")->image);
    lab_spawn(&thread);
    sched_point(SITE_OP_NEXT);
    LAB_EXPECT(receiver() == 1);
    lab_join();
}

static bool any_race;

static bool note_race(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context, (void)o, (void)s;
    return true;
}

static void on_race(const struct event *e)
{
    (void)e;
    any_race = true;
}

/* Is there an execution with a race?  In all of them the message is what was sent. */
static bool races(void (*send_it)(void), LONG (*receive)(void))
{
    struct explore_options options = {.preemptions_max = 3, .on_outcome = note_race};
    struct explore_result r;

    sender = send_it;
    receiver = receive;
    any_race = false;
    lab_body = hand_over;
    r = explore_dfs(&lab, &lab_empty, &options);
    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(r.verdicts[VERDICT_PASS], r.executions);
    assert_true(r.distinct > 1);
    return any_race;
}

static void test_atomics_and_volatile_order(void **state)
{
    (void)state;
    assert_false(races(accesses__SendVolatile, accesses__ReceiveVolatile));
    assert_false(races(accesses__SendAtomic, accesses__ReceiveAtomic));
    assert_true(races(accesses__SendRelaxed, accesses__ReceiveAtomic));
    assert_false(races(accesses__SendFenced, accesses__ReceiveAtomic));
}

static LONG counts[2];

static void count_other(void)
{
    counts[1] = accesses__CountAtomic();
}

static void count_twice(void)
{
    static void (*thread)(void) = count_other;

    image_restore(&module_find("accesses")->image);
    lab_spawn(&thread);
    counts[0] = accesses__CountAtomic();
    lab_join();
    LAB_EXPECT(counts[0] + counts[1] == 1);
}

/* Either may be first: the operation is a scheduling point, and atomic. */
static void test_an_atomic_operation_is_a_scheduling_point(void **state)
{
    (void)state;
    assert_true(lab_all(count_twice, 1, 0).distinct > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_access_is_seen),
        cmocka_unit_test(test_atomics_and_volatile_order),
        cmocka_unit_test(test_an_atomic_operation_is_a_scheduling_point),
    };

    faults_keep();
    event_add_judge_of(EV_ACCESS, on_access);
    event_add_judge_of(EV_RACE, on_race);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
