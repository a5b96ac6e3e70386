/*
 * poppack.h
 *
 * Structures are packed as before the last pshpack.  It may be included any number of times.
 *
 * Source      poppack.h of the Windows SDK
 */
#pragma pack(pop)
