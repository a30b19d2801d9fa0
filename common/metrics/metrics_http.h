/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP server for /metrics, /healthz and /readyz, on one thread of libmicrohttpd with all
 * signals blocked. Other paths are 404, other methods than GET and HEAD 405. Few connections, short
 * timeouts: it serves a scraper and a probe, not the world.
 */
#ifndef METRICS_HTTP_H
#define METRICS_HTTP_H

#include "base_attr.h"
#include "base_buf.h"
#include "base_err.h"
#include "metrics.h"

#define METRICS_HTTP_DEFAULT "127.0.0.1:0"

/*
 * Append JSON text to *json and return the HTTP status: 200, or 503 for "no". Called on the
 * server's thread, one call at a time: it may only look at what is safe to be read from there.
 */
typedef unsigned (*metrics_status_fn)(void *opaque, struct buf *json);

struct metrics_http_settings {
    const char *address; /* "127.0.0.1:9100" or "[::1]:0", numeric; port 0: any free one */
    const struct metrics *metrics; /* must outlive the server */
    metrics_status_fn health;      /* NULL: always 200 */
    metrics_status_fn ready;       /* NULL: always 200 */
    void *opaque;
};

struct metrics_http;

/* Serves from now on. -1: ERR_FATAL (address malformed or taken). */
int metrics_http_open(const struct metrics_http_settings *settings, struct metrics_http **ret_http,
                      struct err *err) MUST_CHECK;
/* Ends all connections and the thread; no callback runs afterwards. Takes NULL. */
void metrics_http_close(struct metrics_http *http);
DEFINE_CLEANUP(struct metrics_http, metrics_http_close)

/* The port listened on. */
unsigned metrics_http_port(const struct metrics_http *http);

#endif
