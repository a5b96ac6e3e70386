/*
 * dictionary.c - print a dictionary of whole records, for engines that mutate bytes.
 *
 *     nmrcheck-dictionary > nmrcheck.dict
 *
 * One entry for each answer of each choice that is not the dull one, at the first visit by thread 1 or by
 * counterpart 0.  Engines with the record mutator need none of it.
 */
#include <stdio.h>

#include "scenario.h"
#include "sites.h"

static void entry(const struct record *r)
{
    const struct scenario s = {.count = 1, .records = {*r}};
    uint8_t bytes[SCENARIO_HEADER_BYTES + SCENARIO_RECORD_BYTES];
    const size_t size = scenario_encode(&s, bytes, sizeof bytes);
    char line[256];

    record_format(r, &model_words, line, sizeof line);
    printf("# %s\n\"", line);
    for (size_t i = SCENARIO_HEADER_BYTES; i < size; i++)
        printf("\\x%02x", bytes[i]);
    printf("\"\n");
}

int main(void)
{
    printf("# Records of a scenario; generated from model/sites.def by fuzzers/dictionary.c.\n");
    for (unsigned i = 0; i < model_words.site_count; i++)
        for (unsigned kind = 0; kind < CHOICE_KINDS; kind++) {
            struct record r = {.kind = (uint8_t)kind, .site = (uint8_t)i, .thread = kind != CHOICE_PEER};

            if ((model_words.sites[i].kinds >> kind & 1) == 0 || site_is_setting(&model_words.sites[i]))
                continue;
            if (kind == CHOICE_OP || kind == CHOICE_SWITCH) {
                r.value = kind == CHOICE_SWITCH ? 2 : 0;
                entry(&r);
                continue;
            }
            for (r.value = 1; r.value < site_value_count(&model_words.sites[i]); r.value++)
                entry(&r);
        }
    return ferror(stdout) || fclose(stdout) ? 2 : 0;
}
