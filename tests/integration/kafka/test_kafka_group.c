/* SPDX-License-Identifier: Apache-2.0
 *
 * Consumer groups against a real broker.
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
    struct member a;
    struct member b;
    struct kafka_producer *producer;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    broker_name("group", f->group);
    broker_name("topic", f->topic);
    broker_topic(f->topic, 4);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    member_close(&f->a);
    member_close(&f->b);
    kafka_producer_drop(f->producer);
    free(f);
    return 0;
}

static void await_one(struct member *member, size_t count)
{
    struct member *const members[] = {member};
    members_await(members, &count, 1);
}

static void await_both(struct fixture *f, size_t a, size_t b)
{
    struct member *const members[] = {&f->a, &f->b};
    const size_t counts[] = {a, b};
    members_await(members, counts, 2);
}

static void two_members_share_the_partitions(void **state)
{
    struct fixture *f = *state;
    for (int32_t i = 0; i < 4; i++)
        broker_fill(f->topic, i, 10);
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    assert_int_equal(kafka_consumer_generation(f->a.consumer), 1);
    member_open(&f->b, f->group, "b", f->topic);
    await_both(f, 2, 2);
    /* Revoked, then assigned again. */
    assert_int_equal(kafka_consumer_generation(f->a.consumer), 3);
    assert_int_equal(f->a.revoked_calls, 1);
    assert_int_equal(kafka_consumer_generation(f->b.consumer), 1);
    for (int32_t i = 0; i < 4; i++) {
        bool has_a = kafka_consumer_is_assigned(f->a.consumer, f->topic, i);
        bool has_b = kafka_consumer_is_assigned(f->b.consumer, f->topic, i);
        assert_true(has_a != has_b);
    }
    assert_int_equal(f->a.parts[0].high, 10);
    assert_int_equal(f->a.parts[0].low, 0);
    assert_int_equal(f->a.parts[0].committed, -1);
}

static void a_restarted_slot_has_its_partitions_back_and_disturbs_nobody(void **state)
{
    struct fixture *f = *state;
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    member_open(&f->b, f->group, "b", f->topic);
    await_both(f, 2, 2);
    uint64_t generation = kafka_consumer_generation(f->a.consumer);
    int32_t first = f->b.parts[0].partition;
    int32_t second = f->b.parts[1].partition;
    for (int round = 0; round < 2; round++) {
        member_close(&f->b);
        member_poll(&f->a);
        member_open(&f->b, f->group, "b", f->topic);
        await_both(f, 2, 2);
        assert_int_equal(f->b.parts[0].partition, first);
        assert_int_equal(f->b.parts[1].partition, second);
        assert_int_equal(kafka_consumer_generation(f->b.consumer), 1);
    }
    for (int i = 0; i < 20; i++)
        member_poll(&f->a);
    assert_int_equal(kafka_consumer_generation(f->a.consumer), generation);
}

static void a_second_member_in_one_slot_fences_the_first(void **state)
{
    struct fixture *f = *state;
    struct kafka_message *message = NULL;
    struct err err = {0};
    int64_t deadline = kafka_deadline(20000);
    int result = 0;
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    member_open(&f->b, f->group, "a", f->topic);
    await_one(&f->b, 4);
    while (result == 0 && kafka_deadline_left_ms(deadline) > 0)
        result = kafka_consumer_poll(f->a.consumer, 100, &message, &err);
    assert_int_equal(result, -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "FENCED_INSTANCE_ID");
}

static void the_last_partition_count_is_zero(void **state)
{
    struct fixture *f = *state;
    char topic[BROKER_NAME_MAX];
    broker_name("one", topic);
    broker_topic(topic, 1);
    member_open(&f->a, f->group, "a", topic);
    await_one(&f->a, 1);
    member_open(&f->b, f->group, "b", topic);
    int64_t deadline = kafka_deadline(20000);
    while (f->b.assigned_calls == 0 && kafka_deadline_left_ms(deadline) > 0) {
        member_poll(&f->a);
        member_poll(&f->b);
    }
    await_both(f, 1, 0);
    assert_int_equal(f->b.assigned_calls, 1);
    assert_int_equal(f->b.count, 0);
}

static int send_offset(struct fixture *f, const struct kafka_group *group, int32_t partition,
                       int64_t next, struct err *err)
{
    struct kafka_offset offset = {.topic = f->topic, .partition = partition, .next = next};
    return kafka_producer_send_offsets(f->producer, group, &offset, 1, err);
}

static void committed_offsets_move_the_group(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    broker_fill(f->topic, 1, 10);
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    struct kafka_group *group CLEANUP(kafka_group_freep) =
        kafka_consumer_group_metadata(f->a.consumer);
    assert_int_equal(broker_group_offset(f->group, f->topic, 1), -1);
    f->producer = producer_open(f->group, "a", &err);
    assert_non_null(f->producer);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(send_offset(f, group, 1, 7, &err), 0);
    assert_int_equal(kafka_producer_commit(f->producer, &err), 0);
    assert_int_equal(broker_group_offset(f->group, f->topic, 1), 7);
    assert_int_equal(broker_group_offset(f->group, f->topic, 0), -1);
    /* An aborted transaction moves nothing. */
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(send_offset(f, group, 1, 9, &err), 0);
    assert_int_equal(kafka_producer_abort(f->producer, &err), 0);
    assert_int_equal(broker_group_offset(f->group, f->topic, 1), 7);
    /* The successor is told, and begins there. */
    member_close(&f->a);
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    assert_int_equal(f->a.parts[1].committed, 7);
    assert_int_equal(f->a.parts[0].committed, -1);
    assert_int_equal(f->a.parts[1].high, 10);
    int64_t deadline = kafka_deadline(10000);
    while (f->a.received < 3 && kafka_deadline_left_ms(deadline) > 0)
        member_poll(&f->a);
    for (int i = 0; i < 5; i++)
        member_poll(&f->a);
    assert_int_equal(f->a.received, 3);
}

static void offsets_of_an_outdated_membership_are_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    struct kafka_group *group CLEANUP(kafka_group_freep) =
        kafka_consumer_group_metadata(f->a.consumer);
    uint64_t generation = kafka_consumer_generation(f->a.consumer);
    f->producer = producer_open(f->group, "a", &err);
    assert_non_null(f->producer);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(producer_send(f->producer, f->topic, 0, "late", &err), 0);
    member_open(&f->b, f->group, "b", f->topic);
    await_both(f, 2, 2);
    assert_true(kafka_consumer_generation(f->a.consumer) > generation);
    assert_int_equal(send_offset(f, group, 0, 5, &err), -1);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.code, "ILLEGAL_GENERATION");
    kafka_producer_drop(f->producer);
    f->producer = producer_open(f->group, "a", &err);
    assert_non_null(f->producer);
    assert_int_equal(broker_group_offset(f->group, f->topic, 0), -1);
    assert_int_equal(broker_count(f->topic, 0), 0);
}

static void an_open_transaction_of_a_dead_worker_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    struct kafka_group *group CLEANUP(kafka_group_freep) =
        kafka_consumer_group_metadata(f->a.consumer);
    f->producer = producer_open(f->group, "a", &err);
    assert_non_null(f->producer);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(send_offset(f, group, 0, 5, &err), 0);
    int64_t begun = kafka_deadline(0);
    kafka_producer_drop(f->producer);
    f->producer = NULL;
    member_close(&f->a);
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    /* 3 s of transaction time-out, seen within a second or two. */
    assert_true(kafka_deadline(0) - begun > 1000000);
    assert_int_equal(f->a.parts[0].committed, -1);
}

static void a_new_producer_ends_the_transaction_of_its_dead_predecessor(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    member_open(&f->a, f->group, "a", f->topic);
    await_one(&f->a, 4);
    struct kafka_group *group CLEANUP(kafka_group_freep) =
        kafka_consumer_group_metadata(f->a.consumer);
    f->producer = producer_open(f->group, "a", &err);
    assert_int_equal(kafka_producer_begin(f->producer, &err), 0);
    assert_int_equal(send_offset(f, group, 0, 5, &err), 0);
    kafka_producer_drop(f->producer);
    int64_t deadline = kafka_deadline(2500);
    f->producer = producer_open(f->group, "a", &err);
    assert_non_null(f->producer);
    assert_int_equal(broker_group_offset(f->group, f->topic, 0), -1);
    assert_true(kafka_deadline_left_ms(deadline) > 0);
}

static void an_unknown_topic_is_fatal(void **state)
{
    static const struct kafka_callbacks callbacks = {
        (int (*)(void *, struct kafka_partition *, size_t, struct err *))abort,
        (void (*)(void *, const struct kafka_partition *, size_t, bool))abort};
    struct fixture *f = *state;
    struct kafka_settings settings = broker_settings(f->group, "a");
    const char *topic = "it-kafka-nowhere";
    struct kafka_consumer *consumer = NULL;
    struct err err = {0};
    settings.call_timeout_ms = 1500;
    assert_int_equal(kafka_consumer_open(&settings, &topic, 1, &callbacks, NULL, &consumer, &err),
                     -1);
    assert_int_equal(err.kind, ERR_FATAL);
    assert_string_equal(err.code, "UNKNOWN_TOPIC_OR_PART");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_members_share_the_partitions),
        TEST(a_restarted_slot_has_its_partitions_back_and_disturbs_nobody),
        TEST(a_second_member_in_one_slot_fences_the_first),
        TEST(the_last_partition_count_is_zero),
        TEST(committed_offsets_move_the_group),
        TEST(offsets_of_an_outdated_membership_are_refused),
        TEST(an_open_transaction_of_a_dead_worker_is_waited_for),
        TEST(a_new_producer_ends_the_transaction_of_its_dead_predecessor),
        TEST(an_unknown_topic_is_fatal),
    };
    broker_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
