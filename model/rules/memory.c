/* memory.c - freed too early, touched too late, touched at all: which rule a bad access breaks. */
#include <stdio.h>

#include "sched.h"
#include "view.h"

/* ---- frees */

/* The context of this side is in use: it is attached, or about to be, and cleanup has not come. */
static bool context_in_use(const struct view_binding *b, enum side side)
{
    const struct view_side *s = &b->sides[side];
    const struct view_registration *r = view_registration_of(b, side);
    bool accepted = b->state >= BINDING_ACCEPTED && b->proposal_status == 0;
    bool attached = side == SIDE_CLIENT ? accepted : s->attached;

    if (!s->module || !attached || s->cleanup_entered || b->state == BINDING_GONE)
        return false;
    if (side == SIDE_CLIENT && b->state == BINDING_DETACHING && s->attach_failed)
        return false;                       /* it gave the context up after attaching, told elsewhere (ND-22) */
    return b->state < BINDING_CLEANUP || !r || r->has_cleanup;
}

static void judge_free(const struct event *e)
{
    const struct view_block *block = view_block(e->object);
    const struct view_frame *f = view_module_frame(e->thread);

    if (!block)
        return;
    if (block->registration != NONE) {
        const struct view_registration *r = view_registration(block->registration);

        if (r && !r->failed && r->state >= REGISTRATION_REGISTERED && r->state < REGISTRATION_CLOSED)
            REPORT_SIDE(e, r->side, RULE_PR_8,
                        "the registration context was freed before the deregistration was complete");
    }
    for (uint32_t i = 0; i < view.binding_count; i++) {
        const struct view_binding *b = &view.bindings[i];

        for (enum side side = SIDE_CLIENT; side <= SIDE_PROVIDER; side++) {
            if (b->sides[side].context_block != e->object || !context_in_use(b, side))
                continue;
            if (side == SIDE_CLIENT && f && f->frame == FRAME_CLIENT_ATTACH && f->object == i)
                REPORT(e, RULE_CA_5, "the binding context was freed inside the attach callback, which had attached");
            REPORT_SIDE(e, side, RULE_PD_13, "the binding context was freed before the cleanup callback was called");
        }
    }
}

/* ---- freed memory */

/* The thread called Complete for this binding after it entered its innermost piece of module code. */
static bool completed_here(unsigned thread, const struct view_frame *f, uint32_t binding)
{
    const struct view_thread *w = &view.threads[thread];

    return w->completed == binding + 1 && (f->frame == FRAME_WORK_ITEM || w->completed_event > f->event);
}

static void freed_context(const struct event *e, const struct view_block *block, const struct view_frame *f)
{
    const struct view_binding *b = view_binding(block->binding);

    if (completed_here(e->thread, f, block->binding))
        REPORT_SIDE(e, block->side, RULE_PD_14,
                    "the binding's memory was used after the completion, during which cleanup may free it");
    if (f->frame == FRAME_CLIENT_ATTACH && f->object == block->binding && b && b->proposal_status > 0)
        REPORT(e, RULE_CA_7, "the context was freed, and then used as if the attach had succeeded");
    if (view_is_detach(f->frame) && f->object == block->binding)
        REPORT_SIDE(e, block->side, RULE_PD_25,
                    "the detach callback used the context after somebody else had completed the detach");
    if (f->frame == FRAME_WORK_ITEM)
        REPORT_SIDE(e, block->side, RULE_PD_19, "a work item used the context of a binding that is gone");
    if (f->frame == FRAME_DRIVER_UNLOAD || f->frame == FRAME_ENTRY || f->object != block->binding)
        REPORT_SIDE(e, block->side, RULE_PC_8, "the context was freed while other code could still reach it");
    REPORT(e, RULE_MEM_1, "freed memory of a binding was used");
}

/* Memory of a registration that was freed while others may still use it. */
static void freed_early(const struct event *e, const struct view_block *block)
{
    if (block->free_frame == FRAME_DRIVER_UNLOAD && block->free_early)
        REPORT_SIDE(e, block->side, RULE_PR_24,
                    "unload freed what a callback still uses: the deregistration was not complete");
    if (!block->in_attach && view_is_cleanup(block->free_frame))
        REPORT(e, RULE_PC_10, "the cleanup of one binding freed what the registration still uses");
}

static void freed_access(const struct event *e, const struct view_frame *f)
{
    const struct view_block *block = view_block(e->object);

    if (!block || !f) {
        REPORT(e, RULE_MEM_1, "freed memory was used");
        return;
    }
    freed_early(e, block);
    if (block->attach_failed)
        REPORT_SIDE(e, block->side, RULE_PA_18, "what a failed attach had freed could still be reached");
    if (block->in_attach)
        freed_context(e, block, f);
    REPORT(e, RULE_MEM_1, "freed memory was used");
}

/* ---- other faults */

/* The client's attach goes on after NmrClientAttachProvider has failed. */
static bool proposal_failed(const struct view_frame *f)
{
    const struct view_binding *b = f && f->frame == FRAME_CLIENT_ATTACH ? view_binding(f->object) : NULL;

    return b && b->proposals > 0 && b->proposal_status != 0;
}

/* What was NULL in an attach callback? */
static void null_in_attach(const struct event *e, const struct view_frame *f)
{
    unsigned flags = (unsigned)f->value;

    if (f->low_resources)
        REPORT(e, RULE_PA_16, "the result of a failed allocation was dereferenced");
    if (proposal_failed(f))
        REPORT(e, RULE_CA_8, "what NmrClientAttachProvider left behind was used although it had failed");
    if (e->b && flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT))
        sched_stop(VERDICT_OUTSIDE);        /* _Out_: NMR never passes NULL, a module need not check */
    if (flags & ATTACH_NO_MODULE_ID)
        sched_stop(VERDICT_OUTSIDE);        /* each side must have a module id */
    if (flags & ATTACH_NO_CHARACTERISTICS)
        REPORT(e, RULE_PA_13, "NpiSpecificCharacteristics was dereferenced; the other side has none");
    if (flags & ATTACH_NO_DISPATCH)
        REPORT(e, RULE_PA_9, "the other side's dispatch table was dereferenced; it has none");
    if (view_anywhere(FRAME_DRIVER_ENTRY))
        REPORT(e, RULE_PR_11, "an attach inside the registration found something not yet set up");
}

/* What was NULL in a function that the other side called? */
static void null_in_call(const struct event *e, const struct view_frame *f, const struct view_binding *b)
{
    enum side side = view_module_side(b);
    const struct view_side *s = &b->sides[side];

    if ((b->flags & ATTACH_NO_DISPATCH) && (b->flags & ATTACH_TABLE_OPTIONAL))
        REPORT_SIDE(e, side, RULE_PA_9, "the other side's dispatch table was dereferenced; it has none");
    if ((f->c || (side == SIDE_CLIENT && b->state == BINDING_ACCEPTED)) && !s->detach_entered)
        REPORT_SIDE(e, side, RULE_PA_23, "a call made right after the attach found something not yet set up");
    if (s->detach_entered)
        REPORT_SIDE(e, side, RULE_PD_17, "a call between detach and cleanup found something torn down");
}

/* What was NULL?  The nearest reason in the frame that dereferenced it. */
static void null_access(const struct event *e, const struct view_frame *f)
{
    const struct view_binding *b = f ? view_binding(f->object) : NULL;

    if (f && view_is_attach(f->frame))
        null_in_attach(e, f);
    if (f && f->frame == FRAME_CALL && b)
        null_in_call(e, f, b);
    if (f && f->frame == FRAME_DRIVER_UNLOAD && !view.ever_attached)
        REPORT(e, RULE_PR_32, "unload counted on a binding, and there never was one");
    REPORT(e, RULE_MEM_4, "a NULL pointer was dereferenced");
}

static void peer_access(const struct event *e, const struct view_frame *f)
{
    bool dispatch = e->c == PART_DISPATCH;
    const char *other = view_side_names[other_side(view_thread_side(e->thread))];

    switch ((enum access_fault)e->value) {
    case ACCESS_READ_ONLY:
        REPORT(e, dispatch ? RULE_PA_10 : RULE_PA_11, "the module wrote to the %s's constant %s", other,
               dispatch ? "dispatch table" : "registration data");
        break;
    case ACCESS_PEER_GONE:
        if (f && view_is_cleanup(f->frame))
            REPORT(e, RULE_PC_9, "the cleanup callback looked at the %s's %s", other, dispatch ? "table" : "data");
        if (dispatch && f && f->frame == FRAME_CALL)    /* the one that calls is not gone */
            REPORT(e, RULE_PA_8, "serving one %s, the module used the table of another one that is gone", other);
        REPORT(e, RULE_PA_33, "data of a %s that is gone was used", other);
        break;
    case ACCESS_PEER_PAST_END:
        if (e->c == PART_MODULE_ID)
            REPORT(e, RULE_PA_15, "the module id was read beyond the member that its Type selects");
        if (e->c == PART_NPI_CHARACTERISTICS)
            REPORT(e, RULE_PA_14, "members were read that the %s's characteristics do not have", other);
        REPORT(e, RULE_MEM_10, "the %s's data was read past its end", other);
        break;
    default:
        break;
    }
}

static void paged_access(const struct event *e, const struct view_frame *f)
{
    if (f && view_is_detach(f->frame))
        REPORT(e, RULE_PD_12, "the detach callback touched paged memory at DISPATCH_LEVEL");
    if (f && view_is_cleanup(f->frame))
        REPORT(e, RULE_PC_3, "the cleanup callback touched paged memory at DISPATCH_LEVEL");
    REPORT(e, RULE_KRN_1, "paged memory was touched at IRQL %u", e->level);
}

/* An NMR handle, or what stands for garbage, was used as a pointer. */
static void token_access(const struct event *e, const struct view_frame *f)
{
    if (proposal_failed(f))
        REPORT(e, RULE_CA_8, "what NmrClientAttachProvider left behind was used although it had failed");
    REPORT(e, RULE_PA_29, "an NMR handle was used as a pointer");
}

/* Modules are compiled so that a local that nobody set holds a repeated byte: 0xAA (clang) or 0xFE (gcc). */
static bool never_set(uint64_t address)
{
    return address >> 16 == 0xAAAAAAAAAAAA || address >> 16 == 0xFEFEFEFEFEFE;
}

static void access_fault(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_block *block = view_block(e->object);
    bool in_attach = block && block->in_attach;
    enum side side = block ? block->side : view_thread_side(e->thread);

    switch ((enum access_fault)e->value) {
    case ACCESS_FREED:
        freed_access(e, f);
        break;
    case ACCESS_OUT_OF_BOUNDS:
        REPORT_SIDE(e, side, in_attach ? RULE_PA_36 : RULE_MEM_2, "memory was %s outside its allocation of %u bytes",
               e->b ? "written" : "read", block ? block->size : 0);
        break;
    case ACCESS_UNINITIALISED:
        REPORT_SIDE(e, side, in_attach ? RULE_PA_22 : RULE_MEM_3, "a member was read that was never set (offset %llu)",
               (unsigned long long)e->c);
        break;
    case ACCESS_PAGED:
        paged_access(e, f);
        break;
    case ACCESS_NULL:
        null_access(e, f);
        break;
    case ACCESS_WILD:
        if (proposal_failed(f) && never_set(e->a))
            REPORT(e, RULE_CA_8, "what NmrClientAttachProvider was to set was used although it had failed");
        REPORT(e, RULE_MEM_5, "%s was %s", never_set(e->a) ? "a pointer that was never set" : "a pointer to nowhere",
               e->b ? "written through" : "used");
        break;
    case ACCESS_READ_ONLY: case ACCESS_PEER_GONE: case ACCESS_PEER_PAST_END:
        peer_access(e, f);
        break;
    case ACCESS_HANDLE:
        token_access(e, f);
        break;
    case ACCESS_STACK_OVERFLOW:
        REPORT(e, RULE_MEM_6, "the kernel stack overflowed");
        break;
    case ACCESS_STACK_DEAD:
        REPORT(e, RULE_MEM_7, "the stack of a thread that has ended was used");
        break;
    case ACCESS_SANITIZER:
        REPORT(e, RULE_MEM_9, "AddressSanitizer: %s, shortly before this step", (const char *)(uintptr_t)e->a);
        break;
    }
}

/* ---- races */

/* What the other thread was in when it made the earlier access. */
static enum frame earlier_frame(const struct event *e)
{
    uint32_t entered;

    return view_frame_at((unsigned)(e->c & 0xFF), (uint32_t)(e->c >> 16), &entered);
}

static bool is_way_out(enum frame frame)
{
    return view_is_detach(frame) || view_is_cleanup(frame);
}

/* The thread made its access after it had completed the binding's detach in the same piece of module code. */
static bool completed_before(const struct event *e, unsigned thread, uint32_t binding)
{
    const struct view_thread *w = &view.threads[thread];
    const struct view_frame *f = view_module_frame(thread);
    uint32_t accessed = thread == e->thread ? event_count() : (uint32_t)(e->c >> 16);
    uint32_t entered;

    if (w->completed != binding + 1 || w->completed_event > accessed)
        return false;
    if (thread == e->thread)
        return f && f->entered < w->completed_event;
    return view_frame_at(thread, accessed, &entered) == FRAME_NONE || entered < w->completed_event;
}

/* A binding's memory: used by two threads, of which one is on its way out. */
static void race_for_context(const struct event *e, const struct view_block *block, enum frame mine, enum frame theirs)
{
    unsigned other = (unsigned)(e->c & 0xFF);
    bool cleanup = view_is_cleanup(mine) || view_is_cleanup(theirs);
    bool detach = view_is_detach(mine) || view_is_detach(theirs);

    if (cleanup && detach)
        REPORT_SIDE(e, block->side, RULE_PD_25,
                    "the detach callback uses the context unordered with the completion by somebody else");
    if (detach)
        REPORT_SIDE(e, block->side, RULE_PD_11,
                    "the detach callback and a call in progress use the same member unordered");
    if (cleanup && completed_before(e, view_is_cleanup(mine) ? other : e->thread, block->binding))
        REPORT_SIDE(e, block->side, RULE_PD_14,
                    "the binding's memory was used after the completion, and cleanup does not wait for that");
    if (cleanup && (mine == FRAME_WORK_ITEM || theirs == FRAME_WORK_ITEM))
        REPORT_SIDE(e, block->side, RULE_PD_19, "cleanup does not wait for a work item that uses the binding's memory");
    if ((mine == FRAME_CLIENT_ATTACH && theirs == FRAME_CALL) || (mine == FRAME_CALL && theirs == FRAME_CLIENT_ATTACH))
        REPORT(e, RULE_CA_15, "a callback uses what the attach sets only after NmrClientAttachProvider");
}

/* Which race it is, whichever of the two accesses came first: what the threads were in, and which member it is. */
static const char *race_anchor(const struct event *e, const struct view_block *block, enum frame mine,
                               enum frame theirs)
{
    static char anchor[96];
    enum frame first = mine < theirs ? mine : theirs, second = mine < theirs ? theirs : mine;
    unsigned cell = block ? (unsigned)(e->a - block->address) / 8 : 0;

    snprintf(anchor, sizeof anchor, "%s, %s, %s %u", frame_names[first], frame_names[second],
             block ? "member" : "global", cell);
    return anchor;
}

static void race(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_block *block = view_block(e->object);
    bool context = block && block->in_attach;
    enum frame mine = f ? f->frame : FRAME_NONE, theirs = earlier_frame(e);
    enum frame guilty = view.threads[e->thread].lock_count > 0 ? theirs : mine;    /* the one without a lock */
    enum side side = context ? block->side : view_thread_side(e->thread);
    bool attach = view_is_attach(mine) || view_is_attach(theirs);

    if (block && !block->live)              /* the free itself */
        freed_early(e, block);
    if (context)
        race_for_context(e, block, mine, theirs);
    if (context && !block->live && view_is_cleanup(mine))
        REPORT_SIDE(e, side, RULE_PC_8, "the context was freed unordered with other code that had just used it");
    if (!context && attach && (mine == FRAME_DRIVER_ENTRY || theirs == FRAME_DRIVER_ENTRY))
        REPORT_SIDE(e, side, RULE_PR_11, "an attach uses what DriverEntry sets up after the registration");
    if (!context && view.counterparts_max && view_is_attach(mine))
        REPORT_SIDE(e, side, RULE_PA_26, "two attaches decide unordered whether the module is taken");
    if (view_is_attach(guilty) || (!is_way_out(guilty) && attach))
        REPORT_SIDE(e, side, RULE_PA_27,
                    "an attach changes module state that other threads use, without synchronisation");
    if (is_way_out(mine) || is_way_out(theirs))
        REPORT_SIDE(e, side, RULE_PD_26, "module state is changed on the way out while others use it, unordered");
    finding_report(RULE_RACE_1, race_anchor(e, block, mine, theirs),
                   "two threads use the same memory unordered, and at least one writes");
}

void memory_watch(void)
{
    event_add_judge_of(EV_FREE, judge_free);
    event_add_judge_of(EV_ACCESS, access_fault);
    event_add_judge_of(EV_RACE, race);
}
