/* SPDX-License-Identifier: Apache-2.0 */
#include "db_it.h"

static struct db_conn *conn;

static int set_up(void **state)
{
    (void)state;
    conn = it_connect();
    it_exec(conn, "drop table if exists t; create table t (id int primary key)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_conn_close(conn);
    conn = NULL;
    return 0;
}

static int64_t count(void)
{
    return it_number(conn, "select count(*) from t");
}

static void commit_keeps_and_rollback_drops(void **state)
{
    (void)state;
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);
    ok(db_tx_begin(conn, err));
    assert_int_equal(db_tx_state(conn), DB_TX_OPEN);
    it_exec(conn, "insert into t values (1)");
    ok(db_tx_commit(conn, err));
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);

    ok(db_tx_begin(conn, err));
    it_exec(conn, "insert into t values (2)");
    ok(db_tx_rollback(conn, err));
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);
    assert_int_equal(count(), 1);
    ok(db_tx_rollback(conn, err)); /* nothing to do */
}

static void a_mode_is_what_it_says_whatever_the_defaults(void **state)
{
    (void)state;
    static const struct {
        enum db_tx_mode mode;
        const char *level;
        const char *read_only;
    } cases[] = {
        {DB_TX_READ_COMMITTED, "read committed", "off"},
        {DB_TX_SNAPSHOT, "repeatable read", "on"},
        {DB_TX_REPEATABLE_READ, "repeatable read", "off"},
        {DB_TX_SERIALIZABLE, "serializable", "off"},
    };

    it_exec(conn, "set default_transaction_isolation = 'serializable'");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ok(db_tx_begin_mode(conn, cases[i].mode, err));
        it_text_is(conn, "show transaction_isolation", cases[i].level);
        it_text_is(conn, "show transaction_read_only", cases[i].read_only);
        ok(db_tx_commit(conn, err));
    }
}

static void misuse_is_a_bug_and_leaves_no_transaction_behind(void **state)
{
    (void)state;
    fails(db_tx_commit(conn, err), ERR_BUG, "no_tx");
    ok(db_tx_begin(conn, err));
    fails(db_tx_begin(conn, err), ERR_BUG, "in_tx");
    fails(db_end_blockers(conn, err), ERR_BUG, "in_tx");
    fails(db_tx_savepoint(conn, "a b", err), ERR_BUG, "savepoint");
    fails(db_tx_savepoint(conn, "", err), ERR_BUG, "savepoint");
    fails(db_tx_savepoint(conn, "a\";drop table t;", err), ERR_BUG, "savepoint");
    it_exec(conn, "insert into t values (1)");
    fails(db_exec(conn, "insert into t values (1)", err), ERR_DUPLICATE, "23505");
    assert_int_equal(db_tx_state(conn), DB_TX_FAILED);
    fails(db_exec(conn, "select 1", err), ERR_BUG, "25P02");
    fails(db_tx_commit(conn, err), ERR_BUG, "tx_failed");
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);
    assert_int_equal(count(), 0);
}

static void a_savepoint_saves_what_was_before_it(void **state)
{
    (void)state;
    ok(db_tx_begin(conn, err));
    it_exec(conn, "insert into t values (1)");
    ok(db_tx_savepoint(conn, "row", err)); /* a key word */
    it_exec(conn, "insert into t values (2)");
    fails(db_exec(conn, "insert into t values (1)", err), ERR_DUPLICATE, "23505");
    assert_int_equal(db_tx_state(conn), DB_TX_FAILED);
    ok(db_tx_rollback_to(conn, "row", err));
    assert_int_equal(db_tx_state(conn), DB_TX_OPEN);
    it_exec(conn, "insert into t values (3)");
    ok(db_tx_rollback_to(conn, "row", err)); /* it is still there */
    it_exec(conn, "insert into t values (4)");
    ok(db_tx_release(conn, "row", err));
    ok(db_tx_commit(conn, err));
    assert_int_equal(count(), 2);
    assert_int_equal(it_number(conn, "select sum(id) from t"), 5);
}

static void a_deferred_check_fails_the_commit_and_nothing_is_there(void **state)
{
    (void)state;
    it_exec(conn, "drop table if exists child; "
                  "create table child (id int references t deferrable initially deferred)");
    ok(db_tx_begin(conn, err));
    it_exec(conn, "insert into child values (7)");
    fails(db_tx_commit(conn, err), ERR_POISON, "23503");
    assert_string_equal(db_conn_constraint(conn), "child_id_fkey");
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);
    assert_int_equal(it_number(conn, "select count(*) from child"), 0);
    it_exec(conn, "drop table child");
}

/* A deferred trigger ends its own session while COMMIT is under way. */
static void a_connection_lost_in_commit_is_commit_unknown(void **state)
{
    (void)state;
    it_exec(conn,
            "create or replace function end_me() returns trigger language plpgsql as "
            "$$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$; "
            "create constraint trigger end_me after insert on t deferrable initially deferred "
            "for each row execute function end_me()");
    ok(db_tx_begin(conn, err));
    it_exec(conn, "insert into t values (1)");
    fails(db_tx_commit(conn, err), ERR_TRANSIENT, DB_COMMIT_UNKNOWN);
    assert_int_equal(db_tx_state(conn), DB_TX_BROKEN);
    fails(db_tx_commit(conn, err), ERR_TRANSIENT, "connection_lost");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commit_keeps_and_rollback_drops),
        TEST(a_mode_is_what_it_says_whatever_the_defaults),
        TEST(misuse_is_a_bug_and_leaves_no_transaction_behind),
        TEST(a_savepoint_saves_what_was_before_it),
        TEST(a_deferred_check_fails_the_commit_and_nothing_is_there),
        TEST(a_connection_lost_in_commit_is_commit_unknown),
    };

    it_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
