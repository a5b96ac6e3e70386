/*
 * binding.c - the bindings and the one function that changes a binding's state.
 *
 * A binding is one (client registration, provider registration) pair that was offered.  Each pair is offered
 * at most once, by whichever of the two registered later (attach.c).
 */
#include <assert.h>
#include <string.h>

#include "check.h"
#include "footprint.h"
#include "nmr/state.h"

static struct binding bindings[BINDINGS_MAX];
static uint32_t count;

void binding_reset(void)
{
    memset(bindings, 0, count * sizeof *bindings);
    count = 0;
}

uint32_t binding_count(void)
{
    return count;
}

struct binding *binding_get(uint32_t number)
{
    CHECK(number < count);
    return &bindings[number];
}

/*
 * OFFERED    NMR is inside ClientAttachProvider; a failed proposal comes back here, the client may try again
 * PROPOSING  NMR is inside ProviderAttachClient
 * ACCEPTED   the provider attached, ClientAttachProvider has not returned; both sides may already call
 * ATTACHED   NMR is out of the path (N-30)
 * DETACHING  each side's detach callback is called once (N-14), in whatever order they become done
 * CLEANUP    both sides are done (N-18); only the thread that made the second one done comes here (N-19)
 * GONE       nothing of it is left; both handles are dead
 */
void binding_set_state(struct binding *b, enum binding_state next)
{
#define TO(state) (1u << BINDING_##state)
    static const unsigned transitions[] = {
        [BINDING_NONE]      = TO(OFFERED),
        [BINDING_OFFERED]   = TO(PROPOSING) | TO(GONE),         /* GONE: the client declined, or never asked */
        [BINDING_PROPOSING] = TO(OFFERED) | TO(ACCEPTED),
        [BINDING_ACCEPTED]  = TO(ATTACHED) | TO(DETACHING),     /* DETACHING: the client failed after all (ND-22) */
        [BINDING_ATTACHED]  = TO(DETACHING),
        [BINDING_DETACHING] = TO(CLEANUP),
        [BINDING_CLEANUP]   = TO(GONE),
        [BINDING_GONE]      = 0,
    };
#undef TO
    static_assert(sizeof transitions / sizeof *transitions == BINDING_GONE + 1, "one row for each state");

    CHECK(transitions[b->state] & 1u << next);
    b->state = next;
    event_emit(EV_BINDING_STATE, b->number, next, 0, 0, 0, NULL);
}

static void init_side(struct binding *b, enum side side, struct registration *r)
{
    b->sides[side].registration = r;
    b->sides[side].handle = handle_make(TOKEN_BINDING, side, b->number);
}

struct binding *binding_create(struct registration *client, struct registration *provider)
{
    struct binding *b;

    if (count == BINDINGS_MAX)
        sched_stop(VERDICT_MEMORY);
    b = &bindings[count];
    b->number = count++;
    b->attach_thread = sched_self();
    init_side(b, SIDE_CLIENT, client);
    init_side(b, SIDE_PROVIDER, provider);
    event_emit(EV_BINDING_OFFERED, b->number, (int64_t)client->number << 16 | provider->number, 0, 0, 0, NULL);
    binding_set_state(b, BINDING_OFFERED);
    return b;
}

void binding_gone(struct binding *b)
{
    footprint_world(FOOTPRINT_ENDING, 0, TOUCH_RELEASE);
    order_end_binding(b);
    binding_set_state(b, BINDING_GONE);
    registration_drain(b->sides[SIDE_CLIENT].registration);
    registration_drain(b->sides[SIDE_PROVIDER].registration);
}
