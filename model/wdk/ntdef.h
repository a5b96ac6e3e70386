/*
 * ntdef.h
 *
 * The basic types, macros and constants of Windows kernel code.
 *
 * Windows is LLP64: ULONG and LONG are 32 bits wide, pointers and SIZE_T 64, WCHAR 16.  All 64-bit types are
 * the types of <stdint.h>, so that uint64_t, UINT64, ULONG_PTR and size_t are one type as they are there; the header
 * itself is not included, since a driver may bring its own.  Modules are compiled with -fshort-wchar, which makes
 * L"..." a string of WCHAR; code compiled without it may include this header too but then must not use wide literals.
 *
 * Modules are compiled by nmrcheck-cc (msvc/rewrite.h): it makes their `long` 32 bits wide, and knows what no macro can
 * be: __try and its handlers, inline.
 *
 * Source      ntdef.h, basetsd.h and the MSVC language extensions; sizes checked against mingw-w64
 */
#ifndef NMRCHECK_WDK_NTDEF_H
#define NMRCHECK_WDK_NTDEF_H

#include <stdarg.h>
#include <stddef.h>

#include "driverspecs.h"
#include "sal.h"
#include "specstrings.h"

/*
 * Words of the MSVC compiler.
 */

#ifdef __cplusplus
#define EXTERN_C extern "C"
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#define NMRCHECK_STATIC_ASSERT(Condition, Text) static_assert(Condition, Text)
#define NMRCHECK_NOTHROW noexcept
#else
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#define NMRCHECK_STATIC_ASSERT(Condition, Text) _Static_assert(Condition, Text)
#define NMRCHECK_NOTHROW
#ifndef static_assert
#define static_assert _Static_assert
#endif
#endif

/* Code of these headers that is compiled as part of the module. */
#define NMRCHECK_INLINE static __inline__ __attribute__((unused))

#undef __cdecl
#undef __stdcall
#undef __fastcall
#undef __forceinline
#undef __declspec
#undef __int8
#undef __int16
#undef __int32
#undef __int64
#undef __unaligned
#undef __ptr64
#undef __ptr32
#undef __pragma

#define __cdecl
#define _cdecl
#define __stdcall
#define _stdcall
#define __fastcall
#define _fastcall
#define __vectorcall
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define __unaligned
#define __ptr64
#define __ptr32
#define __pragma(...) _Pragma(#__VA_ARGS__)
#define __noop(...) ((void)0)
#define __assume(...) ((void)0)
#define __annotation(...) ((void)0)

#define __forceinline __inline__

/* __declspec(x) becomes NMRCHECK_DECLSPEC_x.  Sections and import marks mean nothing here. */
#define __declspec(...) NMRCHECK_DECLSPEC_PASTE(__VA_ARGS__)
#define NMRCHECK_DECLSPEC_PASTE(...) NMRCHECK_DECLSPEC_##__VA_ARGS__
#define NMRCHECK_DECLSPEC_align(Bytes) __attribute__((aligned(Bytes)))
#define NMRCHECK_DECLSPEC_allocate(...)
#define NMRCHECK_DECLSPEC_allocator
#define NMRCHECK_DECLSPEC_code_seg(...)
#define NMRCHECK_DECLSPEC_deprecated __attribute__((deprecated))
#define NMRCHECK_DECLSPEC_dllexport
#define NMRCHECK_DECLSPEC_dllimport
#define NMRCHECK_DECLSPEC_guard(...)
#define NMRCHECK_DECLSPEC_naked
#define NMRCHECK_DECLSPEC_noalias
#define NMRCHECK_DECLSPEC_noinline __attribute__((noinline))
#define NMRCHECK_DECLSPEC_noreturn __attribute__((noreturn))
#define NMRCHECK_DECLSPEC_nothrow
#define NMRCHECK_DECLSPEC_novtable
#define NMRCHECK_DECLSPEC_restrict
#define NMRCHECK_DECLSPEC_safebuffers
#define NMRCHECK_DECLSPEC_selectany __attribute__((weak))
#define NMRCHECK_DECLSPEC_thread __thread
#define NMRCHECK_DECLSPEC_uuid(...)

#define DECLSPEC_ALIGN(Bytes) __attribute__((aligned(Bytes)))
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define DECLSPEC_DEPRECATED
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_EXPORT
#define DECLSPEC_IMPORT
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_NOTHROW
#define DECLSPEC_NOVTABLE
#define DECLSPEC_RESTRICT
#define DECLSPEC_SELECTANY __attribute__((weak))
#define DECLSPEC_UUID(...)

/*
 * Structured exceptions are not simulated: a guarded block runs, the handler is compiled but never runs.  A termination
 * handler runs whenever its guarded block is left.
 */
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define GetExceptionCode() STATUS_SUCCESS
#define _exception_code() STATUS_SUCCESS
#define GetExceptionInformation() ((PEXCEPTION_POINTERS)NULL)
#define _exception_info() GetExceptionInformation()

/*
 * Words that mean nothing, or the same as in C.
 */

#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define NTAPI
#define NTSYSAPI
#define NTKERNELAPI
#define NTHALAPI
#define FASTCALL
#define CALLBACK
#define WINAPI
#define APIENTRY
#define CDECL
#define STDMETHODCALLTYPE
#define FORCEINLINE __forceinline
#define CFORCEINLINE FORCEINLINE
#define INLINE __inline__
#define UNALIGNED
#define RESTRICTED_POINTER
#define POINTER_32
#define POINTER_64
#define NOTHING
#define FAR
#define NEAR
#define ANYSIZE_ARRAY 1

#ifndef NULL
#ifdef __cplusplus
#define NULL 0
#else
#define NULL ((void *)0)
#endif
#endif

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

/* Assertions are always checked here, which is what DBG says on Windows. */
#ifndef DBG
#define DBG 1
#endif
#ifndef _AMD64_
#define _AMD64_ 1
#endif
#ifndef NTDDI_VERSION
#define NTDDI_VERSION 0x0A00000B
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#define NTDDI_WIN2K 0x05000000
#define NTDDI_WINXP 0x05010000
#define NTDDI_WS03 0x05020000
#define NTDDI_VISTA 0x06000000
#define NTDDI_LONGHORN NTDDI_VISTA
#define NTDDI_WS08 0x06000100
#define NTDDI_WIN7 0x06010000
#define NTDDI_WIN8 0x06020000
#define NTDDI_WINBLUE 0x06030000
#define NTDDI_WIN10 0x0A000000
#define NTDDI_WIN10_TH2 0x0A000001
#define NTDDI_WIN10_RS1 0x0A000002
#define NTDDI_WIN10_RS2 0x0A000003
#define NTDDI_WIN10_RS3 0x0A000004
#define NTDDI_WIN10_RS4 0x0A000005
#define NTDDI_WIN10_RS5 0x0A000006
#define NTDDI_WIN10_19H1 0x0A000007
#define NTDDI_WIN10_VB 0x0A000008
#define NTDDI_WIN10_MN 0x0A000009
#define NTDDI_WIN10_FE 0x0A00000A
#define NTDDI_WIN10_CO 0x0A00000B
#define NTDDI_WIN10_NI 0x0A00000C

/*
 * Integers.
 */

typedef void *PVOID;
typedef void *PVOID64;
typedef const void *PCVOID;
typedef PVOID HANDLE;
typedef HANDLE *PHANDLE;
#define DECLARE_HANDLE(Name) \
    struct Name##__ {        \
        int unused;          \
    };                       \
    typedef struct Name##__ *Name

typedef char CHAR, CCHAR;
typedef short SHORT, CSHORT;
typedef __INT32_TYPE__ LONG, INT, BOOL, INT32, LONG32;
typedef __INT64_TYPE__ LONGLONG, LONG64, INT64, LONG_PTR, INT_PTR, SSIZE_T, USN, intptr_t;
typedef unsigned char UCHAR, BYTE, BOOLEAN;
typedef unsigned short USHORT, WORD;
typedef __UINT32_TYPE__ ULONG, DWORD, UINT, LOGICAL, UINT32, ULONG32, DWORD32;
typedef __UINT64_TYPE__ ULONGLONG, ULONG64, UINT64, DWORD64, DWORDLONG, ULONG_PTR, DWORD_PTR, UINT_PTR, SIZE_T;
typedef __UINT64_TYPE__ KAFFINITY, uintptr_t;
typedef __INT8_TYPE__ INT8;
typedef __INT16_TYPE__ INT16;
typedef __UINT8_TYPE__ UINT8;
typedef __UINT16_TYPE__ UINT16;

typedef CHAR *PCHAR, *LPCH, *PCH;
typedef CCHAR *PCCHAR;
typedef SHORT *PSHORT;
typedef LONG *PLONG;
typedef INT *PINT;
typedef BOOL *PBOOL;
typedef LONGLONG *PLONGLONG;
typedef LONG64 *PLONG64;
typedef INT64 *PINT64;
typedef LONG_PTR *PLONG_PTR;
typedef INT_PTR *PINT_PTR;
typedef UCHAR *PUCHAR;
typedef BYTE *PBYTE;
typedef BOOLEAN *PBOOLEAN;
typedef USHORT *PUSHORT;
typedef WORD *PWORD;
typedef ULONG *PULONG;
typedef DWORD *PDWORD;
typedef UINT *PUINT;
typedef ULONGLONG *PULONGLONG;
typedef ULONG64 *PULONG64;
typedef UINT64 *PUINT64;
typedef DWORD64 *PDWORD64;
typedef ULONG_PTR *PULONG_PTR;
typedef UINT_PTR *PUINT_PTR;
typedef SIZE_T *PSIZE_T;
typedef SSIZE_T *PSSIZE_T;
typedef INT8 *PINT8;
typedef INT16 *PINT16;
typedef INT32 *PINT32;
typedef UINT8 *PUINT8;
typedef UINT16 *PUINT16;
typedef UINT32 *PUINT32;
typedef ULONG32 *PULONG32;
typedef KAFFINITY *PKAFFINITY;

typedef ULONG ACCESS_MASK, *PACCESS_MASK;
typedef UCHAR KIRQL, *PKIRQL;
typedef CCHAR KPROCESSOR_MODE;
typedef LONG KPRIORITY;
typedef LONG NTSTATUS, *PNTSTATUS;

#define NT_SUCCESS(Status) (((NTSTATUS)(Status)) >= 0)
#define NT_INFORMATION(Status) ((((ULONG)(Status)) >> 30) == 1)
#define NT_WARNING(Status) ((((ULONG)(Status)) >> 30) == 2)
#define NT_ERROR(Status) ((((ULONG)(Status)) >> 30) == 3)

#define MINCHAR 0x80
#define MAXCHAR 0x7f
#define MINSHORT 0x8000
#define MAXSHORT 0x7fff
#define MINLONG 0x80000000
#define MAXLONG 0x7fffffff
#define MAXUCHAR 0xff
#define MAXUSHORT 0xffff
#define MAXULONG 0xffffffff
#define MAXUINT8 ((UINT8)~((UINT8)0))
#define MAXUINT16 ((UINT16)~((UINT16)0))
#define MAXUINT32 ((UINT32)~((UINT32)0))
#define MAXUINT64 ((UINT64)~((UINT64)0))
#define MAXULONG32 ((ULONG32)~((ULONG32)0))
#define MAXULONG64 ((ULONG64)~((ULONG64)0))
#define MAXULONGLONG ((ULONGLONG)~((ULONGLONG)0))
#define MAXULONG_PTR ((ULONG_PTR)~((ULONG_PTR)0))
#define MAXUINT_PTR ((UINT_PTR)~((UINT_PTR)0))
#define MAXSIZE_T ((SIZE_T)~((SIZE_T)0))
#define MAXINT8 ((INT8)(MAXUINT8 >> 1))
#define MAXINT16 ((INT16)(MAXUINT16 >> 1))
#define MAXINT32 ((INT32)(MAXUINT32 >> 1))
#define MAXINT64 ((INT64)(MAXUINT64 >> 1))
#define MAXLONG64 ((LONG64)(MAXULONG64 >> 1))
#define MAXLONGLONG ((LONGLONG)(MAXULONGLONG >> 1))
#define MAXLONG_PTR ((LONG_PTR)(MAXULONG_PTR >> 1))
#define MINLONG64 ((LONG64)~MAXLONG64)
#define MINLONGLONG ((LONGLONG)~MAXLONGLONG)

/*
 * Characters and strings.
 */

#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#else
typedef __UINT16_TYPE__ WCHAR;
#endif
typedef WCHAR *PWCHAR, *PWCH, *PWSTR, *LPWSTR;
typedef const WCHAR *PCWCH, *PCWSTR, *LPCWSTR;
typedef PWSTR PZZWSTR;
typedef CHAR *PSTR, *LPSTR, *PSZ;
typedef const CHAR *PCSTR, *LPCSTR, *PCSZ;

#define ANSI_NULL ((CHAR)0)
#define UNICODE_NULL ((WCHAR)0)
#define UNICODE_STRING_MAX_BYTES ((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS (32767)

/* Length and MaximumLength count bytes, without and with room for a terminator. */
typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING, OEM_STRING, *POEM_STRING;
typedef const STRING *PCSTRING, *PCANSI_STRING;

#define RTL_CONSTANT_STRING(Text) \
    {sizeof(Text) - sizeof((Text)[0]), sizeof(Text), (__typeof__(&((Text)[0])))(Text)}
#define DECLARE_CONST_UNICODE_STRING(Name, Text)                  \
    static const WCHAR Name##_buffer[] = Text;                    \
    const UNICODE_STRING Name = {sizeof(Text) - sizeof(WCHAR), sizeof(Text), (PWCH)(ULONG_PTR)Name##_buffer}
#define DECLARE_UNICODE_STRING_SIZE(Name, Characters) \
    WCHAR Name##_buffer[Characters];                  \
    UNICODE_STRING Name = {0, (Characters) * sizeof(WCHAR), Name##_buffer}

/*
 * Small structures.
 */

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

typedef struct _LUID {
    ULONG LowPart;
    LONG HighPart;
} LUID, *PLUID;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY, *PRLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

#define EXCEPTION_MAXIMUM_PARAMETERS 15

typedef struct _EXCEPTION_RECORD {
    NTSTATUS ExceptionCode;
    ULONG ExceptionFlags;
    struct _EXCEPTION_RECORD *ExceptionRecord;
    PVOID ExceptionAddress;
    ULONG NumberParameters;
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;

typedef struct _EXCEPTION_POINTERS {
    PEXCEPTION_RECORD ExceptionRecord;
    struct _CONTEXT *ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS;

typedef struct _PROCESSOR_NUMBER {
    USHORT Group;
    UCHAR Number;
    UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;
typedef const OBJECT_ATTRIBUTES *PCOBJECT_ATTRIBUTES;

#define OBJ_INHERIT 0x00000002
#define OBJ_PERMANENT 0x00000010
#define OBJ_EXCLUSIVE 0x00000020
#define OBJ_CASE_INSENSITIVE 0x00000040
#define OBJ_OPENIF 0x00000080
#define OBJ_OPENLINK 0x00000100
#define OBJ_KERNEL_HANDLE 0x00000200
#define OBJ_FORCE_ACCESS_CHECK 0x00000400

#define InitializeObjectAttributes(Object, Name, Flags, Root, Security) \
    do {                                                                \
        (Object)->Length = (ULONG)sizeof(OBJECT_ATTRIBUTES);            \
        (Object)->RootDirectory = (Root);                               \
        (Object)->Attributes = (Flags);                                 \
        (Object)->ObjectName = (Name);                                  \
        (Object)->SecurityDescriptor = (Security);                      \
        (Object)->SecurityQualityOfService = NULL;                      \
    } while (0)

#define RTL_CONSTANT_OBJECT_ATTRIBUTES(Name, Flags) \
    {sizeof(OBJECT_ATTRIBUTES), NULL, (PUNICODE_STRING)(ULONG_PTR)(Name), (Flags), NULL, NULL}

typedef enum _EVENT_TYPE {
    NotificationEvent,
    SynchronizationEvent
} EVENT_TYPE;

typedef enum _TIMER_TYPE {
    NotificationTimer,
    SynchronizationTimer
} TIMER_TYPE;

typedef enum _WAIT_TYPE {
    WaitAll,
    WaitAny,
    WaitNotification,
    WaitDequeue,
    WaitDpc
} WAIT_TYPE;

/*
 * Macros on types, fields and arrays.
 */

#define C_ASSERT(Condition) NMRCHECK_STATIC_ASSERT(Condition, #Condition)

#define FIELD_OFFSET(Type, Field) ((LONG)__builtin_offsetof(Type, Field))
#define UFIELD_OFFSET(Type, Field) ((ULONG)__builtin_offsetof(Type, Field))
#define CONTAINING_RECORD(Address, Type, Field) \
    ((Type *)((PCHAR)(ULONG_PTR)(Address) - __builtin_offsetof(Type, Field)))

#define TYPE_ALIGNMENT(Type) __alignof__(Type)
#define IS_ALIGNED(Address, Alignment) (((ULONG_PTR)(Address) & ((Alignment) - 1)) == 0)
#define ALLOC_PRAGMA 1

#define RTL_FIELD_TYPE(Type, Field) (((Type *)0)->Field)
#define RTL_FIELD_SIZE(Type, Field) (sizeof(((Type *)0)->Field))
#define RTL_SIZEOF_THROUGH_FIELD(Type, Field) (__builtin_offsetof(Type, Field) + RTL_FIELD_SIZE(Type, Field))
#define RTL_CONTAINS_FIELD(Struct, Size, Field) \
    ((((PCHAR)(&(Struct)->Field)) + sizeof((Struct)->Field)) <= (((PCHAR)(Struct)) + (Size)))
#define FIELD_SIZE(Type, Field) RTL_FIELD_SIZE(Type, Field)
#define RTL_BITS_OF(Type) (sizeof(Type) * 8)
#define RTL_BITS_OF_FIELD(Type, Field) (RTL_BITS_OF(RTL_FIELD_TYPE(Type, Field)))
#define RTL_NUMBER_OF(Array) (sizeof(Array) / sizeof((Array)[0]))
#define RTL_NUMBER_OF_FIELD(Type, Field) (RTL_NUMBER_OF(RTL_FIELD_TYPE(Type, Field)))
#define ARRAYSIZE(Array) RTL_NUMBER_OF(Array)
#ifndef _countof
#define _countof(Array) RTL_NUMBER_OF(Array)
#endif

#ifndef __cplusplus
#ifndef min
#define min(Left, Right) (((Left) < (Right)) ? (Left) : (Right))
#endif
#ifndef max
#define max(Left, Right) (((Left) > (Right)) ? (Left) : (Right))
#endif
#endif

#define UNREFERENCED_PARAMETER(Name) ((void)(Name))
#define DBG_UNREFERENCED_PARAMETER(Name) ((void)(Name))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(Name) ((void)(Name))
#define UNREFERENCED_LOCAL_VARIABLE(Name) ((void)(Name))
#define DEFINE_ENUM_FLAG_OPERATORS(Type)

#define Int32x32To64(Left, Right) ((LONGLONG)(LONG)(Left) * (LONGLONG)(LONG)(Right))
#define UInt32x32To64(Left, Right) ((ULONGLONG)(ULONG)(Left) * (ULONGLONG)(ULONG)(Right))

#ifndef BooleanFlagOn
#define FlagOn(Flags, Flag) ((Flags) & (Flag))
#define BooleanFlagOn(Flags, Flag) ((BOOLEAN)(((Flags) & (Flag)) != 0))
#define SetFlag(Flags, Flag) ((Flags) |= (Flag))
#define ClearFlag(Flags, Flag) ((Flags) &= ~(Flag))
#endif

#define LOWORD(Value) ((WORD)(((DWORD_PTR)(Value)) & 0xffff))
#define HIWORD(Value) ((WORD)((((DWORD_PTR)(Value)) >> 16) & 0xffff))
#define LOBYTE(Value) ((BYTE)(((DWORD_PTR)(Value)) & 0xff))
#define HIBYTE(Value) ((BYTE)((((DWORD_PTR)(Value)) >> 8) & 0xff))

#define PtrToUlong(Pointer) ((ULONG)(ULONG_PTR)(Pointer))
#define PtrToLong(Pointer) ((LONG)(LONG_PTR)(Pointer))
#define HandleToUlong(Handle) ((ULONG)(ULONG_PTR)(Handle))
#define HandleToULong(Handle) ((ULONG)(ULONG_PTR)(Handle))
#define UlongToPtr(Value) ((PVOID)(ULONG_PTR)(ULONG)(Value))
#define ULongToPtr(Value) UlongToPtr(Value)
#define UlongToHandle(Value) ((HANDLE)(ULONG_PTR)(ULONG)(Value))
#define ULongToHandle(Value) UlongToHandle(Value)

#define Add2Ptr(Pointer, Bytes) ((PVOID)((PUCHAR)(Pointer) + (Bytes)))

/*
 * The four memory functions that everything below uses.
 */

EXTERN_C_START
void *memcpy(void *Destination, const void *Source, size_t Length) NMRCHECK_NOTHROW;
void *memmove(void *Destination, const void *Source, size_t Length) NMRCHECK_NOTHROW;
void *memset(void *Destination, int Fill, size_t Length) NMRCHECK_NOTHROW;
int memcmp(const void *Left, const void *Right, size_t Length) NMRCHECK_NOTHROW;
EXTERN_C_END

C_ASSERT(sizeof(ULONG) == 4 && sizeof(LONG) == 4 && sizeof(NTSTATUS) == 4);
C_ASSERT(sizeof(PVOID) == 8 && sizeof(ULONG_PTR) == 8 && sizeof(SIZE_T) == 8);
C_ASSERT(sizeof(LONGLONG) == 8 && sizeof(__int64) == 8 && sizeof(LARGE_INTEGER) == 8);
C_ASSERT(sizeof(WCHAR) == 2 && sizeof(BOOLEAN) == 1 && sizeof(USHORT) == 2);
C_ASSERT(sizeof(UNICODE_STRING) == 16 && FIELD_OFFSET(UNICODE_STRING, Buffer) == 8);
C_ASSERT(sizeof(OBJECT_ATTRIBUTES) == 48);

#include "guiddef.h"

#endif /* NMRCHECK_WDK_NTDEF_H */
