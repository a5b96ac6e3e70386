#include <nmrcheck/npi.h>

#include "minimal.h"

static const struct npi_function functions[] = {
    {"add", NPI_OFFSET(MINIMAL_PROVIDER_DISPATCH, Add)},
};
static const struct npi minimal = {
    .name = "MINIMAL", .id = &MinimalNpiId,
    .provider = {.table_size = sizeof(MINIMAL_PROVIDER_DISPATCH), NPI_FUNCTIONS(functions)},
};
const struct npi *const nmrcheck_npis[] = {&minimal, NULL};
