/* surface_trace.h - a WPP configuration, as drivers have it. */
#pragma once

#define WPP_CONTROL_GUIDS                                               \
    WPP_DEFINE_CONTROL_GUID(SurfaceTrace,                               \
        (1b5f8c8e, 5a7f, 4f7e, 9d3c, 111111111111),                     \
        WPP_DEFINE_BIT(TRACE_DRIVER))

/*
 * begin_wpp config
 * FUNC TraceEvents(LEVEL, FLAGS, MSG, ...);
 * FUNC TraceError{LEVEL=TRACE_LEVEL_ERROR}(FLAGS, MSG, ...);
 * end_wpp
 */
