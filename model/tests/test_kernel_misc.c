/* test_kernel_misc.c - assertions, time, processors, devices, tracing, DPCs; lists and resources that need deleting. */
#include "test_kernel_lab.h"

#include <TraceLoggingProvider.h>
#include <evntprov.h>

/* ---- assertions and bug checks */

static void asserts(void)
{
    unsigned evaluated = 0;

    ASSERT(++evaluated == 1);
    NT_ASSERT(++evaluated == 2);
    LAB_EXPECT(NT_VERIFY(++evaluated == 3) && evaluated == 3);
    NT_FRE_ASSERT(evaluated);
    LAB_EXPECT(lab_count(EV_ASSERT, LAB_ANY_VALUE) == 0);
    ASSERT(!evaluated);
    ASSERTMSG("message", !evaluated);
    NT_ASSERT(!evaluated);
    NT_ASSERTMSG("message", !evaluated);
    LAB_EXPECT(!NT_VERIFY(!evaluated));
    NT_FRE_ASSERT(!evaluated);
    DbgRaiseAssertionFailure();
    DbgBreakPoint();
    LAB_EXPECT(lab_count(EV_ASSERT, LAB_ANY_VALUE) == 8);
}

static void fail_fast(void) { RtlFailFast(FAST_FAIL_INVALID_ARG); }
static void fast_fail(void) { __fastfail(FAST_FAIL_INVALID_ARG); }
static void bug_check(void) { KeBugCheck(NMR_INVALID_STATE); }
static void bug_check_ex(void) { KeBugCheckEx(NMR_INVALID_STATE, 1, 2, 3, 4); }

static void broken_list(void)
{
    LIST_ENTRY head, entry;

    InitializeListHead(&head);
    InsertTailList(&head, &entry);
    RemoveEntryList(&entry);
    RemoveEntryList(&entry);
    RemoveHeadList(&entry);
}

static void test_assertions(void **state)
{
    (void)state;
    lab_clean(asserts);
    lab_run(fail_fast);
    assert_int_equal(lab_count(EV_ASSERT, FAST_FAIL_INVALID_ARG), 1);
    lab_run(fast_fail);
    assert_int_equal(lab_count(EV_ASSERT, FAST_FAIL_INVALID_ARG), 1);
    lab_run(broken_list);
    assert_int_equal(lab_count(EV_ASSERT, FAST_FAIL_CORRUPT_LIST_ENTRY), 1);
    lab_run(bug_check);
    assert_int_equal(lab_count(EV_BUGCHECK, NMR_INVALID_STATE), 1);
    lab_run(bug_check_ex);
    assert_int_equal(lab_count(EV_BUGCHECK, NMR_INVALID_STATE), 1);
}

/* ---- time and processors */

static void clocks(void)
{
    LARGE_INTEGER delay = {.QuadPart = -1000000}, frequency, before, after, time, precise, ticks;
    ULONG64 stamp;

    before = KeQueryPerformanceCounter(&frequency);
    KeQuerySystemTime(&time);
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
    after = KeQueryPerformanceCounter(NULL);
    LAB_EXPECT((after.QuadPart - before.QuadPart) * 10 == frequency.QuadPart);
    KeQuerySystemTimePrecise(&precise);
    LAB_EXPECT(precise.QuadPart - time.QuadPart == 1000000);
    LAB_EXPECT(KeQueryInterruptTime() == KeQueryInterruptTimePrecise(&stamp) && stamp == KeQueryInterruptTime());
    LAB_EXPECT(KeQueryUnbiasedInterruptTime() == 1000000);
    KeQueryTickCount(&ticks);
    LAB_EXPECT(ticks.QuadPart == 1000000 / KeQueryTimeIncrement());
}

static void processors(void)
{
    PROCESSOR_NUMBER number = {9, 9, 9};
    KAFFINITY all = 0;

    LAB_EXPECT(KeGetCurrentProcessorNumberEx(&number) == KeGetCurrentProcessorNumber());
    LAB_EXPECT(number.Group == 0 && number.Number == KeGetCurrentProcessorNumber() && number.Reserved == 0);
    LAB_EXPECT(KeGetCurrentProcessorNumber() < KeQueryMaximumProcessorCount());
    LAB_EXPECT(KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS) == KeQueryMaximumProcessorCount());
    LAB_EXPECT(KeQueryActiveProcessorCount(&all) == KeQueryActiveProcessorCountEx(0));
    LAB_EXPECT((unsigned)__builtin_popcountll(all) == KeQueryActiveProcessorCount(NULL));
}

static unsigned called;

static VOID NTAPI callout(PVOID Parameter)
{
    LAB_EXPECT(Parameter == (PVOID)&called);
    called++;
}

static VOID NTAPI callout_raises(PVOID Parameter) { callout(Parameter); KeRaiseIrqlToDpcLevel(); }
static VOID NTAPI callout_enters(PVOID Parameter) { callout(Parameter); KeEnterCriticalRegion(); }

static NTSTATUS expand(PEXPAND_STACK_CALLOUT routine, SIZE_T size, BOOLEAN wait)
{
    called = 0;
    return KeExpandKernelStackAndCalloutEx(routine, &called, size, wait, NULL);
}

static void expands(void)
{
    NTSTATUS status = expand(callout, MAXIMUM_EXPANSION_SIZE, FALSE);

    LAB_EXPECT(status == (called ? STATUS_SUCCESS : STATUS_NO_MEMORY));
    LAB_EXPECT(expand(callout, MAXIMUM_EXPANSION_SIZE + 1, FALSE) == STATUS_INVALID_PARAMETER && !called);
}

static void expand_raised(void) { KeRaiseIrqlToDpcLevel(); expand(callout, 0x4000, FALSE); }
static void expand_waits_raised(void) { KeRaiseIrqlToDpcLevel(); expand(callout, 0x4000, TRUE); }
static void expand_returns_raised(void) { expand(callout_raises, 0x4000, FALSE); }
static void expand_returns_inside(void) { expand(callout_enters, 0x4000, FALSE); }

static void test_processors(void **state)
{
    (void)state;
    lab_clean(clocks);
    lab_clean(processors);
    lab_clean(expands);
    assert_int_equal(lab_all(expands, 0, 1).executions, 2);
    lab_clean(expand_raised);
    lab_only_misuse(expand_waits_raised, MISUSE_IRQL_TOO_HIGH);
    lab_only_misuse(expand_returns_raised, MISUSE_IRQL_TOO_HIGH);
    lab_only_misuse(expand_returns_inside, MISUSE_REGION_UNBALANCED);
}

/* ---- devices, identifiers, tracing */

static DRIVER_OBJECT driver;

static PDEVICE_OBJECT device(void)
{
    PDEVICE_OBJECT made = NULL;
    NTSTATUS status;

    driver.DeviceObject = NULL;
    status = IoCreateDevice(&driver, 24, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE, &made);
    LAB_EXPECT(status == (made ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES));
    return made;
}

static void devices(void)
{
    static const char zero[24];
    PDEVICE_OBJECT one = device();

    if (!one)
        return;
    LAB_EXPECT(driver.DeviceObject == one && one->DriverObject == &driver && one->Flags & DO_DEVICE_INITIALIZING);
    LAB_EXPECT(memcmp(one->DeviceExtension, zero, sizeof zero) == 0);
    IoDeleteDevice(one);
    LAB_EXPECT(!driver.DeviceObject);
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
}

static void device_leaks(void) { device(); pool_report_leaks(); }
static void device_deleted_twice(void) { PDEVICE_OBJECT one = device(); IoDeleteDevice(one); IoDeleteDevice(one); }
static void device_raised(void) { KeRaiseIrqlToDpcLevel(); device(); }

static void identifiers(void)
{
    UUID one, other;

    LAB_EXPECT(ExUuidCreate(&one) == STATUS_SUCCESS && ExUuidCreate(&other) == STATUS_SUCCESS);
    LAB_EXPECT(!IsEqualGUID(&one, &other) && !IsEqualGUID(&one, &GUID_NULL));
}

static void identifier_raised(void) { UUID one; KeRaiseIrqlToDpcLevel(); ExUuidCreate(&one); }

static const GUID tracing = {1, 2, 3, {4}};
TRACELOGGING_DEFINE_PROVIDER(Provider, "Lab", (0x1));

static void traces(void)
{
    EVENT_DESCRIPTOR descriptor = {0};
    EVENT_DATA_DESCRIPTOR data;
    REGHANDLE handle;
    unsigned evaluated = 0;

    if (EtwRegister(&tracing, NULL, NULL, &handle) != STATUS_SUCCESS)
        return;
    EventDataDescCreate(&data, &evaluated, sizeof evaluated);
    LAB_EXPECT(!EtwEventEnabled(handle, &descriptor) && !EtwProviderEnabled(handle, 5, 0));
    LAB_EXPECT(EtwWrite(handle, &descriptor, NULL, 1, &data) == STATUS_SUCCESS);
    LAB_EXPECT(EtwWrite(0, &descriptor, NULL, 0, NULL) == STATUS_SUCCESS);
    LAB_EXPECT(EtwUnregister(handle) == STATUS_SUCCESS);
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
    LAB_EXPECT(TraceLoggingRegister(Provider) == STATUS_SUCCESS && !TraceLoggingProviderEnabled(Provider, 0, 0));
    TraceLoggingWrite(Provider, "Event", TraceLoggingUInt32(++evaluated, "Count"));
    TraceLoggingUnregister(Provider);
    LAB_EXPECT(evaluated == 0);
}

static void trace_unregistered(void)
{
    REGHANDLE h;

    EtwRegister(&tracing, NULL, NULL, &h);
    EtwUnregister(h);
    EtwUnregister(h);
}

static void trace_leaks(void) { REGHANDLE h; EtwRegister(&tracing, NULL, NULL, &h); pool_report_leaks(); }
static void trace_raised(void) { REGHANDLE h; KeRaiseIrqlToDpcLevel(); EtwRegister(&tracing, NULL, NULL, &h); }

static void test_devices_and_tracing(void **state)
{
    (void)state;
    lab_clean(devices);
    assert_int_equal(lab_all(devices, 0, 1).executions, 2);
    lab_run(device_leaks);
    assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 1);
    lab_run(device_deleted_twice);
    assert_int_equal(lab_count(EV_MISUSE, MISUSE_POOL_NOT_POOL), 1);
    lab_only_misuse(device_raised, MISUSE_IRQL_TOO_HIGH);
    lab_clean(identifiers);
    lab_only_misuse(identifier_raised, MISUSE_IRQL_TOO_HIGH);
    lab_clean(traces);
    assert_int_equal(lab_all(traces, 0, 1).executions, 2);
    lab_only_misuse(trace_unregistered, MISUSE_POOL_NOT_POOL);
    lab_run(trace_leaks);
    assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 1);
    lab_only_misuse(trace_raised, MISUSE_IRQL_TOO_HIGH);
}

/* ---- interlocked operations and marked accesses of 64 bits and of one byte */

static void wide_and_narrow(void)
{
    LONG64 wide = 5;
    ULONG64 marked = 1;
    CHAR narrow = 0x41;
    PVOID pointer = NULL;

    LAB_EXPECT(InterlockedIncrement64(&wide) == 6 && InterlockedDecrement64(&wide) == 5);
    LAB_EXPECT(InterlockedAdd64(&wide, 7) == 12 && InterlockedExchangeAdd64(&wide, 1) == 12);
    LAB_EXPECT(InterlockedExchange64(&wide, 6) == 13 && InterlockedCompareExchange64(&wide, 9, 6) == 6);
    LAB_EXPECT(InterlockedCompareExchange64(&wide, 1, 6) == 9 && InterlockedOr64(&wide, 6) == 9);
    LAB_EXPECT(InterlockedAnd64(&wide, 7) == 15 && InterlockedXor64(&wide, 1) == 7 && wide == 6);
    LAB_EXPECT(InterlockedOr8(&narrow, 2) == 0x41 && InterlockedAnd8(&narrow, 3) == 0x43 && narrow == 3);
    LAB_EXPECT(InterlockedExchange8(&narrow, 9) == 3 && InterlockedXor8(&narrow, 1) == 9 && narrow == 8);
    LAB_EXPECT(!InterlockedCompareExchangePointer(&pointer, &wide, NULL) && pointer == &wide);
    WriteULong64NoFence(&marked, 77);
    LAB_EXPECT(ReadULong64NoFence(&marked) == 77 && ReadULong64Acquire(&marked) == 77);
}

/* ---- rundown protection in memory of the caller's, and across caches */

static void cache_aware(void)
{
    static ULONG64 memory[64];
    PEX_RUNDOWN_REF_CACHE_AWARE own = (PEX_RUNDOWN_REF_CACHE_AWARE)(void *)memory;
    SIZE_T size = ExSizeOfRundownProtectionCacheAware();

    LAB_EXPECT(size <= sizeof memory);
    ExInitializeRundownProtectionCacheAware(own, size);
    LAB_EXPECT(ExAcquireRundownProtectionCacheAwareEx(own, 2));
    ExReleaseRundownProtectionCacheAwareEx(own, 2);
    ExWaitForRundownProtectionReleaseCacheAware(own);
    ExRundownCompletedCacheAware(own);
    LAB_EXPECT(!ExAcquireRundownProtectionCacheAware(own));
    ExReInitializeRundownProtectionCacheAware(own);
    LAB_EXPECT(ExAcquireRundownProtectionCacheAware(own));
    ExReleaseRundownProtectionCacheAware(own);
}

static void test_memory_operations(void **state)
{
    (void)state;
    lab_clean(wide_and_narrow);
    lab_clean(cache_aware);
}

/* ---- DPCs, plain and threaded; timers of both kinds */

static KDPC dpc;
static KEVENT done;
static KIRQL seen;

static VOID NTAPI deferred(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    LAB_EXPECT(Dpc == &dpc && Context == (PVOID)&seen && First == (PVOID)1 && Second == (PVOID)2);
    seen = KeGetCurrentIrql();
    KeSetEvent(&done, 0, FALSE);
}

static void queue_and_flush(void)
{
    seen = HIGH_LEVEL;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    LAB_EXPECT(KeInsertQueueDpc(&dpc, (PVOID)1, (PVOID)2));
    KeFlushQueuedDpcs();
    LAB_EXPECT(KeReadStateEvent(&done) == 1);
}

static void plain_dpc(void)
{
    KeInitializeDpc(&dpc, deferred, &seen);
    KeSetImportanceDpc(&dpc, HighImportance);
    KeSetTargetProcessorDpc(&dpc, 0);
    queue_and_flush();
    LAB_EXPECT(seen == DISPATCH_LEVEL);
}

static void threaded_dpc(void)
{
    KeInitializeThreadedDpc(&dpc, deferred, &seen);
    queue_and_flush();
    LAB_EXPECT(seen == PASSIVE_LEVEL);
}

static void flush_raised(void) { KeRaiseIrqlToDpcLevel(); KeFlushQueuedDpcs(); }

static void timers(void)
{
    LARGE_INTEGER none = {.QuadPart = 0}, due = {.QuadPart = -100};
    KTIMER timer;

    KeInitializeTimerEx(&timer, SynchronizationTimer);
    LAB_EXPECT(!KeSetCoalescableTimer(&timer, due, 0, 5, NULL));
    LAB_EXPECT(KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    LAB_EXPECT(KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, &none) == STATUS_TIMEOUT);
    LAB_EXPECT(!KeSetTimerEx(&timer, due, 1, NULL) && KeCancelTimer(&timer) && !KeCancelTimer(&timer));
    LAB_EXPECT(sched_now() == 100);
}

static void test_deferred(void **state)
{
    (void)state;
    lab_all(plain_dpc, 1, 0);
    lab_all(threaded_dpc, 1, 0);
    lab_only_misuse(flush_raised, MISUSE_IRQL_TOO_HIGH);
    lab_clean(timers);
}

/* ---- what has to be deleted before its memory goes away */

static LOOKASIDE_LIST_EX list;
static PAGED_LOOKASIDE_LIST paged;
static unsigned allocations;

static PVOID NTAPI allocate(POOL_TYPE Type, SIZE_T Size, ULONG Tag, PLOOKASIDE_LIST_EX Lookaside)
{
    LAB_EXPECT(Lookaside == &list && Size == 32);
    allocations++;
    return ExAllocatePoolZero(Type, Size, Tag);
}

static VOID NTAPI release(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside)
{
    LAB_EXPECT(Lookaside == &list);
    allocations--;
    ExFreePoolWithTag(Buffer, LAB_TAG);
}

static void lookasides(void)
{
    PVOID entry;

    allocations = 0;
    LAB_EXPECT(ExInitializeLookasideListEx(&list, allocate, release, NonPagedPoolNx, 0, 32, LAB_TAG, 0) == 0);
    entry = ExAllocateFromLookasideListEx(&list);
    if (entry) {
        LAB_EXPECT(allocations == 1);
        ExFreeToLookasideListEx(&list, entry);
    }
    ExFlushLookasideListEx(&list);
    ExDeleteLookasideListEx(&list);
    ExInitializePagedLookasideList(&paged, NULL, NULL, 0, 16, LAB_TAG, 0);
    entry = ExAllocateFromPagedLookasideList(&paged);
    if (entry)
        ExFreeToPagedLookasideList(&paged, entry);
    ExDeletePagedLookasideList(&paged);
}

static void paged_raised(void)
{
    ExInitializePagedLookasideList(&paged, NULL, NULL, 0, 16, LAB_TAG, 0);
    KeRaiseIrqlToDpcLevel();
    ExDeletePagedLookasideList(&paged);
}

static void deleted_list(void)
{
    ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolNx, 0, 32, LAB_TAG, 0);
    ExDeleteLookasideListEx(&list);
    ExFreeToLookasideListEx(&list, ExAllocatePoolZero(NonPagedPoolNx, 32, LAB_TAG));
}

static void list_in_freed_memory(void)
{
    PNPAGED_LOOKASIDE_LIST in_pool = ExAllocatePoolZero(NonPagedPoolNx, sizeof *in_pool, LAB_TAG);

    ExInitializeNPagedLookasideList(in_pool, NULL, NULL, 0, 16, LAB_TAG, 0);
    ExFreePool(in_pool);
}

static void resource_in_freed_memory(void)
{
    PERESOURCE in_pool = ExAllocatePoolZero(NonPagedPoolNx, sizeof *in_pool, LAB_TAG);

    ExInitializeResourceLite(in_pool);
    ExFreePool(in_pool);
}

static void resource_deleted(void)
{
    PERESOURCE in_pool = ExAllocatePoolZero(NonPagedPoolNx, sizeof *in_pool, LAB_TAG);

    ExInitializeResourceLite(in_pool);
    LAB_EXPECT(ExReinitializeResourceLite(in_pool) == STATUS_SUCCESS);
    ExEnterCriticalRegionAndAcquireResourceShared(in_pool);
    LAB_EXPECT(ExIsResourceAcquiredSharedLite(in_pool) == 1 && !ExIsResourceAcquiredExclusiveLite(in_pool));
    ExReleaseResourceAndLeaveCriticalRegion(in_pool);
    ExDeleteResourceLite(in_pool);
    ExFreePool(in_pool);
}

/* ---- request packets */

static void packets(void)
{
    PIRP irp = IoAllocateIrp(2, FALSE);
    PVOID buffer = ExAllocatePoolZero(NonPagedPoolNx, 100, LAB_TAG);
    PMDL mdl;

    if (irp) {
        LAB_EXPECT(IoGetNextIrpStackLocation(irp) == (PIO_STACK_LOCATION)(PVOID)(irp + 1) + 1);
        irp->IoStatus.Information = 9;
        IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
        LAB_EXPECT(irp->IoStatus.Status == STATUS_UNSUCCESSFUL && !irp->IoStatus.Information && irp->StackCount == 2);
    }
    mdl = buffer ? IoAllocateMdl(buffer, 100, FALSE, FALSE, irp) : NULL;
    if (mdl) {
        MmBuildMdlForNonPagedPool(mdl);
        LAB_EXPECT(mdl->MappedSystemVa == buffer && MmGetMdlByteCount(mdl) == 100);
        LAB_EXPECT(!irp || irp->MdlAddress == mdl);
        IoFreeMdl(mdl);
    }
    if (buffer)
        ExFreePool(buffer);
    if (irp)
        IoFreeIrp(irp);
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
}

static void packet_as_pool(void)
{
    ExFreePool(IoAllocateIrp(1, FALSE));
}

static void test_packets(void **state)
{
    (void)state;
    lab_clean(packets);
    lab_all(packets, 0, 1);
    lab_only_misuse(packet_as_pool, MISUSE_POOL_NOT_POOL);
}

static void test_deletion(void **state)
{
    (void)state;
    lab_clean(lookasides);
    lab_all(lookasides, 0, 1);
    lab_run(paged_raised);
    assert_true(lab_count(EV_MISUSE, MISUSE_IRQL_TOO_HIGH) == 1);
    lab_only_misuse(deleted_list, MISUSE_NOT_INITIALISED);
    lab_only_misuse(list_in_freed_memory, MISUSE_NOT_DELETED);
    lab_only_misuse(resource_in_freed_memory, MISUSE_NOT_DELETED);
    lab_clean(resource_deleted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assertions),
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_devices_and_tracing),
        cmocka_unit_test(test_memory_operations),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_deletion),
        cmocka_unit_test(test_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
