/*
 * cli.h - the nmrcheck command line.
 *
 * nmrcheck.c reads the command's name and hands the rest to its function, one file for each command.
 * What commands share is here: messages, input files, the store of findings, time, progress.
 *
 * Exit codes: 0 no finding, 1 a finding (or an expectation not met), 2 usage or environment.
 * Anything wrong with the outside is one line on stderr, "nmrcheck: FILE:LINE: reason".
 */
#ifndef FUZZERS_CLI_H
#define FUZZERS_CLI_H

#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "explore.h"
#include "report.h"
#include "summary.h"
#include "world.h"

#define NMRCHECK_VERSION "0.1.0"

enum exit_code { EXIT_CLEAN = 0, EXIT_FOUND = 1, EXIT_TROUBLE = 2 };

/* ---- options of every command (nmrcheck.c) */
struct cli {
    bool json;                              /* results as one JSON value on standard output */
    const char *corpus;                     /* folder with a folder for each module; NULL: as the build says */
};
extern struct cli cli;

/* The children of every command's argp: they parse --json and --corpus. */
extern const struct argp_child cli_children[];

/* Parse a command's arguments.  Does not return on a usage error or after --help. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* For parsers: a whole number up to `limit`, or a usage error. */
uint64_t cli_number(struct argp_state *state, const char *option, const char *text, uint64_t limit);
/* For parsers: the module of that name, or one line and exit code 2. */
const struct module *cli_module(const char *name);
/* For parsers, when no module was named: the only one of this program; if it has more, a usage error. */
const struct module *cli_only_module(struct argp_state *state);

/* The folder of a module's kept scenarios.  Good until the next call. */
const char *cli_corpus(const struct module *module);

/* --profile=NAME, --no-warnings, --mute=RULE: what explorations and fuzzers run under.  argp children of the commands
 * that do. */
extern const struct argp_child cli_rules_children[];
extern const char *cli_profile, *cli_points;    /* as given; NULL: not */
extern bool cli_no_warnings;
extern const char *cli_muted;               /* "PA-4,PD-6": the rules that --mute named; NULL: none */

/* One line on stderr; `file` and `line` may be NULL and 0. */
void cli_complain(const char *file, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void cli_complain_output(const struct output_error *error);

/* Print a JSON value on standard output and release it. */
void cli_print_json(json_t *value);

/* Set by the first Ctrl-C; the second ends the process at once. */
extern volatile sig_atomic_t cli_interrupted;

/* ---- the commands; each returns an exit code */
int cmd_causality(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_fuzz(int argc, char **argv);
int cmd_hash(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_keep(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_mutants(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_shrink(int argc, char **argv);

/* ---- words (nmrcheck_words.c) */
extern struct report_words cli_words;       /* main sets the tool: the program's name */
/* Of a finding in a few words: which decision of the scheduler makes it likely (cmd_causality.c).  Replays it often. */
void cli_cause(const struct program *p, const struct scenario *s, char *text, size_t capacity);
/* Who waits for whom at a deadlock, what is repeated at the step limit (nmrcheck_ending.c). */
void cli_ending(const struct event *log, unsigned kept, const struct outcome *o, struct report_ending *out);
const char *rule_class_name(char class);
/* Addresses of the pages behind a rule's source codes, each once. */
unsigned rule_pages(const char *source, const char **pages, unsigned capacity);

/* ---- mutants (nmrcheck_mutant.c): what breaks a rule */
/* The next one from number `*from` of all modules; NULL: this program holds no more.  The first is the one that was
 * named after the rule, and shows it best; others have mistakes that break it, too. */
const struct module *mutant_next(const char *rule, unsigned *from);
/* The good and the bad code of a mutant that has a patch. */
void mutant_print_code(const struct module *m, FILE *out);
json_t *mutant_code_json(const struct module *m);
/* Search, depth first over the setups and then at random, until it breaks its rule; shrink the scenario.  False: not
 * within bounds, or interrupted. */
bool mutant_find(const struct module *m, struct scenario *s);

/* ---- input files (nmrcheck_input.c) */
struct input_options {
    const struct module *module;            /* for files that name none; also overrules the one they name */
    bool raw;                               /* take any bytes for a binary scenario, as fuzzers do */
};

enum { INPUT_MUTED_MAX = 32 };
struct input {
    const char *path;                       /* the caller's */
    const struct module *module;
    const struct program *program;
    struct scenario scenario;
    bool binary;
    char expect[32];                        /* "PASS", "PA-4", …; "" when the file expects nothing */
    bool has_hash;
    uint64_t hash;
    uint16_t muted[INPUT_MUTED_MAX];        /* rules that "# mute PA-4 PD-6" names: muted until it is released */
    unsigned muted_count;
    char *bytes;                            /* the whole file with a terminator */
    size_t size;
};

enum input_result { INPUT_OK, INPUT_BAD };

/* Read a scenario file of any form.  INPUT_BAD: the reason was printed, nothing needs releasing. */
enum input_result input_load(const char *path, const struct input_options *options, struct input *in);
void input_release(struct input *in);
/* Write a scenario in binary form; "-": on standard output.  False: the reason was printed. */
bool input_write(const char *path, const struct scenario *s);

/* For parsers: --module and --raw; with the second the one FILE, too. */
error_t input_parse(int key, char *argument, struct input_options *options);
error_t input_parse_file(int key, char *argument, struct argp_state *state, const char **file,
                         struct input_options *options);

/* Is this a word that "# expect" knows: a verdict or a rule? */
bool input_expectation_known(const char *word);

/* A list of files: FILE arguments, and for folders what is in them and below, sorted.  In a folder
 * only files count whose name ends in .scn or has no dot at all (as fuzzers name theirs).  A folder
 * without any is bad unless it may be empty. */
struct input_list { char **paths; size_t count, capacity; };
enum input_result input_expand(char *const *arguments, struct input_list *list, bool may_be_empty);
/* The files of one folder, if any.  False: there is no such folder. */
bool input_folder(const char *folder, struct input_list *list);
void input_list_release(struct input_list *list);

/* ---- gdb (nmrcheck_gdb.c) */
/* Become gdb, with this program in it replaying the scenario up to that step, or with NULL to the one that breaks the
 * rule.  Returns only when that cannot be done; the reason was printed. */
void gdb_replay(const struct input *in, bool raw, const uint32_t *step);
/* In that program: before anything else listens to events; and the step to stop at, in the executions that follow. */
void gdb_listen(void);
void gdb_stop_at(const struct input *in, uint32_t step);

/* ---- findings (nmrcheck_findings.c): the output folder of one module */
struct found {
    struct finding finding;
    struct scenario scenario;               /* as found, then shrunk */
    uint64_t seen;                          /* executions of this campaign that showed it */
    bool settled;                           /* shrunk and written */
    bool old;                               /* was in the folder before */
    char name[48];                          /* of its files, without ending: "PD-6-0123456789abcdef" */
};

struct findings {
    const struct module *module;
    const struct program *program;
    char folder[OUTPUT_PATH_MAX];
    unsigned count;
    bool full;                              /* there were more than fit */
    bool failed;                            /* something could not be written; it was complained about */
    bool limit_noted;
    struct found found[SUMMARY_FINDINGS_MAX];
};

/* Make the folder and replay what is in it: what still shows its finding is known from the start. */
enum output_result findings_open(struct findings *f, const struct module *module, const char *folder);

/* An execution ended in a finding.  True when its fingerprint is new; then it is written at once, unshrunk. */
bool findings_note(struct findings *f, const struct outcome *o, const struct scenario *s);

/* An execution hit a limit.  The first one is written as limit.scenario, for a replay to tell why. */
void findings_note_limit(struct findings *f, const struct outcome *o, const struct scenario *s);

/* Shrink and write each finding that was not yet. */
void findings_settle(struct findings *f);

/* Copy into a summary. */
void findings_summarise(const struct findings *f, struct summary *s);

/* Print the text reports of at most `limit` findings of this campaign. */
void findings_print(struct findings *f, unsigned limit, FILE *out);

/* Default folder: ./nmrcheck-out/MODULE, or `given`. */
const char *findings_folder(const struct module *module, const char *given);

/* Take a report of a scenario: replays it.  The report is good until the next execution. */
void findings_report(struct report *r, const struct program *p, const struct scenario *s, const char *path);

/* ---- saved explorations (nmrcheck_saved.c): dpor's, one file for each script */
struct saved {
    char path[OUTPUT_PATH_MAX];             /* FOLDER/dpor-NAME.state */
    uint64_t search;
    double written;                         /* when */
    FILE *numbers;                          /* for explore_options.saved; NULL: nothing was saved */
    char *text;
    size_t size;
};

/* What an exploration depends on: the executable, and what of it runs.  `bounds`: any text. */
uint64_t identity_of_program(void);
uint64_t identity_of_search(const struct program *p, const struct scenario *script, const char *bounds);

/* Look for one.  OUTPUT_FAILED: there is one that cannot be gone on with; the reason was printed. */
enum output_result saved_open(struct saved *s, const char *folder, const char *name, uint64_t search, bool fresh);
/* To be called in on_rest; writes only every few seconds unless at once.  Complains. */
enum output_result saved_write(struct saved *s, const struct explore_result *so_far, bool at_once);
void saved_close(struct saved *s);
void saved_remove(const char *folder, const char *name);

/* ---- campaigns (nmrcheck_campaign.c): exploring with callbacks, time and progress */
struct campaign {
    struct findings *findings;
    struct summary *summary;
    const char *phase;                      /* for the progress line */
    double started, deadline, phase_started;
    uint64_t executions;                    /* of earlier phases and turns … */
    uint64_t phase_executions;              /* … and of earlier setups of this one */
    bool keep_going;
    double printed;                         /* when the last progress line was */
    bool line_open;                         /* a progress line without line end is on the terminal */
    bool found_now;                         /* a finding, new or known, showed up */
    struct dpor_statistics dpor;            /* sums over the setups */
    struct turn *turns;                     /* of each script; NULL: there are none */
    struct explore_result sampled;          /* in all turns */
    /* To be set before campaign_begin, or 0. */
    bool save;                              /* dpor: in files, so that the next campaign goes on … */
    bool fresh;                             /* … but this one does not */
    const char *script_name;                /* in the names of these, when there is one script */
};

struct bounds {
    unsigned preemptions, deviations;
    uint64_t executions;
    bool dpor;                              /* one execution of each trace; preemptions are not bounded then */
    struct shard shard;
};

double cli_now(void);                       /* monotonic seconds */
const char *cli_count(uint64_t value);      /* "1,234,567"; good until eight more are made */
/* "no finding in 12 executions", "2 findings in 12 executions, see FOLDER"; good until the next one. */
const char *cli_verdict(unsigned findings, uint64_t executions, const char *folder);
void campaign_begin(struct campaign *c, struct findings *f, struct summary *s, double seconds, bool keep_going);
bool campaign_over(const struct campaign *c);
/* After a clean result, on standard output: a line or two when the driver was never loaded or attached. */
void cli_print_idle(const struct module *m);

/* Can the saved explorations be gone on with?  False: the reason was printed. */
bool campaign_can_resume(const struct campaign *c, const struct program *p, const char *folder,
                         const struct scenario *script, const struct bounds *b);
/* Explore one script (or with NULL each setup one after the other) until `until`; adds a phase.  True: within these
 * bounds nothing is left. */
bool campaign_dfs(struct campaign *c, const struct scenario *script, const char *name, const struct bounds *b,
                  double until);
/* Executions of a strategy that samples, until `until`; returns the number of the next one.  It goes on from where an
 * earlier call stopped. */
uint64_t campaign_sample(struct campaign *c, const struct scenario *script, const struct explore_samples *samples,
                         double until);
/* All strategies, each for what it does best, until the time is up. */
void campaign_auto(struct campaign *c, const struct scenario *script, const struct bounds *b,
                   const struct explore_samples *samples);
void campaign_progress_clear(struct campaign *c);
/* Shrink, summarise, print; returns the exit code. */
int campaign_finish(struct campaign *c);

/* ---- engines (campaign.c): libFuzzer and AFL++ as processes under supervision */
enum engine { ENGINE_LIBFUZZER, ENGINE_AFL };
/* AFL++'s mutator, for when it is not beside the program (generated by the build); "": unknown. */
extern const char program_afl_mutator[];
struct engine_options {
    enum engine engine;
    const struct module *module;
    struct findings *findings;              /* for seeds that show one */
    const char *folder;                     /* output folder of the module */
    double seconds;
    bool keep_going;                        /* go on after a crash */
    char *const *arguments;                 /* passed to the engine, NULL-terminated */
};
struct engine_result {
    uint64_t executions, coverage, features;
    unsigned crash_count;
    unsigned seed_count, seed_findings;     /* seeds, and how many of them show a finding */
    double seconds;
    time_t started;                         /* crash files of this run are not older */
    char crashes[OUTPUT_PATH_MAX];          /* folder with crash files and scenarios of findings … */
    char own_crashes[OUTPUT_PATH_MAX];      /* … and AFL++'s own; "" when it has none */
    char log[OUTPUT_PATH_MAX];              /* the engine's own output */
};
/* Seed the engine and run it; it is not run when a seed shows a finding already and `keep_going` is not set.
 * False: the reason was printed. */
bool engine_run(const struct engine_options *options, struct engine_result *result);

#endif
