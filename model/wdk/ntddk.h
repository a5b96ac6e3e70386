/*
 * ntddk.h
 *
 * What a driver that is no file system includes.  The parts of it that network modules use are in wdm.h.
 *
 * Source      ntddk.h of the WDK
 */
#ifndef NMRCHECK_WDK_NTDDK_H
#define NMRCHECK_WDK_NTDDK_H

#include "wdm.h"

#endif /* NMRCHECK_WDK_NTDDK_H */
