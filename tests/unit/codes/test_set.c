/* SPDX-License-Identifier: Apache-2.0 */
#include "codes_test.h"

#include "codes_canonical.h"
#include "codes_internal.h"
#include "codes_set.h"

static struct codes_set set_of(const char *text)
{
    struct codes_set set = {0};
    struct err err = {0};

    if (codes_set_parse(text, strlen(text), &set, &err) < 0)
        fail_msg("set %s: %s %s", text, err.code, err.text);
    return set;
}

static void refused(const char *text, const char *code)
{
    struct codes_set set;
    struct err err = {0};

    memset(&set, 0x5A, sizeof set);
    assert_refused(codes_set_parse(text, strlen(text), &set, &err), err, code);
    assert_int_equal(set.count, 0x5A5A5A5A); /* untouched */
}

/* The symbols as displayed, and as in keys. */
static void assert_symbols(const struct codes_set *set, const char *show, const char *key)
{
    char shown[4 * CODES_SET_MAX + 1] = "";
    char keys[4 * CODES_SET_MAX + 1] = "";

    for (unsigned i = 0; i < set->count; i++) {
        memcpy(shown + strlen(shown), set->symbols[i].show, set->symbols[i].show_len);
        memcpy(keys + strlen(keys), set->symbols[i].key, set->symbols[i].key_len);
    }
    assert_string_equal(shown, show);
    assert_string_equal(keys, key);
}

static void named_sets_have_their_symbols_in_key_order(void **state)
{
    struct codes_set set = set_of("crockford");

    (void)state;
    assert_int_equal(set.count, 32);
    assert_symbols(&set, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghjkmnpqrstvwxyz");
    set = set_of("digits");
    assert_symbols(&set, "0123456789", "0123456789");
    set = set_of("letters");
    assert_symbols(&set, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz");
    set = set_of("alnum");
    assert_int_equal(set.count, 36);
    assert_symbols(&set, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                   "0123456789abcdefghijklmnopqrstuvwxyz");
}

static void names_can_be_meant_as_characters(void **state)
{
    struct codes_set set = {0};

    (void)state;
    assert_int_equal(codes_set_parse_explicit("digits", 6, &set, NULL), 0);
    assert_symbols(&set, "dgist", "dgist");
    set = set_of("Digits"); /* not the name */
    assert_symbols(&set, "Dgist", "dgist");
}

static void explicit_sets_take_ranges_escapes_and_single_characters(void **state)
{
    struct codes_set set = set_of("c-eA0-2");

    (void)state;
    assert_symbols(&set, "012Acde", "012acde");
    set = set_of("\\a\\\\\\]x-\\z");
    assert_symbols(&set, "\\]axyz", "\\]axyz");
    set = set_of("!-\\,");
    assert_symbols(&set, "!\"#$%&'()*+,", "!\"#$%&'()*+,");
    set = set_of("b-b");
    assert_symbols(&set, "b", "b");
}

static void symbols_that_fold_together_count_once_in_upper_case(void **state)
{
    struct codes_set set = set_of("abcABC");

    (void)state;
    assert_symbols(&set, "ABC", "abc");
    set = set_of("aAbB1c");
    assert_symbols(&set, "1ABc", "1abc");
    set = set_of("A-Za-z0-9");
    assert_int_equal(set.count, 36);
    set = set_of("k\u212A"); /* Kelvin is an upper-case letter */
    assert_symbols(&set, "\u212A", "k");
    set = set_of("k\u212AK");
    assert_symbols(&set, "K", "k");
    set = set_of("\uFF21\uFF41");
    assert_symbols(&set, "\uFF21", "a");
    set = set_of("\u03C2\u03C3\u03A3");
    assert_symbols(&set, "\u03A3", "\u03C3");
}

static void order_of_symbols_is_byte_order_of_keys(void **state)
{
    /* Shown order would be another one: the key of U+023A is U+2C65, that of U+AB70 is U+13A0. */
    struct codes_set set = set_of("\u023A\uAB70\u0416z\u00C9\U00010400A\u4E00_");

    (void)state;
    assert_int_equal(set.count, 9);
    for (unsigned i = 0; i + 1 < set.count; i++) {
        char a[5] = "";
        char b[5] = "";
        memcpy(a, set.symbols[i].key, set.symbols[i].key_len);
        memcpy(b, set.symbols[i + 1].key, set.symbols[i + 1].key_len);
        assert_true(strcmp(a, b) < 0);
    }
    for (unsigned i = 0; i < set.count; i++)
        assert_int_equal(codes_set_index(&set, set.symbols[i].point), i);
    assert_int_equal(codes_set_index(&set, 'b'), -1);
    assert_int_equal(codes_set_index(&set, 'A'), -1); /* not canonical */
    assert_int_equal(codes_set_index(&set, 0x4E01), -1);
    assert_int_equal(codes_set_index(&set, 0x10FFFF), -1);
}

static void every_symbol_displays_and_folds_to_its_key(void **state)
{
    struct codes_set set = set_of("\u023A\uAB70\u0416z\u00C9\U00010400A\u4E00_\uFF11\u2460");

    (void)state;
    for (unsigned i = 0; i < set.count; i++) {
        char key[CODES_KEY_BYTES + 1];
        size_t len = 0;
        assert_int_equal(
            codes_canonical(set.symbols[i].show, set.symbols[i].show_len, key, &len, NULL), 0);
        assert_int_equal(len, set.symbols[i].key_len);
        assert_memory_equal(key, set.symbols[i].key, len);
    }
    assert_int_equal(set.count, 10); /* full-width 1 and circled 1 are one */
}

static void sets_may_have_256_symbols_and_no_more(void **state)
{
    struct codes_set set = set_of("\u4E00-\u4EFF");
    char text[CODES_SET_TEXT_MAX + 2];

    (void)state;
    assert_int_equal(set.count, CODES_SET_MAX);
    assert_int_equal(codes_set_index(&set, 0x4EFF), 255);
    refused("\u4E00-\u4F00", "set_too_large");
    memset(text, 'a', sizeof text);
    text[CODES_SET_TEXT_MAX] = '\0';
    set = set_of(text);
    assert_int_equal(set.count, 1);
    text[CODES_SET_TEXT_MAX] = 'a';
    text[CODES_SET_TEXT_MAX + 1] = '\0';
    refused(text, "set_too_large");
}

static void symbols_without_one_canonical_symbol_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *code;
        const char *names; /* in the text of the error */
    } cases[] = {
        {"", "set_empty", ""},
        {"A-Z ", "symbol_separator", "U+0020"},
        {"A-Z-", "symbol_separator", "U+002D"},
        {"-A", "symbol_separator", "U+002D"},
        {"a\\-z", "symbol_separator", "U+002D"},
        {"a\u2013", "symbol_separator", "U+2013"},
        {"a\u2212", "symbol_separator", "U+2212"},
        {"a\u00AD", "symbol_separator", "U+00AD"},
        {"a\u200B", "symbol_separator", "U+200B"},
        {"A\u00DF", "symbol_not_single", "U+00DF"},
        {"\uFB01", "symbol_not_single", "U+FB01"},
        {"\u0130", "symbol_not_single", "U+0130"},
        {"\u00BD", "symbol_not_single", "U+00BD"},
        {"e\u0301", "symbol_combines", "U+0301"},
        {"\u0345", "symbol_combines", "U+0345"},
        {"\u1161", "symbol_combines", "U+1161"},
        {"\u11A8", "symbol_combines", "U+11A8"},
        {"\uFFC2", "symbol_combines", "U+FFC2"}, /* half-width: folds to a vowel */
        {"\uFF9E", "symbol_combines", "U+FF9E"}, /* half-width voiced sound mark */
        {"\u00B4", "symbol_combines", "U+00B4"}, /* folds to space and a mark    */
        {"\u0B3E", "symbol_combines", "U+0B3E"},
        {"a\x01", "bad_character", "U+0001"},
        {"\u0378", "bad_character", "U+0378"},
        {"\uD7FF-\uE000", "set_range", "too wide"},
        {"z-a", "set_range", "U+007A"},
        {"A--Z", "set_range", "reversed"},
        {"abc\\", "set_syntax", "backslash"},
        {"a-\\", "set_syntax", "backslash"},
        {"a\xFF", "bad_utf8", ""},
        {"a-\xC3", "bad_utf8", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct codes_set set;
        struct err err = {0};
        if (codes_set_parse(cases[i].text, strlen(cases[i].text), &set, &err) != -1)
            fail_msg("case %zu is taken", i);
        assert_string_equal(err.code, cases[i].code);
        assert_int_equal(err.kind, ERR_POISON);
        if (strstr(err.text, cases[i].names) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        refused(cases[i].text, cases[i].code);
    }
}

static void nul_in_a_set_is_refused(void **state)
{
    struct codes_set set;
    struct err err = {0};

    (void)state;
    assert_refused(codes_set_parse("a\0b", 3, &set, &err), err, "bad_character");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_sets_have_their_symbols_in_key_order),
        cmocka_unit_test(names_can_be_meant_as_characters),
        cmocka_unit_test(explicit_sets_take_ranges_escapes_and_single_characters),
        cmocka_unit_test(symbols_that_fold_together_count_once_in_upper_case),
        cmocka_unit_test(order_of_symbols_is_byte_order_of_keys),
        cmocka_unit_test(every_symbol_displays_and_folds_to_its_key),
        cmocka_unit_test(sets_may_have_256_symbols_and_no_more),
        cmocka_unit_test(symbols_without_one_canonical_symbol_are_refused),
        cmocka_unit_test(nul_in_a_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
