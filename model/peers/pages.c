/* pages.c - see peers.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "event.h"
#include "footprint.h"
#include "sites.h"
#include "kernel/kernel.h"
#include "peers/peers.h"
#include "sched.h"

/* Pages of one peer: for each generation, for each part, a page of data and an unreadable page. */
enum {
    PARTS = PART_CONTEXT + 1,
    GENERATIONS = 4,                        /* registrations of one peer before its pages are used again */
    SLOT_BYTES = 2 * PEER_PAGE_BYTES,
    PEER_BYTES = GENERATIONS * PARTS * SLOT_BYTES,
    TOKEN_BYTES = 16
};

/* What of a page the module may read: offsets, begin == end for nothing. */
struct page {
    uint16_t begin, end;
    uint16_t limit;                         /* end of what means something; 0: all of it does */
    bool gone, unreadable;
};

bool peer_pages_strict;

static struct page pages[PEERS_MAX][GENERATIONS][PARTS];
static unsigned renewals[PEERS_MAX];        /* of this execution */
static unsigned forbidden[THREADS_MAX];     /* the peer that the thread may not look at, + 1 */
static char *alias;                         /* the writable view, one page for each slot */

static unsigned generation(unsigned peer)
{
    CHECK(peer < PEERS_MAX && renewals[peer] > 0);
    return (renewals[peer] - 1) % GENERATIONS;
}

static size_t slot_index(unsigned peer, unsigned gen, unsigned part)
{
    return ((size_t)peer * GENERATIONS + gen) * PARTS + part;
}

static char *view_of(size_t index)
{
    return PEER_PAGES_BASE + index * SLOT_BYTES;
}

bool peer_pages_hold(const void *address)
{
    return (uintptr_t)address - (uintptr_t)PEER_PAGES_BASE < (uintptr_t)PEERS_MAX * PEER_BYTES;
}

static void map_views(void)
{
    size_t slots = (size_t)PEERS_MAX * GENERATIONS * PARTS;
    int file;

    if (alias)
        return;
    file = memfd_create("nmrcheck-peers", MFD_CLOEXEC);
    CHECK(file >= 0);
    CHECK(ftruncate(file, (off_t)(slots * PEER_PAGE_BYTES)) == 0);
    alias = mmap(NULL, slots * PEER_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(alias != MAP_FAILED);
    CHECK(mmap(PEER_PAGES_BASE, slots * SLOT_BYTES, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == PEER_PAGES_BASE);
    for (size_t i = 0; i < slots; i++)
        CHECK(mmap(view_of(i), PEER_PAGE_BYTES, PROT_READ, MAP_SHARED | MAP_FIXED, file,
                   (off_t)(i * PEER_PAGE_BYTES)) == view_of(i));
    CHECK(close(file) == 0);
}

static void set_readable(unsigned peer, unsigned gen, bool readable)
{
    for (unsigned part = 0; part < PARTS; part++) {
        struct page *p = &pages[peer][gen][part];

        if (p->unreadable != readable)
            continue;
        CHECK(mprotect(view_of(slot_index(peer, gen, part)), PEER_PAGE_BYTES, readable ? PROT_READ : PROT_NONE) == 0);
        p->unreadable = !readable;
    }
}

/* An access of the module: returns when it may go on. */
static void check(const char *address, size_t size, bool write, const void *pc)
{
    size_t offset = (size_t)(address - PEER_PAGES_BASE);
    size_t index = offset / SLOT_BYTES;
    unsigned peer = (unsigned)(index / (GENERATIONS * PARTS));
    unsigned part = (unsigned)(index % PARTS);
    const struct page *p;
    enum access_fault fault;

    CHECK(peer < PEERS_MAX);
    footprint_world(FOOTPRINT_PAGES, peer, TOUCH_READ);
    p = &pages[peer][index / PARTS % GENERATIONS][part];
    offset %= SLOT_BYTES;
    if (p->gone || forbidden[sched_self()] == peer + 1)
        fault = ACCESS_PEER_GONE;
    else if (offset < p->begin || offset + size > p->end ||
             (p->limit && offset + size > p->limit && offset > p->begin))
        fault = ACCESS_PEER_PAST_END;
    else if (write)
        fault = ACCESS_READ_ONLY;
    else
        return;
    event_emit(EV_ACCESS, peer, fault, (uint64_t)(uintptr_t)address, write, part, pc);
}

void peer_pages_reset(void)
{
    map_views();
    memset(forbidden, 0, sizeof forbidden);
    for (unsigned peer = 0; peer < PEERS_MAX; peer++) {
        unsigned used = renewals[peer] < GENERATIONS ? renewals[peer] : GENERATIONS;

        for (unsigned gen = 0; gen < used; gen++)
            set_readable(peer, gen, true);
        memset(pages[peer], 0, used * sizeof pages[peer][0]);
        renewals[peer] = 0;
        /* One region for each peer, so that its number is the peer's. */
        memory_add_region(view_of(slot_index(peer, 0, 0)), PEER_BYTES, check);
    }
}

void peer_pages_renew(unsigned peer)
{
    CHECK(peer < PEERS_MAX);
    renewals[peer]++;
    set_readable(peer, generation(peer), true);
    memset(pages[peer][generation(peer)], 0, sizeof pages[peer][0]);
}

void peer_pages_gone(unsigned peer)
{
    unsigned gen = generation(peer);

    footprint_world(FOOTPRINT_PAGES, peer, TOUCH_WRITE);
    for (unsigned part = 0; part < PARTS; part++)
        pages[peer][gen][part].gone = true;
    if (peer_pages_strict)
        set_readable(peer, gen, false);
}

void peer_pages_forbid(unsigned peer, unsigned thread)
{
    CHECK(peer < PEERS_MAX && thread < THREADS_MAX);
    forbidden[thread] = peer + 1;
}

void peer_pages_permit(unsigned thread)
{
    CHECK(thread < THREADS_MAX);
    forbidden[thread] = 0;
}

const void *peer_page_put(unsigned peer, enum peer_part part, const void *bytes, size_t size, size_t gap)
{
    unsigned gen = generation(peer);
    struct page *p = &pages[peer][gen][part];
    size_t index = slot_index(peer, gen, part);

    if (p->begin == p->end)
        p->begin = p->end = (uint16_t)(PEER_PAGE_BYTES - gap);
    CHECK(size <= p->begin);
    p->begin = (uint16_t)(p->begin - size);
    memcpy(alias + index * PEER_PAGE_BYTES + p->begin, bytes, size);
    return view_of(index) + p->begin;
}

void peer_page_limit(unsigned peer, enum peer_part part, size_t size)
{
    struct page *p = &pages[peer][generation(peer)][part];

    CHECK(p->begin + size <= p->end);
    p->limit = (uint16_t)(p->begin + size);
}

PVOID peer_page_token(unsigned peer, unsigned number)
{
    CHECK(number < PEER_PAGE_BYTES / TOKEN_BYTES);
    return view_of(slot_index(peer, generation(peer), PART_CONTEXT)) + number * TOKEN_BYTES;
}
