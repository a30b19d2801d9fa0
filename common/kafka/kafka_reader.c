/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_reader.h"

#include "kafka_error.h"
#include "kafka_internal.h"

#include <assert.h>
#include <inttypes.h>

struct span {
    char *topic;
    int32_t partition;
    int64_t end;
    bool done;
};

struct kafka_reader {
    struct kafka_client client; /* first: librdkafka's callbacks get it as their opaque */
    struct span *spans;
    size_t span_count;
    size_t open_count; /* spans that are not done */
};

static void forget_spans(struct kafka_reader *reader)
{
    for (size_t i = 0; i < reader->span_count; i++)
        free(reader->spans[i].topic);
    free(reader->spans);
    reader->spans = NULL;
    reader->span_count = 0;
    reader->open_count = 0;
}

int kafka_reader_open(const struct kafka_settings *settings, struct kafka_reader **ret,
                      struct err *err)
{
    struct kafka_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return err_nomem(err);
    if (kafka_client_open(&reader->client, settings, KAFKA_ROLE_READER, NULL, NULL, err) < 0) {
        free(reader);
        return -1;
    }
    *ret = reader;
    return 0;
}

void kafka_reader_close(struct kafka_reader *reader)
{
    if (!reader)
        return;
    rd_kafka_destroy_flags(reader->client.rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    forget_spans(reader);
    free(reader);
}

int kafka_reader_partitions(struct kafka_reader *reader, const char *topic, int32_t *ret_count,
                            struct err *err)
{
    return kafka_client_partitions(&reader->client, topic,
                                   kafka_deadline(reader->client.call_timeout_ms), ret_count, err);
}

int kafka_reader_bounds(struct kafka_reader *reader, const char *topic, int32_t partition,
                        int64_t *ret_low, int64_t *ret_high, struct err *err)
{
    return kafka_client_bounds(&reader->client, topic, partition,
                               kafka_deadline(reader->client.call_timeout_ms), ret_low, ret_high,
                               err);
}

int kafka_reader_assign(struct kafka_reader *reader, const struct kafka_range *ranges, size_t n,
                        struct err *err)
{
    forget_spans(reader);
    reader->spans = calloc(n + 1, sizeof(reader->spans[0]));
    if (!reader->spans)
        return err_nomem(err);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        assert(ranges[i].start >= 0);
        if (ranges[i].start >= ranges[i].end)
            continue;
        struct span *span = &reader->spans[reader->span_count];
        *span = (struct span){.partition = ranges[i].partition, .end = ranges[i].end};
        span->topic = strdup(ranges[i].topic);
        if (!span->topic) {
            rd_kafka_topic_partition_list_destroy(list);
            forget_spans(reader);
            return err_nomem(err);
        }
        reader->span_count++;
        rd_kafka_topic_partition_list_add(list, ranges[i].topic, ranges[i].partition)->offset =
            ranges[i].start;
    }
    reader->open_count = reader->span_count;
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code)
        return kafka_error_set(err, code, "assign %zu partitions", reader->span_count);
    return 0;
}

static struct span *find_span(struct kafka_reader *reader, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < reader->span_count; i++) {
        struct span *span = &reader->spans[i];
        if (span->partition == partition && strcmp(span->topic, topic) == 0)
            return span;
    }
    return NULL;
}

/* Everything below `offset` was read. */
static void span_reached(struct kafka_reader *reader, struct span *span, int64_t offset)
{
    if (span->done || offset < span->end)
        return;
    span->done = true;
    reader->open_count--;
}

/* Consumes the message. */
static int failed_message(struct kafka_reader *reader, rd_kafka_message_t *raw, struct err *err)
{
    rd_kafka_resp_err_t code = raw->err;
    struct span *span =
        raw->rkt ? find_span(reader, rd_kafka_topic_name(raw->rkt), raw->partition) : NULL;
    int result = 0;
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (span)
            span_reached(reader, span, raw->offset);
    } else if (kafka_error_kind(code) != ERR_RETRY) {
        result = kafka_error_set(err, code, "read: %.200s", rd_kafka_message_errstr(raw));
    }
    rd_kafka_message_destroy(raw);
    return result;
}

/* 1 and a message, 0 with or without progress, -1. */
static int poll_once(struct kafka_reader *reader, int timeout_ms, struct kafka_message **ret,
                     struct err *err)
{
    kafka_client_serve(&reader->client);
    if (reader->client.refused)
        return kafka_client_explain(&reader->client, err);
    rd_kafka_message_t *raw = rd_kafka_consumer_poll(reader->client.rk, timeout_ms);
    if (!raw)
        return 0;
    if (raw->err)
        return failed_message(reader, raw, err);
    struct span *span = find_span(reader, rd_kafka_topic_name(raw->rkt), raw->partition);
    bool wanted = span && !span->done && raw->offset < span->end;
    if (span)
        span_reached(reader, span, raw->offset + 1);
    if (!wanted) {
        rd_kafka_message_destroy(raw);
        return 0;
    }
    *ret = kafka_message_wrap(raw);
    return *ret ? 1 : err_nomem(err);
}

int kafka_reader_poll(struct kafka_reader *reader, int timeout_ms, struct kafka_message **ret,
                      struct err *err)
{
    int64_t deadline = kafka_deadline(timeout_ms);
    while (reader->open_count > 0) {
        int left = kafka_deadline_left_ms(deadline);
        int result = poll_once(reader, left, ret, err);
        if (result != 0)
            return result;
        if (left == 0)
            break;
    }
    return 0;
}

bool kafka_reader_done(const struct kafka_reader *reader)
{
    return reader->open_count == 0;
}

int kafka_reader_fetch_one(struct kafka_reader *reader, const char *topic, int32_t partition,
                           int64_t offset, struct kafka_message **ret, struct err *err)
{
    int64_t low = 0;
    int64_t high = 0;
    int64_t deadline = kafka_deadline(reader->client.call_timeout_ms);
    struct kafka_range range = {
        .topic = topic, .partition = partition, .start = offset, .end = offset + 1};
    if (kafka_client_bounds(&reader->client, topic, partition, deadline, &low, &high, err) < 0)
        return -1;
    if (offset < low || offset >= high)
        return 0;
    if (kafka_reader_assign(reader, &range, 1, err) < 0)
        return -1;
    int result = kafka_reader_poll(reader, kafka_deadline_left_ms(deadline), ret, err);
    if (result == 0 && !kafka_reader_done(reader))
        return kafka_error_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "read %.100s [%" PRId32 "]",
                               topic, partition);
    return result;
}
