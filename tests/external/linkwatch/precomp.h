#ifndef LINKWATCH_PRECOMP_H
#define LINKWATCH_PRECOMP_H

#include <ntifs.h>
#include <netioddk.h>
#include <TraceLoggingProvider.h>

#include "linknpi.h"
#include "lock.h"
#include "linkwatch.h"

#endif
