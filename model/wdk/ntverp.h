/*
 * ntverp.h
 *
 * The version that resources of a driver name.
 *
 * Source      ntverp.h of the Windows SDK
 */
#ifndef NMRCHECK_WDK_NTVERP_H
#define NMRCHECK_WDK_NTVERP_H

#define VER_PRODUCTMAJORVERSION 10
#define VER_PRODUCTMINORVERSION 0
#define VER_PRODUCTBUILD 22621
#define VER_PRODUCTBUILD_QFE 1

#endif /* NMRCHECK_WDK_NTVERP_H */
