/*
 * test_described.c - a module with an NPI description of every kind, part of a driver, registered late.
 *
 * Guards: INIT and EXIT stand in for DriverEntry; what a work item registers is found; tables have what the
 * description says beside functions; calls pass what it says; answers come back; stubs yield and fail; operations run
 * in threads; what the NPI allows in the teardown is no mistake; the module is found correct.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "execution.h"
#include "explore.h"
#include "sites.h"
#include "tests/test_faults.h"
#include "world.h"

static struct { unsigned sends, flushes, indicates, notes, entries, busy, deleted; int64_t last_entry; } seen;

static void on_event(const struct event *e)
{
    if (e->kind == EV_ENTER + FRAME_CALL)
        *(e->value == 0 ? &seen.sends : &seen.flushes) += 1;
    if (e->kind == EV_ENTER + FRAME_CALLBACK)
        *(e->value == 0 ? &seen.indicates : &seen.notes) += 1;
    if (e->kind == EV_LEAVE + FRAME_CALL)
        seen.busy += (NTSTATUS)e->value == STATUS_DEVICE_BUSY;
    if (e->kind == EV_LEAVE + FRAME_ENTRY) {
        seen.entries++;
        seen.last_entry = e->value;
    }
}

static const struct program *begin(void)
{
    static bool listening;
    const struct program *p = world_program(module_find("described"));

    faults_take();
    if (!listening)
        event_add_judge(on_event);
    listening = true;
    (void)setup_count();
    memset(&seen, 0, sizeof seen);
    return p;
}

static void test_what_it_registers_is_found(void **state)
{
    unsigned count;
    const struct face *faces;

    (void)state;
    (void)begin();
    faces = world_faces(&count);
    assert_int_equal(count, 1);
    assert_string_equal(faces[0].npi->name, "STORE");
    assert_int_equal(faces[0].side, SIDE_PROVIDER);
    assert_string_equal(world_entry(0)->name, "open-and-close");
    assert_string_equal(world_entry(3)->name, "count");
}

static void test_plain_run(void **state)
{
    static const struct scenario nothing;
    const struct program *p = begin();

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        memset(&seen, 0, sizeof seen);
        assert_int_equal(execution_replay(p, &nothing).verdict, VERDICT_PASS);
        assert_int_equal(seen.sends, 1);
        assert_int_equal(seen.flushes, 1);
        assert_int_equal(seen.indicates, 1);
        assert_int_equal(seen.notes, 2);
        assert_int_equal(seen.entries, 2);
        assert_int_equal(seen.last_entry, 0);       /* restored, and no open one is left */
    }
}

static bool print_outcome(void *context, const struct outcome *o, const struct scenario *s)
{
    (void)context;
    if (o->verdict != VERDICT_FINDING)
        return true;
    print_message("rule %u: %s\n", o->finding.rule, o->finding.detail);
    scenario_print(s, &model_words, "described", "a correct module", stderr);
    return false;
}

static void test_correct_in_all_setups(void **state)
{
    const struct program *p = begin();
    struct explore_options o = {.preemptions_max = 1, .deviations_max = 1, .executions_max = 4000,
                                .on_outcome = print_outcome};
    unsigned failed = 0;

    (void)state;
    for (unsigned k = 0; k < setup_count(); k++) {
        struct scenario script = {0};

        setup_script(&setups[k], &script);
        assert_int_equal(explore_dfs(p, &script, &o).verdicts[VERDICT_FINDING], 0);
    }
    assert_int_equal(explore_random(p, NULL, 1, 0, 4000, &o).verdicts[VERDICT_FINDING], 0);
    failed = seen.busy;
    assert_true(failed > 0);                /* the counterpart's own failure came back through the module */
}

/* A stub that may fail is asked like an allocation. */
static void test_stub_fails(void **state)
{
    const struct program *p = begin();
    struct scenario s = {0};

    (void)state;
    assert_true(scenario_add(&s, (struct record){CHOICE_FAULT, 0, SITE_EXTERNAL, 0, 0, 1}));
    assert_int_equal(execution_replay(p, &s).verdict, VERDICT_PASS);
    assert_int_equal(seen.sends, 0);        /* the attach failed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_registers_is_found), cmocka_unit_test(test_plain_run),
        cmocka_unit_test(test_correct_in_all_setups), cmocka_unit_test(test_stub_fails),
    };

    faults_keep();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
