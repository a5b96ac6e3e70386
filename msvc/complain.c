/* complain.c - see complain.h. */
#include "complain.h"
#include "wdk.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the WDK declares types and names that begin so: parts of it that are not simulated. */
static const struct { const char *prefix, *header; } places[] = {
    {"NDIS", "ndis.h"}, {"Ndis", "ndis.h"}, {"NET_BUFFER", "ndis.h"}, {"NET_IF", "ndis.h"}, {"MIB_", "netioapi.h"},
    {"FWPS", "fwpsk.h"}, {"FWPM", "fwpmk.h"}, {"FWP_", "fwptypes.h"}, {"WDF", "wdf.h"}, {"FLT_", "fltkernel.h"},
    {"BCRYPT", "bcrypt.h"}, {"SOCKADDR", "ws2def.h"},
};

static const char *place_of(const char *name)
{
    const char *header = wdk_header(name);

    if (header)
        return header;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t length = strlen(places[i].prefix);

        if (strncmp(name, places[i].prefix, length) == 0 && !islower((unsigned char)name[length]))
            return places[i].header;
    }
    return NULL;
}

/* ---- messages */

/* A line without colours.  The next line, or NULL. */
static const char *read_line(const char *at, char *line, size_t size)
{
    size_t n = 0;

    for (; *at && *at != '\n'; at++) {
        if (*at == '\033') {
            at += strcspn(at, "mK\n");
            if (!*at || *at == '\n')
                break;
        } else if (n + 1 < size) {
            line[n++] = *at;
        }
    }
    line[n] = '\0';
    return *at ? at + 1 : NULL;
}

static bool read_message(const char *line, struct message *m)
{
    static const char *const kinds[] = {": error: ", ": fatal error: ", ": warning: "};
    int length = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *kind = strstr(line, kinds[i]);

        if (!kind || sscanf(line, "%4095[^:]:%u%n", m->file, &m->line, &length) != 2 || line + length > kind)
            continue;
        snprintf(m->text, sizeof m->text, "%s", kind + strlen(kinds[i]));
        return true;
    }
    return false;
}

bool message_next(const char **at, struct message *m)
{
    char line[8192];

    while (*at && **at) {
        *at = read_line(*at, line, sizeof line);
        if (read_message(line, m))
            return true;
    }
    return false;
}

bool message_header(const struct message *m, char *name, size_t size)
{
    const char *end = strstr(m->text, "' file not found");
    const char *start = m->text + (end && m->text[0] == '\'');

    if (!end)
        end = strstr(m->text, ": No such file or directory");
    if (!end)
        return false;
    snprintf(name, size, "%.*s", (int)(end - start), start);
    return true;
}

/* The name in quotes after some words. */
static bool named(const struct message *m, const char *words, char *name, size_t size)
{
    const char *found = strstr(m->text, words);
    const char *start = found ? strchr(found + strlen(words) - 1, '\'') : NULL;

    if (!start)
        return false;
    snprintf(name, size, "%.*s", (int)strcspn(start + 1, "'"), start + 1);
    return true;
}

bool complains_of_types(const char *messages)
{
    struct message m;

    while (message_next(&messages, &m)) {
        if (strstr(m.text, "conflicting types for") || strstr(m.text, "conflicting type qualifiers for") ||
            strstr(m.text, "with a different type"))
            return true;
    }
    return false;
}

/* ---- lines */

/* The line that the message is about. */
static void read_source(const struct message *m, char *line, int size)
{
    FILE *file = fopen(m->file, "r");

    line[0] = '\0';
    for (unsigned n = 0; file && n < m->line && fgets(line, size, file);)
        n += strchr(line, '\n') != NULL;
    if (file)
        fclose(file);
}

/* Does the line of the message ask for the header by <...>? */
static bool in_angle_brackets(const struct message *m)
{
    char line[4096];

    read_source(m, line, sizeof line);
    return strchr(line, '<') && !strchr(line, '"');
}

static bool complain_header(const struct message *m, char *line, size_t size)
{
    char name[1024];
    bool angle;

    if (!message_header(m, name, sizeof name))
        return false;
    angle = in_angle_brackets(m);
    snprintf(line, size, "%c%s%c is not in the simulated WDK, nor in the driver's folders: add its folder to INCLUDES, "
             "or write one of that name with what the driver needs of it", angle ? '<' : '"', name, angle ? '>' : '"');
    return true;
}

bool message_function(const struct message *m, char *name, size_t size)
{
    return named(m, "implicit declaration of function '", name, size) ||
           named(m, "call to undeclared function '", name, size) ||
           named(m, "call to undeclared library function '", name, size);
}

static bool complain_function(const struct message *m, char *line, size_t size)
{
    char name[256];
    const char *header;

    if (!message_function(m, name, sizeof name))
        return false;
    header = place_of(name);
    snprintf(line, size, "function %s is not declared%s%s%s: if no header of the driver does it, declare it in one of "
             "your own (INCLUDES), and give it a body in the NPI description: NMRCHECK_STUB(%s, value)", name,
             header ? " (the WDK does it in " : "", header ? header : "", header ? ")" : "", name);
    return true;
}

static bool complain_type(const struct message *m, char *line, size_t size)
{
    char name[256];
    const char *header;

    if (!named(m, "unknown type name '", name, sizeof name))
        return false;
    header = place_of(name);
    if (strcmp(name, "class") == 0 || strcmp(name, "namespace") == 0 || strcmp(name, "template") == 0 ||
        strcmp(name, "using") == 0)
        snprintf(line, size, "this is C++ (%s): only drivers in C can be tested; the files that NMR calls into must be "
                 "C", name);
    else
        snprintf(line, size, "type %s is not in the simulated WDK%s%s%s: define it in a header of your own (INCLUDES)",
                 name, header ? " (the WDK has it in " : "", header ? header : "", header ? ")" : "");
    return true;
}

/* MACRO(…); outside of functions, of a macro that nobody defines. */
static bool complain_macro(const struct message *m, char *line, size_t size)
{
    char source[4096], name[256];

    if (!strstr(m->text, "type specifier missing") && !strstr(m->text, "data definition has no type"))
        return false;
    read_source(m, source, sizeof source);
    if (sscanf(source, " %255[A-Za-z0-9_]", name) != 1 || source[strspn(source, " \t") + strlen(name)] != '(')
        return false;
    snprintf(line, size, "%s(...) is no declaration: if it is a macro that the WDK has and the simulated one lacks, "
             "define it in a header of your own (INCLUDES)", name);
    return true;
}

/* Names with a small letter are mostly variables, of a type that was complained about. */
static bool complain_name(const struct message *m, char *line, size_t size)
{
    char name[256];
    const char *header;

    if (!named(m, "use of undeclared identifier '", name, sizeof name) &&
        !(strstr(m->text, "undeclared") && named(m, "'", name, sizeof name)))
        return false;
    header = place_of(name);
    if (islower((unsigned char)name[0]))
        return false;
    snprintf(line, size, "%s is not declared%s%s%s: if no header of the driver does it, define it in DEFINES or in a "
             "header of your own (INCLUDES)", name, header ? " (the WDK does it in " : "", header ? header : "",
             header ? ")" : "");
    return true;
}

void complain(const char *messages)
{
    char told[65536] = "\n", line[2048];
    size_t length = 1;
    struct message m;

    while (message_next(&messages, &m)) {
        char once[2050];

        if (!complain_header(&m, line, sizeof line) && !complain_function(&m, line, sizeof line) &&
            !complain_macro(&m, line, sizeof line) && !complain_type(&m, line, sizeof line) &&
            !complain_name(&m, line, sizeof line))
            continue;
        snprintf(once, sizeof once, "\n%s\n", line);
        if (strstr(told, once) || length + strlen(once) >= sizeof told)
            continue;
        length += (size_t)snprintf(told + length, sizeof told - length, "%s\n", line);
        fprintf(stderr, "%s:%u: %s\n", m.file, m.line, line);
    }
}
