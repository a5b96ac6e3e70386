/*
 * nmrcheck_gdb.c - replay --gdb: gdb on a replay that stops at a step.
 *
 * The program becomes gdb, which runs the program again with the hidden option --stop-at.  That one calls
 * gdb_stopped when the event of this step happens, before any judge has seen it: then the stack is the one of the
 * thread that does it.  The commands of nmrcheck-gdb.py, which is part of this program, call the functions
 * gdb_tell_* here; what they print is read from the events so far.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                         /* memfd_create */
#endif
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "event.h"
#include "events.h"
#include "fiber.h"
#include "sites.h"

enum { ARGUMENTS_MAX = 24, CALL_STACK_BYTES = 256 * 1024 };

#define FOR_GDB __attribute__((used, noinline))

/* The text of nmrcheck-gdb.py. */
__asm__(".pushsection .rodata\n"
        ".globl gdb_script\n.hidden gdb_script\ngdb_script:\n"
        ".incbin \"" NMRCHECK_GDB_SCRIPT "\"\n.byte 0\n.popsection");
extern const char gdb_script[] __attribute__((visibility("hidden")));

static struct report report;

static const char *words_of(uint32_t event)
{
    static struct story_line line;
    line = (struct story_line){.weight = STORY_PLAIN};
    cli_words.describe(report.log, report.kept, event, &line);
    return line.text;
}

/* ---- becoming gdb ----------------------------------------------------------------------------- */

enum ability { NO_GDB, NO_PYTHON, GDB_WITH_PYTHON };

static enum ability ask_gdb(void)
{
    char answer[8] = "";
    FILE *out = popen("gdb -nx -batch -ex 'echo gdb\\n' -ex 'python print(\"python\")' 2>/dev/null", "r");
    enum ability ability = NO_GDB;
    while (out != NULL && fgets(answer, sizeof answer, out) != NULL)
        ability = strcmp(answer, "python\n") == 0 ? GDB_WITH_PYTHON : ability == NO_GDB ? NO_PYTHON : ability;
    if (out != NULL)
        pclose(out);
    return ability;
}

/* A file without a name that gdb inherits and reads; its number, or -1. */
static int script_file(void)
{
    int file = memfd_create("nmrcheck-gdb.py", 0);
    size_t size = strlen(gdb_script);
    if (file >= 0 && write(file, gdb_script, size) != (ssize_t)size)
        return -1;
    return file;
}

/* Of the event of a return from the module: that of the call.  Others: the same. */
static uint32_t call_of(uint32_t step)
{
    const struct event *log = report.log;
    unsigned left = 0;
    if (log[step].kind < EV_LEAVE || log[step].kind >= EV_THREAD_START || log[step].pc == NULL)
        return step;
    for (uint32_t i = step; i > 0; i--) {
        const struct event *e = &log[i - 1];
        if (e->thread != log[step].thread || e->kind >= EV_THREAD_START)
            continue;
        if (e->kind >= EV_LEAVE)
            left++;
        else if (e->kind >= EV_ENTER && left-- == 0)
            return i - 1;
    }
    return step;
}

static void become_gdb(enum ability ability, const struct input *in, bool raw, uint32_t step)
{
    char own[4096], script[80], start[80] = "run", stop_at[32], module[100];
    char *arguments[ARGUMENTS_MAX] = {(char[]){"gdb"}, (char[]){"-q"}, (char[]){"-ex"}, script, (char[]){"-ex"}, start,
                                      (char[]){"--args"}, own, (char[]){"replay"}, stop_at, module};
    unsigned n = 11;
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    int file = ability == GDB_WITH_PYTHON ? script_file() : 0;
    uint32_t call = ability == GDB_WITH_PYTHON ? call_of(step) : step;
    if (length <= 0 || file < 0) {
        cli_complain(NULL, 0, "--gdb: %s", strerror(errno));
        return;
    }
    own[length] = '\0';
    if (ability == GDB_WITH_PYTHON) {
        snprintf(script, sizeof script, "python exec(open('/proc/self/fd/%d').read())", file);
        snprintf(start, sizeof start, "nmrcheck start %s", call == step ? "" : "return");
    } else {
        snprintf(script, sizeof script, "break gdb_stopped");
        cli_complain(NULL, 0, "--gdb: this gdb has no Python, so no nmrcheck commands; bt, up and print work");
    }
    snprintf(stop_at, sizeof stop_at, "--stop-at=%u", (unsigned)call);
    snprintf(module, sizeof module, "--module=%s", in->module->image.name);
    if (raw)
        arguments[n++] = (char[]){"--raw"};
    arguments[n++] = (char[]){"--"};
    arguments[n++] = (char *)(uintptr_t)in->path;
    fflush(stdout);
    execvp(arguments[0], arguments);
    cli_complain("gdb", 0, "%s", strerror(errno));
}

/* What is about to be seen, in words: inside gdb the execution is not over. */
static void introduce(const struct outcome *o, const char *path, uint32_t step)
{
    char line[200], name[8];
    const struct event *e = &report.log[step];
    printf("%s: %s\n", path, report_verdict(&report, line, sizeof line));
    if (o->verdict == VERDICT_FINDING)
        printf("  %s\n", o->finding.detail);
    printf("step %u, thread %s, IRQL %s: %s\n", (unsigned)step, thread_name(&model_words, e->thread, name),
           cli_words.level(e->level), words_of(step));
}

void gdb_replay(const struct input *in, bool raw, const uint32_t *step)
{
    struct outcome o = execution_replay(in->program, &in->scenario);
    report_take(&report, &cli_words, in->program, &in->scenario, &o, in->path);
    uint32_t at = step != NULL ? *step : o.finding.event;
    enum ability ability = ask_gdb();
    if (ability == NO_GDB) {
        cli_complain(NULL, 0, "--gdb: there is no gdb: install it (apt install gdb)");
    } else if (step == NULL && o.verdict != VERDICT_FINDING) {
        cli_complain(in->path, 0, "no finding to stop at: say where with --step, from 0 to %u", report.kept - 1);
    } else if (at >= report.kept) {
        cli_complain(in->path, 0, "--step %u: the last step is %u", (unsigned)at, report.kept - 1);
    } else {
        introduce(&o, in->path, at);
        become_gdb(ability, in, raw, at);
    }
}

/* ---- stopping --------------------------------------------------------------------------------- */

static const struct program *program;       /* what is replayed, once somebody wants it to stop */
static const struct scenario *scenario;
static uint32_t stop_step;

FOR_GDB void gdb_stopped(void);

void gdb_stopped(void)
{
    __asm__ volatile("" ::: "memory");
}

static void on_event(const struct event *e)
{
    (void)e;
    if (program != NULL && event_count() == stop_step + 1)
        gdb_stopped();
}

void gdb_listen(void)
{
    event_add_judge(on_event);
}

void gdb_stop_at(const struct input *in, uint32_t step)
{
    (void)setup_count();                    /* what is run to find out what the module is comes before */
    program = in->program;
    scenario = &in->scenario;
    stop_step = step;
}

/* ---- what gdb asks: its commands call these, in the middle of an execution ----------------------- */

/* Such a call has a stack of its own: those of simulated threads are small, and one may be at its end. */
extern char gdb_call_stack[CALL_STACK_BYTES];
__attribute__((used, aligned(16))) char gdb_call_stack[CALL_STACK_BYTES];

/* The events so far as a report of an execution that ends here. */
static void take(void)
{
    struct outcome o = {.verdict = VERDICT_FINDING, .events = event_count()};
    o.finding.event = event_count() > 0 ? event_count() - 1 : 0;
    report_take(&report, &cli_words, program, scenario, &o, NULL);
}

/* The last event of this thread, or the first of all. */
static const struct event *last_of(unsigned thread)
{
    const struct event *e = &report.log[report.kept > 0 ? report.kept - 1 : 0];
    while (e > report.log && e->thread != thread)
        e--;
    return e;
}

/* What the thread is inside of: the last callback or call that it entered and did not leave; "" nothing. */
static const char *inside(unsigned thread)
{
    unsigned left = 0;
    for (uint32_t i = report.kept; i > 0; i--) {
        const struct event *e = &report.log[i - 1];
        if (e->thread != thread || e->kind >= EV_THREAD_START)
            continue;
        if (e->kind >= EV_LEAVE)
            left++;
        else if (e->kind >= EV_ENTER && left-- == 0)
            return words_of(i - 1);
    }
    return "";
}

/* Where the registers of a thread that is not running lie, and in which form. */
FOR_GDB const void *gdb_context(unsigned thread);
FOR_GDB const char *gdb_context_kind(void);

const void *gdb_context(unsigned thread)
{
    return sched_context(thread);
}

const char *gdb_context_kind(void)
{
    return fiber_kind;
}

/* The function of the module that is about to be called. */
FOR_GDB const void *gdb_callee(void);

const void *gdb_callee(void)
{
    take();
    return report.log[report.kept - 1].pc;
}

FOR_GDB const char *gdb_tell_thread(unsigned thread);

/* A simulated thread in one line, "" when there is none of that number. */
const char *gdb_tell_thread(unsigned thread)
{
    static char line[400];
    char name[8], where[80];
    unsigned site;
    take();
    if (thread >= THREADS_MAX || !(sched_alive() >> thread & 1))
        return "";
    bool waits = sched_waiting_for(thread, &site) != NULL;
    snprintf(where, sizeof where, "%s %s", waits ? "waits in" : "ready, at", model_words.sites[site].name);
    snprintf(line, sizeof line, "%-3s  %-8s  %-38s  %s", thread_name(&model_words, thread, name),
             cli_words.level(last_of(thread)->level), thread == sched_self() ? "running" : where, inside(thread));
    return line;
}

FOR_GDB void gdb_tell_story(bool every_event);

void gdb_tell_story(bool every_event)
{
    take();
    report_resolve(&report);
    report_print_story(&report, every_event, stdout);
    fflush(stdout);
}

FOR_GDB void gdb_tell_pool(void);

/* Each block of the pool, where it lies, who made it and whether it is still there. */
void gdb_tell_pool(void)
{
    take();
    report_resolve(&report);
    for (uint32_t i = 0; i < report.kept; i++) {
        const struct event *e = &report.log[i];
        const struct pool_block *b = e->kind == EV_ALLOC ? pool_get(e->object) : NULL;
        char source[300] = "", freed[32] = "live";
        struct symbol s;
        if (b == NULL)
            continue;
        if (b->free_event != 0)
            snprintf(freed, sizeof freed, "freed, step %u", (unsigned)b->free_event);
        if (report_source(&report, i, &s))
            symbol_format(&s, source, sizeof source);
        printf("%p  %-16s  step %u %s  %s\n", (void *)b->address, freed, (unsigned)i, words_of(i), source);
    }
    fflush(stdout);
}

/* Is this event of a registration (or binding) the last one of its kind? */
static bool is_last(uint32_t number)
{
    const struct event *e = &report.log[number];
    for (uint32_t i = number + 1; i < report.kept; i++)
        if (report.log[i].kind == e->kind && report.log[i].object == e->object)
            return false;
    return true;
}

/* The last callback into this side of a binding, or its completion. */
static void print_side(uint32_t binding, enum side side)
{
    const enum frame frames[2][3] = {{FRAME_CLIENT_ATTACH, FRAME_CLIENT_DETACH, FRAME_CLIENT_CLEANUP},
                                     {FRAME_PROVIDER_ATTACH, FRAME_PROVIDER_DETACH, FRAME_PROVIDER_CLEANUP}};
    for (uint32_t i = report.kept; i > 0; i--) {
        const struct event *e = &report.log[i - 1];
        bool found = e->kind == EV_ENTER + FRAME_NMR_COMPLETE && e->value == (int64_t)side;
        for (unsigned f = 0; f < 3; f++)
            found = found || e->kind == EV_ENTER + frames[side][f] || e->kind == EV_LEAVE + frames[side][f];
        if (!found || e->object != binding)
            continue;
        printf("    %-8s  step %u %s\n", side == SIDE_CLIENT ? "client" : "provider", (unsigned)(i - 1),
               words_of(i - 1));
        return;
    }
}

FOR_GDB void gdb_tell_nmr(void);

/* Registrations and bindings, their states, and how far each side of a binding is. */
void gdb_tell_nmr(void)
{
    take();
    for (uint32_t i = 0; i < report.kept; i++)
        if (report.log[i].kind == EV_REGISTRATION_STATE && is_last(i))
            printf("%s\n", words_of(i));
    for (uint32_t i = 0; i < report.kept; i++) {
        const struct event *e = &report.log[i];
        if (e->kind == EV_BINDING_OFFERED)
            printf("%s\n", words_of(i));
        if (e->kind == EV_BINDING_CONTEXT)
            printf("binding %u: the module's context is at 0x%llx\n", (unsigned)e->object, (unsigned long long)e->a);
        if (e->kind == EV_BINDING_STATE && is_last(i)) {
            printf("%s\n", words_of(i));
            print_side(e->object, SIDE_CLIENT);
            print_side(e->object, SIDE_PROVIDER);
        }
    }
    fflush(stdout);
}
