/*
 * malloc.h
 *
 * Memory on the stack.
 *
 * Source      malloc.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_MALLOC_H
#define NMRCHECK_WDK_CRT_MALLOC_H

#include <intrin.h>

#endif /* NMRCHECK_WDK_CRT_MALLOC_H */
