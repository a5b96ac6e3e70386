/*
 * shard.h - one exploration by several processes that need not know of each other.
 *
 * Which shard an execution belongs to is a function of its own answers: the union of all shards is the whole, and none
 * is in two.  A shard also runs a few executions that are not its own, since the way to its own leads through them; it
 * neither counts nor reports these.
 *
 * dpor  An execution belongs to the shard that its set of deviations (answers to faults, counterparts and the system
 *       that are not dull) is hashed to.  A search in which only some sets are allowed is again a search of all traces
 *       of a program, one in which nothing else can fail; so it is optimal, and finds its traces alone.  All sets of
 *       fewer than `deviations_max` have to be allowed, as parts of larger ones: executions with these are run by every
 *       shard.  With a bound of 1, that is those without any deviation, some hundredths of all.  With a bound of 0
 *       there is nothing to share out.  Orders of steps cannot be shared out like this: which of them must be tried is
 *       known only from races in the others.
 * dfs   The same with the first two answers of an execution that are not dull.  Executions with fewer are run by all.
 * The strategies that sample share out the numbers of their executions.
 */
#ifndef HARNESS_SHARD_H
#define HARNESS_SHARD_H

#include <stdbool.h>
#include <stdint.h>

struct shard { unsigned index, count; };    /* index < count; a count of 0 or 1: everything */

/* Part of a key: an answer at a place, all small numbers.  Keys of sets are sums of these. */
static inline uint64_t shard_key(unsigned who, unsigned step, unsigned position, unsigned answer)
{
    uint64_t key = (uint64_t)who << 48 ^ (uint64_t)step << 24 ^ (uint64_t)position << 16 ^ answer;

    key = (key + 1) * 0x9E3779B97F4A7C15;
    key = (key ^ key >> 32) * 0xD6E8FEB86659FD93;
    return key ^ key >> 29;
}

static inline bool shard_has(const struct shard *s, uint64_t key)
{
    return s->count < 2 || (key ^ key >> 32) % s->count == s->index;
}

#endif
