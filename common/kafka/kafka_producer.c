/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_producer.h"

#include "base_signal.h"
#include "kafka_error.h"
#include "kafka_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>

/* How long start-up goes without looking whether the process has been asked to stop. */
#define INIT_SLICE_MS 500
#define QUEUE_FULL_POLL_MS 5
#define INTRODUCE_MS 1000
/* Every topic of the fleet, and then some. More are merely met the slow way. */
#define TOPICS_MAX 32

struct kafka_producer {
    struct kafka_client client; /* first: librdkafka's callbacks get it as their opaque */
    bool transactional;
    int64_t transaction_timeout_ms;
    int64_t transaction_end; /* the broker aborts what is still open then */
    kafka_delivered_fn delivered;
    void *opaque;
    struct kafka_producer_counts counts;
    rd_kafka_topic_t *topics[TOPICS_MAX]; /* met so far */
    size_t topic_count;
    /* The first record of this transaction that could not be delivered. */
    rd_kafka_resp_err_t undelivered;
    char undelivered_topic[128];
};

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *raw, void *opaque)
{
    struct kafka_producer *producer = opaque;
    (void)rk;
    if (raw->err) {
        producer->counts.failed++;
        if (!producer->undelivered) {
            producer->undelivered = raw->err;
            (void)snprintf(producer->undelivered_topic, sizeof(producer->undelivered_topic), "%s",
                           rd_kafka_topic_name(raw->rkt));
        }
    } else {
        producer->counts.delivered++;
    }
    if (!producer->delivered)
        return;
    if (raw->err) {
        struct err err = {0};
        (void)kafka_error_set(&err, raw->err, "deliver to %.100s", rd_kafka_topic_name(raw->rkt));
        producer->delivered(producer->opaque, raw->_private, -1, -1, &err);
    } else {
        producer->delivered(producer->opaque, raw->_private, raw->partition, raw->offset, NULL);
    }
}

static int open_client(const struct kafka_settings *settings, enum kafka_role role,
                       struct kafka_producer **ret, struct err *err)
{
    struct kafka_producer *producer = calloc(1, sizeof(*producer));
    if (!producer)
        return err_nomem(err);
    producer->transactional = role == KAFKA_ROLE_TRANSACTIONAL;
    producer->transaction_timeout_ms = settings->transaction_timeout_ms > 0
                                           ? settings->transaction_timeout_ms
                                           : KAFKA_TRANSACTION_TIMEOUT_MS;
    if (kafka_client_open(&producer->client, settings, role, NULL, on_report, err) < 0) {
        free(producer);
        return -1;
    }
    *ret = producer;
    return 0;
}

/*
 * librdkafka resumes an init_transactions that timed out, so waiting in slices costs nothing.
 */
static int init_transactions(struct kafka_producer *producer, struct err *err)
{
    int64_t deadline = kafka_deadline(producer->client.call_timeout_ms);
    for (;;) {
        int left = kafka_deadline_left_ms(deadline);
        rd_kafka_error_t *error =
            rd_kafka_init_transactions(producer->client.rk, MIN_OF(left, INIT_SLICE_MS));
        if (!error)
            return 0;
        kafka_client_serve(&producer->client);
        bool again = kafka_error_is_retriable(error) && !producer->client.refused &&
                     kafka_deadline_again(deadline);
        if (again) {
            rd_kafka_error_destroy(error);
            continue;
        }
        (void)kafka_error_take(err, error, "init_transactions");
        return kafka_client_explain(&producer->client, err);
    }
}

int kafka_producer_open(const struct kafka_settings *settings, struct kafka_producer **ret,
                        struct err *err)
{
    struct kafka_producer *producer CLEANUP(kafka_producer_dropp) = NULL;
    if (open_client(settings, KAFKA_ROLE_TRANSACTIONAL, &producer, err) < 0 ||
        init_transactions(producer, err) < 0)
        return -1;
    *ret = producer;
    producer = NULL;
    return 0;
}

int kafka_producer_open_plain(const struct kafka_settings *settings, kafka_delivered_fn delivered,
                              void *opaque, struct kafka_producer **ret, struct err *err)
{
    struct kafka_producer *producer = NULL;
    if (open_client(settings, KAFKA_ROLE_PLAIN, &producer, err) < 0)
        return -1;
    producer->delivered = delivered;
    producer->opaque = opaque;
    *ret = producer;
    return 0;
}

/* Some versions never return from a transactional call on a producer that has met its end. */
static int still_alive(struct kafka_producer *producer, struct err *err)
{
    char why[200] = "";
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(producer->client.rk, why, sizeof(why));
    return code ? kafka_error_set(err, code, "producer: %s", why) : 0;
}

int kafka_producer_begin(struct kafka_producer *producer, struct err *err)
{
    assert(producer->transactional);
    kafka_client_serve(&producer->client);
    if (still_alive(producer, err) < 0)
        return -1;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer->client.rk);
    if (error)
        return kafka_error_take(err, error, "begin_transaction");
    producer->undelivered = RD_KAFKA_RESP_ERR_NO_ERROR;
    producer->transaction_end = kafka_deadline(producer->transaction_timeout_ms);
    return 0;
}

/* Until when a call may last: nothing done after the transaction's end can succeed. */
static int64_t call_deadline(const struct kafka_producer *producer)
{
    int64_t deadline = kafka_deadline(producer->client.call_timeout_ms);
    return producer->transactional ? MIN_OF(deadline, producer->transaction_end) : deadline;
}

static rd_kafka_headers_t *copy_headers(const struct record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];
        rd_kafka_resp_err_t code = rd_kafka_header_add(headers, header->name, -1, header->value,
                                                       header->value ? (ssize_t)header->len : 0);
        assert(!code);
        (void)code;
    }
    return headers;
}

/* One try; takes the headers when it succeeds. Returns the code. */
static rd_kafka_resp_err_t enqueue(struct kafka_producer *producer, const struct record *record,
                                   rd_kafka_headers_t *headers, void *tag)
{
    rd_kafka_vu_t items[8] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = record->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION,
         .u.i32 = record->partition < 0 ? RD_KAFKA_PARTITION_UA : record->partition},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)record->key, .size = record->key ? record->key_len : 0}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)record->value, .size = record->value ? record->value_len : 0}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = tag},
    };
    size_t count = 6;
    if (headers)
        items[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client.rk, items, count);
    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

/* A broker that has just come up may not know its topics for a moment: for the loop that is no
 * reason to leave for good. Returns -1. */
static int soften(const struct kafka_producer *producer, rd_kafka_resp_err_t code, struct err *err)
{
    if (err && producer->transactional &&
        (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION))
        err->kind = ERR_TRANSIENT;
    return -1;
}

/*
 * librdkafka asks about a topic that it does not know yet with a timer of a second, and records
 * wait for it. So ask at once. When nobody answers, sending goes on and delivery will tell.
 */
static int introduce_topic(struct kafka_producer *producer, const char *topic, struct err *err)
{
    int32_t count = 0;
    rd_kafka_topic_t *handle = NULL;
    for (size_t i = 0; i < producer->topic_count; i++) {
        if (strcmp(rd_kafka_topic_name(producer->topics[i]), topic) == 0)
            return 0;
    }
    if (producer->topic_count == TOPICS_MAX)
        return 0;
    int64_t wait = MIN_OF(producer->client.call_timeout_ms, INTRODUCE_MS);
    int found =
        kafka_client_topic(&producer->client, topic, kafka_deadline(wait), &handle, &count, NULL);
    if (found == 0) {
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        (void)kafka_error_set(err, code, "send to %.100s", topic);
        return soften(producer, code, err);
    }
    /* Asked once, whatever came of it: the next record shall not wait again. */
    if (found < 0)
        handle = rd_kafka_topic_new(producer->client.rk, topic, NULL);
    if (handle)
        producer->topics[producer->topic_count++] = handle;
    return 0;
}

int kafka_producer_send_tagged(struct kafka_producer *producer, const struct record *record,
                               void *tag, struct err *err)
{
    assert(record->topic);
    if (introduce_topic(producer, record->topic, err) < 0)
        return -1;
    int64_t deadline = call_deadline(producer);
    rd_kafka_headers_t *headers = record->header_count ? copy_headers(record) : NULL;
    rd_kafka_resp_err_t code = enqueue(producer, record, headers, tag);
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && kafka_deadline_left_ms(deadline) > 0) {
        (void)rd_kafka_poll(producer->client.rk, QUEUE_FULL_POLL_MS);
        code = enqueue(producer, record, headers, tag);
    }
    if (code) {
        if (headers)
            rd_kafka_headers_destroy(headers);
        if (still_alive(producer, err) < 0)
            return -1;
        (void)kafka_error_set(err, code, "send to %.100s", record->topic);
        return soften(producer, code, err);
    }
    producer->counts.sent++;
    producer->counts.bytes +=
        (record->key ? record->key_len : 0) + (record->value ? record->value_len : 0);
    kafka_client_serve(&producer->client);
    return 0;
}

int kafka_producer_send(struct kafka_producer *producer, const struct record *record,
                        struct err *err)
{
    return kafka_producer_send_tagged(producer, record, NULL, err);
}

/*
 * A transactional call until it succeeds, fails for good or its time is over. All of them may be
 * repeated as they are after a retriable error.
 */
typedef rd_kafka_error_t *(*txn_call_fn)(struct kafka_producer *producer, int timeout_ms,
                                         const void *arg);

static int txn_call(struct kafka_producer *producer, const char *name, txn_call_fn call,
                    const void *arg, int64_t deadline, struct err *err)
{
    for (;;) {
        rd_kafka_error_t *error = call(producer, kafka_deadline_left_ms(deadline), arg);
        if (!error)
            return 0;
        if (!kafka_error_is_retriable(error) || kafka_deadline_left_ms(deadline) == 0)
            return kafka_error_take(err, error, "%s", name);
        rd_kafka_error_destroy(error);
        /* Unlike kafka_deadline_again(): a stop lets a transaction come to its end. */
        (void)rd_kafka_poll(producer->client.rk, QUEUE_FULL_POLL_MS);
    }
}

struct offsets_arg {
    const rd_kafka_topic_partition_list_t *list;
    const struct kafka_group *group;
};

static rd_kafka_error_t *call_send_offsets(struct kafka_producer *producer, int timeout_ms,
                                           const void *arg)
{
    const struct offsets_arg *offsets = arg;
    return rd_kafka_send_offsets_to_transaction(producer->client.rk, offsets->list,
                                                kafka_group_raw(offsets->group), timeout_ms);
}

static rd_kafka_error_t *call_commit(struct kafka_producer *producer, int timeout_ms,
                                     const void *arg)
{
    (void)arg;
    return rd_kafka_commit_transaction(producer->client.rk, timeout_ms);
}

static rd_kafka_error_t *call_abort(struct kafka_producer *producer, int timeout_ms,
                                    const void *arg)
{
    (void)arg;
    return rd_kafka_abort_transaction(producer->client.rk, timeout_ms);
}

int kafka_producer_send_offsets(struct kafka_producer *producer, const struct kafka_group *group,
                                const struct kafka_offset *offsets, size_t n, struct err *err)
{
    assert(producer->transactional);
    if (still_alive(producer, err) < 0)
        return -1;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        assert(offsets[i].next >= 0);
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset =
            offsets[i].next;
    }
    struct offsets_arg arg = {.list = list, .group = group};
    int result = txn_call(producer, "send_offsets_to_transaction", call_send_offsets, &arg,
                          call_deadline(producer), err);
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

int kafka_producer_commit(struct kafka_producer *producer, struct err *err)
{
    assert(producer->transactional);
    int64_t deadline = call_deadline(producer);
    if (still_alive(producer, err) < 0)
        return -1;
    rd_kafka_resp_err_t code =
        rd_kafka_flush(producer->client.rk, kafka_deadline_left_ms(deadline));
    if (producer->undelivered) {
        (void)kafka_error_set(err, producer->undelivered, "deliver to %s",
                              producer->undelivered_topic);
        return soften(producer, producer->undelivered, err);
    }
    if (code)
        return kafka_error_set(err, code, "deliver before the commit");
    return txn_call(producer, "commit_transaction", call_commit, NULL, deadline, err);
}

int kafka_producer_abort(struct kafka_producer *producer, struct err *err)
{
    assert(producer->transactional);
    if (still_alive(producer, err) < 0)
        return -1;
    return txn_call(producer, "abort_transaction", call_abort, NULL, call_deadline(producer), err);
}

int kafka_producer_flush(struct kafka_producer *producer, int timeout_ms, struct err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_flush(producer->client.rk, timeout_ms);
    if (!code)
        return 0;
    return kafka_error_set(err, code, "%d records are not delivered yet",
                           rd_kafka_outq_len(producer->client.rk));
}

void kafka_producer_counts(const struct kafka_producer *producer, struct kafka_producer_counts *ret)
{
    *ret = producer->counts;
}

void kafka_producer_drop(struct kafka_producer *producer)
{
    if (!producer)
        return;
    (void)rd_kafka_purge(producer->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    kafka_client_serve(&producer->client);
    for (size_t i = 0; i < producer->topic_count; i++)
        rd_kafka_topic_destroy(producer->topics[i]);
    rd_kafka_destroy(producer->client.rk);
    free(producer);
}
