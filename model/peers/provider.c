/* provider.c - how a simulated provider attaches the module's client. */
#include "event.h"
#include "nmr/nmr.h"
#include "peers/state.h"

/* Answers of PEER_PROVIDER_ATTACH, in the order of sites.def. */
enum {
    ATTACH_ACCEPT, ATTACH_REFUSE, ATTACH_FAIL, ATTACH_FAIL_ODDLY, ATTACH_CALL_FIRST, ATTACH_DEREGISTER_INSIDE,
    ATTACH_PENDING                          /* a status that no provider may return: outside the contract */
};
enum { GIVEN, OMITTED };

enum { CALL_EARLY = 1 };                    /* the call made while the client is still in its attach callback */

NTSTATUS NTAPI provider_attach(HANDLE handle, PVOID context, PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
                               const VOID *client_dispatch, PVOID *provider_context, const VOID **provider_dispatch)
{
    struct peer *p = context;
    unsigned manner = peer_ask(p->number, SITE_PEER_PROVIDER_ATTACH);
    struct peer_binding *b;

    switch (manner) {
    case ATTACH_REFUSE:
        return STATUS_NOINTERFACE;
    case ATTACH_FAIL:
        return STATUS_INSUFFICIENT_RESOURCES;
    case ATTACH_FAIL_ODDLY:
        return STATUS_UNSUCCESSFUL;
    default:
        break;
    }
    peer_ask_manners(p);
    b = peer_binding_new(p, handle, client->Number);
    b->attaching = false;
    *provider_context = b->context;
    *provider_dispatch = p->dispatch == OMITTED ? NULL : p->table;
    if (manner == ATTACH_PENDING)           /* and keeps away from the client, which cannot know what that means */
        return STATUS_PENDING;
    if (manner == ATTACH_DEREGISTER_INSIDE)
        peer_deregister_inside(p);
    /* Last: no thread of the provider's calls the client before this returns. */
    peer_binding_attached(b, client_context, client_dispatch);
    if (manner == ATTACH_CALL_FIRST)
        peer_binding_call_later(b, npi_callable(peer_other_side(p), CALL_EARLY));
    return STATUS_SUCCESS;
}
