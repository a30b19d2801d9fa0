/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {"only", NULL};

struct target {
    const char *text;
    int64_t number;
    int word;
};

static void limits_are_inclusive(void **state)
{
    (void)state;
    const struct conf_option row = {
        .name = "n", CONF_INT_AT(struct target, number), .min = -2, .max = 2};
    struct target target = {.number = 77};
    assert_int_equal(conf_store(&row, "-2", "x", &target, NULL), 0);
    assert_int_equal(target.number, -2);
    assert_int_equal(conf_store(&row, "2", "x", &target, NULL), 0);
    assert_int_equal(conf_store(&row, "3", "x", &target, NULL), -1);
    assert_int_equal(conf_store(&row, "-3", "x", &target, NULL), -1);
    assert_int_equal(target.number, 2);
}

static void rows_without_limits_take_what_the_type_holds(void **state)
{
    (void)state;
    const struct conf_option number = {.name = "n", CONF_INT_AT(struct target, number)};
    struct target target = {.number = 77};
    assert_int_equal(conf_store(&number, "-9223372036854775808", "x", &target, NULL), 0);
    assert_true(target.number == INT64_MIN);

    const struct conf_option text = {.name = "t", CONF_STRING_AT(struct target, text)};
    char *longest = malloc(CONF_TEXT_MAX + 2);
    assert_non_null(longest);
    memset(longest, 'x', CONF_TEXT_MAX + 1);
    longest[CONF_TEXT_MAX + 1] = '\0';
    assert_int_equal(conf_store(&text, longest, "x", &target, NULL), -1);
    longest[CONF_TEXT_MAX] = '\0';
    assert_int_equal(conf_store(&text, longest, "x", &target, NULL), 0);
    assert_ptr_equal(target.text, longest);
    assert_int_equal(conf_store(&text, "", "x", &target, NULL), 0);
    free(longest);
}

static void long_values_are_cut_in_errors(void **state)
{
    (void)state;
    const struct conf_option row = {.name = "n", CONF_INT_AT(struct target, number)};
    char text[200];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct target target = {.number = 77};
    struct err err;
    assert_int_equal(conf_store(&row, text, "flag --n", &target, &err), -1);
    assert_non_null(strstr(err.text, "yyy...\" is not an integer"));
    assert_true(strlen(err.text) < 120);
}

static void ranges_are_written_in_the_units_one_types(void **state)
{
    (void)state;
    static const struct {
        enum conf_type type;
        int64_t min, max;
        const char *text;
    } ranges[] = {
        {CONF_INT, 0, 0, ""},
        {CONF_INT, 0, 10, "0 to 10"},
        {CONF_INT, 1, INT64_MAX, "1 or more"},
        {CONF_DURATION, 0, 500, "0 to 500ms"},
        {CONF_DURATION, 1500, 60000, "1500ms to 1m"},
        {CONF_DURATION, 90000, 7200000, "90s to 2h"},
        {CONF_DURATION, 86400000, 172800000, "1d to 2d"},
        {CONF_SIZE, 1000, 1024, "1000 to 1k"},
        {CONF_SIZE, 1048576, INT64_C(3) << 30, "1M to 3G"},
        {CONF_STRING, 1, 64, "1 to 64 bytes"},
        {CONF_SECRET, 16, INT64_MAX, "16 or more bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const struct conf_option row = {
            .name = "n", .type = ranges[i].type, .min = ranges[i].min, .max = ranges[i].max};
        char text[CONF_ALLOWED_MAX];
        assert_string_equal(conf_allowed(&row, text), ranges[i].text);
    }
    const struct conf_option row = {.name = "w", .type = CONF_ENUM, .words = words};
    char text[CONF_ALLOWED_MAX];
    assert_string_equal(conf_allowed(&row, text), "only");
}

static void words_are_compared_whole_and_in_their_case(void **state)
{
    (void)state;
    const struct conf_option row = {.name = "w", CONF_ENUM_AT(struct target, word), .words = words};
    struct target target = {.word = 77};
    assert_int_equal(conf_store(&row, "only", "x", &target, NULL), 0);
    assert_int_equal(target.word, 0);
    target.word = 77;
    assert_int_equal(conf_store(&row, "Only", "x", &target, NULL), -1);
    assert_int_equal(conf_store(&row, "onl", "x", &target, NULL), -1);
    assert_int_equal(conf_store(&row, "", "x", &target, NULL), -1);
    assert_int_equal(target.word, 77);
}

static void names_become_variables_and_flags(void **state)
{
    (void)state;
    char name[CONF_NAME_MAX];
    conf_env_name("batch.max-rows", name);
    assert_string_equal(name, "PROMO_BATCH_MAX_ROWS");
    conf_flag_name("batch.max-rows", name);
    assert_string_equal(name, "--batch-max-rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_inclusive),
        cmocka_unit_test(rows_without_limits_take_what_the_type_holds),
        cmocka_unit_test(long_values_are_cut_in_errors),
        cmocka_unit_test(ranges_are_written_in_the_units_one_types),
        cmocka_unit_test(words_are_compared_whole_and_in_their_case),
        cmocka_unit_test(names_become_variables_and_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
