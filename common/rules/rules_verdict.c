/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_verdict.h"

#include "base_attr.h"

#include <assert.h>

struct found {
    struct rules_finding *findings;
    size_t count;
};

/* The same reason may stand against several levels; it is told once. */
static void find(struct found *found, enum rules_reason reason, int64_t next_us)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->findings[i].reason == reason)
            return;
    }
    assert(found->count < RULES_REASONS_MAX);
    found->findings[found->count++] = (struct rules_finding){reason, next_us};
}

static void check_active(const struct rules_facts *facts, struct found *found)
{
    static const enum rules_reason reasons[] = {
        [RULES_CODE] = RULES_CODE_INACTIVE,
        [RULES_COUPON] = RULES_COUPON_INACTIVE,
        [RULES_CAMPAIGN] = RULES_CAMPAIGN_INACTIVE,
    };

    for (size_t i = 0; i < facts->level_count; i++) {
        if (!facts->levels[i].active)
            find(found, reasons[facts->levels[i].kind], RULES_NEVER);
    }
}

static void check_windows(const struct rules_facts *facts, struct found *found)
{
    int64_t starts_us = INT64_MIN;
    int64_t ends_us = INT64_MAX;

    /* All windows must be open at once: from the latest start to before the earliest end. */
    for (size_t i = 0; i < facts->level_count; i++) {
        starts_us = MAX_OF(starts_us, facts->levels[i].starts_us);
        ends_us = MIN_OF(ends_us, facts->levels[i].ends_us);
    }
    if (facts->now_us < starts_us)
        find(found, RULES_NOT_STARTED, starts_us < ends_us ? starts_us : RULES_NEVER);
    if (facts->now_us >= ends_us)
        find(found, RULES_EXPIRED, RULES_NEVER);
}

static void check_limits(const struct rules_facts *facts, bool per_customer, struct found *found)
{
    static const enum rules_reason reasons[][2] = {
        [RULES_CODE] = {RULES_CODE_EXHAUSTED, RULES_CODE_CUSTOMER_LIMIT},
        [RULES_COUPON] = {RULES_COUPON_LIMIT, RULES_COUPON_CUSTOMER_LIMIT},
        [RULES_CAMPAIGN] = {RULES_CAMPAIGN_LIMIT, RULES_CAMPAIGN_CUSTOMER_LIMIT},
    };

    for (size_t i = 0; i < facts->limit_count; i++) {
        const struct rules_limit *limit = &facts->limits[i];

        if (limit->per_customer == per_customer && limit->used + facts->units > limit->most)
            find(found, reasons[limit->kind][per_customer ? 1 : 0], RULES_NEVER);
    }
}

size_t rules_verdict(const struct rules_facts *facts,
                     struct rules_finding findings[RULES_REASONS_MAX])
{
    struct found found = {findings, 0};

    check_active(facts, &found);
    check_windows(facts, &found);
    if (facts->customer_needed && !facts->customer_known)
        find(&found, RULES_CUSTOMER_REQUIRED, RULES_NEVER);
    if (!facts->some_discount_active)
        find(&found, RULES_DISCOUNT_INACTIVE, RULES_NEVER);
    else if (!facts->currency_fits)
        find(&found, RULES_CURRENCY_MISMATCH, RULES_NEVER);
    check_limits(facts, true, &found);
    check_limits(facts, false, &found);
    return found.count;
}
