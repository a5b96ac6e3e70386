/*
 * suppress.h
 *
 * For MSVC's code analysis; there is nothing in it for a compiler.
 *
 * Source      suppress.h of the WDK
 */
#ifndef NMRCHECK_WDK_SUPPRESS_H
#define NMRCHECK_WDK_SUPPRESS_H

#endif /* NMRCHECK_WDK_SUPPRESS_H */
