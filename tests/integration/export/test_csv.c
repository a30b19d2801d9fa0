/* SPDX-License-Identifier: Apache-2.0 */
#include "export_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_field(const char *text, size_t len, const char *wanted)
{
    CLEANUP(buf_done) struct buf out;
    struct export_csv csv = {.out = &out};

    buf_init(&out);
    export_csv_text_n(&csv, text, len);
    assert_string_equal(out.data, wanted);
}

static void fields_stand_between_commas_and_rows_end_with_cr_lf(void **state UNUSED)
{
    CLEANUP(buf_done) struct buf out;
    struct export_csv csv = {.out = &out};

    buf_init(&out);
    export_csv_text(&csv, "a");
    export_csv_empty(&csv);
    export_csv_text(&csv, "");
    export_csv_text(&csv, NULL);
    export_csv_bool(&csv, true);
    export_csv_bool(&csv, false);
    export_csv_end(&csv);
    export_csv_text(&csv, "b");
    export_csv_end(&csv);
    assert_string_equal(out.data, "a,,,,true,false\r\nb\r\n");
}

static void an_empty_first_field_is_still_a_field(void **state UNUSED)
{
    CLEANUP(buf_done) struct buf out;
    struct export_csv csv = {.out = &out};

    buf_init(&out);
    export_csv_empty(&csv);
    export_csv_text(&csv, "x");
    export_csv_end(&csv);
    assert_string_equal(out.data, ",x\r\n");
}

static void what_would_break_a_row_is_quoted(void **state UNUSED)
{
    assert_field("a,b", 3, "\"a,b\"");
    assert_field("a\"b", 3, "\"a\"\"b\"");
    assert_field("\"", 1, "\"\"\"\"");
    assert_field("a\r\nb", 4, "\"a\r\nb\"");
    assert_field("a\n", 2, "\"a\n\"");
    assert_field("a b;c'd", 7, "a b;c'd");
    assert_field("\xc3\xa4\xe2\x82\xac", 5, "\xc3\xa4\xe2\x82\xac");
}

static void what_looks_like_a_formula_gets_an_apostrophe(void **state UNUSED)
{
    assert_field("=1+1", 4, "'=1+1");
    assert_field("+49", 3, "'+49");
    assert_field("-5", 2, "'-5");
    assert_field("@x", 2, "'@x");
    assert_field("\tx", 2, "'\tx");
    assert_field("\rx", 2, "\"'\rx\"");
    assert_field("\nx", 2, "\"'\nx\"");
    assert_field("=\"a\",b", 6, "\"'=\"\"a\"\",b\"");
    assert_field("=", 1, "'=");
    assert_field("a=1", 3, "a=1");
    assert_field("'=1", 3, "'=1");
    assert_field("", 0, "");
}

static void numbers_and_times_are_never_guarded(void **state UNUSED)
{
    CLEANUP(buf_done) struct buf out;
    struct export_csv csv = {.out = &out};

    buf_init(&out);
    export_csv_int(&csv, -5);
    export_csv_int(&csv, 0);
    export_csv_int(&csv, INT64_MIN);
    export_csv_int(&csv, INT64_MAX);
    export_csv_time(&csv, 0);
    export_csv_time(&csv, 1500);
    assert_string_equal(out.data, "-5,0,-9223372036854775808,9223372036854775807,"
                                  "1970-01-01T00:00:00Z,1970-01-01T00:00:00.001500Z");
}

static void bytes_are_hexadecimal(void **state UNUSED)
{
    static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff};
    CLEANUP(buf_done) struct buf out;
    struct export_csv csv = {.out = &out};

    buf_init(&out);
    export_csv_hex(&csv, bytes, sizeof(bytes));
    export_csv_hex(&csv, NULL, 0);
    export_csv_end(&csv);
    assert_string_equal(out.data, "007f80ff,\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_stand_between_commas_and_rows_end_with_cr_lf),
        cmocka_unit_test(an_empty_first_field_is_still_a_field),
        cmocka_unit_test(what_would_break_a_row_is_quoted),
        cmocka_unit_test(what_looks_like_a_formula_gets_an_apostrophe),
        cmocka_unit_test(numbers_and_times_are_never_guarded),
        cmocka_unit_test(bytes_are_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
