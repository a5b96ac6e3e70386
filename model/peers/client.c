/* client.c - how a simulated client attaches to the module's provider. */
#include "event.h"
#include "footprint.h"
#include "nmr/nmr.h"
#include "peers/state.h"

enum { ATTACH_ACCEPT, ATTACH_REFUSE, ATTACH_RETRY, ATTACH_CALL_FIRST, ATTACH_DEREGISTER_INSIDE };
enum { GIVEN, OMITTED };

enum { CALL_EARLY = 1 };                    /* the call made before the attach callback has returned */

/* The second attempt is a plain one, with another copy of the table. */
static NTSTATUS propose(const struct peer *p, struct peer_binding *b, bool again)
{
    const void *table = again ? peer_put_table(p) : p->dispatch == OMITTED ? NULL : p->table;
    struct attach_disturbance d = {.flags = p->flags};
    PVOID context = NULL;
    const VOID *dispatch = NULL;
    NTSTATUS status;

    if (!again) {
        d.null_context_out = p->out_context == OMITTED;
        d.null_dispatch_out = p->out_dispatch == OMITTED;
    }
    d.flags |= table ? 0u : ATTACH_NO_DISPATCH;
    nmr_disturb_attach(d);
    status = nmr_client_attach_provider(CALLER_PEER, b->handle, b->context, table, &context, &dispatch, NULL);
    if (NT_SUCCESS(status))
        peer_binding_attached(b, context, dispatch);
    return status;
}

NTSTATUS NTAPI client_attach(HANDLE handle, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    struct peer *p = context;
    unsigned manner;
    struct peer_binding *b;
    NTSTATUS status;

    if (peer_pages_hold(provider))          /* of another counterpart: they take part in the same NPI */
        return STATUS_NOINTERFACE;
    manner = peer_ask(p->number, SITE_PEER_ATTACH);
    if (manner == ATTACH_REFUSE)
        return STATUS_NOINTERFACE;
    peer_ask_manners(p);
    b = peer_binding_new(p, handle, provider->Number);
    status = propose(p, b, false);
    if (!NT_SUCCESS(status) && manner == ATTACH_RETRY)
        status = propose(p, b, true);
    if (!NT_SUCCESS(status)) {
        b->live = false;
        return status;
    }
    if (manner == ATTACH_CALL_FIRST)
        peer_binding_call(b, npi_callable(peer_other_side(p), CALL_EARLY));
    else if (manner == ATTACH_DEREGISTER_INSIDE)
        peer_deregister_inside(p);
    footprint_world(FOOTPRINT_CALLER, b->number, TOUCH_WRITE);
    b->attaching = false;
    return status;
}
