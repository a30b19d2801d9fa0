/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts: each reason, their order, the edges of windows and limits, and any facts against a
 * model that asks one question at a time.
 */
#include "rules_verdict.h"

#include "base_attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261120u
#define NOW INT64_C(1800000000000000)
#define LEVELS 4 /* code, coupon, campaign, root */
#define LIMITS 6

/* Facts of a code that passes, to be spoiled by a test. */
struct scene {
    struct rules_level levels[LEVELS];
    struct rules_limit limits[LIMITS];
    struct rules_facts facts;
    struct rules_finding findings[RULES_REASONS_MAX];
    size_t found;
};

static struct scene *scene(void)
{
    static struct scene it;
    static const enum rules_level_kind kinds[LEVELS] = {RULES_CODE, RULES_COUPON, RULES_CAMPAIGN,
                                                        RULES_CAMPAIGN};

    it = (struct scene){0};
    for (size_t i = 0; i < LEVELS; i++)
        it.levels[i] = (struct rules_level){kinds[i], true, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < LIMITS; i++) {
        static const enum rules_level_kind of[] = {RULES_CODE, RULES_COUPON, RULES_CAMPAIGN};

        it.limits[i] = (struct rules_limit){of[i / 2], i % 2 == 1, 10, 0};
    }
    it.facts = (struct rules_facts){.now_us = NOW,
                                    .levels = it.levels,
                                    .level_count = LEVELS,
                                    .limits = it.limits,
                                    .limit_count = LIMITS,
                                    .customer_needed = true,
                                    .customer_known = true,
                                    .some_discount_active = true,
                                    .currency_fits = true,
                                    .units = 1};
    return &it;
}

static void judge(struct scene *it)
{
    it->found = rules_verdict(&it->facts, it->findings);
}

static void expect(struct scene *it, size_t count, const enum rules_reason *reasons)
{
    judge(it);
    assert_int_equal(it->found, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(it->findings[i].reason, reasons[i]);
}

#define EXPECT(it, ...)                                                                            \
    expect((it), sizeof((const enum rules_reason[]){__VA_ARGS__}) / sizeof(enum rules_reason),     \
           (const enum rules_reason[]){__VA_ARGS__})
#define EXPECT_PASS(it) expect((it), 0, NULL)

static void a_code_that_nothing_stands_against_passes(void **state UNUSED)
{
    EXPECT_PASS(scene());
}

static void each_level_has_to_be_active(void **state UNUSED)
{
    static const enum rules_reason reasons[LEVELS] = {RULES_CODE_INACTIVE, RULES_COUPON_INACTIVE,
                                                      RULES_CAMPAIGN_INACTIVE,
                                                      RULES_CAMPAIGN_INACTIVE};

    for (size_t i = 0; i < LEVELS; i++) {
        struct scene *it = scene();

        it->levels[i].active = false;
        EXPECT(it, reasons[i]);
        assert_int_equal(it->findings[0].next_us, RULES_NEVER);
    }
}

static void two_campaigns_off_are_one_reason(void **state UNUSED)
{
    struct scene *it = scene();

    it->levels[2].active = false;
    it->levels[3].active = false;
    EXPECT(it, RULES_CAMPAIGN_INACTIVE);
}

static void a_window_opens_at_its_start(void **state UNUSED)
{
    for (size_t i = 0; i < LEVELS; i++) {
        struct scene *it = scene();

        it->levels[i].starts_us = NOW + 1;
        EXPECT(it, RULES_NOT_STARTED);
        assert_int_equal(it->findings[0].next_us, NOW + 1);
        it->levels[i].starts_us = NOW;
        EXPECT_PASS(it);
        it->levels[i].starts_us = NOW - 1;
        EXPECT_PASS(it);
    }
}

static void a_window_closes_at_its_end(void **state UNUSED)
{
    for (size_t i = 0; i < LEVELS; i++) {
        struct scene *it = scene();

        it->levels[i].ends_us = NOW + 1;
        EXPECT_PASS(it);
        it->levels[i].ends_us = NOW;
        EXPECT(it, RULES_EXPIRED);
        assert_int_equal(it->findings[0].next_us, RULES_NEVER);
        it->levels[i].ends_us = NOW - 1;
        EXPECT(it, RULES_EXPIRED);
    }
}

static void the_latest_start_is_the_next_chance(void **state UNUSED)
{
    struct scene *it = scene();

    it->levels[0].starts_us = NOW + 10;
    it->levels[1].starts_us = NOW + 30;
    it->levels[3].starts_us = NOW + 20;
    EXPECT(it, RULES_NOT_STARTED);
    assert_int_equal(it->findings[0].next_us, NOW + 30);
}

static void there_is_no_next_chance_when_a_level_ends_before_another_starts(void **state UNUSED)
{
    struct scene *it = scene();

    it->levels[0].starts_us = NOW + 20;
    it->levels[2].ends_us = NOW + 21;
    EXPECT(it, RULES_NOT_STARTED);
    assert_int_equal(it->findings[0].next_us, NOW + 20);
    it->levels[2].ends_us = NOW + 20;
    EXPECT(it, RULES_NOT_STARTED);
    assert_int_equal(it->findings[0].next_us, RULES_NEVER);
    it->levels[2].ends_us = NOW;
    EXPECT(it, RULES_NOT_STARTED, RULES_EXPIRED);
    assert_int_equal(it->findings[0].next_us, RULES_NEVER);
}

static void a_customer_is_asked_for_only_where_a_limit_counts_customers(void **state UNUSED)
{
    struct scene *it = scene();

    it->facts.customer_known = false;
    EXPECT(it, RULES_CUSTOMER_REQUIRED);
    it->facts.customer_needed = false;
    EXPECT_PASS(it);
}

static void an_archived_discount_is_told_before_its_currency(void **state UNUSED)
{
    struct scene *it = scene();

    it->facts.currency_fits = false;
    EXPECT(it, RULES_CURRENCY_MISMATCH);
    it->facts.some_discount_active = false;
    EXPECT(it, RULES_DISCOUNT_INACTIVE);
}

static void each_limit_holds_at_its_last_use(void **state UNUSED)
{
    static const enum rules_reason reasons[LIMITS] = {
        RULES_CODE_EXHAUSTED,        RULES_CODE_CUSTOMER_LIMIT, RULES_COUPON_LIMIT,
        RULES_COUPON_CUSTOMER_LIMIT, RULES_CAMPAIGN_LIMIT,      RULES_CAMPAIGN_CUSTOMER_LIMIT};

    for (size_t i = 0; i < LIMITS; i++) {
        struct scene *it = scene();

        it->limits[i].used = 9;
        EXPECT_PASS(it);
        it->limits[i].used = 10;
        EXPECT(it, reasons[i]);
        it->limits[i].used = 11; /* lowered behind our back */
        EXPECT(it, reasons[i]);
    }
}

static void a_limit_counts_all_units_that_are_asked(void **state UNUSED)
{
    struct scene *it = scene();

    it->facts.units = 3;
    it->limits[0].used = 7;
    EXPECT_PASS(it);
    it->limits[0].used = 8;
    EXPECT(it, RULES_CODE_EXHAUSTED);
}

static void a_customer_has_to_have_room_under_both_identifiers(void **state UNUSED)
{
    struct scene *it = scene();
    struct rules_limit both[] = {{RULES_COUPON, true, 1, 0}, {RULES_COUPON, true, 1, 0}};

    it->facts.limits = both;
    it->facts.limit_count = 2;
    EXPECT_PASS(it);
    both[1].used = 1;
    EXPECT(it, RULES_COUPON_CUSTOMER_LIMIT);
    both[0].used = 1;
    EXPECT(it, RULES_COUPON_CUSTOMER_LIMIT);
}

static void every_reason_is_told_in_a_fixed_order(void **state UNUSED)
{
    struct scene *it = scene();

    for (size_t i = 0; i < LEVELS; i++)
        it->levels[i].active = false;
    it->levels[0].starts_us = NOW + 1;
    it->levels[1].ends_us = NOW;
    it->facts.customer_known = false;
    it->facts.currency_fits = false;
    for (size_t i = 0; i < LIMITS; i++)
        it->limits[i].used = 10;
    EXPECT(it, RULES_CODE_INACTIVE, RULES_COUPON_INACTIVE, RULES_CAMPAIGN_INACTIVE,
           RULES_NOT_STARTED, RULES_EXPIRED, RULES_CUSTOMER_REQUIRED, RULES_CURRENCY_MISMATCH,
           RULES_CODE_CUSTOMER_LIMIT, RULES_COUPON_CUSTOMER_LIMIT, RULES_CAMPAIGN_CUSTOMER_LIMIT,
           RULES_CODE_EXHAUSTED, RULES_COUPON_LIMIT, RULES_CAMPAIGN_LIMIT);
}

/* --- any facts ---------------------------------------------------------------------------------
 */

static uint64_t random_state;

static int64_t below(int64_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((random_state >> 33) % (uint64_t)bound);
}

static struct scene *any_scene(void)
{
    struct scene *it = scene();

    for (size_t i = 0; i < LEVELS; i++) {
        it->levels[i].active = below(6) > 0;
        if (below(3) == 0)
            it->levels[i].starts_us = NOW - 2 + below(5);
        if (below(3) == 0)
            it->levels[i].ends_us = NOW - 1 + below(5);
    }
    for (size_t i = 0; i < LIMITS; i++) {
        it->limits[i].most = 1 + below(3);
        it->limits[i].used = below(4);
    }
    it->facts.limit_count = (size_t)below(LIMITS + 1);
    it->facts.customer_needed = below(2) == 0;
    it->facts.customer_known = below(2) == 0;
    it->facts.some_discount_active = below(5) > 0;
    it->facts.currency_fits = it->facts.some_discount_active && below(4) > 0;
    it->facts.units = 1 + below(2);
    return it;
}

static bool level_is_off(const struct scene *it, enum rules_level_kind kind)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (it->levels[i].kind == kind && !it->levels[i].active)
            return true;
    }
    return false;
}

static bool window_is_open(const struct scene *it, int64_t at)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (at < it->levels[i].starts_us || at >= it->levels[i].ends_us)
            return false;
    }
    return true;
}

static bool some_window(const struct scene *it, bool over)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (over ? NOW >= it->levels[i].ends_us : NOW < it->levels[i].starts_us)
            return true;
    }
    return false;
}

static bool limit_is_full(const struct scene *it, enum rules_level_kind kind, bool per_customer)
{
    for (size_t i = 0; i < it->facts.limit_count; i++) {
        const struct rules_limit *limit = &it->limits[i];

        if (limit->kind == kind && limit->per_customer == per_customer &&
            limit->most - limit->used < it->facts.units)
            return true;
    }
    return false;
}

static bool model(const struct scene *it, enum rules_reason reason)
{
    switch (reason) {
    case RULES_CODE_INACTIVE:
        return level_is_off(it, RULES_CODE);
    case RULES_COUPON_INACTIVE:
        return level_is_off(it, RULES_COUPON);
    case RULES_CAMPAIGN_INACTIVE:
        return level_is_off(it, RULES_CAMPAIGN);
    case RULES_NOT_STARTED:
        return some_window(it, false);
    case RULES_EXPIRED:
        return some_window(it, true);
    case RULES_CUSTOMER_REQUIRED:
        return it->facts.customer_needed && !it->facts.customer_known;
    case RULES_CURRENCY_MISMATCH:
        return it->facts.some_discount_active && !it->facts.currency_fits;
    case RULES_DISCOUNT_INACTIVE:
        return !it->facts.some_discount_active;
    case RULES_CODE_CUSTOMER_LIMIT:
        return limit_is_full(it, RULES_CODE, true);
    case RULES_COUPON_CUSTOMER_LIMIT:
        return limit_is_full(it, RULES_COUPON, true);
    case RULES_CAMPAIGN_CUSTOMER_LIMIT:
        return limit_is_full(it, RULES_CAMPAIGN, true);
    case RULES_CODE_EXHAUSTED:
        return limit_is_full(it, RULES_CODE, false);
    case RULES_COUPON_LIMIT:
        return limit_is_full(it, RULES_COUPON, false);
    case RULES_CAMPAIGN_LIMIT:
        return limit_is_full(it, RULES_CAMPAIGN, false);
    }
    return false;
}

/* The first moment within reach at which all windows are open. */
static int64_t model_next(const struct scene *it)
{
    for (int64_t at = NOW; at < NOW + 20; at++) {
        if (window_is_open(it, at))
            return at;
    }
    return RULES_NEVER;
}

static void any_facts_fit_the_model(void **state UNUSED)
{
    random_state = SEED;
    for (int round = 0; round < 50000; round++) {
        struct scene *it = any_scene();
        size_t expected = 0;

        judge(it);
        for (int reason = 0; reason < RULES_REASONS_MAX; reason++)
            expected += model(it, (enum rules_reason)reason);
        assert_int_equal(it->found, expected);
        for (size_t i = 0; i < it->found; i++) {
            assert_true(model(it, it->findings[i].reason));
            for (size_t j = 0; j < i; j++)
                assert_int_not_equal(it->findings[i].reason, it->findings[j].reason);
            if (it->findings[i].reason == RULES_NOT_STARTED)
                assert_int_equal(it->findings[i].next_us, model_next(it));
            else
                assert_int_equal(it->findings[i].next_us, RULES_NEVER);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_that_nothing_stands_against_passes),
        cmocka_unit_test(each_level_has_to_be_active),
        cmocka_unit_test(two_campaigns_off_are_one_reason),
        cmocka_unit_test(a_window_opens_at_its_start),
        cmocka_unit_test(a_window_closes_at_its_end),
        cmocka_unit_test(the_latest_start_is_the_next_chance),
        cmocka_unit_test(there_is_no_next_chance_when_a_level_ends_before_another_starts),
        cmocka_unit_test(a_customer_is_asked_for_only_where_a_limit_counts_customers),
        cmocka_unit_test(an_archived_discount_is_told_before_its_currency),
        cmocka_unit_test(each_limit_holds_at_its_last_use),
        cmocka_unit_test(a_limit_counts_all_units_that_are_asked),
        cmocka_unit_test(a_customer_has_to_have_room_under_both_identifiers),
        cmocka_unit_test(every_reason_is_told_in_a_fixed_order),
        cmocka_unit_test(any_facts_fit_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
