/*
 * pshpack8.h
 *
 * Structures from here to poppack.h are packed to 8 bytes.  It may be included any number of times.
 *
 * Source      pshpack8.h of the Windows SDK
 */
#pragma pack(push, 8)
