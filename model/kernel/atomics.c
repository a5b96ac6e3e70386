/*
 * atomics.c - atomic operations that a module leaves to its compiler: C11's, __atomic_*, __sync_*.
 *
 * With the ThreadSanitizer ABI the compiler calls these functions instead of doing them itself.  They are what the
 * Interlocked functions are: a scheduling point, then one operation; a relaxed one is one with "no fence".
 */
#include "internal.h"

/* Names that the compiler's runtime owns. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wmissing-prototypes"
#else
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif

/* `new_value` is in terms of the old value, `old`, and the parameters. */
#define UPDATE(name, type, parameters, new_value)               \
    type name parameters;                                       \
    RAW type name parameters                                    \
    {                                                           \
        const void *pc = CALLER();                              \
        type old;                                               \
                                                                \
        interlocked_begin(PLAIN(p), sizeof *p, true, true, order != __ATOMIC_RELAXED, pc); \
        old = *p;                                               \
        *p = (type)(new_value);                                 \
        interlocked_end(PLAIN(p), pc);                          \
        return old;                                             \
    }

/* What was expected is told what was there; true when that is the same. */
#define COMPARE_EXCHANGE(name, type)                            \
    int name(volatile type *p, type *expected, type n, int order, int failed); \
    RAW int name(volatile type *p, type *expected, type n, int order, int failed) \
    {                                                           \
        const void *pc = CALLER();                              \
        type wanted = *expected, old;                           \
                                                                \
        (void)failed;                                           \
        interlocked_begin(PLAIN(p), sizeof *p, true, true, order != __ATOMIC_RELAXED, pc); \
        old = *p;                                               \
        if (old == wanted)                                      \
            *p = n;                                             \
        interlocked_end(PLAIN(p), pc);                          \
        if (old != wanted)                                      \
            *expected = old;                                    \
        return old == wanted;                                   \
    }

#define ATOMICS(bits, type)                                     \
    type __tsan_atomic##bits##_load(const volatile type *p, int order); \
    RAW type __tsan_atomic##bits##_load(const volatile type *p, int order) \
    {                                                           \
        const void *pc = CALLER();                              \
        type value;                                             \
                                                                \
        interlocked_begin(PLAIN(p), sizeof *p, true, false, order != __ATOMIC_RELAXED, pc); \
        value = *p;                                             \
        interlocked_end(PLAIN(p), pc);                          \
        return value;                                           \
    }                                                           \
    void __tsan_atomic##bits##_store(volatile type *p, type n, int order); \
    RAW void __tsan_atomic##bits##_store(volatile type *p, type n, int order) \
    {                                                           \
        const void *pc = CALLER();                              \
                                                                \
        interlocked_begin(PLAIN(p), sizeof *p, false, true, order != __ATOMIC_RELAXED, pc); \
        *p = n;                                                 \
        interlocked_end(PLAIN(p), pc);                          \
    }                                                           \
    UPDATE(__tsan_atomic##bits##_exchange, type, (volatile type *p, type n, int order), n) \
    UPDATE(__tsan_atomic##bits##_fetch_add, type, (volatile type *p, type n, int order), old + n) \
    UPDATE(__tsan_atomic##bits##_fetch_sub, type, (volatile type *p, type n, int order), old - n) \
    UPDATE(__tsan_atomic##bits##_fetch_and, type, (volatile type *p, type n, int order), old & n) \
    UPDATE(__tsan_atomic##bits##_fetch_or, type, (volatile type *p, type n, int order), old | n) \
    UPDATE(__tsan_atomic##bits##_fetch_xor, type, (volatile type *p, type n, int order), old ^ n) \
    UPDATE(__tsan_atomic##bits##_fetch_nand, type, (volatile type *p, type n, int order), ~(old & n)) \
    UPDATE(__tsan_atomic##bits##_compare_exchange_val, type,    \
           (volatile type *p, type c, type n, int order, int failed), ((void)failed, old == c ? n : old)) \
    COMPARE_EXCHANGE(__tsan_atomic##bits##_compare_exchange_strong, type) \
    COMPARE_EXCHANGE(__tsan_atomic##bits##_compare_exchange_weak, type)

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    race_fence();
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
