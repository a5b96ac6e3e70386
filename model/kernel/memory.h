/* memory.h - the C library functions that module objects call under these names. */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <stddef.h>

void *nmrcheck_memcpy(void *to, const void *from, size_t size);
void *nmrcheck_memmove(void *to, const void *from, size_t size);
void *nmrcheck_memset(void *to, int byte, size_t size);
int nmrcheck_memcmp(const void *a, const void *b, size_t size);
size_t nmrcheck_strlen(const char *text);

#endif
