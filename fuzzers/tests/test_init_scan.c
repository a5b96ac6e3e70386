/*
 * test_init_scan.c - what `nmrcheck init` sees in sources: declarations, registrations, tables, entry points.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init_driver.h"

static struct scan s;
static struct driver d;

static void add(const char *path, const char *text)
{
    scan_add(&s, strdup(path), strdup(text), strstr(path, ".h") != NULL);
}

static int clear(void **state)
{
    (void)state;
    driver_release(&d);
    scan_release(&s);
    return 0;
}

static const char header[] =
    "#pragma once\n"
    "DEFINE_GUID(X_NPIID, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);\n"
    "typedef _IRQL_requires_max_(DISPATCH_LEVEL) NTSTATUS (NTAPI X_SEND)(_In_ PVOID Context, _In_ ULONG Code);\n"
    "typedef X_SEND *PX_SEND;\n"
    "typedef VOID NTAPI X_STOP(PVOID Context);\n"
    "typedef struct X_PROVIDER_DISPATCH_ {\n"
    "    ULONG Version;\n"
    "    _Field_size_(Count) PX_SEND Send;\n"
    "    X_STOP *Stop;\n"
    "    ULONG (NTAPI *Query)(VOID);\n"
    "} X_PROVIDER_DISPATCH, *PX_PROVIDER_DISPATCH;\n"
    "typedef const X_PROVIDER_DISPATCH *PCX_PROVIDER_DISPATCH;\n"
    "typedef struct { PX_SEND Indicate; } X_CLIENT_DISPATCH;\n"
    "typedef struct { ULONG Version; } X_CHARACTERISTICS;\n"
    "typedef struct BINDING_ {\n"
    "    const X_CLIENT_DISPATCH *Theirs; PCX_PROVIDER_DISPATCH Provider;\n"
    "} BINDING, *PBINDING;\n";

static const char provider[] =
    "// \\\n#include <not.h>\n"
    "/* \" */ #include <ntddk.h>\n"
    "#include \"x.h\"\n"
    "#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
    "static NTSTATUS NTAPI Send(PVOID Context, ULONG Code) { return Helper(Context) ? '}' : \"}\"[0]; }\n"
    "static const X_PROVIDER_DISPATCH Table = { 1, Send };\n"
    "_Use_decl_annotations_ static NTSTATUS NTAPI Attach(HANDLE Handle, PVOID Context, PNPI_REGISTRATION_INSTANCE I,\n"
    "    PVOID Theirs, CONST VOID *TheirTable, PVOID *Ours, CONST VOID **OurTable)\n"
    "{\n"
    "    PBINDING Binding = New();\n"
    "    Binding->Theirs = (const X_CLIENT_DISPATCH *)TheirTable;\n"
    "    if (!Acceptable((PVOID)(Handle), I->NpiSpecificCharacteristics)) { return STATUS_NOINTERFACE; }\n"
    "    if (OurTable == NULL) { return STATUS_INVALID_PARAMETER; }\n"
    "    *OurTable = &Table;\n"
    "    return STATUS_SUCCESS;\n"
    "}\n"
    "static NPI_PROVIDER_CHARACTERISTICS Characteristics = {\n"
    "    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), Attach, Detach, Cleanup,\n"
    "    { 0, sizeof(NPI_REGISTRATION_INSTANCE), (PNPIID)&X_NPIID, &ModuleId, 0, NULL },\n"
    "};\n"
    "#if 0\nNTSTATUS Dead(VOID) {\n#elif 1\n#else\n}}}\n#endif\n"
    "static BOOLEAN Acceptable(HANDLE Handle, const X_CHARACTERISTICS *Theirs) { return Theirs != NULL; }\n"
    "BOOLEAN Helper(PVOID Context) { return Context != NULL; }\n"
    "NTSTATUS Invoke(ULONG Code) { return Code; }\n"
    "NTSTATUS Pointed(ULONG Code) { return Code; }\n"
    "VOID Unload(PDRIVER_OBJECT Object) { NmrDeregisterProvider(Handle); }\n"
    "_Function_class_(DRIVER_INITIALIZE) NTSTATUS DriverEntry(PDRIVER_OBJECT Object, PUNICODE_STRING Path)\n"
    "{ Object->DriverUnload = Unload; Routine = Pointed;\n"
    "  return NmrRegisterProvider(&Characteristics, NULL, &Handle); }\n";

static void sees_a_provider(void **state)
{
    (void)state;
    add("x.c", provider);
    add("x.h", header);
    driver_look(&d, &s);
    assert_non_null(d.entry);
    assert_string_equal(d.registers->path, "x.c");
    assert_int_equal(d.npi_count, 1);
    assert_string_equal(d.npis[0].id, "X_NPIID");
    assert_true(d.npis[0].registered[PARTY_PROVIDER]);
    assert_false(d.npis[0].registered[PARTY_CLIENT]);
    assert_string_equal(d.npis[0].table[PARTY_PROVIDER]->name, "X_PROVIDER_DISPATCH");
    assert_string_equal(d.npis[0].table[PARTY_CLIENT]->name, "X_CLIENT_DISPATCH");
    assert_string_equal(d.npis[0].characteristics[PARTY_CLIENT]->name, "X_CHARACTERISTICS");
    assert_int_equal(d.operation_count, 1);
    assert_string_equal(d.operations[0]->name, "Invoke");
    assert_null(scan_find(&s, FACT_FUNCTION, "Dead"));
    assert_int_equal(s.sources[0]->include_count, 2);
    assert_string_equal(s.sources[0]->includes[1].name, "x.h");
    assert_true(s.sources[0]->includes[1].quoted);
}

/* Names that begin with an underscore are functions'; annotations have one at either end. */
static void sees_functions_with_an_underscore(void **state)
{
    (void)state;
    add("u.c", "static void _helper() { }\n"
               "_Must_inspect_result_ int _checked(int a) _Requires_lock_held_(lock) { return a; }\n"
               "static NTSTATUS _attach(HANDLE h, PVOID c, PNPI_REGISTRATION_INSTANCE i) { return 0; }\n"
               "NTSTATUS _register(PARAMETERS *p) {\n"
               "    c->ClientAttachProvider = _attach;\n"
               "    c->ClientRegistrationInstance.NpiId = p->id;\n"
               "    return NmrRegisterClient(c, NULL, &handle); }\n"
               "NTSTATUS DriverEntry(PDRIVER_OBJECT o, PUNICODE_STRING r) { return _register(r); }\n");
    driver_look(&d, &s);
    assert_non_null(d.entry);
    assert_non_null(scan_find(&s, FACT_FUNCTION, "_helper"));
    assert_non_null(scan_find(&s, FACT_FUNCTION, "_checked"));
    assert_int_equal(d.register_calls, 1);
    assert_int_equal(d.npi_count, 1);
    assert_string_equal(d.npis[0].id, "");      /* which one is known when the driver runs */
}

static void sees_the_functions_of_a_table(void **state)
{
    static const struct { const char *name; bool no_status; } expected[] = {
        {"Send", false}, {"Stop", true}, {"Query", true}};
    const struct fact *table;
    struct table_function f;
    size_t at = 0, count = 0;
    (void)state;
    add("x.h", header);
    table = scan_struct(&s, "PCX_PROVIDER_DISPATCH");
    assert_non_null(table);
    assert_ptr_equal(table, scan_struct(&s, "X_PROVIDER_DISPATCH_"));
    for (; driver_next_function(&s, table, &at, &f); count++, free(f.name)) {
        assert_true(count < 3);
        assert_string_equal(f.name, expected[count].name);
        assert_int_equal(f.no_status, expected[count].no_status);
    }
    assert_int_equal(count, 3);
}

/* No DriverEntry, fields assigned one by one, helpers between. */
static void sees_a_client(void **state)
{
    (void)state;
    add("x.h", header);
    add("nmr.c",
        "NTSTATUS NTAPI ClientAttach(HANDLE Handle, PVOID Context, PNPI_REGISTRATION_INSTANCE I)\n"
        "{ PBINDING b = Context; const VOID *Table;\n"
        "  NmrClientAttachProvider(Handle, b, &Ours, &b->Context, &Table); b->Provider = Table; }\n"
        "static X_CLIENT_DISPATCH Ours;\n"
        "static NTSTATUS Register(VOID) {\n"
        "  Global.Characteristics.ClientAttachProvider = ClientAttach;\n"
        "  Global.Characteristics.ClientRegistrationInstance.NpiId = &X_NPIID;\n"
        "  return NmrRegisterClient(&Global.Characteristics, 0, &Global.Handle); }\n"
        "NTSTATUS StartAll(VOID) { return Register(); }\n"
        "VOID StopAll(VOID) { NmrDeregisterClient(Global.Handle); }\n");
    driver_look(&d, &s);
    assert_null(d.entry);
    assert_string_equal(d.init->name, "StartAll");
    assert_string_equal(d.exit->name, "StopAll");
    assert_int_equal(d.npi_count, 1);
    assert_true(d.npis[0].registered[PARTY_CLIENT]);
    assert_string_equal(d.npis[0].table[PARTY_CLIENT]->name, "X_CLIENT_DISPATCH");
    assert_string_equal(d.npis[0].table[PARTY_PROVIDER]->name, "X_PROVIDER_DISPATCH");
    assert_int_equal(d.operation_count, 0);
}

/* Texts that end anywhere, and have any byte anywhere. */
static void survives_odd_sources(void **state)
{
    static char text[sizeof header + sizeof provider];
    const char *bytes = "(){};,=*\"'#\\\n/a0";
    (void)state;
    for (size_t length = 0; length < sizeof provider; length += 3)
        for (unsigned change = 0; change < 2; change++) {
            memcpy(text, provider, length);
            text[length] = '\0';
            for (size_t i = change ? length % 7 : length; i < length; i += 41)
                text[i] = bytes[(i + length) % 16];
            add("x.c", text);
            add("x.h", header);
            driver_look(&d, &s);
            clear(NULL);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sees_a_provider, clear),
        cmocka_unit_test_teardown(sees_functions_with_an_underscore, clear),
        cmocka_unit_test_teardown(sees_the_functions_of_a_table, clear),
        cmocka_unit_test_teardown(sees_a_client, clear),
        cmocka_unit_test_teardown(survives_odd_sources, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
