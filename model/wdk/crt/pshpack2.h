/*
 * pshpack2.h
 *
 * Structures from here to poppack.h are packed to 2 bytes.  It may be included any number of times.
 *
 * Source      pshpack2.h of the Windows SDK
 */
#pragma pack(push, 2)
