/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that we do not call, as compile errors. Included by the build in front of every source
 * file.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros of the C library's checks with clang; a macro cannot be poisoned. */
#undef sprintf
#undef vsprintf
/* With _FORTIFY_SOURCE glibc has some of these as macros, which cannot be poisoned as they are. */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncat
#undef gets
#pragma GCC poison atoi atol atoll atof gets strcpy strcat strncat sprintf vsprintf strtok gmtime  \
    localtime

#endif
