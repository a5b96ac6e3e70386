/*
 * peers.h - simulated counterparts of the module under test.
 *
 * A counterpart is a correct module of the other side: a client when the module is a provider, a provider when it is
 * a client.  Its data and manners are choices (sites PEER_*).  It keeps the contract; what it offers is as odd as
 * the contract lets it be.  What it registers and hands out lies on pages that the module can only read, and
 * that become unreadable when the contract says that they may be gone.
 *
 * An NPI description tells what the NMR contract leaves to the NPI: the tables and the data of either side.
 */
#ifndef MODEL_PEERS_H
#define MODEL_PEERS_H

#include "events.h"                         /* before the WDK, which has macros of the same names */
#include "sites.h"

#include <ntddk.h>
#include <netioddk.h>

#include <stdbool.h>

/* A function of a dispatch table, as the other side calls it. */
struct npi_call {
    const char *name;                           /* as scenarios and stories spell it */
    NTSTATUS (*call)(const void *dispatch, PVOID context, unsigned peer);
    bool identifies;                            /* the status tells the instance's Number: see EV_IDENTITY */
};

/* What the NPI says about one side. */
struct npi_side {
    size_t dispatch_size;                       /* of its table; 0: it has none */
    bool needs_dispatch;                        /* the other side must not attach to one without a table */
    bool has_characteristics;                   /* there is a structure for NpiSpecificCharacteristics */
    /* Write the table of simulated counterpart `peer`: entries that end in peer_callback_*. */
    void (*dispatch)(unsigned peer, void *table);
    /* Write characteristics of this variant (value of PEER_CHARACTERISTICS other than null); returns the size, at
     * most 64 bytes; *flags gets ATTACH_MUST_REFUSE or ATTACH_SHORT.  NULL: no such structure. */
    size_t (*characteristics)(unsigned variant, void *bytes, unsigned *flags);
    const struct npi_call *calls;               /* functions of the table; a call's value is an index */
    unsigned call_count;
    /* The function that ends a call which this side made and which returned STATUS_PENDING, and its number in the
     * table.  NULL: none does. */
    void (*complete)(const void *dispatch, PVOID context);
    unsigned complete_function;
    /* May a function of the table answer this status to a live binding without breaking the NPI? */
    bool (*status_ok)(unsigned call, NTSTATUS status, bool low_resources, bool detaching);
};

struct npi {
    const char *name;
    const NPIID *id;
    struct npi_side sides[2];                   /* by enum side */
};

extern const struct npi npi_exnpi, npi_exnpi_lower;

/* Something that the module registers as, and that counterparts face: which NPI, and the module's side of it. */
struct face { const struct npi *npi; enum side side; };

/* Start an execution: nobody is registered.  Counterpart n faces faces[n % count]. */
void peers_reset(const struct face *faces, unsigned count);

/* Operations of driving threads.  One that a correct counterpart could not do now does nothing. */
void peer_register(unsigned peer);
void peer_deregister(unsigned peer);            /* deregister and wait */
void peer_call(unsigned peer, unsigned call);   /* one call through each module that it is attached to, if any */
void peers_deregister_all(void);

/*
 * For the thunks in an NPI's tables: around each call of the module.  Body lets the scheduler park the call, may call
 * back; returns true when the function should answer STATUS_PENDING.
 */
uint32_t peer_callback_enter(unsigned peer, unsigned function, PVOID context, const void *pc);
bool peer_callback_body(unsigned peer, unsigned function, uint32_t binding, bool may_pend);
void peer_callback_leave(unsigned peer, unsigned function, uint32_t binding, NTSTATUS status);

/* What such a function may do besides: call the module at once, or from a worker thread unless a detach comes first. */
void peer_callback_calls(uint32_t binding, unsigned call);
void peer_callback_calls_later(uint32_t binding, unsigned call);
/* The module says that a function which had answered STATUS_PENDING is over. */
void peer_callback_completed(uint32_t binding);
/* Number of the registration instance that the binding is to. */
ULONG peer_callback_number(uint32_t binding);

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

bool peer_pages_hold(const void *address);      /* is it a page of any counterpart? */

/* An address in a part that the module must not touch at all: a token. */
PVOID peer_page_token(unsigned peer, unsigned number);

/* When set, pages that are gone cannot be read by anybody: a system call each time, so for replays only. */
extern bool peer_pages_strict;

#endif
