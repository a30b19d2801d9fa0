/* SPDX-License-Identifier: Apache-2.0
 *
 * The way from a record to a verdict; the values of each command are in test_values.c.
 */
#include "msg_command.h"
#include "msg_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct msg_command *command;
static struct err err;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(0, 0);
    return arena == NULL;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static enum msg_verdict decode(enum msg_topic topic, const char *type, const char *data)
{
    const struct record_header headers[] = {
        {"ce_specversion", "1.0", 3},
        {"ce_id", "1", 1},
        {"ce_source", "s", 1},
        {"ce_type", type, strlen(type)},
    };
    const struct record record = {
        .value = data, .value_len = strlen(data), .headers = headers, .header_count = 4};
    memset(&err, 0, sizeof(err));
    return msg_command_decode(&record, topic, arena, &command, &err);
}

static void first_reason(const char *code, const char *pointer)
{
    assert_non_null(command);
    assert_true(command->reason_count > 0);
    assert_string_equal(command->reasons[0].code, code);
    assert_string_equal(command->reasons[0].pointer, pointer);
    assert_string_equal(err.code, code);
    assert_string_equal(err.pointer, pointer);
    assert_int_equal(err.kind, ERR_POISON);
    assert_string_equal(err.domain, "msg");
}

static void right_command_is_decoded(void **state)
{
    (void)state;
    assert_int_equal(
        decode(MSG_TOPIC_CAMPAIGN_COMMANDS, "promofleet.campaign.put.v1", "{\"id\":\"a\"}"),
        MSG_DECODED);
    assert_int_equal(command->type->id, MSG_CAMPAIGN_PUT);
    assert_int_equal(command->kind, MSG_KIND_CAMPAIGN);
    assert_int_equal(command->topic, MSG_TOPIC_CAMPAIGN_COMMANDS);
    assert_int_equal(command->events, MSG_TOPIC_CAMPAIGN_EVENTS);
    assert_string_equal(command->rejected, "promofleet.campaign.rejected.v1");
    assert_string_equal(command->envelope.id, "1");
    assert_string_equal(command->data.campaign_put->id, "a");
    assert_int_equal(command->reason_count, 0);
    assert_int_equal(err.kind, ERR_NONE);
}

static void every_type_is_found_under_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_COMMAND_COUNT; i++) {
        const struct msg_command_type *type = msg_command_type((enum msg_command_id)i);
        assert_int_equal(type->id, i);
        assert_ptr_equal(msg_command_type_find(type->name), type);
        assert_true(type->topics & 1u << msg_command_topic(type));
        assert_int_equal(type->rejected == NULL, msg_topic_internal(msg_command_topic(type)));
        if (type->rejected != NULL)
            assert_int_equal(type->events, msg_topic_events(msg_command_topic(type)));
    }
    assert_null(msg_command_type_find("promofleet.campaign.put.v2"));
    assert_null(msg_command_type_find(""));
}

static void unknown_type_is_refused_in_the_name_of_the_topic(void **state)
{
    (void)state;
    static const struct {
        enum msg_topic topic;
        const char *rejected;
        enum msg_topic events;
    } topics[] = {
        {MSG_TOPIC_CAMPAIGN_COMMANDS, "promofleet.campaign.rejected.v1", MSG_TOPIC_CAMPAIGN_EVENTS},
        {MSG_TOPIC_GENERATE_COMMANDS, "promofleet.job.rejected.v1", MSG_TOPIC_JOB_EVENTS},
        {MSG_TOPIC_REDEEM_COMMANDS, "promofleet.code.rejected.v1", MSG_TOPIC_REDEMPTION_EVENTS},
        {MSG_TOPIC_EXPORT_COMMANDS, "promofleet.job.rejected.v1", MSG_TOPIC_JOB_EVENTS},
        {MSG_TOPIC_MAINTAIN_COMMANDS, "promofleet.job.rejected.v1", MSG_TOPIC_JOB_EVENTS},
    };
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        assert_int_equal(decode(topics[i].topic, "promofleet.campaign.fly.v1", "{}"), MSG_REFUSED);
        first_reason("unknown_type", "");
        assert_null(command->type);
        assert_string_equal(command->rejected, topics[i].rejected);
        assert_int_equal(command->events, topics[i].events);
    }
    assert_int_equal(decode(MSG_TOPIC_INTERNAL, "promofleet.campaign.fly.v1", "{}"), MSG_REFUSED);
    assert_null(command->rejected);
}

static void type_on_another_topic_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_COMMAND_COUNT; i++) {
        const struct msg_command_type *type = msg_command_type((enum msg_command_id)i);
        for (int topic = MSG_TOPIC_CAMPAIGN_COMMANDS; topic <= MSG_TOPIC_INTERNAL; topic++) {
            if (type->topics & 1u << topic)
                continue;
            assert_int_equal(decode((enum msg_topic)topic, type->name, "{}"), MSG_REFUSED);
            first_reason("wrong_topic", "");
            assert_null(command->type);
            assert_ptr_equal(command->rejected, msg_topic_rejected((enum msg_topic)topic));
        }
    }
}

static void all_that_is_wrong_is_told(void **state)
{
    (void)state;
    assert_int_equal(
        decode(MSG_TOPIC_REDEEM_COMMANDS, "promofleet.code.redeem.v1",
               "{\"codes\":[\"a\",7,\"\"],\"order\":{\"id\":\"\",\"currency\":\"eur\"},"
               "\"colour\":1}"),
        MSG_REFUSED);
    static const char *const expected[][2] = {
        {"wrong_type", "/codes/1"},         {"too_short", "/codes/2"},
        {"too_short", "/order/id"},         {"bad_format", "/order/currency"},
        {"required", "/order/total_minor"}, {"unknown_field", "/colour"},
    };
    assert_int_equal(command->reason_count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_string_equal(command->reasons[i].code, expected[i][0]);
        assert_string_equal(command->reasons[i].pointer, expected[i][1]);
        assert_true(strlen(command->reasons[i].message) > 10);
    }
    first_reason("wrong_type", "/codes/1");
    assert_null(command->data.any);
    assert_string_equal(command->rejected, "promofleet.code.rejected.v1");
}

static void number_of_reasons_is_bounded(void **state)
{
    (void)state;
    char data[2000] = "{\"id\":\"a\"";
    size_t len = strlen(data);
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(data + len, sizeof(data) - len, ",\"x%d\":1", i);
    (void)snprintf(data + len, sizeof(data) - len, "}");
    assert_int_equal(decode(MSG_TOPIC_CAMPAIGN_COMMANDS, "promofleet.campaign.put.v1", data),
                     MSG_REFUSED);
    assert_int_equal(command->reason_count, MSG_REASONS_MAX);
    assert_string_equal(command->reasons[MSG_REASONS_MAX - 1].pointer, "/x15");
}

static void refused_envelope_is_answered_too(void **state)
{
    (void)state;
    assert_int_equal(decode(MSG_TOPIC_CAMPAIGN_COMMANDS, "promofleet.coupon.put.v1", "{\"id\":"),
                     MSG_REFUSED);
    first_reason("bad_json", "/id");
    assert_int_equal(command->type->id, MSG_COUPON_PUT);
    assert_string_equal(command->rejected, "promofleet.coupon.rejected.v1");
    static const uint8_t none[16];
    assert_memory_equal(command->hash, none, sizeof(none));
    /* what comes first: nobody can do anything about data of an unknown type */
    assert_int_equal(decode(MSG_TOPIC_CAMPAIGN_COMMANDS, "no.such.type", "{\"id\":"), MSG_REFUSED);
    first_reason("unknown_type", "");
    assert_int_equal(command->reason_count, 1);
}

static void unreadable_message_has_no_command(void **state)
{
    (void)state;
    assert_int_equal(decode(MSG_TOPIC_CAMPAIGN_COMMANDS, "", "{}"), MSG_UNREADABLE);
    assert_null(command);
    assert_string_equal(err.code, "bad_envelope");
    assert_int_equal(err.kind, ERR_POISON);
}

static void short_memory_is_told_apart(void **state)
{
    (void)state;
    static const char type[] = "promofleet.campaign.put.v1";
    const struct record_header headers[] = {{"ce_specversion", "1.0", 3},
                                            {"ce_id", "1", 1},
                                            {"ce_source", "s", 1},
                                            {"ce_type", type, sizeof(type) - 1}};
    const struct record record = {
        .value = "{}", .value_len = 2, .headers = headers, .header_count = 4};
    struct arena *small = arena_new(0, 64);
    assert_int_equal(
        msg_command_decode(&record, MSG_TOPIC_CAMPAIGN_COMMANDS, small, &command, &err),
        MSG_FAILED);
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_null(command);
    arena_free(small);
}

static void hash_is_of_type_and_data(void **state)
{
    (void)state;
    uint8_t hash[16];
    enum msg_topic topic = MSG_TOPIC_CAMPAIGN_COMMANDS;
    assert_int_equal(decode(topic, "promofleet.campaign.put.v1", "{\"id\":\"a\",\"name\":\"n\"}"),
                     MSG_DECODED);
    memcpy(hash, command->hash, sizeof(hash));
    assert_int_equal(
        decode(topic, "promofleet.campaign.put.v1", " {\"name\": \"\\u006e\", \"id\": \"a\"}"),
        MSG_DECODED);
    assert_memory_equal(command->hash, hash, sizeof(hash));
    assert_int_equal(decode(topic, "promofleet.affiliate.put.v1", "{\"id\":\"a\",\"name\":\"n\"}"),
                     MSG_DECODED);
    assert_memory_not_equal(command->hash, hash, sizeof(hash));
    assert_int_equal(decode(topic, "promofleet.campaign.put.v1", "{\"id\":\"a\",\"name\":\"m\"}"),
                     MSG_DECODED);
    assert_memory_not_equal(command->hash, hash, sizeof(hash));
    /* also of a command that is refused for its data */
    assert_int_equal(decode(topic, "promofleet.campaign.put.v1", "{\"id\":\"a\",\"nome\":\"m\"}"),
                     MSG_REFUSED);
    assert_memory_not_equal(command->hash, hash, sizeof(hash));
}

static void internal_readers_ignore_unknown_fields(void **state)
{
    (void)state;
    static const char token[] = "{\"job\":\"7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a11\",\"lane\":16,"
                                "\"n\":3,\"epoch\":2,\"new\":{\"x\":[1]}}";
    assert_int_equal(decode(MSG_TOPIC_GENERATE_CHUNKS, "promofleet.token.v1", token), MSG_DECODED);
    assert_int_equal(command->data.token->lane, 16);
    assert_int_equal(decode(MSG_TOPIC_EXPORT_CHUNKS, "promofleet.token.v1", token), MSG_DECODED);
    assert_int_equal(command->data.token->n, 3);
    assert_int_equal(decode(MSG_TOPIC_INTERNAL, "promofleet.token.v1", token), MSG_REFUSED);
}

static void reasons_have_unique_codes_and_numbers(void **state)
{
    (void)state;
    size_t count = 0;
    for (int i = -1; i < 1000; i++) {
        const char *code = msg_reason_code((enum msg_reason_id)i);
        if (code == NULL) {
            assert_null(msg_reason_text((enum msg_reason_id)i));
            continue;
        }
        count++;
        assert_true(strlen(code) <= 31);
        assert_null(msg_form_fault(MSG_FORM_NAME, code, strlen(code)));
        assert_int_equal(msg_reason_find(code), i);
        assert_int_equal(
            msg_reason_text(
                (enum msg_reason_id)i)[strlen(msg_reason_text((enum msg_reason_id)i)) - 1],
            '.');
    }
#define COUNT_REASON(number, name, code, text) +1
    assert_int_equal(count, 0 MSG_REASONS(COUNT_REASON));
#undef COUNT_REASON
    assert_int_equal(msg_reason_find("no_such_reason"), MSG_REASON_NONE);
    /* numbers stand in data bases */
    assert_int_equal(MSG_REASON_TOO_LARGE, 1);
    assert_int_equal(MSG_REASON_UNKNOWN_CODE, 100);
    assert_int_equal(MSG_REASON_EXPIRED, 107);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(right_command_is_decoded, begin, end),
        cmocka_unit_test_setup_teardown(every_type_is_found_under_its_own_name, begin, end),
        cmocka_unit_test_setup_teardown(unknown_type_is_refused_in_the_name_of_the_topic, begin,
                                        end),
        cmocka_unit_test_setup_teardown(type_on_another_topic_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(all_that_is_wrong_is_told, begin, end),
        cmocka_unit_test_setup_teardown(number_of_reasons_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(refused_envelope_is_answered_too, begin, end),
        cmocka_unit_test_setup_teardown(unreadable_message_has_no_command, begin, end),
        cmocka_unit_test_setup_teardown(short_memory_is_told_apart, begin, end),
        cmocka_unit_test_setup_teardown(hash_is_of_type_and_data, begin, end),
        cmocka_unit_test_setup_teardown(internal_readers_ignore_unknown_fields, begin, end),
        cmocka_unit_test(reasons_have_unique_codes_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
