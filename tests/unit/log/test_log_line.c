/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log_line.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static char data[LOG_LINE_MAX];

static const char *escaped(const void *bytes, size_t len)
{
    struct log_line line;
    log_line_init(&line, data, sizeof(data));
    log_line_text(&line, "k", bytes, len);
    data[line.len] = '\0';
    assert_false(line.cut);
    return data;
}

static void what_json_reserves_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(escaped("", 0), "\"k\":\"\"");
    assert_string_equal(escaped("a\"b\\c/", 6), "\"k\":\"a\\\"b\\\\c/\"");
    assert_string_equal(escaped("\b\f\n\r\t", 5), "\"k\":\"\\b\\f\\n\\r\\t\"");
    assert_string_equal(escaped("\0\x01\x1f\x7f", 4), "\"k\":\"\\u0000\\u0001\\u001f\\u007f\"");
}

static void utf8_passes_unchanged(void **state)
{
    (void)state;
    assert_string_equal(escaped("\xc2\x80\xdf\xbf", 4), "\"k\":\"\xc2\x80\xdf\xbf\"");
    assert_string_equal(escaped("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", 9),
                        "\"k\":\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\"");
    assert_string_equal(escaped("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8),
                        "\"k\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
}

#define BAD "\xef\xbf\xbd"

static void what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(escaped("\x80", 1), "\"k\":\"" BAD "\"");
    assert_string_equal(escaped("a\xff"
                                "b",
                                3),
                        "\"k\":\"a" BAD "b\"");
    /* Cut short, at the end and in the middle. */
    assert_string_equal(escaped("\xe2\x82", 2), "\"k\":\"" BAD BAD "\"");
    assert_string_equal(escaped("\xe2\x82x", 3), "\"k\":\"" BAD BAD "x\"");
    /* Longer than need be, a surrogate, beyond U+10FFFF. */
    assert_string_equal(escaped("\xc0\xaf", 2), "\"k\":\"" BAD BAD "\"");
    assert_string_equal(escaped("\xc1\xbf", 2), "\"k\":\"" BAD BAD "\"");
    assert_string_equal(escaped("\xe0\x9f\xbf", 3), "\"k\":\"" BAD BAD BAD "\"");
    assert_string_equal(escaped("\xed\xa0\x80", 3), "\"k\":\"" BAD BAD BAD "\"");
    assert_string_equal(escaped("\xf0\x8f\xbf\xbf", 4), "\"k\":\"" BAD BAD BAD BAD "\"");
    assert_string_equal(escaped("\xf4\x90\x80\x80", 4), "\"k\":\"" BAD BAD BAD BAD "\"");
    assert_string_equal(escaped("\xf5\x80\x80\x80", 4), "\"k\":\"" BAD BAD BAD BAD "\"");
}

static void number_members_are_json(void **state)
{
    (void)state;
    struct log_line line;
    log_line_init(&line, data, sizeof(data));
    log_line_field(&line, &LOG_INT("min", INT64_MIN));
    log_line_field(&line, &LOG_INT("max", INT64_MAX));
    log_line_field(&line, &LOG_NUM("nan", NAN));
    log_line_field(&line, &LOG_NUM("inf", -INFINITY));
    log_line_field(&line, &LOG_NUM("tenth", 0.1));
    log_line_field(&line, &LOG_BOOL("no", false));
    data[line.len] = '\0';
    assert_string_equal(data, "\"min\":-9223372036854775808,\"max\":9223372036854775807,"
                              "\"nan\":null,\"inf\":null,\"tenth\":0.1,\"no\":false");
}

/* Whatever the room, the line stays whole JSON and within its bounds. */
static void every_room_gives_a_whole_line(void **state)
{
    (void)state;
    for (size_t size = LOG_LINE_RESERVE + 1; size < 120; size++) {
        char small[121];
        memset(small, '#', sizeof(small));
        struct log_line line;
        log_line_init(&line, small, size);
        small[line.len++] = '{';
        log_line_text(&line, "first", "\xc3\xa4\n\xf0\x90\x80\x80", 7);
        log_line_int(&line, "number", 12345);
        log_line_raw(&line, "\"raw\":true", 10);
        log_line_text(&line, "last", "0123456789", 10);
        log_line_end(&line);
        assert_true(line.len <= size);
        assert_int_equal(small[size], '#');
        assert_memory_equal(small + line.len - 2, "}\n", 2);
        small[line.len] = '\0';
        assert_int_equal(line.cut, strstr(small, "\"cut\":true}\n") != NULL);
        unsigned quotes = 0;
        for (size_t i = 0; i < line.len; i++)
            quotes += small[i] == '"';
        assert_int_equal(quotes % 2, 0);
        assert_null(strstr(small, ",,"));
        assert_null(strstr(small, "{,"));
        assert_null(strstr(small, ",}"));
        assert_null(strstr(small, ":}"));
        assert_null(strstr(small, "\\\""));
        if (size >= 110)
            assert_false(line.cut);
    }
}

static void secret_keys_are_known(void **state)
{
    (void)state;
    static const char *const secret[] = {"password", "secret", "code",       "codes",
                                         "customer", "email",  "x_password", "x_secret"};
    static const char *const open[] = {"err_code", "codes_total", "secrets", "passwords", "topic"};
    for (size_t i = 0; i < ARRAY_LEN(secret); i++)
        assert_true(log_key_is_secret(secret[i]));
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        assert_false(log_key_is_secret(open[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_json_reserves_is_escaped), cmocka_unit_test(utf8_passes_unchanged),
        cmocka_unit_test(what_is_no_utf8_is_replaced),   cmocka_unit_test(number_members_are_json),
        cmocka_unit_test(every_room_gives_a_whole_line), cmocka_unit_test(secret_keys_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
