/*++

    Unbalanced.c

    A driver whose system thread ends inside a critical region; when there is no thread, its DriverEntry does.

--*/

#include <ntddk.h>

static KSTART_ROUTINE ThreadRoutine;
static DRIVER_UNLOAD DriverUnload;

static VOID NTAPI ThreadRoutine(PVOID StartContext)
{
    UNREFERENCED_PARAMETER(StartContext);
    KeEnterCriticalRegion();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOID Thread;
    HANDLE Handle;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadRoutine, NULL);
    if (!NT_SUCCESS(Status)) {
        KeEnterGuardedRegion();
        return STATUS_SUCCESS;
    }
    ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, NULL);
    ZwClose(Handle);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
    return STATUS_SUCCESS;
}
