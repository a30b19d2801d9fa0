/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_buf.h"

#include <stdlib.h>
#include <string.h>

static void empty_buffer_reads_as_empty_text(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    assert_string_equal(buf.data, "");
    buf_add(&buf, "ignored", 0);
    buf_clear(&buf);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.len, 0);
    buf_done(&buf);
    buf_done(&buf);
}

static void appends_keep_bytes_and_closing_nul(void **state)
{
    (void)state;
    CLEANUP(buf_done) struct buf buf;
    buf_init(&buf);
    buf_add(&buf, "a\0b", 3);
    buf_add_str(&buf, "cd");
    buf_add_char(&buf, 'e');
    assert_int_equal(buf.len, 6);
    assert_memory_equal(buf.data, "a\0bcde\0", 7);
}

static void growth_keeps_all(void **state)
{
    (void)state;
    CLEANUP(buf_done) struct buf buf;
    buf_init(&buf);
    for (unsigned i = 0; i < 100000; i++)
        buf_add_char(&buf, (char)('a' + i % 26));
    assert_int_equal(buf.len, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], 'a' + (int)(i % 26));
    assert_int_equal(buf.data[buf.len], 0);
}

static void printf_fits_exactly_and_grows(void **state)
{
    (void)state;
    for (int len = 0; len < 200; len++) {
        CLEANUP(buf_done) struct buf buf;
        buf_init(&buf);
        buf_printf(&buf, "%s%*s", "", len, "");
        buf_printf(&buf, "%s-%d", "x", 42);
        assert_int_equal(buf.len, len + 4);
        assert_string_equal(buf.data + len, "x-42");
    }
}

static void integers_are_in_network_order(void **state)
{
    (void)state;
    CLEANUP(buf_done) struct buf buf;
    buf_init(&buf);
    buf_add_be16(&buf, 0x0102);
    buf_add_be32(&buf, 0x03040506);
    buf_add_be64(&buf, UINT64_C(0x0708090a0b0c0dfe));
    assert_int_equal(buf.len, 14);
    assert_memory_equal(buf.data, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\xfe", 14);
}

static void failed_growth_drops_all_further_appends(void **state)
{
    (void)state;
    CLEANUP(buf_done) struct buf buf;
    buf_init(&buf);
    buf_add_str(&buf, "kept");
    assert_false(buf_grow(&buf, SIZE_MAX));
    assert_true(buf_failed(&buf));
    buf_add_str(&buf, "lost");
    buf_printf(&buf, "%s", "lost");
    buf_add_be16(&buf, 1);
    assert_string_equal(buf.data, "kept");
    assert_false(buf_grow(&buf, 0));
    buf_clear(&buf);
    assert_false(buf_failed(&buf));
    buf_add_str(&buf, "again");
    assert_string_equal(buf.data, "again");
}

static void growth_just_below_the_limit_of_size_t_is_refused(void **state)
{
    (void)state;
    CLEANUP(buf_done) struct buf buf;
    buf_init(&buf);
    assert_false(buf_grow(&buf, SIZE_MAX / 2));
    assert_true(buf_failed(&buf));
}

static void detach_hands_over_and_leaves_an_empty_buffer(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    buf_add_str(&buf, "mine");
    size_t len = 0;
    char *bytes = buf_detach(&buf, &len);
    assert_string_equal(bytes, "mine");
    assert_int_equal(len, 4);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.len, 0);
    free(bytes);
    bytes = buf_detach(&buf, NULL);
    assert_string_equal(bytes, "");
    free(bytes);
}

static void detach_of_a_failed_buffer_is_null(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    buf_add_str(&buf, "half");
    (void)buf_grow(&buf, SIZE_MAX);
    size_t len = 77;
    assert_null(buf_detach(&buf, &len));
    assert_int_equal(len, 77);
    assert_false(buf_failed(&buf));
    assert_int_equal(buf.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_buffer_reads_as_empty_text),
        cmocka_unit_test(appends_keep_bytes_and_closing_nul),
        cmocka_unit_test(growth_keeps_all),
        cmocka_unit_test(printf_fits_exactly_and_grows),
        cmocka_unit_test(integers_are_in_network_order),
        cmocka_unit_test(failed_growth_drops_all_further_appends),
        cmocka_unit_test(growth_just_below_the_limit_of_size_t_is_refused),
        cmocka_unit_test(detach_hands_over_and_leaves_an_empty_buffer),
        cmocka_unit_test(detach_of_a_failed_buffer_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
