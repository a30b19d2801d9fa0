/* SPDX-License-Identifier: Apache-2.0
 *
 * What discounts come to on an order. Pure. Money is minor units (cents) in int64_t, percentages
 * are basis points; a percentage is rounded half up. An order never falls below zero: each discount
 * takes from what the ones before it have left.
 */
#ifndef RULES_DISCOUNT_H
#define RULES_DISCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULES_DISCOUNTS_MAX 16
/* The largest amount, of orders and of discounts. */
#define RULES_MINOR_MAX INT64_C(1000000000000000)

struct rules_discount {
    int32_t percent_bp;   /* 1..10000: a percentage; 0: an amount   */
    int64_t amount_minor; /* of an amount                           */
    const char *currency; /* of an amount; NULL for a percentage    */
    int64_t max_minor;    /* never more than this; 0: no such bound */
    bool active;
};

/* What one discount takes from an order of which left_minor is left. */
int64_t rules_discount_take(const struct rules_discount *discount, int64_t left_minor);
/*
 * What all of them take, one after the other, or the best of them alone (the first of equals).
 * shares[i] is what discounts[i] gives, 0 where it gives nothing; inactive ones and those of
 * another currency give nothing. Returns the sum.
 */
int64_t rules_discount_apply(const struct rules_discount *discounts, size_t count, bool best,
                             const char *currency, int64_t left_minor,
                             int64_t shares[RULES_DISCOUNTS_MAX]);

#endif
