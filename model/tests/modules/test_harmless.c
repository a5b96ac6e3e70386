/*
 * test_harmless.c - a module that does what looks like mistakes (harmless.c).
 *
 * Guards: to initialise an event again is a mistake of an attach or of DriverEntry when other code had used it, and
 * only then; callbacks of a binding that never meet may take two locks either way round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution.h"
#include "rules/rules.h"
#include "sites.h"
#include "world.h"

static struct outcome run(unsigned clients)
{
    struct scenario script = {0};

    for (unsigned i = 0; i < clients; i++)
        assert_true(scenario_add(&script, (struct record){.kind = CHOICE_OP, .thread = 1, .site = SITE_OP_REGISTER,
                                                          .nth = (uint16_t)i}));
    assert_true(scenario_add(&script, (struct record){.kind = CHOICE_OP, .thread = 2, .site = SITE_OP_UNLOAD}));
    return execution_replay(world_program(module_find("harmless")), &script);
}

static void test_what_harms_nobody(void **state)
{
    (void)state;
    assert_int_equal(run(1).verdict, VERDICT_PASS);
}

static void test_what_others_used_is_not(void **state)
{
    struct outcome o = run(2);

    (void)state;
    assert_int_equal(o.verdict, VERDICT_FINDING);
    assert_string_equal(rule_table[o.finding.rule].name, "PA-22");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_harms_nobody),
        cmocka_unit_test(test_what_others_used_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
