/* SPDX-License-Identifier: Apache-2.0
 *
 * Records as they are published, and ids.
 */
#include "msg_command.h"
#include "msg_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define JOB "7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a11"

static struct arena *arena;
static struct msg_topics topics;
static struct record record;
static struct err err;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(0, 0);
    memset(&record, 0, sizeof(record));
    memset(&err, 0, sizeof(err));
    return arena == NULL || msg_topics_init(&topics, "promo", &err) < 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* The value of a header; NULL when it is not there. */
static const char *header(const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < record.header_count; i++) {
        if (strcmp(record.headers[i].name, name) != 0)
            continue;
        assert_null(found);
        found = arena_memdup(arena, record.headers[i].value, record.headers[i].len);
    }
    return found;
}

static struct msg_event event_of(const char *data)
{
    struct msg_event event = {.type = "promofleet.job.accepted.v1",
                              .topic = MSG_TOPIC_JOB_EVENTS,
                              .key = "k",
                              .id = {1, 2, 3},
                              .source = "promofleet/generate",
                              .time_us = INT64_C(1795201560000000),
                              .data = data,
                              .data_len = strlen(data)};
    return event;
}

static void event_has_its_headers(void **state)
{
    (void)state;
    struct msg_event event = event_of("{}");
    event.cause_id = "c-1";
    event.cause_source = "shop";
    event.repeated = true;
    event.supersedes = JOB;
    event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_int_equal(msg_event_record(arena, &topics, &event, &record, &err), 0);
    assert_string_equal(record.topic, "promo.job.events");
    assert_int_equal(record.partition, -1);
    assert_int_equal(record.key_len, 1);
    assert_memory_equal(record.key, "k", 1);
    assert_int_equal(record.value_len, 2);
    assert_memory_equal(record.value, "{}", 2);
    assert_string_equal(header("ce_specversion"), "1.0");
    assert_string_equal(header("ce_id"), "01020300-0000-0000-0000-000000000000");
    assert_string_equal(header("ce_source"), "promofleet/generate");
    assert_string_equal(header("ce_type"), "promofleet.job.accepted.v1");
    assert_string_equal(header("ce_time"), "2026-11-20T19:06:00Z");
    assert_string_equal(header("content-type"), "application/json");
    assert_string_equal(header("ce_causationid"), "c-1");
    assert_string_equal(header("ce_causationsource"), "shop");
    assert_string_equal(header("ce_repeated"), "true");
    assert_string_equal(header("ce_supersedes"), JOB);
    assert_non_null(header("traceparent"));
    assert_int_equal(record.header_count, 11);
}

static void event_leaves_out_what_is_not_set(void **state)
{
    (void)state;
    struct msg_event event = event_of("{}");
    event.key = NULL;
    assert_int_equal(msg_event_record(arena, &topics, &event, &record, &err), 0);
    assert_null(record.key);
    assert_int_equal(record.header_count, 6);
    assert_null(header("ce_repeated"));
    assert_null(header("traceparent"));
}

static void event_owns_its_bytes(void **state)
{
    (void)state;
    char data[] = "{\"a\":1}";
    char key[] = "key";
    struct msg_event event = event_of(data);
    event.key = key;
    assert_int_equal(msg_event_record(arena, &topics, &event, &record, &err), 0);
    memset(data, 'x', sizeof(data) - 1);
    memset(key, 'x', sizeof(key) - 1);
    assert_memory_equal(record.value, "{\"a\":1}", 7);
    assert_memory_equal(record.key, "key", 3);
}

static void incomplete_event_is_a_bug(void **state)
{
    (void)state;
    struct msg_event event = event_of("{}");
    event.source = NULL;
    assert_int_equal(msg_event_record(arena, &topics, &event, &record, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    event = event_of("{}");
    event.time_us = -1;
    assert_int_equal(msg_event_record(arena, &topics, &event, &record, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
}

static void token_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct msg_token token = {.job = JOB, .lane = 16, .n = 7, .epoch = 3};
    struct msg_command *command = NULL;
    assert_int_equal(msg_token_record(arena, &topics, MSG_TOPIC_EXPORT_CHUNKS, 11, &token,
                                      "promofleet/export", 0, &record, &err),
                     0);
    assert_string_equal(record.topic, "promo.export.chunks");
    assert_int_equal(record.partition, 11);
    assert_memory_equal(record.key, JOB, strlen(JOB));
    assert_int_equal(msg_command_decode(&record, MSG_TOPIC_EXPORT_CHUNKS, arena, &command, &err),
                     MSG_DECODED);
    assert_string_equal(command->data.token->job, JOB);
    assert_int_equal(command->data.token->lane, 16);
    assert_int_equal(command->data.token->n, 7);
    assert_int_equal(command->data.token->epoch, 3);
    assert_string_equal(command->envelope.source, "promofleet/export");
}

static void wrong_token_is_a_bug(void **state)
{
    (void)state;
    struct msg_token token = {.job = JOB, .lane = 17};
    assert_int_equal(
        msg_token_record(arena, &topics, MSG_TOPIC_EXPORT_CHUNKS, 0, &token, "s", 0, &record, &err),
        -1);
    assert_int_equal(err.kind, ERR_BUG);
    assert_string_equal(err.pointer, "/lane");
}

static void timer_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct msg_snapshot_due due = {"summer", 42};
    struct msg_command *command = NULL;
    uint8_t id[DIGEST_UUID_LEN];
    msg_timer_id("promofleet.snapshot.v1", "summer", 42, id);
    assert_int_equal(msg_internal_record(arena, &topics, MSG_TOPIC_INTERNAL, -1, "summer",
                                         MSG_SNAPSHOT_DUE, &due, "promofleet/maintain", id, 0,
                                         &record, &err),
                     0);
    assert_int_equal(record.partition, -1);
    assert_int_equal(msg_command_decode(&record, MSG_TOPIC_INTERNAL, arena, &command, &err),
                     MSG_DECODED);
    assert_string_equal(command->data.snapshot_due->campaign, "summer");
    assert_int_equal(command->data.snapshot_due->due, 42);
}

static void dead_letter_keeps_every_byte(void **state)
{
    (void)state;
    const struct record_header headers[] = {
        {"a", "\0\xff", 2}, {"null", NULL, 0}, {"a", "", 0}, {"__connect.errors.topic", "old", 3}};
    const struct record original = {.topic = "promo.redeem.commands",
                                    .partition = 3,
                                    .offset = INT64_C(12345678901),
                                    .key = "k\0y",
                                    .key_len = 3,
                                    .value = "\xff\0{",
                                    .value_len = 3,
                                    .headers = headers,
                                    .header_count = 4};
    struct err why = {0};
    (void)err_field(&why, "/a", "bad_utf8", "A text.");
    assert_int_equal(
        msg_dead_letter_record(arena, &topics, &original, "DECODE", &why, &record, &err), 0);
    assert_string_equal(record.topic, "promo.dead-letter");
    assert_int_equal(record.partition, -1);
    assert_int_equal(record.key_len, 3);
    assert_memory_equal(record.key, "k\0y", 3);
    assert_int_equal(record.value_len, 3);
    assert_memory_equal(record.value, "\xff\0{", 3);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(record.headers[i].name, headers[i].name);
        assert_ptr_equal(record.headers[i].value, headers[i].value);
        assert_int_equal(record.headers[i].len, headers[i].len);
    }
    assert_int_equal(record.header_count, 10);
    assert_memory_equal(record.headers[4].value, "promo.redeem.commands", 21);
    assert_string_equal(header("__connect.errors.partition"), "3");
    assert_string_equal(header("__connect.errors.offset"), "12345678901");
    assert_string_equal(header("__connect.errors.stage"), "DECODE");
    assert_string_equal(header("__connect.errors.class.name"), "bad_utf8");
    assert_string_equal(header("__connect.errors.exception.message"), "A text.");
}

static void dead_letter_of_nothing_is_nothing(void **state)
{
    (void)state;
    const struct record original = {.topic = "t"};
    struct err why = {0};
    (void)err_field(&why, "", "bad_envelope", "x");
    assert_int_equal(
        msg_dead_letter_record(arena, &topics, &original, "DECODE", &why, &record, &err), 0);
    assert_null(record.key);
    assert_null(record.value);
    assert_int_equal(record.header_count, 6);
}

static void same_cause_and_kind_make_the_same_id(void **state)
{
    (void)state;
    uint8_t one[DIGEST_UUID_LEN];
    uint8_t two[DIGEST_UUID_LEN];
    msg_event_id(MSG_KIND_REDEEM, "s", "i", "t", NULL, 0, one);
    msg_event_id(MSG_KIND_REDEEM, "s", "i", "t", NULL, 0, two);
    assert_memory_equal(one, two, sizeof(one));
    assert_int_equal(one[6] >> 4, 5);
    assert_int_equal(one[8] >> 6, 2);
    /* ids are in the world: their making may never change */
    char text[DIGEST_UUID_TEXT];
    assert_string_equal(digest_uuid_text(one, text), "4072beae-1bdd-5cec-8bce-4f3ddc0d24fe");
    msg_job_id(MSG_KIND_GENERATE, "shop", "1", one);
    assert_string_equal(digest_uuid_text(one, text), "63308f9d-9404-51f4-bb71-c77bdbe755b7");
}

static void any_difference_makes_another_id(void **state)
{
    (void)state;
    uint8_t ids[16][DIGEST_UUID_LEN];
    const struct msg_token token = {.job = "s", .lane = 1, .n = 2, .epoch = 3};
    const struct msg_token next = {.job = "s", .lane = 1, .n = 3, .epoch = 3};
    size_t n = 0;
    msg_event_id(MSG_KIND_REDEEM, "s", "i", "t", NULL, 0, ids[n++]);
    msg_event_id(MSG_KIND_EXPORT, "s", "i", "t", NULL, 0, ids[n++]);
    msg_event_id(MSG_KIND_REDEEM, "si", "", "t", NULL, 0, ids[n++]);
    msg_event_id(MSG_KIND_REDEEM, "", "si", "t", NULL, 0, ids[n++]);
    msg_event_id(MSG_KIND_REDEEM, "s", "it", "", NULL, 0, ids[n++]);
    msg_event_id(MSG_KIND_REDEEM, "s", "i", "t", "", 0, ids[n++]);
    msg_event_id(MSG_KIND_REDEEM, "s", "i", "t", "v", 1, ids[n++]);
    msg_event_id(MSG_KIND_REDEEM, "s", "i", "t", "v\0", 2, ids[n++]);
    msg_event_id_nth(MSG_KIND_REDEEM, "s", "i", "t", 0, ids[n++]);
    msg_event_id_nth(MSG_KIND_REDEEM, "s", "i", "t", 1, ids[n++]);
    msg_job_id(MSG_KIND_REDEEM, "s", "i", ids[n++]);
    msg_job_id(MSG_KIND_GENERATE, "s", "i", ids[n++]);
    msg_timer_id("s", "i", 0, ids[n++]);
    msg_timer_id("s", "i", 1, ids[n++]);
    msg_token_id(&token, ids[n++]);
    msg_token_id(&next, ids[n++]);
    assert_int_equal(n, ARRAY_LEN(ids));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(ids[i], ids[j], DIGEST_UUID_LEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(event_has_its_headers, begin, end),
        cmocka_unit_test_setup_teardown(event_leaves_out_what_is_not_set, begin, end),
        cmocka_unit_test_setup_teardown(event_owns_its_bytes, begin, end),
        cmocka_unit_test_setup_teardown(incomplete_event_is_a_bug, begin, end),
        cmocka_unit_test_setup_teardown(token_is_read_as_it_was_written, begin, end),
        cmocka_unit_test_setup_teardown(wrong_token_is_a_bug, begin, end),
        cmocka_unit_test_setup_teardown(timer_is_read_as_it_was_written, begin, end),
        cmocka_unit_test_setup_teardown(dead_letter_keeps_every_byte, begin, end),
        cmocka_unit_test_setup_teardown(dead_letter_of_nothing_is_nothing, begin, end),
        cmocka_unit_test_setup_teardown(same_cause_and_kind_make_the_same_id, begin, end),
        cmocka_unit_test_setup_teardown(any_difference_makes_another_id, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
