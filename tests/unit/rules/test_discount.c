/* SPDX-License-Identifier: Apache-2.0
 *
 * Discount arithmetic, by examples, over all small values, and against a model that takes the other
 * way: it tries amounts until the rounding rule holds.
 */
#include "rules_discount.h"

#include "base_attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20261120u

static struct rules_discount percent(int32_t bp)
{
    return (struct rules_discount){.percent_bp = bp, .active = true};
}

static struct rules_discount amount(int64_t minor)
{
    return (struct rules_discount){.amount_minor = minor, .currency = "EUR", .active = true};
}

static int64_t take(struct rules_discount discount, int64_t left)
{
    return rules_discount_take(&discount, left);
}

static void half_a_cent_is_rounded_up(void **state UNUSED)
{
    assert_int_equal(take(percent(1500), 1000), 150);
    assert_int_equal(take(percent(5000), 1), 1);
    assert_int_equal(take(percent(5000), 3), 2);
    assert_int_equal(take(percent(4999), 1), 0);
    assert_int_equal(take(percent(1), 4999), 0);
    assert_int_equal(take(percent(1), 5000), 1);
    assert_int_equal(take(percent(3333), 10), 3);
    assert_int_equal(take(percent(10000), 0), 0);
}

static void everything_is_everything(void **state UNUSED)
{
    assert_int_equal(take(percent(10000), 1), 1);
    assert_int_equal(take(percent(10000), 123456789), 123456789);
    assert_int_equal(take(percent(10000), RULES_MINOR_MAX), RULES_MINOR_MAX);
}

/* Their product has more than 64 bits. */
static void the_largest_order_is_reckoned_exactly(void **state UNUSED)
{
    assert_int_equal(take(percent(9999), RULES_MINOR_MAX), INT64_C(999900000000000));
    assert_int_equal(take(percent(9999), RULES_MINOR_MAX - 1), INT64_C(999899999999999));
    assert_int_equal(take(percent(1), RULES_MINOR_MAX), INT64_C(100000000000));
    assert_int_equal(take(percent(1), RULES_MINOR_MAX - 5000), INT64_C(100000000000));
    assert_int_equal(take(percent(1), RULES_MINOR_MAX - 5001), INT64_C(99999999999));
}

static void an_amount_never_exceeds_the_order(void **state UNUSED)
{
    assert_int_equal(take(amount(500), 501), 500);
    assert_int_equal(take(amount(500), 500), 500);
    assert_int_equal(take(amount(500), 499), 499);
    assert_int_equal(take(amount(500), 0), 0);
    assert_int_equal(take(amount(RULES_MINOR_MAX), RULES_MINOR_MAX), RULES_MINOR_MAX);
}

static void a_cap_holds(void **state UNUSED)
{
    struct rules_discount capped = percent(5000);

    capped.max_minor = 100;
    assert_int_equal(take(capped, 198), 99);
    assert_int_equal(take(capped, 199), 100);
    assert_int_equal(take(capped, 200), 100);
    assert_int_equal(take(capped, 100000), 100);
    capped = amount(500);
    capped.max_minor = 499;
    assert_int_equal(take(capped, 1000), 499);
    assert_int_equal(take(capped, 400), 400);
}

/* The smallest whole number that is at least (exact value - 1/2), tried one by one. */
static int64_t model_percent(int64_t left, int32_t bp)
{
    int64_t minor = 0;

    while (2 * 10000 * (minor + 1) <= 2 * left * bp + 10000)
        minor++;
    return minor;
}

static void all_small_orders_fit_the_model(void **state UNUSED)
{
    static const int32_t steps[] = {1,    2,    49,   50,   99,   100,  333,  1000, 1250,
                                    1500, 2500, 3333, 4999, 5000, 5001, 6667, 9999, 10000};

    for (int64_t left = 0; left <= 1200; left++) {
        for (size_t i = 0; i < ARRAY_LEN(steps); i++)
            assert_int_equal(take(percent(steps[i]), left), model_percent(left, steps[i]));
    }
    for (int32_t bp = 1; bp <= 10000; bp++)
        assert_int_equal(take(percent(bp), 37), model_percent(37, bp));
}

#define SHARES(...) ((const int64_t[]){__VA_ARGS__})

static void check_apply(const struct rules_discount *discounts, size_t count, bool best,
                        const char *currency, int64_t left, const int64_t *expected)
{
    int64_t shares[RULES_DISCOUNTS_MAX];
    int64_t sum = rules_discount_apply(discounts, count, best, currency, left, shares);
    int64_t expected_sum = 0;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(shares[i], expected[i]);
        expected_sum += expected[i];
    }
    assert_int_equal(sum, expected_sum);
}

static void each_takes_from_what_the_one_before_left(void **state UNUSED)
{
    struct rules_discount two[] = {percent(1000), amount(500)};
    struct rules_discount other_way[] = {amount(500), percent(1000)};
    struct rules_discount three[] = {amount(600), amount(600), amount(600)};

    check_apply(two, 2, false, "EUR", 1000, SHARES(100, 500));
    check_apply(other_way, 2, false, "EUR", 1000, SHARES(500, 50));
    check_apply(three, 3, false, "EUR", 1000, SHARES(600, 400, 0));
    check_apply(three, 3, false, "EUR", 0, SHARES(0, 0, 0));
}

static void the_best_is_taken_alone(void **state UNUSED)
{
    struct rules_discount discounts[] = {percent(1000), amount(500), percent(2000)};

    check_apply(discounts, 3, true, "EUR", 1000, SHARES(0, 500, 0));
    check_apply(discounts, 3, true, "EUR", 2500, SHARES(0, 500, 0)); /* the first of equals */
    check_apply(discounts, 3, true, "EUR", 2503, SHARES(0, 0, 501));
    check_apply(discounts, 3, true, "EUR", 0, SHARES(0, 0, 0));
    check_apply(discounts, 1, true, "EUR", 1000, SHARES(100));
    check_apply(discounts, 0, true, "EUR", 1000, SHARES(0));
    check_apply(discounts, 0, false, "EUR", 1000, SHARES(0));
}

static void other_currencies_and_archived_ones_give_nothing(void **state UNUSED)
{
    struct rules_discount discounts[] = {amount(500), percent(1000), percent(5000)};

    discounts[2].active = false;
    check_apply(discounts, 3, false, "USD", 1000, SHARES(0, 100, 0));
    check_apply(discounts, 3, true, "USD", 1000, SHARES(0, 100, 0));
    check_apply(discounts, 3, true, "EUR", 1000, SHARES(500, 0, 0));
    discounts[1].active = false;
    check_apply(discounts, 3, true, "USD", 1000, SHARES(0, 0, 0));
    check_apply(discounts, 3, false, "USD", 1000, SHARES(0, 0, 0));
}

/* --- any discounts on any order ----------------------------------------------------------------
 */

static uint64_t random_state;

static int64_t below(int64_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((random_state >> 33) % (uint64_t)bound);
}

static struct rules_discount any_discount(void)
{
    struct rules_discount discount =
        below(2) == 0 ? percent((int32_t)below(10000) + 1) : amount(below(3000) + 1);

    if (discount.currency != NULL && below(4) == 0)
        discount.currency = "USD";
    if (below(3) == 0)
        discount.max_minor = below(500) + 1;
    discount.active = below(8) > 0;
    return discount;
}

static int64_t model_take(const struct rules_discount *discount, int64_t left)
{
    int64_t minor;

    if (!discount->active || (discount->currency != NULL && strcmp(discount->currency, "EUR") != 0))
        return 0;
    minor = discount->percent_bp > 0 ? model_percent(left, discount->percent_bp)
                                     : discount->amount_minor;
    if (discount->max_minor > 0 && minor > discount->max_minor)
        minor = discount->max_minor;
    return minor > left ? left : minor;
}

static void check_any(void)
{
    struct rules_discount discounts[RULES_DISCOUNTS_MAX];
    int64_t shares[RULES_DISCOUNTS_MAX];
    size_t count = (size_t)below(RULES_DISCOUNTS_MAX) + 1;
    int64_t order = below(5000);
    int64_t left = order;
    int64_t best = 0;
    size_t given = 0;

    for (size_t i = 0; i < count; i++)
        discounts[i] = any_discount();
    int64_t sum = rules_discount_apply(discounts, count, false, "EUR", order, shares);

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(shares[i], model_take(&discounts[i], left));
        left -= shares[i];
    }
    assert_true(left >= 0);
    assert_int_equal(sum, order - left);
    for (size_t i = 0; i < count; i++)
        best = MAX_OF(best, model_take(&discounts[i], order));
    assert_int_equal(rules_discount_apply(discounts, count, true, "EUR", order, shares), best);
    for (size_t i = 0; i < count; i++)
        given += shares[i] > 0;
    assert_int_equal(given, best > 0);
}

static void any_discounts_fit_the_model(void **state UNUSED)
{
    random_state = SEED;
    for (int i = 0; i < 20000; i++)
        check_any();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_a_cent_is_rounded_up),
        cmocka_unit_test(everything_is_everything),
        cmocka_unit_test(the_largest_order_is_reckoned_exactly),
        cmocka_unit_test(an_amount_never_exceeds_the_order),
        cmocka_unit_test(a_cap_holds),
        cmocka_unit_test(all_small_orders_fit_the_model),
        cmocka_unit_test(each_takes_from_what_the_one_before_left),
        cmocka_unit_test(the_best_is_taken_alone),
        cmocka_unit_test(other_currencies_and_archived_ones_give_nothing),
        cmocka_unit_test(any_discounts_fit_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
