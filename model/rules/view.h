/*
 * view.h - what the judges know: the world as the events tell it.
 *
 * The view is the last judge to see an event, so monitors find the state as it was before: at EV_LEAVE the frame is
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

/* Values of ntstatus.h, as events hold them. */
#define STATUS_SUCCESS 0
#define STATUS_PENDING 0x103
#define STATUS_NO_MEMORY ((int64_t)(int32_t)0xC0000017)
#define STATUS_INSUFFICIENT_RESOURCES ((int64_t)(int32_t)0xC000009A)
#define STATUS_DEVICE_NOT_READY ((int64_t)(int32_t)0xC00000A3)
#define STATUS_NOINTERFACE ((int64_t)(int32_t)0xC00002B9)

enum { VIEW_FRAMES_MAX = 32, VIEW_LOCKS_MAX = 16, VIEW_BINDINGS_MAX = 64, VIEW_REGISTRATIONS_MAX = 16,
       VIEW_BLOCKS_MAX = 2048, VIEW_OBJECTS_MAX = 512, VIEW_WORK_MAX = 256, VIEW_PAST_MAX = 1024 };

struct view_frame {
    enum frame frame;
    uint32_t object;
    uint32_t entered;                       /* event number */
    uint32_t event;                         /* the same; of a work item: when it was queued */
    uint32_t started;                       /* the same; of a work item: when the code that queued it was entered */
    int64_t value;
    uint64_t b, c;                          /* of the EV_ENTER */
    uint8_t level, locks, regions;          /* IRQL, number of locks, depth of critical regions at the entry */
    bool module;                            /* code of the module under test runs in it */
    bool low_resources;                     /* an allocation inside it was made to fail */
};

struct view_thread {
    unsigned depth;
    struct view_frame frames[VIEW_FRAMES_MAX];
    uint8_t regions;                        /* critical and guarded ones that it is inside of */
    unsigned lock_count;
    struct { uint32_t object; uint64_t address; uint8_t kind; uint8_t depth; } locks[VIEW_LOCKS_MAX];
    bool blocked;
    uint32_t blocked_on;
    int64_t blocked_kind;
    uint32_t completed;                     /* the binding that it completed last, + 1; 0: none */
    uint32_t completed_event;
    struct { enum frame frame; uint32_t entered, left; } past[VIEW_PAST_MAX];   /* module frames that it left, a ring */
    unsigned past_count;
};

/* What one side of a binding is known to be and to have done. */
struct view_side {
    bool module;                            /* it is the module under test */
    bool attached;                          /* its attach succeeded */
    bool attach_failed;
    uint64_t context;                       /* what it calls the binding */
    uint32_t context_block;                 /* or NONE */
    uint32_t context_size;
    uint32_t detach_entered, detach_left;   /* event numbers + 1; 0: not yet */
    int64_t detach_status;
    bool detach_live;                       /* the module was still doing something when the detach returned */
    unsigned completions;
    uint32_t cleanup_entered;
    int calls, pending;                     /* its calls to the other side: running, and answered STATUS_PENDING */
};

struct view_binding {
    enum binding_state state;
    uint32_t client, provider;              /* registrations */
    unsigned flags;                         /* enum attach_flags of the last attach */
    struct view_side sides[2];              /* by enum side */
    unsigned proposals;                     /* of the client module: calls of NmrClientAttachProvider … */
    bool proposing;                         /* … the last of them has not returned … */
    int64_t proposal_status;                /* … or what it returned */
    bool called_early;                      /* the module called its client while it was attaching */
};

struct view_block {
    uint64_t address;
    uint32_t size;
    bool live, in_attach;                   /* in_attach: allocated by an attach, of `binding` and `side` */
    bool attach_failed;                     /* … by one that failed: a client may try again */
    unsigned attach_flags;                  /* enum attach_flags of that attach */
    uint32_t attach_event, binding;
    enum side side;                         /* of the module, in that binding or registration */
    uint32_t registration;                  /* it is the context of that registration, or NONE */
    enum frame free_frame;
    bool free_early;                        /* freed while a registration of the module was not closed */
};

/* Which module code used a synchronisation object since it was initialised.  Event numbers; 0: none. */
struct view_object {
    uint32_t user;                          /* when the code that used it last was entered */
    bool users;                             /* there were others */
    uint32_t started;                       /* the latest of what struct view_frame calls so */
};

struct view_registration {
    enum registration_state state;
    bool module, has_cleanup, failed;
    unsigned peer;                          /* the counterpart whose it is, when it is not the module's */
    enum side side;
};

struct view {
    struct view_thread threads[THREADS_MAX];
    unsigned binding_count, registration_count, block_count, object_count;
    struct view_binding bindings[VIEW_BINDINGS_MAX];
    struct view_registration registrations[VIEW_REGISTRATIONS_MAX];
    struct view_block blocks[VIEW_BLOCKS_MAX];
    struct view_object objects[VIEW_OBJECTS_MAX];
    struct { uint32_t event, started; } work_queued[VIEW_WORK_MAX];    /* of work items: see struct view_frame */
    bool ever_attached, any_detached;       /* some binding of the module was / began to be detached */
    unsigned counterparts_max;              /* that the module serves at once; 0: any number */
    enum side role;                         /* the module's, where nothing else tells: SIDE_PROVIDER unless it is a
                                             * client only */
};
extern struct view view;

void view_begin(void);
void view_watch(void);
void order_begin(void);

/* The innermost frame of a thread in which module code runs (an entry point or callback of it), or NULL. */
const struct view_frame *view_module_frame(unsigned thread);
/* The innermost frame of that kind on the thread, or NULL. */
const struct view_frame *view_inside(unsigned thread, enum frame frame);
/* A call of the module of that kind, on whatever thread; NULL when no thread is inside of one. */
const struct view_frame *view_anywhere(enum frame frame);
/* The innermost module frame in which the thread was when that many events had happened, and when it had entered it;
 * FRAME_NONE: not known. */
enum frame view_frame_at(unsigned thread, uint32_t events, uint32_t *entered);
/* The frame directly outside `f` of that kind or beyond, or NULL. */
const struct view_frame *view_outside(unsigned thread, const struct view_frame *f, enum frame frame);
/* The side of the binding or registration that a frame is about; of a call between the modules the module's side. */
enum side view_frame_side(const struct view_frame *f);
/* The same of what the thread is inside of; the module's role when it is inside of nothing. */
enum side view_thread_side(unsigned thread);
bool view_is_attach(enum frame frame);
bool view_is_detach(enum frame frame);
bool view_is_cleanup(enum frame frame);

struct view_binding *view_binding(uint32_t number);          /* NULL for NONE */
struct view_block *view_block(uint32_t number);
struct view_object *view_object(uint32_t number);
struct view_registration *view_registration(uint32_t number);
/* The registration of that side; NULL when it is not known. */
struct view_registration *view_registration_of(const struct view_binding *b, enum side side);
/* The module's side of a binding to a counterpart. */
enum side view_module_side(const struct view_binding *b);
/* The client module's NmrClientAttachProvider has returned success. */
bool view_proposal_succeeded(const struct view_binding *b);
/* Is that side over: detached with success, or completed? */
bool view_detach_over(const struct view_side *s);
/* A registration of the module that is registered and not closed; NONE if there is none. */
uint32_t view_open_registration(void);

/*
 * Report a broken rule; the anchor is the innermost frame of the thread that e happened on.  What a rule says of
 * providers, another one says of clients (sides.def): monitors name the provider's, and the side it is about.
 */
#define REPORT_SIDE(e, side, rule, ...) \
    finding_report(view_rule((rule), (side)), view_anchor((e)->thread), __VA_ARGS__)
#define REPORT(e, rule, ...) REPORT_SIDE(e, view_thread_side((e)->thread), rule, __VA_ARGS__)
uint16_t view_rule(enum rule rule, enum side side) __attribute__((cold));
const char *view_anchor(unsigned thread) __attribute__((cold));
extern const char *const view_side_names[2];                 /* "client", "provider" */

/* The monitors; each has one file.  Here they say which events they judge. */
void attach_watch(void);
void balance_watch(void);
void callback_watch(void);
void detach_watch(void);
void registration_watch(void);
void memory_watch(void);
void misuse_watch(void);
void leak_watch(void);
void order_watch(void);
void hang_watch(void);

#endif
