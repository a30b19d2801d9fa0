/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_discount.h"

#include "base_attr.h"

#include <string.h>

#define BASIS_POINTS 10000

/* Half up. In two parts, because the largest amount times the largest percentage exceeds 64 bits.
 */
static int64_t percent_of(int64_t minor, int32_t percent_bp)
{
    int64_t whole = minor / BASIS_POINTS * percent_bp;

    return whole + (minor % BASIS_POINTS * percent_bp + BASIS_POINTS / 2) / BASIS_POINTS;
}

int64_t rules_discount_take(const struct rules_discount *discount, int64_t left_minor)
{
    int64_t take = discount->amount_minor;

    if (discount->percent_bp > 0)
        take = percent_of(left_minor, discount->percent_bp);
    if (discount->max_minor > 0)
        take = MIN_OF(take, discount->max_minor);
    return MIN_OF(take, left_minor);
}

static bool gives(const struct rules_discount *discount, const char *currency)
{
    return discount->active &&
           (discount->currency == NULL || strcmp(discount->currency, currency) == 0);
}

int64_t rules_discount_apply(const struct rules_discount *discounts, size_t count, bool best,
                             const char *currency, int64_t left_minor,
                             int64_t shares[RULES_DISCOUNTS_MAX])
{
    int64_t sum = 0;
    size_t best_at = 0;

    for (size_t i = 0; i < count; i++) {
        shares[i] = 0;
        if (!gives(&discounts[i], currency))
            continue;
        int64_t minor = rules_discount_take(&discounts[i], best ? left_minor : left_minor - sum);

        if (!best) {
            shares[i] = minor;
            sum += minor;
        } else if (minor > sum) {
            shares[best_at] = 0;
            shares[i] = minor;
            best_at = i;
            sum = minor;
        }
    }
    return sum;
}
