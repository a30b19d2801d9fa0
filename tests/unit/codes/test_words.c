/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_test.h"

#include "codes_canonical.h"
#include "codes_internal.h"
#include "codes_words.h"

#include <time.h>

static struct codes_words *words_of(const char *const *list, size_t count, bool builtin)
{
    struct codes_words *words = NULL;
    struct err err = {0};

    if (codes_words_new(list, count, builtin, &words, &err) < 0)
        fail_msg("words: %s", err.text);
    return words;
}

static bool hit(const struct codes_words *words, const char *key)
{
    return codes_words_hit(words, key, strlen(key));
}

static void words_are_found_wherever_they_stand(void **state)
{
    static const char *const list[] = {"he", "SHE", "hi-s", "hers", "\u00C9T\u00C9"};
    static const char *const with[] = {"he",
                                       "xhe",
                                       "hex",
                                       "ushers",
                                       "his",
                                       "ahis1",
                                       "\u00E9t\u00E9",
                                       "a\u00E9t\u00E9b",
                                       "\u00E9\u00E9t\u00E9"};
    static const char *const without[] = {"",    "h",  "sh",      "hi",       "ih",
                                          "hxe", "hs", "\u00E9t", "\u00E9te", "s\u4E00he"};
    CLEANUP(codes_words_freep) struct codes_words *words = words_of(list, ARRAY_LEN(list), false);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(with); i++)
        if (!hit(words, with[i]))
            fail_msg("%s is missed", with[i]);
    for (size_t i = 0; i + 1 < ARRAY_LEN(without); i++)
        if (hit(words, without[i]))
            fail_msg("%s is blocked", without[i]);
    assert_true(hit(words, without[ARRAY_LEN(without) - 1])); /* he behind a foreign character */
    assert_false(codes_words_hit(NULL, "he", 2));
    assert_false(codes_words_hit(words, "xhe", 2));
}

static void no_words_block_nothing(void **state)
{
    CLEANUP(codes_words_freep) struct codes_words *words = words_of(NULL, 0, false);
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("#{5}{check}");
    codes_u128 count = 0;

    (void)state;
    assert_false(hit(words, "anything"));
    assert_int_equal(codes_words_count(words, pattern, &count, NULL), 0);
    assert_true(count == (codes_u128)1 << 25);
    assert_int_equal(codes_words_count(NULL, pattern, &count, NULL), 0);
    assert_true(count == (codes_u128)1 << 25);
}

static void bad_words_are_refused(void **state)
{
    static const struct {
        const char *word;
        const char *code;
    } cases[] = {
        {"", "empty_code"},
        {"--", "empty_code"},
        {"a\xFF", "bad_utf8"},
        {"a\x01", "bad_character"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "code_too_long"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct codes_words *words = NULL;
        struct err err = {0};
        assert_refused(codes_words_new(&cases[i].word, 1, true, &words, &err), err, cases[i].code);
        assert_null(words);
    }
}

static void lists_are_bounded(void **state)
{
    static char texts[CODES_WORDS_MAX + 1][8];
    static const char *list[CODES_WORDS_MAX + 1];
    static const char *wide[CODES_WORDS_MAX];
    static char wide_texts[CODES_WORDS_MAX][8];
    struct codes_words *words = NULL;
    struct err err = {0};

    (void)state;
    for (unsigned i = 0; i <= CODES_WORDS_MAX; i++) {
        snprintf(texts[i], sizeof texts[i], "%04u", i);
        list[i] = texts[i];
    }
    words = words_of(list, CODES_WORDS_MAX, false);
    assert_true(hit(words, "xx0999"));
    assert_false(hit(words, "1000"));
    codes_words_free(words);
    words = NULL;
    assert_refused(codes_words_new(list, CODES_WORDS_MAX + 1, false, &words, &err), err,
                   "word_list_too_large");
    assert_refused(codes_words_new(list, CODES_WORDS_MAX, true, &words, &err), err,
                   "word_list_too_large");

    /* 64 words of 64 characters fill the list; one character more does not fit. */
    static char longest[65][65];
    for (unsigned i = 0; i < 65; i++) {
        memset(longest[i], 'a', 64);
        longest[i][i % 64] = 'b';
        list[i] = longest[i];
    }
    words = words_of(list, 64, false);
    codes_words_free(words);
    words = NULL;
    list[64] = "x";
    assert_refused(codes_words_new(list, 65, false, &words, &err), err, "word_list_too_large");

    /* 255 different characters, and one more. */
    for (unsigned i = 0; i < 256; i++) {
        wide_texts[i][codes_point_write(0x4E00 + i, wide_texts[i])] = '\0';
        wide[i] = wide_texts[i];
    }
    words = words_of(wide, 255, false);
    assert_true(hit(words, "\u4EFE"));
    assert_false(hit(words, "\u4EFF"));
    codes_words_free(words);
    words = NULL;
    assert_refused(codes_words_new(wide, 256, false, &words, &err), err, "word_list_too_large");
    assert_null(words);
    codes_words_free(NULL);
}

static void built_in_words_are_canonical_and_block_themselves(void **state)
{
    static const char *const harmless[] = {"summer",    "glasses", "document", "cocktail",
                                           "therapist", "analog",  "essex",    "grape",
                                           "saltwater", "dickens"};
    CLEANUP(codes_words_freep) struct codes_words *words = words_of(NULL, 0, true);

    (void)state;
    assert_in_range(codes_words_builtin_count, 30, 200);
    for (size_t i = 0; i < codes_words_builtin_count; i++) {
        char key[CODES_KEY_BYTES + 1];
        size_t len = 0;
        assert_int_equal(codes_canonical(codes_words_builtin[i], strlen(codes_words_builtin[i]),
                                         key, &len, NULL),
                         0);
        assert_string_equal(key, codes_words_builtin[i]);
        assert_true(hit(words, codes_words_builtin[i]));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(codes_words_builtin[i], codes_words_builtin[j]);
    }
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        assert_false(hit(words, harmless[i]));
}

/* The slow and certain way: look at every string of the space. */
static uint64_t count_by_force(const struct codes_words *words, const struct codes_pattern *pattern)
{
    uint64_t space = (uint64_t)codes_pattern_space(pattern);
    uint64_t count = 0;

    for (uint64_t rank = 0; rank < space; rank++) {
        struct codes_code code;
        codes_pattern_render(pattern, rank, NULL, &code);
        count += !codes_words_hit(words, code.key, code.key_len);
    }
    return count;
}

/* And the search itself held against strstr. */
static bool hit_by_force(const char *const *list, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        char word[CODES_KEY_BYTES + 1];
        size_t len = 0;
        assert_int_equal(codes_canonical(list[i], strlen(list[i]), word, &len, NULL), 0);
        if (strstr(key, word) != NULL)
            return true;
    }
    return false;
}

static void counts_equal_counting_one_by_one(void **state)
{
    static const char *const texts[] = {
        "[abc]{6}",
        "[abc]{6}{check}",
        "a[abc]{4}b{check}",
        "ab[abc]{3}[abx]{2}ca",
        "[ab][bc][ca]{4}",
        "[a-e]{5}{check}abc",
        "[a\u00E9b]{6}",
        "[a\u00E9b]{5}{check}\u00E9",
        "[a-c0-9]{4}",
        "[ab]x[abc]x[abc]",
        "[abc]{3}[a-i]{2}{check}",
        "abc[abc]{2}",
    };
    static const char letters[] = "aabbccx0";
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 4, &random); s++) {
        for (int round = 0; round < 12; round++) {
            char buffers[6][8] = {{0}};
            const char *list[6];
            size_t words_count = 1 + test_random(&random) % 6;
            for (size_t i = 0; i < words_count; i++) {
                size_t len = 1 + test_random(&random) % 4;
                if (round % 2 == 0 && len == 1)
                    len = 2;
                for (size_t j = 0; j < len; j++)
                    buffers[i][j] = letters[test_random(&random) % (sizeof letters - 1)];
                list[i] = buffers[i];
            }
            if (round % 3 == 0)
                list[0] = "\u00E9a";
            CLEANUP(codes_words_freep)
            struct codes_words *words = words_of(list, words_count, false);
            for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
                CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(texts[t]);
                codes_u128 count = 0;
                uint64_t forced = count_by_force(words, pattern);
                assert_int_equal(codes_words_count(words, pattern, &count, NULL), 0);
                if (count != forced)
                    fail_msg("%s: counted %llu, there are %llu", texts[t],
                             (unsigned long long)count, (unsigned long long)forced);
                for (int i = 0; i < 20; i++) {
                    struct codes_code code;
                    codes_pattern_render(
                        pattern, test_random(&random) % codes_pattern_space(pattern), NULL, &code);
                    assert_int_equal(codes_words_hit(words, code.key, code.key_len),
                                     hit_by_force(list, words_count, code.key));
                }
            }
        }
    }
}

static void a_word_across_literal_place_and_check_character_counts(void **state)
{
    static const char *const list[] = {"x5724y"};
    static const char *const literal[] = {"sale"};
    CLEANUP(codes_words_freep) struct codes_words *words = words_of(list, 1, false);
    CLEANUP(codes_words_freep) struct codes_words *sale = words_of(literal, 1, false);
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("X-[0-9]{3}{check}-Y");
    CLEANUP(codes_pattern_freep) struct codes_pattern *all = pattern_of("S-ALE[0-9]{3}");
    codes_u128 count = 0;

    (void)state;
    assert_int_equal(codes_words_count(words, pattern, &count, NULL), 0);
    assert_true(count == 999);
    assert_int_equal(codes_words_count(sale, all, &count, NULL), 0);
    assert_true(count == 0);
}

static void large_spaces_are_counted_exactly(void **state)
{
    static const char *const aa[] = {"aa"};
    static const char *const outside[] = {"zz"};
    CLEANUP(codes_words_freep) struct codes_words *words = words_of(aa, 1, false);
    CLEANUP(codes_words_freep) struct codes_words *never = words_of(outside, 1, false);
    CLEANUP(codes_pattern_freep) struct codes_pattern *full = pattern_of("[a-p]{24}");
    CLEANUP(codes_pattern_freep) struct codes_pattern *beyond = pattern_of("[a-p]{64}");
    codes_u128 count = 0;
    codes_u128 a = 1; /* strings that do not end in a */
    codes_u128 b = 0; /* strings that do              */

    (void)state;
    for (int i = 0; i < 24; i++) {
        codes_u128 next = 15 * (a + b);
        b = a;
        a = next;
    }
    assert_int_equal(codes_words_count(words, full, &count, NULL), 0);
    assert_true(count == a + b);
    assert_true(count < CODES_SPACE_MAX);
    assert_int_equal(codes_words_count(never, full, &count, NULL), 0);
    assert_true(count == CODES_SPACE_MAX);
    /* With free places there are more strings than ranks: as many as the space, not more. */
    assert_int_equal(codes_words_count(words, beyond, &count, NULL), 0);
    assert_true(count == CODES_SPACE_MAX);
    count = 0;
    assert_int_equal(codes_words_count(never, beyond, &count, NULL), 0); /* 2^256: no wrap to 0 */
    assert_true(count == CODES_SPACE_MAX);
}

static void speed_of_search_and_count(void **state)
{
    static const char *const texts[] = {CODES_PATTERN_DEFAULT, "####-####-####{check}",
                                        "[A-Z0-9]{16}{check}"};
    CLEANUP(codes_words_freep) struct codes_words *words = words_of(NULL, 0, true);
    struct timespec from;
    struct timespec to;
    unsigned hits = 0;

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(texts[t]);
        codes_u128 count = 0;
        char text[CODES_U128_TEXT];
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        assert_int_equal(codes_words_count(words, pattern, &count, NULL), 0);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        assert_true(count < codes_pattern_space(pattern) &&
                    count > codes_pattern_space(pattern) / 1000 * 999);
        print_message(
            "%s: %s strings, counted in %.1f ms\n", texts[t], codes_u128_text(count, text),
            (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < 1000000; i++)
        hits += codes_words_hit(words, "7zk49mpxqrs2", 12);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_int_equal(hits, 0);
    print_message("search through 12 characters: %.1f ns\n",
                  ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
                      1e6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_wherever_they_stand),
        cmocka_unit_test(no_words_block_nothing),
        cmocka_unit_test(bad_words_are_refused),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(built_in_words_are_canonical_and_block_themselves),
        cmocka_unit_test(counts_equal_counting_one_by_one),
        cmocka_unit_test(a_word_across_literal_place_and_check_character_counts),
        cmocka_unit_test(large_spaces_are_counted_exactly),
        cmocka_unit_test(speed_of_search_and_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
