/* sites.h - numbers of the sites in sites.def, and the vocabulary made of them. */
#ifndef MODEL_SITES_H
#define MODEL_SITES_H

#include "vocabulary.h"

enum site_number {
#define SITE(id, name, kinds, values) SITE_##id,
#include "sites.def"
#undef SITE
    SITE_COUNT
};

enum { DRIVING_THREADS = 4, FIRST_WORKER = DRIVING_THREADS, PEERS_MAX = 3 };

extern const struct vocabulary model_words;

#endif
