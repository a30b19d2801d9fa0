/* SPDX-License-Identifier: Apache-2.0
 *
 * Running statements: by name with binary parameters and results, several of them in one round
 * trip, and simple commands.
 *
 * A statement stands in sql/<name>.sql and becomes a struct db_stmt by ops/cmake/fleet_sql.cmake,
 * which also reads the parameters' types from its first line (`-- $1 bigint job, $2 int[] lanes`).
 * It is prepared once per connection, when it is first used. Parameters of another number or type
 * than declared are ERR_BUG, before anything is sent.
 *
 * All functions block until the server has answered, within db_settings' limits.
 */
#ifndef DB_QUERY_H
#define DB_QUERY_H

#include "base_attr.h"
#include "base_err.h"
#include "db_conn.h"
#include "db_params.h"
#include "db_result.h"

#include <stddef.h>
#include <stdint.h>

/* Lives as long as the connections that use it (static): they know it by its address. */
struct db_stmt {
    const char *name;
    const char *text;
    unsigned param_count;
    const uint32_t
        *param_types; /* enum db_type; NULL: not declared, number and types go unchecked */
};

/*
 * Run a statement. 0: done, *ret_res (may be NULL) holds the rows and frees what it held before;
 * how many rows came or were changed is the result's to tell. -1: *ret_res is untouched. params
 * NULL: none.
 */
int db_query(struct db_conn *conn, const struct db_stmt *stmt, const struct db_params *params,
             struct db_result *ret_res, struct err *err) MUST_CHECK;
/* The same for a text that is used once (not prepared, one statement). */
int db_query_once(struct db_conn *conn, const char *sql, const struct db_params *params,
                  struct db_result *ret_res, struct err *err) MUST_CHECK;
/* One or more commands without parameters, whose rows nobody wants. Several are one transaction. */
int db_exec(struct db_conn *conn, const char *sql, struct err *err) MUST_CHECK;

/*
 * Pipeline: queue up to DB_PIPELINE_MAX statements, then sync. Nothing but queue and sync may be
 * called in between. Queueing sends early and reads what comes back, so neither side blocks on a
 * full socket.
 *
 * Only inside a transaction. The first statement that fails ends the rest: sync gives its error, no
 * result is handed out, and only rollback is left. Never queue a commit (one whose result is
 * unknown must be told apart: db_tx_commit).
 *
 * After -1 from queue, sync must still be called, and fails with the same error; db_tx_rollback()
 * does that, too. params may be reset as soon as queue returns.
 */
#define DB_PIPELINE_MAX 128

int db_pipeline_begin(struct db_conn *conn, struct err *err) MUST_CHECK;
int db_pipeline_queue(struct db_conn *conn, const struct db_stmt *stmt,
                      const struct db_params *params, struct err *err) MUST_CHECK;
/*
 * results: one for each queued statement, in order, each {0} or an earlier result; count must be
 * the number queued. NULL and 0: nobody wants them.
 */
int db_pipeline_sync(struct db_conn *conn, struct db_result *results, size_t count,
                     struct err *err) MUST_CHECK;

#endif
