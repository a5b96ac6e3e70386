/*
 * events.h - what can happen in the simulated Windows.
 *
 * Judges (model/rules) see these events and nothing else of the mock.  `object`, `value` and the
 * kind are part of the event hash: they hold numbers, never addresses.  a, b, c may hold addresses.
 * NONE as an object: nothing it could be about is known.
 *
 * Most of the protocol is frames: something a thread is inside of, entered and left in stack
 * order on each thread.  EV_ENTER + frame and EV_LEAVE + frame are the kinds.
 */
#ifndef MODEL_EVENTS_H
#define MODEL_EVENTS_H

#include <stdbool.h>

#include "event.h"

#define NONE 0xFFFFFFFFu

enum frame {
    FRAME_NONE,
    /* entry points of the module: enter, leave(value = status) */
    FRAME_DRIVER_ENTRY,         /* object 0 */
    FRAME_DRIVER_UNLOAD,        /* object 0 */
    FRAME_WORK_ITEM,            /* object work item number; a routine, b context; leave */
    /* NMR callbacks, of the module or of a simulated counterpart: object binding */
    FRAME_CLIENT_ATTACH,        /* enter value = enum attach_flags, a ClientContext; leave value = status */
    FRAME_PROVIDER_ATTACH,      /* enter value = enum attach_flags, a ProviderContext, b ClientBindingContext,
                                 *       c ClientDispatch;
                                 * leave value = status, a *ProviderBindingContext, b *ProviderDispatch,
                                 *       c bit 0: context was written, bit 1: dispatch was written */
    FRAME_CLIENT_DETACH,        /* a context; leave value = status, c = enum detach_touched */
    FRAME_PROVIDER_DETACH,      /* the same */
    FRAME_CLIENT_CLEANUP,       /* a context */
    FRAME_PROVIDER_CLEANUP,     /* a context */
    /* NMR functions: b = 1 when the module under test called, 0 for a counterpart; a = handle argument */
    FRAME_NMR_REGISTER,         /* object registration, value = enum side, a characteristics, c handle address;
                                 * leave value = status, a = handle */
    FRAME_NMR_DEREGISTER,       /* object registration or NONE, value = side of the function called;
                                 * leave value = status */
    FRAME_NMR_WAIT,             /* object registration or NONE, value = side of the function called; leave: status */
    FRAME_NMR_CLIENT_ATTACH,    /* object binding or NONE; a handle, c ClientDispatch; leave value = status */
    FRAME_NMR_COMPLETE,         /* object binding or NONE, value = side of the function called, a handle */
    /* traffic between the modules: object binding, value = number of the function in its table */
    FRAME_CALL,                 /* a counterpart calls the module through the module's table;
                                 * b = the module's enum side, c = 1: made before the caller's attach callback
                                 * returned;
                                 * leave value = status, c = enum answer */
    FRAME_CALLBACK,             /* the module calls a counterpart through that one's table: object = the binding that
                                 * the first argument names (NONE: it names none), a = first argument,
                                 * b = counterpart whose table was used | the module's enum side toward it << 8,
                                 * c = the counterpart that owns `object`;
                                 * leave value = status */
    FRAME_ENTRY,                /* an entry point of the module's own: object = its number, leave value = status */
    FRAMES
};

enum side { SIDE_CLIENT, SIDE_PROVIDER };
static inline enum side other_side(enum side side) { return side == SIDE_CLIENT ? SIDE_PROVIDER : SIDE_CLIENT; }
#define CALLBACK_PEER(b) ((unsigned)((b) & 0xFF))
#define CALLBACK_SIDE(b) ((enum side)((b) >> 8 & 0xFF))
#define CALLBACK_IN_TEARDOWN(b) ((b) >> 16 & 1)             /* the NPI allows it until the detach is over */

/* What was odd about an attach: what the module was given of its counterpart, and whether the NPI says to refuse. */
enum attach_flags {
    ATTACH_NULL_CONTEXT_OUT  = 1 << 0,      /* ProviderBindingContext == NULL: outside the contract */
    ATTACH_NULL_DISPATCH_OUT = 1 << 1,      /* ProviderDispatch == NULL: outside the contract */
    ATTACH_MUST_REFUSE       = 1 << 2,      /* the characteristics are ones the NPI tells to decline */
    ATTACH_NO_CHARACTERISTICS= 1 << 3,      /* it omits the NpiSpecificCharacteristics of its side */
    ATTACH_SHORT             = 1 << 4,      /* an older, shorter structure that ends at an unreadable page */
    ATTACH_NO_DISPATCH       = 1 << 5,      /* the counterpart's dispatch table is NULL */
    ATTACH_NO_MODULE_ID      = 1 << 6,      /* ModuleId == NULL: outside the contract */
    ATTACH_IF_LUID           = 1 << 7,      /* ModuleId->Type == MIT_IF_LUID */
    ATTACH_ODD_INSTANCE      = 1 << 8,      /* Version, Size or Number of the instance is unusual */
    ATTACH_TABLE_OPTIONAL    = 1 << 9,      /* the NPI lets the counterpart do without a dispatch table */
    ATTACH_OWN_OPTIONAL      = 1 << 10      /* … and the module, or nothing is known of the NPI */
};

/* What the module did with binding contexts inside a detach callback. */
enum detach_touched {
    DETACH_TOUCHED_OWN = 1, DETACH_TOUCHED_OTHER = 2,
    DETACH_TOUCHED_LATE = 4                 /* its own, after somebody else had completed the detach */
};

/* What the NPI says about the status that a provider function returned. */
enum answer { ANSWER_UNKNOWN, ANSWER_FINE, ANSWER_WRONG, ANSWER_WHEN_DETACHING, ANSWER_WHEN_LOW };

/* What a pointer points to.  Object: block number, thread number, counterpart number. */
enum place {
    PLACE_NULL, PLACE_POOL, PLACE_POOL_PAGED, PLACE_POOL_FREED, PLACE_STACK, PLACE_IMAGE, PLACE_IMAGE_CONST,
    PLACE_PEER, PLACE_OTHER
};

enum event_kind {
    EV_NONE,
    EV_ENTER,                       /* EV_ENTER + frame */
    EV_LEAVE = EV_ENTER + FRAMES,   /* EV_LEAVE + frame */
    EV_THREAD_START = EV_LEAVE + FRAMES, /* object thread */
    EV_THREAD_END,                  /* object thread */

    /* registrations and bindings, told by NMR */
    EV_REGISTRATION_FIELD,          /* object registration, value = enum registration_field << 32 | 32-bit content */
    EV_REGISTRATION_PLACE,          /* object registration, value = field << 32 | place; a address, b object of
                                     * place */
    EV_REGISTRATION_STATE,          /* object registration, value = enum registration_state; b = 1: the module's, else
                                     * c = the counterpart whose it is */
    EV_REGISTRATION_CHANGED,        /* object registration: registered bytes differ; value = state */
    EV_BINDING_OFFERED,             /* object binding, value = client registration << 16 | provider registration */
    EV_BINDING_STATE,               /* object binding, value = enum binding_state */
    EV_BINDING_CONTEXT,             /* object binding, value = place of the module's binding context; a address, b
                                     * object of place, c = enum side */
    EV_BINDING_DISPATCH,            /* object binding, value = place of the module's dispatch table; a address, b
                                     * object of place, c = enum side */
    EV_BINDING_DISPATCH_CHANGED,    /* object binding: the module's dispatch table changed while attached; c = side */
    EV_BAD_HANDLE,                  /* object registration or binding it once meant or NONE, value = enum
                                     * bad_handle, a token, b = frame of the NMR function, c = kind that the token
                                     * is */
    EV_IDENTITY,                    /* object binding: a call told which registration serves it; value = 1 right, 0
                                     * wrong */
    EV_PENDING_CALLBACK,            /* object binding, value = 1: a callback returned STATUS_PENDING, 0: completed */

    /* kernel */
    EV_LOCK_ACQUIRE,                /* object lock, value = enum lock_kind; a address; c = 1: it did not wait for it */
    EV_LOCK_RELEASE,                /* object lock, value = enum lock_kind; a address */
    EV_SYNC_INIT,                   /* object, value = enum lock_kind or sync kind; a address */
    EV_BLOCK,                       /* object lock or event …, value = enum lock_kind: this thread cannot go on */
    EV_WAKE,                        /* same: it goes on; c = 1 timed out */
    EV_EVENT_SET, EV_EVENT_RESET,   /* object event */
    EV_WAIT,                        /* object, value = status: a wait that was satisfied or timed out */
    EV_RUNDOWN,                     /* object rundown, value = enum rundown_op; c = new count */
    EV_IRQL,                        /* value = new IRQL, object = old */
    EV_REGION,                      /* value = new depth of critical and guarded regions */
    EV_ALLOC,                       /* object block, value = size; a address, b tag, c = enum alloc_flags */
    EV_ALLOC_FAILED,                /* value = size; b tag, c = alloc_flags (ALLOC_INJECTED: on purpose) */
    EV_FREE,                        /* object block, value = size; a address, b tag given */
    EV_LEAK,                        /* object block, value = size; a address, b tag; c = event number of its
                                     * allocation */
    EV_WORK_QUEUED,                 /* object work item; a routine, b context */
    EV_INTERLOCKED,                 /* object 0; a address */
    EV_MISUSE,                      /* object, value = enum misuse; a address, b, c detail */
    EV_ACCESS,                      /* object (block, counterpart, thread), value = enum access_fault; a address, b
                                     * = 1 write, c = offset in the object */
    EV_RACE,                        /* object block or NONE (global), value = 0; a address, b pc of the earlier
                                     * access, c = earlier thread | earlier was write << 8 | this is write << 9 |
                                     * earlier was atomic << 10 | this is atomic << 11 | number of events before the
                                     * earlier access, at most 65535, << 16 */
    EV_ASSERT,                      /* ASSERT failed; a text, b line */
    EV_BUGCHECK,                    /* value = code */

    /* the execution */
    EV_IMAGE_LOADED,                /* DriverEntry succeeded; value = 1: it set DriverUnload */
    EV_IMAGE_GONE,                  /* the module is out of memory now; leaks follow */
    EV_DEADLOCK,                    /* no thread can run; before the verdict */
    EV_STEP_LIMIT,                  /* object = thread that ran last */
    EV_NOTE,                        /* a[text]: for the story only; value hashed */
    EV_KEPT_OUT,                    /* object lock, value = enum lock_kind, b = thread: it was about to take the lock
                                     * when others took it; told before EV_DEADLOCK */
    EVENT_KINDS
};

enum registration_field {
    FIELD_CHARACTERISTICS,                  /* PLACE: the characteristics structure itself */
    FIELD_VERSION, FIELD_LENGTH,            /* of the characteristics */
    FIELD_ATTACH, FIELD_DETACH, FIELD_CLEANUP, /* 1 non-NULL, 0 NULL */
    FIELD_INSTANCE_VERSION, FIELD_INSTANCE_SIZE, FIELD_NUMBER,
    FIELD_NPI_ID,                           /* 1 the NPI the module says it serves, 0 another, -1 NULL */
    FIELD_MODULE_ID, FIELD_MODULE_LENGTH, FIELD_MODULE_TYPE, /* MODULE_ID: 1 non-NULL */
    FIELD_CONTEXT,                          /* PLACE only: the registration context */
    FIELD_DUPLICATE,                        /* 1: this very characteristics structure is registered already */
    FIELD_NPI_CHARACTERISTICS,              /* 1: NULL exactly when the NPI has none for this side; 0: not so */
    FIELD_NUMBER_TAKEN                      /* 1: another registration of the module has the same NPI, side, Number */
};

enum registration_state {
    REGISTRATION_NONE, REGISTRATION_REGISTERING, REGISTRATION_REGISTERED, REGISTRATION_DEREGISTERING,
    REGISTRATION_DRAINED, REGISTRATION_CLOSED
};

enum binding_state {
    BINDING_NONE, BINDING_OFFERED, BINDING_PROPOSING, BINDING_ACCEPTED, BINDING_ATTACHED, BINDING_DETACHING,
    BINDING_CLEANUP, BINDING_GONE
};

enum bad_handle {
    HANDLE_NULL, HANDLE_GARBAGE, HANDLE_WRONG_KIND, HANDLE_WRONG_SIDE, HANDLE_DEAD, HANDLE_NOT_DEREGISTERED,
    HANDLE_TWICE
};

enum lock_kind {
    LOCK_SPIN, LOCK_EX_SHARED, LOCK_EX_EXCLUSIVE, LOCK_PUSH_SHARED, LOCK_PUSH_EXCLUSIVE, LOCK_FAST_MUTEX, LOCK_MUTEX,
    SYNC_EVENT, SYNC_RUNDOWN, SYNC_REGISTRATION, SYNC_WORK, SYNC_DELAY, SYNC_CALLBACK, SYNC_OTHER,
    LOCK_RESOURCE_SHARED, LOCK_RESOURCE_EXCLUSIVE, LOCK_KINDS
};

/* Is an object of that kind one that somebody holds? */
static inline bool lock_kind_is_lock(int64_t kind)
{
    return kind <= LOCK_MUTEX || kind == LOCK_RESOURCE_SHARED || kind == LOCK_RESOURCE_EXCLUSIVE;
}

enum rundown_op {
    RUNDOWN_INIT, RUNDOWN_ACQUIRE, RUNDOWN_REFUSED, RUNDOWN_RELEASE, RUNDOWN_WAIT, RUNDOWN_DONE, RUNDOWN_REINIT
};

enum alloc_flags {
    ALLOC_PAGED = 1, ALLOC_ZEROED = 2, ALLOC_EXECUTE = 4, ALLOC_INJECTED = 8,
    ALLOC_INTERNAL = 16                     /* made by the kernel for the module (a work item); freed by its own call */
};

/* A kernel function was used against its documentation. */
enum misuse {
    MISUSE_IRQL_TOO_HIGH,                   /* b = IRQL, c = the highest allowed */
    MISUSE_IRQL_TOO_LOW,                    /* b = IRQL, c = the lowest allowed */
    MISUSE_WAIT_AT_DISPATCH,  /* a blocking wait at DISPATCH_LEVEL; also paged code or data: see ACCESS_PAGED */
    MISUSE_PAGED_CODE,                      /* PAGED_CODE() at DISPATCH_LEVEL */
    MISUSE_LOCK_RECURSIVE,                  /* acquired by the thread that holds it: self-deadlock */
    MISUSE_LOCK_NOT_HELD,                   /* released by a thread that does not hold it */
    MISUSE_LOCK_NO_REGION,                  /* push lock outside a critical region */
    MISUSE_REGION_UNBALANCED,
    MISUSE_NOT_INITIALISED,                 /* a sync object that needs initialising, used before */
    MISUSE_RUNDOWN_UNDERFLOW, MISUSE_RUNDOWN_REINIT,
    MISUSE_POOL_TAG, MISUSE_POOL_ZERO_TAG, MISUSE_POOL_ZERO_SIZE, MISUSE_POOL_DOUBLE_FREE, MISUSE_POOL_NOT_POOL,
    MISUSE_POOL_FREE_IN_USE,                /* freed memory holds a lock that is held, a queued work item, … */
    MISUSE_WORK_QUEUED_TWICE, MISUSE_WORK_FREED_QUEUED, MISUSE_WORK_NOT_AN_ITEM,
    MISUSE_IMAGE_GONE,                      /* module code was about to run after the unload */
    MISUSE_HANDLE_CLOSED,                   /* ZwClose of something that is no handle of this thread's; a token */
    MISUSE_COMPARE_IF_LUID,                 /* the Guid of a MIT_IF_LUID module id was compared */
    MISUSE_NOT_DELETED,                     /* the memory of a resource or a lookaside list goes away, and nobody has
                                             * deleted it; b = block that is freed, or NONE: the image */
    MISUSE_WSK_UNBALANCED,                  /* a WSK registration that is one already, or none any more; a release
                                             * without a capture */
    MISUSES
};

/* What was wrong with a memory access of the module. */
enum access_fault {
    ACCESS_FREED,                           /* object block; c offset */
    ACCESS_OUT_OF_BOUNDS,                   /* object block, or NONE between blocks */
    ACCESS_UNINITIALISED,                   /* object block: the load returned the junk the allocator left */
    ACCESS_PAGED,                           /* object block of paged pool, at DISPATCH_LEVEL */
    ACCESS_NULL,                            /* a small address */
    ACCESS_WILD,                            /* nothing is there */
    ACCESS_READ_ONLY,                       /* object counterpart, c = enum peer_part */
    ACCESS_PEER_GONE,                       /* object counterpart, c = enum peer_part: its memory is no longer valid */
    ACCESS_PEER_PAST_END,                   /* object counterpart, c = enum peer_part */
    ACCESS_HANDLE,                          /* an NMR handle was used as a pointer; a token */
    ACCESS_STACK_OVERFLOW,                  /* object thread */
    ACCESS_STACK_DEAD,                      /* object thread: the stack of a thread that has ended */
    ACCESS_SANITIZER                        /* AddressSanitizer reported something else; a[text] its word for it */
};

enum peer_part {
    PART_CHARACTERISTICS, PART_MODULE_ID, PART_NPI_ID, PART_NPI_CHARACTERISTICS, PART_DISPATCH, PART_CONTEXT
};

/* Names for reports and traces. */
extern const char *const frame_names[FRAMES];
extern const char *const misuse_names[MISUSES];
extern const char *const lock_names[LOCK_KINDS];        /* by enum lock_kind */
const char *event_name(uint16_t kind);

#endif
