/* vocabulary.c - looking words up. */
#include "vocabulary.h"

#include <stddef.h>
#include <string.h>

unsigned site_value_count(const struct site *site)
{
    unsigned count = 0;

    if (site->values != NULL)
        while (site->values[count] != NULL)
            count++;
    return count > 0 ? count : 1;
}

int vocabulary_find(const struct vocabulary *words, enum choice_kind kind, const char *name)
{
    for (unsigned i = 0; i < words->site_count; i++)
        if ((words->sites[i].kinds & 1u << kind) != 0 && strcmp(words->sites[i].name, name) == 0)
            return (int)i;
    return -1;
}
