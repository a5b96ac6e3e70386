/*
 * calls.c - the nine functions that drivers call.
 *
 * Each names the module under test as the caller and the place it called from; the work is done by the nmr_*
 * form of the same name, which simulated counterparts use.  Page codes (nrp, …) and the numbers of rules (PR-n …),
 * facts (E-n) and open points (ND-n) are those of the NMR contract.
 */
#include "kernel/kernel.h"
#include "nmr/nmr.h"

/*
 * NmrRegisterProvider (netioddk.h)
 *
 * Enters a provider and offers it to every client of the same NPI that is registered already: for each,
 * ClientAttachProvider, and inside that, when the client asks, ProviderAttachClient.
 *
 * Caller      provider module, PASSIVE_LEVEL
 * Rules       PR-1 … PR-17 PR-25
 * Documented  one offer for each client of that NPI; structures stay valid until the deregistration is
 *             complete; STATUS_INSUFFICIENT_RESOURCES or another status when it fails    (nrp, irp, spc, sri)
 * Our reading offers are made on this thread before this returns (E2), in an order that is a choice (ND-3); the
 *             handle is written before or after them (ND-1); a failure leaves the handle as a choice says (ND-12);
 *             malformed structures give STATUS_INVALID_PARAMETER, an odd Version does not (ND-15, E6)
 */
NTSTATUS NTAPI NmrRegisterProvider(PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics, PVOID ProviderContext,
                                   PHANDLE NmrProviderHandle)
{
    return nmr_register_provider(CALLER_MODULE, 0, ProviderCharacteristics, ProviderContext, NmrProviderHandle,
                                 CALLER());
}

/*
 * NmrRegisterClient (netioddk.h)
 *
 * Enters a client and offers every registered provider of the same NPI to it.
 *
 * Caller      client module, PASSIVE_LEVEL
 * Rules       CR-1 … CR-7 CR-11 CR-12 CR-13
 * Documented  one offer for each provider of that NPI; success whatever becomes of the offers      (nrc, irc, sch)
 * Our reading as for NmrRegisterProvider
 */
NTSTATUS NTAPI NmrRegisterClient(PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics, PVOID ClientContext,
                                 PHANDLE NmrClientHandle)
{
    return nmr_register_client(CALLER_MODULE, 0, ClientCharacteristics, ClientContext, NmrClientHandle, CALLER());
}

/*
 * NmrDeregisterProvider (netioddk.h)
 *
 * Ends the offers and detaches both sides of each of the provider's bindings.
 *
 * Caller      provider module, IRQL <= DISPATCH_LEVEL
 * Rules       PR-18 PR-20 PR-24 PR-27 PR-28 PR-29
 * Documented  STATUS_PENDING: started; wait before unloading                                            (ndp, ulp, dpc)
 * Our reading STATUS_PENDING always (E1); detach callbacks run on this thread, at its IRQL or at DISPATCH_LEVEL
 *             (ND-7), in either order (ND-6); a binding that is just being attached is detached by the thread that
 *             attaches it (E3); a second call gives STATUS_INVALID_PARAMETER (ND-17), a bad handle a bug check (ND-16)
 */
NTSTATUS NTAPI NmrDeregisterProvider(HANDLE NmrProviderHandle)
{
    return nmr_deregister(CALLER_MODULE, SIDE_PROVIDER, NmrProviderHandle, CALLER());
}

/*
 * NmrDeregisterClient (netioddk.h)
 *
 * Ends the offers and detaches both sides of each of the client's bindings.
 *
 * Caller      client module, IRQL <= DISPATCH_LEVEL
 * Rules       CR-8 CR-12
 * Documented  STATUS_PENDING: started; wait before unloading                                            (ndc, ulc, dcp)
 * Our reading as for NmrDeregisterProvider
 */
NTSTATUS NTAPI NmrDeregisterClient(HANDLE NmrClientHandle)
{
    return nmr_deregister(CALLER_MODULE, SIDE_CLIENT, NmrClientHandle, CALLER());
}

/*
 * NmrWaitForProviderDeregisterComplete (netioddk.h)
 *
 * Blocks until each binding of the provider is detached on both sides and cleaned up.
 *
 * Caller      provider module, IRQL < DISPATCH_LEVEL, after NmrDeregisterProvider
 * Rules       PR-19 PR-21 PR-22 PR-23 PR-29 PR-30
 * Documented  STATUS_INVALID_PARAMETER before the deregistration, or for a handle that is not the provider's    (nwp)
 * Our reading the handle is dead after STATUS_SUCCESS (ND-31); an attach in progress is waited for too (E3)
 */
NTSTATUS NTAPI NmrWaitForProviderDeregisterComplete(HANDLE NmrProviderHandle)
{
    return nmr_wait(CALLER_MODULE, SIDE_PROVIDER, NmrProviderHandle, CALLER());
}

/*
 * NmrWaitForClientDeregisterComplete (netioddk.h)
 *
 * Blocks until each binding of the client is detached on both sides and cleaned up.
 *
 * Caller      client module, IRQL < DISPATCH_LEVEL, after NmrDeregisterClient
 * Rules       CR-8 CR-9
 * Documented  STATUS_INVALID_PARAMETER before the deregistration, or for a handle that is not the client's      (nwc)
 * Our reading as for NmrWaitForProviderDeregisterComplete
 */
NTSTATUS NTAPI NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle)
{
    return nmr_wait(CALLER_MODULE, SIDE_CLIENT, NmrClientHandle, CALLER());
}

/*
 * NmrClientAttachProvider (netioddk.h)
 *
 * The client accepts the provider it was offered.  NMR asks the provider, on this thread, and hands the answer back
 * unchanged.
 *
 * Caller      client module, PASSIVE_LEVEL, inside ClientAttachProvider
 * Rules       CA-2 CA-3 CA-6 CA-8 CA-11 CA-12 CA-18 CA-20 CA-21
 * Documented  the status is ProviderAttachClient's; after a failure nothing is detached or cleaned up  (ncap, cap, pac)
 * Our reading any success code attaches (ND-20, E4); NULL contexts and tables are passed on (E5, E12); after a failure
 *             the client may try again (ND-23) and its variables hold what a choice says (ND-13); NMR may fail before
 *             it asks the provider (ND-14); elsewhere or after a success STATUS_INVALID_DEVICE_STATE (ND-23, ND-24)
 */
NTSTATUS NTAPI NmrClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientBindingContext, const VOID *ClientDispatch,
                                       PVOID *ProviderBindingContext, const VOID **ProviderDispatch)
{
    return nmr_client_attach_provider(CALLER_MODULE, NmrBindingHandle, ClientBindingContext, ClientDispatch,
                                      ProviderBindingContext, ProviderDispatch, CALLER());
}

/*
 * NmrProviderDetachClientComplete (netioddk.h)
 *
 * The provider reports that a detach it left pending is over.  When the client's side is over too, both cleanup
 * callbacks run, in an order that is a choice, with no lock of ours held.
 *
 * Caller      provider module, any thread, IRQL <= DISPATCH_LEVEL
 * Rules       PD-5 PD-6 PD-7 PD-8 PD-9
 * Documented  caller, IRQL, only after STATUS_PENDING                                                           (npdc)
 * Our reading an early call is latched (E10, E11); cleanup may run before this returns (E9) or on another thread
 *             (ND-10); a call too many changes nothing (ND-9c)
 */
VOID NTAPI NmrProviderDetachClientComplete(HANDLE NmrBindingHandle)
{
    nmr_detach_complete(CALLER_MODULE, SIDE_PROVIDER, NmrBindingHandle, CALLER());
    work_returns();
}

/*
 * NmrClientDetachProviderComplete (netioddk.h)
 *
 * The client reports that a detach it left pending is over.
 *
 * Caller      client module, any thread, IRQL <= DISPATCH_LEVEL
 * Rules       CD-4 CD-5 CD-6 CD-7 CD-12
 * Documented  caller, IRQL, only after STATUS_PENDING                                                           (ncdc)
 * Our reading as for NmrProviderDetachClientComplete
 */
VOID NTAPI NmrClientDetachProviderComplete(HANDLE NmrBindingHandle)
{
    nmr_detach_complete(CALLER_MODULE, SIDE_CLIENT, NmrBindingHandle, CALLER());
    work_returns();
}
