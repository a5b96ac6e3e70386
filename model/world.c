/* world.c - see world.h. */
#include "world.h"

#include <stddef.h>
#include <string.h>

#include "check.h"
#include "choice.h"
#include "event.h"
#include "nmr/nmr.h"
#include "rules/rules.h"
#include "sched.h"

/* Calls of the plain run: one that stays with the provider, one that comes back. */
enum { PLAIN_CALLS = 2 };

void (*world_on_state)(uint32_t state_hash);

static const struct module *under_test;
static bool unloading;                      /* somebody has begun to */
static unsigned driving;                    /* driving threads that have not ended */
static sched_wait joining;                  /* t0, waiting for them */

/*
 * ---- simulated state, for fuzzers
 *
 * A state is a pair: what happened, and what another thread was inside of at that moment, for each other thread.  The
 * state of the whole world as one number is too fine: it fills a fuzzer's counters in minutes, its corpus with
 * inputs that differ in nothing that matters, and takes five times as many executions to a bug.
 */
enum { STATE_DEPTH = 8 };

static struct {
    uint8_t frames[THREADS_MAX][STATE_DEPTH], depth[THREADS_MAX];
} inside;

static void track_frame(const struct event *e)
{
    uint8_t *depth = &inside.depth[e->thread];

    if (e->kind < EV_LEAVE) {
        if (*depth < STATE_DEPTH)
            inside.frames[e->thread][*depth] = (uint8_t)(e->kind - EV_ENTER);
        (*depth)++;
    } else if (*depth > 0) {
        (*depth)--;
    }
}

/* What an event is to other threads; 0 when it is nothing. */
static uint32_t happening(const struct event *e)
{
    if (e->kind > EV_ENTER && e->kind < EV_THREAD_START) {
        track_frame(e);
        return e->kind * 64u;
    }
    switch (e->kind) {
    case EV_BINDING_STATE: case EV_REGISTRATION_STATE: case EV_PENDING_CALLBACK:
        return e->kind * 64u + (uint32_t)e->value;
    case EV_LOCK_ACQUIRE: case EV_LOCK_RELEASE:
        return e->kind * 64u;
    default:
        return 0;
    }
}

static void on_event(const struct event *e)
{
    uint32_t what = happening(e);

    for (uint32_t others = what ? sched_alive() & ~(1u << e->thread) : 0; others; others &= others - 1) {
        unsigned t = (unsigned)__builtin_ctz(others);
        unsigned depth = inside.depth[t] < STATE_DEPTH ? inside.depth[t] : STATE_DEPTH;

        if (depth)
            world_on_state(what * 32u + inside.frames[t][depth - 1]);
    }
}

/* ---- operations */

/* DriverUnload runs once, whatever else is going on. */
static void unload(void)
{
    if (unloading || !image_loaded())
        return;
    unloading = true;
    image_unload();
}

static void perform(const struct record *op)
{
    unsigned peer = op->nth % PEERS_MAX;

    switch (op->site) {
    case SITE_OP_REGISTER_CLIENT:
        peer_register(peer);
        break;
    case SITE_OP_DEREGISTER_CLIENT:
        peer_deregister(peer);
        break;
    case SITE_OP_CALL:
        peer_call(peer, op->value);
        break;
    case SITE_OP_UNLOAD:
        unload();
        break;
    default:                                /* a scenario of a later version */
        break;
    }
}

static bool is_early(const struct record *r)
{
    return r->kind == CHOICE_OP && r->site == SITE_OP_REGISTER_EARLY;
}

static bool is_op_of(const struct record *r, unsigned thread)
{
    return r->kind == CHOICE_OP && !is_early(r) && r->thread % DRIVING_THREADS == thread;
}

static bool has_ops(const struct scenario *script, unsigned thread)
{
    for (unsigned i = 0; i < script->count; i++)
        if (is_op_of(&script->records[i], thread))
            return true;
    return false;
}

static void run_ops(const struct scenario *script, unsigned thread)
{
    bool first = true;

    for (unsigned i = 0; i < script->count; i++) {
        if (!is_op_of(&script->records[i], thread))
            continue;
        if (!first)
            sched_point(SITE_OP_NEXT);
        first = false;
        perform(&script->records[i]);
    }
}

static void drive(void *script)
{
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    run_ops(script, sched_self());
    CHECK(driving > 0);
    if (--driving == 0)
        sched_release(&joining);
}

static void scripted(const struct scenario *script)
{
    run_ops(script, 0);
    for (unsigned t = 1; t < DRIVING_THREADS; t++) {
        if (!has_ops(script, t))
            continue;
        driving++;
        CHECK(sched_spawn(t, drive, (void *)(uintptr_t)script) == t);
        race_spawned(t);
    }
    while (driving > 0)
        sched_block(&joining, SITE_OP_NEXT, SCHED_FOREVER);
}

/* Clients that the module finds registered; true when there are any. */
static bool register_early(const struct scenario *script)
{
    bool any = false;

    for (unsigned i = 0; i < script->count; i++) {
        if (!is_early(&script->records[i]))
            continue;
        peer_register(script->records[i].nth % PEERS_MAX);
        any = true;
    }
    return any;
}

static void plain(void)
{
    peer_register(0);
    for (unsigned call = 0; call < PLAIN_CALLS; call++)
        peer_call(0, call);
    peer_deregister(0);
}

/* ---- the program */

static void world_main(void *argument)
{
    const struct scenario *script = argument;
    bool any;

    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    any = register_early(script);
    (void)image_load(&under_test->image);
    for (unsigned t = 0; t < DRIVING_THREADS; t++)
        any = any || has_ops(script, t);
    if (any)
        scripted(script);
    else
        plain();
    peers_deregister_all();
    unload();                               /* which also looks for leaks */
}

/* Only a fuzz target asks for states. */
static void watch_state(void)
{
    static bool watching;

    if (world_on_state && !watching) {
        watching = true;
        event_add_judge(on_event);
    }
}

static void world_reset(void)
{
    watch_state();
    kernel_reset();
    nmr_reset();
    peers_reset(under_test->npi);
    image_restore(&under_test->image);
    rules_begin(under_test->clients_max, under_test->npi->needs_client_dispatch);
    memset(&inside, 0, sizeof inside);
    unloading = false;
    driving = 0;
    joining = 0;
}

const struct program *world_program(const struct module *m)
{
    static struct program program = {
        .words = &model_words,
        .reset = world_reset,
        .main = world_main,
    };
    static bool installed;

    if (!installed) {
        installed = true;
        sched_end_site = SITE_THREAD_END;
        rules_install();
    }
    under_test = m;
    program.name = m->image.name;
    return &program;
}

const struct module *world_module(void)
{
    return under_test;
}

const struct module *module_find(const char *name)
{
    for (unsigned i = 0; i < module_count; i++)
        if (strcmp(modules[i]->image.name, name) == 0)
            return modules[i];
    return NULL;
}

/* ---- setups */

/* Values of the operation "call", for EXNPI; another NPI takes them modulo the number of its calls. */
enum { CALL_REQUEST, CALL_NOTIFY, CALL_INDICATE, CALL_LATER, CALL_QUERY };

#define OP(thread, what, peer, argument) {CHOICE_OP, thread, SITE_OP_##what, 0, peer, argument}

const struct setup setups[] = {
    {"plain", 0, {{0}}},
    {"clients-first", 4, {
        OP(0, REGISTER_EARLY, 0, 0),
        OP(0, REGISTER_EARLY, 1, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, UNLOAD, 0, 0)}},
    {"call-vs-deregister", 3, {
        OP(0, REGISTER_CLIENT, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, DEREGISTER_CLIENT, 0, 0)}},
    {"calls-vs-unload", 4, {
        OP(0, REGISTER_CLIENT, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, CALL, 0, CALL_INDICATE),
        OP(3, UNLOAD, 0, 0)}},
    {"two-clients", 6, {
        OP(0, REGISTER_CLIENT, 0, 0),
        OP(0, REGISTER_CLIENT, 1, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(1, CALL, 1, CALL_QUERY),
        OP(2, DEREGISTER_CLIENT, 0, 0),
        OP(2, CALL, 1, CALL_NOTIFY)}},
    {"register-vs-unload", 3, {
        OP(1, REGISTER_CLIENT, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, UNLOAD, 0, 0)}},
    {"two-registers", 4, {
        OP(1, REGISTER_CLIENT, 0, 0),
        OP(1, CALL, 0, CALL_QUERY),
        OP(2, REGISTER_CLIENT, 1, 0),
        OP(2, DEREGISTER_CLIENT, 1, 0)}},
    {"later-vs-unload", 4, {
        OP(0, REGISTER_CLIENT, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(1, CALL, 0, CALL_INDICATE),
        OP(2, UNLOAD, 0, 0)}},
};
const unsigned setup_count = sizeof setups / sizeof *setups;
