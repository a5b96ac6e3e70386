/* peer.c - registering and deregistering counterparts.  See peers.h. */
#include <string.h>

#include "check.h"
#include "choice.h"
#include "event.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "nmr/nmr.h"
#include "peers/state.h"
#include "sched.h"

enum { DISPATCH_BYTES_MAX = 256 };

static struct peer peers[PEERS_MAX];
static const struct face *faces;
static unsigned face_count;

struct peer *peer_get(unsigned peer)
{
    CHECK(peer < PEERS_MAX);
    return &peers[peer];
}

unsigned peer_ask(unsigned peer, unsigned site)
{
    return choice_ask(CHOICE_PEER, peer, site, site_value_count(&model_words.sites[site]));
}

const struct npi_side *peer_other_side(const struct peer *p)
{
    return &p->npi->sides[other_side(p->side)];
}

void peer_ask_manners(struct peer *p)
{
    if (p->asked)
        return;
    p->asked = true;
    p->context = peer_ask(p->number, SITE_PEER_CONTEXT);
    /* A provider cannot be declined any more when the client sees its table: it gives one when the NPI wants it. */
    if (p->side == SIDE_CLIENT || !p->npi->sides[p->side].needs_dispatch)
        p->dispatch = peer_ask(p->number, SITE_PEER_DISPATCH);
    if (p->side == SIDE_PROVIDER)
        return;
    p->out_context = peer_ask(p->number, SITE_PEER_OUT_CONTEXT);
    p->out_dispatch = peer_ask(p->number, SITE_PEER_OUT_DISPATCH);
}

const void *peer_put_table(const struct peer *p)
{
    const struct npi_side *side = &p->npi->sides[p->side];
    char table[DISPATCH_BYTES_MAX];

    CHECK(side->dispatch_size <= sizeof table);
    side->dispatch(p->number, table);
    return peer_page_put(p->number, PART_DISPATCH, table, side->dispatch_size, 0);
}

void peer_deregister_inside(struct peer *p)
{
    if (!p->handle || p->deregistered || p->state == DEREGISTERING)
        return;
    p->deregistered = p->leaving = true;
    (void)nmr_deregister(CALLER_PEER, p->side, p->handle, NULL);
    p->leaving = false;
    sched_release(&p->left);
}

/* ---- operations of driving threads */

static NTSTATUS enter(struct peer *p)
{
    const void *characteristics = data_put_characteristics(p);

    if (p->side == SIDE_CLIENT)
        return nmr_register_client(CALLER_PEER, p->number, characteristics, p, &p->handle, NULL);
    nmr_registers_oddly(p->flags);
    return nmr_register_provider(CALLER_PEER, p->number, characteristics, p, &p->handle, NULL);
}

void peer_register(unsigned peer)
{
    struct peer *p = peer_get(peer);
    const struct face *face = &faces[peer % face_count];
    NTSTATUS status;

    footprint_world(FOOTPRINT_PEERS, true);
    if (p->state != IDLE)
        return;
    *p = (struct peer){.number = peer, .npi = face->npi, .state = REGISTERING, .side = other_side(face->side)};
    status = enter(p);
    CHECK(p->state == REGISTERING);
    footprint_world(FOOTPRINT_PEERS, true);
    p->state = NT_SUCCESS(status) ? REGISTERED : IDLE;
}

void peer_deregister(unsigned peer)
{
    struct peer *p = peer_get(peer);

    footprint_world(FOOTPRINT_PEERS, true);
    if (p->state != REGISTERED)
        return;
    p->state = DEREGISTERING;
    while (p->leaving)
        sched_block(&p->left, SITE_OP_NEXT, SCHED_FOREVER);
    if (!p->deregistered)
        (void)nmr_deregister(CALLER_PEER, p->side, p->handle, NULL);
    (void)nmr_wait(CALLER_PEER, p->side, p->handle, NULL);
    peer_pages_gone(peer);
    peer_binding_forget(peer);
    footprint_world(FOOTPRINT_PEERS, true);
    p->state = IDLE;
}

void peers_deregister_all(void)
{
    for (unsigned peer = 0; peer < PEERS_MAX; peer++)
        peer_deregister(peer);
}

void peers_reset(const struct face *the_faces, unsigned count)
{
    static bool watching;

    if (!watching)
        peer_binding_watch();
    watching = true;
    CHECK(count > 0);
    faces = the_faces;
    face_count = count;
    memset(peers, 0, sizeof peers);
    peer_binding_reset();
    peer_pages_reset();
}
