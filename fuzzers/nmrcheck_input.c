/* nmrcheck_input.c - scenario files of any form, and lists of them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                         /* nftw */
#endif
#include "cli.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mutate.h"
#include "rules/rules.h"
#include "sites.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* ---- one file --------------------------------------------------------------------------------- */

static enum input_result bad(struct input *in, unsigned line, const char *reason)
{
    cli_complain(in->path, line, "%s", reason);
    input_release(in);
    return INPUT_BAD;
}

static enum input_result read_bytes(struct input *in)
{
    static char bytes[FILE_BYTES_MAX + 1];
    struct stat s;
    FILE *file = fopen(in->path, "rb");
    if (file == NULL)
        return bad(in, 0, strerror(errno));
    if (fstat(fileno(file), &s) == 0 && S_ISDIR(s.st_mode)) {
        fclose(file);
        return bad(in, 0, strerror(EISDIR));
    }
    in->size = fread(bytes, 1, sizeof bytes, file);
    int number = ferror(file) ? errno : 0;
    fclose(file);
    if (number != 0)
        return bad(in, 0, strerror(number));
    if (in->size > FILE_BYTES_MAX)
        return bad(in, 0, "longer than a scenario can be");
    in->bytes = malloc(in->size + 1);
    if (in->bytes == NULL)
        return bad(in, 0, strerror(ENOMEM));
    memcpy(in->bytes, bytes, in->size);
    in->bytes[in->size] = '\0';
    return INPUT_OK;
}

bool input_expectation_known(const char *word)
{
    static const char *const verdicts[] = {"PASS", "OUTSIDE", "STEPS", "THREADS", "MEMORY"};
    for (unsigned i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (strcmp(word, verdicts[i]) == 0)
            return true;
    return rule_find(word) != RULE_NONE;
}

/* A comment line "# mute RULE ...".  False: *reason tells what is wrong with it. */
static bool take_muted(struct input *in, const char *line, size_t length, const char **reason)
{
    static const char mute[] = "# mute ", blanks[] = " \t\r";
    const char *end = line + length, *at = line + sizeof mute - 1;
    if (length < sizeof mute - 1 || memcmp(line, mute, sizeof mute - 1) != 0)
        return true;
    for (at += strspn(at, blanks); at < end; at += strspn(at, blanks)) {
        size_t size = strcspn(at, " \t\r\n");
        char name[16] = "";
        memcpy(name, at, size < sizeof name ? size : 0);
        enum rule rule = rule_find(name);
        *reason = "what it mutes is no rule; nmrcheck rules lists them";
        if (rule == RULE_NONE)
            return false;
        *reason = "it mutes more than 32 rules";
        if (in->muted_count == INPUT_MUTED_MAX)
            return false;
        if (!finding_muted((uint16_t)rule))
            in->muted[in->muted_count++] = (uint16_t)rule;
        finding_mute((uint16_t)rule, true);
        at += size;
    }
    return true;
}

/* A comment line "# expect WORD" or "# hash HEX".  False: *reason tells what is wrong with it. */
static bool take_expectation(struct input *in, const char *line, size_t length, const char **reason)
{
    char text[80], word[40], rest[2];
    if (length >= sizeof text)
        return true;
    memcpy(text, line, length);
    text[length] = '\0';
    text[strcspn(text, "\r")] = '\0';
    int words = sscanf(text, "# expect %39s %1s", word, rest);
    if (words >= 1) {
        *reason = "what it expects is no verdict and no rule: PASS, OUTSIDE, STEPS, THREADS, MEMORY or a rule's name";
        if (words != 1 || strlen(word) >= sizeof in->expect || !input_expectation_known(word))
            return false;
        memcpy(in->expect, word, strlen(word) + 1);
        return true;
    }
    words = sscanf(text, "# hash %39s %1s", word, rest);
    if (words < 1)
        return true;
    *reason = "a hash is 16 hexadecimal digits";
    char *end;
    in->hash = strtoull(word, &end, 16);
    in->has_hash = words == 1 && strlen(word) == 16 && strspn(word, "0123456789abcdef") == 16;
    return in->has_hash;
}

/* Expectations stand in the comments before the first record. */
static enum input_result read_expectations(struct input *in)
{
    const char *at = in->bytes;
    for (unsigned line = 1; *at == '#' || *at == '\n' || *at == '\r'; line++) {
        const char *reason = NULL;
        size_t length = strcspn(at, "\n");
        if (!take_muted(in, at, length, &reason) || !take_expectation(in, at, length, &reason))
            return bad(in, line, reason);
        at += length + (at[length] == '\n');
    }
    return INPUT_OK;
}

/* The line a file's module is named on. */
static unsigned module_line(const struct input *in)
{
    unsigned line = 1;
    for (const char *at = in->bytes; *at != '\0'; line++) {
        at += strspn(at, " \t");
        if (strncmp(at, "module", 6) == 0)
            return line;
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return 0;
}

static enum input_result read_text(struct input *in)
{
    char module[SCENARIO_MODULE_MAX];
    struct scenario_error error;
    if (in->bytes[in->size - 1] != '\n') {
        unsigned line = 1;
        for (size_t i = 0; i < in->size; i++)
            line += in->bytes[i] == '\n';
        return bad(in, line, "truncated: the line has no end");
    }
    if (!scenario_parse(&in->scenario, &model_words, in->bytes, in->size, module, &error))
        return bad(in, error.line, error.reason);
    if (read_expectations(in) != INPUT_OK)
        return INPUT_BAD;
    if (in->module == NULL && module[0] != '\0') {
        char reason[SCENARIO_MODULE_MAX + 64];
        snprintf(reason, sizeof reason, "unknown module '%s'; nmrcheck list names them", module);
        in->module = module_find(module);
        if (in->module == NULL)
            return bad(in, module_line(in), reason);
    }
    return INPUT_OK;
}

/* Fuzzers give their files such names; what is in them may be any bytes. */
static bool named_by_fuzzer(const char *path)
{
    static const char *const beginnings[] = {"crash-", "leak-", "timeout-", "oom-", "slow-unit-", "id:"};
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    for (unsigned i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return strlen(name) == 40 && strspn(name, "0123456789abcdef") == 40;
}

static enum input_result read_binary(struct input *in, bool raw)
{
    const uint8_t *bytes = (const uint8_t *)in->bytes;
    bool magic = scenario_is_binary(bytes, in->size);
    in->binary = true;
    if (!raw && in->size > 0 && !magic)
        return bad(in, 0, "neither a text nor a binary scenario; --raw takes any bytes, as fuzzers do");
    if (!raw && in->size > 0 && (in->size < SCENARIO_HEADER_BYTES || in->size % SCENARIO_RECORD_BYTES != 0))
        return bad(in, 0, "truncated: the last record is not whole; --raw takes it as it is");
    mutate_read(&in->scenario, &model_words, bytes, in->size);  /* as the fuzz targets read it */
    for (unsigned i = 0; in->module == NULL && in->scenario.module != 0 && i < module_count; i++)
        if (scenario_module_hash(modules[i]->image.name) == in->scenario.module)
            in->module = modules[i];
    if (in->module == NULL && in->scenario.module != 0)
        return bad(in, 0, "made for a module that is not in this program; --module chooses another");
    return INPUT_OK;
}

enum input_result input_load(const char *path, const struct input_options *options, struct input *in)
{
    *in = (struct input){.path = path, .module = options->module};
    if (read_bytes(in) != INPUT_OK)
        return INPUT_BAD;
    bool text = !options->raw && scenario_is_text((const uint8_t *)in->bytes, in->size) &&
                !scenario_is_binary((const uint8_t *)in->bytes, in->size);
    enum input_result result = text ? read_text(in) : read_binary(in, options->raw || named_by_fuzzer(path));
    if (result != INPUT_OK)
        return INPUT_BAD;
    if (in->module == NULL && module_count == 1)
        in->module = modules[0];
    if (in->module == NULL)
        return bad(in, 0, "names no module; --module says which");
    in->scenario.module = scenario_module_hash(in->module->image.name);
    in->program = world_program(in->module);
    return INPUT_OK;
}

void input_release(struct input *in)
{
    free(in->bytes);
    in->bytes = NULL;
    while (in->muted_count > 0)
        finding_mute(in->muted[--in->muted_count], false);
}

bool input_write(const char *path, const struct scenario *s)
{
    static uint8_t bytes[SCENARIO_BYTES_MAX];
    struct output out;
    struct output_error error;
    if (output_open(&out, path, &error) == OUTPUT_OK) {
        fwrite(bytes, 1, scenario_encode(s, bytes, sizeof bytes), out.file);
        if (output_close(&out, &error) == OUTPUT_OK)
            return true;
    }
    cli_complain_output(&error);
    return false;
}

/* ---- options ---------------------------------------------------------------------------------- */

error_t input_parse(int key, char *argument, struct input_options *options)
{
    switch (key) {
    case 'm': options->module = cli_module(argument); return 0;
    case 'r': options->raw = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

error_t input_parse_file(int key, char *argument, struct argp_state *state, const char **file,
                         struct input_options *options)
{
    switch (key) {
    case ARGP_KEY_ARG:
        if (*file != NULL)
            argp_failure(state, EXIT_TROUBLE, 0, "one file at a time, not also '%s'", argument);
        *file = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_TROUBLE, 0, "no file given");
        return 0;
    default:
        return input_parse(key, argument, options);
    }
}

/* ---- lists ------------------------------------------------------------------------------------ */

static struct input_list *walked;
static bool walk_failed;

static bool add(struct input_list *list, const char *path)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? 2 * list->capacity : 64;
        char **paths = realloc(list->paths, capacity * sizeof *paths);
        if (paths == NULL)
            return false;
        list->paths = paths;
        list->capacity = capacity;
    }
    list->paths[list->count] = strdup(path);
    return list->paths[list->count++] != NULL;
}

static int walk(const char *path, const struct stat *s, int type, struct FTW *position)
{
    (void)s;
    const char *name = path + position->base;
    struct stat target;
    if (type == FTW_DNR || type == FTW_NS) {
        cli_complain(path, 0, "%s", strerror(errno));
        walk_failed = true;
        return 0;
    }
    /* A link is as good as what it leads to; that it leads nowhere is told when it is read. */
    if (type == FTW_SL ? stat(path, &target) == 0 && !S_ISREG(target.st_mode) : type != FTW_F)
        return 0;
    size_t length = strlen(name);
    bool wanted = strchr(name, '.') == NULL || (length > 4 && strcmp(name + length - 4, ".scn") == 0);
    return wanted && !add(walked, path) ? -1 : 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum input_result input_expand(char *const *arguments, struct input_list *list, bool may_be_empty)
{
    enum input_result result = INPUT_OK;
    for (; *arguments != NULL; arguments++) {
        struct stat s;
        size_t first = list->count;
        walked = list;
        walk_failed = false;
        if (stat(*arguments, &s) != 0 || !S_ISDIR(s.st_mode)) {
            add(list, *arguments);          /* that it cannot be read is told when it is */
            continue;
        }
        int failure = nftw(*arguments, walk, 16, FTW_PHYS);
        if (failure != 0)
            cli_complain(*arguments, 0, "%s", strerror(errno));
        else if (list->count == first && !walk_failed && !may_be_empty)
            cli_complain(*arguments, 0, "no scenario in this folder");
        if (failure != 0 || walk_failed || (list->count == first && !may_be_empty))
            result = INPUT_BAD;
        if (list->count > first)
            qsort(list->paths + first, list->count - first, sizeof *list->paths, compare_paths);
    }
    return result;
}

bool input_folder(const char *folder, struct input_list *list)
{
    char *const arguments[] = {(char *)(uintptr_t)folder, NULL};
    struct stat s;
    if (stat(folder, &s) != 0)
        return false;
    input_expand(arguments, list, true);
    return true;
}

void input_list_release(struct input_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct input_list){0};
}
