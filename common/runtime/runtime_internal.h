/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the runtime share; nobody else includes it.
 */
#ifndef RUNTIME_INTERNAL_H
#define RUNTIME_INTERNAL_H

#include "base_retry.h"
#include "kafka_consumer.h"
#include "kafka_message.h"
#include "kafka_producer.h"
#include "log.h"
#include "runtime.h"
#include "runtime_metrics.h"
#include "runtime_partition.h"
#include "runtime_state.h"
#include "store_source.h"

#define RUNTIME_TOPICS_MAX 4
#define RUNTIME_PARTITIONS_MAX 512
#define RUNTIME_BATCH_MAX 10000
#define RUNTIME_BATCH_BYTES_MAX (16 * 1024 * 1024)

struct gathered {
    struct kafka_message *message;
    struct partition *partition;
    const struct record *record;
    enum msg_verdict verdict;
    struct msg_command *command; /* NULL: unreadable                              */
    bool buried;                 /* goes to the dead letter without another try   */
    struct err why;              /* of an unreadable or buried one                */
};

struct outbox {
    struct record *records;
    size_t count;
    size_t room;
};

struct runtime {
    const struct worker *worker;
    void *worker_state;
    struct runtime_conf conf;
    enum runtime_state state;
    struct retry backoff;
    struct log_edge outage;

    struct db_conn *db;
    struct store_source *sources;
    struct kafka_producer *producer;
    struct kafka_consumer *consumer;
    struct kafka_settings kafka;
    char slot[64];
    char group[256];
    char app_name[128];
    char event_source[128];
    struct msg_topics names;
    const char *topics[RUNTIME_TOPICS_MAX];

    struct partition partitions[RUNTIME_PARTITIONS_MAX];
    size_t partition_count;

    struct arena *arena;
    struct gathered *gathered;
    size_t gathered_count;
    size_t gathered_bytes;
    struct kafka_group *membership; /* taken with the first message of the batch */
    uint64_t generation;
    struct runtime_item *items;
    struct outbox outbox;
    bool warned_time;  /* about a topic that is not LogAppendTime */
    bool idle_flushed; /* `from` of every partition is as far as we know */
    int64_t next_tick_us;
    unsigned retries; /* of the batch in hand */

    /* offsets over which this process has noted a death, so that its own recoveries are not counted
     */
    struct {
        char topic[PARTITION_TOPIC_MAX];
        int32_t number;
        int64_t offset;
    } noted[64];
    size_t noted_next;
};

/* runtime_connect.c: open everything, or nothing and -1. */
int runtime_connect(struct runtime *runtime, struct err *err) MUST_CHECK;
void runtime_disconnect(struct runtime *runtime);

/* runtime_batch.c */
/* Wait for a first message and take what is there with it: 1 gathered something, 0 nothing, -1. */
int runtime_gather(struct runtime *runtime, int wait_ms, struct err *err) MUST_CHECK;
void runtime_drop_gathered(struct runtime *runtime);
/* Apply and publish gathered[from, to), splitting it where the data call for it. */
int runtime_process(struct runtime *runtime, size_t from, size_t to, struct err *err) MUST_CHECK;
/* All that was gathered, in as many portions as care demands. */
int runtime_process_gathered(struct runtime *runtime, struct err *err) MUST_CHECK;
/* A transaction without input: ticks. */
int runtime_tick(struct runtime *runtime, struct err *err) MUST_CHECK;
/* Tell the data base how far Kafka is known to be: 0, or -1. */
int runtime_flush_from(struct runtime *runtime, struct err *err) MUST_CHECK;

/* runtime_publish.c */
void outbox_clear(struct outbox *outbox);
int runtime_emit_refused(struct runtime *runtime, const struct gathered *item,
                         struct err *err) MUST_CHECK;
int runtime_emit_dead_letter(struct runtime *runtime, const struct gathered *item,
                             struct err *err) MUST_CHECK;
/* One Kafka transaction: the outbox and the offsets (none for a tick). */
int runtime_publish(struct runtime *runtime, const struct kafka_offset *offsets, size_t count,
                    struct err *err) MUST_CHECK;

/* runtime_loop.c: returns the exit code. */
int runtime_loop(struct runtime *runtime);

#endif
