/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void set_fills_all_and_returns_minus_one(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_BUG, .pointer = "/old", .depth = 4};
    assert_int_equal(err_set(&err, ERR_FATAL, "conf", "missing", "%s of %d", "none", 3), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.domain, "conf");
    assert_string_equal(err.code, "missing");
    assert_string_equal(err.pointer, "");
    assert_string_equal(err.text, "none of 3");
    assert_int_equal(err.depth, 1);
    assert_non_null(strstr(err.trail[0].file, "test_base_err.c"));
    assert_true(err.trail[0].line > 0);
}

static void every_function_takes_null(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_BUG, "x", "x", "x"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
    assert_int_equal(err_field(NULL, "/x", "x", "x"), -1);
    assert_int_equal(err_nomem(NULL), -1);
    assert_int_equal(err_errno(NULL, ERR_FATAL, "x", EIO, "x"), -1);
    err_clear(NULL);
}

static void wrap_puts_context_in_front_and_keeps_the_rest(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_TRANSIENT, "db", "08006", "no connection");
    assert_int_equal(err_wrap(&err, "claim job %d", 7), -1);
    assert_string_equal(err.text, "claim job 7: no connection");
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "08006");
    assert_int_equal(err.depth, 2);
}

static void trail_holds_the_first_places_and_counts_on(void **state)
{
    (void)state;
    struct err err;
    (void)err_set_at(&err, "a.c", 1, ERR_RETRY, "db", "x", "x");
    for (int i = 0; i < 10; i++)
        (void)err_wrap_at(&err, "b.c", 10 + i, "y");
    assert_int_equal(err.depth, 11);
    assert_int_equal(err.trail[ERR_TRAIL_MAX - 1].line, 10 + ERR_TRAIL_MAX - 2);
}

static void text_may_be_made_from_the_old_text(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_RETRY, "db", "code", "old");
    (void)err_set(&err, ERR_FATAL, err.domain, err.code, "new, was %s", err.text);
    assert_string_equal(err.text, "new, was old");
    assert_string_equal(err.code, "code");
    (void)err_wrap(&err, "<%s>", err.text);
    assert_string_equal(err.text, "<new, was old>: new, was old");
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct err err;
    char text[1000];
    /* Two-byte characters behind 0 or 1 bytes: a cut at a fixed byte would split one of them. */
    for (size_t shift = 0; shift < 2; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 2 < sizeof(text); i += 2)
            memcpy(text + i, "\xc3\xa4", 3);
        (void)err_set(&err, ERR_POISON, "msg", "c", "%s", text);
        size_t len = strlen(err.text);
        assert_in_range(len, sizeof(err.text) - 2, sizeof(err.text) - 1);
        assert_int_equal((unsigned char)err.text[len - 1], 0xa4);
        (void)err_wrap(&err, "y");
        len = strlen(err.text);
        assert_in_range(len, sizeof(err.text) - 2, sizeof(err.text) - 1);
        assert_int_equal((unsigned char)err.text[len - 1], 0xa4);
    }
}

static void long_codes_and_pointers_are_cut(void **state)
{
    (void)state;
    struct err err;
    char text[300];
    memset(text, 'p', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(err_field(&err, text, text, "wrong"), -1);
    assert_int_equal(strlen(err.code), sizeof(err.code) - 1);
    assert_int_equal(strlen(err.pointer), sizeof(err.pointer) - 1);
}

static void field_is_poison_of_a_message(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_field(&err, "/codes/0", "too_long", "longer than %d", 64), -1);
    assert_int_equal(err.kind, ERR_POISON);
    assert_string_equal(err.domain, "msg");
    assert_string_equal(err.pointer, "/codes/0");
    assert_string_equal(err.code, "too_long");
    assert_string_equal(err.text, "longer than 64");
}

static void errno_gives_its_name_or_number(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_errno(&err, ERR_FATAL, "conf", ENOENT, "open %s", "x"), -1);
    assert_string_equal(err.code, "ENOENT");
    assert_string_equal(err.text, "open x: No such file or directory");
    assert_int_equal(err.kind, ERR_FATAL);
    (void)err_errno(&err, ERR_FATAL, "conf", 99999, "open");
    assert_string_equal(err.code, "99999");
    assert_string_equal(err.text, "open: unknown error");
}

static void nomem_is_transient(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_nomem(&err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "out_of_memory");
}

static void clear_empties(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_BUG, "x", "y", "z");
    err_clear(&err);
    assert_int_equal(err.kind, ERR_NONE);
    assert_string_equal(err.text, "");
    assert_int_equal(err.depth, 0);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(err_kind_name(ERR_NONE), "none");
    assert_string_equal(err_kind_name(ERR_RETRY), "retry");
    assert_string_equal(err_kind_name(ERR_TRANSIENT), "transient");
    assert_string_equal(err_kind_name(ERR_DUPLICATE), "duplicate");
    assert_string_equal(err_kind_name(ERR_POISON), "poison");
    assert_string_equal(err_kind_name(ERR_FATAL), "fatal");
    assert_string_equal(err_kind_name(ERR_BUG), "bug");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_all_and_returns_minus_one),
        cmocka_unit_test(every_function_takes_null),
        cmocka_unit_test(wrap_puts_context_in_front_and_keeps_the_rest),
        cmocka_unit_test(trail_holds_the_first_places_and_counts_on),
        cmocka_unit_test(text_may_be_made_from_the_old_text),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(long_codes_and_pointers_are_cut),
        cmocka_unit_test(field_is_poison_of_a_message),
        cmocka_unit_test(errno_gives_its_name_or_number),
        cmocka_unit_test(nomem_is_transient),
        cmocka_unit_test(clear_empties),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
