/*
 * crt.h
 *
 * What the kernel exports of the C library and drivers use without a word: strings, wide strings, kinds of characters.
 *
 * A module's calls go to the kernel model, which checks what they touch (isolate.sh): there are 16 bits in a wchar_t,
 * and letters of the ASCII range are all that differs in case.
 *
 * Source      string.h, wchar.h and ctype.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_H
#define NMRCHECK_WDK_CRT_H

#include "ntdef.h"

EXTERN_C_START

size_t strlen(const char *Text) NMRCHECK_NOTHROW;
size_t strnlen(const char *Text, size_t Count) NMRCHECK_NOTHROW;
int strcmp(const char *Left, const char *Right) NMRCHECK_NOTHROW;
int strncmp(const char *Left, const char *Right, size_t Count) NMRCHECK_NOTHROW;
int _stricmp(const char *Left, const char *Right) NMRCHECK_NOTHROW;
int _strnicmp(const char *Left, const char *Right, size_t Count) NMRCHECK_NOTHROW;
char *strcpy(char *Destination, const char *Source) NMRCHECK_NOTHROW;
char *strncpy(char *Destination, const char *Source, size_t Count) NMRCHECK_NOTHROW;
char *strcat(char *Destination, const char *Source) NMRCHECK_NOTHROW;
char *strchr(const char *Text, int Character) NMRCHECK_NOTHROW;
char *strrchr(const char *Text, int Character) NMRCHECK_NOTHROW;
char *strstr(const char *Text, const char *Part) NMRCHECK_NOTHROW;

size_t wcslen(const wchar_t *Text) NMRCHECK_NOTHROW;
size_t wcsnlen(const wchar_t *Text, size_t Count) NMRCHECK_NOTHROW;
int wcscmp(const wchar_t *Left, const wchar_t *Right) NMRCHECK_NOTHROW;
int wcsncmp(const wchar_t *Left, const wchar_t *Right, size_t Count) NMRCHECK_NOTHROW;
int _wcsicmp(const wchar_t *Left, const wchar_t *Right) NMRCHECK_NOTHROW;
int _wcsnicmp(const wchar_t *Left, const wchar_t *Right, size_t Count) NMRCHECK_NOTHROW;
wchar_t *wcscpy(wchar_t *Destination, const wchar_t *Source) NMRCHECK_NOTHROW;
wchar_t *wcsncpy(wchar_t *Destination, const wchar_t *Source, size_t Count) NMRCHECK_NOTHROW;
wchar_t *wcscat(wchar_t *Destination, const wchar_t *Source) NMRCHECK_NOTHROW;
wchar_t *wcschr(const wchar_t *Text, wchar_t Character) NMRCHECK_NOTHROW;
wchar_t *wcsrchr(const wchar_t *Text, wchar_t Character) NMRCHECK_NOTHROW;
wchar_t *wcsstr(const wchar_t *Text, const wchar_t *Part) NMRCHECK_NOTHROW;

/* In brackets: other code may have macros of these names. */
int (toupper)(int Character) NMRCHECK_NOTHROW;
int (tolower)(int Character) NMRCHECK_NOTHROW;
int (isdigit)(int Character) NMRCHECK_NOTHROW;
int (isxdigit)(int Character) NMRCHECK_NOTHROW;
int (isupper)(int Character) NMRCHECK_NOTHROW;
int (islower)(int Character) NMRCHECK_NOTHROW;
int (isalpha)(int Character) NMRCHECK_NOTHROW;
int (isalnum)(int Character) NMRCHECK_NOTHROW;
int (isspace)(int Character) NMRCHECK_NOTHROW;
int (isprint)(int Character) NMRCHECK_NOTHROW;

EXTERN_C_END

#endif /* NMRCHECK_WDK_CRT_H */
