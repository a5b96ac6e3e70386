/* wdk.c - see wdk.h. */
#include "wdk.h"
#include "tokens.h"

#include <stdio.h>
#include <string.h>

static struct { char name[100], header[100], type[100]; } *list;
static size_t count;

static const struct { const char *wdk, *c; } types[] = {
    {"void", "void"}, {"VOID", "void"}, {"NTSTATUS", "int"}, {"NDIS_STATUS", "int"}, {"LONG", "int"}, {"int", "int"},
    {"INT", "int"}, {"long", "int"}, {"BOOL", "int"}, {"BOOLEAN", "unsigned char"}, {"UCHAR", "unsigned char"},
    {"KIRQL", "unsigned char"}, {"CHAR", "char"}, {"CCHAR", "char"}, {"USHORT", "unsigned short"}, {"SHORT", "short"},
    {"ULONG", "unsigned int"}, {"LOGICAL", "unsigned int"}, {"UINT32", "unsigned int"}, {"unsigned", "unsigned int"},
    {"ULONGLONG", "unsigned long"}, {"ULONG64", "unsigned long"}, {"ULONG_PTR", "unsigned long"},
    {"SIZE_T", "unsigned long"}, {"size_t", "unsigned long"}, {"KAFFINITY", "unsigned long"}, {"LONGLONG", "long"},
    {"LONG64", "long"}, {"LONG_PTR", "long"}, {"HANDLE", "void *"}, {"LARGE_INTEGER", NULL},
    {"POOL_TYPE", NULL}, {"PHYSICAL_ADDRESS", NULL},
};

void wdk_read(const char *path)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[400];

    while (file && fgets(line, sizeof line, file)) {
        if (line[0] == '#')
            continue;
        if (count % 1024 == 0)
            list = grow(list, (count + 1024) * sizeof *list);
        list[count].type[0] = '\0';
        if (sscanf(line, "%99s %99s %99[^\n]", list[count].name, list[count].header, list[count].type) >= 2)
            count++;
    }
    if (file)
        fclose(file);
}

static size_t find(const char *function)
{
    size_t i = 0;

    while (i < count && strcmp(list[i].name, function) != 0)
        i++;
    return i;
}

const char *wdk_header(const char *function)
{
    size_t i = find(function);

    return i < count && strcmp(list[i].header, "-") != 0 ? list[i].header : NULL;
}

const char *wdk_type(const char *function)
{
    size_t i = find(function);
    const char *type = i < count ? list[i].type : "";

    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        if (strcmp(types[k].wdk, type) == 0)
            return types[k].c;
    }
    if (strncmp(type, "data", 4) == 0 || strcmp(type, "macro") == 0)
        return NULL;
    return strchr(type, '*') || (type[0] == 'P' && type[1] >= 'A' && type[1] <= 'Z') ? "void *" : NULL;
}
