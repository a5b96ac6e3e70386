/*
 * init_project.h - which files, folders and definitions a driver is built from.
 *
 * Reads Visual Studio projects and property files (.vcxproj, .props) and `sources` files of older kits, without
 * evaluating them: conditions are ignored, and what holds a property of another tool is left out.
 */
#ifndef FUZZERS_INIT_PROJECT_H
#define FUZZERS_INIT_PROJECT_H

#include <stdbool.h>
#include <stddef.h>

struct strings { char **items; size_t count; };

/* Copies the text; add_once only when it is not there already. */
void strings_add(struct strings *s, const char *text);
void strings_add_once(struct strings *s, const char *text);
bool strings_have(const struct strings *s, const char *text);
void strings_sort(struct strings *s);
void strings_release(struct strings *s);

struct project {
    char *path;                             /* of its file; NULL: there is none */
    struct strings sources;                 /* all source files, C or not; paths as found from here, '/' between */
    struct strings includes;                /* folders */
    struct strings definitions;             /* "NAME" or "NAME=value" */
};

/* False: the file could not be read. */
bool project_read(struct project *p, const char *path);
void project_release(struct project *p);

/* A file's text, for the caller to free; NULL: it cannot be read, or is larger than sources are. */
char *read_text(const char *path);
/* FOLDER/NAME, for the caller to free: NAME alone when it is absolute. */
char *path_join(const char *folder, const char *name);
/* The folder of a file, for the caller to free. */
char *path_folder(const char *path);

#endif
