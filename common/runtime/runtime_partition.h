/* SPDX-License-Identifier: Apache-2.0
 *
 * The partitions a worker holds, and where reading them starts. Pure: facts in, decision out.
 *
 * `from` and `next` are the two marks of table progress: below `from` every outcome is known to be
 * committed in Kafka, below `next` everything is applied in PostgreSQL. The group's committed
 * offset, which travels in the Kafka transactions, lies between them unless it was lost or the data
 * base was restored; clamping it there makes both cases right: nothing is published twice, and
 * nothing that the data base lacks is skipped.
 */
#ifndef RUNTIME_PARTITION_H
#define RUNTIME_PARTITION_H

#include "base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTITION_TOPIC_MAX 250

struct partition {
    char topic[PARTITION_TOPIC_MAX];
    int32_t number;
    int64_t epoch;
    int64_t from;
    int64_t next;
    int64_t next_time_us; /* Kafka timestamp of the record at next - 1; -1 unknown               */
    int64_t position;     /* records below it are not for us (any more)                          */
    int64_t verify;       /* offset whose timestamp is to be compared before all else; -1 none   */
    bool fresh;           /* no batch since the assignment                                       */
    unsigned careful;     /* so many more messages are handled one at a time                     */
    unsigned deaths;      /* of processes that tried death_offset, as noted in progress          */
    int64_t death_offset; /* -1 none                                                             */
};

struct partition_facts {
    int64_t committed; /* the group's, -1 none                                              */
    int64_t low;       /* first offset that is there                                        */
    int64_t high;      /* end of what a reader of committed records sees                    */
    bool tokens;       /* carries tokens or timers: what retention took is made again       */
};

/*
 * Decide where to start: fills position, from and verify, and returns the offset to read from in
 * *ret_start. -1 and ERR_FATAL: "topic_changed" (ends before what we have applied: it was made
 * anew), "commands_lost" (retention removed commands that were never read).
 */
int partition_start(struct partition *partition, const struct partition_facts *facts,
                    int64_t *ret_start, struct err *err) MUST_CHECK;

/*
 * A record arrived: 1 it is to be handled, 0 it is to be dropped, -1 and ERR_FATAL "topic_changed":
 * the record at next - 1 is not the one we know.
 */
int partition_admit(struct partition *partition, int64_t offset, int64_t time_us,
                    struct err *err) MUST_CHECK;

#endif
