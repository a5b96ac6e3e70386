/* init_write.h - the two files that `nmrcheck init` makes of what it saw. */
#ifndef FUZZERS_INIT_WRITE_H
#define FUZZERS_INIT_WRITE_H

#include <stdio.h>

#include "init_driver.h"
#include "init_project.h"

struct init {
    const char *name;                       /* of the module: a C identifier */
    const struct scan *scan;
    const struct driver *driver;
    struct strings sources, includes, definitions;  /* paths as seen from the folder of the files */
};

void init_write_cmake(const struct init *i, FILE *out);
void init_write_npi(const struct init *i, FILE *out);

/* The role for ROLE, which forbids all others; NULL: not all that the driver registers was recognised. */
const char *init_role(const struct driver *d);

#endif
