/* dispatcher.h - time as drivers see it; for the files of this folder that know the WDK's types. */
#ifndef KERNEL_DISPATCHER_H
#define KERNEL_DISPATCHER_H

#include <stdint.h>

/* The system time when an execution starts, in 100 ns since 1601: 2024-01-01. */
#define SYSTEM_TIME_START 133485408000000000

/* When a WDK timeout ends, in virtual time. */
uint64_t deadline_of(const LARGE_INTEGER *timeout);

#endif
