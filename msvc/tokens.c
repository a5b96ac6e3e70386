/* tokens.c - see tokens.h. */
#include "tokens.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct tokens *tokens;
    const char *at, *end;
    struct token place;     /* where the next token is */
    size_t room;
};

void *grow(void *memory, size_t size)
{
    memory = realloc(memory, size);
    if (!memory) {
        fputs("nmrcheck-cc: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

const char *text_of(const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = grow(NULL, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

bool token_is(const struct tokens *tokens, size_t i, const char *text)
{
    const struct token *t = &tokens->list[i];

    return i < tokens->count && t->length == strlen(text) && memcmp(t->text, text, t->length) == 0;
}

bool token_among(const struct tokens *tokens, size_t i, const char *words)
{
    const struct token *t = &tokens->list[i];

    if (i >= tokens->count || t->kind != TOKEN_WORD)
        return false;
    for (const char *word = words; word; word = strchr(word, ' ')) {
        word += *word == ' ';
        if (strncmp(word, t->text, t->length) == 0 && (word[t->length] == ' ' || !word[t->length]))
            return true;
    }
    return false;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

/* ---- lines that begin with # */

/* # 12 "file.c" 1 3, or #line 12 "file.c": the place of what follows. */
static void read_marker(struct reader *r, const char *line, const char *end)
{
    const char *quote = memchr(line, '"', (size_t)(end - line));
    const char *flags;

    r->place.line = (unsigned)strtoul(line, NULL, 10);
    if (!quote)
        return;
    for (flags = quote + 1; flags < end && *flags != '"'; flags++)
        flags += *flags == '\\';
    r->place.file = quote;
    r->place.file_length = (int)(flags + 1 - quote);
    r->place.system = memchr(flags, '3', (size_t)(end - flags)) != NULL;
}

static void add(struct reader *r, enum token_kind kind, const char *end)
{
    struct tokens *tokens = r->tokens;

    if (tokens->count == r->room) {
        r->room = r->room ? 2 * r->room : 4096;
        tokens->list = grow(tokens->list, r->room * sizeof *tokens->list);
    }
    r->place.kind = kind;
    r->place.text = r->at;
    r->place.length = (size_t)(end - r->at);
    r->place.partner = tokens->count;
    tokens->list[tokens->count++] = r->place;
    r->at = end;
}

static void read_line(struct reader *r)
{
    const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *word = r->at + 1;

    if (!end)
        end = r->end;
    while (word < end && (*word == ' ' || *word == '\t'))
        word++;
    if (word < end && isdigit((unsigned char)*word)) {
        read_marker(r, word, end);
        r->at = end + (end < r->end);       /* the marker says which line the next one is */
    } else if (end - word > 5 && memcmp(word, "line ", 5) == 0) {
        read_marker(r, word + 5, end);
        r->at = end + (end < r->end);
    } else if (end - word > 6 && memcmp(word, "pragma", 6) == 0) {
        add(r, TOKEN_PRAGMA, end);
    } else {
        r->at = end;
    }
}

/* ---- tokens */

static const char *end_of_text(const struct reader *r, const char *p)
{
    char quote = *p++;

    while (p < r->end && *p != quote && *p != '\n')
        p += *p == '\\' && p + 1 < r->end ? 2 : 1;
    return p < r->end && *p == quote ? p + 1 : p;
}

static const char *end_of_number(const struct reader *r, const char *p)
{
    while (p < r->end && (is_word(*p) || *p == '.' || ((*p == '+' || *p == '-') && strchr("eEpP", p[-1]))))
        p++;
    return p;
}

/* 0x1e+2 is a number and a sum, since e is a digit there. */
static const char *end_of_hexadecimal(const struct reader *r, const char *p)
{
    while (p < r->end && (is_word(*p) || *p == '.' || ((*p == '+' || *p == '-') && strchr("pP", p[-1]))))
        p++;
    return p;
}

static void read_token(struct reader *r)
{
    const char *p = r->at;
    const char *next = p + 1 < r->end ? p + 1 : p;

    if (isdigit((unsigned char)*p) && (*next == 'x' || *next == 'X')) {
        add(r, TOKEN_NUMBER, end_of_hexadecimal(r, p));
    } else if (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)*next))) {
        add(r, TOKEN_NUMBER, end_of_number(r, p));
    } else if (*p == '"' || *p == '\'') {
        add(r, TOKEN_TEXT, end_of_text(r, p));
    } else if (is_word(*p)) {
        while (p < r->end && is_word(*p))
            p++;
        if (p < r->end && p - r->at <= 2 && (*p == '"' || *p == '\''))
            add(r, TOKEN_TEXT, end_of_text(r, p));
        else
            add(r, TOKEN_WORD, p);
    } else {
        add(r, TOKEN_MARK, p + 1);
    }
}

static void skip_comment(struct reader *r)
{
    bool line = r->at[1] == '/';

    for (r->at += 2; r->at < r->end; r->at++) {
        if (line && *r->at == '\n')
            return;
        if (*r->at == '\n')
            r->place.line++;
        if (!line && r->at[0] == '*' && r->at + 1 < r->end && r->at[1] == '/') {
            r->at += 2;
            return;
        }
    }
}

static void find_partners(struct tokens *tokens)
{
    size_t *open = grow(NULL, (tokens->count + 1) * sizeof *open), depth = 0;

    for (size_t i = 0; i < tokens->count; i++) {
        struct token *t = &tokens->list[i];

        if (t->kind != TOKEN_MARK)
            continue;
        if (strchr("([{", *t->text)) {
            open[depth++] = i;
        } else if (strchr(")]}", *t->text) && depth) {
            t->partner = open[--depth];
            tokens->list[t->partner].partner = i;
        }
    }
    free(open);
}

void tokens_read(struct tokens *tokens, const char *text, size_t length)
{
    struct reader r = {.tokens = tokens, .at = text, .end = text + length, .place = {.file = "", .line = 1}};
    bool fresh = true;                      /* nothing but spaces in this line yet */

    *tokens = (struct tokens){.text = text, .length = length};
    while (r.at < r.end) {
        char c = *r.at;

        if (c == '\n') {
            r.place.line++;
            fresh = true;
            r.at++;
        } else if (isspace((unsigned char)c) || !c) {
            r.at++;
        } else if (fresh && c == '#') {
            read_line(&r);
            fresh = r.at > text && r.at[-1] == '\n';
        } else if (c == '/' && r.at + 1 < r.end && (r.at[1] == '/' || r.at[1] == '*')) {
            skip_comment(&r);
        } else {
            fresh = false;
            read_token(&r);
        }
    }
    find_partners(tokens);
}
