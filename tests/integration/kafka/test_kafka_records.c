/* SPDX-License-Identifier: Apache-2.0
 *
 * Transactions and what records look like after a real broker had them.
 */
#include "broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    char topic[BROKER_NAME_MAX];
    char group[BROKER_NAME_MAX];
    struct kafka_producer *producer;
    struct kafka_producer *rival;
    struct kafka_reader *reader;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct err err = {0};
    broker_name("group", f->group);
    broker_name("topic", f->topic);
    broker_topic(f->topic, 4);
    assert_int_equal(kafka_reader_open(&settings, &f->reader, &err), 0);
    f->producer = producer_open(f->group, "a", &err);
    if (!f->producer)
        fail_msg("%s: %s", err.code, err.text);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    kafka_producer_drop(f->producer);
    kafka_producer_drop(f->rival);
    kafka_reader_close(f->reader);
    free(f);
    return 0;
}

static void begin(struct fixture *f)
{
    struct err err = {0};
    if (kafka_producer_begin(f->producer, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
}

static void send_some(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(producer_send(f->producer, f->topic, 0, "v", NULL), 0);
}

static void commit(struct fixture *f)
{
    struct err err = {0};
    if (kafka_producer_commit(f->producer, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
}

/* Write one record in a transaction and read it back. */
static struct kafka_message *there_and_back(struct fixture *f, struct record *record)
{
    struct kafka_message *message = NULL;
    struct err err = {0};
    int64_t low = -1;
    int64_t high = -1;
    assert_int_equal(kafka_reader_bounds(f->reader, f->topic, 0, &low, &high, &err), 0);
    record->topic = f->topic;
    record->partition = 0;
    begin(f);
    if (kafka_producer_send(f->producer, record, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
    commit(f);
    int64_t deadline = kafka_deadline(20000);
    int found = 0;
    do {
        found = kafka_reader_fetch_one(f->reader, f->topic, 0, high, &message, &err);
    } while (found == 0 && kafka_deadline_again(deadline));
    if (found != 1)
        fail_msg("not there: %s", err.text);
    return message;
}

static void aborted_records_are_never_seen(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    begin(f);
    send_some(f, 3);
    assert_int_equal(kafka_producer_flush(f->producer, 10000, &err), 0);
    assert_int_equal(kafka_producer_abort(f->producer, &err), 0);
    assert_int_equal(broker_count(f->topic, 0), 0);
    begin(f);
    send_some(f, 2);
    commit(f);
    begin(f);
    send_some(f, 1);
    assert_int_equal(kafka_producer_flush(f->producer, 10000, &err), 0);
    assert_int_equal(kafka_producer_abort(f->producer, &err), 0);
    assert_int_equal(broker_count(f->topic, 0), 2);
}

static void an_aborted_record_cannot_be_fetched_by_its_offset(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message = NULL;
    struct err err = {0};
    begin(f);
    send_some(f, 2);
    assert_int_equal(kafka_producer_flush(f->producer, 10000, &err), 0);
    assert_int_equal(kafka_producer_abort(f->producer, &err), 0);
    begin(f);
    send_some(f, 1);
    commit(f);
    broker_await_count(f->topic, 0, 1);
    /* Two aborted, their marker, one record, its marker. */
    for (int64_t offset = 0; offset < 6; offset++) {
        int found = kafka_reader_fetch_one(f->reader, f->topic, 0, offset, &message, &err);
        assert_int_equal(found, offset == 3);
        kafka_message_free(message);
        message = NULL;
    }
}

static void open_transactions_hide_what_follows_them_from_readers_only(void **state)
{
    struct fixture *f = *state;
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct kafka_admin *admin CLEANUP(kafka_admin_closep) = NULL;
    struct err err = {0};
    int64_t low = -1;
    int64_t high = -1;
    begin(f);
    send_some(f, 3);
    assert_int_equal(kafka_producer_flush(f->producer, 10000, &err), 0);
    assert_int_equal(kafka_reader_bounds(f->reader, f->topic, 0, &low, &high, &err), 0);
    assert_int_equal(high, 0);
    assert_int_equal(kafka_admin_open(&settings, &admin, &err), 0);
    assert_int_equal(kafka_admin_bounds(admin, f->topic, 0, &low, &high, &err), 0);
    assert_int_equal(high, 3);
    assert_int_equal(low, 0);
    commit(f);
    broker_await_count(f->topic, 0, 3);
    assert_int_equal(kafka_reader_bounds(f->reader, f->topic, 0, &low, &high, &err), 0);
    assert_int_equal(high, 4); /* with the marker */
}

static void a_second_producer_fences_the_first(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    begin(f);
    send_some(f, 2);
    assert_int_equal(kafka_producer_flush(f->producer, 10000, &err), 0);
    f->rival = producer_open(f->group, "a", &err);
    assert_non_null(f->rival);
    (void)producer_send(f->producer, f->topic, 0, "v", &err);
    assert_int_equal(kafka_producer_commit(f->producer, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_int_equal(kafka_producer_begin(f->producer, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_int_equal(broker_count(f->topic, 0), 0);
    assert_int_equal(kafka_producer_begin(f->rival, &err), 0);
    assert_int_equal(producer_send(f->rival, f->topic, 0, "v", &err), 0);
    assert_int_equal(kafka_producer_commit(f->rival, &err), 0);
    broker_await_count(f->topic, 0, 1);
}

static void another_slot_fences_nobody(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    begin(f);
    send_some(f, 1);
    f->rival = producer_open(f->group, "b", &err);
    assert_non_null(f->rival);
    commit(f);
    broker_await_count(f->topic, 0, 1);
}

static void a_transaction_that_took_too_long_cannot_commit(void **state)
{
    struct fixture *f = *state;
    struct kafka_settings settings = broker_settings(f->group, "slow");
    struct err err = {0};
    settings.transaction_timeout_ms = 2000;
    assert_int_equal(kafka_producer_open(&settings, &f->rival, &err), 0);
    assert_int_equal(kafka_producer_begin(f->rival, &err), 0);
    assert_int_equal(producer_send(f->rival, f->topic, 0, "v", &err), 0);
    assert_int_equal(kafka_producer_flush(f->rival, 10000, &err), 0);
    /* The broker ends it: the end that readers see moves past the record and its marker. */
    int64_t deadline = kafka_deadline(15000);
    int64_t low = 0;
    int64_t high = 0;
    while (high < 2 && kafka_deadline_again(deadline))
        assert_int_equal(kafka_reader_bounds(f->reader, f->topic, 0, &low, &high, &err), 0);
    assert_int_equal(high, 2);
    assert_int_equal(kafka_producer_commit(f->rival, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_int_equal(broker_count(f->topic, 0), 0);
}

static void eight_mebibytes_pass(void **state)
{
    struct fixture *f = *state;
    size_t len = 8 * 1024 * 1024;
    unsigned char *big = malloc(len);
    unsigned seed = 12345;
    struct record record = {.value = big, .value_len = len};
    for (size_t i = 0; i < len; i++) { /* does not compress */
        seed = seed * 1664525u + 1013904223u;
        big[i] = (unsigned char)(seed >> 24);
    }
    struct kafka_message *message CLEANUP(kafka_message_freep) = there_and_back(f, &record);
    assert_int_equal(kafka_message_record(message)->value_len, len);
    assert_memory_equal(kafka_message_record(message)->value, big, len);
    free(big);
}

static void headers_survive_null_empty_binary_and_repeated(void **state)
{
    struct fixture *f = *state;
    const struct record_header headers[] = {
        {"ce_id", "0191", 4},         {"nothing", NULL, 0},   {"empty", "", 0},
        {"binary", "a\0\xff\x80", 4}, {"ce_id", "second", 6}, {"", "no name", 7},
    };
    struct record record = {
        .value = "v", .value_len = 1, .headers = headers, .header_count = ARRAY_LEN(headers)};
    struct kafka_message *message CLEANUP(kafka_message_freep) = there_and_back(f, &record);
    const struct record *got = kafka_message_record(message);
    assert_int_equal(got->header_count, ARRAY_LEN(headers));
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        assert_string_equal(got->headers[i].name, headers[i].name);
        assert_int_equal(got->headers[i].len, headers[i].len);
        assert_true(!got->headers[i].value == !headers[i].value);
        if (headers[i].len)
            assert_memory_equal(got->headers[i].value, headers[i].value, headers[i].len);
    }
}

static void null_and_empty_keys_and_values_stay_apart(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        bool key = i & 1;
        bool value = i & 2;
        struct record record = {.key = key ? "" : NULL, .value = value ? "" : NULL};
        struct kafka_message *message CLEANUP(kafka_message_freep) = there_and_back(f, &record);
        const struct record *got = kafka_message_record(message);
        assert_int_equal(got->key != NULL, key);
        assert_int_equal(got->key_len, 0);
        assert_int_equal(got->value != NULL, value);
        assert_int_equal(got->value_len, 0);
    }
}

static void bytes_are_not_touched(void **state)
{
    struct fixture *f = *state;
    struct record record = {.key = "\0k\xff", .key_len = 3, .value = "\xc3\x28\0", .value_len = 3};
    struct kafka_message *message CLEANUP(kafka_message_freep) = there_and_back(f, &record);
    const struct record *got = kafka_message_record(message);
    assert_int_equal(got->key_len, 3);
    assert_memory_equal(got->key, "\0k\xff", 3);
    assert_int_equal(got->value_len, 3);
    assert_memory_equal(got->value, "\xc3\x28\0", 3);
    assert_false(got->log_append_time);
}

static void the_brokers_time_is_recognised(void **state)
{
    struct fixture *f = *state;
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct kafka_pair config = {"message.timestamp.type", "LogAppendTime"};
    struct kafka_topic topic = {.name = f->topic,
                                .partitions = 1,
                                .replication = -1,
                                .configs = &config,
                                .config_count = 1};
    struct kafka_admin *admin CLEANUP(kafka_admin_closep) = NULL;
    struct record record = {.value = "v", .value_len = 1};
    broker_name("appended", f->topic);
    assert_int_equal(kafka_admin_open(&settings, &admin, NULL), 0);
    assert_int_equal(kafka_admin_apply_topics(admin, &topic, 1, false, NULL, NULL, NULL), 1);
    struct kafka_message *message CLEANUP(kafka_message_freep) = there_and_back(f, &record);
    assert_true(kafka_message_record(message)->log_append_time);
    assert_true(kafka_message_record(message)->time_us > INT64_C(1600000000000000));
}

struct placed {
    int calls;
    int32_t partition;
};

static void on_delivered(void *opaque, void *tag, int32_t partition, int64_t offset,
                         const struct err *err)
{
    struct placed *placed = opaque;
    (void)tag;
    assert_null(err);
    assert_true(offset >= 0);
    placed->calls++;
    placed->partition = partition;
}

static void keys_go_where_the_java_client_sends_them(void **state)
{
    /* Kafka's own test vectors of murmur2, without the sign, modulo four partitions. */
    static const struct {
        const char *key;
        int32_t partition;
    } cases[] = {
        {"21", (-973932308 & 0x7fffffff) % 4},
        {"foobar", (-790332482 & 0x7fffffff) % 4},
        {"a-little-bit-long-string", (-985981536 & 0x7fffffff) % 4},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", (-58897971 & 0x7fffffff) % 4},
    };
    struct fixture *f = *state;
    struct kafka_settings settings = broker_settings(NULL, NULL);
    struct placed placed = {0};
    assert_int_equal(kafka_producer_open_plain(&settings, on_delivered, &placed, &f->rival, NULL),
                     0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record record = {.topic = f->topic,
                                .partition = -1,
                                .key = cases[i].key,
                                .key_len = strlen(cases[i].key)};
        assert_int_equal(kafka_producer_send(f->rival, &record, NULL), 0);
        assert_int_equal(kafka_producer_flush(f->rival, 10000, NULL), 0);
        assert_int_equal(placed.calls, i + 1);
        assert_int_equal(placed.partition, cases[i].partition);
    }
}

static void many_records_of_one_transaction_arrive_in_order(void **state)
{
    struct fixture *f = *state;
    struct kafka_range range = {.topic = f->topic, .partition = 0, .start = 0, .end = 5000};
    int64_t deadline = kafka_deadline(20000);
    int next = 0;
    begin(f);
    for (int i = 0; i < 5000; i++) {
        struct record record = {
            .topic = f->topic, .partition = 0, .value = &i, .value_len = sizeof(i)};
        assert_int_equal(kafka_producer_send(f->producer, &record, NULL), 0);
    }
    commit(f);
    assert_int_equal(kafka_reader_assign(f->reader, &range, 1, NULL), 0);
    while (!kafka_reader_done(f->reader) && kafka_deadline_left_ms(deadline) > 0) {
        struct kafka_message *message CLEANUP(kafka_message_freep) = NULL;
        int got = kafka_reader_poll(f->reader, 500, &message, NULL);
        assert_int_not_equal(got, -1);
        if (got) {
            assert_memory_equal(kafka_message_record(message)->value, &next, sizeof(next));
            next++;
        }
    }
    assert_int_equal(next, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(aborted_records_are_never_seen),
        TEST(an_aborted_record_cannot_be_fetched_by_its_offset),
        TEST(open_transactions_hide_what_follows_them_from_readers_only),
        TEST(a_second_producer_fences_the_first),
        TEST(another_slot_fences_nobody),
        TEST(a_transaction_that_took_too_long_cannot_commit),
        TEST(eight_mebibytes_pass),
        TEST(headers_survive_null_empty_binary_and_repeated),
        TEST(null_and_empty_keys_and_values_stay_apart),
        TEST(bytes_are_not_touched),
        TEST(the_brokers_time_is_recognised),
        TEST(keys_go_where_the_java_client_sends_them),
        TEST(many_records_of_one_transaction_arrive_in_order),
    };
    broker_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
