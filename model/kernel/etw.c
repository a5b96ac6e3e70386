/*
 * etw.c - event tracing that nobody listens to.
 */
#include "internal.h"

#include <ntddk.h>
#include <evntprov.h>

enum { ETW_TAG = 0x52777445, ETW_BYTES = 16 };  /* 'EtwR' */

static char *registration_of(REGHANDLE handle, const void *pc)
{
    char *registration = (char *)(uintptr_t)handle;
    uint32_t number = NONE;

    if (!pool_is_internal(registration, &number) || pool_blocks[number].tag != ETW_TAG) {
        misuse(MISUSE_POOL_NOT_POOL, number, registration, ETW_TAG, 0, pc);
        return NULL;
    }
    return registration;
}

/*
 * EtwRegister, EtwUnregister (evntprov.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  a driver unregisters before it is unloaded           (EtwRegister, EtwUnregister)
 * Our reading a registration is a block of the module's pool, so that forgetting it is a leak; the callback for
 *             enabling is never called
 */
NTSTATUS EtwRegister(const GUID *ProviderId, PETWENABLECALLBACK EnableCallback, PVOID CallbackContext,
                     PREGHANDLE RegHandle)
{
    const void *pc = CALLER();
    char *registration;

    (void)EnableCallback;
    (void)CallbackContext;
    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(ProviderId, sizeof *ProviderId, false, pc);
    memory_use(RegHandle, sizeof *RegHandle, true, pc);
    registration = pool_internal(ETW_BYTES, ETW_TAG, SITE_ALLOCATE, pc);
    if (!registration)
        return STATUS_NO_MEMORY;
    *RegHandle = (REGHANDLE)(uintptr_t)registration;
    return STATUS_SUCCESS;
}

NTSTATUS EtwUnregister(REGHANDLE RegHandle)
{
    const void *pc = CALLER();
    char *registration;

    irql_require_max(LEVEL_PASSIVE, pc);
    registration = registration_of(RegHandle, pc);
    if (!registration)
        return STATUS_INVALID_HANDLE;
    pool_internal_free(registration, pc);
    return STATUS_SUCCESS;
}

/*
 * EtwEventEnabled, EtwProviderEnabled, EtwWrite (evntprov.h)
 *
 * Caller      module, any IRQL
 * Documented  a handle of 0 is nobody's; nothing is written and that is no error   (EtwWrite)
 */
BOOLEAN EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
    (void)EventDescriptor;
    if (RegHandle)
        registration_of(RegHandle, CALLER());
    return FALSE;
}

BOOLEAN EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
    (void)Level;
    (void)Keyword;
    if (RegHandle)
        registration_of(RegHandle, CALLER());
    return FALSE;
}

NTSTATUS EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, const GUID *ActivityId, ULONG UserDataCount,
                  PEVENT_DATA_DESCRIPTOR UserData)
{
    const void *pc = CALLER();

    (void)ActivityId;
    if (RegHandle && !registration_of(RegHandle, pc))
        return STATUS_INVALID_HANDLE;
    memory_use(EventDescriptor, sizeof *EventDescriptor, false, pc);
    if (UserDataCount)
        memory_use(UserData, UserDataCount * sizeof *UserData, false, pc);
    for (ULONG i = 0; i < UserDataCount; i++)
        memory_use((const void *)(uintptr_t)UserData[i].Ptr, UserData[i].Size, false, pc);
    return STATUS_SUCCESS;
}
