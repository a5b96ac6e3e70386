/* cmd_shrink.c - nmrcheck shrink and nmrcheck keep: a finding made small, a finding made a regression scenario. */
#include "cli.h"

#include <string.h>
#include <sys/stat.h>

#include "shrink.h"

struct arguments {
    const char *file, *out;
    bool as_is;
    struct input_options input;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'o': a->out = argument; return 0;
    case 'a': a->as_is = true; return 0;
    default: return input_parse_file(key, argument, state, &a->file, &a->input);
    }
}

/* Load, run, and shrink if wanted.  False: the reason was printed. */
static bool load_finding(const struct arguments *a, struct input *in, unsigned *before, struct shrink_result *result)
{
    if (input_load(a->file, &a->input, in) != INPUT_OK)
        return false;
    *before = in->scenario.count;
    struct outcome o = execution_replay(in->program, &in->scenario);
    if (o.verdict != VERDICT_FINDING) {
        cli_complain(a->file, 0, "shows no finding: %s", report_expectation(&cli_words, &o));
        input_release(in);
        return false;
    }
    *result = (struct shrink_result){.reproduced = true};
    if (!a->as_is)
        *result = shrink(in->program, &in->scenario, o.finding.fingerprint);
    if (!result->reproduced) {
        cli_complain(a->file, 0, "did not show its finding again: the execution is not deterministic, our bug");
        input_release(in);
    }
    return result->reproduced;
}

static enum output_result write_scenario(const struct report *r, const char *path, struct output_error *error)
{
    struct output out;
    if (output_open(&out, path, error) != OUTPUT_OK)
        return OUTPUT_FAILED;
    report_print_scenario(r, out.file);
    return output_close(&out, error);
}

static const struct argp_option shrink_options[] = {
    {"output", 'o', "FILE", 0, "Write there instead of on standard output", 0},
    {"module", 'm', "MODULE", 0, "For a file that names no module, or to choose another", 0},
    {"raw", 'r', NULL, 0, "Take any bytes for a binary scenario, as fuzzers do", 0},
    {0},
};

int cmd_shrink(int argc, char **argv)
{
    static const struct argp argp = {
        .options = shrink_options, .parser = parse, .children = cli_children, .args_doc = "FILE",
        .doc = "Make a scenario as small as its finding allows.\v"
               "No single record of the result can be removed, and the finding keeps its fingerprint. "
               "Exit code 0: it was written; 2: there is no finding to keep.",
    };
    static struct report r;
    struct arguments a = {0};
    struct input in;
    struct output_error error;
    struct shrink_result result;
    unsigned before;
    cli_parse(&argp, argc, argv, &a);
    if (!load_finding(&a, &in, &before, &result))
        return EXIT_TROUBLE;
    findings_report(&r, in.program, &in.scenario, a.out);
    int code = EXIT_CLEAN;
    if (cli.json && a.out == NULL)
        cli_print_json(report_json(&r));
    else if (write_scenario(&r, a.out != NULL ? a.out : "-", &error) != OUTPUT_OK) {
        cli_complain_output(&error);
        code = EXIT_TROUBLE;
    } else {
        fprintf(stderr, "%s: %u records became %u, in %u replays\n", a.file, before, in.scenario.count, result.replays);
    }
    input_release(&in);
    return code;
}

static const struct argp_option keep_options[] = {
    {"as-is", 'a', NULL, 0, "Do not shrink it first", 0},
    {"module", 'm', "MODULE", 0, "For a file that names no module, or to choose another", 0},
    {"raw", 'r', NULL, 0, "Take any bytes for a binary scenario, as fuzzers do", 0},
    {0},
};

int cmd_keep(int argc, char **argv)
{
    static const struct argp argp = {
        .options = keep_options, .parser = parse, .children = cli_children, .args_doc = "FILE",
        .doc = "Make a finding a regression scenario: regress-RULE-HASH.scn in the module's folder of the corpus.\v"
               "The file says what to expect; nmrcheck replay --check compares. When the module is corrected, "
               "nmrcheck replay --bless rewrites the expectation.",
    };
    static struct report r;
    char path[OUTPUT_PATH_MAX];
    struct arguments a = {0};
    struct input in;
    struct output_error error;
    struct shrink_result result;
    struct stat s;
    unsigned before;
    cli_parse(&argp, argc, argv, &a);
    if (!load_finding(&a, &in, &before, &result))
        return EXIT_TROUBLE;
    findings_report(&r, in.program, &in.scenario, NULL);
    const char *folder = cli_corpus(in.module);
    snprintf(path, sizeof path, "%s/regress-%s-%016llx.scn", folder, report_expectation(&cli_words, &r.outcome),
             (unsigned long long)r.outcome.hash);
    int code = EXIT_CLEAN;
    bool there = stat(path, &s) == 0;
    if (output_make_folder(folder, &error) != OUTPUT_OK || write_scenario(&r, path, &error) != OUTPUT_OK) {
        cli_complain_output(&error);
        code = EXIT_TROUBLE;
    } else if (cli.json) {
        cli_print_json(json_pack("{s:o, s:b}", "path", output_json_text(path), "was_there", (int)there));
    } else {
        printf("%s%s\n", path, there ? " (was there already)" : "");
    }
    input_release(&in);
    return code;
}
