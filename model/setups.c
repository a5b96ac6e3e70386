/* setups.c - the scripts that explorations start from.  See world.h and setups.h. */
#include "setups.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "world.h"

/* Values of the operation "call", for EXNPI; another table takes them modulo the number of its functions. */
enum { CALL_REQUEST, CALL_NOTIFY, CALL_INDICATE, CALL_LATER, CALL_QUERY };

#define OP(thread, what, peer, argument) {CHOICE_OP, thread, SITE_OP_##what, 0, peer, argument}

static const struct setup scripts[] = {
    {"plain", 0, {{0}}},
    {"counterparts-first", 4, {
        OP(0, REGISTER_EARLY, 0, 0),
        OP(0, REGISTER_EARLY, 1, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, UNLOAD, 0, 0)}},
    {"call-vs-deregister", 3, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, DEREGISTER, 0, 0)}},
    /* both may be the first that a binding serves */
    {"same-calls", 3, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_REQUEST),
        OP(2, CALL, 0, CALL_REQUEST)}},
    {"calls-vs-unload", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, CALL, 0, CALL_INDICATE),
        OP(3, UNLOAD, 0, 0)}},
    {"two-counterparts", 6, {
        OP(0, REGISTER, 0, 0),
        OP(0, REGISTER, 1, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(1, CALL, 1, CALL_QUERY),
        OP(2, DEREGISTER, 0, 0),
        OP(2, CALL, 1, CALL_NOTIFY)}},
    {"register-vs-unload", 3, {
        OP(1, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, UNLOAD, 0, 0)}},
    {"two-registers", 4, {
        OP(1, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_QUERY),
        OP(2, REGISTER, 1, 0),
        OP(2, DEREGISTER, 1, 0)}},
    {"later-vs-deregister", 3, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(2, DEREGISTER, 0, 0)}},
    {"later-vs-unload", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(1, CALL, 0, CALL_INDICATE),
        OP(2, UNLOAD, 0, 0)}},
    {"laters-vs-deregister", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(2, CALL, 0, CALL_LATER),
        OP(3, DEREGISTER, 0, 0)}},
    /* for modules with entry points */
    {"entry-vs-register", 2, {
        OP(1, REGISTER, 0, 0),
        OP(2, ENTER, 0, 0)}},
    {"entries", 5, {
        OP(0, REGISTER, 0, 0),
        OP(0, REGISTER, 1, 0),
        OP(1, ENTER, 0, 0),
        OP(2, ENTER, 0, 1),
        OP(3, DEREGISTER, 0, 0)}},
    {"entry-vs-call", 5, {
        OP(0, REGISTER, 0, 0),
        OP(1, ENTER, 0, 1),
        OP(2, CALL, 0, CALL_NOTIFY),
        OP(2, ENTER, 0, 2),
        OP(3, DEREGISTER, 0, 0)}},
    {"entries-vs-unload", 4, {
        OP(0, REGISTER, 0, 0),
        OP(1, ENTER, 0, 0),
        OP(2, ENTER, 0, 1),
        OP(3, UNLOAD, 0, 0)}},
    /* for modules with several faces: c0 and c1 are counterparts of the first and of the second */
    {"chain", 5, {
        OP(0, REGISTER, 1, 0),
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_NOTIFY),
        OP(2, CALL, 1, CALL_INDICATE),
        OP(3, DEREGISTER, 1, 0)}},
    {"chain-vs-unload", 5, {
        OP(0, REGISTER, 1, 0),
        OP(0, REGISTER, 0, 0),
        OP(1, CALL, 0, CALL_LATER),
        OP(2, DEREGISTER, 0, 0),
        OP(3, UNLOAD, 0, 0)}},
};

enum { SCRIPTS = sizeof scripts / sizeof *scripts, WITH_ENTRIES = 4, WITH_FACES = 2 };
enum { GROUPS = NPIS_MAX / PEERS_MAX + 1 };

static struct setup made[SCRIPTS * GROUPS];
static unsigned made_count;
const struct setup *setups = made;

static unsigned script_count(unsigned faces, unsigned entries)
{
    if (faces > 1)
        return SCRIPTS;
    return entries > 0 ? SCRIPTS - WITH_FACES : SCRIPTS - WITH_FACES - WITH_ENTRIES;
}

/* The script for the faces from `first` on. */
static void make_setup(const struct setup *script, unsigned first)
{
    struct setup *s = &made[made_count++];
    size_t length = strlen(script->name);

    *s = *script;
    if (first == 0)
        return;
    (void)snprintf(s->name + length, sizeof s->name - length, "-%u", first / PEERS_MAX + 1);
    for (unsigned i = 0; i < s->count; i++)
        if (s->ops[i].site == SITE_OP_REGISTER || s->ops[i].site == SITE_OP_REGISTER_EARLY)
            s->ops[i].value = (uint16_t)first;
}

void setups_make(unsigned faces, unsigned entries)
{
    made_count = 0;
    for (unsigned first = 0; first == 0 || first < faces; first += PEERS_MAX)
        for (unsigned i = 0; i < script_count(faces, entries); i++)
            if (first == 0 || scripts[i].count > 0)
                make_setup(&scripts[i], first);
}

unsigned setup_count(void)
{
    unsigned faces;

    (void)world_faces(&faces);              /* they are made when that is known */
    return made_count;
}

void setup_script(const struct setup *setup, struct scenario *script)
{
    script->count = 0;
    for (unsigned i = 0; i < setup->count; i++)
        CHECK(scenario_add(script, setup->ops[i]));
}
