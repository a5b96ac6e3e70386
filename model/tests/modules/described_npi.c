/* described_npi.c - a description that uses what descriptions are for. */
#include <nmrcheck/npi.h>

#include "described.h"

static uintptr_t answer(const uintptr_t arguments[NPI_ARGUMENTS_MAX])
{
    *(ULONG *)arguments[0] = (ULONG)arguments[1];
    *(ULONG *)arguments[3] = 42;
    return STATUS_SUCCESS;
}

static const struct npi_function client_functions[] = {
    {"indicate", NPI_OFFSET(STORE_CLIENT_DISPATCH, Indicate), .flags = NPI_NO_CONTEXT, .answer = answer,
     .failure = STATUS_DEVICE_BUSY},
    {"note", NPI_OFFSET(STORE_CLIENT_DISPATCH, Note), .flags = NPI_VOID | NPI_IN_TEARDOWN},
};

static NTSTATUS flush(const void *table, PVOID context, ULONG number)
{
    UCHAR buffer[8] = {0};
    NTSTATUS status = ((const STORE_PROVIDER_DISPATCH *)table)->Flush(buffer, context);

    (void)number;
    return status == STATUS_SUCCESS && buffer[7] != 1 ? STATUS_UNSUCCESSFUL : status;
}

static const struct npi_function provider_functions[] = {
    {"send", NPI_OFFSET(STORE_PROVIDER_DISPATCH, Send), .arguments = {NPI_CONTEXT, NPI_BUFFER(48), NPI_VALUE(48)}},
    {"flush", NPI_OFFSET(STORE_PROVIDER_DISPATCH, Flush), .call = flush, .flags = NPI_IN_TEARDOWN},
};

static const STORE_CLIENT_DISPATCH table = {.Header = {STORE_VERSION, sizeof table}};
static const STORE_CHARACTERISTICS given = {{1, sizeof given}, STORE_KIND, "client"};
static const STORE_CHARACTERISTICS other_kind = {{1, sizeof other_kind}, STORE_KIND + 1, "client"};

static bool status_ok(unsigned call, NTSTATUS status, bool low_resources, bool detaching)
{
    (void)low_resources;
    return status == STATUS_SUCCESS || (status == STATUS_DELETE_PENDING && detaching) ||
           (status == STATUS_DEVICE_BUSY && call == 0);
}

static const struct npi store = {
    .name = "STORE",
    .id = &STORE_NPIID,
    .client = {
        .table_size = sizeof table,
        .table = &table,
        .table_given = NPI_ALWAYS,
        NPI_FUNCTIONS(client_functions),
        .characteristics = {&given, sizeof given},
        .newer = {&other_kind, sizeof other_kind},
        .characteristics_given = NPI_ALWAYS,
        .version = STORE_VERSION,
        .number = STORE_NUMBER,
        .module_id = &StoreModuleId,
    },
    .provider = {
        .table_size = sizeof(STORE_PROVIDER_DISPATCH),
        .table_given = NPI_REQUIRED,
        NPI_FUNCTIONS(provider_functions),
        .status_ok = status_ok,
    },
};

const struct npi *const nmrcheck_npis[] = {&store, NULL};

static NTSTATUS NTAPI open_and_close(ULONG argument)
{
    NTSTATUS status = StoreOpen();

    (void)argument;
    StoreClose();
    return status;
}

/* What the description itself remembers begins anew in each execution. */
static NTSTATUS NTAPI count(ULONG argument)
{
    static ULONG calls;

    (void)argument;
    return (NTSTATUS)(calls++ << 8 | StoreOpened());
}

const struct npi_registry_value nmrcheck_registry[] = {
    {L"StoreKind", REG_DWORD, &(const ULONG){STORE_KIND}, sizeof(ULONG)},
    {L"Id", REG_BINARY, &STORE_NPIID, sizeof STORE_NPIID},
    {NULL},
};

const struct npi_operation nmrcheck_operations[] = {{"open-and-close", open_and_close}, {"count", count}, {NULL, NULL}};

NMRCHECK_STUB_YIELDS(OtherReady, TRUE)
NMRCHECK_STUB_MAY_FAIL(OtherAllocate, 1, 0)
NMRCHECK_STUB(OtherNote, 0)
