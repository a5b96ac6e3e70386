/*
 * symbol.h - program counters as source lines.
 *
 * llvm-symbolizer, or else addr2line, is run once for a whole batch, on the program's own
 * executable with the load address subtracted.  When neither is there, the name of an exported
 * function is the best that can be had, and often there is nothing.
 *
 * A program counter lies inside the instruction that is meant: callers subtract one from a return address.
 */
#ifndef REPORTS_SYMBOL_H
#define REPORTS_SYMBOL_H

#include <stdbool.h>

struct symbol {
    char function[96];                      /* "" when unknown; "name+0x1c" when only that is known */
    char file[200];                         /* relative to the source folder when inside it; "" unknown */
    unsigned line;                          /* 0 unknown */
};

enum { SYMBOLS_MAX = 1024 };

/* Look all of `pcs` up at once and remember the answers until the next call; extra ones are unknown. */
void symbols_load(const void *const *pcs, unsigned count);

/* An answer of the last symbols_load; false when nothing is known. */
bool symbol_find(const void *pc, struct symbol *out);

/* "file:line", "function" or "" in the caller's buffer; returns it. */
const char *symbol_format(const struct symbol *s, char *text, unsigned long capacity);

#endif
