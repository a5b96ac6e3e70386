/* events.c - names of what events.h lists, for reports and traces. */
#include "events.h"

#include <assert.h>

static_assert((int)EVENT_KINDS <= (int)EVENT_KINDS_MAX, "judges are kept by kind");

const char *const frame_names[FRAMES] = {
    [FRAME_NONE] = "nothing",
    [FRAME_DRIVER_ENTRY] = "DriverEntry",
    [FRAME_DRIVER_UNLOAD] = "DriverUnload",
    [FRAME_WORK_ITEM] = "work item",
    [FRAME_CLIENT_ATTACH] = "ClientAttachProvider",
    [FRAME_PROVIDER_ATTACH] = "ProviderAttachClient",
    [FRAME_CLIENT_DETACH] = "ClientDetachProvider",
    [FRAME_PROVIDER_DETACH] = "ProviderDetachClient",
    [FRAME_CLIENT_CLEANUP] = "ClientCleanupBindingContext",
    [FRAME_PROVIDER_CLEANUP] = "ProviderCleanupBindingContext",
    [FRAME_NMR_REGISTER] = "NmrRegister",
    [FRAME_NMR_DEREGISTER] = "NmrDeregister",
    [FRAME_NMR_WAIT] = "NmrWaitForDeregisterComplete",
    [FRAME_NMR_CLIENT_ATTACH] = "NmrClientAttachProvider",
    [FRAME_NMR_COMPLETE] = "NmrDetachComplete",
    [FRAME_CALL] = "function of the module",
    [FRAME_CALLBACK] = "function of the other side",
    [FRAME_ENTRY] = "entry point",
};

const char *const misuse_names[MISUSES] = {
    [MISUSE_IRQL_TOO_HIGH] = "called at too high an IRQL",
    [MISUSE_IRQL_TOO_LOW] = "called at too low an IRQL",
    [MISUSE_WAIT_AT_DISPATCH] = "waited at DISPATCH_LEVEL",
    [MISUSE_PAGED_CODE] = "ran paged code at DISPATCH_LEVEL",
    [MISUSE_LOCK_RECURSIVE] = "acquired a lock that this thread holds",
    [MISUSE_LOCK_NOT_HELD] = "released a lock that this thread does not hold",
    [MISUSE_LOCK_NO_REGION] = "acquired a push lock outside a critical region",
    [MISUSE_REGION_UNBALANCED] = "left a critical region that was not entered",
    [MISUSE_NOT_INITIALISED] = "used an object that is not initialised",
    [MISUSE_RUNDOWN_UNDERFLOW] = "released rundown protection that was not acquired",
    [MISUSE_RUNDOWN_REINIT] = "re-initialised rundown protection that is in use",
    [MISUSE_POOL_TAG] = "freed with another tag",
    [MISUSE_POOL_ZERO_TAG] = "allocated with a tag that is zero or not printable",
    [MISUSE_POOL_ZERO_SIZE] = "allocated zero bytes",
    [MISUSE_POOL_DOUBLE_FREE] = "freed twice",
    [MISUSE_POOL_NOT_POOL] = "freed what is not pool memory",
    [MISUSE_POOL_FREE_IN_USE] = "freed memory that is in use",
    [MISUSE_WORK_QUEUED_TWICE] = "queued a work item that is queued",
    [MISUSE_WORK_FREED_QUEUED] = "freed a work item that is queued",
    [MISUSE_WORK_NOT_AN_ITEM] = "used what is not a work item",
    [MISUSE_IMAGE_GONE] = "ran after the unload",
    [MISUSE_HANDLE_CLOSED] = "closed a handle that is not one to close",
    [MISUSE_COMPARE_IF_LUID] = "compared the Guid of a MIT_IF_LUID module id",
    [MISUSE_NOT_DELETED] = "left a resource or a lookaside list undeleted",
    [MISUSE_WSK_UNBALANCED] = "registered, deregistered or released more often than WSK allows",
};

const char *const lock_names[LOCK_KINDS] = {
    [LOCK_SPIN] = "spin lock", [LOCK_EX_SHARED] = "EX_SPIN_LOCK (shared)",
    [LOCK_EX_EXCLUSIVE] = "EX_SPIN_LOCK (exclusive)", [LOCK_PUSH_SHARED] = "push lock (shared)",
    [LOCK_PUSH_EXCLUSIVE] = "push lock (exclusive)", [LOCK_RESOURCE_SHARED] = "resource (shared)",
    [LOCK_RESOURCE_EXCLUSIVE] = "resource (exclusive)", [LOCK_FAST_MUTEX] = "fast mutex", [LOCK_MUTEX] = "mutex",
    [SYNC_EVENT] = "event", [SYNC_RUNDOWN] = "rundown reference", [SYNC_REGISTRATION] = "registration",
    [SYNC_WORK] = "work item", [SYNC_DELAY] = "delay", [SYNC_CALLBACK] = "callback", [SYNC_OTHER] = "object",
};

const char *event_name(uint16_t kind)
{
    static const char *const names[EVENT_KINDS - EV_THREAD_START] = {
#define NAME(kind, text) [kind - EV_THREAD_START] = text
        NAME(EV_THREAD_START, "thread starts"),
        NAME(EV_THREAD_END, "thread ends"),
        NAME(EV_REGISTRATION_FIELD, "registers"),
        NAME(EV_REGISTRATION_PLACE, "registers memory"),
        NAME(EV_REGISTRATION_STATE, "registration"),
        NAME(EV_REGISTRATION_CHANGED, "registered memory changed"),
        NAME(EV_BINDING_OFFERED, "binding offered"),
        NAME(EV_BINDING_STATE, "binding"),
        NAME(EV_BINDING_CONTEXT, "binding context"),
        NAME(EV_BINDING_DISPATCH, "binding dispatch table"),
        NAME(EV_BINDING_DISPATCH_CHANGED, "dispatch table changed"),
        NAME(EV_BAD_HANDLE, "bad handle"),
        NAME(EV_IDENTITY, "instance"),
        NAME(EV_PENDING_CALLBACK, "pending callback"),
        NAME(EV_LOCK_ACQUIRE, "lock acquired"),
        NAME(EV_LOCK_RELEASE, "lock released"),
        NAME(EV_SYNC_INIT, "initialised"),
        NAME(EV_BLOCK, "blocks"),
        NAME(EV_WAKE, "goes on"),
        NAME(EV_EVENT_SET, "event set"),
        NAME(EV_EVENT_RESET, "event reset"),
        NAME(EV_WAIT, "wait"),
        NAME(EV_RUNDOWN, "rundown"),
        NAME(EV_IRQL, "IRQL"),
        NAME(EV_REGION, "critical region"),
        NAME(EV_ALLOC, "allocated"),
        NAME(EV_ALLOC_FAILED, "allocation failed"),
        NAME(EV_FREE, "freed"),
        NAME(EV_LEAK, "leaked"),
        NAME(EV_WORK_QUEUED, "work item queued"),
        NAME(EV_INTERLOCKED, "interlocked"),
        NAME(EV_MISUSE, "misuse"),
        NAME(EV_ACCESS, "bad access"),
        NAME(EV_RACE, "data race"),
        NAME(EV_ASSERT, "assertion failed"),
        NAME(EV_BUGCHECK, "bug check"),
        NAME(EV_IMAGE_LOADED, "module loaded"),
        NAME(EV_IMAGE_GONE, "module unloaded"),
        NAME(EV_DEADLOCK, "deadlock"),
        NAME(EV_STEP_LIMIT, "step limit"),
        NAME(EV_NOTE, "note"),
        NAME(EV_KEPT_OUT, "is kept out"),
#undef NAME
    };

    if (kind >= EV_THREAD_START && kind < EVENT_KINDS && names[kind - EV_THREAD_START])
        return names[kind - EV_THREAD_START];
    if (kind >= EV_LEAVE && kind < EV_THREAD_START)
        return frame_names[kind - EV_LEAVE];
    if (kind >= EV_ENTER && kind < EV_LEAVE)
        return frame_names[kind - EV_ENTER];
    return "event";
}
