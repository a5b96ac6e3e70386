/*
 * fields.c - what a module registered, told to the judges and watched for change.
 *
 * The characteristics, the NPIID, the NPI_MODULEID and, while attached, the dispatch table must stay as they
 * are.  A hash of their bytes is compared whenever NMR is about to use them.  Only the module under test is
 * watched: a counterpart's data lies on pages that nobody else can write.
 */
#include <string.h>

#include "footprint.h"
#include "nmr/state.h"
#include "kernel/kernel.h"
#include "world.h"

/* Our view of a registration: both kinds of characteristics begin alike. */
struct common {
    USHORT version, length;
    const void *attach, *detach, *cleanup;
    NPI_REGISTRATION_INSTANCE instance;
};
_Static_assert(sizeof(struct common) == sizeof(NPI_CLIENT_CHARACTERISTICS), "the client's shape");
_Static_assert(sizeof(struct common) == sizeof(NPI_PROVIDER_CHARACTERISTICS), "the provider's shape");

static struct common common_of(const struct registration *r)
{
    struct common c;

    memcpy(&c, r->characteristics, sizeof c);
    return c;
}

/* Hash bytes that may be freed by now, which is what we want to find out: AddressSanitizer must not object.  All the
 * structures that are watched consist of words; at what address is the module's business. */
__attribute__((no_sanitize("address", "alignment")))
static uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
    typedef uint64_t __attribute__((aligned(1), may_alias)) word;
    const volatile word *from = bytes;

    for (size_t i = 0; i < size / sizeof *from; i++) {
        unsigned __int128 product = (unsigned __int128)(seed ^ 0x9E3779B97F4A7C15) * (from[i] ^ 0xD1342543DE82EF95);

        seed = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return seed;
}

/* ---- registrations */

static void tell(const struct registration *r, enum registration_field field, uint32_t content)
{
    event_emit(EV_REGISTRATION_FIELD, r->number, (int64_t)field << 32 | content, 0, 0, 0, r->pc);
}

static void tell_place(const struct registration *r, enum registration_field field, const void *address)
{
    uint32_t object = NONE;
    enum place place = memory_place(address, &object);

    event_emit(EV_REGISTRATION_PLACE, r->number, (int64_t)field << 32 | (int64_t)place, ADDRESS(address), object, 0,
               r->pc);
}

static bool registered_already(const struct registration *r)
{
    for (uint32_t i = 0; i < registration_count(); i++) {
        const struct registration *other = registration_get(i);

        footprint_world(FOOTPRINT_REGISTRATION, i, TOUCH_READ);
        if (other != r && other->characteristics == r->characteristics && other->state >= REGISTRATION_REGISTERING &&
            other->state <= REGISTRATION_DRAINED)
            return true;
    }
    return false;
}

/* Another registration of the module for the same side of the same NPI has this Number. */
static bool number_taken(const struct registration *r, const NPI_REGISTRATION_INSTANCE *instance)
{
    for (uint32_t i = 0; i < registration_count() && instance->NpiId; i++) {
        const struct registration *other = registration_get(i);

        if (other != r && other->owner == CALLER_MODULE && other->side == r->side && registration_accepts(other) &&
            other->instance->Number == instance->Number &&
            memcmp(other->instance->NpiId, instance->NpiId, sizeof(NPIID)) == 0)
            return true;
    }
    return false;
}

/* Of a side that the description leaves out nothing is known. */
static bool may_have(const struct npi_side *side, const void *characteristics)
{
    return !characteristics || side->characteristics.size > 0 || (!side->table_size && !side->function_count);
}

static void tell_identity(const struct registration *r, const NPI_REGISTRATION_INSTANCE *instance)
{
    const NPI_MODULEID *id = instance->ModuleId;
    const struct npi *npi = NULL;
    uint32_t right = UINT32_MAX;

    if (instance->NpiId) {
        memory_use(instance->NpiId, sizeof *instance->NpiId, false, r->pc);
        npi = world_npi(instance->NpiId, r->side);
        right = npi != NULL;
    }
    tell(r, FIELD_NPI_ID, right);
    if (npi)
        tell(r, FIELD_NPI_CHARACTERISTICS, may_have(npi_side_of(npi, r->side), instance->NpiSpecificCharacteristics));
    tell(r, FIELD_MODULE_ID, id != NULL);
    if (!id)
        return;
    memory_use(id, sizeof *id, false, r->pc);
    tell(r, FIELD_MODULE_LENGTH, id->Length);
    tell(r, FIELD_MODULE_TYPE, (uint32_t)id->Type);
}

void fields_tell(const struct registration *r)
{
    struct common c;

    tell_place(r, FIELD_CHARACTERISTICS, r->characteristics);
    tell_place(r, FIELD_CONTEXT, r->context);
    memory_use(r->characteristics, sizeof c, false, r->pc);
    if (!r->characteristics)
        return;
    c = common_of(r);
    tell(r, FIELD_VERSION, c.version);
    tell(r, FIELD_LENGTH, c.length);
    tell(r, FIELD_ATTACH, c.attach != NULL);
    tell(r, FIELD_DETACH, c.detach != NULL);
    tell(r, FIELD_CLEANUP, c.cleanup != NULL);
    tell(r, FIELD_INSTANCE_VERSION, c.instance.Version);
    tell(r, FIELD_INSTANCE_SIZE, c.instance.Size);
    tell(r, FIELD_NUMBER, c.instance.Number);
    tell_identity(r, &c.instance);
    tell(r, FIELD_DUPLICATE, registered_already(r));
    tell(r, FIELD_NUMBER_TAKEN, number_taken(r, &c.instance));
}

/* ND-15.  A Version other than 0 is accepted: shipping drivers have it (E6).  ModuleId is not interpreted (N-2). */
bool fields_well_formed(const struct registration *r)
{
    struct common c;

    if (!r->characteristics)
        return false;
    c = common_of(r);
    return c.length == sizeof c && c.attach && c.detach && c.instance.Size == sizeof c.instance && c.instance.NpiId;
}

static uint64_t hash_structure(const struct registration *r)
{
    return hash_bytes(r->characteristics, sizeof(struct common), 0);
}

static uint64_t hash_identity(const struct registration *r)
{
    uint64_t hash = hash_bytes(r->instance->NpiId, sizeof(NPIID), 0);

    return r->instance->ModuleId ? hash_bytes(r->instance->ModuleId, sizeof(NPI_MODULEID), hash) : hash;
}

void fields_remember(struct registration *r)
{
    if (r->owner != CALLER_MODULE)
        return;
    r->structure_hash = hash_structure(r);
    r->identity_hash = hash_identity(r);
}

void fields_check(struct registration *r)
{
    if (r->owner != CALLER_MODULE || r->changed)
        return;
    /* The pointers in the structure are followed only while the structure is what it was. */
    if (hash_structure(r) == r->structure_hash && hash_identity(r) == r->identity_hash)
        return;
    r->changed = true;
    event_emit(EV_REGISTRATION_CHANGED, r->number, r->state, ADDRESS(r->characteristics), 0, 0, r->pc);
}

/* ---- the module's dispatch table */

/* 0 when nobody described the NPI. */
static size_t dispatch_size(const struct binding *b, enum side side)
{
    const struct npi *npi = world_npi(b->sides[side].registration->instance->NpiId, side);

    return npi ? npi_side_of(npi, side)->table_size : 0;
}

void fields_watch_dispatch(struct binding *b, enum side side, const VOID *dispatch, const void *pc)
{
    struct binding_side *s = &b->sides[side];
    size_t size = dispatch_size(b, side);

    s->dispatch = dispatch;
    s->dispatch_watched = dispatch != NULL;
    if (!dispatch)
        return;
    memory_use(dispatch, size, false, pc);
    s->dispatch_hash = hash_bytes(dispatch, size, 0);
}

void fields_check_dispatch(struct binding *b)
{
    for (enum side side = SIDE_CLIENT; side <= SIDE_PROVIDER; side++) {
        struct binding_side *s = &b->sides[side];

        if (!s->dispatch_watched || hash_bytes(s->dispatch, dispatch_size(b, side), 0) == s->dispatch_hash)
            continue;
        s->dispatch_watched = false;
        event_emit(EV_BINDING_DISPATCH_CHANGED, b->number, 0, ADDRESS(s->dispatch), 0, side, NULL);
    }
}
