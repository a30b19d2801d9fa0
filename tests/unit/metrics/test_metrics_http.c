/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const struct metrics_row rows[] = {
    {.name = "x_total", .help = "X.", .type = METRICS_COUNTER}};

static struct metrics *metrics;
static struct metrics_http *http;
static atomic_uint ready_status;

static unsigned say_health(void *opaque, struct buf *json)
{
    (void)opaque;
    buf_add_str(json, "{\"alive\":true}");
    return 200;
}

static unsigned say_ready(void *opaque, struct buf *json)
{
    buf_printf(json, "{\"state\":\"%s\"}", (const char *)opaque);
    return atomic_load(&ready_status);
}

static int setup(void **state)
{
    (void)state;
    static char text[] = "running";
    atomic_store(&ready_status, 200);
    if (metrics_new(rows, 1, &metrics, NULL) < 0)
        return -1;
    const struct metrics_http_settings settings = {.address = METRICS_HTTP_DEFAULT,
                                                   .metrics = metrics,
                                                   .health = say_health,
                                                   .ready = say_ready,
                                                   .opaque = text};
    return metrics_http_open(&settings, &http, NULL);
}

static int teardown(void **state)
{
    (void)state;
    metrics_http_close(http);
    metrics_free(metrics);
    return 0;
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)metrics_http_port(http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    const struct timeval limit = {.tv_sec = 20};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static char answer[64 * 1024];

/* Send a request as it is and return all that comes back until the server closes. */
static const char *exchange(const char *request)
{
    int fd = dial();
    size_t sent = 0;
    size_t len = strlen(request);
    while (sent < len) {
        ssize_t now = send(fd, request + sent, len - sent, MSG_NOSIGNAL);
        assert_true(now > 0);
        sent += (size_t)now;
    }
    size_t got = 0;
    ssize_t now;
    while (got < sizeof(answer) - 1 &&
           (now = recv(fd, answer + got, sizeof(answer) - 1 - got, 0)) > 0)
        got += (size_t)now;
    answer[got] = '\0';
    (void)close(fd);
    return answer;
}

static const char *get(const char *path)
{
    char request[400];
    (void)snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    return exchange(request);
}

static void assert_answer(const char *text, const char *status, const char *type, const char *body)
{
    char wanted[100];
    (void)snprintf(wanted, sizeof(wanted), "HTTP/1.1 %s ", status);
    assert_memory_equal(text, wanted, strlen(wanted));
    (void)snprintf(wanted, sizeof(wanted), "\r\nContent-Type: %s\r\n", type);
    assert_non_null(strstr(text, wanted));
    const char *end = strstr(text, "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end + 4, body);
}

#define TEXT "text/plain; version=0.0.4; charset=utf-8"
#define JSON "application/json"

static void metrics_are_served_as_they_stand(void **state)
{
    (void)state;
    metrics_add(metrics, 0, 0, 7);
    assert_answer(get("/metrics"), "200", TEXT,
                  "# HELP x_total X.\n# TYPE x_total counter\nx_total 7\n");
    metrics_add(metrics, 0, 0, 1);
    assert_non_null(strstr(get("/metrics?x=y"), "x_total 8\n"));
}

static void health_and_readiness_are_the_callers(void **state)
{
    (void)state;
    assert_answer(get("/healthz"), "200", JSON, "{\"alive\":true}");
    assert_answer(get("/readyz"), "200", JSON, "{\"state\":\"running\"}");
    atomic_store(&ready_status, 503);
    assert_answer(get("/readyz"), "503", JSON, "{\"state\":\"running\"}");
}

static void other_paths_are_not_found(void **state)
{
    (void)state;
    assert_answer(get("/"), "404", JSON, "{\"error\":\"not_found\"}\n");
    assert_answer(get("/metrics/"), "404", JSON, "{\"error\":\"not_found\"}\n");
    assert_answer(get("/metricsx"), "404", JSON, "{\"error\":\"not_found\"}\n");
}

static void other_methods_are_refused_with_what_is_allowed(void **state)
{
    (void)state;
    const char *text = exchange("POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                "Content-Length: 5\r\n\r\nhello");
    assert_answer(text, "405", JSON, "{\"error\":\"method_not_allowed\"}\n");
    assert_non_null(strstr(text, "\r\nAllow: GET, HEAD\r\n"));
    text = exchange("DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_answer(text, "405", JSON, "{\"error\":\"method_not_allowed\"}\n");
}

static void head_has_no_body(void **state)
{
    (void)state;
    assert_answer(exchange("HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "200",
                  JSON, "");
    assert_non_null(strstr(answer, "\r\nContent-Length: 14\r\n"));
}

static void one_connection_serves_request_after_request(void **state)
{
    (void)state;
    const char *text = exchange("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                                "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(text, "{\"alive\":true}"));
    assert_non_null(strstr(text, "{\"state\":\"running\"}"));
}

static void nonsense_and_huge_requests_do_no_harm(void **state)
{
    (void)state;
    static const char nonsense[] = "\x16\x03\x01nonsense\r\n\r\n";
    int other = dial();
    (void)send(other, nonsense, sizeof(nonsense) - 1, MSG_NOSIGNAL);
    (void)close(other);
    static char huge[40 * 1024];
    int len = snprintf(huge, sizeof(huge), "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ");
    memset(huge + len, 'x', sizeof(huge) - (size_t)len - 5);
    memcpy(huge + sizeof(huge) - 5, "\r\n\r\n", 5);
    int fd = dial();
    (void)send(fd, huge, sizeof(huge) - 1, MSG_NOSIGNAL);
    char first[13] = "";
    (void)recv(fd, first, sizeof(first) - 1, MSG_WAITALL);
    (void)close(fd);
    assert_string_not_equal(first, "HTTP/1.1 200");
    assert_answer(get("/healthz"), "200", JSON, "{\"alive\":true}");
}

static void connections_are_bounded_and_the_next_one_waits(void **state)
{
    (void)state;
    /* The 16 that are allowed; a request on each makes sure that the server has taken it. */
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    int fds[17];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial();
        assert_int_equal(send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
                         sizeof(request) - 1);
        if (i < 16)
            assert_true(recv(fds[i], answer, sizeof(answer), 0) > 0);
    }
    struct pollfd wait = {.fd = fds[16], .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 100), 0);
    (void)close(fds[0]);
    assert_int_equal(poll(&wait, 1, 20000), 1);
    assert_true(recv(fds[16], answer, sizeof(answer), 0) > 0);
    for (size_t i = 1; i < ARRAY_LEN(fds); i++)
        (void)close(fds[i]);
}

static void taken_port_is_a_clear_error(void **state)
{
    (void)state;
    char address[40];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", metrics_http_port(http));
    const struct metrics_http_settings settings = {.address = address, .metrics = metrics};
    struct metrics_http *second = NULL;
    struct err err;
    assert_int_equal(metrics_http_open(&settings, &second, &err), -1);
    assert_null(second);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "EADDRINUSE");
    assert_non_null(strstr(err.text, address));
}

static void addresses_are_numeric_with_a_port(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      ":80",
                                      "localhost:0",
                                      "127.0.0.1:",
                                      "127.0.0.1:x",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:65536",
                                      "::1:0",
                                      "[::1:0",
                                      "[]:0",
                                      "[127.0.0.1",
                                      "1.2.3.4.5:0",
                                      "127.0.0.1:0 "};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct metrics_http_settings settings = {.address = bad[i], .metrics = metrics};
        struct metrics_http *second = NULL;
        struct err err;
        if (metrics_http_open(&settings, &second, &err) != -1)
            fail_msg("%s taken", bad[i]);
        assert_string_equal(err.code, "bad_address");
    }
}

static void callbacks_may_be_left_out(void **state)
{
    (void)state;
    const struct metrics_http_settings settings = {.address = "127.0.0.1:0", .metrics = metrics};
    metrics_http_close(http);
    http = NULL;
    assert_int_equal(metrics_http_open(&settings, &http, NULL), 0);
    assert_answer(get("/healthz"), "200", JSON, "{\"status\":\"ok\"}\n");
    assert_answer(get("/readyz"), "200", JSON, "{\"status\":\"ok\"}\n");
}

static pid_t handler_thread;

static void note_thread(int number)
{
    (void)number;
    handler_thread = gettid();
}

static void server_thread_takes_no_signals(void **state)
{
    (void)state;
    /* Blocked here, a signal to the process would go to any other thread that takes it. */
    struct sigaction action = {.sa_handler = note_thread};
    struct sigaction old;
    sigset_t set;
    sigset_t before;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
    handler_thread = 0;
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_non_null(strstr(get("/healthz"), "{\"alive\":true}"));
    assert_int_equal(handler_thread, 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    assert_int_equal(handler_thread, gettid());
    assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
}

static void close_takes_null(void **state)
{
    (void)state;
    metrics_http_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metrics_are_served_as_they_stand),
        TEST(health_and_readiness_are_the_callers),
        TEST(other_paths_are_not_found),
        TEST(other_methods_are_refused_with_what_is_allowed),
        TEST(head_has_no_body),
        TEST(one_connection_serves_request_after_request),
        TEST(nonsense_and_huge_requests_do_no_harm),
        TEST(connections_are_bounded_and_the_next_one_waits),
        TEST(taken_port_is_a_clear_error),
        TEST(addresses_are_numeric_with_a_port),
        TEST(callbacks_may_be_left_out),
        TEST(server_thread_takes_no_signals),
        TEST(close_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
