/* everyday_npi.c - what everyday.c needs and nobody has, and a request to its device. */
#include <nmrcheck/npi.h>

NMRCHECK_STUB(ZwOpenKey, STATUS_OBJECT_NAME_NOT_FOUND)
NMRCHECK_STUB_MAY_FAIL(IoCreateSymbolicLink, STATUS_SUCCESS, STATUS_OBJECT_NAME_COLLISION)
NMRCHECK_STUB(IoDeleteSymbolicLink, STATUS_SUCCESS)
NMRCHECK_STUB(IofCompleteRequest, 0)
