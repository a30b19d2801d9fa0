/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_parse.h"

#include <stdio.h>
#include <string.h>

#define UNTOUCHED INT64_C(-777)

static void assert_refused(const struct err *err, int rc, const char *code)
{
    assert_int_equal(rc, -1);
    assert_int_equal(err->kind, ERR_POISON);
    assert_string_equal(err->domain, "parse");
    assert_string_equal(err->code, code);
}

static void integers_within_their_bounds_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"1", 1},
                {"-1", -1},
                {"007", 7},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t value = UNTOUCHED;
        struct err err;
        assert_int_equal(parse_int64(good[i].text, INT64_MIN, INT64_MAX, &value, &err), 0);
        assert_true(value == good[i].value);
    }
    int64_t value = UNTOUCHED;
    assert_int_equal(parse_int64("10", 1, 10, &value, NULL), 0);
    assert_int_equal(parse_int64("1", 1, 10, &value, NULL), 0);
}

static void integers_outside_are_refused(void **state)
{
    (void)state;
    int64_t value = UNTOUCHED;
    struct err err;
    assert_refused(&err, parse_int64("11", 1, 10, &value, &err), "out_of_range");
    assert_string_equal(err.text, "not between 1 and 10");
    assert_refused(&err, parse_int64("0", 1, 10, &value, &err), "out_of_range");
    assert_refused(&err, parse_int64("-5", 0, 10, &value, &err), "out_of_range");
    assert_refused(&err, parse_int64("9223372036854775808", INT64_MIN, INT64_MAX, &value, &err),
                   "out_of_range");
    assert_refused(&err, parse_int64("-9223372036854775809", INT64_MIN, INT64_MAX, &value, &err),
                   "out_of_range");
    assert_refused(&err, parse_int64("18446744073709551616", INT64_MIN, INT64_MAX, &value, &err),
                   "out_of_range");
    assert_refused(&err, parse_int64("99999999999999999999999999999", 0, INT64_MAX, &value, &err),
                   "out_of_range");
    assert_true(value == UNTOUCHED);
}

static void texts_that_are_no_integers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    " ",   "1 ",  " 1", "+1",  "-",       "--1",
                                      "1.0", "1e3", "0x1", "1,", "\n1", "\xd9\xa1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t value = UNTOUCHED;
        struct err err;
        assert_refused(&err, parse_int64(bad[i], INT64_MIN, INT64_MAX, &value, &err), "malformed");
        assert_true(value == UNTOUCHED);
    }
}

static void errors_do_not_repeat_the_input(void **state)
{
    (void)state;
    int64_t value = UNTOUCHED;
    struct err err;
    assert_int_equal(parse_int64("s3cret", 0, 1, &value, &err), -1);
    assert_null(strstr(err.text, "s3cret"));
}

static void truth_has_six_words(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "on", "1"};
    static const char *const no[] = {"false", "off", "0"};
    static const char *const bad[] = {"", "yes", "True", "ON", "10", " true", "true "};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        bool value = false;
        assert_int_equal(parse_bool(yes[i], &value, NULL), 0);
        assert_true(value);
        assert_int_equal(parse_bool(no[i], &value, NULL), 0);
        assert_false(value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        bool value = true;
        struct err err;
        assert_refused(&err, parse_bool(bad[i], &value, &err), "malformed");
        assert_true(value);
    }
}

static void durations_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},
                {"1500", 1500},
                {"250ms", 250},
                {"10s", 10000},
                {"5m", 300000},
                {"2h", 7200000},
                {"7d", 604800000},
                {"9223372036854775807", INT64_MAX},
                {"106751991167d", INT64_C(106751991167) * 86400000}};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t ms = UNTOUCHED;
        assert_int_equal(parse_duration_ms(good[i].text, &ms, NULL), 0);
        assert_true(ms == good[i].ms);
    }
    static const char *const bad[] = {"",    "s",    "-1s", "1.5s", "1 s", "1S",
                                      "1ss", "1min", "1s ", "1w",   "1s5", "ms"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t ms = UNTOUCHED;
        struct err err;
        assert_refused(&err, parse_duration_ms(bad[i], &ms, &err), "malformed");
        assert_true(ms == UNTOUCHED);
    }
    static const char *const large[] = {"9223372036854775808", "106751991168d",
                                        "18446744073709551617ms"};
    for (size_t i = 0; i < ARRAY_LEN(large); i++) {
        int64_t ms = UNTOUCHED;
        struct err err;
        assert_refused(&err, parse_duration_ms(large[i], &ms, &err), "out_of_range");
        assert_true(ms == UNTOUCHED);
    }
}

static void sizes_have_binary_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"0", 0},        {"512", 512},       {"64k", 65536},
                {"8M", 8388608}, {"1G", 1073741824}, {"8589934591G", INT64_C(8589934591) << 30}};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t bytes = UNTOUCHED;
        assert_int_equal(parse_size(good[i].text, &bytes, NULL), 0);
        assert_true(bytes == good[i].bytes);
    }
    static const char *const bad[] = {"", "k", "-1", "1kb", "1K", "1m", "1.5M", "1 k", "0x10"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t bytes = UNTOUCHED;
        struct err err;
        assert_refused(&err, parse_size(bad[i], &bytes, &err), "malformed");
        assert_true(bytes == UNTOUCHED);
    }
    int64_t bytes = UNTOUCHED;
    struct err err;
    assert_refused(&err, parse_size("8589934592G", &bytes, &err), "out_of_range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_within_their_bounds_are_taken),
        cmocka_unit_test(integers_outside_are_refused),
        cmocka_unit_test(texts_that_are_no_integers_are_refused),
        cmocka_unit_test(errors_do_not_repeat_the_input),
        cmocka_unit_test(truth_has_six_words),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(sizes_have_binary_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
