/*
 * netioddk.h
 *
 * The Network Module Registrar as a provider or client module sees it: what a module registers, the six
 * callback functions it has, and the nine functions it calls.
 *
 * A callback type exists as a function type (..._FN) and as a pointer to it (PNPI_..._FN).  Every pointer
 * to registered data points to const.  The size field is called Length in the characteristics but Size in
 * the registration instance.
 *
 * Source      netioddk.h of the WDK; nmr-contract.md, sections 1.2 to 1.4
 */
#ifndef NMRCHECK_WDK_NETIODDK_H
#define NMRCHECK_WDK_NETIODDK_H

#include "ntdef.h"
#include "ntstatus.h"
#include "guiddef.h"
#include "netiodef.h"

EXTERN_C_START

/* Which NPI, which module, which implementation of it, and what the NPI itself wants to know. */
typedef struct _NPI_REGISTRATION_INSTANCE {
    USHORT Version;
    USHORT Size;
    PNPIID NpiId;
    PNPI_MODULEID ModuleId;
    ULONG Number;
    _Field_size_opt_(_Inexpressible_()) const VOID *NpiSpecificCharacteristics;
} NPI_REGISTRATION_INSTANCE;
typedef const struct _NPI_REGISTRATION_INSTANCE *PNPI_REGISTRATION_INSTANCE;

/* A client module's callback functions.  Attach at PASSIVE_LEVEL, the other two at <= DISPATCH_LEVEL. */
typedef NTSTATUS NTAPI NPI_CLIENT_ATTACH_PROVIDER_FN(
    _In_ HANDLE NmrBindingHandle,
    _In_ PVOID ClientContext,
    _In_ PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance);
typedef NPI_CLIENT_ATTACH_PROVIDER_FN *PNPI_CLIENT_ATTACH_PROVIDER_FN;

typedef NTSTATUS NTAPI NPI_CLIENT_DETACH_PROVIDER_FN(_In_ PVOID ClientBindingContext);
typedef NPI_CLIENT_DETACH_PROVIDER_FN *PNPI_CLIENT_DETACH_PROVIDER_FN;

typedef VOID NTAPI NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN(_In_ PVOID ClientBindingContext);
typedef NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN *PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN;

/* A provider module's callback functions.  Attach at PASSIVE_LEVEL, the other two at <= DISPATCH_LEVEL. */
typedef NTSTATUS NTAPI NPI_PROVIDER_ATTACH_CLIENT_FN(
    _In_ HANDLE NmrBindingHandle,
    _In_ PVOID ProviderContext,
    _In_ PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    _In_ PVOID ClientBindingContext,
    _In_ const VOID *ClientDispatch,
    _Out_ PVOID *ProviderBindingContext,
    _Out_ const VOID **ProviderDispatch);
typedef NPI_PROVIDER_ATTACH_CLIENT_FN *PNPI_PROVIDER_ATTACH_CLIENT_FN;

typedef NTSTATUS NTAPI NPI_PROVIDER_DETACH_CLIENT_FN(_In_ PVOID ProviderBindingContext);
typedef NPI_PROVIDER_DETACH_CLIENT_FN *PNPI_PROVIDER_DETACH_CLIENT_FN;

typedef VOID NTAPI NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN(_In_ PVOID ProviderBindingContext);
typedef NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN *PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN;

/* What a client module registers.  The cleanup callback function may be NULL. */
typedef struct _NPI_CLIENT_CHARACTERISTICS {
    USHORT Version;
    USHORT Length;
    PNPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
    PNPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
    PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;
    NPI_REGISTRATION_INSTANCE ClientRegistrationInstance;
} NPI_CLIENT_CHARACTERISTICS;
typedef const struct _NPI_CLIENT_CHARACTERISTICS *PNPI_CLIENT_CHARACTERISTICS;

/* What a provider module registers.  The cleanup callback function may be NULL. */
typedef struct _NPI_PROVIDER_CHARACTERISTICS {
    USHORT Version;
    USHORT Length;
    PNPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
    PNPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
    PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext;
    NPI_REGISTRATION_INSTANCE ProviderRegistrationInstance;
} NPI_PROVIDER_CHARACTERISTICS;
typedef const struct _NPI_PROVIDER_CHARACTERISTICS *PNPI_PROVIDER_CHARACTERISTICS;

/* A counterpart in two words.  In the header, described nowhere, used by few. */
typedef struct _NPI {
    HANDLE Handle;
    const VOID *Dispatch;
} NPI;

C_ASSERT(sizeof(NPI_REGISTRATION_INSTANCE) == 40);
C_ASSERT(FIELD_OFFSET(NPI_REGISTRATION_INSTANCE, Version) == 0);
C_ASSERT(FIELD_OFFSET(NPI_REGISTRATION_INSTANCE, Size) == 2);
C_ASSERT(FIELD_OFFSET(NPI_REGISTRATION_INSTANCE, NpiId) == 8);
C_ASSERT(FIELD_OFFSET(NPI_REGISTRATION_INSTANCE, ModuleId) == 16);
C_ASSERT(FIELD_OFFSET(NPI_REGISTRATION_INSTANCE, Number) == 24);
C_ASSERT(FIELD_OFFSET(NPI_REGISTRATION_INSTANCE, NpiSpecificCharacteristics) == 32);

C_ASSERT(sizeof(NPI_CLIENT_CHARACTERISTICS) == 72);
C_ASSERT(FIELD_OFFSET(NPI_CLIENT_CHARACTERISTICS, Length) == 2);
C_ASSERT(FIELD_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientAttachProvider) == 8);
C_ASSERT(FIELD_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientDetachProvider) == 16);
C_ASSERT(FIELD_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientCleanupBindingContext) == 24);
C_ASSERT(FIELD_OFFSET(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance) == 32);

C_ASSERT(sizeof(NPI_PROVIDER_CHARACTERISTICS) == 72);
C_ASSERT(FIELD_OFFSET(NPI_PROVIDER_CHARACTERISTICS, Length) == 2);
C_ASSERT(FIELD_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderAttachClient) == 8);
C_ASSERT(FIELD_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderDetachClient) == 16);
C_ASSERT(FIELD_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderCleanupBindingContext) == 24);
C_ASSERT(FIELD_OFFSET(NPI_PROVIDER_CHARACTERISTICS, ProviderRegistrationInstance) == 32);

C_ASSERT(sizeof(NPI) == 16);

/* Registration: PASSIVE_LEVEL.  The registrar keeps all three pointers it is given. */
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI NmrRegisterClient(
    _In_ PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics,
    _In_opt_ __drv_aliasesMem PVOID ClientContext,
    _Out_ PHANDLE NmrClientHandle);

_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI NmrRegisterProvider(
    _In_ PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics,
    _In_opt_ __drv_aliasesMem PVOID ProviderContext,
    _Out_ PHANDLE NmrProviderHandle);

/* Deregistration: <= DISPATCH_LEVEL; STATUS_PENDING means begun. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI NmrDeregisterClient(_In_ HANDLE NmrClientHandle);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI NmrDeregisterProvider(_In_ HANDLE NmrProviderHandle);

/* Wait for its end: < DISPATCH_LEVEL. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS NTAPI NmrWaitForClientDeregisterComplete(_In_ HANDLE NmrClientHandle);

_IRQL_requires_max_(APC_LEVEL)
NTSTATUS NTAPI NmrWaitForProviderDeregisterComplete(_In_ HANDLE NmrProviderHandle);

/* Attach: PASSIVE_LEVEL, from within ClientAttachProvider. */
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI NmrClientAttachProvider(
    _In_ HANDLE NmrBindingHandle,
    _In_ __drv_aliasesMem PVOID ClientBindingContext,
    _In_ const VOID *ClientDispatch,
    _Out_ PVOID *ProviderBindingContext,
    _Out_ const VOID **ProviderDispatch);

/* End of a detach that was left pending: <= DISPATCH_LEVEL. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI NmrClientDetachProviderComplete(_In_ HANDLE NmrBindingHandle);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI NmrProviderDetachClientComplete(_In_ HANDLE NmrBindingHandle);

EXTERN_C_END

#endif /* NMRCHECK_WDK_NETIODDK_H */
