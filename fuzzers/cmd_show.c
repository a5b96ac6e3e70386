/* cmd_show.c - nmrcheck show: binary to text and back. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *file, *out;
    bool binary;
    struct input_options input;
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "Write there instead of on standard output", 0},
    {"binary", 'b', NULL, 0, "Write the binary form instead of text", 0},
    {"module", 'm', "MODULE", 0, "For a file that names no module", 0},
    {"raw", 'r', NULL, 0, "Take any bytes for a binary scenario, as fuzzers do", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'o': a->out = argument; return 0;
    case 'b': a->binary = true; return 0;
    case 'm': a->input.module = cli_module(argument); return 0;
    case 'r': a->input.raw = true; return 0;
    case ARGP_KEY_ARG:
        if (a->file != NULL)
            argp_failure(state, EXIT_TROUBLE, 0, "one file at a time, not also '%s'", argument);
        a->file = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_TROUBLE, 0, "no file given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The comment lines a text scenario begins with, without their marks; the caller releases them. */
static char *leading_comment(const struct input *in)
{
    char *comment = malloc(in->size + 1), *to = comment;
    if (comment == NULL)
        return NULL;
    for (const char *at = in->binary ? "" : in->bytes; *at == '#';) {
        size_t length = strcspn(at, "\n");
        size_t skip = at[1] == ' ' ? 2 : 1;
        memcpy(to, at + skip, length - skip);
        to += length - skip;
        at += length + (at[length] == '\n');
        if (*at == '#')
            *to++ = '\n';
    }
    *to = '\0';
    return comment;
}

static void write_json(const struct input *in)
{
    json_t *records = json_array();
    for (unsigned i = 0; i < in->scenario.count; i++) {
        char line[256];
        record_format(&in->scenario.records[i], in->program->words, line, sizeof line);
        json_array_append_new(records, output_json_text(line));
    }
    json_t *whole = json_object();
    json_object_set_new(whole, "module", output_json_text(in->module->image.name));
    json_object_set_new(whole, "records", records);
    cli_print_json(whole);
}

static enum output_result write_scenario(const struct arguments *a, const struct input *in,
                                         struct output_error *error)
{
    struct output out;
    if (output_open(&out, a->out != NULL ? a->out : "-", error) != OUTPUT_OK)
        return OUTPUT_FAILED;
    if (a->binary) {
        static uint8_t bytes[SCENARIO_BYTES_MAX];
        fwrite(bytes, 1, scenario_encode(&in->scenario, bytes, sizeof bytes), out.file);
    } else {
        char *comment = leading_comment(in);
        scenario_print(&in->scenario, in->program->words, in->module->image.name, comment, out.file);
        free(comment);
    }
    return output_close(&out, error);
}

int cmd_show(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .children = cli_children, .args_doc = "FILE",
        .doc = "Print a scenario, text or binary, as text; or convert it.\v"
               "Nothing is lost either way but a text's comments, of which those at the beginning survive as text.",
    };
    struct arguments a = {0};
    struct input in;
    struct output_error error;
    cli_parse(&argp, argc, argv, &a);
    if (a.binary && a.out == NULL && isatty(STDOUT_FILENO)) {
        cli_complain(NULL, 0, "the binary form does not belong on a terminal; use --output");
        return EXIT_TROUBLE;
    }
    if (input_load(a.file, &a.input, &in) != INPUT_OK)
        return EXIT_TROUBLE;
    int code = EXIT_CLEAN;
    if (cli.json && a.out == NULL) {
        write_json(&in);
    } else if (write_scenario(&a, &in, &error) != OUTPUT_OK) {
        cli_complain_output(&error);
        code = EXIT_TROUBLE;
    }
    input_release(&in);
    return code;
}
