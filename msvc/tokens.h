/*
 * tokens.h
 *
 * Preprocessed C, cut into tokens: what rewrite.h works on.
 *
 * Tokens point into the text that they were read from.  Line markers (# 12 "file.c") are no tokens; they tell each
 * token its place.  A pragma is one token, its whole line.  Punctuators have one character each.
 */
#ifndef NMRCHECK_MSVC_TOKENS_H
#define NMRCHECK_MSVC_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_WORD,
    TOKEN_NUMBER,
    TOKEN_TEXT,             /* a string or a character, with its prefix: L"x" */
    TOKEN_PRAGMA,
    TOKEN_MARK,             /* any other character */
};

struct token {
    enum token_kind kind;
    const char *text;
    size_t length;
    const char *edit;       /* what is written in its place, or NULL */
    size_t partner;         /* of a bracket: the index of the other one, or its own when there is none */
    const char *file;       /* in quotes, as the line marker has it; "" before the first */
    int file_length;
    unsigned line;
    bool system;            /* in a header of the compiler's */
};

struct tokens {
    const char *text;
    size_t length;
    struct token *list;
    size_t count;
};

/* The text must stay.  Memory is never given back: programs that use this live for one file. */
void tokens_read(struct tokens *tokens, const char *text, size_t length);

/* Is token i this word or punctuator?  No for one past the end. */
bool token_is(const struct tokens *tokens, size_t i, const char *text);
/* Is token i one of these words, which are separated by single spaces? */
bool token_among(const struct tokens *tokens, size_t i, const char *words);

/* Memory, or the end of the program. */
void *grow(void *memory, size_t size);
/* Text as by printf, in memory of its own. */
const char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* NMRCHECK_MSVC_TOKENS_H */
