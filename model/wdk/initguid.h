/*
 * initguid.h
 *
 * Makes every DEFINE_GUID that follows define its GUID, not only declare it.  The definitions are weak,
 * so that several source files may do so.
 *
 * Source      initguid.h of the Windows SDK
 */
#ifndef INITGUID
#define INITGUID
#endif

#include "guiddef.h"
