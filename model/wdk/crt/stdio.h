/*
 * stdio.h
 *
 * What drivers have of it: text in memory, no files.
 *
 * Source      stdio.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_STDIO_H
#define NMRCHECK_WDK_CRT_STDIO_H

#include <ntstrsafe.h>

#endif /* NMRCHECK_WDK_CRT_STDIO_H */
