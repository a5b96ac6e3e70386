/*
 * client.c - simulated client modules.
 *
 * A client is correct whatever it is told to be: it calls a provider only between the attach and its own detach
 * callback, counts its calls in progress, and completes a detach that it left pending after the last of them.
 * A completion that it owes (a callback that it answered with STATUS_PENDING) counts as a call in progress.
 *
 * Between two scheduling points nothing else runs, so its own state needs no lock; what a real client would do
 * under one is done without a scheduling point in between.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "check.h"
#include "choice.h"
#include "event.h"
#include "kernel/kernel.h"
#include "nmr/nmr.h"
#include "peers/peers.h"
#include "sched.h"

/* Answers of the sites PEER_…, in the order of sites.def. */
enum { CONTEXT_OWN, CONTEXT_NULL, CONTEXT_SHARED };
enum { MODULE_ID_GUID, MODULE_ID_NULL, MODULE_ID_IF_LUID, MODULE_ID_NO_LENGTH, MODULE_ID_NO_TYPE };
enum { CHARACTERISTICS_GIVEN, CHARACTERISTICS_NULL, CHARACTERISTICS_UNALIGNED = 4 };
enum { ATTACH_ACCEPT, ATTACH_REFUSE, ATTACH_RETRY, ATTACH_CALL_FIRST, ATTACH_DEREGISTER_INSIDE };
enum { DETACH_WHEN_IDLE, DETACH_PENDING, DETACH_COMPLETE_INSIDE };
enum { CALLBACK_RETURN, CALLBACK_PEND, CALLBACK_CALL_BACK, CALLBACK_PARK };
enum { GIVEN, OMITTED };

enum {
    CALL_DULL = 0,                          /* the call made from within a callback */
    CALL_EARLY = 1,                         /* the call made before the attach callback has returned */
    PARK_100NS = 10000,                     /* longer than anything else takes: time moves when nobody can run */
    CLIENT_BYTES_MAX = 64,
    DISPATCH_BYTES_MAX = 256
};

/*
 * What a real client's lock orders, for the race detector: a call comes after the attach, and the end of a detach
 * after all calls.  Two calls are not ordered by each other.
 */
enum { RACE_KEY_ATTACHED = 1 << 24, RACE_KEY_CALLED = 1 << 25 };

/* IDLE -> REGISTERING -> REGISTERED -> DEREGISTERING -> IDLE; one thread at a time moves a client on. */
enum registration { IDLE, REGISTERING, REGISTERED, DEREGISTERING };

struct peer {
    unsigned number;
    enum registration state;
    HANDLE handle;
    bool deregistered;                      /* it did so inside an attach callback; the wait is still to come */
    unsigned flags;                         /* enum attach_flags of what it registered */
    const void *table;                      /* its dispatch table */
    /* Asked at its first attach. */
    bool asked;
    unsigned context, dispatch, out_context, out_dispatch;
};

/*
 * A binding of a client.  `live` from the offer until the cleanup callback or, for a client without one, the end
 * of its registration.  Slots are not used again within an execution.
 */
struct peer_binding {
    unsigned peer;
    uint32_t number;                        /* NMR's */
    HANDLE handle;
    PVOID context;                          /* what this side calls itself */
    PVOID provider_context;
    const VOID *provider_dispatch;
    ULONG provider_number;                  /* of the registration instance that was offered */
    unsigned calls;                         /* into the provider, in progress; and completions owed */
    bool live, attached, attaching, detaching, pending;
};

static const struct npi *npi;
static struct peer peers[PEERS_MAX];
static struct peer_binding bindings[BINDINGS_MAX];
static unsigned binding_count;

static unsigned ask(unsigned peer, unsigned site)
{
    return choice_ask(CHOICE_PEER, peer, site, site_value_count(&model_words.sites[site]));
}

/* What a client registers matters only to a module that is there to see it. */
static unsigned ask_data(unsigned peer, unsigned site)
{
    return image_loaded() ? ask(peer, site) : 0;
}

static struct peer *peer_get(unsigned peer)
{
    CHECK(peer < PEERS_MAX);
    return &peers[peer];
}

/* ---- bindings */

static struct peer_binding *find_context(unsigned peer, PVOID context)
{
    for (unsigned i = 0; i < binding_count; i++)
        if (bindings[i].live && bindings[i].peer == peer && bindings[i].context == context)
            return &bindings[i];
    return NULL;
}

static struct peer_binding *find_number(uint32_t number)
{
    for (unsigned i = 0; i < binding_count; i++)
        if (bindings[i].number == number)
            return &bindings[i];
    return NULL;
}

/*
 * The binding that a value passed to a callback names: one of the client whose table was used, if there is any.
 * A dead one of the same value counts when no live one has it.
 */
static struct peer_binding *find_named(unsigned peer, PVOID context)
{
    struct peer_binding *found = find_context(peer, context);

    for (unsigned i = 0; i < binding_count && !found; i++)
        if (bindings[i].live && bindings[i].context == context)
            found = &bindings[i];
    for (unsigned i = binding_count; i-- > 0 && !found;)
        if (bindings[i].context == context)
            found = &bindings[i];
    return found;
}

/* NULL and the shared value are given to one live binding of a client at a time, so that they name it. */
static PVOID context_for(const struct peer *p)
{
    PVOID shared = PEER_PAGES_BASE - PEER_PAGE_BYTES;   /* nothing is there: nobody may look at it */
    PVOID context = p->context == CONTEXT_NULL ? NULL : shared;

    if (p->context == CONTEXT_OWN || find_context(p->number, context))
        return peer_page_token(p->number, binding_count);
    return context;
}

static struct peer_binding *binding_new(const struct peer *p, HANDLE handle, ULONG provider_number)
{
    struct peer_binding *b;

    if (binding_count == BINDINGS_MAX)
        sched_stop(VERDICT_MEMORY);
    b = &bindings[binding_count];
    b->context = context_for(p);
    binding_count++;
    b->peer = p->number;
    b->handle = handle;
    b->number = nmr_binding_number(handle);
    b->provider_number = provider_number;
    b->live = b->attaching = true;
    return b;
}

/* ---- calls into the provider */

static void call_end(struct peer_binding *b)
{
    CHECK(b->calls > 0);
    race_release(RACE_KEY_CALLED + b->number);
    if (--b->calls > 0 || !b->pending)
        return;
    b->pending = false;
    race_acquire(RACE_KEY_CALLED + b->number);
    nmr_detach_complete(CALLER_PEER, SIDE_CLIENT, b->handle, NULL);
}

/* The provider's function of this number: tables are rows of function pointers. */
static const void *function_of(const struct peer_binding *b, unsigned function)
{
    const void *entry;

    memory_use(b->provider_dispatch, npi->provider_dispatch_size, false, NULL);
    memcpy(&entry, (const char *)b->provider_dispatch + function * sizeof entry, sizeof entry);
    return entry;
}

/* What the NPI says about a status; whether the provider is being detached or low on memory, the judges know. */
static enum answer answer(unsigned call, NTSTATUS status)
{
    if (npi->status_ok(call, status, false, false))
        return ANSWER_FINE;
    if (npi->status_ok(call, status, false, true))
        return ANSWER_WHEN_DETACHING;
    return npi->status_ok(call, status, true, false) ? ANSWER_WHEN_LOW : ANSWER_WRONG;
}

static void call_provider(struct peer_binding *b, unsigned call)
{
    const struct npi_call *c = &npi->calls[call];
    const void *pc = function_of(b, call);
    NTSTATUS status;

    event_emit(EV_ENTER + FRAME_CALL, b->number, call, 0, 0, b->attaching, pc);
    status = c->call(b->provider_dispatch, b->provider_context, b->peer);
    event_emit(EV_LEAVE + FRAME_CALL, b->number, status, 0, 0, answer(call, status), pc);
    if (c->identifies)
        event_emit(EV_IDENTITY, b->number, (ULONG)status == b->provider_number, 0, 0, 0, pc);
}

/* A call is in progress from the moment it was decided on, so that a detach that comes now waits for it. */
static void binding_call(struct peer_binding *b, unsigned call)
{
    if (!b->attached || b->detaching || !b->provider_dispatch || image_gone())
        return;
    b->calls++;
    race_acquire(RACE_KEY_ATTACHED + b->number);
    sched_point(SITE_IN_CALL);
    call_provider(b, call);
    call_end(b);
}

/* ---- what a client leaves to a worker thread */

static void complete_detach_worker(void *binding)
{
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    call_end(binding);
}

/* The callback is over when the provider is told so: it may complete its detach inside that function. */
static void complete_callback_worker(void *binding)
{
    struct peer_binding *b = binding;
    const void *pc;

    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    if (!image_gone()) {
        pc = function_of(b, npi->complete_function);
        event_emit(EV_PENDING_CALLBACK, b->number, 0, 0, 0, 0, pc);
        event_emit(EV_ENTER + FRAME_CALL, b->number, npi->complete_function, 0, 0, 0, pc);
        npi->complete(b->provider_dispatch, b->provider_context);
        event_emit(EV_LEAVE + FRAME_CALL, b->number, STATUS_SUCCESS, 0, 0, 0, pc);
    }
    call_end(b);
}

/* ---- attach */

static void ask_manners(struct peer *p)
{
    if (p->asked)
        return;
    p->asked = true;
    p->context = ask(p->number, SITE_PEER_CONTEXT);
    p->dispatch = ask(p->number, SITE_PEER_DISPATCH);
    p->out_context = ask(p->number, SITE_PEER_OUT_CONTEXT);
    p->out_dispatch = ask(p->number, SITE_PEER_OUT_DISPATCH);
}

static const void *put_table(unsigned peer)
{
    char table[DISPATCH_BYTES_MAX];

    CHECK(npi->client_dispatch_size <= sizeof table);
    npi->client_dispatch(peer, table);
    return peer_page_put(peer, PART_DISPATCH, table, npi->client_dispatch_size, 0);
}

/* The second attempt is a plain one, with another copy of the table. */
static NTSTATUS propose(const struct peer *p, struct peer_binding *b, bool again)
{
    const void *table = again ? put_table(p->number) : p->dispatch == OMITTED ? NULL : p->table;
    struct attach_disturbance d = {.flags = p->flags};
    PVOID context = NULL;
    const VOID *dispatch = NULL;
    NTSTATUS status;

    if (!again) {
        d.null_context_out = p->out_context == OMITTED;
        d.null_dispatch_out = p->out_dispatch == OMITTED;
    }
    d.flags |= table ? 0u : ATTACH_NO_CLIENT_DISPATCH;
    nmr_disturb_attach(d);
    status = nmr_client_attach_provider(CALLER_PEER, b->handle, b->context, table, &context, &dispatch, NULL);
    if (NT_SUCCESS(status)) {
        b->provider_context = context;
        b->provider_dispatch = dispatch;
        b->attached = true;
        race_release(RACE_KEY_ATTACHED + b->number);
    }
    return status;
}

/* Only when the client knows its handle already: NMR may write it after the callbacks. */
static void deregister_inside(struct peer *p)
{
    if (!p->handle || p->deregistered || p->state == DEREGISTERING)
        return;
    p->deregistered = true;
    (void)nmr_deregister(CALLER_PEER, SIDE_CLIENT, p->handle, NULL);
}

static NTSTATUS NTAPI client_attach(HANDLE handle, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    struct peer *p = context;
    unsigned manner = ask(p->number, SITE_PEER_ATTACH);
    struct peer_binding *b;
    NTSTATUS status;

    if (manner == ATTACH_REFUSE)
        return STATUS_NOINTERFACE;
    ask_manners(p);
    b = binding_new(p, handle, provider->Number);
    status = propose(p, b, false);
    if (!NT_SUCCESS(status) && manner == ATTACH_RETRY)
        status = propose(p, b, true);
    if (!NT_SUCCESS(status)) {
        b->live = false;
        return status;
    }
    if (manner == ATTACH_CALL_FIRST)
        binding_call(b, CALL_EARLY % npi->call_count);
    else if (manner == ATTACH_DEREGISTER_INSIDE)
        deregister_inside(p);
    b->attaching = false;
    return status;
}

/* ---- detach and cleanup */

static NTSTATUS client_detach(unsigned peer, PVOID context)
{
    struct peer_binding *b = find_context(peer, context);
    unsigned manner;

    CHECK(b && b->attached && !b->detaching);
    b->detaching = true;
    race_acquire(RACE_KEY_ATTACHED + b->number);
    race_acquire(RACE_KEY_CALLED + b->number);
    manner = ask(peer, SITE_PEER_DETACH);
    if (manner == DETACH_PENDING) {
        b->calls++;
        race_spawned(sched_spawn(FIRST_WORKER, complete_detach_worker, b));
    } else if (b->calls == 0 && manner == DETACH_COMPLETE_INSIDE) {
        nmr_detach_complete(CALLER_PEER, SIDE_CLIENT, b->handle, NULL);
        return STATUS_PENDING;
    } else if (b->calls == 0) {
        return STATUS_SUCCESS;
    }
    b->pending = true;
    return STATUS_PENDING;
}

static void client_cleanup(unsigned peer, PVOID context)
{
    struct peer_binding *b = find_context(peer, context);

    CHECK(b && b->detaching && !b->pending && b->calls == 0);
    b->live = false;
}

/* A binding context may be NULL or shared, so the callbacks themselves tell whose they are. */
#define CALLBACKS(peer)                                                                                     \
    static NTSTATUS NTAPI client_detach_##peer(PVOID context) { return client_detach(peer, context); }     \
    static VOID NTAPI client_cleanup_##peer(PVOID context) { client_cleanup(peer, context); }
CALLBACKS(0)
CALLBACKS(1)
CALLBACKS(2)

static const struct {
    PNPI_CLIENT_DETACH_PROVIDER_FN detach;
    PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN cleanup;
} callbacks[] = {
    {client_detach_0, client_cleanup_0}, {client_detach_1, client_cleanup_1}, {client_detach_2, client_cleanup_2}};
static_assert(sizeof callbacks / sizeof *callbacks == PEERS_MAX, "callbacks for each counterpart");

/* ---- registration data */

static PNPI_MODULEID put_module_id(struct peer *p)
{
    NPI_MODULEID id = {.Length = sizeof id, .Type = MIT_GUID};
    const void *page;

    id.Guid = (GUID){0x9e0c3a54, 0x11d7, 0x4f6b, {0x90, 0x5e, 0x2f, 0x6a, 0x4c, 0x77, 0x3d, (UCHAR)p->number}};
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

static const void *put_npi_characteristics(struct peer *p)
{
    unsigned variant = ask_data(p->number, SITE_PEER_CHARACTERISTICS), flags = 0;
    char bytes[CLIENT_BYTES_MAX];
    size_t size;

    if (variant == CHARACTERISTICS_NULL) {
        p->flags |= ATTACH_NO_CHARACTERISTICS;
        return NULL;
    }
    size = npi->client_characteristics(variant, bytes, &flags);
    CHECK(size <= sizeof bytes);
    p->flags |= flags;
    /* As aligned as its members need, and no more. */
    return peer_page_put(p->number, PART_NPI_CHARACTERISTICS, bytes, size,
                         variant == CHARACTERISTICS_UNALIGNED ? sizeof(ULONG) : 0);
}

static void fill_instance(struct peer *p, NPI_REGISTRATION_INSTANCE *instance)
{
    static const USHORT versions[] = {0, 1, 0xFFFF};
    static const USHORT sizes[] = {sizeof *instance, 0, sizeof *instance - sizeof(void *), 0xFFFF};
    static const ULONG numbers[] = {0, 1, 0xFFFFFFFF};
    unsigned version = ask_data(p->number, SITE_PEER_VERSION);
    unsigned size = ask_data(p->number, SITE_PEER_SIZE);
    unsigned number = ask_data(p->number, SITE_PEER_NUMBER);

    instance->Version = versions[version];
    instance->Size = sizes[size];
    instance->Number = numbers[number];
    if (version | size | number)
        p->flags |= ATTACH_ODD_INSTANCE;
    instance->NpiId = peer_page_put(p->number, PART_NPI_ID, npi->id, sizeof *npi->id, 0);
    instance->ModuleId = put_module_id(p);
    instance->NpiSpecificCharacteristics = put_npi_characteristics(p);
}

static PNPI_CLIENT_CHARACTERISTICS put_characteristics(struct peer *p)
{
    NPI_CLIENT_CHARACTERISTICS c = {
        .Version = 0,
        .Length = sizeof c,
        .ClientAttachProvider = client_attach,
        .ClientDetachProvider = callbacks[p->number].detach,
        .ClientCleanupBindingContext = callbacks[p->number].cleanup,
    };

    peer_pages_renew(p->number);
    p->table = put_table(p->number);
    if (ask_data(p->number, SITE_PEER_CLEANUP_CALLBACK) == OMITTED)
        c.ClientCleanupBindingContext = NULL;
    fill_instance(p, &c.ClientRegistrationInstance);
    return peer_page_put(p->number, PART_CHARACTERISTICS, &c, sizeof c, 0);
}

/* ---- operations of driving threads */

void peer_register(unsigned peer)
{
    struct peer *p = peer_get(peer);
    PNPI_CLIENT_CHARACTERISTICS characteristics;
    NTSTATUS status;

    if (p->state != IDLE)
        return;
    *p = (struct peer){.number = peer, .state = REGISTERING};
    characteristics = put_characteristics(p);
    status = nmr_register_client(CALLER_PEER, peer, characteristics, p, &p->handle, NULL);
    CHECK(p->state == REGISTERING);
    p->state = NT_SUCCESS(status) ? REGISTERED : IDLE;
}

void peer_deregister(unsigned peer)
{
    struct peer *p = peer_get(peer);

    if (p->state != REGISTERED)
        return;
    p->state = DEREGISTERING;
    if (!p->deregistered)
        (void)nmr_deregister(CALLER_PEER, SIDE_CLIENT, p->handle, NULL);
    (void)nmr_wait(CALLER_PEER, SIDE_CLIENT, p->handle, NULL);
    peer_pages_gone(peer);
    for (unsigned i = 0; i < binding_count; i++)
        if (bindings[i].peer == peer)
            bindings[i].live = false;
    p->state = IDLE;
}

void peer_call(unsigned peer, unsigned call)
{
    unsigned count = binding_count;

    for (unsigned i = 0; i < count; i++)
        if (bindings[i].peer == peer)
            binding_call(&bindings[i], call % npi->call_count);
}

bool peer_registered(unsigned peer)
{
    return peer_get(peer)->state == REGISTERED;
}

void peers_deregister_all(void)
{
    for (unsigned peer = 0; peer < PEERS_MAX; peer++)
        peer_deregister(peer);
}

/*
 * Both sides are detached when the provider's cleanup callback runs: nothing of this client may be looked at in it,
 * whether its own cleanup has come already or not (ND-10).
 */
static __attribute__((noinline)) void forbid(const struct event *e)
{
    const struct peer_binding *b = find_number(e->object);

    if (b)
        peer_pages_forbid(b->peer, e->thread);
}

static void watch_cleanup(const struct event *e)
{
    if (e->kind == EV_LEAVE + FRAME_PROVIDER_CLEANUP)
        peer_pages_permit(e->thread);
    if (e->kind == EV_ENTER + FRAME_PROVIDER_CLEANUP)
        forbid(e);
}

void peers_reset(const struct npi *the_npi)
{
    static bool watching;

    if (!watching)
        event_add_judge(watch_cleanup);
    watching = true;
    npi = the_npi;
    memset(peers, 0, sizeof peers);
    memset(bindings, 0, binding_count * sizeof *bindings);
    binding_count = 0;
    peer_pages_reset();
}

/* ---- callbacks of the module */

uint32_t peer_callback_enter(unsigned peer, unsigned function, PVOID context, const void *pc)
{
    const struct peer_binding *b = find_named(peer, context);
    uint32_t number = b ? b->number : NONE;

    event_emit(EV_ENTER + FRAME_CALLBACK, number, function, (uint64_t)(uintptr_t)context, peer, b ? b->peer : peer,
               pc);
    return number;
}

bool peer_callback_body(unsigned peer, unsigned function, uint32_t binding, bool may_pend)
{
    struct peer_binding *b = find_number(binding);
    sched_wait nothing = 0;

    (void)function;
    sched_point(SITE_IN_CALLBACK);
    if (!b)
        return false;
    switch (ask(peer, SITE_PEER_CALLBACK)) {
    case CALLBACK_PEND:
        /* It must still be allowed to call the provider: a client that is detaching answers at once. */
        return may_pend && b->live && b->attached && !b->detaching;
    case CALLBACK_CALL_BACK:
        binding_call(b, CALL_DULL);
        break;
    case CALLBACK_PARK:
        (void)sched_block(&nothing, SITE_IN_CALLBACK, sched_now() + PARK_100NS);
        break;
    default:
        break;
    }
    return false;
}

void peer_callback_leave(unsigned peer, unsigned function, uint32_t binding, NTSTATUS status)
{
    struct peer_binding *b = find_number(binding);

    (void)peer;
    if (status == STATUS_PENDING)
        event_emit(EV_PENDING_CALLBACK, binding, 1, 0, 0, 0, NULL);
    event_emit(EV_LEAVE + FRAME_CALLBACK, binding, status, function, 0, 0, NULL);
    if (image_gone()) {                     /* it would return into code that is not there any more */
        event_emit(EV_MISUSE, NONE, MISUSE_IMAGE_GONE, 0, 0, 0, NULL);
        sched_stop(VERDICT_FINDING);
    }
    if (status == STATUS_PENDING) {
        CHECK(b);
        b->calls++;
        race_spawned(sched_spawn(FIRST_WORKER, complete_callback_worker, b));
    }
}
