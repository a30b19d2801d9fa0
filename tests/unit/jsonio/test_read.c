/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct json_object *parsed(const char *text)
{
    struct json_object *root = NULL;
    struct err err = {0};
    if (jsonio_parse(text, strlen(text), SIZE_MAX, &root, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return root;
}

static enum jsonio_type type_of(const char *text)
{
    struct json_object *root = parsed(text);
    enum jsonio_type type = jsonio_type(root);
    jsonio_free(root);
    return type;
}

static void integer_is_what_has_an_integral_value(void **state)
{
    (void)state;
    assert_int_equal(type_of("7"), JSONIO_INT);
    assert_int_equal(type_of("7.0"), JSONIO_INT);
    assert_int_equal(type_of("1e3"), JSONIO_INT);
    assert_int_equal(type_of("1.5e1"), JSONIO_INT);
    assert_int_equal(type_of("-0.0"), JSONIO_INT);
    assert_int_equal(type_of("9007199254740991.0"), JSONIO_INT);
    assert_int_equal(type_of("7.5"), JSONIO_NUMBER);
    assert_int_equal(type_of("1e-3"), JSONIO_NUMBER);
    assert_int_equal(type_of("\"7\""), JSONIO_TEXT);
    assert_int_equal(type_of("true"), JSONIO_BOOL);
    assert_int_equal(type_of("null"), JSONIO_NULL);
    assert_int_equal(type_of("[]"), JSONIO_ARRAY);
    assert_int_equal(type_of("{}"), JSONIO_OBJECT);
}

static int64_t int_of(const char *text)
{
    struct json_object *root = parsed(text);
    int64_t value = jsonio_int(root);
    jsonio_free(root);
    return value;
}

static void integers_keep_their_value(void **state)
{
    (void)state;
    assert_true(int_of("9007199254740991") == JSONIO_INT_MAX);
    assert_true(int_of("-9007199254740991") == -JSONIO_INT_MAX);
    assert_true(int_of("9007199254740991.0") == JSONIO_INT_MAX);
    assert_true(int_of("1e3") == 1000);
    assert_true(int_of("-0") == 0);
    assert_true(int_of("-0.0") == 0);
}

static void texts_are_unescaped(void **state)
{
    (void)state;
    size_t len;
    struct json_object *root = parsed("\"a\\n\\u00e9\\ud83d\\ude00\\/\"");
    assert_string_equal(jsonio_text(root, &len), "a\n\xc3\xa9\xf0\x9f\x98\x80/");
    assert_int_equal(len, 9);
    jsonio_free(root);
}

static void members_come_in_the_order_of_the_text(void **state)
{
    (void)state;
    struct json_object *root = parsed("{\"z\":1,\"a\":2,\"m\":null}");
    char order[8] = "";
    size_t n = 0;
    JSONIO_EACH (it, root)
        order[n++] = it.key[0];
    assert_string_equal(order, "zam");
    struct json_object *value = root;
    assert_true(jsonio_member(root, "m", &value));
    assert_null(value);
    assert_false(jsonio_member(root, "x", &value));
    jsonio_free(root);
}

static void getters_find_leave_and_refuse(void **state)
{
    (void)state;
    struct err err = {0};
    int64_t number = -7;
    bool flag = true;
    const char *text = "untouched";
    struct json_object *node = NULL;
    struct json_object *root =
        parsed("{\"n\":5,\"t\":\"abc\",\"b\":false,\"o\":{},\"a\":[],\"z\":null,\"x/y\":1.5}");
    assert_int_equal(jsonio_get_int(root, "", "n", 0, 9, &number, &err), 1);
    assert_int_equal(number, 5);
    assert_int_equal(jsonio_get_int(root, "", "none", 0, 9, &number, &err), 0);
    assert_int_equal(jsonio_get_int(root, "", "z", 0, 9, &number, &err), 0);
    assert_int_equal(number, 5);
    assert_int_equal(jsonio_get_bool(root, "", "b", &flag, &err), 1);
    assert_false(flag);
    assert_int_equal(jsonio_get_text(root, "", "t", 3, &text, &err), 1);
    assert_string_equal(text, "abc");
    assert_int_equal(jsonio_get_node(root, "", "o", JSONIO_OBJECT, &node, &err), 1);
    assert_non_null(node);
    assert_int_equal(err.kind, ERR_NONE);

    assert_int_equal(jsonio_get_text(root, "/in", "t", 2, &text, &err), -1);
    assert_string_equal(err.code, "too_long");
    assert_string_equal(err.pointer, "/in/t");
    assert_string_equal(err.domain, "json");
    assert_int_equal(jsonio_get_int(root, "", "n", 6, 9, &number, &err), -1);
    assert_string_equal(err.code, "out_of_range");
    assert_string_equal(err.pointer, "/n");
    assert_int_equal(jsonio_get_int(root, "/p/0", "x/y", 0, 9, &number, &err), -1);
    assert_string_equal(err.code, "wrong_type");
    assert_string_equal(err.pointer, "/p/0/x~1y");
    assert_int_equal(jsonio_get_bool(root, "", "n", &flag, &err), -1);
    assert_int_equal(jsonio_get_node(root, "", "a", JSONIO_OBJECT, &node, &err), -1);
    assert_string_equal(err.code, "wrong_type");

    assert_int_equal(jsonio_require_int(root, "", "n", 0, 9, &number, &err), 0);
    assert_int_equal(jsonio_require_int(root, "", "none", 0, 9, &number, &err), -1);
    assert_string_equal(err.code, "required");
    assert_string_equal(err.pointer, "/none");
    assert_int_equal(jsonio_require_text(root, "", "z", 9, &text, &err), -1);
    assert_string_equal(err.code, "required");
    assert_string_equal(text, "abc");
    assert_int_equal(number, 5);
    jsonio_free(root);
}

static void shared_node_outlives_its_root(void **state)
{
    (void)state;
    struct json_object *root = parsed("{\"a\":{\"b\":\"c\"}}");
    struct json_object *node = NULL;
    assert_true(jsonio_member(root, "a", &node));
    node = jsonio_share(node);
    jsonio_free(root);
    assert_true(jsonio_member(node, "b", &root));
    assert_string_equal(jsonio_text(root, NULL), "c");
    jsonio_free(node);
    jsonio_free(NULL);
}

static void path_hides_what_does_not_fit(void **state)
{
    (void)state;
    struct jsonio_path path;
    char key[140];
    memset(key, 'k', sizeof(key));
    key[121] = '\0';
    jsonio_path_init(&path, "/at");
    struct jsonio_mark first = jsonio_path_index(&path, 12);
    assert_string_equal(path.text, "/at/12");
    struct jsonio_mark second = jsonio_path_key(&path, key);
    assert_string_equal(path.text, "/at/12");
    /* and so is all that stands below */
    struct jsonio_mark third = jsonio_path_key(&path, "x");
    assert_string_equal(path.text, "/at/12");
    jsonio_path_back(&path, third);
    jsonio_path_back(&path, second);
    (void)jsonio_path_key(&path, "x");
    assert_string_equal(path.text, "/at/12/x");
    jsonio_path_back(&path, first);
    assert_string_equal(path.text, "/at");
    key[121] = 'k';
    key[126] = '\0';
    jsonio_path_init(&path, "");
    (void)jsonio_path_key(&path, key);
    assert_int_equal(strlen(path.text), 127);
    key[126] = '~';
    key[127] = '\0';
    jsonio_path_init(&path, "");
    (void)jsonio_path_key(&path, key);
    assert_string_equal(path.text, "");
}

static void code_points_are_counted(void **state)
{
    (void)state;
    assert_int_equal(jsonio_utf8_count("", 0), 0);
    assert_int_equal(jsonio_utf8_count("a\xc3\xa9\xf0\x9f\x98\x80", 7), 3);
    assert_true(jsonio_utf8_valid("", 0));
    assert_true(jsonio_utf8_valid("a\xc3\xa9", 3));
    assert_false(jsonio_utf8_valid("a\xc3\xa9", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integer_is_what_has_an_integral_value),
        cmocka_unit_test(integers_keep_their_value),
        cmocka_unit_test(texts_are_unescaped),
        cmocka_unit_test(members_come_in_the_order_of_the_text),
        cmocka_unit_test(getters_find_leave_and_refuse),
        cmocka_unit_test(shared_node_outlives_its_root),
        cmocka_unit_test(path_hides_what_does_not_fit),
        cmocka_unit_test(code_points_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
