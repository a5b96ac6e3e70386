/* one_context_npi.c - the NPI of one_context.c: of the client's side, which is the driver's, nothing is said. */
#include <ntddk.h>

#include <nmrcheck/npi.h>

extern const NPIID NpiId;

static const struct npi one_context = {
    .name = "ONE-CONTEXT",
    .id = &NpiId,
    .provider = {.table_size = sizeof(PVOID), .table_given = NPI_OPTIONAL},
};

const struct npi *const nmrcheck_npis[] = {&one_context, NULL};
