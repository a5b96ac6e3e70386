/* memory.c - freed too early, touched too late, touched at all: which rule a bad access breaks. */
#include "sched.h"
#include "view.h"

/* ---- frees */

static void judge_free(const struct event *e)
{
    const struct view_block *block = view_block(e->object);

    if (!block)
        return;
    if (block->registration != NONE) {
        const struct view_registration *r = view_registration(block->registration);

        if (r && !r->failed && r->state >= REGISTRATION_REGISTERED && r->state < REGISTRATION_CLOSED)
            REPORT(e, RULE_PR_8, "the registration context was freed before the deregistration was complete");
    }
    for (uint32_t i = 0; i < view.binding_count; i++) {
        const struct view_binding *b = &view.bindings[i];
        const struct view_registration *r = view_registration(b->provider);

        if (b->context_block != e->object || !b->attached || b->cleanup_entered)
            continue;
        if (b->state >= BINDING_CLEANUP && r && !r->has_cleanup)
            continue;
        REPORT(e, RULE_PD_13, "the binding context was freed before the cleanup callback was called");
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
    if (completed_here(e->thread, f, block->binding))
        REPORT(e, RULE_PD_14, "the binding's memory was used after the completion, during which cleanup may free it");
    switch (f->frame) {
    case FRAME_PROVIDER_DETACH:
        if (f->object == block->binding)
            REPORT(e, RULE_PD_25, "the detach callback used the context after somebody else had completed the detach");
        break;
    case FRAME_WORK_ITEM:
        REPORT(e, RULE_PD_19, "a work item used the context of a binding that is gone");
        break;
    default:
        break;
    }
    if (f->frame == FRAME_DRIVER_UNLOAD || f->object != block->binding)
        REPORT(e, RULE_PC_8, "the context was freed while other code could still reach it");
    REPORT(e, RULE_MEM_1, "freed memory of a binding was used");
}

static void freed_access(const struct event *e, const struct view_frame *f)
{
    const struct view_block *block = view_block(e->object);

    if (!block || !f) {
        REPORT(e, RULE_MEM_1, "freed memory was used");
        return;
    }
    if (block->free_frame == FRAME_DRIVER_UNLOAD && block->free_early)
        REPORT(e, RULE_PR_24, "unload freed what a callback still uses: the deregistration was not complete");
    if (block->attach_failed)
        REPORT(e, RULE_PA_18, "what a failed attach had freed could still be reached");
    if (!block->in_attach && block->free_frame == FRAME_PROVIDER_CLEANUP)
        REPORT(e, RULE_PC_10, "the cleanup of one binding freed what the registration still uses");
    if (block->in_attach)
        freed_context(e, block, f);
    REPORT(e, RULE_MEM_1, "freed memory was used");
}

/* ---- other faults */

/* What was NULL?  The nearest reason in the frame that dereferenced it. */
static void null_access(const struct event *e, const struct view_frame *f)
{
    const struct view_binding *b = f ? view_binding(f->object) : NULL;
    unsigned flags = f && f->frame == FRAME_PROVIDER_ATTACH ? (unsigned)f->value : 0;

    if (!f) {
        REPORT(e, RULE_MEM_4, "a NULL pointer was dereferenced");
        return;
    }
    if (f->frame == FRAME_PROVIDER_ATTACH) {
        if (f->low_resources)
            REPORT(e, RULE_PA_16, "the result of a failed allocation was dereferenced");
        if (e->b && flags & (ATTACH_NULL_CONTEXT_OUT | ATTACH_NULL_DISPATCH_OUT))
            sched_stop(VERDICT_OUTSIDE);    /* _Out_: NMR never passes NULL, a module need not check */
        if (flags & ATTACH_NO_CHARACTERISTICS)
            REPORT(e, RULE_PA_13, "NpiSpecificCharacteristics was dereferenced; the client has none");
        if (flags & ATTACH_NO_CLIENT_DISPATCH)
            REPORT(e, RULE_PA_9, "ClientDispatch was dereferenced; the client has none");
        if (flags & ATTACH_NO_MODULE_ID)
            sched_stop(VERDICT_OUTSIDE);    /* a client must have a module id */
        if (view_outside(e->thread, f, FRAME_DRIVER_ENTRY))
            REPORT(e, RULE_PR_11, "an attach inside NmrRegisterProvider found something not yet set up");
    }
    if (f->frame == FRAME_CALL && b) {
        if (b->flags & ATTACH_NO_CLIENT_DISPATCH && !view.needs_client_dispatch)
            REPORT(e, RULE_PA_9, "ClientDispatch was dereferenced; the client has none");
        if (f->c && !b->detach_entered)
            REPORT(e, RULE_PA_23, "a call made right after the attach found something not yet set up");
        if (b->detach_entered)
            REPORT(e, RULE_PD_17, "a call between detach and cleanup found something torn down");
    }
    if (f->frame == FRAME_DRIVER_UNLOAD && !view.ever_attached)
        REPORT(e, RULE_PR_32, "unload counted on a binding, and there never was one");
    REPORT(e, RULE_MEM_4, "a NULL pointer was dereferenced");
}

static void peer_access(const struct event *e, const struct view_frame *f)
{
    bool dispatch = e->c == PART_DISPATCH;

    switch ((enum access_fault)e->value) {
    case ACCESS_READ_ONLY:
        REPORT(e, dispatch ? RULE_PA_10 : RULE_PA_11, "the module wrote to the client's constant %s",
               dispatch ? "dispatch table" : "registration data");
        break;
    case ACCESS_PEER_GONE:
        if (f && f->frame == FRAME_PROVIDER_CLEANUP)
            REPORT(e, RULE_PC_9, "the cleanup callback looked at the client's %s", dispatch ? "table" : "data");
        if (dispatch && f && f->frame == FRAME_CALL)    /* the one that calls is not gone */
            REPORT(e, RULE_PA_8, "serving one client, the module used the table of another one that is gone");
        REPORT(e, RULE_PA_33, "data of a client that is gone was used");
        break;
    case ACCESS_PEER_PAST_END:
        if (e->c == PART_MODULE_ID)
            REPORT(e, RULE_PA_15, "the module id was read beyond the member that its Type selects");
        if (e->c == PART_NPI_CHARACTERISTICS)
            REPORT(e, RULE_PA_14, "members were read that the client's characteristics do not have");
        REPORT(e, RULE_MEM_10, "the client's data was read past its end");
        break;
    default:
        break;
    }
}

static void paged_access(const struct event *e, const struct view_frame *f)
{
    if (f && f->frame == FRAME_PROVIDER_DETACH)
        REPORT(e, RULE_PD_12, "the detach callback touched paged memory at DISPATCH_LEVEL");
    if (f && f->frame == FRAME_PROVIDER_CLEANUP)
        REPORT(e, RULE_PC_3, "the cleanup callback touched paged memory at DISPATCH_LEVEL");
    REPORT(e, RULE_KRN_1, "paged memory was touched at IRQL %u", e->level);
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

    switch ((enum access_fault)e->value) {
    case ACCESS_FREED:
        freed_access(e, f);
        break;
    case ACCESS_OUT_OF_BOUNDS:
        REPORT(e, in_attach ? RULE_PA_36 : RULE_MEM_2, "memory was %s outside its allocation of %u bytes",
               e->b ? "written" : "read", block ? block->size : 0);
        break;
    case ACCESS_UNINITIALISED:
        REPORT(e, in_attach ? RULE_PA_22 : RULE_MEM_3, "a member was read that was never set (offset %llu)",
               (unsigned long long)e->c);
        break;
    case ACCESS_PAGED:
        paged_access(e, f);
        break;
    case ACCESS_NULL:
        null_access(e, f);
        break;
    case ACCESS_WILD:
        REPORT(e, RULE_MEM_5, "%s was %s", never_set(e->a) ? "a pointer that was never set" : "a pointer to nowhere",
               e->b ? "written through" : "used");
        break;
    case ACCESS_READ_ONLY: case ACCESS_PEER_GONE: case ACCESS_PEER_PAST_END:
        peer_access(e, f);
        break;
    case ACCESS_HANDLE:
        REPORT(e, RULE_PA_29, "an NMR handle was used as a pointer");
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
    unsigned thread = (unsigned)(e->c & 0xFF);
    enum frame frame = view_frame_at(thread, (uint32_t)(e->c >> 16));

    return frame == FRAME_NONE ? view.threads[thread].left : frame;     /* too long ago: the likeliest */
}

static bool is_way_out(enum frame frame)
{
    return frame == FRAME_PROVIDER_DETACH || frame == FRAME_PROVIDER_CLEANUP;
}

/* The thread completed the binding's detach in the piece of module code that it is in or left last. */
static bool completed_lately(unsigned thread, uint32_t binding)
{
    const struct view_thread *w = &view.threads[thread];
    const struct view_frame *f = view_module_frame(thread);

    if (w->completed != binding + 1)
        return false;
    return f ? f->event < w->completed_event : w->left == FRAME_WORK_ITEM || w->left_object == binding;
}

/* A binding's memory: used by two threads, of which one is on its way out. */
static void race_for_context(const struct event *e, uint32_t binding, enum frame mine, enum frame theirs)
{
    unsigned other = (unsigned)(e->c & 0xFF);
    bool cleanup = mine == FRAME_PROVIDER_CLEANUP || theirs == FRAME_PROVIDER_CLEANUP;

    if (cleanup && (mine == FRAME_PROVIDER_DETACH || theirs == FRAME_PROVIDER_DETACH))
        REPORT(e, RULE_PD_25, "the detach callback uses the context unordered with the completion by somebody else");
    if (mine == FRAME_PROVIDER_DETACH || theirs == FRAME_PROVIDER_DETACH)
        REPORT(e, RULE_PD_11, "the detach callback and a call in progress use the same member unordered");
    if (cleanup && completed_lately(mine == FRAME_PROVIDER_CLEANUP ? other : e->thread, binding))
        REPORT(e, RULE_PD_14, "the binding's memory was used after the completion, and cleanup does not wait for that");
    if (cleanup && (mine == FRAME_WORK_ITEM || theirs == FRAME_WORK_ITEM))
        REPORT(e, RULE_PD_19, "cleanup does not wait for a work item that uses the binding's memory");
}

static void race(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_block *block = view_block(e->object);
    bool context = block && block->in_attach;
    enum frame mine = f ? f->frame : FRAME_NONE, theirs = earlier_frame(e);
    enum frame guilty = view.threads[e->thread].lock_count > 0 ? theirs : mine;    /* the one without a lock */

    if (context)
        race_for_context(e, block->binding, mine, theirs);
    if (context && !block->live && mine == FRAME_PROVIDER_CLEANUP)     /* the free itself */
        REPORT(e, RULE_PC_8, "the context was freed unordered with other code that had just used it");
    if (!context && view.clients_max && mine == FRAME_PROVIDER_ATTACH)
        REPORT(e, RULE_PA_26, "two attaches decide unordered whether the provider is taken");
    if (guilty == FRAME_PROVIDER_ATTACH ||
        (!is_way_out(guilty) && (mine == FRAME_PROVIDER_ATTACH || theirs == FRAME_PROVIDER_ATTACH)))
        REPORT(e, RULE_PA_27, "an attach changes provider state that other threads use, without synchronisation");
    if (is_way_out(mine) || is_way_out(theirs))
        REPORT(e, RULE_PD_26, "provider state is changed on the way out while others use it, unordered");
    REPORT(e, RULE_RACE_1, "two threads use the same memory unordered, and at least one writes");
}

void memory_monitor(const struct event *e)
{
    switch (e->kind) {
    case EV_FREE:
        judge_free(e);
        break;
    case EV_ACCESS:
        access_fault(e);
        break;
    case EV_RACE:
        race(e);
        break;
    default:
        break;
    }
}
