/* SPDX-License-Identifier: Apache-2.0
 *
 * Check characters after Damm: a quasigroup * on 0..n-1 in which (c*x)*y = (c*y)*x only when x = y.
 * The check value of x1..xk is the y with (..((0*x1)*x2)..*xk)*y = 0. It finds every single wrong
 * symbol and every swap of neighbours, the check symbol itself included.
 *
 * Sizes 3..CODES_CHECK_MAX except 6. None exists for 2 and 6 (Damm 2007), 1 could not check
 * anything. n = 10 is Damm's published table, so digits check like everybody's Damm digits.
 *
 * A plain value; never changes after codes_check_init().
 */
#ifndef CODES_CHECK_H
#define CODES_CHECK_H

#include "base_attr.h"
#include "base_err.h"

#include <stddef.h>
#include <stdint.h>

#define CODES_CHECK_MAX 64

struct codes_check {
    unsigned size;
    uint8_t table[CODES_CHECK_MAX][CODES_CHECK_MAX]; /* table[x][y] = x*y              */
    uint8_t closing[CODES_CHECK_MAX];                /* closing[x] = the y with x*y = 0 */
};

/* ERR_POISON, domain "codes", check_size: there is none of this size. */
int codes_check_init(struct codes_check *check, unsigned size, struct err *err) MUST_CHECK;
/* The check value of values[0..len-1], each below the size. */
unsigned codes_check_value(const struct codes_check *check, const uint8_t *values, size_t len);

#endif
