/*
 * strings.c - counted strings and bit maps: the Rtl functions of drivers with names, paths and tables.
 *
 * What they read and write counts as accesses of the module's.  Documented for all that allocate: PASSIVE_LEVEL, and
 * the driver frees the buffer with RtlFreeUnicodeString or RtlFreeAnsiString.
 */
#include "internal.h"

#include <string.h>

#include <ntifs.h>

enum { STRING_TAG = 0x53676552 };           /* 'RegS': as registry.c's, the same functions free them */

static WCHAR upper(WCHAR c)
{
    return c >= 'a' && c <= 'z' ? (WCHAR)(c - 'a' + 'A') : c;
}

static WCHAR lower(WCHAR c)
{
    return c >= 'A' && c <= 'Z' ? (WCHAR)(c - 'A' + 'a') : c;
}

/* ---- beginnings, ends, copies */

/*
 * RtlAppendUnicodeStringToString, RtlAppendUnicodeToString (wdm.h)
 *
 * Documented  STATUS_BUFFER_TOO_SMALL, and nothing is appended, when there is no room; a terminator is written when
 *             there is room for it                                                (RtlAppendUnicodeStringToString)
 */
static NTSTATUS append(PUNICODE_STRING to, const WCHAR *from, size_t bytes, const void *pc)
{
    WCHAR *end;

    memory_use(to, sizeof *to, true, pc);
    if (bytes > (size_t)(to->MaximumLength - to->Length))
        return STATUS_BUFFER_TOO_SMALL;
    if (!bytes)
        return STATUS_SUCCESS;
    end = to->Buffer + to->Length / sizeof(WCHAR);
    memory_copy(end, from, bytes, pc);
    to->Length = (USHORT)(to->Length + bytes);
    if (to->Length + sizeof(WCHAR) <= to->MaximumLength) {
        end += bytes / sizeof(WCHAR);
        memory_use(end, sizeof *end, true, pc);
        raw_fill(end, 0, sizeof *end);
    }
    return STATUS_SUCCESS;
}

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    return append(Destination, Source->Buffer, Source->Length, CALLER());
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    size_t length = 0;

    while (Source && Source[length] && length < UNICODE_STRING_MAX_CHARS)
        length++;
    return append(Destination, Source, length * sizeof *Source, CALLER());
}

/* Documented: STATUS_NAME_TOO_LONG for more than a counted string can hold        (RtlInitUnicodeStringEx) */
NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    size_t length = 0;

    memory_use(DestinationString, sizeof *DestinationString, true, CALLER());
    while (SourceString && SourceString[length] && length <= UNICODE_STRING_MAX_CHARS)
        length++;
    if (length >= UNICODE_STRING_MAX_CHARS)
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

VOID RtlInitString(PSTRING DestinationString, PCSZ SourceString)
{
    RtlInitAnsiString(DestinationString, SourceString);
}

VOID RtlCopyString(PSTRING DestinationString, const STRING *SourceString)
{
    USHORT length = SourceString ? SourceString->Length : 0;

    if (length > DestinationString->MaximumLength)
        length = DestinationString->MaximumLength;
    if (length)
        memory_copy(DestinationString->Buffer, SourceString->Buffer, length, CALLER());
    DestinationString->Length = length;
}

/* ---- comparison: letters of the ASCII range are all that differs in case */

BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    UNICODE_STRING begin = *String2;

    if (String1->Length > String2->Length)
        return FALSE;
    begin.Length = String1->Length;
    return RtlEqualUnicodeString(String1, &begin, CaseInSensitive);
}

LONG RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    size_t n1 = String1->Length, n2 = String2->Length;

    memory_use(String1->Buffer, n1, false, CALLER());
    memory_use(String2->Buffer, n2, false, CALLER());
    for (size_t i = 0; i < n1 && i < n2; i++) {
        WCHAR a = (UCHAR)String1->Buffer[i], b = (UCHAR)String2->Buffer[i];

        if (CaseInSensitive) {
            a = upper(a);
            b = upper(b);
        }
        if (a != b)
            return (LONG)a - (LONG)b;
    }
    return (LONG)n1 - (LONG)n2;
}

BOOLEAN RtlEqualString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    return RtlCompareString(String1, String2, CaseInSensitive) == 0;
}

WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    return upper(SourceCharacter);
}

WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    return lower(SourceCharacter);
}

CHAR RtlUpperChar(CHAR Character)
{
    return (CHAR)upper((UCHAR)Character);
}

/* ---- strings in memory of their own */

static NTSTATUS allocate(PVOID *buffer, USHORT *maximum, size_t bytes, const void *pc)
{
    irql_require_max(LEVEL_PASSIVE, pc);
    if (bytes > UNICODE_STRING_MAX_BYTES)
        return STATUS_INVALID_PARAMETER_2;
    *buffer = pool_allocate(bytes, STRING_TAG, ALLOC_PAGED, pc);
    *maximum = (USHORT)bytes;
    return *buffer ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* To a string of the caller's, or to a new one, a character at a time. */
static NTSTATUS convert(PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocated, WCHAR (*with)(WCHAR),
                        const void *pc)
{
    memory_use(from->Buffer, from->Length, false, pc);
    if (allocated) {
        NTSTATUS status = allocate((PVOID *)&to->Buffer, &to->MaximumLength, from->Length ? from->Length : 1u, pc);

        if (!NT_SUCCESS(status))
            return status;
    } else if (from->Length > to->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    memory_use(to->Buffer, from->Length, true, pc);
    for (size_t i = 0; i < from->Length / sizeof(WCHAR); i++)
        to->Buffer[i] = with(from->Buffer[i]);
    to->Length = from->Length;
    return STATUS_SUCCESS;
}

NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                BOOLEAN AllocateDestinationString)
{
    return convert(DestinationString, SourceString, AllocateDestinationString, upper, CALLER());
}

NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                  BOOLEAN AllocateDestinationString)
{
    return convert(DestinationString, SourceString, AllocateDestinationString, lower, CALLER());
}

/*
 * RtlAnsiStringToUnicodeString, RtlUnicodeStringToAnsiString (wdm.h)
 *
 * Documented  a terminator is counted in the room that is needed, not in Length; STATUS_BUFFER_OVERFLOW when there is
 *             not enough                                                           (RtlAnsiStringToUnicodeString)
 * Our reading characters above 0xFF become question marks
 */
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    const void *pc = CALLER();
    size_t bytes = (SourceString->Length + 1u) * sizeof(WCHAR);
    NTSTATUS status;

    memory_use(SourceString->Buffer, SourceString->Length, false, pc);
    if (AllocateDestinationString) {
        status = allocate((PVOID *)&DestinationString->Buffer, &DestinationString->MaximumLength, bytes, pc);
        if (!NT_SUCCESS(status))
            return status;
    } else if (bytes > DestinationString->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    memory_use(DestinationString->Buffer, bytes, true, pc);
    for (size_t i = 0; i < SourceString->Length; i++)
        DestinationString->Buffer[i] = (UCHAR)SourceString->Buffer[i];
    DestinationString->Buffer[SourceString->Length] = 0;
    DestinationString->Length = (USHORT)(bytes - sizeof(WCHAR));
    return STATUS_SUCCESS;
}

NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    const void *pc = CALLER();
    size_t length = SourceString->Length / sizeof(WCHAR);
    NTSTATUS status;

    memory_use(SourceString->Buffer, SourceString->Length, false, pc);
    if (AllocateDestinationString) {
        status = allocate((PVOID *)&DestinationString->Buffer, &DestinationString->MaximumLength, length + 1, pc);
        if (!NT_SUCCESS(status))
            return status;
    } else if (length >= DestinationString->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    memory_use(DestinationString->Buffer, length + 1, true, pc);
    for (size_t i = 0; i < length; i++)
        DestinationString->Buffer[i] = (CHAR)(SourceString->Buffer[i] > 0xFF ? '?' : SourceString->Buffer[i]);
    DestinationString->Buffer[length] = '\0';
    DestinationString->Length = (USHORT)length;
    return STATUS_SUCCESS;
}

VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    const void *pc = CALLER();

    memory_use(UnicodeString, sizeof *UnicodeString, true, pc);
    if (UnicodeString->Buffer)
        pool_free(UnicodeString->Buffer, 0, pc);
    memset(UnicodeString, 0, sizeof *UnicodeString);
}

VOID RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    const void *pc = CALLER();

    memory_use(AnsiString, sizeof *AnsiString, true, pc);
    if (AnsiString->Buffer)
        pool_free(AnsiString->Buffer, 0, pc);
    memset(AnsiString, 0, sizeof *AnsiString);
}

/* ---- numbers and GUIDs as text */

static NTSTATUS put_number(ULONGLONG value, ULONG base, PUNICODE_STRING to, const void *pc)
{
    WCHAR digits[66];
    size_t first = sizeof digits / sizeof digits[0];

    if (base == 0)
        base = 10;
    if (base != 2 && base != 8 && base != 10 && base != 16)
        return STATUS_INVALID_PARAMETER;
    do {
        unsigned digit = (unsigned)(value % base);

        digits[--first] = (WCHAR)(digit < 10 ? '0' + digit : 'A' + digit - 10);
        value /= base;
    } while (value);
    memory_use(to, sizeof *to, true, pc);
    to->Length = 0;
    return append(to, &digits[first], sizeof digits - first * sizeof digits[0], pc) == STATUS_SUCCESS
               ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

/* Documented: base 0 is 10; 2, 8 and 16 are the others; STATUS_BUFFER_OVERFLOW     (RtlIntegerToUnicodeString) */
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    return put_number(Value, Base, String, CALLER());
}

NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    return put_number(Value, Base, String, CALLER());
}

/* Documented: allocates the text, with braces, which RtlFreeUnicodeString frees           (RtlStringFromGUID) */
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString)
{
    static const char digits[] = "0123456789ABCDEF";
    static const signed char order[] = {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
    const void *pc = CALLER();
    const UCHAR *bytes = (const UCHAR *)Guid;
    size_t n = 0;
    NTSTATUS status;

    memory_use(Guid, sizeof *Guid, false, pc);
    status = allocate((PVOID *)&GuidString->Buffer, &GuidString->MaximumLength, 39 * sizeof(WCHAR), pc);
    if (!NT_SUCCESS(status))
        return status;
    memory_use(GuidString->Buffer, 39 * sizeof(WCHAR), true, pc);
    GuidString->Buffer[n++] = '{';
    for (size_t i = 0; i < sizeof order; i++) {
        if (order[i] < 0) {
            GuidString->Buffer[n++] = '-';
            continue;
        }
        GuidString->Buffer[n++] = (WCHAR)digits[bytes[order[i]] >> 4];
        GuidString->Buffer[n++] = (WCHAR)digits[bytes[order[i]] & 15];
    }
    GuidString->Buffer[n++] = '}';
    GuidString->Buffer[n] = 0;
    GuidString->Length = (USHORT)(n * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

/* ---- bits */

CCHAR RtlFindMostSignificantBit(ULONGLONG Set)
{
    return (CCHAR)(Set ? 63 - __builtin_clzll(Set) : -1);
}

CCHAR RtlFindLeastSignificantBit(ULONGLONG Set)
{
    return (CCHAR)(Set ? __builtin_ctzll(Set) : -1);
}

VOID RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    memory_use(BitMapHeader, sizeof *BitMapHeader, true, CALLER());
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

static bool bit(const RTL_BITMAP *map, ULONG i, const void *pc)
{
    memory_use(&map->Buffer[i / 32], sizeof(ULONG), false, pc);
    return map->Buffer[i / 32] >> i % 32 & 1;
}

static void put_bits(const RTL_BITMAP *map, ULONG first, ULONG length, bool on, const void *pc)
{
    for (ULONG i = first; i < map->SizeOfBitMap && i - first < length; i++) {
        memory_use(&map->Buffer[i / 32], sizeof(ULONG), true, pc);
        map->Buffer[i / 32] = (map->Buffer[i / 32] & ~(1u << i % 32)) | (ULONG)on << i % 32;
    }
}

static bool all_are(const RTL_BITMAP *map, ULONG first, ULONG length, bool on, const void *pc)
{
    for (ULONG i = first; i - first < length; i++)
        if (i >= map->SizeOfBitMap || bit(map, i, pc) != on)
            return false;
    return length > 0;
}

/* The first run of so many bits, from a hint on, then from the beginning; 0xFFFFFFFF when there is none. */
static ULONG find_bits(const RTL_BITMAP *map, ULONG number, ULONG hint, bool on, const void *pc)
{
    ULONG from = hint < map->SizeOfBitMap ? hint : 0;

    if (!number)
        return from & ~7u;
    for (ULONG step = 0; step < map->SizeOfBitMap; step++) {
        ULONG i = (from + step) % map->SizeOfBitMap;

        if (all_are(map, i, number, on, pc))
            return i;
    }
    return 0xFFFFFFFF;
}

VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    put_bits(BitMapHeader, StartingIndex, NumberToSet, true, CALLER());
}

VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    put_bits(BitMapHeader, StartingIndex, NumberToClear, false, CALLER());
}

VOID RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    put_bits(BitMapHeader, BitNumber, 1, true, CALLER());
}

VOID RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    put_bits(BitMapHeader, BitNumber, 1, false, CALLER());
}

VOID RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    put_bits(BitMapHeader, 0, BitMapHeader->SizeOfBitMap, true, CALLER());
}

VOID RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    put_bits(BitMapHeader, 0, BitMapHeader->SizeOfBitMap, false, CALLER());
}

BOOLEAN RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    return bit(BitMapHeader, BitNumber, CALLER());
}

BOOLEAN RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return all_are(BitMapHeader, StartingIndex, Length, true, CALLER());
}

BOOLEAN RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return all_are(BitMapHeader, StartingIndex, Length, false, CALLER());
}

ULONG RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find_bits(BitMapHeader, NumberToFind, HintIndex, false, CALLER());
}

ULONG RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find_bits(BitMapHeader, NumberToFind, HintIndex, true, CALLER());
}

ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = find_bits(BitMapHeader, NumberToFind, HintIndex, false, CALLER());

    if (found != 0xFFFFFFFF)
        put_bits(BitMapHeader, found, NumberToFind, true, CALLER());
    return found;
}

ULONG RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = find_bits(BitMapHeader, NumberToFind, HintIndex, true, CALLER());

    if (found != 0xFFFFFFFF)
        put_bits(BitMapHeader, found, NumberToFind, false, CALLER());
    return found;
}

ULONG RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG n = 0;

    for (ULONG i = 0; i < BitMapHeader->SizeOfBitMap; i++)
        n += bit(BitMapHeader, i, CALLER());
    return n;
}

ULONG RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}
