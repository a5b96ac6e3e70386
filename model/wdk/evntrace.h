/*
 * evntrace.h
 *
 * The levels of tracing, which sources name even where tracing itself is compiled away.
 *
 * Source      evntrace.h of the Windows SDK
 */
#ifndef NMRCHECK_WDK_EVNTRACE_H
#define NMRCHECK_WDK_EVNTRACE_H

#include "ntdef.h"

#define TRACE_LEVEL_NONE 0
#define TRACE_LEVEL_CRITICAL 1
#define TRACE_LEVEL_FATAL 1
#define TRACE_LEVEL_ERROR 2
#define TRACE_LEVEL_WARNING 3
#define TRACE_LEVEL_INFORMATION 4
#define TRACE_LEVEL_VERBOSE 5
#define TRACE_LEVEL_RESERVED6 6
#define TRACE_LEVEL_RESERVED7 7
#define TRACE_LEVEL_RESERVED8 8
#define TRACE_LEVEL_RESERVED9 9

#define EVENT_TRACE_TYPE_INFO 0
#define EVENT_TRACE_TYPE_START 1
#define EVENT_TRACE_TYPE_END 2
#define EVENT_TRACE_TYPE_STOP 2

typedef ULONG64 TRACEHANDLE, *PTRACEHANDLE;

#endif /* NMRCHECK_WDK_EVNTRACE_H */
