// The driver's own, from the days of compilers without one.
#ifndef TRAPS_STDINT_H
#define TRAPS_STDINT_H
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef long int int32_t;
typedef unsigned long uint32_t;
typedef __int64 int64_t;
typedef unsigned __int64 uint64_t;
typedef unsigned __int64 size_t;
#define UINT32_MAX 0xffffffffUL
#endif
