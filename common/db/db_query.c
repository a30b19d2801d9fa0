/* SPDX-License-Identifier: Apache-2.0 */
#include "db_query.h"

#include "db_error.h"
#include "db_internal.h"

#include <assert.h>
#include <stdlib.h>

/* --- which statements the server has prepared
 * ------------------------------------------------------------- */

static size_t slot_of(const struct db_conn *conn, const struct db_stmt *stmt)
{
    /* Addresses differ in their middle bits; Fibonacci hashing spreads them. */
    uint64_t hash = (uint64_t)(uintptr_t)stmt * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 32) & (conn->prepared_room - 1);

    while (conn->prepared[at] != NULL && conn->prepared[at] != stmt)
        at = (at + 1) & (conn->prepared_room - 1);
    return at;
}

static bool is_prepared(const struct db_conn *conn, const struct db_stmt *stmt)
{
    return conn->prepared_room > 0 && conn->prepared[slot_of(conn, stmt)] == stmt;
}

/* Room for so many more, so that noting cannot fail once the server has done its part. */
static int reserve(struct db_conn *conn, size_t more, struct err *err)
{
    const struct db_stmt **old = conn->prepared;
    size_t old_room = conn->prepared_room;
    size_t room = old_room == 0 ? 64 : old_room;

    while ((conn->prepared_count + more) * 2 > room)
        room *= 2;
    if (room == old_room)
        return 0;
    const struct db_stmt **wider = calloc(room, sizeof(*wider));
    if (wider == NULL)
        return err_nomem(err);
    conn->prepared = wider;
    conn->prepared_room = room;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i] != NULL)
            conn->prepared[slot_of(conn, old[i])] = old[i];
    }
    free(old);
    return 0;
}

static void note_prepared(struct db_conn *conn, const struct db_stmt *stmt)
{
    size_t at = slot_of(conn, stmt);

    if (conn->prepared[at] == NULL) {
        conn->prepared[at] = stmt;
        conn->prepared_count++;
    }
}

/* --- one statement
 * ---------------------------------------------------------------------------------------- */

static int send_prepare(struct db_conn *conn, const struct db_stmt *stmt,
                        const struct db_bound *bound, struct err *err)
{
    static_assert(sizeof(Oid) == sizeof(uint32_t), "types are handed over as they are");
    const Oid *types = stmt->param_types == NULL ? bound->type : stmt->param_types;
    int count = stmt->param_types == NULL ? bound->count : (int)stmt->param_count;

    if (PQsendPrepare(conn->pg, stmt->name, stmt->text, count, types) != 1)
        return db_conn_lost(conn, err);
    return 0;
}

static int send_prepared(struct db_conn *conn, const struct db_stmt *stmt,
                         const struct db_bound *bound, struct err *err)
{
    if (PQsendQueryPrepared(conn->pg, stmt->name, bound->count, bound->value, bound->len,
                            bound->format, 1) != 1)
        return db_conn_lost(conn, err);
    return 0;
}

static void hand_out(struct db_result *ret_res, PGresult *pg)
{
    if (ret_res == NULL) {
        PQclear(pg);
        return;
    }
    db_result_done(ret_res);
    ret_res->pg = pg;
}

int db_query(struct db_conn *conn, const struct db_stmt *stmt, const struct db_params *params,
             struct db_result *ret_res, struct err *err)
{
    struct db_bound bound;
    struct db_wait wait;
    PGresult *pg = NULL;

    if (db_conn_ready(conn, err) < 0 || db_params_bind(params, stmt, &bound, err) < 0)
        return -1;
    db_wait_init(&wait, conn);
    if (!is_prepared(conn, stmt)) {
        if (reserve(conn, 1, err) < 0)
            return -1;
        if (send_prepare(conn, stmt, &bound, err) < 0 || db_wait_done(conn, &wait, &pg, err) < 0)
            return err_wrap(err, "%s", stmt->name);
        PQclear(pg);
        pg = NULL;
        note_prepared(conn, stmt);
    }
    if (send_prepared(conn, stmt, &bound, err) < 0 || db_wait_done(conn, &wait, &pg, err) < 0)
        return err_wrap(err, "%s", stmt->name);
    hand_out(ret_res, pg);
    return 0;
}

int db_query_once(struct db_conn *conn, const char *sql, const struct db_params *params,
                  struct db_result *ret_res, struct err *err)
{
    struct db_bound bound;
    struct db_wait wait;
    PGresult *pg = NULL;

    if (db_conn_ready(conn, err) < 0 || db_params_bind(params, NULL, &bound, err) < 0)
        return -1;
    db_wait_init(&wait, conn);
    if (PQsendQueryParams(conn->pg, sql, bound.count, bound.type, bound.value, bound.len,
                          bound.format, 1) != 1)
        return db_conn_lost(conn, err);
    if (db_wait_done(conn, &wait, &pg, err) < 0)
        return -1;
    hand_out(ret_res, pg);
    return 0;
}

int db_exec(struct db_conn *conn, const char *sql, struct err *err)
{
    struct db_wait wait;
    PGresult *pg = NULL;

    if (db_conn_ready(conn, err) < 0)
        return -1;
    db_wait_init(&wait, conn);
    if (PQsendQuery(conn->pg, sql) != 1)
        return db_conn_lost(conn, err);
    if (db_wait_done(conn, &wait, &pg, err) < 0)
        return -1;
    PQclear(pg);
    return 0;
}

/* --- pipeline
 * --------------------------------------------------------------------------------------------- */

/* So many bytes are queued before we look whether they leave. */
#define QUEUE_DRAIN (64 * 1024)

int db_pipeline_begin(struct db_conn *conn, struct err *err)
{
    if (db_conn_ready(conn, err) < 0)
        return -1;
    if (PQtransactionStatus(conn->pg) != PQTRANS_INTRANS)
        return err_set(err, ERR_BUG, DB_DOMAIN, "no_tx", "a pipeline outside a transaction");
    if (PQenterPipelineMode(conn->pg) != 1)
        return db_conn_lost(conn, err);
    conn->queued = 0;
    conn->queued_bytes = 0;
    conn->queue_failed = false;
    return 0;
}

static bool in_queue(const struct db_conn *conn, const struct db_stmt *stmt)
{
    for (unsigned i = 0; i < conn->queued; i++) {
        if (conn->queue[i].stmt == stmt)
            return true;
    }
    return false;
}

static int queue(struct db_conn *conn, const struct db_stmt *stmt, const struct db_params *params,
                 struct err *err)
{
    struct db_bound bound;
    struct db_wait wait;

    if (conn->queued == DB_PIPELINE_MAX)
        return err_set(err, ERR_BUG, DB_DOMAIN, "pipeline", "more than %d statements queued",
                       DB_PIPELINE_MAX);
    if (db_params_bind(params, stmt, &bound, err) < 0)
        return -1;
    bool prepares = !is_prepared(conn, stmt) && !in_queue(conn, stmt);
    if (prepares &&
        (reserve(conn, conn->queued + 1, err) < 0 || send_prepare(conn, stmt, &bound, err) < 0))
        return -1;
    if (send_prepared(conn, stmt, &bound, err) < 0)
        return -1;
    conn->queue[conn->queued].stmt = stmt;
    conn->queue[conn->queued].prepares = prepares;
    conn->queued++;
    conn->queued_bytes += params == NULL ? 0 : params->bytes.len;
    if (conn->queued_bytes < QUEUE_DRAIN)
        return 0;
    conn->queued_bytes = 0;
    db_wait_init(&wait, conn);
    return db_wait_flush(conn, &wait, err);
}

int db_pipeline_queue(struct db_conn *conn, const struct db_stmt *stmt,
                      const struct db_params *params, struct err *err)
{
    if (conn->pg == NULL)
        return db_conn_ready(conn, err);
    if (PQpipelineStatus(conn->pg) == PQ_PIPELINE_OFF)
        return err_set(err, ERR_BUG, DB_DOMAIN, "pipeline", "no pipeline was begun");
    struct err now = {0};

    if (!conn->queue_failed && queue(conn, stmt, params, &now) == 0)
        return 0;
    if (!conn->queue_failed) {
        conn->queue_failed = true;
        conn->queue_err = now;
        (void)err_wrap(&conn->queue_err, "%s", stmt->name);
    }
    if (err != NULL)
        *err = conn->queue_err;
    return -1;
}

/*
 * One command's answer: one result, then NULL. *ret_pg is the result when it is good, otherwise
 * NULL; the first error is kept in *err (what the server skipped after it has no error of its own).
 * -1: broken.
 */
static int read_answer(struct db_conn *conn, struct db_wait *wait, const struct db_stmt *stmt,
                       bool *failed, PGresult **ret_pg, struct err *err)
{
    PGresult *pg = NULL;

    *ret_pg = NULL;
    if (db_wait_result(conn, wait, &pg, err) < 0)
        return -1;
    switch (PQresultStatus(pg)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        *ret_pg = pg;
        break;
    case PGRES_PIPELINE_ABORTED:
        PQclear(pg);
        break;
    default:
        if (!*failed) {
            (void)db_error_result(conn, pg, err);
            (void)err_wrap(err, "%s", stmt->name);
        }
        *failed = true;
        PQclear(pg);
    }
    if (PQstatus(conn->pg) == CONNECTION_BAD) {
        if (!*failed)
            (void)db_conn_lost(conn, err);
        PQclear(*ret_pg);
        *ret_pg = NULL;
        db_conn_break(conn);
        return -1;
    }
    /* The NULL behind it. */
    struct err ignored = {0};
    pg = NULL;
    if (db_wait_result(conn, wait, &pg, *failed ? &ignored : err) < 0 || pg != NULL) {
        if (pg != NULL && !*failed)
            (void)err_set(err, ERR_BUG, DB_DOMAIN, "pipeline", "%s: more than one result",
                          stmt->name);
        PQclear(pg);
        PQclear(*ret_pg);
        *ret_pg = NULL;
        db_conn_break(conn);
        return -1;
    }
    return 0;
}

/* Reads everything that was queued up to the sync. got: DB_PIPELINE_MAX results, good ones or NULL.
 */
static int read_queue(struct db_conn *conn, PGresult **got, struct err *err)
{
    struct db_wait wait;
    bool failed = false;
    PGresult *pg = NULL;
    unsigned queued = conn->queued;

    db_wait_init(&wait, conn);
    if (PQpipelineSync(conn->pg) != 1)
        return db_conn_lost(conn, err);
    if (db_wait_flush(conn, &wait, err) < 0)
        return -1;
    for (unsigned i = 0; i < queued; i++) {
        const struct db_stmt *stmt = conn->queue[i].stmt;

        if (conn->queue[i].prepares) {
            if (read_answer(conn, &wait, stmt, &failed, &pg, err) < 0)
                return -1;
            if (pg != NULL)
                note_prepared(conn, stmt);
            PQclear(pg);
        }
        if (read_answer(conn, &wait, stmt, &failed, &got[i], err) < 0)
            return -1;
    }
    struct err ignored = {0};
    pg = NULL;
    if (db_wait_result(conn, &wait, &pg, failed ? &ignored : err) < 0)
        return -1;
    bool synced = PQresultStatus(pg) == PGRES_PIPELINE_SYNC;
    PQclear(pg);
    if (!synced || PQexitPipelineMode(conn->pg) != 1) {
        (void)db_conn_lost(conn, failed ? NULL : err);
        return -1;
    }
    conn->queued = 0;
    return failed ? -1 : 0;
}

int db_pipeline_sync(struct db_conn *conn, struct db_result *results, size_t count, struct err *err)
{
    PGresult *got[DB_PIPELINE_MAX] = {NULL};
    struct err first = {0};
    bool failed = conn->queue_failed;
    unsigned queued = conn->queued;

    conn->queue_failed = false;
    if (conn->pg == NULL && !failed)
        return db_conn_ready(conn, err);
    if (conn->pg != NULL && PQpipelineStatus(conn->pg) == PQ_PIPELINE_OFF)
        return err_set(err, ERR_BUG, DB_DOMAIN, "pipeline", "no pipeline was begun");
    if (failed)
        first = conn->queue_err;
    if (conn->pg == NULL || read_queue(conn, got, failed ? NULL : &first) < 0) {
        failed = true;
    } else if (!failed && results != NULL && count != queued) {
        failed = true;
        (void)err_set(&first, ERR_BUG, DB_DOMAIN, "pipeline", "%zu results for %u statements",
                      count, queued);
    }
    for (unsigned i = 0; i < DB_PIPELINE_MAX; i++) {
        if (!failed && results != NULL && i < count)
            hand_out(&results[i], got[i]);
        else
            PQclear(got[i]);
    }
    if (failed && err != NULL)
        *err = first;
    return failed ? -1 : 0;
}
