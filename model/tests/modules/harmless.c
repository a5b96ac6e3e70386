/*++

    Harmless.c

    A provider that does what looks like mistakes, and harms nobody.

    Events are initialised again: DriverEntry has a thread of its own use one before; an attach used one of its
    binding's before, which nobody else has seen.  (One event is all bindings', and the second attach takes it away
    from the first: that is a mistake.)

    Two locks are taken one way in the attach and the other way in the cleanup of a binding, which never meet.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'niag'

typedef struct BINDING_CONTEXT_ {
    KEVENT Event;
    KSPIN_LOCK Lock;
} BINDING_CONTEXT, *PBINDING_CONTEXT;

static const NPI_MODULEID ModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    { { 0x7c1b6e52, 0x0d3f, 0x4a67, { 0x91, 0x5e, 0x20, 0xd4, 0x8b, 0x76, 0x3a, 0xc5 } } },
};

static HANDLE NmrProviderHandle;
static KEVENT Started;
static KEVENT Shared;
static KSPIN_LOCK Lock;

static
VOID
AcquireBoth(
    PKSPIN_LOCK First,
    PKSPIN_LOCK Second
    )
{
    KIRQL OldIrql;

    KeAcquireSpinLock(First, &OldIrql);
    KeAcquireSpinLockAtDpcLevel(Second);
    KeReleaseSpinLockFromDpcLevel(Second);
    KeReleaseSpinLock(First, OldIrql);
}

static
NTSTATUS
NTAPI
Answer(
    PVOID ProviderBindingContext,
    ULONG Code
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    UNREFERENCED_PARAMETER(Code);

    return STATUS_NOT_SUPPORTED;
}

static
ULONG
NTAPI
ProviderQueryInstance(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return 0;
}

static
VOID
NTAPI
ProviderIndicateComplete(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
}

static const EXNPI_PROVIDER_DISPATCH ProviderDispatchTable = {
    Answer, Answer, Answer, Answer, ProviderQueryInstance, ProviderIndicateComplete,
};

static
NTSTATUS
NTAPI
ProviderAttachClient(
    HANDLE NmrBindingHandle,
    PVOID ProviderContext,
    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    PVOID ClientBindingContext,
    const VOID *ClientDispatch,
    PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch
    )
{
    PBINDING_CONTEXT BindingContext;

    UNREFERENCED_PARAMETER(NmrBindingHandle);
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(ClientRegistrationInstance);
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(ClientDispatch);

    BindingContext = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*BindingContext), BINDING_CONTEXT_POOL_TAG);
    if (BindingContext == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&BindingContext->Event, NotificationEvent, FALSE);
    KeSetEvent(&BindingContext->Event, IO_NO_INCREMENT, FALSE);
    KeInitializeEvent(&BindingContext->Event, NotificationEvent, FALSE);

    KeInitializeEvent(&Shared, NotificationEvent, FALSE);
    KeSetEvent(&Shared, IO_NO_INCREMENT, FALSE);

    KeInitializeSpinLock(&BindingContext->Lock);
    AcquireBoth(&BindingContext->Lock, &Lock);

    *ProviderBindingContext = BindingContext;
    *ProviderDispatch = &ProviderDispatchTable;
    return STATUS_SUCCESS;
}

static
NTSTATUS
NTAPI
ProviderDetachClient(
    PVOID ProviderBindingContext
    )
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);

    return STATUS_SUCCESS;
}

static
VOID
NTAPI
ProviderCleanup(
    PVOID ProviderBindingContext
    )
{
    PBINDING_CONTEXT BindingContext = ProviderBindingContext;

    AcquireBoth(&Lock, &BindingContext->Lock);
    ExFreePoolWithTag(BindingContext, BINDING_CONTEXT_POOL_TAG);
}

static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), ProviderAttachClient, ProviderDetachClient, ProviderCleanup,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &EXNPI_NPIID, &ModuleId, 0, NULL },
};

static
VOID
NTAPI
Thread(
    PVOID StartContext
    )
{
    UNREFERENCED_PARAMETER(StartContext);

    KeSetEvent(&Started, IO_NO_INCREMENT, FALSE);
}

static
VOID
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);

    NT_VERIFY(NmrDeregisterProvider(NmrProviderHandle) == STATUS_PENDING);
    NT_VERIFY(NmrWaitForProviderDeregisterComplete(NmrProviderHandle) == STATUS_SUCCESS);
}

DRIVER_INITIALIZE DriverEntry;

_Use_decl_annotations_
NTSTATUS
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    HANDLE Handle;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = DriverUnload;
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Started, NotificationEvent, FALSE);
    Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Thread, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ZwClose(Handle);
    KeWaitForSingleObject(&Started, Executive, KernelMode, FALSE, NULL);
    KeInitializeEvent(&Started, NotificationEvent, FALSE);

    return NmrRegisterProvider(&ProviderCharacteristics, NULL, &NmrProviderHandle);
}
