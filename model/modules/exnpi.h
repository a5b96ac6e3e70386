/*++

    Exnpi.h

    The EXNPI network programming interface: the example NPI of the WDK's NMR documentation, with
    its elided members filled in.

    A provider serves requests of its clients and calls their callbacks.  Both tables are required.

--*/

#pragma once

//
// {6B24C6A1-5C3D-4B0E-9A5B-0F6C1E7D2A31}
//
DEFINE_GUID(EXNPI_NPIID,
    0x6b24c6a1, 0x5c3d, 0x4b0e, 0x9a, 0x5b, 0x0f, 0x6c, 0x1e, 0x7d, 0x2a, 0x31);

//
// The same interface once more, for drivers that stand between two others: what such a driver provides to the
// clients above it is EXNPI, what it uses of the provider below it is this.
//
// {6B24C6A1-5C3D-4B0E-9A5B-0F6C1E7D2A32}
//
DEFINE_GUID(EXNPI_LOWER_NPIID,
    0x6b24c6a1, 0x5c3d, 0x4b0e, 0x9a, 0x5b, 0x0f, 0x6c, 0x1e, 0x7d, 0x2a, 0x32);

//
// Client characteristics.  A provider must decline (STATUS_NOINTERFACE) a client whose Version is 0 or
// above EXNPI_VERSION_2, or whose Length is too small for its Version.  Members after Flags
// exist from version 2 on.  A client that omits the structure is a version 1 client without flags.
//
#define EXNPI_VERSION_1 1
#define EXNPI_VERSION_2 2

typedef struct EXNPI_CLIENT_CHARACTERISTICS_ {
    USHORT Version;
    USHORT Length;
    ULONG Flags;
    ULONG MaximumRequests;          // Version 2
    ULONG Reserved;                 // Version 2
} EXNPI_CLIENT_CHARACTERISTICS, *PEXNPI_CLIENT_CHARACTERISTICS;
typedef const EXNPI_CLIENT_CHARACTERISTICS *PCEXNPI_CLIENT_CHARACTERISTICS;

#define EXNPI_CLIENT_CHARACTERISTICS_V1_LENGTH \
    FIELD_OFFSET(EXNPI_CLIENT_CHARACTERISTICS, MaximumRequests)

//
// What else a driver that takes part in EXNPI exports: functions that other parts of the system call, on any thread, at
// PASSIVE_LEVEL, while the driver is loaded.
//
typedef
NTSTATUS
(NTAPI EXNPI_ENTRY)(
    _In_ ULONG Argument
    );

//
// Client callbacks.  Each may be called at <= DISPATCH_LEVEL.
//
// Notify is complete when it returns.  Indicate may return STATUS_PENDING; the client then calls
// the provider's IndicateComplete exactly once, and the Indicate is in progress until that is entered.
// Before the client's attach is over, and while it is being detached, Indicate may answer STATUS_DELETE_PENDING.
// RequestComplete ends a RequestLater that returned STATUS_PENDING.
//
typedef
VOID
(NTAPI EXNPI_NOTIFY)(
    _In_opt_ PVOID ClientBindingContext,
    _In_ ULONG Code
    );
typedef EXNPI_NOTIFY *PEXNPI_NOTIFY;

typedef
NTSTATUS
(NTAPI EXNPI_INDICATE)(
    _In_opt_ PVOID ClientBindingContext,
    _In_ ULONG Code
    );
typedef EXNPI_INDICATE *PEXNPI_INDICATE;

typedef
VOID
(NTAPI EXNPI_REQUEST_COMPLETE)(
    _In_opt_ PVOID ClientBindingContext
    );
typedef EXNPI_REQUEST_COMPLETE *PEXNPI_REQUEST_COMPLETE;

typedef struct EXNPI_CLIENT_DISPATCH_ {
    PEXNPI_NOTIFY Notify;
    PEXNPI_INDICATE Indicate;
    PEXNPI_REQUEST_COMPLETE RequestComplete;
} EXNPI_CLIENT_DISPATCH, *PEXNPI_CLIENT_DISPATCH;
typedef const EXNPI_CLIENT_DISPATCH *PCEXNPI_CLIENT_DISPATCH;

//
// Provider functions.  Each may be called at <= DISPATCH_LEVEL, from several threads at once, as soon as
// NmrClientAttachProvider has accepted the client, until the client has completed its detach.
//
// Request          Does something at once.
// RequestNotify    Calls the client's Notify before it returns.
// RequestIndicate  Calls the client's Indicate before it returns.
// RequestLater     Calls the client's Notify from a system worker thread, unless a detach comes first.  Or returns
//                  STATUS_PENDING: the provider then calls the client's RequestComplete exactly once, and the request
//                  is in progress until that is entered.
// QueryInstance    Returns the Number of the provider's registration instance that the binding is to.
// IndicateComplete Ends an Indicate that returned STATUS_PENDING.
//
// The four requests answer STATUS_SUCCESS or STATUS_INSUFFICIENT_RESOURCES.  A binding that is being
// detached may answer STATUS_DELETE_PENDING instead, and must do so where it would have to call back.
// A provider that never calls its clients answers STATUS_NOT_SUPPORTED to the three that ask for it.
//
typedef
NTSTATUS
(NTAPI EXNPI_REQUEST)(
    _In_ PVOID ProviderBindingContext,
    _In_ ULONG Code
    );
typedef EXNPI_REQUEST *PEXNPI_REQUEST;

typedef
ULONG
(NTAPI EXNPI_QUERY_INSTANCE)(
    _In_ PVOID ProviderBindingContext
    );
typedef EXNPI_QUERY_INSTANCE *PEXNPI_QUERY_INSTANCE;

typedef
VOID
(NTAPI EXNPI_INDICATE_COMPLETE)(
    _In_ PVOID ProviderBindingContext
    );
typedef EXNPI_INDICATE_COMPLETE *PEXNPI_INDICATE_COMPLETE;

typedef struct EXNPI_PROVIDER_DISPATCH_ {
    PEXNPI_REQUEST Request;
    PEXNPI_REQUEST RequestNotify;
    PEXNPI_REQUEST RequestIndicate;
    PEXNPI_REQUEST RequestLater;
    PEXNPI_QUERY_INSTANCE QueryInstance;
    PEXNPI_INDICATE_COMPLETE IndicateComplete;
} EXNPI_PROVIDER_DISPATCH, *PEXNPI_PROVIDER_DISPATCH;
typedef const EXNPI_PROVIDER_DISPATCH *PCEXNPI_PROVIDER_DISPATCH;
