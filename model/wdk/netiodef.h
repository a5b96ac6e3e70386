/*
 * netiodef.h
 *
 * What identifies an NPI and a network module: NPIID and NPI_MODULEID.
 *
 * PNPIID and PNPI_MODULEID point to const: what is registered is read-only for everybody.
 *
 * Source      netiodef.h of the WDK; nmr-contract.md, section 1.2
 */
#ifndef NMRCHECK_WDK_NETIODEF_H
#define NMRCHECK_WDK_NETIODEF_H

#include "ntdef.h"
#include "guiddef.h"

typedef GUID NPIID;
typedef const NPIID *PNPIID;

typedef enum _NPI_MODULEID_TYPE {
    MIT_GUID = 1,
    MIT_IF_LUID
} NPI_MODULEID_TYPE;

/* Type says which of the two members of the union holds the identity. */
typedef struct _NPI_MODULEID {
    USHORT Length;
    NPI_MODULEID_TYPE Type;
    union {
        GUID Guid;
        LUID IfLuid;
    };
} NPI_MODULEID;
typedef const NPI_MODULEID *PNPI_MODULEID;

C_ASSERT(sizeof(NPI_MODULEID) == 24);
C_ASSERT(FIELD_OFFSET(NPI_MODULEID, Length) == 0);
C_ASSERT(FIELD_OFFSET(NPI_MODULEID, Type) == 4);
C_ASSERT(FIELD_OFFSET(NPI_MODULEID, Guid) == 8);
C_ASSERT(FIELD_OFFSET(NPI_MODULEID, IfLuid) == 8);

/* Whether two modules have the same identity.  Length is not compared; an unknown Type equals nothing. */
NMRCHECK_INLINE BOOLEAN NmrIsEqualNpiModuleId(_In_ PNPI_MODULEID Left, _In_ PNPI_MODULEID Right)
{
    if (Left->Type != Right->Type) {
        return FALSE;
    }
    if (Left->Type == MIT_GUID) {
        return (BOOLEAN)(memcmp(&Left->Guid, &Right->Guid, sizeof(GUID)) == 0);
    }
    if (Left->Type == MIT_IF_LUID) {
        return (BOOLEAN)(memcmp(&Left->IfLuid, &Right->IfLuid, sizeof(LUID)) == 0);
    }
    return FALSE;
}

#endif /* NMRCHECK_WDK_NETIODEF_H */
