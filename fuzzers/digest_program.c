/*
 * digest_program.c - nmrcheck-digest: what `nmrcheck hash` prints, and the same for depth-first search, without a
 * command line.
 *
 *     nmrcheck-digest EXECUTIONS [MODULE...]
 *
 * Links with the harness and the model only, so that it can be built for a machine that has none of the libraries
 * that reports need, and run in an emulator.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "digest.h"
#include "explore.h"
#include "fiber.h"
#include "strategy.h"
#include "world.h"

enum { PREEMPTIONS = 1, DEVIATIONS = 1 };

static bool random_digest(const struct program *p, uint64_t executions)
{
    static struct scenario s;
    uint64_t digest = 0;

    for (uint64_t i = 0; i < executions; i++) {
        struct outcome o, again;

        if (!digest_random(p, 1, i, &s, &o, &again)) {
            fprintf(stderr, "nmrcheck-digest: %s: random execution %" PRIu64 " is not deterministic\n", p->name, i);
            return false;
        }
        digest = digest_add(digest, &o);
    }
    printf("%s %016" PRIx64 "\n", p->name, digest);
    return true;
}

/* How many executions there are within the bounds is part of what is compared. */
static void dfs_digest(const struct program *p, const struct setup *setup, uint64_t executions_max)
{
    static struct strategy_dfs state;
    static struct scenario script;
    struct strategy dfs = strategy_dfs(&state, PREEMPTIONS, DEVIATIONS);
    uint64_t digest = 0, executions = 0;

    setup_script(setup, &script);
    do {
        struct outcome o = execution_run(p, &script, &dfs);

        digest = digest_add(digest, &o);
        executions++;
    } while (executions < executions_max && strategy_dfs_next(&state));
    printf("%s %s %" PRIu64 " %016" PRIx64 "\n", p->name, setup->name, executions, digest);
}

static bool module_digests(const struct module *m, uint64_t executions)
{
    const struct program *p = world_program(m);

    if (!random_digest(p, executions))
        return false;
    for (unsigned i = 0; i < setup_count(); i++)
        dfs_digest(p, &setups[i], executions);
    return true;
}

int main(int argc, char **argv)
{
    const uint64_t executions = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    bool good = true;

    if (executions == 0) {
        fprintf(stderr, "usage: nmrcheck-digest EXECUTIONS [MODULE...]\n");
        return 2;
    }
    fprintf(stderr, "nmrcheck-digest: fibers switch by %s\n", fiber_kind);
    for (int i = 2; i < argc && good; i++) {
        const struct module *m = module_find(argv[i]);

        good = m != NULL && module_digests(m, executions);
        if (m == NULL)
            fprintf(stderr, "nmrcheck-digest: no module '%s'\n", argv[i]);
    }
    for (unsigned i = 0; argc <= 2 && i < module_count && good; i++)
        good = module_digests(modules[i], executions);
    return good ? 0 : 2;
}
