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
#include "setups.h"

/* Calls of the plain run: one that stays with the provider, one that comes back. */
enum { PLAIN_CALLS = 2 };

enum { SETTLE_100NS = 1000000 };            /* longer than a driver takes to begin */

/* What the system orders, for the race detector: the unload comes after all calls of entry points. */
enum { RACE_KEY_ENTERED = 1 << 26 };

void (*world_on_state)(uint32_t state_hash);

/* The module, its faces, and how many entry points it has. */
static const struct module *under_test, *discovered;
static struct face faces[NPIS_MAX];
static unsigned face_count, entry_count;
static bool registers_late;                 /* not in DriverEntry, but from a thread of its own */

/* While that is found out: what was registered in this execution and is in no face yet. */
static bool discovering;
static struct face found[NPIS_MAX];
static unsigned found_count;

static bool loading;                        /* DriverEntry runs */
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

/* Let everybody else come to rest: time moves when nobody can run. */
static void settle(void)
{
    sched_wait nothing = 0;

    (void)sched_block(&nothing, SITE_OP_NEXT, sched_now() + SETTLE_100NS);
}

/* DriverUnload runs once, whatever else is going on but entry points. */
static void unload(void)
{
    footprint_world(FOOTPRINT_UNLOAD, 0, TOUCH_WRITE);
    footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
    if (unloading || !image_loaded())
        return;
    unloading = true;
    sched_touch_wait(&leaving);
    if (entered > 0) {
        while (entered > 0)
            sched_block(&leaving, SITE_OP_NEXT, SCHED_FOREVER);
        sched_all_left(&leaving);
    }
    race_acquire(RACE_KEY_ENTERED);
    image_unload();
}

static void enter(unsigned number, unsigned argument)
{
    const struct npi_operation *entry = world_entry(number);
    const void *pc;
    NTSTATUS status;

    footprint_world(FOOTPRINT_UNLOAD, 0, TOUCH_READ);
    footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
    if (!entry || unloading || !image_loaded())
        return;
    number %= entry_count;
    pc = (const void *)(uintptr_t)entry->call;
    entered++;
    event_emit(EV_ENTER + FRAME_ENTRY, number, argument, 0, 0, 0, pc);
    status = entry->call(argument);
    event_emit(EV_LEAVE + FRAME_ENTRY, number, status, 0, 0, 0, pc);
    race_release(RACE_KEY_ENTERED);
    sched_left(&leaving);
    if (--entered == 0)
        sched_release(&leaving);
}

static void perform(const struct record *op)
{
    unsigned peer = op->nth % PEERS_MAX;

    switch (op->site) {
    case SITE_OP_REGISTER:
        peer_register(peer, op->value);
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
    sched_left(&joining);
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
    while (driving > 0)                     /* which nobody has left: they have just begun */
        sched_block(&joining, SITE_OP_NEXT, SCHED_FOREVER);
    sched_all_left(&joining);
}

/* Clients that the module finds registered. */
static void register_early(void)
{
    for (unsigned i = 0; i < lists[LIST_EARLY].count; i++)
        peer_register(lists[LIST_EARLY].ops[i]->nth % PEERS_MAX, lists[LIST_EARLY].ops[i]->value);
}

/* As many counterparts at once as there can be: for faces from `first` on. */
static void plain_group(unsigned first)
{
    unsigned peers = face_count - first < PEERS_MAX ? face_count - first : PEERS_MAX;

    for (unsigned peer = 0; peer < peers; peer++)
        peer_register(peer, first);
    for (unsigned peer = 0; peer < peers; peer++)
        for (unsigned call = 0; call < PLAIN_CALLS && !discovering; call++)
            peer_call(peer, call);
    if (first == 0)
        for (unsigned number = 0; number < entry_count; number++)
            enter(number, 0);
    for (unsigned peer = 0; peer < peers; peer++)
        peer_deregister(peer);
}

static void plain(void)
{
    for (unsigned first = 0; first == 0 || first < face_count; first += PEERS_MAX)
        plain_group(first);
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
    loading = true;
    (void)image_load(&under_test->image);
    loading = false;
    for (unsigned l = 0; l < LISTS; l++)
        any = any || lists[l].count > 0;
    if ((discovering || registers_late) && (!any || lists[0].count > 0))
        settle();
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

static bool is_client_only(void)
{
    for (unsigned i = 0; i < face_count; i++)
        if (faces[i].side == SIDE_PROVIDER)
            return false;
    return face_count > 0;
}

static void world_reset(void);

static void discover(void);

static struct program program = {
    .words = &model_words, .prepare = discover, .reset = world_reset, .main = world_main};

static void world_reset(void)
{
    watch_state();
    footprint_begin();
    kernel_reset();
    nmr_reset();
    registry_set_values(under_test->registry);
    peers_reset(faces, face_count);
    image_restore(&under_test->image);
    rules_begin(under_test->counterparts_max, is_client_only());
    memset(&inside, 0, sizeof inside);
    unloading = loading = false;
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

/* ---- what the module is */

static unsigned count_entries(const struct npi_operation *list)
{
    unsigned count = 0;

    while (list && list[count].name)
        count++;
    return count;
}

const struct npi_operation *world_entry(unsigned number)
{
    unsigned own = count_entries(under_test->entries);

    discover();
    if (entry_count == 0)
        return NULL;
    number %= entry_count;
    return number < own ? &under_test->entries[number] : &under_test->operations[number - own];
}

const struct face *world_faces(unsigned *count)
{
    discover();
    *count = face_count;
    return faces;
}

static const struct npi *find_face(const struct face *list, unsigned count, const NPIID *id, enum side side)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i].side == side && memcmp(list[i].npi->id, id, sizeof *id) == 0)
            return list[i].npi;
    return NULL;
}

/* Its place in the description, or behind all of that. */
static unsigned rank(const struct face *f)
{
    unsigned n = 0;

    while (under_test->npis && under_test->npis[n] && under_test->npis[n] != f->npi)
        n++;
    return n * 2 + (f->side == SIDE_CLIENT);
}

static void add_face(const struct npi *npi, enum side side)
{
    struct face f = {npi, side};
    unsigned at = face_count++;

    for (; at > 0 && rank(&f) < rank(&faces[at - 1]); at--)
        faces[at] = faces[at - 1];
    faces[at] = f;
}

static const struct npi *described(const NPIID *id)
{
    for (unsigned i = 0; under_test->npis && under_test->npis[i]; i++)
        if (memcmp(under_test->npis[i]->id, id, sizeof *id) == 0)
            return under_test->npis[i];
    return NULL;
}

static const struct npi *discover_face(const NPIID *id, enum side side)
{
    static struct { struct npi npi; NPIID id; } unknown[NPIS_MAX];
    const struct npi *npi = described(id);
    unsigned n = face_count + found_count;

    if (n == NPIS_MAX || (under_test->roles && !(npi && under_test->roles & 1u << side)))
        return NULL;
    if (!npi) {
        npi_unknown(&unknown[n].npi, &unknown[n].id, id, side);
        npi = &unknown[n].npi;
    }
    found[found_count++] = (struct face){npi, side};
    registers_late = registers_late || (face_count == 0 && entered == 0 && (!loading || sched_self() != 0));
    return npi;
}

const struct npi *world_npi(const NPIID *id, enum side side)
{
    const struct npi *npi = find_face(faces, face_count, id, side);

    if (!npi && discovering)
        npi = find_face(found, found_count, id, side);
    if (!npi && discovering)
        npi = discover_face(id, side);
    return npi || under_test->roles ? npi : &npi_any;
}

/* A module whose registrations all fail: what it says that it is. */
static void assume_faces(void)
{
    for (unsigned i = 0; under_test->npis && under_test->npis[i]; i++)
        for (enum side side = SIDE_CLIENT; side <= SIDE_PROVIDER; side++)
            if (under_test->roles & 1u << side && face_count < NPIS_MAX)
                add_face(under_test->npis[i], side);
}

static void discover(void)
{
    static const struct scenario nothing;

    if (discovered == under_test)
        return;
    discovered = under_test;
    face_count = 0;
    registers_late = false;
    entry_count = count_entries(under_test->entries) + count_entries(under_test->operations);
    discovering = true;
    do {
        found_count = 0;
        (void)execution_run(&program, &nothing, NULL);
        for (unsigned i = 0; i < found_count; i++)
            add_face(found[i].npi, found[i].side);
    } while (found_count > 0);
    discovering = false;
    if (face_count == 0)
        assume_faces();
    setups_make(face_count, entry_count);
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

const struct module *module_find(const char *name)
{
    for (unsigned i = 0; i < module_count; i++)
        if (strcmp(modules[i]->image.name, name) == 0)
            return modules[i];
    return NULL;
}
