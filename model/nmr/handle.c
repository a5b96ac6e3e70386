/*
 * handle.c - tokens for registrations and bindings.
 *
 * A handle is no pointer and no address of the machine (bits 63 to 48 are not a sign extension), so that using
 * it as one cannot go unnoticed:
 *
 *     63      48 47  44 43  40 39        24 23      12 11      0
 *       0xA11C    kind   side    serial      number       0
 *
 * The serial number counts the tokens of the execution: none is ever made twice, and each execution makes
 * the same ones.  The low bits are zero so that a token plus the offset of a member still shows what it is.
 *
 * Documented  handles are opaque; NmrWait… answers STATUS_INVALID_PARAMETER to a bad one (nwp, nwc)
 * Our reading real NMR checks the kind of a handle (bc125); the two sides of a binding have different ones (ND-4)
 */
#include "check.h"
#include "nmr/state.h"

#define TOKEN_PREFIX UINT64_C(0xA11C)

static uint32_t serial;

void handle_reset(void)
{
    serial = 0;
}

HANDLE handle_make(enum token_kind kind, enum side side, uint32_t number)
{
    uint64_t token = TOKEN_PREFIX << 48 | (uint64_t)kind << 44 | (uint64_t)side << 40;

    serial++;
    CHECK(serial <= 0xFFFF);
    CHECK(number <= 0xFFF);
    return (HANDLE)(uintptr_t)(token | (uint64_t)serial << 24 | (uint64_t)number << 12);
}

static enum token_kind token_kind(uint64_t token)
{
    unsigned kind = token >> 44 & 0xF;

    return token >> 48 == TOKEN_PREFIX && kind <= TOKEN_GARBAGE ? (enum token_kind)kind : TOKEN_NONE;
}

bool nmr_is_token(uint64_t value)
{
    return token_kind(value) != TOKEN_NONE;
}

/* Which registration or binding this token was made for, whatever became of that; NONE for a value we never made. */
static uint32_t token_number(HANDLE h, enum side *side)
{
    uint64_t token = ADDRESS(h);
    uint32_t number = token >> 12 & 0xFFF;

    *side = (token >> 40 & 0xF) == SIDE_CLIENT ? SIDE_CLIENT : SIDE_PROVIDER;
    switch (token_kind(token)) {
    case TOKEN_REGISTRATION:
        return number < registration_count() && registration_get(number)->handle == h ? number : NONE;
    case TOKEN_BINDING:
        return number < binding_count() && binding_get(number)->sides[*side].handle == h ? number : NONE;
    default:
        return NONE;
    }
}

/* The checks that registration and binding handles share; true when only its being dead is left to ask. */
static bool token_is(HANDLE h, enum token_kind kind, enum side side, struct bad *bad)
{
    enum side made_for;

    bad->object = token_number(h, &made_for);
    if (!h)
        bad->why = HANDLE_NULL;
    else if (bad->object == NONE)
        bad->why = HANDLE_GARBAGE;
    else if (token_kind(ADDRESS(h)) != kind)
        bad->why = HANDLE_WRONG_KIND;
    else if (made_for != side)
        bad->why = HANDLE_WRONG_SIDE;
    else
        return true;
    return false;
}

struct registration *handle_registration(HANDLE h, enum side side, struct bad *bad)
{
    if (!token_is(h, TOKEN_REGISTRATION, side, bad))
        return NULL;
    bad->why = HANDLE_DEAD;
    return registration_get(bad->object)->state == REGISTRATION_CLOSED ? NULL : registration_get(bad->object);
}

struct binding *handle_binding(HANDLE h, enum side side, struct bad *bad)
{
    if (!token_is(h, TOKEN_BINDING, side, bad))
        return NULL;
    bad->why = HANDLE_DEAD;
    return binding_get(bad->object)->state == BINDING_GONE ? NULL : binding_get(bad->object);
}

uint32_t nmr_binding_number(HANDLE binding)
{
    enum side side;

    return token_kind(ADDRESS(binding)) == TOKEN_BINDING ? token_number(binding, &side) : NONE;
}

void handle_tell_bad(enum caller who, enum frame frame, HANDLE h, struct bad bad, const void *pc)
{
    CHECK(who == CALLER_MODULE);            /* a counterpart keeps the contract */
    event_emit(EV_BAD_HANDLE, bad.object, bad.why, ADDRESS(h), frame, token_kind(ADDRESS(h)), pc);
}

void handle_bugcheck(enum caller who, enum frame frame, HANDLE h, struct bad bad, const void *pc)
{
    handle_tell_bad(who, frame, h, bad, pc);
    event_emit(EV_BUGCHECK, bad.object, NMR_INVALID_STATE, ADDRESS(h), frame, 0, pc);
    sched_stop(VERDICT_FINDING);
}
