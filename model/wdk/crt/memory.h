/*
 * memory.h
 *
 * The same as string.h.
 *
 * Source      memory.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_MEMORY_H
#define NMRCHECK_WDK_CRT_MEMORY_H

#include <crt.h>

#endif /* NMRCHECK_WDK_CRT_MEMORY_H */
