/*
 * stdlib.h
 *
 * What drivers have of it: numbers, no processes.
 *
 * Source      stdlib.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_STDLIB_H
#define NMRCHECK_WDK_CRT_STDLIB_H

#include <crt.h>

#define abs(Value) __builtin_abs(Value)
#define labs(Value) __builtin_abs(Value)
#define llabs(Value) __builtin_llabs(Value)
#define _abs64(Value) __builtin_llabs(Value)
#ifndef _countof
#define _countof(Array) (sizeof(Array) / sizeof((Array)[0]))
#endif

/* Not simulated: whoever calls one of these is told of it when the driver is built. */
int atoi(const char *Text);
long atol(const char *Text);
void qsort(void *Base, size_t Count, size_t Size, int (__cdecl *Compare)(const void *, const void *));
void *bsearch(
    const void *Key, const void *Base, size_t Count, size_t Size, int (__cdecl *Compare)(const void *, const void *));

#endif /* NMRCHECK_WDK_CRT_STDLIB_H */
