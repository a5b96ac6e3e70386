/*
 * pool.c - the kernel pool: one arena at a fixed address.
 *
 * Blocks are handed out upwards and never used again within an execution, so an address means one
 * block for ever.  Between blocks lie red zones; the half of a zone next to a block belongs to it.
 * pool_owners tells for each granule of the arena whose it is.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "internal.h"

#include <ntddk.h>

#if KERNEL_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(address, size) __asan_poison_memory_region(address, size)
#define UNPOISON(address, size) __asan_unpoison_memory_region(address, size)
#else
#define POISON(address, size) ((void)(address), (void)(size))
#define UNPOISON(address, size) ((void)(address), (void)(size))
#endif

enum {
    GRANULE = POOL_GRANULE, ZONE = 32, PAGE = 4096,
    FILL_JUNK = 0xA5, FILL_FREED = 0xDD, FILL_ZONE = 0xFD
};

uint32_t pool_used;

struct pool_block pool_blocks[POOL_BLOCKS_MAX];
uint16_t pool_owners[POOL_BYTES_MAX / GRANULE];
static uint32_t block_count;

static_assert(POOL_BLOCKS_MAX < UINT16_MAX, "pool_owners holds block numbers");

static void map_arena(void)
{
    static bool mapped;

    if (mapped)
        return;
    CHECK(mmap(POOL_BASE, POOL_BYTES_MAX, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == POOL_BASE);
    POISON(POOL_BASE, POOL_BYTES_MAX);
    mapped = true;
}

void pool_reset(void)
{
    map_arena();
    memory_forget(pool_used);
    memset(pool_owners, 0, pool_used / GRANULE * sizeof *pool_owners);
    POISON(POOL_BASE, pool_used);
    block_count = 0;
    pool_used = 0;
}

uint32_t pool_count(void)
{
    return block_count;
}

const struct pool_block *pool_get(uint32_t number)
{
    return number < block_count ? &pool_blocks[number] : NULL;
}

struct pool_block *pool_near(const void *address, uint32_t *number)
{
    size_t offset = (size_t)((const char *)address - POOL_BASE);

    if (offset >= pool_used || !pool_owners[offset / GRANULE])
        return NULL;
    *number = pool_owners[offset / GRANULE] - 1u;
    return &pool_blocks[*number];
}

struct pool_block *pool_find(const void *address, uint32_t *number)
{
    uint32_t found;
    struct pool_block *b = pool_near(address, &found);

    if (!b || (size_t)((const char *)address - b->address) >= b->size)
        return NULL;
    if (number)
        *number = found;
    return b;
}

static void own(uint32_t begin, uint32_t end, uint32_t number)
{
    for (uint32_t g = begin / GRANULE; g < end / GRANULE; g++)
        pool_owners[g] = (uint16_t)(number + 1);
}

/* Make a block.  Documented: a page or more is page-aligned (ExAllocatePoolWithTag). */
static struct pool_block *carve(size_t size, uint32_t tag, uint32_t flags, const void *pc)
{
    uint32_t number = block_count, begin, end;
    size_t align = size >= PAGE ? PAGE : GRANULE;
    struct pool_block *b = &pool_blocks[number];

    if (size > POOL_BYTES_MAX || number == POOL_BLOCKS_MAX)
        sched_stop(VERDICT_MEMORY);
    begin = (uint32_t)((pool_used + ZONE + align - 1) & ~(align - 1));
    end = (uint32_t)((begin + size + ZONE + GRANULE - 1) & ~(size_t)(GRANULE - 1));
    if (end > POOL_BYTES_MAX)
        sched_stop(VERDICT_MEMORY);
    raw_fill(POOL_BASE + pool_used, FILL_ZONE, begin - pool_used);
    own(begin - GRANULE, end, number);
    memset(b, 0, sizeof *b);
    b->address = POOL_BASE + begin;
    b->size = (uint32_t)size;
    b->tag = tag;
    b->flags = flags;
    b->alloc_event = event_count();
    b->alloc_pc = pc;
    b->plain = (flags & (ALLOC_PAGED | ALLOC_ZEROED)) == ALLOC_ZEROED ? b->size : 0;
    raw_fill(b->address + size, FILL_ZONE, end - begin - size);
    UNPOISON(b->address, size);
    memset(b->address, flags & ALLOC_ZEROED ? 0 : FILL_JUNK, size);
    pool_used = end;
    block_count++;
    return b;
}

/* NULL when the fault point says that memory is low. */
static char *allocate(size_t size, uint32_t tag, uint32_t flags, unsigned site, const void *pc)
{
    struct pool_block *b;

    if (choice_ask(CHOICE_FAULT, sched_self(), site, 2)) {
        event_emit(EV_ALLOC_FAILED, NONE, (int64_t)size, 0, tag, flags | ALLOC_INJECTED, pc);
        return NULL;
    }
    b = carve(size, tag, flags, pc);
    event_emit(EV_ALLOC, block_count - 1, (int64_t)size, (uint64_t)(uintptr_t)b->address, tag, flags, pc);
    return b->address;
}

char *pool_internal(size_t size, uint32_t tag, unsigned site, const void *pc)
{
    return allocate(size, tag, ALLOC_INTERNAL | ALLOC_ZEROED, site, pc);
}

/* The free itself is told before the races that it makes: a free at the wrong time is the narrower mistake. */
static void release(struct pool_block *b, uint32_t number, uint32_t tag, const void *pc)
{
    uint32_t object;

    if (sync_in_use(b->address, b->size, &object))
        misuse(MISUSE_POOL_FREE_IN_USE, number, b->address, object, sync_number(object)->kind, pc);
    if (sync_not_deleted(b->address, b->size, &object))
        misuse(MISUSE_NOT_DELETED, object, b->address, number, 0, pc);
    memset(b->address, FILL_FREED, b->size);
    POISON(b->address, b->size);
    b->free_event = event_count();
    b->plain = 0;
    event_emit(EV_FREE, number, b->size, (uint64_t)(uintptr_t)b->address, tag, 0, pc);
    race_free(number, b->address, b->size, pc);
}

void pool_internal_free(void *address, const void *pc)
{
    uint32_t number = 0;
    struct pool_block *b = pool_near(address, &number);

    CHECK(b && b->address == address && !b->free_event);
    release(b, number, b->tag, pc);
}

bool pool_is_internal(const void *address, uint32_t *number)
{
    const struct pool_block *b = pool_near(address, number);

    return b && b->address == address && b->flags & ALLOC_INTERNAL && !b->free_event;
}

void pool_report_leaks(void)
{
    for (uint32_t i = 0; i < block_count; i++)
        if (!pool_blocks[i].free_event)
            event_emit(EV_LEAK, i, pool_blocks[i].size, (uint64_t)(uintptr_t)pool_blocks[i].address,
                       pool_blocks[i].tag, pool_blocks[i].alloc_event, pool_blocks[i].alloc_pc);
}

/* ---- what drivers call ----------------------------------------------------------------------------------- */

static bool tag_is_printable(uint32_t tag)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned byte = tag >> 8 * i & 0xFF;

        if (byte < 0x20 || byte > 0x7E)
            return false;
    }
    return true;
}

char *pool_allocate(size_t size, uint32_t tag, uint32_t flags, const void *pc)
{
    irql_require_max(flags & ALLOC_PAGED ? LEVEL_APC : LEVEL_DISPATCH, pc);
    if (!tag_is_printable(tag))
        misuse(MISUSE_POOL_ZERO_TAG, NONE, NULL, tag, 0, pc);
    if (size == 0)
        misuse(MISUSE_POOL_ZERO_SIZE, NONE, NULL, tag, 0, pc);
    return allocate(size, tag, flags, SITE_ALLOCATE, pc);
}

/* Documented: with this flag a failure is an exception, which a driver without __try does not survive. */
static void *or_raise(void *block, bool raise, const void *pc)
{
    if (!block && raise)
        event_emit(EV_BUGCHECK, NONE, STATUS_INSUFFICIENT_RESOURCES, 0, 0, 0, pc);
    return block;
}

static void *allocate_type(POOL_TYPE type, size_t size, uint32_t tag, bool zeroed, bool raise, const void *pc)
{
    uint32_t flags = zeroed ? ALLOC_ZEROED : 0;

    if ((unsigned)type & 1)
        flags |= ALLOC_PAGED;
    else if (!((unsigned)type & POOL_NX_ALLOCATION))
        flags |= ALLOC_EXECUTE;
    raise = raise || (unsigned)type & POOL_RAISE_IF_ALLOCATION_FAILURE;
    return or_raise(pool_allocate(size, tag, flags, pc), raise, pc);
}

static void *allocate_flags(POOL_FLAGS asked, size_t size, uint32_t tag, const void *pc)
{
    uint32_t flags = asked & POOL_FLAG_UNINITIALIZED ? 0 : ALLOC_ZEROED;

    if (asked & POOL_FLAG_PAGED)
        flags |= ALLOC_PAGED;
    if (asked & POOL_FLAG_NON_PAGED_EXECUTE)
        flags |= ALLOC_EXECUTE;
    return or_raise(pool_allocate(size, tag, flags, pc), asked & POOL_FLAG_RAISE_ON_FAILURE, pc);
}

/*
 * ExAllocatePool2, ExAllocatePool3 (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for paged pool
 * Documented  zeroed unless POOL_FLAG_UNINITIALIZED; NULL on failure unless POOL_FLAG_RAISE_ON_FAILURE;
 *             the tag has four characters of 0x20 to 0x7E                          (ExAllocatePool2)
 * Our reading an exception is a bug check: no example of a driver that catches it is known
 */
PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate_flags(Flags, NumberOfBytes, Tag, CALLER());
}

PVOID ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                            PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount)
{
    (void)ExtendedParameters;
    (void)ExtendedParametersCount;
    return allocate_flags(Flags, NumberOfBytes, Tag, CALLER());
}

/*
 * ExAllocatePoolWithTag, …Zero, …Uninitialized, …WithQuotaTag (wdm.h)
 *
 * Caller      module, IRQL as ExAllocatePool2
 * Documented  not zeroed, but for …Zero and POOL_ZERO_ALLOCATION; …WithQuotaTag raises an exception on
 *             failure unless POOL_QUOTA_FAIL_INSTEAD_OF_RAISE               (ExAllocatePoolWithTag)
 */
#define ALLOCATOR(name, zeroed, raise, ...)                                                     \
    PVOID name(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag __VA_ARGS__)                 \
    {                                                                                           \
        return allocate_type(PoolType, NumberOfBytes, Tag, zeroed, raise, CALLER());            \
    }
#define ZEROED_WHEN_ASKED (((unsigned)PoolType & POOL_ZERO_ALLOCATION) != 0)
#define RAISED_UNLESS_ASKED (!((unsigned)PoolType & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE))
#define WITH_PRIORITY , EX_POOL_PRIORITY Priority __attribute__((unused))

ALLOCATOR(ExAllocatePoolWithTag, ZEROED_WHEN_ASKED, false, )
ALLOCATOR(ExAllocatePoolZero, true, false, )
ALLOCATOR(ExAllocatePoolUninitialized, false, false, )
ALLOCATOR(ExAllocatePoolWithQuotaTag, ZEROED_WHEN_ASKED, RAISED_UNLESS_ASKED, )
ALLOCATOR(ExAllocatePoolQuotaZero, true, RAISED_UNLESS_ASKED, )
ALLOCATOR(ExAllocatePoolQuotaUninitialized, false, RAISED_UNLESS_ASKED, )
ALLOCATOR(ExAllocatePoolWithTagPriority, ZEROED_WHEN_ASKED, false, WITH_PRIORITY)
ALLOCATOR(ExAllocatePoolPriorityZero, true, false, WITH_PRIORITY)
ALLOCATOR(ExAllocatePoolPriorityUninitialized, false, false, WITH_PRIORITY)

/* Without a tag: Windows uses 'None'. */
PVOID ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return allocate_type(PoolType, NumberOfBytes, 0x656E6F4E, ZEROED_WHEN_ASKED, false, CALLER());
}

void pool_free(void *address, uint32_t tag, const void *pc)
{
    uint32_t number = NONE;
    struct pool_block *b;

    sched_point(SITE_FREE);
    b = pool_near(address, &number);
    if (!b || b->address != address || b->flags & ALLOC_INTERNAL) {
        misuse(MISUSE_POOL_NOT_POOL, b ? number : NONE, address, tag, 0, pc);
        return;
    }
    if (b->free_event) {
        misuse(MISUSE_POOL_DOUBLE_FREE, number, address, tag, b->free_event, pc);
        return;
    }
    irql_require_max(b->flags & ALLOC_PAGED ? LEVEL_APC : LEVEL_DISPATCH, pc);
    if (tag && tag != b->tag)
        misuse(MISUSE_POOL_TAG, number, address, tag, b->tag, pc);
    release(b, number, tag, pc);
}

/*
 * ExFreePool, ExFreePoolWithTag, ExFreePool2 (ntddk.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for paged pool
 * Documented  the tag must be the one given to the allocator; the caller must not touch the memory
 *             afterwards                                                    (ExFreePoolWithTag)
 * Our reading tag 0 stands for any tag, as ExFreePool is ExFreePoolWithTag(…, 0); the scheduling point
 *             comes first, so that others may still use the memory before it goes
 */
VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    pool_free(P, Tag, CALLER());
}

VOID ExFreePool(PVOID P)
{
    pool_free(P, 0, CALLER());
}

VOID ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount)
{
    (void)ExtendedParameters;
    (void)ExtendedParametersCount;
    pool_free(P, Tag, CALLER());
}
