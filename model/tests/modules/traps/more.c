// more.c: the other file of the driver.  Declarations in its header differ from what is here in const only.
#include "precomp.h"

VOID TrapsKeep(VOID *Buffer, ULONG Length)
{
    __assume(Length < 100);
    __analysis_assume(Buffer != NULL);
    if (Length > TrapsNumber) {
        __debugbreak();
    }
}

_Use_decl_annotations_
NTSTATUS TrapsRun(PTRAPS_RECORD Record, const unsigned long *Numbers, size_t Count)
{
    unsigned __int64 *Wide = NULL;
    PULONG64 Same = Wide;
    size_t *AlsoSame = Same, Index;

    for (Index = 0; Index < min(Count, 100); Index++) {
        Record->Length += Numbers[Index];
    }
    Record->Kind = TrapsNegate((long)Record->Length);
    Record->Time = TrapsWiden(Record->Kind);
    TrapsKeep(Record, Record->Length);
    return AlsoSame == NULL && TrapsDouble(Record->Length) == 12 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
