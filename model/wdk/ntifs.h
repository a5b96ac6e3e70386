/*
 * ntifs.h
 *
 * What a file system driver includes; some network modules do too, mostly for push locks, which are in
 * wdm.h here.
 *
 * Source      ntifs.h of the WDK
 */
#ifndef NMRCHECK_WDK_NTIFS_H
#define NMRCHECK_WDK_NTIFS_H

#include "ntddk.h"

#endif /* NMRCHECK_WDK_NTIFS_H */
