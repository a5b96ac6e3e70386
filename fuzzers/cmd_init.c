/* cmd_init.c - nmrcheck init: from a folder with a driver to a CMakeLists.txt and an npi.c to start from. */
#include "cli.h"
#include "init_write.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The headers of model/wdk, for what a driver includes and its folder does not hold: "/a.h/b.h/". */
#ifndef NMRCHECK_WDK_HEADERS
#define NMRCHECK_WDK_HEADERS "/"
#endif

struct arguments { const char *folder, *name, *out; bool force; };

static const struct argp_option options[] = {
    {"name", 'n', "NAME", 0, "Of the module, a C identifier (default: the project's name, or the folder's)", 0},
    {"out", 'o', "DIR", 0, "Where to write (default: FOLDER/nmrcheck)", 0},
    {"force", 'f', NULL, 0, "Overwrite what is there", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'n': a->name = argument; return 0;
    case 'o': a->out = argument; return 0;
    case 'f': a->force = true; return 0;
    case ARGP_KEY_ARG:
        if (a->folder != NULL)
            argp_failure(state, EXIT_TROUBLE, 0, "one FOLDER, not also '%s'", argument);
        a->folder = argument;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_failure(state, EXIT_TROUBLE, 0, "which folder?"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what is in the folder --------------------------------------------------------------------- */

struct look {
    const char *folder;                     /* absolute */
    char *out;                              /* absolute */
    struct strings sources, headers, other_language, projects;  /* found below the folder */
    struct project project;
    struct scan scan;
    struct driver driver;
    struct strings include_folders;         /* absolute, beside those of the project */
    struct strings missing;                 /* "x.h (driver.c:3)" */
    struct strings spelled, means;          /* headers that Windows would find: as included, and their paths */
};

enum { DEPTH_MAX = 12, FILES_MAX = 20000 };

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcasecmp(name + n - m, ending) == 0;
}

static void sort_in(struct look *l, const char *path, const char *name)
{
    if (ends_in(name, ".c"))
        strings_add(&l->sources, path);
    else if (ends_in(name, ".h") || ends_in(name, ".inc"))
        strings_add(&l->headers, path);
    else if (ends_in(name, ".cpp") || ends_in(name, ".cxx") || ends_in(name, ".cc"))
        strings_add(&l->other_language, path);
    else if (ends_in(name, ".vcxproj") || strcasecmp(name, "sources") == 0)
        strings_add(&l->projects, path);
}

/* Not into hidden folders, builds of CMake, links, and what an earlier run wrote. */
static void walk(struct look *l, const char *folder, unsigned depth)
{
    struct dirent **entries;
    int count = depth < DEPTH_MAX ? scandir(folder, &entries, NULL, alphasort) : -1;
    char *cache = path_join(folder, "CMakeCache.txt");
    bool build = access(cache, F_OK) == 0;
    free(cache);
    for (int i = 0; i < count; i++) {
        char *path = path_join(folder, entries[i]->d_name);
        struct stat info;
        if (!build && *entries[i]->d_name != '.' && lstat(path, &info) == 0 && strcmp(path, l->out) != 0 &&
            l->sources.count + l->headers.count < FILES_MAX) {
            if (S_ISDIR(info.st_mode))
                walk(l, path, depth + 1);
            else if (S_ISREG(info.st_mode))
                sort_in(l, path, entries[i]->d_name);
        }
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

/* The path as it is on disk: Windows does not tell large from small letters.  NULL: there is no such file. */
static char *on_disk(const struct look *l, const char *path)
{
    char *real = realpath(path, NULL);
    const struct strings *lists[] = {&l->sources, &l->headers, &l->other_language};
    if (real != NULL)
        return real;
    char *folder = path_folder(path), *there = realpath(folder, NULL);
    const char *slash = strrchr(path, '/');
    char *wanted = there != NULL ? path_join(there, slash != NULL ? slash + 1 : path) : strdup(path);
    for (size_t k = 0; k < 3 && real == NULL; k++)
        for (size_t i = 0; i < lists[k]->count && real == NULL; i++)
            if (strcasecmp(lists[k]->items[i], wanted) == 0)
                real = strdup(lists[k]->items[i]);
    free(folder);
    free(there);
    free(wanted);
    return real;
}

static bool registers(const char *path)
{
    char *text = read_text(path);
    bool found = text != NULL && (strstr(text, "NmrRegisterProvider") || strstr(text, "NmrRegisterClient"));
    free(text);
    return found;
}

static bool has_main(const char *path)
{
    char *text = read_text(path);
    bool found = text != NULL && strstr(text, "DriverEntry") == NULL &&
                 (strstr(text, " main(") != NULL || strstr(text, "\nmain(") != NULL || strstr(text, "wmain(") != NULL);
    free(text);
    return found;
}

/* The project whose files register with NMR; its sources replace those that were found. */
static void choose_project(struct look *l)
{
    for (size_t i = 0; i < l->projects.count && l->project.path == NULL; i++) {
        struct project p;
        struct strings sources = {0};
        bool fits = false;
        if (!project_read(&p, l->projects.items[i]))
            continue;
        for (size_t k = 0; k < p.sources.count; k++) {
            char *path = on_disk(l, p.sources.items[k]);
            if (path != NULL && ends_in(path, ".c"))
                strings_add_once(&sources, path);
            fits = fits || (path != NULL && registers(path));
            free(path);
        }
        if (fits && sources.count > 0) {
            strings_release(&l->sources);
            l->sources = sources;
            l->project = p;
        } else {
            strings_release(&sources);
            project_release(&p);
        }
    }
    for (size_t i = 0; l->project.path == NULL && i < l->sources.count;) {      /* programs that test the driver */
        if (!has_main(l->sources.items[i])) {
            i++;
            continue;
        }
        free(l->sources.items[i]);
        l->sources.items[i] = l->sources.items[--l->sources.count];
    }
    strings_sort(&l->sources);
}

/* ---- includes ---------------------------------------------------------------------------------- */

static bool in_wdk(const char *name)
{
    char *key;
    bool found = asprintf(&key, "/%s/", name) > 0 && strcasestr(NMRCHECK_WDK_HEADERS, key) != NULL;
    free(key);
    return found;
}

/* Below the folder, by the end of its path.  *exact: its letters are as large as in `name`. */
static const char *among_headers(const struct look *l, const char *name, bool *exact)
{
    size_t length = strlen(name);
    const char *found = NULL;
    *exact = false;
    for (size_t i = 0; i < l->headers.count && !*exact; i++) {
        const char *path = l->headers.items[i], *end = path + strlen(path) - length;
        if (end <= path || end[-1] != '/' || strcasecmp(end, name) != 0)
            continue;
        *exact = strcmp(end, name) == 0;
        if (*exact || found == NULL)
            found = path;
    }
    return found;
}

static const char *short_path(const struct look *l, const char *path)
{
    size_t n = strlen(l->folder);
    return strncmp(path, l->folder, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static void note(struct strings *to, const struct look *l, const struct source *in, const struct include *i)
{
    char *text;
    if (asprintf(&text, "%s (%s:%u)", i->name, short_path(l, in->path), i->line) < 0)
        return;
    for (size_t k = 0; k < to->count; k++)
        if (strncmp(to->items[k], i->name, strlen(i->name)) == 0) {
            free(text);
            return;
        }
    strings_add(to, text);
    free(text);
}

static char *existing(const char *folder, const char *name)
{
    char *path = path_join(folder, name), *real = realpath(path, NULL);
    free(path);
    return real;
}

/* The file of an include, for the caller to free; NULL: it is the WDK's, or is noted as missing. */
static char *find_header(struct look *l, const struct source *in, const struct include *i)
{
    char *folder = path_folder(in->path), *path = i->quoted ? existing(folder, i->name) : NULL;
    bool exact;
    free(folder);
    for (size_t k = 0; path == NULL && k < l->project.includes.count; k++)
        path = existing(l->project.includes.items[k], i->name);
    if (path != NULL || in_wdk(i->name) || ends_in(i->name, ".tmh"))
        return path;
    const char *found = among_headers(l, i->name, &exact);
    if (found == NULL) {
        note(&l->missing, l, in, i);
        return NULL;
    }
    if (exact) {
        char *base = strndup(found, strlen(found) - strlen(i->name) - 1);
        strings_add_once(&l->include_folders, base);
        free(base);
    } else if (!strings_have(&l->spelled, i->name) && strstr(i->name, "..") == NULL) {
        strings_add(&l->spelled, i->name);
        strings_add(&l->means, found);
    }
    return strdup(found);
}

static bool scanned(const struct scan *s, const char *path)
{
    for (size_t i = 0; i < s->source_count; i++)
        if (strcmp(s->sources[i]->path, path) == 0)
            return true;
    return false;
}

static void read_all(struct look *l)
{
    for (size_t i = 0; i < l->sources.count; i++) {
        char *text = read_text(l->sources.items[i]);
        if (text != NULL)
            scan_add(&l->scan, strdup(l->sources.items[i]), text, false);
    }
    for (size_t i = 0; i < l->scan.source_count; i++)           /* grows meanwhile: headers of headers */
        for (size_t k = 0; k < l->scan.sources[i]->include_count; k++) {
            char *path = find_header(l, l->scan.sources[i], &l->scan.sources[i]->includes[k]);
            char *text = path != NULL && !scanned(&l->scan, path) ? read_text(path) : NULL;
            if (text != NULL)
                scan_add(&l->scan, path, text, true);
            else
                free(path);
        }
}

/* ---- what to write ----------------------------------------------------------------------------- */

/* A path from the folder of the files; absolute when nothing is shared. */
static char *relative(const char *folder, const char *path)
{
    size_t shared = 0, i = 0;
    char *text = NULL;
    size_t size;
    for (; folder[i] != '\0' && folder[i] == path[i]; i++)
        if (folder[i] == '/')
            shared = i + 1;
    if ((folder[i] == '\0' && (path[i] == '/' || path[i] == '\0')) || (path[i] == '\0' && folder[i] == '/'))
        shared = i + (path[i] == '/');
    if (shared <= 1)
        return strdup(path);
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return strdup(path);
    const char *rest = folder + (shared < strlen(folder) ? shared : strlen(folder));
    rest += *rest == '/';
    for (bool up = *rest != '\0'; up; rest++) {
        size_t n = strcspn(rest, "/");
        fputs("../", out);
        rest += n;
        up = *rest != '\0';
    }
    fputs(shared < strlen(path) ? path + shared : "", out);
    fclose(out);
    size_t n = strlen(text);
    if (n > 1 && text[n - 1] == '/')
        text[n - 1] = '\0';
    if (*text == '\0')
        strcpy(text = realloc(text, 2), ".");
    return text;
}

static void add_relative(struct strings *to, const char *folder, const char *path)
{
    char *text = relative(folder, path);
    strings_add_once(to, text);
    free(text);
}

static void fill(struct init *i, struct look *l)
{
    *i = (struct init){.name = i->name, .scan = &l->scan, .driver = &l->driver};
    for (size_t k = 0; k < l->sources.count; k++)
        add_relative(&i->sources, l->out, l->sources.items[k]);
    if (l->driver.registers != NULL) {                          /* for npi.c, which includes what it includes */
        char *folder = path_folder(l->driver.registers->path);
        add_relative(&i->includes, l->out, folder);
        free(folder);
    }
    for (size_t k = 0; k < l->project.includes.count; k++) {
        char *folder = realpath(l->project.includes.items[k], NULL);
        if (folder != NULL)
            add_relative(&i->includes, l->out, folder);
        free(folder);
    }
    for (size_t k = 0; k < l->include_folders.count; k++)
        add_relative(&i->includes, l->out, l->include_folders.items[k]);
    if (l->spelled.count > 0)
        strings_add(&i->includes, "include");
    for (size_t k = 0; k < l->project.definitions.count; k++)
        strings_add(&i->definitions, l->project.definitions.items[k]);
}

static char *module_name(const struct look *l, const char *given)
{
    const char *path = given != NULL ? given : l->project.path != NULL ? l->project.path : l->folder;
    const char *slash = given != NULL ? NULL : strrchr(path, '/');
    if (slash != NULL && strcasecmp(slash, "/sources") == 0)
        slash = strrchr(path = l->folder, '/');
    char *name;
    const char *base = slash != NULL ? slash + 1 : path;
    if (asprintf(&name, "%s%s", isalpha((unsigned char)*base) || *base == '_' ? "" : "_", base) < 0)
        return NULL;
    if (given == NULL && ends_in(name, ".vcxproj"))
        name[strlen(name) - strlen(".vcxproj")] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return name;
}

/* Headers whose names the driver spells in other letters: each gets one that leads to it.  False: the reason was
 * printed. */
static bool write_headers(const struct look *l)
{
    struct output_error error;
    bool done = true;
    for (size_t k = 0; done && k < l->spelled.count; k++) {
        struct output out;
        char *folder = path_join(l->out, "include"), *path = path_join(folder, l->spelled.items[k]);
        char *base = path_folder(path), *to = NULL;
        done = output_make_folder(base, &error) == OUTPUT_OK && output_open(&out, path, &error) == OUTPUT_OK;
        if (done) {
            fprintf(out.file, "#include \"%s\"\n", to = relative(base, l->means.items[k]));
            done = output_close(&out, &error) == OUTPUT_OK;
        }
        free(folder);
        free(path);
        free(base);
        free(to);
    }
    if (!done)
        cli_complain_output(&error);
    return done;
}

static bool write_file(const char *path, const struct init *i, void (*write)(const struct init *i, FILE *out))
{
    struct output out;
    struct output_error error;
    if (output_open(&out, path, &error) == OUTPUT_OK) {
        write(i, out.file);
        if (output_close(&out, &error) == OUTPUT_OK)
            return true;
    }
    cli_complain_output(&error);
    return false;
}

/* ---- what to say ------------------------------------------------------------------------------- */

static void say_npis(const struct driver *d)
{
    for (unsigned k = 0; k < d->npi_count; k++) {
        const struct seen_npi *n = &d->npis[k];
        bool client = n->registered[PARTY_CLIENT], provider = n->registered[PARTY_PROVIDER];
        printf("  found    %s of %s\n", client && provider ? "client and provider" : client ? "client" : "provider",
               *n->id != '\0' ? n->id : "an NPI whose id was not recognised");
        for (unsigned side = 0; side < PARTIES; side++)
            if (n->table[side] != NULL)
                printf("  guessed  %s is the dispatch table of its %ss\n", n->table[side]->name,
                       side == PARTY_CLIENT ? "client" : "provider");
            else
                printf("  not seen the dispatch table of its %ss: without it in npi.c they call no function\n",
                       side == PARTY_CLIENT ? "client" : "provider");
    }
    if (d->npi_count == 0)
        printf("  not seen any NPI: what the driver registers is seen when it runs\n");
}

static void say_list(const char *what, const char *why, const struct strings *list)
{
    for (size_t k = 0; k < list->count; k++)
        printf("  %s%s%s\n", what, list->items[k], why);
}

/* For CMake to find what this program belongs to: of an installed copy its prefix, NULL where CMake looks anyway. */
static char *prefix(bool *installed)
{
    char *self = realpath("/proc/self/exe", NULL), *bin = self != NULL ? path_folder(self) : strdup("");
    char *folder = path_folder(bin), *config = path_join(folder, "lib/cmake/nmrcheck/nmrcheckConfig.cmake");
    *installed = access(config, R_OK) == 0;
    bool usual = strcmp(folder, "/usr") == 0 || strcmp(folder, "/usr/local") == 0;
    free(self);
    free(bin);
    free(config);
    if (*installed && !usual)
        return folder;
    free(folder);
    return NULL;
}

static void say_next(const struct look *l, const struct init *i)
{
    const char *quote = strpbrk(l->out, " '\"$()&;") != NULL ? "\"" : "";
    bool installed;
    char *where = prefix(&installed);
    printf("Next: look at npi.c, then\n  cd %s%s%s\n  cmake -B build -DCMAKE_C_COMPILER=clang", quote, l->out, quote);
    if (where != NULL || !installed)
        printf(" -DCMAKE_PREFIX_PATH=%s", where != NULL ? where : "PREFIX     # where nmrcheck is installed");
    printf("\n  cmake --build build\n  build/%s check\n", i->name);
    free(where);
}

static void say(const struct look *l, const struct init *i)
{
    const struct driver *d = &l->driver;
    printf("%s: CMakeLists.txt, npi.c\n", l->out);
    if (l->project.path != NULL)
        printf("  read     %s\n", short_path(l, l->project.path));
    printf("  found    %zu source file%s", l->sources.count, l->sources.count == 1 ? "" : "s");
    if (d->entry != NULL)
        printf(", DriverEntry in %s", short_path(l, d->entry->inside.in->path));
    printf("\n");
    if (l->other_language.count > 0)
        printf("  left out %zu C++ file%s, such as %s: nmrcheck compiles C\n", l->other_language.count,
               l->other_language.count == 1 ? "" : "s", short_path(l, l->other_language.items[0]));
    say_npis(d);
    if (d->entry == NULL)
        printf("  guessed  no DriverEntry: INIT %s, EXIT %s\n", d->init != NULL ? d->init->name : "is yours to name",
               d->exit != NULL ? d->exit->name : "is yours to name");
    if (d->operation_count > 0)
        printf("  guessed  %zu entry point%s of its own, such as %s: commented out in npi.c\n",
               d->operation_count, d->operation_count == 1 ? "" : "s", d->operations[0]->name);
    say_list("missing  ", ": neither below the folder nor in nmrcheck's WDK", &l->missing);
    if (l->spelled.count > 0)
        printf("  written  include/: %zu header%s such as %s, which on disk has other small and large letters\n",
               l->spelled.count, l->spelled.count == 1 ? "" : "s", l->spelled.items[0]);
    say_next(l, i);
}

/* ---- the command ------------------------------------------------------------------------------- */

/* False: the reason was printed. */
static bool can_be_checked(const struct look *l, const char *folder)
{
    if (l->sources.count == 0 && l->other_language.count > 0)
        cli_complain(folder, 0, "%zu C++ files, such as %s, and no C: nmrcheck compiles C", l->other_language.count,
                     short_path(l, l->other_language.items[0]));
    else if (l->sources.count == 0)
        cli_complain(folder, 0, "no C source files");
    else if (l->driver.second_entry != NULL)
        cli_complain(folder, 0, "DriverEntry in %s and in %s: name the folder of one driver",
                     short_path(l, l->driver.entry->inside.in->path), short_path(l, l->driver.second_entry->path));
    else
        return true;
    return false;
}

static bool write_both(const struct look *l, const struct init *i, bool force)
{
    char *cmake = path_join(l->out, "CMakeLists.txt"), *npi = path_join(l->out, "npi.c");
    struct output_error error;
    bool done = false;
    if (!force && (access(cmake, F_OK) == 0 || access(npi, F_OK) == 0))
        cli_complain(access(cmake, F_OK) == 0 ? cmake : npi, 0, "is there already; --force overwrites it");
    else if (output_make_folder(l->out, &error) != OUTPUT_OK)
        cli_complain_output(&error);
    else
        done = write_headers(l) && write_file(npi, i, init_write_npi) && write_file(cmake, i, init_write_cmake);
    free(cmake);
    free(npi);
    return done;
}

/* Absolute, also when it is not there yet. */
static char *absolute(const char *path)
{
    char *real = realpath(path, NULL), *folder = path_folder(path), *there = realpath(folder, NULL), *joined = NULL;
    const char *slash = strrchr(path, '/');
    if (real == NULL && there != NULL)
        joined = path_join(there, slash != NULL ? slash + 1 : path);
    free(folder);
    free(there);
    return real != NULL ? real : joined != NULL ? joined : strdup(path);
}

static void release(struct look *l, struct init *i)
{
    struct strings *const lists[] = {&l->sources, &l->headers, &l->other_language, &l->projects, &l->include_folders,
                                     &l->missing, &l->spelled, &l->means, &i->sources, &i->includes, &i->definitions};
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        strings_release(lists[k]);
    driver_release(&l->driver);
    scan_release(&l->scan);
    project_release(&l->project);
    free(l->out);
    free((char *)(uintptr_t)i->name);
    free((char *)(uintptr_t)l->folder);
}

int cmd_init(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "FOLDER",
        .doc = "Look at the sources of a driver; write a CMakeLists.txt that checks it, and a description of its NPIs "
               "to start from.\v"
               "Nothing is compiled: what it says is a guess; odd sources do no harm.  Projects (.vcxproj, sources) "
               "are read for lists of files, folders and definitions.",
    };
    struct arguments a = {0};
    cli_parse(&argp, argc, argv, &a);
    struct look l = {.folder = realpath(a.folder, NULL)};
    struct init i = {0};
    struct stat info;
    if (l.folder == NULL || stat(l.folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        cli_complain(a.folder, 0, "%s", l.folder == NULL ? strerror(errno) : "not a folder");
        free((char *)(uintptr_t)l.folder);
        return EXIT_TROUBLE;
    }
    l.out = a.out != NULL ? absolute(a.out) : path_join(l.folder, "nmrcheck");
    walk(&l, l.folder, 0);
    choose_project(&l);
    read_all(&l);
    driver_look(&l.driver, &l.scan);
    bool done = can_be_checked(&l, a.folder);
    i.name = module_name(&l, a.name);
    fill(&i, &l);
    done = done && write_both(&l, &i, a.force);
    if (done)
        say(&l, &i);
    release(&l, &i);
    return done ? EXIT_CLEAN : EXIT_TROUBLE;
}
