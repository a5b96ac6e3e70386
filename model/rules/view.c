/* view.c - see view.h. */
#include "view.h"

#include <string.h>

struct view view;

void view_begin(void)
{
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        struct view_thread *w = &view.threads[t];

        w->depth = w->lock_count = 0;
        w->blocked = false;
        w->completed = 0;
        w->left = FRAME_NONE;
        w->past_count = 0;
    }
    view.binding_count = view.registration_count = view.block_count = 0;
    view.register_failed = view.ever_attached = view.any_detached = false;
}

struct view_binding *view_binding(uint32_t number)
{
    return number < view.binding_count ? &view.bindings[number] : NULL;
}

struct view_block *view_block(uint32_t number)
{
    return number < view.block_count ? &view.blocks[number] : NULL;
}

struct view_registration *view_registration(uint32_t number)
{
    return number < view.registration_count ? &view.registrations[number] : NULL;
}

bool view_is_module_frame(enum frame frame)
{
    switch (frame) {
    case FRAME_DRIVER_ENTRY: case FRAME_DRIVER_UNLOAD: case FRAME_WORK_ITEM: case FRAME_CALL:
    case FRAME_PROVIDER_ATTACH: case FRAME_PROVIDER_DETACH: case FRAME_PROVIDER_CLEANUP:
        return true;
    default:
        return false;
    }
}

const struct view_frame *view_module_frame(unsigned thread)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned i = w->depth; i > 0; i--)
        if (view_is_module_frame(w->frames[i - 1].frame))
            return &w->frames[i - 1];
    return NULL;
}

const struct view_frame *view_inside(unsigned thread, enum frame frame)
{
    const struct view_thread *w = &view.threads[thread];

    for (unsigned i = w->depth; i > 0; i--)
        if (w->frames[i - 1].frame == frame)
            return &w->frames[i - 1];
    return NULL;
}

enum frame view_frame_at(unsigned thread, uint32_t events)
{
    const struct view_thread *w = &view.threads[thread];
    unsigned kept = w->past_count < VIEW_PAST_MAX ? w->past_count : VIEW_PAST_MAX;
    enum frame frame = FRAME_NONE;
    uint32_t entered = 0;

    for (unsigned i = 0; i < w->depth; i++) {
        if (view_is_module_frame(w->frames[i].frame) && w->frames[i].entered <= events) {
            frame = w->frames[i].frame;
            entered = w->frames[i].entered;
        }
    }
    for (unsigned i = 0; i < kept; i++) {
        if (w->past[i].entered <= events && events < w->past[i].left && w->past[i].entered > entered) {
            frame = w->past[i].frame;
            entered = w->past[i].entered;
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

bool view_detach_over(const struct view_binding *b)
{
    return b->detach_left && (b->detach_status != 0x103 || b->completions > 0);
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
        b->context_block = NONE;
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
    const struct view_frame *f = view_inside(e->thread, FRAME_PROVIDER_ATTACH);
    struct view_block *b;

    if (e->object >= VIEW_BLOCKS_MAX)
        return;
    while (view.block_count <= e->object)
        view.blocks[view.block_count++].live = false;
    b = &view.blocks[e->object];
    *b = (struct view_block){.address = e->a, .size = (uint32_t)e->value, .flags = (uint32_t)e->c, .live = true,
                             .binding = NONE, .registration = NONE, .free_binding = NONE};
    if (f && f == view_module_frame(e->thread)) {
        b->in_attach = true;
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
    b->free_binding = f && f->frame != FRAME_WORK_ITEM ? f->object : NONE;
    b->free_event = event_count();
    b->free_early = view_open_registration() != NONE;
}

/* ---- frames */

static void enter(const struct event *e, enum frame frame)
{
    struct view_thread *w = &view.threads[e->thread];
    struct view_frame *f;

    if (w->depth == VIEW_FRAMES_MAX)
        return;
    f = &w->frames[w->depth++];
    *f = (struct view_frame){.frame = frame, .object = e->object, .entered = event_count(), .event = event_count(),
                             .value = e->value, .a = e->a, .b = e->b, .c = e->c, .level = e->level,
                             .locks = (uint8_t)w->lock_count};
    if (frame == FRAME_WORK_ITEM && e->object < VIEW_WORK_MAX)
        f->event = view.work_queued[e->object];
}

static void leave(const struct event *e, enum frame frame)
{
    struct view_thread *w = &view.threads[e->thread];

    while (w->depth > 0 && w->frames[--w->depth].frame != frame)
        ;
    if (view_is_module_frame(frame)) {
        w->past[w->past_count % VIEW_PAST_MAX].frame = frame;
        w->past[w->past_count % VIEW_PAST_MAX].entered = w->frames[w->depth].entered;
        w->past[w->past_count++ % VIEW_PAST_MAX].left = event_count();
        w->left = frame;
        w->left_object = e->object;
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

/* Does the module serve a call of the binding, or run a work item, which may be the binding's? */
static bool module_is_busy(uint32_t binding, unsigned detaching)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        if (serves(t, binding) || (t != detaching && view_inside(t, FRAME_WORK_ITEM)))
            return true;
    return false;
}

static void update_enter(const struct event *e, enum frame frame)
{
    struct view_binding *b = view_binding(e->object);

    switch (frame) {
    case FRAME_PROVIDER_ATTACH:
        b = make_binding(e->object);
        if (b) {
            b->flags = (unsigned)e->value;
            b->client_context = e->b;
        }
        break;
    case FRAME_PROVIDER_DETACH:
        view.any_detached = true;
        if (b) {
            b->detach_entered = event_count();
            b->detach_thread = e->thread;
        }
        break;
    case FRAME_PROVIDER_CLEANUP:
        if (b)
            b->cleanup_entered = event_count();
        break;
    case FRAME_NMR_COMPLETE:
        if (b && e->value == SIDE_PROVIDER) {
            b->completions++;
            view.threads[e->thread].completed = e->object + 1;
            view.threads[e->thread].completed_event = event_count();
        }
        break;
    case FRAME_CALLBACK:
        if (b)
            b->callbacks++;
        break;
    default:
        break;
    }
    enter(e, frame);
}

static void attach_failed(const struct view_frame *f)
{
    for (uint32_t i = 0; i < view.block_count; i++)
        if (view.blocks[i].in_attach && view.blocks[i].attach_event == f->event)
            view.blocks[i].attach_failed = true;
}

static void update_leave(const struct event *e, enum frame frame)
{
    const struct view_frame *f = view_inside(e->thread, frame);
    struct view_binding *b = view_binding(e->object);

    if (frame == FRAME_PROVIDER_ATTACH && e->value != 0 && f)
        attach_failed(f);
    leave(e, frame);
    switch (frame) {
    case FRAME_PROVIDER_ATTACH:
        if (b) {
            b->attached = e->value == 0;
            b->attach_failed = e->value != 0;
            b->context = e->a;
            view.ever_attached |= b->attached;
        }
        break;
    case FRAME_PROVIDER_DETACH:
        if (b) {
            b->detach_left = event_count();
            b->detach_status = e->value;
            b->detach_live = module_is_busy(e->object, e->thread) || b->callbacks > 0 || b->pending > 0;
        }
        break;
    case FRAME_CALLBACK:
        if (b)
            b->callbacks--;
        break;
    case FRAME_NMR_REGISTER: {
        struct view_registration *r = view_registration(e->object);

        if (r && r->module)
            view.register_failed = r->failed = e->value != 0;
        break;
    }
    default:
        break;
    }
}

/* ---- locks */

static void lock_taken(const struct event *e)
{
    struct view_thread *w = &view.threads[e->thread];

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

static void bind_context(const struct event *e)
{
    struct view_binding *b = view_binding(e->object);
    struct view_block *block;

    if (!b || (e->value != PLACE_POOL && e->value != PLACE_POOL_PAGED))
        return;
    block = view_block((uint32_t)e->b);
    if (block) {
        b->context_block = (uint32_t)e->b;
        b->context_size = block->size;
    }
}

static void registration_place(const struct event *e)
{
    struct view_registration *r = make_registration(e->object);
    struct view_block *block;
    int64_t place = e->value & 0xFFFFFFFF;

    if (!r || e->value >> 32 != FIELD_CONTEXT)
        return;
    r->context = e->a;
    if (place != PLACE_POOL && place != PLACE_POOL_PAGED)
        return;
    block = view_block((uint32_t)e->b);
    if (block)
        block->registration = e->object;
}

/* Registrations and bindings.  False: it is about something else. */
static bool update_nmr(const struct event *e)
{
    struct view_registration *r;
    struct view_binding *b;

    switch (e->kind) {
    case EV_REGISTRATION_PLACE:
        registration_place(e);
        break;
    case EV_REGISTRATION_FIELD:
        r = make_registration(e->object);
        if (r && e->value >> 32 == FIELD_CLEANUP)
            r->has_cleanup = (e->value & 0xFFFFFFFF) != 0;
        break;
    case EV_REGISTRATION_STATE:
        r = make_registration(e->object);
        if (r) {
            r->state = (enum registration_state)e->value;
            r->module = e->b == 1;
        }
        break;
    case EV_BINDING_OFFERED:
        b = make_binding(e->object);
        if (b) {
            b->client = (uint32_t)(e->value >> 16);
            b->provider = (uint32_t)(e->value & 0xFFFF);
        }
        break;
    case EV_BINDING_STATE:
        b = make_binding(e->object);
        if (b)
            b->state = (enum binding_state)e->value;
        break;
    case EV_BINDING_CONTEXT:
        bind_context(e);
        break;
    case EV_PENDING_CALLBACK:
        b = view_binding(e->object);
        if (b)
            b->pending += e->value ? 1 : -1;
        break;
    default:
        return false;
    }
    return true;
}

/* Threads, locks, pool and work items. */
static void update_kernel(const struct event *e)
{
    struct view_thread *w = &view.threads[e->thread];

    switch (e->kind) {
    case EV_LOCK_ACQUIRE:
        lock_taken(e);
        break;
    case EV_LOCK_RELEASE:
        lock_left(e);
        break;
    case EV_BLOCK:
        w->blocked = true;
        w->blocked_on = e->object;
        w->blocked_kind = e->value;
        break;
    case EV_WAKE:
        w->blocked = false;
        break;
    case EV_ALLOC:
        allocated(e);
        break;
    case EV_ALLOC_FAILED:
        for (unsigned i = 0; i < w->depth; i++)
            w->frames[i].low_resources = true;
        break;
    case EV_FREE:
        freed(e);
        break;
    case EV_WORK_QUEUED:
        if (e->object < VIEW_WORK_MAX)
            view.work_queued[e->object] = event_count();
        break;
    default:
        break;
    }
}

void view_update(const struct event *e)
{
    if (e->kind >= EV_ENTER && e->kind < EV_LEAVE)
        update_enter(e, (enum frame)(e->kind - EV_ENTER));
    else if (e->kind >= EV_LEAVE && e->kind < EV_THREAD_START)
        update_leave(e, (enum frame)(e->kind - EV_LEAVE));
    else if (!update_nmr(e))
        update_kernel(e);
}
