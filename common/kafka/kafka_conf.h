/* SPDX-License-Identifier: Apache-2.0
 *
 * What every Kafka client of ours is opened with, and the librdkafka options that nobody may
 * change.
 *
 * A client copies what it needs while it is opened: the settings may go away afterwards. Times are
 * milliseconds; a time of 0 takes the default. Secrets only ever stand in `properties`.
 */
#ifndef KAFKA_CONF_H
#define KAFKA_CONF_H

#include "base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KAFKA_TRANSACTION_TIMEOUT_MS 10000
#define KAFKA_SESSION_TIMEOUT_MS 6000
/* Longer than a transaction of a dead worker can stay open: until it is resolved, the offsets of
 * its partitions cannot be read. */
#define KAFKA_CALL_TIMEOUT_MS 14000
/* The largest record that passes; the dead-letter topic needs room beyond the 8 MiB of others. */
#define KAFKA_MESSAGE_MAX_BYTES (9 * 1024 * 1024)

struct kafka_pair {
    const char *name;
    const char *value;
};

/*
 * A line from librdkafka; level as in syslog. It is called on librdkafka's own threads, several at
 * once: it must be safe for that and must not call back into this library. Neither name nor text
 * holds a secret.
 */
typedef void (*kafka_log_fn)(void *opaque, int level, const char *facility, const char *text);

struct kafka_settings {
    const char *brokers;   /* bootstrap list "host:port,host:port"                               */
    const char *client_id; /* NULL: "promofleet"                                                 */
    const char *group;     /* consumer group; needed by kafka_consumer_open, kafka_producer_open */
    const char *slot;      /* group.instance.id; transactional.id is "<group>-<slot>". NULL: the
                              consumer is a dynamic member, and no transactions                  */
    const struct kafka_pair *properties; /* librdkafka's own, passed through                     */
    size_t property_count;
    int64_t transaction_timeout_ms;
    int64_t session_timeout_ms;
    int64_t call_timeout_ms; /* the most that one blocking call to a broker may take             */
    kafka_log_fn log;        /* NULL: librdkafka's lines are dropped                             */
    void *log_opaque;
};

/* An option that cannot be passed through, and why: safety rests on our own value. */
struct kafka_denied {
    const char *name;
    const char *reason;
};
extern const struct kafka_denied kafka_denied[]; /* ends with a NULL name */

/* The reason why name may not be passed through, or NULL when it may. */
const char *kafka_conf_denied(const char *name);
/* True when the value of this option is never to be shown or logged. */
bool kafka_conf_is_secret(const char *name);
/*
 * Build the configuration of a consumer and of a producer and throw both away: 0, or -1 with
 * ERR_FATAL and pointer = the offending option's name. Talks to no broker.
 */
int kafka_conf_check(const struct kafka_settings *settings, struct err *err) MUST_CHECK;

/* librdkafka's version at run time, such as "2.0.2"; static. */
const char *kafka_version_text(void);

#endif
