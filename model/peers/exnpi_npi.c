/*
 * exnpi_npi.c - EXNPI, and its twin for the lower end of a chain, as the simulated counterparts know it.
 */
#include "check.h"
#include "kernel/kernel.h"
#include "peers/peers.h"

#include <initguid.h>

#include <assert.h>
#include <string.h>

#include "modules/exnpi.h"

/* Position of each function in the two tables: what events call the function's number. */
enum { NOTIFY, INDICATE, REQUEST_COMPLETE };
enum { REQUEST, REQUEST_NOTIFY, REQUEST_INDICATE, REQUEST_LATER, QUERY_INSTANCE, INDICATE_COMPLETE };

/* A function that ends a call of the module, in either table. */
static void completed(unsigned peer, unsigned function, PVOID context, const void *pc)
{
    uint32_t binding = peer_callback_enter(peer, function, context, pc);

    (void)peer_callback_body(peer, function, binding, false);
    peer_callback_completed(binding);
    peer_callback_leave(peer, function, binding, STATUS_SUCCESS);
}

/* ---- a client's table: functions for each counterpart, so that a call tells whose table was used */

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

#define CLIENT(peer)                                                    \
    static VOID NTAPI notify_##peer(PVOID context, ULONG code)          \
    {                                                                   \
        (void)code;                                                     \
        notify(peer, context, CALLER());                                \
    }                                                                   \
    static NTSTATUS NTAPI indicate_##peer(PVOID context, ULONG code)    \
    {                                                                   \
        (void)code;                                                     \
        return indicate(peer, context, CALLER());                       \
    }                                                                   \
    static VOID NTAPI request_complete_##peer(PVOID context)            \
    {                                                                   \
        completed(peer, REQUEST_COMPLETE, context, CALLER());           \
    }
CLIENT(0)
CLIENT(1)
CLIENT(2)

static const EXNPI_CLIENT_DISPATCH client_tables[] = {
    {notify_0, indicate_0, request_complete_0},
    {notify_1, indicate_1, request_complete_1},
    {notify_2, indicate_2, request_complete_2}};
static_assert(sizeof client_tables / sizeof *client_tables == PEERS_MAX, "a table for each counterpart");

static void client_dispatch(unsigned peer, void *table)
{
    CHECK(peer < PEERS_MAX);
    memcpy(table, &client_tables[peer], sizeof client_tables[peer]);
}

/* ---- a provider's table */

static NTSTATUS serve(unsigned peer, unsigned function, PVOID context, const void *pc)
{
    uint32_t binding = peer_callback_enter(peer, function, context, pc);
    bool pend = peer_callback_body(peer, function, binding, function == REQUEST_LATER);
    NTSTATUS status = pend ? STATUS_PENDING : STATUS_SUCCESS;

    if (function == REQUEST_NOTIFY)
        peer_callback_calls(binding, NOTIFY);
    else if (function == REQUEST_INDICATE)
        peer_callback_calls(binding, INDICATE);
    else if (function == REQUEST_LATER && !pend)
        peer_callback_calls_later(binding, NOTIFY);
    peer_callback_leave(peer, function, binding, status);
    return status;
}

static ULONG query(unsigned peer, PVOID context, const void *pc)
{
    uint32_t binding = peer_callback_enter(peer, QUERY_INSTANCE, context, pc);

    (void)peer_callback_body(peer, QUERY_INSTANCE, binding, false);
    peer_callback_leave(peer, QUERY_INSTANCE, binding, STATUS_SUCCESS);
    return peer_callback_number(binding);
}

#define SERVE(name, peer, function)                                     \
    static NTSTATUS NTAPI name##_##peer(PVOID context, ULONG code)      \
    {                                                                   \
        (void)code;                                                     \
        return serve(peer, function, context, CALLER());                \
    }
#define PROVIDER(peer)                                                  \
    SERVE(serve_request, peer, REQUEST)                                 \
    SERVE(serve_notify, peer, REQUEST_NOTIFY)                           \
    SERVE(serve_indicate, peer, REQUEST_INDICATE)                       \
    SERVE(serve_later, peer, REQUEST_LATER)                             \
    static ULONG NTAPI serve_query_##peer(PVOID context)                \
    {                                                                   \
        return query(peer, context, CALLER());                          \
    }                                                                   \
    static VOID NTAPI serve_complete_##peer(PVOID context)              \
    {                                                                   \
        completed(peer, INDICATE_COMPLETE, context, CALLER());          \
    }
PROVIDER(0)
PROVIDER(1)
PROVIDER(2)

#define PROVIDER_TABLE(peer) \
    {serve_request_##peer, serve_notify_##peer, serve_indicate_##peer, serve_later_##peer, serve_query_##peer, \
     serve_complete_##peer}
static const EXNPI_PROVIDER_DISPATCH provider_tables[] = {PROVIDER_TABLE(0), PROVIDER_TABLE(1), PROVIDER_TABLE(2)};
static_assert(sizeof provider_tables / sizeof *provider_tables == PEERS_MAX, "a table for each counterpart");

static void provider_dispatch(unsigned peer, void *table)
{
    CHECK(peer < PEERS_MAX);
    memcpy(table, &provider_tables[peer], sizeof provider_tables[peer]);
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

/* ---- calls of a client to the module's provider */

static PCEXNPI_PROVIDER_DISPATCH provider_of(const void *dispatch)
{
    return dispatch;
}

static NTSTATUS request(const void *dispatch, PVOID context, unsigned peer)
{
    return provider_of(dispatch)->Request(context, peer);
}

static NTSTATUS request_notify(const void *dispatch, PVOID context, unsigned peer)
{
    return provider_of(dispatch)->RequestNotify(context, peer);
}

static NTSTATUS request_indicate(const void *dispatch, PVOID context, unsigned peer)
{
    return provider_of(dispatch)->RequestIndicate(context, peer);
}

static NTSTATUS request_later(const void *dispatch, PVOID context, unsigned peer)
{
    return provider_of(dispatch)->RequestLater(context, peer);
}

static NTSTATUS query_instance(const void *dispatch, PVOID context, unsigned peer)
{
    (void)peer;
    return (NTSTATUS)provider_of(dispatch)->QueryInstance(context);
}

static void indicate_complete(const void *dispatch, PVOID context)
{
    provider_of(dispatch)->IndicateComplete(context);
}

static const struct npi_call provider_calls[] = {
    [REQUEST]          = {"request", request, false},
    [REQUEST_NOTIFY]   = {"request-notify", request_notify, false},
    [REQUEST_INDICATE] = {"request-indicate", request_indicate, false},
    [REQUEST_LATER]    = {"request-later", request_later, false},
    [QUERY_INSTANCE]   = {"query-instance", query_instance, true},
};

static bool provider_status_ok(unsigned call, NTSTATUS status, bool low_resources, bool detaching)
{
    switch (status) {
    case STATUS_SUCCESS:
        return true;
    case STATUS_PENDING:
        return call >= REQUEST_LATER;
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

/* ---- calls of a provider to the module's client */

static PCEXNPI_CLIENT_DISPATCH client_of(const void *dispatch)
{
    return dispatch;
}

static NTSTATUS call_notify(const void *dispatch, PVOID context, unsigned peer)
{
    client_of(dispatch)->Notify(context, peer);
    return STATUS_SUCCESS;
}

static NTSTATUS call_indicate(const void *dispatch, PVOID context, unsigned peer)
{
    return client_of(dispatch)->Indicate(context, peer);
}

static void request_complete(const void *dispatch, PVOID context)
{
    client_of(dispatch)->RequestComplete(context);
}

static const struct npi_call client_calls[] = {
    [NOTIFY]           = {"notify", call_notify, false},
    [INDICATE]         = {"indicate", call_indicate, false},
};

static bool client_status_ok(unsigned call, NTSTATUS status, bool low_resources, bool detaching)
{
    (void)detaching;
    switch (status) {
    case STATUS_SUCCESS: case STATUS_PENDING:
        return true;
    case STATUS_INSUFFICIENT_RESOURCES:
        return low_resources && call == INDICATE;
    case STATUS_DELETE_PENDING:             /* also before the attach callback has returned */
        return call == INDICATE;
    default:
        return false;
    }
}

/* Two NPIs with the same tables. */
#define SIDES_OF_EXNPI                                                          \
    {                                                                           \
        [SIDE_CLIENT] = {                                                       \
            .dispatch_size = sizeof(EXNPI_CLIENT_DISPATCH),                     \
            .needs_dispatch = true,                                             \
            .has_characteristics = true,                                        \
            .dispatch = client_dispatch,                                        \
            .characteristics = client_characteristics,                          \
            .calls = client_calls,                                              \
            .call_count = sizeof client_calls / sizeof *client_calls,           \
            .complete = request_complete,                                       \
            .complete_function = REQUEST_COMPLETE,                              \
            .status_ok = client_status_ok,                                      \
        },                                                                      \
        [SIDE_PROVIDER] = {                                                     \
            .dispatch_size = sizeof(EXNPI_PROVIDER_DISPATCH),                   \
            .needs_dispatch = true,                                             \
            .dispatch = provider_dispatch,                                      \
            .calls = provider_calls,                                            \
            .call_count = sizeof provider_calls / sizeof *provider_calls,       \
            .complete = indicate_complete,                                      \
            .complete_function = INDICATE_COMPLETE,                             \
            .status_ok = provider_status_ok,                                    \
        },                                                                      \
    }

const struct npi npi_exnpi = {.name = "EXNPI", .id = &EXNPI_NPIID, .sides = SIDES_OF_EXNPI};
const struct npi npi_exnpi_lower = {.name = "EXNPI-lower", .id = &EXNPI_LOWER_NPIID, .sides = SIDES_OF_EXNPI};
