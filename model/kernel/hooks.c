/*
 * hooks.c - where compilers tell of the module's loads and stores.
 *
 * Two languages, either of which a module object may speak: clang's SanitizerCoverage
 * (-fsanitize-coverage=trace-loads,trace-stores) and the ThreadSanitizer ABI (gcc and clang,
 * -fsanitize=thread) without its runtime.  This file is compiled without either.
 *
 * Almost every access is to the thread's own stack, just above the hook's frame: it returns at once.
 */
#include "internal.h"
#include "memory.h"

/* Names that the compiler's runtime owns. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wmissing-prototypes"
#else
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif

#define HERE() ((const void *)((const char *)__builtin_return_address(0) - 1))

static inline __attribute__((always_inline)) bool own_stack(const void *address, const void *frame)
{
    return (uintptr_t)address - (uintptr_t)frame < SCHED_STACK_BYTES;
}

#define HOOK(name, size, write)                                 \
    void name(void *address);                                   \
    RAW void name(void *address)                                \
    {                                                           \
        if (!own_stack(address, __builtin_frame_address(0)))    \
            memory_access(address, size, write, HERE());        \
    }

/* A volatile access is how drivers of old made atomics: it is checked but takes no part in races. */
#define VOLATILE_HOOK(name, size, write)                        \
    void name(void *address);                                   \
    RAW void name(void *address)                                \
    {                                                           \
        if (!own_stack(address, __builtin_frame_address(0)))    \
            memory_check(address, size, write, HERE());         \
    }

HOOK(__sanitizer_cov_load1, 1, false)
HOOK(__sanitizer_cov_load2, 2, false)
HOOK(__sanitizer_cov_load4, 4, false)
HOOK(__sanitizer_cov_load8, 8, false)
HOOK(__sanitizer_cov_load16, 16, false)
HOOK(__sanitizer_cov_store1, 1, true)
HOOK(__sanitizer_cov_store2, 2, true)
HOOK(__sanitizer_cov_store4, 4, true)
HOOK(__sanitizer_cov_store8, 8, true)
HOOK(__sanitizer_cov_store16, 16, true)

#define TSAN_HOOKS(size)                                        \
    HOOK(__tsan_read##size, size, false)                        \
    HOOK(__tsan_write##size, size, true)                        \
    HOOK(__tsan_unaligned_read##size, size, false)              \
    HOOK(__tsan_unaligned_write##size, size, true)              \
    VOLATILE_HOOK(__tsan_volatile_read##size, size, false)      \
    VOLATILE_HOOK(__tsan_volatile_write##size, size, true)      \
    VOLATILE_HOOK(__tsan_unaligned_volatile_read##size, size, false) \
    VOLATILE_HOOK(__tsan_unaligned_volatile_write##size, size, true)

TSAN_HOOKS(1)
TSAN_HOOKS(2)
TSAN_HOOKS(4)
TSAN_HOOKS(8)
TSAN_HOOKS(16)

/* A compound access, x += 1: read, then written. */
#define READ_WRITE_HOOK(name, size)                             \
    void name(void *address);                                   \
    RAW void name(void *address)                                \
    {                                                           \
        if (own_stack(address, __builtin_frame_address(0)))     \
            return;                                             \
        memory_access(address, size, false, HERE());            \
        memory_access(address, size, true, HERE());             \
    }

READ_WRITE_HOOK(__tsan_read_write1, 1)
READ_WRITE_HOOK(__tsan_read_write2, 2)
READ_WRITE_HOOK(__tsan_read_write4, 4)
READ_WRITE_HOOK(__tsan_read_write8, 8)
READ_WRITE_HOOK(__tsan_read_write16, 16)
READ_WRITE_HOOK(__tsan_unaligned_read_write2, 2)
READ_WRITE_HOOK(__tsan_unaligned_read_write4, 4)
READ_WRITE_HOOK(__tsan_unaligned_read_write8, 8)
READ_WRITE_HOOK(__tsan_unaligned_read_write16, 16)

void __tsan_read_range(void *address, size_t size);
RAW void __tsan_read_range(void *address, size_t size)
{
    if (!own_stack(address, __builtin_frame_address(0)))
        memory_use(address, size, false, HERE());
}

void __tsan_write_range(void *address, size_t size);
RAW void __tsan_write_range(void *address, size_t size)
{
    if (!own_stack(address, __builtin_frame_address(0)))
        memory_use(address, size, true, HERE());
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
    (void)pc;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_vptr_update(void **slot, void *value);
void __tsan_vptr_update(void **slot, void *value)
{
    (void)value;
    memory_access(slot, sizeof *slot, true, HERE());
}

void __tsan_vptr_read(void **slot);
void __tsan_vptr_read(void **slot)
{
    memory_access(slot, sizeof *slot, false, HERE());
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
