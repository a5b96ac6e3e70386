/*
 * test_nmr_told.c - what NMR tells of its work, which is all that judges know, and where threads may change in it,
 * which is all that explorations vary.
 */
#include <limits.h>

#include "test_nmr_lab.h"

static struct party *p, *c;                 /* registrations 0 and 1 of the execution */

static void pair_up(void)
{
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
}

/* Where the first event of this kind is in the log of the last execution; UINT_MAX if there is none. */
static unsigned position(unsigned kind)
{
    unsigned kept;
    const struct event *log = event_log(&kept);

    for (unsigned i = 0; i < kept; i++)
        if (log[i].kind == kind)
            return i;
    return UINT_MAX;
}

/* ---- scheduling points */

/* The other thread: notes when it runs. */
static void witness(struct party *l)
{
    (void)l;
    event_emit(EV_NOTE, 0, 0, 0, 0, 0, NULL);
}

/* Calls each NMR function. */
static void everything(void *script)
{
    (void)script;
    lab_start(witness, NULL);
    pair_up();
    p->detach = c->detach = STATUS_PENDING;
    EXPECT(lab_deregister(p) == STATUS_PENDING && lab_deregister(c) == STATUS_PENDING);
    lab_complete(p, p->last_binding);
    lab_complete(c, c->last_binding);
    EXPECT(lab_wait(p) == STATUS_SUCCESS && lab_wait(c) == STATUS_SUCCESS);
    lab_join();
}

static const struct { unsigned site, next; int64_t value; } points[] = {
    {SITE_NMR_REGISTER_PROVIDER,   EV_ENTER + FRAME_NMR_REGISTER,      SIDE_PROVIDER},
    {SITE_NMR_REGISTER_CLIENT,     EV_ENTER + FRAME_NMR_REGISTER,      SIDE_CLIENT},
    {SITE_NMR_CLIENT_ATTACH,       EV_ENTER + FRAME_NMR_CLIENT_ATTACH, 0},
    {SITE_ATTACHED,                EV_LEAVE + FRAME_NMR_CLIENT_ATTACH, STATUS_SUCCESS},
    {SITE_NMR_DEREGISTER_PROVIDER, EV_ENTER + FRAME_NMR_DEREGISTER,    SIDE_PROVIDER},
    {SITE_NMR_DEREGISTER_CLIENT,   EV_ENTER + FRAME_NMR_DEREGISTER,    SIDE_CLIENT},
    {SITE_NMR_PROVIDER_COMPLETE,   EV_ENTER + FRAME_NMR_COMPLETE,      SIDE_PROVIDER},
    {SITE_NMR_CLIENT_COMPLETE,     EV_ENTER + FRAME_NMR_COMPLETE,      SIDE_CLIENT},
    {SITE_NMR_WAIT_PROVIDER,       EV_ENTER + FRAME_NMR_WAIT,          SIDE_PROVIDER},
    {SITE_NMR_WAIT_CLIENT,         EV_ENTER + FRAME_NMR_WAIT,          SIDE_CLIENT},
};

/* A switch at each of these sites runs the witness just before what the site is named after. */
static void each_function_is_a_scheduling_point(void **state)
{
    static struct scenario s;
    struct program program = lab_program(everything);

    (void)state;
    for (unsigned i = 0; i < sizeof points / sizeof *points; i++) {
        const struct event *log;
        unsigned kept, at;

        s.count = 0;
        scenario_add(&s, (struct record){.kind = CHOICE_SWITCH, .site = (uint8_t)points[i].site, .value = 1});
        assert_int_equal(execution_replay(&program, &s).verdict, VERDICT_PASS);
        log = event_log(&kept);
        for (at = position(EV_NOTE); at < kept && log[at].thread != 0; )
            at++;
        assert_true(at < kept);
        assert_int_equal(log[at].kind, points[i].next);
        assert_int_equal(log[at].value, points[i].value);
    }
}

/* ---- what is told */

static void each_call_is_told_from_its_entry_to_its_end(void **state)
{
    struct event enter, leave;

    (void)state;
    lab_pass(everything);
    for (unsigned frame = FRAME_CLIENT_ATTACH; frame <= FRAME_NMR_COMPLETE; frame++) {
        unsigned calls = frame == FRAME_NMR_CLIENT_ATTACH || frame < FRAME_NMR_REGISTER ? 1 : 2;

        assert_int_equal(lab_events((uint16_t)(EV_ENTER + frame), &enter), calls);
        assert_int_equal(lab_events((uint16_t)(EV_LEAVE + frame), &leave), calls);
        assert_int_equal(enter.object, leave.object);
        assert_int_not_equal(enter.object, NONE);
    }
    assert_int_equal(lab_events(EV_LEAVE + FRAME_PROVIDER_ATTACH, &leave), 1);
    assert_int_equal(leave.c, 3);           /* both out-parameters were written */
}

static void the_life_of_a_binding_is_told(void **state)
{
    static const enum binding_state life[] = {BINDING_OFFERED, BINDING_PROPOSING, BINDING_ACCEPTED, BINDING_ATTACHED,
                                              BINDING_DETACHING, BINDING_CLEANUP, BINDING_GONE};
    const struct event *log;
    struct event e;
    unsigned kept, n = 0;

    (void)state;
    lab_pass(everything);
    assert_int_equal(lab_events(EV_BINDING_OFFERED, &e), 1);
    assert_int_equal(e.value, 1 << 16 | 0);
    log = event_log(&kept);
    for (unsigned i = 0; i < kept; i++) {
        if (log[i].kind != EV_BINDING_STATE)
            continue;
        assert_true(n < sizeof life / sizeof *life);
        assert_int_equal(log[i].value, life[n++]);
    }
    assert_int_equal(n, sizeof life / sizeof *life);
}

/* Of the module's side only, whichever that is. */
static void what_each_side_attaches_with_is_told(void **state)
{
    (void)state;
    for (unsigned peers = 0; peers < 4; peers++) {
        lab_who[SIDE_CLIENT] = peers & 1 ? CALLER_PEER : CALLER_MODULE;
        lab_who[SIDE_PROVIDER] = peers & 2 ? CALLER_PEER : CALLER_MODULE;
        lab_pass(everything);
        assert_int_equal(lab_events(EV_BINDING_CONTEXT, NULL), !(peers & 1) + !(peers & 2));
        assert_int_equal(lab_events(EV_BINDING_DISPATCH, NULL), !(peers & 1) + !(peers & 2));
    }
    lab_who[SIDE_CLIENT] = lab_who[SIDE_PROVIDER] = CALLER_MODULE;
}

/* ---- changes of what a module registered, or of its dispatch table: noticed before its next callback */

static enum { BEFORE_PROPOSAL, BEFORE_DETACH, IN_LAST_DETACH, TABLE_BEFORE_DETACH, TABLE_IN_LAST_DETACH } moment;
static enum side changed;

static void change(void)
{
    struct party *l = changed == SIDE_CLIENT ? c : p;

    if (moment >= TABLE_BEFORE_DETACH)
        lab_dispatch[changed][0] = &moment;
    else
        l->client.ClientRegistrationInstance.Number = l->provider.ProviderRegistrationInstance.Number = 3;
}

static NTSTATUS change_then_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE instance)
{
    if (moment == BEFORE_PROPOSAL)
        change();
    return lab_client_attach(binding, context, instance);
}

static void change_in_detach(struct party *l, HANDLE binding)
{
    (void)l;
    (void)binding;
    if (moment == IN_LAST_DETACH || moment == TABLE_IN_LAST_DETACH)
        change();
}

static void changing(void *script)
{
    const void *before = lab_dispatch[changed][0];

    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    c->client.ClientAttachProvider = change_then_attach;
    p->in_detach = change_in_detach;        /* the second of the two */
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
    if (moment == BEFORE_DETACH || moment == TABLE_BEFORE_DETACH)
        change();
    lab_close(p);
    lab_close(c);
    lab_dispatch[changed][0] = before;
}

static void a_change_is_noticed_before_the_next_callback(void **state)
{
    static const struct { unsigned change, callback[2]; } noticed[] = {
        [BEFORE_PROPOSAL]      = {EV_REGISTRATION_CHANGED, {FRAME_CLIENT_DETACH, FRAME_PROVIDER_ATTACH}},
        [BEFORE_DETACH]        = {EV_REGISTRATION_CHANGED, {FRAME_CLIENT_DETACH, FRAME_PROVIDER_DETACH}},
        [IN_LAST_DETACH]       = {EV_REGISTRATION_CHANGED, {FRAME_CLIENT_CLEANUP, FRAME_CLIENT_CLEANUP}},
        [TABLE_BEFORE_DETACH]  = {EV_BINDING_DISPATCH_CHANGED, {FRAME_CLIENT_DETACH, FRAME_CLIENT_DETACH}},
        [TABLE_IN_LAST_DETACH] = {EV_BINDING_DISPATCH_CHANGED, {FRAME_CLIENT_CLEANUP, FRAME_CLIENT_CLEANUP}},
    };

    (void)state;
    for (moment = 0; moment < sizeof noticed / sizeof *noticed; moment++) {
        for (changed = SIDE_CLIENT; changed <= SIDE_PROVIDER; changed++) {
            lab_pass(changing);
            assert_int_equal(lab_events((uint16_t)noticed[moment].change, NULL), 1);
            assert_true(position(noticed[moment].change) < position(EV_ENTER + noticed[moment].callback[changed]));
        }
    }
}

/* ---- ND-9a: a completion inside its detach callback */

static void complete_inside(void *script)
{
    (void)script;
    pair_up();
    p->detach = STATUS_PENDING;
    p->complete = COMPLETE_INSIDE;
    lab_close(p);
    lab_close(c);
}

static bool cleanup_inside(unsigned answer)
{
    lab_pass_with(complete_inside, CHOICE_SYSTEM, SITE_ND_COMPLETE_INSIDE, answer);
    return position(EV_ENTER + FRAME_CLIENT_CLEANUP) < position(EV_LEAVE + FRAME_PROVIDER_DETACH);
}

/* For a counterpart, which knows no better than to be latched, nothing is chosen. */
static void nd9_completion_counts_at_once_or_later(void **state)
{
    (void)state;
    assert_false(cleanup_inside(0));
    assert_true(cleanup_inside(1));
    lab_who[SIDE_PROVIDER] = CALLER_PEER;
    assert_false(cleanup_inside(1));
    lab_who[SIDE_PROVIDER] = CALLER_MODULE;
}

/* ---- IRQL: of callers, and after callbacks */

static void attach_raised(struct party *l, HANDLE binding)
{
    irql_set(DISPATCH_LEVEL);
    EXPECT(nmr_client_attach_provider(l->who, binding, NULL, NULL, &l->out_context, &l->out_dispatch, NULL) ==
           STATUS_INVALID_DEVICE_STATE);    /* it has attached already */
}

static void too_high(void *script)
{
    struct party *other = lab_new(2, SIDE_PROVIDER);

    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    p->detach = STATUS_PENDING;
    other->npi.Data1++;
    c->in_attach = attach_raised;
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
    EXPECT(irql_get() == PASSIVE_LEVEL && lab_events(EV_MISUSE, NULL) == 1);
    irql_set(DISPATCH_LEVEL);
    EXPECT(lab_register(other) == STATUS_SUCCESS && lab_events(EV_MISUSE, NULL) == 2);
    EXPECT(lab_deregister(p) == STATUS_PENDING && lab_events(EV_MISUSE, NULL) == 2);
    irql_set(DISPATCH_LEVEL + 1);
    EXPECT(lab_deregister(other) == STATUS_PENDING && lab_events(EV_MISUSE, NULL) == 3);
    irql_set(DISPATCH_LEVEL);
    lab_complete(p, p->last_binding);
    EXPECT(lab_events(EV_MISUSE, NULL) == 3);
    EXPECT(lab_wait(p) == STATUS_SUCCESS && lab_events(EV_MISUSE, NULL) == 4);
    irql_set(PASSIVE_LEVEL);
    lab_close(c);
}

static void completes_too_high(void *script)
{
    (void)script;
    pair_up();
    p->detach = c->detach = STATUS_PENDING;
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    irql_set(DISPATCH_LEVEL + 1);
    lab_complete(p, p->last_binding);       /* not the last one: no callbacks */
    EXPECT(lab_events(EV_MISUSE, NULL) == 1);
    irql_set(PASSIVE_LEVEL);
    lab_complete(c, c->last_binding);
    EXPECT(lab_wait(p) == STATUS_SUCCESS && lab_events(EV_MISUSE, NULL) == 1);
}

static void callers_irql_is_checked(void **state)
{
    struct event e;

    (void)state;
    lab_pass(too_high);
    assert_int_equal(lab_events(EV_MISUSE, &e), 4);
    assert_int_equal(e.value, MISUSE_IRQL_TOO_HIGH);
    assert_int_equal(e.c, APC_LEVEL);
    lab_pass(completes_too_high);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_function_is_a_scheduling_point),
        cmocka_unit_test(each_call_is_told_from_its_entry_to_its_end),
        cmocka_unit_test(the_life_of_a_binding_is_told),
        cmocka_unit_test(what_each_side_attaches_with_is_told),
        cmocka_unit_test(a_change_is_noticed_before_the_next_callback),
        cmocka_unit_test(nd9_completion_counts_at_once_or_later),
        cmocka_unit_test(callers_irql_is_checked),
    };

    lab_select(argc, argv);
    return cmocka_run_group_tests_name("nmr told", tests, NULL, NULL);
}
