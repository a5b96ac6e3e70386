/*
 * dpor_clock.h - vector clocks: how many steps of each thread come before, itself included.
 *
 * Signed, because the largest of two signed 16-bit numbers is one machine instruction everywhere.
 */
#ifndef HARNESS_DPOR_CLOCK_H
#define HARNESS_DPOR_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "vocabulary.h"

typedef int16_t clock_type[THREADS_MAX];

static inline void clock_join(clock_type into, const clock_type from)
{
    for (unsigned t = 0; t < THREADS_MAX; t++)
        into[t] = into[t] < from[t] ? from[t] : into[t];
}

#endif
