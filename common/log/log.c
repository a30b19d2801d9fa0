/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "base_digest.h"
#include "log_line.h"
#include "log_rate.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define WORKER_MAX 64
#define HASH_KEY_LEN 16

const char *const log_level_names[] = {"debug", "info", "warn", "error", NULL};

static struct {
    int fd;
    char worker[WORKER_MAX];
    const struct clock *clock;
} settings = {.fd = STDERR_FILENO, .clock = &clock_real};

static _Atomic int threshold = LOG_LEVEL_INFO;
static _Atomic uint64_t dropped;

/* Guards the rates and the lazily made key; never held while writing. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_rate rates;
static uint8_t hash_key[HASH_KEY_LEN];
static bool hash_key_set;

/* A field of the context: its members as JSON, made when it was pushed. */
struct kept {
    const char *key;
    size_t from;
    size_t len;
};

static __thread struct {
    struct kept fields[LOG_CONTEXT_MAX];
    size_t count;
    char bytes[LOG_CONTEXT_BYTES];
    size_t len;
} context;

static const struct log_settings before_init = {.fd = STDERR_FILENO, .level = LOG_LEVEL_INFO};

static void apply(const struct log_settings *wanted)
{
    settings.fd = wanted->fd;
    settings.clock = wanted->clock != NULL ? wanted->clock : &clock_real;
    (void)snprintf(settings.worker, sizeof(settings.worker), "%s",
                   wanted->worker != NULL ? wanted->worker : "");
    (void)pthread_mutex_lock(&lock);
    hash_key_set = wanted->hash_key != NULL;
    if (hash_key_set)
        memcpy(hash_key, wanted->hash_key, sizeof(hash_key));
    else
        digest_wipe(hash_key, sizeof(hash_key));
    log_rate_init(&rates, wanted->rate_max, wanted->rate_window_ms * TIME_US_PER_MS);
    (void)pthread_mutex_unlock(&lock);
    atomic_store(&threshold, (int)wanted->level);
}

void log_init(const struct log_settings *wanted)
{
    apply(wanted);
}

uint64_t log_dropped(void)
{
    return atomic_load(&dropped);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

const char *log_hash(const void *bytes, size_t len, char out[LOG_HASH_TEXT])
{
    uint8_t key[HASH_KEY_LEN];
    (void)pthread_mutex_lock(&lock);
    if (!hash_key_set) {
        digest_random(hash_key, sizeof(hash_key));
        hash_key_set = true;
    }
    memcpy(key, hash_key, sizeof(key));
    (void)pthread_mutex_unlock(&lock);

    uint64_t hash = digest_siphash(key, bytes, len);
    uint8_t top[(LOG_HASH_TEXT - 1) / 2];
    for (size_t i = 0; i < sizeof(top); i++)
        top[i] = (uint8_t)(hash >> (56 - 8 * i));
    return digest_hex(top, sizeof(top), out);
}

/* One write() in all but the rarest cases: a pipe may take a part only. */
static void write_out(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t written = write(settings.fd, data, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            atomic_fetch_add(&dropped, 1);
            return;
        }
        data += written;
        len -= (size_t)written;
    }
}

static bool has_key(const struct log_field *fields, const char *key)
{
    for (; fields->type != LOG_TYPE_END; fields++) {
        if (strcmp(fields->key, key) == 0)
            return true;
    }
    return false;
}

/* Is there a later field of the context with the same key? */
static bool is_overridden(size_t index)
{
    for (size_t i = index + 1; i < context.count; i++) {
        if (strcmp(context.fields[i].key, context.fields[index].key) == 0)
            return true;
    }
    return false;
}

static void begin(struct log_line *line, char *data, size_t size, enum log_level level,
                  const char *event)
{
    /* Always three digits of fraction, so that lines sort by time as texts. */
    int64_t now_us = clock_wall(settings.clock);
    char ts[TIME_TEXT_MAX + 4];
    (void)time_format(now_us - now_us % TIME_US_PER_S, ts);
    size_t len = strlen(ts) - 1;
    len += (size_t)snprintf(ts + len, sizeof(ts) - len, ".%03dZ",
                            (int)(now_us % TIME_US_PER_S / TIME_US_PER_MS));

    log_line_init(line, data, size);
    line->data[line->len++] = '{';
    log_line_text(line, "ts", ts, len);
    log_line_text(line, "level", log_level_names[level], strlen(log_level_names[level]));
    if (settings.worker[0] != '\0')
        log_line_text(line, "worker", settings.worker, strlen(settings.worker));
    log_line_text(line, "event", event, strlen(event));
}

static void finish(struct log_line *line)
{
    log_line_end(line);
    write_out(line->data, line->len);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (!log_enabled(level))
        return;
    int saved = errno;
    uint64_t suppressed = 0;
    (void)pthread_mutex_lock(&lock);
    bool pass = log_rate_pass(&rates, event, level, clock_mono(settings.clock), &suppressed);
    (void)pthread_mutex_unlock(&lock);
    if (pass) {
        char data[LOG_LINE_MAX];
        struct log_line line;
        begin(&line, data, sizeof(data), level, event);
        if (suppressed > 0)
            log_line_int(&line, "suppressed", (int64_t)suppressed);
        for (size_t i = 0; i < context.count; i++) {
            if (!is_overridden(i) && !has_key(fields, context.fields[i].key))
                log_line_raw(&line, context.bytes + context.fields[i].from, context.fields[i].len);
        }
        for (; fields->type != LOG_TYPE_END; fields++)
            log_line_field(&line, fields);
        finish(&line);
    }
    errno = saved;
}

void log_done(void)
{
    for (size_t i = 0; i < LOG_RATE_EVENTS; i++) {
        const struct log_rate_event *entry = &rates.events[i];
        if (entry->event == NULL || entry->suppressed == 0)
            continue;
        char data[LOG_LINE_MAX];
        struct log_line line;
        begin(&line, data, sizeof(data), entry->level, "log_suppressed");
        log_line_text(&line, "of", entry->event, strlen(entry->event));
        log_line_int(&line, "suppressed", (int64_t)entry->suppressed);
        finish(&line);
    }
    apply(&before_init);
}

struct log_scope log_push(const struct log_field *fields)
{
    struct log_scope scope = {.count = context.count, .len = context.len};
    for (; fields->type != LOG_TYPE_END; fields++) {
        size_t left = sizeof(context.bytes) - context.len;
        if (context.count == ARRAY_LEN(context.fields) || left <= LOG_LINE_RESERVE)
            break;
        struct log_line members;
        log_line_init(&members, context.bytes + context.len, left);
        log_line_field(&members, fields);
        if (members.len == 0 || members.cut)
            continue;
        context.fields[context.count++] =
            (struct kept){.key = fields->key, .from = context.len, .len = members.len};
        context.len += members.len;
    }
    return scope;
}

void log_pop(struct log_scope *scope)
{
    assert(scope->count <= context.count && scope->len <= context.len);
    context.count = scope->count;
    context.len = scope->len;
}

void log_edge_set(struct log_edge *edge, bool failed, const struct log_field *fields)
{
    if (failed) {
        edge->failures++;
        if (edge->failed)
            return;
        edge->failed = true;
        edge->since_us = clock_mono(settings.clock);
        LOG_CONTEXT(LOG_STR("dependency", edge->name));
        log_write(LOG_LEVEL_ERROR, "dependency_failed", fields);
    } else if (edge->failed) {
        int64_t gone_us = clock_mono(settings.clock) - edge->since_us;
        LOG_CONTEXT(LOG_STR("dependency", edge->name), LOG_INT("gone_ms", gone_us / TIME_US_PER_MS),
                    LOG_INT("failures", (int64_t)edge->failures));
        log_write(LOG_LEVEL_INFO, "dependency_recovered", fields);
        edge->failed = false;
        edge->failures = 0;
    }
}
