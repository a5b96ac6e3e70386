/* idle.c - a driver that comes to nothing: HOW 0 fails to load; 1 registers nothing; 2 declines each attach. */
#include <ntddk.h>
#include <netioddk.h>

static HANDLE handle;
static const NPIID id = {0x1d1e, 1, 2, {3}};
static const NPI_MODULEID module_id = {sizeof(NPI_MODULEID), MIT_GUID, {{1, 2, 3, {4}}}};

static NTSTATUS NTAPI attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    (void)binding;
    (void)context;
    (void)provider;
    return STATUS_NOINTERFACE;
}

static NTSTATUS NTAPI detach(PVOID binding)
{
    (void)binding;
    return STATUS_SUCCESS;
}

static const NPI_CLIENT_CHARACTERISTICS characteristics = {
    0, sizeof(characteristics), attach, detach, NULL,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &id, &module_id, 0, NULL}};

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    (void)driver;
    if (handle && NmrDeregisterClient(handle) == STATUS_PENDING)
        NmrWaitForClientDeregisterComplete(handle);
}

static NTSTATUS NTAPI value(PWSTR name, ULONG type, PVOID data, ULONG length, PVOID context, PVOID entry)
{
    (void)name;
    (void)type;
    (void)data;
    (void)length;
    (void)context;
    (void)entry;
    return STATUS_SUCCESS;
}

static NTSTATUS read_value(PUNICODE_STRING path)
{
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.QueryRoutine = value, .Flags = RTL_QUERY_REGISTRY_REQUIRED, .Name = (PWSTR)L"Wanted"}, {.Flags = 0}};

    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, path->Buffer, table, NULL, NULL);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    driver->DriverUnload = unload;
    if (HOW == 0)
        return read_value(path);
    return HOW == 1 ? STATUS_SUCCESS : NmrRegisterClient(&characteristics, NULL, &handle);
}
