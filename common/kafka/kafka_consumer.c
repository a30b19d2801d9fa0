/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_consumer.h"

#include "kafka_error.h"
#include "kafka_internal.h"

#include <assert.h>
#include <inttypes.h>

#define LEAVE_TIMEOUT_MS 5000
/* With less time than this a question is not asked again: it would merely time out, and hide the
 * answer that we have. */
#define QUESTION_MIN_MS 1000

struct kafka_consumer {
    struct kafka_client client; /* first: librdkafka's callbacks get it as their opaque */
    struct kafka_callbacks callbacks;
    void *opaque;
    bool is_static;
    bool closing;
    uint64_t generation;
    /* What is assigned, and librdkafka's list that the topic names point into. */
    rd_kafka_topic_partition_list_t *list;
    struct kafka_partition *parts;
    size_t part_count;
    /* What went wrong inside a callback, for the poll that ran it. */
    bool failed;
    struct err failure;
};

struct kafka_group {
    rd_kafka_consumer_group_metadata_t *raw;
};

const rd_kafka_consumer_group_metadata_t *kafka_group_raw(const struct kafka_group *group)
{
    return group->raw;
}

void kafka_group_free(struct kafka_group *group)
{
    if (!group)
        return;
    rd_kafka_consumer_group_metadata_destroy(group->raw);
    free(group);
}

struct kafka_group *kafka_consumer_group_metadata(const struct kafka_consumer *consumer)
{
    struct kafka_group *group = calloc(1, sizeof(*group));
    if (!group)
        return NULL;
    group->raw = rd_kafka_consumer_group_metadata(consumer->client.rk);
    if (!group->raw) {
        free(group);
        return NULL;
    }
    return group;
}

/* After open only start-up may call something lasting. */
static int soften(struct err *err)
{
    if (err && err->kind == ERR_FATAL)
        err->kind = ERR_TRANSIENT;
    return -1;
}

static void forget_assignment(struct kafka_consumer *consumer)
{
    if (consumer->list)
        rd_kafka_topic_partition_list_destroy(consumer->list);
    free(consumer->parts);
    consumer->list = NULL;
    consumer->parts = NULL;
    consumer->part_count = 0;
}

static int ask_committed(struct kafka_consumer *consumer, int64_t deadline, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = consumer->list;
    rd_kafka_resp_err_t code;
    do {
        code = rd_kafka_committed(consumer->client.rk, list, kafka_deadline_left_ms(deadline));
        for (int i = 0; !code && i < list->cnt; i++)
            code = list->elems[i].err;
        /* Above all UNSTABLE_OFFSET_COMMIT: the dead owner's transaction is still open. */
    } while (kafka_error_kind(code) == ERR_RETRY && kafka_deadline_again(deadline));
    if (code)
        return kafka_error_set(err, code, "ask for the group's offsets");
    return 0;
}

/* Fill consumer->parts from consumer->list, asking the brokers. */
static int look_up_parts(struct kafka_consumer *consumer, struct err *err)
{
    const rd_kafka_topic_partition_list_t *list = consumer->list;
    int64_t deadline = kafka_deadline(consumer->client.call_timeout_ms);
    consumer->parts = calloc((size_t)list->cnt + 1, sizeof(consumer->parts[0]));
    if (!consumer->parts)
        return err_nomem(err);
    consumer->part_count = (size_t)list->cnt;
    if (list->cnt > 0 && ask_committed(consumer, deadline, err) < 0)
        return -1;
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *elem = &list->elems[i];
        struct kafka_partition *part = &consumer->parts[i];
        *part = (struct kafka_partition){
            .topic = elem->topic,
            .partition = elem->partition,
            .committed = elem->offset >= 0 ? elem->offset : -1,
            .start = -1,
        };
        if (kafka_client_bounds(&consumer->client, elem->topic, elem->partition, deadline,
                                &part->low, &part->high, err) < 0)
            return -1;
    }
    return 0;
}

static int start_parts(struct kafka_consumer *consumer, struct err *err)
{
    for (size_t i = 0; i < consumer->part_count; i++) {
        const struct kafka_partition *part = &consumer->parts[i];
        if (part->start < 0)
            return err_set(err, ERR_BUG, "kafka", "no_start", "no start offset for %.100s [%d]",
                           part->topic, part->partition);
        consumer->list->elems[i].offset = part->start;
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(consumer->client.rk, consumer->list);
    if (code)
        return kafka_error_set(err, code, "assign %zu partitions", consumer->part_count);
    return 0;
}

static void assign(struct kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    struct err *err = &consumer->failure;
    forget_assignment(consumer);
    consumer->generation++;
    consumer->list = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_sort(consumer->list, NULL, NULL);
    if (look_up_parts(consumer, err) < 0) {
        (void)soften(err);
    } else if (consumer->callbacks.on_assign(consumer->opaque, consumer->parts,
                                             consumer->part_count, err) == 0) {
        if (start_parts(consumer, err) == 0)
            return;
        (void)soften(err);
    }
    consumer->failed = true;
    forget_assignment(consumer);
    (void)rd_kafka_assign(consumer->client.rk, NULL);
}

static void revoke(struct kafka_consumer *consumer)
{
    bool lost = rd_kafka_assignment_lost(consumer->client.rk);
    consumer->generation++;
    for (size_t i = 0; i < consumer->part_count; i++) {
        struct kafka_partition *part = &consumer->parts[i];
        part->committed = part->low = part->high = part->start = -1;
    }
    /* After a failed on_assign there is nothing that the owner knows of. */
    if (!consumer->failed)
        consumer->callbacks.on_revoke(consumer->opaque, consumer->parts, consumer->part_count,
                                      lost);
    forget_assignment(consumer);
    (void)rd_kafka_assign(consumer->client.rk, NULL);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t event,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_consumer *consumer = opaque;
    if (consumer->closing) {
        (void)rd_kafka_assign(rk, NULL);
    } else if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(consumer, list);
    } else if (event == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        revoke(consumer);
    } else {
        consumer->failed = true;
        (void)kafka_error_set(&consumer->failure, event, "rebalance");
        (void)soften(&consumer->failure);
        (void)rd_kafka_assign(rk, NULL);
    }
}

/* A topic may be missing for a moment only: a broker that has just come up learns about topics. */
static int await_topic(struct kafka_consumer *consumer, const char *topic, int64_t deadline,
                       struct err *err)
{
    int32_t count = 0;
    int found;
    do {
        found = kafka_client_partitions(&consumer->client, topic, deadline, &count, err);
    } while (found == 0 && kafka_deadline_left_ms(deadline) > QUESTION_MIN_MS &&
             kafka_deadline_again(deadline));
    if (found == 0)
        return err_set(err, ERR_FATAL, "kafka", "UNKNOWN_TOPIC_OR_PART", "there is no topic %.100s",
                       topic);
    return found < 0 ? -1 : 0;
}

static int subscribe(struct kafka_consumer *consumer, const char *const *topics, size_t topic_count,
                     struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)topic_count);
    for (size_t i = 0; i < topic_count; i++)
        (void)rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code)
        return kafka_error_set(err, code, "subscribe");
    return 0;
}

int kafka_consumer_open(const struct kafka_settings *settings, const char *const *topics,
                        size_t topic_count, const struct kafka_callbacks *callbacks, void *opaque,
                        struct kafka_consumer **ret, struct err *err)
{
    assert(topic_count > 0 && callbacks->on_assign && callbacks->on_revoke);
    struct kafka_consumer *consumer CLEANUP(kafka_consumer_closep) = calloc(1, sizeof(*consumer));
    if (!consumer)
        return err_nomem(err);
    consumer->callbacks = *callbacks;
    consumer->opaque = opaque;
    consumer->is_static = settings->slot && *settings->slot;
    if (kafka_client_open(&consumer->client, settings, KAFKA_ROLE_CONSUMER, on_rebalance, NULL,
                          err) < 0)
        return -1;
    int64_t deadline = kafka_deadline(consumer->client.call_timeout_ms);
    for (size_t i = 0; i < topic_count; i++) {
        if (await_topic(consumer, topics[i], deadline, err) < 0)
            return -1;
    }
    if (subscribe(consumer, topics, topic_count, err) < 0)
        return -1;
    *ret = consumer;
    consumer = NULL;
    return 0;
}

/* The fatal error behind a mere "fatal", such as FENCED_INSTANCE_ID. */
static int fatal_error(struct kafka_consumer *consumer, struct err *err)
{
    char why[200] = "";
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(consumer->client.rk, why, sizeof(why));
    return kafka_error_set(err, code ? code : RD_KAFKA_RESP_ERR__FATAL, "consumer: %s", why);
}

/* Consumes the message. */
static int failed_message(struct kafka_consumer *consumer, rd_kafka_message_t *raw, struct err *err)
{
    rd_kafka_resp_err_t code = raw->err;
    int result = -1;
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        (void)fatal_error(consumer, err);
    else if (kafka_error_kind(code) == ERR_RETRY)
        result = 0; /* librdkafka is at it */
    else
        (void)kafka_error_set(err, code, "read: %.200s", rd_kafka_message_errstr(raw));
    rd_kafka_message_destroy(raw);
    return result < 0 ? soften(err) : 0;
}

int kafka_consumer_poll(struct kafka_consumer *consumer, int timeout_ms, struct kafka_message **ret,
                        struct err *err)
{
    kafka_client_serve(&consumer->client);
    rd_kafka_message_t *raw = rd_kafka_consumer_poll(consumer->client.rk, timeout_ms);
    if (consumer->failed) {
        if (raw)
            rd_kafka_message_destroy(raw);
        if (err)
            *err = consumer->failure;
        return -1;
    }
    if (consumer->client.refused) {
        if (raw)
            rd_kafka_message_destroy(raw);
        (void)kafka_client_explain(&consumer->client, err);
        return soften(err);
    }
    if (!raw)
        return 0;
    if (raw->err)
        return failed_message(consumer, raw, err);
    *ret = kafka_message_wrap(raw);
    return *ret ? 1 : err_nomem(err);
}

uint64_t kafka_consumer_generation(const struct kafka_consumer *consumer)
{
    return consumer->generation;
}

size_t kafka_consumer_assigned_count(const struct kafka_consumer *consumer)
{
    return consumer->part_count;
}

bool kafka_consumer_is_assigned(const struct kafka_consumer *consumer, const char *topic,
                                int32_t partition)
{
    return consumer->list &&
           rd_kafka_topic_partition_list_find(consumer->list, topic, partition) != NULL;
}

int kafka_consumer_cached_range(const struct kafka_consumer *consumer, const char *topic,
                                int32_t partition, int64_t *ret_low, int64_t *ret_high)
{
    int64_t low = -1;
    int64_t high = -1;
    if (!kafka_consumer_is_assigned(consumer, topic, partition) ||
        rd_kafka_get_watermark_offsets(consumer->client.rk, topic, partition, &low, &high) != 0 ||
        low < 0 || high < 0)
        return 0;
    *ret_low = low;
    *ret_high = high;
    return 1;
}

/* A dynamic member says good-bye, so that the others need not wait for its session to end. */
static void leave_group(struct kafka_consumer *consumer)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->client.rk);
    int64_t deadline = kafka_deadline(LEAVE_TIMEOUT_MS);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->client.rk, queue);
    if (error) {
        rd_kafka_error_destroy(error);
    } else {
        while (!rd_kafka_consumer_closed(consumer->client.rk) &&
               kafka_deadline_left_ms(deadline) > 0) {
            rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 50);
            if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
                (void)rd_kafka_assign(consumer->client.rk, NULL);
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(queue);
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    if (!consumer)
        return;
    consumer->closing = true;
    if (consumer->client.rk) {
        if (!consumer->is_static && consumer->generation > 0)
            leave_group(consumer);
        rd_kafka_destroy_flags(consumer->client.rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    forget_assignment(consumer);
    free(consumer);
}
