/* world.c - see world.h. */
#include "world.h"

#include <stddef.h>
#include <string.h>

#include "check.h"
#include "choice.h"
#include "event.h"
#include "footprint.h"
#include "nmr/nmr.h"
#include "rules/rules.h"
#include "sched.h"

/* Calls of the plain run: one that stays with the provider, one that comes back. */
enum { PLAIN_CALLS = 2 };

/* What the system orders, for the race detector: the unload comes after all calls of entry points. */
enum { RACE_KEY_ENTERED = 1 << 26 };

void (*world_on_state)(uint32_t state_hash);

static const struct module *under_test;
static bool unloading;                      /* somebody has begun to */
static unsigned entered;                    /* threads inside entry points of the module */
static sched_wait leaving;                  /* who unloads, waiting for them */
static void (*tell_deadlock)(void);         /* the judges' */
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

/* `what` happened on this thread. */
static void note(uint32_t what, unsigned thread)
{
    for (uint32_t others = sched_alive() & ~(1u << thread); others; others &= others - 1) {
        unsigned t = (unsigned)__builtin_ctz(others);
        unsigned depth = inside.depth[t] < STATE_DEPTH ? inside.depth[t] : STATE_DEPTH;

        if (depth)
            world_on_state(what * 32u + inside.frames[t][depth - 1]);
    }
}

static void on_frame(const struct event *e)
{
    track_frame(e);
    note(e->kind * 64u, e->thread);
}

static void on_lock(const struct event *e)
{
    note(e->kind * 64u, e->thread);
}

static void on_state(const struct event *e)
{
    note(e->kind * 64u + (uint32_t)e->value, e->thread);
}

/* ---- operations */

/* DriverUnload runs once, whatever else is going on but entry points. */
static void unload(void)
{
    footprint_world(FOOTPRINT_PEERS, true);
    if (unloading || !image_loaded())
        return;
    unloading = true;
    while (entered > 0)
        sched_block(&leaving, SITE_OP_NEXT, SCHED_FOREVER);
    race_acquire(RACE_KEY_ENTERED);
    image_unload();
}

static void enter(unsigned number, unsigned argument)
{
    const struct entry *entry;
    const void *pc;
    NTSTATUS status;

    footprint_world(FOOTPRINT_PEERS, true);
    if (under_test->entry_count == 0 || unloading || !image_loaded())
        return;
    entry = &under_test->entries[number % under_test->entry_count];
    pc = (const void *)(uintptr_t)entry->function;
    entered++;
    event_emit(EV_ENTER + FRAME_ENTRY, number % under_test->entry_count, argument, 0, 0, 0, pc);
    status = entry->function(argument);
    event_emit(EV_LEAVE + FRAME_ENTRY, number % under_test->entry_count, status, 0, 0, 0, pc);
    race_release(RACE_KEY_ENTERED);
    footprint_world(FOOTPRINT_PEERS, true);
    if (--entered == 0)
        sched_release(&leaving);
}

static void perform(const struct record *op)
{
    unsigned peer = op->nth % PEERS_MAX;

    switch (op->site) {
    case SITE_OP_REGISTER:
        peer_register(peer);
        break;
    case SITE_OP_DEREGISTER:
        peer_deregister(peer);
        break;
    case SITE_OP_CALL:
        peer_call(peer, op->value);
        break;
    case SITE_OP_ENTER:
        enter(op->value, peer);
        break;
    case SITE_OP_UNLOAD:
        unload();
        break;
    default:                                /* a scenario of a later version */
        break;
    }
}

/* The script's operations: of each driving thread, and of clients that are there before the module. */
enum { LIST_EARLY = DRIVING_THREADS, LISTS };
static struct { unsigned count; const struct record *ops[SCENARIO_RECORDS_MAX]; } lists[LISTS];

/* A setting is no operation of any thread; the last of its kind counts. */
static void read_script(const struct scenario *script)
{
    enum nmr_profile profile = PROFILE_WINDOWS;
    bool memory_points = false;

    for (unsigned l = 0; l < LISTS; l++)
        lists[l].count = 0;
    for (unsigned i = 0; i < script->count; i++) {
        const struct record *r = &script->records[i];
        unsigned l = r->site == SITE_OP_REGISTER_EARLY ? LIST_EARLY : r->thread % DRIVING_THREADS;

        if (r->kind != CHOICE_OP)
            continue;
        if (r->site == SITE_OP_PROFILE)
            profile = (enum nmr_profile)(r->value % PROFILES);
        else if (r->site == SITE_OP_POINTS)
            memory_points = r->value % 2;
        else
            lists[l].ops[lists[l].count++] = r;
    }
    nmr_set_profile(profile);
    memory_set_points(memory_points);
}

static void run_ops(unsigned thread)
{
    for (unsigned i = 0; i < lists[thread].count; i++) {
        if (i > 0)
            sched_point(SITE_OP_NEXT);
        perform(lists[thread].ops[i]);
    }
}

static void drive(void *unused)
{
    (void)unused;
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    run_ops(sched_self());
    CHECK(driving > 0);
    footprint_world(FOOTPRINT_PEERS, true);
    if (--driving == 0)
        sched_release(&joining);
}

static void scripted(void)
{
    run_ops(0);
    for (unsigned t = 1; t < DRIVING_THREADS; t++) {
        if (lists[t].count == 0)
            continue;
        driving++;
        CHECK(sched_spawn(t, drive, NULL) == t);
        race_spawned(t);
    }
    while (driving > 0)
        sched_block(&joining, SITE_OP_NEXT, SCHED_FOREVER);
}

/* Clients that the module finds registered. */
static void register_early(void)
{
    for (unsigned i = 0; i < lists[LIST_EARLY].count; i++)
        peer_register(lists[LIST_EARLY].ops[i]->nth % PEERS_MAX);
}

static void plain(void)
{
    unsigned peers = under_test->face_count < PEERS_MAX ? under_test->face_count : PEERS_MAX;

    for (unsigned peer = 0; peer < peers; peer++)
        peer_register(peer);
    for (unsigned peer = 0; peer < peers; peer++)
        for (unsigned call = 0; call < PLAIN_CALLS; call++)
            peer_call(peer, call);
    for (unsigned number = 0; number < under_test->entry_count; number++)
        enter(number, 0);
    for (unsigned peer = 0; peer < peers; peer++)
        peer_deregister(peer);
}

/* ---- the program */

static void deadlock(void)
{
    kernel_tell_kept_out();
    tell_deadlock();
}

static void world_main(void *argument)
{
    bool any = false;

    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    read_script(argument);
    register_early();
    (void)image_load(&under_test->image);
    for (unsigned l = 0; l < LISTS; l++)
        any = any || lists[l].count > 0;
    if (any)
        scripted();
    else
        plain();
    peers_deregister_all();
    unload();                               /* which also looks for leaks */
}

/* Only a fuzz target asks for states. */
static void watch_state(void)
{
    static bool watching;

    if (!world_on_state || watching)
        return;
    watching = true;
    for (uint16_t frame = FRAME_NONE + 1; frame < FRAMES; frame++) {
        event_add_judge_of((uint16_t)(EV_ENTER + frame), on_frame);
        event_add_judge_of((uint16_t)(EV_LEAVE + frame), on_frame);
    }
    event_add_judge_of(EV_LOCK_ACQUIRE, on_lock);
    event_add_judge_of(EV_LOCK_RELEASE, on_lock);
    event_add_judge_of(EV_BINDING_STATE, on_state);
    event_add_judge_of(EV_REGISTRATION_STATE, on_state);
    event_add_judge_of(EV_PENDING_CALLBACK, on_state);
}

/* Must the module decline counterparts without a table? */
static bool needs_dispatch(void)
{
    for (unsigned i = 0; i < under_test->face_count; i++) {
        const struct face *f = &under_test->faces[i];

        if (f->npi->sides[other_side(f->side)].needs_dispatch)
            return true;
    }
    return false;
}

static bool is_client_only(void)
{
    for (unsigned i = 0; i < under_test->face_count; i++)
        if (under_test->faces[i].side == SIDE_PROVIDER)
            return false;
    return true;
}

static void world_reset(void);

static struct program program = {.words = &model_words, .reset = world_reset, .main = world_main};

static void world_reset(void)
{
    watch_state();
    footprint_begin();
    kernel_reset();
    nmr_reset();
    peers_reset(under_test->faces, under_test->face_count);
    image_restore(&under_test->image);
    rules_begin(under_test->counterparts_max, needs_dispatch(), is_client_only());
    memset(&inside, 0, sizeof inside);
    unloading = false;
    entered = 0;
    leaving = 0;
    driving = 0;
    joining = 0;
}

static void set(unsigned site, unsigned value)
{
    unsigned at = 0;

    while (at < program.setting_count && program.settings[at].site != site)
        at++;
    program.settings[at] = (struct record){.kind = CHOICE_OP, .site = (uint8_t)site, .value = (uint16_t)value};
    program.setting_count += at == program.setting_count;
}

static bool set_by_name(unsigned site, const char *name)
{
    const char *const *names = model_words.sites[site].values;

    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        set(site, i);
        return true;
    }
    return false;
}

bool world_set_profile(const char *name)
{
    return set_by_name(SITE_OP_PROFILE, name);
}

bool world_set_points(const char *name)
{
    return set_by_name(SITE_OP_POINTS, name);
}

const struct program *world_program(const struct module *m)
{
    static bool installed;

    if (!installed) {
        installed = true;
        rules_install();
        tell_deadlock = sched_on_deadlock;
        sched_on_deadlock = deadlock;
    }
    under_test = m;
    program.name = m->image.name;
    return &program;
}

const struct module *world_module(void)
{
    return under_test;
}

const struct npi *world_npi(const NPIID *id, enum side side)
{
    for (unsigned i = 0; i < under_test->face_count; i++)
        if (under_test->faces[i].side == side && memcmp(under_test->faces[i].npi->id, id, sizeof *id) == 0)
            return under_test->faces[i].npi;
    return NULL;
}

const struct module *module_find(const char *name)
{
    for (unsigned i = 0; i < module_count; i++)
        if (strcmp(modules[i]->image.name, name) == 0)
            return modules[i];
    return NULL;
}

/* ---- setups */

/* Values of the operation "call", for EXNPI; another table takes them modulo the number of its functions. */
enum { CALL_REQUEST, CALL_NOTIFY, CALL_INDICATE, CALL_LATER, CALL_QUERY };

#define OP(thread, what, peer, argument) {CHOICE_OP, thread, SITE_OP_##what, 0, peer, argument}

const struct setup setups[] = {
    {"plain", 0, {{0}}},
    {"counterparts-first", 4, {
        OP(0, REGISTER_EARLY, 0, 0),
        OP(0, REGISTER_EARLY, 1, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, UNLOAD, 0, 0)}},
    {"call-vs-deregister", 3, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, DEREGISTER, 0, 0)}},
    {"calls-vs-unload", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, CALL, 0, CALL_INDICATE),
        OP(3, UNLOAD, 0, 0)}},
    {"two-counterparts", 6, {
        OP(0, REGISTER, 0, 0),
        OP(0, REGISTER, 1, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(1, CALL, 1, CALL_QUERY),
        OP(2, DEREGISTER, 0, 0),
        OP(2, CALL, 1, CALL_NOTIFY)}},
    {"register-vs-unload", 3, {
        OP(1, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, UNLOAD, 0, 0)}},
    {"two-registers", 4, {
        OP(1, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_QUERY),
        OP(2, REGISTER, 1, 0),
        OP(2, DEREGISTER, 1, 0)}},
    {"later-vs-unload", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(1, CALL, 0, CALL_INDICATE),
        OP(2, UNLOAD, 0, 0)}},
    {"laters-vs-deregister", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(2, CALL, 0, CALL_LATER),
        OP(3, DEREGISTER, 0, 0)}},
    /* for modules with entry points */
    {"entries", 5, {
        OP(0, REGISTER, 0, 0),
        OP(0, REGISTER, 1, 0),
        OP(1, ENTER, 0, 0),
        OP(2, ENTER, 0, 1),
        OP(3, DEREGISTER, 0, 0)}},
    {"entry-vs-call", 5, {
        OP(0, REGISTER, 0, 0),
        OP(1, ENTER, 0, 1),
        OP(2, CALL, 0, CALL_NOTIFY),
        OP(2, ENTER, 0, 2),
        OP(3, DEREGISTER, 0, 0)}},
    {"entries-vs-unload", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, ENTER, 0, 0),
        OP(2, ENTER, 0, 1),
        OP(3, UNLOAD, 0, 0)}},
    /* for modules with several faces: c0 and c1 are counterparts of the first and of the second */
    {"chain", 5, {
        OP(0, REGISTER, 1, 0),
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, CALL, 1, CALL_INDICATE),
        OP(3, DEREGISTER, 1, 0)}},
    {"chain-vs-unload", 5, {
        OP(0, REGISTER, 1, 0),
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(2, DEREGISTER, 0, 0),
        OP(3, UNLOAD, 0, 0)}},
};

unsigned setup_count(const struct module *m)
{
    enum { ALL = sizeof setups / sizeof *setups, WITH_ENTRIES = 3, WITH_FACES = 2 };

    if (m->face_count > 1)
        return ALL;
    return m->entry_count > 0 ? ALL - WITH_FACES : ALL - WITH_FACES - WITH_ENTRIES;
}

void setup_script(const struct setup *setup, struct scenario *script)
{
    script->count = 0;
    for (unsigned i = 0; i < setup->count; i++)
        CHECK(scenario_add(script, setup->ops[i]));
}
