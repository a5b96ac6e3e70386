/*++

    Everyday.c

    What drivers have beside NMR: a device with a name and a dispatch routine, a registry key, strings of the C library.
    Nothing of the first two is modelled: everyday_npi.c has stubs for them.

--*/

#include <ntddk.h>
#include <string.h>
#include <wchar.h>
#include <ctype.h>

#define IOCTL_EVERYDAY_ADD CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;
_Dispatch_type_(IRP_MJ_DEVICE_CONTROL) static DRIVER_DISPATCH DeviceControl;

static PDEVICE_OBJECT Device;
static UNICODE_STRING LinkName = RTL_CONSTANT_STRING(L"\\DosDevices\\Everyday");

static
NTSTATUS
NTAPI
DeviceControl(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp
    )
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Stack->Parameters.DeviceIoControl.IoControlCode == IOCTL_EVERYDAY_ADD &&
        Stack->Parameters.DeviceIoControl.InputBufferLength == sizeof(ULONG)) {
        *(PULONG)Irp->AssociatedIrp.SystemBuffer += 1;
        Irp->IoStatus.Information = sizeof(ULONG);
        Status = STATUS_SUCCESS;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static
VOID
CheckStrings(
    VOID
    )
{
    char Text[16];
    WCHAR Wide[16];

    strcpy(Text, "Every");
    strcat(Text, "day");
    NT_ASSERT(strlen(Text) == 8 && strnlen(Text, 3) == 3);
    NT_ASSERT(strcmp(Text, "Everyday") == 0 && strcmp(Text, "Everyone") < 0 && strcmp(Text, "Every") > 0);
    NT_ASSERT(strncmp(Text, "Everyone", 5) == 0 && _stricmp(Text, "EVERYDAY") == 0 && _strnicmp("aB", "Abc", 2) == 0);
    NT_ASSERT(strchr(Text, 'y') == Text + 4 && strrchr(Text, 'y') == Text + 7 && strchr(Text, 'z') == NULL);
    NT_ASSERT(strstr(Text, "day") == Text + 5 && strstr(Text, "days") == NULL && strchr(Text, 0) == Text + 8);
    strncpy(Text, "ab", 5);
    NT_ASSERT(RtlEqualMemory(Text, "ab\0\0\0day", 9));

    wcscpy(Wide, L"Every");
    wcscat(Wide, L"day");
    NT_ASSERT(wcslen(Wide) == 8 && wcsnlen(Wide, 3) == 3 && wcscmp(Wide, L"Everyday") == 0);
    NT_ASSERT(wcsncmp(Wide, L"Everyone", 5) == 0 && _wcsicmp(Wide, L"EVERYDAY") == 0);
    NT_ASSERT(wcschr(Wide, L'y') == Wide + 4 && wcsrchr(Wide, L'y') == Wide + 7 && wcsstr(Wide, L"day") == Wide + 5);
    NT_ASSERT(_wcsnicmp(Wide, L"eVERYONE", 5) == 0 && wcsncpy(Wide, L"x", 2)[1] == 0 && Wide[2] == L'e');

    NT_ASSERT(toupper('a') == 'A' && tolower('A') == 'a' && isdigit('7') && !isdigit('a') && isxdigit('F'));
    NT_ASSERT(isspace('\t') && isalpha('q') && isalnum('0') && isupper('Q') && islower('q') && !isprint('\n'));
}

static
VOID
NTAPI
DriverUnload(
    PDRIVER_OBJECT DriverObject
    )
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteSymbolicLink(&LinkName);
    IoDeleteDevice(Device);
}

NTSTATUS
NTAPI
DriverEntry(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath
    )
{
    UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\Everyday");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    NTSTATUS Status;

    CheckStrings();
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (NT_SUCCESS(Status)) {
        return STATUS_UNSUCCESSFUL;
    }
    Status = IoCreateDevice(DriverObject, 0, &DeviceName, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    DriverObject->DriverUnload = DriverUnload;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DeviceControl;
    return STATUS_SUCCESS;
}
