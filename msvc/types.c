/* types.c - long and literals; see rewrite.h. */
#include "rewrite.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- types: words that stand together in any order */

static const char specifiers[] =
    "long int short char signed unsigned double float const volatile restrict static extern register typedef auto "
    "inline __inline __inline__ __const __const__ __volatile __volatile__ __signed __signed__ __restrict __extension__ "
    "_Bool _Complex __thread _Thread_local";

static void edit_specifiers(struct tokens *tokens, size_t from, size_t to)
{
    size_t longs = 0;
    bool integer = false, real = false;

    for (size_t i = from; i < to; i++) {
        longs += token_is(tokens, i, "long");
        integer |= token_is(tokens, i, "int");
        real |= token_is(tokens, i, "double");
    }
    if (longs > 2)
        return;                             /* the compiler complains */
    for (size_t i = from; i < to; i++) {
        if (!token_is(tokens, i, "long"))
            continue;
        edit(&tokens->list[i], longs == 2 || integer || real ? "" : "int");
        if (longs == 2)
            return;
    }
}

/* ---- literals */

struct literal {
    size_t digits;          /* with 0x */
    bool decimal, is_unsigned, is_long_long;
    uint64_t value;
    bool too_large;
};

/* u, l, ll in any order and case, or [u]i8 ... [u]i64. */
static bool read_suffix(struct literal *l, const char *suffix)
{
    unsigned us = 0, ls = 0;
    char *end;

    for (; *suffix && !strchr("iI", *suffix); suffix++) {
        if (strchr("uU", *suffix))
            us++;
        else if (strchr("lL", *suffix))
            ls++;
        else
            return false;
    }
    if (*suffix) {
        unsigned long bits = strtoul(suffix + 1, &end, 10);

        if (*end || (bits != 8 && bits != 16 && bits != 32 && bits != 64))
            return false;
        ls = bits == 64 ? 2 : 0;
    }
    l->is_unsigned = us;
    l->is_long_long = ls == 2;
    return us <= 1 && ls <= 2;
}

/* False for fractions and for what is no number. */
static bool read_literal(struct literal *l, const char *text)
{
    const char *p = text;
    bool hexadecimal = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    bool binary = p[0] == '0' && (p[1] == 'b' || p[1] == 'B');

    *l = (struct literal){.decimal = *p != '0'};
    p += hexadecimal || binary ? 2 : 0;
    while (hexadecimal ? isxdigit((unsigned char)*p) : isdigit((unsigned char)*p))
        p++;
    l->digits = (size_t)(p - text);
    if (!l->digits || !read_suffix(l, p))
        return false;
    errno = 0;
    l->value = strtoull(binary ? text + 2 : text, NULL, binary ? 2 : 0);
    l->too_large = errno != 0;
    return true;
}

/*
 * Without a suffix: what fits 32 bits has 32 bits.  A decimal number between INT_MAX and UINT_MAX is unsigned with
 * MSVC, where C makes it 64 bits wide.
 */
static void edit_literal(struct token *token)
{
    char text[80];
    struct literal l;
    const char *suffix;

    if (token->length >= sizeof text)
        return;
    memcpy(text, token->text, token->length);
    text[token->length] = '\0';
    if (!read_literal(&l, text) || l.too_large)
        return;
    if (l.decimal && !l.is_long_long && l.value > INT32_MAX && l.value <= UINT32_MAX)
        l.is_unsigned = true;
    suffix = l.is_long_long ? (l.is_unsigned ? "UL" : "L") : l.is_unsigned ? "U" : "";
    if (strcmp(text + l.digits, suffix) != 0)
        edit(token, text_of("%.*s%s", (int)l.digits, text, suffix));
}

void rewrite_types(struct tokens *tokens)
{
    for (size_t i = 0, end; i < tokens->count; i = end) {
        for (end = i; token_among(tokens, end, specifiers);)
            end++;
        if (end > i)
            edit_specifiers(tokens, i, end);
        else if (tokens->list[end++].kind == TOKEN_NUMBER)
            edit_literal(&tokens->list[i]);
    }
}
