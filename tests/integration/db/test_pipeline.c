/* SPDX-License-Identifier: Apache-2.0 */
#include "db_it.h"

#include "db_params.h"
#include "db_result.h"

static const uint32_t int_types[] = {DB_INT4};
static const struct db_stmt insert = {.name = "pl_insert",
                                      .text = "insert into p values ($1) returning id * 10",
                                      .param_count = 1,
                                      .param_types = int_types};
static const struct db_stmt divide = {
    .name = "pl_divide", .text = "select 100 / $1", .param_count = 1, .param_types = int_types};
static const struct db_stmt repeat = {.name = "pl_repeat",
                                      .text = "select repeat('x', $1)",
                                      .param_count = 1,
                                      .param_types = int_types};
static const struct db_stmt unpreparable = {.name = "pl_bad", .text = "select * from nowhere"};

static struct db_conn *conn;
static struct db_params params;
static struct db_result results[DB_PIPELINE_MAX];

static int set_up(void **state)
{
    (void)state;
    conn = it_connect();
    it_exec(conn, "drop table if exists p; create table p (id int primary key)");
    db_params_init(&params);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < DB_PIPELINE_MAX; i++)
        db_result_done(&results[i]);
    db_params_done(&params);
    db_conn_close(conn);
    return 0;
}

static void queue_int(const struct db_stmt *stmt, int32_t value)
{
    db_params_reset(&params);
    db_param_int4(&params, value);
    ok(db_pipeline_queue(conn, stmt, &params, err));
}

static void results_come_in_the_order_of_the_statements(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) { /* the second time everything is prepared */
        ok(db_tx_begin(conn, err));
        ok(db_pipeline_begin(conn, err));
        queue_int(&insert, 2 * round + 1);
        queue_int(&divide, 5);
        queue_int(&insert, 2 * round + 2);
        ok(db_pipeline_sync(conn, results, 3, err));
        assert_int_equal(db_get_int32(&results[0], 0, 0), 20 * round + 10);
        assert_int_equal(db_get_int32(&results[1], 0, 0), 20);
        assert_int_equal(db_get_int32(&results[2], 0, 0), 20 * round + 20);
        ok(db_tx_commit(conn, err));
    }
    assert_int_equal(it_number(conn, "select count(*) from p"), 4);
    assert_int_equal(it_number(conn, "select count(*) from pg_prepared_statements where name in "
                                     "('pl_insert', 'pl_divide')"),
                     2);
}

static void an_error_in_the_middle_ends_the_rest(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    queue_int(&insert, 1);
    queue_int(&divide, 0);
    queue_int(&insert, 2);
    queue_int(&repeat, 1); /* never prepared: it was skipped */
    fails(db_pipeline_sync(conn, results, 4, err), ERR_POISON, "22012");
    assert_non_null(strstr(it_last_err.text, "pl_divide"));
    for (int i = 0; i < 4; i++)
        assert_null(results[i].pg);
    assert_int_equal(db_tx_state(conn), DB_TX_FAILED);
    ok(db_tx_rollback(conn, err));
    assert_int_equal(it_number(conn, "select count(*) from p"), 0);

    /* What was skipped, and what was not, work afterwards. */
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    queue_int(&repeat, 3);
    queue_int(&insert, 1);
    ok(db_pipeline_sync(conn, results, 2, err));
    assert_string_equal(db_get_text(&results[0], 0, 0, NULL), "xxx");
    ok(db_tx_commit(conn, err));
    assert_int_equal(it_number(conn, "select count(*) from p"), 1);
}

static void a_savepoint_survives_an_error_in_a_pipeline(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    it_exec(conn, "insert into p values (9)");
    ok(db_tx_savepoint(conn, "careful", err));
    ok(db_pipeline_begin(conn, err));
    queue_int(&insert, 1);
    queue_int(&insert, 9);
    fails(db_pipeline_sync(conn, NULL, 0, err), ERR_DUPLICATE, "23505");
    assert_string_equal(db_conn_constraint(conn), "p_pkey");
    ok(db_tx_rollback_to(conn, "careful", err));
    ok(db_tx_commit(conn, err));
    assert_int_equal(it_number(conn, "select sum(id) from p"), 9);
}

static void a_statement_that_cannot_be_prepared_fails_the_pipeline(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    queue_int(&insert, 1);
    ok(db_pipeline_queue(conn, &unpreparable, NULL, err));
    queue_int(&insert, 2);
    fails(db_pipeline_sync(conn, results, 3, err), ERR_FATAL, "42P01");
    ok(db_tx_rollback(conn, err));
    it_exec(conn, "select 1");
}

static void a_mistake_while_queueing_comes_out_of_sync_again(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    queue_int(&insert, 1);
    db_params_reset(&params);
    db_param_int8(&params, 1);
    fails(db_pipeline_queue(conn, &insert, &params, err), ERR_BUG, "params");
    db_params_reset(&params);
    db_param_int4(&params, 2);
    fails(db_pipeline_queue(conn, &insert, &params, err), ERR_BUG, "params");
    fails(db_pipeline_sync(conn, results, 1, err), ERR_BUG, "params");
    assert_null(results[0].pg);
    ok(db_tx_rollback(conn, err));
    assert_int_equal(it_number(conn, "select count(*) from p"), 0);
}

static void rollback_ends_a_pipeline_that_was_left(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    queue_int(&insert, 1);
    queue_int(&insert, 1);
    ok(db_tx_rollback(conn, err));
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);
    assert_int_equal(it_number(conn, "select count(*) from p"), 0);
}

static void misuse_is_a_bug(void **state)
{
    (void)state;
    fails(db_pipeline_begin(conn, err), ERR_BUG, "no_tx");
    fails(db_pipeline_queue(conn, &insert, NULL, err), ERR_BUG, "pipeline");
    fails(db_pipeline_sync(conn, NULL, 0, err), ERR_BUG, "pipeline");
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    fails(db_pipeline_begin(conn, err), ERR_BUG, "busy");
    fails(db_exec(conn, "select 1", err), ERR_BUG, "busy");
    fails(db_tx_commit(conn, err), ERR_BUG, "busy");
    queue_int(&insert, 1);
    fails(db_pipeline_sync(conn, results, 2, err), ERR_BUG, "pipeline");
    ok(db_pipeline_begin(conn, err));
    ok(db_pipeline_sync(conn, results, 0, err)); /* empty */
    ok(db_tx_rollback(conn, err));
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    for (int i = 0; i < DB_PIPELINE_MAX; i++)
        queue_int(&insert, i);
    ok(db_pipeline_sync(conn, results, DB_PIPELINE_MAX, err));
    for (int i = 0; i < DB_PIPELINE_MAX; i++)
        assert_int_equal(db_get_int32(&results[i], 0, 0), 10 * i);
    ok(db_pipeline_begin(conn, err));
    for (int i = 0; i < DB_PIPELINE_MAX; i++)
        queue_int(&divide, 1);
    fails(db_pipeline_queue(conn, &divide, &params, err), ERR_BUG, "pipeline");
    ok(db_tx_rollback(conn, err));
}

/* More in both directions than any socket buffers: who only writes would wait for ever. */
static void large_parameters_and_large_results_do_not_block_each_other(void **state)
{
    (void)state;
    enum { COUNT = 60, SIZE = 1000000 };
    static const uint32_t text_types[] = {DB_TEXT};
    static const struct db_stmt echo = {
        .name = "pl_echo", .text = "select $1 || $1", .param_count = 1, .param_types = text_types};
    char *text = malloc(SIZE);

    assert_non_null(text);
    memset(text, 'y', SIZE);
    db_params_reset(&params);
    db_param_text_n(&params, text, SIZE);
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    for (int i = 0; i < COUNT; i++)
        ok(db_pipeline_queue(conn, &echo, &params, err));
    ok(db_pipeline_sync(conn, results, COUNT, err));
    for (int i = 0; i < COUNT; i++) {
        size_t len = 0;
        (void)db_get_text(&results[i], 0, 0, &len);
        assert_int_equal(len, 2 * SIZE);
    }
    ok(db_tx_commit(conn, err));
    free(text);
}

static void a_session_that_ends_in_a_pipeline_is_transient(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    ok(db_pipeline_begin(conn, err));
    queue_int(&insert, 1);
    it_terminate(conn);
    queue_int(&insert, 2);
    fails(db_pipeline_sync(conn, results, 2, err), ERR_TRANSIENT, "57P01");
    assert_int_equal(db_tx_state(conn), DB_TX_BROKEN);
    fails(db_pipeline_sync(conn, results, 2, err), ERR_TRANSIENT, "connection_lost");
    fails(db_pipeline_queue(conn, &insert, &params, err), ERR_TRANSIENT, "connection_lost");
    fails(db_pipeline_begin(conn, err), ERR_TRANSIENT, "connection_lost");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(results_come_in_the_order_of_the_statements),
        TEST(an_error_in_the_middle_ends_the_rest),
        TEST(a_savepoint_survives_an_error_in_a_pipeline),
        TEST(a_statement_that_cannot_be_prepared_fails_the_pipeline),
        TEST(a_mistake_while_queueing_comes_out_of_sync_again),
        TEST(rollback_ends_a_pipeline_that_was_left),
        TEST(misuse_is_a_bug),
        TEST(there_is_room_for_so_many_and_no_more),
        TEST(large_parameters_and_large_results_do_not_block_each_other),
        TEST(a_session_that_ends_in_a_pipeline_is_transient),
    };

    it_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
