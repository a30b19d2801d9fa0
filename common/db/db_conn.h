/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to PostgreSQL 15 or newer.
 *
 * Every wait for the server is ours, not libpq's: it is bounded, and a stop request (base_signal.h)
 * ends it. Before the connection stands, a stop ends the wait at once; afterwards a server that
 * answers may finish what it was asked (a batch is finished or rolled back, never half-stopped),
 * and one that stays silent for stop_grace_ms more does not hold us up. A wait that ended so, a
 * lost connection or an answer that makes no sense leave the connection *broken*: each further call
 * fails with ERR_TRANSIENT and the owner closes it and opens a new one. Nothing here reconnects by
 * itself.
 *
 * The session: UTF8, time zone UTC, ISO dates, application name "promofleet/<slot>"
 * (promo_end_blockers() goes by it), synchronous_commit on, and the time limits of struct
 * db_settings. Where the URL names several hosts and does not say otherwise, only one that accepts
 * writes is taken.
 *
 * One thread at a time. A connection belongs to the process that opened it: do not fork with one.
 */
#ifndef DB_CONN_H
#define DB_CONN_H

#include "base_attr.h"
#include "base_err.h"

#include <stdbool.h>
#include <stdint.h>

#define DB_SERVER_VERSION_MIN 150000

struct db_conn;

/*
 * Times in milliseconds; 0 takes the default in brackets, -1 (where it says so) means no limit.
 * Texts are borrowed during db_conn_open only.
 */
struct db_settings {
    const char *url;              /* postgresql://... or "host=... dbname=..."             */
    const char *application_name; /* "promofleet/<slot>" [promofleet]                      */
    int64_t connect_timeout_ms;   /* the whole of opening; several hosts share it [10 s]   */
    int64_t tcp_user_timeout_ms;  /* sent bytes that nobody acknowledges [10 s]            */
    int64_t lock_timeout_ms;      /* one wait for a lock, then 55P03; or -1 [2 s]          */
    int64_t statement_timeout_ms; /* one statement, then 57014; or -1 [60 s]               */
    int64_t idle_timeout_ms;      /* a session idle in a transaction is ended; or -1 [60 s] */
    int64_t answer_timeout_ms;    /* silence on top of statement_timeout_ms [10 s]         */
    int64_t stop_grace_ms;        /* see above [2 s]                                       */
};

/*
 * Blocks up to connect_timeout_ms. ERR_FATAL: the URL, the user, the data base or the server's
 * version will never do; ERR_TRANSIENT: no server, or not now ("timeout", "stopped", a SQLSTATE,
 * "connect").
 */
int db_conn_open(const struct db_settings *settings, struct db_conn **ret_conn,
                 struct err *err) MUST_CHECK;
/* Ends the session; an open transaction rolls back. Does not block. Takes NULL. */
void db_conn_close(struct db_conn *conn);
DEFINE_CLEANUP(struct db_conn, db_conn_close)

/*
 * False when the connection is broken, or an idle connection's server has hung up. Reads what has
 * come in, sends nothing, does not block: a server that vanished without a word still counts as
 * alive.
 */
bool db_conn_alive(struct db_conn *conn);
/* Give the connection up from our side: every further call fails. What is not committed rolls back.
 */
void db_conn_break(struct db_conn *conn);

/* The socket, for poll() beside others; -1 when broken. Never read from it. */
int db_conn_fd(const struct db_conn *conn);
int db_conn_backend_pid(const struct db_conn *conn);
int db_conn_server_version(const struct db_conn *conn); /* 150004 for 15.4 */
/* The URL for logs: scheme, user, hosts, ports, data base; no password, no further parameters. */
const char *db_conn_shown(const struct db_conn *conn);
/*
 * The same for a URL that was not opened, into out (cut off at size). "(unreadable URL)" when it is
 * none, so that nothing of a mistyped one gets out.
 */
const char *db_url_redact(const char *url, char *out, size_t size);

/*
 * Name of the constraint that the last failed statement of this connection ran into (23505 and the
 * other 23xxx), or "". Valid until the next failed statement.
 */
const char *db_conn_constraint(const struct db_conn *conn);

/* "15.4 (Debian ...)" of the loaded libpq as a number: 150004. */
int db_client_version(void);

#endif
