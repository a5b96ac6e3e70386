/* init_scan.c - a tokenizer, and what a file declares at its top level. */
#include "init_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One more element at the end of an array: doubling at each power of two. */
#define APPEND(array, count, ...)                                                                        \
    do {                                                                                                 \
        if (((count) & ((count) - 1)) == 0)                                                              \
            (array) = checked(realloc((array), ((count) ? (count) * 2 : 1) * sizeof *(array)));          \
        (array)[(count)++] = __VA_ARGS__;                                                                \
    } while (0)

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("nmrcheck: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

/* ---- tokens ----------------------------------------------------------------------------------- */

struct reader {
    struct source *to;
    const char *at;
    unsigned line;
    unsigned skipping;                      /* #if deep inside a branch that is passed over */
};

bool token_is(const struct token *t, const char *text)
{
    return strncmp(t->text, text, t->length) == 0 && text[t->length] == '\0';
}

char *token_text(const struct token *t)
{
    return checked(strndup(t->text, t->length));
}

bool token_is_annotation(const struct token *t)
{
    return t->kind == TOKEN_NAME && t->length > 1 && t->text[0] == '_' &&
           (t->text[1] == '_' || t->text[t->length - 1] == '_');
}

/* Behind a comment, a line splice or a blank; false: it is none of these. */
static bool pass_blank(struct reader *r)
{
    if (r->at[0] == '/' && r->at[1] == '*') {
        for (r->at += 2; *r->at != '\0' && !(r->at[0] == '*' && r->at[1] == '/'); r->at++)
            r->line += *r->at == '\n';
        r->at += *r->at != '\0' ? 2 : 0;
    } else if (r->at[0] == '/' && r->at[1] == '/') {
        for (; *r->at != '\0' && *r->at != '\n'; r->at++)
            if (r->at[0] == '\\' && r->at[1] == '\n') {
                r->at++;
                r->line++;
            }
    } else if (r->at[0] == '\\' && (r->at[1] == '\n' || (r->at[1] == '\r' && r->at[2] == '\n'))) {
        r->at += r->at[1] == '\r' ? 3 : 2;
        r->line++;
    } else if (*r->at != '\n' && isspace((unsigned char)*r->at)) {
        r->at++;
    } else {
        return false;
    }
    return true;
}

static void pass_text(struct reader *r, char quote)
{
    for (r->at++; *r->at != '\0' && *r->at != quote && *r->at != '\n'; r->at++)
        if (*r->at == '\\' && r->at[1] != '\0') {
            r->at++;
            r->line += *r->at == '\n';
        }
    r->at += *r->at == quote;
}

static void pass_line(struct reader *r)
{
    while (*r->at != '\0' && *r->at != '\n')
        if (!pass_blank(r)) {
            if (*r->at == '"' || *r->at == '\'')
                pass_text(r, *r->at);
            else
                r->at++;
        }
}

static void add_include(struct reader *r)
{
    if (*r->at != '<' && *r->at != '"')
        return;
    char close = *r->at == '<' ? '>' : '"';
    size_t length = strcspn(r->at + 1, "<>\"\n");
    if (r->at[1 + length] != close)
        return;
    struct include i = {checked(strndup(r->at + 1, length)), close == '"', r->line};
    for (char *c = i.name; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    APPEND(r->to->includes, r->to->include_count, i);
}

static size_t word_length(const char *at)
{
    size_t n = 0;
    while (isalnum((unsigned char)at[n]) || at[n] == '_' || at[n] == '$')
        n++;
    return n;
}

static bool word_is(const char *at, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(at, word, length) == 0;
}

/* Is the branch after an #if or #ifdef for a C++ compiler, or for nobody? */
static bool branch_is_dead(const char *condition, size_t length, bool negated)
{
    while (length > 0 && isspace((unsigned char)condition[0])) {
        condition++;
        length--;
    }
    bool cxx = length >= 11 && memmem(condition, length, "__cplusplus", 11) != NULL;
    return negated ? false : cxx || (length > 0 && condition[0] == '0');
}

static void directive(struct reader *r)
{
    r->at++;
    while (*r->at != '\n' && pass_blank(r))
        continue;
    const char *word = r->at;
    size_t length = word_length(word);
    r->at += length;
    while (*r->at != '\n' && pass_blank(r))
        continue;
    const char *rest = r->at;
    if (word_is(word, length, "include") && !r->skipping)
        add_include(r);
    pass_line(r);
    size_t rest_length = (size_t)(r->at - rest);
    if (length >= 2 && strncmp(word, "if", 2) == 0) {
        if (r->skipping || branch_is_dead(rest, rest_length, word_is(word, length, "ifndef")))
            r->skipping++;
    } else if (word_is(word, length, "else") || word_is(word, length, "elif")) {
        /* Of a dead branch's #if, the other one; of any other, the first was taken. */
        if (r->skipping <= 1)
            r->skipping = !r->skipping;
    } else if (word_is(word, length, "endif") && r->skipping) {
        r->skipping--;
    }
}

static void next_token(struct reader *r)
{
    struct token t = {TOKEN_PUNCTUATION, r->line, 1, r->at};
    size_t length = word_length(r->at);
    if (*r->at == '"' || *r->at == '\'') {
        pass_text(r, *r->at);
        t.kind = TOKEN_STRING;
        t.length = (unsigned)(r->at - t.text);
    } else if (length > 0) {
        t.kind = isdigit((unsigned char)*r->at) ? TOKEN_NUMBER : TOKEN_NAME;
        t.length = (unsigned)length;
        r->at += length;
    } else {
        r->at++;
    }
    if (!r->skipping)
        APPEND(r->to->tokens, r->to->count, t);
}

static void tokenize(struct source *to)
{
    struct reader r = {to, to->text, 1, 0};
    bool line_start = true;
    while (*r.at != '\0') {
        if (*r.at == '\n') {
            line_start = true;
            r.line++;
            r.at++;
        } else if (pass_blank(&r)) {
            continue;
        } else if (*r.at == '#' && line_start) {
            directive(&r);
        } else {
            line_start = false;
            next_token(&r);
        }
    }
}

/* ---- spans ------------------------------------------------------------------------------------ */

static const struct token *at(const struct span *s, size_t i)
{
    return &s->in->tokens[i];
}

static bool is(const struct span *s, size_t i, const char *text)
{
    return i >= s->from && i < s->to && token_is(at(s, i), text);
}

static bool is_name(const struct span *s, size_t i)
{
    return i >= s->from && i < s->to && at(s, i)->kind == TOKEN_NAME;
}

static bool opens(const struct token *t)
{
    return t->kind == TOKEN_PUNCTUATION && strchr("([{", *t->text) != NULL;
}

size_t span_partner(const struct span *s, size_t from)
{
    unsigned depth = 0;
    for (size_t i = from; i < s->to; i++) {
        const struct token *t = at(s, i);
        if (t->kind != TOKEN_PUNCTUATION)
            continue;
        if (opens(t))
            depth++;
        else if (strchr(")]}", *t->text) != NULL && --depth == 0)
            return i;
    }
    return s->to;
}

bool span_piece(const struct span *s, char separator, size_t *from, struct span *piece)
{
    if (*from >= s->to)
        return false;
    size_t i = *from;
    for (; i < s->to && !(at(s, i)->kind == TOKEN_PUNCTUATION && *at(s, i)->text == separator); i++)
        if (opens(at(s, i)))
            i = span_partner(s, i);
    *piece = (struct span){s->in, *from, i < s->to ? i : s->to};
    *from = i + 1;
    return true;
}

char *span_last_name(const struct span *s)
{
    for (size_t i = s->to; i-- > s->from;)
        if (is_name(s, i))
            return token_text(at(s, i));
    return NULL;
}

char *span_text(const struct span *s)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = checked(open_memstream(&text, &size));
    for (size_t i = s->from; i < s->to; i++) {
        char now = *at(s, i)->text, before = i > s->from ? *at(s, i - 1)->text : '(';
        bool glued = strchr("(&.)],;", now) != NULL || strchr("(*&[.", before) != NULL;
        fprintf(out, "%s%.*s", glued ? "" : " ", (int)at(s, i)->length, at(s, i)->text);
    }
    fclose(out);
    return checked(text);
}

/* ---- facts ------------------------------------------------------------------------------------ */

static struct fact *add_fact(struct scan *s, enum fact_kind kind, const struct span *all, size_t name)
{
    struct fact f = {.kind = kind, .name = token_text(at(all, name)), .line = at(all, name)->line,
                     .inside = {all->in, 0, 0}, .parameters = {all->in, 0, 0}};
    APPEND(s->facts, s->fact_count, f);
    return &s->facts[s->fact_count - 1];
}

static bool contains(const struct span *s, size_t from, size_t to, const char *word)
{
    for (size_t i = from; i < to; i++)
        if (is(s, i, word))
            return true;
    return false;
}

/* The word that says what a name is of: the last one before it that is no convention or storage class. */
static char *type_before(const struct span *s, size_t name)
{
    static const char *const passed[] = {"NTAPI", "static", "inline", "__inline", "FORCEINLINE", "__stdcall", "__cdecl",
                                         "WSAAPI", "CALLBACK", "const", "CONST", "volatile", "extern"};
    for (size_t i = name; i-- > s->from;) {
        bool pass = !is_name(s, i);
        for (size_t k = 0; k < sizeof passed / sizeof *passed; k++)
            pass = pass || is(s, i, passed[k]);
        if (is(s, i, ")") || is(s, i, "]"))
            break;
        if (!pass)
            return is(s, i, "VOID") && !is(s, i + 1, "*") ? checked(strdup("void")) : token_text(at(s, i));
    }
    return checked(strdup("int"));
}

/* The name in front of the parameters of a function: the last group's that is no annotation's. */
static size_t function_name(const struct span *s)
{
    size_t found = s->to;
    for (size_t i = s->from; i < s->to; i++) {
        if (is(s, i, "(")) {
            if (is_name(s, i - 1) && i > s->from && !token_is_annotation(at(s, i - 1)))
                found = i - 1;
            i = span_partner(s, i);
        } else if (is(s, i, "=")) {
            return s->to;
        }
    }
    return found;
}

/* `declarator` is all in front of the body. */
static void add_function(struct scan *s, const struct span *declarator, const struct span *body)
{
    size_t name = function_name(declarator);
    if (name == declarator->to)
        return;
    struct fact *f = add_fact(s, FACT_FUNCTION, declarator, name);
    f->type = type_before(declarator, name);
    f->is_static = contains(declarator, declarator->from, name, "static") ||
                   contains(declarator, declarator->from, name, "FORCEINLINE") ||
                   contains(declarator, declarator->from, name, "STATIC");
    f->parameters = (struct span){declarator->in, name + 2, span_partner(declarator, name + 1)};
    f->inside = *body;
}

/* typedef struct TAG { … } NAME, *PNAME; and struct TAG { … }; */
static void add_struct(struct scan *s, const struct span *all, size_t open)
{
    size_t close = span_partner(all, open);
    struct span members = {all->in, open + 1, close}, names = {all->in, close + 1, all->to}, piece;
    char *first = NULL;
    for (size_t i = names.from; span_piece(&names, ',', &i, &piece);) {
        char *name = span_last_name(&piece);
        if (name == NULL)
            continue;
        struct fact *f = add_fact(s, first ? FACT_ALIAS : FACT_STRUCT, &piece, piece.to - 1);
        free(f->name);
        f->name = name;
        if (first)
            f->type = checked(strdup(first));
        else
            f->inside = members;
        first = first ? first : name;
    }
    if (!is_name(all, open - 1) || is(all, open - 1, "struct") || is(all, open - 1, "union"))
        return;
    struct fact *tag = add_fact(s, first ? FACT_ALIAS : FACT_STRUCT, all, open - 1);
    if (first)
        tag->type = checked(strdup(first));
    else
        tag->inside = members;
}

/* typedef RETURN NAME(…); typedef RETURN (NTAPI *NAME)(…); typedef TYPE NAME, *PNAME; */
static void add_typedef(struct scan *s, const struct span *all)
{
    size_t last = all->to - 1, open = all->to;
    if (is(all, last, ")")) {
        for (open = all->from; open < all->to && !(is(all, open, "(") && span_partner(all, open) == last); open++)
            continue;
        size_t name = open - 1;
        size_t first = name;
        if (is(all, name, ")")) {
            name--;
            for (first = name; first > all->from && !is(all, first, "("); first--)
                continue;
        }
        if (open == all->to || open == all->from || !is_name(all, name))
            return;
        struct fact *f = add_fact(s, FACT_FUNCTION_TYPE, all, name);
        f->type = type_before(all, first);
        f->parameters = (struct span){all->in, open + 1, last};
        return;
    }
    struct span piece;
    char *type = NULL;
    for (size_t i = all->from + 1; span_piece(all, ',', &i, &piece);) {
        size_t name = piece.to;
        while (name-- > piece.from && !is_name(&piece, name))
            continue;
        if (name < piece.from || name >= piece.to)
            continue;
        if (!type)
            type = type_before(&piece, name);
        add_fact(s, FACT_ALIAS, &piece, name)->type = checked(strdup(type));
    }
    free(type);
}

/* [extern] TYPE NAME [= …]; of these only what init looks for: structures and identifiers. */
static void add_variable(struct scan *s, const struct span *all)
{
    struct span before, rest;
    size_t i = all->from;
    if (!span_piece(all, '=', &i, &before))
        return;
    rest = (struct span){all->in, i < all->to ? i : all->to, all->to};
    bool initialized = rest.from < rest.to;
    if (is(all, all->from, "DEFINE_GUID") && is(all, all->from + 1, "(") && is_name(all, all->from + 2)) {
        struct fact *f = add_fact(s, FACT_VARIABLE, all, all->from + 2);
        f->type = checked(strdup("DEFINE_GUID"));
        f->is_extern = all->in->header;
        return;
    }
    size_t name = before.to;
    while (name > before.from && is(&before, name - 1, "]"))
        while (name > before.from && !is(&before, --name, "["))
            continue;
    if (name < before.from + 2 || !is_name(&before, name - 1))
        return;
    name--;
    struct fact *f = add_fact(s, FACT_VARIABLE, all, name);
    f->type = type_before(all, name);
    f->is_static = contains(all, all->from, name, "static");
    f->is_extern = !initialized && contains(all, all->from, name, "extern");
    f->inside = rest;
}

static void declaration(struct scan *s, const struct span *all)
{
    if (all->to <= all->from + 1)
        return;
    bool type = contains(all, all->from, all->to, "typedef");
    size_t open = all->from;
    while (open < all->to && !is(all, open, "{") && !is(all, open, "=")) {
        if (is(all, open, "("))
            open = span_partner(all, open);
        open++;
    }
    if (is(all, open, "{") && (contains(all, all->from, open, "struct") || contains(all, all->from, open, "union")))
        add_struct(s, all, open);
    else if (is(all, open, "{"))
        return;                             /* an enumeration */
    else if (type)
        add_typedef(s, all);
    else
        add_variable(s, all);
}

/* A body follows a list of parameters, and perhaps annotations. */
static bool is_function_head(const struct span *s, size_t from, size_t open)
{
    struct span head = {s->in, from, open};
    if (open == from || is(s, from, "typedef") || function_name(&head) == open)
        return false;
    return is(s, open - 1, ")") || is_name(s, open - 1);
}

static void find_facts(struct scan *s, const struct source *in)
{
    struct span all = {in, 0, in->count};
    size_t from = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (is(&all, i, ";")) {
            declaration(s, &(struct span){in, from, i});
            from = i + 1;
        } else if (is(&all, i, "{")) {
            if (i > from && at(&all, i - 1)->kind == TOKEN_STRING) {        /* extern "C" { */
                from = i + 1;
                continue;
            }
            size_t close = span_partner(&all, i);
            if (is_function_head(&all, from, i)) {
                add_function(s, &(struct span){in, from, i}, &(struct span){in, i + 1, close});
                from = close + 1;
            }
            i = close;
        } else if (is(&all, i, "(")) {
            i = span_partner(&all, i);
        } else if (is(&all, i, "}")) {
            from = i + 1;
        }
    }
}

void scan_add(struct scan *s, char *path, char *text, bool header)
{
    struct source *in = checked(calloc(1, sizeof *in));
    *in = (struct source){.path = path, .text = text, .header = header};
    tokenize(in);
    APPEND(s->sources, s->source_count, in);
    find_facts(s, in);
}

void scan_release(struct scan *s)
{
    for (size_t i = 0; i < s->fact_count; i++) {
        free(s->facts[i].name);
        free(s->facts[i].type);
    }
    for (size_t i = 0; i < s->source_count; i++) {
        struct source *in = s->sources[i];
        for (size_t k = 0; k < in->include_count; k++)
            free(in->includes[k].name);
        free(in->includes);
        free(in->tokens);
        free(in->path);
        free(in->text);
        free(in);
    }
    free(s->facts);
    free(s->sources);
    *s = (struct scan){0};
}

/* ---- questions -------------------------------------------------------------------------------- */

const struct fact *scan_find(const struct scan *s, enum fact_kind kind, const char *name)
{
    const struct fact *declared = NULL;
    for (size_t i = 0; name != NULL && i < s->fact_count; i++) {
        const struct fact *f = &s->facts[i];
        if (f->kind != kind || strcmp(f->name, name) != 0)
            continue;
        if (!f->is_extern)
            return f;
        declared = declared != NULL ? declared : f;
    }
    return declared;
}

/* Aliases of aliases end somewhere; not when a driver defines one by itself. */
enum { ALIASES_MAX = 8 };

static const struct fact *resolve(const struct scan *s, enum fact_kind kind, const char *type)
{
    for (unsigned i = 0; i < ALIASES_MAX && type != NULL; i++) {
        const struct fact *f = scan_find(s, kind, type);
        if (f != NULL)
            return f;
        f = scan_find(s, FACT_ALIAS, type);
        type = f != NULL ? f->type : NULL;
    }
    return NULL;
}

const struct fact *scan_struct(const struct scan *s, const char *type)
{
    return resolve(s, FACT_STRUCT, type);
}

const struct fact *scan_function_type(const struct scan *s, const char *type)
{
    return resolve(s, FACT_FUNCTION_TYPE, type);
}

const struct fact *scan_function_at(const struct scan *s, const struct source *in, size_t token)
{
    for (size_t i = 0; i < s->fact_count; i++) {
        const struct fact *f = &s->facts[i];
        if (f->kind == FACT_FUNCTION && f->inside.in == in && token >= f->inside.from && token < f->inside.to)
            return f;
    }
    return NULL;
}
