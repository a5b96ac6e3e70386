/*
 * wdf.c - the driver framework, as far as a driver without hardware meets it: wdf.h.
 *
 * An object is a block of the module's pool, with its context behind it.  The framework deletes what is left of them
 * after EvtDriverUnload, so that a driver which does not is no leak; a use after that is one of freed memory.
 */
#include "internal.h"

#include <string.h>

#include <ntddk.h>
#include <wdf.h>

enum { OBJECTS_MAX = 64, OBJECT_TAG = 0x4F666457, LINK_TAG = 0x4C666457 };     /* 'WdfO', 'WdfL' */

enum wdf_kind { WDF_ANY, WDF_DRIVER, WDF_DEVICE, WDF_QUEUE, WDF_LOCK };

struct object {
    char *block;                            /* its address is the handle */
    enum wdf_kind kind;
    const struct object *parent;
    WDF_OBJECT_ATTRIBUTES attributes;
    struct { PCWDF_OBJECT_CONTEXT_TYPE_INFO type; char *at; } more;     /* WdfObjectAllocateContext */
    PDEVICE_OBJECT device;
    KSPIN_LOCK *lock;
    KIRQL old_irql;
};

/* What WdfControlDeviceInitAllocate hands out: the device does not exist yet. */
struct WDFDEVICE_INIT {
    DEVICE_TYPE type;
    ULONG characteristics;
    BOOLEAN exclusive;
};

static struct object objects[OBJECTS_MAX];
static unsigned count;
static PDRIVER_OBJECT driver_object;
static PFN_WDF_DRIVER_UNLOAD driver_unload;

void wdf_reset(void)
{
    memset(objects, 0, count * sizeof objects[0]);
    count = 0;
    driver_object = NULL;
    driver_unload = NULL;
}

/* ---- objects */

static struct object *find(const void *handle)
{
    for (unsigned i = 0; i < count; i++)
        if (objects[i].block && objects[i].block == handle)
            return &objects[i];
    return NULL;
}

/* The object of a handle; NULL after an event when there is none. */
static struct object *object_of(const void *handle, enum wdf_kind kind, const void *pc)
{
    struct object *o = find(handle);

    if (o && (kind == WDF_ANY || o->kind == kind))
        return o;
    memory_use(handle, 1, false, pc);       /* of freed memory that is the finding */
    misuse(MISUSE_POOL_NOT_POOL, NONE, handle, OBJECT_TAG, 0, pc);
    return NULL;
}

static size_t context_size(const WDF_OBJECT_ATTRIBUTES *attributes)
{
    if (!attributes || !attributes->ContextTypeInfo)
        return 0;
    return attributes->ContextSizeOverride ? attributes->ContextSizeOverride
                                           : attributes->ContextTypeInfo->ContextSize;
}

/* A new object, with its context zeroed; NULL when there is no memory. */
static struct object *create(enum wdf_kind kind, const struct object *parent, const WDF_OBJECT_ATTRIBUTES *attributes,
                             const void *pc)
{
    struct object *o = &objects[count];

    if (attributes)
        memory_use(attributes, sizeof *attributes, false, pc);
    if (count == OBJECTS_MAX)
        sched_stop(VERDICT_MEMORY);
    memset(o, 0, sizeof *o);
    o->block = pool_internal(POOL_GRANULE + context_size(attributes), OBJECT_TAG, SITE_ALLOCATE, pc);
    if (!o->block)
        return NULL;
    count++;
    o->kind = kind;
    o->parent = parent;
    if (attributes) {
        o->attributes = *attributes;
        if (attributes->ParentObject)
            o->parent = object_of(attributes->ParentObject, WDF_ANY, pc);
    }
    return o;
}

/* Callbacks see a handle that still works. */
static void delete_one(struct object *o, const void *pc)
{
    char *handle = o->block;

    if (o->attributes.EvtCleanupCallback)
        o->attributes.EvtCleanupCallback(handle);
    if (o->attributes.EvtDestroyCallback)
        o->attributes.EvtDestroyCallback(handle);
    if (o->device)
        IoDeleteDevice(o->device);
    if (o->lock)
        pool_internal_free((void *)o->lock, pc);
    if (o->more.at)
        pool_internal_free(o->more.at, pc);
    o->block = NULL;
    pool_internal_free(handle, pc);
}

static bool is_below(const struct object *o, const struct object *ancestor)
{
    for (unsigned i = 0; o && o != ancestor && i < OBJECTS_MAX; i++)
        o = o->parent;
    return o == ancestor;
}

/* The object and what is below it, the youngest first; parents are older than their children. */
static void delete(const struct object *o, const void *pc)
{
    for (unsigned i = count; i-- > 0;)
        if (objects[i].block && is_below(&objects[i], o))
            delete_one(&objects[i], pc);
}

/*
 * WdfObjectCreate, WdfObjectDelete, WdfObjectAllocateContext, WdfObjectGetTypedContext (wdfobject.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  deleting an object deletes its children, after their cleanup callbacks; contexts are zeroed
 *                                                                                           (WdfObjectDelete)
 * Our reading references are not counted: an object goes when it is deleted
 */
NTSTATUS WdfObjectCreate(PWDF_OBJECT_ATTRIBUTES Attributes, WDFOBJECT *Object)
{
    const void *pc = CALLER();
    struct object *o;

    irql_require_max(LEVEL_DISPATCH, pc);
    memory_use(Object, sizeof *Object, true, pc);
    o = create(WDF_ANY, count ? &objects[0] : NULL, Attributes, pc);
    if (!o)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Object = o->block;
    return STATUS_SUCCESS;
}

VOID WdfObjectDelete(WDFOBJECT Object)
{
    const void *pc = CALLER();
    struct object *o = object_of(Object, WDF_ANY, pc);

    irql_require_max(LEVEL_DISPATCH, pc);
    if (o)
        delete(o, pc);
}

NTSTATUS WdfObjectAllocateContext(WDFOBJECT Handle, PWDF_OBJECT_ATTRIBUTES ContextAttributes, PVOID *Context)
{
    const void *pc = CALLER();
    struct object *o = object_of(Handle, WDF_ANY, pc);

    memory_use(ContextAttributes, sizeof *ContextAttributes, false, pc);
    if (!o)
        return STATUS_INVALID_HANDLE;
    if (o->more.at)
        return STATUS_OBJECT_NAME_EXISTS;
    o->more.at = pool_internal(context_size(ContextAttributes) + 1, OBJECT_TAG, SITE_ALLOCATE, pc);
    if (!o->more.at)
        return STATUS_INSUFFICIENT_RESOURCES;
    o->more.type = ContextAttributes->ContextTypeInfo;
    if (Context)
        *Context = o->more.at;
    return STATUS_SUCCESS;
}

PVOID WdfObjectGetTypedContextWorker(WDFOBJECT Handle, PCWDF_OBJECT_CONTEXT_TYPE_INFO TypeInfo)
{
    struct object *o = object_of(Handle, WDF_ANY, CALLER());

    if (o && o->attributes.ContextTypeInfo == TypeInfo)
        return o->block + POOL_GRANULE;
    return o && o->more.type == TypeInfo ? o->more.at : NULL;
}

/* ---- the driver */

static void delete_all(const void *pc)
{
    if (count && objects[0].block)
        delete(&objects[0], pc);
    for (unsigned i = 0; i < count; i++)
        if (objects[i].block)
            delete(&objects[i], pc);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    (void)driver;
    driver_unload((WDFDRIVER)(void *)objects[0].block);
    delete_all(NULL);
}

/* A driver whose DriverEntry failed: the framework lets go of what it had. */
void wdf_entry_failed(void)
{
    delete_all(NULL);
}

/*
 * WdfDriverCreate (wdfdriver.h)
 *
 * Caller      module, in DriverEntry
 * Documented  the driver is unloaded through EvtDriverUnload, and not without one when it has no devices of Plug and
 *             Play; after it the framework deletes the driver object                       (EVT_WDF_DRIVER_UNLOAD)
 */
NTSTATUS WdfDriverCreate(PDRIVER_OBJECT DriverObject, PCUNICODE_STRING RegistryPath,
                         PWDF_OBJECT_ATTRIBUTES DriverAttributes, PWDF_DRIVER_CONFIG DriverConfig, WDFDRIVER *Driver)
{
    const void *pc = CALLER();
    struct object *o;

    (void)RegistryPath;
    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(DriverConfig, sizeof *DriverConfig, false, pc);
    if (driver_object)
        return STATUS_DRIVER_INTERNAL_ERROR;
    o = create(WDF_DRIVER, NULL, DriverAttributes, pc);
    if (!o)
        return STATUS_INSUFFICIENT_RESOURCES;
    driver_object = DriverObject;
    driver_unload = DriverConfig->EvtDriverUnload;
    if (driver_unload)
        DriverObject->DriverUnload = unload;
    if (Driver) {
        memory_use(Driver, sizeof *Driver, true, pc);
        *Driver = (WDFDRIVER)(void *)o->block;
    }
    return STATUS_SUCCESS;
}

WDFDRIVER WdfGetDriver(VOID)
{
    return (WDFDRIVER)(void *)(count ? objects[0].block : NULL);
}

PDRIVER_OBJECT WdfDriverWdmGetDriverObject(WDFDRIVER Driver)
{
    return object_of(Driver, WDF_DRIVER, CALLER()) ? driver_object : NULL;
}

/* ---- a control device */

/*
 * WdfControlDeviceInitAllocate, WdfDeviceCreate and what comes between (wdfcontrol.h, wdfdevice.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  WdfDeviceCreate takes the structure over when it succeeds; else WdfDeviceInitFree is the driver's task
 *                                                                                           (WdfDeviceCreate)
 * Our reading names and descriptors are not looked at; nobody opens the device
 */
PWDFDEVICE_INIT WdfControlDeviceInitAllocate(WDFDRIVER Driver, const UNICODE_STRING *SDDLString)
{
    const void *pc = CALLER();
    PWDFDEVICE_INIT init;

    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(SDDLString, sizeof *SDDLString, false, pc);
    if (!object_of(Driver, WDF_DRIVER, pc))
        return NULL;
    init = (PWDFDEVICE_INIT)(void *)pool_internal(sizeof *init, LINK_TAG, SITE_ALLOCATE, pc);
    if (init)
        init->type = FILE_DEVICE_UNKNOWN;
    return init;
}

VOID WdfDeviceInitFree(PWDFDEVICE_INIT DeviceInit)
{
    const void *pc = CALLER();

    memory_use(DeviceInit, sizeof *DeviceInit, true, pc);
    pool_internal_free(DeviceInit, pc);
}

VOID WdfDeviceInitSetDeviceType(PWDFDEVICE_INIT DeviceInit, DEVICE_TYPE DeviceType)
{
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    DeviceInit->type = DeviceType;
}

VOID WdfDeviceInitSetCharacteristics(PWDFDEVICE_INIT DeviceInit, ULONG DeviceCharacteristics, BOOLEAN OrInValues)
{
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    DeviceInit->characteristics = DeviceCharacteristics | (OrInValues ? DeviceInit->characteristics : 0);
}

VOID WdfDeviceInitSetExclusive(PWDFDEVICE_INIT DeviceInit, BOOLEAN IsExclusive)
{
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    DeviceInit->exclusive = IsExclusive;
}

VOID WdfDeviceInitSetIoType(PWDFDEVICE_INIT DeviceInit, WDF_DEVICE_IO_TYPE IoType)
{
    (void)IoType;
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
}

VOID WdfDeviceInitSetIoInCallerContextCallback(PWDFDEVICE_INIT DeviceInit,
                                               PFN_WDF_IO_IN_CALLER_CONTEXT EvtIoInCallerContext)
{
    (void)EvtIoInCallerContext;
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
}

VOID WdfDeviceInitSetFileObjectConfig(PWDFDEVICE_INIT DeviceInit, PWDF_FILEOBJECT_CONFIG FileObjectConfig,
                                      PWDF_OBJECT_ATTRIBUTES FileObjectAttributes)
{
    (void)FileObjectAttributes;
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    memory_use(FileObjectConfig, sizeof *FileObjectConfig, false, CALLER());
}

VOID WdfDeviceInitSetRequestAttributes(PWDFDEVICE_INIT DeviceInit, PWDF_OBJECT_ATTRIBUTES RequestAttributes)
{
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    memory_use(RequestAttributes, sizeof *RequestAttributes, false, CALLER());
}

NTSTATUS WdfDeviceInitAssignName(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING DeviceName)
{
    (void)DeviceName;
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    return STATUS_SUCCESS;
}

NTSTATUS WdfDeviceInitAssignSDDLString(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING SDDLString)
{
    (void)SDDLString;
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    return STATUS_SUCCESS;
}

NTSTATUS WdfDeviceInitAssignWdmIrpPreprocessCallback(PWDFDEVICE_INIT DeviceInit,
                                                     PFN_WDFDEVICE_WDM_IRP_PREPROCESS EvtDeviceWdmIrpPreprocess,
                                                     UCHAR MajorFunction, PUCHAR MinorFunctions,
                                                     ULONG NumMinorFunctions)
{
    (void)EvtDeviceWdmIrpPreprocess;
    (void)MajorFunction;
    (void)MinorFunctions;
    (void)NumMinorFunctions;
    memory_use(DeviceInit, sizeof *DeviceInit, true, CALLER());
    return STATUS_SUCCESS;
}

NTSTATUS WdfDeviceCreate(PWDFDEVICE_INIT *DeviceInit, PWDF_OBJECT_ATTRIBUTES DeviceAttributes, WDFDEVICE *Device)
{
    const void *pc = CALLER();
    struct object *o;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(DeviceInit, sizeof *DeviceInit, true, pc);
    memory_use(*DeviceInit, sizeof **DeviceInit, true, pc);
    memory_use(Device, sizeof *Device, true, pc);
    status = IoCreateDevice(driver_object, 0, NULL, (*DeviceInit)->type, (*DeviceInit)->characteristics,
                            (*DeviceInit)->exclusive, &device);
    if (!NT_SUCCESS(status))
        return status;
    o = create(WDF_DEVICE, &objects[0], DeviceAttributes, pc);
    if (!o) {
        IoDeleteDevice(device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    o->device = device;
    pool_internal_free(*DeviceInit, pc);
    *DeviceInit = NULL;
    *Device = (WDFDEVICE)(void *)o->block;
    return STATUS_SUCCESS;
}

NTSTATUS WdfDeviceCreateSymbolicLink(WDFDEVICE Device, PCUNICODE_STRING SymbolicLinkName)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(SymbolicLinkName, sizeof *SymbolicLinkName, false, pc);
    return object_of(Device, WDF_DEVICE, pc) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

VOID WdfControlFinishInitializing(WDFDEVICE Device)
{
    struct object *o = object_of(Device, WDF_DEVICE, CALLER());

    if (o)
        o->device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
}

PDEVICE_OBJECT WdfDeviceWdmGetDeviceObject(WDFDEVICE Device)
{
    const struct object *o = object_of(Device, WDF_DEVICE, CALLER());

    return o ? o->device : NULL;
}

WDFDRIVER WdfDeviceGetDriver(WDFDEVICE Device)
{
    return object_of(Device, WDF_DEVICE, CALLER()) ? WdfGetDriver() : NULL;
}

NTSTATUS WdfIoQueueCreate(WDFDEVICE Device, PWDF_IO_QUEUE_CONFIG Config, PWDF_OBJECT_ATTRIBUTES QueueAttributes,
                          WDFQUEUE *Queue)
{
    const void *pc = CALLER();
    const struct object *device = object_of(Device, WDF_DEVICE, pc);
    struct object *o;

    memory_use(Config, sizeof *Config, false, pc);
    o = create(WDF_QUEUE, device, QueueAttributes, pc);
    if (!o)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Queue)
        *Queue = (WDFQUEUE)(void *)o->block;
    return STATUS_SUCCESS;
}

WDFDEVICE WdfIoQueueGetDevice(WDFQUEUE Queue)
{
    const struct object *o = object_of(Queue, WDF_QUEUE, CALLER());

    return (WDFDEVICE)(void *)(o && o->parent ? o->parent->block : NULL);
}

/*
 * WdfSpinLockCreate, WdfSpinLockAcquire, WdfSpinLockRelease (wdfsync.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  raises to DISPATCH_LEVEL until the release; not recursive               (WdfSpinLockAcquire)
 */
NTSTATUS WdfSpinLockCreate(PWDF_OBJECT_ATTRIBUTES SpinLockAttributes, WDFSPINLOCK *SpinLock)
{
    const void *pc = CALLER();
    struct object *o = create(WDF_LOCK, count ? &objects[0] : NULL, SpinLockAttributes, pc);

    memory_use(SpinLock, sizeof *SpinLock, true, pc);
    if (!o)
        return STATUS_INSUFFICIENT_RESOURCES;
    o->lock = (KSPIN_LOCK *)(void *)pool_internal(sizeof *o->lock, LINK_TAG, SITE_ALLOCATE, pc);
    if (!o->lock) {
        delete(o, pc);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *SpinLock = (WDFSPINLOCK)(void *)o->block;
    return STATUS_SUCCESS;
}

VOID WdfSpinLockAcquire(WDFSPINLOCK SpinLock)
{
    const void *pc = CALLER();
    struct object *o = object_of(SpinLock, WDF_LOCK, pc);
    KIRQL old;

    if (!o)
        return;
    old = spinlock_acquire(o->lock, pc);
    o->old_irql = old;
}

VOID WdfSpinLockRelease(WDFSPINLOCK SpinLock)
{
    const void *pc = CALLER();
    const struct object *o = object_of(SpinLock, WDF_LOCK, pc);

    if (o)
        spinlock_release(o->lock, o->old_irql, pc);
}
