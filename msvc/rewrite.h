/*
 * rewrite.h
 *
 * Preprocessed source of MSVC's kind, made fit for gcc and clang on a machine where `long` has 64 bits.
 *
 * Each step sets the edits of some tokens; rewrite_print then writes the text with all edits.  Edits keep their
 * lines, and their columns where they can, so that messages and debug information stay true.
 *
 *   types       long is int and long long is long, however they are spelled: so all 64-bit types are one type, as
 *               on Windows.  long double is double.  Literals have the value and the width that they have there:
 *               1L, 0xFFFFFFFFL, 4294967295, 5i64.
 *   functions   __FUNCTION__ is a literal.  An inline function that is not static exists once, as MSVC has it.
 *   guards      __try, __leave, __finally, and __except, whose block never runs.  A __finally block also runs when
 *               return, goto, break or continue leave its __try block.
 *   words       pragmas that only MSVC knows; the comma that an empty __VA_ARGS__ leaves behind; offsets by null
 *               pointers in static assertions; an alignment before `struct`.
 *
 * What cannot be compiled is complained about on stderr, in one line each; see complain.h for what the compiler says.
 */
#ifndef NMRCHECK_MSVC_REWRITE_H
#define NMRCHECK_MSVC_REWRITE_H

#include "tokens.h"

#include <stdio.h>

void rewrite_types(struct tokens *tokens);
void rewrite_functions(struct tokens *tokens);
/* False, and complaints, when there is what no edit helps: inline assembly. */
bool rewrite_words(struct tokens *tokens);
/* For declarations that differ in const only, which MSVC takes. */
void rewrite_without_const(struct tokens *tokens);
/* Also edits the guards. */
void rewrite_print(struct tokens *tokens, const char *declarations, FILE *out);

/* All but rewrite_without_const.  `declarations` go before everything else. */
bool rewrite(struct tokens *tokens, const char *declarations, FILE *out);

/* As many spaces as the token is long, after `text`. */
void edit(struct token *token, const char *text);

#endif /* NMRCHECK_MSVC_REWRITE_H */
