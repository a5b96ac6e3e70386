/*
 * string.h
 *
 * Strings and memory, as far as the kernel exports them: in crt.h, which wdm.h includes too.
 */
#ifndef NMRCHECK_WDK_CRT_STRING_H
#define NMRCHECK_WDK_CRT_STRING_H

#include <crt.h>

#endif /* NMRCHECK_WDK_CRT_STRING_H */
