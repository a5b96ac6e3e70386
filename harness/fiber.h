/*
 * fiber.h - one machine context with a stack of its own.
 *
 * fiber_switch saves the running context and resumes another.  x86-64 and AArch64 use a
 * hand-written switch of the callee-saved registers, which ends in an indirect jump because a
 * return would be mispredicted every time; other machines use ucontext (also selected by
 * -DFIBER_UCONTEXT=1).  AddressSanitizer is told of each switch.  Floating-point control words
 * are not switched: kernel code may not change them.
 */
#ifndef HARNESS_FIBER_H
#define HARNESS_FIBER_H

#include <stdbool.h>
#include <stddef.h>

struct fiber {
    void *context;                          /* saved stack pointer, or ucontext_t of the fallback */
    char *stack;                            /* lowest usable byte */
    size_t size;
    void (*entry)(void *argument);
    void *argument;
    void *fake_stack;                       /* AddressSanitizer's, while switched out */
    bool ended;                             /* it leaves, or has left, for good */
    bool dirty;                             /* abandoned in mid-call: its stack must be cleaned before reuse */
};

/* Prepare a fiber to start in entry(argument) on its stack at the next switch to it.  `entry` never returns. */
void fiber_init(struct fiber *f, char *stack, size_t size, void (*entry)(void *argument), void *argument);

/* Save the running context in `from` and resume `to`.  A fiber of all zeroes as `from` adopts the calling OS
 * thread's own stack, so that fibers can switch back to it. */
void fiber_switch(struct fiber *from, struct fiber *to);

/* Switch away for good: `from` has ended.  Does not return, but compilers are not told: before a call that does not,
 * AddressSanitizer clears the whole stack and makes a system call. */
void fiber_leave(struct fiber *from, struct fiber *to);

/* Give up a fiber in mid-call: it will never run again.  Called from another context. */
void fiber_abandon(struct fiber *f);

/* The top of a stack whose frames are all given up: what sanitizers remember of them is forgotten. */
char *fiber_clear_stack(struct fiber *f);

/* What the switch is made of, for reports: "x86-64", "aarch64" or "ucontext". */
extern const char fiber_kind[];

#endif
