/* SPDX-License-Identifier: Apache-2.0 */
#include "db_copy.h"

#include "base_parse.h"
#include "db_error.h"
#include "db_internal.h"
#include "db_value.h"

#include <limits.h>
#include <poll.h>
#include <string.h>

/* Signature, no flags, no extension. */
static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
#define HEADER_LEN 19

/*
 * Sends a COPY command and waits for the server to be in it. -1: it is not, and the connection is
 * idle again or broken.
 */
static int start(struct db_conn *conn, const char *sql, ExecStatusType direction,
                 struct db_wait *wait, bool *ret_binary, struct err *err)
{
    PGresult *pg = NULL;
    struct err ignored = {0};

    if (db_conn_ready(conn, err) < 0)
        return -1;
    db_wait_init(wait, conn);
    if (PQsendQuery(conn->pg, sql) != 1)
        return db_conn_lost(conn, err);
    if (db_wait_flush(conn, wait, err) < 0 || db_wait_result(conn, wait, &pg, err) < 0)
        return -1;
    ExecStatusType status = PQresultStatus(pg);
    if (status == direction) {
        *ret_binary = PQbinaryTuples(pg) != 0;
        PQclear(pg);
        return 0;
    }
    switch (status) {
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        /* Not worth going on with: the statement itself is wrong. */
        (void)err_set(err, ERR_BUG, DB_DOMAIN, "copy", "not a COPY in this direction");
        db_conn_break(conn);
        break;
    default:
        (void)db_error_result(conn, pg, err);
        PQclear(pg);
        pg = NULL;
        if (db_wait_done(conn, wait, &pg, &ignored) < 0)
            pg = NULL;
    }
    PQclear(pg);
    return -1;
}

/* --- in
 * ---------------------------------------------------------------------------------------------------
 */

int db_copy_begin(struct db_copy *copy, struct db_conn *conn, const char *sql, struct err *err)
{
    struct db_wait wait;
    bool binary = false;

    *copy = (struct db_copy){0};
    buf_init(&copy->buf);
    if (start(conn, sql, PGRES_COPY_IN, &wait, &binary, err) < 0)
        return err_wrap(err, "copy");
    copy->conn = conn;
    if (!binary) {
        db_copy_abort(copy);
        return err_set(err, ERR_BUG, DB_DOMAIN, "copy", "COPY from stdin without (format binary)");
    }
    buf_add(&copy->buf, header, HEADER_LEN);
    return 0;
}

/* The server's answer to the end of the COPY, whichever end. */
static int finish(struct db_conn *conn, struct db_wait *wait, const char *why, PGresult **ret_pg,
                  struct err *err)
{
    int sent = PQputCopyEnd(conn->pg, why);

    if (sent == 0) {
        /* libpq's buffer is full; once it is empty there is room. */
        if (db_wait_flush(conn, wait, err) < 0)
            return -1;
        sent = PQputCopyEnd(conn->pg, why);
    }
    if (sent != 1)
        return db_conn_lost(conn, err);
    return db_wait_done(conn, wait, ret_pg, err);
}

void db_copy_abort(struct db_copy *copy)
{
    struct db_conn *conn = copy->conn;
    struct db_wait wait;
    PGresult *pg = NULL;
    struct err ignored = {0}; /* 57014: what we asked for */

    copy->conn = NULL;
    if (copy->buf.data != NULL)
        buf_done(&copy->buf);
    if (conn == NULL || conn->pg == NULL)
        return;
    db_wait_init(&wait, conn);
    if (finish(conn, &wait, "given up", &pg, &ignored) == 0)
        PQclear(pg);
}

/* Hand over what has gathered, and wait until it has left: libpq's buffer does not grow. */
static int send_rows(struct db_copy *copy, struct db_wait *wait, struct err *err)
{
    struct db_conn *conn = copy->conn;
    struct buf *buf = &copy->buf;
    struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};

    if (buf_failed(buf))
        return err_nomem(err);
    if (buf->len > INT_MAX)
        return err_set(err, ERR_POISON, DB_DOMAIN, "row_too_large", "a row of 2 GB or more");
    /* A failed write shows in reading only. */
    if (poll(&fd, 1, 0) > 0 && PQconsumeInput(conn->pg) == 0)
        return db_conn_lost(conn, err);
    int sent = PQputCopyData(conn->pg, buf->data, (int)buf->len);
    if (sent == 0) {
        if (db_wait_flush(conn, wait, err) < 0)
            return -1;
        sent = PQputCopyData(conn->pg, buf->data, (int)buf->len);
    }
    if (sent != 1)
        return db_conn_lost(conn, err);
    buf_clear(buf);
    return db_wait_flush(conn, wait, err);
}

static int ready(struct db_copy *copy, struct err *err)
{
    if (copy->conn == NULL)
        return err_set(err, ERR_BUG, DB_DOMAIN, "copy", "the COPY is over");
    if (copy->conn->pg == NULL) {
        int rc = db_conn_ready(copy->conn, err);

        db_copy_abort(copy);
        return rc;
    }
    if (copy->col != copy->cols) {
        int cols = copy->cols;
        int col = copy->col;

        db_copy_abort(copy);
        return err_set(err, ERR_BUG, DB_DOMAIN, "copy", "a row has %d fields instead of %d", col,
                       cols);
    }
    return 0;
}

int db_copy_row_begin(struct db_copy *copy, int cols, struct err *err)
{
    if (ready(copy, err) < 0)
        return -1;
    if (copy->buf.len >= DB_COPY_SEND || buf_failed(&copy->buf)) {
        struct db_wait wait;

        db_wait_init(&wait, copy->conn);
        if (send_rows(copy, &wait, err) < 0) {
            db_copy_abort(copy);
            return err_wrap(err, "copy");
        }
    }
    copy->cols = cols;
    copy->col = 0;
    copy->rows++;
    buf_add_be16(&copy->buf, (uint16_t)cols);
    return 0;
}

int db_copy_end(struct db_copy *copy, int64_t *ret_rows, struct err *err)
{
    struct db_conn *conn = copy->conn;
    struct db_wait wait;
    PGresult *pg = NULL;
    int64_t rows = 0;

    if (ready(copy, err) < 0)
        return -1;
    buf_add_be16(&copy->buf, UINT16_MAX);
    db_wait_init(&wait, conn);
    if (send_rows(copy, &wait, err) < 0) {
        db_copy_abort(copy);
        return err_wrap(err, "copy");
    }
    copy->conn = NULL;
    buf_done(&copy->buf);
    if (finish(conn, &wait, NULL, &pg, err) < 0)
        return err_wrap(err, "copy");
    int rc = parse_int64(PQcmdTuples(pg), 0, INT64_MAX, &rows, NULL);
    PQclear(pg);
    if (rc < 0)
        return err_set(err, ERR_BUG, DB_DOMAIN, "copy", "COPY ended without a count of rows");
    if (ret_rows != NULL)
        *ret_rows = rows;
    return 0;
}

static void field(struct db_copy *copy, int prefix, const void *bytes, size_t len)
{
    copy->col++;
    if (bytes == NULL)
        db_put_null(&copy->buf);
    else
        db_put_field(&copy->buf, prefix, bytes, len);
}

void db_copy_null(struct db_copy *copy)
{
    field(copy, -1, NULL, 0);
}

void db_copy_bool(struct db_copy *copy, bool value)
{
    uint8_t bytes[1] = {value ? 1 : 0};
    field(copy, -1, bytes, sizeof(bytes));
}

void db_copy_int2(struct db_copy *copy, int16_t value)
{
    uint8_t bytes[2];
    db_store16(bytes, (uint16_t)value);
    field(copy, -1, bytes, sizeof(bytes));
}

void db_copy_int4(struct db_copy *copy, int32_t value)
{
    uint8_t bytes[4];
    db_store32(bytes, (uint32_t)value);
    field(copy, -1, bytes, sizeof(bytes));
}

static void field_8(struct db_copy *copy, uint64_t value)
{
    uint8_t bytes[8];
    db_store64(bytes, value);
    field(copy, -1, bytes, sizeof(bytes));
}

void db_copy_int8(struct db_copy *copy, int64_t value)
{
    field_8(copy, (uint64_t)value);
}

void db_copy_text(struct db_copy *copy, const char *text)
{
    field(copy, -1, text, text == NULL ? 0 : strlen(text));
}

void db_copy_text_n(struct db_copy *copy, const char *text, size_t len)
{
    field(copy, -1, text, len);
}

void db_copy_bytea(struct db_copy *copy, const void *bytes, size_t len)
{
    field(copy, -1, bytes, len);
}

void db_copy_uuid(struct db_copy *copy, const uint8_t uuid[16])
{
    field(copy, -1, uuid, 16);
}

void db_copy_timestamptz(struct db_copy *copy, int64_t us)
{
    field_8(copy, db_value_time(us));
}

void db_copy_numeric_u128(struct db_copy *copy, unsigned __int128 value)
{
    uint8_t bytes[DB_NUMERIC_MAX];
    field(copy, -1, bytes, db_value_numeric_u128(value, bytes));
}

void db_copy_jsonb(struct db_copy *copy, const char *json, size_t len)
{
    field(copy, DB_JSONB_PREFIX, json, len);
}

void db_copy_xid8(struct db_copy *copy, uint64_t xid)
{
    field_8(copy, xid);
}

/* --- out
 * --------------------------------------------------------------------------------------------------
 */

int db_copy_out(struct db_conn *conn, const char *sql, db_copy_row_fn row, void *opaque,
                int64_t *ret_rows, struct err *err)
{
    struct db_wait wait;
    bool binary = false;
    PGresult *pg = NULL;
    int64_t rows = 0;

    if (start(conn, sql, PGRES_COPY_OUT, &wait, &binary, err) < 0)
        return err_wrap(err, "copy");
    for (;;) {
        char *bytes = NULL;
        int len = PQgetCopyData(conn->pg, &bytes, 1);

        if (len > 0) {
            int rc = row(opaque, bytes, (size_t)len, err);
            PQfreemem(bytes);
            if (rc < 0) {
                db_conn_break(conn);
                return -1;
            }
            continue;
        }
        if (len < 0)
            break;
        /* Everything that was read has been handed on, so libpq's buffer does not grow. */
        if (db_wait_for(conn, &wait, POLLIN, NULL, err) < 0)
            return err_wrap(err, "copy");
        db_wait_progress(&wait);
        if (PQconsumeInput(conn->pg) == 0 && PQstatus(conn->pg) != CONNECTION_BAD)
            return db_conn_lost(conn, err);
    }
    /* An error among the rows, and the loss of the connection, come as a result as well. */
    if (db_wait_done(conn, &wait, &pg, err) < 0)
        return err_wrap(err, "copy");
    int rc = parse_int64(PQcmdTuples(pg), 0, INT64_MAX, &rows, NULL);
    PQclear(pg);
    if (rc < 0)
        return err_set(err, ERR_BUG, DB_DOMAIN, "copy", "COPY ended without a count of rows");
    if (ret_rows != NULL)
        *ret_rows = rows;
    return 0;
}
