#pragma once
#pragma warning(push)
#pragma warning(disable: 4201 4214)     // nameless unions, bit fields
#include <ntddk.h>
#include <netioddk.h>
#pragma warning(pop)

#include "flownpi.h"
#include "classify.h"
#include "flowmeter.h"
