/*
 * basetsd.h
 *
 * The basic types, by the name under which applications know them; ntdef.h has them all.
 *
 * Source      basetsd.h of the Windows SDK
 */
#ifndef NMRCHECK_WDK_BASETSD_H
#define NMRCHECK_WDK_BASETSD_H

#include "ntdef.h"

#endif /* NMRCHECK_WDK_BASETSD_H */
