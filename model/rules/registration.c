/* registration.c - registering, deregistering, waiting, unloading (PR), and handles used where they should not be. */
#include "view.h"

enum { MODULEID_BYTES = 24, CHARACTERISTICS_BYTES = 72, INSTANCE_BYTES = 40, MIT_GUID = 1, MIT_IF_LUID = 2 };

static void judge_field(const struct event *e)
{
    int64_t content = (int32_t)e->value;

    switch ((enum registration_field)(e->value >> 32)) {
    case FIELD_VERSION:
        if (content != 0)
            REPORT(e, RULE_PR_1, "the characteristics have Version %lld", (long long)content);
        break;
    case FIELD_LENGTH:
        if (content != CHARACTERISTICS_BYTES)
            REPORT(e, RULE_PR_1, "the characteristics have Length %lld instead of %d", (long long)content,
                   CHARACTERISTICS_BYTES);
        break;
    case FIELD_INSTANCE_SIZE:
        if (content != INSTANCE_BYTES)
            REPORT(e, RULE_PR_2, "the registration instance has Size %lld instead of %d", (long long)content,
                   INSTANCE_BYTES);
        break;
    case FIELD_NPI_ID:
        if (content != 1)
            REPORT(e, RULE_PR_3, content < 0 ? "NpiId is NULL" : "NpiId is not the GUID of the module's NPI");
        break;
    case FIELD_MODULE_ID:
        if (content != 1)
            REPORT(e, RULE_PR_4, "ModuleId is NULL");
        break;
    case FIELD_MODULE_LENGTH:
        if (content != MODULEID_BYTES)
            REPORT(e, RULE_PR_4, "ModuleId->Length is %lld", (long long)content);
        break;
    case FIELD_MODULE_TYPE:
        if (content != MIT_GUID && content != MIT_IF_LUID)
            REPORT(e, RULE_PR_4, "ModuleId->Type is %lld", (long long)content);
        break;
    case FIELD_ATTACH: case FIELD_DETACH:
        if (content == 0)
            REPORT(e, RULE_PR_10, "the attach or the detach callback is NULL");
        break;
    case FIELD_DUPLICATE:
        if (content == 1)
            REPORT(e, RULE_PR_25, "this characteristics structure is registered already");
        break;
    default:
        break;
    }
}

static void judge_place(const struct event *e)
{
    bool context = e->value >> 32 == FIELD_CONTEXT;
    int64_t place = e->value & 0xFFFFFFFF;

    if (place == PLACE_POOL_PAGED)
        REPORT(e, RULE_PR_9, "%s in paged pool", context ? "the registration context is" : "what is registered is");
    if (place == PLACE_STACK && !context)
        REPORT(e, RULE_PR_7, "what is registered lies on the stack");
    if (place == PLACE_STACK && context)
        REPORT(e, RULE_PR_8, "the registration context lies on the stack");
}

/* ---- handles */

static void bad_registration_handle(const struct event *e, bool wait)
{
    switch ((enum bad_handle)e->value) {
    case HANDLE_WRONG_KIND: case HANDLE_WRONG_SIDE:
        REPORT(e, RULE_PR_29, "the handle is not one of a registration of this kind");
        break;
    case HANDLE_DEAD:
        REPORT(e, RULE_PR_23, "the handle is dead since its wait succeeded");
        break;
    case HANDLE_TWICE:
        REPORT(e, RULE_PR_18, "the registration was deregistered a second time");
        break;
    case HANDLE_NOT_DEREGISTERED:
        REPORT(e, RULE_PR_22, "waited for a deregistration that was not started");
        break;
    case HANDLE_NULL: case HANDLE_GARBAGE:
        if (view_inside(e->thread, FRAME_NMR_REGISTER) && !wait)
            REPORT(e, RULE_PR_15, "a callback used the registration's handle before NmrRegisterProvider returned");
        REPORT(e, RULE_PR_14, "%s is no handle that a registration gave", e->value == HANDLE_NULL ? "NULL" : "this");
        break;
    }
}

static void bad_binding_handle(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_binding *b = view_binding(e->object);

    switch ((enum bad_handle)e->value) {
    case HANDLE_WRONG_KIND: case HANDLE_WRONG_SIDE:
        REPORT(e, RULE_PD_7, "the completion was given a handle that is not the provider's handle of a binding");
        break;
    case HANDLE_DEAD:
        if (f && f->frame == FRAME_PROVIDER_CLEANUP)
            REPORT(e, RULE_PC_5, "the cleanup callback used the binding handle");
        if (b && b->attach_failed)
            REPORT(e, RULE_PA_30, "a binding whose attach failed was completed");
        if (b && b->detach_left && b->detach_status == 0)
            REPORT(e, RULE_PD_5, "the detach had returned STATUS_SUCCESS and was completed afterwards");
        REPORT(e, RULE_PD_6, "the detach was completed a second time");
        break;
    default:
        REPORT(e, RULE_PA_6, "the completion was given something that is not the handle of any binding");
        break;
    }
}

static void bad_handle(const struct event *e)
{
    switch ((enum frame)e->b) {
    case FRAME_NMR_DEREGISTER:
        bad_registration_handle(e, false);
        break;
    case FRAME_NMR_WAIT:
        bad_registration_handle(e, true);
        break;
    case FRAME_NMR_COMPLETE:
        bad_binding_handle(e);
        break;
    default:
        REPORT(e, RULE_PA_29, "a binding handle was used where it does not belong");
        break;
    }
}

/* ---- the driver's life */

static void wait_entered(const struct event *e)
{
    const struct view_frame *f = view_module_frame(e->thread);

    if (e->b != 1 || !f)
        return;
    if (f->frame == FRAME_PROVIDER_ATTACH)
        REPORT(e, RULE_PA_32, "the attach callback waits for a deregistration");
    if (f->frame == FRAME_PROVIDER_DETACH || f->frame == FRAME_PROVIDER_CLEANUP)
        REPORT(e, RULE_PR_30, "%s waits for a deregistration", frame_names[f->frame]);
}

static void entry_left(const struct event *e)
{
    if (e->value < 0 && view_open_registration() != NONE)
        REPORT(e, RULE_PR_17, "DriverEntry failed with status 0x%08X and left a registration behind",
               (unsigned)e->value);
}

static void unload_left(const struct event *e)
{
    for (uint32_t i = 0; i < view.registration_count; i++) {
        const struct view_registration *r = &view.registrations[i];

        if (!r->module)
            continue;
        if (r->state == REGISTRATION_REGISTERED)
            REPORT(e, RULE_PR_18, "DriverUnload returned, and a registration was never deregistered");
        if (r->state == REGISTRATION_DEREGISTERING || r->state == REGISTRATION_DRAINED)
            REPORT(e, RULE_PR_19, "DriverUnload returned without waiting for the deregistration");
    }
}

void registration_monitor(const struct event *e)
{
    switch (e->kind) {
    case EV_REGISTRATION_FIELD:
        judge_field(e);
        break;
    case EV_REGISTRATION_PLACE:
        judge_place(e);
        break;
    case EV_REGISTRATION_CHANGED:
        REPORT(e, RULE_PR_7, "what was registered has changed since");
        break;
    case EV_BAD_HANDLE:
        bad_handle(e);
        break;
    case EV_IMAGE_LOADED:
        if (e->value == 0 && view_open_registration() != NONE)
            REPORT(e, RULE_PR_16, "DriverEntry registered but set no DriverUnload");
        break;
    case EV_ENTER + FRAME_NMR_WAIT:
        wait_entered(e);
        break;
    case EV_LEAVE + FRAME_DRIVER_ENTRY:
        entry_left(e);
        break;
    case EV_LEAVE + FRAME_DRIVER_UNLOAD:
        unload_left(e);
        break;
    default:
        break;
    }
}
