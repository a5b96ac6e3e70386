/*
 * work.c - work items and system threads: module code that runs in threads of its own.
 *
 * A queued item is a simulated thread from the start; when it runs is the scheduler's choice.
 */
#include "footprint.h"
#include "internal.h"

#include <setjmp.h>
#include <string.h>

#include <ntddk.h>

#include "check.h"

enum { JOBS_MAX = 256, ITEM_BYTES = 64, IO_WORK_TAG = 0x69576F49, THREAD_BYTES = 64, THREAD_TAG = 0x65726854 };

enum job_kind { JOB_IO, JOB_IO_EX, JOB_QUEUE, JOB_THREAD };

struct job {
    enum job_kind kind;
    uint32_t item;                          /* number of the item; of the thread's object */
    void *routine, *context, *object;       /* object: what the item was made for; JOB_QUEUE, JOB_IO_EX: the item */
    char *thread;                           /* JOB_THREAD: the thread object, while the module may have it */
    bool open;                              /* its handle was not closed */
    unsigned references;                    /* to the thread object, by pointer; the handle is not one of them */
    jmp_buf terminate;
};

static struct job jobs[JOBS_MAX];
static unsigned job_count;
static uint32_t queued, io_outstanding;     /* items */
static uint32_t running;                    /* threads inside a job */
static struct job *job_of[THREADS_MAX];     /* NULL: a driving thread, a DPC */
static sched_wait drained;

enum { RACE_KEY_DRAIN = RACE_KEY_NMR - 1 };

/* Handles of threads: no pointer, and never an NMR token. */
#define HANDLE_BASE UINT64_C(0xFFFFFFFF80000000)
bool nmr_is_token(uint64_t value);

static struct _OBJECT_TYPE { char unused; } thread_type, event_type;
static POBJECT_TYPE thread_type_pointer = &thread_type, event_type_pointer = &event_type;
POBJECT_TYPE *PsThreadType = &thread_type_pointer;
POBJECT_TYPE *ExEventObjectType = &event_type_pointer;

void work_reset(void)
{
    job_count = 0;
    queued = io_outstanding = running = 0;
    drained = 0;
    memset(job_of, 0, sizeof job_of);
}

uint32_t work_queued(void)
{
    return queued + (uint32_t)__builtin_popcount(running);
}

uint32_t work_running(void)
{
    return running;
}

void work_wait_for_none(const uint32_t *count, sched_wait *none, const void *pc)
{
    footprint_world(FOOTPRINT_WORK, 0, TOUCH_WRITE);
    sched_touch_wait(none);
    if (!*count)
        return;
    event_emit(EV_BLOCK, NONE, SYNC_WORK, 0, 0, 0, pc);
    while (*count)
        sched_block(none, SITE_WORK_ITEM, SCHED_FOREVER);
    sched_all_left(none);
    event_emit(EV_WAKE, NONE, SYNC_WORK, 0, 0, 0, pc);
}

void work_drain(void)
{
    work_wait_for_none(&io_outstanding, &drained, NULL);
    race_acquire(RACE_KEY_DRAIN);
}

void work_thread_end(unsigned thread)
{
    running &= ~(1u << thread);
    job_of[thread] = NULL;
    race_ended(thread);
}

/* ---- the life of a job ----------------------------------------------------------------------------------- */

/* Documented: a routine returns at the level and in the region it was called at (IoQueueWorkItem). */
static void check_return(uint32_t item, const void *routine, unsigned level)
{
    const struct thread_state *t = thread_state();

    if (t->irql != level)
        misuse(t->irql > level ? MISUSE_IRQL_TOO_HIGH : MISUSE_IRQL_TOO_LOW, item, routine, t->irql, level, NULL);
    if (t->region || t->guarded)
        misuse(MISUSE_REGION_UNBALANCED, item, routine, t->region, t->guarded, NULL);
}

void work_call(uint32_t item, unsigned level, void *routine, void *context, void (*call)(void *), void *argument)
{
    uint32_t bit = 1u << sched_self();

    irql_assign(level);
    if (image_gone()) {
        misuse(MISUSE_IMAGE_GONE, item, routine, 0, 0, NULL);
        return;
    }
    running |= bit;
    event_emit(EV_ENTER + FRAME_WORK_ITEM, item, 0, (uint64_t)(uintptr_t)routine, (uint64_t)(uintptr_t)context, 0,
               NULL);
    call(argument);
    event_emit(EV_LEAVE + FRAME_WORK_ITEM, item, 0, 0, 0, 0, NULL);
    check_return(item, routine, level);
    running &= ~bit;
}

/* An I/O work item keeps the driver in memory; a DPC, another item and a thread do not. */
void work_returns(void)
{
    unsigned self = sched_self();

    if (running & 1u << self && !(job_of[self] && job_of[self]->kind <= JOB_IO_EX))
        sched_point(SITE_WORK_ITEM);
}

void work_spawn(void (*body)(void *), void *argument)
{
    race_spawned(sched_spawn(FIRST_WORKER, body, argument));
}

static void call_routine(const struct job *j)
{
    switch (j->kind) {
    case JOB_IO:
        ((PIO_WORKITEM_ROUTINE)j->routine)(j->object, j->context);
        break;
    case JOB_IO_EX:
        ((PIO_WORKITEM_ROUTINE_EX)j->routine)(j->object, j->context, (PIO_WORKITEM)sync_number(j->item)->address);
        break;
    case JOB_QUEUE:
        ((PWORKER_THREAD_ROUTINE)j->routine)(j->context);
        break;
    case JOB_THREAD:
        ((PKSTART_ROUTINE)j->routine)(j->context);
        break;
    }
}

/* The system takes the item off its queue; from here on the routine may free it or queue it again. */
static void take_off(struct job *j)
{
    struct sync *s = sync_number(j->item);

    footprint_address(s->address, TOUCH_WRITE);
    s->work = 0;
    queued--;
    if (j->kind == JOB_QUEUE) {
        PWORK_QUEUE_ITEM item = j->object;

        memory_check(item, sizeof *item, true, NULL);
        j->routine = (void *)item->WorkerRoutine;
        j->context = item->Parameter;
    }
    race_acquire(RACE_KEY_SYNC + j->item);
}

static void call_job(void *argument)
{
    call_routine(argument);
}

/* PsTerminateSystemThread comes back here. */
static void call_thread(void *argument)
{
    struct job *j = argument;

    if (!_setjmp(j->terminate))
        call_routine(j);
}

static void body(void *argument)
{
    struct job *j = argument;
    unsigned self = sched_self();

    irql_thread_begin();
    event_emit(EV_THREAD_START, self, 0, 0, 0, 0, NULL);
    job_of[self] = j;
    if (j->kind == JOB_THREAD) {
        struct sync *s = sync_number(j->item);

        queued--;
        work_call(j->item, LEVEL_PASSIVE, j->routine, j->context, call_thread, j);
        footprint_address(s->address, TOUCH_WRITE);
        s->signalled = true;
        race_release(RACE_KEY_SYNC + j->item);
        while (sync_satisfy_first(s)) {
        }
        wait_all_satisfy();
    } else {
        take_off(j);
        work_call(j->item, LEVEL_PASSIVE, j->routine, j->context, call_job, j);
    }
    if (j->kind == JOB_IO || j->kind == JOB_IO_EX) {
        race_release(RACE_KEY_DRAIN);
        sched_left(&drained);
        if (--io_outstanding == 0)
            sched_release(&drained);
    }
    event_emit(EV_THREAD_END, self, 0, 0, 0, 0, NULL);
}

static struct job *job_make(enum job_kind kind)
{
    struct job *j = &jobs[job_count];

    if (job_count == JOBS_MAX)
        sched_stop(VERDICT_MEMORY);
    job_count++;
    j->kind = kind;
    j->routine = j->context = j->object = NULL;
    j->thread = NULL;
    j->open = false;
    j->references = 0;
    return j;
}

static void job_start(struct job *j)
{
    queued++;
    work_spawn(body, j);
}

/* ---- I/O work items -------------------------------------------------------------------------------------- */

/* The item behind this pointer, or NULL after an event that tells what is wrong with it. */
static struct sync *item_of(PIO_WORKITEM item, const void *pc)
{
    struct sync *s = sync_peek(item);

    memory_check(item, ITEM_BYTES, true, pc);
    if (!s || s->kind != SYNC_WORK || !s->ready) {
        misuse(MISUSE_WORK_NOT_AN_ITEM, s ? s->number : NONE, item, 0, 0, pc);
        return NULL;
    }
    return s;
}

/* The item's own bytes hold the object it was made for, as they do in Windows. */
static void **object_slot(PIO_WORKITEM item)
{
    return (void **)item;
}

/*
 * IoAllocateWorkItem (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  NULL when there is not enough memory                 (IoAllocateWorkItem)
 * Our reading the item is a pool block of the module's: it leaks when IoFreeWorkItem is never called
 */
PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    const void *pc = CALLER();
    char *item;

    irql_require_max(LEVEL_DISPATCH, pc);
    item = pool_internal(ITEM_BYTES, IO_WORK_TAG, SITE_IO_ALLOCATE_WORK_ITEM, pc);
    if (!item)
        return NULL;
    sync_init(item, ITEM_BYTES, SYNC_WORK, pc);
    *object_slot((PIO_WORKITEM)item) = DeviceObject;
    return (PIO_WORKITEM)item;
}

/*
 * IoFreeWorkItem (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  the item must not be queued; its own routine may free it              (IoFreeWorkItem)
 */
VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    const void *pc = CALLER();
    struct sync *s;
    uint32_t number;

    irql_require_max(LEVEL_DISPATCH, pc);
    s = item_of(IoWorkItem, pc);
    if (!s)
        return;
    if (!pool_is_internal(IoWorkItem, &number)) {
        misuse(MISUSE_WORK_NOT_AN_ITEM, s->number, IoWorkItem, 1, 0, pc);
        return;
    }
    if (s->work)
        misuse(MISUSE_WORK_FREED_QUEUED, s->number, IoWorkItem, 0, 0, pc);
    s->work = 0;
    pool_internal_free(IoWorkItem, pc);
}

/*
 * IoSizeofWorkItem, IoInitializeWorkItem, IoUninitializeWorkItem (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  an item in memory of the module's own                (IoInitializeWorkItem)
 */
ULONG IoSizeofWorkItem(VOID)
{
    return ITEM_BYTES;
}

VOID IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_DISPATCH, pc);
    sync_init(IoWorkItem, ITEM_BYTES, SYNC_WORK, pc);
    *object_slot(IoWorkItem) = IoObject;
}

VOID IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    const void *pc = CALLER();
    struct sync *s;

    irql_require_max(LEVEL_DISPATCH, pc);
    s = item_of(IoWorkItem, pc);
    if (!s)
        return;
    if (s->work)
        misuse(MISUSE_WORK_FREED_QUEUED, s->number, IoWorkItem, 1, 0, pc);
    s->work = 0;
    s->ready = false;
}

/* True when the item may be queued: then it is. */
static bool put_on(struct sync *s, const void *pc)
{
    footprint_address(s->address, TOUCH_WRITE);
    if (s->work) {
        misuse(MISUSE_WORK_QUEUED_TWICE, s->number, s->address, 0, 0, pc);
        return false;
    }
    s->work = 1;
    s->used = true;
    race_release(RACE_KEY_SYNC + s->number);
    return true;
}

static void queue_io(PIO_WORKITEM item, enum job_kind kind, void *routine, void *context, const void *pc)
{
    struct sync *s;
    struct job *j;

    irql_require_max(LEVEL_DISPATCH, pc);
    sched_point(SITE_IO_QUEUE_WORK_ITEM);
    s = item_of(item, pc);
    if (!s || !put_on(s, pc))
        return;
    j = job_make(kind);
    j->item = s->number;
    j->routine = routine;
    j->context = context;
    j->object = *object_slot(item);
    io_outstanding++;
    event_emit(EV_WORK_QUEUED, s->number, 0, (uint64_t)(uintptr_t)routine, (uint64_t)(uintptr_t)context, 0, pc);
    job_start(j);
}

/*
 * IoQueueWorkItem, IoQueueWorkItemEx (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  the routine runs once, in a system thread at PASSIVE_LEVEL; the item must not be queued already;
 *             the device or driver object stays until the routine returned          (IoQueueWorkItem)
 * Our reading each queued item has a thread of its own, so that no item waits for another
 */
VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                     PVOID Context)
{
    (void)QueueType;
    queue_io(IoWorkItem, JOB_IO, (void *)WorkerRoutine, Context, CALLER());
}

VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                       PVOID Context)
{
    (void)QueueType;
    queue_io(IoWorkItem, JOB_IO_EX, (void *)WorkerRoutine, Context, CALLER());
}

/* ---- executive work items -------------------------------------------------------------------------------- */

/*
 * ExInitializeWorkItem, ExQueueWorkItem (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  the item must stay until the routine was called, which may free it; the driver must not be
 *             unloaded before the routine returned                 (ExQueueWorkItem)
 * Our reading the item is read when its routine is about to run
 */
VOID ExInitializeWorkItem(PWORK_QUEUE_ITEM Item, PWORKER_THREAD_ROUTINE Routine, PVOID Context)
{
    sync_init(Item, sizeof *Item, SYNC_WORK, CALLER());
    Item->WorkerRoutine = Routine;
    Item->Parameter = Context;
    Item->List.Flink = Item->List.Blink = NULL;
}

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    const void *pc = CALLER();
    struct sync *s;
    struct job *j;

    (void)QueueType;
    irql_require_max(LEVEL_DISPATCH, pc);
    sched_point(SITE_EX_QUEUE_WORK_ITEM);
    memory_check(WorkItem, sizeof *WorkItem, true, pc);
    s = sync_get(WorkItem, SYNC_WORK);
    if (!s->ready)
        misuse(MISUSE_NOT_INITIALISED, s->number, WorkItem, SYNC_WORK, 0, pc);
    s->ready = true;
    if (!put_on(s, pc))
        return;
    j = job_make(JOB_QUEUE);
    j->item = s->number;
    j->object = WorkItem;
    event_emit(EV_WORK_QUEUED, s->number, 0, (uint64_t)(uintptr_t)WorkItem->WorkerRoutine,
               (uint64_t)(uintptr_t)WorkItem->Parameter, 0, pc);
    job_start(j);
}

/* ---- system threads -------------------------------------------------------------------------------------- */

/* What a handle or a reference of the module keeps.  A thread that nobody can name any more still runs. */
static void drop_thread(struct job *j, const void *pc)
{
    char *thread = j->thread;

    if (j->open || j->references)
        return;
    j->thread = NULL;
    pool_internal_free(thread, pc);
}

/*
 * PsCreateSystemThread (wdm.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  the handle must be closed; the thread ends in PsTerminateSystemThread or by returning
 *                                                                  (PsCreateSystemThread)
 * Our reading it fails like an allocation does; the thread object is a block of the module's pool until the handle
 *             and all references are gone, so that forgetting one of them is a leak
 */
NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                              PVOID StartContext)
{
    const void *pc = CALLER();
    struct job *j;
    struct sync *s;
    char *thread;

    (void)DesiredAccess;
    (void)ObjectAttributes;
    (void)ProcessHandle;
    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(ThreadHandle, sizeof *ThreadHandle, true, pc);
    thread = pool_internal(THREAD_BYTES, THREAD_TAG, SITE_ALLOCATE, pc);
    if (!thread)
        return STATUS_INSUFFICIENT_RESOURCES;
    j = job_make(JOB_THREAD);
    s = sync_get(thread, SYNC_OTHER);
    s->ready = true;
    j->item = s->number;
    j->thread = thread;
    j->routine = (void *)StartRoutine;
    j->context = StartContext;
    j->open = true;
    *ThreadHandle = (HANDLE)(uintptr_t)(HANDLE_BASE + 4 * (uint64_t)(j - jobs) + 4);
    if (ClientId)
        memset(ClientId, 0, sizeof *ClientId);
    event_emit(EV_WORK_QUEUED, j->item, 0, (uint64_t)(uintptr_t)StartRoutine, (uint64_t)(uintptr_t)StartContext, 0, pc);
    job_start(j);
    return STATUS_SUCCESS;
}

/*
 * PsTerminateSystemThread (wdm.h)
 *
 * Caller      a thread made by PsCreateSystemThread, PASSIVE_LEVEL
 * Documented  does not return; elsewhere STATUS_INVALID_PARAMETER  (PsTerminateSystemThread)
 */
NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    unsigned self = sched_self();

    (void)ExitStatus;
    irql_require_max(LEVEL_PASSIVE, CALLER());
    if (!job_of[self] || job_of[self]->kind != JOB_THREAD)
        return STATUS_INVALID_PARAMETER;
    longjmp(job_of[self]->terminate, 1);
}

static struct job *job_of_handle(HANDLE handle)
{
    uint64_t offset = (uint64_t)(uintptr_t)handle - HANDLE_BASE - 4;

    if (offset % 4 || offset / 4 >= job_count || !jobs[offset / 4].open)
        return NULL;
    return &jobs[offset / 4];
}

static struct job *job_of_object(const void *object)
{
    for (unsigned i = 0; i < job_count; i++)
        if (object && jobs[i].thread == object)
            return &jobs[i];
    return NULL;
}

/*
 * ObReferenceObjectByHandle, ObfReferenceObject, ObfDereferenceObject (wdm.h)
 *
 * Caller      module, PASSIVE_LEVEL (ObfReferenceObject, ObfDereferenceObject <= DISPATCH_LEVEL)
 * Documented  gives the object behind a handle, with a reference that is to be given back; a wait for it lasts until
 *             the thread ended                                     (ObReferenceObjectByHandle)
 * Our reading thread objects are the only ones that are counted; a reference given back too often is bug check
 *             REFERENCE_BY_POINTER, devices and drivers are left alone
 */
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                   KPROCESSOR_MODE AccessMode, PVOID *Object,
                                   POBJECT_HANDLE_INFORMATION HandleInformation)
{
    const void *pc = CALLER();
    struct job *j = job_of_handle(Handle);

    (void)DesiredAccess;
    (void)AccessMode;
    irql_require_max(LEVEL_PASSIVE, pc);
    memory_use(Object, sizeof *Object, true, pc);
    if (HandleInformation)
        memset(HandleInformation, 0, sizeof *HandleInformation);
    *Object = NULL;
    if (!j)
        return STATUS_INVALID_HANDLE;
    if (ObjectType && ObjectType != &thread_type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    j->references++;
    *Object = j->thread;
    return STATUS_SUCCESS;
}

LONG_PTR ObfReferenceObject(PVOID Object)
{
    const void *pc = CALLER();
    struct job *j = job_of_object(Object);

    irql_require_max(LEVEL_DISPATCH, pc);
    memory_check(Object, sizeof(PVOID), true, pc);
    if (!j)
        return 2;
    return ++j->references + j->open;
}

LONG_PTR ObfDereferenceObject(PVOID Object)
{
    const void *pc = CALLER();
    struct job *j = job_of_object(Object);
    LONG_PTR left;

    irql_require_max(LEVEL_DISPATCH, pc);
    memory_check(Object, sizeof(PVOID), true, pc);
    if (!j)
        return 1;
    if (!j->references) {
        event_emit(EV_BUGCHECK, j->item, REFERENCE_BY_POINTER, (uint64_t)(uintptr_t)Object, 0, 0, pc);
        return 0;
    }
    left = --j->references + j->open;
    drop_thread(j, pc);
    return left;
}

/*
 * ZwClose (wdm.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  closes a handle of the object manager                (ZwClose)
 * Our reading an NMR handle is none: NmrDeregister… ends it, and closing it would end somebody else's handle
 */
NTSTATUS ZwClose(HANDLE Handle)
{
    const void *pc = CALLER();
    struct job *j;

    irql_require_max(LEVEL_PASSIVE, pc);
    sched_point(SITE_ZW_CLOSE);
    j = job_of_handle(Handle);
    if (!j) {
        misuse(MISUSE_HANDLE_CLOSED, NONE, Handle, nmr_is_token((uint64_t)(uintptr_t)Handle), 0, pc);
        return STATUS_INVALID_HANDLE;
    }
    j->open = false;
    drop_thread(j, pc);
    return STATUS_SUCCESS;
}

/* Threads by number; the driving threads are system threads too. */
PKTHREAD KeGetCurrentThread(VOID)
{
    return (PKTHREAD)&thread_states[sched_self()];
}

HANDLE PsGetCurrentThreadId(VOID)
{
    return (HANDLE)(uintptr_t)(4 * sched_self() + 8);
}

HANDLE PsGetCurrentProcessId(VOID)
{
    return (HANDLE)(uintptr_t)4;
}

KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    (void)Thread;
    return Priority;
}
