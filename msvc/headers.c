/* headers.c - see headers.h. */
#include "headers.h"
#include "tokens.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const char *headers_search(const char *folder)
{
    return text_of("%s/_/_/_/_/_/_", folder);
}

/* The entry of a folder that is called so but for its case; the first in the alphabet if there are several. */
static bool find_entry(const char *folder, const char *name, char *found, size_t size)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;

    found[0] = '\0';
    while (entries && (entry = readdir(entries))) {
        if (strcasecmp(entry->d_name, name) == 0 && (!found[0] || strcmp(entry->d_name, found) < 0))
            snprintf(found, size, "%s", entry->d_name);
    }
    if (entries)
        closedir(entries);
    return found[0];
}

/* The file that is meant by a name in a folder, or NULL. */
static const char *find_file(const char *folder, const char *name)
{
    const char *path = folder;
    char part[NAME_MAX + 1], entry[NAME_MAX + 1];

    while (*name) {
        size_t length = strcspn(name, "/\\");

        if (length > NAME_MAX)
            return NULL;
        snprintf(part, sizeof part, "%.*s", (int)length, name);
        name += length + (name[length] != '\0');
        if (!part[0] || strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") != 0) {
            if (!find_entry(path, part, entry, sizeof entry))
                return NULL;
            path = text_of("%s/%s", path, entry);
        } else {
            path = text_of("%s/..", path);
        }
    }
    return access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
}

/* The folder after one of the compiler's options for folders, or NULL. */
static const char *folder_of(char *const *argument)
{
    static const char *const options[] = {"-iquote", "-isystem", "-idirafter", "-I"};

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        size_t length = strlen(options[i]);

        if (strncmp(*argument, options[i], length) == 0)
            return (*argument)[length] ? *argument + length : argument[1];
    }
    return NULL;
}

static const char *find_meant(const char *name, const char *includer, char *const *arguments)
{
    const char *slash = strrchr(includer, '/');
    const char *found = find_file(slash ? text_of("%.*s", (int)(slash - includer), includer) : ".", name);

    for (; !found && *arguments; arguments++) {
        const char *folder = folder_of(arguments);

        if (folder)
            found = find_file(folder, name);
    }
    return found;
}

static void make_folders(const char *path)
{
    char part[PATH_MAX];

    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(part, 0777);
        *p = '/';
    }
}

static bool write_file(const char *path, const char *text)
{
    const char *temporary = text_of("%s.%ld", path, (long)getpid());
    FILE *file;
    bool fine;

    make_folders(path);
    file = fopen(temporary, "w");
    if (!file)
        return false;
    fine = fputs(text, file) >= 0;
    fine &= fclose(file) == 0;
    fine = fine && rename(temporary, path) == 0;
    if (!fine)
        unlink(temporary);
    return fine;
}

static bool provide(const char *folder, const char *name, const char *includer, char *const *arguments)
{
    size_t length = strlen(name);
    const char *path = text_of("%s/%s", headers_search(folder), name);
    const char *meant;

    /* It was meant by one of ours, and is gone. */
    if (strncmp(includer, folder, strlen(folder)) == 0) {
        unlink(includer);
        return true;
    }
    if (name[0] == '/')
        return false;
    if (access(path, F_OK) == 0)            /* written by another compilation, meanwhile */
        return true;
    meant = find_meant(name, includer, arguments);
    if (meant)
        return write_file(path, text_of("#include \"%s\"\n", meant));
    return length > 4 && strcasecmp(name + length - 4, ".tmh") == 0 && write_file(path, "#include <wpp.h>\n");
}

/* Under both spellings: clang looks for Inc/Foo.h when it takes the source for MSVC's. */
bool headers_provide(const char *folder, const char *name, const char *includer, char *const *arguments)
{
    bool provided = provide(folder, name, includer, arguments);
    char *slashed = strdup(name);

    for (char *at = slashed; at && (at = strchr(at, '\\')) != NULL;)
        *at = '/';
    if (slashed && strcmp(slashed, name) != 0 && strncmp(includer, folder, strlen(folder)) != 0)
        provided |= provide(folder, slashed, includer, arguments);
    free(slashed);
    return provided;
}
