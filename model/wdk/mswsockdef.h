/*
 * mswsockdef.h
 *
 * Microsoft's additions to Winsock that Winsock Kernel shares.
 *
 * Source      mswsockdef.h of the Windows SDK; checked against the copy in mingw-w64
 */
#ifndef NMRCHECK_WDK_MSWSOCKDEF_H
#define NMRCHECK_WDK_MSWSOCKDEF_H

#include "ws2def.h"

#define SIO_SET_COMPATIBILITY_MODE _WSAIOW(IOC_VENDOR, 300)
#define SIO_RESERVED_1 _WSAIOW(IOC_WS2, 26)
#define SIO_RESERVED_2 _WSAIOW(IOC_WS2, 33)

typedef struct _RSS_SCALABILITY_INFO {
    BOOLEAN RssEnabled;
} RSS_SCALABILITY_INFO, *PRSS_SCALABILITY_INFO;
#define SIO_QUERY_RSS_SCALABILITY_INFO _WSAIOR(IOC_VENDOR, 210)

#endif /* NMRCHECK_WDK_MSWSOCKDEF_H */
