/* test_idle.c - who gets a clean result for a driver that does nothing is told so, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli.h"

static char text[4096];

static const char *printed(const char *name)
{
    char path[] = "/tmp/nmrcheck-idle-XXXXXX";
    int file = mkstemp(path), output = dup(STDOUT_FILENO);

    assert_true(file >= 0 && output >= 0);
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    cli_print_idle(module_find(name));
    fflush(stdout);
    dup2(output, STDOUT_FILENO);
    memset(text, 0, sizeof text);
    assert_true(pread(file, text, sizeof text - 1, 0) >= 0);
    close(file);
    close(output);
    unlink(path);
    return text;
}

static void test_each_reason_is_told(void **state)
{
    (void)state;
    assert_non_null(strstr(printed("idle_0"), "DriverEntry of idle_0 returns 0xC0000034"));
    assert_non_null(strstr(text, "(Wanted)"));
    assert_non_null(strstr(printed("idle_1"), "registers nothing"));
    assert_non_null(strstr(printed("idle_2"), "0xC00002B9"));
    assert_string_equal(printed("exnpi_refcounted"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_reason_is_told)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
