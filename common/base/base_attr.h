/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiler attributes under short names, and the few macros everybody needs.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

/* Run fn(&variable) when the variable leaves its scope. fn takes a pointer to the variable. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
/* The result tells of a failure: look at it, or cast to (void) where it may be ignored. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/*
 * DEFINE_CLEANUP(struct x, x_free) defines x_freep(), for CLEANUP(x_freep): it hands the pointer to
 * x_free, which takes NULL.
 */
#define DEFINE_CLEANUP(type, fn)                                                                   \
    static inline UNUSED void fn##p(type **pointer) /* NOLINT(bugprone-macro-parentheses) */       \
    {                                                                                              \
        fn(*pointer);                                                                              \
        *pointer = NULL;                                                                           \
    }

#endif
