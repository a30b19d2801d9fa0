/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log_rate.h"

#include <stdio.h>

static struct log_rate rate;

static void limit_counts_per_event_and_level(void **state)
{
    (void)state;
    uint64_t suppressed = 9;
    log_rate_init(&rate, 2, 1000);
    char copy[] = "a"; /* the same text elsewhere is the same event */
    assert_true(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 0, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_true(log_rate_pass(&rate, copy, LOG_LEVEL_INFO, 0, &suppressed));
    assert_false(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 999, &suppressed));
    assert_true(log_rate_pass(&rate, "a", LOG_LEVEL_WARN, 999, &suppressed));
    assert_true(log_rate_pass(&rate, "b", LOG_LEVEL_INFO, 999, &suppressed));
}

static void window_starts_with_its_first_line(void **state)
{
    (void)state;
    uint64_t suppressed = 0;
    log_rate_init(&rate, 1, 1000);
    assert_true(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 500, &suppressed));
    assert_false(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 1499, &suppressed));
    assert_false(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 1499, &suppressed));
    assert_true(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 1500, &suppressed));
    assert_int_equal(suppressed, 2);
    assert_false(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 2499, &suppressed));
    assert_true(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 2500, &suppressed));
    assert_int_equal(suppressed, 1);
}

static void zero_is_no_limit(void **state)
{
    (void)state;
    uint64_t suppressed = 0;
    log_rate_init(&rate, 0, 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(log_rate_pass(&rate, "a", LOG_LEVEL_INFO, 0, &suppressed));
}

static void events_beyond_the_table_are_not_limited(void **state)
{
    (void)state;
    static char names[LOG_RATE_EVENTS + 1][8];
    uint64_t suppressed = 0;
    log_rate_init(&rate, 1, 1000);
    for (size_t i = 0; i <= LOG_RATE_EVENTS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "e%zu", i);
        assert_true(log_rate_pass(&rate, names[i], LOG_LEVEL_INFO, 0, &suppressed));
    }
    for (size_t i = 0; i < LOG_RATE_EVENTS; i++)
        assert_false(log_rate_pass(&rate, names[i], LOG_LEVEL_INFO, 0, &suppressed));
    assert_true(log_rate_pass(&rate, names[LOG_RATE_EVENTS], LOG_LEVEL_INFO, 0, &suppressed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_counts_per_event_and_level),
        cmocka_unit_test(window_starts_with_its_first_line),
        cmocka_unit_test(zero_is_no_limit),
        cmocka_unit_test(events_beyond_the_table_are_not_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
