/*
 * libfuzzer.c - the fuzz target: bytes in, an execution, abort when a rule was broken.
 *
 * One source for libFuzzer (-fsanitize=fuzzer), AFL++ (linked with libAFLDriver.a: persistent, shared
 * memory, deferred fork server) and every other engine of the OSS-Fuzz contract.
 *
 *     NMRCHECK_MODULE=exnpi_refcounted ./nmrcheck-libfuzzer corpus/exnpi_refcounted
 *
 * Environment, read once at the start:
 *     NMRCHECK_MODULE     the module under test; needless in a program of one module
 *     NMRCHECK_MUTE       rules that do not end executions, e.g. "PA-4,PD-6"
 *     NMRCHECK_NO_WARNINGS  when set, only violations end executions
 *     NMRCHECK_PROFILE    windows, strict or chaos: what NMR chooses, whatever the input says
 *     NMRCHECK_POINTS     kernel or memory: where threads are switched, whatever the input says
 *     NMRCHECK_FINDINGS   a folder: write each new finding there as <rule>-<fingerprint>.scn and go on,
 *                         instead of aborting at the first
 *     NMRCHECK_HASHES     a file: append a line for each input, its event hash, verdict and fingerprint, as
 *                         `nmrcheck hash --each` prints it; findings end nothing then
 *
 * Inputs are scenarios, binary or text.  Executions that met a limit or left the contract are no findings.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "digest.h"
#include "mutate.h"
#include "rules/rules.h"
#include "state.h"
#include "world.h"

enum { FINDINGS_MAX = 1024, PATH_BYTES = 512 };

/* The engines' side of the contract. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

static const struct program *program;
static struct mutator mutator;
static const char *findings_folder;
static FILE *hashes;
static uint64_t executions;                 /* of this process */

/* ---- what the last execution asked ------------------------------------------------------------- */

static struct asked own_asked;
static struct asked *asked = &own_asked;

static void note_asked(const struct choice_point *point)
{
    if (asked->count < ASKED_MAX)
        asked->points[asked->count++] = *point;
}

static void share_asked(void)
{
    const char *variable = getenv(ASKED_FD_VARIABLE);
    void *memory;

    if (variable == NULL)
        return;
    memory = mmap(NULL, sizeof *asked, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(variable), 0);
    if (memory != MAP_FAILED)
        asked = memory;                     /* else mutations are less well aimed, no more */
}

/* ---- start ------------------------------------------------------------------------------------- */

static void choose_module(void)
{
    const char *name = getenv("NMRCHECK_MODULE");
    const struct module *module;

    if (name == NULL || *name == '\0')
        name = module_count == 1 ? modules[0]->image.name : "";
    module = module_find(name);
    if (module == NULL) {
        fprintf(stderr, "nmrcheck: no module '%s'; set NMRCHECK_MODULE to one of:", name);
        for (unsigned i = 0; i < module_count; i++)
            fprintf(stderr, " %s", modules[i]->image.name);
        fputc('\n', stderr);
        exit(2);
    }
    program = world_program(module);
}

static void mute_rules(void)
{
    const char *list = getenv("NMRCHECK_MUTE");

    while (list != NULL && *list != '\0') {
        const size_t length = strcspn(list, ",");
        char name[32];

        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), list);
        if (length > 0) {
            const enum rule rule = rule_find(name);

            if (rule == RULE_NONE) {
                fprintf(stderr, "nmrcheck: NMRCHECK_MUTE: no rule '%s'\n", name);
                exit(2);
            }
            finding_mute((uint16_t)rule, true);
        }
        list += length + (list[length] == ',');
    }
}

static void choose(const char *variable, bool (*set)(const char *name))
{
    const char *name = getenv(variable);

    if (name != NULL && !set(name)) {
        fprintf(stderr, "nmrcheck: %s: there is no '%s'\n", variable, name);
        exit(2);
    }
}

static void open_hashes(void)
{
    const char *path = getenv("NMRCHECK_HASHES");

    if (path == NULL)
        return;
    hashes = fopen(path, "a");
    if (hashes == NULL) {
        fprintf(stderr, "nmrcheck: cannot write '%s': %s\n", path, strerror(errno));
        exit(2);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    choose_module();
    mute_rules();
    if (getenv("NMRCHECK_NO_WARNINGS") != NULL)
        rules_mute_warnings();
    choose("NMRCHECK_PROFILE", world_set_profile);
    choose("NMRCHECK_POINTS", world_set_points);
    findings_folder = getenv("NMRCHECK_FINDINGS");
    open_hashes();
    share_asked();
    choice_on_ask = note_asked;
    state_install();
    mutator = (struct mutator){.words = program->words, .module = scenario_module_hash(program->name),
                               .mutate_bytes = LLVMFuzzerMutate};
    return 0;
}

/* ---- an execution ------------------------------------------------------------------------------ */

static void describe(const struct finding *f, FILE *out)
{
    static struct scenario used;
    char comment[sizeof f->detail + 512];

    snprintf(comment, sizeof comment, "%s: %s\n%s", rule_table[f->rule].name, f->detail,
             rule_table[f->rule].sentence);
    execution_scenario(&used);
    scenario_print(&used, program->words, program->name, comment, out);
}

/* Is the fingerprint new to this process? */
static bool is_new(uint64_t fingerprint)
{
    static uint64_t known[FINDINGS_MAX];
    static unsigned count;

    for (unsigned i = 0; i < count; i++)
        if (known[i] == fingerprint)
            return false;
    if (count == FINDINGS_MAX)
        return false;                       /* a module this broken gains nothing from one more */
    known[count++] = fingerprint;
    return true;
}

static void write_finding(const struct finding *f)
{
    char path[PATH_BYTES];
    FILE *out;

    if (!is_new(f->fingerprint))
        return;
    snprintf(path, sizeof path, "%s/%s-%016" PRIx64 ".scn", findings_folder, rule_table[f->rule].name,
             f->fingerprint);
    out = fopen(path, "wx");                /* another process may have been first */
    if (out == NULL) {
        if (errno != EEXIST)
            fprintf(stderr, "nmrcheck: cannot write '%s': %s\n", path, strerror(errno));
        return;
    }
    describe(f, out);
    fclose(out);
    fprintf(stderr, "nmrcheck: %s: %s -> %s\n", rule_table[f->rule].name, f->detail, path);
}

static void report(const struct finding *f)
{
    if (findings_folder != NULL) {
        write_finding(f);
        return;
    }
    fprintf(stderr, "nmrcheck: %s was broken by %s in execution %" PRIu64 "; fingerprint %016" PRIx64
            "; the scenario, not shrunk:\n", rule_table[f->rule].name, program->name, executions, f->fingerprint);
    describe(f, stderr);
    fflush(stderr);
    abort();
}

static void print_hash(const struct outcome *o)
{
    char line[DIGEST_LINE_MAX];

    digest_line(o, line);
    fprintf(hashes, "%s\n", line);
    fflush(hashes);                         /* engines end with _exit */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scenario scenario;
    struct outcome outcome;

    mutate_read(&scenario, program->words, data, size);
    for (unsigned i = 0; i < program->setting_count; i++)
        scenario_add(&scenario, program->settings[i]);  /* the last of its kind counts */
    asked->count = 0;
    executions++;
    outcome = execution_replay(program, &scenario);
    if (hashes != NULL)
        print_hash(&outcome);
    else if (outcome.verdict == VERDICT_FINDING)
        report(&outcome.finding);
    return 0;
}

/* ---- mutation ---------------------------------------------------------------------------------- */

/* libFuzzer stacks calls itself, so 1 to 4 edits do: with up to 16 the mutants took half as much time again. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    const unsigned edits = 1u << (seed >> 7) % 3;

    mutator.asked = asked->points;
    mutator.asked_count = asked->count;
    return mutate(&mutator, data, size, max_size, edits, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned seed)
{
    mutator.asked_count = 0;
    return mutate_crossover(&mutator, data1, size1, data2, size2, out, max_out_size, seed);
}
