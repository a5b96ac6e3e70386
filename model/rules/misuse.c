/* misuse.c - kernel functions used against their documentation: the narrowest rule that is broken. */
#include "view.h"

static void too_high(const struct event *e, const struct view_frame *f)
{
    const struct view_thread *w = &view.threads[e->thread];
    const struct view_frame *top = w->depth ? &w->frames[w->depth - 1] : NULL;

    if (top && top->frame == FRAME_NMR_REGISTER)
        REPORT_SIDE(e, view_frame_side(top), RULE_PR_13, "a registration at IRQL %u", e->level);
    if (top && top->frame == FRAME_NMR_WAIT)
        REPORT_SIDE(e, view_frame_side(top), RULE_PR_21, "a wait for a deregistration at IRQL %u", e->level);
    if (top && top->frame == FRAME_NMR_DEREGISTER)
        REPORT_SIDE(e, view_frame_side(top), RULE_PR_27, "a deregistration at IRQL %u", e->level);
    if (top && top->frame == FRAME_NMR_CLIENT_ATTACH)
        REPORT(e, RULE_CA_20, "NmrClientAttachProvider was called at IRQL %u", e->level);
    if (f && view_is_detach(f->frame))
        REPORT(e, RULE_PD_12, "the detach callback did at IRQL %u what needs a lower one", e->level);
    if (f && view_is_cleanup(f->frame))
        REPORT(e, RULE_PC_3, "the cleanup callback did at IRQL %u what needs a lower one", e->level);
    REPORT(e, RULE_KRN_1, "called at IRQL %u; allowed is a lower one", e->level);
}

/* The lock that this thread acquires again was held when it entered its innermost piece of module code. */
static bool held_before(const struct event *e, const struct view_frame *f)
{
    for (unsigned i = 0; f && i < f->locks; i++)
        if (view.threads[e->thread].locks[i].object == e->object)
            return true;
    return false;
}

static void recursive(const struct event *e, const struct view_frame *f)
{
    const struct view_frame *complete = view_inside(e->thread, FRAME_NMR_COMPLETE);
    const struct view_frame *attach = view_inside(e->thread, FRAME_NMR_CLIENT_ATTACH);

    if (!held_before(e, f))
        REPORT(e, RULE_KRN_2, "a lock was acquired by the thread that holds it");
    if (f && view_is_cleanup(f->frame) && complete && complete->b == 1) {  /* the module's own */
        if (view_outside(e->thread, complete, FRAME_PROVIDER_DETACH) ||
            view_outside(e->thread, complete, FRAME_CLIENT_DETACH))
            REPORT(e, RULE_PC_11, "cleanup ran inside the completion and needs a lock that the detach callback holds");
        REPORT(e, RULE_PD_15, "cleanup ran inside the completion and needs a lock that is held across it");
    }
    if (attach && attach->b == 1)
        REPORT(e, RULE_CA_20, "a callback needs a lock that is held across NmrClientAttachProvider");
    if (f && f->frame != FRAME_DRIVER_ENTRY && view_inside(e->thread, FRAME_DRIVER_ENTRY))
        REPORT(e, RULE_PR_12, "a callback needs a lock that is held across the registration");
    if (f && f->frame != FRAME_DRIVER_UNLOAD && view_inside(e->thread, FRAME_DRIVER_UNLOAD))
        REPORT(e, RULE_PR_28, "a callback needs a lock that is held across the deregistration");
    REPORT(e, RULE_KRN_2, "a lock was acquired by the thread that holds it");
}

static void pool_misuse(const struct event *e, const struct view_frame *f)
{
    bool cleanup = f && view_is_cleanup(f->frame);
    bool attach = f && f->frame == FRAME_PROVIDER_ATTACH;

    switch ((enum misuse)e->value) {
    case MISUSE_POOL_DOUBLE_FREE:
        REPORT(e, cleanup ? RULE_PC_1 : RULE_KRN_5, "memory was freed twice");
        break;
    case MISUSE_POOL_TAG: case MISUSE_POOL_NOT_POOL:
        REPORT(e, cleanup ? RULE_PC_7 : RULE_KRN_5, e->value == MISUSE_POOL_TAG
               ? "memory was freed with another tag than it was allocated with"
               : "something was freed that is not pool memory");
        break;
    case MISUSE_POOL_ZERO_SIZE: case MISUSE_POOL_ZERO_TAG:
        REPORT(e, attach ? RULE_PA_36 : RULE_KRN_5, e->value == MISUSE_POOL_ZERO_SIZE
               ? "zero bytes were allocated" : "the pool tag is zero or not printable");
        break;
    default:
        if (cleanup && !lock_kind_is_lock((int64_t)e->c))
            REPORT(e, RULE_PD_19, "cleanup frees memory with a timer that is set, or with work that is queued");
        REPORT(e, RULE_KRN_5, "memory was freed that is still in use");
        break;
    }
}

/* The object serves a client module's binding that is being attached: it lies in the context, or a call uses it. */
static bool is_being_attached(const struct event *e, const struct view_frame *f)
{
    for (uint32_t i = 0; i < view.binding_count; i++) {
        const struct view_binding *b = &view.bindings[i];
        const struct view_side *s = &b->sides[SIDE_CLIENT];

        if (!s->module || b->state < BINDING_PROPOSING || b->state > BINDING_ACCEPTED)
            continue;
        if (f && f->frame == FRAME_CALL && f->object == i)
            return true;
        if (s->context_block != NONE && e->a - s->context < s->context_size)
            return true;
    }
    return false;
}

static void not_initialised(const struct event *e, const struct view_frame *f)
{
    if (f && f->frame != FRAME_DRIVER_ENTRY && view_anywhere(FRAME_DRIVER_ENTRY))
        REPORT(e, RULE_PR_11, "a callback inside the registration used an object that is not initialised yet");
    if (is_being_attached(e, f))
        REPORT_SIDE(e, SIDE_CLIENT, RULE_CA_3, "an object in the context of a binding that is being attached was used, "
                    "and is not initialised yet");
    REPORT(e, RULE_KRN_7, "a synchronisation object was used that is not initialised");
}

/*
 * An object that others had used already was initialised: it was not ready when they could run.  What an attach or
 * DriverEntry itself did with it before harms nobody; nor do work items and threads of DriverEntry's own.
 */
static void initialised(const struct event *e)
{
    const struct view_object *o = view_object(e->object);
    const struct view_frame *f = view_module_frame(e->thread), *entry = view_inside(e->thread, FRAME_DRIVER_ENTRY);

    if (!o)
        return;
    if (f && view_is_attach(f->frame) && o->user && (o->users || o->user != f->entered))
        REPORT(e, RULE_PA_22, "an object is initialised after it could be reached, and was used");
    if (entry && o->started > entry->started)
        REPORT(e, RULE_PR_11, "an object is initialised after a callback has used it");
}

static void misuse(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);

    switch ((enum misuse)e->value) {
    case MISUSE_IRQL_TOO_HIGH: case MISUSE_WAIT_AT_DISPATCH: case MISUSE_PAGED_CODE:
        too_high(e, f);
        break;
    case MISUSE_IRQL_TOO_LOW:
        REPORT(e, RULE_KRN_1, "called at IRQL %u; required is a higher one", e->level);
        break;
    case MISUSE_LOCK_RECURSIVE:
        recursive(e, f);
        break;
    case MISUSE_LOCK_NOT_HELD:
        REPORT(e, RULE_KRN_2, "a lock was released by a thread that does not hold it");
        break;
    case MISUSE_LOCK_NO_REGION: case MISUSE_REGION_UNBALANCED:
        REPORT(e, RULE_KRN_3, "%s", misuse_names[e->value]);
        break;
    case MISUSE_NOT_INITIALISED:
        not_initialised(e, f);
        break;
    case MISUSE_RUNDOWN_REINIT:
        initialised(e);
        REPORT(e, RULE_KRN_4, "%s", misuse_names[e->value]);
        break;
    case MISUSE_RUNDOWN_UNDERFLOW: case MISUSE_WSK_UNBALANCED:
        REPORT(e, RULE_KRN_4, "%s", misuse_names[e->value]);
        break;
    case MISUSE_WORK_QUEUED_TWICE: case MISUSE_WORK_FREED_QUEUED: case MISUSE_WORK_NOT_AN_ITEM:
        REPORT(e, RULE_KRN_6, "%s", misuse_names[e->value]);
        break;
    case MISUSE_IMAGE_GONE:
        REPORT(e, RULE_KRN_10, "code of the module was about to run after its unload");
        break;
    case MISUSE_HANDLE_CLOSED:
        REPORT(e, RULE_PA_29, "an NMR handle was closed");
        break;
    case MISUSE_NOT_DELETED:
        REPORT(e, RULE_MEM_8, "the memory of a resource or a lookaside list goes away, which nobody deleted");
        break;
    case MISUSE_COMPARE_IF_LUID:
        REPORT(e, RULE_PA_15, "the Guid of a module id of type MIT_IF_LUID was compared");
        break;
    default:
        pool_misuse(e, f);
        break;
    }
}

static void assertion(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_binding *b = f ? view_binding(f->object) : NULL;
    const struct view_registration *r = b ? view_registration_of(b, view_frame_side(f)) : NULL;

    if (f && view_is_attach(f->frame) && r && r->state >= REGISTRATION_DEREGISTERING)
        REPORT(e, RULE_PA_37, "the attach callback asserts that no deregistration is running; one is");
    REPORT(e, RULE_KRN_8, "an assertion of the module failed");
}

static void bug_check(const struct event *e)
{
    REPORT(e, RULE_KRN_9, "bug check 0x%llX", (unsigned long long)e->value);
}

void misuse_watch(void)
{
    event_add_judge_of(EV_MISUSE, misuse);
    event_add_judge_of(EV_SYNC_INIT, initialised);
    event_add_judge_of(EV_ASSERT, assertion);
    event_add_judge_of(EV_BUGCHECK, bug_check);
}
