#pragma once
#include <ntddk.h>
#include <netioddk.h>
#include "tunnelnpi.h"
#include "carriernpi.h"
#include "overtun.h"
