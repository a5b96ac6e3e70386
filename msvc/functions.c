/* functions.c - names of functions, inline; see rewrite.h. */
#include "rewrite.h"

#include <string.h>

static const char inline_words[] = "inline __inline __inline__ _inline";
/* Words before a bracket that is no parameter list. */
static const char bracket_words[] = "__attribute__ __attribute __asm__ __asm asm __typeof__ __typeof typeof _Alignas "
                                    "__declspec _Static_assert";
static const char type_words[] = "void char short int long float double signed unsigned const volatile static extern "
                                 "struct union enum";

/* The name of the function that is defined from `from` to the brace at `brace`, or NULL if that is none. */
static const struct token *name_of(const struct tokens *tokens, size_t from, size_t brace)
{
    const struct token *name = NULL;

    for (size_t i = from; i < brace; i++) {
        if (token_is(tokens, i, "="))
            return NULL;
        if (token_among(tokens, i, bracket_words)) {
            if (token_is(tokens, i + 1, "("))
                i = tokens->list[i + 1].partner;
        } else if (!name && tokens->list[i].kind == TOKEN_WORD && token_is(tokens, i + 1, "(") &&
                   !token_among(tokens, i, type_words)) {
            name = &tokens->list[i];
        }
    }
    return name;
}

static void edit_names(struct tokens *tokens, size_t from, size_t to, const struct token *name)
{
    int length = (int)name->length;

    for (size_t i = from; i < to; i++) {
        struct token *t = &tokens->list[i];

        if (token_among(tokens, i, "__FUNCTION__ __FUNCSIG__ __FUNCDNAME__"))
            edit(t, text_of("\"%.*s\"", length, name->text));
        else if (token_among(tokens, i, "L__FUNCTION__ L__FUNCSIG__ __FUNCTIONW__"))
            edit(t, text_of("L\"%.*s\"", length, name->text));
    }
}

/*
 * C: an inline function that is neither static nor extern has no body of its own, so that a call that is not inlined
 * has nothing to call.  MSVC: each file has the body, and the linker keeps one.  That is what weak means.
 */
static void edit_inline(struct tokens *tokens, size_t from, size_t to, bool body)
{
    const char *weak = body ? "__attribute__((weak))" : "";
    size_t first = to;

    for (size_t i = from; i < to; i++) {
        if (token_is(tokens, i, "static"))
            return;
        if (token_among(tokens, i, inline_words) && first == to)
            first = i;
    }
    for (size_t i = first; i < to; i++) {
        if (token_among(tokens, i, inline_words)) {
            edit(&tokens->list[i], weak);
            weak = "";
        }
    }
}

/* From one declaration outside of functions to the next. */
void rewrite_functions(struct tokens *tokens)
{
    size_t from = 0;

    for (size_t i = 0; i < tokens->count; i++) {
        const struct token *name = NULL;

        if (token_is(tokens, i, "{")) {
            name = name_of(tokens, from, i);
            if (name && !name->system)
                edit_inline(tokens, from, i, true);
            if (name)
                edit_names(tokens, i, tokens->list[i].partner, name);
        } else if (token_is(tokens, i, ";") && !tokens->list[i].system) {
            edit_inline(tokens, from, i, false);
        }
        if (name || token_is(tokens, i, ";") || tokens->list[i].kind == TOKEN_PRAGMA)
            from = (name ? tokens->list[i].partner : i) + 1;
        if (tokens->list[i].partner > i)
            i = tokens->list[i].partner;
    }
}
