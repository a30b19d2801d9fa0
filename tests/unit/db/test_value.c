/* SPDX-License-Identifier: Apache-2.0 */
#include "db_test.h"

#include "db_value.h"

static void round_trip(const char *decimal, const char *expected)
{
    uint8_t bytes[DB_NUMERIC_MAX];
    char out[2100];
    size_t len = db_value_numeric(decimal, bytes);

    assert_true(len >= 8 && len <= sizeof(bytes));
    assert_true(db_value_numeric_text(bytes, len, out, sizeof(out)));
    assert_string_equal(out, expected);
}

static void decimals_keep_value_and_scale(void **state)
{
    (void)state;
    round_trip("0", "0");
    round_trip("-0", "0");
    round_trip("0.00", "0.00");
    round_trip("1", "1");
    round_trip("-1", "-1");
    round_trip("9999", "9999");
    round_trip("10000", "10000");
    round_trip("00012", "12");
    round_trip("12.50", "12.50");
    round_trip("-0.0001", "-0.0001");
    round_trip("0.00001", "0.00001");
    round_trip("100000000.00000001", "100000000.00000001");
    round_trip("123456789012345678901234567890.123456789",
               "123456789012345678901234567890.123456789");
    round_trip("340282366920938463463374607431768211455",
               "340282366920938463463374607431768211455");
}

/* As numeric_send() of PostgreSQL 15 gives them: groups, weight, sign, scale, groups of four
 * digits. */
static void decimals_are_encoded_as_the_server_does(void **state)
{
    (void)state;
    static const uint8_t n12345_678[] = {0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c};
    static const uint8_t minus_0_0001[] = {0, 1, 0xff, 0xff, 0x40, 0, 0, 4, 0, 1};
    static const uint8_t ten_thousand[] = {0, 1, 0, 1, 0, 0, 0, 0, 0, 1};
    static const uint8_t zero[] = {0, 0, 0, 0, 0, 0, 0, 0};
    uint8_t bytes[DB_NUMERIC_MAX];

    assert_int_equal(db_value_numeric("12345.678", bytes), sizeof(n12345_678));
    assert_memory_equal(bytes, n12345_678, sizeof(n12345_678));
    assert_int_equal(db_value_numeric("-0.0001", bytes), sizeof(minus_0_0001));
    assert_memory_equal(bytes, minus_0_0001, sizeof(minus_0_0001));
    assert_int_equal(db_value_numeric("10000", bytes), sizeof(ten_thousand));
    assert_memory_equal(bytes, ten_thousand, sizeof(ten_thousand));
    assert_int_equal(db_value_numeric_u128(10000, bytes), sizeof(ten_thousand));
    assert_memory_equal(bytes, ten_thousand, sizeof(ten_thousand));
    assert_int_equal(db_value_numeric_u128(0, bytes), sizeof(zero));
    assert_memory_equal(bytes, zero, sizeof(zero));
}

static void what_is_no_plain_decimal_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "-",  "+1",  ".5",  "5.",  "1.2.3", "1e5",
                                      " 1", "1 ", "--1", "0x1", "NaN", "1,5",   "\xd9\xa1"};
    uint8_t bytes[DB_NUMERIC_MAX];

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(db_value_numeric(bad[i], bytes), 0);
}

static void digits_have_a_limit(void **state)
{
    (void)state;
    char text[DB_NUMERIC_DIGITS + 3];
    uint8_t bytes[DB_NUMERIC_MAX];

    memset(text, '9', sizeof(text));
    text[DB_NUMERIC_DIGITS] = '\0';
    round_trip(text, text);
    text[DB_NUMERIC_DIGITS] = '9';
    text[DB_NUMERIC_DIGITS + 1] = '\0';
    assert_int_equal(db_value_numeric(text, bytes), 0);
    text[1] = '.'; /* the point is no digit, and groups are split at it */
    round_trip(text, text);
}

static void u128(unsigned __int128 value)
{
    uint8_t bytes[DB_NUMERIC_MAX];
    unsigned __int128 back = value + 1;
    size_t len = db_value_numeric_u128(value, bytes);

    assert_true(db_value_numeric_to_u128(bytes, len, &back));
    assert_true(back == value);
}

static void u128_round_trips_from_end_to_end(void **state)
{
    (void)state;
    const unsigned __int128 max = ~(unsigned __int128)0;

    u128(0);
    u128(1);
    u128(9999);
    u128(10000);
    u128((unsigned __int128)1 << 64);
    u128((unsigned __int128)1 << 96);
    u128((unsigned __int128)10000 * 10000 * 10000);
    u128(max - 1);
    u128(max);
}

static void u128_takes_nothing_but_its_range(void **state)
{
    (void)state;
    static const char *const bad[] = {"-1", "0.5", "1.5", "340282366920938463463374607431768211456",
                                      "10000000000000000000000000000000000000000"};
    uint8_t bytes[DB_NUMERIC_MAX];
    unsigned __int128 value = 7;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        size_t len = db_value_numeric(bad[i], bytes);
        assert_false(db_value_numeric_to_u128(bytes, len, &value));
        assert_true(value == 7);
    }
    /* Zeros behind the point are no fraction. */
    size_t len = db_value_numeric("5.00", bytes);
    assert_true(db_value_numeric_to_u128(bytes, len, &value));
    assert_true(value == 5);
}

static void malformed_bytes_are_refused(void **state)
{
    (void)state;
    static const uint8_t short_of_a_group[] = {0, 2, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t big_group[] = {0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10};
    static const uint8_t nan[] = {0, 0, 0, 0, 0xc0, 0, 0, 0};
    unsigned __int128 value;
    char out[32];

    assert_false(db_value_numeric_text(short_of_a_group, sizeof(short_of_a_group), out, 32));
    assert_false(db_value_numeric_text(short_of_a_group, 7, out, 32));
    assert_false(db_value_numeric_text(big_group, sizeof(big_group), out, 32));
    assert_false(db_value_numeric_to_u128(nan, sizeof(nan), &value));
    assert_true(db_value_numeric_text(nan, sizeof(nan), out, 4));
    assert_string_equal(out, "NaN");
    assert_false(db_value_numeric_text(nan, sizeof(nan), out, 3));
    assert_false(db_value_numeric_text(nan, sizeof(nan), out, 0));
}

static void times_count_from_2000_there(void **state)
{
    (void)state;
    assert_int_equal(db_value_time(TIME_PG_EPOCH_US), 0);
    assert_int_equal((int64_t)db_value_time(0), -TIME_PG_EPOCH_US);
    assert_int_equal(db_value_time_us(0), TIME_PG_EPOCH_US);
    assert_int_equal(db_value_time_us(db_value_time(TIME_MAX_US)), TIME_MAX_US);
    assert_int_equal((int64_t)db_value_time(INT64_MAX), INT64_MAX);
    assert_int_equal((int64_t)db_value_time(INT64_MIN), INT64_MIN);
    assert_true(db_value_time_us((uint64_t)INT64_MAX) == INT64_MAX);
    assert_true(db_value_time_us((uint64_t)INT64_MIN) == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_keep_value_and_scale),
        cmocka_unit_test(decimals_are_encoded_as_the_server_does),
        cmocka_unit_test(what_is_no_plain_decimal_is_refused),
        cmocka_unit_test(digits_have_a_limit),
        cmocka_unit_test(u128_round_trips_from_end_to_end),
        cmocka_unit_test(u128_takes_nothing_but_its_range),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(times_count_from_2000_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
