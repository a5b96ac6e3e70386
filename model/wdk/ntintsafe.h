/*
 * ntintsafe.h
 *
 * Arithmetic that says STATUS_INTEGER_OVERFLOW instead of wrapping round.  Only the unsigned types and
 * conversions that drivers use for lengths.
 *
 * Where it fails, the result has every bit set, as on Windows.
 *
 * Source      ntintsafe.h of the WDK
 */
#ifndef NMRCHECK_WDK_NTINTSAFE_H
#define NMRCHECK_WDK_NTINTSAFE_H

#include "ntdef.h"
#include "ntstatus.h"

#define NMRCHECK_SAFE(Name, Type, Builtin)                                                              \
    NMRCHECK_INLINE NTSTATUS Name(_In_ Type Left, _In_ Type Right, _Out_ Type *Result)                  \
    {                                                                                                   \
        if (Builtin(Left, Right, Result)) {                                                             \
            *Result = (Type) ~(Type)0;                                                                  \
            return STATUS_INTEGER_OVERFLOW;                                                             \
        }                                                                                               \
        return STATUS_SUCCESS;                                                                          \
    }

#define NMRCHECK_NARROW(Name, From, To)                                                                 \
    NMRCHECK_INLINE NTSTATUS Name(_In_ From Operand, _Out_ To *Result)                                  \
    {                                                                                                   \
        if (Operand > (From)(To) ~(To)0) {                                                              \
            *Result = (To) ~(To)0;                                                                      \
            return STATUS_INTEGER_OVERFLOW;                                                             \
        }                                                                                               \
        *Result = (To)Operand;                                                                          \
        return STATUS_SUCCESS;                                                                          \
    }

NMRCHECK_SAFE(RtlUShortAdd, USHORT, __builtin_add_overflow)
NMRCHECK_SAFE(RtlUShortSub, USHORT, __builtin_sub_overflow)
NMRCHECK_SAFE(RtlUShortMult, USHORT, __builtin_mul_overflow)
NMRCHECK_SAFE(RtlULongAdd, ULONG, __builtin_add_overflow)
NMRCHECK_SAFE(RtlULongSub, ULONG, __builtin_sub_overflow)
NMRCHECK_SAFE(RtlULongMult, ULONG, __builtin_mul_overflow)
NMRCHECK_SAFE(RtlULongLongAdd, ULONGLONG, __builtin_add_overflow)
NMRCHECK_SAFE(RtlULongLongSub, ULONGLONG, __builtin_sub_overflow)
NMRCHECK_SAFE(RtlULongLongMult, ULONGLONG, __builtin_mul_overflow)

NMRCHECK_NARROW(RtlULongToUShort, ULONG, USHORT)
NMRCHECK_NARROW(RtlULongLongToULong, ULONGLONG, ULONG)
NMRCHECK_NARROW(RtlULongLongToUShort, ULONGLONG, USHORT)

#define RtlUIntAdd RtlULongAdd
#define RtlUIntSub RtlULongSub
#define RtlUIntMult RtlULongMult
#define RtlUInt32Add RtlULongAdd
#define RtlUInt32Sub RtlULongSub
#define RtlUInt32Mult RtlULongMult
#define RtlSizeTAdd RtlULongLongAdd
#define RtlSizeTSub RtlULongLongSub
#define RtlSizeTMult RtlULongLongMult
#define RtlSIZETAdd RtlULongLongAdd
#define RtlSIZETSub RtlULongLongSub
#define RtlSIZETMult RtlULongLongMult
#define RtlULongPtrAdd RtlULongLongAdd
#define RtlULongPtrSub RtlULongLongSub
#define RtlSizeTToULong RtlULongLongToULong
#define RtlSIZETToULong RtlULongLongToULong
#define RtlSizeTToUShort RtlULongLongToUShort
#define RtlULongPtrToULong RtlULongLongToULong

#endif /* NMRCHECK_WDK_NTINTSAFE_H */
