/* output.c - files that are written whole or not at all. */
#include "output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum output_result failed(struct output_error *error, const char *path, int number)
{
    snprintf(error->path, sizeof error->path, "%.*s", OUTPUT_PATH_MAX - 1, path);
    snprintf(error->reason, sizeof error->reason, "%s", strerror(number));
    return OUTPUT_FAILED;
}

static bool is_in_place(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

enum output_result output_open(struct output *o, const char *path, struct output_error *error)
{
    size_t length = strlen(path);
    if (length >= sizeof o->path)
        return failed(error, path, ENAMETOOLONG);
    memcpy(o->path, path, length + 1);
    o->in_place = true;
    if (strcmp(path, "-") == 0) {
        snprintf(o->path, sizeof o->path, "standard output");
        o->file = stdout;
        return OUTPUT_OK;
    }
    if (is_in_place(path)) {
        o->file = fopen(path, "w");
        return o->file != NULL ? OUTPUT_OK : failed(error, path, errno);
    }
    o->in_place = false;
    snprintf(o->temporary, sizeof o->temporary, "%s.%ld.tmp", path, (long)getpid());
    o->file = fopen(o->temporary, "wx");
    if (o->file == NULL && errno == EEXIST && unlink(o->temporary) == 0)
        o->file = fopen(o->temporary, "wx");
    return o->file != NULL ? OUTPUT_OK : failed(error, path, errno);
}

enum output_result output_close(struct output *o, struct output_error *error)
{
    errno = 0;
    bool good = !ferror(o->file);
    good = fflush(o->file) == 0 && good;
    int number = errno;
    if (o->file != stdout && fclose(o->file) != 0 && good) {
        good = false;
        number = errno;
    }
    if (good && !o->in_place && rename(o->temporary, o->path) != 0) {
        good = false;
        number = errno;
    }
    if (good)
        return OUTPUT_OK;
    if (!o->in_place)
        unlink(o->temporary);
    else if (o->file == stdout)
        clearerr(stdout);                   /* it was reported; whoever closes it need not do so again */
    return failed(error, o->path, number != 0 ? number : EIO);
}

void output_abandon(struct output *o)
{
    if (o->file != stdout)
        fclose(o->file);
    if (!o->in_place)
        unlink(o->temporary);
}

enum output_result output_json(const char *path, const json_t *value, struct output_error *error)
{
    struct output o;
    if (output_open(&o, path, error) != OUTPUT_OK)
        return OUTPUT_FAILED;
    if (json_dumpf(value, o.file, JSON_INDENT(2)) == 0)
        fputc('\n', o.file);
    return output_close(&o, error);
}

enum output_result output_make_folder(const char *path, struct output_error *error)
{
    char part[OUTPUT_PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part)
        return failed(error, path, ENAMETOOLONG);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return failed(error, part, errno);
    }
    struct stat s;
    if (stat(path, &s) != 0)
        return failed(error, path, errno);
    return S_ISDIR(s.st_mode) ? OUTPUT_OK : failed(error, path, ENOTDIR);
}

json_t *output_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    char plain[1024];
    size_t length = 0;
    for (; text[length] != '\0' && length + 1 < sizeof plain; length++)
        plain[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
    plain[length] = '\0';
    return json_string(plain);
}
