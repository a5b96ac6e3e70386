/*
 * init_scan.h - what can be seen in C source without compiling it.
 *
 * `nmrcheck init` reads drivers that may not compile here yet.  A tokenizer drops comments and directives, keeps the
 * first branch of each #if, and cuts what is left into what a file declares at its top level.  Macros are not expanded:
 * what hides in one is not seen.  Any bytes are fine; what is not understood is passed over.
 */
#ifndef FUZZERS_INIT_SCAN_H
#define FUZZERS_INIT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind { TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_PUNCTUATION };

/* Points into its file's text.  Punctuation is one character each: "->" is two tokens. */
struct token {
    enum token_kind kind;
    unsigned line, length;
    const char *text;
};

struct include {
    char *name;
    bool quoted;
    unsigned line;
};

struct source {
    char *path, *text;                      /* owned */
    bool header;
    struct token *tokens;
    size_t count;
    struct include *includes;
    size_t include_count;
};

/* Tokens [from, to) of a file. */
struct span {
    const struct source *in;
    size_t from, to;
};

enum fact_kind {
    FACT_FUNCTION,                          /* a definition; its body in `inside` */
    FACT_STRUCT,                            /* its members in `inside` */
    FACT_FUNCTION_TYPE,                     /* typedef of a function, or of a pointer to one */
    FACT_ALIAS,                             /* typedef of `type`, or of a pointer to it */
    FACT_VARIABLE,                          /* its initializer, if any, in `inside`; also DEFINE_GUID(name, …) */
};

struct fact {
    enum fact_kind kind;
    char *name, *type;                      /* type: the last word of it; "void" for functions that return nothing */
    bool is_static, is_extern;              /* extern: only declared */
    unsigned line;
    struct span inside, parameters;
};

struct scan {
    struct source **sources;
    size_t source_count;
    struct fact *facts;
    size_t fact_count;
};

/* Takes both strings, which malloc made; the text ends with a zero. */
void scan_add(struct scan *s, char *path, char *text, bool header);
void scan_release(struct scan *s);

/* The first fact of that kind and name, a definition rather than a declaration; NULL. */
const struct fact *scan_find(const struct scan *s, enum fact_kind kind, const char *name);
/* The structure that a word means: its name, that of a pointer to it, or of its tag. */
const struct fact *scan_struct(const struct scan *s, const char *type);
/* The function type that a word means; NULL. */
const struct fact *scan_function_type(const struct scan *s, const char *type);
/* The function whose body holds a token. */
const struct fact *scan_function_at(const struct scan *s, const struct source *in, size_t token);

bool token_is(const struct token *t, const char *text);
/* Its text, for the caller to free. */
char *token_text(const struct token *t);
/* _Success_(…), _IRQL_requires_max_(…), __declspec(…); _helper(…) is a function. */
bool token_is_annotation(const struct token *t);

/* Of a bracket at `at`: where its partner is, or the end of the span. */
size_t span_partner(const struct span *s, size_t at);
/* The next piece of `s` from *at on that `separator` ends, brackets passed over; false: there is none. */
bool span_piece(const struct span *s, char separator, size_t *at, struct span *piece);
/* The last name in it, for the caller to free; NULL: there is none. */
char *span_last_name(const struct span *s);
/* Its words with single spaces between; for the caller to free. */
char *span_text(const struct span *s);

#endif
