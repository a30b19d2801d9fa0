/* SPDX-License-Identifier: Apache-2.0
 *
 * Each class of errors, provoked for real.
 */
#include "db_it.h"

#include "db_migrate.h"
#include "db_params.h"

#include <pthread.h>
#include <unistd.h>

static struct db_conn *a;
static struct db_conn *b;

static int set_up(void **state)
{
    const struct db_settings settings = {.application_name = "promofleet/errors",
                                         .lock_timeout_ms = 300};
    (void)state;
    a = it_open(&settings);
    b = it_open(&settings);
    it_exec(a, "drop table if exists t, u; "
               "create table t (id int primary key, n int not null default 0 "
               "constraint n_small check (n < 100), name text); "
               "create table u (id int constraint u_t references t); "
               "insert into t (id) values (1), (2)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_conn_close(a);
    db_conn_close(b);
    return 0;
}

static void a_duplicate_key_names_its_constraint(void **state)
{
    (void)state;
    fails(db_exec(a, "insert into t (id) values (1)", err), ERR_DUPLICATE, "23505");
    assert_string_equal(db_conn_constraint(a), "t_pkey");
    assert_non_null(strstr(it_last_err.text, "t_pkey"));
    assert_null(strstr(it_last_err.text, "(1)")); /* DETAIL has the key */
    fails(db_exec(a, "selct", err), ERR_FATAL, "42601");
    assert_string_equal(db_conn_constraint(a), "");
}

static void broken_constraints_are_poison(void **state)
{
    (void)state;
    fails(db_exec(a, "insert into t values (3, 100)", err), ERR_POISON, "23514");
    assert_string_equal(db_conn_constraint(a), "n_small");
    fails(db_exec(a, "insert into t values (3, null)", err), ERR_POISON, "23502");
    fails(db_exec(a, "insert into u values (3)", err), ERR_POISON, "23503");
    assert_string_equal(db_conn_constraint(a), "u_t");
    fails(db_exec(a, "do $$ begin raise exception 'no'; end $$", err), ERR_POISON, "P0001");
    fails(db_exec(a,
                  "insert into t values (1, 1), (1, 2) on conflict (id) do update set n = "
                  "excluded.n",
                  err),
          ERR_POISON, "21000");
}

static void bad_data_is_poison_and_is_not_repeated(void **state)
{
    (void)state;
    struct db_params params CLEANUP(db_params_done);
    static const char query[] = "select $1::text::uuid";

    db_params_init(&params);
    db_param_text(&params, "SPRING-1");
    fails(db_query_once(a, query, &params, NULL, err), ERR_POISON, "22P02");
    assert_null(strstr(it_last_err.text, "SPRING"));
    assert_non_null(strstr(it_last_err.text, "uuid"));

    db_params_reset(&params);
    db_param_text_n(&params, "a\0b", 3);
    fails(db_query_once(a, "select $1::text", &params, NULL, err), ERR_POISON, "22021");
    db_params_reset(&params);
    db_param_text(&params, "\xff\xfe");
    fails(db_query_once(a, "select $1::text", &params, NULL, err), ERR_POISON, "22021");
    assert_null(strstr(it_last_err.text, "0xff"));

    fails(db_exec(a, "select 1 / (select 0)", err), ERR_POISON, "22012");
    fails(db_exec(a, "select 2147483647 + (select 1)", err), ERR_POISON, "22003");
}

static void what_the_code_gets_wrong_is_fatal(void **state)
{
    (void)state;
    fails(db_exec(a, "selct 1", err), ERR_FATAL, "42601");
    fails(db_exec(a, "select * from nowhere", err), ERR_FATAL, "42P01");
    fails(db_exec(a, "select nothing from t", err), ERR_FATAL, "42703");
    fails(db_query_once(a, "select 1; select 2", NULL, NULL, err), ERR_FATAL, "42601");
    assert_true(db_conn_alive(a));
}

static void a_read_only_server_is_transient(void **state)
{
    (void)state;
    ok(db_tx_begin_mode(a, DB_TX_SNAPSHOT, err));
    fails(db_exec(a, "insert into t values (3)", err), ERR_TRANSIENT, "25006");
    ok(db_tx_rollback(a, err));
}

static void a_statement_that_takes_too_long_is_transient(void **state)
{
    (void)state;
    it_exec(a, "set statement_timeout = 100");
    fails(db_exec(a, "select pg_sleep(10)", err), ERR_TRANSIENT, "57014");
    it_exec(a, "select 1"); /* the connection stands */
}

static void a_lock_that_is_not_had_in_time_is_retried(void **state)
{
    (void)state;
    ok(db_tx_begin(a, err));
    it_exec(a, "update t set n = 1 where id = 1");
    fails(db_exec(b, "update t set n = 2 where id = 1", err), ERR_RETRY, DB_LOCK_TIMEOUT);
    ok(db_tx_commit(a, err));
    it_exec(b, "update t set n = 2 where id = 1");
}

static void a_stale_snapshot_is_retried(void **state)
{
    (void)state;
    ok(db_tx_begin_mode(a, DB_TX_REPEATABLE_READ, err));
    it_exec(a, "select * from t");
    it_exec(b, "update t set n = n + 1 where id = 1");
    fails(db_exec(a, "update t set n = n + 1 where id = 1", err), ERR_RETRY, "40001");
    ok(db_tx_rollback(a, err));
}

struct crossing {
    struct db_conn *conn;
    const char *second;
    struct err err;
    int rc;
};

static void *second_lock(void *opaque)
{
    struct crossing *crossing = opaque;

    crossing->rc = db_exec(crossing->conn, crossing->second, &crossing->err);
    if (crossing->rc < 0 && db_tx_rollback(crossing->conn, NULL) < 0)
        crossing->err.kind = ERR_BUG;
    return NULL;
}

static void one_of_a_deadlock_is_retried_and_the_other_goes_on(void **state)
{
    (void)state;
    struct crossing one = {.conn = a, .second = "update t set n = 1 where id = 2"};
    struct crossing two = {.conn = b, .second = "update t set n = 1 where id = 1"};
    pthread_t thread;

    it_exec(a, "set lock_timeout = 0");
    it_exec(b, "set lock_timeout = 0");
    ok(db_tx_begin(a, err));
    ok(db_tx_begin(b, err));
    it_exec(a, "update t set n = 1 where id = 1");
    it_exec(b, "update t set n = 1 where id = 2");
    assert_int_equal(pthread_create(&thread, NULL, second_lock, &one), 0);
    (void)second_lock(&two);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(one.rc + two.rc, -1);
    const struct crossing *loser = one.rc < 0 ? &one : &two;
    assert_int_equal(loser->err.kind, ERR_RETRY);
    assert_string_equal(loser->err.code, "40P01");
    ok(db_tx_rollback(a, err));
    ok(db_tx_rollback(b, err));
}

static void a_plan_from_before_a_migration_costs_the_connection_only(void **state)
{
    (void)state;
    static const struct db_stmt all = {.name = "all_of_t", .text = "select * from t"};

    ok(db_query(a, &all, NULL, NULL, err));
    it_exec(b, "alter table t add column later int");
    fails(db_query(a, &all, NULL, NULL, err), ERR_TRANSIENT, "0A000");
    fails(db_exec(a, "create table x (like (select 1))", err), ERR_FATAL, "42601");
}

static void too_many_connections_are_transient(void **state)
{
    (void)state;
    struct db_settings settings = {.url = it_url};
    struct db_conn *conn = NULL;

    it_exec(a, "do $$ begin execute format('alter database %I connection limit 2', "
               "current_database()); end $$");
    /* Does not hold for a superuser: then there is nothing to see. */
    if (it_number(a, "select count(*) from pg_roles where rolname = current_user and rolsuper") ==
        0)
        fails(db_conn_open(&settings, &conn, err), ERR_TRANSIENT, "53300");
    it_exec(a, "do $$ begin execute format('alter database %I connection limit -1', "
               "current_database()); end $$");
}

/* A session that holds a lock and does not move (its process is stopped, say) is ended by who it
 * blocks. */
static void a_frozen_session_is_ended_by_the_one_it_blocks(void **state)
{
    (void)state;
    int ended = 0;

    ok(db_migrate(b, NULL, NULL, err));
    ok(db_tx_begin(a, err));
    it_exec(a, "update t set n = 1 where id = 1");
    fails(db_exec(b, "update t set n = 2 where id = 1", err), ERR_RETRY, DB_LOCK_TIMEOUT);
    for (int i = 0; i < 50 && ended == 0; i++) {
        ok(ended = db_end_blockers(b, err));
        (void)usleep(ended == 0 ? 100000 : 0);
    }
    assert_int_equal(ended, 1);
    it_exec(b, "update t set n = 2 where id = 1");
    fails(db_tx_commit(a, err), ERR_TRANSIENT, DB_COMMIT_UNKNOWN);
    ok(ended = db_end_blockers(b, err));
    assert_int_equal(ended, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_duplicate_key_names_its_constraint),
        TEST(broken_constraints_are_poison),
        TEST(bad_data_is_poison_and_is_not_repeated),
        TEST(what_the_code_gets_wrong_is_fatal),
        TEST(a_read_only_server_is_transient),
        TEST(a_statement_that_takes_too_long_is_transient),
        TEST(a_lock_that_is_not_had_in_time_is_retried),
        TEST(a_stale_snapshot_is_retried),
        TEST(one_of_a_deadlock_is_retried_and_the_other_goes_on),
        TEST(a_plan_from_before_a_migration_costs_the_connection_only),
        TEST(too_many_connections_are_transient),
        TEST(a_frozen_session_is_ended_by_the_one_it_blocks),
    };

    it_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
