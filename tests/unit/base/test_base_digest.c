/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_digest.h"

#include "base_attr.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void assert_sha256(const uint8_t *got, const char *hex)
{
    char text[2 * DIGEST_SHA256_LEN + 1];
    assert_string_equal(digest_hex(got, DIGEST_SHA256_LEN, text), hex);
}

/* FIPS 180-4 examples. */
static void sha256_gives_the_standard_vectors(void **state)
{
    (void)state;
    uint8_t out[DIGEST_SHA256_LEN];
    digest_sha256("", 0, out);
    assert_sha256(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha256("abc", 3, out);
    assert_sha256(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    digest_sha256(two_blocks, sizeof(two_blocks) - 1, out);
    assert_sha256(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void running_digest_equals_the_one_of_the_whole(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    uint8_t whole[DIGEST_SHA256_LEN];
    uint8_t pieces[DIGEST_SHA256_LEN];
    digest_sha256(bytes, sizeof(bytes), whole);
    struct digest *digest = digest_new();
    for (int round = 0; round < 2; round++) {
        digest_add(digest, bytes, 1);
        digest_add(digest, bytes + 1, 0);
        digest_add(digest, bytes + 1, 700);
        digest_add(digest, bytes + 701, 299);
        digest_final(digest, pieces);
        assert_memory_equal(whole, pieces, sizeof(whole));
    }
    digest_free(digest);
    digest_free(NULL);
}

/* RFC 4231, test cases 1 to 4, 6 and 7. */
static void hmac_gives_the_vectors_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t key[131];
    uint8_t data[50];
    uint8_t out[DIGEST_SHA256_LEN];

    memset(key, 0x0b, 20);
    digest_hmac_sha256(key, 20, "Hi There", 8, out);
    assert_sha256(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");

    digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    assert_sha256(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    memset(key, 0xaa, sizeof(key));
    memset(data, 0xdd, sizeof(data));
    digest_hmac_sha256(key, 20, data, sizeof(data), out);
    assert_sha256(out, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");

    uint8_t counting[25];
    for (size_t i = 0; i < sizeof(counting); i++)
        counting[i] = (uint8_t)(i + 1);
    memset(data, 0xcd, sizeof(data));
    digest_hmac_sha256(counting, sizeof(counting), data, sizeof(data), out);
    assert_sha256(out, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");

    static const char long_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    digest_hmac_sha256(key, sizeof(key), long_key, sizeof(long_key) - 1, out);
    assert_sha256(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");

    static const char long_both[] =
        "This is a test using a larger than block-size key and a larger than block-size data. "
        "The key needs to be hashed before being used by the HMAC algorithm.";
    digest_hmac_sha256(key, sizeof(key), long_both, sizeof(long_both) - 1, out);
    assert_sha256(out, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void hmac_takes_an_empty_key_and_an_empty_text(void **state)
{
    (void)state;
    uint8_t out[DIGEST_SHA256_LEN];
    digest_hmac_sha256(NULL, 0, "", 0, out);
    assert_sha256(out, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* The reference implementation's vectors: key 00..0f, input 00, 01, 02, ... */
static void siphash_gives_the_reference_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {2, UINT64_C(0x0d6c8009d9a94f5a)},  {3, UINT64_C(0x85676696d7fb7e2d)},
        {4, UINT64_C(0xcf2794e0277187b7)},  {5, UINT64_C(0x18765564cd99a68d)},
        {6, UINT64_C(0xcbc9466e58fee3ce)},  {7, UINT64_C(0xab0200f58b01d137)},
        {8, UINT64_C(0x93f5f5799a932462)},  {15, UINT64_C(0xa129ca6149be45e5)},
        {16, UINT64_C(0x3f2acc7f57c29bdb)}, {63, UINT64_C(0x958a324ceb064572)},
    };
    uint8_t key[16];
    uint8_t input[64];
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)i;
    memcpy(key, input, sizeof(key));
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        assert_true(digest_siphash(key, input, vectors[i].len) == vectors[i].hash);
}

/* RFC 9562, appendix A.4. */
static void uuid5_gives_the_example_of_rfc_9562(void **state)
{
    (void)state;
    uint8_t dns[DIGEST_UUID_LEN];
    uint8_t uuid[DIGEST_UUID_LEN];
    char text[DIGEST_UUID_TEXT];
    assert_int_equal(digest_uuid_parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8", dns), 0);
    digest_uuid5(dns, "www.example.com", 15, uuid);
    assert_string_equal(digest_uuid_text(uuid, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void uuid7_carries_time_version_and_variant(void **state)
{
    (void)state;
    uint8_t first[DIGEST_UUID_LEN];
    uint8_t second[DIGEST_UUID_LEN];
    char text[DIGEST_UUID_TEXT];
    digest_uuid7(INT64_C(1645557742000), first); /* the time of RFC 9562's example */
    digest_uuid7(INT64_C(1645557742000), second);
    (void)digest_uuid_text(first, text);
    assert_memory_equal(text, "017f22e2-79b0-7", 15);
    assert_non_null(strchr("89ab", text[19]));
    assert_memory_equal(first, second, 6);
    assert_memory_not_equal(first, second, sizeof(first));
}

static void uuid_texts_are_read_strictly(void **state)
{
    (void)state;
    uint8_t uuid[DIGEST_UUID_LEN];
    char text[DIGEST_UUID_TEXT];
    assert_int_equal(digest_uuid_parse("2ED6657D-E927-568B-95E1-2665A8AEA6A2", uuid), 0);
    assert_string_equal(digest_uuid_text(uuid, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");

    static const char *const bad[] = {
        "",
        "2",
        "2ed6657d",
        "2ed6657d-e927-568b-95e1-2665a8aea6a",
        "2ed6657d-e927-568b-95e1-2665a8aea6a2 ",
        "2ed6657d-e927-568b-95e1-2665a8aea6a2a",
        " 2ed6657d-e927-568b-95e1-2665a8aea6a2",
        "{2ed6657d-e927-568b-95e1-2665a8aea6a2}",
        "2ed6657de927568b95e12665a8aea6a2",
        "2ed6657d-e927-568b-95e12-665a8aea6a2",
        "2ed6657g-e927-568b-95e1-2665a8aea6a2",
        "2ed6657d_e927_568b_95e1_2665a8aea6a2",
    };
    uint8_t untouched[DIGEST_UUID_LEN];
    memcpy(untouched, uuid, sizeof(uuid));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(digest_uuid_parse(bad[i], uuid), -1);
    assert_memory_equal(uuid, untouched, sizeof(uuid));
}

static void hexadecimal_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[3] = {0, 0x9a, 0xff};
    char text[7];
    assert_string_equal(digest_hex(bytes, 3, text), "009aff");
    assert_string_equal(digest_hex(bytes, 0, text), "");
    uint8_t back[3] = {1, 1, 1};
    assert_int_equal(digest_unhex("009AfF", back, 3), 0);
    assert_memory_equal(back, bytes, 3);
    assert_int_equal(digest_unhex("", back, 0), 0);
    static const char *const bad[] = {"", "0", "009af", "009aff0", "009aff00", "009axf", "+09aff"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(digest_unhex(bad[i], back, 3), -1);
    assert_memory_equal(back, bytes, 3);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    uint8_t one[1000] = {0};
    uint8_t two[1000] = {0};
    digest_random(one, sizeof(one));
    digest_random(two, sizeof(two));
    assert_memory_not_equal(one, two, sizeof(one));
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof(one); i++)
        zeros += one[i] == 0;
    assert_in_range(zeros, 0, 40);
    digest_wipe(one, sizeof(one));
    for (size_t i = 0; i < sizeof(one); i++)
        assert_int_equal(one[i], 0);
}

static void *hash_in_thread(void *opaque)
{
    for (int i = 0; i < 100; i++)
        digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, opaque);
    return NULL;
}

static void threads_hash_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[4];
    uint8_t results[4][DIGEST_SHA256_LEN];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, results[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_sha256(results[i],
                      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_standard_vectors),
        cmocka_unit_test(running_digest_equals_the_one_of_the_whole),
        cmocka_unit_test(hmac_gives_the_vectors_of_rfc_4231),
        cmocka_unit_test(hmac_takes_an_empty_key_and_an_empty_text),
        cmocka_unit_test(siphash_gives_the_reference_vectors),
        cmocka_unit_test(uuid5_gives_the_example_of_rfc_9562),
        cmocka_unit_test(uuid7_carries_time_version_and_variant),
        cmocka_unit_test(uuid_texts_are_read_strictly),
        cmocka_unit_test(hexadecimal_goes_there_and_back),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(threads_hash_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
