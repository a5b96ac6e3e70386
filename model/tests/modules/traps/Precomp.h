// Precomp.h: what each file of the driver includes first.
#pragma once
#pragma warning(push)
#pragma warning(disable:4201) // nameless struct/union
#include <NtDDK.h>
#include <NetIODdk.h>
#include <NTSTRSAFE.h>
#include <intrin.h>
#include <stdint.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <winmeta.h>
#include <WdmSec.h>
#include "Inc\Sub\traps_types.H"
#pragma warning(pop)
