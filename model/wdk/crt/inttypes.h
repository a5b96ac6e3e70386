/*
 * inttypes.h
 *
 * Numbers of fixed size, and how they are printed.
 *
 * Source      inttypes.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_INTTYPES_H
#define NMRCHECK_WDK_CRT_INTTYPES_H

#include <stdint.h>

#define PRId8 "hhd"
#define PRId16 "hd"
#define PRId32 "d"
#define PRId64 "lld"
#define PRIi32 "i"
#define PRIi64 "lli"
#define PRIu8 "hhu"
#define PRIu16 "hu"
#define PRIu32 "u"
#define PRIu64 "llu"
#define PRIx8 "hhx"
#define PRIx16 "hx"
#define PRIx32 "x"
#define PRIx64 "llx"
#define PRIX32 "X"
#define PRIX64 "llX"
#define PRIuPTR "llu"
#define PRIxPTR "llx"

#endif /* NMRCHECK_WDK_CRT_INTTYPES_H */
