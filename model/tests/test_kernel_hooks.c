/* What the hooks of loads and stores do at once is what memory.c and race.c would have done. */
#include "test_kernel_lab.h"

void __tsan_read8(void *address);
void __tsan_write8(void *address);

static char *block;
static void (*threads[2])(void);

static void allocate(POOL_FLAGS flags)
{
    block = ExAllocatePool2(flags, 64, LAB_TAG);
}

/* Two lines that store; the compiler may not make one function of them, nor leave with a jump. */
__attribute__((noinline)) static void store_here(void)
{
    __tsan_write8(block);
    __asm__ volatile("nop");
}

__attribute__((noinline)) static void store_there(void)
{
    __tsan_write8(block);
    __asm__ volatile("nop; nop");
}

static void idle(void)
{
    sched_give_way(0);
}

static void run_both(void)
{
    lab_spawn(&threads[0]);
    lab_spawn(&threads[1]);
    lab_join();
}

static void two_threads(void)
{
    allocate(POOL_FLAG_NON_PAGED);
    run_both();
}

static unsigned races(void (*a)(void), void (*b)(void))
{
    threads[0] = a;
    threads[1] = b;
    lab_run(two_threads);
    return lab_count(EV_RACE, LAB_ANY_VALUE);
}

static void store_twice(void)
{
    store_here();
    store_there();
}

static void test_last_place(void **state)
{
    const struct event *e;

    (void)state;
    assert_int_equal(races(store_twice, store_here), 1);
    e = lab_find(EV_RACE, LAB_ANY_VALUE);
    assert_true(e->b - (uintptr_t)store_there < e->b - (uintptr_t)store_here);
}

static void store_again_and_there(void)
{
    store_here();
    sched_give_way(0);
    store_here();                           /* the same pair of lines as before */
    store_here();
    store_there();
}

static void test_each_pair_of_places(void **state)
{
    (void)state;
    assert_int_equal(races(store_again_and_there, store_here), 2);
}

/* A barrier is no event: what follows it is not what it told of. */
static void store_around_barrier(void)
{
    store_here();
    KeMemoryBarrier();
    store_there();
    WriteNoFence((LONG volatile *)(void *)(block + 8), 1);
}

static void store_after_barrier(void)
{
    (void)ReadNoFence((LONG volatile *)(void *)(block + 8));
    KeMemoryBarrier();
    store_here();
}

static void test_barrier(void **state)
{
    (void)state;
    assert_int_equal(races(store_around_barrier, store_after_barrier), 1);
}

/* Alone, nobody races. */
static void store_alone_first(void)
{
    allocate(POOL_FLAG_NON_PAGED);
    store_here();
    store_here();
    run_both();
}

static void test_alone(void **state)
{
    (void)state;
    threads[0] = store_here;
    threads[1] = idle;
    lab_clean(store_alone_first);
}

/* A copy of junk is no use of it; a load is. */
static void copy_and_load(void)
{
    char to[8];

    nmrcheck_memcpy(to, block, sizeof to);
    __tsan_read8(block);
    __tsan_read8(block);
    __tsan_read8(block);
}

static void junk(void)
{
    allocate(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED);
    run_both();
}

static void test_junk(void **state)
{
    (void)state;
    threads[0] = copy_and_load;
    threads[1] = idle;
    lab_run(junk);
    assert_int_equal(lab_count(EV_ACCESS, ACCESS_UNINITIALISED), 2);
}

static void store_at_dispatch(POOL_FLAGS flags)
{
    allocate(flags);
    irql_set(DISPATCH_LEVEL);
    store_here();
    store_here();
}

static void nonpaged(void)
{
    store_at_dispatch(POOL_FLAG_NON_PAGED);
}

static void paged(void)
{
    store_at_dispatch(POOL_FLAG_PAGED);
}

/* The same place, after as many events. */
static void test_executions_apart(void **state)
{
    (void)state;
    lab_clean(nonpaged);
    lab_run(paged);
    assert_int_equal(lab_count(EV_ACCESS, ACCESS_PAGED), 2);
}

static void store_freed(void)
{
    allocate(POOL_FLAG_NON_PAGED);
    store_here();
    ExFreePoolWithTag(block, LAB_TAG);
    store_here();
}

static void test_freed(void **state)
{
    (void)state;
    lab_only_access(store_freed, ACCESS_FREED);
}

/* More events than an access has room to number. */
static void many_events(void)
{
    uint32_t number = NONE;
    const struct pool_block *b = pool_find(block, &number);

    while (event_count() <= 2 * UINT16_MAX + 2) {
        for (unsigned i = 0; i < 2; i++) {
            __tsan_read8(block);
            LAB_EXPECT(b->touched_event[sched_self()] == event_count() + 1);
        }
        event_emit(EV_NONE, NONE, 0, 0, 0, 0, NULL);
    }
}

static void many_events_alone(void)
{
    allocate(POOL_FLAG_NON_PAGED);
    many_events();
}

static void test_many_events(void **state)
{
    (void)state;
    assert_int_equal(lab_run(many_events_alone).verdict, VERDICT_PASS);
    threads[0] = many_events;
    threads[1] = idle;
    assert_int_equal(lab_run(two_threads).verdict, VERDICT_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_place),       cmocka_unit_test(test_each_pair_of_places),
        cmocka_unit_test(test_barrier),          cmocka_unit_test(test_alone),
        cmocka_unit_test(test_junk),             cmocka_unit_test(test_freed),
        cmocka_unit_test(test_executions_apart), cmocka_unit_test(test_many_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
