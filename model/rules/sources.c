/* sources.c - the pages behind the source codes of rules.def. */
#include "rules.h"

#include <stddef.h>
#include <string.h>

#define DDI "https://learn.microsoft.com/windows-hardware/drivers/ddi/"
#define NET "https://learn.microsoft.com/windows-hardware/drivers/network/"
#define DBG "https://learn.microsoft.com/windows-hardware/drivers/debugger/"
#define KER "https://learn.microsoft.com/windows-hardware/drivers/kernel/"

static const struct { const char *code, *page; } pages[] = {
    {"pac", DDI "netioddk/nc-netioddk-npi_provider_attach_client_fn"},
    {"pdc", DDI "netioddk/nc-netioddk-npi_provider_detach_client_fn"},
    {"pcb", DDI "netioddk/nc-netioddk-npi_provider_cleanup_binding_context_fn"},
    {"cap", DDI "netioddk/nc-netioddk-npi_client_attach_provider_fn"},
    {"cdp", DDI "netioddk/nc-netioddk-npi_client_detach_provider_fn"},
    {"ccb", DDI "netioddk/nc-netioddk-npi_client_cleanup_binding_context_fn"},
    {"nrp", DDI "netioddk/nf-netioddk-nmrregisterprovider"},
    {"nrc", DDI "netioddk/nf-netioddk-nmrregisterclient"},
    {"ndp", DDI "netioddk/nf-netioddk-nmrderegisterprovider"},
    {"ndc", DDI "netioddk/nf-netioddk-nmrderegisterclient"},
    {"nwp", DDI "netioddk/nf-netioddk-nmrwaitforproviderderegistercomplete"},
    {"nwc", DDI "netioddk/nf-netioddk-nmrwaitforclientderegistercomplete"},
    {"ncap", DDI "netioddk/nf-netioddk-nmrclientattachprovider"},
    {"ncdc", DDI "netioddk/nf-netioddk-nmrclientdetachprovidercomplete"},
    {"npdc", DDI "netioddk/nf-netioddk-nmrproviderdetachclientcomplete"},
    {"sch", DDI "netioddk/ns-netioddk-_npi_client_characteristics"},
    {"spc", DDI "netioddk/ns-netioddk-_npi_provider_characteristics"},
    {"sri", DDI "netioddk/ns-netioddk-_npi_registration_instance"},
    {"smi", "https://learn.microsoft.com/previous-versions/windows/hardware/drivers/ff568813(v=vs.85)"},
    {"npi", NET "network-programming-interface"},
    {"att", NET "network-module-attachment"},
    {"det", NET "network-module-detachment"},
    {"acp", NET "attaching-a-client-module-to-a-provider-module"},
    {"apc", NET "attaching-a-provider-module-to-a-client-module"},
    {"dcp", NET "detaching-a-client-module-from-a-provider-module"},
    {"dpc", NET "detaching-a-provider-module-from-a-client-module"},
    {"irc", NET "initializing-and-registering-a-client-module"},
    {"irp", NET "initializing-and-registering-a-provider-module"},
    {"ulc", NET "unloading-a-client-module"},
    {"ulp", NET "unloading-a-provider-module"},
    {"mmc", NET "managing-multiple-attached-client-modules"},
    {"mmp", NET "managing-multiple-attached-provider-modules"},
    {"prog", NET "programming-considerations"},
    {"wsk-u", NET "unregistering-and-unloading-the-wsk-client"},
    {"bc125", DBG "bug-check-0x125--nmr-invalid-state"},
    {"pool", DDI "wdm/nf-wdm-exallocatepool2"},
    {"irql", KER "managing-hardware-priorities"},
    {"lock", KER "introduction-to-spin-locks"},
    {"order", "https://learn.microsoft.com/windows-hardware/drivers/devtest/deadlock-detection"},
    {"rundown", KER "run-down-protection"},
    {"work", KER "system-worker-threads"},
    {"bc50", DBG "bug-check-0x50--page-fault-in-nonpaged-area"},
    {"stack", KER "using-the-kernel-stack"},
    {"sync", KER "introduction-to-kernel-dispatcher-objects"},
    {"asan", "https://clang.llvm.org/docs/AddressSanitizer.html"},
    {"assert", DDI "wdm/nf-wdm-rtlassert"},
};

const char *rule_source_page(const char *code, unsigned length)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strlen(pages[i].code) == length && memcmp(pages[i].code, code, length) == 0)
            return pages[i].page;
    return NULL;
}
