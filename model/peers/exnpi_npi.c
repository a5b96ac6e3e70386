/*
 * exnpi_npi.c - EXNPI as the simulated counterparts know it.
 */
#include "check.h"
#include "peers/peers.h"

#include <initguid.h>

#include <assert.h>
#include <string.h>

#include "modules/exnpi.h"

/* Position of each function in the two tables: what events call the function's number. */
enum { NOTIFY, INDICATE };
enum { REQUEST, REQUEST_NOTIFY, REQUEST_INDICATE, REQUEST_LATER, QUERY_INSTANCE, INDICATE_COMPLETE };

/* ---- the client's table: a pair of functions for each counterpart, so that a call tells whose table was used */

static void notify(unsigned peer, PVOID context, const void *pc)
{
    uint32_t binding = peer_callback_enter(peer, NOTIFY, context, pc);

    (void)peer_callback_body(peer, NOTIFY, binding, false);
    peer_callback_leave(peer, NOTIFY, binding, STATUS_SUCCESS);
}

static NTSTATUS indicate(unsigned peer, PVOID context, const void *pc)
{
    uint32_t binding = peer_callback_enter(peer, INDICATE, context, pc);
    NTSTATUS status = peer_callback_body(peer, INDICATE, binding, true) ? STATUS_PENDING : STATUS_SUCCESS;

    peer_callback_leave(peer, INDICATE, binding, status);
    return status;
}

/* Inside the call instruction, not behind it. */
#define CALLED_FROM ((const char *)__builtin_return_address(0) - 1)

#define CLIENT(peer)                                                    \
    static VOID NTAPI notify_##peer(PVOID context, ULONG code)          \
    {                                                                   \
        (void)code;                                                     \
        notify(peer, context, CALLED_FROM);                             \
    }                                                                   \
    static NTSTATUS NTAPI indicate_##peer(PVOID context, ULONG code)    \
    {                                                                   \
        (void)code;                                                     \
        return indicate(peer, context, CALLED_FROM);                    \
    }
CLIENT(0)
CLIENT(1)
CLIENT(2)

static const EXNPI_CLIENT_DISPATCH client_tables[] = {
    {notify_0, indicate_0}, {notify_1, indicate_1}, {notify_2, indicate_2}};
static_assert(sizeof client_tables / sizeof *client_tables == PEERS_MAX, "a table for each counterpart");

static void client_dispatch(unsigned peer, void *table)
{
    CHECK(peer < PEERS_MAX);
    memcpy(table, &client_tables[peer], sizeof client_tables[peer]);
}

/* ---- what the client says about itself: values of PEER_CHARACTERISTICS */

static size_t client_characteristics(unsigned variant, void *bytes, unsigned *flags)
{
    enum { VARIANT_NULL = 1, VARIANT_SHORT, VARIANT_REFUSED, VARIANT_NEWER = 5, VARIANTS };
    EXNPI_CLIENT_CHARACTERISTICS c = {EXNPI_VERSION_2, sizeof c, 0, 4, 0};
    size_t size = sizeof c;

    CHECK(variant != VARIANT_NULL && variant < VARIANTS);
    *flags = 0;
    if (variant == VARIANT_SHORT) {         /* all that version 1 had */
        c.Version = EXNPI_VERSION_1;
        size = EXNPI_CLIENT_CHARACTERISTICS_V1_LENGTH;
        *flags = ATTACH_SHORT;
    } else if (variant == VARIANT_REFUSED) {    /* says version 2, but is too short for that: Length tells */
        size = EXNPI_CLIENT_CHARACTERISTICS_V1_LENGTH;
        *flags = ATTACH_MUST_REFUSE | ATTACH_SHORT;
    } else if (variant == VARIANT_NEWER) {  /* a version that is not known here */
        c.Version = EXNPI_VERSION_2 + 1;
        *flags = ATTACH_MUST_REFUSE;
    }
    c.Length = (USHORT)size;
    memcpy(bytes, &c, size);
    return size;
}

/* ---- the provider's table */

static PCEXNPI_PROVIDER_DISPATCH table_of(const void *dispatch)
{
    return dispatch;
}

static NTSTATUS request(const void *dispatch, PVOID context, unsigned peer)
{
    return table_of(dispatch)->Request(context, peer);
}

static NTSTATUS request_notify(const void *dispatch, PVOID context, unsigned peer)
{
    return table_of(dispatch)->RequestNotify(context, peer);
}

static NTSTATUS request_indicate(const void *dispatch, PVOID context, unsigned peer)
{
    return table_of(dispatch)->RequestIndicate(context, peer);
}

static NTSTATUS request_later(const void *dispatch, PVOID context, unsigned peer)
{
    return table_of(dispatch)->RequestLater(context, peer);
}

static NTSTATUS query_instance(const void *dispatch, PVOID context, unsigned peer)
{
    (void)peer;
    return (NTSTATUS)table_of(dispatch)->QueryInstance(context);
}

static void indicate_complete(const void *dispatch, PVOID context)
{
    table_of(dispatch)->IndicateComplete(context);
}

static const struct npi_call calls[] = {
    [REQUEST]          = {"request", request, false},
    [REQUEST_NOTIFY]   = {"request-notify", request_notify, false},
    [REQUEST_INDICATE] = {"request-indicate", request_indicate, false},
    [REQUEST_LATER]    = {"request-later", request_later, false},
    [QUERY_INSTANCE]   = {"query-instance", query_instance, true},
};

static bool status_ok(unsigned call, NTSTATUS status, bool low_resources, bool detaching)
{
    switch (status) {
    case STATUS_SUCCESS:
        return true;
    case STATUS_INSUFFICIENT_RESOURCES:
        return low_resources && call <= REQUEST_LATER;
    case STATUS_DELETE_PENDING:
        return detaching && call <= REQUEST_LATER;
    case STATUS_NOT_SUPPORTED:
        return call >= REQUEST_NOTIFY && call <= REQUEST_LATER;
    default:
        return call == QUERY_INSTANCE;
    }
}

const struct npi npi_exnpi = {
    .name = "EXNPI",
    .id = &EXNPI_NPIID,
    .client_dispatch_size = sizeof(EXNPI_CLIENT_DISPATCH),
    .provider_dispatch_size = sizeof(EXNPI_PROVIDER_DISPATCH),
    .client_dispatch = client_dispatch,
    .client_characteristics = client_characteristics,
    .calls = calls,
    .call_count = sizeof calls / sizeof *calls,
    .complete = indicate_complete,
    .complete_function = INDICATE_COMPLETE,
    .needs_client_dispatch = true,
    .status_ok = status_ok,
};
