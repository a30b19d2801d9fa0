/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_consumer.h"
#include "kafka_internal.h"
#include "kafka_producer.h"
#include "mock_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct mock mock;
    struct kafka_settings settings;
    struct kafka_producer *producer;
    struct kafka_consumer *consumer; /* lends its group metadata */
    struct kafka_group *group;
};

static int no_assignment(void *opaque, struct kafka_partition *parts, size_t n, struct err *err)
{
    (void)opaque;
    (void)err;
    for (size_t i = 0; i < n; i++)
        parts[i].start = 0;
    return 0;
}

static void no_revocation(void *opaque, const struct kafka_partition *parts, size_t n, bool lost)
{
    (void)opaque;
    (void)parts;
    (void)n;
    (void)lost;
}

static int setup(void **state)
{
    static const char *const topics[] = {"commands"};
    static const struct kafka_callbacks callbacks = {no_assignment, no_revocation};
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};
    mock_open(&f->mock, 1);
    mock_topic(&f->mock, "commands", 1);
    mock_topic(&f->mock, "events", 1);
    f->settings = mock_settings(&f->mock, 5000);
    assert_int_equal(
        kafka_consumer_open(&f->settings, topics, 1, &callbacks, NULL, &f->consumer, &err), 0);
    f->group = kafka_consumer_group_metadata(f->consumer);
    assert_non_null(f->group);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    kafka_producer_drop(f->producer);
    kafka_group_free(f->group);
    kafka_consumer_close(f->consumer);
    mock_close(&f->mock);
    free(f);
    return 0;
}

static void open_producer(struct fixture *f)
{
    struct err err = {0};
    if (kafka_producer_open(&f->settings, &f->producer, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
}

static void begin_and_send(struct fixture *f)
{
    struct record record = {
        .topic = "events", .partition = -1, .key = "k", .key_len = 1, .value = "v", .value_len = 1};
    struct err err = {0};
    if (kafka_producer_begin(f->producer, &err) < 0 ||
        kafka_producer_send(f->producer, &record, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
}

static int send_offset(struct fixture *f, int64_t next, struct err *err)
{
    struct kafka_offset offset = {.topic = "commands", .partition = 0, .next = next};
    return kafka_producer_send_offsets(f->producer, f->group, &offset, 1, err);
}

static void a_transaction_commits_with_offsets(void **state)
{
    struct fixture *f = *state;
    struct kafka_producer_counts counts;
    struct err err = {0};
    open_producer(f);
    for (int64_t round = 1; round <= 3; round++) {
        begin_and_send(f);
        assert_int_equal(send_offset(f, round, &err), 0);
        assert_int_equal(kafka_producer_commit(f->producer, &err), 0);
    }
    kafka_producer_counts(f->producer, &counts);
    assert_int_equal(counts.sent, 3);
    assert_int_equal(counts.delivered, 3);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.bytes, 6);
}

static void an_aborted_transaction_can_be_followed_by_another(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    open_producer(f);
    begin_and_send(f);
    assert_int_equal(kafka_producer_abort(f->producer, &err), 0);
    begin_and_send(f);
    assert_int_equal(kafka_producer_commit(f->producer, &err), 0);
}

static void an_empty_transaction_commits(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    open_producer(f);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(kafka_producer_send_offsets(f->producer, f->group, NULL, 0, &err), 0);
    assert_int_equal(kafka_producer_commit(f->producer, &err), 0);
}

static void a_moving_coordinator_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    rd_kafka_mock_push_request_errors(
        f->mock.cluster, MOCK_INIT_PRODUCER_ID, 3, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    open_producer(f);
    begin_and_send(f);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_ADD_OFFSETS, 1,
                                      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_TXN_OFFSET_COMMIT, 2,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
    assert_int_equal(send_offset(f, 1, &err), 0);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_END_TXN, 2,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    assert_int_equal(kafka_producer_commit(f->producer, &err), 0);
}

static void concurrent_transactions_at_the_start_are_waited_for(void **state)
{
    struct fixture *f = *state;
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_INIT_PRODUCER_ID, 2,
                                      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
                                      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
    open_producer(f);
    begin_and_send(f);
    assert_int_equal(kafka_producer_commit(f->producer, NULL), 0);
}

/* The producer stays useless: whatever is called next fails at once. */
static void assert_dead(struct fixture *f)
{
    struct err err = {0};
    assert_int_equal(kafka_producer_begin(f->producer, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_int_equal(kafka_producer_commit(f->producer, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
}

static void being_fenced_at_the_commit_means_start_over(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    open_producer(f);
    begin_and_send(f);
    assert_int_equal(send_offset(f, 1, &err), 0);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    assert_int_equal(kafka_producer_commit(f->producer, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.domain, "kafka");
    assert_true(strstr(err.code, "FENCED") != NULL);
    assert_dead(f);
}

static void being_fenced_while_sending_offsets_means_start_over(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    open_producer(f);
    begin_and_send(f);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_ADD_OFFSETS, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    assert_int_equal(send_offset(f, 1, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_true(strstr(err.code, "FENCED") || strcmp(err.code, "INVALID_PRODUCER_EPOCH") == 0);
}

static void an_outdated_membership_is_told_and_not_retried(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    open_producer(f);
    begin_and_send(f);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    assert_int_equal(send_offset(f, 1, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "ILLEGAL_GENERATION");
}

static void an_invalid_transaction_state_means_start_over(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    open_producer(f);
    begin_and_send(f);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_TXN_STATE);
    assert_int_equal(kafka_producer_commit(f->producer, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "INVALID_TXN_STATE");
    assert_dead(f);
}

static void not_being_authorized_is_fatal(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_INIT_PRODUCER_ID, 1,
                                      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    assert_int_equal(kafka_producer_open(&f->settings, &f->producer, &err), -1);
    assert_null(f->producer);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "TRANSACTIONAL_ID_AUTHORIZATION_"); /* cut to fit */
}

static void an_undelivered_record_fails_the_commit(void **state)
{
    struct fixture *f = *state;
    struct kafka_producer_counts counts;
    struct err err = {0};
    open_producer(f);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    begin_and_send(f);
    assert_int_equal(kafka_producer_commit(f->producer, &err), -1);
    assert_string_equal(err.code, "MSG_SIZE_TOO_LARGE");
    kafka_producer_counts(f->producer, &counts);
    assert_int_equal(counts.delivered, 0);
    assert_int_equal(counts.failed, 1);
}

static void a_missing_topic_is_a_reason_to_start_over(void **state)
{
    struct fixture *f = *state;
    struct record record = {.topic = "events", .partition = 0, .value = "v", .value_len = 1};
    struct err err = {0};
    open_producer(f);
    rd_kafka_mock_topic_set_error(f->mock.cluster, "events",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(kafka_producer_send(f->producer, &record, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "UNKNOWN_TOPIC_OR_PART");
}

static void a_partition_beyond_the_last_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    struct record record = {.topic = "events", .partition = 1, .value = "v", .value_len = 1};
    struct err err = {0};
    open_producer(f);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(kafka_producer_send(f->producer, &record, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "_UNKNOWN_PARTITION");
}

static void the_first_record_does_not_wait_for_a_timer(void **state)
{
    struct fixture *f = *state;
    open_producer(f);
    int64_t deadline = kafka_deadline(700);
    begin_and_send(f);
    assert_int_equal(kafka_producer_commit(f->producer, NULL), 0);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
}

static void a_plain_producer_has_no_use_for_a_missing_topic(void **state)
{
    struct fixture *f = *state;
    struct record record = {.topic = "events", .partition = 0, .value = "v", .value_len = 1};
    struct err err = {0};
    assert_int_equal(kafka_producer_open_plain(&f->settings, NULL, NULL, &f->producer, &err), 0);
    rd_kafka_mock_topic_set_error(f->mock.cluster, "events",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(kafka_producer_send(f->producer, &record, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
}

static void opening_without_a_broker_ends_in_time(void **state)
{
    struct fixture *f = *state;
    struct kafka_settings settings = f->settings;
    struct err err = {0};
    settings.call_timeout_ms = 300;
    settings.brokers = "127.0.0.1:1";
    int64_t deadline = kafka_deadline(3000);
    assert_int_equal(kafka_producer_open(&settings, &f->producer, &err), -1);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
    assert_int_equal(err.kind, ERR_TRANSIENT);
}

static void a_commit_without_an_answer_ends_in_time(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    f->settings.call_timeout_ms = 1000;
    open_producer(f);
    begin_and_send(f);
    assert_int_equal(kafka_producer_flush(f->producer, 5000, &err), 0);
    rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 20000);
    int64_t deadline = kafka_deadline(5000);
    assert_int_equal(kafka_producer_commit(f->producer, &err), -1);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "_TIMED_OUT");
    /* Neither does dropping it wait for anybody. */
    kafka_producer_drop(f->producer);
    f->producer = NULL;
    assert_true(kafka_deadline_left_ms(deadline) > 0);
    rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 0);
}

static void offsets_without_an_answer_end_with_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    f->settings.transaction_timeout_ms = 1500;
    f->settings.call_timeout_ms = 60000;
    open_producer(f);
    begin_and_send(f);
    assert_int_equal(kafka_producer_flush(f->producer, 5000, &err), 0);
    rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 20000);
    int64_t deadline = kafka_deadline(6000);
    assert_int_equal(send_offset(f, 1, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
    rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 0);
}

static void a_full_queue_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct kafka_pair small[] = {{"queue.buffering.max.messages", "10"}};
    struct kafka_producer_counts counts;
    struct err err = {0};
    f->settings.properties = small;
    f->settings.property_count = 1;
    open_producer(f);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    for (int i = 0; i < 500; i++) {
        struct record record = {.topic = "events", .partition = 0, .value = "v", .value_len = 1};
        assert_int_equal(kafka_producer_send(f->producer, &record, &err), 0);
    }
    assert_int_equal(kafka_producer_commit(f->producer, &err), 0);
    kafka_producer_counts(f->producer, &counts);
    assert_int_equal(counts.delivered, 500);
}

static void a_queue_that_stays_full_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct kafka_pair small[] = {{"queue.buffering.max.messages", "10"}};
    struct record record = {.topic = "events", .partition = 0, .value = "v", .value_len = 1};
    struct err err = {0};
    int sent = 0;
    f->settings.properties = small;
    f->settings.property_count = 1;
    f->settings.call_timeout_ms = 1000;
    open_producer(f);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 20000);
    while (sent < 100 && kafka_producer_send(f->producer, &record, &err) == 0)
        sent++;
    assert_int_equal(sent, 10);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "_QUEUE_FULL");
    rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 0);
}

static void a_record_beyond_the_limit_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    void *huge = calloc(1, KAFKA_MESSAGE_MAX_BYTES + 1);
    struct record record = {
        .topic = "events", .partition = 0, .value = huge, .value_len = KAFKA_MESSAGE_MAX_BYTES + 1};
    struct record_header header = {.name = "h", .value = "1", .len = 1};
    record.headers = &header;
    record.header_count = 1;
    open_producer(f);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(kafka_producer_send(f->producer, &record, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "MSG_SIZE_TOO_LARGE");
    free(huge);
}

/* The plain producer. */

struct delivery {
    int calls;
    void *tag;
    int32_t partition;
    int64_t offset;
    struct err err;
};

static void on_delivered(void *opaque, void *tag, int32_t partition, int64_t offset,
                         const struct err *err)
{
    struct delivery *delivery = opaque;
    delivery->calls++;
    delivery->tag = tag;
    delivery->partition = partition;
    delivery->offset = offset;
    if (err)
        delivery->err = *err;
}

static void a_plain_producer_tells_where_each_record_is(void **state)
{
    struct fixture *f = *state;
    struct delivery delivery = {0};
    struct err err = {0};
    int tags[3];
    assert_int_equal(
        kafka_producer_open_plain(&f->settings, on_delivered, &delivery, &f->producer, &err), 0);
    for (int i = 0; i < 3; i++) {
        struct record record = {.topic = "events", .partition = 0, .value = "v", .value_len = 1};
        assert_int_equal(kafka_producer_send_tagged(f->producer, &record, &tags[i], &err), 0);
        assert_int_equal(kafka_producer_flush(f->producer, 5000, &err), 0);
        assert_int_equal(delivery.calls, i + 1);
        assert_ptr_equal(delivery.tag, &tags[i]);
        assert_int_equal(delivery.partition, 0);
        assert_int_equal(delivery.offset, i);
        assert_int_equal(delivery.err.kind, ERR_NONE);
    }
}

static void a_plain_producer_tells_what_was_not_delivered(void **state)
{
    struct fixture *f = *state;
    struct delivery delivery = {0};
    struct err err = {0};
    struct record record = {.topic = "events", .partition = 0, .value = "v", .value_len = 1};
    assert_int_equal(
        kafka_producer_open_plain(&f->settings, on_delivered, &delivery, &f->producer, &err), 0);
    rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(kafka_producer_send_tagged(f->producer, &record, f, &err), 0);
    assert_int_equal(kafka_producer_flush(f->producer, 5000, &err), 0);
    assert_int_equal(delivery.calls, 1);
    assert_ptr_equal(delivery.tag, f);
    assert_int_equal(delivery.partition, -1);
    assert_int_equal(delivery.offset, -1);
    assert_int_equal(delivery.err.kind, ERR_FATAL);
    assert_string_equal(delivery.err.code, "TOPIC_AUTHORIZATION_FAILED");
}

static void dropping_tells_of_records_that_were_still_open(void **state)
{
    struct fixture *f = *state;
    struct delivery delivery = {0};
    struct err err = {0};
    struct record record = {.topic = "events", .partition = 0, .value = "v", .value_len = 1};
    f->settings.brokers = "127.0.0.1:1";
    assert_int_equal(
        kafka_producer_open_plain(&f->settings, on_delivered, &delivery, &f->producer, &err), 0);
    assert_int_equal(kafka_producer_send_tagged(f->producer, &record, f, &err), 0);
    assert_int_equal(kafka_producer_flush(f->producer, 50, &err), -1);
    assert_string_equal(err.code, "_TIMED_OUT");
    assert_int_equal(delivery.calls, 0);
    kafka_producer_drop(f->producer);
    f->producer = NULL;
    assert_int_equal(delivery.calls, 1);
    assert_int_equal(delivery.err.kind, ERR_TRANSIENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_transaction_commits_with_offsets),
        TEST(an_aborted_transaction_can_be_followed_by_another),
        TEST(an_empty_transaction_commits),
        TEST(a_moving_coordinator_is_waited_for),
        TEST(concurrent_transactions_at_the_start_are_waited_for),
        TEST(being_fenced_at_the_commit_means_start_over),
        TEST(being_fenced_while_sending_offsets_means_start_over),
        TEST(an_outdated_membership_is_told_and_not_retried),
        TEST(an_invalid_transaction_state_means_start_over),
        TEST(not_being_authorized_is_fatal),
        TEST(an_undelivered_record_fails_the_commit),
        TEST(a_missing_topic_is_a_reason_to_start_over),
        TEST(a_partition_beyond_the_last_is_refused_at_once),
        TEST(the_first_record_does_not_wait_for_a_timer),
        TEST(a_plain_producer_has_no_use_for_a_missing_topic),
        TEST(opening_without_a_broker_ends_in_time),
        TEST(a_commit_without_an_answer_ends_in_time),
        TEST(offsets_without_an_answer_end_with_the_transaction),
        TEST(a_full_queue_is_waited_for),
        TEST(a_queue_that_stays_full_is_given_up),
        TEST(a_record_beyond_the_limit_is_refused_at_once),
        TEST(a_plain_producer_tells_where_each_record_is),
        TEST(a_plain_producer_tells_what_was_not_delivered),
        TEST(dropping_tells_of_records_that_were_still_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
