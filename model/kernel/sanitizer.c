/*
 * sanitizer.c - what AddressSanitizer sees in module code becomes a finding like any other.
 *
 * The hooks of memory.c know pool memory best and report first.  AddressSanitizer also knows locals and globals.
 * Module code is compiled so that it goes on after a report (-fsanitize-recover=address): the report is noted here,
 * and the next event of the execution turns it into EV_ACCESS.  Our own code is compiled to die of a report.
 */
#include "internal.h"

#include <string.h>

static char kind[64];                       /* "stack-buffer-overflow"; empty: nothing was reported */

#if KERNEL_ASAN

#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>

static char report[8192];

/* "==1==ERROR: AddressSanitizer: stack-buffer-overflow on address …": the word after the name. */
static void on_report(const char *text)
{
    static const char marker[] = "AddressSanitizer: ";
    const char *word = strstr(text, marker);
    size_t length;

    snprintf(report, sizeof report, "%s", text);
    if (!sched_active() || kind[0])
        return;
    word = word ? word + sizeof marker - 1 : "error";
    length = strcspn(word, " \n");
    if (length >= sizeof kind)
        length = sizeof kind - 1;
    memcpy(kind, word, length);
    kind[length] = '\0';
}

static void on_death(void)
{
    fputs(report, stderr);
}

void sanitizer_keep_quiet(void)
{
    static int null = -1;

    if (null < 0)
        null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)                          /* a file of its own is what a child would open otherwise */
        __sanitizer_set_report_fd((void *)(intptr_t)null);
    __sanitizer_set_death_callback(on_death);
}

bool sanitizer_watches(void)
{
    return true;
}

void sanitizer_ask(const void *address, size_t size, bool write, const void *pc)
{
    static const char poisoned[] = "use-of-poisoned-memory";

    if (__asan_region_is_poisoned((void *)(uintptr_t)address, size))
        event_emit(EV_ACCESS, NONE, ACCESS_SANITIZER, (uint64_t)(uintptr_t)poisoned, write, 0, pc);
}

uintptr_t sanitizer_shadow(uintptr_t address)
{
    size_t scale, offset;

    __asan_get_shadow_mapping(&scale, &offset);
    return (address >> scale) + offset;
}

#else

void sanitizer_keep_quiet(void)
{
}

bool sanitizer_watches(void)
{
    return false;
}

void sanitizer_ask(const void *address, size_t size, bool write, const void *pc)
{
    (void)address, (void)size, (void)write, (void)pc;
}

uintptr_t sanitizer_shadow(uintptr_t address)
{
    (void)address;
    return 0;
}

#endif

static void on_event(const struct event *e)
{
    static char told[sizeof kind];

    if (!kind[0])
        return;
    memcpy(told, kind, sizeof told);
    kind[0] = '\0';
    event_emit(EV_ACCESS, NONE, ACCESS_SANITIZER, (uint64_t)(uintptr_t)told, 0, 0, e->pc);
}

void sanitizer_reset(void)
{
    static bool installed;

    kind[0] = '\0';
    if (installed)
        return;
    installed = true;
#if KERNEL_ASAN
    __asan_set_error_report_callback(on_report);
    event_add_judge(on_event);
#else
    (void)on_event;
#endif
}
