/*
 * afl_mutator.c - the mutator as AFL++ loads it (AFL_CUSTOM_MUTATOR_LIBRARY).
 *
 *     AFL_CUSTOM_MUTATOR_LIBRARY=nmrcheck-afl-mutator.so AFL_CUSTOM_MUTATOR_ONLY=1 \
 *         afl-fuzz -i corpus/exnpi_refcounted -o out -- ./nmrcheck-afl
 *
 * AFL++ runs each result once, so edits are stacked, 1 to 16: measured, single edits were worse than none.
 * The target runs in another process and tells what it asked through a memory file, see mutate.h.
 * One mutator for each process; AFL++ calls from one thread.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mutate.h"
#include "sites.h"

/* custom_mutators.md of AFL++ 4.04c */
void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *add, size_t add_size,
                       size_t max_size);
const char *afl_custom_describe(void *data, size_t max_size);
int32_t afl_custom_init_trim(void *data, uint8_t *bytes, size_t size);
size_t afl_custom_trim(void *data, uint8_t **out);
int32_t afl_custom_post_trim(void *data, uint8_t success);
void afl_custom_deinit(void *data);

static struct {
    struct mutator mutator;
    uint64_t random;
    struct trim trim;
    const struct asked *asked;              /* NULL when sharing failed */
    int asked_fd;
    const char *last;                       /* what made the last result, for names of queue entries */
    uint8_t out[SCENARIO_BYTES_MAX];
} self;

/* Before AFL++ starts the target, which inherits the descriptor and the variable. */
static void share_asked(void)
{
    char number[16];
    void *memory;

    self.asked_fd = memfd_create("nmrcheck-asked", 0);
    if (self.asked_fd < 0)
        return;
    if (ftruncate(self.asked_fd, sizeof(struct asked)) == 0) {
        memory = mmap(NULL, sizeof(struct asked), PROT_READ | PROT_WRITE, MAP_SHARED, self.asked_fd, 0);
        if (memory != MAP_FAILED) {
            self.asked = memory;
            snprintf(number, sizeof number, "%d", self.asked_fd);
            setenv(ASKED_FD_VARIABLE, number, 1);
        }
    }
}

void *afl_custom_init(void *afl, unsigned seed)
{
    const char *module = getenv("NMRCHECK_MODULE");

    (void)afl;
    self.mutator.words = &model_words;
    self.mutator.module = module != NULL ? scenario_module_hash(module) : 0;
    self.random = seed;
    self.last = "none";
    share_asked();
    return &self;
}

/* A seed for each call, from the one AFL++ gave at the start. */
static uint64_t next_seed(void)
{
    return self.random += 0x9E3779B97F4A7C15u;
}

size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *add, size_t add_size,
                       size_t max_size)
{
    const size_t capacity = max_size < sizeof self.out ? max_size : sizeof self.out;
    const uint64_t seed = next_seed();
    struct scenario s;
    size_t made;

    (void)data;
    *out = self.out;
    self.mutator.asked = self.asked != NULL ? self.asked->points : NULL;
    self.mutator.asked_count = self.asked == NULL ? 0 : self.asked->count < ASKED_MAX ? self.asked->count : ASKED_MAX;
    if (add != NULL && add_size > 0 && seed >> 60 == 0) {   /* 1 in 16 */
        self.last = "crossover";
        made = mutate_crossover(&self.mutator, bytes, size, add, add_size, self.out, capacity, seed);
        return made;
    }
    self.last = "records";
    mutate_read(&s, self.mutator.words, bytes, size);
    made = scenario_encode(&s, self.out, capacity);
    return mutate(&self.mutator, self.out, made, capacity, 1u << (seed >> 40) % 5, seed);
}

const char *afl_custom_describe(void *data, size_t max_size)
{
    (void)data, (void)max_size;
    return self.last;
}

int32_t afl_custom_init_trim(void *data, uint8_t *bytes, size_t size)
{
    (void)data;
    return (int32_t)trim_begin(&self.trim, self.mutator.words, bytes, size);
}

size_t afl_custom_trim(void *data, uint8_t **out)
{
    (void)data;
    *out = self.out;
    return trim_candidate(&self.trim, self.out, sizeof self.out);
}

/* Always one further than before: AFL++ trims until this reaches what init_trim said. */
int32_t afl_custom_post_trim(void *data, uint8_t success)
{
    (void)data;
    return (int32_t)trim_judge(&self.trim, success != 0);
}

void afl_custom_deinit(void *data)
{
    (void)data;
    if (self.asked != NULL)
        munmap((void *)(uintptr_t)self.asked, sizeof *self.asked);
    if (self.asked_fd >= 0)
        close(self.asked_fd);
}
