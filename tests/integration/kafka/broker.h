/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of common/kafka against a real broker share: settings, topics of their own, and a
 * consumer that remembers what its callbacks were told. Any failure in here ends the test.
 */
#ifndef BROKER_H
#define BROKER_H

#include "kafka_admin.h"
#include "kafka_consumer.h"
#include "kafka_internal.h"
#include "kafka_producer.h"
#include "kafka_reader.h"

#define BROKER_NAME_MAX 96
#define MEMBER_PARTS_MAX 16

/* Reads the test environment; leaves the process with 77 when there is none. */
void broker_init(void);
/* "it-kafka-<word>-<process and moment>": new for every call. */
void broker_name(const char *word, char out[BROKER_NAME_MAX]);
struct kafka_settings broker_settings(const char *group, const char *slot);
void broker_topic(const char *topic, int32_t partitions);

/* Write `count` records, values "0", "1", ... to a partition, outside any transaction. */
void broker_fill(const char *topic, int32_t partition, int count);
/* How many records a reader of committed records finds in a partition by now. A commit returns a
 * moment before its records can be read, hence broker_await_count(). */
int broker_count(const char *topic, int32_t partition);
void broker_await_count(const char *topic, int32_t partition, int count);
/* The group's committed offset, -1: none. */
int64_t broker_group_offset(const char *group, const char *topic, int32_t partition);

struct member {
    struct kafka_consumer *consumer;
    int assigned_calls;
    int revoked_calls;
    size_t count;
    struct kafka_partition parts[MEMBER_PARTS_MAX]; /* topic names are not kept */
    int64_t start; /* where to begin, -1: at the committed offset */
    int received;
};

void member_open(struct member *member, const char *group, const char *slot, const char *topic);
void member_close(struct member *member);
/* Poll once, 50 ms; messages are counted and dropped. */
void member_poll(struct member *member);
/* Poll several members in turn until each has so many partitions, at most 30 s. */
void members_await(struct member *const *members, const size_t *counts, size_t n);

/* A transactional producer; NULL and *err when it cannot be had. */
struct kafka_producer *producer_open(const char *group, const char *slot, struct err *err);
int producer_send(struct kafka_producer *producer, const char *topic, int32_t partition,
                  const char *value, struct err *err);

#endif
