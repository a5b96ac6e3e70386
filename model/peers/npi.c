/*
 * npi.c - NPI descriptions at work: tables of counterparts, calls through the module's, NPIs that nobody described.
 *
 * A counterpart's table holds functions of its own, so that a call tells whose table was used.  All have one type: on
 * the machines that this runs on, a function finds its first six integers and pointers at the same places whatever its
 * type is, and finds there what it is passed more than it takes.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "choice.h"
#include "kernel/kernel.h"
#include "peers/state.h"
#include "sched.h"

typedef uintptr_t word;
typedef word function(word, word, word, word, word, word);

static_assert(NPI_ARGUMENTS_MAX == 6, "words that a function is passed");

#define THUNK(peer, number)                                                                                     \
    static word thunk_##peer##_##number(word a, word b, word c, word d, word e, word f)                         \
    {                                                                                                           \
        return peer_callback(peer, number, (const word[NPI_ARGUMENTS_MAX]){a, b, c, d, e, f}, CALLER());        \
    }
#define NAME(peer, number) thunk_##peer##_##number,
#define EIGHT(what, peer, tens)                                                                                 \
    what(peer, tens##0) what(peer, tens##1) what(peer, tens##2) what(peer, tens##3)                             \
    what(peer, tens##4) what(peer, tens##5) what(peer, tens##6) what(peer, tens##7)
/* In octal. */
#define EACH(what, peer) EIGHT(what, peer, 0) EIGHT(what, peer, 01) EIGHT(what, peer, 02) EIGHT(what, peer, 03)

EACH(THUNK, 0)
EACH(THUNK, 1)
EACH(THUNK, 2)

static function *const thunks[][NPI_FUNCTIONS_MAX] = {{EACH(NAME, 0)}, {EACH(NAME, 1)}, {EACH(NAME, 2)}};
static_assert(sizeof thunks / sizeof *thunks == PEERS_MAX, "a table for each counterpart");

/* ---- descriptions */

static bool is_callable(const struct npi_function *f)
{
    return !(f->flags & (NPI_ENDS_CALL | NPI_NEVER));
}

int npi_callable(const struct npi_side *side, unsigned call)
{
    unsigned count = 0;

    for (unsigned i = 0; i < side->function_count; i++)
        count += is_callable(&side->functions[i]);
    if (count == 0)
        return -1;
    call %= count;
    for (unsigned i = 0;; i++)
        if (is_callable(&side->functions[i]) && call-- == 0)
            return (int)i;
}

static const struct npi_function *ending(const struct npi_side *side)
{
    for (unsigned i = 0; i < side->function_count; i++)
        if (side->functions[i].flags & NPI_ENDS_CALL)
            return &side->functions[i];
    return NULL;
}

bool peer_ends_calls(const struct npi_side *side)
{
    return ending(side) != NULL;
}

unsigned peer_ending_function(const struct npi_side *side)
{
    CHECK(ending(side));
    return (unsigned)(ending(side) - side->functions);
}

size_t npi_put_table(const struct peer *p, void *table)
{
    const struct npi_side *side = peer_side(p);

    CHECK(side->table_size <= NPI_TABLE_MAX && side->function_count <= NPI_FUNCTIONS_MAX);
    if (side->table)
        memcpy(table, side->table, side->table_size);
    else
        memset(table, 0, side->table_size);
    for (unsigned i = 0; i < side->function_count; i++) {
        size_t offset = side->functions[i].offset;

        CHECK(offset + sizeof(function *) <= side->table_size);
        memcpy((char *)table + offset, &thunks[p->number][i], sizeof(function *));
    }
    return side->table_size;
}

/* ---- calls of the module's functions */

/* The words to pass; `buffers` is where what they point to lies. */
static void make_arguments(const struct npi_function *f, PVOID context, unsigned peer, const word *pended,
                           char *buffers, word *words)
{
    static const uint64_t usual[NPI_ARGUMENTS_MAX] = {NPI_CONTEXT, NPI_NUMBER};
    const uint64_t *arguments = f->arguments[0] ? f->arguments : usual;
    size_t used = 0;

    for (unsigned i = 0; i < NPI_ARGUMENTS_MAX; i++) {
        uint64_t value = arguments[i] & ((UINT64_C(1) << 56) - 1);

        switch (arguments[i] & ~((UINT64_C(1) << 56) - 1)) {
        case NPI_CONTEXT:
            words[i] = (word)context;
            break;
        case NPI_NUMBER:
            words[i] = peer;
            break;
        case NPI_BUFFER(0):
            CHECK(used + value <= NPI_BUFFERS_MAX);
            words[i] = (word)(buffers + used);
            used += (value + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
            break;
        case NPI_PENDED(0):
            words[i] = pended ? pended[value % NPI_ARGUMENTS_MAX] : 0;
            break;
        default:
            words[i] = value;
            break;
        }
    }
}

/* Newer compilers' sanitizers would have the type of a function that is called be its own. */
#if defined(__clang__) && __clang_major__ >= 17
__attribute__((no_sanitize("function")))
#endif
NTSTATUS npi_call(const struct npi_function *f, const void *entry, const void *table, PVOID context, unsigned peer,
                  const uintptr_t *pended)
{
    _Alignas(16) char buffers[NPI_BUFFERS_MAX];
    word w[NPI_ARGUMENTS_MAX], result;

    if (f->call)
        return f->call(table, context, peer);
    if (f->arguments[1])
        memset(buffers, 0, sizeof buffers);
    make_arguments(f, context, peer, pended, buffers, w);
    result = ((function *)(uintptr_t)entry)(w[0], w[1], w[2], w[3], w[4], w[5]);
    return f->flags & NPI_VOID ? STATUS_SUCCESS : (NTSTATUS)(uint32_t)result;
}

/* ---- NPIs that nobody described: a table of functions of which only the number is known */

#define UNKNOWN(peer, number) {"function " #number, (number) * sizeof(function *), .flags = NPI_NO_CONTEXT},
static const struct npi_function unknown_functions[NPI_FUNCTIONS_MAX] = {
    EACH(UNKNOWN, 0)
};

/* The module's own side: it may have a table and characteristics of any size, which nobody looks at. */
#define MODULE_SIDE {.characteristics = {"", 1}}

const struct npi npi_any = {.name = "any NPI", .client = MODULE_SIDE, .provider = MODULE_SIDE};

void npi_unknown(struct npi *npi, NPIID *id, const NPIID *seen, enum side side)
{
    static const struct npi_side counterpart = {
        .table_size = sizeof(function *) * NPI_FUNCTIONS_MAX,
        .table_given = NPI_ALWAYS,          /* nobody says that a module has to do without */
        NPI_FUNCTIONS(unknown_functions),
    };
    static const struct npi_side module = MODULE_SIDE;

    *id = *seen;
    *npi = (struct npi){
        .name = "an NPI without description",
        .id = id,
        .client = side == SIDE_CLIENT ? module : counterpart,
        .provider = side == SIDE_PROVIDER ? module : counterpart,
    };
}

/* ---- what descriptions call */

uintptr_t nmrcheck_external(uintptr_t value, int may_fail, uintptr_t failure)
{
    sched_point(SITE_EXTERNAL);
    return may_fail && choice_ask(CHOICE_FAULT, sched_self(), SITE_EXTERNAL, 2) ? failure : value;
}
