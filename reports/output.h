/*
 * output.h - files that are written whole or not at all.
 *
 * A file is written under a temporary name in its own folder and renamed when everything was
 * written, so a reader, a full disk or a kill never meets half of it.  An existing device or pipe
 * is written in place.
 *
 * Errors are values: what went wrong is in struct output_error, one line, ready to print.
 */
#ifndef REPORTS_OUTPUT_H
#define REPORTS_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

enum { OUTPUT_PATH_MAX = 4096 };

enum output_result { OUTPUT_OK, OUTPUT_FAILED };

struct output_error {
    char path[OUTPUT_PATH_MAX];
    char reason[128];
};

struct output {
    FILE *file;                             /* write here */
    char path[OUTPUT_PATH_MAX], temporary[OUTPUT_PATH_MAX + 32];
    bool in_place;                          /* no temporary file: a device, a pipe or standard output */
};

/* Begin; "-" is standard output.  On failure nothing was created and `o` needs no close. */
enum output_result output_open(struct output *o, const char *path, struct output_error *error);

/* Finish: flush, look for write errors, rename.  On failure the target is as it was before. */
enum output_result output_close(struct output *o, struct output_error *error);

/* Give up: the target is as it was before. */
void output_abandon(struct output *o);

/* Write a JSON value as a whole file, indented, with a line end. */
enum output_result output_json(const char *path, const json_t *value, struct output_error *error);

/* Make a folder and those above it; one that is there already is success. */
enum output_result output_make_folder(const char *path, struct output_error *error);

/* A new JSON string of any bytes: what is not printable ASCII or valid UTF-8 becomes '?'. */
json_t *output_json_text(const char *text);

#endif
