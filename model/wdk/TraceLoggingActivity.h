/*
 * TraceLoggingActivity.h
 *
 * The start and the stop of an activity, written to nobody: see TraceLoggingProvider.h.
 *
 * Source      TraceLoggingActivity.h of the Windows SDK (names)
 */
#ifndef NMRCHECK_WDK_TRACELOGGINGACTIVITY_H
#define NMRCHECK_WDK_TRACELOGGINGACTIVITY_H

#include "TraceLoggingProvider.h"

#define TraceLoggingWriteStart(...) ((VOID)0)
#define TraceLoggingWriteStop(...) ((VOID)0)
#define TraceLoggingWriteTagged(...) ((VOID)0)

#endif /* NMRCHECK_WDK_TRACELOGGINGACTIVITY_H */
