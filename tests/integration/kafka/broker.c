/* SPDX-License-Identifier: Apache-2.0 */
#include "broker.h"

#include "base_time.h"
#include "test_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const char *brokers;

void broker_init(void)
{
    brokers = test_env_need("KAFKA_BROKERS");
}

void broker_name(const char *word, char out[BROKER_NAME_MAX])
{
    static int serial;
    (void)snprintf(out, BROKER_NAME_MAX, "it-kafka-%s-%d-%" PRId64 "-%d", word, (int)getpid(),
                   clock_wall(&clock_real) / TIME_US_PER_MS, serial++);
}

struct kafka_settings broker_settings(const char *group, const char *slot)
{
    return (struct kafka_settings){
        .brokers = brokers,
        .group = group,
        .slot = slot,
        .transaction_timeout_ms = 3000,
        .session_timeout_ms = 6000,
    };
}

static void must(int result, const struct err *err)
{
    if (result < 0)
        fail_msg("%s %s: %s", err_kind_name(err->kind), err->code, err->text);
}

void broker_topic(const char *topic, int32_t partitions)
{
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct kafka_topic spec = {.name = topic, .partitions = partitions, .replication = -1};
    struct kafka_pair config = {"max.message.bytes", "9437184"};
    struct kafka_admin *admin CLEANUP(kafka_admin_closep) = NULL;
    struct err err = {0};
    spec.configs = &config;
    spec.config_count = 1;
    must(kafka_admin_open(&settings, &admin, &err), &err);
    must(kafka_admin_apply_topics(admin, &spec, 1, false, NULL, NULL, &err), &err);
}

void broker_fill(const char *topic, int32_t partition, int count)
{
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct kafka_producer *producer CLEANUP(kafka_producer_dropp) = NULL;
    struct err err = {0};
    must(kafka_producer_open_plain(&settings, NULL, NULL, &producer, &err), &err);
    for (int i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", i);
        must(producer_send(producer, topic, partition, text, &err), &err);
    }
    must(kafka_producer_flush(producer, 20000, &err), &err);
}

int broker_count(const char *topic, int32_t partition)
{
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct kafka_reader *reader CLEANUP(kafka_reader_closep) = NULL;
    struct kafka_range range = {.topic = topic, .partition = partition};
    struct err err = {0};
    int64_t deadline = kafka_deadline(20000);
    int count = 0;
    must(kafka_reader_open(&settings, &reader, &err), &err);
    must(kafka_reader_bounds(reader, topic, partition, &range.start, &range.end, &err), &err);
    must(kafka_reader_assign(reader, &range, 1, &err), &err);
    while (!kafka_reader_done(reader) && kafka_deadline_left_ms(deadline) > 0) {
        struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
        int got = kafka_reader_poll(reader, 500, &message, &err);
        must(got, &err);
        count += got;
    }
    assert_true(kafka_reader_done(reader));
    return count;
}

void broker_await_count(const char *topic, int32_t partition, int count)
{
    int64_t deadline = kafka_deadline(20000);
    int found = broker_count(topic, partition);
    while (found < count && kafka_deadline_again(deadline))
        found = broker_count(topic, partition);
    assert_int_equal(found, count);
}

int64_t broker_group_offset(const char *group, const char *topic, int32_t partition)
{
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct kafka_admin *admin CLEANUP(kafka_admin_closep) = NULL;
    struct err err = {0};
    int64_t offset = -1;
    must(kafka_admin_open(&settings, &admin, &err), &err);
    must(kafka_admin_group_offset(admin, group, topic, partition, &offset, &err), &err);
    return offset;
}

static int on_assign(void *opaque, struct kafka_partition *parts, size_t n, struct err *err)
{
    struct member *member = opaque;
    (void)err;
    member->assigned_calls++;
    member->count = n;
    for (size_t i = 0; i < n; i++) {
        assert_true(i < MEMBER_PARTS_MAX);
        member->parts[i] = parts[i];
        member->parts[i].topic = NULL;
        parts[i].start = member->start >= 0        ? member->start
                         : parts[i].committed >= 0 ? parts[i].committed
                                                   : parts[i].low;
    }
    return 0;
}

static void on_revoke(void *opaque, const struct kafka_partition *parts, size_t n, bool lost)
{
    struct member *member = opaque;
    (void)parts;
    (void)lost;
    member->revoked_calls++;
    assert_int_equal(member->count, n);
    member->count = 0;
}

void member_open(struct member *member, const char *group, const char *slot, const char *topic)
{
    static const struct kafka_callbacks callbacks = {on_assign, on_revoke};
    struct kafka_settings settings = broker_settings(group, slot);
    struct err err = {0};
    *member = (struct member){.start = -1};
    must(kafka_consumer_open(&settings, &topic, 1, &callbacks, member, &member->consumer, &err),
         &err);
}

void member_close(struct member *member)
{
    kafka_consumer_close(member->consumer);
    member->consumer = NULL;
}

void member_poll(struct member *member)
{
    struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
    struct err err = {0};
    int got = kafka_consumer_poll(member->consumer, 50, &message, &err);
    must(got, &err);
    member->received += got;
}

void members_await(struct member *const *members, const size_t *counts, size_t n)
{
    int64_t deadline = kafka_deadline(30000);
    for (;;) {
        size_t ready = 0;
        for (size_t i = 0; i < n; i++) {
            member_poll(members[i]);
            ready += kafka_consumer_assigned_count(members[i]->consumer) == counts[i];
        }
        if (ready == n)
            return;
        if (kafka_deadline_left_ms(deadline) == 0)
            fail_msg("the group did not come to rest");
    }
}

struct kafka_producer *producer_open(const char *group, const char *slot, struct err *err)
{
    struct kafka_settings settings = broker_settings(group, slot);
    struct kafka_producer *producer = NULL;
    return kafka_producer_open(&settings, &producer, err) < 0 ? NULL : producer;
}

int producer_send(struct kafka_producer *producer, const char *topic, int32_t partition,
                  const char *value, struct err *err)
{
    struct record record = {
        .topic = topic, .partition = partition, .value = value, .value_len = strlen(value)};
    return kafka_producer_send(producer, &record, err);
}
