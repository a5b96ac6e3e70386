/*
 * image.c - the module under test in memory: its globals, DriverEntry and DriverUnload.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "internal.h"

#include <ntddk.h>

enum { IMAGES_MAX = 512 };

/* The linker's names: everything from the start of the program to its first writable byte is constant. */
extern const char __executable_start[] __attribute__((weak));
extern const char __data_start[] __attribute__((weak));

const char *image_data_begin, *image_data_end;
size_t image_watched;

static struct { const struct image *image; char *pristine; } saved[IMAGES_MAX];
static unsigned saved_count;
static const struct image *current;
static bool loaded, gone;

static DRIVER_OBJECT driver;
static UNICODE_STRING registry_path;
static WCHAR registry_text[] = {'\\', 'R', 'e', 'g', 'i', 's', 't', 'r', 'y', 0};

void image_reset(void)
{
    loaded = gone = false;
    memset(&driver, 0, sizeof driver);
    driver.Type = 4;                        /* IO_TYPE_DRIVER */
    driver.Size = (CSHORT)sizeof driver;
    registry_path.Buffer = registry_text;
    registry_path.Length = sizeof registry_text - sizeof *registry_text;
    registry_path.MaximumLength = sizeof registry_text;
}

/* The bytes may hold AddressSanitizer's red zones: copied raw. */
void image_restore(const struct image *i)
{
    size_t size = (size_t)(i->data_end - i->data_begin);
    unsigned n = 0;

    current = i;
    image_data_begin = i->data_begin;
    image_data_end = i->data_end;
    image_watched = size < IMAGE_WATCHED_MAX ? size : IMAGE_WATCHED_MAX;
    if (!size)
        return;
    while (n < saved_count && saved[n].image != i)
        n++;
    if (n < saved_count) {
        raw_copy(i->data_begin, saved[n].pristine, size);
        return;
    }
    CHECK(saved_count < IMAGES_MAX);
    saved[n].image = i;
    saved[n].pristine = malloc(size);
    CHECK(saved[n].pristine);
    saved_count++;
    raw_copy(saved[n].pristine, i->data_begin, size);
}

bool image_loaded(void)
{
    return loaded;
}

bool image_gone(void)
{
    return gone;
}

/* Our reading: constants of the module cannot be told from other constants of this program, and need not be. */
bool image_contains(const void *address, bool *writable)
{
    const char *at = address;

    *writable = (size_t)(at - image_data_begin) < (size_t)(image_data_end - image_data_begin);
    return *writable || (__executable_start && at >= __executable_start && at < __data_start);
}

static void leave_memory(void)
{
    uint32_t object;

    work_drain();
    loaded = false;
    gone = true;
    event_emit(EV_IMAGE_GONE, 0, 0, 0, 0, 0, NULL);
    for (uint32_t rest = work_running(); rest; rest &= rest - 1)
        misuse(MISUSE_IMAGE_GONE, (uint32_t)__builtin_ctz(rest), NULL, 1, 0, NULL);
    if (sync_not_deleted(image_data_begin, (size_t)(image_data_end - image_data_begin), &object))
        misuse(MISUSE_NOT_DELETED, object, sync_number(object)->address, NONE, 0, NULL);
    pool_report_leaks();
}

/*
 * Loading a driver
 *
 * Documented  DriverEntry runs at PASSIVE_LEVEL in a system thread; when it fails the driver is unloaded
 *             without a call of DriverUnload                       (DRIVER_INITIALIZE)
 */
int image_load(const struct image *i)
{
    NTSTATUS status;

    CHECK(i == current);
    event_emit(EV_ENTER + FRAME_DRIVER_ENTRY, 0, 0, 0, 0, 0, NULL);
    status = i->entry(&driver, &registry_path);
    event_emit(EV_LEAVE + FRAME_DRIVER_ENTRY, 0, status, 0, 0, 0, NULL);
    if (!NT_SUCCESS(status)) {
        wdf_entry_failed();
        leave_memory();
        return status;
    }
    loaded = true;
    event_emit(EV_IMAGE_LOADED, 0, driver.DriverUnload != NULL, 0, 0, 0, NULL);
    return status;
}

/*
 * Unloading a driver
 *
 * Documented  an I/O work item holds a reference on its device or driver object from IoQueueWorkItem until its
 *             routine has returned, so the image stays that long; items of ExQueueWorkItem and system threads
 *             do not hold it                                       (IoQueueWorkItem, ExQueueWorkItem)
 * Our reading DriverUnload itself does not wait for them
 */
void image_unload(void)
{
    if (!loaded)
        return;
    if (driver.DriverUnload) {
        event_emit(EV_ENTER + FRAME_DRIVER_UNLOAD, 0, 0, 0, 0, 0, NULL);
        driver.DriverUnload(&driver);
        event_emit(EV_LEAVE + FRAME_DRIVER_UNLOAD, 0, 0, 0, 0, 0, NULL);
    }
    leave_memory();
}
