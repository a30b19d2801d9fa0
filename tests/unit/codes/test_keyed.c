/* SPDX-License-Identifier: Apache-2.0
 *
 * What hangs on a key: derived keys, the checksum, the permutation. Known answers were computed by
 * another program.
 */
#include "codes_test.h"

#include "base_digest.h"
#include "codes_checksum.h"
#include "codes_permute.h"
#include "codes_secret.h"

static uint8_t secret[32];

static int set_up(void **state)
{
    (void)state;
    memset(secret, 1, sizeof secret);
    return 0;
}

static void job_key(const char *source, const char *id, uint8_t out[CODES_KEY_LEN])
{
    codes_secret_job(secret, sizeof secret, CODES_SECRET_DRAW, source, strlen(source), id,
                     strlen(id), out);
}

static void derived_keys_have_known_answers(void **state)
{
    uint8_t key[CODES_KEY_LEN];
    char hex[2 * CODES_KEY_LEN + 1];

    (void)state;
    job_key("/shop/eu", "0190b0a0-0000-7000-8000-000000000001", key);
    assert_string_equal(digest_hex(key, sizeof key, hex),
                        "543e7ac75043262bc50ad47d435429144fa6dde88a808a6f27ec23be7dac89f8");
    codes_secret_fleet(secret, sizeof secret, CODES_SECRET_CHECKSUM, key);
    assert_string_equal(digest_hex(key, sizeof key, hex),
                        "3d3619f8700e2f2a80f9334985292e29a2c4b6ca895dd12bb7584d8e6ad239ac");
}

static void any_other_input_derives_another_key(void **state)
{
    static const char *const inputs[][2] = {
        {"a", "bc"}, {"ab", "c"}, {"abc", ""}, {"", "abc"}, {"b", "bc"}, {"a", "bd"},
    };
    uint8_t keys[ARRAY_LEN(inputs) + 2][CODES_KEY_LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(inputs); i++)
        job_key(inputs[i][0], inputs[i][1], keys[i]);
    codes_secret_job(secret, sizeof secret, CODES_SECRET_PERMUTE, "a", 1, "bc", 2,
                     keys[ARRAY_LEN(inputs)]);
    codes_secret_job(secret, sizeof secret - 1, CODES_SECRET_DRAW, "a", 1, "bc", 2,
                     keys[ARRAY_LEN(inputs) + 1]);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(keys[i], keys[j], CODES_KEY_LEN);
}

static void checksum_has_known_answers(void **state)
{
    struct codes_checksum checksum;
    char text[CODES_CHECKSUM_TEXT];

    (void)state;
    codes_checksum_init(&checksum, secret, sizeof secret);
    assert_string_equal(codes_checksum_text(checksum.sum, text), "0000000000000000");
    codes_checksum_add(&checksum, "summer2024", 10);
    assert_string_equal(codes_checksum_text(checksum.sum, text), "ac424305849818f2");
    codes_checksum_add(&checksum, "7zk49mpxqrs2", 12);
    codes_checksum_add(&checksum, "strasse", 7);
    assert_string_equal(codes_checksum_text(checksum.sum, text), "70d1f24b403d1433");
    assert_string_equal(codes_checksum_text(1, text), "0000000000000001");
    assert_string_equal(codes_checksum_text(UINT64_MAX, text), "ffffffffffffffff");
}

static void checksum_ignores_order_and_parts_and_nothing_else(void **state)
{
    enum { COUNT = 1000 };
    struct codes_checksum whole;
    struct codes_checksum back;
    struct codes_checksum part;
    struct codes_checksum other;
    uint8_t other_secret[32] = {9};
    char key[16];

    (void)state;
    codes_checksum_init(&whole, secret, sizeof secret);
    codes_checksum_init(&back, secret, sizeof secret);
    codes_checksum_init(&part, secret, sizeof secret);
    codes_checksum_init(&other, other_secret, sizeof other_secret);
    for (int i = 0; i < COUNT; i++) {
        int len = snprintf(key, sizeof key, "code%d", i);
        codes_checksum_add(&whole, key, (size_t)len);
        codes_checksum_add(&other, key, (size_t)len);
        len = snprintf(key, sizeof key, "code%d", COUNT - 1 - i);
        codes_checksum_add(i % 3 == 0 ? &back : &part, key, (size_t)len);
    }
    codes_checksum_merge(&back, part.sum);
    assert_true(whole.sum == back.sum);
    assert_true(whole.sum != other.sum);
    codes_checksum_add(&back, "code0", 5); /* twice is not once */
    assert_true(whole.sum != back.sum);
    codes_checksum_merge(&back, 0);
    codes_checksum_merge(&whole, (uint64_t)0 - whole.sum); /* wraps */
    assert_true(whole.sum == 0);
}

static void permutation_has_known_answers(void **state)
{
    static const uint64_t ten[] = {0, 4, 3, 2, 7, 1, 8, 5, 9, 6};
    struct codes_permute permute;
    uint8_t key[CODES_KEY_LEN];

    (void)state;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    codes_permute_init(&permute, key, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(codes_permute_at(&permute, i), ten[i]);
    codes_permute_init(&permute, key, 1000000);
    assert_int_equal(codes_permute_at(&permute, 0), 75837);
    assert_int_equal(codes_permute_at(&permute, 1), 462759);
    assert_int_equal(codes_permute_at(&permute, 2), 840824);
    assert_int_equal(codes_permute_at(&permute, 999999), 24039);
    codes_permute_init(&permute, key, UINT64_C(1) << 62);
    assert_int_equal(codes_permute_at(&permute, 0), 3294312648318562558);
    assert_int_equal(codes_permute_at(&permute, 1), 3236160526709068086);
    assert_int_equal(codes_permute_at(&permute, (UINT64_C(1) << 62) - 1), 1887676615620736495);
}

static void assert_bijection(uint64_t size, const uint8_t *key)
{
    struct codes_permute permute;
    bool *seen = calloc(size, sizeof *seen);

    assert_non_null(seen);
    codes_permute_init(&permute, key, size);
    for (uint64_t i = 0; i < size; i++) {
        uint64_t serial = codes_permute_at(&permute, i);
        if (serial >= size || seen[serial])
            fail_msg("size %" PRIu64 " position %" PRIu64, size, i);
        seen[serial] = true;
        assert_int_equal(codes_permute_position(&permute, serial), i);
    }
    free(seen);
}

static void every_size_is_permuted_completely(void **state)
{
    static const uint64_t larger[] = {997,  1000,  1023,  1024,  1025,
                                      4096, 10007, 65535, 65536, 65537};
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 3, &random); s++) {
        uint8_t key[CODES_KEY_LEN];
        for (size_t i = 0; i < sizeof key; i++)
            key[i] = (uint8_t)test_random(&random);
        for (uint64_t size = 1; size <= 260; size++)
            assert_bijection(size, key);
        for (size_t i = 0; i < ARRAY_LEN(larger); i++)
            assert_bijection(larger[i], key);
    }
}

static void huge_sizes_go_there_and_back(void **state)
{
    static const uint64_t sizes[] = {
        2000000000,        UINT64_C(4294967296),    UINT64_C(4294967311),
        UINT64_C(1) << 40, (UINT64_C(1) << 62) - 1, UINT64_C(1) << 62};
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 2, &random); s++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct codes_permute permute;
            uint8_t key[CODES_KEY_LEN] = {(uint8_t)s};
            codes_permute_init(&permute, key, sizes[i]);
            for (int round = 0; round < 1000; round++) {
                uint64_t position = round == 0   ? 0
                                    : round == 1 ? sizes[i] - 1
                                                 : test_random(&random) % sizes[i];
                uint64_t serial = codes_permute_at(&permute, position);
                assert_true(serial < sizes[i]);
                assert_int_equal(codes_permute_position(&permute, serial), position);
            }
        }
    }
}

/* Neighbours are sent far apart, evenly, and differently under another key. */
static void permutation_scatters(void **state)
{
    enum { SIZE = 100000, CELLS = 50 };
    uint8_t key[CODES_KEY_LEN] = {7};
    uint8_t other_key[CODES_KEY_LEN] = {8};
    struct codes_permute permute;
    struct codes_permute other;
    unsigned steps[CELLS] = {0};
    unsigned same = 0;
    double chi = 0;

    (void)state;
    codes_permute_init(&permute, key, SIZE);
    codes_permute_init(&other, other_key, SIZE);
    for (uint64_t i = 0; i + 1 < SIZE; i++) {
        uint64_t step =
            (codes_permute_at(&permute, i + 1) + SIZE - codes_permute_at(&permute, i)) % SIZE;
        steps[step * CELLS / SIZE]++;
        same += codes_permute_at(&permute, i) == codes_permute_at(&other, i);
    }
    for (unsigned i = 0; i < CELLS; i++)
        chi += (steps[i] - (double)SIZE / CELLS) * (steps[i] - (double)SIZE / CELLS) /
               ((double)SIZE / CELLS);
    print_message("chi-square of steps: %.1f (49)\n", chi);
    assert_true(chi < 98.0);
    assert_in_range(same, 0, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derived_keys_have_known_answers),
        cmocka_unit_test(any_other_input_derives_another_key),
        cmocka_unit_test(checksum_has_known_answers),
        cmocka_unit_test(checksum_ignores_order_and_parts_and_nothing_else),
        cmocka_unit_test(permutation_has_known_answers),
        cmocka_unit_test(every_size_is_permuted_completely),
        cmocka_unit_test(huge_sizes_go_there_and_back),
        cmocka_unit_test(permutation_scatters),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
