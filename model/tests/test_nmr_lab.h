/*
 * test_nmr_lab.h - a laboratory for the mock NMR: tiny client and provider modules, and a clerk.
 *
 * Each registration of a test is a struct party: what it registers, its manners (what its callbacks answer and do)
 * and what it saw.  The modules do what the test says; the clerk checks in each of their callbacks what NMR
 * guarantees whatever happens (N-n of the contract), and writes down who was called, as in
 *
 *     C0.attach P0.attach P0.attach=0 C0.attach=0 C0.detach P0.detach C0.cleanup P0.cleanup
 *
 * A test is the body of thread 0.  EXPECT ends the execution; the test fails with the scenario that led there.
 *
 * A test that guards N-n has n<n>_ in its name.  cmake/tests/broken_mocks.sh shows that it can fail: it runs that test,
 * named as the program's argument, against mocks that break N-n (model/nmr/broken).
 */
#ifndef MODEL_TEST_NMR_LAB_H
#define MODEL_TEST_NMR_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execution.h"
#include "explore.h"
#include "strategy.h"

#include "kernel/kernel.h"
#include "nmr/nmr.h"
#include "sites.h"
#include "world.h"

#define MAYBE_UNUSED __attribute__((unused))

enum { PARTIES = 4, LAB_LOG_BYTES = 4096, LAB_TASKS_MAX = 32 };

enum complete {
    COMPLETE_LATER,                         /* the test completes a pending detach itself: lab_complete() */
    COMPLETE_INSIDE                         /* inside the detach callback */
};

struct party {
    char name[8];                           /* "C0", "P1" */
    enum side side;
    enum caller who;                        /* the module under test, or a counterpart of it */
    NPIID npi;                              /* an own copy for each: NMR must compare values */
    NPI_MODULEID id;
    NPI_CLIENT_CHARACTERISTICS client;
    NPI_PROVIDER_CHARACTERISTICS provider;
    HANDLE handle;
    /* manners */
    NTSTATUS attach;                        /* provider: its answer */
    unsigned failures;                      /* provider: fail this many attaches first, with STATUS_NOINTERFACE */
    unsigned tries;                         /* client: calls of NmrClientAttachProvider until one succeeds; 0: none */
    bool lies;                              /* client: answer `lie`, whatever NMR said */
    NTSTATUS lie;
    NTSTATUS detach;                        /* answer of the detach callback */
    enum complete complete;
    bool null_context;                      /* hand out NULL as the binding context, and NULL as the table */
    bool outs_on_failure;                   /* provider: write its out-parameters although it fails */
    void (*in_attach)(struct party *l, HANDLE binding);   /* after a client's try, before a provider's answer */
    void (*in_detach)(struct party *l, HANDLE binding);
    void (*in_cleanup)(struct party *l);
    bool listed;                            /* NmrRegister… was called and did not fail */
    /* what it saw */
    unsigned attaches, attached, detaches, cleanups;
    NTSTATUS nmr_said;                      /* client: the last answer of NmrClientAttachProvider */
    HANDLE last_binding;
    PVOID out_context;                      /* client: the provider's context and table */
    const VOID *out_dispatch;
};

/* What one module keeps for each binding: its address is the binding context. */
struct lab_binding {
    struct party *lab;
    HANDLE handle;
    unsigned number;
    bool attached, detach_called, inside, done, cleaned;
    bool cleaning;                          /* inside its cleanup callback */
};

static struct party parties[PARTIES];
static struct lab_binding lab_bindings[BINDINGS_MAX][2];
static enum caller lab_who[2] = {CALLER_MODULE, CALLER_MODULE};     /* by side: who new parties are */
static enum nmr_profile lab_profile = PROFILE_WINDOWS;
static bool lab_client_attaching[BINDINGS_MAX];
static bool lab_deregistering[PARTIES];         /* the test is about to deregister, or has */
static bool lab_begun[REGISTRATIONS_MAX];   /* NMR was entered to deregister this registration */
static const void *lab_dispatch[2][2] = {{"client's", "table"}, {"provider's", "table"}};
static char lab_log[LAB_LOG_BYTES];
static char lab_failure[256];
static unsigned lab_started, lab_threads;    /* tasks so far, and those that have not ended */
static sched_wait lab_joiners;

static const NPIID lab_npi_id = {0x11223344, 1, 2, {1, 2, 3, 4, 5, 6, 7, 8}};
static const struct npi lab_npi = {
    .name = "lab", .id = &lab_npi_id,
    .client = {.table_size = sizeof lab_dispatch[0]}, .provider = {.table_size = sizeof lab_dispatch[0]}};

const struct npi *world_npi(const NPIID *id, enum side side)
{
    (void)side;
    return memcmp(id, &lab_npi_id, sizeof *id) == 0 ? &lab_npi : NULL;
}

/* ---- the clerk */

#define EXPECT(condition) ((condition) ? (void)0 : lab_fail(#condition, __FILE__, __LINE__))

static void lab_fail(const char *condition, const char *file, int line)
{
    snprintf(lab_failure, sizeof lab_failure, "%s:%d: %s", file, line, condition);
    sched_stop(VERDICT_FINDING);
}

__attribute__((format(printf, 1, 2)))
static void lab_write(const char *format, ...)
{
    size_t length = strlen(lab_log);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(lab_log + length, sizeof lab_log - length, format, arguments);
    va_end(arguments);
    EXPECT(strlen(lab_log) < sizeof lab_log - 1);
}

/* N-25: nothing is offered to a registration, or of one, once its deregistration has begun. */
static void lab_judge(const struct event *e)
{
    if (e->kind == EV_ENTER + FRAME_NMR_DEREGISTER && e->object != NONE)
        lab_begun[e->object] = true;
    if (e->kind == EV_BINDING_OFFERED)
        EXPECT(!lab_begun[e->value >> 16] && !lab_begun[e->value & 0xFFFF]);
}

static unsigned lab_index(const struct party *l)
{
    return (unsigned)(l - parties);
}

static const VOID *lab_table(const struct party *l)
{
    return l->null_context ? NULL : (const VOID *)lab_dispatch[l->side];
}

/* N-8: the party whose own structure this is, not a copy of it. */
static struct party *lab_owner(PNPI_REGISTRATION_INSTANCE instance, enum side side)
{
    for (unsigned i = 0; i < PARTIES; i++)
        if (instance == (side == SIDE_CLIENT ? &parties[i].client.ClientRegistrationInstance
                                             : &parties[i].provider.ProviderRegistrationInstance))
            return &parties[i];
    lab_fail("an instance that nobody registered", __FILE__, __LINE__);
    return NULL;
}

/* ---- callbacks, of both sides */

static NTSTATUS lab_client_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE instance)
{
    struct party *l = context, *provider = lab_owner(instance, SIDE_PROVIDER);
    uint32_t number = nmr_binding_number(binding);
    struct lab_binding *mine;
    NTSTATUS status = STATUS_NOINTERFACE;

    EXPECT(l >= parties && l < parties + PARTIES && l->side == SIDE_CLIENT);             /* N-8 */
    EXPECT(provider->side == SIDE_PROVIDER && provider->listed);                /* N-8, N-34 */
    EXPECT(irql_get() == PASSIVE_LEVEL);                                        /* N-7 */
    EXPECT(number < BINDINGS_MAX);                                              /* N-32 */
    mine = &lab_bindings[number][SIDE_CLIENT];
    EXPECT(!mine->lab && !lab_bindings[number][SIDE_PROVIDER].lab);             /* N-5 */
    *mine = (struct lab_binding){.lab = l, .handle = binding, .number = number};
    EXPECT(l->listed);                                                          /* N-34 */
    lab_write("%s.attach ", l->name);
    l->attaches++;
    l->last_binding = binding;
    EXPECT(memcmp(instance->NpiId, &l->npi, sizeof(NPIID)) == 0);              /* N-1 */
    lab_client_attaching[number] = true;
    for (unsigned i = 0; i < l->tries && !NT_SUCCESS(status); i++) {
        status = nmr_client_attach_provider(l->who, binding, l->null_context ? NULL : mine, lab_table(l),
                                            &l->out_context, &l->out_dispatch, NULL);
        l->nmr_said = status;
    }
    if (NT_SUCCESS(status)) {
        mine->attached = true;
        l->attached++;
        EXPECT(lab_bindings[number][SIDE_PROVIDER].attached);                   /* N-5 */
        EXPECT(lab_bindings[number][SIDE_PROVIDER].lab == provider);
    }
    if (l->in_attach)
        l->in_attach(l, binding);
    EXPECT(!mine->detach_called && !lab_bindings[number][SIDE_PROVIDER].detach_called);     /* N-17 */
    lab_client_attaching[number] = false;
    status = l->lies ? l->lie : status;
    lab_write("%s.attach=%x ", l->name, (unsigned)status);
    return status;
}

static NTSTATUS lab_provider_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE instance,
                                    PVOID client_context, const VOID *client_dispatch, PVOID *out_context,
                                    const VOID **out_dispatch)
{
    struct party *l = context;
    uint32_t number = nmr_binding_number(binding);
    struct lab_binding *mine, *other;
    NTSTATUS status;

    EXPECT(l >= parties && l < parties + PARTIES && l->side == SIDE_PROVIDER);           /* N-8 */
    EXPECT(irql_get() == PASSIVE_LEVEL);                                        /* N-7 */
    EXPECT(number < BINDINGS_MAX);
    mine = &lab_bindings[number][SIDE_PROVIDER];
    other = &lab_bindings[number][SIDE_CLIENT];
    EXPECT(lab_client_attaching[number] && other->lab && !mine->attached);      /* N-5 */
    EXPECT(instance == &other->lab->client.ClientRegistrationInstance);         /* N-8: the client's own structure */
    EXPECT(client_context == (other->lab->null_context ? NULL : other));        /* N-9 */
    EXPECT(client_dispatch == lab_table(other->lab));
    EXPECT(binding != other->handle);                                           /* ND-4 */
    EXPECT(l->listed);                                                          /* N-34 */
    *mine = (struct lab_binding){.lab = l, .handle = binding, .number = number};
    l->attaches++;
    l->last_binding = binding;
    lab_write("%s.attach ", l->name);
    status = l->attaches <= l->failures ? STATUS_NOINTERFACE : l->attach;
    if (NT_SUCCESS(status) || l->outs_on_failure) {
        *out_context = l->null_context ? NULL : mine;
        *out_dispatch = lab_table(l);
    }
    if (l->in_attach)
        l->in_attach(l, binding);
    if (NT_SUCCESS(status)) {
        mine->attached = true;
        l->attached++;
    }
    lab_write("%s.attach=%x ", l->name, (unsigned)status);
    return status;
}

/* The module a NULL context means: the only one of this side that hands out NULL. */
static struct party *lab_of(const struct lab_binding *mine, enum side side)
{
    if (mine)
        return mine->lab;
    for (unsigned i = 0; i < PARTIES; i++)
        if (parties[i].null_context && parties[i].side == side)
            return &parties[i];
    lab_fail("a NULL context that nobody handed out", __FILE__, __LINE__);
    return NULL;
}

static void lab_complete(struct party *l, HANDLE binding)
{
    uint32_t number = nmr_binding_number(binding);

    lab_bindings[number][l->side].done = true;
    lab_write("%s.complete ", l->name);
    nmr_detach_complete(l->who, l->side, binding, NULL);
}

static NTSTATUS lab_detach(struct lab_binding *mine, enum side side)
{
    struct party *l = lab_of(mine, side);
    HANDLE binding = mine ? mine->handle : l->last_binding;
    uint32_t number = nmr_binding_number(binding);
    struct lab_binding *both = lab_bindings[number];

    EXPECT(l->side == side);
    EXPECT(irql_get() <= DISPATCH_LEVEL);                                       /* N-16 */
    EXPECT(!lab_client_attaching[number]);                                      /* N-17 */
    EXPECT(both[side].attached);                                                /* N-11 */
    EXPECT(!both[side].detach_called && !both[side].cleaned);                   /* N-14 */
    EXPECT(lab_deregistering[lab_index(both[SIDE_CLIENT].lab)] ||
           lab_deregistering[lab_index(both[SIDE_PROVIDER].lab)] || both[SIDE_CLIENT].lab->lies);       /* N-12 */
    both[side].detach_called = both[side].inside = true;
    l->detaches++;
    lab_write("%s.detach ", l->name);
    if (l->in_detach)
        l->in_detach(l, binding);
    if (l->complete == COMPLETE_INSIDE)
        lab_complete(l, binding);
    EXPECT(!both[side].cleaned || both[side].done);     /* while the callback runs, only when that side has completed */
    both[side].inside = false;
    both[side].done |= l->detach != STATUS_PENDING;
    return l->detach;
}

static void lab_cleanup(struct lab_binding *mine, enum side side)
{
    struct party *l = lab_of(mine, side);
    uint32_t number = mine ? mine->number : nmr_binding_number(l->last_binding);
    struct lab_binding *both = lab_bindings[number];

    EXPECT(l->side == side);
    EXPECT(irql_get() <= DISPATCH_LEVEL);                                       /* N-20 */
    EXPECT(both[side].attached && !both[side].cleaned);                         /* N-11, N-19 */
    EXPECT((both[side].done && both[other_side(side)].done) || both[SIDE_CLIENT].lab->lies);            /* N-18 */
    both[side].cleaned = both[side].cleaning = true;
    l->cleanups++;
    lab_write("%s.cleanup ", l->name);
    if (l->in_cleanup)
        l->in_cleanup(l);
    both[side].cleaning = false;
}

static NTSTATUS lab_client_detach(PVOID context)
{
    return lab_detach(context, SIDE_CLIENT);
}

static NTSTATUS lab_provider_detach(PVOID context)
{
    return lab_detach(context, SIDE_PROVIDER);
}

static VOID lab_client_cleanup(PVOID context)
{
    lab_cleanup(context, SIDE_CLIENT);
}

static VOID lab_provider_cleanup(PVOID context)
{
    lab_cleanup(context, SIDE_PROVIDER);
}

/* ---- what tests do */

static NPI_REGISTRATION_INSTANCE lab_instance(struct party *l)
{
    return (NPI_REGISTRATION_INSTANCE){.Size = sizeof(NPI_REGISTRATION_INSTANCE), .NpiId = &l->npi, .ModuleId = &l->id};
}

/* Describe registration number `index` as a client or a provider, with the dullest manners. */
static struct party *lab_new(unsigned index, enum side side)
{
    struct party *l = &parties[index];

    memset(l, 0, sizeof *l);
    snprintf(l->name, sizeof l->name, "%c%u", side == SIDE_CLIENT ? 'C' : 'P', index);
    l->side = side;
    l->who = lab_who[side];
    l->npi = lab_npi_id;
    l->id = (NPI_MODULEID){.Length = sizeof l->id, .Type = MIT_GUID};
    l->client = (NPI_CLIENT_CHARACTERISTICS){
        .Length = sizeof l->client,
        .ClientAttachProvider = lab_client_attach,
        .ClientDetachProvider = lab_client_detach,
        .ClientCleanupBindingContext = lab_client_cleanup,
        .ClientRegistrationInstance = lab_instance(l),
    };
    l->provider = (NPI_PROVIDER_CHARACTERISTICS){
        .Length = sizeof l->provider,
        .ProviderAttachClient = lab_provider_attach,
        .ProviderDetachClient = lab_provider_detach,
        .ProviderCleanupBindingContext = lab_provider_cleanup,
        .ProviderRegistrationInstance = lab_instance(l),
    };
    l->tries = 1;
    return l;
}

static NTSTATUS lab_register(struct party *l)
{
    NTSTATUS status;

    l->listed = true;
    if (l->side == SIDE_CLIENT)
        status = nmr_register_client(l->who, 0, &l->client, l, &l->handle, NULL);
    else
        status = nmr_register_provider(l->who, 0, &l->provider, l, &l->handle, NULL);
    l->listed = status == STATUS_SUCCESS;
    EXPECT(l->listed || l->attaches == 0);                                      /* N-34 */
    return status;
}

static NTSTATUS lab_deregister(struct party *l)
{
    lab_deregistering[lab_index(l)] = true;
    return nmr_deregister(l->who, l->side, l->handle, NULL);
}

/* Nothing of this registration is left, on either side of its bindings. */
static void lab_expect_over(const struct party *l)
{
    for (unsigned i = 0; i < BINDINGS_MAX; i++) {
        const struct lab_binding *both = lab_bindings[i];

        if (both[l->side].lab != l || !both[l->side].attached)
            continue;
        for (unsigned side = 0; side < 2; side++)
            EXPECT(both[side].lab->lies || (both[side].detach_called && both[side].done));
        for (unsigned side = 0; side < 2; side++)
            EXPECT(!both[side].inside && !both[side].cleaning);
        EXPECT(both[SIDE_CLIENT].cleaned || !both[SIDE_CLIENT].lab->client.ClientCleanupBindingContext ||
               both[SIDE_CLIENT].lab->lies);
        EXPECT(both[SIDE_PROVIDER].cleaned || !both[SIDE_PROVIDER].lab->provider.ProviderCleanupBindingContext);
    }
}

/* N-24, N-27 */
static NTSTATUS lab_wait(struct party *l)
{
    NTSTATUS status = nmr_wait(l->who, l->side, l->handle, NULL);

    if (status == STATUS_SUCCESS)
        lab_expect_over(l);
    return status;
}

/* Deregister and wait, if registering did not fail. */
MAYBE_UNUSED static void lab_close(struct party *l)
{
    NTSTATUS status;

    if (!l->listed)
        return;
    status = lab_deregister(l);
    if (lab_profile == PROFILE_CHAOS && status == STATUS_SUCCESS) {             /* ND-11: the handle is dead */
        lab_expect_over(l);
        return;
    }
    EXPECT(status == STATUS_PENDING);                                           /* N-23 */
    EXPECT(lab_wait(l) == STATUS_SUCCESS);
}

struct lab_task { void (*body)(struct party *l); struct party *lab; };
static struct lab_task lab_tasks[LAB_TASKS_MAX];

static void lab_task_run(void *argument)
{
    struct lab_task *task = argument;

    task->body(task->lab);
    if (--lab_threads == 0)
        sched_release(&lab_joiners);
}

/* Run body(l) on a thread of its own. */
MAYBE_UNUSED static void lab_start(void (*body)(struct party *l), struct party *l)
{
    struct lab_task *task = &lab_tasks[lab_started++];

    EXPECT(lab_started <= LAB_TASKS_MAX);
    lab_threads++;
    *task = (struct lab_task){body, l};
    sched_spawn(0, lab_task_run, task);
}

/* Until each thread that lab_start began has ended. */
MAYBE_UNUSED static void lab_join(void)
{
    while (lab_threads)
        sched_block(&lab_joiners, SITE_OP_NEXT, SCHED_FOREVER);
}

/* ---- running tests */

static void lab_reset(void)
{
    kernel_reset();
    nmr_reset();
    nmr_set_profile(lab_profile);
    memset(parties, 0, sizeof parties);
    memset(lab_bindings, 0, sizeof lab_bindings);
    memset(lab_client_attaching, 0, sizeof lab_client_attaching);
    memset(lab_deregistering, 0, sizeof lab_deregistering);
    memset(lab_begun, 0, sizeof lab_begun);
    lab_log[0] = lab_failure[0] = '\0';
    lab_started = lab_threads = 0;
    lab_joiners = 0;
}

static struct program lab_program(void (*body)(void *script))
{
    static bool installed;

    if (!installed)
        event_add_judge(lab_judge);
    installed = true;
    return (struct program){.name = "nmr-lab", .words = &model_words, .reset = lab_reset, .main = body};
}

static bool lab_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    struct program *p = context;

    fprintf(stderr, "execution: %s%s%s\nlog: %s\n", verdict_name(o->verdict), lab_failure[0] ? ": " : "", lab_failure,
            lab_log);
    scenario_print(s, &model_words, p->name, NULL, stderr);
    return false;
}

/* All executions within the bounds pass.  Returns how many there were. */
MAYBE_UNUSED static uint64_t lab_explore(void (*body)(void *script), unsigned preemptions, unsigned deviations)
{
    struct program p = lab_program(body);
    struct explore_options options = {
        .preemptions_max = preemptions,
        .deviations_max = deviations,
        .executions_max = 2000000,
        .context = &p,
        .on_outcome = lab_outcome,
    };
    static const struct scenario none;
    struct explore_result r = explore_dfs(&p, &none, &options);

    assert_int_equal(r.end, EXPLORE_COMPLETE);
    assert_int_equal(r.verdicts[VERDICT_PASS], r.executions);
    return r.executions;
}

/* The same whoever is the module under test: both sides, or one with the other as its counterpart. */
MAYBE_UNUSED static void lab_explore_whoever(void (*body)(void *script), unsigned preemptions, unsigned deviations)
{
    static const enum caller who[][2] = {
        {CALLER_PEER, CALLER_MODULE}, {CALLER_MODULE, CALLER_PEER}, {CALLER_MODULE, CALLER_MODULE}};

    for (unsigned i = 0; i < sizeof who / sizeof *who; i++) {
        memcpy(lab_who, who[i], sizeof lab_who);
        lab_explore(body, preemptions, deviations);
    }
}

/* And whichever profile NMR has: for modules that rely on no more than N-1 ... N-34. */
MAYBE_UNUSED static void lab_explore_always(void (*body)(void *script), unsigned preemptions, unsigned deviations)
{
    for (lab_profile = 0; lab_profile < PROFILES; lab_profile++)
        lab_explore_whoever(body, preemptions, deviations);
    lab_profile = PROFILE_WINDOWS;
}

/* `count` random executions pass, in each profile. */
MAYBE_UNUSED static void lab_random(void (*body)(void *script), uint64_t count)
{
    struct program p = lab_program(body);
    static struct strategy_random state;
    static struct scenario led_here;
    static const struct scenario none;

    for (uint64_t i = 0; i < count * PROFILES; i++) {
        struct strategy random = strategy_random(&state, 1, i);
        struct outcome o;

        lab_profile = i % PROFILES;
        o = execution_run(&p, &none, &random);
        if (o.verdict != VERDICT_PASS) {
            execution_scenario(&led_here);
            lab_outcome(&p, &o, &led_here);
        }
        assert_int_equal(o.verdict, VERDICT_PASS);
    }
    lab_profile = PROFILE_WINDOWS;
}

/* One execution: dull but for one answer (kind, site, value of the first visit by thread 0). */
static struct outcome lab_run_with(void (*body)(void *script), enum choice_kind kind, unsigned site, unsigned value)
{
    struct program p = lab_program(body);
    static struct scenario s;
    struct outcome o;

    s.count = 0;
    if (value)
        scenario_add(&s, (struct record){.kind = (uint8_t)kind, .site = (uint8_t)site, .value = (uint16_t)value});
    o = execution_replay(&p, &s);
    if (lab_failure[0])
        lab_outcome(&p, &o, &s);
    assert_string_equal(lab_failure, "");
    return o;
}

MAYBE_UNUSED static struct outcome lab_run(void (*body)(void *script))
{
    return lab_run_with(body, CHOICE_SYSTEM, SITE_NONE, 0);
}

/* The same two, for an execution that must pass. */
MAYBE_UNUSED static void lab_pass_with(void (*body)(void *script), enum choice_kind kind, unsigned site, unsigned value)
{
    struct outcome o = lab_run_with(body, kind, site, value);
    struct program p = lab_program(body);
    static struct scenario led_here;

    if (o.verdict != VERDICT_PASS) {
        execution_scenario(&led_here);
        lab_outcome(&p, &o, &led_here);
    }
    assert_int_equal(o.verdict, VERDICT_PASS);
}

MAYBE_UNUSED static void lab_pass(void (*body)(void *script))
{
    lab_pass_with(body, CHOICE_SYSTEM, SITE_NONE, 0);
}

/* How many events of this kind the last execution had; *last is the latest of them. */
MAYBE_UNUSED static unsigned lab_events(uint16_t kind, struct event *last)
{
    unsigned kept, n = 0;
    const struct event *log = event_log(&kept);

    for (unsigned i = 0; i < kept; i++) {
        if (log[i].kind != kind)
            continue;
        n++;
        if (last)
            *last = log[i];
    }
    return n;
}

/* All tests of the program, or only the one that its argument names. */
static void lab_select(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
}

#endif
