/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_test.h"

#include "codes_canonical.h"
#include "codes_internal.h"
#include "codes_pattern.h"

static void refused(const char *text, bool check, const char *code)
{
    struct codes_pattern *pattern = NULL;
    struct err err = {0};

    if (codes_pattern_parse(text, strlen(text), check, &pattern, &err) == 0)
        fail_msg("pattern %s is taken", text);
    assert_refused(-1, err, code);
    assert_null(pattern);
}

static void assert_code(const struct codes_pattern *pattern, codes_u128 rank, const char *key,
                        const char *display)
{
    struct codes_code code;

    codes_pattern_render(pattern, rank, NULL, &code);
    assert_string_equal(code.key, key);
    assert_string_equal(code.display, display);
    assert_int_equal(code.key_len, strlen(key));
    assert_int_equal(code.display_len, strlen(display));
    assert_true(code.rank == rank);
}

/* Of any code of any pattern: shown form folds to the key, the key reads back as the rank. */
static void assert_round_trip(const struct codes_pattern *pattern, codes_u128 rank,
                              const uint8_t *free_digits)
{
    struct codes_code code;
    struct codes_code again;
    char key[CODES_KEY_BYTES + 1];
    size_t len = 0;
    codes_u128 back = 0;
    uint8_t free_back[CODES_PLACES_MAX];

    codes_pattern_render(pattern, rank, free_digits, &code);
    assert_int_equal(codes_canonical(code.display, code.display_len, key, &len, NULL), 0);
    assert_int_equal(len, code.key_len);
    assert_memory_equal(key, code.key, len);
    assert_int_equal(codes_canonical(code.key, code.key_len, key, &len, NULL), 0);
    assert_int_equal(len, code.key_len);
    assert_memory_equal(key, code.key, len);
    assert_int_equal(codes_pattern_match(pattern, code.key, code.key_len, &back, free_back),
                     CODES_MATCH_YES);
    assert_true(back == rank);
    if (free_digits != NULL)
        assert_memory_equal(free_back, free_digits, codes_pattern_free_places(pattern));
    assert_int_equal(codes_pattern_display(pattern, code.key, code.key_len, &again), 1);
    assert_string_equal(again.display, code.display);
    assert_in_range(code.key_len, 1, codes_pattern_key_bytes(pattern));
    assert_in_range(code.display_len, 1, codes_pattern_display_bytes(pattern));
}

static const char *const all_kinds[] = {
    CODES_PATTERN_DEFAULT,
    "#",
    "SUMMER-####-####",
    "[0-9]{6}",
    "[A-Z]{2}-[0-9]{6}{check}",
    "a#b[xy]c{check}-END",
    "####-####-####{check}",
    "[\u0410-\u042F]{4}[0-9]",
    "stra\u00DFe #{3}",
    "[\u4E00-\u4EFF]{10}",
    "[A\u00C9\u4E00\U0001F600]{5}x",
    "[\u023A-\u023B]{20}[ab]",
    "#{19}",
    "#{20}",
    "#{40}",
    "[A-Z0-9]{18}[0-9]{3}#[ab]{4}{check}",
    "\\#\\[\\]\\{\\}\\\\#",
    "e\u0301-[01]{3}",
    "[\\]\\\\x]{3}",
    "[0-9a-f]{24}",
    "[01]{60}",
    "[0-2]{63}",
};

static void default_pattern_is_twelve_places_in_dashes_of_four(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(CODES_PATTERN_DEFAULT);

    (void)state;
    assert_true(codes_pattern_space(pattern) == (codes_u128)1 << 60);
    assert_int_equal(codes_pattern_places(pattern), 12);
    assert_int_equal(codes_pattern_free_places(pattern), 0);
    assert_int_equal(codes_pattern_key_chars(pattern), 12);
    assert_int_equal(codes_pattern_key_bytes(pattern), 12);
    assert_int_equal(codes_pattern_display_bytes(pattern), 14);
    assert_false(codes_pattern_has_check(pattern));
    assert_false(codes_pattern_display_is_key(pattern));
    assert_code(pattern, 0, "000000000000", "0000-0000-0000");
    assert_code(pattern, 1, "000000000001", "0000-0000-0001");
    assert_code(pattern, 33, "000000000011", "0000-0000-0011");
    assert_code(pattern, ((codes_u128)1 << 60) - 1, "zzzzzzzzzzzz", "ZZZZ-ZZZZ-ZZZZ");
    assert_code(pattern, (codes_u128)1 << 55, "100000000000", "1000-0000-0000");
}

static void literals_places_and_decoration_each_go_where_they_belong(void **state)
{
    static const struct {
        const char *text;
        codes_u128 rank;
        const char *key;
        const char *display;
    } cases[] = {
        {"SUMMER-##", 31, "summer0z", "SUMMER-0Z"},
        {"Stra\u00DFe [ab]", 1, "strasseb", "Stra\u00DFe b"},
        {"[ab][xyz]", 5, "bz", "bz"},
        {"[ab]-[xyz]", 3, "bx", "b-x"},
        {"[A-C]{3}", 5, "abc", "ABC"},
        {"\\#\\-\\[[ab]\\]", 0, "#[a]", "#-[a]"},
        {"[ab]{2} \u2014 x", 3, "bbx", "bb \u2014 x"},
        {"\uFF21[01]", 1, "a1", "\uFF211"},
        {"e\u0301[01]", 0, "\u00E90", "e\u03010"},
        {"[a]#[b]", 3, "a3b", "a3b"},
        {"-#-", 9, "9", "-9-"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(cases[i].text);
        assert_code(pattern, cases[i].rank, cases[i].key, cases[i].display);
    }
}

static void ranks_survive_the_round_trip(void **state)
{
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 3, &random); s++) {
        for (size_t i = 0; i < ARRAY_LEN(all_kinds); i++) {
            CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(all_kinds[i]);
            codes_u128 space = codes_pattern_space(pattern);
            uint8_t digits[CODES_PLACES_MAX];
            assert_true(space > 1 && space <= CODES_SPACE_MAX);
            assert_round_trip(pattern, 0, NULL);
            assert_round_trip(pattern, space - 1, NULL);
            for (int round = 0; round < 200; round++) {
                codes_u128 rank =
                    ((codes_u128)test_random(&random) << 64 | test_random(&random)) % space;
                for (unsigned j = 0; j < codes_pattern_free_places(pattern); j++)
                    digits[j] = (uint8_t)(test_random(&random) %
                                          pattern->places[pattern->ranked + j]->set.count);
                assert_round_trip(pattern, rank, digits);
            }
        }
    }
}

/* Neighbouring ranks in neighbouring keys: the order the unique index wants. */
static void rank_order_is_key_order(void **state)
{
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 2, &random); s++) {
        for (size_t i = 0; i < ARRAY_LEN(all_kinds); i++) {
            CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(all_kinds[i]);
            codes_u128 space = codes_pattern_space(pattern);
            for (int round = 0; round < 200; round++) {
                struct codes_code low;
                struct codes_code high;
                codes_u128 rank =
                    ((codes_u128)test_random(&random) << 64 | test_random(&random)) % (space - 1);
                codes_pattern_render(pattern, rank, NULL, &low);
                codes_pattern_render(pattern, rank + 1, NULL, &high);
                assert_true(strcmp(low.key, high.key) < 0);
            }
        }
    }
}

static void every_string_of_a_small_space_comes_once(void **state)
{
    CLEANUP(codes_pattern_freep)
    struct codes_pattern *pattern = pattern_of("[ab\u0416]x[0-4][KL]{check}");
    char keys[30][16];

    (void)state;
    assert_true(codes_pattern_space(pattern) == 30);
    for (unsigned rank = 0; rank < 30; rank++) {
        struct codes_code code;
        codes_pattern_render(pattern, rank, NULL, &code);
        memcpy(keys[rank], code.key, code.key_len + 1u);
        assert_true(rank == 0 || strcmp(keys[rank - 1], keys[rank]) < 0);
        assert_round_trip(pattern, rank, NULL);
    }
}

static void places_beyond_96_bits_are_free(void **state)
{
    static const struct {
        const char *text;
        unsigned free_places;
        const char *space;
    } cases[] = {
        {"[0-9a-f]{24}", 0, "79228162514264337593543950336"}, /* 2^96 exactly */
        {"[0-9a-f]{25}", 1, "79228162514264337593543950336"},
        {"#{19}", 0, "39614081257132168796771975168"}, /* 2^95         */
        {"#{19}[01]", 0, "79228162514264337593543950336"},
        {"#{19}[01]{2}", 1, "79228162514264337593543950336"},
        {"#{19}[0-2][01]", 2, "39614081257132168796771975168"},
        {"[0-9]{29}", 1, "10000000000000000000000000000"},
        {"#{64}", 45, "39614081257132168796771975168"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(cases[i].text);
        char text[CODES_U128_TEXT];
        assert_int_equal(codes_pattern_free_places(pattern), cases[i].free_places);
        assert_string_equal(codes_u128_text(codes_pattern_space(pattern), text), cases[i].space);
    }
}

static void keys_that_do_not_fit_do_not_match(void **state)
{
    static const char *const others[] = {"",       "s",          "sx1",     "sx12",
                                         "sx1a23", "sx1223",     "tx1a2",   "Sx1a2",
                                         "sx1A2",  "sx1a\u00E9", "sx\xFF!2"};
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("S-X[0-9][a-c][0-9]");
    codes_u128 rank = 4711;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(codes_pattern_match(pattern, others[i], strlen(others[i]), &rank, NULL),
                         CODES_MATCH_NO);
    assert_true(rank == 4711);
    assert_int_equal(codes_pattern_match(pattern, "sx1a2", 5, &rank, NULL), CODES_MATCH_YES);
    assert_true(rank == 32);
    assert_int_equal(codes_pattern_match(pattern, "sx1a2", 4, NULL, NULL), CODES_MATCH_NO);
    assert_int_equal(codes_pattern_match(pattern, "sx1a2", 5, NULL, NULL), CODES_MATCH_YES);
}

static void check_characters_find_wrong_and_swapped_symbols(void **state)
{
    /* Mixed sets: the digits of the second place are the letters' neighbours of the first. */
    static const char *const texts[] = {"#{6}{check}", "[0-9]{5}{check}",
                                        "[A-Z]{3}-[2-9]{4}{check}",
                                        "[0-9A-F]{3}[5-9A-C]{3}{check}Z", "[abc]{4}{check}"};
    uint64_t random;

    (void)state;
    for (unsigned s = 0; test_seed(s, 2, &random); s++) {
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(texts[t]);
            for (int round = 0; round < 50; round++) {
                struct codes_code code;
                codes_pattern_render(pattern, test_random(&random) % codes_pattern_space(pattern),
                                     NULL, &code);
                assert_int_equal(codes_pattern_match(pattern, code.key, code.key_len, NULL, NULL),
                                 CODES_MATCH_YES);
                for (size_t i = 0; i < code.key_len; i++) {
                    char right = code.key[i];
                    for (char wrong = '0'; wrong <= 'z'; wrong++) {
                        code.key[i] = wrong;
                        if (wrong != right)
                            assert_int_not_equal(
                                codes_pattern_match(pattern, code.key, code.key_len, NULL, NULL),
                                CODES_MATCH_YES);
                    }
                    code.key[i] = right;
                    if (i + 1 < code.key_len && code.key[i + 1] != right) {
                        code.key[i] = code.key[i + 1];
                        code.key[i + 1] = right;
                        assert_int_not_equal(
                            codes_pattern_match(pattern, code.key, code.key_len, NULL, NULL),
                            CODES_MATCH_YES);
                        code.key[i + 1] = code.key[i];
                        code.key[i] = right;
                    }
                }
            }
        }
    }
}

static void a_wrong_check_character_is_told_from_another_pattern(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of("[0-9]{3}{check}");
    struct codes_code code;
    codes_u128 rank = 0;

    (void)state;
    assert_code(pattern, 572, "5724", "5724"); /* Damm's own example */
    assert_int_equal(codes_pattern_match(pattern, "5725", 4, &rank, NULL), CODES_MATCH_CHECK);
    assert_true(rank == 572);
    assert_int_equal(codes_pattern_match(pattern, "572a", 4, NULL, NULL), CODES_MATCH_NO);
    assert_int_equal(codes_pattern_display(pattern, "5725", 4, &code), 0);
}

static void check_can_be_asked_for_beside_the_text(void **state)
{
    static const struct {
        const char *text;
        const char *with;
    } cases[] = {
        {"####-####", "####-####{check}"},
        {"##{3}-X", "##{3}{check}-X"},
        {"##-{check}", "##-{check}"},
        {"[a-z]{4}--", "[a-z]{4}{check}--"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        CLEANUP(codes_pattern_freep) struct codes_pattern *asked = NULL;
        CLEANUP(codes_pattern_freep) struct codes_pattern *written = pattern_of(cases[i].with);
        assert_int_equal(
            codes_pattern_parse(cases[i].text, strlen(cases[i].text), true, &asked, &err), 0);
        assert_true(codes_pattern_has_check(asked));
        assert_string_equal(codes_pattern_text(asked), cases[i].with);
        for (unsigned rank = 0; rank < 100; rank++) {
            struct codes_code a;
            struct codes_code b;
            codes_pattern_render(asked, rank, NULL, &a);
            codes_pattern_render(written, rank, NULL, &b);
            assert_string_equal(a.key, b.key);
            assert_string_equal(a.display, b.display);
        }
    }
}

static void a_pattern_without_a_place_is_one_code(void **state)
{
    static const struct {
        const char *text;
        const char *key;
        const char *display;
    } cases[] = {
        {"SUMMER-10", "summer10", "SUMMER-10"},
        {"[a]{3}", "aaa", "aaa"},
        {"x", "x", "x"},
        {"Stra\u00DFe", "strasse", "Stra\u00DFe"},
        {"\u00C9T\u00C9", "\u00E9t\u00E9", "\u00C9T\u00C9"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(cases[i].text);
        assert_true(codes_pattern_space(pattern) == 1);
        assert_int_equal(codes_pattern_places(pattern), 0);
        assert_int_equal(codes_pattern_free_places(pattern), 0);
        assert_false(codes_pattern_has_check(pattern));
        assert_code(pattern, 0, cases[i].key, cases[i].display);
        assert_round_trip(pattern, 0, NULL);
        assert_int_equal(codes_pattern_match(pattern, "summer1", 7, NULL, NULL), CODES_MATCH_NO);
        assert_int_equal(codes_pattern_match(pattern, "summer100", 9, NULL, NULL), CODES_MATCH_NO);
    }
}

static void impossible_patterns_are_refused_by_name(void **state)
{
    static const struct {
        const char *text;
        bool check;
        const char *code;
    } cases[] = {
        {"", false, "pattern_empty"},
        {" - ", false, "pattern_empty"},
        {"[-]", false, "symbol_separator"},
        {"SUMMER", true, "pattern_no_place"},
        {"SUMMER{check}", false, "pattern_no_place"},
        {"{check}", false, "pattern_no_place"},
        {"[a]{3}", true, "pattern_no_place"},
        {"", true, "pattern_no_place"},
        {"[abc", false, "pattern_syntax"},
        {"[abc\\]", false, "pattern_syntax"},
        {"abc]", false, "pattern_syntax"},
        {"#}", false, "pattern_syntax"},
        {"#{", false, "pattern_syntax"},
        {"#{}", false, "pattern_syntax"},
        {"#{0}", false, "pattern_syntax"},
        {"#{3", false, "pattern_syntax"},
        {"#{3x}", false, "pattern_syntax"},
        {"#{2}{3}", false, "pattern_syntax"},
        {"a{3}#", false, "pattern_syntax"},
        {"#{chec}", false, "pattern_syntax"},
        {"#{check}{check}", false, "pattern_syntax"},
        {"{check}##", false, "pattern_syntax"},
        {"#{check}#", false, "pattern_syntax"},
        {"#\\", false, "pattern_syntax"},
        {"[]", false, "set_empty"},
        {"[z-a]", false, "set_range"},
        {"[ab ]", false, "symbol_separator"},
        {"[ab-]", false, "symbol_separator"},
        {"[\u00DF]", false, "symbol_not_single"},
        {"[a\u0301]", false, "symbol_combines"},
        {"#\u0301", false, "literal_combines"},
        {"#-\u0301", false, "literal_combines"},
        {"\u0301#", false, "literal_combines"},
        {"[\u1100\u1102]\u1161", false, "literal_combines"},
        {"#{65}", false, "pattern_too_long"},
        {"#{99999999999999999999}", false, "pattern_too_long"},
        {"#{64}x", false, "pattern_too_long"},
        {"#{32}#{33}", false, "pattern_too_long"},
        {"#{64}", true, "pattern_too_long"},
        {"[01]{4}", true, "check_size"},
        {"[0-5]{4}", true, "check_size"},
        {"[ab][cd][ef]", true, "check_size"},
        {"[\u4E00-\u4E40]", true, "check_size"},
        {"[01]\x01", false, "bad_character"},
        {"[01]\xFF", false, "bad_utf8"},
        {"[01\xFF]", false, "bad_utf8"},
        {"[01]\u0378", false, "bad_character"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refused(cases[i].text, cases[i].check, cases[i].code);
}

static void bounds_hold_to_the_byte(void **state)
{
    char text[CODES_PATTERN_TEXT_MAX + 2];
    CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = NULL;
    struct err err = {0};

    (void)state;
    /* 127 dashes and a place: 128 bytes displayed, one character in the key. */
    memset(text, '-', sizeof text);
    text[127] = '#';
    text[128] = '\0';
    assert_int_equal(codes_pattern_parse(text, 128, false, &pattern, &err), 0);
    assert_int_equal(codes_pattern_display_bytes(pattern), CODES_PATTERN_BYTES);
    assert_int_equal(codes_pattern_key_chars(pattern), 1);
    assert_round_trip(pattern, 31, NULL);
    text[127] = '-';
    text[128] = '#';
    text[129] = '\0';
    refused(text, false, "pattern_too_long");

    /* 32 characters of 4 bytes fill a key; 33 do not fit. */
    refused("[\U0001F600-\U0001F603]{33}", false, "pattern_too_long");
    codes_pattern_free(pattern);
    pattern = pattern_of("[\U0001F600-\U0001F603]{32}");
    assert_int_equal(codes_pattern_key_bytes(pattern), CODES_PATTERN_BYTES);
    assert_round_trip(pattern, codes_pattern_space(pattern) - 1, NULL);

    /* Keys may be longer than what is shown: 2 bytes fold to 3. */
    refused("[\u023A\u023E]{43}", false, "pattern_too_long");
    codes_pattern_free(pattern);
    pattern = pattern_of("[\u023A\u023E]{42}");
    assert_int_equal(codes_pattern_key_bytes(pattern), 126);
    assert_int_equal(codes_pattern_display_bytes(pattern), 84);

    /* Text: an unused escape costs a byte; so does {check}, which has to fit as well. */
    memset(text, 'a', sizeof text);
    text[0] = '[';
    memcpy(text + CODES_PATTERN_TEXT_MAX - 4, "bcd]", 5);
    codes_pattern_free(pattern);
    pattern = pattern_of(text);
    assert_true(codes_pattern_space(pattern) == 4);
    refused(text, true, "pattern_too_long");
    memcpy(text + CODES_PATTERN_TEXT_MAX - 4, "bcd]#", 6);
    refused(text, false, "pattern_too_long");
}

static void formats_are_patterns(void **state)
{
    static const struct {
        struct codes_format format;
        const char *text;
        codes_u128 rank;
        const char *display;
    } cases[] = {
        {{0}, "############", 0, "000000000000"},
        {{.dash_every = 4}, CODES_PATTERN_DEFAULT, 32, "0000-0000-0010"},
        {{.length = 6, .charset = "digits", .prefix = "SUM-", .suffix = "#x"},
         "SUM-[0123456789][0123456789][0123456789][0123456789][0123456789][0123456789]\\#x",
         42,
         "SUM-000042#x"},
        {{.length = 3, .charset = "ab\\]", .dash_every = 2}, "[\\]ab][\\]ab]-[\\]ab]", 5, "]a-b"},
        {{.length = 3, .charset = "abcABC", .dash_every = 3, .check = true},
         "[ABC][ABC][ABC]-{check}",
         0,
         "AAA-A"},
        {{.length = 2, .charset = "crockford", .prefix = "[{\\", .suffix = "-"},
         "\\[\\{\\\\##-",
         1,
         "[{\\01-"},
        {{.length = 1, .dash_every = 1, .charset = "\u4E00\u4E01"}, "[\u4E00\u4E01]", 1, "\u4E01"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = NULL;
        struct err err = {0};
        struct codes_code code;
        if (codes_pattern_from_format(&cases[i].format, &pattern, &err) < 0)
            fail_msg("format %zu: %s", i, err.text);
        assert_string_equal(codes_pattern_text(pattern), cases[i].text);
        codes_pattern_render(pattern, cases[i].rank, NULL, &code);
        assert_string_equal(code.display, cases[i].display);
    }
}

static void impossible_formats_are_refused_by_name(void **state)
{
    static const struct {
        struct codes_format format;
        const char *code;
    } cases[] = {
        {{.length = 65}, "pattern_too_long"},
        {{.dash_every = 65}, "pattern_too_long"},
        {{.length = 64, .prefix = "x"}, "pattern_too_long"},
        {{.length = 64, .check = true}, "pattern_too_long"},
        {{.charset = ""}, "set_empty"},
        {{.charset = "a b"}, "symbol_separator"},
        {{.charset = "a", .check = true}, "pattern_no_place"},
        {{.charset = "ab", .check = true}, "check_size"},
        {{.prefix = "a\xFF"}, "bad_utf8"},
        {{.suffix = "\u0301"}, "literal_combines"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct codes_pattern *pattern = NULL;
        struct err err = {0};
        assert_refused(codes_pattern_from_format(&cases[i].format, &pattern, &err), err,
                       cases[i].code);
        assert_null(pattern);
    }
}

static void equal_spaces_have_equal_fingerprints(void **state)
{
    static const char *const same[][2] = {
        {"####-####-####", "############"},
        {"####-####-####", "[0-9A-HJKMNP-TV-Z]{12}"},
        {"####-####-####", "#{3}#{9}"},
        {"SUMMER-##", "sum mer##"},
        {"SUMMER-10", "su[m][M]er10"},
        {"[A]##", "a##"},
        {"[a-f]", "[FEDCBA]"},
        {"stra\u00DFe#", "STRASSE-#"},
        {"\u00C9[01]", "e\u0301[01]"},
        {"[k\u212A1]", "[1K]"},
        {"\\A#", "a#"},
        {"##{check}X", "#-#-{check}-x"},
    };
    static const char *const different[][2] = {
        {"###", "####"},      {"#{3}", "#{3}{check}"},   {"a#", "#a"},
        {"[ab]", "[ac]"},     {"[ab][cd]", "[cd][ab]"},  {"##{check}x", "##x{check}"},
        {"\\#[ab]", "#[ab]"}, {"[ab]{2}1", "[ab]1[ab]"}, {"[ab]\\{2\\}", "[ab]{2}"},
        {"[0-9]", "[0-9a]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *a = pattern_of(same[i][0]);
        CLEANUP(codes_pattern_freep) struct codes_pattern *b = pattern_of(same[i][1]);
        assert_string_equal(codes_pattern_fingerprint(a), codes_pattern_fingerprint(b));
    }
    for (size_t i = 0; i < ARRAY_LEN(different); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *a = pattern_of(different[i][0]);
        CLEANUP(codes_pattern_freep) struct codes_pattern *b = pattern_of(different[i][1]);
        assert_string_not_equal(codes_pattern_fingerprint(a), codes_pattern_fingerprint(b));
    }
}

static void fingerprints_read_as_patterns_of_the_same_space(void **state)
{
    CLEANUP(codes_pattern_freep) struct codes_pattern *plain = pattern_of(CODES_PATTERN_DEFAULT);

    (void)state;
    assert_string_equal(codes_pattern_fingerprint(plain), "[0-9a-hjkmnp-tv-z]{12}");
    for (size_t i = 0; i < ARRAY_LEN(all_kinds); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(all_kinds[i]);
        CLEANUP(codes_pattern_freep)
        struct codes_pattern *again = pattern_of(codes_pattern_fingerprint(pattern));
        CLEANUP(codes_pattern_freep)
        struct codes_pattern *stored = pattern_of(codes_pattern_text(pattern));
        struct codes_code a;
        struct codes_code b;
        assert_string_equal(codes_pattern_fingerprint(again), codes_pattern_fingerprint(pattern));
        assert_true(codes_pattern_space(again) == codes_pattern_space(pattern));
        codes_pattern_render(pattern, codes_pattern_space(pattern) / 3, NULL, &a);
        codes_pattern_render(again, codes_pattern_space(pattern) / 3, NULL, &b);
        assert_string_equal(a.key, b.key);
        codes_pattern_render(stored, codes_pattern_space(pattern) / 3, NULL, &b);
        assert_string_equal(a.key, b.key);
        assert_string_equal(a.display, b.display);
    }
}

static void long_fingerprints_are_digests(void **state)
{
    char text[1024] = "";
    CLEANUP(codes_pattern_freep) struct codes_pattern *a = NULL;
    CLEANUP(codes_pattern_freep) struct codes_pattern *b = NULL;

    (void)state;
    for (unsigned i = 0; i < 60; i++)
        memcpy(text + strlen(text), i % 2 == 0 ? "[acegikmoqsuwy]" : "[bdfhjlnprtvxz]", 16);
    a = pattern_of(text);
    assert_int_equal(strncmp(codes_pattern_fingerprint(a), "sha256:", 7), 0);
    assert_int_equal(strlen(codes_pattern_fingerprint(a)), 7 + 64);
    text[1] = 'b';
    b = pattern_of(text);
    assert_string_not_equal(codes_pattern_fingerprint(a), codes_pattern_fingerprint(b));
}

static void display_that_is_the_key_is_known(void **state)
{
    static const struct {
        const char *text;
        bool is_key;
    } cases[] = {
        {"[0-9]{6}", true},   {"[a-z0-9]{6}x", true}, {"[0-9]-[0-9]", false},
        {"[A-F]{6}", false},  {"X[0-9]{6}", false},   {"[0-9]{6}{check}", true},
        {"[0-9]{6} ", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = pattern_of(cases[i].text);
        assert_int_equal(codes_pattern_display_is_key(pattern), cases[i].is_key);
    }
}

static void random_texts_never_break_it(void **state)
{
    static const char parts[] = "#[]{}\\-0123abAZ \xC3\xA9\xCC\x81{check}";
    uint64_t random;
    unsigned taken = 0;

    (void)state;
    for (unsigned s = 0; test_seed(s, 3, &random); s++) {
        for (int round = 0; round < 20000; round++) {
            char text[10];
            size_t len = test_random(&random) % 10;
            CLEANUP(codes_pattern_freep) struct codes_pattern *pattern = NULL;
            struct err err = {0};
            for (size_t i = 0; i < len; i++)
                text[i] = parts[test_random(&random) % (sizeof parts - 1)];
            if (codes_pattern_parse(text, len, round % 2 == 0, &pattern, &err) < 0) {
                assert_int_equal(err.kind, ERR_POISON);
                continue;
            }
            taken++;
            assert_round_trip(pattern, codes_pattern_space(pattern) - 1, NULL);
        }
    }
    assert_true(taken > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_pattern_is_twelve_places_in_dashes_of_four),
        cmocka_unit_test(literals_places_and_decoration_each_go_where_they_belong),
        cmocka_unit_test(ranks_survive_the_round_trip),
        cmocka_unit_test(rank_order_is_key_order),
        cmocka_unit_test(every_string_of_a_small_space_comes_once),
        cmocka_unit_test(places_beyond_96_bits_are_free),
        cmocka_unit_test(keys_that_do_not_fit_do_not_match),
        cmocka_unit_test(check_characters_find_wrong_and_swapped_symbols),
        cmocka_unit_test(a_wrong_check_character_is_told_from_another_pattern),
        cmocka_unit_test(check_can_be_asked_for_beside_the_text),
        cmocka_unit_test(a_pattern_without_a_place_is_one_code),
        cmocka_unit_test(impossible_patterns_are_refused_by_name),
        cmocka_unit_test(bounds_hold_to_the_byte),
        cmocka_unit_test(formats_are_patterns),
        cmocka_unit_test(impossible_formats_are_refused_by_name),
        cmocka_unit_test(equal_spaces_have_equal_fingerprints),
        cmocka_unit_test(fingerprints_read_as_patterns_of_the_same_space),
        cmocka_unit_test(long_fingerprints_are_digests),
        cmocka_unit_test(display_that_is_the_key_is_known),
        cmocka_unit_test(random_texts_never_break_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
