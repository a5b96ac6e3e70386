/* digest.c - see digest.h. */
#include "digest.h"

#include <inttypes.h>
#include <stdio.h>

#include "explore.h"
#include "rules/rules.h"
#include "strategy.h"

uint64_t digest_add(uint64_t digest, const struct outcome *o)
{
    const uint64_t parts[] = {o->hash, o->verdict, o->finding.rule, o->finding.fingerprint};

    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        digest = (digest ^ parts[i]) * 0x9e3779b97f4a7c15;
        digest ^= digest >> 29;
    }
    return digest;
}

void digest_line(const struct outcome *o, char line[DIGEST_LINE_MAX])
{
    snprintf(line, DIGEST_LINE_MAX, "%016" PRIx64 " %s %016" PRIx64, o->hash,
             o->verdict == VERDICT_FINDING ? rule_table[o->finding.rule].name : verdict_name(o->verdict),
             o->finding.fingerprint);
}

bool digest_same(const struct outcome *a, const struct outcome *b)
{
    return a->hash == b->hash && a->verdict == b->verdict && a->finding.rule == b->finding.rule &&
           a->finding.fingerprint == b->finding.fingerprint;
}

bool digest_random(const struct program *p, uint64_t seed, uint64_t index, struct scenario *s, struct outcome *o,
                   struct outcome *again)
{
    static struct scenario script;
    static uint8_t bytes[SCENARIO_BYTES_MAX];
    struct strategy_random state;
    struct strategy random = strategy_random(&state, seed, index);

    sample_script(p->words, seed, index, &script);
    *o = execution_run(p, &script, &random);
    execution_scenario(s);
    if (s->count == SCENARIO_RECORDS_MAX)   /* more answers than a scenario holds: only this can be repeated */
        *o = execution_replay(p, s);
    scenario_decode(s, p->words, bytes, scenario_encode(s, bytes, sizeof bytes));
    *again = execution_replay(p, s);
    return digest_same(o, again);
}
