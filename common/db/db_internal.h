/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this library share: the connection itself, and waiting for the server.
 */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include "base_err.h"
#include "db_conn.h"
#include "db_query.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_CONSTRAINT_MAX 128
#define DB_SHOWN_MAX 320

struct db_conn {
    PGconn *pg; /* NULL: broken */
    int backend_pid;
    int server_version;
    int64_t answer_ms; /* longest silence of the server we bear; 0: no limit */
    int64_t stop_grace_ms;
    char shown[DB_SHOWN_MAX];
    char constraint[DB_CONSTRAINT_MAX];

    /* Statements that the server has prepared: a hash set of addresses, room a power of two. */
    const struct db_stmt **prepared;
    size_t prepared_room;
    size_t prepared_count;

    struct {
        const struct db_stmt *stmt;
        bool prepares; /* a prepare goes ahead of it */
    } queue[DB_PIPELINE_MAX];
    unsigned queued;
    size_t queued_bytes; /* since the socket was last drained */
    bool queue_failed;
    struct err queue_err;
};

/* One operation's patience. */
struct db_wait {
    int64_t limit_ms;    /* of silence; 0: no limit                        */
    int64_t deadline_us; /* 0: no limit                                    */
    int64_t stop_us;     /* when a stop request ends it; 0: none seen yet  */
};

void db_wait_init(struct db_wait *wait, const struct db_conn *conn);
/* The server did something: its time starts anew. A stop request's does not. */
void db_wait_progress(struct db_wait *wait);
/*
 * Until the socket is ready for one of the poll() events; *ret_events (may be NULL) tells which.
 * -1: the time is over, or a stop request's grace: the connection is broken.
 */
int db_wait_for(struct db_conn *conn, struct db_wait *wait, short events, short *ret_events,
                struct err *err) MUST_CHECK;
/* Until everything queued has been handed to the kernel, reading what comes in meanwhile. */
int db_wait_flush(struct db_conn *conn, struct db_wait *wait, struct err *err) MUST_CHECK;
/* The next PGresult; NULL (and 0) at the end of a statement's results. */
int db_wait_result(struct db_conn *conn, struct db_wait *wait, PGresult **ret_pg,
                   struct err *err) MUST_CHECK;
/*
 * Read to the end of one statement (or of a string of them). *ret_pg: the last good result, or
 * NULL. -1: *err has the first error, and everything has been read unless the connection is broken.
 */
int db_wait_done(struct db_conn *conn, struct db_wait *wait, PGresult **ret_pg,
                 struct err *err) MUST_CHECK;

/* 0, or the error of using a connection that is broken or busy. */
int db_conn_ready(const struct db_conn *conn, struct err *err) MUST_CHECK;
/* Breaks the connection and returns -1: ERR_TRANSIENT, connection_lost, in libpq's words. */
int db_conn_lost(struct db_conn *conn, struct err *err);

/* The error of a result that failed; keeps the constraint's name. Returns -1. */
int db_error_result(struct db_conn *conn, const PGresult *pg, struct err *err);
/*
 * Takes the SQLSTATE and the text out of what libpq says when opening failed, with
 * PQERRORS_VERBOSE. Returns -1.
 */
int db_error_connect(const char *message, struct err *err);
/* A primary message without the data that it may quote. Writes at most size bytes. */
void db_error_scrub(const char *sqlstate, const char *message, char *out, size_t size);

/* What PQexecPrepared wants, made of parameters. Points into them. */
struct db_bound {
    int count;
    const char *value[DB_PARAMS_MAX];
    int len[DB_PARAMS_MAX];
    int format[DB_PARAMS_MAX];
    Oid type[DB_PARAMS_MAX];
};
/* Check against the statement (NULL: none) and fill. params may be NULL. */
int db_params_bind(const struct db_params *params, const struct db_stmt *stmt,
                   struct db_bound *ret_bound, struct err *err) MUST_CHECK;

#endif
