/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_retry.h"

static void waits_lie_between_base_and_three_times_the_last(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 100, 10000, 0, 0);
    int64_t last = 100;
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 1000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t wait = retry_next_ms(&retry, random >> 11);
        assert_in_range(wait, 100, 10000);
        assert_true(wait <= last * 3);
        last = wait;
    }
}

static void lowest_and_highest_random_reach_the_ends(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 100, 10000, 0, 0);
    assert_int_equal(retry_next_ms(&retry, 0), 100);
    assert_int_equal(retry_next_ms(&retry, 200), 300); /* the span is 100 to 300 */
    assert_int_equal(retry_next_ms(&retry, 800), 900);
    assert_int_equal(retry_next_ms(&retry, 2600), 2700);
    assert_int_equal(retry_next_ms(&retry, 8000), 8100);
    assert_int_equal(retry_next_ms(&retry, 9900), 10000); /* capped, not 24300 */
    assert_int_equal(retry_next_ms(&retry, 9901), 100);
}

static void attempts_end_the_first_one_counted(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 10, 10, 0, 3);
    assert_int_equal(retry_next_ms(&retry, 1), 10);
    assert_int_equal(retry_next_ms(&retry, 2), 10);
    assert_int_equal(retry_next_ms(&retry, 3), -1);
    assert_int_equal(retry_next_ms(&retry, 4), -1);
    retry_init(&retry, 10, 10, 0, 1);
    assert_int_equal(retry_next_ms(&retry, 1), -1);
}

static void time_budget_cuts_the_last_wait_and_ends(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 100, 100, 250, 0);
    assert_int_equal(retry_next_ms(&retry, 0), 100);
    assert_int_equal(retry_next_ms(&retry, 0), 100);
    assert_int_equal(retry_next_ms(&retry, 0), 50);
    assert_int_equal(retry_next_ms(&retry, 0), -1);
    assert_int_equal(retry_next_ms(&retry, 0), -1);
}

static void reset_gives_the_budgets_back(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 100, 1000, 300, 2);
    assert_int_equal(retry_next_ms(&retry, 200), 300);
    assert_int_equal(retry_next_ms(&retry, 0), -1);
    retry_reset(&retry);
    assert_int_equal(retry_next_ms(&retry, 200), 300);
}

static void no_budget_never_ends_nor_overflows(void **state)
{
    (void)state;
    struct retry retry;
    retry_init(&retry, 1, INT64_MAX, 0, 0);
    for (int i = 0; i < 200; i++)
        assert_true(retry_next_ms(&retry, UINT64_MAX - 1) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_lie_between_base_and_three_times_the_last),
        cmocka_unit_test(lowest_and_highest_random_reach_the_ends),
        cmocka_unit_test(attempts_end_the_first_one_counted),
        cmocka_unit_test(time_budget_cuts_the_last_wait_and_ends),
        cmocka_unit_test(reset_gives_the_budgets_back),
        cmocka_unit_test(no_budget_never_ends_nor_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
