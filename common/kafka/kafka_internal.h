/* SPDX-License-Identifier: Apache-2.0
 *
 * What the clients of this library share; of interest to its own files and to its tests only.
 */
#ifndef KAFKA_INTERNAL_H
#define KAFKA_INTERNAL_H

#include "base_err.h"
#include "kafka_conf.h"
#include "kafka_message.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum kafka_role {
    KAFKA_ROLE_CONSUMER,      /* member of a group                       */
    KAFKA_ROLE_READER,        /* assigns itself, tells ends of partitions */
    KAFKA_ROLE_ADMIN,         /* sees uncommitted offsets                */
    KAFKA_ROLE_TRANSACTIONAL, /* producer of the loop                    */
    KAFKA_ROLE_PLAIN,         /* idempotent producer                     */
};

/* A new configuration, which the caller destroys or hands to rd_kafka_new(). */
int kafka_conf_build(const struct kafka_settings *settings, enum kafka_role role,
                     rd_kafka_conf_t **ret, struct err *err) MUST_CHECK;

/* ERR_FATAL from the sentence with which rd_kafka_new() refused a configuration; returns -1. */
int kafka_conf_refused(struct err *err, const char *why);

/*
 * A librdkafka handle with what it told through its callbacks. `refused` is the latest code with
 * which a broker turned us away at the door: such errors reach nobody but the error callback, while
 * the call that needed the connection merely times out.
 */
struct kafka_client {
    rd_kafka_t *rk;
    kafka_log_fn log;
    void *log_opaque;
    int64_t call_timeout_ms;
    rd_kafka_resp_err_t refused;
    char refused_text[160];
};

/*
 * rebalance and report may be NULL; their opaque argument is the client itself, so an owner places
 * it first in its struct. The client must not move afterwards. The owner destroys client->rk.
 */
typedef void (*kafka_rebalance_fn)(rd_kafka_t *rk, rd_kafka_resp_err_t event,
                                   rd_kafka_topic_partition_list_t *list, void *opaque);
typedef void (*kafka_report_fn)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
int kafka_client_open(struct kafka_client *client, const struct kafka_settings *settings,
                      enum kafka_role role, kafka_rebalance_fn rebalance, kafka_report_fn report,
                      struct err *err) MUST_CHECK;
/* Run the callbacks (errors, deliveries) that are waiting. */
void kafka_client_serve(struct kafka_client *client);
/* Replace a mere time-out by the reason why a broker refused us, if one did; returns -1. */
int kafka_client_explain(struct kafka_client *client, struct err *err);

/* The moment, on a clock that never steps, until which a call may last. */
int64_t kafka_deadline(int64_t timeout_ms);
int kafka_deadline_left_ms(int64_t deadline); /* 0 when over */
/* Wait a little before asking again: false, without waiting, when the time is over or the process
 * has been asked to stop. */
bool kafka_deadline_again(int64_t deadline);

/* Ask the brokers about a topic: 1 and a handle, for rd_kafka_topic_destroy(), with the number of
 * partitions; 0 unknown topic (asked once); -1. Afterwards librdkafka knows the topic's leaders. */
int kafka_client_topic(struct kafka_client *client, const char *topic, int64_t deadline,
                       rd_kafka_topic_t **ret, int32_t *ret_count, struct err *err) MUST_CHECK;
int kafka_client_partitions(struct kafka_client *client, const char *topic, int64_t deadline,
                            int32_t *ret_count, struct err *err) MUST_CHECK;
int kafka_client_bounds(struct kafka_client *client, const char *topic, int32_t partition,
                        int64_t deadline, int64_t *ret_low, int64_t *ret_high,
                        struct err *err) MUST_CHECK;

/* Take over a message of librdkafka; on failure it is destroyed. NULL when memory is short. */
struct kafka_message *kafka_message_wrap(rd_kafka_message_t *raw);

/* A group's metadata for the producer. */
struct kafka_group;
const rd_kafka_consumer_group_metadata_t *kafka_group_raw(const struct kafka_group *group);

#endif
