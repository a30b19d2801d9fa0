/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the three clients, always in the same order, and taking over partitions.
 *
 * The producer comes before the consumer: its init_transactions ends what a dead predecessor of
 * this slot left open, and only then can the group's offsets be trusted.
 */
#include "base_signal.h"
#include "db_error.h"
#include "db_migrate.h"
#include "db_tx.h"
#include "runtime_internal.h"
#include "store_progress.h"

#include <string.h>

#define ASSIGN_TRIES 20
#define CONNECT_WATCHDOG_MS 60000

/* Raise the epoch of every partition; from here on our predecessor cannot commit anything any more.
 */
static int take_over(struct runtime *runtime, struct kafka_partition *parts, size_t n,
                     struct err *err)
{
    if (db_tx_begin(runtime->db, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct partition *partition = &runtime->partitions[i];
        struct store_progress row = {0};

        if (store_progress_assign(runtime->db, runtime->worker->kind, parts[i].topic,
                                  parts[i].partition, runtime->conf.slot, &row, err) < 0)
            return -1;
        *partition = (struct partition){.number = parts[i].partition,
                                        .epoch = row.epoch,
                                        .from = row.from,
                                        .next = row.next,
                                        .next_time_us = row.next_time_us,
                                        .verify = -1,
                                        .fresh = true,
                                        .deaths = row.deaths,
                                        .death_offset = row.death_offset};
        (void)snprintf(partition->topic, sizeof(partition->topic), "%s", parts[i].topic);
    }
    return db_tx_commit(runtime->db, err);
}

/* A predecessor that hangs in a transaction holds the rows: end it, and try again. */
static int take_over_patiently(struct runtime *runtime, struct kafka_partition *parts, size_t n,
                               struct err *err)
{
    for (int tries = 0;; tries++) {
        struct err why = {0};

        if (take_over(runtime, parts, n, &why) == 0)
            return 0;
        if (why.kind != ERR_RETRY || tries >= ASSIGN_TRIES || signal_stop_requested()) {
            *err = why;
            if (why.kind == ERR_RETRY)
                err->kind = ERR_TRANSIENT;
            return -1;
        }
        if (db_tx_rollback(runtime->db, err) < 0 ||
            (db_error_is(&why, "55P03") && db_end_blockers(runtime->db, err) < 0))
            return -1;
    }
}

static bool carries_tokens(const struct runtime *runtime, const char *topic)
{
    for (size_t i = 0; i < runtime->worker->topic_count; i++) {
        if (strcmp(runtime->topics[i], topic) == 0)
            return msg_topic_internal(runtime->worker->topics[i].topic);
    }
    return false;
}

static int on_assign(void *opaque, struct kafka_partition *parts, size_t n, struct err *err)
{
    struct runtime *runtime = opaque;

    runtime->partition_count = 0;
    if (n > RUNTIME_PARTITIONS_MAX)
        return err_set(err, ERR_FATAL, "runtime", "too_many_partitions",
                       "%zu partitions for one worker, at most %d: start more workers", n,
                       RUNTIME_PARTITIONS_MAX);
    watchdog_arm(CONNECT_WATCHDOG_MS, RUNTIME_EXIT_WATCHDOG, "taking over partitions");
    int taken = take_over_patiently(runtime, parts, n, err);

    watchdog_disarm();
    if (taken < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct partition_facts facts = {.committed = parts[i].committed,
                                        .low = parts[i].low,
                                        .high = parts[i].high,
                                        .tokens = carries_tokens(runtime, parts[i].topic)};

        if (partition_start(&runtime->partitions[i], &facts, &parts[i].start, err) < 0)
            return -1;
    }
    runtime->partition_count = n;
    metrics_set(runtime_metrics, METRIC_PARTITIONS, 0, (double)n);
    runtime->idle_flushed = false;
    log_info("assigned", LOG_INT("partitions", (int64_t)n));
    return 0;
}

static void on_revoke(void *opaque, const struct kafka_partition *parts UNUSED, size_t n, bool lost)
{
    struct runtime *runtime = opaque;

    runtime->partition_count = 0;
    log_info("revoked", LOG_INT("partitions", (int64_t)n), LOG_INT("lost", lost));
}

static int open_database(struct runtime *runtime, struct err *err)
{
    struct db_settings settings = {.url = runtime->conf.pg_url,
                                   .application_name = runtime->app_name,
                                   .lock_timeout_ms = runtime->conf.lock_timeout_ms,
                                   .statement_timeout_ms = runtime->conf.statement_timeout_ms};

    if (db_conn_open(&settings, &runtime->db, err) < 0)
        return err_wrap(err, "PostgreSQL");
    if (db_migrate_check(runtime->db, err) < 0)
        return -1;
    store_source_forget(runtime->sources);
    if (runtime->worker->connected != NULL &&
        runtime->worker->connected(runtime, runtime->worker_state, err) < 0)
        return -1;
    return 0;
}

int runtime_connect(struct runtime *runtime, struct err *err)
{
    static const struct kafka_callbacks callbacks = {.on_assign = on_assign,
                                                     .on_revoke = on_revoke};
    const char *topics[RUNTIME_TOPICS_MAX];

    for (size_t i = 0; i < runtime->worker->topic_count; i++)
        topics[i] = runtime->topics[i];
    runtime->partition_count = 0;
    watchdog_arm(CONNECT_WATCHDOG_MS, RUNTIME_EXIT_WATCHDOG, "connecting");
    int opened = open_database(runtime, err);

    if (opened == 0 && kafka_producer_open(&runtime->kafka, &runtime->producer, err) < 0)
        opened = err_wrap(err, "Kafka");
    if (opened == 0 && kafka_consumer_open(&runtime->kafka, topics, runtime->worker->topic_count,
                                           &callbacks, runtime, &runtime->consumer, err) < 0)
        opened = err_wrap(err, "Kafka");
    watchdog_disarm();
    return opened;
}

void runtime_disconnect(struct runtime *runtime)
{
    watchdog_arm(CONNECT_WATCHDOG_MS, RUNTIME_EXIT_WATCHDOG, "closing the clients");
    kafka_producer_drop(runtime->producer);
    runtime->producer = NULL;
    kafka_consumer_close(runtime->consumer);
    runtime->consumer = NULL;
    db_conn_close(runtime->db);
    runtime->db = NULL;
    runtime->partition_count = 0;
    watchdog_disarm();
}
