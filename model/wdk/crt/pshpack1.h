/*
 * pshpack1.h
 *
 * Structures from here to poppack.h are packed to 1 bytes.  It may be included any number of times.
 *
 * Source      pshpack1.h of the Windows SDK
 */
#pragma pack(push, 1)
