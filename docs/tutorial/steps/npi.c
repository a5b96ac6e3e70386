#include "beacon.h"
#include <nmrcheck/npi.h>

static const BEACON_CLIENT_CHARACTERISTICS client = {BEACON_VERSION, sizeof client};
static const BEACON_CLIENT_CHARACTERISTICS newer_client = {BEACON_VERSION + 1, sizeof newer_client};

static const struct npi_function client_functions[] = {
    {"news", NPI_OFFSET(BEACON_CLIENT_DISPATCH, News), .flags = NPI_VOID},
};

static const struct npi beacon = {
    .name = "BEACON",
    .id = &BEACON_NPIID,
    .client = {
        .table_size = sizeof(BEACON_CLIENT_DISPATCH),
        .table_given = NPI_REQUIRED,
        NPI_FUNCTIONS(client_functions),
        .characteristics = {&client, sizeof client},
        .newer = {&newer_client, sizeof newer_client},
        .characteristics_given = NPI_REQUIRED,
    },
};
const struct npi *const nmrcheck_npis[] = {&beacon, NULL};

const struct npi_operation nmrcheck_operations[] = {{"post", BeaconPost}, {NULL}};
