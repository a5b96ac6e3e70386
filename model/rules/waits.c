/* waits.c - who waits for whom, in the terms of a driver's author; see rules.h. */
#include <stdarg.h>
#include <stdio.h>

#include "sites.h"
#include "scenario.h"
#include "view.h"

static struct rules_waits *waits;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list arguments;

    if (waits->count == RULES_WAITS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(waits->lines[waits->count++], sizeof waits->lines[0], format, arguments);
    va_end(arguments);
}

static const char *name(unsigned thread, char text[8])
{
    return thread_name(&model_words, thread, text);
}

/* "the module", "client c0". */
static const char *who(const struct view_binding *b, enum side side, char text[32])
{
    const struct view_registration *r = view_registration_of(b, side);

    if (b->sides[side].module)
        snprintf(text, 32, "the module");
    else
        snprintf(text, 32, "%s c%u", view_side_names[side], r ? r->peer : 0);
    return text;
}

/* The thread that is inside of the frame for that binding; THREADS_MAX: none. */
static unsigned inside_of(enum frame frame, uint32_t binding)
{
    for (unsigned t = 0; t < THREADS_MAX; t++) {
        const struct view_frame *f = view_inside(t, frame);

        if (f && f->object == binding)
            return t;
    }
    return THREADS_MAX;
}

static void side_of_binding(uint32_t number, enum side side)
{
    const struct view_binding *b = &view.bindings[number];
    const struct view_side *s = &b->sides[side];
    enum frame detach = side == SIDE_CLIENT ? FRAME_CLIENT_DETACH : FRAME_PROVIDER_DETACH;
    unsigned thread = inside_of(detach, number);
    char text[32], worker[8];

    if (view_detach_over(s))
        return;
    if (!s->detach_entered)
        say("  binding %u: %s was not told to detach yet", number, who(b, side, text));
    else if (thread < THREADS_MAX)
        say("  binding %u: the detach callback of %s has not returned on %s", number, who(b, side, text),
            name(thread, worker));
    else
        say("  binding %u: %s never completed its detach", number, who(b, side, text));
    if (s->calls > 0 || s->pending > 0)
        say("  binding %u: %d of its calls run, %d are pending", number, s->calls, s->pending);
}

static void registration(unsigned thread, const struct view_frame *top, const char *in, uint32_t number)
{
    char text[8];

    say("%s%s waits in NmrWaitFor%sDeregisterComplete for registration %u", name(thread, text), in,
        top && top->frame == FRAME_NMR_WAIT && top->value == SIDE_CLIENT ? "Client" : "Provider", number);
    for (uint32_t i = 0; i < view.binding_count; i++) {
        const struct view_binding *b = &view.bindings[i];

        if ((b->client != number && b->provider != number) || b->state < BINDING_ATTACHED || b->state == BINDING_GONE)
            continue;
        side_of_binding(i, SIDE_CLIENT);
        side_of_binding(i, SIDE_PROVIDER);
    }
}

static void lock(unsigned thread, const char *in, uint32_t object, int64_t kind)
{
    char text[8], owner[8];
    bool held = false;

    for (unsigned t = 0; t < THREADS_MAX; t++) {
        for (unsigned i = 0; i < view.threads[t].lock_count; i++) {
            if (view.threads[t].locks[i].object != object)
                continue;
            held = true;
            say("%s%s waits for %s %u, which %s holds", name(thread, text), in, lock_names[kind], object,
                name(t, owner));
        }
    }
    if (!held)
        say("%s%s waits for %s %u", name(thread, text), in, lock_names[kind], object);
}

static void other(unsigned thread, const char *in, uint32_t object, int64_t kind)
{
    char text[8];

    if (object == NONE)
        say("%s%s waits until all %ss are over", name(thread, text), in, lock_names[kind]);
    else if (kind == SYNC_RUNDOWN)
        say("%s%s waits until all references of rundown %u are released", name(thread, text), in, object);
    else if (kind == SYNC_EVENT)
        say("%s%s waits for event %u, and nobody is left to set it", name(thread, text), in, object);
    else
        say("%s%s waits for %s %u", name(thread, text), in, kind < LOCK_KINDS ? lock_names[kind] : "object",
            object);
}

static void thread_waits(unsigned thread)
{
    const struct view_thread *w = &view.threads[thread];
    const struct view_frame *f = view_module_frame(thread);
    const struct view_frame *top = w->depth ? &w->frames[w->depth - 1] : NULL;
    char in[64] = "";

    if (!f)
        f = top;
    if (f)
        snprintf(in, sizeof in, ", in %s,", frame_names[f->frame]);
    if (w->blocked_kind == SYNC_REGISTRATION)
        registration(thread, top, in, w->blocked_on);
    else if (lock_kind_is_lock(w->blocked_kind))
        lock(thread, in, w->blocked_on, w->blocked_kind);
    else
        other(thread, in, w->blocked_on, w->blocked_kind);
}

void rules_who_waits(struct rules_waits *out)
{
    waits = out;
    waits->count = 0;
    for (unsigned t = 0; t < THREADS_MAX; t++)
        if (view.threads[t].blocked)
            thread_waits(t);
}
