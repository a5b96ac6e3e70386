/*
 * guiddef.h
 *
 * GUID, comparison of GUIDs, and DEFINE_GUID: a declaration, or a definition in the source file that
 * includes initguid.h (or defines INITGUID) first.
 *
 * A GUID is a plain structure of 16 bytes.  The IsEqual macros compare bytes.
 *
 * Source      guiddef.h of the Windows SDK
 */
#ifndef NMRCHECK_WDK_GUIDDEF_H
#define NMRCHECK_WDK_GUIDDEF_H

#include "ntdef.h"

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;

typedef GUID *LPGUID;
typedef const GUID *LPCGUID;
typedef GUID IID;
typedef GUID CLSID;
typedef GUID UUID;

C_ASSERT(sizeof(GUID) == 16);

#ifdef __cplusplus
#define REFGUID const GUID &
#define NMRCHECK_GUID_ADDRESS(Guid) (&(Guid))
#else
#define REFGUID const GUID *
#define NMRCHECK_GUID_ADDRESS(Guid) (Guid)
#endif
#define REFIID REFGUID
#define REFCLSID REFGUID

#define IsEqualGUID(Left, Right) \
    (memcmp(NMRCHECK_GUID_ADDRESS(Left), NMRCHECK_GUID_ADDRESS(Right), sizeof(GUID)) == 0)
#define InlineIsEqualGUID(Left, Right) IsEqualGUID(Left, Right)
#define IsEqualIID(Left, Right) IsEqualGUID(Left, Right)
#define IsEqualCLSID(Left, Right) IsEqualGUID(Left, Right)

static const GUID GUID_NULL __attribute__((unused)) = {0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}};

#endif /* NMRCHECK_WDK_GUIDDEF_H */

/* From here on outside the guard: initguid.h changes the meaning of DEFINE_GUID after the fact. */
#undef DEFINE_GUID
#ifdef INITGUID
#define DEFINE_GUID(Name, L, W1, W2, B1, B2, B3, B4, B5, B6, B7, B8) \
    EXTERN_C const GUID Name;                                        \
    EXTERN_C_START DECLSPEC_SELECTANY const GUID Name = {            \
        L, W1, W2, {B1, B2, B3, B4, B5, B6, B7, B8}};                \
    EXTERN_C_END EXTERN_C const GUID Name
#else
#define DEFINE_GUID(Name, L, W1, W2, B1, B2, B3, B4, B5, B6, B7, B8) EXTERN_C const GUID Name
#endif
