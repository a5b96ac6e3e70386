/*
 * state.h - what simulated counterparts remember.  For the files of this folder only.
 *
 * A counterpart is correct whatever it is told to be: it calls the module only between the attach and its own detach
 * callback, counts its calls in progress, and completes a detach that it left pending after the last of them.
 * A completion that it owes (a function that it answered with STATUS_PENDING) or is owed (one of the module's
 * that did) counts as a call in progress.
 *
 * Between two scheduling points nothing else runs, so its own state needs no lock; what a real module would do
 * under one is done without a scheduling point in between.
 */
#ifndef MODEL_PEERS_STATE_H
#define MODEL_PEERS_STATE_H

#include "peers/peers.h"
#include "sched.h"

/* IDLE -> REGISTERING -> REGISTERED -> DEREGISTERING -> IDLE; one thread at a time moves a counterpart on. */
enum registration { IDLE, REGISTERING, REGISTERED, DEREGISTERING };

struct peer {
    unsigned number;
    const struct npi *npi;
    enum side side;                         /* its own: the other one than the module's */
    enum registration state;
    HANDLE handle;
    bool deregistered;                      /* it did so inside an attach callback; the wait is still to come */
    bool leaving;                           /* … and NmrDeregister… has not returned from that */
    sched_wait left;                        /* who waits for it to return */
    unsigned flags;                         /* enum attach_flags of what it registered */
    const void *table;                      /* its dispatch table */
    ULONG instance_number;                  /* of its registration instance */
    /* Asked at its first attach. */
    bool asked;
    unsigned context, dispatch, out_context, out_dispatch;
};

/*
 * A binding of a counterpart.  `live` from the offer until its cleanup callback or, without one, the end of its
 * registration.  Slots are not used again within an execution.
 */
struct peer_binding {
    unsigned peer;
    uint32_t number;                        /* NMR's */
    HANDLE handle;
    PVOID context;                          /* what this side calls itself */
    PVOID other_context;                    /* the module's */
    const VOID *other_dispatch;
    ULONG other_number;                     /* of the module's registration instance */
    unsigned calls;                         /* into the module, in progress; and completions owed */
    int awaited;                            /* of those: answered STATUS_PENDING by the module, not completed yet;
                                             * below 0: completed before the call has returned */
    int later;                              /* the function that a worker thread is to make */
    bool live, attached, attaching, detaching, pending;
};

/* ---- peer.c: registering and deregistering */
struct peer *peer_get(unsigned peer);
unsigned peer_ask(unsigned peer, unsigned site);        /* a choice of kind CHOICE_PEER */
void peer_ask_manners(struct peer *p);
/* Only when it knows its handle already: NMR may write that after the callbacks. */
void peer_deregister_inside(struct peer *p);
const void *peer_put_table(const struct peer *p);       /* a copy of its dispatch table, for the module to see */
const struct npi_side *peer_side(const struct peer *p);         /* what the NPI says about its own side … */
const struct npi_side *peer_other_side(const struct peer *p);   /* … and about the module's */
bool peer_ends_calls(const struct npi_side *side);              /* some function of its table ends calls that pend */
unsigned peer_ending_function(const struct npi_side *side);     /* that one */

/* ---- npi.c: its table, and calls through the module's */
size_t npi_put_table(const struct peer *p, void *table);         /* at most NPI_TABLE_MAX bytes */
/* `pended`: the words of the call that this one ends, or NULL. */
NTSTATUS npi_call(const struct npi_function *f, const void *entry, const void *table, PVOID context, unsigned peer,
                  const uintptr_t *pended);

/* ---- callback.c: what it does when the module calls function `function` of its table; returns what that returns */
uintptr_t peer_callback(unsigned peer, unsigned function, const uintptr_t *arguments, const void *pc);

/* ---- data.c: what it registers */
const void *data_put_characteristics(struct peer *p);

/* ---- binding.c: calls and detach */
struct peer_binding *peer_binding_new(const struct peer *p, HANDLE handle, ULONG other_number);
struct peer_binding *peer_binding_find(unsigned peer, PVOID context);
struct peer_binding *peer_binding_number(uint32_t number);      /* by NMR's number; NULL: none */
/* The binding that a value passed to a function of this counterpart's names; a dead one when no live one has it. */
struct peer_binding *peer_binding_named(unsigned peer, PVOID context);
struct peer_binding *peer_binding_latest(unsigned peer);        /* a live one if there is any */
/* The counterpart answered STATUS_PENDING to a call with these words. */
void peer_binding_pend(struct peer_binding *b, const uintptr_t *arguments);
void peer_binding_completed(struct peer_binding *b);            /* the module ended a call that pended */
void peer_binding_attached(struct peer_binding *b, PVOID context, const VOID *dispatch);
/* Call this function of the module's; a number that npi_callable gave, so that below 0 means: none. */
void peer_binding_call(struct peer_binding *b, int function);
void peer_binding_call_later(struct peer_binding *b, int function);
void peer_binding_forget(unsigned peer);                     /* its registration is closed */
NTSTATUS peer_binding_detach(unsigned peer, PVOID context);  /* its detach callback … */
void peer_binding_cleanup(unsigned peer, PVOID context);     /* … and its cleanup callback */
void peer_binding_reset(void);
void peer_binding_watch(void);          /* judge events, from now on */

/* ---- client.c, provider.c: attaching */
NTSTATUS NTAPI client_attach(HANDLE handle, PVOID context, PNPI_REGISTRATION_INSTANCE provider);
NTSTATUS NTAPI provider_attach(HANDLE handle, PVOID context, PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
                               const VOID *client_dispatch, PVOID *provider_context, const VOID **provider_dispatch);

#endif
