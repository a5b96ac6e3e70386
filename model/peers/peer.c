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

const struct npi_side *peer_side(const struct peer *p)
{
    return npi_side_of(p->npi, p->side);
}

const struct npi_side *peer_other_side(const struct peer *p)
{
    return npi_side_of(p->npi, other_side(p->side));
}

void peer_ask_manners(struct peer *p)
{
    enum npi_given given = peer_side(p)->table_given;

    footprint_world(FOOTPRINT_BINDINGS_OF, p->number, TOUCH_WRITE);
    if (p->asked)
        return;
    p->asked = true;
    p->context = peer_ask(p->number, SITE_PEER_CONTEXT);
    /* A provider cannot be declined any more when the client sees its table: it gives one when the NPI wants it. */
    if (given == NPI_OPTIONAL || (given == NPI_REQUIRED && p->side == SIDE_CLIENT))
        p->dispatch = peer_ask(p->number, SITE_PEER_DISPATCH);
    if (p->side == SIDE_PROVIDER)
        return;
    p->out_context = peer_ask(p->number, SITE_PEER_OUT_CONTEXT);
    p->out_dispatch = peer_ask(p->number, SITE_PEER_OUT_DISPATCH);
}

const void *peer_put_table(const struct peer *p)
{
    char table[NPI_TABLE_MAX];
    size_t size = npi_put_table(p, table);

    return size ? peer_page_put(p->number, PART_DISPATCH, table, size, 0) : NULL;
}

void peer_deregister_inside(struct peer *p)
{
    footprint_world(FOOTPRINT_PEER, p->number, TOUCH_WRITE);
    if (!p->handle || p->deregistered || p->state == DEREGISTERING)
        return;
    p->deregistered = p->leaving = true;
    (void)nmr_deregister(CALLER_PEER, p->side, p->handle, NULL);
    footprint_world(FOOTPRINT_PEER, p->number, TOUCH_WRITE);
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

/* What the judges have to know of the NPI. */
static unsigned npi_flags(const struct peer *p)
{
    const struct npi_side *other = peer_other_side(p);

    return (peer_side(p)->table_given == NPI_REQUIRED ? 0 : ATTACH_TABLE_OPTIONAL) |
           (other->table_size && other->table_given == NPI_REQUIRED ? 0 : ATTACH_OWN_OPTIONAL);
}

void peer_register(unsigned peer, unsigned offset)
{
    struct peer *p = peer_get(peer);
    const struct face *face;
    NTSTATUS status;

    footprint_world(FOOTPRINT_PEER, peer, TOUCH_WRITE);
    if (p->state != IDLE || face_count == 0)
        return;
    face = &faces[(peer + (face_count > PEERS_MAX ? offset : 0)) % face_count];
    *p = (struct peer){.number = peer, .npi = face->npi, .state = REGISTERING, .side = other_side(face->side)};
    p->flags = npi_flags(p);
    status = enter(p);
    CHECK(p->state == REGISTERING);
    footprint_world(FOOTPRINT_PEER, peer, TOUCH_WRITE);
    p->state = NT_SUCCESS(status) ? REGISTERED : IDLE;
}

void peer_deregister(unsigned peer)
{
    struct peer *p = peer_get(peer);

    footprint_world(FOOTPRINT_PEER, peer, TOUCH_WRITE);
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
    footprint_world(FOOTPRINT_PEER, peer, TOUCH_WRITE);
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
    faces = the_faces;
    face_count = count;
    memset(peers, 0, sizeof peers);
    peer_binding_reset();
    peer_pages_reset();
}
