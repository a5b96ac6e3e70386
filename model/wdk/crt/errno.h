/*
 * errno.h
 *
 * Numbers of errors, for drivers that include it: nothing that the kernel exports sets errno.
 *
 * Source      errno.h of the WDK
 */
#ifndef NMRCHECK_WDK_CRT_ERRNO_H
#define NMRCHECK_WDK_CRT_ERRNO_H

#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define E2BIG 7
#define EBADF 9
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define EDOM 33
#define ERANGE 34
#define EDEADLK 36
#define ENAMETOOLONG 38
#define ENOSYS 40
#define EILSEQ 42
#define STRUNCATE 80

typedef int errno_t;

#endif /* NMRCHECK_WDK_CRT_ERRNO_H */
