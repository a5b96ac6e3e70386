/*
 * interlocked.c - atomic operations on the module's memory.
 *
 * Each is a scheduling point and then a plain operation: between two points nothing else runs.
 * They order everything before with everything after on the same address.
 */
#include "footprint.h"
#include "internal.h"

#include <ntddk.h>

static void look(const void *address, size_t size, bool write, const void *pc)
{
    memory_check(address, size, write, pc);
    memory_try(address, size, write, pc);
}

void interlocked_begin(const void *address, size_t size, bool read, bool write, bool ordered, const void *pc)
{
    sched_point(SITE_INTERLOCKED);
    footprint_address(address, write ? TOUCH_WRITE : TOUCH_READ);
    if (read)
        look(address, size, false, pc);
    if (write)
        look(address, size, true, pc);
    if (read)
        race_acquire_address(address, ordered);
    race_atomic(address, size, pc);
    if (write)
        race_release_address(address, ordered);
}

void interlocked_end(const void *address, const void *pc)
{
    event_emit(EV_INTERLOCKED, 0, 0, (uint64_t)(uintptr_t)address, 0, 0, pc);
}

/*
 * The Interlocked family (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  atomic; -Increment, -Decrement and -Add return the new value, the others the old one
 *                                                                  (InterlockedIncrement)
 * Our reading all variants are sequentially consistent, NoFence and Raw too
 */
#define UPDATE(name, type, parameters, new_value, result)                   \
    type name parameters                                                    \
    {                                                                       \
        const void *pc = CALLER();                                          \
        void *address = PLAIN(p);                                           \
        type old, value;                                                    \
                                                                            \
        interlocked_begin(address, sizeof *p, true, true, true, pc);        \
        old = *p;                                                           \
        value = (type)(new_value);                                          \
        *p = value;                                                         \
        interlocked_end(address, pc);                                       \
        (void)old;                                                          \
        return result;                                                      \
    }

#define FAMILY(suffix, type, wide)                                                                      \
    UPDATE(InterlockedIncrement##suffix, type, (type volatile *p), (wide)old + 1, value)                \
    UPDATE(InterlockedDecrement##suffix, type, (type volatile *p), (wide)old - 1, value)                \
    UPDATE(InterlockedAdd##suffix, type, (type volatile *p, type n), (wide)old + (wide)n, value)        \
    UPDATE(InterlockedExchange##suffix, type, (type volatile *p, type n), n, old)                       \
    UPDATE(InterlockedExchangeAdd##suffix, type, (type volatile *p, type n), (wide)old + (wide)n, old)  \
    UPDATE(InterlockedCompareExchange##suffix, type, (type volatile *p, type n, type c), old == c ? n : old, old) \
    UPDATE(InterlockedAnd##suffix, type, (type volatile *p, type n), old & n, old)                      \
    UPDATE(InterlockedOr##suffix, type, (type volatile *p, type n), old | n, old)                       \
    UPDATE(InterlockedXor##suffix, type, (type volatile *p, type n), old ^ n, old)

FAMILY(, LONG, ULONG)
FAMILY(64, LONG64, ULONG64)

UPDATE(InterlockedIncrement16, SHORT, (SHORT volatile *p), old + 1, value)
UPDATE(InterlockedDecrement16, SHORT, (SHORT volatile *p), old - 1, value)
UPDATE(InterlockedExchange16, SHORT, (SHORT volatile *p, SHORT n), n, old)
UPDATE(InterlockedAnd16, SHORT, (SHORT volatile *p, SHORT n), old & n, old)
UPDATE(InterlockedOr16, SHORT, (SHORT volatile *p, SHORT n), old | n, old)
UPDATE(InterlockedXor16, SHORT, (SHORT volatile *p, SHORT n), old ^ n, old)
UPDATE(InterlockedCompareExchange16, SHORT, (SHORT volatile *p, SHORT n, SHORT c), old == c ? n : old, old)
UPDATE(InterlockedExchange8, CHAR, (CHAR volatile *p, CHAR n), n, old)
UPDATE(InterlockedAnd8, CHAR, (CHAR volatile *p, CHAR n), old & n, old)
UPDATE(InterlockedOr8, CHAR, (CHAR volatile *p, CHAR n), old | n, old)
UPDATE(InterlockedXor8, CHAR, (CHAR volatile *p, CHAR n), old ^ n, old)
UPDATE(InterlockedExchangePointer, PVOID, (PVOID volatile *p, PVOID n), n, old)
UPDATE(InterlockedCompareExchangePointer, PVOID, (PVOID volatile *p, PVOID n, PVOID c), old == c ? n : old, old)

/* The bit counts from Base, in words of that many bits. */
#define BIT_TEST(name, type, unsigned_type, bits, new_value)                                    \
    UCHAR name(type volatile *Base, type Bit)                                                   \
    {                                                                                           \
        const void *pc = CALLER();                                                              \
        type volatile *word = Base + Bit / (bits);                                              \
        unsigned_type mask = (unsigned_type)1 << (Bit & ((bits) - 1)), old;                     \
        void *address = PLAIN(word);                                                            \
                                                                                                \
        interlocked_begin(address, sizeof *word, true, true, true, pc);                         \
        old = (unsigned_type)*word;                                                             \
        *word = (type)(new_value);                                                              \
        interlocked_end(address, pc);                                                           \
        return (old & mask) != 0;                                                               \
    }

BIT_TEST(InterlockedBitTestAndSet, LONG, ULONG, 32, old | mask)
BIT_TEST(InterlockedBitTestAndReset, LONG, ULONG, 32, old & ~mask)
BIT_TEST(InterlockedBitTestAndSet64, LONG64, ULONG64, 64, old | mask)
BIT_TEST(InterlockedBitTestAndReset64, LONG64, ULONG64, 64, old & ~mask)

/*
 * InterlockedCompareExchange128 (winnt.h; _InterlockedCompareExchange128 of intrin.h)
 *
 * Caller      module, any IRQL
 * Documented  the comparand gets what was there; 1 when that was equal          (_InterlockedCompareExchange128)
 * Our reading the alignment to 16 bytes that the instruction needs is not checked
 */
UCHAR InterlockedCompareExchange128(LONG64 volatile *Destination, LONG64 ExchangeHigh, LONG64 ExchangeLow,
                                    LONG64 *ComparandResult)
{
    const void *pc = CALLER();
    void *address = PLAIN(Destination);
    LONG64 low, high;
    bool equal;

    interlocked_begin(address, 2 * sizeof *Destination, true, true, true, pc);
    memory_use(ComparandResult, 2 * sizeof *ComparandResult, true, pc);
    low = Destination[0];
    high = Destination[1];
    equal = low == ComparandResult[0] && high == ComparandResult[1];
    if (equal) {
        Destination[0] = ExchangeLow;
        Destination[1] = ExchangeHigh;
    }
    ComparandResult[0] = low;
    ComparandResult[1] = high;
    interlocked_end(address, pc);
    return equal;
}

/*
 * ReadNoFence, ReadAcquire, WriteNoFence, WriteRelease and their types (wdm.h)
 *
 * Caller      module, any IRQL
 * Documented  one access that the compiler may not split or repeat; NoFence: "no memory ordering"
 *                                                                  (ReadULong64NoFence)
 */
#define READ_WRITE(read_name, write_name, type, ordered)                    \
    type read_name(type const volatile *p)                                  \
    {                                                                       \
        const void *pc = CALLER();                                          \
        void *address = PLAIN(p);                                           \
        type value;                                                         \
                                                                            \
        interlocked_begin(address, sizeof *p, true, false, ordered, pc);    \
        value = *p;                                                         \
        interlocked_end(address, pc);                                       \
        return value;                                                       \
    }                                                                       \
    VOID write_name(type volatile *p, type n)                               \
    {                                                                       \
        const void *pc = CALLER();                                          \
        void *address = PLAIN(p);                                           \
                                                                            \
        interlocked_begin(address, sizeof *p, false, true, ordered, pc);    \
        *p = n;                                                             \
        interlocked_end(address, pc);                                       \
    }

READ_WRITE(ReadNoFence, WriteNoFence, LONG, false)
READ_WRITE(ReadAcquire, WriteRelease, LONG, true)
READ_WRITE(ReadNoFence64, WriteNoFence64, LONG64, false)
READ_WRITE(ReadAcquire64, WriteRelease64, LONG64, true)
READ_WRITE(ReadULongNoFence, WriteULongNoFence, ULONG, false)
READ_WRITE(ReadULongAcquire, WriteULongRelease, ULONG, true)
READ_WRITE(ReadULong64NoFence, WriteULong64NoFence, ULONG64, false)
READ_WRITE(ReadULong64Acquire, WriteULong64Release, ULONG64, true)
READ_WRITE(ReadPointerNoFence, WritePointerNoFence, PVOID, false)
READ_WRITE(ReadPointerAcquire, WritePointerRelease, PVOID, true)

/* Weak memory is not simulated: a barrier matters only to what has no fence of its own. */
VOID KeMemoryBarrier(VOID)
{
    race_fence();
}
