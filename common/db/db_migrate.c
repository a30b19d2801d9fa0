/* SPDX-License-Identifier: Apache-2.0 */
#include "db_migrate.h"

#include "base_digest.h"
#include "db_error.h"
#include "db_internal.h"
#include "db_tx.h"

#include <string.h>

#define CHECKSUM_TEXT (2 * DIGEST_SHA256_LEN + 1)
#define CREATE_TRIES 5

static const char create_table[] = "create table if not exists schema_migration ("
                                   " version int primary key check (version > 0),"
                                   " name text not null,"
                                   " checksum text not null,"
                                   " applied_at timestamptz not null default clock_timestamp())";

static const struct db_stmt applied = {
    .name = "db_migrate_applied",
    .text = "select version, name, checksum from schema_migration order by version",
};

static const struct db_stmt note = {
    .name = "db_migrate_note",
    .text = "insert into schema_migration (version, name, checksum) values ($1, $2, $3)",
};

static void checksum(const struct db_migration *migration, char out[CHECKSUM_TEXT])
{
    uint8_t digest[DIGEST_SHA256_LEN];

    digest_sha256(migration->text, strlen(migration->text), digest);
    (void)digest_hex(digest, sizeof(digest), out);
}

static int check_list(const struct db_migration *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].version != (int)i + 1)
            return err_set(err, ERR_FATAL, DB_DOMAIN, "migration_gap",
                           "migration %zu of the list has the version %d", i + 1, list[i].version);
    }
    return 0;
}

/* What the data base has must be the beginning of the list. *ret_done: how many that is. */
static int compare(struct db_conn *conn, const struct db_migration *list, size_t count,
                   size_t *ret_done, struct err *err)
{
    struct db_result res CLEANUP(db_result_done) = {0};

    if (db_query(conn, &applied, NULL, &res, err) < 0)
        return -1;
    size_t rows = (size_t)db_result_rows(&res);
    for (size_t i = 0; i < rows; i++) {
        int version = db_get_int32(&res, (int)i, 0);
        char expected[CHECKSUM_TEXT];

        if (version > (int)count)
            return err_set(err, ERR_FATAL, DB_DOMAIN, "schema_newer",
                           "the data base has migration %d, this program knows %zu: it is too old",
                           version, count);
        if (version != (int)i + 1)
            return err_set(err, ERR_FATAL, DB_DOMAIN, "migration_gap",
                           "the data base has migration %d but not %zu", version, i + 1);
        checksum(&list[i], expected);
        if (strcmp(expected, db_get_text(&res, (int)i, 2, NULL)) != 0)
            return err_set(err, ERR_FATAL, DB_DOMAIN, "migration_changed",
                           "migration %d (%s) is not the one that was applied", version,
                           list[i].name);
    }
    *ret_done = rows;
    return 0;
}

/* "if not exists" does not keep two sessions from creating at once; the loser finds it there. */
static int ensure_table(struct db_conn *conn, struct err *err)
{
    for (int tries = 1;; tries++) {
        struct err why = {0};

        if (db_exec(conn, create_table, &why) == 0)
            return 0;
        if (tries == CREATE_TRIES || !(why.kind == ERR_DUPLICATE || db_error_is(&why, "42P07"))) {
            if (err != NULL)
                *err = why;
            return err_wrap(err, "create schema_migration");
        }
    }
}

static int apply(struct db_conn *conn, const struct db_migration *migration, struct err *err)
{
    struct db_params params CLEANUP(db_params_done);
    char sum[CHECKSUM_TEXT];

    db_params_init(&params);
    if (db_exec(conn, migration->text, err) < 0)
        return -1;
    if (db_tx_state(conn) != DB_TX_OPEN)
        return err_set(err, ERR_BUG, DB_DOMAIN, "migration_tx",
                       "it ends the transaction that it runs in");
    checksum(migration, sum);
    db_param_int4(&params, migration->version);
    db_param_text(&params, migration->name);
    db_param_text(&params, sum);
    return db_query(conn, &note, &params, NULL, err);
}

/* One transaction: lock, look, apply what comes next. 1: applied *ret_done + 1; 0: nothing left. */
static int step(struct db_conn *conn, const struct db_migration *list, size_t count,
                size_t *ret_done, struct err *err)
{
    size_t done = 0;

    if (db_tx_begin(conn, err) < 0)
        return -1;
    /* Another runner may take its time: wait for it, but not for the locks that a migration needs.
     */
    if (db_exec(
            conn,
            "set local statement_timeout = 0; "
            "select set_config('promofleet.lock_timeout', current_setting('lock_timeout'), true); "
            "set local lock_timeout = 0; "
            "lock table schema_migration in exclusive mode; "
            "select set_config('lock_timeout', current_setting('promofleet.lock_timeout'), true)",
            err) < 0 ||
        compare(conn, list, count, &done, err) < 0)
        return -1;
    if (done < count && apply(conn, &list[done], err) < 0)
        return err_wrap(err, "migration %d (%s)", list[done].version, list[done].name);
    if (db_tx_commit(conn, err) < 0)
        return -1;
    *ret_done = done;
    return done < count ? 1 : 0;
}

static int run(struct db_conn *conn, const struct db_migration *list, size_t count,
               db_migrated_fn migrated, void *opaque, struct err *err)
{
    int any = 0;

    if (ensure_table(conn, err) < 0)
        return -1;
    for (;;) {
        size_t done = 0;
        int rc = step(conn, list, count, &done, err);

        if (rc < 0) {
            (void)db_tx_rollback(conn, NULL);
            return -1;
        }
        if (rc == 0)
            return any;
        any = 1;
        if (migrated != NULL)
            migrated(opaque, &list[done]);
    }
}

int db_migrate_list(struct db_conn *conn, const struct db_migration *list, size_t count,
                    db_migrated_fn migrated, void *opaque, struct err *err)
{
    if (check_list(list, count, err) < 0 || db_conn_ready(conn, err) < 0)
        return -1;
    if (db_tx_state(conn) != DB_TX_NONE)
        return err_set(err, ERR_BUG, DB_DOMAIN, "in_tx", "migrations run outside transactions");
    /* A migration may take longer than any statement of a worker. */
    int64_t answer_ms = conn->answer_ms;

    conn->answer_ms = 0;
    int rc = run(conn, list, count, migrated, opaque, err);
    conn->answer_ms = answer_ms;
    return rc;
}

int db_migrate_check_list(struct db_conn *conn, const struct db_migration *list, size_t count,
                          struct err *err)
{
    struct err why = {0};
    size_t done = 0;

    if (check_list(list, count, err) < 0)
        return -1;
    if (compare(conn, list, count, &done, &why) < 0) {
        /* undefined_table: nothing was ever applied here. */
        if (!db_error_is(&why, "42P01")) {
            if (err != NULL)
                *err = why;
            return -1;
        }
    }
    if (done < count)
        return err_set(err, ERR_FATAL, DB_DOMAIN, "schema_older",
                       "the data base has %zu of %zu migrations: run promoctl migrate", done,
                       count);
    return 0;
}

int db_migrate(struct db_conn *conn, db_migrated_fn migrated, void *opaque, struct err *err)
{
    return db_migrate_list(conn, db_migrations, db_migration_count, migrated, opaque, err);
}

int db_migrate_check(struct db_conn *conn, struct err *err)
{
    return db_migrate_check_list(conn, db_migrations, db_migration_count, err);
}
