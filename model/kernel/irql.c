/*
 * irql.c - interrupt request levels and critical regions, one of each for every thread.
 *
 * A simulated thread has a processor of its own: at DISPATCH_LEVEL it is not interrupted there, but
 * the others run on.  event_level always mirrors the running thread's level.
 */
#include "check.h"
#include "internal.h"

#include <ntddk.h>

#include <string.h>

struct thread_state thread_states[THREADS_MAX];

static void on_switch(unsigned from, unsigned to)
{
    (void)from;
    event_level = thread_states[to].irql;
    race_turn(to);
}

void irql_reset(void)
{
    memset(thread_states, 0, sizeof thread_states);
    event_level = LEVEL_PASSIVE;
    sched_on_switch = on_switch;
}

struct thread_state *thread_state(void)
{
    return &thread_states[sched_self()];
}

void irql_thread_begin(void)
{
    memset(thread_state(), 0, sizeof *thread_state());
    event_level = LEVEL_PASSIVE;
}

unsigned irql_get(void)
{
    return thread_state()->irql;
}

void irql_assign(unsigned level)
{
    thread_state()->irql = (uint8_t)level;
    event_level = (uint8_t)level;
}

static void change(unsigned level, const void *pc)
{
    unsigned old = irql_get();

    if (level == old)
        return;
    irql_assign(level);
    event_emit(EV_IRQL, old, (int64_t)level, 0, 0, 0, pc);
}

void irql_set(unsigned level)
{
    change(level, NULL);
}

void irql_require_max(unsigned level, const void *pc)
{
    if (irql_get() > level)
        misuse(MISUSE_IRQL_TOO_HIGH, NONE, NULL, irql_get(), level, pc);
}

void irql_require_min(unsigned level, const void *pc)
{
    if (irql_get() < level)
        misuse(MISUSE_IRQL_TOO_LOW, NONE, NULL, irql_get(), level, pc);
}

unsigned region_depth(void)
{
    return thread_state()->region;
}

unsigned locks_held(void)
{
    return thread_state()->locks;
}

void misuse(enum misuse what, uint32_t object, const void *address, uint64_t b, uint64_t c, const void *pc)
{
    event_emit(EV_MISUSE, object, (int64_t)what, (uint64_t)(uintptr_t)address, b, c, pc);
}

/*
 * KeGetCurrentIrql (wdm.h)
 *
 * Caller      any
 * Documented  the current IRQL                                   (KeGetCurrentIrql)
 */
KIRQL KeGetCurrentIrql(VOID)
{
    return (KIRQL)irql_get();
}

static KIRQL raise(unsigned level, const void *pc)
{
    unsigned old = irql_get();

    if (level < old || level > LEVEL_HIGH) {
        misuse(MISUSE_IRQL_TOO_HIGH, NONE, NULL, old, level, pc);
        return (KIRQL)old;
    }
    change(level, pc);
    return (KIRQL)old;
}

/*
 * KeRaiseIrql, KfRaiseIrql, KeRaiseIrqlToDpcLevel (wdm.h)
 *
 * Caller      module, IRQL <= the new level
 * Documented  a new level below the current one is a bug check; the old level is returned  (KeRaiseIrql)
 * Our reading after that bug check the level stays as it was, when no judge ended the execution
 */
KIRQL KfRaiseIrql(KIRQL NewIrql)
{
    return raise(NewIrql, CALLER());
}

VOID KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
    *OldIrql = raise(NewIrql, CALLER());
}

KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
    return raise(LEVEL_DISPATCH, CALLER());
}

/*
 * KeLowerIrql (wdm.h)
 *
 * Caller      module, with the level that KeRaiseIrql returned
 * Documented  a new level above the current one is a bug check                     (KeLowerIrql)
 * Our reading while a spin lock is held the level must stay at DISPATCH_LEVEL or above
 */
VOID KeLowerIrql(KIRQL NewIrql)
{
    const void *pc = CALLER();
    unsigned old = irql_get();

    if (NewIrql > old) {
        misuse(MISUSE_IRQL_TOO_LOW, NONE, NULL, old, NewIrql, pc);
        return;
    }
    if (thread_state()->spins && NewIrql < LEVEL_DISPATCH)
        misuse(MISUSE_IRQL_TOO_LOW, NONE, NULL, NewIrql, LEVEL_DISPATCH, pc);
    change(NewIrql, pc);
}

/* `depth` is one of the two that the running thread has. */
static void region(uint8_t *depth, int step, const void *pc)
{
    const struct thread_state *t = thread_state();

    irql_require_max(LEVEL_APC, pc);
    if (step < 0 && *depth == 0) {
        misuse(MISUSE_REGION_UNBALANCED, NONE, NULL, 0, depth == &t->guarded, pc);
        return;
    }
    *depth = (uint8_t)(*depth + step);
    event_emit(EV_REGION, NONE, t->region + t->guarded, 0, 0, 0, pc);
}

void irql_region(int step, const void *pc)
{
    region(&thread_state()->region, step, pc);
}

/*
 * KeEnterCriticalRegion, KeLeaveCriticalRegion (ntddk.h); FsRtlEnterFileSystem is the same
 *
 * Caller      module, IRQL <= APC_LEVEL
 * Documented  they nest; each call to leave matches a call to enter   (KeEnterCriticalRegion)
 */
VOID KeEnterCriticalRegion(VOID)
{
    irql_region(+1, CALLER());
}

VOID KeLeaveCriticalRegion(VOID)
{
    irql_region(-1, CALLER());
}

/*
 * KeEnterGuardedRegion, KeLeaveGuardedRegion, KeAreApcsDisabled, KeAreAllApcsDisabled (wdm.h)
 *
 * Caller      module, IRQL <= APC_LEVEL
 * Documented  a guarded region also disables normal APCs, as a critical region does (KeEnterGuardedRegion)
 */
VOID KeEnterGuardedRegion(VOID)
{
    region(&thread_state()->guarded, +1, CALLER());
}

VOID KeLeaveGuardedRegion(VOID)
{
    region(&thread_state()->guarded, -1, CALLER());
}

BOOLEAN KeAreApcsDisabled(VOID)
{
    const struct thread_state *t = thread_state();

    return t->region || t->guarded || t->irql >= LEVEL_APC;
}

BOOLEAN KeAreAllApcsDisabled(VOID)
{
    const struct thread_state *t = thread_state();

    return t->guarded || t->irql >= LEVEL_APC;
}
