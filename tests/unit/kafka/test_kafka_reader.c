/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_internal.h"
#include "kafka_reader.h"
#include "mock_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct mock mock;
    struct kafka_settings settings;
    struct kafka_reader *reader;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};
    mock_open(&f->mock, 1);
    mock_topic(&f->mock, "events", 3);
    mock_fill(&f->mock, "events", 0, 5);
    mock_fill(&f->mock, "events", 1, 3);
    f->settings = mock_settings(&f->mock, 5000);
    assert_int_equal(kafka_reader_open(&f->settings, &f->reader, &err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    kafka_reader_close(f->reader);
    mock_close(&f->mock);
    free(f);
    return 0;
}

/* Read until done; the number of records, and their offsets added up. */
static int read_all(struct fixture *f, int64_t *ret_sum)
{
    int64_t deadline = kafka_deadline(10000);
    int count = 0;
    int64_t sum = 0;
    while (!kafka_reader_done(f->reader) && kafka_deadline_left_ms(deadline) > 0) {
        struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
        struct err err = {0};
        int got = kafka_reader_poll(f->reader, 200, &message, &err);
        if (got < 0)
            fail_msg("%s", err.text);
        count += got;
        sum += got ? kafka_message_record(message)->offset : 0;
    }
    assert_true(kafka_reader_done(f->reader));
    *ret_sum = sum;
    return count;
}

static void partitions_and_bounds_are_told(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int32_t count = 0;
    int64_t low = -1;
    int64_t high = -1;
    assert_int_equal(kafka_reader_partitions(f->reader, "events", &count, &err), 1);
    assert_int_equal(count, 3);
    assert_int_equal(kafka_reader_bounds(f->reader, "events", 0, &low, &high, &err), 0);
    assert_int_equal(low, 0);
    assert_int_equal(high, 5);
    assert_int_equal(kafka_reader_bounds(f->reader, "events", 2, &low, &high, &err), 0);
    assert_int_equal(high, 0);
}

static void an_unknown_topic_has_no_partitions(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int32_t count = 7;
    rd_kafka_mock_topic_set_error(f->mock.cluster, "nowhere",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(kafka_reader_partitions(f->reader, "nowhere", &count, &err), 0);
    assert_int_equal(count, 7);
}

static void ranges_are_read_to_their_ends_and_no_further(void **state)
{
    struct fixture *f = *state;
    const struct kafka_range ranges[] = {
        {"events", 0, 1, 4},
        {"events", 1, 0, 3},
        {"events", 2, 0, 0},
    };
    int64_t sum = 0;
    assert_int_equal(kafka_reader_assign(f->reader, ranges, 3, NULL), 0);
    assert_int_equal(read_all(f, &sum), 6);
    assert_int_equal(sum, 1 + 2 + 3 + 0 + 1 + 2);
}

static void a_range_of_one_and_a_second_assignment_work(void **state)
{
    struct fixture *f = *state;
    const struct kafka_range one[] = {{"events", 0, 4, 5}};
    const struct kafka_range all[] = {{"events", 0, 0, 5}};
    int64_t sum = 0;
    assert_int_equal(kafka_reader_assign(f->reader, one, 1, NULL), 0);
    assert_int_equal(read_all(f, &sum), 1);
    assert_int_equal(sum, 4);
    assert_int_equal(kafka_reader_assign(f->reader, all, 1, NULL), 0);
    assert_int_equal(read_all(f, &sum), 5);
    assert_int_equal(sum, 10);
}

static void nothing_to_read_is_done_at_once(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message = NULL;
    const struct kafka_range empty[] = {{"events", 0, 3, 3}};
    assert_true(kafka_reader_done(f->reader));
    assert_int_equal(kafka_reader_assign(f->reader, empty, 1, NULL), 0);
    assert_true(kafka_reader_done(f->reader));
    assert_int_equal(kafka_reader_poll(f->reader, 10000, &message, NULL), 0);
    assert_int_equal(kafka_reader_assign(f->reader, NULL, 0, NULL), 0);
    assert_true(kafka_reader_done(f->reader));
}

static void reading_on_sees_what_comes_later_and_is_never_done(void **state)
{
    struct fixture *f = *state;
    const struct kafka_range range[] = {{"events", 1, 2, KAFKA_READ_ON}};
    int64_t deadline = kafka_deadline(10000);
    int64_t last = -1;
    assert_int_equal(kafka_reader_assign(f->reader, range, 1, NULL), 0);
    mock_fill(&f->mock, "events", 1, 2);
    while (last < 4 && kafka_deadline_left_ms(deadline) > 0) {
        struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
        assert_int_not_equal(kafka_reader_poll(f->reader, 200, &message, NULL), -1);
        if (message)
            last = kafka_message_record(message)->offset;
        assert_false(kafka_reader_done(f->reader));
    }
    assert_int_equal(last, 4);
}

static void a_single_record_is_fetched_by_its_offset(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message = NULL;
    struct err err = {0};
    assert_int_equal(kafka_reader_fetch_one(f->reader, "events", 0, 3, &message, &err), 1);
    assert_int_equal(kafka_message_record(message)->offset, 3);
    assert_memory_equal(kafka_message_record(message)->value, "3", 1);
    kafka_message_free(message);
    message = NULL;
    assert_int_equal(kafka_reader_fetch_one(f->reader, "events", 0, 5, &message, &err), 0);
    assert_int_equal(kafka_reader_fetch_one(f->reader, "events", 2, 0, &message, &err), 0);
    assert_null(message);
}

static void an_unknown_partition_is_fatal(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int64_t low = -1;
    int64_t high = -1;
    assert_int_equal(kafka_reader_bounds(f->reader, "events", 99, &low, &high, &err), -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_int_equal(low, -1);
}

static void a_silent_broker_ends_a_question_in_time(void **state)
{
    struct fixture *f = *state;
    struct kafka_settings settings = f->settings;
    struct kafka_reader *reader CLEANUP(kafka_reader_closep) = NULL;
    struct err err = {0};
    int32_t count = 0;
    settings.call_timeout_ms = 400;
    settings.brokers = "127.0.0.1:1";
    assert_int_equal(kafka_reader_open(&settings, &reader, &err), 0);
    int64_t deadline = kafka_deadline(3000);
    assert_int_equal(kafka_reader_partitions(reader, "events", &count, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
}

static void record_times_are_within_the_years_we_accept(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
    struct err err = {0};
    assert_int_equal(kafka_reader_fetch_one(f->reader, "events", 0, 0, &message, &err), 1);
    int64_t time_us = kafka_message_record(message)->time_us;
    assert_true(time_us > INT64_C(1600000000000000) && time_us < INT64_C(9000000000000000));
    assert_int_equal(time_us % 1000, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(partitions_and_bounds_are_told),
        TEST(an_unknown_topic_has_no_partitions),
        TEST(ranges_are_read_to_their_ends_and_no_further),
        TEST(a_range_of_one_and_a_second_assignment_work),
        TEST(nothing_to_read_is_done_at_once),
        TEST(reading_on_sees_what_comes_later_and_is_never_done),
        TEST(a_single_record_is_fetched_by_its_offset),
        TEST(an_unknown_partition_is_fatal),
        TEST(a_silent_broker_ends_a_question_in_time),
        TEST(record_times_are_within_the_years_we_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
