/* view.c - see view.h. */
#include "view.h"

#include <string.h>

struct view view;
const char *const view_side_names[2] = {[SIDE_CLIENT] = "client", [SIDE_PROVIDER] = "provider"};

void view_begin(void)
{
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        struct view_thread *w = &view.threads[t];

        w->depth = w->lock_count = 0;
        w->blocked = false;
        w->completed = 0;
        w->past_count = 0;
    }
    view.binding_count = view.registration_count = view.block_count = view.object_count = 0;
    view.ever_attached = view.any_detached = false;
}

struct view_binding *view_binding(uint32_t number)
{
    return number < view.binding_count ? &view.bindings[number] : NULL;
}

struct view_block *view_block(uint32_t number)
{
    return number < view.block_count ? &view.blocks[number] : NULL;
}

struct view_object *view_object(uint32_t number)
{
    return number < view.object_count ? &view.objects[number] : NULL;
}

struct view_registration *view_registration(uint32_t number)
{
    return number < view.registration_count ? &view.registrations[number] : NULL;
}

/* ---- frames and sides */

bool view_is_attach(enum frame frame)
{
    return frame == FRAME_PROVIDER_ATTACH || frame == FRAME_CLIENT_ATTACH;
}

bool view_is_detach(enum frame frame)
{
    return frame == FRAME_PROVIDER_DETACH || frame == FRAME_CLIENT_DETACH;
}

bool view_is_cleanup(enum frame frame)
{
    return frame == FRAME_PROVIDER_CLEANUP || frame == FRAME_CLIENT_CLEANUP;
}

/* Attach, detach and cleanup of both sides look alike: the side whose callback it is. */
static struct view_side *side_of(struct view_binding *b, enum frame frame)
{
    bool client = frame == FRAME_CLIENT_ATTACH || frame == FRAME_CLIENT_DETACH || frame == FRAME_CLIENT_CLEANUP;

    return &b->sides[client ? SIDE_CLIENT : SIDE_PROVIDER];
}

/* Entry points of the module; NMR's callbacks are when they are not a counterpart's. */
static bool is_module_frame(enum frame frame, uint32_t object)
{
    struct view_binding *b;

    switch (frame) {
    case FRAME_DRIVER_ENTRY: case FRAME_DRIVER_UNLOAD: case FRAME_WORK_ITEM: case FRAME_CALL: case FRAME_ENTRY:
        return true;
    case FRAME_PROVIDER_ATTACH: case FRAME_PROVIDER_DETACH: case FRAME_PROVIDER_CLEANUP:
    case FRAME_CLIENT_ATTACH: case FRAME_CLIENT_DETACH: case FRAME_CLIENT_CLEANUP:
        b = view_binding(object);
        return b && side_of(b, frame)->module;
    default:
        return false;
    }
}

const struct view_frame *view_module_frame(unsigned thread)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned i = w->depth; i > 0; i--)
        if (w->frames[i - 1].module)
            return &w->frames[i - 1];
    return NULL;
}

enum side view_module_side(const struct view_binding *b)
{
    return b->sides[SIDE_PROVIDER].module ? SIDE_PROVIDER : SIDE_CLIENT;
}

enum side view_frame_side(const struct view_frame *f)
{
    const struct view_binding *b;

    switch (f->frame) {
    case FRAME_CLIENT_ATTACH: case FRAME_CLIENT_DETACH: case FRAME_CLIENT_CLEANUP: case FRAME_NMR_CLIENT_ATTACH:
        return SIDE_CLIENT;
    case FRAME_PROVIDER_ATTACH: case FRAME_PROVIDER_DETACH: case FRAME_PROVIDER_CLEANUP:
        return SIDE_PROVIDER;
    case FRAME_NMR_REGISTER: case FRAME_NMR_DEREGISTER: case FRAME_NMR_WAIT: case FRAME_NMR_COMPLETE:
        return (enum side)f->value;
    case FRAME_CALL: case FRAME_CALLBACK:
        b = view_binding(f->object);
        return b ? view_module_side(b) : view.role;
    default:
        return view.role;
    }
}

enum side view_thread_side(unsigned thread)
{
    const struct view_frame *f = view_module_frame(thread);

    return f ? view_frame_side(f) : view.role;
}

/* ---- findings */

uint16_t view_rule(enum rule rule, enum side side)
{
    static const uint16_t clients[RULES] = {
#define SIDES(provider, client) [RULE_##provider] = RULE_##client,
#include "sides.def"
#undef SIDES
    };

    return side == SIDE_CLIENT && clients[rule] ? clients[rule] : (uint16_t)rule;
}

const struct view_frame *view_inside(unsigned thread, enum frame frame)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned i = w->depth; i > 0; i--)
        if (w->frames[i - 1].frame == frame)
            return &w->frames[i - 1];
    return NULL;
}

const struct view_frame *view_anywhere(enum frame frame)
{
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        const struct view_frame *f = view_inside(t, frame);

        if (f && (f->module || f->b == 1))
            return f;
    }
    return NULL;
}

enum frame view_frame_at(unsigned thread, uint32_t events, uint32_t *entered)
{
    const struct view_thread *w = &view.threads[thread];
    unsigned kept = w->past_count < VIEW_PAST_MAX ? w->past_count : VIEW_PAST_MAX;
    enum frame frame = FRAME_NONE;

    *entered = 0;
    for (unsigned i = 0; i < w->depth; i++) {
        if (w->frames[i].module && w->frames[i].entered <= events) {
            frame = w->frames[i].frame;
            *entered = w->frames[i].entered;
        }
    }
    for (unsigned i = 0; i < kept; i++) {
        if (w->past[i].entered <= events && events < w->past[i].left && w->past[i].entered > *entered) {
            frame = w->past[i].frame;
            *entered = w->past[i].entered;
        }
    }
    return frame;
}

const struct view_frame *view_outside(unsigned thread, const struct view_frame *f, enum frame frame)
{
    const struct view_frame *bottom = view.threads[thread].frames;

    while (f-- > bottom)
        if (f->frame == frame)
            return f;
    return NULL;
}

const char *view_anchor(unsigned thread)
{
    const struct view_frame *f = view_module_frame(thread);

    return f ? frame_names[f->frame] : "outside the module";
}

bool view_proposal_succeeded(const struct view_binding *b)
{
    return b->proposals > 0 && !b->proposing && b->proposal_status >= 0;
}

bool view_detach_over(const struct view_side *s)
{
    return s->detach_left && (s->detach_status != STATUS_PENDING || s->completions > 0);
}

struct view_registration *view_registration_of(const struct view_binding *b, enum side side)
{
    return view_registration(side == SIDE_CLIENT ? b->client : b->provider);
}

uint32_t view_open_registration(void)
{
    for (uint32_t i = 0; i < view.registration_count; i++) {
        const struct view_registration *r = &view.registrations[i];

        if (r->module && r->state != REGISTRATION_NONE && r->state != REGISTRATION_CLOSED)
            return i;
    }
    return NONE;
}

static struct view_binding *make_binding(uint32_t number)
{
    if (number >= VIEW_BINDINGS_MAX)
        return NULL;
    while (view.binding_count <= number) {
        struct view_binding *b = &view.bindings[view.binding_count++];

        memset(b, 0, sizeof *b);
        b->client = b->provider = NONE;
        b->sides[SIDE_CLIENT].context_block = b->sides[SIDE_PROVIDER].context_block = NONE;
    }
    return &view.bindings[number];
}

static struct view_registration *make_registration(uint32_t number)
{
    if (number >= VIEW_REGISTRATIONS_MAX)
        return NULL;
    while (view.registration_count <= number)
        memset(&view.registrations[view.registration_count++], 0, sizeof *view.registrations);
    return &view.registrations[number];
}

/* ---- pool */

static void allocated(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    struct view_block *b;

    if (e->object >= VIEW_BLOCKS_MAX)
        return;
    while (view.block_count <= e->object)
        view.blocks[view.block_count++].live = false;
    b = &view.blocks[e->object];
    *b = (struct view_block){.address = e->a, .size = (uint32_t)e->value, .live = true, .binding = NONE,
                             .registration = NONE, .side = view.role};
    if (f && view_is_attach(f->frame)) {
        b->in_attach = true;
        b->side = view_frame_side(f);
        b->attach_event = f->event;
        b->attach_flags = (unsigned)f->value;
        b->binding = f->object;
    }
}

static void freed(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    struct view_block *b = view_block(e->object);

    if (!b)
        return;
    b->live = false;
    b->free_frame = f ? f->frame : FRAME_NONE;
    b->free_early = view_open_registration() != NONE;
}

static void allocation_failed(const struct event *e)
{
    struct view_thread *w = &view.threads[e->thread];

    for (unsigned i = 0; i < w->depth; i++)
        w->frames[i].low_resources = true;
}

/* ---- frames */

/* NULL: there is no room. */
static struct view_frame *push(const struct event *e)
{
    struct view_thread *w = &view.threads[e->thread];
    enum frame frame = (enum frame)(e->kind - EV_ENTER);

    if (w->depth == VIEW_FRAMES_MAX)
        return NULL;
    w->frames[w->depth] = (struct view_frame){
        .frame = frame, .object = e->object, .entered = event_count(), .event = event_count(),
        .started = event_count(), .value = e->value, .b = e->b, .c = e->c, .level = e->level,
        .locks = (uint8_t)w->lock_count, .regions = w->regions, .module = is_module_frame(frame, e->object)};
    return &w->frames[w->depth++];
}

static void enter(const struct event *e)
{
    (void)push(e);
}

static void leave(const struct event *e)
{
    struct view_thread *w = &view.threads[e->thread];
    enum frame frame = (enum frame)(e->kind - EV_LEAVE);

    while (w->depth > 0 && w->frames[--w->depth].frame != frame)
        ;
    if (w->frames[w->depth].module) {
        w->past[w->past_count % VIEW_PAST_MAX].frame = frame;
        w->past[w->past_count % VIEW_PAST_MAX].entered = w->frames[w->depth].entered;
        w->past[w->past_count++ % VIEW_PAST_MAX].left = event_count();
    }
}

static bool serves(unsigned thread, uint32_t binding)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned i = 0; i < w->depth; i++)
        if (w->frames[i].frame == FRAME_CALL && w->frames[i].object == binding)
            return true;
    return false;
}

/* Does the module serve a call of the binding, or run a work item or an entry point, which may be about it? */
static bool module_is_busy(uint32_t binding, unsigned detaching)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        if (serves(t, binding) ||
            (t != detaching && (view_inside(t, FRAME_WORK_ITEM) || view_inside(t, FRAME_ENTRY))))
            return true;
    return false;
}

static void work_item_entered(const struct event *e)
{
    struct view_frame *f = push(e);

    if (!f || e->object >= VIEW_WORK_MAX)
        return;
    f->event = view.work_queued[e->object].event;
    f->started = view.work_queued[e->object].started;
}

static void provider_attach_entered(const struct event *e)
{
    struct view_binding *b = make_binding(e->object);

    if (b) {
        b->flags = (unsigned)e->value;
        b->called_early = false;
        b->sides[SIDE_CLIENT].context = e->b;
    }
    enter(e);
}

static void client_attach_entered(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    if (b && b->sides[SIDE_CLIENT].module)
        b->flags = (unsigned)e->value;
    enter(e);
}

static void detach_entered(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    if (b) {
        struct view_side *s = side_of(b, (enum frame)(e->kind - EV_ENTER));

        s->detach_entered = event_count();
        view.any_detached |= s->module;
    }
    enter(e);
}

static void cleanup_entered(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    if (b)
        side_of(b, (enum frame)(e->kind - EV_ENTER))->cleanup_entered = event_count();
    enter(e);
}

static void complete_entered(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    if (b) {
        b->sides[e->value].completions++;
        if (e->b == 1) {
            view.threads[e->thread].completed = e->object + 1;
            view.threads[e->thread].completed_event = event_count();
        }
    }
    enter(e);
}

static void proposal_entered(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    if (b && e->b == 1) {
        b->proposals++;
        b->proposing = true;
    }
    enter(e);
}

static void register_entered(const struct event *e)
{
    struct view_registration *r = make_registration(e->object);

    if (r) {
        r->side = (enum side)e->value;
        r->module = e->b == 1;
    }
    enter(e);
}

static void callback_entered(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    if (b) {
        b->sides[view_module_side(b)].calls++;
        b->called_early |= b->state == BINDING_PROPOSING;
    }
    enter(e);
}

static void attach_failed(const struct view_frame *f)
{
    for (uint32_t i = 0; i < view.block_count; i++)
        if (view.blocks[i].in_attach && view.blocks[i].attach_event == f->event)
            view.blocks[i].attach_failed = true;
}

static void attach_left(const struct event *e)
{
    enum frame frame = (enum frame)(e->kind - EV_LEAVE);
    const struct view_frame *f = view_inside(e->thread, frame);
    struct view_binding *b = view_binding(e->object);
    struct view_side *s;

    if (e->value != 0 && f && f->module)
        attach_failed(f);
    leave(e);
    if (!b)
        return;
    s = side_of(b, frame);
    s->attached = e->value == 0;
    s->attach_failed = e->value != 0;
    if (frame == FRAME_PROVIDER_ATTACH)
        s->context = e->a;
    view.ever_attached |= s->attached && s->module;
}

static void detach_left(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);
    struct view_side *s;

    leave(e);
    if (!b)
        return;
    s = side_of(b, (enum frame)(e->kind - EV_LEAVE));
    s->detach_left = event_count();
    s->detach_status = e->value;
    s->detach_live = module_is_busy(e->object, e->thread) || s->calls > 0 || s->pending > 0;
}

static void proposal_left(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    leave(e);
    if (b && e->b == 1) {
        b->proposing = false;
        b->proposal_status = e->value;
    }
}

static void callback_left(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    leave(e);
    if (b)
        b->sides[view_module_side(b)].calls--;
}

static void register_left(const struct event *e)
{
    struct view_registration *r = view_registration(e->object);

    leave(e);
    if (r && r->module)
        r->failed = e->value != 0;
}

/* ---- synchronisation objects */

static struct view_object *make_object(uint32_t number)
{
    if (number >= VIEW_OBJECTS_MAX)
        return NULL;
    while (view.object_count <= number)
        view.objects[view.object_count++] = (struct view_object){0};
    return &view.objects[number];
}

static void object_initialised(const struct event *e)
{
    struct view_object *o = view_object(e->object);

    if (o)
        *o = (struct view_object){0};
}

static void object_used(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    struct view_object *o = f ? make_object(e->object) : NULL;

    if (!o)
        return;
    o->users |= o->user && o->user != f->entered;
    o->user = f->entered;
    if (o->started < f->started)
        o->started = f->started;
}

static void rundown_used(const struct event *e)
{
    if (e->value != RUNDOWN_INIT)
        object_used(e);
}

/* ---- locks, waits, work items */

static void lock_taken(const struct event *e)
{
    struct view_thread *w = &view.threads[e->thread];

    object_used(e);
    if (w->lock_count == VIEW_LOCKS_MAX)
        return;
    w->locks[w->lock_count].object = e->object;
    w->locks[w->lock_count].address = e->a;
    w->locks[w->lock_count].kind = (uint8_t)e->value;
    w->locks[w->lock_count++].depth = (uint8_t)w->depth;
}

static void lock_left(const struct event *e)
{
    struct view_thread *w = &view.threads[e->thread];

    for (unsigned i = w->lock_count; i > 0; i--) {
        if (w->locks[i - 1].object != e->object)
            continue;
        memmove(&w->locks[i - 1], &w->locks[i], (w->lock_count - i) * sizeof w->locks[0]);
        w->lock_count--;
        return;
    }
}

static void thread_started(const struct event *e)
{
    view.threads[e->thread].regions = 0;
}

static void region_changed(const struct event *e)
{
    view.threads[e->thread].regions = (uint8_t)e->value;
}

static void block(struct view_thread *w, const struct event *e)
{
    w->blocked = true;
    w->blocked_on = e->object;
    w->blocked_kind = e->value;
}

static void blocked(const struct event *e)
{
    block(&view.threads[e->thread], e);
}

static void kept_out(const struct event *e)
{
    block(&view.threads[e->b], e);
}

static void woken(const struct event *e)
{
    view.threads[e->thread].blocked = false;
}

static void work_queued(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);

    object_used(e);
    if (e->object >= VIEW_WORK_MAX)
        return;
    view.work_queued[e->object].event = event_count();
    view.work_queued[e->object].started = f ? f->started : event_count();
}

/* ---- registrations and bindings */

static void bind_context(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);
    const struct view_block *block;
    struct view_side *s;

    if (!b)
        return;
    s = &b->sides[e->c];
    s->context = e->a;
    if (e->value != PLACE_POOL && e->value != PLACE_POOL_PAGED)
        return;
    block = view_block((uint32_t)e->b);
    if (block) {
        s->context_block = (uint32_t)e->b;
        s->context_size = block->size;
    }
}

static void registration_place(const struct event *e)
{
    struct view_registration *r = make_registration(e->object);
    struct view_block *block;
    int64_t place = e->value & 0xFFFFFFFF;

    if (!r || e->value >> 32 != FIELD_CONTEXT)
        return;
    if (place != PLACE_POOL && place != PLACE_POOL_PAGED)
        return;
    block = view_block((uint32_t)e->b);
    if (block) {
        block->registration = e->object;
        block->side = r->side;
    }
}

static void registration_field(const struct event *e)
{
    struct view_registration *r = make_registration(e->object);

    if (r && e->value >> 32 == FIELD_CLEANUP)
        r->has_cleanup = (e->value & 0xFFFFFFFF) != 0;
}

static void registration_state(const struct event *e)
{
    struct view_registration *r = make_registration(e->object);

    if (r) {
        r->state = (enum registration_state)e->value;
        r->module = e->b == 1;
        r->peer = (unsigned)e->c;
    }
}

static void binding_offered(const struct event *e)
{
    struct view_binding *b = make_binding(e->object);

    if (!b)
        return;
    b->client = (uint32_t)(e->value >> 16);
    b->provider = (uint32_t)(e->value & 0xFFFF);
    for (enum side side = SIDE_CLIENT; side <= SIDE_PROVIDER; side++) {
        const struct view_registration *r = view_registration_of(b, side);

        b->sides[side].module = r && r->module;
    }
}

static void binding_state(const struct event *e)
{
    struct view_binding *b = make_binding(e->object);

    if (b)
        b->state = (enum binding_state)e->value;
}

static void pending_callback(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);

    if (b)
        b->sides[view_module_side(b)].pending += e->value ? 1 : -1;
}

/* ---- which events change what */

void view_watch(void)
{
    static void (*const entered[FRAMES])(const struct event *e) = {
        [FRAME_WORK_ITEM] = work_item_entered,
        [FRAME_PROVIDER_ATTACH] = provider_attach_entered,
        [FRAME_CLIENT_ATTACH] = client_attach_entered,
        [FRAME_PROVIDER_DETACH] = detach_entered,
        [FRAME_CLIENT_DETACH] = detach_entered,
        [FRAME_PROVIDER_CLEANUP] = cleanup_entered,
        [FRAME_CLIENT_CLEANUP] = cleanup_entered,
        [FRAME_NMR_COMPLETE] = complete_entered,
        [FRAME_NMR_CLIENT_ATTACH] = proposal_entered,
        [FRAME_NMR_REGISTER] = register_entered,
        [FRAME_CALLBACK] = callback_entered,
    };
    static void (*const left[FRAMES])(const struct event *e) = {
        [FRAME_PROVIDER_ATTACH] = attach_left,
        [FRAME_CLIENT_ATTACH] = attach_left,
        [FRAME_PROVIDER_DETACH] = detach_left,
        [FRAME_CLIENT_DETACH] = detach_left,
        [FRAME_NMR_CLIENT_ATTACH] = proposal_left,
        [FRAME_NMR_REGISTER] = register_left,
        [FRAME_CALLBACK] = callback_left,
    };

    for (uint16_t frame = FRAME_NONE + 1; frame < FRAMES; frame++) {
        event_add_judge_of((uint16_t)(EV_ENTER + frame), entered[frame] ? entered[frame] : enter);
        event_add_judge_of((uint16_t)(EV_LEAVE + frame), left[frame] ? left[frame] : leave);
    }
    event_add_judge_of(EV_ALLOC, allocated);
    event_add_judge_of(EV_ALLOC_FAILED, allocation_failed);
    event_add_judge_of(EV_FREE, freed);
    event_add_judge_of(EV_LOCK_ACQUIRE, lock_taken);
    event_add_judge_of(EV_LOCK_RELEASE, lock_left);
    event_add_judge_of(EV_THREAD_START, thread_started);
    event_add_judge_of(EV_REGION, region_changed);
    event_add_judge_of(EV_BLOCK, blocked);
    event_add_judge_of(EV_KEPT_OUT, kept_out);
    event_add_judge_of(EV_WAKE, woken);
    event_add_judge_of(EV_WORK_QUEUED, work_queued);
    event_add_judge_of(EV_SYNC_INIT, object_initialised);
    event_add_judge_of(EV_EVENT_SET, object_used);
    event_add_judge_of(EV_EVENT_RESET, object_used);
    event_add_judge_of(EV_WAIT, object_used);
    event_add_judge_of(EV_RUNDOWN, rundown_used);
    event_add_judge_of(EV_REGISTRATION_PLACE, registration_place);
    event_add_judge_of(EV_REGISTRATION_FIELD, registration_field);
    event_add_judge_of(EV_REGISTRATION_STATE, registration_state);
    event_add_judge_of(EV_BINDING_OFFERED, binding_offered);
    event_add_judge_of(EV_BINDING_STATE, binding_state);
    event_add_judge_of(EV_BINDING_CONTEXT, bind_context);
    event_add_judge_of(EV_PENDING_CALLBACK, pending_callback);
}
