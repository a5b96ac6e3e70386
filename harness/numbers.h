/*
 * numbers.h - numbers in a text file, as save files are made of.
 *
 * Reading checks each against what it may be at most.  After the first that is missing or too large all are 0 and `bad`
 * is set, so that it is enough to look at that at the end.
 */
#ifndef HARNESS_NUMBERS_H
#define HARNESS_NUMBERS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct numbers { FILE *file; bool bad; };

static inline void number_write(FILE *out, uint64_t number)
{
    fprintf(out, "%" PRIx64 " ", number);
}

static inline uint64_t number_read(struct numbers *in, uint64_t most)
{
    uint64_t number = 0;

    if (!in->bad && (fscanf(in->file, "%" SCNx64, &number) != 1 || number > most))
        in->bad = true;
    return in->bad ? 0 : number;
}

#endif
