/*
 * orders.c - every order in which the mock NMR lets one client and one provider see things happen.
 *
 * The two register, are attached or not, deregister and wait, each on a thread of its own; each side answers its detach
 * callback with STATUS_SUCCESS, or with STATUS_PENDING and completes inside it or on another thread, while it runs or
 * after it.  All interleavings and all of NMR's choices that matter to them are executed.  Printed is what the modules
 * saw, each different sequence on a line of its own, in the words of model/nmr.pml, which must allow the same lines
 * and no others (orders.sh).
 *
 *     orders [CHOICE]         CHOICE, a site's name such as cleanup-order, always gets its dull answer: a poorer NMR
 *
 * Calls are written down when NMR acts on them, callbacks by the module.  NMR acts, or a callback begins or ends,
 * at a scheduling point of its own, so that nothing is glued together that a module could see apart.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "event.h"
#include "execution.h"
#include "kernel/kernel.h"
#include "nmr/nmr.h"
#include "sites.h"
#include "strategy.h"
#include "world.h"

enum { LINE_BYTES = 1024, LINES_MAX = 1 << 16 };
enum detach_manner { AT_ONCE, INSIDE, BY_ANOTHER_THREAD, DETACH_MANNERS };

struct party {
    HANDLE handle, binding;
};

static struct party parties[2];             /* by enum side */
static char line[LINE_BYTES];
static unsigned happenings;

static const NPIID npi_id = {0x5bd0a9c2, 3, 7, {1, 2, 3, 4, 5, 6, 7, 8}};
static const char dispatch_table[2][8];
static const struct npi npi = {
    .name = "orders",
    .id = &npi_id,
    .client = {.table_size = sizeof dispatch_table[0]},
    .provider = {.table_size = sizeof dispatch_table[1]},
};

const struct npi *world_npi(const NPIID *id, enum side side)
{
    (void)side;
    return memcmp(id, &npi_id, sizeof *id) == 0 ? &npi : NULL;
}

/* ---- what is seen */

static void record(enum side side, const char *what)
{
    size_t length = strlen(line);

    snprintf(line + length, sizeof line - length, "%s%c.%s", length ? " " : "", side == SIDE_CLIENT ? 'C' : 'P',
             what);
    CHECK(strlen(line) < sizeof line - 1);
    happenings++;
}

static void judge(const struct event *e)
{
    if (e->kind == EV_ENTER + FRAME_NMR_REGISTER)
        record((enum side)e->value, "register");
    else if (e->kind == EV_ENTER + FRAME_NMR_DEREGISTER)
        record((enum side)e->value, "deregister");
    else if (e->kind == EV_ENTER + FRAME_NMR_COMPLETE)
        record((enum side)e->value, "complete");
    else if (e->kind == EV_REGISTRATION_STATE || e->kind == EV_BINDING_STATE)
        happenings++;
}

/* Something happens to a module that others could see before or after what they do themselves. */
static void happens(enum side side, const char *what)
{
    sched_point(SITE_IN_CALLBACK);
    record(side, what);
}

static unsigned choose(enum side side, unsigned site, unsigned answers)
{
    return choice_ask(CHOICE_PEER, side, site, answers);
}

/* ---- attach */

static NTSTATUS client_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    struct party *client = context;
    PVOID provider_context;
    const VOID *provider_dispatch;
    NTSTATUS status = STATUS_NOINTERFACE;

    (void)provider;
    happens(SIDE_CLIENT, "attach");
    client->binding = binding;
    if (choose(SIDE_CLIENT, SITE_PEER_ATTACH, 2) == 0)
        status = nmr_client_attach_provider(CALLER_MODULE, binding, client, dispatch_table[SIDE_CLIENT],
                                            &provider_context, &provider_dispatch, NULL);
    happens(SIDE_CLIENT, status == STATUS_SUCCESS ? "attach=success" : "attach=refused");
    return status;
}

static NTSTATUS provider_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                                PVOID client_context, const VOID *client_dispatch, PVOID *provider_context,
                                const VOID **provider_dispatch)
{
    struct party *provider = context;

    (void)client;
    (void)client_context;
    (void)client_dispatch;
    provider->binding = binding;
    if (choose(SIDE_PROVIDER, SITE_PEER_ATTACH, 2) == 1) {
        happens(SIDE_PROVIDER, "attach=refused");
        return STATUS_NOINTERFACE;
    }
    happens(SIDE_PROVIDER, "attach=success");
    *provider_context = provider;
    *provider_dispatch = dispatch_table[SIDE_PROVIDER];
    return STATUS_SUCCESS;
}

/* ---- detach and cleanup */

static enum side side_of(const struct party *p)
{
    return p == &parties[SIDE_CLIENT] ? SIDE_CLIENT : SIDE_PROVIDER;
}

static void complete(void *context)
{
    struct party *p = context;

    nmr_detach_complete(CALLER_MODULE, side_of(p), p->binding, NULL);
}

static NTSTATUS detach(PVOID context)
{
    struct party *p = context;
    enum side side = side_of(p);
    unsigned manner;

    happens(side, "detach");
    manner = choose(side, SITE_PEER_DETACH, DETACH_MANNERS);
    if (manner == INSIDE)
        complete(p);
    else if (manner == BY_ANOTHER_THREAD)
        sched_spawn(FIRST_WORKER, complete, p);
    happens(side, manner != AT_ONCE ? "detach=pending" : "detach=success");
    return manner != AT_ONCE ? STATUS_PENDING : STATUS_SUCCESS;
}

static VOID cleanup(PVOID context)
{
    happens(side_of(context), "cleanup");
    happens(side_of(context), "cleaned");
}

/* ---- the two threads */

static NPI_MODULEID module_id = {.Length = sizeof module_id, .Type = MIT_GUID};

#define INSTANCE {.Size = sizeof(NPI_REGISTRATION_INSTANCE), .NpiId = &npi_id, .ModuleId = &module_id}

static NPI_CLIENT_CHARACTERISTICS client_characteristics = {
    .Length = sizeof client_characteristics,
    .ClientAttachProvider = client_attach,
    .ClientDetachProvider = detach,
    .ClientCleanupBindingContext = cleanup,
    .ClientRegistrationInstance = INSTANCE,
};
static NPI_PROVIDER_CHARACTERISTICS provider_characteristics = {
    .Length = sizeof provider_characteristics,
    .ProviderAttachClient = provider_attach,
    .ProviderDetachClient = detach,
    .ProviderCleanupBindingContext = cleanup,
    .ProviderRegistrationInstance = INSTANCE,
};

static void live(struct party *p)
{
    enum side side = side_of(p);

    if (side == SIDE_CLIENT)
        nmr_register_client(CALLER_MODULE, 0, &client_characteristics, p, &p->handle, NULL);
    else
        nmr_register_provider(CALLER_MODULE, 0, &provider_characteristics, p, &p->handle, NULL);
    CHECK(nmr_deregister(CALLER_MODULE, side, p->handle, NULL) == STATUS_PENDING);
    CHECK(nmr_wait(CALLER_MODULE, side, p->handle, NULL) == STATUS_SUCCESS);
    record(side, "wait=success");
}

static void live_provider(void *unused)
{
    (void)unused;
    live(&parties[SIDE_PROVIDER]);
}

static void live_both(void *script)
{
    (void)script;
    sched_spawn(0, live_provider, NULL);
    live(&parties[SIDE_CLIENT]);
}

/* ---- choices */

static struct strategy_dfs dfs_state;
static struct strategy dfs;
static unsigned kept_dull = SITE_NONE;

/* What modules cannot see in the order of their callbacks is left dull: IRQL, faults, what variables hold. */
static bool matters(const struct choice_point *p)
{
    if (p->kind != CHOICE_SYSTEM)
        return p->kind == CHOICE_SWITCH || p->kind == CHOICE_PEER;
    return p->site != kept_dull && (p->site == SITE_ND_DETACH_ORDER || p->site == SITE_ND_CLEANUP_ORDER ||
                                    p->site == SITE_ND_CLEANUP_THREAD || p->site == SITE_ND_COMPLETE_INSIDE);
}

/*
 * A thread is not left where nothing was written down, and no registration or binding changed its state, since
 * threads could last be switched: what it did since is nothing to the others, so they may as well have gone first.
 */
static unsigned last_switch;

static bool nothing_happened(const struct choice_point *p)
{
    bool nothing = !p->forced && happenings == last_switch;

    last_switch = happenings;
    return nothing;
}

static unsigned answer(void *state, const struct choice_point *p)
{
    (void)state;
    if (!matters(p) || (p->kind == CHOICE_SWITCH && nothing_happened(p)))
        return 0;
    return dfs.answer(dfs.state, p);
}

static void begin(void *state)
{
    (void)state;
    last_switch = UINT_MAX;
    dfs.begin(dfs.state);
}

/* ---- all executions */

/* Lines are told apart by their 64-bit hashes: a set with open addressing, half full at most. */
static bool is_new(void)
{
    static uint64_t set[2 * LINES_MAX];
    static unsigned count;
    uint64_t hash = 0xCBF29CE484222325;
    size_t slot;

    for (const char *c = line; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001B3;
    for (slot = hash % (2 * LINES_MAX); set[slot]; slot = (slot + 1) % (2 * LINES_MAX))
        if (set[slot] == hash)
            return false;
    CHECK(++count <= LINES_MAX);
    set[slot] = hash;
    return true;
}

static void reset(void)
{
    kernel_reset();
    nmr_reset();
    memset(parties, 0, sizeof parties);
    line[0] = '\0';
    happenings = 0;
}

static uint64_t run_all(void)
{
    static const struct scenario none;
    struct program program = {.name = "orders", .words = &model_words, .reset = reset, .main = live_both};
    struct strategy strategy = {.name = "orders", .begin = begin, .answer = answer};
    uint64_t executions = 0;

    dfs = strategy_dfs(&dfs_state, UINT32_MAX, UINT32_MAX);
    do {
        enum verdict verdict = execution_run(&program, &none, &strategy).verdict;

        executions++;
        if (verdict != VERDICT_PASS)
            strcat(strcpy(line, "the execution ended otherwise: "), verdict_name(verdict));
        if (is_new())
            puts(line);
    } while (strategy_dfs_next(&dfs_state));
    CHECK(!dfs_state.clipped);
    return executions;
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; argc == 2 && i < model_words.site_count; i++)
        if (strcmp(model_words.sites[i].name, argv[1]) == 0)
            kept_dull = i;
    if (argc > 2 || (argc == 2 && kept_dull == SITE_NONE)) {
        fprintf(stderr, "usage: orders [CHOICE]\n");
        return 2;
    }
    event_add_judge(judge);
    fprintf(stderr, "%llu executions\n", (unsigned long long)run_all());
    return 0;
}
