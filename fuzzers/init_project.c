/* init_project.c - the lists in project files. */
#include "init_project.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- strings and paths ------------------------------------------------------------------------ */

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("nmrcheck: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

bool strings_have(const struct strings *s, const char *text)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i], text) == 0)
            return true;
    return false;
}

void strings_add(struct strings *s, const char *text)
{
    s->items = checked(realloc(s->items, (s->count + 1) * sizeof *s->items));
    s->items[s->count++] = checked(strdup(text));
}

void strings_add_once(struct strings *s, const char *text)
{
    if (!strings_have(s, text))
        strings_add(s, text);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *s)
{
    if (s->count > 1)
        qsort(s->items, s->count, sizeof *s->items, compare);
}

void strings_release(struct strings *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->items[i]);
    free(s->items);
    *s = (struct strings){0};
}

char *path_join(const char *folder, const char *name)
{
    char *path;
    bool alone = *name == '/' || *folder == '\0' || strcmp(folder, ".") == 0;
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    if (asprintf(&path, "%s%s%s", alone ? "" : folder, alone ? "" : "/", name) < 0)
        checked(NULL);
    return path;
}

char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return checked(slash == NULL ? strdup(".") : strndup(path, (size_t)(slash == path ? 1 : slash - path)));
}

enum { TEXT_MAX = 8 << 20 };

/* UTF-16, as some tools write projects and headers: the characters beyond ASCII do not matter here. */
static size_t narrow(char *text, size_t size)
{
    size_t kept = 0;
    if (size < 2 || (unsigned char)text[0] != 0xFF || (unsigned char)text[1] != 0xFE)
        return size;
    for (size_t i = 2; i + 1 < size; i += 2)
        text[kept++] = text[i + 1] != 0 ? '?' : text[i];
    return kept;
}

char *read_text(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > TEXT_MAX)
        return NULL;
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return NULL;
    char *text = checked(malloc((size_t)info.st_size + 1));
    size_t size = narrow(text, fread(text, 1, (size_t)info.st_size, in));
    fclose(in);
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    text[size] = '\0';
    return text;
}

/* ---- values ----------------------------------------------------------------------------------- */

/* Without $(ProjectDir) and the like, which mean the file's own folder; NULL: it holds some other property. */
static char *expand(const char *value, size_t length)
{
    static const char *const here[] = {"$(ProjectDir)", "$(MSBuildThisFileDirectory)", "$(MSBuildProjectDirectory)"};
    char *text = checked(strndup(value, length)), *start = text, *out;
    while (isspace((unsigned char)*start))
        start++;
    for (size_t n = strlen(start); n > 0 && isspace((unsigned char)start[n - 1]); n--)
        start[n - 1] = '\0';
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        if (strncasecmp(start, here[i], strlen(here[i])) == 0) {
            start += strlen(here[i]);
            start += *start == '\\' || *start == '/';
        }
    out = *start == '\0' || strstr(start, "$(") != NULL || strstr(start, "%(") != NULL || strchr(start, '*') != NULL
              ? NULL : checked(strdup(start));
    free(text);
    return out;
}

static void unescape(char *text)
{
    static const struct { const char *entity; char is; } entities[] = {
        {"&quot;", '"'}, {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&apos;", '\''}};
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        size_t i = 0;
        while (i < 5 && strncmp(from, entities[i].entity, strlen(entities[i].entity)) != 0)
            i++;
        *to++ = i < 5 ? entities[i].is : *from;
        from += i < 5 ? strlen(entities[i].entity) : 1;
    }
    *to = '\0';
}

static void add_path(struct strings *to, const char *folder, const char *value, size_t length)
{
    char *name = expand(value, length);
    if (name == NULL)
        return;
    for (char *c = name; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--)
        name[n - 1] = '\0';
    char *path = path_join(folder, name);
    strings_add_once(to, *path != '\0' ? path : ".");
    free(path);
    free(name);
}

/* Of a definition that is there with another value already, the first stays. */
static void add_definition(struct strings *to, const char *value, size_t length)
{
    static const char *const machines[] = {"_X86_", "i386", "STD_CALL", "_WIN32", "_WIN64", "_AMD64_", "AMD64",
                                           "_M_AMD64", "_ARM64_", "ARM64", "_M_ARM64", "_ARM_", "ARM"};
    char *text = expand(value, length);
    if (text == NULL)
        return;
    size_t name = strcspn(text, "=");
    bool known = !(isalpha((unsigned char)*text) || *text == '_');
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        known = known || (strlen(machines[i]) == name && strncmp(text, machines[i], name) == 0);
    for (size_t i = 0; i < to->count; i++)
        known = known || (strcspn(to->items[i], "=") == name && strncmp(to->items[i], text, name) == 0);
    if (!known)
        strings_add(to, text);
    free(text);
}

/* ---- .vcxproj, .props ------------------------------------------------------------------------- */

enum list { LIST_INCLUDES, LIST_DEFINITIONS };

static void add_list(struct project *p, enum list list, const char *folder, const char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, ";");
        if (list == LIST_INCLUDES)
            add_path(&p->includes, folder, text, n);
        else
            add_definition(&p->definitions, text, n);
        text += n + (text[n] != '\0');
    }
}

static void read_elements(struct project *p, enum list list, const char *folder, const char *text, const char *name)
{
    char open[64];
    size_t length = (size_t)snprintf(open, sizeof open, "<%s", name);
    for (const char *at = text; (at = strstr(at, open)) != NULL; at += length) {
        const char *value = strchr(at, '>');
        if (value == NULL || (at[length] != '>' && !isspace((unsigned char)at[length])) || value[-1] == '/')
            continue;
        char *words = checked(strndup(value + 1, strcspn(value + 1, "<")));
        unescape(words);
        add_list(p, list, folder, words);
        free(words);
    }
}

/* Of <TAG ATTRIBUTE="value" …> each value, from *at on. */
static bool next_attribute(const char **at, const char *tag, const char *attribute, const char **value, size_t *length)
{
    char open[64], key[64];
    snprintf(open, sizeof open, "<%s ", tag);
    snprintf(key, sizeof key, "%s=\"", attribute);
    while ((*at = strstr(*at, open)) != NULL) {
        const char *end = strchr(*at, '>'), *found = strstr(*at, key);
        *at += strlen(open);
        if (end == NULL || found == NULL || found > end)
            continue;
        *value = found + strlen(key);
        *length = strcspn(*value, "\"");
        return true;
    }
    return false;
}

enum { IMPORTS_MAX = 4 };

static bool read_xml(struct project *p, const char *path, unsigned depth)
{
    char *text = read_text(path), *folder = path_folder(path);
    const char *value;
    size_t length;
    for (const char *at = text; at != NULL && next_attribute(&at, "ClCompile", "Include", &value, &length);)
        add_path(&p->sources, folder, value, length);
    if (text != NULL) {
        read_elements(p, LIST_INCLUDES, folder, text, "AdditionalIncludeDirectories");
        read_elements(p, LIST_DEFINITIONS, folder, text, "PreprocessorDefinitions");
    }
    for (const char *at = text; at != NULL && depth < IMPORTS_MAX &&
                                next_attribute(&at, "Import", "Project", &value, &length);) {
        struct strings import = {0};
        add_path(&import, folder, value, length);
        if (import.count > 0)
            read_xml(p, import.items[0], depth + 1);
        strings_release(&import);
    }
    free(folder);
    free(text);
    return text != NULL;
}

/* ---- sources ---------------------------------------------------------------------------------- */

static void add_words(struct project *p, const char *folder, const char *key, size_t length, const char *value)
{
    bool sources = length == 7 && strncasecmp(key, "SOURCES", 7) == 0;
    bool includes = length == 8 && strncasecmp(key, "INCLUDES", 8) == 0;
    bool definitions = length == 9 && strncasecmp(key, "C_DEFINES", 9) == 0;
    while (*value != '\0') {
        size_t n = strcspn(value, " \t;");
        if (sources && n > 0)
            add_path(&p->sources, folder, value, n);
        if (includes && n > 0)
            add_path(&p->includes, folder, value, n);
        if (definitions && n > 2 && strchr("-/", *value) != NULL && value[1] == 'D')
            add_definition(&p->definitions, value + 2, n - 2);
        value += n + (value[n] != '\0');
    }
}

static bool read_sources(struct project *p, const char *path)
{
    char *text = read_text(path), *folder = path_folder(path), *rest = text;
    for (char *c = text; c != NULL && *c != '\0'; c++)          /* lines that go on */
        if (*c == '\\' && (c[1] == '\n' || (c[1] == '\r' && c[2] == '\n'))) {
            memset(c, ' ', c[1] == '\r' ? 3 : 2);
        }
    for (char *line; text != NULL && (line = strsep(&rest, "\r\n")) != NULL;) {
        size_t key = strcspn(line, "= \t");
        const char *value = strchr(line, '=');
        if (value != NULL && *line != '#' && *line != '!')
            add_words(p, folder, line, key, value + 1);
    }
    free(folder);
    free(text);
    return text != NULL;
}

bool project_read(struct project *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    *p = (struct project){.path = checked(strdup(path))};
    if (strcasecmp(slash != NULL ? slash + 1 : path, "sources") == 0)
        return read_sources(p, path);
    return read_xml(p, path, 0);
}

void project_release(struct project *p)
{
    free(p->path);
    strings_release(&p->sources);
    strings_release(&p->includes);
    strings_release(&p->definitions);
    *p = (struct project){0};
}
