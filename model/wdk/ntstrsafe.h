/*
 * ntstrsafe.h
 *
 * String functions that know the room they have.
 *
 * Cch counts characters, Cb bytes; both count the terminator that is always written.  What does not fit is cut off
 * and answered with STATUS_BUFFER_OVERFLOW.  Everything but the formatting is compiled as part of the module, as
 * on Windows.
 *
 * Source      ntstrsafe.h of the WDK
 */
#ifndef NMRCHECK_WDK_NTSTRSAFE_H
#define NMRCHECK_WDK_NTSTRSAFE_H

#include "wdm.h"

#define NTSTRSAFE_MAX_CCH 2147483647
#define NTSTRSAFE_MAX_LENGTH (NTSTRSAFE_MAX_CCH - 1)
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(WCHAR))
#define STRSAFE_MAX_CCH NTSTRSAFE_MAX_CCH

typedef PWSTR NTSTRSAFE_PWSTR;
typedef PCWSTR NTSTRSAFE_PCWSTR;
typedef PSTR NTSTRSAFE_PSTR;
typedef PCSTR NTSTRSAFE_PCSTR;

EXTERN_C_START

/* The kernel's own formatting: -1 when it does not fit; no terminator when it just fits.  PASSIVE_LEVEL when wide. */
int _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list Arguments);
int _vsnwprintf(WCHAR *Buffer, size_t Count, const WCHAR *Format, va_list Arguments);
int _snprintf(char *Buffer, size_t Count, const char *Format, ...);
int _snwprintf(WCHAR *Buffer, size_t Count, const WCHAR *Format, ...);

EXTERN_C_END

/* The same functions for both kinds of character.  Format: the kernel's function above. */
#define NMRCHECK_STRSAFE(Suffix, Character, Format)                                                          \
    NMRCHECK_INLINE BOOLEAN nmrcheck_strsafe_room##Suffix(SIZE_T Room)                                       \
    {                                                                                                        \
        return (BOOLEAN)(Room != 0 && Room <= NTSTRSAFE_MAX_CCH);                                            \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCchCopyN##Suffix(                                                      \
        Character *To, SIZE_T Room, const Character *From, SIZE_T Most)                                      \
    {                                                                                                        \
        SIZE_T Length = 0;                                                                                   \
                                                                                                             \
        if (!nmrcheck_strsafe_room##Suffix(Room)) {                                                          \
            return STATUS_INVALID_PARAMETER;                                                                 \
        }                                                                                                    \
        while (Length < Most && Length + 1 < Room && From[Length] != 0) {                                    \
            To[Length] = From[Length];                                                                       \
            Length++;                                                                                        \
        }                                                                                                    \
        To[Length] = 0;                                                                                      \
        return Length == Most || From[Length] == 0 ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;                \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCchCopy##Suffix(Character *To, SIZE_T Room, const Character *From)     \
    {                                                                                                        \
        return RtlStringCchCopyN##Suffix(To, Room, From, NTSTRSAFE_MAX_CCH);                                 \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCchLength##Suffix(const Character *Text, SIZE_T Most, SIZE_T *Length)  \
    {                                                                                                        \
        SIZE_T Found = 0;                                                                                    \
                                                                                                             \
        while (Text != NULL && Found < Most && Text[Found] != 0) {                                           \
            Found++;                                                                                         \
        }                                                                                                    \
        if (Text == NULL || Most > NTSTRSAFE_MAX_CCH || Found == Most) {                                     \
            Found = 0;                                                                                       \
            Text = NULL;                                                                                     \
        }                                                                                                    \
        if (Length != NULL) {                                                                                \
            *Length = Found;                                                                                 \
        }                                                                                                    \
        return Text == NULL ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;                                     \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCchCat##Suffix(Character *To, SIZE_T Room, const Character *From)      \
    {                                                                                                        \
        SIZE_T Length = 0;                                                                                   \
                                                                                                             \
        if (!nmrcheck_strsafe_room##Suffix(Room) ||                                                          \
            !NT_SUCCESS(RtlStringCchLength##Suffix(To, Room, &Length))) {                                    \
            return STATUS_INVALID_PARAMETER;                                                                 \
        }                                                                                                    \
        return RtlStringCchCopy##Suffix(To + Length, Room - Length, From);                                   \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCchVPrintf##Suffix(                                                    \
        Character *To, SIZE_T Room, const Character *Text, va_list Arguments)                                \
    {                                                                                                        \
        int Length;                                                                                          \
                                                                                                             \
        if (!nmrcheck_strsafe_room##Suffix(Room)) {                                                          \
            return STATUS_INVALID_PARAMETER;                                                                 \
        }                                                                                                    \
        Length = Format(To, Room - 1, Text, Arguments);                                                      \
        if (Length < 0) {                                                                                    \
            To[Room - 1] = 0;                                                                                \
            return STATUS_BUFFER_OVERFLOW;                                                                   \
        }                                                                                                    \
        To[Length] = 0;                                                                                      \
        return STATUS_SUCCESS;                                                                               \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCchPrintf##Suffix(                                                     \
        Character *To, SIZE_T Room, const Character *Text, ...)                                              \
    {                                                                                                        \
        NTSTATUS Status;                                                                                     \
        va_list Arguments;                                                                                   \
                                                                                                             \
        va_start(Arguments, Text);                                                                           \
        Status = RtlStringCchVPrintf##Suffix(To, Room, Text, Arguments);                                     \
        va_end(Arguments);                                                                                   \
        return Status;                                                                                       \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCbCopy##Suffix(Character *To, SIZE_T Bytes, const Character *From)     \
    {                                                                                                        \
        return RtlStringCchCopy##Suffix(To, Bytes / sizeof(Character), From);                                \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCbCopyN##Suffix(                                                       \
        Character *To, SIZE_T Bytes, const Character *From, SIZE_T Most)                                     \
    {                                                                                                        \
        return RtlStringCchCopyN##Suffix(To, Bytes / sizeof(Character), From, Most / sizeof(Character));     \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCbCat##Suffix(Character *To, SIZE_T Bytes, const Character *From)      \
    {                                                                                                        \
        return RtlStringCchCat##Suffix(To, Bytes / sizeof(Character), From);                                 \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCbLength##Suffix(const Character *Text, SIZE_T Bytes, SIZE_T *Length)  \
    {                                                                                                        \
        NTSTATUS Status = RtlStringCchLength##Suffix(Text, Bytes / sizeof(Character), Length);               \
                                                                                                             \
        if (Length != NULL) {                                                                                \
            *Length *= sizeof(Character);                                                                    \
        }                                                                                                    \
        return Status;                                                                                       \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCbVPrintf##Suffix(                                                     \
        Character *To, SIZE_T Bytes, const Character *Text, va_list Arguments)                               \
    {                                                                                                        \
        return RtlStringCchVPrintf##Suffix(To, Bytes / sizeof(Character), Text, Arguments);                  \
    }                                                                                                        \
    NMRCHECK_INLINE NTSTATUS RtlStringCbPrintf##Suffix(                                                      \
        Character *To, SIZE_T Bytes, const Character *Text, ...)                                             \
    {                                                                                                        \
        NTSTATUS Status;                                                                                     \
        va_list Arguments;                                                                                   \
                                                                                                             \
        va_start(Arguments, Text);                                                                           \
        Status = RtlStringCchVPrintf##Suffix(To, Bytes / sizeof(Character), Text, Arguments);                \
        va_end(Arguments);                                                                                   \
        return Status;                                                                                       \
    }

NMRCHECK_STRSAFE(A, CHAR, _vsnprintf)
NMRCHECK_STRSAFE(W, WCHAR, _vsnwprintf)

#undef NMRCHECK_STRSAFE

/*
 * UNICODE_STRINGs, which need no terminator.
 */

NMRCHECK_INLINE NTSTATUS RtlUnicodeStringInit(_Out_ PUNICODE_STRING String, _In_opt_ PCWSTR Text)
{
    SIZE_T Length = 0;

    String->Length = String->MaximumLength = 0;
    String->Buffer = NULL;
    if (Text == NULL) {
        return STATUS_SUCCESS;
    }
    if (!NT_SUCCESS(RtlStringCchLengthW(Text, NTSTRSAFE_UNICODE_STRING_MAX_CCH, &Length))) {
        return STATUS_INVALID_PARAMETER;
    }
    String->Length = (USHORT)(Length * sizeof(WCHAR));
    String->MaximumLength = (USHORT)((Length + 1) * sizeof(WCHAR));
    String->Buffer = (PWCH)(ULONG_PTR)Text;
    return STATUS_SUCCESS;
}

/* Characters from `At` on, up to the room that the string has. */
NMRCHECK_INLINE NTSTATUS nmrcheck_unicode_append(PUNICODE_STRING String, SIZE_T At, PCWSTR Text, SIZE_T Most)
{
    SIZE_T Room = String->MaximumLength / sizeof(WCHAR);
    SIZE_T From = 0;

    while (At < Room && From < Most && Text[From] != 0) {
        String->Buffer[At++] = Text[From++];
    }
    String->Length = (USHORT)(At * sizeof(WCHAR));
    return From == Most || Text[From] == 0 ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NMRCHECK_INLINE NTSTATUS RtlUnicodeStringCopyString(_Inout_ PUNICODE_STRING String, _In_ PCWSTR Text)
{
    return nmrcheck_unicode_append(String, 0, Text, NTSTRSAFE_UNICODE_STRING_MAX_CCH);
}

NMRCHECK_INLINE NTSTATUS RtlUnicodeStringCatString(_Inout_ PUNICODE_STRING String, _In_ PCWSTR Text)
{
    return nmrcheck_unicode_append(
        String, String->Length / sizeof(WCHAR), Text, NTSTRSAFE_UNICODE_STRING_MAX_CCH);
}

NMRCHECK_INLINE NTSTATUS RtlUnicodeStringCopy(_Inout_ PUNICODE_STRING String, _In_ PCUNICODE_STRING From)
{
    return nmrcheck_unicode_append(String, 0, From->Buffer, From->Length / sizeof(WCHAR));
}

NMRCHECK_INLINE NTSTATUS RtlUnicodeStringCat(_Inout_ PUNICODE_STRING String, _In_ PCUNICODE_STRING From)
{
    return nmrcheck_unicode_append(
        String, String->Length / sizeof(WCHAR), From->Buffer, From->Length / sizeof(WCHAR));
}

NMRCHECK_INLINE NTSTATUS RtlUnicodeStringPrintf(_Inout_ PUNICODE_STRING String, _In_ PCWSTR Text, ...)
{
    SIZE_T Room = String->MaximumLength / sizeof(WCHAR);
    va_list Arguments;
    int Length;

    va_start(Arguments, Text);
    Length = _vsnwprintf(String->Buffer, Room, Text, Arguments);
    va_end(Arguments);
    String->Length = (USHORT)((Length < 0 ? Room : (SIZE_T)Length) * sizeof(WCHAR));
    return Length < 0 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

#endif /* NMRCHECK_WDK_NTSTRSAFE_H */
