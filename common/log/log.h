/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging: one JSON object a line, one write() a line.
 *
 *     log_info("batch_done", LOG_INT("rows", rows), LOG_STR("topic", topic), LOG_END);
 *     {"ts":"2026-11-20T19:06:00.123Z","level":"info","worker":"redeem-1","event":"batch_done",...}
 *
 * Events are short constant snake_case names; what varies goes into fields. Keys are static texts,
 * other than ts, level, worker and event. A line holds at most LOG_LINE_MAX bytes and a value at
 * most LOG_VALUE_MAX: what is longer is cut and the line says "cut":true. Bytes that are no UTF-8
 * become U+FFFD. (Processes that share one pipe may mix lines longer than PIPE_BUF, 4096 bytes.)
 *
 * No code, customer identifier or secret is ever logged: use LOG_HASH. As a last defence a text
 * whose key is password, secret, code, codes, customer, email or ends in _password or _secret is
 * replaced by "[hidden]".
 *
 * Safe from every thread, except log_init and log_done. Nothing here fails: a line that cannot be
 * written is counted and dropped. Before log_init lines of level info go to stderr.
 */
#ifndef LOG_H
#define LOG_H

#include "base_attr.h"
#include "base_err.h"
#include "base_time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 8192 /* with the newline */
#define LOG_VALUE_MAX 2048
#define LOG_HASH_TEXT 13 /* 12 hexadecimal digits and the closing NUL */

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
};
/* "debug", "info", "warn", "error", NULL: in the order of the enum. */
extern const char *const log_level_names[];

struct log_settings {
    int fd;
    enum log_level level; /* lines below are dropped                                           */
    const char *worker;   /* the slot, "generate-1"; copied; NULL or "": no such field         */
    /*
     * Lines of one event name and level per window; what is beyond is counted, and the next line
     * that passes carries "suppressed". 0: no limit.
     */
    unsigned rate_max;
    int64_t rate_window_ms;
    const uint8_t *hash_key; /* 16 bytes for LOG_HASH, copied; NULL: random, of this process only */
    const struct clock *clock; /* must outlive the logging; NULL: clock_real */
};

#define LOG_SETTINGS_DEFAULT                                                                       \
    {                                                                                              \
        .fd = 2, .level = LOG_LEVEL_INFO, .rate_max = 100, .rate_window_ms = 10000                 \
    }

void log_init(const struct log_settings *settings);
/* Say what is still suppressed, then go back to what was before log_init. */
void log_done(void);
/* Lines that could not be written so far. */
uint64_t log_dropped(void);

enum log_type {
    LOG_TYPE_END,
    LOG_TYPE_INT,
    LOG_TYPE_NUM,
    LOG_TYPE_BOOL,
    LOG_TYPE_TEXT,
    LOG_TYPE_HASH,
    LOG_TYPE_ERR,
};

/* Made by the macros below only. */
struct log_field {
    const char *key;
    enum log_type type;
    union {
        int64_t integer;
        double number;
        bool truth;
        struct {
            const void *bytes;
            size_t len; /* SIZE_MAX: up to the closing NUL */
        } text;
        const struct err *err;
    };
};

#define LOG_INT(k, v) ((struct log_field){.key = (k), .type = LOG_TYPE_INT, .integer = (v)})
#define LOG_NUM(k, v) ((struct log_field){.key = (k), .type = LOG_TYPE_NUM, .number = (v)})
#define LOG_BOOL(k, v) ((struct log_field){.key = (k), .type = LOG_TYPE_BOOL, .truth = (v)})
/* A C string; NULL is written as null. */
#define LOG_STR(k, v)                                                                              \
    ((struct log_field){.key = (k), .type = LOG_TYPE_TEXT, .text = {(v), SIZE_MAX}})
#define LOG_BYTES(k, v, n)                                                                         \
    ((struct log_field){.key = (k), .type = LOG_TYPE_TEXT, .text = {(v), (n)}})
/* log_hash() of the bytes in place of the bytes. */
#define LOG_HASH(k, v, n)                                                                          \
    ((struct log_field){.key = (k), .type = LOG_TYPE_HASH, .text = {(v), (n)}})
/* err_kind, err_domain, err_code, err_pointer (if any), err_text and err_at, where it came up. */
#define LOG_ERR(e) ((struct log_field){.key = "err", .type = LOG_TYPE_ERR, .err = (e)})
/* Closes a list; the macros add it where it is left out. */
#define LOG_END ((struct log_field){.key = NULL, .type = LOG_TYPE_END})

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) LOG_END})

#define log_at(level, event, ...)                                                                  \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write((level), (event), LOG_FIELDS(__VA_ARGS__));                                  \
    } while (0)
#define log_debug(event, ...) log_at(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_at(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_err(level, event, err, ...)                                                            \
    log_at((level), (event), LOG_ERR(err) __VA_OPT__(, ) __VA_ARGS__)

bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields);

/*
 * Context: fields that every line of this thread carries until the end of the enclosing scope. The
 * values are copied. An inner context, and a line's own fields, win over an outer one of the same
 * key. At most LOG_CONTEXT_MAX fields and LOG_CONTEXT_BYTES bytes; what is beyond is left out.
 *
 *     LOG_CONTEXT(LOG_STR("topic", topic), LOG_INT("offset", offset));
 */
#define LOG_CONTEXT_MAX 16
#define LOG_CONTEXT_BYTES 1024
#define LOG_GLUE2(a, b) a##b
#define LOG_GLUE(a, b) LOG_GLUE2(a, b)
#define LOG_CONTEXT(...)                                                                           \
    CLEANUP(log_pop)                                                                               \
    UNUSED struct log_scope LOG_GLUE(log_scope_, __LINE__) = log_push(LOG_FIELDS(__VA_ARGS__))

struct log_scope {
    size_t count;
    size_t len;
};
struct log_scope log_push(const struct log_field *fields) MUST_CHECK;
void log_pop(struct log_scope *scope);

/*
 * An edge: a dependency that is there or gone. The first failure is one line "dependency_failed"
 * (level error), the first success after it one line "dependency_recovered" (level info) with
 * gone_ms and failures; everything between is only counted. Zero-initialise, then set name (static
 * text). One thread per edge.
 */
struct log_edge {
    const char *name;
    bool failed;
    uint64_t failures;
    int64_t since_us; /* monotonic */
};
#define log_edge(edge, is_failed, ...) log_edge_set((edge), (is_failed), LOG_FIELDS(__VA_ARGS__))
void log_edge_set(struct log_edge *edge, bool failed, const struct log_field *fields);

/* A short keyed hash, to tell values apart without showing them. Equal over a fleet that hands the
 * same hash_key to log_init. */
const char *log_hash(const void *bytes, size_t len, char out[LOG_HASH_TEXT]);

#endif
