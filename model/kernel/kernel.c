/* kernel.c - the start of an execution, and what sanitizers may not see. */
#include "internal.h"

/* One instruction where there is one: a loop would be turned into a call of the intercepted memcpy. */
RAW void raw_copy(void *to, const void *from, size_t size)
{
#if defined(__x86_64__)
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
#else
    char *t = to;
    const char *f = from;

    while (size--) {
        *t++ = *f++;
        __asm__ volatile("" : : : "memory");
    }
#endif
}

RAW void raw_fill(void *to, unsigned char byte, size_t size)
{
    typedef uint64_t __attribute__((aligned(1), may_alias)) word;
    char *t = to;

    for (; size >= sizeof(word); size -= sizeof(word), t += sizeof(word)) {
        *(word *)(void *)t = byte * UINT64_C(0x0101010101010101);
        __asm__ volatile("" : : : "memory");
    }
    while (size--) {
        *t++ = (char)byte;
        __asm__ volatile("" : : : "memory");
    }
}

void kernel_reset(void)
{
    pool_reset();
    sync_reset();
    irql_reset();
    memory_reset();
    work_reset();
    timer_reset();
    wdf_reset();
    race_reset();
    misc_reset();
    sanitizer_reset();
    image_reset();
    sched_on_thread_end = work_thread_end;
}
