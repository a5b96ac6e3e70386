/* registration.c - registering, deregistering, waiting, unloading (PR, CR), and handles that do not belong. */
#include "view.h"

enum { MODULEID_BYTES = 24, CHARACTERISTICS_BYTES = 72, INSTANCE_BYTES = 40, MIT_GUID = 1, MIT_IF_LUID = 2 };

/* What memory holds that nobody has set: the pool's junk, or the pattern that locals are compiled to hold. */
static bool never_set(uint32_t content)
{
    return content == 0xA5A5A5A5 || content == 0xAAAAAAAA || content == 0xFEFEFEFE;
}

static void judge_field(const struct event *e, enum side side)
{
    int64_t content = (int32_t)e->value;

    switch ((enum registration_field)(e->value >> 32)) {
    case FIELD_VERSION:
        if (content != 0)
            REPORT_SIDE(e, side, RULE_PR_1, "the characteristics have Version %lld", (long long)content);
        break;
    case FIELD_LENGTH:
        if (content != CHARACTERISTICS_BYTES)
            REPORT_SIDE(e, side, RULE_PR_1, "the characteristics have Length %lld instead of %d", (long long)content,
                   CHARACTERISTICS_BYTES);
        break;
    case FIELD_INSTANCE_SIZE:
        if (content != INSTANCE_BYTES)
            REPORT_SIDE(e, side, RULE_PR_2, "the registration instance has Size %lld instead of %d", (long long)content,
                   INSTANCE_BYTES);
        break;
    case FIELD_NPI_ID:
        if (content != 1)
            REPORT_SIDE(e, side, RULE_PR_3,
                        content < 0 ? "NpiId is NULL" : "NpiId is not the GUID of the module's NPI");
        break;
    case FIELD_MODULE_ID:
        if (content != 1)
            REPORT_SIDE(e, side, RULE_PR_4, "ModuleId is NULL");
        break;
    case FIELD_MODULE_LENGTH:
        if (content != MODULEID_BYTES)
            REPORT_SIDE(e, side, RULE_PR_4, "ModuleId->Length is %lld", (long long)content);
        break;
    case FIELD_MODULE_TYPE:
        if (content != MIT_GUID && content != MIT_IF_LUID)
            REPORT_SIDE(e, side, RULE_PR_4, "ModuleId->Type is %lld", (long long)content);
        break;
    case FIELD_ATTACH: case FIELD_DETACH:
        if (content == 0)
            REPORT_SIDE(e, side, RULE_PR_10, "the attach or the detach callback is NULL");
        break;
    case FIELD_DUPLICATE:
        if (content == 1)
            REPORT_SIDE(e, side, RULE_PR_25, "this characteristics structure is registered already");
        break;
    case FIELD_NUMBER:
        if (never_set((uint32_t)content))
            REPORT_SIDE(e, side, RULE_PR_5, "Number was never set: 0x%08X", (unsigned)content);
        break;
    case FIELD_NUMBER_TAKEN:
        if (content == 1)
            REPORT_SIDE(e, side, RULE_PR_5, "another registration of the module has this NPI and this Number");
        break;
    case FIELD_NPI_CHARACTERISTICS:
        if (content == 0)
            REPORT_SIDE(e, side, RULE_PR_6, "NpiSpecificCharacteristics is given, and the NPI defines none for a %s",
                        view_side_names[side]);
        break;
    default:
        break;
    }
}

static void judge_place(const struct event *e, enum side side)
{
    bool context = e->value >> 32 == FIELD_CONTEXT;
    int64_t place = e->value & 0xFFFFFFFF;

    if (place == PLACE_POOL_PAGED)
        REPORT_SIDE(e, side, RULE_PR_9,
                    "%s in paged pool", context ? "the registration context is" : "what is registered is");
    if (place == PLACE_STACK && !context)
        REPORT_SIDE(e, side, RULE_PR_7, "what is registered lies on the stack");
    if (place == PLACE_STACK && context)
        REPORT_SIDE(e, side, RULE_PR_8, "the registration context lies on the stack");
}

/* ---- handles */

static void bad_registration_handle(const struct event *e, const struct view_frame *call)
{
    enum side side = view_frame_side(call);

    switch ((enum bad_handle)e->value) {
    case HANDLE_WRONG_SIDE:
        REPORT_SIDE(e, SIDE_PROVIDER, RULE_PR_29, "a function of the %s was given a handle of the other side",
                    view_side_names[side]);
        break;
    case HANDLE_WRONG_KIND:
        REPORT_SIDE(e, side, RULE_PR_29, "the handle is not one of a registration");
        break;
    case HANDLE_DEAD:
        REPORT_SIDE(e, side, RULE_PR_23, "the handle is dead since its wait succeeded");
        break;
    case HANDLE_TWICE:
        REPORT_SIDE(e, side, RULE_PR_18, "the registration was deregistered a second time");
        break;
    case HANDLE_NOT_DEREGISTERED:
        REPORT_SIDE(e, side, RULE_PR_22, "waited for a deregistration that was not started");
        break;
    case HANDLE_NULL: case HANDLE_GARBAGE:
        if (view_anywhere(FRAME_NMR_REGISTER) && call->frame != FRAME_NMR_WAIT)
            REPORT_SIDE(e, side, RULE_PR_15, "a callback used the registration's handle before it was returned");
        REPORT_SIDE(e, side, RULE_PR_14, "%s is no handle that a registration gave",
                    e->value == HANDLE_NULL ? "NULL" : "this");
        break;
    }
}

static void bad_completion(const struct event *e, enum side side)
{
    const struct view_frame *f = view_module_frame(e->thread);
    const struct view_binding *b = view_binding(e->object);
    const struct view_side *s = b ? &b->sides[side] : NULL;

    switch ((enum bad_handle)e->value) {
    case HANDLE_WRONG_KIND: case HANDLE_WRONG_SIDE:
        REPORT_SIDE(e, side, RULE_PD_7, "the completion was given a handle that is not the %s's handle of a binding",
                    view_side_names[side]);
        break;
    case HANDLE_DEAD:
        if (f && view_is_cleanup(f->frame))
            REPORT_SIDE(e, side, RULE_PC_5, "the cleanup callback used the binding handle");
        if (s && s->attach_failed)
            REPORT_SIDE(e, side, RULE_PA_30, "a binding whose attach failed was completed");
        if (s && s->detach_left && s->detach_status == 0)
            REPORT_SIDE(e, side, RULE_PD_5, "the detach had returned STATUS_SUCCESS and was completed afterwards");
        REPORT_SIDE(e, side, RULE_PD_6, "the detach was completed a second time");
        break;
    default:
        REPORT_SIDE(e, side, RULE_PA_6, "the completion was given something that is not the handle of any binding");
        break;
    }
}

static void bad_handle(const struct event *e)
{
    const struct view_frame *call = view_inside(e->thread, (enum frame)e->b);

    switch ((enum frame)e->b) {
    case FRAME_NMR_DEREGISTER: case FRAME_NMR_WAIT:
        if (call)
            bad_registration_handle(e, call);
        break;
    case FRAME_NMR_COMPLETE:
        if (call)
            bad_completion(e, view_frame_side(call));
        break;
    case FRAME_NMR_CLIENT_ATTACH:
        REPORT(e, RULE_CA_11, "NmrClientAttachProvider was given something else than the handle just received");
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
    if (view_is_attach(f->frame))
        REPORT(e, RULE_PA_32, "the attach callback waits for a deregistration");
    if (view_is_detach(f->frame) || view_is_cleanup(f->frame))
        REPORT(e, RULE_PR_30, "%s waits for a deregistration", frame_names[f->frame]);
}

static void entry_left(const struct event *e)
{
    uint32_t open = view_open_registration();

    if (e->value < 0 && open != NONE)
        REPORT_SIDE(e, view_registration(open)->side, RULE_PR_17,
                    "DriverEntry failed with status 0x%08X and left a registration behind", (unsigned)e->value);
}

/* Has the module been registered in the other role, too? */
static bool has_both_roles(void)
{
    bool roles[2] = {false, false};

    for (uint32_t i = 0; i < view.registration_count; i++)
        if (view.registrations[i].module && view.registrations[i].state != REGISTRATION_NONE)
            roles[view.registrations[i].side] = true;
    return roles[SIDE_CLIENT] && roles[SIDE_PROVIDER];
}

static bool all_open(enum side side)
{
    for (uint32_t i = 0; i < view.registration_count; i++) {
        const struct view_registration *r = &view.registrations[i];

        if (r->module && r->side == side && (r->state == REGISTRATION_CLOSED || r->state == REGISTRATION_NONE))
            return false;
    }
    return true;
}

static void unload_left(const struct event *e)
{
    for (uint32_t i = 0; i < view.registration_count; i++) {
        const struct view_registration *r = &view.registrations[i];

        if (!r->module || r->state < REGISTRATION_REGISTERED || r->state == REGISTRATION_CLOSED)
            continue;
        if (has_both_roles() && !all_open(other_side(r->side)))
            REPORT(e, RULE_PR_26, "DriverUnload returned; only the %s's registration was undone",
                   view_side_names[other_side(r->side)]);
        if (r->state == REGISTRATION_REGISTERED)
            REPORT_SIDE(e, r->side, RULE_PR_18, "DriverUnload returned, and a registration was never deregistered");
        REPORT_SIDE(e, r->side, RULE_PR_19, "DriverUnload returned without waiting for the deregistration");
    }
}

/* What was registered, field by field: of which side, the view knows. */

static void field(const struct event *e)
{
    const struct view_registration *r = view_registration(e->object);

    if (r)
        judge_field(e, r->side);
}

static void place(const struct event *e)
{
    const struct view_registration *r = view_registration(e->object);

    if (r)
        judge_place(e, r->side);
}

static void changed(const struct event *e)
{
    const struct view_registration *r = view_registration(e->object);

    if (r)
        REPORT_SIDE(e, r->side, RULE_PR_7, "what was registered has changed since");
}

static void image_loaded(const struct event *e)
{
    uint32_t open = view_open_registration();

    if (e->value == 0 && open != NONE)
        REPORT_SIDE(e, view_registration(open)->side, RULE_PR_16, "DriverEntry registered but set no DriverUnload");
}

void registration_watch(void)
{
    event_add_judge_of(EV_REGISTRATION_FIELD, field);
    event_add_judge_of(EV_REGISTRATION_PLACE, place);
    event_add_judge_of(EV_REGISTRATION_CHANGED, changed);
    event_add_judge_of(EV_BAD_HANDLE, bad_handle);
    event_add_judge_of(EV_IMAGE_LOADED, image_loaded);
    event_add_judge_of(EV_ENTER + FRAME_NMR_WAIT, wait_entered);
    event_add_judge_of(EV_LEAVE + FRAME_DRIVER_ENTRY, entry_left);
    event_add_judge_of(EV_LEAVE + FRAME_DRIVER_UNLOAD, unload_left);
}
