/* The flow metering NPI for nmrcheck, and what drives the flow meter from outside. */
#include "precomp.h"
#include <nmrcheck/npi.h>

static const FLOW_CLIENT_CHARACTERISTICS given = {FLOW_NPI_VERSION, 0}, newer = {FLOW_NPI_VERSION + 1, 0};
static const FLOW_CLIENT_DISPATCH client_table = {.Version = FLOW_NPI_VERSION};

static const struct npi_function client_functions[] = {
    {"sample", NPI_OFFSET(FLOW_CLIENT_DISPATCH, Sample), .flags = NPI_VOID},
};
static const struct npi_function provider_functions[] = {
    {"query", NPI_OFFSET(FLOW_PROVIDER_DISPATCH, Query),
     .arguments = {NPI_CONTEXT, NPI_NUMBER, NPI_BUFFER(sizeof(FLOW_SAMPLE))}},
    {"replay", NPI_OFFSET(FLOW_PROVIDER_DISPATCH, Replay)},
};

static bool provider_status_ok(unsigned call, NTSTATUS status, bool low_resources, bool detaching)
{
    switch (status) {
    case STATUS_SUCCESS: return true;
    case STATUS_NOT_FOUND: return call == 0;
    case STATUS_DELETE_PENDING: return call == 1 && detaching;
    case STATUS_INSUFFICIENT_RESOURCES: return call == 1 && low_resources;
    default: return false;
    }
}

static const struct npi flow = {
    .name = "FLOW", .id = &FLOW_NPIID,
    .client = {.table_size = sizeof(FLOW_CLIENT_DISPATCH), .table = &client_table, .table_given = NPI_REQUIRED,
               NPI_FUNCTIONS(client_functions), .characteristics = {&given, sizeof given},
               .newer = {&newer, sizeof newer}, .characteristics_given = NPI_REQUIRED},
    .provider = {.table_size = sizeof(FLOW_PROVIDER_DISPATCH), NPI_FUNCTIONS(provider_functions),
                 .status_ok = provider_status_ok},
};
const struct npi *const nmrcheck_npis[] = {&flow, NULL};

static NTSTATUS NTAPI record(ULONG argument)
{
    return FmRecord(argument, 1500);
}
const struct npi_operation nmrcheck_operations[] = {{"record", record}, {NULL}};

/* The classification engine's, which may fail: it writes, so a line of NMRCHECK_STUB would not do. */
NTSTATUS NTAPI ClsLookupFlow(unsigned long Tuple, unsigned long *FlowId)
{
    *FlowId = Tuple;
    return (NTSTATUS)nmrcheck_external(STATUS_SUCCESS, 1, STATUS_NOT_FOUND);
}
