/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_test.h"

#include "codes_check.h"

static bool supported(unsigned size)
{
    return size >= 3 && size <= CODES_CHECK_MAX && size != 6;
}

/* All that the theory asks of a table, tried for every c, x and y of every size. */
static void every_table_is_a_quasigroup_that_finds_swaps(void **state)
{
    (void)state;
    for (unsigned n = 3; n <= CODES_CHECK_MAX; n++) {
        struct codes_check check;
        struct err err = {0};
        if (!supported(n))
            continue;
        if (codes_check_init(&check, n, &err) < 0)
            fail_msg("size %u: %s", n, err.text);
        for (unsigned x = 0; x < n; x++) {
            bool row[CODES_CHECK_MAX] = {false};
            bool column[CODES_CHECK_MAX] = {false};
            for (unsigned y = 0; y < n; y++) {
                assert_in_range(check.table[x][y], 0, n - 1);
                assert_false(row[check.table[x][y]]);
                assert_false(column[check.table[y][x]]);
                row[check.table[x][y]] = column[check.table[y][x]] = true;
            }
            assert_int_equal(check.table[x][check.closing[x]], 0);
        }
        for (unsigned c = 0; c < n; c++)
            for (unsigned x = 0; x < n; x++)
                for (unsigned y = 0; y < x; y++)
                    if (check.table[check.table[c][x]][y] == check.table[check.table[c][y]][x])
                        fail_msg("size %u does not find %u %u swapped after %u", n, x, y, c);
    }
}

static unsigned state_of(const struct codes_check *check, const uint8_t *values, size_t len)
{
    unsigned state = 0;

    for (size_t i = 0; i < len; i++)
        state = check->table[state][values[i]];
    return state;
}

/* And seen from outside: change or swap anything in a word with its check value, and it is found.
 */
static void every_single_error_and_swap_of_neighbours_is_found(void **state)
{
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 2, &random); s++) {
        for (unsigned n = 3; n <= CODES_CHECK_MAX; n++) {
            struct codes_check check;
            uint8_t word[13];
            if (!supported(n))
                continue;
            assert_int_equal(codes_check_init(&check, n, NULL), 0);
            for (size_t i = 0; i < 12; i++)
                word[i] = (uint8_t)(test_random(&random) % n);
            word[12] = (uint8_t)codes_check_value(&check, word, 12);
            assert_int_equal(state_of(&check, word, 13), 0);
            for (size_t i = 0; i < 13; i++) {
                uint8_t right = word[i];
                for (unsigned wrong = 0; wrong < n; wrong++) {
                    word[i] = (uint8_t)wrong;
                    assert_int_equal(state_of(&check, word, 13) == 0, wrong == right);
                }
                word[i] = right;
            }
            for (size_t i = 0; i + 1 < 13; i++) {
                uint8_t left = word[i];
                word[i] = word[i + 1];
                word[i + 1] = left;
                assert_int_equal(state_of(&check, word, 13) == 0, word[i] == left);
                word[i + 1] = word[i];
                word[i] = left;
            }
        }
    }
}

static void digits_check_as_damm_published(void **state)
{
    static const uint8_t digits[] = {5, 7, 2};
    struct codes_check check;

    (void)state;
    assert_int_equal(codes_check_init(&check, 10, NULL), 0);
    assert_int_equal(codes_check_value(&check, digits, 3), 4);
    assert_int_equal(codes_check_value(&check, digits, 0), 0);
}

static void impossible_sizes_are_refused(void **state)
{
    static const unsigned sizes[] = {0, 1, 2, 6, CODES_CHECK_MAX + 1, CODES_CHECK_MAX + 2, 1000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct codes_check check;
        struct err err = {0};
        assert_refused(codes_check_init(&check, sizes[i], &err), err, "check_size");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_is_a_quasigroup_that_finds_swaps),
        cmocka_unit_test(every_single_error_and_swap_of_neighbours_is_found),
        cmocka_unit_test(digits_check_as_damm_published),
        cmocka_unit_test(impossible_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
