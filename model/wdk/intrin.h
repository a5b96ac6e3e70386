/*
 * intrin.h
 *
 * The compiler intrinsics of MSVC that drivers call by name.
 *
 * Interlocked intrinsics are the functions of wdm.h under another name, so that the simulated kernel sees
 * them.  Bit scans and byte swaps touch no shared memory and are ordinary code.
 *
 * Source      intrin.h of the MSVC tool set
 */
#ifndef NMRCHECK_WDK_INTRIN_H
#define NMRCHECK_WDK_INTRIN_H

#include "wdm.h"

#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedIncrement16 InterlockedIncrement16
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedDecrement16 InterlockedDecrement16
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchange8 InterlockedExchange8
#define _InterlockedExchange16 InterlockedExchange16
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange16 InterlockedCompareExchange16
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _InterlockedAnd InterlockedAnd
#define _InterlockedAnd8 InterlockedAnd8
#define _InterlockedAnd16 InterlockedAnd16
#define _InterlockedAnd64 InterlockedAnd64
#define _InterlockedOr InterlockedOr
#define _InterlockedOr8 InterlockedOr8
#define _InterlockedOr16 InterlockedOr16
#define _InterlockedOr64 InterlockedOr64
#define _InterlockedXor InterlockedXor
#define _InterlockedXor8 InterlockedXor8
#define _InterlockedXor16 InterlockedXor16
#define _InterlockedXor64 InterlockedXor64
#define _InterlockedAdd InterlockedAdd
#define _InterlockedAdd64 InterlockedAdd64
#define _InterlockedCompareExchange128 InterlockedCompareExchange128
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset
#define _interlockedbittestandset64 InterlockedBitTestAndSet64
#define _interlockedbittestandreset64 InterlockedBitTestAndReset64

/* One access that is not split; no fence. */
#define __iso_volatile_load32(Source) ReadNoFence((LONG const volatile *)(Source))
#define __iso_volatile_load64(Source) ReadNoFence64((LONG64 const volatile *)(Source))
#define __iso_volatile_store32(Target, Value) WriteNoFence((LONG volatile *)(Target), (Value))
#define __iso_volatile_store64(Target, Value) WriteNoFence64((LONG64 volatile *)(Target), (Value))

#define _BitScanForward BitScanForward
#define _BitScanForward64 BitScanForward64
#define _BitScanReverse BitScanReverse
#define _BitScanReverse64 BitScanReverse64

#define _byteswap_ushort(Value) RtlUshortByteSwap(Value)
#define _byteswap_ulong(Value) RtlUlongByteSwap(Value)
#define _byteswap_uint64(Value) RtlUlonglongByteSwap(Value)

/* The compiler may not move memory accesses across it; the processor does not see it. */
#define _ReadWriteBarrier() __asm__ __volatile__("" ::: "memory")
#define _ReadBarrier() _ReadWriteBarrier()
#define _WriteBarrier() _ReadWriteBarrier()

#define _ReturnAddress() __builtin_return_address(0)
#define _AddressOfReturnAddress() __builtin_frame_address(0)

/* Ordinary code: nothing here is atomic.  Copies and fills go through the functions that the model sees. */
#define __nop() ((void)0)
#define _alloca(Size) __builtin_alloca(Size)
#define _rotl(Value, Shift) RotateLeft32((Value), (Shift))
#define _rotr(Value, Shift) RotateRight32((Value), (Shift))
#define _lrotl _rotl
#define _lrotr _rotr
#define _rotl64(Value, Shift) RotateLeft64((Value), (Shift))
#define _rotr64(Value, Shift) RotateRight64((Value), (Shift))
#define __popcnt(Value) ((ULONG)__builtin_popcount(Value))
#define __popcnt64(Value) ((ULONG64)__builtin_popcountll(Value))
#define __stosb(Destination, Fill, Count) ((void)memset((Destination), (Fill), (Count)))
#define __movsb(Destination, Source, Count) ((void)memcpy((Destination), (Source), (Count)))
#define __stosw(Destination, Fill, Count) NMRCHECK_STOS(Destination, Fill, Count, USHORT)
#define __stosd(Destination, Fill, Count) NMRCHECK_STOS(Destination, Fill, Count, ULONG)
#define __stosq(Destination, Fill, Count) NMRCHECK_STOS(Destination, Fill, Count, ULONG64)
#define NMRCHECK_STOS(Destination, Fill, Count, Type)   \
    do {                                                \
        Type *NmrcheckTo = (Destination);               \
        size_t NmrcheckCount = (Count);                 \
        while (NmrcheckCount-- > 0)                     \
            *NmrcheckTo++ = (Type)(Fill);               \
    } while (0)
#define __movsw(Destination, Source, Count) ((void)memcpy((Destination), (Source), (Count) * sizeof(USHORT)))
#define __movsd(Destination, Source, Count) ((void)memcpy((Destination), (Source), (Count) * sizeof(ULONG)))
#define __movsq(Destination, Source, Count) ((void)memcpy((Destination), (Source), (Count) * sizeof(ULONG64)))

#define __umulh(Left, Right) ((ULONG64)(((unsigned __int128)(Left) * (ULONG64)(Right)) >> 64))
#define __mulh(Left, Right) ((LONG64)(((__int128)(Left) * (LONG64)(Right)) >> 64))
#define UnsignedMultiply128 _umul128
#define Multiply128 _mul128

NMRCHECK_INLINE ULONG64 _umul128(ULONG64 Left, ULONG64 Right, _Out_ ULONG64 *High)
{
    *High = __umulh(Left, Right);
    return Left * Right;
}

NMRCHECK_INLINE LONG64 _mul128(LONG64 Left, LONG64 Right, _Out_ LONG64 *High)
{
    *High = __mulh(Left, Right);
    return (LONG64)((ULONG64)Left * (ULONG64)Right);
}

NMRCHECK_INLINE ULONG64 __shiftleft128(ULONG64 Low, ULONG64 High, UCHAR Shift)
{
    return Shift & 63 ? High << (Shift & 63) | Low >> (64 - (Shift & 63)) : High;
}

NMRCHECK_INLINE ULONG64 __shiftright128(ULONG64 Low, ULONG64 High, UCHAR Shift)
{
    return Shift & 63 ? Low >> (Shift & 63) | High << (64 - (Shift & 63)) : Low;
}

NMRCHECK_INLINE ULONG __lzcnt(ULONG Value)
{
    return Value ? (ULONG)__builtin_clz(Value) : 32;
}

NMRCHECK_INLINE ULONG64 __lzcnt64(ULONG64 Value)
{
    return Value ? (ULONG64)__builtin_clzll(Value) : 64;
}

/* Bits count from Base, in words. */
#define NMRCHECK_BIT_TESTS(Suffix, Type, Unsigned, Bits)                                        \
    NMRCHECK_INLINE UCHAR _bittest##Suffix(_In_ const Type *Base, Type Bit)                     \
    {                                                                                           \
        return (UCHAR)((Unsigned)Base[Bit / (Bits)] >> (Bit & ((Bits) - 1)) & 1);               \
    }                                                                                           \
    NMRCHECK_BIT_UPDATE(_bittestandset##Suffix, Type, Unsigned, Bits, |, )                      \
    NMRCHECK_BIT_UPDATE(_bittestandreset##Suffix, Type, Unsigned, Bits, &, ~)                   \
    NMRCHECK_BIT_UPDATE(_bittestandcomplement##Suffix, Type, Unsigned, Bits, ^, )
#define NMRCHECK_BIT_UPDATE(Name, Type, Unsigned, Bits, Operator, Before)                       \
    NMRCHECK_INLINE UCHAR Name(_Inout_ Type *Base, Type Bit)                                    \
    {                                                                                           \
        Type *Word = Base + Bit / (Bits);                                                       \
        Unsigned Mask = (Unsigned)1 << (Bit & ((Bits) - 1)), Old = (Unsigned)*Word;             \
                                                                                                \
        *Word = (Type)(Old Operator Before Mask);                                               \
        return (Old & Mask) != 0;                                                               \
    }
NMRCHECK_BIT_TESTS(, LONG, ULONG, 32)
NMRCHECK_BIT_TESTS(64, LONG64, ULONG64, 64)

/*
 * The processor.  It has no feature that would have to be asked for; its clock is the virtual one; of what the
 * GS register leads to only the current thread is there.
 */
NMRCHECK_INLINE VOID nmrcheck_cpuidex(_Out_writes_(4) int *Info, int Function, int SubFunction)
{
    (void)Function;
    (void)SubFunction;
    Info[0] = Info[1] = Info[2] = Info[3] = 0;
}
#define __cpuidex nmrcheck_cpuidex
#define __cpuid(Info, Function) __cpuidex((Info), (Function), 0)
#define __rdtsc() ((ULONG64)KeQueryPerformanceCounter(NULL).QuadPart)
#define ReadTimeStampCounter() __rdtsc()
#define __readcr8() ((ULONG64)KeGetCurrentIrql())
#define __readgsqword(Offset) ((ULONG64)(ULONG_PTR)((Offset) == 0x188 ? KeGetCurrentThread() : NULL))
#define __readgsdword(Offset) ((ULONG)__readgsqword(Offset))
#define __readgsword(Offset) ((USHORT)__readgsqword(Offset))
#define __readgsbyte(Offset) ((UCHAR)__readgsqword(Offset))

#define __faststorefence() KeMemoryBarrier()
#ifdef _MSC_VER     /* only a module's: our own code may include the compiler's header */
#define _mm_pause() YieldProcessor()
#define _mm_mfence() KeMemoryBarrier()
#define _mm_lfence() KeMemoryBarrier()
#define _mm_sfence() KeMemoryBarrier()
#define _mm_prefetch(Address, Hint) ((void)(Address))
#endif

#define __debugbreak() DbgBreakPoint()
#define __fastfail(Code) RtlFailFast((ULONG)(Code))

#endif /* NMRCHECK_WDK_INTRIN_H */
