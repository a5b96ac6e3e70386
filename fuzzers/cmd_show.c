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
    default: return input_parse_file(key, argument, state, &a->file, &a->input);
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

/* False: the reason was printed. */
static bool write_text(const char *path, const struct input *in)
{
    struct output out;
    struct output_error error;
    if (output_open(&out, path, &error) == OUTPUT_OK) {
        char *comment = leading_comment(in);
        scenario_print(&in->scenario, in->program->words, in->module->image.name, comment, out.file);
        free(comment);
        if (output_close(&out, &error) == OUTPUT_OK)
            return true;
    }
    cli_complain_output(&error);
    return false;
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
    cli_parse(&argp, argc, argv, &a);
    if (a.binary && a.out == NULL && isatty(STDOUT_FILENO)) {
        cli_complain(NULL, 0, "the binary form does not belong on a terminal; use --output");
        return EXIT_TROUBLE;
    }
    if (input_load(a.file, &a.input, &in) != INPUT_OK)
        return EXIT_TROUBLE;
    const char *path = a.out != NULL ? a.out : "-";
    bool good = true;
    if (cli.json && a.out == NULL)
        write_json(&in);
    else
        good = a.binary ? input_write(path, &in.scenario) : write_text(path, &in);
    input_release(&in);
    return good ? EXIT_CLEAN : EXIT_TROUBLE;
}
