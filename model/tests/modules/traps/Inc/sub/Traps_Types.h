// Traps_Types.h: types that are as wide as Windows has them, or the driver does not compile.
#pragma once
#include "..\..\Precomp.h"

#ifndef _MSC_VER
#error another compiler
#elif _MSC_VER < 1900 || !defined(_WIN64) || !defined(_M_AMD64) || !defined(_KERNEL_MODE)
#error another target
#endif
#ifdef __linux__
#error another system
#endif
#if NTDDI_VERSION < NTDDI_WIN10 || _WIN32_WINNT < 0x0A00
#error another Windows
#endif

#define TRAPS_TAG 'pArT'
#define LIT(x) x##L
#define COUNT_OF_LONG(n) long n
#define MY_OFFSET(type, field) ((ULONG_PTR)&(((type *)0)->field))

typedef unsigned long TRAPS_FLAGS;
typedef long unsigned int TRAPS_COUNT;
typedef long const TRAPS_CONSTANT;
typedef long long TRAPS_TIME;
typedef long double TRAPS_REAL;

typedef struct _TRAPS_HEADER {
    unsigned long Length;
    long Kind;
} TRAPS_HEADER;

#pragma pack(push, 4)
typedef struct _TRAPS_RECORD {
    TRAPS_HEADER;                       // unnamed, as MSVC has it
    union {
        long long Time;
        struct { unsigned long Low; long High; };
    };
    unsigned long Small : 4;
    unsigned char Other : 4;            // a new unit: the type differs
    wchar_t Name[3];
    void *Pointer;
} TRAPS_RECORD, *PTRAPS_RECORD;
#pragma pack(pop)

__pragma(pack(push, 1)) typedef struct _TRAPS_PACKED { char A; long B; } TRAPS_PACKED; __pragma(pack(pop))
typedef __declspec(align(16)) struct _TRAPS_ALIGNED { long A; } TRAPS_ALIGNED;

C_ASSERT(sizeof(long) == 4 && sizeof(unsigned long) == 4 && sizeof(long int) == 4 && sizeof(signed long) == 4);
C_ASSERT(sizeof(long long) == 8 && sizeof(unsigned long long int) == 8 && sizeof(__int64) == 8);
C_ASSERT(sizeof(TRAPS_REAL) == 8 && sizeof(wchar_t) == 2 && sizeof(L'x') == 2);
C_ASSERT(sizeof(TRAPS_FLAGS) == 4 && sizeof(TRAPS_COUNT) == 4 && sizeof(TRAPS_TIME) == 8);
C_ASSERT(sizeof(size_t) == 8 && sizeof(uint64_t) == 8 && sizeof(uint32_t) == 4 && sizeof(uintptr_t) == 8);
C_ASSERT(sizeof(1L) == 4 && sizeof(1UL) == 4 && sizeof(1LL) == 8 && sizeof(1i64) == 8 && sizeof(1ui32) == 4);
C_ASSERT(sizeof(LIT(1)) == 4 && sizeof(4294967296L) == 8 && sizeof(0x100000000UL) == 8);
C_ASSERT(0xFFFFFFFFL > 0 && (unsigned long)-1 == 0xFFFFFFFF && -1L < 0 && ~0UL == 0xFFFFFFFF);
C_ASSERT(4294967295 > 0 && sizeof(4294967295) == 4 && -2147483648 > 0 && 0xFFFFFFFFFFFFFFFFui64 == ~0ull);
C_ASSERT(UINT32_MAX == 0xFFFFFFFF);
C_ASSERT(sizeof(TRAPS_PACKED) == 5 && sizeof(TRAPS_ALIGNED) == 16 && TYPE_ALIGNMENT(TRAPS_ALIGNED) == 16);
C_ASSERT(FIELD_OFFSET(TRAPS_RECORD, Time) == 8 && sizeof(TRAPS_RECORD) == 36);
static_assert(MY_OFFSET(TRAPS_RECORD, Name) == 22, "MY_OFFSET");
static_assert((int)(ULONG_PTR)&((struct _TRAPS_RECORD *)NULL)->Pointer == 28, "an offset by a null pointer");
static_assert('abcd' == 0x61626364, "a tag");

// Each file of the driver has this function, and there is one of it.
inline unsigned long TrapsDouble(unsigned long Value)
{
    static long Calls;

    Calls++;
    return 2 * Value + 0 * Calls;
}

__forceinline long TrapsNegate(long Value)
{
    return -Value;
}

FORCEINLINE TRAPS_TIME TrapsWiden(long Value) { return Value; }

extern __declspec(selectany) const ULONG TrapsNumber = 7;

_Success_(return >= 0) _IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS TrapsRun(_Inout_ PTRAPS_RECORD Record, _In_reads_(Count) const unsigned long *Numbers, _In_ size_t Count);
VOID TrapsKeep(const VOID *Buffer, ULONG Length);
