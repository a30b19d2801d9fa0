/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_http.h"

#include "base_parse.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define CONNECTION_MEMORY ((size_t)16 * 1024)
#define TIMEOUT_S 5
#define BACKLOG 16
#define HOST_MAX 64

struct metrics_http {
    struct metrics_http_settings settings; /* without the address */
    struct MHD_Daemon *daemon;
    unsigned port;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             struct buf *body)
{
    size_t len = 0;
    char *bytes = buf_detach(body, &len);
    if (bytes == NULL)
        return MHD_NO;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(bytes);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

static unsigned ask(const struct metrics_http *http, metrics_status_fn status_fn, struct buf *body)
{
    if (status_fn != NULL)
        return status_fn(http->settings.opaque, body);
    buf_add_str(body, "{\"status\":\"ok\"}\n");
    return MHD_HTTP_OK;
}

static enum MHD_Result on_request(void *opaque, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    static const char json[] = "application/json";
    static char seen;
    struct metrics_http *http = opaque;
    (void)version;
    (void)upload;
    /* Called with the headers first, then once per piece of a body, which is thrown away. */
    if (*request == NULL) {
        *request = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }

    CLEANUP(buf_done) struct buf body;
    buf_init(&body);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        buf_add_str(&body, "{\"error\":\"method_not_allowed\"}\n");
        return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, json, &body);
    }
    if (strcmp(url, "/metrics") == 0) {
        metrics_write(http->settings.metrics, &body);
        return reply(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
    }
    if (strcmp(url, "/healthz") == 0) {
        unsigned status = ask(http, http->settings.health, &body);
        return reply(connection, status, json, &body);
    }
    if (strcmp(url, "/readyz") == 0) {
        unsigned status = ask(http, http->settings.ready, &body);
        return reply(connection, status, json, &body);
    }
    buf_add_str(&body, "{\"error\":\"not_found\"}\n");
    return reply(connection, MHD_HTTP_NOT_FOUND, json, &body);
}

static int bad_address(const char *address, struct err *err)
{
    return err_set(err, ERR_FATAL, "metrics", "bad_address",
                   "\"%.80s\" is not a numeric address with a port, such as 127.0.0.1:9100 or "
                   "[::1]:9100",
                   address);
}

/* "127.0.0.1:9100" or "[::1]:9100" into its parts. */
static int split_address(const char *address, char host[HOST_MAX], const char **ret_port,
                         struct err *err)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL)
        return bad_address(address, err);
    size_t len = (size_t)(colon - address);
    if (address[0] == '[') {
        if (len < 2 || address[len - 1] != ']')
            return bad_address(address, err);
        address++;
        len -= 2;
    } else if (memchr(address, ':', len) != NULL) {
        return bad_address(address, err);
    }
    int64_t port = 0;
    if (len == 0 || len >= HOST_MAX || parse_int64(colon + 1, 0, UINT16_MAX, &port, NULL) < 0)
        return bad_address(address, err);
    memcpy(host, address, len);
    host[len] = '\0';
    *ret_port = colon + 1;
    return 0;
}

/* A listening socket of our own: its errors are precise, and the port can be read back. */
static int listen_on(const char *address, int *ret_fd, unsigned *ret_port, struct err *err)
{
    char host[HOST_MAX];
    const char *port = NULL;
    if (split_address(address, host, &port, err) < 0)
        return -1;
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return bad_address(address, err);

    int rc = -1;
    int yes = 1;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound;
    memset(&bound, 0, sizeof(bound));
    socklen_t bound_len = sizeof(bound);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &bound.any, &bound_len) != 0) {
        (void)err_errno(err, ERR_FATAL, "metrics", errno, "cannot listen on %s", address);
        if (fd >= 0)
            (void)close(fd);
    } else {
        *ret_port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
        *ret_fd = fd;
        rc = 0;
    }
    freeaddrinfo(found);
    return rc;
}

int metrics_http_open(const struct metrics_http_settings *settings, struct metrics_http **ret_http,
                      struct err *err)
{
    struct metrics_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return err_nomem(err);
    http->settings = *settings;
    http->settings.address = NULL;
    int fd = -1;
    if (listen_on(settings->address, &fd, &http->port, err) < 0) {
        free(http);
        return -1;
    }

    /* The new thread inherits the mask: stop requests and the watchdog are the main thread's. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    http->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (http->daemon == NULL) {
        (void)close(fd);
        free(http);
        return err_set(err, ERR_FATAL, "metrics", "http_failed", "the HTTP server does not start");
    }
    *ret_http = http;
    return 0;
}

void metrics_http_close(struct metrics_http *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon); /* closes the listening socket, too */
    free(http);
}

unsigned metrics_http_port(const struct metrics_http *http)
{
    return http->port;
}
