/*
 * bench.c - how fast we are, as ratios that were measured in one run.
 *
 *     build/release/bench                 the table; with programs of build/check, build/fuzz and build/afl
 *     build/check/bench --part switch     one part's numbers, for the table
 *
 * Everything is CPU time on one core, so that a busy machine changes little.  A part runs in a process of its own.
 *
 * A lifecycle: the provider loads and registers, a client registers and is attached, two threads make ten calls
 * together, then the client deregisters, which the provider leaves pending and completes from a work item; cleanup;
 * unload.
 */
#include <ctype.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "explore.h"
#include "fiber.h"
#include "strategy.h"
#include "world.h"

enum { PATH_BYTES = 512, LONG_PATH_BYTES = 2 * PATH_BYTES, FILES = 1000 };

#define MODULE "exnpi_deferred"

_Noreturn __attribute__((format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static double seconds_each(double start, unsigned count)
{
    return (cpu_seconds() - start) / count;
}

/* ---- context switches ----------------------------------------------------------------------------- */

enum { SWITCHES = 2 * 2000 * 1000, STACK_BYTES = 64 * 1024 };

static struct fiber ping, pong;
static char pong_stack[STACK_BYTES] __attribute__((aligned(64)));

static void pong_main(void *argument)
{
    (void)argument;
    for (;;)
        fiber_switch(&pong, &ping);
}

/* Nanoseconds of one fiber_switch: the best of some rounds. */
static double measure_switch(void)
{
    double best = 1e9;
    fiber_init(&pong, pong_stack, sizeof pong_stack, pong_main, NULL);
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        for (unsigned i = 0; i < SWITCHES / 2; i++)
            fiber_switch(&ping, &pong);
        best = smaller(best, seconds_each(start, SWITCHES));
    }
    return best * 1e9;
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)

/* The floor: stack pointer and address to go on at, exchanged in place; the compiler saves what it holds in
 * registers just there. */
static void *bare_contexts[2];

static inline __attribute__((always_inline)) void bare_switch(void **save, void **load)
{
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"      /* below the red zone */
                     "pushq %%rbp\n\t"
                     "leaq 1f(%%rip), %%rcx\n\t"
                     "pushq %%rcx\n\t"
                     "movq %%rsp, (%0)\n\t"
                     "movq (%1), %%rsp\n\t"
                     "popq %%rcx\n\t"
                     "jmpq *%%rcx\n"
                     "1:\n\t"
                     "popq %%rbp\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     : "+a"(save), "+d"(load)
                     :
                     : "rbx", "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
                       "cc");
}

__attribute__((noinline)) static void bare_main(void)
{
    for (;;)
        bare_switch(&bare_contexts[1], &bare_contexts[0]);
}

__attribute__((noinline)) static void bare_round(void)
{
    for (unsigned i = 0; i < SWITCHES / 2; i++)
        bare_switch(&bare_contexts[0], &bare_contexts[1]);
}

static double measure_bare_switch(void)
{
    double best = 1e9;
    uintptr_t *top = (uintptr_t *)(void *)(pong_stack + sizeof pong_stack) - 4;
    top[0] = (uintptr_t)bare_main;
    bare_contexts[1] = top;
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        bare_round();
        best = smaller(best, seconds_each(start, SWITCHES));
    }
    return best * 1e9;
}

#else

static double measure_bare_switch(void)
{
    return 0;
}

#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BENCH_ASAN 1
#endif
#endif

#ifdef BENCH_ASAN
#include <sanitizer/common_interface_defs.h>

/* The floor of a switch that AddressSanitizer is told of: its two functions, from this stack to itself. */
static double measure_told(void)
{
    const void *bottom;
    size_t size;
    void *fake;
    double best = 1e9;
    __sanitizer_start_switch_fiber(&fake, pong_stack, sizeof pong_stack);
    __sanitizer_finish_switch_fiber(fake, &bottom, &size);
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        for (unsigned i = 0; i < SWITCHES; i++) {
            __sanitizer_start_switch_fiber(&fake, bottom, size);
            __sanitizer_finish_switch_fiber(fake, NULL, NULL);
        }
        best = smaller(best, seconds_each(start, SWITCHES));
    }
    return best * 1e9;
}

#else

static double measure_told(void)
{
    return 0;
}

#endif

static void part_switch(void)
{
    printf("told_ns %.4f\n", measure_told());
    printf("bare_ns %.4f\n", measure_bare_switch());
    printf("switch_ns %.4f\n", measure_switch());
}

/* ---- lifecycles ------------------------------------------------------------------------------------ */

static struct scenario lifecycle;

static void add_op(unsigned thread, unsigned site, unsigned value)
{
    scenario_add(&lifecycle, (struct record){.kind = CHOICE_OP, .thread = (uint8_t)thread, .site = (uint8_t)site,
                                             .value = (uint16_t)value});
}

/* The calls: seven of the NPI's function that does nothing, three of the one that calls back. */
static const struct program *lifecycle_program(void)
{
    const struct module *m = module_find(MODULE);
    if (m == NULL)
        die("no module " MODULE);
    lifecycle = (struct scenario){.module = scenario_module_hash(MODULE)};
    add_op(0, SITE_OP_REGISTER, 0);
    for (unsigned call = 0; call < 10; call++)
        add_op(1 + call % 2, SITE_OP_CALL, call >= 7);
    return world_program(m);
}

/* Who runs next is drawn.  All other answers are dull: else every other execution ends before the attach, and what is
 * measured is no lifecycle. */
static struct strategy lifecycle_random(struct strategy_random *state, uint64_t index)
{
    struct strategy random = strategy_random(state, 1, index);
    state->chance[CHOICE_PEER] = state->chance[CHOICE_FAULT] = state->chance[CHOICE_SYSTEM] = 0;
    return random;
}

/* Random executions until that much CPU time has gone by; the time of one is that of the best round. */
static void part_lifecycle(double seconds)
{
    enum { BATCH = 10000 };
    const struct program *program = lifecycle_program();
    uint64_t executions = 0, steps = 0, switches = 0, events = 0, passed = 0;
    double best = 1e9, end = cpu_seconds() + seconds;
    for (double start = cpu_seconds(); start < end; start = cpu_seconds()) {
        for (unsigned i = 0; i < BATCH; i++, executions++) {
            struct strategy_random state;
            struct strategy random = lifecycle_random(&state, executions);
            struct outcome o = execution_run(program, &lifecycle, &random);
            steps += o.steps;
            switches += o.switches;
            events += o.events;
            passed += o.verdict == VERDICT_PASS;
        }
        best = smaller(best, seconds_each(start, BATCH));
    }
    if (passed != executions)
        die("of %llu lifecycles only %llu passed", (unsigned long long)executions, (unsigned long long)passed);
    printf("lifecycle_ns %.1f\n", best * 1e9);
    printf("lifecycle_points %.2f\n", per((double)steps, (double)executions));
    printf("lifecycle_switches %.2f\n", per((double)switches, (double)executions));
    printf("lifecycle_events %.2f\n", per((double)events, (double)executions));
}

/* ---- files ------------------------------------------------------------------------------------------ */

static char scratch[PATH_BYTES];

static char *path_in(char path[LONG_PATH_BYTES], const char *folder, const char *name)
{
    if (snprintf(path, LONG_PATH_BYTES, "%s/%s", folder, name) >= LONG_PATH_BYTES) {
        fprintf(stderr, "bench: %s/%s: too long a path\n", folder, name);
        exit(2);
    }
    return path;
}

static char *make_folder(char path[LONG_PATH_BYTES], const char *name)
{
    if (mkdir(path_in(path, scratch, name), 0777) != 0)
        die("cannot make the folder %s", path);
    return path;
}

/* The lifecycle, for fuzzers to start from. */
static void write_seed(const char *folder)
{
    char path[LONG_PATH_BYTES];
    uint8_t bytes[SCENARIO_BYTES_MAX];
    lifecycle_program();
    FILE *f = fopen(path_in(path, folder, "lifecycle"), "wb");
    if (f == NULL || fwrite(bytes, 1, scenario_encode(&lifecycle, bytes, sizeof bytes), f) == 0 || fclose(f) != 0)
        die("cannot write %s", path);
}

/* A thousand scenarios as text: lifecycles, each with the answers of a random execution. */
static void write_files(const char *folder)
{
    const struct program *program = lifecycle_program();
    for (unsigned i = 0; i < FILES; i++) {
        static struct scenario s;
        char name[16], path[LONG_PATH_BYTES];
        struct strategy_random state;
        struct strategy random = lifecycle_random(&state, i);
        execution_run(program, &lifecycle, &random);
        execution_scenario(&s);
        snprintf(name, sizeof name, "%04u.scn", i);
        FILE *f = fopen(path_in(path, folder, name), "w");
        if (f == NULL)
            die("cannot write %s", path);
        scenario_print(&s, program->words, MODULE, NULL, f);
        fclose(f);
    }
}

/* ---- other programs --------------------------------------------------------------------------------- */

static char builds[PATH_BYTES];             /* the folder of the build folders */

struct result { double cpu; char text[8192]; };

static void read_text(struct result *r, const char *path)
{
    FILE *f = fopen(path, "r");
    r->text[0] = '\0';
    if (f == NULL)
        return;
    r->text[fread(r->text, 1, sizeof r->text - 1, f)] = '\0';
    fclose(f);
}

static double children_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Run a program; what it prints is kept.  CPU time is its own and that of all processes that it left behind.  False:
 * it is not there, or it failed. */
static bool run(struct result *r, char *const *words)
{
    char log[LONG_PATH_BYTES];
    double before = children_seconds();
    int status = 0;
    path_in(log, scratch, "log");
    pid_t child = fork();
    if (child == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(127);
        execvp(words[0], words);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        die("cannot run %s", words[0]);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    r->cpu = children_seconds() - before;
    read_text(r, log);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The number behind this word, and a colon maybe; 0 when it is not there. */
static double number(const struct result *r, const char *word)
{
    const char *at = strstr(r->text, word);
    if (at == NULL)
        return 0;
    at += strlen(word);
    return strtod(at + strspn(at, " :"), NULL);
}

static bool run_part(struct result *r, const char *program, const char *part)
{
    char path[LONG_PATH_BYTES];
    return run(r, (char *[]){path_in(path, builds, program), "--part", (char *)(uintptr_t)part, NULL});
}

/* Executions per second of a libFuzzer program that starts from the lifecycle; 0 when it cannot be measured. */
static double libfuzzer_rate(const char *program, unsigned runs)
{
    char path[LONG_PATH_BYTES], seed[LONG_PATH_BYTES], option[40];
    struct result r;
    snprintf(option, sizeof option, "-runs=%u", runs);
    snprintf(seed, sizeof seed, "-seed_inputs=%s/seeds/lifecycle", scratch);
    if (!run(&r, (char *[]){path_in(path, builds, program), option, "-seed=1", "-max_len=2056", "-verbosity=0", seed,
                            NULL}))
        return 0;
    return per(runs, r.cpu);
}

/* The same for an AFL++ program: CPU time of the fuzzer and of the target, which take turns. */
static double afl_rate(const char *program, const char *mutator, unsigned runs)
{
    static unsigned count;
    char path[LONG_PATH_BYTES], library[LONG_PATH_BYTES], seeds[LONG_PATH_BYTES], out[LONG_PATH_BYTES];
    char stats[LONG_PATH_BYTES], option[40], name[40];
    struct result r;
    snprintf(option, sizeof option, "%u", runs);
    snprintf(name, sizeof name, "afl-%u", count++);
    if (mutator != NULL) {
        setenv("AFL_CUSTOM_MUTATOR_LIBRARY", path_in(library, builds, mutator), 1);
        setenv("AFL_CUSTOM_MUTATOR_ONLY", "1", 1);
    }
    path_in(seeds, scratch, "seeds");
    path_in(out, scratch, name);
    bool good = run(&r, (char *[]){"afl-fuzz", "-i", seeds, "-o", out, "-s", "1", "-E", option, "--",
                                   path_in(path, builds, program), NULL});
    unsetenv("AFL_CUSTOM_MUTATOR_LIBRARY");
    unsetenv("AFL_CUSTOM_MUTATOR_ONLY");
    if (!good)
        return 0;
    read_text(&r, path_in(stats, out, "default/fuzzer_stats"));
    return per(number(&r, "execs_done"), r.cpu);
}

/* ---- the table --------------------------------------------------------------------------------------- */

static void row(const char *what, double value, const char *unit, double ratio, const char *against,
                const char *target)
{
    char measured[40] = "not measured", compared[40] = "";
    if (value > 0)
        snprintf(measured, sizeof measured, value < 100 ? "%.2f %s" : "%.0f %s", value, unit);
    if (ratio > 0)
        snprintf(compared, sizeof compared, ratio < 0.095 ? "%.3f" : "%.2f", ratio);
    printf("%-44s %14s %8s  %-32s %s\n", what, measured, compared, ratio > 0 ? against : "", target);
    fflush(stdout);
}

/* Returns the nanoseconds of a switch in the release build. */
static double rows_of_switches(void)
{
    struct result r;
    bool good = run_part(&r, "release/bench", "switch");
    double bare = good ? number(&r, "bare_ns") : 0, ours = good ? number(&r, "switch_ns") : 0;
    good = run_part(&r, "check/bench", "switch");
    double told = good ? number(&r, "told_ns") : 0, asan = good ? number(&r, "switch_ns") : 0;
    row("context switch, the barest", bare, "ns", 0, "", "");
    row("context switch", ours, "ns", per(ours, bare), "of the barest's time", "<= 3 ns");
    row("context switch, ASan's two calls alone", told, "ns", per(told, bare), "of the barest's time", "");
    row("context switch, ASan", asan, "ns", per(asan, told), "of its two calls' time", "<= 18 ns");
    return ours;
}

static void rows_of_lifecycles(double switch_ns)
{
    struct result r;
    char what[80] = "lifecycle, random";
    double rate = 0, ratio = 0;
    if (run_part(&r, "release/bench", "lifecycle")) {
        double switches = number(&r, "lifecycle_switches");
        rate = per(1e9, number(&r, "lifecycle_ns"));
        ratio = per(number(&r, "lifecycle_ns"), switches * switch_ns);
        snprintf(what, sizeof what, "lifecycle (%.0f points, %.0f switches), random",
                 number(&r, "lifecycle_points"), switches);
    }
    row(what, rate, "/s", ratio, "of its bare switches' time", ">= 400000 /s");
    double asan = run_part(&r, "check/bench", "lifecycle") ? per(1e9, number(&r, "lifecycle_ns")) : 0;
    row("lifecycle, random, ASan and UBSan", asan, "/s", per(asan, rate), "of the rate without", "");
}

static void rows_of_traces(void)
{
    struct result r;
    bool good = run_part(&r, "release/bench", "traces");
    for (unsigned i = 0; i < BENCH_KNOWN; i++) {
        const struct bench_known *k = &bench_known[i];
        char found[40], blocked[40], seconds[40], against[80];
        snprintf(found, sizeof found, "%s_found", k->name);
        snprintf(blocked, sizeof blocked, "%s_blocked", k->name);
        snprintf(seconds, sizeof seconds, "%s_s", k->name);
        snprintf(against, sizeof against, "of %llu traces, %.0f blocked", (unsigned long long)k->traces,
                 good ? number(&r, blocked) : 0);
        row(k->what, good ? number(&r, seconds) * 1e3 : 0, "ms", good ? number(&r, found) / (double)k->traces : 0,
            against, k->target);
    }
}

static void rows_of_points(double switch_ns)
{
    struct result r, asan;
    bool good = run_part(&r, "release/bench", "points"), checked = run_part(&asan, "check/bench", "points");
    double drawn = good ? number(&r, "random_ns") : 0, dpor = good ? number(&r, "dpor_ns") : 0;
    row("51 points, random", per(1e9, drawn), "/s", per(drawn, 51 * switch_ns), "of their bare switches' time", "");
    row("51 points, dpor", per(1e9, dpor), "/s", per(drawn, dpor), "of the random rate", ">= 1000000 /s");
    row("51 points, dpor, the last tenth of a million", good ? number(&r, "steady") : 0, "", 0, "",
        "as long as the first");
    drawn = checked ? number(&asan, "random_ns") : 0;
    dpor = checked ? number(&asan, "dpor_ns") : 0;
    row("51 points, random, ASan and UBSan", per(1e9, drawn), "/s", 0, "", "");
    row("51 points, dpor, ASan and UBSan", per(1e9, dpor), "/s", per(drawn, dpor), "of the random rate",
        ">= 400000 /s");
    row("use after free, dpor, executions", good ? number(&r, "bug") : 0, "", 0, "", "<= 7");
}

static void rows_of_hooks(void)
{
    static const char *const parts[][3] = {
        {"stack_ns", "load or store, own stack", "<= 1.3 ns"},
        {"alone_ns", "load or store again, pool, one thread", "<= 1.3 ns"},
        {"shared_ns", "load or store again, pool, two threads", "<= 1.3 ns"},
        {"fresh_alone_ns", "the first since an event, one thread", ""},
        {"fresh_shared_ns", "the first since an event, two threads", ""}};
    struct result r;
    bool good = run_part(&r, "release/bench", "hook");
    double call = good ? number(&r, "call_ns") : 0;
    row("call of an empty function", call, "ns", 0, "", "");
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        double hook = good ? number(&r, parts[i][0]) : 0;
        row(parts[i][1], hook, "ns", per(hook, call), "of an empty call's time", parts[i][2]);
    }
}

static void rows_of_fuzzers(void)
{
    double empty = libfuzzer_rate("fuzz/bench-empty", 1000000);
    double rate = libfuzzer_rate("fuzz/fuzz_" MODULE, 200000);
    row("libFuzzer, ASan, empty target", empty, "/s", 0, "", "");
    row("libFuzzer, ASan, lifecycles", rate, "/s", per(rate, empty), "of the empty target's rate", ">= 80000 /s");
    empty = afl_rate("afl/bench-empty", NULL, 100000);
    rate = afl_rate("afl/nmrcheck-afl", "afl/nmrcheck-afl-mutator.so", 100000);
    row("AFL++, empty target", empty, "/s", 0, "", "");
    row("AFL++, lifecycles", rate, "/s", per(rate, empty), "of the empty target's rate", ">= 0.70");
}

static void row_of_files(void)
{
    char program[LONG_PATH_BYTES], files[LONG_PATH_BYTES];
    struct result r;
    double best = 0;
    path_in(program, builds, "check/nmrcheck");
    path_in(files, scratch, "files");
    for (unsigned i = 0; i < 3 && run(&r, (char *[]){program, "replay", "--expect=PASS", files, NULL}); i++)
        best = best > 0 ? smaller(best, r.cpu) : r.cpu;
    double list = run(&r, (char *[]){program, "list", NULL}) ? r.cpu : 0;
    row("nmrcheck replay of 1000 files, ASan", best * 1e3, "ms", per(best, list), "of the time of nmrcheck list",
        "< 100 ms");
}

static void table(void)
{
    static const char *const afl_variables[] = {
        "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "AFL_SKIP_CPUFREQ", "AFL_NO_AFFINITY", "AFL_NO_UI"};
    char folder[LONG_PATH_BYTES];
    struct result r;
    snprintf(scratch, sizeof scratch, "/tmp/nmrcheck-bench-XXXXXX");
    if (mkdtemp(scratch) == NULL)
        die("cannot make a folder in /tmp");
    write_seed(make_folder(folder, "seeds"));
    write_files(make_folder(folder, "files"));
    prctl(PR_SET_CHILD_SUBREAPER, 1);       /* processes that others leave behind are ours to wait for */
    for (unsigned i = 0; i < sizeof afl_variables / sizeof *afl_variables; i++)
        setenv(afl_variables[i], "1", 1);
    setenv("NMRCHECK_MODULE", MODULE, 1);
    unsetenv("ASAN_OPTIONS");               /* afl-fuzz insists on its own */

    printf("%-44s %14s %8s  %-32s %s\n", "", "measured", "ratio", "", "target");
    double switch_ns = rows_of_switches();
    rows_of_hooks();
    rows_of_lifecycles(switch_ns);
    rows_of_points(switch_ns);
    rows_of_traces();
    rows_of_fuzzers();
    row_of_files();
    run(&r, (char *[]){"rm", "-rf", scratch, NULL});
}

/* One core for us and for all that we start. */
static void stay_on_one_core(void)
{
    cpu_set_t set, one;
    size_t cpu = CPU_SETSIZE - 1;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return;
    while (cpu > 0 && !CPU_ISSET(cpu, &set))
        cpu--;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* The folder above ours. */
static void find_builds(void)
{
    ssize_t length = readlink("/proc/self/exe", builds, sizeof builds - 1);
    char *slash = NULL;
    builds[length > 0 ? length : 0] = '\0';
    for (unsigned up = 0; up < 2; up++) {
        slash = strrchr(builds, '/');
        if (slash == NULL)
            die("cannot find out where I am");
        *slash = '\0';
    }
}

static void run_own_part(const char *part, double seconds)
{
    if (strcmp(part, "switch") == 0)
        part_switch();
    else if (strcmp(part, "lifecycle") == 0)
        part_lifecycle(seconds);
    else if (strcmp(part, "hook") == 0)
        part_hook();
    else if (strcmp(part, "points") == 0)
        part_points();
    else if (strcmp(part, "traces") == 0)
        part_traces();
    else
        die("usage: bench, or bench --part switch, hook, points, traces or lifecycle [SECONDS]");
}

int main(int argc, char **argv)
{
    const char *part = argc > 2 && strcmp(argv[1], "--part") == 0 ? argv[2] : "";
    double seconds = argc > 3 && isdigit((unsigned char)argv[3][0]) ? strtod(argv[3], NULL) : 2;
    stay_on_one_core();
    if (argc == 1) {
        find_builds();
        table();
    } else {
        run_own_part(part, seconds);
    }
    return 0;
}
