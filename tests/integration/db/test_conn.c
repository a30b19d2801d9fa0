/* SPDX-License-Identifier: Apache-2.0 */
#include "db_it.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static void a_session_is_set_up_the_same_everywhere(void **state)
{
    (void)state;
    const struct db_settings settings = {.application_name = "promofleet/redeem-1",
                                         .lock_timeout_ms = 1234,
                                         .statement_timeout_ms = 2345,
                                         .idle_timeout_ms = 3456};
    struct db_conn *conn = it_open(&settings);

    it_text_is(conn, "show application_name", "promofleet/redeem-1");
    it_text_is(conn, "show client_encoding", "UTF8");
    it_text_is(conn, "show timezone", "UTC");
    it_text_is(conn, "show synchronous_commit", "on");
    it_text_is(conn, "show lock_timeout", "1234ms");
    it_text_is(conn, "show statement_timeout", "2345ms");
    it_text_is(conn, "show idle_in_transaction_session_timeout", "3456ms");
    assert_int_equal(it_number(conn, "select pg_backend_pid()"), db_conn_backend_pid(conn));
    assert_true(db_conn_server_version(conn) >= DB_SERVER_VERSION_MIN);
    assert_true(db_client_version() >= 150000);
    assert_true(db_conn_fd(conn) >= 0);
    assert_true(db_conn_alive(conn));
    assert_non_null(strstr(db_conn_shown(conn), "postgresql://"));
    db_conn_close(conn);
}

static void limits_have_defaults_and_can_be_lifted(void **state)
{
    (void)state;
    struct db_conn *conn = it_connect();

    it_text_is(conn, "show lock_timeout", "2s");
    it_text_is(conn, "show statement_timeout", "1min");
    db_conn_close(conn);

    const struct db_settings none = {
        .lock_timeout_ms = -1, .statement_timeout_ms = -1, .idle_timeout_ms = -1};
    conn = it_open(&none);
    it_text_is(conn, "show application_name", "promofleet");
    it_text_is(conn, "show lock_timeout", "0");
    it_text_is(conn, "show statement_timeout", "0");
    it_text_is(conn, "show idle_in_transaction_session_timeout", "0");
    db_conn_close(conn);
}

static void commits_wait_for_the_disk_even_where_the_default_is_off(void **state)
{
    (void)state;
    struct db_conn *conn = it_connect();

    it_exec(conn, "do $$ begin execute format('alter database %I set synchronous_commit = off', "
                  "current_database()); end $$");
    db_conn_close(conn);
    conn = it_connect();
    it_text_is(conn, "show synchronous_commit", "on");
    it_exec(conn, "do $$ begin execute format('alter database %I set synchronous_commit = "
                  "remote_apply', current_database()); end $$");
    db_conn_close(conn);
    conn = it_connect();
    it_text_is(conn, "show synchronous_commit", "remote_apply");
    it_exec(conn, "do $$ begin execute format('alter database %I reset synchronous_commit', "
                  "current_database()); end $$");
    db_conn_close(conn);
}

/* it_url with something in place of its data base. */
static const char *url_with(const char *database)
{
    static char url[2048];
    const char *slash = strchr(it_url + strlen("postgresql://"), '/');
    const char *rest = strchr(slash, '?');

    (void)snprintf(url, sizeof(url), "%.*s/%s%s", (int)(slash - it_url), it_url, database,
                   rest == NULL ? "" : rest);
    return url;
}

static void what_can_never_work_is_fatal(void **state)
{
    (void)state;
    struct db_settings settings = {.url = url_with("no_such_database")};
    struct db_conn *conn = NULL;

    fails(db_conn_open(&settings, &conn, err), ERR_FATAL, "3D000");
    assert_null(conn);
}

static void a_session_that_was_ended_is_noticed_and_replaced(void **state)
{
    (void)state;
    struct db_conn *conn = it_connect();

    it_exec(conn, "create table reconnect (id int)");
    assert_true(db_conn_alive(conn));
    it_terminate(conn);
    assert_false(db_conn_alive(conn));
    fails(db_exec(conn, "select 1", err), ERR_TRANSIENT, "connection_lost");
    assert_int_equal(db_tx_state(conn), DB_TX_BROKEN);
    assert_int_equal(db_conn_fd(conn), -1);
    db_conn_close(conn);

    conn = it_connect();
    it_exec(conn, "insert into reconnect values (1)");
    db_conn_close(conn);
}

static void a_statement_on_an_ended_session_has_the_servers_last_words(void **state)
{
    (void)state;
    struct db_conn *conn = it_connect();

    ok(db_tx_begin(conn, err));
    it_terminate(conn);
    fails(db_exec(conn, "select 1", err), ERR_TRANSIENT, "57P01");
    fails(db_exec(conn, "select 1", err), ERR_TRANSIENT, "connection_lost");
    fails(db_tx_rollback(conn, err), ERR_TRANSIENT, "connection_lost");
    fails(db_tx_begin(conn, err), ERR_TRANSIENT, "connection_lost");
    fails(db_tx_commit(conn, err), ERR_TRANSIENT, "connection_lost");
    db_conn_close(conn);
}

static void a_broken_connection_rolls_back(void **state)
{
    (void)state;
    struct db_conn *conn = it_connect();
    struct db_conn *other = it_connect();

    it_exec(conn, "create table broken (id int)");
    ok(db_tx_begin(conn, err));
    it_exec(conn, "insert into broken values (1)");
    db_conn_break(conn);
    assert_false(db_conn_alive(conn));
    db_conn_close(conn);
    assert_int_equal(it_number(other, "select count(*) from broken"), 0);
    db_conn_close(other);
}

/* --- servers that do not answer
 * --------------------------------------------------------------------------- */

/* Listens and never says a word. */
static int silent_server(char *url, size_t size, int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    (void)snprintf(url, size, "postgresql://me:secret@127.0.0.1:%d/x", *ret_port);
    return fd;
}

static void opening_ends_when_its_time_is_over(void **state)
{
    (void)state;
    char url[128];
    int port;
    int fd = silent_server(url, sizeof(url), &port);
    struct db_settings settings = {.url = url, .connect_timeout_ms = 200};
    struct db_conn *conn = NULL;
    int64_t start = clock_mono(&clock_real);

    fails(db_conn_open(&settings, &conn, err), ERR_TRANSIENT, "timeout");
    assert_in_range(it_ms_since(start), 190, 3000);
    assert_null(strstr(it_last_err.text, "secret"));
    (void)close(fd);
}

static void *stop_soon(void *unused)
{
    (void)unused;
    (void)usleep(100000);
    signal_request_stop();
    return NULL;
}

static void with_a_stop_soon(pthread_t *thread)
{
    assert_int_equal(pthread_create(thread, NULL, stop_soon, NULL), 0);
}

static void stop_is_over(pthread_t thread)
{
    assert_int_equal(pthread_join(thread, NULL), 0);
    ok(signal_init(err)); /* forgets the request */
}

static void a_stop_request_ends_opening_at_once(void **state)
{
    (void)state;
    char url[128];
    int port;
    int fd = silent_server(url, sizeof(url), &port);
    struct db_settings settings = {.url = url, .connect_timeout_ms = 20000};
    struct db_conn *conn = NULL;
    int64_t start = clock_mono(&clock_real);
    pthread_t thread;

    with_a_stop_soon(&thread);
    fails(db_conn_open(&settings, &conn, err), ERR_TRANSIENT, "stopped");
    assert_in_range(it_ms_since(start), 90, 3000);
    stop_is_over(thread);
    (void)close(fd);
}

/* it_url's host and port behind those of a server that is silent. */
/* The password of the test's own URL, quoted for a connection string; '' when it has none. */
static const char *url_password(char *out, size_t size)
{
    PQconninfoOption *options = PQconninfoParse(it_url, NULL);

    (void)snprintf(out, size, "''");
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "password") == 0 && option->val != NULL)
            (void)snprintf(out, size, "%s", option->val);
    }
    PQconninfoFree(options);
    return out;
}

static void a_silent_host_leaves_time_for_the_next(void **state)
{
    (void)state;
    char silent[128];
    char url[1024];
    char password[256];
    int port;
    int fd = silent_server(silent, sizeof(silent), &port);
    struct db_conn *conn = it_connect();
    struct db_result res = {0};

    ok(db_query_once(conn,
                     "select host(inet_server_addr()), inet_server_port(), current_user::text, "
                     "current_database()::text",
                     NULL, &res, err));
    if (db_is_null(&res, 0, 0)) {
        print_message("PGURL is a socket: no second host to be had\n");
    } else {
        (void)snprintf(url, sizeof(url),
                       "host=127.0.0.1,%s port=%d,%d user=%s dbname=%s password=%s",
                       db_get_text(&res, 0, 0, NULL), port, db_get_int32(&res, 0, 1),
                       db_get_text(&res, 0, 2, NULL), db_get_text(&res, 0, 3, NULL),
                       url_password(password, sizeof(password)));
        struct db_settings settings = {.url = url, .connect_timeout_ms = 2000};
        struct db_conn *second = it_open(&settings);
        db_conn_close(second);
    }
    db_result_done(&res);
    db_conn_close(conn);
    (void)close(fd);
}

static void a_server_that_stays_silent_costs_the_connection(void **state)
{
    (void)state;
    const struct db_settings settings = {.statement_timeout_ms = 100, .answer_timeout_ms = 200};
    struct db_conn *conn = it_open(&settings);
    int64_t start = clock_mono(&clock_real);

    it_exec(conn, "set statement_timeout = 0");
    fails(db_exec(conn, "select pg_sleep(20)", err), ERR_TRANSIENT, "server_silent");
    assert_in_range(it_ms_since(start), 290, 5000);
    assert_false(db_conn_alive(conn));
    db_conn_close(conn);
}

static void a_stop_request_waits_no_longer_than_its_grace(void **state)
{
    (void)state;
    const struct db_settings settings = {.stop_grace_ms = 200};
    struct db_conn *conn = it_open(&settings);
    int64_t start = clock_mono(&clock_real);
    pthread_t thread;

    with_a_stop_soon(&thread);
    fails(db_exec(conn, "select pg_sleep(20)", err), ERR_TRANSIENT, "stopped");
    assert_in_range(it_ms_since(start), 290, 5000);
    stop_is_over(thread);
    db_conn_close(conn);
}

static void a_stop_request_lets_an_answering_server_finish(void **state)
{
    (void)state;
    struct db_conn *conn = it_connect();
    pthread_t thread;

    with_a_stop_soon(&thread);
    it_exec(conn, "create table finished (id int)");
    ok(db_tx_begin(conn, err));
    it_exec(conn, "insert into finished select 1 from pg_sleep(0.5)");
    assert_true(signal_stop_requested());
    ok(db_tx_commit(conn, err));
    assert_int_equal(it_number(conn, "select count(*) from finished"), 1);
    stop_is_over(thread);
    db_conn_close(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_set_up_the_same_everywhere),
        cmocka_unit_test(limits_have_defaults_and_can_be_lifted),
        cmocka_unit_test(commits_wait_for_the_disk_even_where_the_default_is_off),
        cmocka_unit_test(what_can_never_work_is_fatal),
        cmocka_unit_test(a_session_that_was_ended_is_noticed_and_replaced),
        cmocka_unit_test(a_statement_on_an_ended_session_has_the_servers_last_words),
        cmocka_unit_test(a_broken_connection_rolls_back),
        cmocka_unit_test(opening_ends_when_its_time_is_over),
        cmocka_unit_test(a_stop_request_ends_opening_at_once),
        cmocka_unit_test(a_silent_host_leaves_time_for_the_next),
        cmocka_unit_test(a_server_that_stays_silent_costs_the_connection),
        cmocka_unit_test(a_stop_request_waits_no_longer_than_its_grace),
        cmocka_unit_test(a_stop_request_lets_an_answering_server_finish),
    };

    it_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
