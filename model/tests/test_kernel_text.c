/* test_kernel_text.c - formatting, ntstrsafe.h, UNICODE_STRINGs, the registry. */
#include "test_kernel_lab.h"

#include <ntstrsafe.h>

/* This file is compiled with a wchar_t of 16 bits. */
static bool same(const WCHAR *left, const WCHAR *right)
{
    while (*left && *left == *right)
        left++, right++;
    return *left == *right;
}

static CHAR narrow[64];
static WCHAR wide[64];

#define FORMATS(expected, ...) \
    LAB_EXPECT(RtlStringCbPrintfA(narrow, sizeof narrow, __VA_ARGS__) == STATUS_SUCCESS && \
               strcmp(narrow, expected) == 0)

/* `long` of driver code is LONG: %ld takes 32 bits, whatever the machine's long is. */
static void numbers(void)
{
    FORMATS("1 -2 3", "%d %i %u", 1, -2, 3u);
    FORMATS("-7 4294967295", "%ld %lu", (LONG)-7, (ULONG)0xFFFFFFFF);
    FORMATS("-7 -7 18446744073709551615", "%lld %I64d %I64u", (LONG64)-7, (LONG64)-7, ~(ULONG64)0);
    FORMATS("ff FF 0xff 0XFF 17", "%x %X %#x %#X %o", 255, 255, 255, 255, 15);
    FORMATS("-1 255 -1 65535", "%hhd %hhu %hd %hu", 0xFF, 0xFF, 0xFFFF, 0xFFFF);
    FORMATS("[   42][42   ][00042][  042]", "[%5d][%-5d][%05d][%5.3d]", 42, 42, 42, 42);
    FORMATS("[+42][ 42][-0042]", "[%+d][% d][%05d]", 42, 42, -42);
    FORMATS("[   7][7   ]", "[%*d][%*d]", 4, 7, -4, 7);
    FORMATS("0000000012345678", "%p", (PVOID)0x12345678);
    FORMATS("0xC0000001", "0x%08X", STATUS_UNSUCCESSFUL);
    FORMATS("18446744073709551615 -1", "%zu %Id", ~(SIZE_T)0, (LONG_PTR)-1);
    FORMATS("[] 100%", "[%.0d] 100%%", 0);
}

static void texts(void)
{
    UNICODE_STRING string = RTL_CONSTANT_STRING(L"counted");
    ANSI_STRING ansi = RTL_CONSTANT_STRING("ansi");

    string.Length = 5 * sizeof(WCHAR);
    FORMATS("text wide W", "%s %S %C", "text", L"wide", L'W');
    FORMATS("[  ab][ab  ][ab]", "[%4s][%-4s][%.2s]", "ab", "ab", "abc");
    FORMATS("count ansi (null)", "%wZ %Z %s", &string, &ansi, (PCSTR)NULL);
    FORMATS("narrow wide wide x", "%hs %ls %ws %c", "narrow", L"wide", L"wide", 'x');
    LAB_EXPECT(RtlStringCchPrintfW(wide, ARRAYSIZE(wide), L"%s %S %hs %d %c", L"wide", "text", "more", 5, L'\x263a') ==
               STATUS_SUCCESS);
    LAB_EXPECT(same(wide, L"wide text more 5 \x263a"));
    LAB_EXPECT(_snprintf(NULL, 0, "%d", 12345) == 5);
    LAB_EXPECT(_snprintf(narrow, 3, "%d", 123) == 3 && _snprintf(narrow, 3, "%d", 1234) == -1);
    LAB_EXPECT(_snwprintf(wide, 9, L"%ls", L"abc") == 3 && wide[3] == 0);
}

static void test_format(void **state)
{
    (void)state;
    lab_clean(numbers);
    lab_clean(texts);
}

static void safe_strings(void)
{
    SIZE_T length = 99;

    LAB_EXPECT(RtlStringCchCopyA(narrow, 4, "abc") == STATUS_SUCCESS && strcmp(narrow, "abc") == 0);
    LAB_EXPECT(RtlStringCchCopyA(narrow, 4, "abcd") == STATUS_BUFFER_OVERFLOW && strcmp(narrow, "abc") == 0);
    LAB_EXPECT(RtlStringCchCopyA(narrow, 0, "abcd") == STATUS_INVALID_PARAMETER);
    LAB_EXPECT(RtlStringCchCopyNA(narrow, 9, "abcd", 2) == STATUS_SUCCESS && strcmp(narrow, "ab") == 0);
    LAB_EXPECT(RtlStringCbCatA(narrow, 5, "cd") == STATUS_SUCCESS && strcmp(narrow, "abcd") == 0);
    LAB_EXPECT(RtlStringCbCatA(narrow, 5, "e") == STATUS_BUFFER_OVERFLOW && strcmp(narrow, "abcd") == 0);
    LAB_EXPECT(RtlStringCbCopyW(wide, 4 * sizeof(WCHAR), L"abcd") == STATUS_BUFFER_OVERFLOW && same(wide, L"abc"));
    LAB_EXPECT(RtlStringCbLengthW(wide, sizeof wide, &length) == STATUS_SUCCESS && length == 3 * sizeof(WCHAR));
    LAB_EXPECT(RtlStringCchLengthW(wide, 3, &length) == STATUS_INVALID_PARAMETER && length == 0);
    LAB_EXPECT(RtlStringCchLengthA(NULL, 3, &length) == STATUS_INVALID_PARAMETER);
    LAB_EXPECT(RtlStringCchPrintfA(narrow, 4, "%d", 12345) == STATUS_BUFFER_OVERFLOW && strcmp(narrow, "123") == 0);
}

static void unicode_strings(void)
{
    UNICODE_STRING s = {0, 5 * sizeof(WCHAR), wide}, constant;

    LAB_EXPECT(RtlUnicodeStringInit(&constant, L"abc") == STATUS_SUCCESS && constant.Length == 6);
    LAB_EXPECT(RtlUnicodeStringCopy(&s, &constant) == STATUS_SUCCESS && s.Length == 6);
    LAB_EXPECT(RtlUnicodeStringCat(&s, &constant) == STATUS_BUFFER_OVERFLOW && s.Length == 10);
    LAB_EXPECT(RtlUnicodeStringCopyString(&s, L"xy") == STATUS_SUCCESS && s.Length == 4);
    LAB_EXPECT(RtlUnicodeStringCatString(&s, L"z") == STATUS_SUCCESS && s.Length == 6 && wide[2] == L'z');
    LAB_EXPECT(RtlUnicodeStringPrintf(&s, L"%u", 12345u) == STATUS_SUCCESS && s.Length == 10);
    LAB_EXPECT(RtlUnicodeStringPrintf(&s, L"%u", 123456u) == STATUS_BUFFER_OVERFLOW && s.Length == 10);
    RtlInitUnicodeString(&constant, NULL);
    LAB_EXPECT(constant.Length == 0 && constant.MaximumLength == 0 && !constant.Buffer);
    RtlInitUnicodeString(&constant, L"AbC");
    LAB_EXPECT(constant.Length == 6 && constant.MaximumLength == 8);
    LAB_EXPECT(RtlUnicodeStringCopyString(&s, L"aBc") == STATUS_SUCCESS);
    LAB_EXPECT(RtlEqualUnicodeString(&s, &constant, TRUE) && !RtlEqualUnicodeString(&s, &constant, FALSE));
    LAB_EXPECT(RtlCompareUnicodeString(&s, &constant, FALSE) > 0);
    RtlCopyUnicodeString(&s, &constant);
    LAB_EXPECT(RtlEqualUnicodeString(&s, &constant, FALSE));
}

static void test_strings(void **state)
{
    (void)state;
    lab_clean(safe_strings);
    lab_clean(unicode_strings);
}

static void wide_raised(void) { KeRaiseIrqlToDpcLevel(); (void)RtlStringCchPrintfW(wide, 9, L"%d", 1); }
static void narrow_raised(void) { KIRQL old = KeRaiseIrqlToDpcLevel(); numbers(); KeLowerIrql(old); }

static void past_the_block(void)
{
    PCHAR block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4, LAB_TAG);

    (void)_snprintf(block, 8, "%d", 1);
}

static void freed_text(void)
{
    PCHAR block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4, LAB_TAG);

    ExFreePool(block);
    (void)_snprintf(narrow, 8, "%.1s", block);
}

static void test_format_misuse(void **state)
{
    (void)state;
    lab_only_misuse(wide_raised, MISUSE_IRQL_TOO_HIGH);
    lab_clean(narrow_raised);
    lab_only_access(past_the_block, ACCESS_OUT_OF_BOUNDS);
    lab_only_access(freed_text, ACCESS_FREED);
}

/* ---- the registry: a key without values, or no key */

static ULONG number, routine_calls;
static UNICODE_STRING text;
static struct { LONG size; ULONG64 big; } bytes;

static NTSTATUS NTAPI routine(PWSTR Name, ULONG Type, PVOID Data, ULONG Length, PVOID Context, PVOID EntryContext)
{
    LAB_EXPECT(Context == (PVOID)&routine_calls && EntryContext == (PVOID)&number);
    LAB_EXPECT(!Name || (Type == REG_DWORD && Length == 4 && *(PULONG)Data == 7));
    routine_calls++;
    return STATUS_SUCCESS;
}

static NTSTATUS query_one(RTL_QUERY_REGISTRY_TABLE entry)
{
    RTL_QUERY_REGISTRY_TABLE table[2] = {entry};

    routine_calls = 0;
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"Driver\\Parameters", table, &routine_calls, NULL);
}

static void defaults(void)
{
    static ULONG seven = 7;
    static ULONG64 large = 0x123456789A;
    static WCHAR name[] = L"Name";
    enum { DIRECT = RTL_QUERY_REGISTRY_DIRECT, REQUIRED = RTL_QUERY_REGISTRY_REQUIRED };

    number = 1;
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){NULL, DIRECT, name, &number, REG_DWORD, &seven, 4}) ==
               STATUS_SUCCESS && number == 7);
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){routine, 0, name, &number, REG_DWORD, &seven, 0}) ==
               STATUS_SUCCESS && routine_calls == 1);
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){NULL, DIRECT, name, &number, REG_NONE, NULL, 0}) ==
               STATUS_SUCCESS && number == 7);
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){NULL, DIRECT | REQUIRED, name, &number, REG_NONE, NULL, 0}) ==
               STATUS_OBJECT_NAME_NOT_FOUND);
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){routine, DIRECT, name, &number, REG_DWORD, &seven, 4}) ==
               STATUS_INVALID_PARAMETER);
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){routine, RTL_QUERY_REGISTRY_NOVALUE, name, &number, 0, NULL, 0}) ==
               STATUS_SUCCESS && routine_calls == 1);
    bytes.size = 8;
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){NULL, DIRECT, name, &bytes, REG_QWORD, &large, 8}) ==
               STATUS_BUFFER_TOO_SMALL);
    bytes.size = -16;
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){NULL, DIRECT, name, &bytes, REG_QWORD, &large, 8}) ==
               STATUS_SUCCESS && memcmp(&bytes, &large, 8) == 0);
    text = (UNICODE_STRING){0};
    LAB_EXPECT(query_one((RTL_QUERY_REGISTRY_TABLE){NULL, DIRECT, name, &text, REG_SZ, name, 0}) == STATUS_SUCCESS);
    LAB_EXPECT(text.Length == 4 * sizeof(WCHAR) && same(text.Buffer, name));
    ExFreePool(text.Buffer);
    pool_report_leaks();
}

static void one_default(void)
{
    static ULONG seven = 7;
    NTSTATUS status = query_one((RTL_QUERY_REGISTRY_TABLE){routine, 0, NULL, &number, REG_DWORD, &seven, 4});

    LAB_EXPECT(status == (routine_calls ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND));
}

static void query_raised(void) { KeRaiseIrqlToDpcLevel(); one_default(); }

static void test_registry(void **state)
{
    struct explore_result r;

    (void)state;
    lab_clean(defaults);
    assert_int_equal(lab_count(EV_LEAK, LAB_ANY_VALUE), 0);
    r = lab_all(one_default, 0, 1);
    assert_int_equal(r.executions, 2);
    lab_only_misuse(query_raised, MISUSE_IRQL_TOO_HIGH);
}

/* ---- counted strings */

static bool reads(PCUNICODE_STRING string, const WCHAR *expected)
{
    size_t n = 0;

    while (expected[n])
        n++;
    return string->Length == n * sizeof *expected &&
           memcmp(string->Buffer, expected, n * sizeof *expected) == 0;
}

static void pieces(void)
{
    UNICODE_STRING prefix = RTL_CONSTANT_STRING(L"\\DEVICE"), part = RTL_CONSTANT_STRING(L"Tcp"), string;
    DECLARE_UNICODE_STRING_SIZE(narrow_room, 5);

    RtlInitEmptyUnicodeString(&string, wide, sizeof wide);
    LAB_EXPECT(RtlAppendUnicodeToString(&string, L"\\Device\\") == STATUS_SUCCESS);
    LAB_EXPECT(RtlAppendUnicodeStringToString(&string, &part) == STATUS_SUCCESS);
    LAB_EXPECT(reads(&string, L"\\Device\\Tcp") && wide[11] == 0);
    LAB_EXPECT(!RtlPrefixUnicodeString(&prefix, &string, FALSE) && RtlPrefixUnicodeString(&prefix, &string, TRUE));
    LAB_EXPECT(!RtlPrefixUnicodeString(&string, &prefix, TRUE));
    LAB_EXPECT(RtlAppendUnicodeStringToString(&narrow_room, &part) == STATUS_SUCCESS);
    LAB_EXPECT(RtlAppendUnicodeStringToString(&narrow_room, &part) == STATUS_BUFFER_TOO_SMALL);
    LAB_EXPECT(reads(&narrow_room, L"Tcp"));
    LAB_EXPECT(RtlIntegerToUnicodeString(40007, 0, &string) == STATUS_SUCCESS && reads(&string, L"40007"));
    LAB_EXPECT(RtlInt64ToUnicodeString(0xC43138E3CD13, 16, &string) == STATUS_SUCCESS);
    LAB_EXPECT(reads(&string, L"C43138E3CD13"));
    LAB_EXPECT(RtlIntegerToUnicodeString(40007, 2, &narrow_room) == STATUS_BUFFER_OVERFLOW);
    LAB_EXPECT(RtlIntegerToUnicodeString(1, 3, &string) == STATUS_INVALID_PARAMETER);
}

static void allocated(void)
{
    static const GUID guid = {0xE1CADF68, 0xE3DD, 0x4A4A, {0x93, 0x2D, 0x38, 0x6A, 0x29, 0x39, 0x9F, 0x5E}};
    UNICODE_STRING string, other;
    ANSI_STRING ansi, back;

    RtlInitAnsiString(&ansi, "Tcp");
    if (!NT_SUCCESS(RtlAnsiStringToUnicodeString(&string, &ansi, TRUE)))
        return;
    LAB_EXPECT(reads(&string, L"Tcp") && string.MaximumLength == 4 * sizeof(WCHAR));
    if (NT_SUCCESS(RtlUpcaseUnicodeString(&other, &string, TRUE))) {
        LAB_EXPECT(reads(&other, L"TCP") && RtlEqualUnicodeString(&other, &string, TRUE));
        LAB_EXPECT(RtlDowncaseUnicodeString(&other, &string, FALSE) == STATUS_SUCCESS && reads(&other, L"tcp"));
        RtlFreeUnicodeString(&other);
    }
    if (NT_SUCCESS(RtlUnicodeStringToAnsiString(&back, &string, TRUE))) {
        LAB_EXPECT(RtlEqualString(&back, &ansi, FALSE));
        RtlFreeAnsiString(&back);
    }
    RtlFreeUnicodeString(&string);
    LAB_EXPECT(!string.Buffer);
    if (NT_SUCCESS(RtlStringFromGUID(&guid, &string))) {
        LAB_EXPECT(reads(&string, L"{E1CADF68-E3DD-4A4A-932D-386A29399F5E}"));
        RtlFreeUnicodeString(&string);
    }
    pool_report_leaks();
    LAB_EXPECT(lab_count(EV_LEAK, LAB_ANY_VALUE) == 0);
}

static void bits(void)
{
    static ULONG buffer[2];
    RTL_BITMAP map;

    RtlInitializeBitMap(&map, buffer, 40);
    RtlClearAllBits(&map);
    RtlSetBits(&map, 30, 5);
    LAB_EXPECT(RtlNumberOfSetBits(&map) == 5 && RtlNumberOfClearBits(&map) == 35);
    LAB_EXPECT(RtlTestBit(&map, 34) && !RtlTestBit(&map, 35) && RtlAreBitsSet(&map, 30, 5));
    LAB_EXPECT(!RtlAreBitsClear(&map, 29, 2) && RtlAreBitsClear(&map, 35, 5) && !RtlAreBitsClear(&map, 35, 6));
    LAB_EXPECT(RtlFindClearBits(&map, 6, 28) == 0 && RtlFindSetBits(&map, 5, 0) == 30);
    LAB_EXPECT(RtlFindClearBitsAndSet(&map, 5, 33) == 35 && RtlFindClearBitsAndSet(&map, 31, 0) == 0xFFFFFFFF);
    LAB_EXPECT(RtlFindSetBitsAndClear(&map, 10, 0) == 30 && RtlNumberOfSetBits(&map) == 0);
    LAB_EXPECT(RtlFindMostSignificantBit(0x500) == 10 && RtlFindLeastSignificantBit(0x500) == 8);
    LAB_EXPECT(RtlFindMostSignificantBit(0) == -1 && RtlFindLeastSignificantBit(0) == -1);
}

static void too_long(void)
{
    UNICODE_STRING string;

    RtlInitEmptyUnicodeString(&string, ExAllocatePoolZero(NonPagedPoolNx, 8, LAB_TAG), 10);
    RtlAppendUnicodeToString(&string, L"12345");
}

static void test_counted_strings(void **state)
{
    (void)state;
    lab_clean(pieces);
    lab_clean(allocated);
    lab_all(allocated, 0, 1);
    lab_clean(bits);
    lab_only_access(too_long, ACCESS_OUT_OF_BOUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_format_misuse),
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_counted_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
