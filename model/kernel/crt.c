/*
 * crt.c - the C library's functions that the kernel exports: strings, wide strings, kinds of characters.
 *
 * isolate.sh leads a module's calls here.  Each character counts as an access of the module's, so that a string without
 * an end is reported where it leaves its memory.
 */
#include "internal.h"

#include <stddef.h>

#include <ntddk.h>

/* A string of either kind, and who touches it. */
struct text {
    const void *at;
    bool wide;
    const void *pc;
};

static RAW unsigned character(const struct text *t, size_t i)
{
    size_t size = t->wide ? sizeof(WCHAR) : 1;

    memory_use((const char *)t->at + i * size, size, false, t->pc);
    return t->wide ? ((const WCHAR *)t->at)[i] : ((const unsigned char *)t->at)[i];
}

static RAW void store(const struct text *t, size_t i, unsigned c)
{
    size_t size = t->wide ? sizeof(WCHAR) : 1;
    char *to = (char *)(uintptr_t)t->at + i * size;

    memory_use(to, size, true, t->pc);
    if (t->wide)
        *(WCHAR *)(void *)to = (WCHAR)c;
    else
        *to = (char)c;
}

static unsigned folded(unsigned c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static size_t length_of(struct text t, size_t most)
{
    size_t n = 0;

    while (n < most && character(&t, n))
        n++;
    return n;
}

static int compare(struct text a, struct text b, size_t most, bool fold)
{
    for (size_t i = 0; i < most; i++) {
        unsigned x = character(&a, i), y = character(&b, i);

        if (fold) {
            x = folded(x);
            y = folded(y);
        }
        if (x != y)
            return x < y ? -1 : 1;
        if (!x)
            break;
    }
    return 0;
}

/* To place `from` of a string, up to and with the terminator; `filled` up to `most`. */
static void copy(struct text to, size_t from, struct text of, size_t most, bool filled)
{
    size_t i = 0;

    for (; i < most; i++) {
        unsigned c = character(&of, i);

        store(&to, from + i, c);
        if (!c)
            break;
    }
    for (; filled && i < most; i++)
        store(&to, from + i, 0);
}

enum { NOWHERE = -1 };

static ptrdiff_t find(struct text t, unsigned wanted, bool last)
{
    ptrdiff_t found = NOWHERE;

    for (size_t i = 0;; i++) {
        unsigned c = character(&t, i);

        if (c == wanted) {
            found = (ptrdiff_t)i;
            if (!last)
                break;
        }
        if (!c)
            break;
    }
    return found;
}

static ptrdiff_t find_part(struct text t, struct text part)
{
    size_t length = length_of(part, SIZE_MAX);

    for (size_t i = 0;; i++) {
        size_t same = 0;

        while (same < length && character(&t, i + same) == character(&part, same))
            same++;
        if (same == length)
            return (ptrdiff_t)i;
        if (!character(&t, i))
            return NOWHERE;
    }
}

#define OF(string) ((struct text){(string), sizeof *(string) > 1, CALLER()})

static void *at(const void *string, size_t size, ptrdiff_t place)
{
    return place == NOWHERE ? NULL : (void *)((uintptr_t)string + (size_t)place * size);
}

/* ---- strings */

size_t nmrcheck_strnlen(const char *text, size_t most)
{
    return length_of(OF(text), most);
}

int nmrcheck_strcmp(const char *a, const char *b)
{
    return compare(OF(a), OF(b), SIZE_MAX, false);
}

int nmrcheck_strncmp(const char *a, const char *b, size_t most)
{
    return compare(OF(a), OF(b), most, false);
}

int nmrcheck__stricmp(const char *a, const char *b)
{
    return compare(OF(a), OF(b), SIZE_MAX, true);
}

int nmrcheck__strnicmp(const char *a, const char *b, size_t most)
{
    return compare(OF(a), OF(b), most, true);
}

char *nmrcheck_strcpy(char *to, const char *from)
{
    copy(OF(to), 0, OF(from), SIZE_MAX, false);
    return to;
}

char *nmrcheck_strncpy(char *to, const char *from, size_t most)
{
    copy(OF(to), 0, OF(from), most, true);
    return to;
}

char *nmrcheck_strcat(char *to, const char *from)
{
    copy(OF(to), length_of(OF(to), SIZE_MAX), OF(from), SIZE_MAX, false);
    return to;
}

char *nmrcheck_strchr(const char *text, int c)
{
    return at(text, sizeof *text, find(OF(text), (unsigned char)c, false));
}

char *nmrcheck_strrchr(const char *text, int c)
{
    return at(text, sizeof *text, find(OF(text), (unsigned char)c, true));
}

char *nmrcheck_strstr(const char *text, const char *part)
{
    return at(text, sizeof *text, find_part(OF(text), OF(part)));
}

/* ---- wide strings */

size_t nmrcheck_wcslen(const WCHAR *text)
{
    return length_of(OF(text), SIZE_MAX);
}

size_t nmrcheck_wcsnlen(const WCHAR *text, size_t most)
{
    return length_of(OF(text), most);
}

int nmrcheck_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return compare(OF(a), OF(b), SIZE_MAX, false);
}

int nmrcheck_wcsncmp(const WCHAR *a, const WCHAR *b, size_t most)
{
    return compare(OF(a), OF(b), most, false);
}

int nmrcheck__wcsicmp(const WCHAR *a, const WCHAR *b)
{
    return compare(OF(a), OF(b), SIZE_MAX, true);
}

int nmrcheck__wcsnicmp(const WCHAR *a, const WCHAR *b, size_t most)
{
    return compare(OF(a), OF(b), most, true);
}

WCHAR *nmrcheck_wcscpy(WCHAR *to, const WCHAR *from)
{
    copy(OF(to), 0, OF(from), SIZE_MAX, false);
    return to;
}

WCHAR *nmrcheck_wcsncpy(WCHAR *to, const WCHAR *from, size_t most)
{
    copy(OF(to), 0, OF(from), most, true);
    return to;
}

WCHAR *nmrcheck_wcscat(WCHAR *to, const WCHAR *from)
{
    copy(OF(to), length_of(OF(to), SIZE_MAX), OF(from), SIZE_MAX, false);
    return to;
}

WCHAR *nmrcheck_wcschr(const WCHAR *text, WCHAR c)
{
    return at(text, sizeof *text, find(OF(text), c, false));
}

WCHAR *nmrcheck_wcsrchr(const WCHAR *text, WCHAR c)
{
    return at(text, sizeof *text, find(OF(text), c, true));
}

WCHAR *nmrcheck_wcsstr(const WCHAR *text, const WCHAR *part)
{
    return at(text, sizeof *text, find_part(OF(text), OF(part)));
}

/* ---- kinds of characters, of the ASCII range */

int nmrcheck_isdigit(int c)
{
    return c >= '0' && c <= '9';
}

int nmrcheck_isupper(int c)
{
    return c >= 'A' && c <= 'Z';
}

int nmrcheck_islower(int c)
{
    return c >= 'a' && c <= 'z';
}

int nmrcheck_isalpha(int c)
{
    return nmrcheck_isupper(c) || nmrcheck_islower(c);
}

int nmrcheck_isalnum(int c)
{
    return nmrcheck_isalpha(c) || nmrcheck_isdigit(c);
}

int nmrcheck_isxdigit(int c)
{
    return nmrcheck_isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int nmrcheck_isspace(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int nmrcheck_isprint(int c)
{
    return c >= ' ' && c <= '~';
}

int nmrcheck_toupper(int c)
{
    return nmrcheck_islower(c) ? c - 'a' + 'A' : c;
}

int nmrcheck_tolower(int c)
{
    return nmrcheck_isupper(c) ? c - 'A' + 'a' : c;
}
