/* SPDX-License-Identifier: Apache-2.0
 *
 * A producer with transactions, for the loop, and a plain idempotent one, for tools.
 *
 * Transactional: open, then begin, send ..., send_offsets, commit or abort, again and again. After
 * any -1 the producer is good for nothing but kafka_producer_drop(): the next one fences it and
 * thereby aborts what it left open. All errors are ERR_TRANSIENT ("start over") or ERR_FATAL (not
 * authorized, record too large ...). Plainly retriable answers of a broker
 * (coordinator moving or loading, concurrent transactions) are retried inside, within the bound.
 *
 * Every call is bounded by settings->call_timeout_ms, and all calls of a transaction together by
 * the transaction time-out: afterwards the broker has aborted it anyway. That is as much as
 * librdkafka promises: versions exist in which send_offsets and commit hang for ever after a broker
 * died. The loop therefore arms base_signal's watchdog around them.
 */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include "base_attr.h"
#include "base_err.h"
#include "base_record.h"
#include "kafka_conf.h"

#include <stddef.h>
#include <stdint.h>

struct kafka_producer;
struct kafka_group;

struct kafka_offset {
    const char *topic;
    int32_t partition;
    int64_t next; /* last consumed offset + 1 */
};

/* Connects, fences every older producer of this group and slot and aborts its open transaction. */
int kafka_producer_open(const struct kafka_settings *settings, struct kafka_producer **ret,
                        struct err *err) MUST_CHECK;
int kafka_producer_begin(struct kafka_producer *producer, struct err *err) MUST_CHECK;
/*
 * Copies the record (topic, key, value, headers; partition -1 lets the key decide). Waits while the
 * queue is full. A topic's first record also waits, up to a second, until a broker has told where
 * its partitions are; an unknown topic is ERR_TRANSIENT here and ERR_FATAL for a plain producer.
 * Being accepted here is no delivery: what could not be delivered fails the commit.
 */
int kafka_producer_send(struct kafka_producer *producer, const struct record *record,
                        struct err *err) MUST_CHECK;
/* The offsets become the group's with the commit. Refused when the membership is outdated. */
int kafka_producer_send_offsets(struct kafka_producer *producer, const struct kafka_group *group,
                                const struct kafka_offset *offsets, size_t n,
                                struct err *err) MUST_CHECK;
/* Delivers what is queued, then commits. -1: unknown whether it was committed. */
int kafka_producer_commit(struct kafka_producer *producer, struct err *err) MUST_CHECK;
int kafka_producer_abort(struct kafka_producer *producer, struct err *err) MUST_CHECK;

/* Told once for each record: where it is, or err with partition and offset -1. Runs inside send,
 * flush and drop. */
typedef void (*kafka_delivered_fn)(void *opaque, void *tag, int32_t partition, int64_t offset,
                                   const struct err *err);

/* Idempotent, without transactions: what is delivered is visible at once. Talks to no broker yet.
 */
int kafka_producer_open_plain(const struct kafka_settings *settings, kafka_delivered_fn delivered,
                              void *opaque, struct kafka_producer **ret,
                              struct err *err) MUST_CHECK;
/* Like kafka_producer_send; tag comes back in `delivered`. */
int kafka_producer_send_tagged(struct kafka_producer *producer, const struct record *record,
                               void *tag, struct err *err) MUST_CHECK;
/* Serve deliveries for up to timeout_ms: 0 when every record has been told, -1 (ERR_TRANSIENT,
 * TIMED_OUT) when some are still open. Undeliverable records are told after 30 s at the latest. */
int kafka_producer_flush(struct kafka_producer *producer, int timeout_ms,
                         struct err *err) MUST_CHECK;

struct kafka_producer_counts {
    uint64_t sent;      /* records accepted by send        */
    uint64_t delivered; /* acknowledged by the broker      */
    uint64_t failed;    /* given up                        */
    uint64_t bytes;     /* keys and values of those sent   */
};
void kafka_producer_counts(const struct kafka_producer *producer,
                           struct kafka_producer_counts *ret);

/* Takes NULL. Throws away what is queued, waits for no broker. An open transaction is left to its
 * successor or to its time-out. */
void kafka_producer_drop(struct kafka_producer *producer);
DEFINE_CLEANUP(struct kafka_producer, kafka_producer_drop)

#endif
