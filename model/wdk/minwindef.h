/*
 * minwindef.h
 *
 * The basic types, by the name under which applications know them; ntdef.h has them all.
 *
 * Source      minwindef.h of the Windows SDK
 */
#ifndef NMRCHECK_WDK_MINWINDEF_H
#define NMRCHECK_WDK_MINWINDEF_H

#include "ntdef.h"

#endif /* NMRCHECK_WDK_MINWINDEF_H */
