/*
 * assert.h
 *
 * A failed assertion is the kernel's.
 *
 * Source      assert.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_ASSERT_H
#define NMRCHECK_WDK_CRT_ASSERT_H

#include <wdm.h>

#define assert(Expression) NT_ASSERT(Expression)

#endif /* NMRCHECK_WDK_CRT_ASSERT_H */
