/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry of the events, and their records.
 */
#include "msg_event.h"

#include "base_buf.h"
#include "base_time.h"
#include "jsonio.h"
#include "msg_tables.h"

#include <assert.h>
#include <string.h>

#define HEADERS_MAX 12

#define EVENT(id, name, topic, table, terminal)                                                    \
    [MSG_EVENT_##id] = {MSG_EVENT_##id, "promofleet." name ".v1", MSG_TOPIC_##topic,               \
                        &msg_table_##table, terminal}
#define DEFINITION_EVENTS(id, name)                                                                \
    EVENT(id##_CHANGED, name ".changed", CAMPAIGN_EVENTS, definition_event, true),                 \
        EVENT(id##_ARCHIVED, name ".archived", CAMPAIGN_EVENTS, definition_event, true),           \
        EVENT(id##_REJECTED, name ".rejected", CAMPAIGN_EVENTS, rejected, true)

static const struct msg_event_type types[MSG_EVENT_COUNT] = {
    DEFINITION_EVENTS(CAMPAIGN, "campaign"),
    DEFINITION_EVENTS(DISCOUNT, "discount"),
    DEFINITION_EVENTS(COUPON, "coupon"),
    DEFINITION_EVENTS(AFFILIATE, "affiliate"),
    EVENT(JOB_ACCEPTED, "job.accepted", JOB_EVENTS, job_event, false),
    EVENT(JOB_PROGRESSED, "job.progressed", JOB_EVENTS, job_event, false),
    EVENT(JOB_COMPLETED, "job.completed", JOB_EVENTS, job_event, true),
    EVENT(JOB_FAILED, "job.failed", JOB_EVENTS, job_event, true),
    EVENT(JOB_CANCELLED, "job.cancelled", JOB_EVENTS, job_event, true),
    EVENT(JOB_REJECTED, "job.rejected", JOB_EVENTS, rejected, true),
    EVENT(JOB_STEERED, "job.steered", JOB_EVENTS, job_steered, true),
    EVENT(CODE_REDEEMED, "code.redeemed", REDEMPTION_EVENTS, redeemed, true),
    EVENT(CODE_VALIDATED, "code.validated", REDEMPTION_EVENTS, validated, true),
    EVENT(CODE_RELEASED, "code.released", REDEMPTION_EVENTS, released, true),
    EVENT(CODE_REJECTED, "code.rejected", REDEMPTION_EVENTS, code_rejected, true),
    EVENT(METRICS_SNAPSHOT, "metrics.snapshot", METRICS, metrics_snapshot, false),
};

const struct msg_event_type *msg_event_type(enum msg_event_id id)
{
    return &types[id];
}

const struct msg_event_type *msg_event_type_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    return NULL;
}

static int encode(struct arena *arena, const struct msg_table *table, const void *data,
                  const char **ret_json, size_t *ret_len, struct err *err)
{
    struct buf json CLEANUP(buf_done);
    buf_init(&json);
    if (msg_table_encode(table, data, &json, err) < 0)
        return -1;
    char *copy = buf_failed(&json) ? NULL : arena_memdup(arena, json.data, json.len);
    if (copy == NULL)
        return err_nomem(err);
    *ret_json = copy;
    *ret_len = json.len;
    return 0;
}

int msg_event_data(struct arena *arena, enum msg_event_id id, const void *data,
                   const char **ret_json, size_t *ret_len, struct err *err)
{
    if (encode(arena, types[id].table, data, ret_json, ret_len, err) < 0)
        return err_wrap(err, "%s", types[id].name);
    return 0;
}

int msg_rejected_data(struct arena *arena, const struct msg_reason *reasons, size_t count,
                      const char **ret_json, size_t *ret_len, struct err *err)
{
    struct msg_rejected rejected = {.reasons = {reasons, count}};
    return encode(arena, &msg_table_rejected, &rejected, ret_json, ret_len, err);
}

/* --- records ---------------------------------------------------------------------------------- */

/* Headers under construction: room for all that we ever write. */
struct headers {
    struct arena *arena;
    struct record_header *items;
    size_t count;
    bool nomem;
};

static void headers_init(struct headers *headers, struct arena *arena, size_t room)
{
    *headers = (struct headers){.arena = arena};
    headers->items = arena_zalloc(arena, room, sizeof(*headers->items));
    headers->nomem = headers->items == NULL;
}

/* name is static; the value is copied. NULL adds nothing. */
static void add_header(struct headers *headers, const char *name, const char *value)
{
    if (value == NULL || headers->nomem)
        return;
    size_t len = strlen(value);
    char *copy = arena_memdup(headers->arena, value, len);
    if (copy == NULL) {
        headers->nomem = true;
        return;
    }
    headers->items[headers->count++] = (struct record_header){name, copy, len};
}

static void add_common(struct headers *headers, const char *type, const uint8_t id[DIGEST_UUID_LEN],
                       const char *source, int64_t time_us)
{
    char uuid[DIGEST_UUID_TEXT];
    char time[TIME_TEXT_MAX];
    add_header(headers, "ce_specversion", "1.0");
    add_header(headers, "ce_id", digest_uuid_text(id, uuid));
    add_header(headers, "ce_source", source);
    add_header(headers, "ce_type", type);
    add_header(headers, "ce_time", time_format(time_us, time));
    add_header(headers, "content-type", "application/json");
}

static int finish(struct arena *arena, const struct headers *headers, const char *topic,
                  int32_t partition, const char *key, const char *value, size_t value_len,
                  struct record *ret_record, struct err *err)
{
    struct record record = {.topic = arena_strdup(arena, topic),
                            .partition = partition,
                            .offset = -1,
                            .headers = headers->items,
                            .header_count = headers->count,
                            .value = arena_memdup(arena, value, value_len),
                            .value_len = value_len};
    if (key != NULL) {
        record.key = arena_strdup(arena, key);
        record.key_len = strlen(key);
    }
    if (headers->nomem || record.topic == NULL || record.value == NULL ||
        (key != NULL && record.key == NULL))
        return err_nomem(err);
    *ret_record = record;
    return 0;
}

int msg_event_record(struct arena *arena, const struct msg_topics *topics,
                     const struct msg_event *event, struct record *ret_record, struct err *err)
{
    struct headers headers;
    if (event->type == NULL || event->source == NULL || event->data == NULL)
        return err_set(err, ERR_BUG, "msg", "contract", "an event without type, source or data");
    if (event->time_us < TIME_MIN_US || event->time_us > TIME_MAX_US)
        return err_set(err, ERR_BUG, "msg", "contract", "an event at no time that we can write");
    headers_init(&headers, arena, HEADERS_MAX);
    add_common(&headers, event->type, event->id, event->source, event->time_us);
    add_header(&headers, "ce_causationid", event->cause_id);
    add_header(&headers, "ce_causationsource", event->cause_source);
    add_header(&headers, "ce_repeated", event->repeated ? "true" : NULL);
    add_header(&headers, "ce_supersedes", event->supersedes);
    add_header(&headers, "traceparent", event->traceparent);
    return finish(arena, &headers, topics->names[event->topic], -1, event->key, event->data,
                  event->data_len, ret_record, err);
}

int msg_internal_record(struct arena *arena, const struct msg_topics *topics, enum msg_topic topic,
                        int32_t partition, const char *key, enum msg_command_id type,
                        const void *data, const char *source, const uint8_t id[DIGEST_UUID_LEN],
                        int64_t time_us, struct record *ret_record, struct err *err)
{
    const struct msg_command_type *row = msg_command_type(type);
    struct headers headers;
    const char *json;
    size_t len;
    assert(row->topics & 1u << topic);
    if (encode(arena, row->table, data, &json, &len, err) < 0)
        return err_wrap(err, "%s", row->name);
    headers_init(&headers, arena, HEADERS_MAX);
    add_common(&headers, row->name, id, source, time_us);
    return finish(arena, &headers, topics->names[topic], partition, key, json, len, ret_record,
                  err);
}

int msg_token_record(struct arena *arena, const struct msg_topics *topics, enum msg_topic chunks,
                     int32_t partition, const struct msg_token *token, const char *source,
                     int64_t time_us, struct record *ret_record, struct err *err)
{
    uint8_t id[DIGEST_UUID_LEN];
    msg_token_id(token, id);
    return msg_internal_record(arena, topics, chunks, partition, token->job, MSG_TOKEN, token,
                               source, id, time_us, ret_record, err);
}

int msg_dead_letter_record(struct arena *arena, const struct msg_topics *topics,
                           const struct record *original, const char *stage, const struct err *why,
                           struct record *ret_record, struct err *err)
{
    struct headers headers;
    char number[24];
    headers_init(&headers, arena, original->header_count + HEADERS_MAX);
    if (headers.items != NULL && original->header_count > 0) {
        memcpy(headers.items, original->headers,
               original->header_count * sizeof(original->headers[0]));
        headers.count = original->header_count;
    }
    add_header(&headers, "__connect.errors.topic", original->topic);
    (void)snprintf(number, sizeof(number), "%ld", (long)original->partition);
    add_header(&headers, "__connect.errors.partition", number);
    (void)snprintf(number, sizeof(number), "%lld", (long long)original->offset);
    add_header(&headers, "__connect.errors.offset", number);
    add_header(&headers, "__connect.errors.stage", stage);
    add_header(&headers, "__connect.errors.class.name", why->code);
    add_header(&headers, "__connect.errors.exception.message", why->text);
    struct record record = {.topic = arena_strdup(arena, topics->names[MSG_TOPIC_DEAD_LETTER]),
                            .partition = -1,
                            .offset = -1,
                            .key = original->key,
                            .key_len = original->key_len,
                            .value = original->value,
                            .value_len = original->value_len,
                            .headers = headers.items,
                            .header_count = headers.count};
    if (headers.nomem || record.topic == NULL)
        return err_nomem(err);
    *ret_record = record;
    return 0;
}
