/* The link NPI for nmrcheck, and who opens, sends and closes. */
#include "precomp.h"
#include <nmrcheck/npi.h>

static const LINK_PROVIDER_CHARACTERISTICS
    given = {LINK_VERSION_2, sizeof given, 1500},
    older = {LINK_VERSION_1, LINK_PROVIDER_CHARACTERISTICS_SIZE_1},
    refused = {LINK_VERSION_2, LINK_PROVIDER_CHARACTERISTICS_SIZE_1},
    newer = {LINK_VERSION_2 + 1, sizeof newer, 1500};

static uintptr_t query(const uintptr_t arguments[NPI_ARGUMENTS_MAX])
{
    *(LINK_STATUS *)arguments[1] = (LINK_STATUS){TRUE, 1000};
    return STATUS_SUCCESS;
}

static const struct npi_function client_functions[] = {
    {"changed", NPI_OFFSET(LINK_CLIENT_DISPATCH, Changed), .flags = NPI_VOID},
    {"send-complete", NPI_OFFSET(LINK_CLIENT_DISPATCH, SendComplete), .flags = NPI_VOID | NPI_ENDS_CALL,
     .arguments = {NPI_CONTEXT, NPI_PENDED(1)}},
};
static const struct npi_function provider_functions[] = {
    {"send", NPI_OFFSET(LINK_PROVIDER_DISPATCH, Send), .flags = NPI_MAY_PEND, .failure = STATUS_DEVICE_NOT_READY},
    {"query", NPI_OFFSET(LINK_PROVIDER_DISPATCH, Query), .failure = STATUS_DEVICE_NOT_READY, .answer = query},
};
static const struct npi link_npi = {
    .name = "LINK", .id = &LINK_NPIID,
    .client = {.table_size = sizeof(LINK_CLIENT_DISPATCH), .table_given = NPI_ALWAYS, NPI_FUNCTIONS(client_functions)},
    .provider = {.table_size = sizeof(LINK_PROVIDER_DISPATCH), .table_given = NPI_ALWAYS,
                 NPI_FUNCTIONS(provider_functions),
                 .characteristics = {&given, sizeof given}, .older = {&older, LINK_PROVIDER_CHARACTERISTICS_SIZE_1},
                 .refused = {&refused, LINK_PROVIDER_CHARACTERISTICS_SIZE_1}, .newer = {&newer, sizeof newer},
                 .characteristics_given = NPI_REQUIRED},
};
const struct npi *const nmrcheck_npis[] = {&link_npi, NULL};

static NTSTATUS NTAPI session(ULONG argument)
{
    PLW_FILE file;
    NTSTATUS status = LwOpen(&file);

    if (!NT_SUCCESS(status))
        return status;
    status = LwSend(file, 16 * argument);
    LwClose(file);
    return status;
}
const struct npi_operation nmrcheck_operations[] = {{"session", session}, {NULL}};
