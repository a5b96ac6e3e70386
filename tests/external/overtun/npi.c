/* The tunnel NPI above and the carrier NPI below, for nmrcheck; and what the management driver does. */
#include "precomp.h"
#include <nmrcheck/npi.h>

enum { PACKET = 64 };

static const struct npi_function above_functions[] = {
    {"receive", NPI_OFFSET(TUNNEL_CLIENT_DISPATCH, Receive), .flags = NPI_VOID},
};
static const struct npi_function tunnel_functions[] = {
    {"transmit", NPI_OFFSET(TUNNEL_PROVIDER_DISPATCH, Transmit),
     .arguments = {NPI_CONTEXT, NPI_BUFFER(PACKET), NPI_VALUE(PACKET)}},
    {"get-mtu", NPI_OFFSET(TUNNEL_PROVIDER_DISPATCH, GetMtu), .flags = NPI_VOID},
};
static const struct npi tunnel = {
    .name = "TUNNEL", .id = &TUNNEL_NPIID,
    .client = {.table_size = sizeof(TUNNEL_CLIENT_DISPATCH), .table_given = NPI_ALWAYS, NPI_FUNCTIONS(above_functions)},
    .provider = {.table_size = sizeof(TUNNEL_PROVIDER_DISPATCH), NPI_FUNCTIONS(tunnel_functions)},
};

static const CARRIER_PROVIDER_DISPATCH carrier_table = {.Size = sizeof carrier_table, .Mtu = 80};
static const CARRIER_CLIENT_CHARACTERISTICS characteristics = {CARRIER_CLIENT_VERSION, OT_HEADER_LENGTH};

static const struct npi_function overlay_functions[] = {
    {"receive", NPI_OFFSET(CARRIER_CLIENT_DISPATCH, Receive), .flags = NPI_VOID,
     .arguments = {NPI_CONTEXT, NPI_BUFFER(PACKET), NPI_VALUE(PACKET)}},
};
static const struct npi_function carrier_functions[] = {
    {"transmit", NPI_OFFSET(CARRIER_PROVIDER_DISPATCH, Transmit), .failure = STATUS_DEVICE_NOT_READY,
     .calls_later = NPI_CALLS(0)},
};
static const struct npi carrier = {
    .name = "CARRIER", .id = &CARRIER_NPIID,
    .client = {.table_size = sizeof(CARRIER_CLIENT_DISPATCH), NPI_FUNCTIONS(overlay_functions),
               .characteristics = {&characteristics, sizeof characteristics}},
    .provider = {.table_size = sizeof(CARRIER_PROVIDER_DISPATCH), .table = &carrier_table, .table_given = NPI_ALWAYS,
                 NPI_FUNCTIONS(carrier_functions)},
};
const struct npi *const nmrcheck_npis[] = {&tunnel, &carrier, NULL};

static NTSTATUS NTAPI probe(ULONG argument)
{
    return OtProbe(argument);
}

static NTSTATUS NTAPI loopback(ULONG argument)
{
    return OtLoopback(argument);
}
const struct npi_operation nmrcheck_operations[] = {{"probe", probe}, {"loopback", loopback}, {NULL}};
