/* test_nmr_registration.c - registering and its failures, waiting, handles, what is told about a registration. */
#include "test_nmr_lab.h"

static struct party *p, *c;                 /* registrations 0 and 1 of the execution */

static void pair_up(void)
{
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
}

/* ---- N-24: waiting */

static NTSTATUS wait(enum side side, HANDLE h)
{
    return nmr_wait(CALLER_MODULE, side, h, NULL);
}

/* A handle that NMR never made: this one but for the number in it. */
static HANDLE number_of(unsigned number, HANDLE h)
{
    return (HANDLE)(uintptr_t)(((uint64_t)(uintptr_t)h & ~UINT64_C(0xFFF000)) | (uint64_t)number << 12);
}

static void waits(void *script)
{
    (void)script;
    pair_up();
    EXPECT(wait(SIDE_PROVIDER, p->handle) == STATUS_INVALID_PARAMETER);         /* not deregistered */
    EXPECT(wait(SIDE_CLIENT, p->handle) == STATUS_INVALID_PARAMETER);           /* wrong side */
    EXPECT(wait(SIDE_CLIENT, c->last_binding) == STATUS_INVALID_PARAMETER);     /* wrong kind */
    EXPECT(wait(SIDE_CLIENT, NULL) == STATUS_INVALID_PARAMETER);
    EXPECT(wait(SIDE_CLIENT, &waits) == STATUS_INVALID_PARAMETER);              /* garbage */
    EXPECT(wait(SIDE_PROVIDER, number_of(2, p->handle)) == STATUS_INVALID_PARAMETER);       /* there are but 0 and 1 */
    EXPECT(wait(SIDE_CLIENT, number_of(0, c->handle)) == STATUS_INVALID_PARAMETER);
    EXPECT(wait(SIDE_CLIENT, number_of(1, c->last_binding)) == STATUS_INVALID_PARAMETER);
    EXPECT(p->detaches == 0 && c->detaches == 0);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(wait(SIDE_CLIENT, p->handle) == STATUS_INVALID_PARAMETER);           /* still the wrong side */
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    EXPECT(wait(SIDE_PROVIDER, p->handle) == STATUS_INVALID_PARAMETER);         /* dead */
    lab_close(c);
}

/* Known bugs 7 and 8: a bad handle threw through the caller; a wait before the deregistration blocked. */
static void n24_wait_refuses_bad_handles(void **state)
{
    static const enum bad_handle expected[] = {HANDLE_NOT_DEREGISTERED, HANDLE_WRONG_SIDE, HANDLE_WRONG_KIND,
                                               HANDLE_NULL, HANDLE_GARBAGE, HANDLE_GARBAGE, HANDLE_GARBAGE,
                                               HANDLE_GARBAGE, HANDLE_WRONG_SIDE, HANDLE_DEAD};
    static const uint32_t objects[] = {0, 0, 0, NONE, NONE, NONE, NONE, NONE, 0, 0};
    const struct event *log;
    unsigned kept, n = 0;

    (void)state;
    lab_pass(waits);
    log = event_log(&kept);
    for (unsigned i = 0; i < kept; i++) {
        if (log[i].kind != EV_BAD_HANDLE)
            continue;
        assert_true(n < sizeof expected / sizeof *expected);
        assert_int_equal(log[i].value, expected[n]);
        assert_int_equal(log[i].object, objects[n]);
        assert_int_equal(log[i].b, FRAME_NMR_WAIT);
        n++;
    }
    assert_int_equal(n, sizeof expected / sizeof *expected);
}

static unsigned waits_ended, most_waits;

/* A thread that comes only after the other one has closed the registration finds a dead handle (ND-31). */
static void waiter(struct party *l)
{
    if (lab_wait(l) == STATUS_SUCCESS)
        waits_ended++;
}

static void two_waiters(void *script)
{
    (void)script;
    pair_up();
    c->detach = STATUS_PENDING;
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    waits_ended = 0;
    lab_start(waiter, p);
    lab_start(waiter, p);
    sched_give_way(SITE_OP_NEXT);
    EXPECT(waits_ended == 0);
    lab_complete(c, c->last_binding);
    lab_join();
    EXPECT(waits_ended >= 1);
    most_waits = waits_ended > most_waits ? waits_ended : most_waits;
    lab_close(c);
}

static void two_threads_may_wait(void **state)
{
    (void)state;
    most_waits = 0;
    lab_explore(two_waiters, 2, 0);
    assert_int_equal(most_waits, 2);
}

/* ---- ND-16, ND-17: bad handles elsewhere */

static unsigned bad_call;

static void bad_calls(void *script)
{
    const VOID *dispatch;
    PVOID context;

    (void)script;
    pair_up();
    switch (bad_call) {
    case 0:
        nmr_deregister(CALLER_MODULE, SIDE_CLIENT, p->handle, NULL);
        break;
    case 1:
        nmr_deregister(CALLER_MODULE, SIDE_PROVIDER, NULL, NULL);
        break;
    case 2:
        nmr_detach_complete(CALLER_MODULE, SIDE_PROVIDER, c->last_binding, NULL);
        break;
    case 3:
        nmr_detach_complete(CALLER_MODULE, SIDE_PROVIDER, p->handle, NULL);
        break;
    case 4:
        lab_close(p);
        nmr_detach_complete(CALLER_MODULE, SIDE_PROVIDER, p->last_binding, NULL);
        break;
    default:
        nmr_client_attach_provider(CALLER_MODULE, p->last_binding, NULL, NULL, &context, &dispatch, NULL);
        break;
    }
    lab_fail("NMR came back from a bug check", __FILE__, __LINE__);
}

static void nd16_bug_check(void **state)
{
    static const enum bad_handle expected[] = {HANDLE_WRONG_SIDE, HANDLE_NULL, HANDLE_WRONG_SIDE, HANDLE_WRONG_KIND,
                                               HANDLE_DEAD, HANDLE_WRONG_SIDE};
    struct event e;

    (void)state;
    for (bad_call = 0; bad_call < sizeof expected / sizeof *expected; bad_call++) {
        assert_int_equal(lab_run(bad_calls).verdict, VERDICT_FINDING);
        assert_int_equal(lab_events(EV_BAD_HANDLE, &e), 1);
        assert_int_equal(e.value, expected[bad_call]);
        assert_int_equal(lab_events(EV_BUGCHECK, &e), 1);
        assert_int_equal(e.value, 0x125);
    }
}

static void deregister_twice(void *script)
{
    (void)script;
    pair_up();
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(lab_deregister(p) == STATUS_INVALID_PARAMETER);
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    lab_close(c);
    EXPECT(p->detaches == 1 && p->cleanups == 1);
}

static void nd17_second_deregistration(void **state)
{
    struct event e;

    (void)state;
    lab_pass(deregister_twice);
    assert_int_equal(lab_events(EV_BAD_HANDLE, &e), 1);
    assert_int_equal(e.value, HANDLE_TWICE);
}

/* Known bug 6: STATUS_SUCCESS when everything was over at once, or when there was nothing. */
static void lonely(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    EXPECT(lab_register(p) == STATUS_SUCCESS);
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
}

/* Both sides of its binding are pending, and only this thread could complete them. */
static void not_held_up(void *script)
{
    (void)script;
    pair_up();
    p->detach = c->detach = STATUS_PENDING;
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    EXPECT(lab_deregister(c) == STATUS_PENDING);
    lab_complete(p, p->last_binding);
    lab_complete(c, c->last_binding);
    EXPECT(lab_wait(p) == STATUS_SUCCESS && lab_wait(c) == STATUS_SUCCESS);
}

static void n23_deregister_is_always_pending(void **state)
{
    (void)state;
    lab_pass(lonely);
    lab_pass(not_held_up);
}

/* ---- N-31, N-32: again, and handles */

/* Its handles serve a binding from the entry of its first callback, where the clerk uses it, until both are done. */
static void life_of_handles(void *script)
{
    (void)script;
    pair_up();
    EXPECT(p->last_binding != c->last_binding);                                 /* ND-4 */
    p->detach = c->detach = STATUS_PENDING;
    EXPECT(lab_deregister(p) == STATUS_PENDING);
    lab_complete(p, p->last_binding);
    EXPECT(nmr_binding_number(p->last_binding) == 0 && nmr_binding_number(c->last_binding) == 0);
    EXPECT(p->cleanups == 0 && c->cleanups == 0);
    lab_complete(c, c->last_binding);
    EXPECT(p->cleanups == 1 && c->cleanups == 1);
    EXPECT(lab_wait(p) == STATUS_SUCCESS);
    lab_close(c);
}

static void n32_handles_live_as_long_as_the_binding(void **state)
{
    (void)state;
    lab_pass(life_of_handles);
}

static void again_and_again(void *script)
{
    HANDLE handles[64];
    unsigned n = 0;

    (void)script;
    for (unsigned i = 0; i < 6; i++) {
        if (i == 0) {
            pair_up();
        } else {
            memset(lab_deregistering, 0, sizeof lab_deregistering);
            EXPECT(lab_register(p) == STATUS_SUCCESS && lab_register(c) == STATUS_SUCCESS);
        }
        EXPECT(c->attached == i + 1 && p->attached == i + 1);
        handles[n++] = p->handle;
        handles[n++] = c->handle;
        handles[n++] = p->last_binding;
        handles[n++] = c->last_binding;
        lab_close(p);
        lab_close(c);
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t token = (uint64_t)(uintptr_t)handles[i];

        EXPECT(nmr_is_token(token));
        EXPECT(token >> 47 != 0 && token >> 47 != 0x1FFFF);                     /* no address */
        for (unsigned j = 0; j < i; j++)
            EXPECT(handles[i] != handles[j]);
    }
    EXPECT(nmr_binding_number(handles[2]) == 0 && nmr_binding_number(handles[3]) == 0);
    EXPECT(nmr_binding_number(handles[0]) == NONE && nmr_binding_number(NULL) == NONE);
    EXPECT(!nmr_is_token(0) && !nmr_is_token((uint64_t)(uintptr_t)&handles) && !nmr_is_token(UINT64_MAX));
}

static void n31_n32_registering_again_and_handles(void **state)
{
    HANDLE first;

    (void)state;
    lab_pass(again_and_again);
    first = parties[0].handle;
    lab_pass(again_and_again);
    assert_ptr_equal(first, parties[0].handle);             /* the same in each execution */
}

static void limit(void *script)
{
    (void)script;
    for (unsigned i = 0; i <= REGISTRATIONS_MAX; i++) {
        memset(lab_deregistering, 0, sizeof lab_deregistering);
        lab_close(lab_new(0, SIDE_CLIENT));
        EXPECT(lab_register(&parties[0]) == STATUS_SUCCESS);
    }
}

static void a_full_table_is_a_verdict(void **state)
{
    (void)state;
    assert_int_equal(lab_run(limit).verdict, VERDICT_MEMORY);
}

/* ---- N-34: failures */

static NTSTATUS registered;

static void failing(void *script)
{
    (void)script;
    c = lab_new(1, SIDE_CLIENT);
    p = lab_new(0, SIDE_PROVIDER);
    EXPECT(lab_register(c) == STATUS_SUCCESS);
    p->handle = p;
    registered = lab_register(p);
    EXPECT(c->attaches == 0);
    EXPECT(lab_register(lab_new(2, SIDE_CLIENT)) == STATUS_SUCCESS);            /* finds nobody there */
    EXPECT(parties[2].attaches == 0 && p->attaches == 0);
    lab_close(c);
}

/* A client's failure: whoever was there before and whoever comes afterwards is not offered to it. */
static void failing_client(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    EXPECT(lab_register(p) == STATUS_SUCCESS);
    registered = lab_register(c);
    EXPECT(lab_register(lab_new(2, SIDE_PROVIDER)) == STATUS_SUCCESS);
    EXPECT(c->attaches == 0 && p->attaches == 0 && parties[2].attaches == 0);
    lab_close(p);
}

static void n34_a_failure_leaves_no_trace(void **state)
{
    (void)state;
    lab_run_with(failing, CHOICE_FAULT, SITE_NMR_REGISTER_PROVIDER, 1);
    assert_int_equal(registered, STATUS_INSUFFICIENT_RESOURCES);
    assert_ptr_equal(parties[0].handle, &parties[0]);
    lab_run_with(failing, CHOICE_FAULT, SITE_NMR_REGISTER_PROVIDER, 2);
    assert_int_equal(registered, STATUS_NO_MEMORY);
    assert_int_equal(lab_events(EV_LEAVE + FRAME_NMR_REGISTER, NULL), 3);
    lab_run_with(failing_client, CHOICE_FAULT, SITE_NMR_REGISTER_CLIENT, 1);
    assert_int_equal(registered, STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(lab_events(EV_BINDING_OFFERED, NULL), 0);
}

static void nd12_handle_after_a_failure(void **state)
{
    static struct scenario s;
    struct program program = lab_program(failing);

    (void)state;
    for (uint16_t value = 0; value < 3; value++) {
        uint64_t handle;

        s.count = 0;
        scenario_add(&s, (struct record){.kind = CHOICE_FAULT, .site = SITE_NMR_REGISTER_PROVIDER, .value = 1});
        scenario_add(&s, (struct record){.kind = CHOICE_SYSTEM, .site = SITE_ND_FAILED_HANDLE, .value = value});
        assert_int_equal(execution_replay(&program, &s).verdict, VERDICT_PASS);
        handle = (uint64_t)(uintptr_t)parties[0].handle;
        assert_int_equal(handle == (uint64_t)(uintptr_t)&parties[0], value == 0);
        assert_int_equal(handle == 0, value == 1);
        assert_int_equal(nmr_is_token(handle), value == 2);
    }
}

/* ---- ND-15: malformed structures, and what is told */

static unsigned defect;
static NTSTATUS with_defect;

static void malformed(void *script)
{
    NPI_PROVIDER_CHARACTERISTICS *characteristics;

    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    characteristics = &p->provider;
    switch (defect) {
    case 0:
        characteristics->Length = 0;
        break;
    case 1:
        characteristics->ProviderAttachClient = NULL;
        break;
    case 2:
        characteristics->ProviderDetachClient = NULL;
        break;
    case 3:
        characteristics->ProviderRegistrationInstance.NpiId = NULL;
        break;
    case 4:
        characteristics->ProviderRegistrationInstance.Size = 8;
        break;
    default:
        characteristics = NULL;
        break;
    }
    with_defect = nmr_register_provider(CALLER_MODULE, 0, characteristics, p, &p->handle, NULL);
}

static void nd15_malformed_structures_are_refused(void **state)
{
    (void)state;
    for (defect = 0; defect < 5; defect++) {
        lab_pass(malformed);
        assert_int_equal(with_defect, STATUS_INVALID_PARAMETER);
        assert_true(lab_events(EV_REGISTRATION_FIELD, NULL) >= 9);
    }
}

static int64_t field_of(unsigned field)
{
    unsigned kept;
    const struct event *log = event_log(&kept);

    for (unsigned i = 0; i < kept; i++)
        if (log[i].kind == EV_REGISTRATION_FIELD && log[i].value >> 32 == field)
            return (int32_t)(uint32_t)log[i].value;
    return -2;
}

static void duplicate(void *script)
{
    HANDLE second;

    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    p->provider.ProviderCleanupBindingContext = NULL;
    p->provider.ProviderRegistrationInstance.Number = 0xFFFFFFFF;
    EXPECT(lab_register(p) == STATUS_SUCCESS);
    EXPECT(nmr_register_provider(CALLER_MODULE, 0, &p->provider, p, &second, NULL) == STATUS_SUCCESS);
}

static void fields_are_told(void **state)
{
    struct event e;

    (void)state;
    lab_pass(duplicate);
    assert_int_equal(field_of(FIELD_VERSION), 0);
    assert_int_equal(field_of(FIELD_LENGTH), sizeof(NPI_PROVIDER_CHARACTERISTICS));
    assert_int_equal(field_of(FIELD_ATTACH), 1);
    assert_int_equal(field_of(FIELD_DETACH), 1);
    assert_int_equal(field_of(FIELD_CLEANUP), 0);
    assert_int_equal(field_of(FIELD_INSTANCE_SIZE), sizeof(NPI_REGISTRATION_INSTANCE));
    assert_int_equal(field_of(FIELD_NUMBER), -1);
    assert_int_equal(field_of(FIELD_NPI_ID), 1);
    assert_int_equal(field_of(FIELD_MODULE_ID), 1);
    assert_int_equal(field_of(FIELD_MODULE_LENGTH), sizeof(NPI_MODULEID));
    assert_int_equal(field_of(FIELD_MODULE_TYPE), MIT_GUID);
    assert_int_equal(field_of(FIELD_NPI_CHARACTERISTICS), 1);
    assert_int_equal(field_of(FIELD_DUPLICATE), 0);     /* the first of the two */
    assert_int_equal(lab_events(EV_REGISTRATION_FIELD, &e), 30);
    assert_int_equal(e.value >> 32, FIELD_NUMBER_TAKEN);
    assert_int_equal((uint32_t)e.value, 1);
    assert_int_equal(lab_events(EV_REGISTRATION_PLACE, NULL), 4);
    lab_run(malformed);                     /* defect 5 by now: no structure at all */
}

static void peer_only(void *script)
{
    (void)script;
    c = lab_new(1, SIDE_CLIENT);
    EXPECT(nmr_register_client(CALLER_PEER, 1, &c->client, c, &c->handle, NULL) == STATUS_SUCCESS);
}

static void nothing_is_told_of_counterparts(void **state)
{
    struct event e;

    (void)state;
    lab_pass(peer_only);
    assert_int_equal(lab_events(EV_REGISTRATION_FIELD, NULL), 0);
    assert_int_equal(lab_events(EV_REGISTRATION_STATE, &e), 2);
    assert_int_equal(e.b, 0);
}

/* ---- registered bytes change */

static unsigned change;

static void changing(void *script)
{
    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    EXPECT(lab_register(p) == STATUS_SUCCESS);
    if (change == 1)
        p->provider.ProviderRegistrationInstance.Number = 3;
    if (change == 2)
        p->id.Guid.Data1++;
    if (change == 3)                        /* freed and overwritten: the pointers in it must not be followed */
        memset(&p->provider.ProviderRegistrationInstance, 0xDD, sizeof p->provider.ProviderRegistrationInstance);
    if (change == 3)
        lab_close(p);
    else
        EXPECT(lab_register(c) == STATUS_SUCCESS);
}

static void changes_are_noticed(void **state)
{
    (void)state;
    for (change = 0; change < 4; change++) {
        lab_pass(changing);
        assert_int_equal(lab_events(EV_REGISTRATION_CHANGED, NULL), change != 0);
    }
}

static enum side changed_side;

static void change_table(void *script)
{
    static const void *table[2];
    const void *before = lab_dispatch[changed_side][0];

    (void)script;
    table[0] = NULL;
    pair_up();
    EXPECT(lab_events(EV_BINDING_DISPATCH, NULL) == 2 && lab_events(EV_BINDING_CONTEXT, NULL) == 2);
    lab_dispatch[changed_side][0] = table;
    lab_close(p);
    lab_dispatch[changed_side][0] = before;
    lab_close(c);
}

static void a_changed_dispatch_table_is_noticed(void **state)
{
    struct event e;

    (void)state;
    for (changed_side = SIDE_CLIENT; changed_side <= SIDE_PROVIDER; changed_side++) {
        lab_pass(change_table);
        assert_int_equal(lab_events(EV_BINDING_DISPATCH_CHANGED, &e), 1);
        assert_int_equal(e.c, changed_side);
    }
}

/* ---- the exported forms name the module as the caller */

static void exports(void *script)
{
    HANDLE provider, client;

    (void)script;
    p = lab_new(0, SIDE_PROVIDER);
    c = lab_new(1, SIDE_CLIENT);
    p->listed = c->listed = true;
    p->detach = c->detach = STATUS_PENDING;
    EXPECT(NmrRegisterProvider(&p->provider, p, &provider) == STATUS_SUCCESS);
    EXPECT(NmrRegisterClient(&c->client, c, &client) == STATUS_SUCCESS);
    lab_deregistering[0] = lab_deregistering[1] = true;
    EXPECT(NmrDeregisterProvider(provider) == STATUS_PENDING);
    EXPECT(NmrDeregisterClient(client) == STATUS_PENDING);
    lab_bindings[0][SIDE_CLIENT].done = lab_bindings[0][SIDE_PROVIDER].done = true;
    NmrProviderDetachClientComplete(p->last_binding);
    EXPECT(p->cleanups == 0);
    NmrClientDetachProviderComplete(c->last_binding);
    EXPECT(NmrWaitForProviderDeregisterComplete(provider) == STATUS_SUCCESS);
    EXPECT(NmrWaitForClientDeregisterComplete(client) == STATUS_SUCCESS);
}

static void the_nine_functions(void **state)
{
    struct event e;

    (void)state;
    lab_pass(exports);
    for (unsigned frame = FRAME_NMR_REGISTER; frame <= FRAME_NMR_COMPLETE; frame++) {
        assert_int_equal(lab_events((uint16_t)(EV_ENTER + frame), &e), frame == FRAME_NMR_CLIENT_ATTACH ? 1 : 2);
        assert_int_equal(e.b, CALLER_MODULE);
        assert_int_equal(e.pc == NULL, frame == FRAME_NMR_CLIENT_ATTACH);       /* the lab uses the other form there */
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(n23_deregister_is_always_pending),
        cmocka_unit_test(n24_wait_refuses_bad_handles),
        cmocka_unit_test(n31_n32_registering_again_and_handles),
        cmocka_unit_test(n32_handles_live_as_long_as_the_binding),
        cmocka_unit_test(n34_a_failure_leaves_no_trace),
        cmocka_unit_test(nd12_handle_after_a_failure),
        cmocka_unit_test(nd15_malformed_structures_are_refused),
        cmocka_unit_test(nd16_bug_check),
        cmocka_unit_test(nd17_second_deregistration),
        cmocka_unit_test(two_threads_may_wait),
        cmocka_unit_test(a_full_table_is_a_verdict),
        cmocka_unit_test(fields_are_told),
        cmocka_unit_test(nothing_is_told_of_counterparts),
        cmocka_unit_test(changes_are_noticed),
        cmocka_unit_test(a_changed_dispatch_table_is_noticed),
        cmocka_unit_test(the_nine_functions),
    };

    lab_select(argc, argv);
    return cmocka_run_group_tests_name("nmr registration", tests, NULL, NULL);
}
