/* SPDX-License-Identifier: Apache-2.0
 *
 * COPY, the way in and the way out. A COPY occupies the connection until it ends; nothing else may
 * be called.
 *
 * The way in is binary. Fields must have exactly the columns' types (int is not bigint: the server
 * refuses it with 22P03 or 08P01).
 *
 *   struct db_copy copy;
 *   db_copy_begin(&copy, conn, "copy t (id, name) from stdin (format binary)", err);
 *   for (...) {
 *       db_copy_row_begin(&copy, 2, err);      sends what has gathered when it is DB_COPY_SEND
 * bytes db_copy_int8(&copy, id); db_copy_text(&copy, name);
 *   }
 *   db_copy_end(&copy, &rows, err);            or db_copy_abort(&copy)
 *
 * After any -1 the copy is over and only db_copy_abort() (a no-op then) is left; the transaction
 * has failed or the connection is broken. An error that the server finds in a row may come as late
 * as db_copy_end().
 */
#ifndef DB_COPY_H
#define DB_COPY_H

#include "base_attr.h"
#include "base_buf.h"
#include "base_err.h"
#include "db_conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_COPY_SEND (256 * 1024)

struct db_copy {
    struct buf buf; /* rows not sent yet */
    int64_t rows;   /* begun so far */
    /* private */
    struct db_conn *conn; /* NULL: over */
    int cols;
    int col;
};

int db_copy_begin(struct db_copy *copy, struct db_conn *conn, const char *sql,
                  struct err *err) MUST_CHECK;
/* ERR_BUG when the row before has not got all its fields. */
int db_copy_row_begin(struct db_copy *copy, int cols, struct err *err) MUST_CHECK;
void db_copy_null(struct db_copy *copy);
void db_copy_bool(struct db_copy *copy, bool value);
void db_copy_int2(struct db_copy *copy, int16_t value);
void db_copy_int4(struct db_copy *copy, int32_t value);
void db_copy_int8(struct db_copy *copy, int64_t value);
void db_copy_text(struct db_copy *copy, const char *text); /* NULL: NULL */
void db_copy_text_n(struct db_copy *copy, const char *text, size_t len);
void db_copy_bytea(struct db_copy *copy, const void *bytes, size_t len); /* bytes NULL: NULL */
void db_copy_uuid(struct db_copy *copy, const uint8_t uuid[16]);         /* NULL: NULL */
void db_copy_timestamptz(struct db_copy *copy, int64_t us);              /* since 1970 */
void db_copy_numeric_u128(struct db_copy *copy, unsigned __int128 value);
void db_copy_jsonb(struct db_copy *copy, const char *json, size_t len);
void db_copy_xid8(struct db_copy *copy, uint64_t xid);
/* ret_rows (may be NULL): how many rows the server took. Frees the buffer. */
int db_copy_end(struct db_copy *copy, int64_t *ret_rows, struct err *err) MUST_CHECK;
/* Gives the copy up: no row of it stays, the transaction has failed. No-op when it is over, or on
 * {0}. */
void db_copy_abort(struct db_copy *copy); /* for CLEANUP(db_copy_abort) */

/*
 * The way out. The callback gets the bytes as the server sends them, which is a row each in text,
 * CSV and binary (in binary, the header comes with the first and the trailer alone); they are gone
 * when it returns. It must not use the connection. Memory does not grow with the number of rows.
 */
typedef int (*db_copy_row_fn)(void *opaque, const char *bytes, size_t len, struct err *err);

/*
 * Blocks until the last row. When the callback returns -1, so does this, with its error, and the
 * connection is broken: the rest of the rows is not worth reading. ret_rows (may be NULL).
 */
int db_copy_out(struct db_conn *conn, const char *sql, db_copy_row_fn row, void *opaque,
                int64_t *ret_rows, struct err *err) MUST_CHECK;

#endif
