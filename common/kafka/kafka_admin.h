/* SPDX-License-Identifier: Apache-2.0
 *
 * Topics and groups from the outside: create and compare topics, read their configuration, read a
 * group's offsets. Every call waits at most settings->call_timeout_ms. Errors are ERR_TRANSIENT
 * (nobody answered: try later) and ERR_FATAL (refused: not authorized, bad configuration).
 */
#ifndef KAFKA_ADMIN_H
#define KAFKA_ADMIN_H

#include "base_attr.h"
#include "base_err.h"
#include "kafka_conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_admin;

struct kafka_topic {
    const char *name;
    int32_t partitions;
    int16_t replication; /* -1: the cluster's default; of new topics only */
    const struct kafka_pair *configs;
    size_t config_count;
};

/* group and slot of the settings are not used. */
int kafka_admin_open(const struct kafka_settings *settings, struct kafka_admin **ret,
                     struct err *err) MUST_CHECK;
void kafka_admin_close(struct kafka_admin *admin); /* takes NULL */
DEFINE_CLEANUP(struct kafka_admin, kafka_admin_close)

enum kafka_change {
    KAFKA_TOPIC_CREATED, /* what is NULL                                       */
    KAFKA_TOPIC_CHANGED, /* was different and is now as wanted                 */
    KAFKA_TOPIC_DIFFERS, /* is different and stays so: not asked to change it, or cannot */
};
/* what: "partitions" or a configuration's name; found: the value before. */
typedef void (*kafka_change_fn)(void *opaque, enum kafka_change change, const char *topic,
                                const char *what, const char *wanted, const char *found);

/*
 * Bring topics into being. What exists is compared: with `alter`, missing partitions are added and
 * configurations set (others that were set on the topic stay); without it, and for too many
 * partitions, the difference is only told. 1 when something was created or changed, 0 when not.
 * Idempotent; two of these at the same time do no harm. Returns when all topics can be used.
 */
int kafka_admin_apply_topics(struct kafka_admin *admin, const struct kafka_topic *topics, size_t n,
                             bool alter, kafka_change_fn told, void *opaque,
                             struct err *err) MUST_CHECK;

/* 1 and the number of partitions; 0 when there is no such topic. */
int kafka_admin_topic_partitions(struct kafka_admin *admin, const char *topic, int32_t *ret_count,
                                 struct err *err) MUST_CHECK;
/* 1 and the effective value (free() it); 0 when the topic or the name is unknown. */
int kafka_admin_topic_config(struct kafka_admin *admin, const char *topic, const char *name,
                             char **ret_value, struct err *err) MUST_CHECK;

/*
 * First offset and the offset that the next record gets, open transactions included (unlike
 * kafka_reader_bounds): what is published later lies at or behind ret_high.
 */
int kafka_admin_bounds(struct kafka_admin *admin, const char *topic, int32_t partition,
                       int64_t *ret_low, int64_t *ret_high, struct err *err) MUST_CHECK;
/*
 * 1 and the group's committed offset; 0 when it has none. Waits for an open transaction that is
 * about to move it.
 */
int kafka_admin_group_offset(struct kafka_admin *admin, const char *group, const char *topic,
                             int32_t partition, int64_t *ret_offset, struct err *err) MUST_CHECK;

#endif
