/*
 * nmrcheck.c - the command line: finds the command and hands over.
 *
 *     nmrcheck check exnpi_refcounted          explore, try at random, replay the corpus, give a verdict
 *     nmrcheck replay FILE                     run one scenario again
 *     nmrcheck --help                          all commands
 */
#include "cli.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/rules.h"

struct cli cli;
volatile sig_atomic_t cli_interrupted;

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"init", cmd_init, "look at a driver's sources, write what checking it takes"},
    {"list", cmd_list, "the modules in this program"},
    {"check", cmd_check, "explore a module, replay its corpus, give a verdict"},
    {"explore", cmd_explore, "run all interleavings and faults within bounds, or random ones"},
    {"fuzz", cmd_fuzz, "let libFuzzer or AFL++ search; shrink and explain what they find"},
    {"replay", cmd_replay, "run scenarios again: files, folders, raw fuzzer inputs"},
    {"show", cmd_show, "print a scenario as text, or convert it"},
    {"shrink", cmd_shrink, "make a scenario as small as its finding allows"},
    {"causality", cmd_causality, "tell which scheduling decision makes a finding likely"},
    {"keep", cmd_keep, "make a finding a regression scenario of the corpus"},
    {"hash", cmd_hash, "random executions in one number, to compare builds"},
    {"merge", cmd_merge, "put the shards of an exploration together"},
    {"mutants", cmd_mutants, "test the rules: is each deliberate mistake found, and by its own rule only?"},
    {"rules", cmd_rules, "list the rules, or explain one"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* Why standard output could not be written, once it could not. */
static int output_errno;
static char output_buffer[256 * 1024];      /* large, so that most write errors show in one place, at the end */

/* ---- messages --------------------------------------------------------------------------------- */

void cli_complain(const char *file, unsigned line, const char *format, ...)
{
    va_list arguments;
    if (fflush(stdout) != 0)
        output_errno = errno;
    fprintf(stderr, "nmrcheck: ");
    if (file != NULL && line != 0)
        fprintf(stderr, "%s:%u: ", file, line);
    else if (file != NULL)
        fprintf(stderr, "%s: ", file);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void cli_complain_output(const struct output_error *error)
{
    cli_complain(error->path, 0, "%s", error->reason);
}

void cli_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(value);
}

/* ---- options ---------------------------------------------------------------------------------- */

static error_t parse_common(int key, char *argument, struct argp_state *state)
{
    (void)state;
    switch (key) {
    case 'j': cli.json = true; return 0;
    case 'C': cli.corpus = argument; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option common_options[] = {
    {"json", 'j', NULL, 0, "Print the result as JSON", 0},
    {"corpus", 'C', "DIR", 0, "The corpus: a folder with a folder for each module (default: where the build says)", 0},
    {0},
};
static const struct argp common = {.options = common_options, .parser = parse_common};
const struct argp_child cli_children[] = {{&common, 0, NULL, 100}, {NULL, 0, NULL, 0}};

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    argp_parse(argp, argc, argv, 0, NULL, input);
}

uint64_t cli_number(struct argp_state *state, const char *option, const char *text, uint64_t limit)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value > limit)
        argp_failure(state, EXIT_TROUBLE, 0, "--%s: '%s' is not a whole number from 0 to %llu", option, text,
                     (unsigned long long)limit);
    return value;
}

const struct module *cli_module(const char *name)
{
    const struct module *m = module_find(name);
    if (m == NULL) {
        cli_complain(NULL, 0, "unknown module '%s'; nmrcheck list names them", name);
        exit(EXIT_TROUBLE);
    }
    return m;
}

const struct module *cli_only_module(struct argp_state *state)
{
    if (module_count != 1)
        argp_failure(state, EXIT_TROUBLE, 0, "no module given; nmrcheck list names them");
    return modules[0];
}

const char *cli_corpus(const struct module *module)
{
    static char path[OUTPUT_PATH_MAX - 128];
    if (cli.corpus == NULL)
        return module->corpus;
    snprintf(path, sizeof path, "%s/%s", cli.corpus, module->image.name);
    return path;
}

const char *cli_profile, *cli_points, *cli_muted;
bool cli_no_warnings;

enum { KEY_MUTE = 256, KEY_POINTS };

static void mute(struct argp_state *state, const char *name)
{
    enum rule rule = rule_find(name);
    char *list;
    if (rule == RULE_NONE)
        argp_failure(state, EXIT_TROUBLE, 0, "unknown rule '%s'; nmrcheck rules lists them", name);
    if (asprintf(&list, "%s%s%s", cli_muted ? cli_muted : "", cli_muted ? "," : "", name) < 0)
        argp_failure(state, EXIT_TROUBLE, ENOMEM, "--mute");
    cli_muted = list;                       /* the few bytes of the list before are never needed again */
    finding_mute((uint16_t)rule, true);
}

static error_t parse_rules(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'p':
        cli_profile = argument;
        if (!world_set_profile(argument))
            argp_failure(state, EXIT_TROUBLE, 0, "unknown profile '%s'; there are windows, strict, chaos", argument);
        return 0;
    case KEY_POINTS:
        cli_points = argument;
        if (!world_set_points(argument))
            argp_failure(state, EXIT_TROUBLE, 0, "unknown scheduling points '%s'; there are kernel, memory", argument);
        return 0;
    case 'w':
        cli_no_warnings = true;
        rules_mute_warnings();
        return 0;
    case KEY_MUTE: mute(state, argument); return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option rules_options[] = {
    {"profile", 'p', "NAME", 0, "What NMR chooses where the documents are silent: windows (default), strict, chaos", 0},
    {"scheduling-points", KEY_POINTS, "WHERE", 0,
     "Where threads are switched: kernel (default), or memory: at each load and store of the module, too; races are "
     "not reported then, what they lead to is", 0},
    {"no-warnings", 'w', NULL, 0, "Report violations only: rules that are documented as musts, or follow from types or "
                                  "from general kernel rules", 0},
    {"mute", KEY_MUTE, "RULE", 0, "Do not report this rule; may be repeated", 0},
    {0},
};
static const struct argp rules_argp = {.options = rules_options, .parser = parse_rules};
const struct argp_child cli_rules_children[] = {{&rules_argp, 0, NULL, 0}, {&common, 0, NULL, 100}, {0}};

static void print_version(FILE *out, struct argp_state *state)
{
    (void)state;
    fprintf(out, "nmrcheck %s (%u modules)\n", NMRCHECK_VERSION, module_count);
}

static char *help_filter(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    char *all = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&all, &size);
    if (out == NULL)
        return NULL;
    fprintf(out, "Commands:\n");
    for (unsigned i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\nnmrcheck COMMAND --help explains a command.\n"
                 "Exit codes: 0 no finding, 1 a finding, 2 usage or environment.");
    fclose(out);
    return all;
}

static error_t parse_main(int key, char *argument, struct argp_state *state)
{
    const struct command **command = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        for (unsigned i = 0; i < COMMANDS; i++)
            if (strcmp(commands[i].name, argument) == 0)
                *command = &commands[i];
        if (*command == NULL)
            argp_failure(state, EXIT_TROUBLE, 0, "unknown command '%s'; nmrcheck --help lists them", argument);
        state->next = state->argc;          /* the rest belongs to the command */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_TROUBLE, 0, "no command; nmrcheck --help lists them");
        return 0;
    default:
        return parse_common(key, argument, state);
    }
}

/* ---- the process ------------------------------------------------------------------------------ */

static void on_interrupt(int signal)
{
    (void)signal;
    if (cli_interrupted)
        _exit(130);
    cli_interrupted = 1;
}

static void prepare_process(void)
{
    sanitizer_keep_quiet();
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt, .sa_flags = SA_RESTART}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_interrupt, .sa_flags = SA_RESTART}, NULL);
    if (!isatty(STDOUT_FILENO))
        setvbuf(stdout, output_buffer, _IOFBF, sizeof output_buffer);
    signal(SIGXFSZ, SIG_IGN);               /* a file size limit is an error like a full disk */
    signal(SIGPIPE, SIG_IGN);
    argp_err_exit_status = EXIT_TROUBLE;
    argp_program_version_hook = print_version;
    cli_words.tool = program_invocation_short_name;
}

/* Write errors may show only now. */
static int close_output(int code)
{
    errno = output_errno;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    cli_complain("standard output", 0, "%s", errno != 0 ? strerror(errno) : "could not be written");
    return EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = common_options, .parser = parse_main, .args_doc = "COMMAND [ARGUMENT...]",
        .doc = "Deterministic simulation and fuzzing for the attach and detach logic of Windows network modules.\v ",
        .help_filter = help_filter,
    };
    const struct command *command = NULL;
    char own_name[] = "nmrcheck";
    argv[0] = own_name;
    prepare_process();
    /* Find where the command's name is: what comes before belongs to us. */
    int at = 1;
    while (at < argc && argv[at][0] == '-')
        at += strcmp(argv[at], "-C") == 0 || strcmp(argv[at], "--corpus") == 0 ? 2 : 1;
    argp_parse(&argp, at < argc ? at + 1 : argc, argv, ARGP_IN_ORDER, NULL, &command);
    if (command == NULL)
        return EXIT_TROUBLE;
    char name[64];
    snprintf(name, sizeof name, "nmrcheck %s", command->name);
    argv[at] = name;
    return close_output(command->run(argc - at, argv + at));
}
