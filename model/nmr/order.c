/*
 * order.c - which of a module's accesses NMR puts in order.
 *
 * Told to the race detector, and no more than the documents promise or NMR cannot avoid: callbacks come after the
 * registration that they belong to; the callbacks and completions of one binding come one after another; a wait
 * comes after all callbacks of its bindings.  Callbacks of different bindings are not ordered (ND-5).
 */
#include "nmr/state.h"

#include "kernel/kernel.h"

enum {
    KEY_BEGIN = RACE_KEY_NMR,               /* + number of the registration */
    KEY_END = KEY_BEGIN + REGISTRATIONS_MAX,
    KEY_BINDING = KEY_END + REGISTRATIONS_MAX,
    KEYS_END = KEY_BINDING + BINDINGS_MAX
};
_Static_assert(KEYS_END <= 1 << 23, "WSK and the counterparts have the keys from there on");

void order_begin_registration(const struct registration *r)
{
    race_release(KEY_BEGIN + r->number);
}

void order_end_binding(const struct binding *b)
{
    race_acquire(KEY_BINDING + b->number);
    race_release(KEY_END + b->sides[SIDE_CLIENT].registration->number);
    race_release(KEY_END + b->sides[SIDE_PROVIDER].registration->number);
}

void order_wait(const struct registration *r)
{
    race_acquire(KEY_END + r->number);
}

void order_before_callback(const struct binding *b)
{
    race_acquire(KEY_BEGIN + b->sides[SIDE_CLIENT].registration->number);
    race_acquire(KEY_BEGIN + b->sides[SIDE_PROVIDER].registration->number);
    race_acquire(KEY_BINDING + b->number);
}

void order_after_callback(const struct binding *b)
{
    race_release(KEY_BINDING + b->number);
}
