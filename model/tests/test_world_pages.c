/*
 * test_world_pages.c - what counterparts hand out can be read as far as it goes, and no further.
 *
 * Guards: a module may read what was put on a part's page and nothing else of it; it may write nowhere; when the
 * counterpart is gone each access is told, and while a thread is forbidden to look each of its; the addresses are
 * the same in every execution, and those of the next registration are others.  In strict mode the machine itself
 * refuses.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "execution.h"
#include "sites.h"
#include "kernel/kernel.h"
#include "peers/peers.h"
#include "sched.h"

enum { QUIET = -1 };

static int64_t told;                        /* the last access fault, or QUIET */
static uint32_t told_peer;
static uint64_t told_part;

static void judge(const struct event *e)
{
    if (e->kind != EV_ACCESS || told != QUIET)
        return;
    told = e->value;
    told_peer = e->object;
    told_part = e->c;
}

/* The fault that an access is told as. */
static int64_t access_fault(const void *address, size_t size, bool write)
{
    told = QUIET;
    memory_access(address, size, write, NULL);
    return told;
}

static void reset(void)
{
    kernel_reset();
    peers_reset(NULL, 0);
    told = QUIET;
}

static void run(void (*main)(void *))
{
    const struct program program = {.name = "pages", .words = &model_words, .reset = reset, .main = main};
    static const struct scenario nothing;
    static bool installed;

    if (!installed)
        event_add_judge(judge);
    installed = true;
    (void)execution_replay(&program, &nothing);
}

static volatile bool done;
static const char *first_address, *second_address;

static void put_and_read(void *argument)
{
    static const char text[8] = "pagepage";
    const char *at;

    (void)argument;
    peer_pages_renew(1);
    at = peer_page_put(1, PART_DISPATCH, text, sizeof text, 0);
    first_address = at;
    assert_memory_equal(at, text, sizeof text);
    assert_int_equal((uintptr_t)(at + sizeof text) % PEER_PAGE_BYTES, 0);
    assert_int_equal(access_fault(at, sizeof text, false), QUIET);
    assert_int_equal(access_fault(at + sizeof text, 1, false), ACCESS_PEER_PAST_END);
    assert_int_equal(access_fault(at + 4, sizeof text, false), ACCESS_PEER_PAST_END);
    assert_int_equal(access_fault(at - 1, 1, false), ACCESS_PEER_PAST_END);
    assert_int_equal(access_fault(at, 1, true), ACCESS_READ_ONLY);
    assert_int_equal(told_peer, 1);
    assert_int_equal(told_part, PART_DISPATCH);
    at = peer_page_put(1, PART_DISPATCH, text, 4, 0);
    assert_ptr_equal(at + 4, first_address);
    assert_int_equal(access_fault(at, 4, false), QUIET);
    at = peer_page_put(1, PART_NPI_CHARACTERISTICS, text, 4, 4);
    assert_int_equal(access_fault(at, 4, false), QUIET);
    assert_int_equal(access_fault(at + 4, 4, false), ACCESS_PEER_PAST_END);
    assert_int_equal(access_fault(peer_page_token(1, 3), 1, false), ACCESS_PEER_PAST_END);
    assert_int_equal(told_part, PART_CONTEXT);
    at = peer_page_put(1, PART_MODULE_ID, text, sizeof text, 0);
    peer_page_limit(1, PART_MODULE_ID, 4);
    assert_int_equal(access_fault(at + 2, 2, false), QUIET);
    assert_int_equal(access_fault(at + 2, 4, false), ACCESS_PEER_PAST_END);
    assert_int_equal(access_fault(at, sizeof text, false), QUIET);      /* a copy of the whole */
    done = true;
}

static void gone_and_renewed(void *argument)
{
    const char *old, *new;

    (void)argument;
    peer_pages_renew(0);
    old = peer_page_put(0, PART_MODULE_ID, "abcd", 4, 0);
    peer_pages_gone(0);
    assert_int_equal(access_fault(old, 4, false), ACCESS_PEER_GONE);
    assert_int_equal(access_fault(old, 4, true), ACCESS_PEER_GONE);
    peer_pages_renew(0);
    new = peer_page_put(0, PART_MODULE_ID, "abcd", 4, 0);
    assert_ptr_not_equal(old, new);
    assert_int_equal(access_fault(old, 4, false), ACCESS_PEER_GONE);
    assert_int_equal(access_fault(new, 4, false), QUIET);
    second_address = new;
    done = true;
}

static void forbidden_and_permitted(void *argument)
{
    const char *mine, *others;

    (void)argument;
    peer_pages_renew(0);
    peer_pages_renew(1);
    mine = peer_page_put(0, PART_DISPATCH, "abcd", 4, 0);
    others = peer_page_put(1, PART_DISPATCH, "abcd", 4, 0);
    peer_pages_forbid(0, sched_self());
    assert_int_equal(access_fault(mine, 4, false), ACCESS_PEER_GONE);
    assert_int_equal(access_fault(others, 4, false), QUIET);
    peer_pages_permit(sched_self());
    assert_int_equal(access_fault(mine, 4, false), QUIET);
    peer_pages_forbid(0, sched_self() + 1);
    assert_int_equal(access_fault(mine, 4, false), QUIET);
    done = true;
}

static void read_for_real(void *argument)
{
    const volatile char *at;

    (void)argument;
    peer_pages_renew(2);
    at = peer_page_put(2, PART_MODULE_ID, "abcd", 4, 0);
    peer_pages_gone(2);
    told = QUIET;
    done = true;
    (void)*at;                              /* the machine refuses, and the execution ends */
    done = false;
}

static void test_only_what_was_put_can_be_read(void **state)
{
    const char *address;

    (void)state;
    done = false;
    run(put_and_read);
    assert_true(done);
    address = first_address;
    run(put_and_read);
    assert_ptr_equal(first_address, address);
}

static void test_gone_pages_stay_gone(void **state)
{
    (void)state;
    done = false;
    run(gone_and_renewed);
    assert_true(done);
}

static void test_forbidden_pages(void **state)
{
    (void)state;
    done = false;
    run(forbidden_and_permitted);
    assert_true(done);
}

/* cmocka has put a handler of its own in front of the harness's, which is installed once. */
static struct sigaction harness_handler;

static void test_strict_pages_fault(void **state)
{
    (void)state;
    assert_int_equal(sigaction(SIGSEGV, &harness_handler, NULL), 0);
    peer_pages_strict = true;
    done = false;
    run(read_for_real);
    peer_pages_strict = false;
    assert_true(done);
    assert_int_equal(told, ACCESS_PEER_GONE);
    assert_int_equal(told_peer, 2);
    done = false;
    run(gone_and_renewed);                  /* and can be read again in the next execution */
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_was_put_can_be_read),
        cmocka_unit_test(test_gone_pages_stay_gone),
        cmocka_unit_test(test_forbidden_pages),
        cmocka_unit_test(test_strict_pages_fault),
    };

    execution_handle_faults();
    if (sigaction(SIGSEGV, NULL, &harness_handler) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
