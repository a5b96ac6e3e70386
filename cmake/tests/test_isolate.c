/*
 * test_isolate.c - modules share a program and nothing else: each has its own names, and its globals are exactly
 * what lies between the two ends in its image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

static const struct module *get(const char *name)
{
    for (unsigned i = 0; i < module_count; i++)
        if (strcmp(modules[i]->image.name, name) == 0)
            return modules[i];
    fail_msg("no module %s", name);
    return NULL;
}

/* Bytes between red zones too, so not with the checked memcpy. */
__attribute__((no_sanitize("address"))) static void copy(char *to, const char *from, size_t size)
{
    for (volatile size_t i = 0; i < size; i++)
        to[i] = from[i];
}

static void modules_are_sorted_and_named(void **state)
{
    (void)state;
    assert_int_equal(module_count, 3);
    assert_string_equal(modules[0]->image.name, "sample_one");
    assert_string_equal(modules[1]->image.name, "sample_stateless");
    assert_string_equal(modules[2]->image.name, "sample_two");
    assert_null(modules[3]);
    assert_string_equal(modules[0]->summary, "a \"quoted\" line");
    assert_int_equal(modules[0]->counterparts_max, 1);
    assert_null(modules[0]->parent);
    assert_string_equal(modules[2]->parent, "sample_one");
    assert_string_equal(modules[2]->rule, "XX-1");
}

static void equal_names_are_different_globals(void **state)
{
    (void)state;
    assert_int_equal(get("sample_one")->image.entry(NULL, NULL), 111108);
    assert_int_equal(get("sample_one")->image.entry(NULL, NULL), 222209);
    assert_int_equal(get("sample_two")->image.entry(NULL, NULL), 111108);
    assert_int_equal(get("sample_stateless")->image.entry(NULL, NULL), 42);
}

static void globals_can_be_restored(void **state)
{
    (void)state;
    const struct image *image = &get("sample_two")->image;
    const size_t size = (size_t)(image->data_end - image->data_begin);
    char *saved = malloc(size);

    assert_non_null(saved);
    copy(saved, image->data_begin, size);
    const int first = image->entry(NULL, NULL);
    assert_int_not_equal(image->entry(NULL, NULL), first);
    copy(image->data_begin, saved, size);
    assert_int_equal(image->entry(NULL, NULL), first);
    free(saved);
}

static void a_module_without_globals_has_an_empty_range(void **state)
{
    (void)state;
    const struct image *image = &get("sample_stateless")->image;
    assert_ptr_equal(image->data_begin, image->data_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_are_sorted_and_named),
        cmocka_unit_test(equal_names_are_different_globals),
        cmocka_unit_test(globals_can_be_restored),
        cmocka_unit_test(a_module_without_globals_has_an_empty_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
