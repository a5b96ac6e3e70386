/*
 * state.h - what NMR remembers.  For the files of this folder only.
 *
 * A registration and a binding are slots of two static tables.  A slot is used once in an execution, so
 * its number, its address and its handles never mean anything else.  Between two scheduling points
 * nothing else runs; a callback into a module may do anything, so each state is read again after one.
 */
#ifndef MODEL_NMR_STATE_H
#define MODEL_NMR_STATE_H

#include "nmr/nmr.h"
#include "sched.h"
#include "sites.h"

/*
 * A registration.  It stays in the table, reachable through its handle, from REGISTRATION_REGISTERING to
 * REGISTRATION_DRAINED.
 * Structures are kept by pointer, never copied: their lifetime is the module's duty (PR-7), and the other
 * side is given a pointer into them (N-8).
 */
struct registration {
    uint32_t number;
    enum side side;
    enum caller owner;
    unsigned peer;                          /* which counterpart, when the owner is one */
    unsigned flags;                         /* enum attach_flags of what a counterpart registered */
    enum registration_state state;
    HANDLE handle;
    const void *characteristics;            /* of this side's type: client_of(), provider_of() */
    const NPI_REGISTRATION_INSTANCE *instance;
    PVOID context;
    const void *pc;                         /* where it was registered */
    uint64_t structure_hash, identity_hash; /* registered bytes as they were */
    bool changed;                           /* a difference was told already */
    sched_wait waiters;                     /* threads in NmrWait… */
    sched_wait offering;                    /* the registering thread, while another one makes the offers (ND-2) */
    bool offered;                           /* that one has made them */
};

/* How far one side of a binding is with its detach; only upwards. */
enum detach_step { DETACH_NOT_CALLED, DETACH_IN_CALL, DETACH_PENDING, DETACH_DONE };

struct binding_side {
    struct registration *registration;
    HANDLE handle;                          /* this side's own (ND-4) */
    PVOID context;
    enum detach_step detach;
    unsigned detach_thread;                 /* runs the detach callback */
    bool completed;                         /* Complete came before the callback had returned STATUS_PENDING */
    uint32_t completed_event;               /* number of events before that, when another thread did it; else 0 */
    bool no_cleanup;                        /* this side gave its context up without NMR (ND-22) */
    bool inside;                            /* its detach callback has not returned */
    bool started;                           /* its detach callback was called, or a thread will do so */
    bool last;                              /* its detach waits for the other side's to be over (ND-6) */
    const VOID *dispatch;                   /* the module's table; NULL for a counterpart's */
    uint64_t dispatch_hash;                 /* of that table when it attached */
    bool dispatch_watched;                  /* there is such a table, and no difference was told yet */
};

/*
 * A binding keeps both registrations from draining from BINDING_OFFERED until BINDING_GONE.
 * Its handles are good for just as long.
 */
struct binding {
    uint32_t number;
    enum binding_state state;
    struct binding_side sides[2];           /* by enum side */
    unsigned attach_thread;                 /* runs ClientAttachProvider */
    PVOID context_slot;                     /* what ProviderAttachClient's out-parameters point to */
    const VOID *dispatch_slot;
    bool outside;                           /* a counterpart broke the contract: what follows means nothing */
    bool cleaned;                           /* both cleanup callbacks have returned */
};

/* What a value says it is, when it is a token of ours: c of EV_BAD_HANDLE. */
enum token_kind { TOKEN_NONE, TOKEN_REGISTRATION, TOKEN_BINDING, TOKEN_GARBAGE };

static inline const NPI_CLIENT_CHARACTERISTICS *client_of(const struct registration *r)
{
    return r->characteristics;
}

static inline const NPI_PROVIDER_CHARACTERISTICS *provider_of(const struct registration *r)
{
    return r->characteristics;
}

/* Function pointers in events and checks. */
#define CODE(function) ((const void *)(uintptr_t)(function))
#define ADDRESS(pointer) ((uint64_t)(uintptr_t)(pointer))

/* ---- profile.c */
unsigned profile_choose(enum site_number site);                 /* an option of an ND site, of those that are open */
bool profile_is(enum nmr_profile p);

/* ---- registration.c */
uint32_t registration_count(void);
struct registration *registration_get(uint32_t number);
bool registration_accepts(const struct registration *r);        /* may be offered bindings */
/* A binding of `r` is gone or `r` began to deregister: when nothing is left, let the waiters go. */
void registration_drain(struct registration *r);

/* ---- fields.c */
void fields_tell(const struct registration *r);                 /* EV_REGISTRATION_FIELD, EV_REGISTRATION_PLACE */
bool fields_well_formed(const struct registration *r);
void fields_remember(struct registration *r);
void fields_check(struct registration *r);                      /* EV_REGISTRATION_CHANGED */
/* The module's table on that side, from its attach on. */
void fields_watch_dispatch(struct binding *b, enum side side, const VOID *dispatch, const void *pc);
void fields_check_dispatch(struct binding *b);                  /* EV_BINDING_DISPATCH_CHANGED */

/* ---- binding.c */
uint32_t binding_count(void);
struct binding *binding_get(uint32_t number);
struct binding *binding_create(struct registration *client, struct registration *provider);
void binding_set_state(struct binding *b, enum binding_state next);
void binding_gone(struct binding *b);

/* ---- attach.c */
void attach_offer_all(struct registration *r);                  /* to each counterpart registered before it */
unsigned attach_counterparts(const struct registration *r);     /* how many that are */

/* ---- detach.c */
void detach_binding(struct binding *b);
void detach_failed_client(struct binding *b);                   /* its attach callback failed after attaching (ND-22) */
void detach_all(struct registration *r);

/* ---- callback.c: the only place that calls modules */
NTSTATUS callback_client_attach(struct binding *b);
NTSTATUS callback_provider_attach(struct binding *b, const VOID *client_dispatch, struct attach_disturbance d);
NTSTATUS callback_detach(struct binding *b, enum side side);
bool callback_has_cleanup(const struct binding *b, enum side side);
void callback_cleanup(struct binding *b, enum side side);

/* ---- order.c: what NMR orders, for the race detector */
void order_begin_registration(const struct registration *r);    /* the registering or deregistering thread was here */
void order_end_binding(const struct binding *b);                /* nothing of it is left */
void order_wait(const struct registration *r);                  /* comes after the end of each of its bindings */
void order_before_callback(const struct binding *b);
void order_after_callback(const struct binding *b);             /* also when a Complete arrives */

/* ---- handle.c */
HANDLE handle_make(enum token_kind kind, enum side side, uint32_t number);
struct bad { enum bad_handle why; uint32_t object; };           /* why a handle is not good, and what it once meant */
struct registration *handle_registration(HANDLE h, enum side side, struct bad *bad);
struct binding *handle_binding(HANDLE h, enum side side, struct bad *bad);
void handle_tell_bad(enum caller who, enum frame frame, HANDLE h, struct bad bad, const void *pc);
/* The same, then what Windows does when the function has no way to say so: bug check NMR_INVALID_STATE (ND-16). */
_Noreturn void handle_bugcheck(enum caller who, enum frame frame, HANDLE h, struct bad bad, const void *pc);

/* ---- forgetting, called by nmr_reset */
void registration_reset(void);
void binding_reset(void);
void handle_reset(void);
void attach_reset(void);
void wsk_reset(void);

#endif
