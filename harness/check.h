/*
 * check.h - our own mistakes.
 *
 * CHECK(condition) states what must hold whatever the module under test does.  It is compiled into
 * every build.  When it fails, the harness is wrong, never the module: the scenario that led here
 * is printed so that the failure can be repeated, and the process aborts.  A failed CHECK is never
 * counted as a finding.
 */
#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

#define CHECK(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

_Noreturn void check_failed(const char *condition, const char *file, int line) __attribute__((cold));

/* Called once before the abort, to print the scenario of the running execution; may be NULL. */
extern void (*check_reproducer)(void);

#endif
