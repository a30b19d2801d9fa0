/* SPDX-License-Identifier: Apache-2.0 */
#include "db_it.h"

#include "db_params.h"
#include "db_result.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct db_conn *conn;
static struct db_params params;
static struct db_result res;

static int set_up(void **state)
{
    (void)state;
    conn = it_connect();
    db_params_init(&params);
    res = (struct db_result){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_result_done(&res);
    db_params_done(&params);
    db_conn_close(conn);
    return 0;
}

static void every_type_makes_the_round_trip(void **state)
{
    (void)state;
    static const uint32_t types[] = {DB_BOOL,  DB_INT2,  DB_INT4,        DB_INT8,    DB_TEXT,
                                     DB_BYTEA, DB_UUID,  DB_TIMESTAMPTZ, DB_NUMERIC, DB_NUMERIC,
                                     DB_JSON,  DB_JSONB, DB_XID8};
    static const struct db_stmt stmt = {
        .name = "round_trip",
        .text = "select $1 as a, $2 as b, $3 as c, $4 as d, $5 as e, $6 as f, $7 as g, $8 as h, "
                "$9 as i, $10 as j, $11 as k, $12 as l, $13 as m",
        .param_count = ARRAY_LEN(types),
        .param_types = types};
    static const uint8_t uuid[16] = {0x01, 0x90, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f};
    const unsigned __int128 huge = ((unsigned __int128)1 << 96) + 7;
    const int64_t now = INT64_C(1795201560123456);
    unsigned __int128 back = 0;
    char decimal[64];
    size_t len = 0;

    db_param_bool(&params, true);
    db_param_int2(&params, INT16_MIN);
    db_param_int4(&params, INT32_MAX);
    db_param_int8(&params, INT64_MIN);
    db_param_text(&params, "caf\xc3\xa9 \"quoted\" 'x' \\ {a,b}");
    db_param_bytea(&params, "\0\1\xff", 3);
    db_param_uuid(&params, uuid);
    db_param_timestamptz(&params, now);
    db_param_numeric(&params, "-1234567.8900");
    db_param_numeric_u128(&params, huge);
    db_param_json(&params, "{\"a\": [1]}", 10);
    db_param_jsonb(&params, "{\"b\":1,\"a\":2}", 13);
    db_param_xid8(&params, UINT64_C(0x123456789abc));
    ok(db_query(conn, &stmt, &params, &res, err));

    assert_int_equal(db_result_rows(&res), 1);
    assert_int_equal(db_result_cols(&res), 13);
    assert_int_equal(db_col(&res, "d"), 3);
    assert_int_equal(db_col(&res, "D"), -1);
    assert_int_equal(db_col(&res, "nothing"), -1);
    assert_true(db_get_bool(&res, 0, 0));
    assert_int_equal(db_get_int16(&res, 0, 1), INT16_MIN);
    assert_int_equal(db_get_int32(&res, 0, 1), INT16_MIN); /* widened */
    assert_int_equal(db_get_int32(&res, 0, 2), INT32_MAX);
    assert_int_equal(db_get_int64(&res, 0, 2), INT32_MAX);
    assert_true(db_get_int64(&res, 0, 3) == INT64_MIN);
    assert_string_equal(db_get_text(&res, 0, 4, &len), "caf\xc3\xa9 \"quoted\" 'x' \\ {a,b}");
    assert_int_equal(len, 26);
    assert_memory_equal(db_get_bytea(&res, 0, 5, &len), "\0\1\xff", 3);
    assert_int_equal(len, 3);
    assert_memory_equal(db_get_uuid(&res, 0, 6), uuid, 16);
    assert_int_equal(db_get_timestamptz(&res, 0, 7), now);
    assert_true(db_get_numeric(&res, 0, 8, decimal, sizeof(decimal)));
    assert_string_equal(decimal, "-1234567.8900");
    assert_false(db_get_numeric_u128(&res, 0, 8, &back));
    assert_true(db_get_numeric_u128(&res, 0, 9, &back));
    assert_true(back == huge);
    assert_string_equal(db_get_text(&res, 0, 10, NULL), "{\"a\": [1]}");
    assert_string_equal(db_get_text(&res, 0, 11, &len), "{\"a\": 2, \"b\": 1}");
    assert_int_equal(len, 16);
    assert_int_equal(db_get_xid8(&res, 0, 12), UINT64_C(0x123456789abc));
}

/* What we encode is what the server reads: its own text of each value. */
static void the_server_reads_what_we_mean(void **state)
{
    (void)state;
    static const char *const decimals[] = {"0",
                                           "-0.001",
                                           "12345.678",
                                           "10000",
                                           "99999999.99999999",
                                           "0.00001234",
                                           "340282366920938463463374607431768211455"};

    for (size_t i = 0; i < ARRAY_LEN(decimals); i++) {
        db_params_reset(&params);
        db_param_numeric(&params, decimals[i]);
        ok(db_query_once(conn, "select $1::numeric::text", &params, &res, err));
        assert_string_equal(db_get_text(&res, 0, 0, NULL), decimals[i]);
    }
    static const struct {
        int64_t us;
        const char *text;
    } times[] = {
        {0, "1970-01-01 00:00:00+00"},
        {TIME_PG_EPOCH_US - 1, "1999-12-31 23:59:59.999999+00"},
        {TIME_MAX_US, "9999-12-31 23:59:59.999999+00"},
        {INT64_MAX, "infinity"},
        {INT64_MIN, "-infinity"},
    };
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        db_params_reset(&params);
        db_param_timestamptz(&params, times[i].us);
        ok(db_query_once(conn, "select $1::timestamptz::text, $1::timestamptz", &params, &res,
                         err));
        assert_string_equal(db_get_text(&res, 0, 0, NULL), times[i].text);
        assert_true(db_get_timestamptz(&res, 0, 1) == times[i].us);
    }
}

static void numbers_of_the_server_are_read(void **state)
{
    (void)state;
    static const char *const decimals[] = {
        "0",   "0.00",     "1.10",      "100000000", "-5",    "0.00010",   "1234.5",
        "NaN", "Infinity", "-Infinity", "1e30",      "1e-10", "10000.0001"};
    static const char *const texts[] = {"0",
                                        "0.00",
                                        "1.10",
                                        "100000000",
                                        "-5",
                                        "0.00010",
                                        "1234.5",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "1000000000000000000000000000000",
                                        "0.0000000001",
                                        "10000.0001"};

    for (size_t i = 0; i < ARRAY_LEN(decimals); i++) {
        char out[64];

        db_params_reset(&params);
        db_param_text(&params, decimals[i]);
        ok(db_query_once(conn, "select $1::text::numeric", &params, &res, err));
        assert_true(db_get_numeric(&res, 0, 0, out, sizeof(out)));
        assert_string_equal(out, texts[i]);
    }
}

static void null_reads_as_nothing(void **state)
{
    (void)state;
    unsigned __int128 number = 7;
    size_t len = 7;
    struct db_array array;

    for (int i = 0; i < 3; i++)
        db_param_null(&params);
    ok(db_query_once(conn,
                     "select $1::int, $2::text, $3::bytea, null::uuid, null::timestamptz, "
                     "null::numeric, null::bool, null::int[], ''::text, null::xid8",
                     &params, &res, err));
    for (int col = 0; col < 10; col++)
        assert_int_equal(db_is_null(&res, 0, col), col != 8);
    assert_int_equal(db_get_int32(&res, 0, 0), 0);
    assert_string_equal(db_get_text(&res, 0, 1, &len), "");
    assert_int_equal(len, 0);
    len = 7;
    assert_non_null(db_get_bytea(&res, 0, 2, &len));
    assert_int_equal(len, 0);
    assert_null(db_get_uuid(&res, 0, 3));
    assert_int_equal(db_get_timestamptz(&res, 0, 4), 0);
    assert_true(db_get_numeric_u128(&res, 0, 5, &number));
    assert_true(number == 0);
    assert_false(db_get_bool(&res, 0, 6));
    db_get_array(&res, 0, 7, &array);
    assert_int_equal(array.count, 0);
    assert_string_equal(db_get_text(&res, 0, 8, NULL), "");
    assert_int_equal(db_get_xid8(&res, 0, 9), 0);
}

static void arrays_make_the_round_trip(void **state)
{
    (void)state;
    struct db_array array;
    int64_t value = 0;
    bool null = false;
    const char *text = NULL;
    size_t len = 0;
    const uint8_t *uuid = NULL;
    static const uint8_t id[16] = {9};

    db_array_begin(&params, DB_INT4);
    db_array_int4(&params, -5);
    db_array_null(&params);
    db_array_int4(&params, 7);
    db_array_end(&params);
    db_array_begin(&params, DB_TEXT);
    db_array_text(&params, "a,b");
    db_array_text(&params, NULL);
    db_array_text(&params, "");
    db_array_end(&params);
    db_array_begin(&params, DB_INT8);
    db_array_end(&params);
    db_array_begin(&params, DB_UUID);
    db_array_uuid(&params, id);
    db_array_end(&params);
    db_array_begin(&params, DB_INT2);
    db_array_int2(&params, -1);
    db_array_end(&params);
    ok(db_query_once(conn, "select $1::int[], $2::text[], $3::bigint[], $4::uuid[], $5::smallint[]",
                     &params, &res, err));

    db_get_array(&res, 0, 0, &array);
    assert_int_equal(array.count, 3);
    assert_true(db_array_next_int(&array, &value, &null));
    assert_int_equal(value, -5);
    assert_false(null);
    assert_true(db_array_next_int(&array, &value, &null));
    assert_true(null);
    assert_true(db_array_next_int(&array, &value, &null));
    assert_int_equal(value, 7);
    assert_false(db_array_next_int(&array, &value, &null));
    assert_false(db_array_next_int(&array, &value, &null));

    db_get_array(&res, 0, 1, &array);
    assert_true(db_array_next_text(&array, &text, &len, &null));
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a,b", 3);
    assert_true(db_array_next_text(&array, &text, &len, &null));
    assert_true(null);
    assert_true(db_array_next_text(&array, &text, &len, &null));
    assert_false(null);
    assert_int_equal(len, 0);
    assert_false(db_array_next_text(&array, &text, &len, NULL));

    db_get_array(&res, 0, 2, &array);
    assert_int_equal(array.count, 0);
    assert_false(db_array_next_int(&array, &value, NULL));
    db_get_array(&res, 0, 3, &array);
    assert_true(db_array_next_uuid(&array, &uuid));
    assert_memory_equal(uuid, id, 16);
    db_get_array(&res, 0, 4, &array);
    assert_true(db_array_next_int(&array, &value, NULL));
    assert_int_equal(value, -1);
}

static void a_hundred_thousand_elements_go_in_and_come_back(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const uint32_t types[] = {DB_INT8_ARRAY, DB_TEXT_ARRAY};
    static const struct db_stmt stmt = {
        .name = "unnest",
        .text = "select n, t from unnest($1, $2) with ordinality as u(n, t, i) order by i",
        .param_count = 2,
        .param_types = types};

    for (int round = 0; round < 2; round++) {
        db_params_reset(&params);
        db_array_begin(&params, DB_INT8);
        for (int64_t i = 0; i < COUNT; i++)
            db_array_int8(&params, i * 1000003);
        db_array_end(&params);
        db_array_begin(&params, DB_TEXT);
        for (int i = 0; i < COUNT; i++) {
            char text[32];
            db_array_text_n(&params, text, (size_t)snprintf(text, sizeof(text), "code-%d", i));
        }
        db_array_end(&params);
        ok(db_query(conn, &stmt, &params, &res, err));
        assert_int_equal(db_result_rows(&res), COUNT);
        assert_int_equal(db_result_affected(&res), COUNT);
        for (int i = 0; i < COUNT; i++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "code-%d", i);
            if (db_get_int64(&res, i, 0) != (int64_t)i * 1000003 ||
                strcmp(db_get_text(&res, i, 1, NULL), text) != 0)
                fail_msg("element %d", i);
        }
    }
}

static void a_statement_is_prepared_once_per_connection(void **state)
{
    (void)state;
    static const struct db_stmt one = {.name = "once", .text = "select 1"};
    static const char prepared[] =
        "select count(*) from pg_prepared_statements where name = 'once'";

    assert_int_equal(it_number(conn, prepared), 0);
    for (int i = 0; i < 3; i++)
        ok(db_query(conn, &one, NULL, &res, err));
    assert_int_equal(it_number(conn, prepared), 1);

    struct db_conn *other = it_connect();
    ok(db_query(other, &one, NULL, NULL, err));
    assert_int_equal(it_number(other, prepared), 1);
    db_conn_close(other);
}

static void many_statements_are_all_remembered(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static struct db_stmt stmts[COUNT];
    static char names[COUNT][16];

    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "many_%d", i);
        stmts[i] = (struct db_stmt){.name = names[i], .text = "select 1"};
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++)
            ok(db_query(conn, &stmts[i], NULL, NULL, err));
    }
    assert_int_equal(it_number(conn, "select count(*) from pg_prepared_statements where name like "
                                     "'many_%'"),
                     COUNT);
}

static void a_statement_that_cannot_be_prepared_can_be_tried_again(void **state)
{
    (void)state;
    static const struct db_stmt stmt = {.name = "later", .text = "select count(*) from later"};

    fails(db_query(conn, &stmt, NULL, &res, err), ERR_FATAL, "42P01");
    assert_non_null(strstr(it_last_err.text, "later: "));
    assert_null(res.pg);
    it_exec(conn, "create table later (id int)");
    ok(db_query(conn, &stmt, NULL, &res, err));
    assert_int_equal(db_get_int64(&res, 0, 0), 0);
}

static void a_failure_leaves_the_earlier_result_alone(void **state)
{
    (void)state;
    ok(db_query_once(conn, "select 42", NULL, &res, err));
    fails(db_query_once(conn, "select 1 / 0", NULL, &res, err), ERR_POISON, "22012");
    assert_int_equal(db_get_int32(&res, 0, 0), 42);
}

static void wrong_parameters_are_found_before_anything_is_sent(void **state)
{
    (void)state;
    static const uint32_t types[] = {DB_INT4};
    static const struct db_stmt stmt = {
        .name = "typed", .text = "select $1 + 1", .param_count = 1, .param_types = types};

    ok(db_tx_begin(conn, err));
    db_param_int8(&params, 1);
    fails(db_query(conn, &stmt, &params, &res, err), ERR_BUG, "params");
    fails(db_query(conn, &stmt, NULL, &res, err), ERR_BUG, "params");
    assert_int_equal(db_tx_state(conn), DB_TX_OPEN);
    db_params_reset(&params);
    db_param_int4(&params, 1);
    ok(db_query(conn, &stmt, &params, &res, err));
    assert_int_equal(db_get_int32(&res, 0, 0), 2);
    ok(db_tx_rollback(conn, err));
}

static void affected_rows_are_counted(void **state)
{
    (void)state;
    it_exec(conn, "create table counted (id int)");
    ok(db_query_once(conn, "insert into counted select generate_series(1, 5)", NULL, &res, err));
    assert_int_equal(db_result_affected(&res), 5);
    assert_int_equal(db_result_rows(&res), 0);
    ok(db_query_once(conn, "update counted set id = 0 where id > 3 returning id", NULL, &res, err));
    assert_int_equal(db_result_affected(&res), 2);
    assert_int_equal(db_result_rows(&res), 2);
    ok(db_query_once(conn, "delete from counted where false", NULL, &res, err));
    assert_int_equal(db_result_affected(&res), 0);
    ok(db_query_once(conn, "set lock_timeout = 0", NULL, &res, err));
    assert_int_equal(db_result_affected(&res), 0);
}

static void several_commands_are_one_transaction(void **state)
{
    (void)state;
    it_exec(conn, "create table several (id int)");
    fails(db_exec(conn,
                  "insert into several values (1); select 1 / 0; insert into several values (2)",
                  err),
          ERR_POISON, "22012");
    assert_int_equal(it_number(conn, "select count(*) from several"), 0);
    it_exec(conn, "");
}

/* In a child, whose abort is what we want to see; it must not touch the connection. */
static void aborts(int row, int col, bool as_text)
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        if (as_text)
            (void)db_get_text(&res, row, col, NULL);
        else
            (void)db_get_int32(&res, row, col);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void reading_what_is_not_there_aborts(void **state)
{
    (void)state;
    ok(db_query_once(conn, "select 1::bigint, 'x'::text", NULL, &res, err));
    aborts(0, 0, false); /* bigint is wider than int */
    aborts(0, 1, false);
    aborts(0, 0, true);
    aborts(1, 1, true);
    aborts(-1, 1, true);
    aborts(0, 2, true);
    aborts(0, -1, true);
    assert_int_equal(db_get_int64(&res, 0, 0), 1);
}

static void copy_through_exec_is_refused(void **state)
{
    (void)state;
    fails(db_exec(conn, "copy pg_class to stdout", err), ERR_BUG, "copy");
    assert_false(db_conn_alive(conn));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_makes_the_round_trip),
        TEST(the_server_reads_what_we_mean),
        TEST(numbers_of_the_server_are_read),
        TEST(null_reads_as_nothing),
        TEST(arrays_make_the_round_trip),
        TEST(a_hundred_thousand_elements_go_in_and_come_back),
        TEST(a_statement_is_prepared_once_per_connection),
        TEST(many_statements_are_all_remembered),
        TEST(a_statement_that_cannot_be_prepared_can_be_tried_again),
        TEST(a_failure_leaves_the_earlier_result_alone),
        TEST(wrong_parameters_are_found_before_anything_is_sent),
        TEST(affected_rows_are_counted),
        TEST(several_commands_are_one_transaction),
        TEST(reading_what_is_not_there_aborts),
        TEST(copy_through_exec_is_refused),
    };

    it_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
