/* known.c - the programs of programs.h that are a few lines each. */
#include "programs.h"

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "toy.h"

enum { VARIABLES = THREADS_MAX + 1 };

static const struct site sites[] = {
    {"end", 1u << CHOICE_SWITCH, NULL}, {"step", 1u << CHOICE_SWITCH, NULL},
    {"fail", 1u << CHOICE_FAULT, (const char *const[]){"ok", "fail", NULL}}};
const struct vocabulary toy_words = {
    .sites = sites, .site_count = 3, .kind_names = {"op", "peer", "switch", "fault", "system"},
    .driving_prefix = "t", .driving_count = 4, .worker_prefix = "w", .peer_prefix = "c", .peer_count = 1};

static unsigned thread_count, repeat;
static struct toy_lock lock;
static unsigned variables[VARIABLES];

static void spawn(unsigned count, void (*body)(void *argument))
{
    CHECK(count < THREADS_MAX);
    for (unsigned i = 0; i < count; i++)
        sched_spawn(1, body, (void *)(uintptr_t)i);
}

static const struct program *prepare(const struct program *p, unsigned threads)
{
    thread_count = threads;
    return p;
}

/* ---- a lock */

static void increments(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < repeat; i++) {
        toy_acquire(&lock);
        variables[0]++;
        toy_release(&lock);
    }
}

static void lock_increments_main(void *script)
{
    (void)script;
    lock = (struct toy_lock){0};
    spawn(thread_count, increments);
}

const struct program *lock_increments(unsigned threads, unsigned times)
{
    static const struct program p = {.name = "lock increments", .words = &toy_words, .main = lock_increments_main};

    repeat = times;
    return prepare(&p, threads);
}

/* ---- one variable, or one each */

static void write_one(void *argument)
{
    (void)argument;
    toy_touch(0, true);
}

static void writers_main(void *script)
{
    (void)script;
    spawn(thread_count, write_one);
}

const struct program *writers(unsigned n)
{
    static const struct program p = {.name = "writers", .words = &toy_words, .main = writers_main};

    return prepare(&p, n);
}

static void write_own(void *argument)
{
    toy_touch((unsigned)(uintptr_t)argument, true);
}

static void separate_writers_main(void *script)
{
    (void)script;
    spawn(thread_count, write_own);
}

const struct program *separate_writers(unsigned n)
{
    static const struct program p = {.name = "separate writers", .words = &toy_words, .main = separate_writers_main};

    return prepare(&p, n);
}

static void read_or_write(void *argument)
{
    toy_touch(0, argument == NULL);         /* the first one writes */
}

static void readers_main(void *script)
{
    (void)script;
    spawn(thread_count, read_or_write);
}

const struct program *readers(unsigned n)
{
    static const struct program p = {.name = "readers", .words = &toy_words, .main = readers_main};

    return prepare(&p, 1 + n);
}

/* ---- the last zero */

static void copy_next(void *argument)
{
    unsigned i = 1 + (unsigned)(uintptr_t)argument, value;

    toy_touch(i - 1, false);
    value = variables[i - 1];
    toy_touch(i, true);
    variables[i] = value + 1;
}

static void last_zero_main(void *script)
{
    (void)script;
    memset(variables, 0, sizeof variables);
    spawn(thread_count, copy_next);
    for (unsigned i = thread_count;; i--) {
        toy_touch(i, false);
        if (variables[i] == 0)
            break;
    }
}

const struct program *last_zero(unsigned n)
{
    static const struct program p = {.name = "last zero", .words = &toy_words, .main = last_zero_main};

    return prepare(&p, n);
}
