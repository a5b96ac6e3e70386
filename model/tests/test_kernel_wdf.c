/* test_kernel_wdf.c - the driver framework: objects, their contexts and what is left of them (wdf.h). */
#include "test_kernel_lab.h"

#include <wdf.h>

typedef struct _DEVICE_CONTEXT {
    ULONG Opens;
} DEVICE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(DEVICE_CONTEXT, GetDeviceContext)

static DRIVER_OBJECT driver;
static UNICODE_STRING path;
static WDFDRIVER framework;
static unsigned unloads, cleanups;

static VOID NTAPI unload(WDFDRIVER Driver)
{
    LAB_EXPECT(Driver == framework);
    unloads++;
}

/* The context is still there. */
static VOID NTAPI cleanup(WDFOBJECT Object)
{
    LAB_EXPECT(GetDeviceContext(Object)->Opens == 7);
    cleanups++;
}

static NTSTATUS create_driver(void)
{
    WDF_DRIVER_CONFIG config;

    memset(&driver, 0, sizeof driver);
    unloads = cleanups = 0;
    WDF_DRIVER_CONFIG_INIT(&config, NULL);
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    config.EvtDriverUnload = unload;
    return WdfDriverCreate(&driver, &path, WDF_NO_OBJECT_ATTRIBUTES, &config, &framework);
}

static NTSTATUS create_device(WDFDEVICE *device)
{
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(framework, &SDDL_DEVOBJ_SYS_ALL_ADM_ALL);
    WDF_OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;

    if (!init)
        return STATUS_INSUFFICIENT_RESOURCES;
    WdfDeviceInitSetDeviceType(init, FILE_DEVICE_NETWORK);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, DEVICE_CONTEXT);
    attributes.EvtCleanupCallback = cleanup;
    status = WdfDeviceCreate(&init, &attributes, device);
    if (!NT_SUCCESS(status))
        WdfDeviceInitFree(init);
    return status;
}

static void control_device(void)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFDEVICE device;
    WDFQUEUE queue;

    if (!NT_SUCCESS(create_driver()))
        return;
    LAB_EXPECT(WdfGetDriver() == framework && WdfDriverWdmGetDriverObject(framework) == &driver);
    if (NT_SUCCESS(create_device(&device))) {
        LAB_EXPECT(GetDeviceContext(device)->Opens == 0);
        GetDeviceContext(device)->Opens = 7;
        WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
        if (NT_SUCCESS(WdfIoQueueCreate(device, &config, NULL, &queue)))
            LAB_EXPECT(WdfIoQueueGetDevice(queue) == device);
        LAB_EXPECT(WdfDeviceWdmGetDeviceObject(device)->DeviceType == FILE_DEVICE_NETWORK);
        WdfControlFinishInitializing(device);
        LAB_EXPECT(!(WdfDeviceWdmGetDeviceObject(device)->Flags & DO_DEVICE_INITIALIZING));
    }
    driver.DriverUnload(&driver);
    LAB_EXPECT(unloads == 1 && !driver.DeviceObject);
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
}

static void spin_lock(void)
{
    WDFSPINLOCK lock;

    LAB_EXPECT(create_driver() == STATUS_SUCCESS && WdfSpinLockCreate(NULL, &lock) == STATUS_SUCCESS);
    WdfSpinLockAcquire(lock);
    LAB_EXPECT(KeGetCurrentIrql() == DISPATCH_LEVEL);
    WdfSpinLockRelease(lock);
    LAB_EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
    WdfObjectDelete(lock);
    driver.DriverUnload(&driver);
}

static void deleted(void)
{
    WDFDEVICE device;

    LAB_EXPECT(create_driver() == STATUS_SUCCESS && create_device(&device) == STATUS_SUCCESS);
    GetDeviceContext(device)->Opens = 7;
    WdfObjectDelete(device);
    LAB_EXPECT(cleanups == 1);
    WdfObjectDelete(device);
}

static void test_framework(void **state)
{
    (void)state;
    lab_clean(control_device);
    lab_all(control_device, 0, 1);
    lab_clean(spin_lock);
    lab_run(deleted);
    assert_true(lab_count(EV_ACCESS, ACCESS_FREED) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framework),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
