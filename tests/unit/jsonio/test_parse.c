/* SPDX-License-Identifier: Apache-2.0 */
#include "base_buf.h"
#include "jsonio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MAX 4096

/* The bytes stand at the very end of their memory, so that ASan sees a read beyond. */
static int parse(const char *text, size_t len, struct json_object **ret, struct err *err)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    int result = jsonio_parse(copy, len, MAX, ret, err);
    free(copy);
    return result;
}

static void accepts_len(const char *text, size_t len)
{
    struct json_object *root = NULL;
    struct err err = {0};
    if (parse(text, len, &root, &err) < 0)
        fail_msg("%s: %s %s at '%s'", text, err.code, err.text, err.pointer);
    assert_int_equal(err.kind, ERR_NONE);
    jsonio_free(root);
}

static void accepts(const char *text)
{
    accepts_len(text, strlen(text));
}

static void refuses_len(const char *text, size_t len, const char *code, const char *pointer)
{
    struct json_object *mark = (struct json_object *)&mark;
    struct json_object *root = mark;
    struct err err = {0};
    if (parse(text, len, &root, &err) == 0)
        fail_msg("%s was accepted", text);
    assert_ptr_equal(root, mark);
    assert_int_equal(err.kind, ERR_POISON);
    assert_string_equal(err.domain, "json");
    if (strcmp(err.code, code) != 0 || strcmp(err.pointer, pointer) != 0)
        fail_msg("%s: %s at '%s', not %s at '%s'", text, err.code, err.pointer, code, pointer);
}

static void refuses(const char *text, const char *code, const char *pointer)
{
    refuses_len(text, strlen(text), code, pointer);
}

static void any_value_is_a_root(void **state)
{
    (void)state;
    accepts("{}");
    accepts("[]");
    accepts("\"\"");
    accepts("0");
    accepts("-1");
    accepts("1.5e3");
    accepts("true");
    accepts("false");
    accepts("null");
    accepts(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n");
    accepts(" 17 ");
}

static void grammar_is_strict(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",          " ",           "{",          "}",        "[",
        "]",         "[1,]",        "[,1]",       "[1 2]",    "{\"a\"}",
        "{\"a\":}",  "{\"a\" 1}",   "{\"a\":1,}", "{,}",      "{a:1}",
        "{1:1}",     "'a'",         "\"a",        "\"\\\"",   "\"\\x41\"",
        "\"\\u12\"", "\"\\u12G4\"", "\"\t\"",     "\"a\nb\"", "nul",
        "nulll",     "True",        "tru",        "01",       "-01",
        "-",         "+1",          "1.",         ".5",       "1e",
        "1e+",       "1.e3",        "0x10",       "1_000",    "--1",
        "NaN",       "Infinity",    "-Infinity",  "[NaN]",    "1 2",
        "{}{}",      "[] x",        "/**/1",      "1//",      "\xef\xbb\xbf{}",
        "\xc3\xa9",  "{\"a\":1}}",  "[1]]",       "\"\\",     "\"\\u",
        "-x",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct json_object *root = NULL;
        struct err err = {0};
        if (parse(wrong[i], strlen(wrong[i]), &root, &err) == 0)
            fail_msg("%s was accepted", wrong[i]);
        assert_string_equal(err.code, "bad_json");
    }
    refuses_len("1\0", 2, "bad_json", "");
    refuses_len("\0", 1, "bad_json", "");
    refuses_len("\"a\0b\"", 5, "bad_json", "");
    refuses_len("\"\\\0\"", 4, "bad_json", "");
}

static void pointer_names_the_place(void **state)
{
    (void)state;
    refuses("{\"a\":[1,{\"b\":nope}]}", "bad_json", "/a/1/b");
    refuses("[0,0,?]", "bad_json", "/2");
    refuses("{\"a/b~c\":?}", "bad_json", "/a~1b~0c");
    refuses("{\"a\\u002fb\":?}", "bad_json", "/a~1b");
    refuses("{\"\":?}", "bad_json", "/");
    /* behind a member the object itself is meant */
    refuses("{\"a\":1 \"b\":2}", "bad_json", "");
}

static void pointer_that_is_too_long_names_a_parent(void **state)
{
    (void)state;
    char text[600];
    char key[200];
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    (void)snprintf(text, sizeof(text), "{\"a\":{\"%s\":{\"c\":?}}}", key);
    refuses(text, "bad_json", "/a");
    key[125] = '\0';
    (void)snprintf(text, sizeof(text), "{\"%s\":{\"c\":?}}", key);
    char pointer[sizeof(key) + 1];
    (void)snprintf(pointer, sizeof(pointer), "/%s", key);
    refuses(text, "bad_json", pointer);
}

static void utf8_is_checked(void **state)
{
    (void)state;
    accepts("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4"
            "\x8f\xbf\xbf\"");
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xe2\x82",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf0\x9f\x8e",
        "\xff",
        "\xfe",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "{\"a\":\"x%s\"}", wrong[i]);
        refuses(text, "bad_utf8", "/a");
        (void)snprintf(text, sizeof(text), "{\"%s\":1}", wrong[i]);
        refuses(text, "bad_utf8", "");
    }
    /* cut off by the end of the text */
    refuses("\"\xe2\x82", "bad_utf8", "");
}

static void nul_character_is_refused(void **state)
{
    (void)state;
    refuses("\"\\u0000\"", "nul_character", "");
    refuses("[\"a\\u0000\"]", "nul_character", "/0");
    refuses("{\"a\\u0000b\":1}", "nul_character", "");
    accepts("\"\\u0001\"");
    accepts("\"\\\\u0000\"");
}

static void surrogates_come_in_pairs(void **state)
{
    (void)state;
    accepts("\"\\ud83d\\ude00\"");
    accepts("\"\\uD800\\uDC00 \\udbff\\udfff\"");
    refuses("\"\\ud83d\"", "lone_surrogate", "");
    refuses("\"\\ud83d\\n\"", "lone_surrogate", "");
    refuses("\"\\ud83d\\ud83d\"", "lone_surrogate", "");
    refuses("\"\\ud83d\\u0041\"", "lone_surrogate", "");
    refuses("\"\\ude00\"", "lone_surrogate", "");
    refuses("\"\\ud83d", "lone_surrogate", "");
    refuses("{\"a\":{\"\\udc00\":1}}", "lone_surrogate", "/a");
}

static void numbers_stay_within_2_53(void **state)
{
    (void)state;
    accepts("9007199254740991");
    accepts("-9007199254740991");
    accepts("9007199254740991.0");
    accepts("9.007199254740991e15");
    accepts("1e-400");
    accepts("-0");
    refuses("9007199254740992", "number_out_of_range", "");
    refuses("-9007199254740992", "number_out_of_range", "");
    refuses("[9007199254740993]", "number_out_of_range", "/0");
    refuses("99999999999999999999999999", "number_out_of_range", "");
    refuses("1e16", "number_out_of_range", "");
    refuses("1e400", "number_out_of_range", "");
    refuses("-1E+400", "number_out_of_range", "");
    refuses("9007199254740992.0", "number_out_of_range", "");
    refuses("18446744073709551617", "number_out_of_range", "");
}

static void number_has_at_most_64_characters(void **state)
{
    (void)state;
    char text[80] = "0.";
    memset(text + 2, '1', 62);
    accepts(text);
    text[64] = '1';
    refuses(text, "number_out_of_range", "");
}

static void same_key_twice_is_refused(void **state)
{
    (void)state;
    refuses("{\"a\":1,\"a\":1}", "duplicate_key", "/a");
    refuses("{\"a\":1,\"b\":2,\"\\u0061\":3}", "duplicate_key", "/a");
    refuses("{\"\\u0061\":1,\"\\u0061\":3}", "duplicate_key", "/a");
    refuses("{\"\":1,\"\":3}", "duplicate_key", "/");
    refuses("{\"\xc3\xa9\":1,\"\\u00e9\":3}", "duplicate_key", "/\xc3\xa9");
    refuses("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":3}", "duplicate_key", "/\xf0\x9f\x98\x80");
    refuses("{\"a\\/\":1,\"a/\":3}", "duplicate_key", "/a~1");
    refuses("[{\"x\":{\"k\":1,\"j\":{\"k\":1},\"k\":2}}]", "duplicate_key", "/0/x/k");
    accepts("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}");
    accepts("[{\"a\":1},{\"a\":1}]");
    accepts("{\"a\":1,\"A\":1,\"a \":1,\"\":1,\"aa\":1}");
}

/* Objects of `count` members k0, k1, ...; `twice` is given once more at the end (-1: none). */
static void make_object(struct buf *text, int count, int twice, const char *spelling)
{
    buf_clear(text);
    buf_add_char(text, '{');
    for (int i = 0; i < count; i++)
        buf_printf(text, "%s\"k%d\":{\"k%d\":0}", i > 0 ? "," : "", i, i);
    if (twice >= 0)
        buf_printf(text, ",\"%s%d\":0", spelling, twice);
    buf_add_char(text, '}');
}

static void same_key_twice_is_found_in_large_objects(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done);
    struct json_object *root = NULL;
    struct err err;
    buf_init(&text);
    static const int counts[] = {1, 15, 16, 17, 63, 64, 65, 1000};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        make_object(&text, counts[i], -1, "");
        assert_int_equal(jsonio_parse(text.data, text.len, SIZE_MAX, &root, &err), 0);
        assert_int_equal(jsonio_length(root), counts[i]);
        jsonio_free(root);
        for (int twice = 0; twice < counts[i]; twice += 1 + counts[i] / 7) {
            char pointer[32];
            (void)snprintf(pointer, sizeof(pointer), "/k%d", twice);
            make_object(&text, counts[i], twice, twice % 2 == 0 ? "k" : "\\u006b");
            assert_int_equal(jsonio_parse(text.data, text.len, SIZE_MAX, &root, &err), -1);
            assert_string_equal(err.code, "duplicate_key");
            assert_string_equal(err.pointer, pointer);
        }
    }
}

static void many_keys_take_no_quadratic_time(void **state)
{
    (void)state;
    struct buf text CLEANUP(buf_done);
    struct json_object *root = NULL;
    struct err err;
    buf_init(&text);
    make_object(&text, 150000, -1, "");
    assert_int_equal(jsonio_parse(text.data, text.len, SIZE_MAX, &root, &err), 0);
    assert_int_equal(jsonio_length(root), 150000);
    jsonio_free(root);
}

static void nested(char *text, int depth, char open, char close)
{
    memset(text, open, (size_t)depth);
    memset(text + depth, close, (size_t)depth);
    text[2 * depth] = '\0';
}

static void depth_is_limited(void **state)
{
    (void)state;
    char text[2001];
    nested(text, JSONIO_DEPTH_MAX, '[', ']');
    accepts(text);
    nested(text, JSONIO_DEPTH_MAX + 1, '[', ']');
    char pointer[128] = "";
    for (int i = 0; i < JSONIO_DEPTH_MAX; i++)
        memcpy(pointer + 2 * i, "/0", 3);
    refuses(text, "too_deep", pointer);
    nested(text, 1000, '[', ']');
    refuses(text, "too_deep", pointer);
    struct buf deep CLEANUP(buf_done);
    buf_init(&deep);
    for (int i = 0; i < JSONIO_DEPTH_MAX; i++)
        buf_add_str(&deep, "{\"a\":");
    buf_add_str(&deep, "1");
    for (int i = 0; i < JSONIO_DEPTH_MAX; i++)
        buf_add_str(&deep, "}");
    accepts(deep.data);
}

static void size_is_limited(void **state)
{
    (void)state;
    struct json_object *root = NULL;
    struct err err = {0};
    assert_int_equal(jsonio_parse("[1]", 3, 3, &root, &err), 0);
    jsonio_free(root);
    assert_int_equal(jsonio_parse("[1]", 3, 2, &root, &err), -1);
    assert_string_equal(err.code, "too_large");
    assert_int_equal(err.kind, ERR_POISON);
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\\n\":[1.5e3,-2,true,null,\"\\ud83d\\ude00\xc3\xa9\"],\"b\":{}}";
    accepts(text);
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct json_object *root = NULL;
        struct err err = {0};
        assert_int_equal(parse(text, len, &root, &err), -1);
        assert_int_equal(err.kind, ERR_POISON);
    }
}

static void without_err_nothing_is_told(void **state)
{
    (void)state;
    struct json_object *root = NULL;
    assert_int_equal(jsonio_parse("{\"a\":1,\"a\":2}", 13, MAX, &root, NULL), -1);
    assert_int_equal(jsonio_parse("[", 1, MAX, &root, NULL), -1);
    assert_int_equal(jsonio_parse("[", 1, 0, &root, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_is_a_root),
        cmocka_unit_test(grammar_is_strict),
        cmocka_unit_test(pointer_names_the_place),
        cmocka_unit_test(pointer_that_is_too_long_names_a_parent),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(nul_character_is_refused),
        cmocka_unit_test(surrogates_come_in_pairs),
        cmocka_unit_test(numbers_stay_within_2_53),
        cmocka_unit_test(number_has_at_most_64_characters),
        cmocka_unit_test(same_key_twice_is_refused),
        cmocka_unit_test(same_key_twice_is_found_in_large_objects),
        cmocka_unit_test(many_keys_take_no_quadratic_time),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(without_err_nothing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
