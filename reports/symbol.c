/* symbol.c - program counters as source lines, by a tool that knows DWARF better than we do. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                         /* dladdr, dl_iterate_phdr */
#endif
#include "symbol.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH_MAX = 256, LINE_MAX_BYTES = 1024, ARGUMENTS_MAX = BATCH_MAX + 8 };

static struct entry { const void *pc; struct symbol symbol; bool known; } table[SYMBOLS_MAX];
static unsigned table_count;

/* The main program: where it was loaded, and up to where. */
struct program_range { uintptr_t base, end; };

static int first_object(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct program_range *range = context;
    range->base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
        if (p->p_type == PT_LOAD && end > range->end)
            range->end = end;
    }
    return 1;                               /* the main program comes first; the others do not matter */
}

/* This file's own name tells where the sources are, however the build spells it. */
static const char *relative(const char *file)
{
    static const char own[] = __FILE__, tail[] = "reports/symbol.c";
    size_t root = sizeof own > sizeof tail ? sizeof own - sizeof tail : 0;
    if (root > 0 && strncmp(file, own, root) == 0)
        return file + root;
    return file;
}

static void set_place(struct symbol *s, char *text)
{
    /* FILE:LINE or FILE:LINE:COLUMN, possibly followed by " (discriminator 2)". */
    char *space = strstr(text, " (");
    if (space != NULL)
        *space = '\0';
    char *first = strchr(text, ':');
    if (first == NULL || first == text || strncmp(text, "??", 2) == 0)
        return;
    *first = '\0';
    s->line = (unsigned)strtoul(first + 1, NULL, 10);
    if (s->line != 0)
        snprintf(s->file, sizeof s->file, "%.*s", (int)sizeof s->file - 1, relative(text));
}

/* A function of the shim's headers that was inlined into the module tells nothing: prefer its caller. */
static bool is_shim(const struct symbol *s)
{
    size_t length = strlen(s->file);
    return length > 2 && s->file[length - 2] == '.' && s->file[length - 1] == 'h';
}

/* One answer: pairs of lines (function, place), innermost first. */
static void take_pair(struct entry *e, const char *function, char *place)
{
    struct symbol s = {0};
    set_place(&s, place);
    if (strncmp(function, "??", 2) != 0)
        snprintf(s.function, sizeof s.function, "%.*s", (int)sizeof s.function - 1, function);
    if (s.function[0] == '\0' && s.line == 0)
        return;
    if (e->known && !is_shim(&e->symbol))
        return;
    e->symbol = s;
    e->known = true;
}

/* <spawn.h> would do, but it includes <sched.h>, and so would meet the harness's header of that name. */
static FILE *start_tool(char *const *arguments, pid_t *child)
{
    int ends[2];
    if (pipe(ends) != 0)
        return NULL;
    *child = fork();
    if (*child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDERR_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    close(ends[1]);
    if (*child > 0)
        return fdopen(ends[0], "r");
    close(ends[0]);
    return NULL;
}

/* Each answer begins with its address on a line of its own, in the order of the questions. */
static bool read_answers(FILE *in, struct entry *const *asked, unsigned count)
{
    char line[LINE_MAX_BYTES], function[LINE_MAX_BYTES] = "";
    unsigned next = 0;
    bool have_function = false;
    while (fgets(line, sizeof line, in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0x", 2) == 0) {
            next++;
            have_function = false;
        } else if (line[0] != '\0' && next > 0 && next <= count) {
            if (have_function)
                take_pair(asked[next - 1], function, line);
            else
                memcpy(function, line, sizeof function);
            have_function = !have_function;
        }
    }
    return next == count;
}

static bool ask_tool(char *const *options, struct entry *const *asked, unsigned count, uintptr_t base)
{
    static char texts[BATCH_MAX][24];
    char *arguments[ARGUMENTS_MAX];
    unsigned n = 0;
    for (; options[n] != NULL; n++)
        arguments[n] = options[n];
    for (unsigned i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "0x%lx", (unsigned long)((uintptr_t)asked[i]->pc - base));
        arguments[n++] = texts[i];
    }
    arguments[n] = NULL;
    pid_t child = 0;
    FILE *in = start_tool(arguments, &child);
    if (in == NULL)
        return false;
    bool complete = read_answers(in, asked, count);
    fclose(in);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return complete && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void ask(struct entry *const *asked, unsigned count, uintptr_t base)
{
    static char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length <= 0)
        return;
    own[length] = '\0';
    char llvm[] = "llvm-symbolizer", llvm14[] = "llvm-symbolizer-14", llvm19[] = "llvm-symbolizer-19";
    char object[] = "--obj", address[] = "--addresses", inlines[] = "--inlining=true";
    char binutils[] = "addr2line", flags[] = "-afi", program[] = "-e";
    char *const tools[][6] = {
        {llvm, object, own, address, inlines, NULL},
        {llvm14, object, own, address, inlines, NULL},
        {llvm19, object, own, address, inlines, NULL},
        {binutils, flags, program, own, NULL, NULL},
    };
    for (unsigned i = 0; i < sizeof tools / sizeof *tools; i++)
        if (ask_tool(tools[i], asked, count, base))
            return;
}

static void from_dladdr(struct entry *e)
{
    Dl_info info;
    if (e->known || dladdr(e->pc, &info) == 0 || info.dli_sname == NULL)
        return;
    snprintf(e->symbol.function, sizeof e->symbol.function, "%s+0x%lx", info.dli_sname,
             (unsigned long)((uintptr_t)e->pc - (uintptr_t)info.dli_saddr));
    e->known = true;
}

static struct entry *find(const void *pc)
{
    for (unsigned i = 0; i < table_count; i++)
        if (table[i].pc == pc)
            return &table[i];
    return NULL;
}

void symbols_load(const void *const *pcs, unsigned count)
{
    table_count = 0;
    for (unsigned i = 0; i < count && table_count < SYMBOLS_MAX; i++)
        if (pcs[i] != NULL && find(pcs[i]) == NULL)
            table[table_count++] = (struct entry){.pc = pcs[i]};
    struct program_range range = {0, 0};
    dl_iterate_phdr(first_object, &range);
    struct entry *batch[BATCH_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < table_count; i++) {
        uintptr_t pc = (uintptr_t)table[i].pc;
        if (pc > range.base && pc <= range.end)
            batch[n++] = &table[i];
        if (n == BATCH_MAX || (i + 1 == table_count && n > 0)) {
            ask(batch, n, range.base);
            n = 0;
        }
    }
    for (unsigned i = 0; i < table_count; i++)
        from_dladdr(&table[i]);
}

bool symbol_find(const void *pc, struct symbol *out)
{
    const struct entry *e = pc != NULL ? find(pc) : NULL;
    if (e == NULL || !e->known)
        return false;
    *out = e->symbol;
    return true;
}

const char *symbol_format(const struct symbol *s, char *text, unsigned long capacity)
{
    if (s->line != 0)
        snprintf(text, capacity, "%s:%u", s->file, s->line);
    else
        snprintf(text, capacity, "%s", s->function);
    return text;
}
