#pragma once

#include <ntddk.h>
#include <netioddk.h>

typedef NTSTATUS (NTAPI MINIMAL_ADD)(PVOID Binding, ULONG Number);

typedef struct _MINIMAL_PROVIDER_DISPATCH {
    MINIMAL_ADD *Add;
} MINIMAL_PROVIDER_DISPATCH;

// {5B8A9F11-1C8E-4C53-9B44-5D4B11B0A001}
static const NPIID MinimalNpiId =
    { 0x5b8a9f11, 0x1c8e, 0x4c53, { 0x9b, 0x44, 0x5d, 0x4b, 0x11, 0xb0, 0xa0, 0x01 } };

NTSTATUS MinimalRegister(VOID);
VOID MinimalDeregister(VOID);
