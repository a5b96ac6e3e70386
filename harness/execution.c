/* execution.c - see execution.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "execution.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "check.h"
#include "event.h"
#include "strategy.h"

void (*execution_on_fault)(const struct fault *f);

static const struct program *running;
static const struct scenario *running_script;

/* ---- faults ---------------------------------------------------------------------------------------------- */

/* A signal handler may do next to nothing.  Ours notes what happened and resumes the thread in fault_landing,
 * an ordinary call on its own stack, from where the execution can be ended in the ordinary way. */
static struct fault noted;
static char signal_stack[64 * 1024];
static const int handled[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};

static void fault_landing(void)
{
    if (execution_on_fault)
        execution_on_fault(&noted);
    CHECK(false && "a memory fault that nobody explained");
    abort();
}

static void describe(struct fault *f, int signal, const siginfo_t *info, const ucontext_t *u)
{
    bool guard;
    unsigned thread;

    memset(f, 0, sizeof *f);
    f->signal = signal;
    if (signal == SIGSEGV || signal == SIGBUS) {
        f->address = (uint64_t)(uintptr_t)info->si_addr;
        f->overflow = sched_stack_contains(info->si_addr, &thread, &guard) && guard && thread == sched_self();
    }
#if defined(__x86_64__)
    f->pc = (const void *)u->uc_mcontext.gregs[REG_RIP];
    f->write = (u->uc_mcontext.gregs[REG_ERR] & 2) != 0;
    f->execute = (u->uc_mcontext.gregs[REG_ERR] & 16) != 0;
    if (f->execute)                         /* the caller is the interesting place */
        f->pc = *(const char *const *)u->uc_mcontext.gregs[REG_RSP] - 1;
#elif defined(__aarch64__)
    f->pc = (const void *)u->uc_mcontext.pc;
#endif
}

/* After an overflow the frames are given up: the landing has the whole stack again. */
static void redirect(ucontext_t *u, bool overflow)
{
#if defined(__x86_64__)
    uintptr_t sp = (uintptr_t)u->uc_mcontext.gregs[REG_RSP] - 256;  /* below the red zone */

    if (overflow)
        sp = (uintptr_t)sched_clear_stack();
    u->uc_mcontext.gregs[REG_RSP] = (greg_t)((sp & ~(uintptr_t)15) - 8);
    u->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)fault_landing;
#elif defined(__aarch64__)
    uintptr_t sp = (uintptr_t)u->uc_mcontext.sp - 256;

    if (overflow)
        sp = (uintptr_t)sched_clear_stack();
    u->uc_mcontext.sp = sp & ~(uintptr_t)15;
    u->uc_mcontext.pc = (uintptr_t)fault_landing;
#else
#error "execution.c: teach redirect() this machine"
#endif
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    ucontext_t *u = context;

    if (!sched_active()) {                  /* not a simulated thread: die as if nobody handled it */
        for (unsigned i = 0; i < sizeof handled / sizeof *handled; i++)
            sigaction(handled[i], &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        return;
    }
    describe(&noted, signal, info, u);
    redirect(u, noted.overflow);
}

void execution_handle_faults(void)
{
    static bool done;
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (done)
        return;
    done = true;
    sigemptyset(&action.sa_mask);
    sigaltstack(&(stack_t){.ss_sp = signal_stack, .ss_size = sizeof signal_stack}, NULL);
    for (unsigned i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaction(handled[i], &action, NULL);
}

/* ---- one execution --------------------------------------------------------------------------------------- */

void execution_set(const struct program *p, const struct scenario *script, struct scenario *out)
{
    out->count = 0;
    out->module = script->module;
    for (unsigned i = 0; i < p->setting_count; i++)
        if (p->settings[i].value)
            scenario_add(out, p->settings[i]);
    for (unsigned i = 0; i < script->count; i++)
        scenario_add(out, script->records[i]);
}

void execution_scenario(struct scenario *out)
{
    const struct scenario *log = choice_log();

    out->count = 0;
    out->module = running ? scenario_module_hash(running->name) : 0;
    for (unsigned i = 0; running_script && i < running_script->count; i++)
        if (running_script->records[i].kind == CHOICE_OP)
            scenario_add(out, running_script->records[i]);
    for (unsigned i = 0; i < log->count; i++)
        scenario_add(out, log->records[i]);
}

static void print_reproducer(void)
{
    static struct scenario s;

    if (!running)
        return;
    execution_scenario(&s);
    fprintf(stderr, "nmrcheck: this scenario led there:\n");
    scenario_print(&s, running->words, running->name, NULL, stderr);
}

struct outcome execution_run(const struct program *p, const struct scenario *script, const struct strategy *s)
{
    struct outcome o;

    execution_handle_faults();
    if (p->prepare)
        p->prepare();
    check_reproducer = print_reproducer;
    running = p;
    running_script = script;
    sched_end_site = p->words ? p->words->end_site : 0;
    choice_begin(s);
    sched_watch(s ? s->observer : NULL, s ? s->plan : NULL);
    event_begin();
    finding_begin();
    if (p->reset)
        p->reset();
    memset(&o, 0, sizeof o);
    o.verdict = sched_run(p->main, (void *)(uintptr_t)script);
    if (o.verdict == VERDICT_FINDING)
        o.finding = *finding_get();
    o.hash = event_hash();
    o.events = event_count();
    o.steps = sched_steps;
    o.switches = sched_switches;
    o.preemptions = sched_preemptions;
    return o;
}

struct outcome execution_replay(const struct program *p, const struct scenario *s)
{
    static struct strategy_script state;
    struct strategy script = strategy_script(&state, s);

    return execution_run(p, s, &script);
}
