/*
 * peers.h - simulated counterparts of the module under test.
 *
 * A counterpart is a correct module of the other side: a client when the module is a provider, a provider when it is
 * a client.  Its data and manners are choices (sites PEER_*).  It keeps the contract; what it offers is as odd as
 * the contract lets it be.  What it registers and hands out lies on pages that the module can only read, and
 * that become unreadable when the contract says that they may be gone.
 *
 * An NPI description (nmrcheck/npi.h) tells what the NMR contract leaves to the NPI: the tables and the data of either
 * side.
 */
#ifndef MODEL_PEERS_H
#define MODEL_PEERS_H

#include "events.h"                         /* before the WDK, which has macros of the same names */
#include "sites.h"

#include <nmrcheck/npi.h>

/* Something that the module registers as, and that counterparts face: which NPI, and the module's side of it. */
struct face { const struct npi *npi; enum side side; };

/* Start an execution: nobody is registered. */
void peers_reset(const struct face *faces, unsigned count);

/*
 * Operations of driving threads.  One that a correct counterpart could not do now does nothing.  Counterpart n faces
 * faces[n % count]; when there are more faces than counterparts, faces[(n + offset) % count].
 */
void peer_register(unsigned peer, unsigned offset);
void peer_deregister(unsigned peer);            /* deregister and wait */
/* One call through each module that it is attached to: of function `call` % number of those that may be called. */
void peer_call(unsigned peer, unsigned call);
void peers_deregister_all(void);

/* ---- NPIs (npi.c) */

enum { NPIS_MAX = 16 };                         /* that a module takes part in */

static inline const struct npi_side *npi_side_of(const struct npi *npi, enum side side)
{
    return side == SIDE_CLIENT ? &npi->client : &npi->provider;
}

/* The `call`th function of that side that counterparts call unasked, modulo their number; -1: there is none. */
int npi_callable(const struct npi_side *side, unsigned call);
/* An NPI of which nothing is known but its identifier: fill in `npi` and `id` for a module on that side. */
void npi_unknown(struct npi *npi, NPIID *id, const NPIID *seen, enum side side);
extern const struct npi npi_any;                /* of which nothing at all is known: the module's side of it */

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
