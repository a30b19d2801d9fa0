/* SPDX-License-Identifier: Apache-2.0
 *
 * A Kafka record as plain data: what `kafka` reads and writes and `msg` decodes and encodes, so
 * that neither needs the other. All pointers are borrowed: from the consumer's message, or from the
 * batch's arena.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_header {
    const char *name;
    const void *value; /* NULL: a null value */
    size_t len;
};

struct record {
    const char *topic;
    int32_t partition;    /* to write: -1 lets the key decide                               */
    int64_t offset;       /* read only                                                      */
    int64_t time_us;      /* read only: the record's Kafka timestamp, microseconds          */
    bool log_append_time; /* read only: the broker gave the timestamp, not the publisher    */
    const void *key;      /* NULL: no key                                                   */
    size_t key_len;
    const void *value; /* NULL: tombstone                                                */
    size_t value_len;
    const struct record_header *headers;
    size_t header_count;
};

#endif
