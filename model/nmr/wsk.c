/*
 * wsk.c - how drivers attach to Winsock Kernel: four functions on top of NMR, and the subsystem behind them.
 *
 * WskRegister registers a client of the WSK NPI on the driver's behalf; its callbacks are written here, not in the
 * driver.  A capture is a call in progress of that client: a detach stays pending until the last one is released.
 * The subsystem is a provider of that NPI, which registers when the first driver does, later, or never.
 * Page codes: wr, wd, wc, wrel are the pages of WskRegister, WskDeregister, WskCaptureProviderNPI and
 * WskReleaseProviderNPI.
 */
#include <string.h>

#include "check.h"
#include "choice.h"
#include "footprint.h"
#include "kernel/kernel.h"
#include "nmr/state.h"
#include "sites.h"

#include <initguid.h>
#include <wsk.h>

enum { WSK_CLIENTS_MAX = 8, CONTEXT_BYTES = 64, CONTEXT_TAG = 0x526B7357, MILLISECOND = 10000 };     /* 'WskR' */
enum { VERSION_LOWEST = MAKE_WSK_VERSION(1, 0), VERSION_HIGHEST = MAKE_WSK_VERSION(1, 0) };
enum { RACE_KEY_WSK = 1 << 23 };
enum { PRESENT, LATE, ABSENT };

/* CLOSED from the end of WskDeregister on, as long as the driver leaves its block alone. */
enum wsk_state { WSK_REGISTERED, WSK_DEREGISTERING, WSK_CLOSED };

struct wsk {
    const WSK_REGISTRATION *block;
    enum wsk_state state;
    WSK_CLIENT_NPI npi;
    char *context;                          /* a pool block: what a driver that forgets WskDeregister leaks */
    NPI_CLIENT_CHARACTERISTICS characteristics;
    HANDLE handle, binding;
    WSK_PROVIDER_NPI provider;              /* while attached */
    bool attached, detaching, pending;
    NTSTATUS refused;                       /* what the provider said, when it did not attach */
    unsigned captures;
    sched_wait waiters;                     /* threads that wait for the attach */
};

static struct wsk clients[WSK_CLIENTS_MAX];
static unsigned count;
static bool subsystem_asked;
static HANDLE subsystem;

void wsk_reset(void)
{
    memset(clients, 0, count * sizeof *clients);
    count = 0;
    subsystem_asked = false;
    subsystem = NULL;
}

static void note(const struct wsk *w, int64_t value, const char *text, const void *pc)
{
    event_emit(EV_NOTE, (uint32_t)(w - clients), value, ADDRESS(text), 0, 0, pc);
}

static void tell_misuse(enum misuse what, const void *address, const void *pc)
{
    event_emit(EV_MISUSE, NONE, what, ADDRESS(address), 0, 0, pc);
}

/* ---- the subsystem */

/* Sockets are beyond what is simulated: the execution is not judged any further. */
static void no_sockets(void)
{
    event_emit(EV_NOTE, NONE, 0, ADDRESS("WSK sockets are not simulated"), 0, 0, NULL);
    sched_stop(VERDICT_OUTSIDE);
}

static NTSTATUS WSKAPI no_socket(PWSK_CLIENT client, USHORT family, USHORT type, ULONG protocol, ULONG flags,
                                 PVOID context, const VOID *dispatch, PEPROCESS process, PETHREAD thread,
                                 PSECURITY_DESCRIPTOR security, PIRP irp)
{
    (void)client, (void)family, (void)type, (void)protocol, (void)flags, (void)context, (void)dispatch;
    (void)process, (void)thread, (void)security, (void)irp;
    no_sockets();
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS WSKAPI no_socket_connect(PWSK_CLIENT client, USHORT type, ULONG protocol, PSOCKADDR local,
                                         PSOCKADDR remote, ULONG flags, PVOID context,
                                         const WSK_CLIENT_CONNECTION_DISPATCH *dispatch, PEPROCESS process,
                                         PETHREAD thread, PSECURITY_DESCRIPTOR security, PIRP irp)
{
    (void)client, (void)type, (void)protocol, (void)local, (void)remote, (void)flags, (void)context;
    (void)dispatch, (void)process, (void)thread, (void)security, (void)irp;
    no_sockets();
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS WSKAPI no_control(PWSK_CLIENT client, ULONG code, SIZE_T input_size, PVOID input, SIZE_T output_size,
                                  PVOID output, SIZE_T *returned, PIRP irp)
{
    (void)client, (void)code, (void)input_size, (void)input, (void)output_size, (void)output, (void)returned;
    (void)irp;
    no_sockets();
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS WSKAPI no_address(PWSK_CLIENT client, PUNICODE_STRING node, PUNICODE_STRING service, ULONG space,
                                  GUID *provider, PADDRINFOEXW hints, PADDRINFOEXW *result, PEPROCESS process,
                                  PETHREAD thread, PIRP irp)
{
    (void)client, (void)node, (void)service, (void)space, (void)provider, (void)hints, (void)result;
    (void)process, (void)thread, (void)irp;
    no_sockets();
    return STATUS_NOT_SUPPORTED;
}

static VOID WSKAPI no_free_address(PWSK_CLIENT client, PADDRINFOEXW info)
{
    (void)client, (void)info;
    no_sockets();
}

static NTSTATUS WSKAPI no_name(PWSK_CLIENT client, PSOCKADDR address, ULONG length, PUNICODE_STRING node,
                               PUNICODE_STRING service, ULONG flags, PEPROCESS process, PETHREAD thread, PIRP irp)
{
    (void)client, (void)address, (void)length, (void)node, (void)service, (void)flags, (void)process;
    (void)thread, (void)irp;
    no_sockets();
    return STATUS_NOT_SUPPORTED;
}

static const WSK_PROVIDER_DISPATCH provider_dispatch = {
    VERSION_HIGHEST, 0, no_socket, no_socket_connect, no_control, no_address, no_free_address, no_name};

static NTSTATUS provider_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE instance,
                                PVOID client_context, const VOID *client_dispatch, PVOID *out_context,
                                const VOID **out_dispatch)
{
    const WSK_CLIENT_DISPATCH *dispatch = client_dispatch;

    (void)binding;
    (void)context;
    (void)instance;
    if (dispatch->Version < VERSION_LOWEST || dispatch->Version > VERSION_HIGHEST)
        return STATUS_NOINTERFACE;
    *out_context = ((const struct wsk *)client_context)->context;
    *out_dispatch = &provider_dispatch;
    return STATUS_SUCCESS;
}

/* A driver that holds a capture keeps its own side of the binding; this side has nothing to wait for. */
static NTSTATUS provider_detach(PVOID context)
{
    (void)context;
    return STATUS_SUCCESS;
}

static const NPI_MODULEID module_id = {
    sizeof(NPI_MODULEID), MIT_GUID, {{0x2227E804, 0x8D8B, 0x11D4, {0xAB, 0xAD, 0, 0x90, 0x27, 0x71, 0x9E, 9}}}};

static const WSK_PROVIDER_CHARACTERISTICS versions = {VERSION_HIGHEST, VERSION_LOWEST};

static const NPI_PROVIDER_CHARACTERISTICS provider_characteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), provider_attach, provider_detach, NULL,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &NPI_WSK_INTERFACE_ID, &module_id, 0, &versions}};

static void register_subsystem(void)
{
    NTSTATUS status = nmr_register_provider(CALLER_PEER, NONE, &provider_characteristics, NULL, &subsystem, NULL);

    CHECK(NT_SUCCESS(status));
}

static void register_late(void *unused)
{
    (void)unused;
    event_emit(EV_THREAD_START, sched_self(), 0, 0, 0, 0, NULL);
    register_subsystem();
}

/* Our reading: the subsystem starts with the system, perhaps after the driver, perhaps never. */
static void begin_subsystem(void)
{
    if (subsystem_asked)
        return;
    subsystem_asked = true;
    switch (choice_ask(CHOICE_SYSTEM, sched_self(), SITE_WSK_PROVIDER, ABSENT + 1)) {
    case PRESENT:
        register_subsystem();
        break;
    case LATE:
        race_spawned(sched_spawn(FIRST_WORKER, register_late, NULL));
        break;
    default:
        break;
    }
}

/* ---- the client that NMR sees in a driver's place */

/* What follows reads or changes it. */
static void touch(const struct wsk *w)
{
    footprint_address(w->block, TOUCH_WRITE);
}

static NTSTATUS client_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE instance)
{
    struct wsk *w = context;
    PVOID provider_context;
    const VOID *dispatch;
    NTSTATUS status;

    (void)instance;
    touch(w);
    if (w->attached)                        /* one subsystem is enough */
        return STATUS_NOINTERFACE;
    status = nmr_client_attach_provider(CALLER_PEER, binding, w, w->npi.Dispatch, &provider_context, &dispatch, NULL);
    touch(w);
    w->refused = NT_SUCCESS(status) ? STATUS_SUCCESS : status;
    if (NT_SUCCESS(status)) {
        w->binding = binding;
        w->provider.Client = provider_context;
        w->provider.Dispatch = dispatch;
        w->attached = true;
        w->detaching = w->pending = false;
    }
    sched_release(&w->waiters);
    return status;
}

static NTSTATUS client_detach(PVOID context)
{
    struct wsk *w = context;

    touch(w);
    w->detaching = true;
    w->pending = w->captures > 0;
    return w->pending ? STATUS_PENDING : STATUS_SUCCESS;
}

static void client_cleanup(PVOID context)
{
    struct wsk *w = context;

    touch(w);
    CHECK(!w->captures);
    w->attached = w->detaching = w->pending = false;
}

/* ---- what drivers call */

static struct wsk *find(const WSK_REGISTRATION *block)
{
    for (unsigned i = count; i-- > 0;)
        if (clients[i].block == block)
            return &clients[i];
    return NULL;
}

/* The newest registration with this block; NULL after an event when there was none.  The block has a lock of its own:
 * several threads may call at once, and a capture that comes after the deregistration fails (wc). */
static struct wsk *registered(const WSK_REGISTRATION *block, const void *pc)
{
    struct wsk *w = find(block);

    memory_check(block, sizeof *block, true, pc);
    if (!w)
        tell_misuse(MISUSE_NOT_INITIALISED, block, pc);
    return w;
}

static struct wsk *create(const WSK_REGISTRATION *block, const WSK_CLIENT_NPI *npi)
{
    struct wsk *w = &clients[count];

    if (count == WSK_CLIENTS_MAX)
        sched_stop(VERDICT_MEMORY);
    count++;
    w->block = block;
    w->npi = *npi;
    w->characteristics = (NPI_CLIENT_CHARACTERISTICS){
        0, sizeof(NPI_CLIENT_CHARACTERISTICS), client_attach, client_detach, client_cleanup,
        {0, sizeof(NPI_REGISTRATION_INSTANCE), &NPI_WSK_INTERFACE_ID, &module_id, 0, NULL}};
    return w;
}

/*
 * WskRegister (wsk.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  each success is matched by one WskDeregister with the same block; several registrations need several
 *             blocks; the block stays allocated meanwhile                                       (wr)
 * Our reading it fails like an allocation does; the subsystem may be there before, come later, or not at all
 */
NTSTATUS WskRegister(PWSK_CLIENT_NPI WskClientNpi, PWSK_REGISTRATION WskRegistration)
{
    const void *pc = CALLER();
    struct wsk *w = find(WskRegistration);
    NTSTATUS status;
    char *context;

    irql_require_max(PASSIVE_LEVEL, pc);
    memory_use(WskClientNpi, sizeof *WskClientNpi, false, pc);
    memory_use(WskClientNpi->Dispatch, sizeof *WskClientNpi->Dispatch, false, pc);
    memory_use(WskRegistration, sizeof *WskRegistration, true, pc);
    if (w && w->state != WSK_CLOSED)
        tell_misuse(MISUSE_WSK_UNBALANCED, WskRegistration, pc);
    context = pool_internal(CONTEXT_BYTES, CONTEXT_TAG, SITE_ALLOCATE, pc);
    if (!context)
        return STATUS_INSUFFICIENT_RESOURCES;
    begin_subsystem();
    w = create(WskRegistration, WskClientNpi);
    w->context = context;
    *WskRegistration = (WSK_REGISTRATION){.ReservedRegistrationContext = context};
    status = nmr_register_client(CALLER_PEER, NONE, &w->characteristics, w, &w->handle, pc);
    CHECK(NT_SUCCESS(status));
    note(w, status, "WskRegister", pc);
    return status;
}

static bool may_capture(const struct wsk *w)
{
    return w->state == WSK_REGISTERED && w->attached && !w->detaching;
}

/* Until the attach, a refusal, the end of the registration, or the deadline. */
static void wait_for_attach(struct wsk *w, ULONG timeout, const void *pc)
{
    uint64_t deadline = timeout == WSK_INFINITE_WAIT ? SCHED_FOREVER : sched_now() + (uint64_t)timeout * MILLISECOND;
    bool blocked = false;

    touch(w);
    while (w->state == WSK_REGISTERED && !may_capture(w) && !w->refused && sched_now() < deadline) {
        if (!blocked)
            event_emit(EV_BLOCK, (uint32_t)(w - clients), SYNC_OTHER, 0, 0, 0, pc);
        blocked = true;
        sched_block(&w->waiters, SITE_WSK_CAPTURE, deadline);
    }
    if (blocked)
        event_emit(EV_WAKE, (uint32_t)(w - clients), SYNC_OTHER, 0, 0, !may_capture(w), pc);
}

static NTSTATUS capture(struct wsk *w, PWSK_PROVIDER_NPI npi)
{
    if (!may_capture(w))
        return w->state == WSK_REGISTERED && w->refused ? w->refused : STATUS_DEVICE_NOT_READY;
    w->captures++;
    *npi = w->provider;
    return STATUS_SUCCESS;
}

/*
 * WskCaptureProviderNPI (wsk.h)
 *
 * Caller      module, PASSIVE_LEVEL; with WSK_NO_WAIT <= DISPATCH_LEVEL
 * Documented  STATUS_DEVICE_NOT_READY when the time, in milliseconds, is over, and at once when WskDeregister was
 *             called, also for threads that wait; STATUS_NOINTERFACE when the version is not supported  (wc)
 * Our reading time is virtual: it moves when nothing else can happen
 */
NTSTATUS WskCaptureProviderNPI(PWSK_REGISTRATION WskRegistration, ULONG WaitTimeout, PWSK_PROVIDER_NPI WskProviderNpi)
{
    const void *pc = CALLER();
    struct wsk *w;
    NTSTATUS status;

    irql_require_max(WaitTimeout == WSK_NO_WAIT ? DISPATCH_LEVEL : PASSIVE_LEVEL, pc);
    memory_use(WskProviderNpi, sizeof *WskProviderNpi, true, pc);
    sched_point(SITE_WSK_CAPTURE);
    w = registered(WskRegistration, pc);
    if (!w)
        return STATUS_DEVICE_NOT_READY;
    if (WaitTimeout != WSK_NO_WAIT)
        wait_for_attach(w, WaitTimeout, pc);
    touch(w);
    status = capture(w, WskProviderNpi);
    note(w, status, "WskCaptureProviderNPI", pc);
    return status;
}

/*
 * WskReleaseProviderNPI (wsk.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  one release for each successful capture                                          (wrel)
 */
VOID WskReleaseProviderNPI(PWSK_REGISTRATION WskRegistration)
{
    const void *pc = CALLER();
    struct wsk *w;

    irql_require_max(DISPATCH_LEVEL, pc);
    sched_point(SITE_WSK_RELEASE);
    w = registered(WskRegistration, pc);
    if (!w)
        return;
    touch(w);
    if (!w->captures) {
        tell_misuse(MISUSE_WSK_UNBALANCED, WskRegistration, pc);
        return;
    }
    race_release(RACE_KEY_WSK + (uint32_t)(w - clients));
    note(w, w->captures, "WskReleaseProviderNPI", pc);
    if (--w->captures == 0 && w->pending) {
        w->pending = false;
        nmr_detach_complete(CALLER_PEER, SIDE_CLIENT, w->binding, pc);
    }
}

/*
 * WskDeregister (wsk.h)
 *
 * Caller      module, PASSIVE_LEVEL
 * Documented  returns when every capture is released; captures fail from now on                (wd, wc)
 * Our reading sockets and calls into the dispatch table are not simulated, so there is nothing else to wait for
 */
VOID WskDeregister(PWSK_REGISTRATION WskRegistration)
{
    const void *pc = CALLER();
    struct wsk *w;

    irql_require_max(PASSIVE_LEVEL, pc);
    w = registered(WskRegistration, pc);
    if (!w)
        return;
    touch(w);
    if (w->state != WSK_REGISTERED) {
        tell_misuse(MISUSE_WSK_UNBALANCED, WskRegistration, pc);
        return;
    }
    note(w, w->captures, "WskDeregister", pc);
    w->state = WSK_DEREGISTERING;
    sched_release(&w->waiters);
    (void)nmr_deregister(CALLER_PEER, SIDE_CLIENT, w->handle, pc);
    (void)nmr_wait(CALLER_PEER, SIDE_CLIENT, w->handle, pc);
    race_acquire(RACE_KEY_WSK + (uint32_t)(w - clients));
    touch(w);
    w->state = WSK_CLOSED;
    pool_internal_free(w->context, pc);
}
