/*
 * registry.c - RtlQueryRegistryValues over keys that hold what the NPI description says.
 *
 * Whether the key exists is a choice; of a value that is not described a driver gets its own default.
 */
#include "internal.h"

#include <string.h>

#include <nmrcheck/npi.h>

static const struct npi_registry_value *values;
static char missed[64];

void registry_set_values(const struct npi_registry_value *list)
{
    values = list;
    *missed = '\0';
}

enum { ENTRIES_MAX = 64, VALUE_MAX = 1024, STRING_TAG = 0x53676552 };    /* 'RegS' */

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

/* Unseen by AddressSanitizer, which would end the process where a rule is muted. */
static void give(void *to, const void *from, size_t size, const void *pc)
{
    memory_use(to, size, true, pc);
    raw_copy(to, from, size);
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
    give(to->Buffer, text, bytes, pc);
    to->Length = (USHORT)(bytes - sizeof *text);
    return STATUS_SUCCESS;
}

/* Up to the size of a ULONG it is stored as it is; more needs a buffer that begins with minus its size. */
static NTSTATUS store_bytes(void *to, ULONG type, const void *data, ULONG length, const void *pc)
{
    LONG room;

    if (length <= sizeof(ULONG)) {
        give(to, data, length, pc);
        return STATUS_SUCCESS;
    }
    memory_use(to, sizeof room, false, pc);
    raw_copy(&room, to, sizeof room);
    if (room < 0 && (ULONG)-room >= length) {
        give(to, data, length, pc);
        return STATUS_SUCCESS;
    }
    if (room >= 0 && (ULONG)room >= length + 2 * sizeof(ULONG)) {
        give(to, (const ULONG[]){length, type}, 2 * sizeof(ULONG), pc);
        give((char *)to + 2 * sizeof(ULONG), data, length, pc);
        return STATUS_SUCCESS;
    }
    return STATUS_BUFFER_TOO_SMALL;
}

static NTSTATUS deliver(const RTL_QUERY_REGISTRY_TABLE *entry, ULONG type, void *data, ULONG length, PVOID context,
                        const void *pc)
{
    if (entry->QueryRoutine)
        return entry->QueryRoutine(entry->Name, type, data, length, context, entry->EntryContext);
    if (is_string(type))
        return store_string(entry->EntryContext, data, length, pc);
    return store_bytes(entry->EntryContext, type, data, length, pc);
}

static NTSTATUS deliver_default(const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context, const void *pc)
{
    ULONG length = entry->DefaultLength;

    if (!length)
        length = (ULONG)(is_string(entry->DefaultType) ? string_bytes(entry->DefaultData) : sizeof(ULONG));
    memory_use(entry->DefaultData, length, false, pc);
    return deliver(entry, entry->DefaultType, entry->DefaultData, length, context, pc);
}

/* The names of values are equal whatever the case of their letters. */
static WCHAR lower(WCHAR c)
{
    return c >= 'A' && c <= 'Z' ? (WCHAR)(c - 'A' + 'a') : c;
}

static bool same_name(PCWSTR one, PCWSTR other)
{
    while (*one && lower(*one) == lower(*other)) {
        one++;
        other++;
    }
    return lower(*one) == lower(*other);
}

static const struct npi_registry_value *find(PCWSTR name)
{
    for (const struct npi_registry_value *v = values; v && v->name && name; v++)
        if (same_name(v->name, name))
            return v;
    return NULL;
}

/* The driver gets a copy of its own, as it may write to what it is given. */
static NTSTATUS deliver_value(const RTL_QUERY_REGISTRY_TABLE *entry, const struct npi_registry_value *v, PVOID context,
                              const void *pc)
{
    _Alignas(8) char data[VALUE_MAX];

    if (v->size > sizeof data)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(data, v->data, v->size);         /* the description's, not the driver's */
    return deliver(entry, v->type, data, v->size, context, pc);
}

static void note_missed(PCWSTR name)
{
    size_t n = 0;

    for (; name && name[n] && n < sizeof missed - 1; n++)
        missed[n] = (char)name[n];
    missed[n] = '\0';
}

const char *registry_missed(void)
{
    return *missed ? missed : NULL;
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
    if (find(entry->Name))
        return deliver_value(entry, find(entry->Name), context, pc);
    if (entry->DefaultType == REG_NONE) {
        if (!NT_SUCCESS(missing))
            note_missed(entry->Name);
        return missing;
    }
    return deliver_default(entry, context, pc);
}

/*
 * RtlQueryRegistryValues (wdm.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  goes through a table that ends with an entry of zeroes; a value that is missing takes the entry's
 *             default when there is one, fails the query when it is required, and is passed over otherwise; a direct
 *             entry has no routine and needs a name                (RtlQueryRegistryValues)
 * Our reading the key is there or not, which is a choice; it has the values of the description and no subkeys
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
