/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define UNTOUCHED INT64_C(-777)

static int64_t parsed(const char *text)
{
    int64_t us = UNTOUCHED;
    struct err err = {.kind = ERR_NONE};
    if (time_parse(text, &us, &err) != 0)
        fail_msg("%s refused: %s", text, err.text);
    return us;
}

static void known_moments_are_read(void **state)
{
    (void)state;
    assert_true(parsed("1970-01-01T00:00:00Z") == 0);
    assert_true(parsed("1970-01-01T00:00:00.000001Z") == 1);
    assert_true(parsed("2000-01-01T00:00:00Z") == TIME_PG_EPOCH_US);
    assert_true(parsed("2026-11-20T19:06:00Z") == INT64_C(1795201560) * TIME_US_PER_S);
    assert_true(parsed("9999-12-31T23:59:59.999999Z") == TIME_MAX_US);
    /* The examples of RFC 3339, section 5.8, the leap seconds left out. */
    assert_true(parsed("1985-04-12T23:20:50.52Z") == INT64_C(482196050520000));
    assert_true(parsed("1996-12-19T16:39:57-08:00") == parsed("1996-12-20T00:39:57Z"));
    assert_true(parsed("2037-01-01T12:00:27.87+00:20") == parsed("2037-01-01T11:40:27.870Z"));
}

static void offsets_are_applied(void **state)
{
    (void)state;
    int64_t noon = parsed("2024-02-29T12:00:00Z");
    assert_true(parsed("2024-02-29T12:00:00+00:00") == noon);
    assert_true(parsed("2024-02-29T12:00:00-00:00") == noon);
    assert_true(parsed("2024-02-29T17:45:00+05:45") == noon);
    assert_true(parsed("2024-03-01T11:59:00+23:59") == noon);
    assert_true(parsed("2024-02-28T12:01:00-23:59") == noon);
}

static void letters_may_be_small(void **state)
{
    (void)state;
    assert_true(parsed("2026-11-20t19:06:00z") == parsed("2026-11-20T19:06:00Z"));
}

static void leap_days_follow_the_gregorian_rule(void **state)
{
    (void)state;
    assert_true(parsed("2000-03-01T00:00:00Z") - parsed("2000-02-29T00:00:00Z") ==
                INT64_C(86400) * TIME_US_PER_S);
    assert_true(parsed("2024-02-29T23:59:59Z") > 0);
    assert_true(parsed("2400-02-29T00:00:00Z") > 0);
    static const char *const bad[] = {"2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
                                      "2024-02-30T00:00:00Z"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t us = UNTOUCHED;
        assert_int_equal(time_parse(bad[i], &us, NULL), -1);
    }
}

static void malformed_times_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-20",
        "2026-11-20T19:06:00",
        "2026-11-20T19:06Z",
        "2026-11-20 19:06:00Z",
        " 2026-11-20T19:06:00Z",
        "2026-11-20T19:06:00Z ",
        "2026-11-20T19:06:00ZZ",
        "2026-11-20T19:06:00Z+01:00",
        "2026-11-20T24:00:00Z",
        "2026-11-20T23:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-00-20T19:06:00Z",
        "2026-13-20T19:06:00Z",
        "2026-11-00T19:06:00Z",
        "2026-11-31T19:06:00Z",
        "2026-1-20T19:06:00Z",
        "26-11-20T19:06:00Z",
        "+2026-11-20T19:06:00Z",
        "12026-11-20T19:06:00Z",
        "2026-11-20T19:06:00.Z",
        "2026-11-20T19:06:00,5Z",
        "2026-11-20T19:06:00.1234567Z",
        "2026-11-20T19:06:00+1:00",
        "2026-11-20T19:06:00+0100",
        "2026-11-20T19:06:00+24:00",
        "2026-11-20T19:06:00+01:60",
        "2026-11-20T19:06:00+01",
        "2026-11-20T19:06:00\342\210\22201:00",
        "2026-11-20T-1:06:00Z",
        "2026/11/20T19:06:00Z",
        "20261120T190600Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t us = UNTOUCHED;
        struct err err;
        if (time_parse(bad[i], &us, &err) != -1)
            fail_msg("%s taken", bad[i]);
        assert_int_equal(err.kind, ERR_POISON);
        assert_string_equal(err.code, "malformed");
        assert_true(us == UNTOUCHED);
    }
}

static void years_outside_are_refused_after_the_offset(void **state)
{
    (void)state;
    static const char *const bad[] = {"1969-12-31T23:59:59.999999Z", "0000-01-01T00:00:00Z",
                                      "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
                                      "9999-12-31T23:59:00-00:01"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t us = UNTOUCHED;
        struct err err;
        assert_int_equal(time_parse(bad[i], &us, &err), -1);
        assert_string_equal(err.code, "out_of_range");
        assert_true(us == UNTOUCHED);
    }
    assert_true(parsed("1969-12-31T23:59:00-00:01") == 0);
    assert_true(parsed("1970-01-01T00:01:00+00:01") == 0);
}

static void fraction_is_written_where_needed(void **state)
{
    (void)state;
    char text[TIME_TEXT_MAX];
    assert_string_equal(time_format(0, text), "1970-01-01T00:00:00Z");
    assert_string_equal(time_format(1, text), "1970-01-01T00:00:00.000001Z");
    assert_string_equal(time_format(1000, text), "1970-01-01T00:00:00.001Z");
    assert_string_equal(time_format(520000, text), "1970-01-01T00:00:00.520Z");
    assert_string_equal(time_format(TIME_MAX_US, text), "9999-12-31T23:59:59.999999Z");
    assert_string_equal(time_format(-1, text), "1969-12-31T23:59:59.999999Z");
}

static void any_number_fits_the_text(void **state)
{
    (void)state;
    char text[TIME_TEXT_MAX];
    assert_string_equal(time_format(INT64_MAX, text), "294247-01-10T04:00:54.775807Z");
    assert_string_equal(time_format(INT64_MIN, text), "-290308-12-21T19:59:05.224192Z");
}

/* The C library's calendar as the other opinion, once every 37 days and some. */
static void calendar_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t s = 0; s <= TIME_MAX_US / TIME_US_PER_S; s += INT64_C(86400) * 37 + 4567) {
        time_t time = (time_t)s;
        struct tm tm;
        char theirs[40];
        char ours[TIME_TEXT_MAX];
        assert_non_null(gmtime_r(&time, &tm));
        assert_true(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
        assert_string_equal(time_format(s * TIME_US_PER_S, ours), theirs);
        assert_true(parsed(ours) == s * TIME_US_PER_S);
    }
}

static int64_t frozen(void *opaque)
{
    return *(int64_t *)opaque;
}

static void handed_in_clock_is_asked(void **state)
{
    (void)state;
    int64_t now = 42;
    const struct clock clock = {.wall = frozen, .mono = frozen, .opaque = &now};
    assert_int_equal(clock_wall(&clock), 42);
    now = 43;
    assert_int_equal(clock_mono(&clock), 43);
}

static void real_clock_moves_on(void **state)
{
    (void)state;
    int64_t first = clock_mono(&clock_real);
    assert_true(clock_mono(&clock_real) >= first);
    int64_t wall = clock_wall(&clock_real);
    int64_t seconds = (int64_t)time(NULL);
    assert_true(wall / TIME_US_PER_S <= seconds + 1 && wall / TIME_US_PER_S >= seconds - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_are_read),
        cmocka_unit_test(offsets_are_applied),
        cmocka_unit_test(letters_may_be_small),
        cmocka_unit_test(leap_days_follow_the_gregorian_rule),
        cmocka_unit_test(malformed_times_are_refused),
        cmocka_unit_test(years_outside_are_refused_after_the_offset),
        cmocka_unit_test(fraction_is_written_where_needed),
        cmocka_unit_test(any_number_fits_the_text),
        cmocka_unit_test(calendar_agrees_with_the_c_library),
        cmocka_unit_test(handed_in_clock_is_asked),
        cmocka_unit_test(real_clock_moves_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
