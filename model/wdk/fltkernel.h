/*
 * fltkernel.h
 *
 * What drivers include for more than file system filters: everything of ntifs.h.  The filter manager itself is not
 * simulated, nor declared.
 *
 * Source      fltKernel.h of the WDK
 */
#ifndef NMRCHECK_WDK_FLTKERNEL_H
#define NMRCHECK_WDK_FLTKERNEL_H

#include "ntifs.h"

#define FLTAPI NTAPI

#endif /* NMRCHECK_WDK_FLTKERNEL_H */
