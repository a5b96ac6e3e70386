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
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset

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
#define __umulh(Left, Right) ((ULONG64)(((unsigned __int128)(Left) * (ULONG64)(Right)) >> 64))

#define __faststorefence() KeMemoryBarrier()
#ifdef _MSC_VER     /* only a module's: our own code may include the compiler's header */
#define _mm_pause() YieldProcessor()
#define _mm_mfence() KeMemoryBarrier()
#define _mm_lfence() KeMemoryBarrier()
#define _mm_sfence() KeMemoryBarrier()
#endif

#define __debugbreak() DbgBreakPoint()
#define __fastfail(Code) RtlFailFast((ULONG)(Code))

#endif /* NMRCHECK_WDK_INTRIN_H */
