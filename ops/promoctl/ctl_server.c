/* SPDX-License-Identifier: Apache-2.0
 *
 * Reaching the servers, waiting for them, and telling what went wrong by an exit code.
 */
#include "ctl.h"

#include "base_digest.h"
#include "base_parse.h"
#include "base_retry.h"
#include "base_signal.h"

#include <stdarg.h>

#define TIMEOUT_MAX_MS (INT64_C(30) * 86400 * 1000)

int ctl_usage(struct err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(err, ERR_POISON, "ctl", "usage", "%s", text);
}

static bool is_server_domain(const struct err *err)
{
    return strcmp(err->domain, "db") == 0 || strcmp(err->domain, "kafka") == 0;
}

/* SQLSTATEs that say "not with these credentials" and "no such data base". */
static bool is_refused_login(const struct err *err)
{
    return strcmp(err->domain, "db") == 0 &&
           (strncmp(err->code, "28", 2) == 0 || strcmp(err->code, "3D000") == 0);
}

enum ctl_exit ctl_exit_of(const struct err *err)
{
    if (signal_stop_requested())
        return CTL_INTERRUPTED;
    const char *domain = err->domain ? err->domain : "";
    if (strcmp(domain, "conf") == 0)
        return CTL_USAGE;
    if (strcmp(domain, "ctl") == 0 && strcmp(err->code, "usage") == 0)
        return CTL_USAGE;
    if (strcmp(domain, "db") == 0 && strcmp(err->code, "bad_url") == 0)
        return CTL_USAGE;
    if (err->domain && is_server_domain(err) &&
        (err->kind == ERR_TRANSIENT || err->kind == ERR_RETRY || is_refused_login(err)))
        return CTL_UNREACHABLE;
    return CTL_NEGATIVE;
}

int ctl_open_db(const struct ctl *ctl, const char *purpose, struct db_conn **ret_db,
                struct err *err)
{
    if (!ctl->options.pg_url)
        return ctl_usage(err, "no data base given: set PGURL or --pg-url");
    char name[64];
    snprintf(name, sizeof name, "promoctl/%s", purpose);
    struct db_settings settings = {
        .url = ctl->options.pg_url,
        .application_name = name,
        /* A person waits: statements may take as long as the tables are large. Ctrl-C ends them. */
        .statement_timeout_ms = -1,
        .lock_timeout_ms = 10000,
        .idle_timeout_ms = -1,
    };
    return db_conn_open(&settings, ret_db, err);
}

int ctl_kafka_settings(const struct ctl *ctl, struct kafka_settings *ret_settings, struct err *err)
{
    if (!ctl->options.brokers)
        return ctl_usage(err, "no broker given: set KAFKA_BROKERS or --kafka-brokers");
    _Static_assert(sizeof(struct kafka_pair) == sizeof(struct conf_pair), "same two texts");
    *ret_settings = (struct kafka_settings){
        .brokers = ctl->options.brokers,
        .client_id = "promoctl",
        .properties = (const struct kafka_pair *)ctl->conf.pairs,
        .property_count = ctl->conf.pair_count,
    };
    if (kafka_conf_check(ret_settings, err) < 0)
        return ctl_usage(err, "kafka option %s: %s", err->pointer, err->text);
    return 0;
}

int ctl_topic_names(const struct ctl *ctl, struct msg_topics *ret_names, struct err *err)
{
    if (msg_topics_init(ret_names, ctl->options.prefix, err) < 0)
        return ctl_usage(err, "--topic-prefix: %s", err->text);
    return 0;
}

int ctl_timeout_ms(const struct ctl *ctl, int64_t fallback_ms, int64_t *ret_ms, struct err *err)
{
    const char *text = ctl->options.timeout;
    int64_t ms = fallback_ms;
    if (text) {
        struct err ignored = {0};
        int64_t seconds = 0;
        if (parse_int64(text, 0, TIMEOUT_MAX_MS / 1000, &seconds, &ignored) == 0)
            ms = seconds * 1000;
        else if (parse_duration_ms(text, &ms, &ignored) < 0 || ms < 0 || ms > TIMEOUT_MAX_MS)
            return ctl_usage(err,
                             "--timeout %s: neither seconds nor a duration such as 5m, at most "
                             "30 days",
                             text);
    }
    *ret_ms = ms;
    return 0;
}

int ctl_retry(int64_t timeout_ms, const char *what, ctl_attempt_fn attempt, void *opaque,
              struct err *err)
{
    const int64_t until = clock_mono(&clock_real) + timeout_ms * TIME_US_PER_MS;
    struct retry retry;
    bool told = false;

    retry_init(&retry, 100, 2000, 0, 0);
    for (;;) {
        err_clear(err);
        if (attempt(opaque, err) == 0)
            return 0;
        int64_t left_ms = (until - clock_mono(&clock_real)) / TIME_US_PER_MS;
        if (err->kind != ERR_TRANSIENT || signal_stop_requested() || left_ms <= 0)
            return -1;
        if (!told) {
            fprintf(stderr, "promoctl: waiting for %s: %s\n", what, err->text);
            told = true;
        }
        uint64_t random = 0;
        digest_random(&random, sizeof random);
        int64_t pause = retry_next_ms(&retry, random);
        if (!signal_sleep_ms(MIN_OF(MAX_OF(pause, 1), left_ms)))
            return -1;
    }
}
