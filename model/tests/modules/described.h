/* described.h - an NPI of another shape than EXNPI: tables with a header, buffers, results through pointers. */
#pragma once

#include <ntddk.h>
#include <netioddk.h>

#define STORE_VERSION 7
#define STORE_KIND 5
#define STORE_NUMBER 9

typedef struct STORE_HEADER_ {
    USHORT Version;
    USHORT Size;
} STORE_HEADER;

typedef struct STORE_CHARACTERISTICS_ {
    STORE_HEADER Header;
    ULONG Kind;
    const CHAR *Name;
} STORE_CHARACTERISTICS;

typedef NTSTATUS (NTAPI STORE_INDICATE)(PVOID Buffer, SIZE_T Length, PVOID ClientContext, ULONG *Answer);
typedef VOID (NTAPI STORE_NOTE)(PVOID ClientContext);
typedef NTSTATUS (NTAPI STORE_SEND)(PVOID ProviderContext, UCHAR *Buffer, SIZE_T Length);
typedef NTSTATUS (NTAPI STORE_FLUSH)(UCHAR *Buffer, PVOID ProviderContext);

typedef struct STORE_CLIENT_DISPATCH_ {
    STORE_HEADER Header;
    STORE_INDICATE *Indicate;
    STORE_NOTE *Note;
} STORE_CLIENT_DISPATCH;

typedef struct STORE_PROVIDER_DISPATCH_ {
    STORE_HEADER Header;
    STORE_SEND *Send;
    STORE_FLUSH *Flush;
} STORE_PROVIDER_DISPATCH;

extern const NPIID STORE_NPIID;
extern const NPI_MODULEID StoreModuleId;    /* of either side: who does not know it is declined */

NTSTATUS StoreInitialize(PDRIVER_OBJECT Driver, PUNICODE_STRING Path);
VOID StoreUninitialize(VOID);
NTSTATUS StoreOpen(VOID);
VOID StoreClose(VOID);
ULONG StoreOpened(VOID);

/* Of other parts of the driver. */
BOOLEAN OtherReady(VOID);
PVOID OtherAllocate(SIZE_T Size);
VOID OtherNote(PVOID What);
