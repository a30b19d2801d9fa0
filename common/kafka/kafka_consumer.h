/* SPDX-License-Identifier: Apache-2.0
 *
 * A member of a consumer group that reads committed records only, starts each partition where its
 * caller says, and never stores offsets itself: they travel in the producer's transaction.
 *
 * Everything happens on the caller's thread inside kafka_consumer_poll(), callbacks included. The
 * rebalance protocol is the eager one: on_revoke always takes the whole assignment away before
 * on_assign gives a new one.
 *
 * Errors: ERR_FATAL (bad option, no such topic, not allowed in) comes from kafka_consumer_open()
 * only. Afterwards every failure is ERR_TRANSIENT or what a callback returned: the answer is to
 * close the consumer and the producer and to start over, and start-up tells whether the cause is
 * lasting. An offset outside the partition's log is such an error too (OFFSET_OUT_OF_RANGE or
 * _AUTO_OFFSET_RESET): at the next on_assign `start` can be compared with low and high.
 */
#ifndef KAFKA_CONSUMER_H
#define KAFKA_CONSUMER_H

#include "base_attr.h"
#include "base_err.h"
#include "kafka_conf.h"
#include "kafka_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_consumer;
struct kafka_group;

struct kafka_partition {
    const char *topic;
    int32_t partition;
    int64_t committed; /* the group's committed offset, -1: none                             */
    int64_t low;       /* first offset that is there                                         */
    int64_t high;      /* what a reader of committed records sees ends before this           */
    int64_t start;     /* on_assign: -1, to be filled in with the first offset to read (>= 0) */
};

/*
 * on_assign gets the new assignment, sorted by topic and partition (n is 0 when there is nothing
 * for this member), fills in every `start` and returns 0, or returns -1 with *err, which
 * kafka_consumer_poll() then returns; nothing is assigned in that case.
 * on_revoke: the assignment is about to go; lost: another member may have it already, so that
 * nothing can be finished. committed, low, high, start are -1 there.
 * The partitions belong to the consumer and are valid during the call only. Callbacks may not call
 * the consumer's functions.
 */
struct kafka_callbacks {
    int (*on_assign)(void *opaque, struct kafka_partition *parts, size_t n, struct err *err);
    void (*on_revoke)(void *opaque, const struct kafka_partition *parts, size_t n, bool lost);
};

/*
 * Join the group and subscribe. Waits until a broker has answered that all the topics exist, at
 * most settings->call_timeout_ms: ERR_FATAL unknown topic or not authorized, ERR_TRANSIENT nobody
 * answered. Joining itself goes on in kafka_consumer_poll().
 */
int kafka_consumer_open(const struct kafka_settings *settings, const char *const *topics,
                        size_t topic_count, const struct kafka_callbacks *callbacks, void *opaque,
                        struct kafka_consumer **ret, struct err *err) MUST_CHECK;

/*
 * 1 and a message, which the caller frees; 0 when none came in time or a rebalance took place; -1.
 * A rebalance may make it last settings->call_timeout_ms longer than timeout_ms. Must be called at
 * least every five minutes (max.poll.interval.ms).
 */
int kafka_consumer_poll(struct kafka_consumer *consumer, int timeout_ms, struct kafka_message **ret,
                        struct err *err) MUST_CHECK;

/* Goes up by one with every assignment and every revocation; 0 before the first. A batch whose
 * first message saw another generation has a rebalance in its middle. */
uint64_t kafka_consumer_generation(const struct kafka_consumer *consumer);
/* Partitions assigned now. */
size_t kafka_consumer_assigned_count(const struct kafka_consumer *consumer);
bool kafka_consumer_is_assigned(const struct kafka_consumer *consumer, const char *topic,
                                int32_t partition);

/* The membership as of now, for kafka_producer_send_offsets(); NULL when memory is short. Taken
 * with a batch's first message, the broker refuses the offsets of a batch that outlived it. */
struct kafka_group *kafka_consumer_group_metadata(const struct kafka_consumer *consumer);
void kafka_group_free(struct kafka_group *group); /* takes NULL */
DEFINE_CLEANUP(struct kafka_group, kafka_group_free)

/*
 * 1 and the first and the end offset as the latest fetch told them, without asking a broker: for
 * lag metrics. 0 when nothing was fetched yet or the partition is not assigned.
 */
int kafka_consumer_cached_range(const struct kafka_consumer *consumer, const char *topic,
                                int32_t partition, int64_t *ret_low, int64_t *ret_high);

/*
 * Takes NULL. No callback runs. With a slot the member stays in the group, so that its successor
 * has the partitions back without a rebalance; without one it leaves, waiting at most 5 s.
 */
void kafka_consumer_close(struct kafka_consumer *consumer);
DEFINE_CLEANUP(struct kafka_consumer, kafka_consumer_close)

#endif
