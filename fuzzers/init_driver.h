/*
 * init_driver.h - what the sources of a driver say of its registrations with NMR, as far as it can be seen.
 *
 * The first registration of each NPI and side counts.  All of it are guesses of a reader who does not compile.
 */
#ifndef FUZZERS_INIT_DRIVER_H
#define FUZZERS_INIT_DRIVER_H

#include "init_scan.h"

enum party { PARTY_CLIENT, PARTY_PROVIDER, PARTIES };

struct seen_npi {
    char *id;                               /* the identifier that NpiId points to; "" when it was not seen */
    bool registered[PARTIES];                 /* as what the driver registers */
    const struct fact *table[PARTIES];        /* structure of the dispatch table that this side gives; NULL: not seen */
    const struct fact *characteristics[PARTIES];  /* structure of this side's, where the driver looks at the other's */
};

enum { SEEN_NPIS_MAX = 16 };

struct driver {
    const struct fact *entry;               /* DriverEntry; NULL: there is none */
    const struct source *second_entry;      /* another file with one */
    const struct fact *init, *exit;         /* without DriverEntry: what registers and deregisters; NULL: not seen */
    const struct source *registers;         /* the first file that calls NmrRegister…; NULL: none does */
    unsigned register_calls;                /* of NmrRegister… in the text */
    struct seen_npi npis[SEEN_NPIS_MAX];
    unsigned npi_count;
    const struct fact **operations;         /* functions that nobody in the driver calls or points to */
    size_t operation_count;
};

void driver_look(struct driver *d, const struct scan *s);
void driver_release(struct driver *d);

/* A function of a dispatch table. */
struct table_function {
    char *name;
    bool no_status;                         /* returns nothing, or something that is no NTSTATUS */
    struct span parameters;
};
/* From *at on in a structure's members; false: there are no more. */
bool driver_next_function(const struct scan *s, const struct fact *table, size_t *at, struct table_function *f);

#endif
