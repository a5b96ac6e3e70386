#pragma once

#include <ntddk.h>

extern ULONG g_Initialised;
extern ULONG g_Zero[16];

ULONG Count(VOID);
