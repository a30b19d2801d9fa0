/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_consumer.h"
#include "kafka_internal.h"
#include "mock_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PARTS_MAX 8

/* What a consumer's callbacks saw and what they answer. */
struct owner {
    int assigned_calls;
    int revoked_calls;
    size_t count;
    bool lost;
    struct kafka_partition parts[PARTS_MAX];
    int64_t start; /* -1: leave it unset, -2: fail */
};

struct fixture {
    struct mock mock;
    struct kafka_settings settings;
    struct owner owner;
    struct kafka_consumer *consumer;
};

static int on_assign(void *opaque, struct kafka_partition *parts, size_t n, struct err *err)
{
    struct owner *owner = opaque;
    owner->assigned_calls++;
    owner->count = n;
    if (owner->start == -2)
        return err_set(err, ERR_FATAL, "test", "halted", "another topic");
    for (size_t i = 0; i < n; i++) {
        assert_true(i < PARTS_MAX);
        owner->parts[i] = parts[i];
        parts[i].start = owner->start;
    }
    return 0;
}

static void on_revoke(void *opaque, const struct kafka_partition *parts, size_t n, bool lost)
{
    struct owner *owner = opaque;
    (void)parts;
    owner->revoked_calls++;
    owner->count = n;
    owner->lost = lost;
}

static const struct kafka_callbacks callbacks = {on_assign, on_revoke};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    mock_open(&f->mock, 1);
    mock_topic(&f->mock, "commands", 4);
    mock_topic(&f->mock, "chunks", 2);
    f->settings = mock_settings(&f->mock, 5000);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    kafka_consumer_close(f->consumer);
    mock_close(&f->mock);
    free(f);
    return 0;
}

static void open_consumer(struct fixture *f)
{
    static const char *const topics[] = {"commands", "chunks"};
    struct err err = {0};
    if (kafka_consumer_open(&f->settings, topics, 2, &callbacks, &f->owner, &f->consumer, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
}

/* Poll until the predicate holds; any message is dropped. */
static int poll_until_assigned(struct fixture *f, struct err *err)
{
    int64_t deadline = kafka_deadline(20000);
    while (kafka_consumer_generation(f->consumer) == 0 && kafka_deadline_left_ms(deadline) > 0) {
        struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
        if (kafka_consumer_poll(f->consumer, 100, &message, err) < 0)
            return -1;
    }
    return kafka_consumer_generation(f->consumer) > 0 ? 0 : -1;
}

/* 1 and a message, or 0 when none came within ten seconds. */
static int next_message(struct fixture *f, struct kafka_message **ret, struct err *err)
{
    int64_t deadline = kafka_deadline(10000);
    int result = 0;
    while (result == 0 && kafka_deadline_left_ms(deadline) > 0)
        result = kafka_consumer_poll(f->consumer, 100, ret, err);
    return result;
}

static void an_assignment_is_sorted_and_complete(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    mock_fill(&f->mock, "commands", 2, 5);
    open_consumer(f);
    assert_int_equal(kafka_consumer_generation(f->consumer), 0);
    assert_int_equal(kafka_consumer_assigned_count(f->consumer), 0);
    assert_int_equal(poll_until_assigned(f, &err), 0);
    assert_int_equal(f->owner.assigned_calls, 1);
    assert_int_equal(f->owner.count, 6);
    for (int i = 0; i < 6; i++) {
        const struct kafka_partition *part = &f->owner.parts[i];
        assert_int_equal(part->partition, i < 2 ? i : i - 2);
        assert_int_equal(part->committed, -1);
        assert_int_equal(part->start, -1);
        assert_int_equal(part->low, 0);
        assert_int_equal(part->high, i == 4 ? 5 : 0);
    }
    assert_int_equal(kafka_consumer_generation(f->consumer), 1);
    assert_int_equal(kafka_consumer_assigned_count(f->consumer), 6);
    assert_true(kafka_consumer_is_assigned(f->consumer, "commands", 3));
    assert_true(kafka_consumer_is_assigned(f->consumer, "chunks", 1));
    assert_false(kafka_consumer_is_assigned(f->consumer, "chunks", 2));
    assert_false(kafka_consumer_is_assigned(f->consumer, "other", 0));
}

static void reading_begins_where_the_owner_says(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int64_t low = -1;
    int64_t high = -1;
    mock_fill(&f->mock, "commands", 1, 5);
    for (int32_t i = 0; i < 4; i++) {
        if (i != 1)
            mock_fill(&f->mock, "commands", i, 3);
    }
    mock_fill(&f->mock, "chunks", 0, 3);
    mock_fill(&f->mock, "chunks", 1, 3);
    f->owner.start = 3; /* of the others this is the end */
    open_consumer(f);
    for (int64_t offset = 3; offset < 5; offset++) {
        struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
        assert_int_equal(next_message(f, &message, &err), 1);
        const struct record *record = kafka_message_record(message);
        assert_string_equal(record->topic, "commands");
        assert_int_equal(record->partition, 1);
        assert_int_equal(record->offset, offset);
        assert_int_equal(record->value_len, 1);
        assert_int_equal(*(const char *)record->value, '0' + offset);
        assert_null(record->key);
        assert_int_equal(record->header_count, 0);
        assert_true(record->time_us > INT64_C(1600000000000000));
    }
    assert_int_equal(kafka_consumer_cached_range(f->consumer, "commands", 1, &low, &high), 1);
    assert_int_equal(high, 5);
    assert_int_equal(kafka_consumer_cached_range(f->consumer, "other", 1, &low, &high), 0);
}

static void the_owners_refusal_comes_out_of_poll_and_stays(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message = NULL;
    struct err err = {0};
    f->owner.start = -2;
    open_consumer(f);
    assert_int_equal(poll_until_assigned(f, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "halted");
    assert_int_equal(kafka_consumer_assigned_count(f->consumer), 0);
    err_clear(&err);
    assert_int_equal(kafka_consumer_poll(f->consumer, 0, &message, &err), -1);
    assert_string_equal(err.code, "halted");
    assert_null(message);
}

static void a_forgotten_start_is_our_own_mistake(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    f->owner.start = -1;
    open_consumer(f);
    assert_int_equal(poll_until_assigned(f, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    assert_string_equal(err.code, "no_start");
}

static void offsets_of_an_open_transaction_are_waited_for(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    rd_kafka_mock_push_request_errors(
        f->mock.cluster, MOCK_OFFSET_FETCH, 6, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT);
    open_consumer(f);
    assert_int_equal(poll_until_assigned(f, &err), 0);
    assert_int_equal(f->owner.count, 6);
}

static void group_offsets_that_cannot_be_read_mean_start_over(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_OFFSET_FETCH, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    open_consumer(f);
    assert_int_equal(poll_until_assigned(f, &err), -1);
    /* Start-up will find out whether it lasts. */
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "GROUP_AUTHORIZATION_FAILED");
    assert_int_equal(f->owner.assigned_calls, 0);
}

static void unreadable_bounds_end_in_time(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    f->settings.call_timeout_ms = 500;
    open_consumer(f);
    for (int i = 0; i < 50; i++)
        rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_LIST_OFFSETS, 1,
                                          RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    assert_int_equal(poll_until_assigned(f, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_int_equal(f->owner.assigned_calls, 0);
}

static void a_fenced_member_starts_over(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message = NULL;
    struct err err = {0};
    open_consumer(f);
    assert_int_equal(poll_until_assigned(f, &err), 0);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    assert_int_equal(next_message(f, &message, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "FENCED_INSTANCE_ID");
}

static void a_lost_membership_revokes_and_assigns_anew(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int64_t deadline = kafka_deadline(20000);
    open_consumer(f);
    assert_int_equal(poll_until_assigned(f, &err), 0);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_HEARTBEAT, 1,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    while (kafka_consumer_generation(f->consumer) < 3 && kafka_deadline_left_ms(deadline) > 0) {
        struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
        assert_int_not_equal(kafka_consumer_poll(f->consumer, 100, &message, &err), -1);
        if (f->owner.revoked_calls == 1 && f->owner.assigned_calls == 1) {
            assert_true(f->owner.lost);
            assert_int_equal(kafka_consumer_generation(f->consumer), 2);
            assert_int_equal(kafka_consumer_assigned_count(f->consumer), 0);
            assert_false(kafka_consumer_is_assigned(f->consumer, "commands", 0));
        }
    }
    assert_int_equal(kafka_consumer_generation(f->consumer), 3);
    assert_int_equal(f->owner.revoked_calls, 1);
    assert_int_equal(f->owner.assigned_calls, 2);
    assert_int_equal(kafka_consumer_assigned_count(f->consumer), 6);
}

static void an_offset_beyond_the_log_is_told(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message = NULL;
    struct err err = {0};
    mock_fill(&f->mock, "commands", 0, 2);
    f->owner.start = 1000;
    open_consumer(f);
    assert_int_equal(next_message(f, &message, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_true(strcmp(err.code, "_AUTO_OFFSET_RESET") == 0 ||
                strcmp(err.code, "OFFSET_OUT_OF_RANGE") == 0);
}

static void an_unknown_topic_is_fatal_at_the_start(void **state)
{
    static const char *const topics[] = {"commands", "nowhere"};
    struct fixture *f = *state;
    struct err err = {0};
    f->settings.call_timeout_ms = 300;
    rd_kafka_mock_topic_set_error(f->mock.cluster, "nowhere",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(
        kafka_consumer_open(&f->settings, topics, 2, &callbacks, &f->owner, &f->consumer, &err),
        -1);
    assert_null(f->consumer);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "UNKNOWN_TOPIC_OR_PART");
    assert_non_null(strstr(err.text, "nowhere"));
}

static void a_topic_that_appears_in_time_is_waited_for(void **state)
{
    static const char *const topics[] = {"commands"};
    struct fixture *f = *state;
    struct err err = {0};
    for (int i = 0; i < 3; i++)
        rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_METADATA, 1,
                                          RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    assert_int_equal(
        kafka_consumer_open(&f->settings, topics, 1, &callbacks, &f->owner, &f->consumer, &err), 0);
}

static void opening_without_a_broker_ends_in_time(void **state)
{
    static const char *const topics[] = {"commands"};
    struct fixture *f = *state;
    struct err err = {0};
    int64_t deadline = kafka_deadline(3000);
    f->settings.brokers = "127.0.0.1:1";
    f->settings.call_timeout_ms = 300;
    assert_int_equal(
        kafka_consumer_open(&f->settings, topics, 1, &callbacks, &f->owner, &f->consumer, &err),
        -1);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
    assert_int_equal(err.kind, ERR_TRANSIENT);
}

static void a_dynamic_member_leaves_quickly_and_silently(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    f->settings.slot = NULL;
    open_consumer(f);
    assert_int_equal(poll_until_assigned(f, &err), 0);
    int64_t deadline = kafka_deadline(3000);
    kafka_consumer_close(f->consumer);
    f->consumer = NULL;
    assert_true(kafka_deadline_left_ms(deadline) > 0);
    assert_int_equal(f->owner.revoked_calls, 0);
}

static void log_line(void *opaque, int level, const char *facility, const char *text)
{
    int *lines = opaque;
    assert_true(level >= 0 && level <= 7);
    assert_non_null(facility);
    assert_non_null(text);
    __atomic_add_fetch(lines, 1, __ATOMIC_RELAXED);
}

static void the_librarys_lines_reach_the_log(void **state)
{
    static const char *const topics[] = {"commands"};
    struct fixture *f = *state;
    int lines = 0;
    f->settings.brokers = "127.0.0.1:1";
    f->settings.call_timeout_ms = 300;
    f->settings.log = log_line;
    f->settings.log_opaque = &lines;
    assert_int_equal(
        kafka_consumer_open(&f->settings, topics, 1, &callbacks, &f->owner, &f->consumer, NULL),
        -1);
    assert_true(__atomic_load_n(&lines, __ATOMIC_RELAXED) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_assignment_is_sorted_and_complete),
        TEST(reading_begins_where_the_owner_says),
        TEST(the_owners_refusal_comes_out_of_poll_and_stays),
        TEST(a_forgotten_start_is_our_own_mistake),
        TEST(offsets_of_an_open_transaction_are_waited_for),
        TEST(group_offsets_that_cannot_be_read_mean_start_over),
        TEST(unreadable_bounds_end_in_time),
        TEST(a_fenced_member_starts_over),
        TEST(a_lost_membership_revokes_and_assigns_anew),
        TEST(an_offset_beyond_the_log_is_told),
        TEST(an_unknown_topic_is_fatal_at_the_start),
        TEST(a_topic_that_appears_in_time_is_waited_for),
        TEST(opening_without_a_broker_ends_in_time),
        TEST(a_dynamic_member_leaves_quickly_and_silently),
        TEST(the_librarys_lines_reach_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
