//
// classify.h - what the classification engine exports (another driver).
//
#pragma once

NTSTATUS NTAPI ClsLookupFlow(_In_ unsigned long Tuple, _Out_ unsigned long *FlowId);
