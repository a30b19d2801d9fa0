/* SPDX-License-Identifier: Apache-2.0 */
#include "db_it.h"

#include "db_migrate.h"

#include <pthread.h>

static const struct db_migration one_two_three[] = {
    {1, "first", "create table a (id int primary key); insert into a values (1);"},
    {2, "second",
     "-- with a comment; and a semicolon in it\nalter table a add column b text default 'x;y';"},
    {3, "third", "update a set b = b || '!' where id = 1;"},
};

struct seen {
    int versions[8];
    size_t count;
};

static void note(void *opaque, const struct db_migration *migration)
{
    struct seen *seen = opaque;
    seen->versions[seen->count++] = migration->version;
}

static struct db_conn *fresh(void)
{
    const struct db_settings settings = {.url = test_env_database()};
    return it_open(&settings);
}

static int64_t applied(struct db_conn *conn)
{
    return it_number(conn, "select count(*) from schema_migration");
}

static void migrations_are_applied_once_and_in_order(void **state)
{
    (void)state;
    struct db_conn *conn = fresh();
    struct seen seen = {0};

    fails(db_migrate_check_list(conn, one_two_three, 3, err), ERR_FATAL, "schema_older");
    assert_int_equal(db_migrate_list(conn, one_two_three, 2, note, &seen, NULL), 1);
    assert_int_equal(seen.count, 2);
    fails(db_migrate_check_list(conn, one_two_three, 3, err), ERR_FATAL, "schema_older");
    assert_int_equal(db_migrate_list(conn, one_two_three, 3, note, &seen, NULL), 1);
    assert_int_equal(seen.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(seen.versions[i], i + 1);
    it_text_is(conn, "select b from a", "x;y!");
    it_text_is(conn,
               "select string_agg(version || ':' || name || ':' || length(checksum), ' ' "
               "order by version) from schema_migration",
               "1:first:64 2:second:64 3:third:64");
    ok(db_migrate_check_list(conn, one_two_three, 3, err));

    /* Again: nothing happens. */
    assert_int_equal(db_migrate_list(conn, one_two_three, 3, note, &seen, NULL), 0);
    assert_int_equal(seen.count, 3);
    it_text_is(conn, "select b from a", "x;y!");
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);
    db_conn_close(conn);
}

static void a_migration_that_fails_leaves_what_was_before_it(void **state)
{
    (void)state;
    static const struct db_migration bad[] = {
        {1, "first", "create table a (id int primary key);"},
        {2, "second", "insert into a values (1); insert into nowhere values (1);"},
    };
    struct db_conn *conn = fresh();

    fails(db_migrate_list(conn, bad, 2, NULL, NULL, err), ERR_FATAL, "42P01");
    assert_non_null(strstr(it_last_err.text, "migration 2 (second)"));
    assert_int_equal(applied(conn), 1);
    assert_int_equal(it_number(conn, "select count(*) from a"), 0);
    assert_int_equal(db_tx_state(conn), DB_TX_NONE);
    db_conn_close(conn);
}

static void a_migration_must_not_end_its_transaction(void **state)
{
    (void)state;
    static const struct db_migration bad[] = {{1, "first", "create table a (id int); commit;"}};
    struct db_conn *conn = fresh();

    fails(db_migrate_list(conn, bad, 1, NULL, NULL, err), ERR_BUG, "migration_tx");
    assert_int_equal(applied(conn), 0);
    db_conn_close(conn);
}

static void a_changed_migration_is_refused(void **state)
{
    (void)state;
    struct db_migration changed[3];
    struct db_conn *conn = fresh();

    memcpy(changed, one_two_three, sizeof(changed));
    ok(db_migrate_list(conn, one_two_three, 2, NULL, NULL, err));
    changed[1].text = "alter table a add column b text;";
    fails(db_migrate_list(conn, changed, 3, NULL, NULL, err), ERR_FATAL, "migration_changed");
    assert_non_null(strstr(it_last_err.text, "migration 2 (second)"));
    fails(db_migrate_check_list(conn, changed, 3, err), ERR_FATAL, "migration_changed");
    assert_int_equal(applied(conn), 2); /* the third was not applied either */
    db_conn_close(conn);
}

static void a_newer_data_base_is_refused(void **state)
{
    (void)state;
    struct db_conn *conn = fresh();

    ok(db_migrate_list(conn, one_two_three, 3, NULL, NULL, err));
    fails(db_migrate_list(conn, one_two_three, 2, NULL, NULL, err), ERR_FATAL, "schema_newer");
    fails(db_migrate_check_list(conn, one_two_three, 2, err), ERR_FATAL, "schema_newer");
    fails(db_migrate_check_list(conn, one_two_three, 0, err), ERR_FATAL, "schema_newer");
    db_conn_close(conn);
}

static void a_gap_is_refused_on_either_side(void **state)
{
    (void)state;
    static const struct db_migration gap[] = {{1, "first", "select 1"}, {3, "third", "select 1"}};
    static const struct db_migration late[] = {{2, "second", "select 1"}};
    struct db_conn *conn = fresh();

    fails(db_migrate_list(conn, gap, 2, NULL, NULL, err), ERR_FATAL, "migration_gap");
    fails(db_migrate_list(conn, late, 1, NULL, NULL, err), ERR_FATAL, "migration_gap");
    fails(db_migrate_check_list(conn, gap, 2, err), ERR_FATAL, "migration_gap");
    ok(db_migrate_list(conn, one_two_three, 2, NULL, NULL, err));
    it_exec(conn, "delete from schema_migration where version = 1");
    fails(db_migrate_list(conn, one_two_three, 3, NULL, NULL, err), ERR_FATAL, "migration_gap");
    fails(db_migrate_check_list(conn, one_two_three, 3, err), ERR_FATAL, "migration_gap");
    db_conn_close(conn);
}

static void no_migrations_are_fine(void **state)
{
    (void)state;
    struct db_conn *conn = fresh();

    assert_int_equal(db_migrate_list(conn, NULL, 0, NULL, NULL, NULL), 0);
    ok(db_migrate_check_list(conn, NULL, 0, err));
    db_conn_close(conn);
}

static void inside_a_transaction_is_a_bug(void **state)
{
    (void)state;
    struct db_conn *conn = fresh();

    ok(db_tx_begin(conn, err));
    fails(db_migrate_list(conn, one_two_three, 1, NULL, NULL, err), ERR_BUG, "in_tx");
    ok(db_tx_rollback(conn, err));
    db_conn_close(conn);
}

struct runner {
    struct db_conn *conn;
    const struct db_migration *list;
    size_t count;
    struct seen seen;
    struct err err;
    int rc;
};

static void *run(void *opaque)
{
    struct runner *runner = opaque;

    runner->rc = db_migrate_list(runner->conn, runner->list, runner->count, note, &runner->seen,
                                 &runner->err);
    return NULL;
}

/* Slower than the lock time-out of the ones that wait. */
static void runners_that_start_together_apply_each_migration_once(void **state)
{
    (void)state;
    enum { RUNNERS = 4 };
    static const struct db_migration slow[] = {
        {1, "first", "create table a (id int); select pg_sleep(0.5);"},
        {2, "second", "insert into a values (1); select pg_sleep(0.5);"},
        {3, "third", "insert into a values (2);"},
    };
    const struct db_settings settings = {.url = test_env_database(), .lock_timeout_ms = 100};
    struct runner runners[RUNNERS] = {0};
    pthread_t threads[RUNNERS];
    size_t steps = 0;

    for (int i = 0; i < RUNNERS; i++) {
        runners[i].conn = it_open(&settings);
        runners[i].list = slow;
        runners[i].count = ARRAY_LEN(slow);
    }
    for (int i = 0; i < RUNNERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
    for (int i = 0; i < RUNNERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < RUNNERS; i++) {
        if (runners[i].rc < 0)
            fail_msg("%s: %s", runners[i].err.code, runners[i].err.text);
        steps += runners[i].seen.count;
    }
    assert_int_equal(steps, 3);
    assert_int_equal(applied(runners[0].conn), 3);
    assert_int_equal(it_number(runners[0].conn, "select count(*) from a"), 2);
    for (int i = 0; i < RUNNERS; i++)
        db_conn_close(runners[i].conn);
}

/* A lock that a migration itself needs is bounded by the session's own limit. */
static void a_table_in_use_ends_a_migration_in_time(void **state)
{
    (void)state;
    static const struct db_migration list[] = {
        {1, "first", "create table a (id int);"},
        {2, "second", "alter table a add column b int;"},
    };
    const struct db_settings settings = {.url = test_env_database(), .lock_timeout_ms = 200};
    struct db_conn *reader = it_open(&settings);
    struct db_conn *conn = it_open(&settings);

    ok(db_migrate_list(conn, list, 1, NULL, NULL, err));
    ok(db_tx_begin(reader, err));
    it_exec(reader, "select * from a");
    fails(db_migrate_list(conn, list, 2, NULL, NULL, err), ERR_RETRY, DB_LOCK_TIMEOUT);
    ok(db_tx_commit(reader, err));
    assert_int_equal(db_migrate_list(conn, list, 2, NULL, NULL, NULL), 1);
    it_text_is(conn, "show lock_timeout", "200ms");
    it_text_is(conn, "show statement_timeout", "1min");
    db_conn_close(conn);
    db_conn_close(reader);
}

static void what_is_built_in_applies_to_an_empty_data_base(void **state)
{
    (void)state;
    struct db_conn *conn = fresh();
    int rc = db_migrate(conn, NULL, NULL, NULL);

    assert_int_equal(rc, db_migration_count > 0 ? 1 : 0);
    assert_int_equal(applied(conn), db_migration_count);
    ok(db_migrate_check(conn, err));
    assert_int_equal(db_migrate(conn, NULL, NULL, NULL), 0);
    db_conn_close(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrations_are_applied_once_and_in_order),
        cmocka_unit_test(a_migration_that_fails_leaves_what_was_before_it),
        cmocka_unit_test(a_migration_must_not_end_its_transaction),
        cmocka_unit_test(a_changed_migration_is_refused),
        cmocka_unit_test(a_newer_data_base_is_refused),
        cmocka_unit_test(a_gap_is_refused_on_either_side),
        cmocka_unit_test(no_migrations_are_fine),
        cmocka_unit_test(inside_a_transaction_is_a_bug),
        cmocka_unit_test(runners_that_start_together_apply_each_migration_once),
        cmocka_unit_test(a_table_in_use_ends_a_migration_in_time),
        cmocka_unit_test(what_is_built_in_applies_to_an_empty_data_base),
    };

    it_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
