/*
 * TraceLoggingProvider.h
 *
 * TraceLogging without a listener: a provider is declared, defined, registered and written to, and nothing
 * happens.  The arguments of a write are compiled nowhere and evaluated never, as on Windows while nobody
 * listens: a driver must not rely on their side effects.
 *
 * Source      TraceLoggingProvider.h of the Windows SDK (names)
 */
#ifndef NMRCHECK_WDK_TRACELOGGINGPROVIDER_H
#define NMRCHECK_WDK_TRACELOGGINGPROVIDER_H

#include "ntdef.h"
#include "ntstatus.h"

typedef struct _TraceLoggingMetadata *TraceLoggingHProvider;

/* The variable exists so that it can be passed on and compared; no TraceLogging macro reads it. */
#define TRACELOGGING_DECLARE_PROVIDER(Variable) extern const TraceLoggingHProvider Variable
#define TRACELOGGING_DEFINE_PROVIDER(Variable, ...) const TraceLoggingHProvider Variable = NULL
#define TRACELOGGING_DEFINE_PROVIDER_STORAGE(Variable, ...) const TraceLoggingHProvider Variable = NULL

/* A call, as on Windows: drivers leave its status unused. */
NMRCHECK_INLINE NTSTATUS nmrcheck_trace_register(VOID) { return STATUS_SUCCESS; }

#define TraceLoggingRegister(...) nmrcheck_trace_register()
#define TraceLoggingRegisterEx(...) nmrcheck_trace_register()
#define TraceLoggingUnregister(...) ((VOID)0)
#define TraceLoggingProviderEnabled(...) FALSE
#define TraceLoggingSetInformation(...) nmrcheck_trace_register()

#define TraceLoggingWrite(...) ((VOID)0)
#define TraceLoggingWriteEx(...) ((VOID)0)
#define TraceLoggingWriteActivity(...) ((VOID)0)

#endif /* NMRCHECK_WDK_TRACELOGGINGPROVIDER_H */
