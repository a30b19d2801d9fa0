/* SPDX-License-Identifier: Apache-2.0
 *
 * Table progress: how far a worker kind has come in each partition, and who may go on there. The
 * loop is the only caller. Offsets are Kafka's; times are microseconds since 1970, -1 unknown.
 */
#ifndef STORE_PROGRESS_H
#define STORE_PROGRESS_H

#include "base_err.h"
#include "db_conn.h"

#include <stddef.h>
#include <stdint.h>

struct store_progress {
    int64_t epoch;
    int64_t from;
    int64_t next;
    int64_t next_time_us;
    unsigned deaths;
    int64_t death_offset;
};

/* Raise the epoch: whoever held the partition before can commit nothing any more. Inside a
 * transaction. */
int store_progress_assign(struct db_conn *db, const char *worker, const char *topic,
                          int32_t partition, const char *owner, struct store_progress *ret,
                          struct err *err) MUST_CHECK;

struct store_advance {
    const char *topic;
    int32_t partition;
    int64_t epoch;
    int64_t from;
    int64_t next;
    int64_t next_time_us; /* of the record at next - 1 */
};
/*
 * Lock the rows and move them on, all or none. ERR_TRANSIENT with code "stale_epoch": somebody else
 * was assigned one of the partitions meanwhile.
 */
int store_progress_advance(struct db_conn *db, const char *worker,
                           const struct store_advance *advances, size_t count,
                           struct err *err) MUST_CHECK;

/*
 * Count an attempt at the batch that starts at offset, in a transaction of its own. *ret_deaths:
 * this attempt and those before it that left neither a commit nor another count. stale_epoch as
 * above.
 */
int store_progress_note(struct db_conn *db, const char *worker, const char *topic,
                        int32_t partition, int64_t epoch, int64_t offset, unsigned *ret_deaths,
                        struct err *err) MUST_CHECK;

#endif
