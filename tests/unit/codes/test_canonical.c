/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_test.h"

#include "codes_canonical.h"
#include "codes_internal.h"

#include <time.h>
#include <utf8proc.h>

static const char *canonical(const char *text)
{
    static char out[CODES_KEY_BYTES + 1];
    struct err err = {0};
    size_t len = 0;

    if (codes_canonical(text, strlen(text), out, &len, &err) < 0)
        fail_msg("\"%s\": %s %s", text, err.code, err.text);
    assert_int_equal(strlen(out), len);
    return out;
}

static void refused(const char *text, size_t len, const char *code)
{
    char out[CODES_KEY_BYTES + 1];
    size_t out_len = 4711;
    struct err err = {0};

    assert_refused(codes_canonical(text, len, out, &out_len, &err), err, code);
    assert_int_equal(out_len, 4711);
}

static void ascii_is_lowered_and_loses_dashes_and_white_space(void **state)
{
    (void)state;
    assert_string_equal(canonical("SUMMER-2024"), "summer2024");
    assert_string_equal(canonical(" \t\r\n\v\fAb c--D "), "abcd");
    assert_string_equal(canonical("a"), "a");
    assert_string_equal(canonical("!\"#$%&'()*+,./:;<=>?@[\\]^_`{|}~"),
                        "!\"#$%&'()*+,./:;<=>?@[\\]^_`{|}~");
    assert_string_equal(canonical("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                        "abcdefghijklmnopqrstuvwxyz0123456789");
}

static void fast_and_slow_path_agree_on_ascii(void **state)
{
    (void)state;
    for (int c = 1; c < 128; c++) {
        /* U+212A (Kelvin) folds to k and takes the slow path. */
        char plain[] = {'k', (char)c, 'k', '\0'};
        char kelvin[] = {'\xE2', '\x84', '\xAA', (char)c, 'k', '\0'};
        char a[CODES_KEY_BYTES + 1] = "";
        char b[CODES_KEY_BYTES + 1] = "";
        size_t a_len = 0;
        size_t b_len = 0;
        struct err a_err = {0};
        struct err b_err = {0};
        int a_result = codes_canonical(plain, strlen(plain), a, &a_len, &a_err);
        int b_result = codes_canonical(kelvin, strlen(kelvin), b, &b_len, &b_err);
        assert_int_equal(a_result, b_result);
        if (a_result == 0)
            assert_string_equal(a, b);
        else
            assert_string_equal(a_err.code, b_err.code);
    }
}

static void unicode_forms_of_one_code_have_one_key(void **state)
{
    static const char *const same[][2] = {
        {"\uFF21\uFF42\uFF23\uFF11\uFF12", "abc12"}, /* full width                        */
        {"\uFB01t\uFB03ce", "fitffice"},             /* ligatures fi, ffi                 */
        {"STRA\u00DFE", "strasse"},                  /* sharp s                           */
        {"stra\u1E9Ee", "strasse"},                  /* capital sharp s                   */
        {"STRASSE", "strasse"},
        {"\u0130", "i\u0307"}, /* Turkish capital I with dot        */
        {"\u0131", "\u0131"},  /* Turkish dotless i keeps apart     */
        {"I", "i"},            /* and capital I is no Turkish one   */
        {"E\u0301", "\u00E9"}, /* decomposed                        */
        {"\u00C9", "\u00E9"},
        {"e\u2010\u0301", "\u00E9"},       /* a dash between letter and accent  */
        {"a\u0301\u0323", "\u1EA1\u0301"}, /* marks in the wrong order          */
        {"a\u0301-\u0323", "\u1EA1\u0301"},
        {"\u212A\u212B\u2126", "k\u00E5\u03C9"},      /* Kelvin, Angstrom, Ohm             */
        {"\u2460\u2168\u00B2", "1ix2"},               /* circled, Roman, superscript       */
        {"\u03A3\u03C2\u03C3", "\u03C3\u03C3\u03C3"}, /* sigmas                            */
        {"\u1100\u1161\u11A8", "\uAC01"},             /* Hangul jamo                       */
        {"\u1100-\u1161 \u11A8", "\uAC01"},
        {"\uFF76\uFF9E", "\u30AC"}, /* half-width katakana with mark     */
        {"\u0149", "\u02BCn"},
        {"\u1F80", "\u1F00\u03B9"},         /* iota subscript                    */
        {"\u10A0", "\u2D00"},               /* Georgian                          */
        {"\uAB70", "\u13A0"},               /* Cherokee folds to the upper case  */
        {"\U00010400", "\U00010428"},       /* Deseret: four bytes               */
        {"\U0001F600\uFE0F", "\U0001F600"}, /* emoji with variation selector     */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        assert_string_equal(canonical(same[i][0]), same[i][1]);
}

static void every_dash_space_and_ignorable_vanishes(void **state)
{
    static const uint32_t vanish[] = {
        0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x20,    0x2D,    0x85,   0xA0,   0xAD,   0x034F,
        0x058A, 0x05BE, 0x061C, 0x115F, 0x1160, 0x1400,  0x1680,  0x1806, 0x180B, 0x180E, 0x2000,
        0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,  0x2007,  0x2008, 0x2009, 0x200A, 0x200B,
        0x200C, 0x200D, 0x200E, 0x200F, 0x2010, 0x2011,  0x2012,  0x2013, 0x2014, 0x2015, 0x2028,
        0x2029, 0x202A, 0x202E, 0x202F, 0x205F, 0x2060,  0x2064,  0x2066, 0x2069, 0x207B, 0x208B,
        0x2212, 0x2E17, 0x2E3A, 0x2E3B, 0x3000, 0x301C,  0x3030,  0x30A0, 0x3164, 0xFE0F, 0xFE31,
        0xFE58, 0xFE63, 0xFEFF, 0xFF0D, 0xFFA0, 0xE0001, 0xE0100,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vanish); i++) {
        char text[16] = "a";
        size_t len = 1 + codes_point_write(vanish[i], text + 1);
        text[len] = 'B';
        if (strcmp(canonical(text), "ab") != 0)
            fail_msg("U+%04X does not vanish", (unsigned)vanish[i]);
        refused(text + 1, len - 1, "empty_code");
    }
}

static void what_is_no_code_is_refused_by_name(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *code;
    } cases[] = {
        {"", 0, "empty_code"},
        {"- -", 3, "empty_code"},
        {"\x80", 1, "bad_utf8"},
        {"abc\xFF", 4, "bad_utf8"},
        {"\xC0\x80", 2, "bad_utf8"},         /* overlong            */
        {"\xE0\x80\xAF", 3, "bad_utf8"},     /* overlong            */
        {"\xED\xA0\x80", 3, "bad_utf8"},     /* surrogate           */
        {"\xF4\x90\x80\x80", 4, "bad_utf8"}, /* above U+10FFFF      */
        {"a\xE2\x82", 3, "bad_utf8"},        /* cut off             */
        {"a\xC3", 2, "bad_utf8"},
        {"a\0b", 3, "bad_character"},
        {"\u00E9\0", 3, "bad_character"},
        {"a\x01", 2, "bad_character"},
        {"a\x1C", 2, "bad_character"},
        {"a\x7F", 2, "bad_character"},
        {"a\xC2\x80", 3, "bad_character"},
        {"a\u0378", 3, "bad_character"}, /* unassigned          */
        {"a\uFFFF", 4, "bad_character"}, /* no character        */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refused(cases[i].text, cases[i].len, cases[i].code);
    refused(NULL, 0, "empty_code");
}

static void error_texts_do_not_repeat_the_code(void **state)
{
    char out[CODES_KEY_BYTES + 1];
    size_t len;
    struct err err = {0};

    (void)state;
    assert_int_equal(codes_canonical("SECRETCODE\x01", 11, out, &len, &err), -1);
    assert_null(strcasestr(err.text, "secretcode"));
}

static void length_is_counted_in_canonical_characters(void **state)
{
    char text[CODES_INPUT_BYTES + 2];
    size_t len;
    char out[CODES_KEY_BYTES + 1];
    struct err err = {0};

    (void)state;
    memset(text, 'A', 65);
    assert_int_equal(codes_canonical(text, 64, out, &len, &err), 0);
    assert_int_equal(len, 64);
    refused(text, 65, "code_too_long");

    /* 64 characters of 4 bytes, the longest key there is; one more character is too many. */
    for (size_t i = 0; i < 65; i++)
        memcpy(text + 4 * i, "\U0001F600", 4);
    assert_int_equal(codes_canonical(text, 256, out, &len, &err), 0);
    assert_int_equal(len, CODES_KEY_BYTES);
    refused(text, 260, "code_too_long");

    /* Folding may lengthen: 32 sharp s are 64 characters, 33 are 66. */
    for (size_t i = 0; i < 33; i++)
        memcpy(text + 2 * i, "\u00DF", 2);
    assert_int_equal(codes_canonical(text, 64, out, &len, &err), 0);
    assert_int_equal(len, 64);
    refused(text, 66, "code_too_long");

    /* Composition shortens: 64 letters with an accent each. */
    for (size_t i = 0; i < 64; i++)
        memcpy(text + 3 * i, "e\u0301", 3);
    assert_int_equal(codes_canonical(text, 192, out, &len, &err), 0);
    assert_int_equal(len, 128);

    /* White space counts for the text only. */
    memset(text, ' ', sizeof text);
    text[0] = 'x';
    assert_int_equal(codes_canonical(text, CODES_INPUT_BYTES, out, &len, &err), 0);
    assert_int_equal(len, 1);
    refused(text, CODES_INPUT_BYTES + 1, "code_too_long");

    /* The character that decomposes into most (18, three of them spaces). */
    for (size_t i = 0; i < 341; i++)
        memcpy(text + 3 * i, "\uFDFA", 3);
    refused(text, 1023, "code_too_long");
    assert_int_equal(codes_canonical(text, 12, out, &len, &err), 0);
    refused(text, 15, "code_too_long");
}

/* The canonical form of a canonical form is itself: for every character, alone and in company. */
static void canonical_form_is_idempotent_for_every_character(void **state)
{
    static const char *const before[] = {"", "a", "\u03B1\u0345", "\u1100", "\uAC00"};
    static const char *const after[] = {"", "\u0301", "\u0323", "\u11A8", "\u0345"};
    unsigned accepted = 0;

    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        /* Beyond the planes in use there is nothing but unassigned and private characters. */
        if ((point >= 0xD800 && point <= 0xDFFF) || (point > 0x32000 && point < 0xE0000) ||
            point > 0xE0200)
            continue;
        size_t i = point % ARRAY_LEN(before);
        for (size_t j = 0; j < 2; j++) {
            char text[32];
            char key[CODES_KEY_BYTES + 1];
            char again[CODES_KEY_BYTES + 1];
            size_t len = strlen(before[j * i]);
            size_t key_len = 0;
            size_t again_len = 0;
            memcpy(text, before[j * i], len);
            len += codes_point_write(point, text + len);
            memcpy(text + len, after[j * i], strlen(after[j * i]));
            len += strlen(after[j * i]);
            if (codes_canonical(text, len, key, &key_len, NULL) < 0)
                continue;
            accepted++;
            if (codes_canonical(key, key_len, again, &again_len, NULL) < 0 ||
                key_len != again_len || memcmp(key, again, key_len) != 0)
                fail_msg("U+%04X in company %zu", (unsigned)point, j * i);
        }
    }
    assert_in_range(accepted, 250000, 1000000);
}

static const uint32_t interesting[] = {
    'a',    'Z',    '0',    '9',    0xDF,   0x130,   0x131,   0x301,   0x323,  0x345,  0x3B1,
    0x3A3,  0x3C2,  0x1100, 0x1161, 0x11A8, 0xAC00,  0x1E9E,  0x212A,  0xFB01, 0xFF21, 0x30AB,
    0x3099, 0xFF9E, 0x1F80, 0x0B47, 0x0B3E, 0x1D15E, 0x10400, 0x1F600, 0x308,  0x327,  0xE9,
};
static const uint32_t separators[] = {'-',  ' ',    0x2010, 0x2014, 0x2212,
                                      0xAD, 0x200B, 0x200D, 0xFEFF, 0x3000};

static void random_codes_are_idempotent_and_blind_to_separators(void **state)
{
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 5, &random); s++) {
        for (int round = 0; round < 20000; round++) {
            char plain[256];
            char dashed[512];
            char key[CODES_KEY_BYTES + 1];
            char again[CODES_KEY_BYTES + 1];
            size_t plain_len = 0;
            size_t dashed_len = 0;
            size_t key_len = 0;
            size_t again_len = 0;
            struct err err = {0};
            unsigned points = 1 + (unsigned)(test_random(&random) % 10);
            for (unsigned i = 0; i < points; i++) {
                uint32_t point = interesting[test_random(&random) % ARRAY_LEN(interesting)];
                plain_len += codes_point_write(point, plain + plain_len);
                dashed_len += codes_point_write(point, dashed + dashed_len);
                if (test_random(&random) % 2 == 0)
                    dashed_len +=
                        codes_point_write(separators[test_random(&random) % ARRAY_LEN(separators)],
                                          dashed + dashed_len);
            }
            assert_int_equal(codes_canonical(plain, plain_len, key, &key_len, &err), 0);
            assert_int_equal(codes_canonical(key, key_len, again, &again_len, &err), 0);
            assert_int_equal(key_len, again_len);
            assert_memory_equal(key, again, key_len);
            assert_int_equal(codes_canonical(dashed, dashed_len, again, &again_len, &err), 0);
            if (key_len != again_len || memcmp(key, again, key_len) != 0)
                fail_msg("separators matter: %.*s", (int)plain_len, plain);
        }
    }
}

static void random_bytes_never_break_it(void **state)
{
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 3, &random); s++) {
        for (int round = 0; round < 20000; round++) {
            unsigned char bytes[64];
            char key[CODES_KEY_BYTES + 1];
            size_t key_len = 0;
            size_t len = test_random(&random) % sizeof bytes;
            for (size_t i = 0; i < len; i++)
                bytes[i] = (unsigned char)(test_random(&random) >> 11);
            if (codes_canonical((const char *)bytes, len, key, &key_len, NULL) == 0) {
                assert_in_range(key_len, 1, CODES_KEY_BYTES);
                assert_int_equal(key[key_len], '\0');
            }
        }
    }
}

/*
 * Every character that can be the second half of a composition counts as combining, in the Unicode
 * version that is linked: sets and literals depend on it.
 */
static void every_second_half_of_a_composition_combines(void **state)
{
    unsigned found = 0;

    (void)state;
    for (utf8proc_int32_t point = 0; point <= 0x10FFFF; point++) {
        utf8proc_int32_t parts[8];
        int boundary = 0;
        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        utf8proc_ssize_t count =
            utf8proc_decompose_char(point, parts, 8, UTF8PROC_DECOMPOSE, &boundary);
        if (count < 2)
            continue;
        utf8proc_int32_t last = parts[count - 1];
        if (utf8proc_normalize_utf32(parts, count, UTF8PROC_STABLE | UTF8PROC_COMPOSE) != 1 ||
            parts[0] != point)
            continue;
        found++;
        if (!codes_point_combines((uint32_t)last))
            fail_msg("U+%04X ends U+%04X and does not count as combining", (unsigned)last,
                     (unsigned)point);
    }
    assert_in_range(found, 11172 + 900, 20000); /* the Hangul syllables and the others */
    assert_false(codes_point_combines('a'));
    assert_false(codes_point_combines(0x1100));
    assert_false(codes_point_combines(0x4E00));
}

static void speed_of_the_ascii_path(void **state)
{
    const int rounds = 2000000;
    char out[CODES_KEY_BYTES + 1];
    size_t len = 0;
    size_t sum = 0;
    struct timespec from;
    struct timespec to;

    (void)state;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < rounds; i++) {
        if (codes_canonical("7ZK4-9MPX-QRS2", 14, out, &len, NULL) < 0)
            fail();
        sum += len;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_int_equal(sum, (size_t)rounds * 12);
    print_message("canonical form of 12 characters: %.1f ns\n",
                  ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
                      rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_is_lowered_and_loses_dashes_and_white_space),
        cmocka_unit_test(fast_and_slow_path_agree_on_ascii),
        cmocka_unit_test(unicode_forms_of_one_code_have_one_key),
        cmocka_unit_test(every_dash_space_and_ignorable_vanishes),
        cmocka_unit_test(what_is_no_code_is_refused_by_name),
        cmocka_unit_test(error_texts_do_not_repeat_the_code),
        cmocka_unit_test(length_is_counted_in_canonical_characters),
        cmocka_unit_test(canonical_form_is_idempotent_for_every_character),
        cmocka_unit_test(random_codes_are_idempotent_and_blind_to_separators),
        cmocka_unit_test(random_bytes_never_break_it),
        cmocka_unit_test(every_second_half_of_a_composition_combines),
        cmocka_unit_test(speed_of_the_ascii_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
