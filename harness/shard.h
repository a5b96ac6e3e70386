/*
 * shard.h - one exploration by several processes that need not know of each other.
 *
 * Each process finds out alike which shard has what: the union of all shards is the whole, and nothing is in two.  A
 * shard also runs executions that are not its own, since the way to its own leads through them; it neither counts nor
 * reports these.
 *
 * dpor  The search is divided into parts, about a thousand, by a thousand executions that every shard runs
 *       (dpor_parts.c); then the parts are dealt out.  Which parts there are does not depend on the number of shards.
 *       Some executions at the borders of parts show nothing new: a few of a hundred where there are many.
 * dfs   An execution belongs to the shard that its first two answers that are not dull are hashed to.  Executions with
 *       fewer are run by all.
 * The strategies that sample share out the numbers of their executions.
 */
#ifndef HARNESS_SHARD_H
#define HARNESS_SHARD_H

#include <stdbool.h>
#include <stdint.h>

struct shard { unsigned index, count; };    /* index < count; a count of 0: everything, and undivided */

/* Part of a key: an answer at a place, all small numbers.  Keys of executions are sums of these. */
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
