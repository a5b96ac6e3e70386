/*
 * pshpack4.h
 *
 * Structures from here to poppack.h are packed to 4 bytes.  It may be included any number of times.
 *
 * Source      pshpack4.h of the Windows SDK
 */
#pragma pack(push, 4)
