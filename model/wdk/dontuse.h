/*
 * dontuse.h
 *
 * For MSVC's code analysis; there is nothing in it for a compiler.
 *
 * Source      dontuse.h of the WDK
 */
#ifndef NMRCHECK_WDK_DONTUSE_H
#define NMRCHECK_WDK_DONTUSE_H

#endif /* NMRCHECK_WDK_DONTUSE_H */
