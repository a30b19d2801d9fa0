/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch: gathered from the consumer, decoded once, applied in one PostgreSQL transaction,
 * published in one Kafka transaction.
 */
#include "base_digest.h"
#include "base_fault.h"
#include "base_signal.h"
#include "db_conn.h"
#include "db_error.h"
#include "db_tx.h"
#include "runtime_internal.h"
#include "store_progress.h"

#include <string.h>

#define RETRIES_MAX 20
/* Deaths over the same offset with both servers healthy: from the first number on one message at a
 * time, from the second on the message goes to the dead letter. */
#define DEATHS_CAREFUL 3
#define DEATHS_BURY 6
/* How many messages are handled one at a time after such deaths: the killer may be anywhere in a
 * batch. */
#define CAREFUL_MESSAGES 10000
#define PG_WATCHDOG_MS 60000

static struct partition *find_partition(struct runtime *runtime, const struct record *record)
{
    for (size_t i = 0; i < runtime->partition_count; i++) {
        struct partition *partition = &runtime->partitions[i];

        if (partition->number == record->partition && strcmp(partition->topic, record->topic) == 0)
            return partition;
    }
    return NULL;
}

static const struct runtime_topic *find_topic(const struct runtime *runtime,
                                              const struct record *record)
{
    for (size_t i = 0; i < runtime->worker->topic_count; i++) {
        if (strcmp(runtime->topics[i], record->topic) == 0)
            return &runtime->worker->topics[i];
    }
    return NULL;
}

void runtime_drop_gathered(struct runtime *runtime)
{
    for (size_t i = 0; i < runtime->gathered_count; i++)
        kafka_message_free(runtime->gathered[i].message);
    runtime->gathered_count = 0;
    runtime->gathered_bytes = 0;
    kafka_group_free(runtime->membership);
    runtime->membership = NULL;
    outbox_clear(&runtime->outbox);
    arena_reset(runtime->arena);
}

/* 1 goes on, 0 the batch is full. */
static int take(struct runtime *runtime, struct kafka_message *message, size_t *topic_counts,
                struct err *err)
{
    const struct record *record = kafka_message_record(message);
    struct partition *partition = find_partition(runtime, record);
    const struct runtime_topic *topic = find_topic(runtime, record);

    if (partition == NULL || topic == NULL) { /* read ahead of a revocation */
        kafka_message_free(message);
        return 1;
    }
    int admitted = partition_admit(partition, record->offset, record->time_us, err);

    if (admitted <= 0) {
        kafka_message_free(message);
        return admitted < 0 ? -1 : 1;
    }
    if (!record->log_append_time && !runtime->warned_time) {
        runtime->warned_time = true;
        log_warn("topic_without_log_append_time", LOG_STR("topic", record->topic),
                 LOG_STR("text", "the time of its commands is what publishers say"));
    }
    struct gathered *item = &runtime->gathered[runtime->gathered_count++];
    size_t index = (size_t)(topic - runtime->worker->topics);
    unsigned most = topic->batch_max > 0 ? topic->batch_max : (unsigned)runtime->conf.batch_max;

    *item = (struct gathered){.message = message, .partition = partition, .record = record};
    runtime->gathered_bytes += record->value_len + record->key_len;
    topic_counts[index]++;
    if (runtime->gathered_count >= (size_t)runtime->conf.batch_max || topic_counts[index] >= most ||
        runtime->gathered_bytes >= RUNTIME_BATCH_BYTES_MAX)
        return 0;
    return 1;
}

int runtime_gather(struct runtime *runtime, int wait_ms, struct err *err)
{
    size_t topic_counts[RUNTIME_TOPICS_MAX] = {0};
    int more = 1;

    /* What is there already goes along; nothing is waited for, so a lone command is served at once.
     */
    while (more > 0) {
        struct kafka_message *message = NULL;
        int wait = runtime->gathered_count == 0 ? wait_ms : 0;
        int got = kafka_consumer_poll(runtime->consumer, wait, &message, err);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        /* A batch never spans a rebalance. What is dropped here is read again: the assignment that
         * followed has set every position anew. */
        if (runtime->membership == NULL ||
            runtime->generation != kafka_consumer_generation(runtime->consumer)) {
            runtime_drop_gathered(runtime);
            memset(topic_counts, 0, sizeof(topic_counts));
            runtime->generation = kafka_consumer_generation(runtime->consumer);
            runtime->membership = kafka_consumer_group_metadata(runtime->consumer);
            if (runtime->membership == NULL) {
                kafka_message_free(message);
                return err_nomem(err);
            }
        }
        more = take(runtime, message, topic_counts, err);
        if (more < 0)
            return -1;
    }
    if (runtime->gathered_count == 0 ||
        runtime->generation != kafka_consumer_generation(runtime->consumer)) {
        runtime_drop_gathered(runtime);
        return 0;
    }
    for (size_t i = 0; i < runtime->gathered_count; i++) {
        struct gathered *item = &runtime->gathered[i];
        const struct runtime_topic *topic = find_topic(runtime, item->record);

        item->verdict = msg_command_decode(item->record, topic->topic, runtime->arena,
                                           &item->command, &item->why);
        if (item->verdict == MSG_FAILED) {
            *err = item->why;
            return -1;
        }
    }
    return 1;
}

static bool noted_before(const struct runtime *runtime, const struct partition *partition,
                         int64_t offset)
{
    for (size_t i = 0; i < ARRAY_LEN(runtime->noted); i++) {
        if (runtime->noted[i].offset == offset && runtime->noted[i].number == partition->number &&
            strcmp(runtime->noted[i].topic, partition->topic) == 0)
            return true;
    }
    return false;
}

/* Note that this message is about to be tried: a process that dies over it leaves the count behind.
 * Our own recoveries from an outage are no deaths. */
static int note_attempt(struct runtime *runtime, const struct gathered *item, struct err *err)
{
    struct partition *partition = item->partition;
    int64_t offset = item->record->offset;

    if (noted_before(runtime, partition, offset))
        return 0;
    if (store_progress_note(runtime->db, runtime->worker->kind, partition->topic, partition->number,
                            partition->epoch, offset, &partition->deaths, err) < 0)
        return -1;
    size_t slot = runtime->noted_next++ % ARRAY_LEN(runtime->noted);

    partition->death_offset = offset;
    (void)snprintf(runtime->noted[slot].topic, sizeof(runtime->noted[slot].topic), "%s",
                   partition->topic);
    runtime->noted[slot].number = partition->number;
    runtime->noted[slot].offset = offset;
    return 0;
}

/*
 * The first message of a partition after its assignment. Usually it is noted at once, for the whole
 * batch. After too many deaths it and those behind it are tried and noted one by one, so that what
 * merely stands beside a killer is not blamed for it.
 */
static int begin_partition(struct runtime *runtime, const struct gathered *item, struct err *err)
{
    struct partition *partition = item->partition;

    partition->fresh = false;
    if (partition->deaths < DEATHS_CAREFUL || partition->death_offset != item->record->offset)
        return note_attempt(runtime, item, err);
    partition->careful = CAREFUL_MESSAGES;
    log_warn("batch_killed_before", LOG_STR("topic", partition->topic),
             LOG_INT("partition", partition->number), LOG_INT("offset", item->record->offset),
             LOG_INT("deaths", (int64_t)partition->deaths));
    return 0;
}

static int advance(struct runtime *runtime, size_t from, size_t to, struct err *err)
{
    struct store_advance *rows = arena_zalloc(runtime->arena, to - from, sizeof(*rows));
    size_t count = 0;

    if (rows == NULL)
        return err_nomem(err);
    for (size_t i = from; i < to; i++) {
        const struct gathered *item = &runtime->gathered[i];
        const struct partition *partition = item->partition;
        size_t at = 0;

        while (at < count && (rows[at].partition != partition->number ||
                              strcmp(rows[at].topic, partition->topic) != 0))
            at++;
        if (at == count)
            count++;
        rows[at] = (struct store_advance){
            .topic = partition->topic,
            .partition = partition->number,
            .epoch = partition->epoch,
            .from = partition->from,
            .next = item->record->offset + 1,
            .next_time_us = item->record->time_us,
        };
    }
    return store_progress_advance(runtime->db, runtime->worker->kind, rows, count, err);
}

/* The PostgreSQL transaction of gathered[from, to). Leaves the outbox filled. */
static int apply(struct runtime *runtime, size_t from, size_t to, struct err *err)
{
    struct runtime_batch batch = {.items = runtime->items,
                                  .shard = runtime->gathered[from].partition->number};
    size_t decoded = 0;

    outbox_clear(&runtime->outbox);
    if (db_tx_begin(runtime->db, err) < 0 || advance(runtime, from, to, err) < 0)
        return -1;
    for (size_t i = from; i < to; i++) {
        struct gathered *item = &runtime->gathered[i];

        if (item->buried || item->verdict == MSG_UNREADABLE) {
            if (runtime_emit_dead_letter(runtime, item, err) < 0)
                return -1;
        } else if (item->verdict == MSG_REFUSED) {
            if (runtime_emit_refused(runtime, item, err) < 0)
                return -1;
        } else {
            runtime->items[decoded++] = (struct runtime_item){
                .record = item->record,
                .command = item->command,
                .now_us = item->record->time_us,
                .replayed = item->record->offset < item->partition->next,
            };
            fault_point_named("handle", item->command->envelope.id);
        }
    }
    batch.count = decoded;
    if (decoded > 0 && runtime->worker->batch(runtime, runtime->worker_state, &batch, err) < 0)
        return -1;
    fault_point("before_pg_commit");
    if (db_tx_commit(runtime->db, err) < 0)
        return -1;
    fault_point("after_pg_commit");
    return 0;
}

static int publish(struct runtime *runtime, size_t from, size_t to, struct err *err)
{
    struct kafka_offset *offsets = arena_zalloc(runtime->arena, to - from, sizeof(*offsets));
    size_t count = 0;

    if (offsets == NULL)
        return err_nomem(err);
    for (size_t i = from; i < to; i++) {
        const struct gathered *item = &runtime->gathered[i];
        struct partition *partition = item->partition;
        size_t at = 0;

        while (at < count && (offsets[at].partition != partition->number ||
                              strcmp(offsets[at].topic, partition->topic) != 0))
            at++;
        if (at == count)
            count++;
        offsets[at] = (struct kafka_offset){.topic = partition->topic,
                                            .partition = partition->number,
                                            .next = item->record->offset + 1};
        if (item->record->offset + 1 > partition->next) {
            partition->next = item->record->offset + 1;
            partition->next_time_us = item->record->time_us;
        }
    }
    if (runtime_publish(runtime, offsets, count, err) < 0)
        return -1;
    int64_t oldest_us = runtime->gathered[from].record->time_us;

    metrics_observe_us(runtime_metrics, METRIC_OUTCOME_SECONDS, 0,
                       MAX_OF(clock_wall(&clock_real) - oldest_us, 0));
    for (size_t i = from; i < to; i++) {
        struct partition *partition = runtime->gathered[i].partition;

        partition->from = MAX_OF(partition->from, runtime->gathered[i].record->offset + 1);
    }
    runtime->idle_flushed = false;
    return 0;
}

static void bury(struct gathered *item, const struct err *why)
{
    item->buried = true;
    item->why = *why;
    log_err(LOG_LEVEL_ERROR, "message_buried", why, LOG_STR("topic", item->record->topic),
            LOG_INT("partition", item->record->partition), LOG_INT("offset", item->record->offset));
}

/* Can the transaction be tried again as it is? Rolled back here; waits a little, and ends who
 * blocks us. */
static int again(struct runtime *runtime, struct err *why, struct err *err)
{
    uint64_t random = 0;

    if (db_tx_rollback(runtime->db, err) < 0)
        return -1;
    if (++runtime->retries > RETRIES_MAX) {
        *err = *why;
        err->kind = ERR_TRANSIENT;
        return err_wrap(err, "gave up after %d tries", RETRIES_MAX);
    }
    metrics_add(runtime_metrics, METRIC_RETRIES, 0, 1);
    if (db_error_is(why, "55P03")) {
        log_err(LOG_LEVEL_WARN, "lock_timeout", why);
        if (db_end_blockers(runtime->db, err) < 0)
            return -1;
    }
    digest_random(&random, sizeof(random));
    (void)signal_sleep_ms((int64_t)(random % (10 * MIN_OF(runtime->retries, 10u) + 1)));
    return 0;
}

static void count_messages(struct runtime *runtime, size_t from, size_t to)
{
    metrics_add(runtime_metrics, METRIC_BATCHES, 0, 1);
    for (size_t i = from; i < to; i++) {
        const struct gathered *item = &runtime->gathered[i];

        metrics_add(runtime_metrics, METRIC_MESSAGES, (unsigned)item->verdict, 1);
        if (item->buried || item->verdict == MSG_UNREADABLE)
            metrics_add(runtime_metrics, METRIC_DEAD_LETTERS, 0, 1);
    }
}

int runtime_process(struct runtime *runtime, size_t from, size_t to, struct err *err)
{
    runtime->retries = 0;
    for (;;) {
        struct err why = {0};
        int64_t began = clock_mono(&clock_real);

        watchdog_arm(PG_WATCHDOG_MS, RUNTIME_EXIT_WATCHDOG, "PostgreSQL transaction");
        int applied = apply(runtime, from, to, &why);

        watchdog_disarm();
        if (applied == 0) {
            metrics_observe_us(runtime_metrics, METRIC_PG_SECONDS, 0,
                               clock_mono(&clock_real) - began);
            break;
        }
        switch (why.kind) {
        case ERR_RETRY:
            if (again(runtime, &why, err) < 0)
                return -1;
            continue;
        case ERR_POISON:
        case ERR_DUPLICATE:
            if (db_tx_rollback(runtime->db, err) < 0)
                return -1;
            if (to - from > 1) {
                size_t middle = from + (to - from) / 2;

                log_err(LOG_LEVEL_WARN, "batch_split", &why);
                if (runtime_process(runtime, from, middle, err) < 0)
                    return -1;
                return runtime_process(runtime, middle, to, err);
            }
            if (runtime->gathered[from].buried) {
                *err = why;
                err->kind = ERR_BUG; /* the dead letter itself cannot fail on data */
                return -1;
            }
            bury(&runtime->gathered[from], &why);
            continue;
        case ERR_NONE:
        case ERR_TRANSIENT:
        case ERR_FATAL:
        case ERR_BUG:
            *err = why;
            return -1;
        }
    }
    count_messages(runtime, from, to);
    return publish(runtime, from, to, err);
}

/* A message that is tried alone, because processes have died over its batch. */
static int try_alone(struct runtime *runtime, struct gathered *item, struct err *err)
{
    struct partition *partition = item->partition;

    partition->careful--;
    if (note_attempt(runtime, item, err) < 0)
        return -1;
    if (partition->death_offset != item->record->offset || partition->deaths <= DEATHS_BURY)
        return 0;
    struct err why = {0};

    (void)err_set(&why, ERR_POISON, "runtime", "killed_the_worker",
                  "%u processes died over this message", partition->deaths - 1);
    bury(item, &why);
    /* That was it: the others need no care any more. */
    for (size_t i = 0; i < runtime->partition_count; i++)
        runtime->partitions[i].careful = 0;
    return 0;
}

int runtime_process_gathered(struct runtime *runtime, struct err *err)
{
    for (size_t i = 0; i < runtime->gathered_count; i++) {
        const struct gathered *item = &runtime->gathered[i];

        if (item->partition->fresh && begin_partition(runtime, item, err) < 0)
            return -1;
    }
    for (size_t from = 0, to; from < runtime->gathered_count; from = to) {
        to = from + 1;
        if (runtime->gathered[from].partition->careful > 0) {
            if (try_alone(runtime, &runtime->gathered[from], err) < 0)
                return -1;
        } else {
            while (to < runtime->gathered_count && runtime->gathered[to].partition->careful == 0)
                to++;
        }
        if (runtime_process(runtime, from, to, err) < 0)
            return -1;
    }
    return 0;
}

int runtime_flush_from(struct runtime *runtime, struct err *err)
{
    struct store_advance *rows =
        arena_zalloc(runtime->arena, runtime->partition_count + 1, sizeof(*rows));
    size_t count = 0;

    if (rows == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < runtime->partition_count; i++) {
        const struct partition *partition = &runtime->partitions[i];

        if (partition->next == 0 || partition->from != partition->next)
            continue;
        rows[count++] = (struct store_advance){.topic = partition->topic,
                                               .partition = partition->number,
                                               .epoch = partition->epoch,
                                               .from = partition->from,
                                               .next = partition->next,
                                               .next_time_us = partition->next_time_us};
    }
    if (count > 0 &&
        (db_tx_begin(runtime->db, err) < 0 ||
         store_progress_advance(runtime->db, runtime->worker->kind, rows, count, err) < 0 ||
         db_tx_commit(runtime->db, err) < 0))
        return -1;
    arena_reset(runtime->arena);
    runtime->idle_flushed = true;
    return 0;
}

int runtime_tick(struct runtime *runtime, struct err *err)
{
    outbox_clear(&runtime->outbox);
    if (db_tx_begin(runtime->db, err) < 0 ||
        runtime->worker->tick(runtime, runtime->worker_state, err) < 0 ||
        db_tx_commit(runtime->db, err) < 0)
        return -1;
    if (runtime->outbox.count > 0 && runtime_publish(runtime, NULL, 0, err) < 0)
        return -1;
    outbox_clear(&runtime->outbox);
    arena_reset(runtime->arena);
    return 0;
}
