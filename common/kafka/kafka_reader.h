/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader outside every group: it reads given ranges of partitions, committed records only, and
 * stores nothing. For tools that await outcomes, for audits, and for looking at a single record.
 *
 * Offsets are the partition's own; ranges may contain gaps (aborted records, control records).
 * Errors are ERR_FATAL (bad option, no such topic or partition, not allowed) and ERR_TRANSIENT.
 */
#ifndef KAFKA_READER_H
#define KAFKA_READER_H

#include "base_attr.h"
#include "base_err.h"
#include "kafka_conf.h"
#include "kafka_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_reader;

#define KAFKA_READ_ON INT64_MAX /* as an end: go on for ever */

struct kafka_range {
    const char *topic;
    int32_t partition;
    int64_t start; /* first offset wanted                                             */
    int64_t end;   /* stop before this one; KAFKA_READ_ON                             */
};

/* Talks to no broker yet. group and slot of the settings are not used. */
int kafka_reader_open(const struct kafka_settings *settings, struct kafka_reader **ret,
                      struct err *err) MUST_CHECK;
void kafka_reader_close(struct kafka_reader *reader); /* takes NULL */
DEFINE_CLEANUP(struct kafka_reader, kafka_reader_close)

/* 1 and the number of partitions; 0 when there is no such topic. Waits at most call_timeout_ms. */
int kafka_reader_partitions(struct kafka_reader *reader, const char *topic, int32_t *ret_count,
                            struct err *err) MUST_CHECK;
/* First offset, and the offset before which everything committed or aborted lies: a range up to
 * there is read to its end even while transactions are open behind it. */
int kafka_reader_bounds(struct kafka_reader *reader, const char *topic, int32_t partition,
                        int64_t *ret_low, int64_t *ret_high, struct err *err) MUST_CHECK;

/* Read these ranges and no others from now on. A range with start >= end is done at once. */
int kafka_reader_assign(struct kafka_reader *reader, const struct kafka_range *ranges, size_t n,
                        struct err *err) MUST_CHECK;
/* 1 and a message, which the caller frees; 0 when none came in time or all ranges are done. */
int kafka_reader_poll(struct kafka_reader *reader, int timeout_ms, struct kafka_message **ret,
                      struct err *err) MUST_CHECK;
/* Every range was read to its end: false for ever when one reads on. */
bool kafka_reader_done(const struct kafka_reader *reader);

/*
 * 1 and the record at exactly this offset; 0 when there is none (removed, control record, aborted,
 * beyond the end; a commit returns a moment before its records can be read). Replaces what was
 * assigned. Waits at most call_timeout_ms.
 */
int kafka_reader_fetch_one(struct kafka_reader *reader, const char *topic, int32_t partition,
                           int64_t offset, struct kafka_message **ret, struct err *err) MUST_CHECK;

#endif
