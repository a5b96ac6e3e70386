/*
 * peers.h - simulated counterparts of the module under test.
 *
 * A counterpart is a correct client module whose data and manners are choices (sites PEER_*).  It
 * keeps the contract; what it offers is as odd as the contract lets it be.  What it registers and
 * hands out lies on pages that the module can only read, and that become unreadable when the
 * contract says that they may be gone.
 *
 * An NPI description tells what the NMR contract leaves to the NPI: the tables and the data.
 */
#ifndef MODEL_PEERS_H
#define MODEL_PEERS_H

#include "events.h"                         /* before the WDK, which has macros of the same names */
#include "sites.h"

#include <ntddk.h>
#include <netioddk.h>

#include <stdbool.h>

struct npi_call {
    const char *name;                           /* as scenarios and stories spell it */
    NTSTATUS (*call)(const void *dispatch, PVOID context, unsigned peer);
    bool identifies;                            /* the status tells the instance's Number: see EV_IDENTITY */
};

struct npi {
    const char *name;
    const NPIID *id;
    size_t client_dispatch_size, provider_dispatch_size;
    /* Write the dispatch table of simulated client `peer`: entries that end in peer_callback_*. */
    void (*client_dispatch)(unsigned peer, void *table);
    /* Write client characteristics of this variant (value of PEER_CHARACTERISTICS other than null); returns
     * the size, at most 64 bytes; *flags gets ATTACH_MUST_REFUSE or ATTACH_SHORT. */
    size_t (*client_characteristics)(unsigned variant, void *bytes, unsigned *flags);
    const struct npi_call *calls;               /* functions of the provider's table; a call's value is an index */
    unsigned call_count;
    /* The provider's function that ends a callback which returned STATUS_PENDING, and its number in the table. */
    void (*complete)(const void *dispatch, PVOID context);
    unsigned complete_function;
    bool needs_client_dispatch;                 /* a provider must not attach to a client without a table */
    /* Status a provider function may answer to a live binding without breaking the NPI: true. */
    bool (*status_ok)(unsigned call, NTSTATUS status, bool low_resources, bool detaching);
};

extern const struct npi npi_exnpi;

/* Start an execution: nobody is registered. */
void peers_reset(const struct npi *npi);

/* Operations of driving threads.  One that a correct client could not do now does nothing. */
void peer_register(unsigned peer);
void peer_deregister(unsigned peer);            /* deregister and wait */
void peer_call(unsigned peer, unsigned call);   /* one call through each provider it is attached to, if any */
bool peer_registered(unsigned peer);            /* and not about to register or deregister */
void peers_deregister_all(void);

/* For the thunks in an NPI's client table: around each callback of the module. */
uint32_t peer_callback_enter(unsigned peer, unsigned function, PVOID context, const void *pc);
/* Lets the scheduler park the call, may call back; returns true when the callback should answer STATUS_PENDING. */
bool peer_callback_body(unsigned peer, unsigned function, uint32_t binding, bool may_pend);
void peer_callback_leave(unsigned peer, unsigned function, uint32_t binding, NTSTATUS status);

/*
 * Pages of a counterpart (pages.c).
 *
 * A page for each part of what a counterpart hands out, mapped twice: the module sees a read-only view at an
 * address that is the same in every execution and process, the mock writes through an alias.  An unreadable
 * page follows each.  A new registration gets other pages than the last ones, so that a pointer kept too long
 * does not find new data.
 */
enum { PEER_PAGE_BYTES = 4096 };
#define PEER_PAGES_BASE ((char *)0x330000000000)

void peer_pages_reset(void);
void peer_pages_renew(unsigned peer);           /* fresh, empty pages: before a registration */
void peer_pages_gone(unsigned peer);            /* from now on each access is a finding */
void peer_pages_forbid(unsigned peer, unsigned thread);     /* so is each one by this thread … */
void peer_pages_permit(unsigned thread);                    /* … until now */

/*
 * Copy bytes to the end of a part, `gap` bytes short of the unreadable page, or in front of what was put there
 * before.  Returns the address the module is to see.  It may read what was put, and nothing else of the page.
 */
const void *peer_page_put(unsigned peer, enum peer_part part, const void *bytes, size_t size, size_t gap);

/*
 * The last that was put has a meaning in its first `size` bytes only: the module may copy the whole, but not look at
 * what lies behind them.
 */
void peer_page_limit(unsigned peer, enum peer_part part, size_t size);

/* An address in a part that the module must not touch at all: a token. */
PVOID peer_page_token(unsigned peer, unsigned number);

/* When set, pages that are gone cannot be read by anybody: a system call each time, so for replays only. */
extern bool peer_pages_strict;

#endif
