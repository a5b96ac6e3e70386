/*++

    Accesses.h

    Each way in which C code touches memory, once.

--*/

#pragma once

#include <ntddk.h>

typedef struct TARGET_ {
    LONG Plain;
    volatile LONG Volatile;
    ULONG Low : 3;
    ULONG High : 29;
    volatile CHAR Byte;
    volatile SHORT Short;
    volatile LONG Long;
    volatile LONG64 Quad;
    PVOID volatile Pointer;
    _Atomic LONG Atomic;
    UCHAR Bytes[40];
} TARGET, *PTARGET;

//
// AccessReadWrite is told as a read first.  AccessSetField is a write to gcc and both to clang.
//
typedef enum ACCESS_KIND_ { AccessRead, AccessWrite, AccessReadWrite, AccessSetField } ACCESS_KIND;

typedef struct ACCESS_SHAPE_ {
    const char *Name;
    void (*Perform)(PTARGET Target);
    ACCESS_KIND Kind;
    ULONG Atomics;                  // How many atomic operations it is
} ACCESS_SHAPE;

extern const ACCESS_SHAPE Shapes[];
extern const ULONG ShapeCount;
