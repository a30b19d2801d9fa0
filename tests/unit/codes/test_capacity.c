/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_test.h"

#include "codes_capacity.h"
#include "codes_words.h"

static struct codes_capacity figure(const char *text, codes_u128 allowed, codes_u128 live,
                                    uint64_t requested)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(text);
    struct codes_capacity capacity;

    codes_capacity_figure(pattern, allowed, live, requested, 60, true, &capacity);
    return capacity;
}

static void numbers_go_to_text_and_back(void **state)
{
    static const char *const texts[] = {"0",
                                        "1",
                                        "9",
                                        "10",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "79228162514264337593543950336",
                                        "340282366920938463463374607431768211455"};
    const codes_u128 max = ~(codes_u128)0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char text[CODES_U128_TEXT];
        codes_u128 value = 0;
        assert_int_equal(codes_u128_parse(texts[i], max, &value, NULL), 0);
        assert_string_equal(codes_u128_text(value, text), texts[i]);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1.0",
                                        "1e3",
                                        "0x10",
                                        "a",
                                        "\xD9\xA1",
                                        "340282366920938463463374607431768211456",
                                        "999999999999999999999999999999999999999999"};
    codes_u128 value = 4711;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_refused(codes_u128_parse(texts[i], ~(codes_u128)0, &value, &err), err, "bad_number");
    assert_true(value == 4711);
    assert_int_equal(codes_u128_parse("100", 100, &value, &err), 0);
    assert_true(value == 100);
    assert_refused(codes_u128_parse("101", 100, &value, &err), err, "bad_number");
    assert_refused(codes_u128_parse("1", 0, &value, &err), err, "bad_number");
    assert_refused(codes_u128_parse("7", 5, &value, &err), err, "bad_number");
    assert_int_equal(codes_u128_parse("0", 0, &value, &err), 0);
    assert_int_equal(
        codes_u128_parse("0000000000000000000000000000000000000000000001", 1, &value, &err), 0);
    assert_true(value == 1);
}

static void a_job_fits_to_the_last_code(void **state)
{
    struct err err = {0};
    struct codes_capacity capacity = figure("[0-9]{3}", 990, 900, 90);

    (void)state;
    assert_true(capacity.space == 1000);
    assert_true(capacity.available == 90);
    assert_true(capacity.fits);
    assert_int_equal(codes_capacity_verdict(&capacity, true, &err), 1);
    capacity = figure("[0-9]{3}", 990, 900, 91);
    assert_false(capacity.fits);
    assert_refused(codes_capacity_verdict(&capacity, true, &err), err, "capacity_exceeded");
    assert_non_null(strstr(err.text, "91 codes"));
    assert_non_null(strstr(err.text, "exactly 90 more"));
    capacity = figure("[0-9]{3}", 990, 1000, 1); /* blocked words came after the codes */
    assert_true(capacity.available == 0);
    assert_refused(codes_capacity_verdict(&capacity, true, &err), err, "capacity_exceeded");
    assert_non_null(strstr(err.text, "exactly 0 more"));
}

static void a_pattern_that_is_a_blocked_word_has_no_room(void **state)
{
    struct err err = {0};
    struct codes_capacity capacity = figure("SHIT[0-9]{9}", 0, 0, 1);

    (void)state;
    assert_refused(codes_capacity_verdict(&capacity, true, &err), err, "capacity_exceeded");
    assert_non_null(strstr(err.text, "blocked word"));
    assert_true(capacity.share > 1.0);
}

/* A code that everybody may know: once, and only when somebody says so. */
static void a_pattern_without_a_place_has_room_for_one_code(void **state)
{
    struct err err = {0};
    struct codes_capacity capacity = figure("SUMMER", 1, 0, 1);

    (void)state;
    assert_true(capacity.space == 1);
    assert_true(capacity.odds == 1);
    assert_float_equal(capacity.bits, 0.0, 1e-12);
    assert_refused(codes_capacity_verdict(&capacity, false, &err), err, "guessable");
    assert_int_equal(codes_capacity_verdict(&capacity, true, &err), 1);
    capacity = figure("SUMMER", 1, 0, 2);
    assert_refused(codes_capacity_verdict(&capacity, true, &err), err, "capacity_exceeded");
    capacity = figure("SUMMER", 1, 1, 1);
    assert_refused(codes_capacity_verdict(&capacity, true, &err), err, "capacity_exceeded");
}

static void counts_out_of_range_are_refused(void **state)
{
    struct err err = {0};
    struct codes_capacity capacity = figure("#{18}", (codes_u128)1 << 90, 0, 0);

    (void)state;
    assert_refused(codes_capacity_verdict(&capacity, false, &err), err, "count_out_of_range");
    capacity = figure("#{18}", (codes_u128)1 << 90, 0, CODES_JOB_MAX + 1);
    assert_refused(codes_capacity_verdict(&capacity, false, &err), err, "count_out_of_range");
    capacity = figure("#{18}", (codes_u128)1 << 90, 0, CODES_JOB_MAX);
    assert_int_equal(codes_capacity_verdict(&capacity, false, &err), 0);
}

/* 10^12 strings: 100,000 codes are the most at odds of 10^7, 1,000 the most without a warning. */
static void odds_decide_to_the_last_code(void **state)
{
    static const struct {
        uint64_t live;
        uint64_t requested;
        int verdict;
    } cases[] = {
        {0, 1, 0},      {0, 1000, 0},    {0, 1001, 1},  {999, 1, 0},     {1000, 1, 1},
        {0, 100000, 1}, {0, 100001, -1}, {99999, 1, 1}, {100000, 1, -1}, {500000, 1, -1},
    };
    const codes_u128 space = 1000000000000;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct codes_capacity capacity =
            figure("[0-9]{12}", space, cases[i].live, cases[i].requested);
        assert_true(capacity.odds == space / (cases[i].live + cases[i].requested));
        assert_int_equal(codes_capacity_verdict(&capacity, false, &err), cases[i].verdict);
        if (cases[i].verdict < 0)
            assert_string_equal(err.code, "guessable");
        assert_int_equal(codes_capacity_verdict(&capacity, true, &err),
                         cases[i].verdict == 0 ? 0 : 1);
    }
}

/* Blocked words take strings away from the room, not from the guesses. */
static void blocked_words_do_not_change_the_odds(void **state)
{
    struct codes_capacity capacity = figure("[0-9]{12}", 500000, 0, 1000);

    (void)state;
    assert_true(capacity.odds == 1000000000);
    assert_true(capacity.available == 500000);
    assert_float_equal(capacity.share, 0.002, 1e-12);
}

static void figures_of_the_largest_space_do_not_overflow(void **state)
{
    struct codes_capacity capacity =
        figure("[0-9a-f]{32}", CODES_SPACE_MAX, CODES_SPACE_MAX - 5, 5);
    struct err err = {0};

    (void)state;
    assert_true(capacity.fits);
    assert_true(capacity.available == 5);
    assert_true(capacity.odds == 1);
    assert_float_equal(capacity.bits, 128.0, 1e-9);
    assert_float_equal(capacity.share, 1.0, 1e-9);
    assert_refused(codes_capacity_verdict(&capacity, false, &err), err, "guessable");
    capacity = figure("[0-9a-f]{32}", CODES_SPACE_MAX, 0, 0);
    assert_true(capacity.odds == CODES_SPACE_MAX);
}

static void size_is_estimated_per_code_and_in_all(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(CODES_PATTERN_DEFAULT);
    struct codes_capacity with;
    struct codes_capacity without;

    (void)state;
    codes_capacity_figure(pattern, codes_pattern_space(pattern), 0, 1000000, 60, true, &with);
    codes_capacity_figure(pattern, codes_pattern_space(pattern), 0, 1000000, 60, false, &without);
    assert_float_equal(with.bits, 60.0, 1e-9);
    assert_true(with.bytes_per_code > without.bytes_per_code);
    /* row: 28 + 80 of 8168 in 8192; index entry: 12 + 16 of 8152 * 0.9 in 8192 */
    assert_float_equal(without.bytes_per_code, 108.0 * 8192 / 8168 + 28.0 * 8192 / (8152 * 0.9),
                       1e-6);
    assert_float_equal(with.bytes, with.bytes_per_code * 1e6, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_go_to_text_and_back),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(a_job_fits_to_the_last_code),
        cmocka_unit_test(a_pattern_that_is_a_blocked_word_has_no_room),
        cmocka_unit_test(a_pattern_without_a_place_has_room_for_one_code),
        cmocka_unit_test(counts_out_of_range_are_refused),
        cmocka_unit_test(odds_decide_to_the_last_code),
        cmocka_unit_test(blocked_words_do_not_change_the_odds),
        cmocka_unit_test(figures_of_the_largest_space_do_not_overflow),
        cmocka_unit_test(size_is_estimated_per_code_and_in_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
