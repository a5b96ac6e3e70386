/*
 * nmrcheck/npi.h - the NPI description: what the harness has to know of a driver beside its source.
 *
 * A description is a C file of yours, given to nmrcheck_add_module as NPI.  It may include your driver's headers and
 * call your driver's functions: it is linked into the driver, as one more of its files, but is not watched.  Its
 * variables are restored before each execution, like the driver's.  All of it is optional.  Without a description the
 * harness sees what DriverEntry registers, and its counterparts attach and detach; but nobody knows what the functions
 * of the tables take, so that none is called.
 *
 * A file that describes one NPI and drives one entry point of the driver:
 *
 *     #include "driver.h"
 *     #include <nmrcheck/npi.h>
 *
 *     static const struct npi_function client_functions[] = {
 *         {"indicate", NPI_OFFSET(MY_CLIENT_DISPATCH, Indicate)},
 *     };
 *     static const struct npi_function provider_functions[] = {
 *         {"send", NPI_OFFSET(MY_PROVIDER_DISPATCH, Send), .arguments = {NPI_CONTEXT, NPI_BUFFER(64), NPI_VALUE(64)}},
 *     };
 *     static const struct npi my_npi = {
 *         .name = "MY", .id = &MY_NPIID,
 *         .client   = {.table_size = sizeof(MY_CLIENT_DISPATCH), NPI_FUNCTIONS(client_functions)},
 *         .provider = {.table_size = sizeof(MY_PROVIDER_DISPATCH), NPI_FUNCTIONS(provider_functions)},
 *     };
 *     const struct npi *const nmrcheck_npis[] = {&my_npi, NULL};
 *
 *     static NTSTATUS invoke(ULONG argument) { return MyInvoke(g_Extension, argument); }
 *     const struct npi_operation nmrcheck_operations[] = {{"invoke", invoke}, {NULL}};
 *
 *     NMRCHECK_STUB(OtherSubsystemReady, TRUE)
 *
 * Nothing in a description may read a clock, a random source, an address or the environment.
 */
#ifndef NMRCHECK_NPI_H
#define NMRCHECK_NPI_H

#include <ntddk.h>
#include <netioddk.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NPI_ARGUMENTS_MAX = 6, NPI_FUNCTIONS_MAX = 32, NPI_TABLE_MAX = 512, NPI_CHARACTERISTICS_MAX = 256,
       NPI_BUFFERS_MAX = 2048 };

/* ---- functions of a dispatch table */

enum npi_flags {
    NPI_MAY_PEND    = 1 << 0,       /* may answer STATUS_PENDING; the call is over when the other side is told so … */
    NPI_ENDS_CALL   = 1 << 1,       /* … by this function of its table.  It is called for nothing else. */
    NPI_IN_TEARDOWN = 1 << 2,       /* may also be called between the detach callback and the end of the detach */
    NPI_NO_CONTEXT  = 1 << 3,       /* the first argument is not the binding context of the table's owner */
    NPI_VOID        = 1 << 4,       /* returns nothing, or a number or pointer: in any case no NTSTATUS */
    NPI_INSTANCE    = 1 << 5,       /* returns the Number of the registration instance that serves the binding */
    NPI_NEVER       = 1 << 6        /* counterparts do not call it */
};

/*
 * One argument of a call that a counterpart makes: a word.  Functions with arguments that are no integers or pointers
 * of up to 64 bits, or with more than six, need a `call` of their own.
 */
#define NPI_CONTEXT         (UINT64_C(1) << 56)         /* the binding context that the driver gave */
#define NPI_NUMBER          (UINT64_C(2) << 56)         /* 0, 1 or 2: which counterpart calls */
#define NPI_VALUE(number)   (UINT64_C(3) << 56 | ((uint64_t)(number) & 0xFFFFFFFF))
#define NPI_BUFFER(bytes)   (UINT64_C(4) << 56 | (bytes))   /* address of so many zero bytes, which may be written */
#define NPI_PENDED(number)  (UINT64_C(5) << 56 | (number))  /* where a call is ended: that argument of it, from 0 */

struct npi_function {
    const char *name;               /* as stories spell it: "indicate" */
    size_t offset;                  /* of its pointer in the table, in bytes: NPI_OFFSET(type, member) */
    unsigned flags;                 /* enum npi_flags */

    /*
     * When it is the driver's function: how a counterpart calls it.  Either `arguments`, of which the first 0 ends the
     * list; none at all are NPI_CONTEXT, NPI_NUMBER.  Or a function that makes the call: `table` is the driver's.
     */
    uint64_t arguments[NPI_ARGUMENTS_MAX];
    NTSTATUS (*call)(const void *table, PVOID context, ULONG number);

    /*
     * When it is the counterpart's function: what it does when the driver calls it, beside being slow, calling back or
     * pending, which are choices.
     *
     * calls, calls_later   NPI_CALLS(n): function n of the driver's table, before it returns, or from another thread
     * failure              a status that it may answer instead of STATUS_SUCCESS: a choice; 0: it never fails
     * answer               what it returns, and writes through pointers, when it does not pend or fail: gets the words
     *                      that it was called with, of which those beyond its parameters are rubbish.  NULL: 0
     */
    unsigned calls, calls_later;
    NTSTATUS failure;
    uintptr_t (*answer)(const uintptr_t arguments[NPI_ARGUMENTS_MAX]);
};

#define NPI_OFFSET(type, member) offsetof(type, member)
#define NPI_CALLS(function) ((function) + 1)
#define NPI_FUNCTIONS(array) .functions = (array), .function_count = sizeof(array) / sizeof *(array)

/* ---- characteristics: what NpiSpecificCharacteristics points to */

struct npi_characteristics {
    const void *bytes;              /* of any structure; what it points to in turn must be constant */
    size_t size;
};

/* ---- one side of an NPI */

enum npi_given {
    NPI_OPTIONAL,                   /* counterparts may omit it; the driver copes with that */
    NPI_REQUIRED,                   /* counterparts may omit it; the driver must not attach to them then */
    NPI_ALWAYS                      /* counterparts never omit it; a driver may rely on that */
};

/* A side that is left out is not known: what the driver registers for it is not judged. */
struct npi_side {
    /* The dispatch table of this side: its size (0: it has none), what it holds beside functions (a header with a
     * version, say; NULL: zeroes), and its functions: of these, `offset` and `name` are what each must have. */
    size_t table_size;
    const void *table;
    enum npi_given table_given;
    const struct npi_function *functions;
    unsigned function_count;
    /*
     * NpiSpecificCharacteristics of this side: valid ones (size 0: this side has none), valid ones of an older version
     * that end sooner, and two that the other side must refuse: too short for what they say, and of a version that
     * nobody knows.  Variants without bytes are not tried.
     */
    struct npi_characteristics characteristics, older, refused, newer;
    enum npi_given characteristics_given;
    /* The registration instance of counterparts, where the NPI gives a meaning to it: what an ordinary one has as
     * Version, Number and ModuleId (NULL: a GUID that nobody knows).  There are odd ones, too. */
    USHORT version;
    ULONG number;
    const NPI_MODULEID *module_id;
    /* May function `call` of this side answer that status to a live binding?  low_resources: an allocation failed
     * meanwhile; detaching: the binding is being detached.  NULL: any status is fine. */
    bool (*status_ok)(unsigned call, NTSTATUS status, bool low_resources, bool detaching);
};

struct npi {
    const char *name;
    const NPIID *id;
    struct npi_side client, provider;
};

/* The NPIs that the driver takes part in, up to NULL. */
extern const struct npi *const nmrcheck_npis[];

/* ---- operations: entry points of the driver that other parts of the system call, such as invoke, open, close, send */

/*
 * Called from several threads at once, at PASSIVE_LEVEL, at any time between the end of DriverEntry and the beginning
 * of DriverUnload, which comes after the last of them has returned.  `argument` is a small number, from 0.  The status
 * is only told.  Any may come first, last, or not at all: of a pair such as open and close make one operation that does
 * both, or keep in a variable of the description what is open, and close it where the driver is unloaded.
 */
struct npi_operation {
    const char *name;
    NTSTATUS (NTAPI *call)(ULONG argument);
};

extern const struct npi_operation nmrcheck_operations[];    /* up to one without a name */

/* ---- values in the registry */

/*
 * A value that RtlQueryRegistryValues finds, in whatever key; that the key is not there remains a choice.  Others are
 * not there.  The data is constant.
 */
struct npi_registry_value {
    PCWSTR name;
    ULONG type;                     /* REG_DWORD, REG_SZ, REG_BINARY, … */
    const void *data;
    ULONG size;                     /* in bytes, with the end of a string */
};

extern const struct npi_registry_value nmrcheck_registry[];     /* up to one without a name */

/* ---- stubs: functions that the driver needs and that nobody here has */

/*
 * Each defines the function; its prototype, if one was seen, may be any whose arguments and result are integers and
 * pointers.  YIELDS: other threads may run meanwhile.  MAY_FAIL: that, too, and whether it fails is a choice.
 */
#define NMRCHECK_STUB(function, value) NMRCHECK_STUB_(function, (uintptr_t)(value))
#define NMRCHECK_STUB_YIELDS(function, value) NMRCHECK_STUB_(function, nmrcheck_external((uintptr_t)(value), 0, 0))
#define NMRCHECK_STUB_MAY_FAIL(function, value, failure) \
    NMRCHECK_STUB_(function, nmrcheck_external((uintptr_t)(value), 1, (uintptr_t)(failure)))

#define NMRCHECK_STUB_(function, result)                        \
    uintptr_t nmrcheck_stub_##function(void) __asm__(#function);  \
    uintptr_t nmrcheck_stub_##function(void) { return (result); }

/* What those two do: for functions of the description that do more than return a value, such as write one through a
 * pointer.  Other threads may run; returns `value`, or `failure` when it may fail and the choice is that it does. */
uintptr_t nmrcheck_external(uintptr_t value, int may_fail, uintptr_t failure);

#endif
