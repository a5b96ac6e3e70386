/*
 * wdk.h
 *
 * What the real WDK declares: the list of model/wdk/functions.txt, where its head says what a line has.
 */
#ifndef NMRCHECK_MSVC_WDK_H
#define NMRCHECK_MSVC_WDK_H

/* Reads the list; without one, or with NULL, nothing is known. */
void wdk_read(const char *path);

/* The header that declares a function, or NULL. */
const char *wdk_header(const char *function);

/*
 * The type that a function of the WDK returns, in words of C: "int" for NTSTATUS, "void *" for any pointer.  NULL for a
 * function that is not in the list, a macro, or a structure.
 */
const char *wdk_type(const char *function);

#endif /* NMRCHECK_MSVC_WDK_H */
