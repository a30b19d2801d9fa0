/* SPDX-License-Identifier: Apache-2.0 */
#include "base_buf.h"
#include "base_digest.h"
#include "jsonio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void hash(const char *label, const char *text, uint8_t out[JSONIO_HASH_LEN])
{
    struct json_object *root = NULL;
    struct err err = {0};
    if (jsonio_parse(text, strlen(text), SIZE_MAX, &root, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(jsonio_canonical_hash(label, root, out, &err), 0);
    jsonio_free(root);
}

static bool same(const char *a, const char *b)
{
    uint8_t one[JSONIO_HASH_LEN];
    uint8_t two[JSONIO_HASH_LEN];
    hash("type", a, one);
    hash("type", b, two);
    return memcmp(one, two, sizeof(one)) == 0;
}

static void spelling_does_not_matter(void **state)
{
    (void)state;
    assert_true(same("{\"a\":1,\"b\":[2]}", " { \"b\" : [ 2 ] , \"a\" : 1 } "));
    assert_true(same("[1,10,-0]", "[1.0,1e1,0]"));
    assert_true(same("[0.5]", "[5e-1]"));
    assert_true(same("[\"\\u00e9\\/\\n\"]", "[\"\xc3\xa9/\\u000a\"]"));
    assert_true(same("{\"\\u0061\":null}", "{\"a\":null}"));
}

static void every_difference_of_value_matters(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "0.5",
        "\"\"",
        "\"0\"",
        "\"1\"",
        "\"null\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[null]",
        "[1,2]",
        "[2,1]",
        "[[1],2]",
        "[1,[2]]",
        "[12]",
        "[\"1\",2]",
        "[\"12\"]",
        "{\"a\":1}",
        "{\"a\":2}",
        "{\"b\":1}",
        "{\"a\":\"1\"}",
        "{\"a\":[1]}",
        "{\"a\":{}}",
        "{\"a\":1,\"b\":2}",
        "{\"a\":2,\"b\":1}",
        "{\"ab\":1}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":null}",
        "[\"a\",\"b\"]",
        "[\"ab\"]",
        "[\"ab\",\"\"]",
        "[\"\",\"ab\"]",
        "9007199254740991",
        "9007199254740990",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t j = 0; j < ARRAY_LEN(texts); j++) {
            if (same(texts[i], texts[j]) != (i == j))
                fail_msg("%s and %s", texts[i], texts[j]);
        }
    }
}

static void label_is_part_of_it(void **state)
{
    (void)state;
    uint8_t one[JSONIO_HASH_LEN];
    uint8_t two[JSONIO_HASH_LEN];
    hash("a", "{}", one);
    hash("b", "{}", two);
    assert_memory_not_equal(one, two, sizeof(one));
}

/* It stands in data bases: it may never change. */
static void value_is_stable(void **state)
{
    (void)state;
    uint8_t out[JSONIO_HASH_LEN];
    uint8_t full[DIGEST_SHA256_LEN];
    hash("t", "{\"b\":[1,null],\"a\":\"x\"}", out);
    static const char form[] = "t\0{\0\0\0\2\0\0\0\1a\"\0\0\0\1x\0\0\0\1b[\0\0\0\2#1;n";
    digest_sha256(form, sizeof(form) - 1, full);
    assert_memory_equal(out, full, sizeof(out));
}

static void objects_of_any_size_are_sorted(void **state)
{
    (void)state;
    struct buf up CLEANUP(buf_done);
    struct buf down CLEANUP(buf_done);
    buf_init(&up);
    buf_init(&down);
    for (int i = 0; i < 300; i++) {
        buf_printf(&up, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
        buf_printf(&down, "%c\"k%d\":%d", i == 0 ? '{' : ',', 299 - i, 299 - i);
    }
    buf_add_char(&up, '}');
    buf_add_char(&down, '}');
    assert_true(same(up.data, down.data));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spelling_does_not_matter),
        cmocka_unit_test(every_difference_of_value_matters),
        cmocka_unit_test(label_is_part_of_it),
        cmocka_unit_test(value_is_stable),
        cmocka_unit_test(objects_of_any_size_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
