/* data.c - what counterparts register, as odd as the contract lets it be. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "check.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "nmr/nmr.h"
#include "peers/state.h"

/* Answers of the sites PEER_…, in the order of sites.def. */
enum { MODULE_ID_GUID, MODULE_ID_NULL, MODULE_ID_IF_LUID, MODULE_ID_NO_LENGTH, MODULE_ID_NO_TYPE };
enum {
    CHARACTERISTICS_GIVEN, CHARACTERISTICS_NULL, CHARACTERISTICS_OLDER, CHARACTERISTICS_REFUSED,
    CHARACTERISTICS_UNALIGNED, CHARACTERISTICS_NEWER
};
enum { GIVEN, OMITTED };

/* What is registered matters only to a module that is there to see it. */
static unsigned ask_data(unsigned peer, unsigned site)
{
    footprint_world(FOOTPRINT_IMAGE, 0, TOUCH_READ);
    return image_loaded() ? peer_ask(peer, site) : 0;
}

static PNPI_MODULEID put_module_id(struct peer *p)
{
    NPI_MODULEID id = {.Length = sizeof id, .Type = MIT_GUID};
    const void *page;

    id.Guid = (GUID){0x9e0c3a54, 0x11d7, 0x4f6b, {0x90, 0x5e, 0x2f, 0x6a, 0x4c, 0x77, 0x3d, (UCHAR)p->number}};
    if (peer_side(p)->module_id)
        id = *peer_side(p)->module_id;
    switch (ask_data(p->number, SITE_PEER_MODULE_ID)) {
    case MODULE_ID_NULL:
        p->flags |= ATTACH_NO_MODULE_ID;
        return NULL;
    case MODULE_ID_IF_LUID:
        p->flags |= ATTACH_IF_LUID;
        id.Type = MIT_IF_LUID;
        memset(&id.Guid, 0, sizeof id.Guid);
        id.IfLuid.LowPart = p->number + 1;
        break;
    case MODULE_ID_NO_LENGTH:
        id.Length = 0;
        break;
    case MODULE_ID_NO_TYPE:
        id.Type = (NPI_MODULEID_TYPE)0;
        break;
    default:
        break;
    }
    page = peer_page_put(p->number, PART_MODULE_ID, &id, sizeof id, 0);
    if (p->flags & ATTACH_IF_LUID)
        peer_page_limit(p->number, PART_MODULE_ID, offsetof(NPI_MODULEID, IfLuid) + sizeof id.IfLuid);
    return page;
}

/* Variants of which the NPI says nothing are the given one. */
static const struct npi_characteristics *variant_of(const struct npi_side *side, unsigned variant, unsigned *flags)
{
    if (variant == CHARACTERISTICS_OLDER && side->older.size) {
        *flags |= ATTACH_SHORT;
        return &side->older;
    }
    if (variant == CHARACTERISTICS_REFUSED && side->refused.size) {
        *flags |= ATTACH_MUST_REFUSE | ATTACH_SHORT;
        return &side->refused;
    }
    if (variant == CHARACTERISTICS_NEWER && side->newer.size) {
        *flags |= ATTACH_MUST_REFUSE;
        return &side->newer;
    }
    return &side->characteristics;
}

static const void *put_npi_characteristics(struct peer *p)
{
    const struct npi_side *side = peer_side(p);
    unsigned variant = ask_data(p->number, SITE_PEER_CHARACTERISTICS);
    const struct npi_characteristics *c;

    if (variant == CHARACTERISTICS_NULL && side->characteristics_given != NPI_ALWAYS) {
        p->flags |= ATTACH_NO_CHARACTERISTICS;      /* it omits what others have */
        p->flags |= side->characteristics_given == NPI_REQUIRED ? ATTACH_MUST_REFUSE : 0;
        return NULL;
    }
    c = variant_of(side, variant, &p->flags);
    CHECK(c->size <= NPI_CHARACTERISTICS_MAX);
    /* As aligned as its members need, and no more. */
    return peer_page_put(p->number, PART_NPI_CHARACTERISTICS, c->bytes, c->size,
                         variant == CHARACTERISTICS_UNALIGNED ? sizeof(ULONG) : 0);
}

static void fill_instance(struct peer *p, NPI_REGISTRATION_INSTANCE *instance)
{
    const struct npi_side *side = peer_side(p);
    const USHORT versions[] = {side->version, side->version ^ 1, 0xFFFF};
    const ULONG numbers[] = {side->number, side->number + 1, 0xFFFFFFFF};
    static const USHORT sizes[] = {sizeof *instance, 0, sizeof *instance - sizeof(void *), 0xFFFF};
    unsigned version = ask_data(p->number, SITE_PEER_VERSION);
    unsigned size = ask_data(p->number, SITE_PEER_SIZE);
    unsigned number = ask_data(p->number, SITE_PEER_NUMBER);

    instance->Version = versions[version];
    instance->Size = sizes[size];
    instance->Number = p->instance_number = numbers[number];
    if (version | size | number)
        p->flags |= ATTACH_ODD_INSTANCE;
    instance->NpiId = peer_page_put(p->number, PART_NPI_ID, p->npi->id, sizeof *p->npi->id, 0);
    instance->ModuleId = put_module_id(p);
    if (side->characteristics.size)
        instance->NpiSpecificCharacteristics = put_npi_characteristics(p);
}

/* A binding context may be NULL or shared, so the callbacks themselves tell whose they are. */
#define CALLBACKS(peer)                                                                                     \
    static NTSTATUS NTAPI detach_##peer(PVOID context) { return peer_binding_detach(peer, context); }      \
    static VOID NTAPI cleanup_##peer(PVOID context) { peer_binding_cleanup(peer, context); }
CALLBACKS(0)
CALLBACKS(1)
CALLBACKS(2)

/* Both sides' callbacks have the same types. */
static const struct {
    PNPI_CLIENT_DETACH_PROVIDER_FN detach;
    PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN cleanup;
} callbacks[] = {{detach_0, cleanup_0}, {detach_1, cleanup_1}, {detach_2, cleanup_2}};
static_assert(sizeof callbacks / sizeof *callbacks == PEERS_MAX, "callbacks for each counterpart");

static const void *put_client(struct peer *p, bool cleanup)
{
    NPI_CLIENT_CHARACTERISTICS c = {
        .Version = 0,
        .Length = sizeof c,
        .ClientAttachProvider = client_attach,
        .ClientDetachProvider = callbacks[p->number].detach,
        .ClientCleanupBindingContext = cleanup ? callbacks[p->number].cleanup : NULL,
    };

    fill_instance(p, &c.ClientRegistrationInstance);
    return peer_page_put(p->number, PART_CHARACTERISTICS, &c, sizeof c, 0);
}

static const void *put_provider(struct peer *p, bool cleanup)
{
    NPI_PROVIDER_CHARACTERISTICS c = {
        .Version = 0,
        .Length = sizeof c,
        .ProviderAttachClient = provider_attach,
        .ProviderDetachClient = callbacks[p->number].detach,
        .ProviderCleanupBindingContext = cleanup ? callbacks[p->number].cleanup : NULL,
    };

    fill_instance(p, &c.ProviderRegistrationInstance);
    return peer_page_put(p->number, PART_CHARACTERISTICS, &c, sizeof c, 0);
}

const void *data_put_characteristics(struct peer *p)
{
    bool cleanup;

    peer_pages_renew(p->number);
    p->table = peer_put_table(p);
    cleanup = ask_data(p->number, SITE_PEER_CLEANUP_CALLBACK) != OMITTED;
    return p->side == SIDE_CLIENT ? put_client(p, cleanup) : put_provider(p, cleanup);
}
