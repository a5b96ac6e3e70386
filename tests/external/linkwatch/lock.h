//
// lock.h - a spin lock that remembers the IRQL, so that it can be passed on.
//
#pragma once

typedef struct LW_LOCK_ {
    KSPIN_LOCK SpinLock;
    KIRQL      OldIrql;             // of the holder
} LW_LOCK, *PLW_LOCK;

static __inline
VOID
LwInitializeLock(
    _Out_ PLW_LOCK Lock
    )
{
    KeInitializeSpinLock(&Lock->SpinLock);
}

_IRQL_raises_(DISPATCH_LEVEL)
static __inline
VOID
LwAcquireLock(
    _Inout_ PLW_LOCK Lock
    )
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Lock->SpinLock, &OldIrql);
    Lock->OldIrql = OldIrql;
}

static __inline
VOID
LwReleaseLock(
    _Inout_ PLW_LOCK Lock
    )
{
    KeReleaseSpinLock(&Lock->SpinLock, Lock->OldIrql);
}
