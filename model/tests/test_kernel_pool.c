/* test_kernel_pool.c - the pool and the watch over the module's loads and stores. */
#include "test_kernel_lab.h"

static PVOID paged(SIZE_T n) { return ExAllocatePool2(POOL_FLAG_PAGED, n, LAB_TAG); }
static PVOID zeroed(SIZE_T n) { return ExAllocatePool2(POOL_FLAG_NON_PAGED, n, LAB_TAG); }
static PVOID junk(SIZE_T n) { return ExAllocatePoolUninitialized(NonPagedPoolNx, n, LAB_TAG); }

/* ---- allocation */

static void fills(void)
{
    unsigned char *a = zeroed(20), *b = junk(20);

    for (unsigned i = 0; i < 20; i++) {
        LAB_EXPECT(a[i] == 0);
        LAB_EXPECT(b[i] == 0xA5);
    }
    LAB_EXPECT((uintptr_t)a % 16 == 0 && (uintptr_t)b % 16 == 0);
    LAB_EXPECT(b - a >= 20 + 32);
    LAB_EXPECT((uintptr_t)zeroed(5000) % 4096 == 0);
    ExFreePoolWithTag(a, LAB_TAG);
    LAB_EXPECT(zeroed(20) != (void *)a);
}

static void test_fills_and_alignment(void **state)
{
    (void)state;
    lab_clean(fills);
    lab_clean(fills);                       /* the same in an arena that was used before */
    assert_int_equal(pool_count(), 4);
}

static char *address_seen;

static void one_block(void)
{
    address_seen = zeroed(100);
}

static void test_addresses_repeat(void **state)
{
    char *first;
    uint64_t hash;

    (void)state;
    hash = lab_run(one_block).hash;
    first = address_seen;
    lab_clean(fills);
    assert_true(lab_run(one_block).hash == hash);
    assert_ptr_equal(address_seen, first);
}

static unsigned failures;

static void count_failures(void)
{
    void *a = zeroed(16), *b = a ? zeroed(16) : NULL;

    failures += !a || !b;
    if (b)
        ExFreePoolWithTag(b, LAB_TAG);
    if (a)
        ExFreePoolWithTag(a, LAB_TAG);
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
}

static void test_each_allocation_can_fail(void **state)
{
    struct explore_result r;

    (void)state;
    failures = 0;
    r = lab_all(count_failures, 0, 1);
    assert_int_equal(r.executions, 3);      /* none fails, the first, the second */
    assert_int_equal(failures, 2);
}

static void raising(void) { ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 8, LAB_TAG); }

static unsigned all_ones(void *state, const struct choice_point *point)
{
    (void)state;
    return point->kind == CHOICE_FAULT;
}

static void test_raise_on_failure_is_a_bug_check(void **state)
{
    const struct strategy fail = {.name = "fail", .answer = all_ones};

    (void)state;
    lab_body = raising;
    execution_run(&lab, &lab_empty, &fail);
    assert_int_equal(lab_count(EV_BUGCHECK, LAB_ANY_VALUE), 1);
    assert_int_equal(lab_find(EV_ALLOC_FAILED, LAB_ANY_VALUE)->c & ALLOC_INJECTED, ALLOC_INJECTED);
}

static void leaking(void)
{
    zeroed(8);
    ExFreePool(zeroed(8));
    paged(24);
    pool_report_leaks();
}

static void test_leaks_are_listed(void **state)
{
    (void)state;
    lab_run(leaking);
    assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 2);
    assert_int_equal(lab_find(EV_LEAK, 24)->object, 2);
    assert_int_equal(lab_find(EV_LEAK, 24)->b, LAB_TAG);
}

static void too_much(void) { zeroed(POOL_BYTES_MAX); }
static void too_many(void) { for (unsigned i = 0; i <= POOL_BLOCKS_MAX; i++) ExFreePool(zeroed(8)); }

static void test_limits_are_verdicts(void **state)
{
    (void)state;
    assert_int_equal(lab_run(too_much).verdict, VERDICT_MEMORY);
    assert_int_equal(lab_run(too_many).verdict, VERDICT_MEMORY);
}

/* ---- misuse */

static void twice(void) { void *p = zeroed(8); ExFreePool(p); ExFreePool(p); }
static void wrong_tag(void) { ExFreePoolWithTag(zeroed(8), LAB_TAG + 1); }
static void no_tag(void) { ExFreePool(ExAllocatePoolWithTag(NonPagedPoolNx, 8, 0)); }
static void no_size(void) { ExFreePool(zeroed(0)); }
static void middle(void) { ExFreePool((char *)zeroed(64) + 16); }
static void not_pool(void) { int local; ExFreePool(&local); }
static void null(void) { ExFreePool(NULL); }
static void paged_high(void) { KIRQL old; KeRaiseIrql(DISPATCH_LEVEL, &old); paged(8); KeLowerIrql(old); }

static void held_lock(void)
{
    KSPIN_LOCK *lock = zeroed(sizeof *lock);

    KeAcquireSpinLockRaiseToDpc(lock);
    ExFreePool(lock);
}

static void test_misuse(void **state)
{
    (void)state;
    lab_only_misuse(twice, MISUSE_POOL_DOUBLE_FREE);
    lab_only_misuse(wrong_tag, MISUSE_POOL_TAG);
    lab_only_misuse(no_tag, MISUSE_POOL_ZERO_TAG);
    lab_only_misuse(no_size, MISUSE_POOL_ZERO_SIZE);
    lab_only_misuse(middle, MISUSE_POOL_NOT_POOL);
    lab_only_misuse(not_pool, MISUSE_POOL_NOT_POOL);
    lab_only_misuse(null, MISUSE_POOL_NOT_POOL);
    lab_only_misuse(paged_high, MISUSE_IRQL_TOO_HIGH);
    lab_only_misuse(held_lock, MISUSE_POOL_FREE_IN_USE);
}

/* ---- accesses */

static void freed(void) { char *p = zeroed(8); ExFreePool(p); lab_load(p + 4, 4); }
static void past(void) { char *p = zeroed(12); lab_store(p + 12, 1); }
static void across(void) { char *p = zeroed(12); lab_load(p + 8, 8); }
static void before(void) { zeroed(8); lab_load((char *)zeroed(8) - 1, 1); }
static void unused(void) { zeroed(8); lab_load(POOL_BASE + POOL_BYTES_MAX / 2, 8); }
static void unset(void) { char *p = junk(32); lab_load(p + 8, 8); lab_store(p, 8); }
static void lock_in_freed(void) { PKSPIN_LOCK p = zeroed(8); ExFreePool(p); KeInitializeSpinLock(p); }
static void copy_past(void) { char from[16] = {0}; nmrcheck_memcpy(zeroed(12), from, 16); }

static void fine(void)
{
    uint64_t *p = junk(32), copy[2] = {1, 2};

    lab_load((char *)p + 24, 1);            /* setting a bit-field: the load is no use of it … */
    lab_store((char *)p + 24, 1);           /* … because the next access puts it back */
    lab_store(p, 4);
    *(uint32_t *)p = 0xA5A5A5A5;
    lab_load(p, 4);                         /* looks like junk, but was stored */
    lab_load(p, 8);                         /* half of it was: not judged */
    nmrcheck_memcpy(p + 1, p + 2, 8);       /* copying what nobody set is no use of it, and sets */
    lab_load(p + 1, 8);
    nmrcheck_memcpy(p, copy, 16);
    lab_load(p, 8);
    nmrcheck_memset(p, 0, 32);
    LAB_EXPECT(nmrcheck_memcmp(p, p + 2, 16) == 0);
    LAB_EXPECT(nmrcheck_strlen("four") == 4);
}

static void paged_at_dispatch(void)
{
    void *p = paged(8);
    KIRQL old;

    lab_load(p, 8);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    lab_load(p, 8);
    KeLowerIrql(old);
}

static void *dead_local;
static void leave_local(void) { int local; __asm__ volatile("" : "=r"(dead_local) : "0"(&local)); }
static void (*leaver)(void) = leave_local;
static void stack_dead(void) { lab_spawn(&leaver); lab_join(); sched_give_way(SITE_OP_NEXT); lab_load(dead_local, 4); }

static void test_accesses(void **state)
{
    (void)state;
    lab_only_access(freed, ACCESS_FREED);
    assert_int_equal(lab_find(EV_ACCESS, ACCESS_FREED)->c, 4);
    lab_only_access(past, ACCESS_OUT_OF_BOUNDS);
    assert_int_equal(lab_find(EV_ACCESS, ACCESS_OUT_OF_BOUNDS)->object, 0);
    lab_only_access(across, ACCESS_OUT_OF_BOUNDS);
    lab_only_access(before, ACCESS_OUT_OF_BOUNDS);
    assert_int_equal(lab_find(EV_ACCESS, ACCESS_OUT_OF_BOUNDS)->object, 1);
    lab_only_access(unused, ACCESS_OUT_OF_BOUNDS);
    lab_only_access(unset, ACCESS_UNINITIALISED);
    lab_only_access(paged_at_dispatch, ACCESS_PAGED);
    lab_only_access(stack_dead, ACCESS_STACK_DEAD);
    lab_clean(fine);
}

/* The operation happens after it was told, so AddressSanitizer would stop at these. */
static void test_operations_check_memory(void **state)
{
    (void)state;
#if !KERNEL_ASAN
    lab_run(lock_in_freed);
    assert_true(lab_count(EV_ACCESS, ACCESS_FREED) >= 1);
    lab_run(copy_past);
    assert_int_equal(lab_count(EV_ACCESS, ACCESS_OUT_OF_BOUNDS), 1);
#else
    (void)lock_in_freed;
    (void)copy_past;
#endif
}

/* ---- faults of the machine */

static volatile int sink;
static __attribute__((noinline)) void read_at(uintptr_t a) { sink = *(volatile int *)a; }
static void fault_null(void) { read_at(0x10); }
static void fault_zero(void) { read_at(0); }
static void fault_wild(void) { read_at(0x123456789000); }
static void fault_token(void) { lab_load((void *)0xA11C100000000000, 4); read_at(0xA11C100000000000); }
static void fault_junk(void) { lab_load((void *)0xA5A5A5A5A5A5A5A5, 4); read_at(0xA5A5A5A5A5A5A5A5); }

static unsigned deep(unsigned n)
{
    volatile char frame[4096];

    frame[n % sizeof frame] = (char)n;
    return n ? deep(n - 1) + (unsigned)frame[n % sizeof frame] : 0;
}

static void fault_stack(void) { sink = (int)deep(1000); }

__attribute__((no_sanitize("address", "undefined")))
static void test_faults(void **state)
{
    (void)state;
#if !KERNEL_ASAN
    lab_only_access(fault_null, ACCESS_NULL);
    lab_only_access(fault_zero, ACCESS_NULL);
    lab_only_access(fault_wild, ACCESS_WILD);
    lab_only_access(fault_token, ACCESS_HANDLE);
    lab_only_access(fault_junk, ACCESS_WILD);
    lab_only_access(fault_stack, ACCESS_STACK_OVERFLOW);
#else
    (void)fault_null, (void)fault_zero, (void)fault_wild, (void)fault_token, (void)fault_junk, (void)fault_stack;
#endif
}

static void places(void)
{
    static int global;
    static const int constant = 1;
    int local;
    uint32_t object;
    char *p = zeroed(8), *q = paged(8);

    LAB_EXPECT(memory_place(NULL, &object) == PLACE_NULL);
    LAB_EXPECT(memory_place(p, &object) == PLACE_POOL && object == 0);
    LAB_EXPECT(memory_place(q, &object) == PLACE_POOL_PAGED && object == 1);
    ExFreePool(p);
    LAB_EXPECT(memory_place(p, &object) == PLACE_POOL_FREED && object == 0);
    LAB_EXPECT(memory_place(&local, &object) == PLACE_STACK && object == 0);
    LAB_EXPECT(memory_place(&constant, &object) == PLACE_IMAGE_CONST);
    LAB_EXPECT(memory_place(&global, &object) == PLACE_OTHER);
    LAB_EXPECT(pool_get(0)->free_event && !pool_get(1)->free_event && !pool_get(2));
    LAB_EXPECT(!pool_find(q + 8, NULL));
}

static void test_places(void **state)
{
    (void)state;
    lab_clean(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),      /* first: cmocka takes the signals back before each test */
        cmocka_unit_test(test_fills_and_alignment),
        cmocka_unit_test(test_addresses_repeat),
        cmocka_unit_test(test_each_allocation_can_fail),
        cmocka_unit_test(test_raise_on_failure_is_a_bug_check),
        cmocka_unit_test(test_leaks_are_listed),
        cmocka_unit_test(test_limits_are_verdicts),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_accesses),
        cmocka_unit_test(test_operations_check_memory),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
