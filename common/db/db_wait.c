/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for the server. Everything that may block in this library, once a connection stands,
 * comes down to db_wait_for().
 */
#include "base_signal.h"
#include "base_time.h"
#include "db_error.h"
#include "db_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

void db_wait_progress(struct db_wait *wait)
{
    if (wait->limit_ms > 0)
        wait->deadline_us = clock_mono(&clock_real) + wait->limit_ms * TIME_US_PER_MS;
}

void db_wait_init(struct db_wait *wait, const struct db_conn *conn)
{
    *wait = (struct db_wait){.limit_ms = conn->answer_ms};
    db_wait_progress(wait);
}

int db_conn_ready(const struct db_conn *conn, struct err *err)
{
    if (conn->pg == NULL)
        return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "connection_lost",
                       "the connection was given up before");
    if (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF)
        return err_set(err, ERR_BUG, DB_DOMAIN, "busy", "the connection is in a pipeline");
    if (PQtransactionStatus(conn->pg) == PQTRANS_ACTIVE)
        return err_set(err, ERR_BUG, DB_DOMAIN, "busy", "the connection is in a COPY");
    return 0;
}

int db_conn_lost(struct db_conn *conn, struct err *err)
{
    char text[sizeof(err->text)];

    db_error_scrub("", PQerrorMessage(conn->pg), text, sizeof(text));
    db_conn_break(conn);
    return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "connection_lost", "%s",
                   text[0] == '\0' ? "the connection is lost" : text);
}

/* Milliseconds until a moment, rounded up, for poll(). */
static int until(int64_t now_us, int64_t then_us)
{
    int64_t ms = (then_us - now_us + TIME_US_PER_MS - 1) / TIME_US_PER_MS;
    return (int)MIN_OF(MAX_OF(ms, 0), INT_MAX);
}

int db_wait_for(struct db_conn *conn, struct db_wait *wait, short events, short *ret_events,
                struct err *err)
{
    for (;;) {
        int64_t now = clock_mono(&clock_real);
        int timeout = -1;

        if (wait->stop_us == 0 && signal_stop_requested())
            wait->stop_us = now + conn->stop_grace_ms * TIME_US_PER_MS;
        if (wait->stop_us != 0 && now >= wait->stop_us) {
            db_conn_break(conn);
            return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "stopped",
                           "a stop was asked for and the server has not finished");
        }
        if (wait->deadline_us != 0)
            timeout = until(now, wait->deadline_us);
        if (wait->stop_us != 0) {
            int left = until(now, wait->stop_us);
            timeout = timeout < 0 ? left : MIN_OF(timeout, left);
        }
        struct pollfd fds[2] = {
            {.fd = PQsocket(conn->pg), .events = events},
            {.fd = wait->stop_us == 0 ? signal_fd() : -1, .events = POLLIN},
        };
        int ready = poll(fds, ARRAY_LEN(fds), timeout);
        if (ready < 0 && errno != EINTR) {
            (void)err_errno(err, ERR_TRANSIENT, DB_DOMAIN, errno, "cannot wait for the server");
            db_conn_break(conn);
            return -1;
        }
        if (ready > 0 && fds[0].revents != 0) {
            if (ret_events != NULL)
                *ret_events = fds[0].revents;
            return 0;
        }
        if (wait->deadline_us != 0 && clock_mono(&clock_real) >= wait->deadline_us) {
            db_conn_break(conn);
            return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "server_silent",
                           "no answer within %lld ms", (long long)wait->limit_ms);
        }
    }
}

int db_wait_flush(struct db_conn *conn, struct db_wait *wait, struct err *err)
{
    for (;;) {
        int left = PQflush(conn->pg);
        short events = 0;

        if (left == 0)
            return 0;
        if (left < 0)
            return db_conn_lost(conn, err);
        if (db_wait_for(conn, wait, POLLIN | POLLOUT, &events, err) < 0)
            return -1;
        db_wait_progress(wait);
        /* Unless we read, the server may be stuck on sending and never get to read us. */
        if ((events & ~POLLOUT) != 0 && PQconsumeInput(conn->pg) == 0)
            return db_conn_lost(conn, err);
    }
}

int db_wait_result(struct db_conn *conn, struct db_wait *wait, PGresult **ret_pg, struct err *err)
{
    while (PQisBusy(conn->pg)) {
        if (db_wait_for(conn, wait, POLLIN, NULL, err) < 0)
            return -1;
        db_wait_progress(wait);
        if (PQconsumeInput(conn->pg) == 0) {
            /* What was read before the end may hold the server's last words: PQgetResult knows. */
            if (PQstatus(conn->pg) == CONNECTION_BAD)
                break;
            return db_conn_lost(conn, err);
        }
    }
    *ret_pg = PQgetResult(conn->pg);
    return 0;
}

int db_wait_done(struct db_conn *conn, struct db_wait *wait, PGresult **ret_pg, struct err *err)
{
    PGresult *good = NULL;
    bool failed = false;

    if (db_wait_flush(conn, wait, err) < 0)
        return -1;
    for (;;) {
        PGresult *pg = NULL;
        struct err later = {0};

        if (db_wait_result(conn, wait, &pg, failed ? &later : err) < 0) {
            PQclear(good);
            return -1;
        }
        if (pg == NULL)
            break;
        switch (PQresultStatus(pg)) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            PQclear(good);
            good = pg;
            continue;
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            /* Only db_copy knows how to go on, and it does not ask here. */
            PQclear(pg);
            PQclear(good);
            db_conn_break(conn);
            return err_set(err, ERR_BUG, DB_DOMAIN, "copy", "COPY is for db_copy only");
        default:
            (void)db_error_result(conn, pg, failed ? &later : err);
            failed = true;
            PQclear(pg);
        }
    }
    if (PQstatus(conn->pg) == CONNECTION_BAD) {
        if (!failed)
            (void)db_conn_lost(conn, err);
        failed = true;
        db_conn_break(conn);
    }
    if (failed) {
        PQclear(good);
        return -1;
    }
    *ret_pg = good;
    return 0;
}
