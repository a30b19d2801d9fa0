/* SPDX-License-Identifier: Apache-2.0 */
#include "db_test.h"

#include "db_error.h"
#include "db_internal.h"

static void each_sqlstate_names_what_to_do_next(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        enum err_kind kind;
    } cases[] = {
        {"40001", ERR_RETRY},     {"40P01", ERR_RETRY},     {"55P03", ERR_RETRY},
        {"40000", ERR_RETRY},     {"55006", ERR_RETRY},     {"72000", ERR_RETRY},
        {"08000", ERR_TRANSIENT}, {"08006", ERR_TRANSIENT}, {"08P01", ERR_TRANSIENT},
        {"57P01", ERR_TRANSIENT}, {"57P02", ERR_TRANSIENT}, {"57P03", ERR_TRANSIENT},
        {"57P05", ERR_TRANSIENT}, {"57014", ERR_TRANSIENT}, {"53100", ERR_TRANSIENT},
        {"53300", ERR_TRANSIENT}, {"58030", ERR_TRANSIENT}, {"XX000", ERR_TRANSIENT},
        {"XX001", ERR_TRANSIENT}, {"25006", ERR_TRANSIENT}, {"25P03", ERR_TRANSIENT},
        {"26000", ERR_TRANSIENT}, {"40003", ERR_TRANSIENT}, {"23505", ERR_DUPLICATE},
        {"23502", ERR_POISON},    {"23503", ERR_POISON},    {"23514", ERR_POISON},
        {"23P01", ERR_POISON},    {"22003", ERR_POISON},    {"22021", ERR_POISON},
        {"22P02", ERR_POISON},    {"21000", ERR_POISON},    {"54000", ERR_POISON},
        {"P0001", ERR_POISON},    {"44000", ERR_POISON},    {"25P02", ERR_BUG},
        {"25001", ERR_BUG},       {"42601", ERR_FATAL},     {"42P01", ERR_FATAL},
        {"42501", ERR_FATAL},     {"28P01", ERR_FATAL},     {"28000", ERR_FATAL},
        {"3D000", ERR_FATAL},     {"0A000", ERR_FATAL},     {"P0002", ERR_FATAL},
        {"55000", ERR_FATAL},     {"99999", ERR_FATAL},     {"", ERR_FATAL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (db_error_kind(cases[i].sqlstate, NULL) != cases[i].kind)
            fail_msg("%s is %s", cases[i].sqlstate,
                     err_kind_name(db_error_kind(cases[i].sqlstate, NULL)));
    }
    assert_int_equal(db_error_kind("0A000", "RevalidateCachedQuery"), ERR_TRANSIENT);
    assert_int_equal(db_error_kind("0A000", "transformStmt"), ERR_FATAL);
}

static void scrubs(const char *sqlstate, const char *message, const char *expected)
{
    char out[384];
    db_error_scrub(sqlstate, message, out, sizeof(out));
    assert_string_equal(out, expected);
}

static void data_in_a_message_is_left_out(void **state)
{
    (void)state;
    scrubs("22P02", "invalid input syntax for type uuid: \"SPRING-1\"",
           "invalid input syntax for type uuid: \"?\"");
    scrubs("22003", "value \"SPRING-1\" is out of range for type integer",
           "value \"?\" is out of range for type integer");
    scrubs("22P02", "bad: \"a\"b: c\"", "bad: \"?\"");
    scrubs("22P02", "bad: \"line one\nline two\"", "bad: \"?\"");
    scrubs("22021", "invalid byte sequence for encoding \"UTF8\": 0xff",
           "invalid byte sequence for encoding \"?\"");
    scrubs("22001", "oops: SPRING-1", "oops");
    scrubs("22012", "division by zero", "division by zero");
    scrubs("22000", "", "");
}

static void names_in_other_messages_stay(void **state)
{
    (void)state;
    scrubs("23505", "duplicate key value violates unique constraint \"code_pkey\"",
           "duplicate key value violates unique constraint \"code_pkey\"");
    scrubs("42601", "syntax error at or near \"selct\"", "syntax error at or near \"selct\"");
    scrubs("", "server closed the connection unexpectedly\n\tThis probably means ...",
           "server closed the connection unexpectedly");
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    char out[8];
    db_error_scrub("42601", "syntax error", out, sizeof(out));
    assert_string_equal(out, "syntax ");
    db_error_scrub("22000", "value \"x\" bad", out, sizeof(out));
    assert_string_equal(out, "value \"");
}

static void a_refused_connection_keeps_its_sqlstate(void **state)
{
    (void)state;
    struct err err = {0};

    assert_int_equal(
        db_error_connect("connection to server at \"127.0.0.1\", port 5432 failed: "
                         "FATAL:  28P01: password authentication failed for user \"x\"\n"
                         "LOCATION:  auth_failed, auth.c:326\n",
                         &err),
        -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "28P01");
    assert_string_equal(err.text, "password authentication failed for user \"x\"");

    /* The severity is translated by the server; the SQLSTATE is not. */
    assert_int_equal(db_error_connect("... failed: FATALE:  57P03: le système démarre\n", &err),
                     -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "57P03");

    assert_int_equal(db_error_connect("connection to server at \"h\", port 1 failed: Connection "
                                      "refused\n\tIs the server running?\n",
                                      &err),
                     -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "connect");
    assert_string_equal(err.text,
                        "connection to server at \"h\", port 1 failed: Connection refused");

    assert_int_equal(db_error_connect("", &err), -1);
    assert_string_equal(err.text, "no connection");
}

static void only_our_own_domain_is_recognised(void **state)
{
    (void)state;
    struct err err = {0};

    assert_false(db_error_is(&err, ""));
    (void)err_set(&err, ERR_RETRY, DB_DOMAIN, DB_LOCK_TIMEOUT, "x");
    assert_true(db_error_is(&err, DB_LOCK_TIMEOUT));
    assert_false(db_error_is(&err, "40001"));
    (void)err_set(&err, ERR_RETRY, "kafka", DB_LOCK_TIMEOUT, "x");
    assert_false(db_error_is(&err, DB_LOCK_TIMEOUT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sqlstate_names_what_to_do_next),
        cmocka_unit_test(data_in_a_message_is_left_out),
        cmocka_unit_test(names_in_other_messages_stay),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(a_refused_connection_keeps_its_sqlstate),
        cmocka_unit_test(only_our_own_domain_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
