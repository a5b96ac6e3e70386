/*++

    Accesses.c

    Each way in which C code touches memory, once.

--*/

#include "accesses.h"

#include <intrin.h>
#include <stdatomic.h>

//
// Results go here, so that no access is optimised away.
//
LONG64 Sink;
PTARGET Escape;

#define READ(Name, Expression) static void Name(PTARGET T) { Sink = (LONG64)(Expression); }
#define DO(Name, Statement) static void Name(PTARGET T) { Statement; }

READ(Load, T->Plain)
READ(LoadVolatile, T->Volatile)
READ(LoadField, T->Low)
DO(Store, T->Plain = 1)
DO(StoreVolatile, T->Volatile = 1)
DO(Or, T->Plain |= 4)
DO(OrVolatile, T->Volatile |= 4)
DO(Increment, T->Plain++)
DO(SetField, T->Low = 2)

DO(Clear, RtlZeroMemory(T->Bytes, sizeof(T->Bytes)))
READ(Compare, RtlCompareMemory(T->Bytes, T->Bytes + 20, 20))
DO(Copy, TARGET Other; Escape = &Other; RtlCopyMemory(&Other, T, sizeof(Other)); _ReadWriteBarrier())
DO(Assign, static const TARGET Zero; *T = Zero)

READ(AtomicLoad, __atomic_load_n(&T->Quad, __ATOMIC_ACQUIRE))
DO(AtomicStore, __atomic_store_n(&T->Short, 3, __ATOMIC_RELEASE))
READ(AtomicExchange, __atomic_exchange_n(&T->Byte, 3, __ATOMIC_SEQ_CST))
READ(AtomicAdd, __atomic_fetch_add(&T->Quad, 5, __ATOMIC_RELAXED))
READ(AtomicSub, __atomic_sub_fetch(&T->Short, 1, __ATOMIC_SEQ_CST))
READ(AtomicAnd, __atomic_fetch_and(&T->Byte, 7, __ATOMIC_SEQ_CST))
READ(AtomicPointer, __atomic_exchange_n(&T->Pointer, NULL, __ATOMIC_SEQ_CST))
READ(SyncOr, __sync_fetch_and_or(&T->Long, 1))
READ(SyncXor, __sync_xor_and_fetch(&T->Quad, 1))
READ(SyncCompare, __sync_bool_compare_and_swap(&T->Long, 0, 1))
READ(SyncCompareValue, __sync_val_compare_and_swap(&T->Pointer, NULL, T))
DO(CompareWeak, LONG Expected = 0; while (!__atomic_compare_exchange_n(&T->Long, &Expected, Expected + 1, TRUE,
                                                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)))
READ(C11Add, atomic_fetch_add(&T->Atomic, 2))
READ(C11Load, atomic_load_explicit(&T->Atomic, memory_order_acquire))
READ(C11Operator, ++T->Atomic)
DO(C11Assign, T->Atomic = 7)
DO(Fence, atomic_thread_fence(memory_order_seq_cst); atomic_signal_fence(memory_order_seq_cst))
READ(Interlocked, InterlockedIncrement(&T->Long))
READ(Intrinsic, _InterlockedOr(&T->Long, 8))
READ(Acquire, ReadAcquire(&T->Long))

#define SHAPE(Perform, Kind, Atomics) { #Perform, Perform, Kind, Atomics }

const ACCESS_SHAPE Shapes[] = {
    SHAPE(Load, AccessRead, 0),
    SHAPE(LoadVolatile, AccessRead, 1),
    SHAPE(LoadField, AccessRead, 0),
    SHAPE(Store, AccessWrite, 0),
    SHAPE(StoreVolatile, AccessWrite, 1),
    SHAPE(Or, AccessReadWrite, 0),
    SHAPE(OrVolatile, AccessReadWrite, 2),
    SHAPE(Increment, AccessReadWrite, 0),
    SHAPE(SetField, AccessSetField, 0),
    SHAPE(Clear, AccessWrite, 0),
    SHAPE(Compare, AccessRead, 0),
    SHAPE(Copy, AccessRead, 0),
    SHAPE(Assign, AccessWrite, 0),
    SHAPE(AtomicLoad, AccessRead, 1),
    SHAPE(AtomicStore, AccessWrite, 1),
    SHAPE(AtomicExchange, AccessReadWrite, 1),
    SHAPE(AtomicAdd, AccessReadWrite, 1),
    SHAPE(AtomicSub, AccessReadWrite, 1),
    SHAPE(AtomicAnd, AccessReadWrite, 1),
    SHAPE(AtomicPointer, AccessReadWrite, 1),
    SHAPE(SyncOr, AccessReadWrite, 1),
    SHAPE(SyncXor, AccessReadWrite, 1),
    SHAPE(SyncCompare, AccessReadWrite, 1),
    SHAPE(SyncCompareValue, AccessReadWrite, 1),
    SHAPE(CompareWeak, AccessReadWrite, 1),
    SHAPE(C11Add, AccessReadWrite, 1),
    SHAPE(C11Load, AccessRead, 1),
    SHAPE(C11Operator, AccessReadWrite, 1),
    SHAPE(C11Assign, AccessWrite, 1),
    SHAPE(Fence, AccessRead, 0),
    SHAPE(Interlocked, AccessReadWrite, 1),
    SHAPE(Intrinsic, AccessReadWrite, 1),
    SHAPE(Acquire, AccessRead, 1),
};
const ULONG ShapeCount = sizeof(Shapes) / sizeof(Shapes[0]);

//
// Two threads hand something over: how is what orders it.
//
static LONG Message;
static volatile LONG FlagVolatile;
static _Atomic LONG FlagAtomic;

void SendVolatile(void) { Message = 1; FlagVolatile = 1; }
LONG ReceiveVolatile(void) { return FlagVolatile ? Message : 1; }
void SendAtomic(void) { Message = 1; atomic_store(&FlagAtomic, 1); }
LONG ReceiveAtomic(void) { return atomic_load(&FlagAtomic) ? Message : 1; }
static void StoreRelaxed(LONG Value) { atomic_store_explicit(&FlagAtomic, Value, memory_order_relaxed); }
void SendRelaxed(void) { Message = 1; StoreRelaxed(1); }
void SendFenced(void) { Message = 1; atomic_thread_fence(memory_order_release); StoreRelaxed(1); }
LONG CountAtomic(void) { return atomic_fetch_add(&FlagAtomic, 1); }

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_SUCCESS;
}
