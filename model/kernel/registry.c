/*
 * registry.c - RtlQueryRegistryValues over keys that hold no values.
 *
 * Whether the key exists is a choice; a value never does, so that what a driver gets is its own default.
 */
#include "internal.h"

#include <string.h>

#include <ntddk.h>

enum { ENTRIES_MAX = 64, STRING_TAG = 0x53676552 };    /* 'RegS' */

/* ---- RTL_QUERY_REGISTRY_DIRECT: EntryContext is where the value goes */

static bool is_string(ULONG type)
{
    return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

static size_t string_bytes(PCWSTR text)
{
    size_t n = 0;

    while (text[n] && n < UNICODE_STRING_MAX_CHARS - 1)
        n++;
    return (n + 1) * sizeof *text;
}

/* A UNICODE_STRING; its buffer is allocated when it has none, which the driver is to free. */
static NTSTATUS store_string(PUNICODE_STRING to, PCWSTR text, size_t bytes, const void *pc)
{
    memory_use(to, sizeof *to, true, pc);
    if (!to->Buffer) {
        to->Buffer = (PWCH)(void *)pool_allocate(bytes, STRING_TAG, ALLOC_PAGED | ALLOC_ZEROED, pc);
        to->MaximumLength = (USHORT)bytes;
        if (!to->Buffer)
            return STATUS_NO_MEMORY;
    }
    if (bytes > to->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    memory_use(to->Buffer, bytes, true, pc);
    memcpy(to->Buffer, text, bytes);
    to->Length = (USHORT)(bytes - sizeof *text);
    return STATUS_SUCCESS;
}

/* Up to the size of a ULONG it is stored as it is; more needs a buffer that begins with minus its size. */
static NTSTATUS store_bytes(void *to, ULONG type, const void *data, ULONG length, const void *pc)
{
    LONG room;

    if (length <= sizeof(ULONG)) {
        memory_use(to, length, true, pc);
        memcpy(to, data, length);
        return STATUS_SUCCESS;
    }
    memory_use(to, sizeof room, false, pc);
    memcpy(&room, to, sizeof room);
    if (room < 0 && (ULONG)-room >= length) {
        memory_use(to, length, true, pc);
        memcpy(to, data, length);
        return STATUS_SUCCESS;
    }
    if (room >= 0 && (ULONG)room >= length + 2 * sizeof(ULONG)) {
        memory_use(to, length + 2 * sizeof(ULONG), true, pc);
        memcpy(to, &length, sizeof length);
        memcpy((char *)to + sizeof length, &type, sizeof type);
        memcpy((char *)to + 2 * sizeof length, data, length);
        return STATUS_SUCCESS;
    }
    return STATUS_BUFFER_TOO_SMALL;
}

static NTSTATUS deliver(const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context, const void *pc)
{
    ULONG length = entry->DefaultLength;

    if (!length)
        length = (ULONG)(is_string(entry->DefaultType) ? string_bytes(entry->DefaultData) : sizeof(ULONG));
    memory_use(entry->DefaultData, length, false, pc);
    if (entry->QueryRoutine)
        return entry->QueryRoutine(entry->Name, entry->DefaultType, entry->DefaultData, length, context,
                                   entry->EntryContext);
    if (is_string(entry->DefaultType))
        return store_string(entry->EntryContext, entry->DefaultData, length, pc);
    return store_bytes(entry->EntryContext, entry->DefaultType, entry->DefaultData, length, pc);
}

static NTSTATUS query(const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context, const void *pc)
{
    bool direct = (entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0;
    NTSTATUS missing = entry->Flags & RTL_QUERY_REGISTRY_REQUIRED ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;

    if (direct && (entry->QueryRoutine || !entry->Name || entry->Flags & RTL_QUERY_REGISTRY_SUBKEY))
        return STATUS_INVALID_PARAMETER;
    if (entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_TOPKEY))
        return missing;
    if (entry->Flags & RTL_QUERY_REGISTRY_NOVALUE)
        return entry->QueryRoutine(NULL, REG_NONE, NULL, 0, context, entry->EntryContext);
    if (entry->DefaultType == REG_NONE)
        return missing;
    return deliver(entry, context, pc);
}

/*
 * RtlQueryRegistryValues (wdm.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  goes through a table that ends with an entry of zeroes; a value that is missing takes the entry's
 *             default when there is one, fails the query when it is required, and is passed over otherwise; a direct
 *             entry has no routine and needs a name                (RtlQueryRegistryValues)
 * Our reading the key is there or not, which is a choice; it has no values and no subkeys
 */
NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable, PVOID Context,
                                PVOID Environment)
{
    const void *pc = CALLER();
    NTSTATUS status = STATUS_SUCCESS;

    (void)Path;
    (void)Environment;
    irql_require_max(LEVEL_PASSIVE, pc);
    if (choice_ask(CHOICE_FAULT, sched_self(), SITE_RTL_QUERY_REGISTRY, 2))
        return RelativeTo & RTL_REGISTRY_OPTIONAL ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
    for (unsigned i = 0; i < ENTRIES_MAX && NT_SUCCESS(status); i++) {
        memory_use(&QueryTable[i], sizeof *QueryTable, false, pc);
        if (!QueryTable[i].QueryRoutine && !QueryTable[i].Name)
            return STATUS_SUCCESS;
        status = query(&QueryTable[i], Context, pc);
    }
    return status;
}
