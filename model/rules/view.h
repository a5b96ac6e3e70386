/*
 * view.h - what the judges know: the world as the events tell it.
 *
 * view_update is the last judge to see an event, so monitors find the state as it was before: at EV_LEAVE the frame is
 * still on its thread's stack, at EV_ENTER it is not yet.
 */
#ifndef RULES_VIEW_H
#define RULES_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "events.h"
#include "finding.h"
#include "rules.h"
#include "vocabulary.h"

enum { VIEW_FRAMES_MAX = 32, VIEW_LOCKS_MAX = 16, VIEW_BINDINGS_MAX = 64, VIEW_REGISTRATIONS_MAX = 16,
       VIEW_BLOCKS_MAX = 2048, VIEW_WORK_MAX = 256, VIEW_PAST_MAX = 16 };

struct view_frame {
    enum frame frame;
    uint32_t object;
    uint32_t entered;                       /* event number */
    uint32_t event;                         /* the same; of a work item: when it was queued */
    int64_t value;
    uint64_t a, b, c;                       /* of the EV_ENTER */
    uint8_t level, locks;                   /* IRQL and number of locks at the entry */
    bool low_resources;                     /* an allocation inside it was made to fail */
};

struct view_thread {
    unsigned depth;
    struct view_frame frames[VIEW_FRAMES_MAX];
    unsigned lock_count;
    struct { uint32_t object; uint64_t address; uint8_t kind; uint8_t depth; } locks[VIEW_LOCKS_MAX];
    bool blocked;
    uint32_t blocked_on;
    int64_t blocked_kind;
    uint32_t completed;                     /* the binding that it completed last, + 1; 0: none */
    uint32_t completed_event;
    struct { enum frame frame; uint32_t entered, left; } past[VIEW_PAST_MAX];   /* module frames that it left, a ring */
    unsigned past_count;
    enum frame left;                        /* the module frame that it left last, and the object of that */
    uint32_t left_object;
};

struct view_binding {
    enum binding_state state;
    uint32_t client, provider;              /* registrations */
    unsigned flags;                         /* enum attach_flags of the last attach */
    bool attached;                          /* ProviderAttachClient succeeded */
    bool attach_failed;
    uint64_t client_context;                /* ClientBindingContext */
    uint64_t context;                       /* *ProviderBindingContext */
    uint32_t context_block;                 /* or NONE */
    uint32_t context_size;
    uint32_t detach_entered, detach_left;   /* event numbers + 1; 0: not yet */
    unsigned detach_thread;
    int64_t detach_status;
    bool detach_live;                       /* the module was still doing something when the detach returned */
    unsigned completions;                   /* of the provider's side */
    uint32_t cleanup_entered;
    int callbacks, pending;                 /* client callbacks in progress: running, and answered STATUS_PENDING */
};

struct view_block {
    uint64_t address;
    uint32_t size;
    uint32_t flags;                         /* enum alloc_flags */
    bool live, in_attach;                   /* in_attach: allocated by an attach, of `binding` */
    bool attach_failed;                     /* … by one that failed: a client may try again */
    unsigned attach_flags;                  /* enum attach_flags of that attach */
    uint32_t attach_event, binding;
    uint32_t registration;                  /* it is the context of that registration, or NONE */
    enum frame free_frame;
    uint32_t free_binding;
    uint32_t free_event;
    bool free_early;                        /* freed while a registration of the module was not closed */
};

struct view_registration {
    enum registration_state state;
    bool module, has_cleanup, failed;
    uint8_t side;
    uint64_t context;
};

struct view {
    struct view_thread threads[THREADS_MAX];
    unsigned binding_count, registration_count, block_count;
    struct view_binding bindings[VIEW_BINDINGS_MAX];
    struct view_registration registrations[VIEW_REGISTRATIONS_MAX];
    struct view_block blocks[VIEW_BLOCKS_MAX];
    uint32_t work_queued[VIEW_WORK_MAX];    /* event at which the work item was queued */
    bool register_failed;                   /* the module's last registration failed */
    bool ever_attached, any_detached;       /* some binding of the module was / began to be detached */
    unsigned clients_max;
    bool needs_client_dispatch;
};
extern struct view view;

void view_begin(void);
void view_update(const struct event *e);

/* The innermost frame of a thread in which module code runs (an entry point or callback of it), or NULL. */
const struct view_frame *view_module_frame(unsigned thread);
/* The innermost frame of that kind on the thread, or NULL. */
const struct view_frame *view_inside(unsigned thread, enum frame frame);
/* The innermost module frame in which the thread was when that many events had happened; FRAME_NONE: not known. */
enum frame view_frame_at(unsigned thread, uint32_t events);
/* The frame directly outside `f` of that kind or beyond, or NULL. */
const struct view_frame *view_outside(unsigned thread, const struct view_frame *f, enum frame frame);
bool view_is_module_frame(enum frame frame);

struct view_binding *view_binding(uint32_t number);          /* NULL for NONE */
struct view_block *view_block(uint32_t number);
struct view_registration *view_registration(uint32_t number);
/* Is the binding's provider side over: detached with success, or completed? */
bool view_detach_over(const struct view_binding *b);
/* A registration of the module that is registered and not closed; NONE if there is none. */
uint32_t view_open_registration(void);

/* Report a broken rule; the anchor is the innermost frame of the thread that e happened on. */
#define REPORT(e, rule, ...) finding_report((rule), view_anchor((e)->thread), __VA_ARGS__)
const char *view_anchor(unsigned thread);

/* The monitors; each has one file. */
void attach_monitor(const struct event *e);
void callback_monitor(const struct event *e);
void detach_monitor(const struct event *e);
void registration_monitor(const struct event *e);
void memory_monitor(const struct event *e);
void misuse_monitor(const struct event *e);
void leak_monitor(const struct event *e);
void hang_monitor(const struct event *e);

#endif
