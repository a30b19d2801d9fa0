/* SPDX-License-Identifier: Apache-2.0 */
#include "db_tx.h"

#include "db_error.h"
#include "db_internal.h"

#include <stdio.h>
#include <string.h>

enum db_tx_state db_tx_state(const struct db_conn *conn)
{
    switch (PQtransactionStatus(conn->pg)) {
    case PQTRANS_IDLE:
        return DB_TX_NONE;
    case PQTRANS_ACTIVE: /* a COPY or a pipeline under way: its end decides */
    case PQTRANS_INTRANS:
        return DB_TX_OPEN;
    case PQTRANS_INERROR:
        return DB_TX_FAILED;
    case PQTRANS_UNKNOWN:
        break;
    }
    return DB_TX_BROKEN;
}

int db_tx_begin(struct db_conn *conn, struct err *err)
{
    return db_tx_begin_mode(conn, DB_TX_READ_COMMITTED, err);
}

int db_tx_begin_mode(struct db_conn *conn, enum db_tx_mode mode, struct err *err)
{
    const char *sql = NULL;

    /* Said in full: what a data base or a role has as its default does not matter. */
    switch (mode) {
    case DB_TX_READ_COMMITTED:
        sql = "begin isolation level read committed";
        break;
    case DB_TX_SNAPSHOT:
        sql = "begin isolation level repeatable read, read only";
        break;
    case DB_TX_REPEATABLE_READ:
        sql = "begin isolation level repeatable read";
        break;
    case DB_TX_SERIALIZABLE:
        sql = "begin isolation level serializable";
        break;
    }
    if (db_conn_ready(conn, err) < 0)
        return -1;
    if (db_tx_state(conn) != DB_TX_NONE)
        return err_set(err, ERR_BUG, DB_DOMAIN, "in_tx", "begin inside a transaction");
    return db_exec(conn, sql, err);
}

int db_tx_commit(struct db_conn *conn, struct err *err)
{
    struct err why = {0};

    if (db_conn_ready(conn, err) < 0)
        return -1;
    if (db_tx_state(conn) != DB_TX_OPEN) {
        bool failed = db_tx_state(conn) == DB_TX_FAILED;

        if (db_tx_rollback(conn, err) < 0)
            return -1;
        return err_set(err, ERR_BUG, DB_DOMAIN, failed ? "tx_failed" : "no_tx", "%s",
                       failed ? "commit of a failed transaction" : "commit without a transaction");
    }
    if (db_exec(conn, "commit", &why) == 0)
        return 0;
    /*
     * The server may have ended the session behind the commit (while it waited for a standby, say),
     * so its last words prove nothing. An error that leaves the session standing does.
     */
    if (conn->pg == NULL)
        return err_set(err, ERR_TRANSIENT, DB_DOMAIN, DB_COMMIT_UNKNOWN,
                       "the connection was lost during commit: %s", why.text);
    if (err != NULL)
        *err = why;
    return err_wrap(err, "commit");
}

int db_tx_rollback(struct db_conn *conn, struct err *err)
{
    if (conn->pg == NULL)
        return db_conn_ready(conn, err);
    if (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF &&
        db_pipeline_sync(conn, NULL, 0, NULL) < 0 && conn->pg == NULL)
        return db_conn_ready(conn, err);
    switch (PQtransactionStatus(conn->pg)) {
    case PQTRANS_IDLE:
        return 0;
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR:
        if (db_exec(conn, "rollback", err) == 0)
            return 0;
        break;
    case PQTRANS_ACTIVE: /* a COPY whose owner forgot it */
    case PQTRANS_UNKNOWN:
        (void)err_set(err, ERR_TRANSIENT, DB_DOMAIN, "connection_lost",
                      "a COPY was left open: the connection is given up");
        break;
    }
    db_conn_break(conn);
    return -1;
}

static int with_name(struct db_conn *conn, const char *command, const char *name, struct err *err)
{
    char sql[128];
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    if (len == 0 || len > 60 || name[len] != '\0')
        return err_set(err, ERR_BUG, DB_DOMAIN, "savepoint", "not a savepoint's name");
    /* In quotes, so that a name may be a key word. */
    (void)snprintf(sql, sizeof(sql), "%s \"%s\"", command, name);
    return db_exec(conn, sql, err);
}

int db_tx_savepoint(struct db_conn *conn, const char *name, struct err *err)
{
    return with_name(conn, "savepoint", name, err);
}

int db_tx_rollback_to(struct db_conn *conn, const char *name, struct err *err)
{
    return with_name(conn, "rollback to savepoint", name, err);
}

int db_tx_release(struct db_conn *conn, const char *name, struct err *err)
{
    return with_name(conn, "release savepoint", name, err);
}

int db_end_blockers(struct db_conn *conn, struct err *err)
{
    struct db_result res CLEANUP(db_result_done) = {0};

    if (db_conn_ready(conn, err) < 0)
        return -1;
    if (db_tx_state(conn) != DB_TX_NONE)
        return err_set(err, ERR_BUG, DB_DOMAIN, "in_tx", "blockers are ended outside transactions");
    if (db_query_once(conn, "select promo_end_blockers()", NULL, &res, err) < 0)
        return -1;
    return db_get_int32(&res, 0, 0) > 0 ? 1 : 0;
}
