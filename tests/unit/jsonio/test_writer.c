/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonio_writer.h"

#include "jsonio.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct buf buf;
static struct jsonio_writer writer;

static int begin(void **state)
{
    (void)state;
    buf_init(&buf);
    jsonio_writer_init(&writer, &buf);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_done(&buf);
    return 0;
}

static void commas_and_nesting_are_placed(void **state)
{
    (void)state;
    jsonio_begin_object(&writer);
    jsonio_add_int(&writer, "a", INT64_MIN);
    jsonio_put_key(&writer, "b");
    jsonio_begin_array(&writer);
    jsonio_begin_object(&writer);
    jsonio_end_object(&writer);
    jsonio_put_null(&writer);
    jsonio_begin_array(&writer);
    jsonio_end_array(&writer);
    jsonio_put_bool(&writer, true);
    jsonio_end_array(&writer);
    jsonio_add_bool(&writer, "c", false);
    jsonio_add_text(&writer, "d", NULL);
    jsonio_put_key(&writer, "e");
    jsonio_put_raw(&writer, "{\"x\":1}", 7);
    jsonio_put_key(&writer, "f");
    jsonio_begin_object(&writer);
    jsonio_add_int(&writer, "g", 0);
    jsonio_end_object(&writer);
    jsonio_end_object(&writer);
    assert_string_equal(buf.data, "{\"a\":-9223372036854775808,\"b\":[{},null,[],true],"
                                  "\"c\":false,\"d\":null,\"e\":{\"x\":1},\"f\":{\"g\":0}}");
}

static void texts_are_escaped(void **state)
{
    (void)state;
    jsonio_put_text(&writer, "\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\xf0\x9f\x98\x80");
    assert_string_equal(buf.data,
                        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\xf0\x9f\x98\x80\"");
}

static void nul_in_a_text_is_escaped(void **state)
{
    (void)state;
    jsonio_put_text_len(&writer, "a\0b", 3);
    assert_string_equal(buf.data, "\"a\\u0000b\"");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    jsonio_put_text_len(&writer, "a\xff\xc3(\xed\xa0\x80\xe2\x82", 9);
    assert_string_equal(buf.data, "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                  "\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_true(jsonio_utf8_valid(buf.data, buf.len));
}

static void doubles_read_back_the_same(void **state)
{
    (void)state;
    jsonio_begin_array(&writer);
    jsonio_put_double(&writer, 0.1);
    jsonio_put_double(&writer, 1.0 / 3.0);
    jsonio_put_double(&writer, 1e300);
    jsonio_put_double(&writer, -2.0);
    jsonio_put_double(&writer, (double)NAN);
    jsonio_put_double(&writer, (double)INFINITY);
    jsonio_end_array(&writer);
    assert_string_equal(buf.data, "[0.1,0.3333333333333333,1e+300,-2,null,null]");
}

static void formatted_text_may_be_long(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    jsonio_begin_array(&writer);
    jsonio_put_printf(&writer, "%d\"", 7);
    jsonio_put_printf(&writer, "%s", text);
    jsonio_put_printf(&writer, "%.511s", text);
    jsonio_put_printf(&writer, "%.512s", text);
    jsonio_end_array(&writer);
    assert_memory_equal(buf.data, "[\"7\\\"\",\"xxx", 11);
    assert_int_equal(buf.len, 1 + 6 + 1999 + 3 + 511 + 3 + 512 + 3);
}

static void tree_is_written_as_it_was_read(void **state)
{
    (void)state;
    static const char text[] = "{\"z\":[1,-2,0.5,true,null,\"\xc3\xa9\\n\"],\"a\":{},\"m\":[]}";
    struct json_object *root = NULL;
    assert_int_equal(jsonio_parse(text, strlen(text), SIZE_MAX, &root, NULL), 0);
    jsonio_put_node(&writer, root);
    assert_string_equal(buf.data, text);
    jsonio_free(root);
}

static void deep_nesting_is_possible(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        jsonio_begin_array(&writer);
        jsonio_put_int(&writer, i);
    }
    for (int i = 0; i < 40; i++)
        jsonio_end_array(&writer);
    assert_memory_equal(buf.data, "[0,[1,[2,", 9);
    assert_string_equal(buf.data + buf.len - 3, "]]]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_and_nesting_are_placed, begin, end),
        cmocka_unit_test_setup_teardown(texts_are_escaped, begin, end),
        cmocka_unit_test_setup_teardown(nul_in_a_text_is_escaped, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_utf8_is_replaced, begin, end),
        cmocka_unit_test_setup_teardown(doubles_read_back_the_same, begin, end),
        cmocka_unit_test_setup_teardown(formatted_text_may_be_long, begin, end),
        cmocka_unit_test_setup_teardown(tree_is_written_as_it_was_read, begin, end),
        cmocka_unit_test_setup_teardown(deep_nesting_is_possible, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
