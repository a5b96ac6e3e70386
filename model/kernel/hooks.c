/*
 * hooks.c - where compilers tell of the module's loads and stores.
 *
 * The ThreadSanitizer ABI, which gcc and clang speak, without its runtime; atomic operations are in atomics.c.  This
 * file is compiled without hooks.
 *
 * A volatile load acquires and a volatile store releases, as MSVC has it for x64 (/volatile:ms): drivers hand things
 * over by volatile flags, and are right to there.  For ARM64 MSVC's volatile orders nothing; that is not modelled.
 *
 * Nobody cares about accesses to the thread's own stack, just above the hook's frame.
 */
#include "hook.h"
#include "memory.h"

/* Names that the compiler's runtime owns. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wmissing-prototypes"
#else
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif

#define HOOK(name, size, write)                                 \
    void name(void *address);                                   \
    RAW __attribute__((noinline)) void name(void *address)      \
    {                                                           \
        hook_access(address, size, write, CALLER());            \
    }

#define VOLATILE_HOOK(name, size, write)                        \
    void name(void *address);                                   \
    RAW void name(void *address)                                \
    {                                                           \
        if (hook_own_stack(address))                            \
            return;                                             \
        interlocked_begin(address, size, !(write), write, true, CALLER()); \
        interlocked_end(address, CALLER());                     \
    }

#define HOOKS(size)                                             \
    HOOK(__tsan_read##size, size, false)                        \
    HOOK(__tsan_write##size, size, true)                        \
    HOOK(__tsan_unaligned_read##size, size, false)              \
    HOOK(__tsan_unaligned_write##size, size, true)              \
    VOLATILE_HOOK(__tsan_volatile_read##size, size, false)      \
    VOLATILE_HOOK(__tsan_volatile_write##size, size, true)      \
    VOLATILE_HOOK(__tsan_unaligned_volatile_read##size, size, false) \
    VOLATILE_HOOK(__tsan_unaligned_volatile_write##size, size, true)

HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

void __tsan_read_range(void *address, size_t size);
RAW void __tsan_read_range(void *address, size_t size)
{
    if (!hook_own_stack(address))
        memory_use(address, size, false, CALLER());
}

void __tsan_write_range(void *address, size_t size);
RAW void __tsan_write_range(void *address, size_t size)
{
    if (!hook_own_stack(address))
        memory_use(address, size, true, CALLER());
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
    return nmrcheck_memcpy(to, from, size);
}

void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size)
{
    return nmrcheck_memmove(to, from, size);
}

void *__tsan_memset(void *to, int byte, size_t size);
void *__tsan_memset(void *to, int byte, size_t size)
{
    return nmrcheck_memset(to, byte, size);
}
