/* sites.c - the table behind sites.def. */
#include "sites.h"

#include <assert.h>
#include <stddef.h>

#define VALUES(...) (const char *const[]){__VA_ARGS__, NULL}
static const struct site sites[] = {
#define SITE(id, name, kinds, values) {name, kinds, values},
#include "sites.def"
#undef SITE
};
static_assert(sizeof sites / sizeof *sites == (size_t)SITE_COUNT, "one row for each site");
static_assert((int)SITE_COUNT <= (int)SITES_MAX, "a site number is a byte");

const struct vocabulary model_words = {
    .sites = sites,
    .site_count = SITE_COUNT,
    .kind_names = {"op", "peer", "switch", "fault", "nmr"},
    .driving_prefix = "t",
    .driving_count = DRIVING_THREADS,
    .worker_prefix = "w",
    .peer_prefix = "c",
    .peer_count = PEERS_MAX,
    .end_site = SITE_THREAD_END,
};
