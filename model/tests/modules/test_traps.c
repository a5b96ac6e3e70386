/*
 * test_traps.c - a driver that is written for MSVC in all the ways that other compilers stumble over (traps/).
 *
 * Guards: it compiles as it is; types, literals, layouts, texts and guarded blocks are those of Windows, which its
 * DriverEntry looks after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution.h"
#include "world.h"

static void test_all_is_as_on_windows(void **state)
{
    static const struct scenario nothing;
    struct outcome o = execution_replay(world_program(module_find("traps")), &nothing);

    (void)state;
    if (o.verdict != VERDICT_PASS)
        print_message("%s: %s\n", verdict_name(o.verdict), o.finding.detail);
    assert_int_equal(o.verdict, VERDICT_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_as_on_windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
