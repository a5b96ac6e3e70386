/*
 * wchar.h
 *
 * Strings of wide characters, as far as the kernel exports them: in crt.h, which wdm.h includes too.
 */
#ifndef NMRCHECK_WDK_CRT_WCHAR_H
#define NMRCHECK_WDK_CRT_WCHAR_H

#include <crt.h>

#endif /* NMRCHECK_WDK_CRT_WCHAR_H */
