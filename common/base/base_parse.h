/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict text to value. No white space, no sign where none belongs, no rest: everything or nothing.
 * All return 0 and fill the result, or -1 (ERR_POISON, domain "parse") and leave it alone.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base_err.h"

#include <stdbool.h>
#include <stdint.h>

int parse_int64(const char *text, int64_t min, int64_t max, int64_t *ret_value,
                struct err *err) MUST_CHECK;
int parse_bool(const char *text, bool *ret_value,
               struct err *err) MUST_CHECK; /* true false on off 1 0 */
/* "250ms" "10s" "5m" "2h" "7d", or a bare number of milliseconds; result in milliseconds. */
int parse_duration_ms(const char *text, int64_t *ret_ms, struct err *err) MUST_CHECK;
/* "512" "64k" "8M" "1G" (powers of 1024); result in bytes. */
int parse_size(const char *text, int64_t *ret_bytes, struct err *err) MUST_CHECK;

#endif
