/*
 * campaign.c - libFuzzer and AFL++ as processes under our supervision.
 *
 * The engine gets a folder for its corpus, one for seeds and one for crashes, the module's name in
 * NMRCHECK_MODULE, and a time limit.  It runs in a process group of its own: Ctrl-C reaches us, and
 * we pass it on and wait, so that nothing is lost.  Its output goes to a log file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                         /* vasprintf */
#endif
#include "cli.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 128, POLL_US = 100000, LINE_BYTES = 512 };
static const double grace_seconds = 10;

static const char *const engine_names[] = {[ENGINE_LIBFUZZER] = "libfuzzer", [ENGINE_AFL] = "afl"};

/* ---- folders and files ---------------------------------------------------------------------------- */

struct folders { char root[OUTPUT_PATH_MAX - 64], corpus[OUTPUT_PATH_MAX], seeds[OUTPUT_PATH_MAX]; };

static bool make_folders(const struct engine_options *o, struct folders *p, struct engine_result *r)
{
    struct output_error error;
    snprintf(p->root, sizeof p->root, "%s/%s", o->folder, engine_names[o->engine]);
    snprintf(p->corpus, sizeof p->corpus, "%s/corpus", p->root);
    snprintf(p->seeds, sizeof p->seeds, "%s/seeds", p->root);
    snprintf(r->log, sizeof r->log, "%s/engine.log", p->root);
    snprintf(r->crashes, sizeof r->crashes, "%s/crashes", p->root);
    if (o->engine == ENGINE_AFL)
        snprintf(r->own_crashes, sizeof r->own_crashes, "%s/corpus/default/crashes", p->root);
    if (output_make_folder(p->root, &error) == OUTPUT_OK && output_make_folder(p->corpus, &error) == OUTPUT_OK &&
        output_make_folder(p->seeds, &error) == OUTPUT_OK && output_make_folder(r->crashes, &error) == OUTPUT_OK)
        return true;
    cli_complain_output(&error);
    return false;
}

static bool is_executable(const char *path)
{
    struct stat s;
    return access(path, X_OK) == 0 && stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* Where a sibling program is: beside us, or in a neighbouring build folder. */
static bool find_sibling(const char *name, const char *preset, char *path, size_t capacity)
{
    static const char *const places[] = {"", "../%s/", "../../%s/", "../%s/fuzzers/", "../../%s/fuzzers/", "../%s/bin/",
                                         "../../%s/bin/"};
    char own[OUTPUT_PATH_MAX / 2];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash == NULL)
        return false;
    slash[1] = '\0';
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        char part[128] = "";
        const char *variable = strstr(places[i], "%s");
        if (variable != NULL)
            snprintf(part, sizeof part, "%.*s%s%s", (int)(variable - places[i]), places[i], preset, variable + 2);
        snprintf(path, capacity, "%s%s%s", own, part, name);
        if (is_executable(path))
            return true;
    }
    return false;
}

static bool write_seed(const struct folders *p, const char *name, const struct scenario *s)
{
    char path[OUTPUT_PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", p->seeds, name) >= (int)sizeof path || input_write(path, s);
}

/* A seed that shows a finding would end the engine at once: it is noted instead, and the engine does without. */
static bool add_seed(const struct engine_options *o, const struct folders *p, const char *name,
                     const struct scenario *s, struct engine_result *r)
{
    struct outcome outcome = execution_replay(world_program(o->module), s);
    r->seed_count++;
    if (outcome.verdict != VERDICT_FINDING)
        return write_seed(p, name, s);
    findings_note(o->findings, &outcome, s);
    r->seed_findings++;
    return true;
}

/* The plain run, the setups, and the module's corpus. */
static bool write_seeds(const struct engine_options *o, const struct folders *p, struct engine_result *r)
{
    static struct scenario s;
    s = (struct scenario){.module = scenario_module_hash(o->module->image.name)};
    bool good = add_seed(o, p, "plain", &s, r);
    for (unsigned i = 0; i < setup_count() && good; i++) {
        setup_script(&setups[i], &s);
        good = add_seed(o, p, setups[i].name, &s, r);
    }
    struct input_list list = {0};
    struct input_options options = {.module = o->module};
    input_folder(cli_corpus(o->module), &list);
    for (size_t i = 0; i < list.count && good; i++) {
        struct input in;
        if (input_load(list.paths[i], &options, &in) != INPUT_OK)
            continue;
        good = add_seed(o, p, strrchr(list.paths[i], '/') + 1, &in.scenario, r);
        input_release(&in);
    }
    input_list_release(&list);
    return good;
}

/* ---- command lines -------------------------------------------------------------------------------- */

struct command_line { char *words[ARGUMENTS_MAX]; unsigned count; };

__attribute__((format(printf, 2, 3)))
static void word(struct command_line *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (c->count + 1 < ARGUMENTS_MAX && vasprintf(&c->words[c->count], format, arguments) >= 0)
        c->count++;
    va_end(arguments);
    c->words[c->count] = NULL;
}

static void release(struct command_line *c)
{
    for (unsigned i = 0; i < c->count; i++)
        free(c->words[i]);
}

static void libfuzzer_line(struct command_line *c, const struct engine_options *o, const struct folders *p,
                           const struct engine_result *r, const char *binary)
{
    word(c, "%s", binary);
    word(c, "%s", p->corpus);
    word(c, "%s", p->seeds);
    word(c, "-max_total_time=%.0f", o->seconds);
    word(c, "-artifact_prefix=%s/", r->crashes);
    word(c, "-max_len=%d", SCENARIO_BYTES_MAX);
    word(c, "-print_final_stats=1");
    for (char *const *a = o->arguments; a != NULL && *a != NULL; a++)
        word(c, "%s", *a);
}

static void afl_line(struct command_line *c, const struct engine_options *o, const struct folders *p,
                     const char *binary)
{
    word(c, "afl-fuzz");
    word(c, "-i");
    word(c, "%s", p->seeds);
    word(c, "-o");
    word(c, "%s", p->corpus);
    if (o->seconds > 0) {
        word(c, "-V");
        word(c, "%.0f", o->seconds);
    }
    for (char *const *a = o->arguments; a != NULL && *a != NULL; a++)
        word(c, "%s", *a);
    word(c, "--");
    word(c, "%s", binary);
}

static void set_environment(const struct engine_options *o, const struct engine_result *r)
{
    setenv("NMRCHECK_MODULE", o->module->image.name, 1);
    if (cli_profile != NULL)
        setenv("NMRCHECK_PROFILE", cli_profile, 1);
    if (cli_points != NULL)
        setenv("NMRCHECK_POINTS", cli_points, 1);
    if (cli_no_warnings)
        setenv("NMRCHECK_NO_WARNINGS", "1", 1);
    if (cli_muted != NULL)
        setenv("NMRCHECK_MUTE", cli_muted, 1);
    if (o->keep_going)
        setenv("NMRCHECK_FINDINGS", r->crashes, 1);     /* write them there and go on, see libfuzzer.c */
    if (o->engine != ENGINE_AFL)
        return;
    static const char *const always[] = {
        "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "AFL_SKIP_CPUFREQ", "AFL_NO_AFFINITY", "AFL_NO_UI", "AFL_AUTORESUME",
        "AFL_SKIP_CRASHES",
    };
    for (unsigned i = 0; i < sizeof always / sizeof *always; i++)
        setenv(always[i], "1", 0);
    if (!o->keep_going)
        setenv("AFL_BENCH_UNTIL_CRASH", "1", 0);
    unsetenv("ASAN_OPTIONS");               /* afl-fuzz insists on its own */
    char mutator[OUTPUT_PATH_MAX];
    if (!find_sibling("nmrcheck-afl-mutator.so", "afl", mutator, sizeof mutator))
        snprintf(mutator, sizeof mutator, "%s", program_afl_mutator);
    if (mutator[0] != '\0') {
        setenv("AFL_CUSTOM_MUTATOR_LIBRARY", mutator, 0);
        setenv("AFL_CUSTOM_MUTATOR_ONLY", "1", 0);
    }
}

/* ---- reading what engines say ------------------------------------------------------------------- */

static uint64_t number_after(const char *line, const char *word_before)
{
    const char *at = strstr(line, word_before);
    return at != NULL ? strtoull(at + strlen(word_before), NULL, 10) : 0;
}

/* libFuzzer: the last line of the form "#12345 NEW cov: 12 ft: 34 …", and the final statistics. */
static void read_libfuzzer(struct engine_result *r)
{
    char line[LINE_BYTES];
    FILE *log = fopen(r->log, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        uint64_t executions = line[0] == '#' ? strtoull(line + 1, NULL, 10) : 0;
        uint64_t units = number_after(line, "stat::number_of_executed_units:");
        if (executions > 0 && strstr(line, "cov:") != NULL) {
            r->coverage = number_after(line, "cov:");
            r->features = number_after(line, "ft:");
        }
        if (executions > r->executions)
            r->executions = executions;
        if (units > r->executions)
            r->executions = units;
    }
    if (log != NULL)
        fclose(log);
}

static void read_afl(const struct folders *p, struct engine_result *r)
{
    char path[OUTPUT_PATH_MAX + 32], line[LINE_BYTES];
    snprintf(path, sizeof path, "%s/default/fuzzer_stats", p->corpus);
    FILE *stats = fopen(path, "r");
    while (stats != NULL && fgets(line, sizeof line, stats) != NULL) {
        const char *colon = strchr(line, ':');
        uint64_t value = colon != NULL ? strtoull(colon + 1, NULL, 10) : 0;
        if (strncmp(line, "execs_done ", 11) == 0)
            r->executions = value;
        else if (strncmp(line, "edges_found ", 12) == 0)
            r->coverage = value;
        else if (strncmp(line, "corpus_count ", 13) == 0)
            r->features = value;
    }
    if (stats != NULL)
        fclose(stats);
}

static void read_numbers(const struct engine_options *o, const struct folders *p, struct engine_result *r)
{
    if (o->engine == ENGINE_LIBFUZZER)
        read_libfuzzer(r);
    else
        read_afl(p, r);
}

/* Why an engine gave up: the last line of its log that says so, or else the last that says anything. */
static void last_words(const char *path, char *text, size_t capacity)
{
    char line[LINE_BYTES];
    bool said = false;
    snprintf(text, capacity, "no output");
    FILE *log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        /* Escape sequences colour AFL++'s output even in a file. */
        size_t n = 0;
        bool escape = false;
        for (const char *c = line; *c != '\0' && *c != '\n' && n + 1 < sizeof line; c++) {
            escape = escape || *c == 27;
            if (!escape && *c >= ' ')
                line[n++] = *c;
            escape = escape && *c != 'm';
        }
        line[n] = '\0';
        bool says = strstr(line, "ABORT") != NULL || strstr(line, "ERROR") != NULL;
        if (says || (!said && strspn(line, " \t") < n))
            snprintf(text, capacity, "%s", line);
        said = said || says;
    }
    if (log != NULL)
        fclose(log);
}

/* ---- supervising ---------------------------------------------------------------------------------- */

static pid_t start(const struct engine_options *o, const struct engine_result *r, char *const *words)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    setpgid(0, 0);
    set_environment(o, r);
    int out = open(r->log, O_WRONLY | O_CREAT | O_TRUNC, 0666), null = open("/dev/null", O_RDONLY);
    if (out < 0 || null < 0)
        _exit(126);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    signal(SIGXFSZ, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    execvp(words[0], words);
    fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
    _exit(127);
}

static void show_progress(const struct engine_options *o, const struct folders *p, struct engine_result *r,
                          double *printed)
{
    bool terminal = isatty(STDERR_FILENO);
    if (r->seconds - *printed < (terminal ? 1 : 10))
        return;
    *printed = r->seconds;
    read_numbers(o, p, r);
    fprintf(stderr, "%s%s: %.0f s, %s executions, coverage %s%s", terminal ? "\r\033[K" : "nmrcheck: ",
            engine_names[o->engine], r->seconds, cli_count(r->executions), cli_count(r->coverage),
            terminal ? "" : "\n");
}

/* Wait for the engine; ask it to stop when the user wants or when it is late, and insist after a while. */
static int supervise(const struct engine_options *o, const struct folders *p, struct engine_result *r, pid_t child)
{
    double started = cli_now(), asked = 0, printed = 0;
    int status = 0;
    bool insisted = false;
    while (waitpid(child, &status, WNOHANG) == 0) {
        double now = cli_now();
        r->seconds = now - started;
        bool late = o->seconds > 0 && r->seconds > o->seconds + grace_seconds;
        if (asked <= 0 && (cli_interrupted || late)) {
            kill(-child, SIGINT);
            asked = now;
        }
        if (asked > 0 && now - asked > grace_seconds && !insisted) {
            kill(-child, SIGKILL);
            insisted = true;
        }
        show_progress(o, p, r, &printed);
        usleep(POLL_US);
    }
    r->seconds = cli_now() - started;
    if (printed > 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    return status;
}

static unsigned count_crashes(const char *path_of_folder, time_t since)
{
    unsigned count = 0;
    DIR *folder = path_of_folder[0] != '\0' ? opendir(path_of_folder) : NULL;
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        char path[OUTPUT_PATH_MAX + 256];
        struct stat s;
        snprintf(path, sizeof path, "%s/%s", path_of_folder, e->d_name);
        count += e->d_name[0] != '.' && strcmp(e->d_name, "README.txt") != 0 && stat(path, &s) == 0 &&
                 S_ISREG(s.st_mode) && s.st_mtime >= since;
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

bool engine_run(const struct engine_options *o, struct engine_result *r)
{
    static struct folders p;
    char name[OUTPUT_PATH_MAX / 2], binary[OUTPUT_PATH_MAX], why[LINE_BYTES];
    bool afl = o->engine == ENGINE_AFL;
    snprintf(name, sizeof name, "%s-%s", program_invocation_short_name, engine_names[o->engine]);
    *r = (struct engine_result){0};
    if (!find_sibling(name, afl ? "afl" : "fuzz", binary, sizeof binary)) {
        const char *preset = afl ? "afl" : "fuzz";
        cli_complain(NULL, 0, "%s is neither beside this program nor in a neighbouring '%s' build folder; build the "
                     "target %s, which takes clang%s", name, preset, name, afl ? " and AFL++" : "");
        return false;
    }
    if (!make_folders(o, &p, r) || !write_seeds(o, &p, r))
        return false;
    if (r->seed_findings > 0 && !o->keep_going)
        return true;                        /* nothing to search for: it is on the table */
    struct command_line line = {.count = 0};
    if (afl)
        afl_line(&line, o, &p, binary);
    else
        libfuzzer_line(&line, o, &p, r, binary);
    r->started = time(NULL);
    fflush(NULL);
    pid_t child = start(o, r, line.words);
    release(&line);
    if (child < 0) {
        cli_complain(NULL, 0, "cannot start %s: %s", binary, strerror(errno));
        return false;
    }
    setpgid(child, child);
    int status = supervise(o, &p, r, child);
    read_numbers(o, &p, r);
    r->crash_count = count_crashes(r->crashes, r->started) + count_crashes(r->own_crashes, r->started);
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!good && r->crash_count == 0 && !cli_interrupted) {
        last_words(r->log, why, sizeof why);
        cli_complain(r->log, 0, "the engine failed: %s", why);
        return false;
    }
    return true;
}
