/*
 * nmrcheck_saved.c - explorations that were stopped, each in a file, to go on with later.
 *
 *     nmrcheck exploration 1
 *     program 0123456789abcdef        this executable's bytes: another build may have another tree
 *     search 0123456789abcdef         everything else that the tree depends on
 *     numbers                         see explore_save.c
 *     end 0123456789abcdef            hash of all before it: a file that was cut off or changed is refused
 */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "rules/rules.h"

#define SAVE_EVERY 5.0                      /* seconds */
enum { END_LENGTH = 21 };                   /* "end ", 16 digits, line end */

uint64_t identity_of_program(void)
{
    static uint64_t identity;
    if (identity != 0)
        return identity;
    static char bytes[1 << 16];
    XXH3_state_t hash;
    FILE *file = fopen("/proc/self/exe", "r");
    XXH3_64bits_reset(&hash);
    for (size_t size; file != NULL && (size = fread(bytes, 1, sizeof bytes, file)) > 0;)
        XXH3_64bits_update(&hash, bytes, size);
    if (file == NULL || ferror(file)) {
        cli_complain("/proc/self/exe", 0, "%s", strerror(errno));
        exit(EXIT_TROUBLE);
    }
    fclose(file);
    identity = XXH3_64bits_digest(&hash);
    return identity;
}

uint64_t identity_of_search(const struct program *p, const struct scenario *script, const char *bounds)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%s %s", p->name, bounds);
    for (uint16_t rule = 1; rule < RULES; rule++)
        if (finding_muted(rule))
            fprintf(out, " mute %u", rule);
    for (unsigned i = 0; i < script->count + p->setting_count; i++) {
        const struct record *r = i < script->count ? &script->records[i] : &p->settings[i - script->count];
        fprintf(out, " record %u %u %u %u %u", r->kind, r->thread, r->site, r->nth, r->value);
    }
    fclose(out);
    uint64_t identity = XXH3_64bits(text, size);
    free(text);
    return identity;
}

/* The whole file, or NULL with errno. */
static char *read_all(const char *path, size_t *size)
{
    char *text = NULL;
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return NULL;
    FILE *out = open_memstream(&text, size);
    for (int c; (c = getc(in)) != EOF;)
        putc(c, out);
    int number = ferror(in) ? EIO : 0;
    fclose(in);
    fclose(out);
    if (number == 0)
        return text;
    free(text);
    errno = number;
    return NULL;
}

/* What is wrong with it; NULL: nothing. */
static const char *complaint(const struct saved *s, int *numbers)
{
    static const char damaged[] = "this is no saved exploration, or it is damaged; --fresh starts anew";
    uint64_t end, program, search;
    if (s->size < END_LENGTH || sscanf(s->text + s->size - END_LENGTH, "end %" SCNx64, &end) != 1 ||
        XXH3_64bits(s->text, s->size - END_LENGTH) != end ||
        sscanf(s->text, "nmrcheck exploration 1 program %" SCNx64 " search %" SCNx64 "%n", &program, &search,
               numbers) != 2)
        return damaged;
    if (program != identity_of_program())
        return "saved by another build of this program or of its modules; --fresh starts anew";
    if (search != s->search)
        return "saved with other operations, profile, rules or bounds; --fresh starts anew";
    return NULL;
}

/* False: the path is too long for one. */
static bool name_file(struct saved *s, const char *folder, const char *name)
{
    return snprintf(s->path, sizeof s->path, "%s/dpor-%s.state", folder, name) < (int)sizeof s->path;
}

void saved_remove(const char *folder, const char *name)
{
    struct saved s;
    if (name_file(&s, folder, name))
        unlink(s.path);
}

enum output_result saved_open(struct saved *s, const char *folder, const char *name, uint64_t search, bool fresh)
{
    int numbers = 0;
    *s = (struct saved){.search = search};
    if (!name_file(s, folder, name)) {
        cli_complain(folder, 0, "%s", strerror(ENAMETOOLONG));
        return OUTPUT_FAILED;
    }
    s->text = fresh ? NULL : read_all(s->path, &s->size);
    if (s->text == NULL && (fresh || errno == ENOENT))
        return OUTPUT_OK;
    const char *wrong = s->text == NULL ? strerror(errno) : complaint(s, &numbers);
    if (wrong != NULL) {
        cli_complain(s->path, 0, "%s", wrong);
        saved_close(s);
        return OUTPUT_FAILED;
    }
    s->numbers = fmemopen(s->text + numbers, s->size - END_LENGTH - (size_t)numbers, "r");
    return OUTPUT_OK;
}

enum output_result saved_write(struct saved *s, const struct explore_result *so_far, bool at_once)
{
    char *text = NULL;
    size_t size = 0;
    struct output o;
    struct output_error error;
    if (!at_once && cli_now() - s->written < SAVE_EVERY)
        return OUTPUT_OK;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "nmrcheck exploration 1\nprogram %016" PRIx64 "\nsearch %016" PRIx64 "\n", identity_of_program(),
            s->search);
    explore_save(out, so_far);
    fputc('\n', out);
    fclose(out);
    enum output_result result = output_open(&o, s->path, &error);
    if (result == OUTPUT_OK) {
        fwrite(text, 1, size, o.file);
        fprintf(o.file, "end %016" PRIx64 "\n", (uint64_t)XXH3_64bits(text, size));
        result = output_close(&o, &error);
    }
    if (result != OUTPUT_OK)
        cli_complain_output(&error);
    free(text);
    s->written = cli_now();
    return result;
}

void saved_close(struct saved *s)
{
    if (s->numbers != NULL)
        fclose(s->numbers);
    free(s->text);
    s->numbers = NULL;
    s->text = NULL;
}
