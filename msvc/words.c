/* words.c - pragmas, commas, assembly, offsets in assertions; see rewrite.h. */
#include "rewrite.h"

#include <string.h>

/* What is left of the line after a pragma's name is the compiler's. */
static void edit_pragma(struct token *token)
{
    static const char *const known[] = {"pack", "GCC", "clang", "STDC", "weak"};
    const char *end = token->text + token->length;
    const char *word = (const char *)memchr(token->text, 'p', token->length) + strlen("pragma");

    while (word < end && (*word == ' ' || *word == '\t'))
        word++;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t length = strlen(known[i]);

        if ((size_t)(end - word) >= length && memcmp(word, known[i], length) == 0)
            return;
    }
    edit(token, "");
}

/* __asm { ... }, or one instruction after the word. */
static bool is_assembly(const struct tokens *tokens, size_t i)
{
    if (!token_among(tokens, i, "__asm _asm") || i + 1 == tokens->count)
        return false;
    return token_is(tokens, i + 1, "{") || (tokens->list[i + 1].kind == TOKEN_WORD &&
                                            !token_among(tokens, i + 1, "volatile __volatile__ goto inline"));
}

/*
 * &((TYPE *)0)->field, with any number of brackets, is no constant for some compilers.  The tokens become
 * __builtin_offsetof(TYPE, field), which has the same value.
 */
static void edit_offset(struct tokens *tokens, size_t i)
{
    struct token *list = tokens->list;
    size_t type = i + 1, star, arrow, end;

    while (token_is(tokens, type, "("))
        type++;
    for (star = type; star < tokens->count && list[star].kind == TOKEN_WORD;)
        star++;
    if (star == type || type == i + 1 || !token_is(tokens, star, "*") || list[type - 1].partner != star + 1)
        return;
    arrow = star + 2;
    if (token_is(tokens, arrow, "("))       /* NULL */
        arrow = list[arrow].partner;
    else if (!token_is(tokens, arrow, "0"))
        return;
    for (arrow++; token_is(tokens, arrow, ")");)
        arrow++;
    if (!token_is(tokens, arrow, "-") || !token_is(tokens, arrow + 1, ">"))
        return;
    for (end = arrow + 2; end < tokens->count && (list[end].kind == TOKEN_WORD || token_is(tokens, end, "."));)
        end++;
    for (size_t open = i + 1; open < type; open++) {
        list[open].edit = "";
        list[list[open].partner].edit = "";
    }
    for (size_t j = star + 1; j < arrow + 2; j++)
        list[j].edit = "";
    list[i].edit = "__builtin_offsetof(";
    list[star].edit = ",";
    list[end - 1].edit = text_of("%.*s)", (int)list[end - 1].length, list[end - 1].text);
}

/* __declspec(align(16)) struct X { ... } is a larger structure; for others, the attribute must follow the word. */
static void edit_alignment(struct tokens *tokens, size_t i)
{
    struct token *list = tokens->list;
    size_t type = list[i + 1].partner + 1, brace = type + 1;

    brace += brace < tokens->count && list[brace].kind == TOKEN_WORD;
    if (!token_is(tokens, i + 3, "aligned") || !token_among(tokens, type, "struct union") ||
        !token_is(tokens, brace, "{"))
        return;
    list[type].edit = text_of("%.*s %.*s", (int)list[type].length, list[type].text,
                              (int)(list[type - 1].text + 1 - list[i].text), list[i].text);
    for (; i < type; i++)
        edit(&list[i], "");
}

bool rewrite_words(struct tokens *tokens)
{
    size_t assertion = 0;                   /* where the present one ends */
    bool fine = true;

    for (size_t i = 0; i < tokens->count; i++) {
        struct token *t = &tokens->list[i];

        if (t->kind == TOKEN_PRAGMA)
            edit_pragma(t);
        else if (token_is(tokens, i, ",") && token_is(tokens, i + 1, ")"))
            edit(t, "");
        else if (token_is(tokens, i, "__FILEW__"))
            edit(t, text_of("L%.*s", t->file_length, t->file));
        else if (token_among(tokens, i, "_Static_assert static_assert") && token_is(tokens, i + 1, "("))
            assertion = tokens->list[i + 1].partner;
        else if (token_is(tokens, i, "__attribute__") && token_is(tokens, i + 1, "("))
            edit_alignment(tokens, i);
        else if (i < assertion && token_is(tokens, i, "&"))
            edit_offset(tokens, i);
        if (is_assembly(tokens, i)) {
            fprintf(stderr, "%.*s:%u: inline assembly cannot be compiled: give the driver a C function for it, by a "
                    "macro in DEFINES or a header in INCLUDES\n", t->file_length - 2, t->file + 1, t->line);
            fine = false;
        }
    }
    return fine;
}

void rewrite_without_const(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (token_among(tokens, i, "const __const __const__"))
            edit(&tokens->list[i], "");
    }
}
