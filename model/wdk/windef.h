/*
 * windef.h
 *
 * The basic types, by the name under which applications know them; ntdef.h has them all.
 *
 * Source      windef.h of the Windows SDK
 */
#ifndef NMRCHECK_WDK_WINDEF_H
#define NMRCHECK_WDK_WINDEF_H

#include "ntdef.h"

#ifndef MAX_PATH
#define MAX_PATH 260
#endif
#define MAKEWORD(Low, High) ((WORD)(((BYTE)(Low)) | ((WORD)((BYTE)(High))) << 8))
#define MAKELONG(Low, High) ((LONG)(((WORD)(Low)) | ((DWORD)((WORD)(High))) << 16))

#endif /* NMRCHECK_WDK_WINDEF_H */
