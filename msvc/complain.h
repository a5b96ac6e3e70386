/*
 * complain.h
 *
 * What a compiler said of a driver's source, in one line for each thing that a driver's author can do something about:
 * a header, function or type that the simulated WDK does not have, C++.  The compiler's own messages were shown before.
 */
#ifndef NMRCHECK_MSVC_COMPLAIN_H
#define NMRCHECK_MSVC_COMPLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* A message of gcc or clang: FILE:LINE:COLUMN: KIND: TEXT. */
struct message {
    char file[4096], text[1024];
    unsigned line;
};

/* The next message in *at, which goes on behind it; false when there is none. */
bool message_next(const char **at, struct message *message);

/* Is the message that a header was not found?  Then the name it was asked for by. */
bool message_header(const struct message *message, char *name, size_t size);

/* Is it that a function was called that nobody declared?  Then its name. */
bool message_function(const struct message *message, char *name, size_t size);

/* Does the compiler complain of declarations that do not fit? */
bool complains_of_types(const char *messages);

/* Prints the lines, each thing once. */
void complain(const char *messages);

#endif /* NMRCHECK_MSVC_COMPLAIN_H */
