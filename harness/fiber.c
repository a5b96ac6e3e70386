/* fiber.c - see fiber.h. */
#include "fiber.h"

#include <stdint.h>
#include <string.h>

#include "check.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FIBER_ASAN 1
#endif

#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/*
 * What AddressSanitizer is told.  Both functions are called from the middle of a switch and are not instrumented
 * themselves: that would cost as much again as what they call.
 */
#ifdef FIBER_ASAN
#define BARE __attribute__((used, no_sanitize("address", "undefined")))
#define TELL(code) code

static struct fiber *left;                  /* the fiber that was switched away from last */

void fiber_departs(struct fiber *from, const struct fiber *to);
void fiber_arrives(struct fiber *self);

BARE void fiber_departs(struct fiber *from, const struct fiber *to)
{
    left = from;
    __sanitizer_start_switch_fiber(from->ended ? NULL : &from->fake_stack, to->stack, to->size);
}

/* On the stack that was switched to. */
BARE void fiber_arrives(struct fiber *self)
{
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
    self->fake_stack = NULL;
    if (!left->stack) {                     /* an adopted one: only the sanitizer knows its stack */
        left->stack = (char *)(uintptr_t)bottom;
        left->size = size;
    }
}

#else
#define TELL(code) ""
#define fiber_departs(from, to) ((void)(from), (void)(to))
#define fiber_arrives(self) ((void)(self))
#endif

void fiber_main(struct fiber *self);

void fiber_main(struct fiber *self)
{
    self->entry(self->argument);
    CHECK(false && "a fiber's entry returned");
}

#if !defined(FIBER_UCONTEXT) && (defined(__x86_64__) || defined(__aarch64__))

void fiber_begin(void);

#if defined(__x86_64__)

const char fiber_kind[] = "x86-64";

/* The six callee-saved registers and the address to go on at.  The end is a jump: `ret` to a stack that did
 * not make the call is mispredicted each time and costs three times as much. */
__asm__(".text\n"
        ".p2align 6\n"
        ".globl fiber_switch\n"
        ".type fiber_switch, @function\n"
        "fiber_switch:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        TELL("    movq %rsi, %rbx\n    subq $8, %rsp\n    callq fiber_departs\n    movq %rbx, %rsi\n")
        "    movq (%rsi), %rsp\n"
        TELL("    movq %rsi, %rdi\n    subq $8, %rsp\n    callq fiber_arrives\n    addq $8, %rsp\n")
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    popq %rcx\n"
        "    jmpq *%rcx\n"
        ".size fiber_switch, . - fiber_switch\n"
        ".globl fiber_begin\n"
        ".type fiber_begin, @function\n"
        "fiber_begin:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"            /* debuggers stop unwinding here */
        "    movq %r12, %rdi\n"
        "    callq fiber_main\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size fiber_begin, . - fiber_begin\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");

enum { FRAME_WORDS = 8, FRAME_FIBER = 3, FRAME_ENTRY = 6 };

#else

const char fiber_kind[] = "aarch64";

/* x19-x30 and the low halves of v8-v15; x30 is the address to go on at. */
__asm__(".text\n"
        ".p2align 6\n"
        ".globl fiber_switch\n"
        ".type fiber_switch, %function\n"
        "fiber_switch:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n    stp x21, x22, [sp, #16]\n    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n    stp x27, x28, [sp, #64]\n    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        TELL("    mov x19, x1\n    bl fiber_departs\n    mov x1, x19\n")
        "    ldr x9, [x1]\n"
        "    mov sp, x9\n"
        TELL("    mov x0, x1\n    bl fiber_arrives\n")
        "    ldp x19, x20, [sp, #0]\n    ldp x21, x22, [sp, #16]\n    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n    ldp x27, x28, [sp, #64]\n    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    br x30\n"
        ".size fiber_switch, . - fiber_switch\n"
        ".globl fiber_begin\n"
        ".type fiber_begin, %function\n"
        "fiber_begin:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined x30\n"
        "    mov x0, x19\n"
        "    bl fiber_main\n"
        "    brk #1\n"
        "    .cfi_endproc\n"
        ".size fiber_begin, . - fiber_begin\n"
        ".section .note.GNU-stack,\"\",%progbits\n"
        ".text\n");

enum { FRAME_WORDS = 20, FRAME_FIBER = 0, FRAME_ENTRY = 11 };

#endif

_Static_assert(offsetof(struct fiber, context) == 0, "fiber_switch finds it there");

/* The frame that fiber_switch restores.  On x86-64 one more word is left for alignment: fiber_begin must find
 * the stack pointer at a multiple of 16, so that its call enters as the ABI says. */
static void prepare(struct fiber *f)
{
    uintptr_t *top = (uintptr_t *)(void *)(f->stack + f->size);
    uintptr_t *frame = top - FRAME_WORDS - (FRAME_WORDS & 1);

#if defined(__x86_64__)
    frame -= 1;                             /* 7 words are popped: leaves top - 2 words, 16-byte aligned */
#endif
    memset(frame, 0, (size_t)((char *)top - (char *)frame));
    frame[FRAME_FIBER] = (uintptr_t)f;
    frame[FRAME_ENTRY] = (uintptr_t)fiber_begin;
    f->context = frame;
}

#else

#include <ucontext.h>

const char fiber_kind[] = "ucontext";

enum { CONTEXTS = 64 };
static ucontext_t contexts[CONTEXTS];
static const struct fiber *owners[CONTEXTS];

static ucontext_t *context_of(struct fiber *f)
{
    if (!f->context) {
        unsigned i = 0;

        while (i < CONTEXTS && owners[i] && owners[i] != f)
            i++;
        CHECK(i < CONTEXTS);
        owners[i] = f;
        f->context = &contexts[i];
    }
    return f->context;
}

static void ucontext_begin(unsigned high, unsigned low)
{
    struct fiber *self = (struct fiber *)((uintptr_t)high << 32 | low);

    fiber_arrives(self);
    fiber_main(self);
}

static void prepare(struct fiber *f)
{
    ucontext_t *c;

    f->context = NULL;
    c = context_of(f);
    getcontext(c);
    c->uc_stack.ss_sp = f->stack;
    c->uc_stack.ss_size = f->size;
    c->uc_link = NULL;
    makecontext(c, (void (*)(void))ucontext_begin, 2, (unsigned)((uintptr_t)f >> 32), (unsigned)(uintptr_t)f);
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    fiber_departs(from, to);
    swapcontext(context_of(from), context_of(to));
    fiber_arrives(from);
}

#endif

char *fiber_clear_stack(struct fiber *f)
{
#ifdef FIBER_ASAN
    __asan_unpoison_memory_region(f->stack, f->size);
#endif
    return f->stack + f->size;
}

void fiber_init(struct fiber *f, char *stack, size_t size, void (*entry)(void *argument), void *argument)
{
    f->stack = stack;
    f->size = size;
    if (f->dirty)                           /* red zones of frames that never returned */
        fiber_clear_stack(f);
    f->dirty = f->ended = false;
    f->entry = entry;
    f->argument = argument;
    f->fake_stack = NULL;
    prepare(f);
}

void fiber_leave(struct fiber *from, struct fiber *to)
{
    from->ended = true;
    fiber_switch(from, to);
    CHECK(false && "a fiber that ended was resumed");
}

void fiber_abandon(struct fiber *f)
{
    f->dirty = true;
#ifdef FIBER_ASAN
    if (f->fake_stack) {
        /* Let the sanitizer believe that the fiber ran once more and ended, so that it frees the fake frames. */
        void *mine;
        const void *bottom;
        size_t size;

        __sanitizer_start_switch_fiber(&mine, f->stack, f->size);
        __sanitizer_finish_switch_fiber(f->fake_stack, &bottom, &size);
        __sanitizer_start_switch_fiber(NULL, bottom, size);
        __sanitizer_finish_switch_fiber(mine, NULL, NULL);
        f->fake_stack = NULL;
    }
#endif
}
