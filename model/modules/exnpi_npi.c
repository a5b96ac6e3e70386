/*
 * exnpi_npi.c - EXNPI, and its twin for the lower end of a chain, as the simulated counterparts know it.
 */
#include <nmrcheck/npi.h>

#include <initguid.h>

#include "exnpi.h"

/* Position of each function in the two tables. */
enum { NOTIFY, INDICATE, REQUEST_COMPLETE };
enum { REQUEST, REQUEST_NOTIFY, REQUEST_INDICATE, REQUEST_LATER, QUERY_INSTANCE, INDICATE_COMPLETE };

static const struct npi_function client_functions[] = {
    [NOTIFY]            = {"notify", NPI_OFFSET(EXNPI_CLIENT_DISPATCH, Notify), .flags = NPI_VOID},
    [INDICATE]          = {"indicate", NPI_OFFSET(EXNPI_CLIENT_DISPATCH, Indicate), .flags = NPI_MAY_PEND},
    [REQUEST_COMPLETE]  = {"request-complete", NPI_OFFSET(EXNPI_CLIENT_DISPATCH, RequestComplete),
                           .flags = NPI_VOID | NPI_ENDS_CALL},
};

static const struct npi_function provider_functions[] = {
    [REQUEST]           = {"request", NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, Request)},
    [REQUEST_NOTIFY]    = {"request-notify", NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, RequestNotify),
                           .calls = NPI_CALLS(NOTIFY)},
    [REQUEST_INDICATE]  = {"request-indicate", NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, RequestIndicate),
                           .calls = NPI_CALLS(INDICATE)},
    [REQUEST_LATER]     = {"request-later", NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, RequestLater), .flags = NPI_MAY_PEND,
                           .calls_later = NPI_CALLS(NOTIFY)},
    [QUERY_INSTANCE]    = {"query-instance", NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, QueryInstance),
                           .flags = NPI_INSTANCE},
    [INDICATE_COMPLETE] = {"indicate-complete", NPI_OFFSET(EXNPI_PROVIDER_DISPATCH, IndicateComplete),
                           .flags = NPI_VOID | NPI_ENDS_CALL},
};

/* ---- what a client says about itself */

#define LENGTH sizeof(EXNPI_CLIENT_CHARACTERISTICS)
#define LENGTH_1 EXNPI_CLIENT_CHARACTERISTICS_V1_LENGTH

static const EXNPI_CLIENT_CHARACTERISTICS given = {EXNPI_VERSION_2, LENGTH, 0, 4, 0};
static const EXNPI_CLIENT_CHARACTERISTICS older = {EXNPI_VERSION_1, LENGTH_1, 0, 4, 0};
/* Says version 2, but is too short for that: Length tells. */
static const EXNPI_CLIENT_CHARACTERISTICS refused = {EXNPI_VERSION_2, LENGTH_1, 0, 4, 0};
static const EXNPI_CLIENT_CHARACTERISTICS newer = {EXNPI_VERSION_2 + 1, LENGTH, 0, 4, 0};

/* ---- what the functions may answer */

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
#define SIDES_OF_EXNPI                                          \
    .client = {                                                 \
        .table_size = sizeof(EXNPI_CLIENT_DISPATCH),            \
        .table_given = NPI_REQUIRED,                            \
        NPI_FUNCTIONS(client_functions),                        \
        .characteristics = {&given, LENGTH},                    \
        .older = {&older, LENGTH_1},                            \
        .refused = {&refused, LENGTH_1},                        \
        .newer = {&newer, LENGTH},                              \
        .status_ok = client_status_ok,                          \
    },                                                          \
    .provider = {                                               \
        .table_size = sizeof(EXNPI_PROVIDER_DISPATCH),          \
        .table_given = NPI_REQUIRED,                            \
        NPI_FUNCTIONS(provider_functions),                      \
        .status_ok = provider_status_ok,                        \
    }

static const struct npi exnpi = {.name = "EXNPI", .id = &EXNPI_NPIID, SIDES_OF_EXNPI};
static const struct npi exnpi_lower = {.name = "EXNPI-lower", .id = &EXNPI_LOWER_NPIID, SIDES_OF_EXNPI};

const struct npi *const nmrcheck_npis[] = {&exnpi, &exnpi_lower, NULL};
