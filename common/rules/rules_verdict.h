/* SPDX-License-Identifier: Apache-2.0
 *
 * May this code be used now? Pure: facts in, every failing reason out, in a fixed order:
 *
 *   active (code, coupon, campaigns), windows, customer, discounts, currency,
 *   per-customer limits, total limits (code, coupon, campaigns as the caller lists them)
 *
 * All levels hold together: the code's own state and window, its coupon's, and those of every
 * campaign up to the root. Times are microseconds since 1970. A window is valid from its start to
 * before its end.
 */
#ifndef RULES_VERDICT_H
#define RULES_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULES_REASONS_MAX 14 /* as many as there are */
#define RULES_NEVER INT64_C(-1)

enum rules_reason {
    RULES_CODE_INACTIVE,
    RULES_COUPON_INACTIVE,
    RULES_CAMPAIGN_INACTIVE,
    RULES_NOT_STARTED,
    RULES_EXPIRED,
    RULES_CUSTOMER_REQUIRED,
    RULES_CURRENCY_MISMATCH,
    RULES_DISCOUNT_INACTIVE,
    RULES_CODE_CUSTOMER_LIMIT,
    RULES_COUPON_CUSTOMER_LIMIT,
    RULES_CAMPAIGN_CUSTOMER_LIMIT,
    RULES_CODE_EXHAUSTED,
    RULES_COUPON_LIMIT,
    RULES_CAMPAIGN_LIMIT,
};

enum rules_level_kind {
    RULES_CODE,
    RULES_COUPON,
    RULES_CAMPAIGN,
};
/* A level's own say: the code, its coupon, a campaign. */
struct rules_level {
    enum rules_level_kind kind;
    bool active;
    int64_t starts_us; /* INT64_MIN: no start */
    int64_t ends_us;   /* INT64_MAX: no end   */
};

/* A limit that applies. per customer: one entry for each of the customer's identifiers. */
struct rules_limit {
    enum rules_level_kind kind;
    bool per_customer;
    int64_t most;
    int64_t used;
};

struct rules_facts {
    int64_t now_us;
    const struct rules_level *levels;
    size_t level_count;
    const struct rules_limit *limits; /* per-customer ones only where the customer is known */
    size_t limit_count;
    bool customer_needed; /* some limit counts per customer */
    bool customer_known;
    bool some_discount_active; /* of the coupon's */
    bool currency_fits;        /* some active discount can be given in the order's currency */
    int64_t units;             /* uses asked for */
};

struct rules_finding {
    enum rules_reason reason;
    int64_t next_us; /* when it would next pass; RULES_NEVER: not known, or never */
};

/* The number of findings; 0: the code may be used. The same reason is found once. */
size_t rules_verdict(const struct rules_facts *facts,
                     struct rules_finding findings[RULES_REASONS_MAX]);

#endif
