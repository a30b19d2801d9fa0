/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_message.h"

#include "base_time.h"
#include "kafka_internal.h"

struct kafka_message {
    rd_kafka_message_t *raw;
    struct record record;
    struct record_header headers[];
};

const struct record *kafka_message_record(const struct kafka_message *message)
{
    return &message->record;
}

void kafka_message_free(struct kafka_message *message)
{
    if (!message)
        return;
    rd_kafka_message_destroy(message->raw);
    free(message);
}

static int64_t record_time_us(int64_t ms)
{
    if (ms < 0)
        return 0;
    return ms > TIME_MAX_US / TIME_US_PER_MS ? TIME_MAX_US : ms * TIME_US_PER_MS;
}

struct kafka_message *kafka_message_wrap(rd_kafka_message_t *raw)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    /* Headers that cannot be parsed read as none: the envelope is then found to be incomplete. */
    if (rd_kafka_message_headers(raw, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = NULL;
    size_t count = headers ? rd_kafka_header_cnt(headers) : 0;
    struct kafka_message *message =
        calloc(1, sizeof(*message) + count * sizeof(message->headers[0]));
    if (!message) {
        rd_kafka_message_destroy(raw);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        struct record_header *header = &message->headers[i];
        (void)rd_kafka_header_get_all(headers, i, &header->name, &header->value, &header->len);
    }
    int64_t ms = rd_kafka_message_timestamp(raw, &type);
    message->raw = raw;
    message->record = (struct record){
        .topic = rd_kafka_topic_name(raw->rkt),
        .partition = raw->partition,
        .offset = raw->offset,
        .time_us = record_time_us(ms),
        .log_append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
        .key = raw->key,
        .key_len = raw->key_len,
        .value = raw->payload,
        .value_len = raw->len,
        .headers = message->headers,
        .header_count = count,
    };
    return message;
}
