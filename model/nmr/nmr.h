/*
 * nmr.h - the simulated Network Module Registrar, seen from the model.
 *
 * Drivers see the nine Nmr* functions of netioddk.h.  Simulated counterparts use the nmr_*
 * forms below, which behave the same and differ only in who is named as the caller in events.
 * Everything NMR does or knows that a judge may need is told in events.
 */
#ifndef MODEL_NMR_H
#define MODEL_NMR_H

#include "events.h"                         /* before the shim, where REGISTRATION_NONE is a macro */

#include <ntddk.h>
#include <netioddk.h>

#include <stdbool.h>

enum { REGISTRATIONS_MAX = 16, BINDINGS_MAX = 64 };

void nmr_reset(void);                       /* to profile WINDOWS */

/* How much NMR allows itself where the documents leave it open: see profile.c.  Violations are the same in each. */
enum nmr_profile { PROFILE_WINDOWS, PROFILE_STRICT, PROFILE_CHAOS, PROFILES };
void nmr_set_profile(enum nmr_profile p);

enum caller { CALLER_PEER, CALLER_MODULE };

NTSTATUS nmr_register_client(enum caller who, unsigned peer, PNPI_CLIENT_CHARACTERISTICS c, PVOID context,
                             PHANDLE handle, const void *pc);
NTSTATUS nmr_register_provider(enum caller who, unsigned peer, PNPI_PROVIDER_CHARACTERISTICS c, PVOID context,
                               PHANDLE handle, const void *pc);
NTSTATUS nmr_deregister(enum caller who, enum side side, HANDLE handle, const void *pc);
NTSTATUS nmr_wait(enum caller who, enum side side, HANDLE handle, const void *pc);
NTSTATUS nmr_client_attach_provider(enum caller who, HANDLE binding, PVOID context, const VOID *dispatch,
                                    PVOID *provider_context, const VOID **provider_dispatch, const void *pc);
void nmr_detach_complete(enum caller who, enum side side, HANDLE binding, const void *pc);

/* What a counterpart has to know about a binding it takes part in, by its own binding handle. */
uint32_t nmr_binding_number(HANDLE binding);

/* Is this value a token NMR made (registration or binding handle, live or dead)?  For memory.c and ZwClose. */
bool nmr_is_token(uint64_t value);

/* How an attach of the module under test is disturbed: set by the simulated client just before it calls
 * nmr_client_attach_provider, used up by that call. */
struct attach_disturbance {
    bool null_context_out, null_dispatch_out;   /* pass NULL for the out-parameters */
    unsigned flags;                             /* enum attach_flags, told in the event */
};
void nmr_disturb_attach(struct attach_disturbance d);

/* What is odd about the data that a simulated provider is about to register: enum attach_flags, told to whoever is
 * offered it.  Used up by its call of nmr_register_provider. */
void nmr_registers_oddly(unsigned flags);

#endif
