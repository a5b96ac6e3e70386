/*++

    Page_literal.c

    The provider of "Attaching a Provider Module to a Client Module", as close to the page as compiles.

    ProviderAttachClient, the binding context, the pool tag and the dispatch table have the page's names,
    layout and mistakes.  Two things the page does not compile with are kept in the nearest form that does:
    the two locals that redeclare parameters stand in an inner block, and ProviderRegistrationInstance, which
    the page does not declare, is this provider's own.  What the page elides is filled in with as little as
    will do.  See page_corrected.c for the same provider with the mistakes mended.

    Binding protocol, as far as the page tells one:

    1. Attach.  A binding context is allocated; the binding handle, the client's context and the client's
       dispatch table are saved in it.
    2. Calls.  The provider's functions call the client through the saved pointers.
    3. Detach.  Not on the page.  Returns STATUS_SUCCESS.
    4. Cleanup.  Not on the page.  Frees the binding context.

--*/

#include <ntddk.h>
#include <netioddk.h>
#include <initguid.h>

#include "exnpi.h"

// Context structure for the provider
// module's binding to a client module
typedef struct PROVIDER_BINDING_CONTEXT_ {
  HANDLE NmrBindingHandle;
  PVOID ClientBindingContext;
  PEXNPI_CLIENT_DISPATCH ClientDispatch;
} PROVIDER_BINDING_CONTEXT, *PPROVIDER_BINDING_CONTEXT;

// Pool tag used for allocating the binding context
#define BINDING_CONTEXT_POOL_TAG 'tpcb'

// Prototypes for the functions in the provider's dispatch table
EXNPI_REQUEST ProviderRequest;
EXNPI_REQUEST ProviderRequestNotify;
EXNPI_REQUEST ProviderRequestIndicate;
EXNPI_REQUEST ProviderRequestLater;
EXNPI_QUERY_INSTANCE ProviderQueryInstance;
EXNPI_INDICATE_COMPLETE ProviderIndicateComplete;

// Structure for the provider's dispatch table
const EXNPI_PROVIDER_DISPATCH Dispatch = {
  ProviderRequest,
  ProviderRequestNotify,
  ProviderRequestIndicate,
  ProviderRequestLater,
  ProviderQueryInstance,
  ProviderIndicateComplete
};

// The provider's own registration instance
static PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance;

// ProviderAttachClient callback function
NTSTATUS
  ProviderAttachClient(
    IN HANDLE NmrBindingHandle,
    IN PVOID ProviderContext,
    IN PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
    IN PVOID ClientBindingContext,
    IN CONST VOID *ClientDispatch,
    OUT PVOID *ProviderBindingContext,
    OUT PVOID *ProviderDispatch
    )
{
  PNPI_MODULEID ClientModuleId;
  PEXNPI_CLIENT_CHARACTERISTICS ClientNpiSpecificCharacteristics;
  PPROVIDER_BINDING_CONTEXT BindingContext;

  // Check parameters
  if ((ProviderBindingContext == NULL) ||
      (ProviderDispatch == NULL))
  {
    // Return error status code
    return STATUS_INVALID_PARAMETER;
  }

  // Get pointers to the client module's identification structure
  // and the client module's NPI-specific characteristics structure
  ClientModuleId = ClientRegistrationInstance->ModuleId;
  ClientNpiSpecificCharacteristics =
    (PEXNPI_CLIENT_CHARACTERISTICS)
      ProviderRegistrationInstance->NpiSpecificCharacteristics;

  //
  // Use the data in the structures pointed to by
  // ClientRegistrationInstance, ClientModuleId,
  // and ClientNpiSpecificCharacteristics to determine
  // whether to attach to the client module.
  //

  // If the provider module determines that it will not attach
  // to the client module
  if ((ClientModuleId->Length == 0) ||
      ((ClientNpiSpecificCharacteristics != NULL) &&
       (ClientNpiSpecificCharacteristics->Version > EXNPI_VERSION_2)))
  {
    // Return status code indicating the modules did not
    // attach to each other
    return STATUS_NOINTERFACE;
  }

  // Allocate memory for the provider module's
  // binding context structure
  BindingContext =
    (PPROVIDER_BINDING_CONTEXT)
      ExAllocatePoolWithTag(
        NonPagedPool,
        sizeof(PROVIDER_BINDING_CONTEXT),
        BINDING_CONTEXT_POOL_TAG
        );

  // Check result of allocation
  if (BindingContext == NULL)
  {
    // Return error status code
    return STATUS_INSUFFICIENT_RESOURCES;
  }

  // Initialize the provider binding context structure

  {
    PVOID ClientBindingContext;
    PEXNPI_CLIENT_DISPATCH ClientDispatch;

    // Save NmrBindingHandle, ClientBindingContext,
    // and ClientDispatch for future reference
    BindingContext->NmrBindingHandle =
      NmrBindingHandle;
    BindingContext->ClientBindingContext =
      ClientBindingContext;
    BindingContext->ClientDispatch =
      ClientDispatch;
  }

  // Return a pointer to the provider binding context structure
  // in the ProviderBindingContext parameter
  *ProviderBindingContext = BindingContext;

  // Return a pointer to the provider dispatch structure
  // in the ProviderDispatch parameter
  *ProviderDispatch = &Dispatch;

  // Return success status
  return STATUS_SUCCESS;
}

// ProviderDetachClient callback function
NTSTATUS
  ProviderDetachClient(
    IN PVOID ProviderBindingContext
    )
{
  // Return success status
  return STATUS_SUCCESS;
}

// ProviderCleanupBindingContext callback function
VOID
  ProviderCleanupBindingContext(
    IN PVOID ProviderBindingContext
    )
{
  // Free the memory for the provider's binding context structure
  ExFreePoolWithTag(
    ProviderBindingContext,
    BINDING_CONTEXT_POOL_TAG
    );
}

// The provider module's NPI functions
NTSTATUS
  ProviderRequest(
    IN PVOID ProviderBindingContext,
    IN ULONG Code
    )
{
  return STATUS_SUCCESS;
}

NTSTATUS
  ProviderRequestNotify(
    IN PVOID ProviderBindingContext,
    IN ULONG Code
    )
{
  PPROVIDER_BINDING_CONTEXT BindingContext =
    (PPROVIDER_BINDING_CONTEXT)ProviderBindingContext;

  BindingContext->ClientDispatch->Notify(
    BindingContext->ClientBindingContext,
    Code
    );
  return STATUS_SUCCESS;
}

NTSTATUS
  ProviderRequestIndicate(
    IN PVOID ProviderBindingContext,
    IN ULONG Code
    )
{
  PPROVIDER_BINDING_CONTEXT BindingContext =
    (PPROVIDER_BINDING_CONTEXT)ProviderBindingContext;

  BindingContext->ClientDispatch->Indicate(
    BindingContext->ClientBindingContext,
    Code
    );
  return STATUS_SUCCESS;
}

NTSTATUS
  ProviderRequestLater(
    IN PVOID ProviderBindingContext,
    IN ULONG Code
    )
{
  return STATUS_NOT_SUPPORTED;
}

ULONG
  ProviderQueryInstance(
    IN PVOID ProviderBindingContext
    )
{
  return 0;
}

VOID
  ProviderIndicateComplete(
    IN PVOID ProviderBindingContext
    )
{
}

// Module identification structure of the provider
const NPI_MODULEID ProviderModuleId = {
  sizeof(NPI_MODULEID),
  MIT_GUID,
  { { 0x0d5a1c30, 0x6e0b, 0x4d0b, { 0x8b, 0x32, 0x6e, 0x51, 0xa6, 0xc0, 0xf1, 0x07 } } }
};

// Provider characteristics structure
const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
  0,
  sizeof(NPI_PROVIDER_CHARACTERISTICS),
  (PNPI_PROVIDER_ATTACH_CLIENT_FN)ProviderAttachClient,
  ProviderDetachClient,
  ProviderCleanupBindingContext,
  {
    0,
    sizeof(NPI_REGISTRATION_INSTANCE),
    &EXNPI_NPIID,
    &ProviderModuleId,
    0,
    NULL
  }
};

// Handle for the registration
HANDLE ProviderHandle;

// Unload function
VOID
  Unload(
    PDRIVER_OBJECT DriverObject
    )
{
  // Deregister, and wait until that is complete
  if (NmrDeregisterProvider(ProviderHandle) == STATUS_PENDING)
  {
    NmrWaitForProviderDeregisterComplete(ProviderHandle);
  }
}

// Initialization function
NTSTATUS
  DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
  DriverObject->DriverUnload = Unload;
  ProviderRegistrationInstance =
    &ProviderCharacteristics.ProviderRegistrationInstance;

  // Register the provider module with the NMR
  return NmrRegisterProvider(
           &ProviderCharacteristics,
           NULL,
           &ProviderHandle
           );
}
