/* check.c - see check.h. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

void (*check_reproducer)(void);

void check_failed(const char *condition, const char *file, int line)
{
    void (*reproducer)(void) = check_reproducer;

    check_reproducer = NULL;                /* a second failure on the way must not come back here */
    fprintf(stderr, "nmrcheck: %s:%d: the harness itself is wrong: %s\n", file, line, condition);
    if (reproducer)
        reproducer();
    abort();
}
