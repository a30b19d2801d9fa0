/* SPDX-License-Identifier: Apache-2.0 */
#include "db_conn.h"

#include "base_buf.h"
#include "base_signal.h"
#include "base_time.h"
#include "db_error.h"
#include "db_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_IDLE_S "10"
#define KEEPALIVE_INTERVAL_S "3"
#define KEEPALIVE_COUNT "3"
/* A server process that works for a client that is gone notices after this. */
#define CLIENT_CHECK_MS 2000
#define HOSTS_MAX 16

static const char unreadable[] = "(unreadable URL)";

/* --- reading a URL
 * ---------------------------------------------------------------------------------------- */

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val == NULL ? "" : options->val;
    }
    return "";
}

/*
 * NULL unless the URL can be read without a doubt. A password with an @ or a / that was not escaped
 * moves parts of itself into the host, the port or the data base; nothing of such a URL may be
 * shown.
 */
static PQconninfoOption *read_url(const char *url)
{
    PQconninfoOption *options = NULL;

    if (url == NULL || (strchr(url, '=') == NULL && strstr(url, "://") == NULL))
        return NULL;
    options = PQconninfoParse(url, NULL);
    if (options == NULL)
        return NULL;
    const char *host = option(options, "host");
    const char *port = option(options, "port");
    bool doubtful = strchr(option(options, "dbname"), '@') != NULL ||
                    port[strspn(port, "0123456789,")] != '\0' ||
                    (host[0] != '\0' && strchr(host + 1, '@') != NULL);
    if (doubtful) {
        PQconninfoFree(options);
        return NULL;
    }
    return options;
}

/* The i-th of a list with commas; "" behind its end. */
static void list_item(const char *list, size_t i, char *out, size_t size)
{
    for (; i > 0 && list != NULL; i--) {
        list = strchr(list, ',');
        if (list != NULL)
            list++;
    }
    (void)snprintf(out, size, "%.*s", list == NULL ? 0 : (int)strcspn(list, ","),
                   list == NULL ? "" : list);
}

static size_t list_len(const char *list)
{
    size_t count = 1;
    for (const char *at = strchr(list, ','); at != NULL; at = strchr(at + 1, ','))
        count++;
    return count;
}

/* The port of the i-th host: a single one is everybody's, an empty one the usual. */
static void port_item(const char *ports, size_t i, char *out, size_t size)
{
    list_item(ports, list_len(ports) == 1 ? 0 : i, out, size);
    if (ports[0] != '\0' && out[0] == '\0')
        (void)snprintf(out, size, "5432");
}

static bool list_fits(const char *list, size_t hosts)
{
    size_t count = list_len(list);
    return list[0] == '\0' || count == hosts;
}

/* Number of hosts, or 0: the lists of hosts, addresses and ports do not go together. */
static size_t count_hosts(const PQconninfoOption *options)
{
    const char *host = option(options, "host");
    const char *addr = option(options, "hostaddr");
    const char *port = option(options, "port");
    size_t hosts = list_len(host[0] == '\0' ? addr : host);
    char item[256];

    for (size_t i = 0; hosts > 1 && i < hosts; i++) {
        list_item(host[0] == '\0' ? addr : host, i, item, sizeof(item));
        if (item[0] == '\0')
            return 0;
    }
    if (hosts > HOSTS_MAX || !list_fits(host, hosts) || !list_fits(addr, hosts) ||
        (list_len(port) > 1 && !list_fits(port, hosts)))
        return 0;
    return hosts;
}

static void show(const PQconninfoOption *options, char *out, size_t size)
{
    const char *user = option(options, "user");
    const char *host = option(options, "host");
    const char *ports = option(options, "port");
    struct buf text;

    if (host[0] == '\0')
        host = option(options, "hostaddr");
    buf_init(&text);
    buf_printf(&text, "postgresql://%s%s", user, user[0] == '\0' ? "" : "@");
    for (size_t i = 0; i < list_len(host); i++) {
        char name[256];
        char port[16];

        list_item(host, i, name, sizeof(name));
        port_item(ports, i, port, sizeof(port));
        buf_printf(&text, "%s%s%s%s", i > 0 ? "," : "", name, port[0] == '\0' ? "" : ":", port);
    }
    buf_printf(&text, "/%s", option(options, "dbname"));
    (void)snprintf(out, size, "%s", text.data);
    buf_done(&text);
}

const char *db_url_redact(const char *url, char *out, size_t size)
{
    PQconninfoOption *options = read_url(url);

    if (options == NULL) {
        (void)snprintf(out, size, "%s", unreadable);
        return out;
    }
    show(options, out, size);
    PQconninfoFree(options);
    return out;
}

/* --- opening
 * ---------------------------------------------------------------------------------------------- */

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value == 0 ? fallback : value;
}

/* For PostgreSQL's settings, where 0 stands for no limit. */
static int64_t limit(int64_t value, int64_t fallback)
{
    return value < 0 ? 0 : or_default(value, fallback);
}

/* We do not log here, and what the server only remarks changes nothing. */
static void drop_notice(void *opaque UNUSED, const PGresult *pg UNUSED)
{
}

static int poll_once(PGconn *pg, short events, int64_t deadline_us, struct err *err)
{
    for (;;) {
        int64_t left_us = deadline_us - clock_mono(&clock_real);

        if (signal_stop_requested())
            return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "stopped",
                           "a stop was asked for before the connection stood");
        if (left_us <= 0)
            return err_set(err, ERR_TRANSIENT, DB_DOMAIN, "timeout", "no connection in time");
        struct pollfd fds[2] = {{.fd = PQsocket(pg), .events = events},
                                {.fd = signal_fd(), .events = POLLIN}};
        int ready =
            poll(fds, ARRAY_LEN(fds), (int)MIN_OF(left_us / TIME_US_PER_MS + 1, (int64_t)INT_MAX));
        if (ready < 0 && errno != EINTR)
            return err_errno(err, ERR_TRANSIENT, DB_DOMAIN, errno, "cannot wait for the server");
        if (ready > 0 && fds[0].revents != 0)
            return 0;
    }
}

struct opening {
    const struct db_settings *settings;
    const PQconninfoOption *options;
    const char *application_name;
    char tcp_user_timeout[24];
    size_t hosts;
};

/* One host of the list; libpq tries all its addresses. */
static int connect_host(const struct opening *opening, size_t i, int64_t deadline_us,
                        PGconn **ret_pg, struct err *err)
{
    char host[256];
    char addr[256];
    char port[16];
    const char *keywords[20];
    const char *values[20];
    size_t n = 0;

#define KEYWORD(name, value) (keywords[n] = (name), values[n] = (value), n++)
    /* What stands before the URL is a default, what stands behind it is decided. */
    KEYWORD("keepalives_idle", KEEPALIVE_IDLE_S);
    KEYWORD("keepalives_interval", KEEPALIVE_INTERVAL_S);
    KEYWORD("keepalives_count", KEEPALIVE_COUNT);
    KEYWORD("tcp_user_timeout", opening->tcp_user_timeout);
    if (opening->hosts > 1)
        KEYWORD("target_session_attrs", "read-write");
    KEYWORD("dbname", opening->settings->url);
    if (opening->hosts > 1) {
        /* Empty values leave libpq's own defaults. */
        list_item(option(opening->options, "host"), i, host, sizeof(host));
        list_item(option(opening->options, "hostaddr"), i, addr, sizeof(addr));
        port_item(option(opening->options, "port"), i, port, sizeof(port));
        KEYWORD("host", host);
        KEYWORD("hostaddr", addr);
        KEYWORD("port", port);
    }
    KEYWORD("application_name", opening->application_name);
    KEYWORD("client_encoding", "UTF8");
    KEYWORD(NULL, NULL);
#undef KEYWORD

    PGconn *pg = PQconnectStartParams(keywords, values, 1);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    if (pg == NULL)
        return err_nomem(err);
    /* Only this verbosity tells the SQLSTATE of a connection that is refused. */
    (void)PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
    (void)PQsetNoticeReceiver(pg, drop_notice, NULL);
    while (PQstatus(pg) != CONNECTION_BAD && status != PGRES_POLLING_OK &&
           status != PGRES_POLLING_FAILED) {
        if (poll_once(pg, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us, err) <
            0) {
            PQfinish(pg);
            return -1;
        }
        status = PQconnectPoll(pg);
    }
    if (PQstatus(pg) != CONNECTION_OK) {
        (void)db_error_connect(PQerrorMessage(pg), err);
        PQfinish(pg);
        return -1;
    }
    *ret_pg = pg;
    return 0;
}

/* The hosts share the time: one that does not answer leaves the others theirs. */
static int connect_any(const struct opening *opening, PGconn **ret_pg, struct err *err)
{
    int64_t total_us = limit(opening->settings->connect_timeout_ms, 10000) * TIME_US_PER_MS;
    int64_t start_us = clock_mono(&clock_real);
    struct err last = {0};

    for (size_t i = 0; i < opening->hosts; i++) {
        int64_t deadline_us = start_us + total_us * (int64_t)(i + 1) / (int64_t)opening->hosts;

        if (connect_host(opening, i, deadline_us, ret_pg, &last) == 0)
            return 0;
        if (signal_stop_requested())
            break;
    }
    if (err != NULL)
        *err = last;
    return -1;
}

static int set_session(struct db_conn *conn, const struct db_settings *settings, struct err *err)
{
    char sql[768];

    (void)snprintf(
        sql, sizeof(sql),
        "set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; "
        "set client_min_messages = error; set lock_timeout = %" PRId64
        "; set statement_timeout = %" PRId64 "; set idle_in_transaction_session_timeout = %" PRId64
        "; set client_connection_check_interval = %d; "
        "select set_config('synchronous_commit', 'on', false) "
        "where current_setting('synchronous_commit') = 'off'",
        limit(settings->lock_timeout_ms, 2000), limit(settings->statement_timeout_ms, 60000),
        limit(settings->idle_timeout_ms, 60000), CLIENT_CHECK_MS);
    return db_exec(conn, sql, err);
}

static int open_with(const struct db_settings *settings, const PQconninfoOption *options,
                     struct db_conn **ret_conn, struct err *err)
{
    struct opening opening = {.settings = settings,
                              .options = options,
                              .application_name = settings->application_name == NULL
                                                      ? "promofleet"
                                                      : settings->application_name};
    struct db_conn *conn = NULL;

    opening.hosts = count_hosts(options);
    if (opening.hosts == 0)
        return err_set(err, ERR_FATAL, DB_DOMAIN, "bad_url",
                       "the data base's URL has more than %d hosts, an empty one, or lists of "
                       "different lengths",
                       HOSTS_MAX);
    (void)snprintf(opening.tcp_user_timeout, sizeof(opening.tcp_user_timeout), "%" PRId64,
                   limit(settings->tcp_user_timeout_ms, 10000));
    conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return err_nomem(err);
    show(options, conn->shown, sizeof(conn->shown));
    conn->stop_grace_ms = limit(settings->stop_grace_ms, 2000);
    if (settings->statement_timeout_ms >= 0)
        conn->answer_ms = limit(settings->statement_timeout_ms, 60000) +
                          limit(settings->answer_timeout_ms, 10000);
    if (connect_any(&opening, &conn->pg, err) < 0) {
        (void)err_wrap(err, "%s", conn->shown);
        db_conn_close(conn);
        return -1;
    }
    conn->backend_pid = PQbackendPID(conn->pg);
    conn->server_version = PQserverVersion(conn->pg);
    if (conn->server_version < DB_SERVER_VERSION_MIN) {
        (void)err_set(err, ERR_FATAL, DB_DOMAIN, "server_version",
                      "%s: PostgreSQL %d is older than %d", conn->shown,
                      conn->server_version / 10000, DB_SERVER_VERSION_MIN / 10000);
        db_conn_close(conn);
        return -1;
    }
    if (PQsetnonblocking(conn->pg, 1) != 0)
        (void)db_conn_lost(conn, NULL);
    if (set_session(conn, settings, err) < 0) {
        (void)err_wrap(err, "%s", conn->shown);
        db_conn_close(conn);
        return -1;
    }
    *ret_conn = conn;
    return 0;
}

int db_conn_open(const struct db_settings *settings, struct db_conn **ret_conn, struct err *err)
{
    PQconninfoOption *options = read_url(settings->url);

    if (options == NULL)
        return err_set(err, ERR_FATAL, DB_DOMAIN, "bad_url",
                       "the data base's URL cannot be read (in a password, @ is written %%40 "
                       "and / %%2F)");
    int rc = open_with(settings, options, ret_conn, err);
    PQconninfoFree(options);
    return rc;
}

/* --- the rest of its life
 * --------------------------------------------------------------------------------- */

void db_conn_break(struct db_conn *conn)
{
    /* The socket is non-blocking: neither the farewell nor the closing waits. */
    PQfinish(conn->pg);
    conn->pg = NULL;
    conn->queued = 0;
}

void db_conn_close(struct db_conn *conn)
{
    if (conn == NULL)
        return;
    db_conn_break(conn);
    free(conn->prepared);
    free(conn);
}

bool db_conn_alive(struct db_conn *conn)
{
    if (conn->pg == NULL)
        return false;
    if (PQtransactionStatus(conn->pg) == PQTRANS_ACTIVE ||
        PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF)
        return true;
    /* A session that was ended has its last words and the end of file waiting, in this order. */
    for (int i = 0; i < 8; i++) {
        struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};

        if (poll(&fd, 1, 0) <= 0)
            break;
        if (PQconsumeInput(conn->pg) == 0) {
            db_conn_break(conn);
            return false;
        }
    }
    return PQstatus(conn->pg) == CONNECTION_OK;
}

int db_conn_fd(const struct db_conn *conn)
{
    return PQsocket(conn->pg);
}

int db_conn_backend_pid(const struct db_conn *conn)
{
    return conn->backend_pid;
}

int db_conn_server_version(const struct db_conn *conn)
{
    return conn->server_version;
}

const char *db_conn_shown(const struct db_conn *conn)
{
    return conn->shown;
}

const char *db_conn_constraint(const struct db_conn *conn)
{
    return conn->constraint;
}

int db_client_version(void)
{
    return PQlibVersion();
}
