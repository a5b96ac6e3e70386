/*
 * test_one_context.c - a client with one context and no cleanup callback (one_context.c).
 *
 * Guards: nobody hands such a context back, so that a second provider may come while the first one's side is still
 * being detached; and what the description of an NPI leaves out, the driver's own side here, is not judged.
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

static void add(struct scenario *script, enum choice_kind kind, unsigned thread, unsigned site, unsigned nth,
                unsigned value)
{
    struct record r = {.kind = (uint8_t)kind, .thread = (uint8_t)thread, .site = (uint8_t)site, .nth = (uint16_t)nth,
                       .value = (uint8_t)value};

    assert_true(scenario_add(script, r));
}

/* A provider leaves while it attaches, and its detach is pending when the next one comes. */
static void test_next_provider(void **state)
{
    struct scenario script = {0};

    (void)state;
    add(&script, CHOICE_OP, 1, SITE_OP_REGISTER, 0, 0);
    add(&script, CHOICE_OP, 2, SITE_OP_REGISTER, 1, 0);
    add(&script, CHOICE_PEER, 0, SITE_PEER_PROVIDER_ATTACH, 0, 5);      /* deregister-inside */
    add(&script, CHOICE_SWITCH, 1, SITE_CALLBACK_RETURN, 0, 2);
    assert_int_equal(execution_replay(world_program(module_find("one_context")), &script).verdict, VERDICT_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_provider),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
