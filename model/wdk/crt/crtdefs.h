/*
 * crtdefs.h
 *
 * Types of the C library.
 *
 * Source      crtdefs.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_CRTDEFS_H
#define NMRCHECK_WDK_CRT_CRTDEFS_H

#include <crt.h>

#endif /* NMRCHECK_WDK_CRT_CRTDEFS_H */
