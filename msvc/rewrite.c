/* rewrite.c - guards, and the text with all edits; see rewrite.h. */
#include "rewrite.h"

#include <stdlib.h>
#include <string.h>

/* __try and its block, and the block of its __finally or __except. */
struct guard {
    size_t open, close;             /* the braces of the __try block */
    size_t handler_open, handler_close;
    bool finally;
};

static const char jumps[] = "return goto break continue";
static const char termination[] = "AbnormalTermination _abnormal_termination";

struct printer {
    struct tokens *tokens;
    FILE *out;
    struct guard *guards;
    size_t count;
    unsigned unwinding;             /* copies of __finally blocks that we are in */
};

void edit(struct token *token, const char *text)
{
    size_t length = strlen(text);

    token->edit = length < token->length ? text_of("%-*s", (int)token->length, text) : text;
}

/* ---- what leaves a guarded block */

static size_t skip_group(const struct tokens *tokens, size_t i)
{
    return tokens->list[i].partner > i ? tokens->list[i].partner : i;
}

/* The semicolon that ends the statement of token i. */
static size_t end_of_statement(const struct tokens *tokens, size_t i)
{
    while (i < tokens->count && !token_is(tokens, i, ";"))
        i = skip_group(tokens, i) + 1;
    return i;
}

/* Is there a label of this name between two tokens? */
static bool has_label(const struct tokens *tokens, size_t from, size_t to, const struct token *name)
{
    for (size_t i = from + 1; i < to; i++) {
        const struct token *t = &tokens->list[i];

        if (t->kind == TOKEN_WORD && t->length == name->length && memcmp(t->text, name->text, t->length) == 0 &&
            token_is(tokens, i + 1, ":") && !token_is(tokens, i - 1, "?"))
            return true;
    }
    return false;
}

/*
 * Where the loop begins that a break or continue at token i belongs to; `first` when that is outside of it.  Goes back
 * over the statements before it, and looks at what stands before each brace and in front of the statement itself.
 */
static size_t loop_of(const struct tokens *tokens, size_t i, size_t first, const char *loops)
{
    bool in_front = true;

    while (--i > first) {
        if (tokens->list[i].partner < i) {
            in_front &= !token_is(tokens, i, "}");
            i = tokens->list[i].partner;
        } else if (token_is(tokens, i, "{")) {
            in_front = true;
        } else if (token_is(tokens, i, ";")) {
            in_front = false;
        } else if (in_front && token_among(tokens, i, loops)) {
            return i;
        }
    }
    return first;
}

/* Does the jump at token i leave this guarded block? */
static bool leaves(const struct tokens *tokens, size_t i, const struct guard *g)
{
    if (i <= g->open || i >= g->close)
        return false;
    if (token_is(tokens, i, "return"))
        return true;
    if (token_is(tokens, i, "goto"))
        return !has_label(tokens, g->open, g->close, &tokens->list[i + 1]);
    if (token_is(tokens, i, "break"))
        return loop_of(tokens, i, g->open, "for while do switch") == g->open;
    if (token_is(tokens, i, "continue"))
        return loop_of(tokens, i, g->open, "for while do") == g->open;
    return false;
}

/* ---- printing */

static void print(struct printer *p, size_t from, size_t to);

static void print_place(struct printer *p, size_t i)
{
    const struct token *t = &p->tokens->list[i];

    fprintf(p->out, "\n# %u %.*s\n", t->line, t->file_length, t->file);
}

/* The __finally blocks that the jump at token i runs, innermost first; how many. */
static size_t print_handlers(struct printer *p, size_t i, bool write)
{
    size_t n = 0;

    for (size_t k = p->count; k-- > 0;) {
        const struct guard *g = &p->guards[k];

        if (!g->finally || !leaves(p->tokens, i, g))
            continue;
        n++;
        if (!write)
            continue;
        p->unwinding++;
        print_place(p, g->handler_open);
        print(p, g->handler_open, g->handler_close);
        fputs("}", p->out);
        p->unwinding--;
    }
    return n;
}

/* A jump out of guarded blocks: { result = expression; handlers; jump }.  The token behind it. */
static size_t print_jump(struct printer *p, size_t i)
{
    size_t end = end_of_statement(p->tokens, i);
    bool value = token_is(p->tokens, i, "return") && end > i + 1;

    if (value) {
        fputs("{ __typeof__((void)0, (", p->out);
        print(p, i + 1, end);
        fputs(")) nmrcheck_result = (", p->out);
        print_place(p, i + 1);
        print(p, i + 1, end);
        fputs(");", p->out);
    } else {
        fputs("{", p->out);
    }
    print_handlers(p, i, true);
    print_place(p, end);
    if (value)
        fputs("return nmrcheck_result; }", p->out);
    else
        fprintf(p->out, "%.*s }", (int)(p->tokens->list[end].text + 1 - p->tokens->list[i].text),
                p->tokens->list[i].text);
    return end + 1;
}

static void print_token(struct printer *p, size_t i)
{
    const struct token *t = &p->tokens->list[i];

    if (token_among(p->tokens, i, termination))
        fputs(p->unwinding ? "1" : "0", p->out);
    else if (t->edit)
        fputs(t->edit, p->out);
    else
        fwrite(t->text, 1, t->length, p->out);
}

/* Tokens from ... to - 1, with what is between them. */
static void print(struct printer *p, size_t from, size_t to)
{
    const struct token *list = p->tokens->list;

    for (size_t i = from, next; i < to; i = next) {
        const char *end;

        next = i + 1;
        if (token_among(p->tokens, i, jumps) && print_handlers(p, i, false))
            next = print_jump(p, i);
        else
            print_token(p, i);
        end = list[next - 1].text + list[next - 1].length;
        if (next < to)
            fwrite(end, 1, (size_t)(list[next].text - end), p->out);
    }
}

/* ---- guards */

static bool find_guard(const struct tokens *tokens, size_t i, struct guard *g)
{
    const struct token *list = tokens->list;
    size_t handler;

    if (!token_among(tokens, i, "__try _try") || !token_is(tokens, i + 1, "{"))
        return false;
    *g = (struct guard){.open = i + 1, .close = list[i + 1].partner};
    handler = g->close + 1;
    g->finally = token_among(tokens, handler, "__finally _finally");
    g->handler_open = handler + 1;
    if (!g->finally && token_among(tokens, handler, "__except _except") && token_is(tokens, handler + 1, "("))
        g->handler_open = list[handler + 1].partner + 1;
    g->handler_close = g->handler_open < tokens->count ? list[g->handler_open].partner : 0;
    return g->handler_close > g->handler_open && token_is(tokens, g->handler_open, "{");
}

/* Two blocks in a block of their own; the second one is dead code when it is an exception handler's. */
static void edit_guard(struct tokens *tokens, const struct guard *g, size_t number)
{
    struct token *list = tokens->list;

    list[g->open - 1].edit = text_of("{ __label__ nmrcheck_leave_%zu;", number);
    list[g->close].edit = text_of("nmrcheck_leave_%zu: __attribute__((unused)); }", number);
    if (g->finally) {
        edit(&list[g->close + 1], "");
    } else {
        list[g->close + 1].edit = "if (((void)";
        list[g->handler_open - 1].edit = ")), 0)";
    }
    list[g->handler_close].edit = "} }";
}

static void edit_guards(struct printer *p)
{
    struct tokens *tokens = p->tokens;
    struct guard found;

    for (size_t i = 0; i < tokens->count; i++) {
        if (find_guard(tokens, i, &found)) {
            p->guards = grow(p->guards, (p->count + 1) * sizeof *p->guards);
            p->guards[p->count++] = found;
            edit_guard(tokens, &found, p->count);
        } else if (token_among(tokens, i, "__leave _leave")) {
            for (size_t k = p->count; k-- > 0;) {
                if (i > p->guards[k].open && i < p->guards[k].close) {
                    tokens->list[i].edit = text_of("goto nmrcheck_leave_%zu", k + 1);
                    break;
                }
            }
        } else if (token_among(tokens, i, termination) && token_is(tokens, i + 1, "(")) {
            tokens->list[i + 1].edit = "";
            tokens->list[tokens->list[i + 1].partner].edit = "";
        }
    }
}

void rewrite_print(struct tokens *tokens, const char *declarations, FILE *out)
{
    struct printer p = {.tokens = tokens, .out = out};

    if (!tokens->count) {
        fwrite(tokens->text, 1, tokens->length, out);
        return;
    }
    edit_guards(&p);
    fwrite(tokens->text, 1, (size_t)(tokens->list[0].text - tokens->text), out);
    fputs(declarations, out);               /* not before the first line marker, which names the file */
    print(&p, 0, tokens->count);
    fputs("\n", out);
    free(p.guards);
}

bool rewrite(struct tokens *tokens, const char *declarations, FILE *out)
{
    rewrite_types(tokens);
    rewrite_functions(tokens);
    if (!rewrite_words(tokens))
        return false;
    rewrite_print(tokens, declarations, out);
    return true;
}
