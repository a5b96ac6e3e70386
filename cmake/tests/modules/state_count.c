#include "state.h"

ULONG Count(VOID)
{
    static ULONG Calls;

    return ++Calls;
}
