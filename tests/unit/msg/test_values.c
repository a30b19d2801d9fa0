/* SPDX-License-Identifier: Apache-2.0
 *
 * What arrives in the structs of the commands: values, defaults, nulls.
 */
#include "msg_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

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

static const void *decoded(enum msg_command_id id, const char *data)
{
    const struct msg_command_type *type = msg_command_type(id);
    const struct record_header headers[] = {
        {"ce_specversion", "1.0", 3},
        {"ce_id", "1", 1},
        {"ce_source", "s", 1},
        {"ce_type", type->name, strlen(type->name)},
    };
    const struct record record = {
        .value = data, .value_len = strlen(data), .headers = headers, .header_count = 4};
    struct msg_command *command = NULL;
    struct err err = {0};
    if (msg_command_decode(&record, msg_command_topic(type), arena, &command, &err) != MSG_DECODED)
        fail_msg("%s at '%s': %s", err.code, err.pointer, err.text);
    return command->data.any;
}

static void is_given(struct msg_int given, int64_t value)
{
    assert_int_equal(given.is, MSG_GIVEN);
    assert_true(given.value == value);
}

static void campaign_has_its_defaults(void **state)
{
    (void)state;
    const struct msg_campaign_put *put = decoded(MSG_CAMPAIGN_PUT, "{\"id\":\"a\"}");
    assert_string_equal(put->id, "a");
    assert_null(put->name);
    assert_null(put->description);
    assert_null(put->parent);
    assert_int_equal(put->status, MSG_CAMPAIGN_ACTIVE);
    assert_int_equal(put->starts_at.is, MSG_ABSENT);
    assert_int_equal(put->ends_at.is, MSG_ABSENT);
    assert_int_equal(put->limits.total.is, MSG_ABSENT);
    assert_int_equal(put->limits.per_customer.is, MSG_ABSENT);
    assert_int_equal(put->expected_version.is, MSG_ABSENT);
}

static void campaign_has_its_values(void **state)
{
    (void)state;
    const struct msg_campaign_put *put = decoded(
        MSG_CAMPAIGN_PUT,
        "{\"id\":\"a\",\"name\":\"\",\"description\":\"x\\ny\",\"parent\":\"p\",\"status\":"
        "\"draft\","
        "\"starts_at\":\"1970-01-01T00:00:00.000001Z\",\"ends_at\":null,"
        "\"limits\":{\"total\":9007199254740991,\"per_customer\":1e0},\"expected_version\":0}");
    assert_string_equal(put->name, "");
    assert_string_equal(put->description, "x\ny");
    assert_string_equal(put->parent, "p");
    assert_int_equal(put->status, MSG_CAMPAIGN_DRAFT);
    is_given(put->starts_at, 1);
    assert_int_equal(put->ends_at.is, MSG_NULL);
    is_given(put->limits.total, INT64_C(9007199254740991));
    is_given(put->limits.per_customer, 1);
    is_given(put->expected_version, 0);
    put = decoded(MSG_CAMPAIGN_PUT, "{\"id\":\"a\",\"parent\":null,\"status\":\"paused\"}");
    assert_null(put->parent);
    assert_int_equal(put->status, MSG_CAMPAIGN_PAUSED);
}

static void discount_is_percent_or_amount(void **state)
{
    (void)state;
    const struct msg_discount_put *put =
        decoded(MSG_DISCOUNT_PUT, "{\"id\":\"d\",\"kind\":\"percent\",\"percent_bp\":10000}");
    assert_int_equal(put->kind, MSG_DISCOUNT_PERCENT);
    is_given(put->percent_bp, 10000);
    assert_null(put->currency);
    assert_int_equal(put->level, MSG_DISCOUNT_ORDER);
    put = decoded(MSG_DISCOUNT_PUT,
                  "{\"id\":\"d\",\"kind\":\"amount\",\"amount_minor\":1000000000000000,"
                  "\"currency\":\"EUR\",\"max_minor\":7}");
    assert_int_equal(put->kind, MSG_DISCOUNT_AMOUNT);
    is_given(put->amount_minor, INT64_C(1000000000000000));
    assert_int_equal(put->percent_bp.is, MSG_ABSENT);
    assert_string_equal(put->currency, "EUR");
    is_given(put->max_minor, 7);
}

static void coupon_has_defaults_and_values(void **state)
{
    (void)state;
    const struct msg_coupon_put *put =
        decoded(MSG_COUPON_PUT, "{\"id\":\"c\",\"campaign\":\"s\",\"discounts\":[\"d1\",\"d2\"]}");
    assert_string_equal(put->campaign, "s");
    assert_int_equal(put->discounts.count, 2);
    assert_string_equal(put->discounts.items[1], "d2");
    assert_int_equal(put->apply, MSG_APPLY_ALL);
    assert_true(put->active);
    assert_int_equal(put->code_defaults.max_uses.is, MSG_ABSENT);
    assert_null(put->pattern);
    put = decoded(MSG_COUPON_PUT,
                  "{\"id\":\"c\",\"campaign\":\"s\",\"discounts\":[\"d1\"],\"apply\":\"best\","
                  "\"active\":false,\"code_defaults\":{\"max_uses\":null,\"per_customer\":2},"
                  "\"pattern\":\"###\"}");
    assert_int_equal(put->apply, MSG_APPLY_BEST);
    assert_false(put->active);
    assert_int_equal(put->code_defaults.max_uses.is, MSG_NULL);
    is_given(put->code_defaults.per_customer, 2);
    assert_string_equal(put->pattern, "###");
}

static void affiliate_and_archive_are_plain(void **state)
{
    (void)state;
    const struct msg_affiliate_put *put = decoded(
        MSG_AFFILIATE_PUT, "{\"id\":\"a\",\"external_id\":\"e\",\"email\":\"m\",\"name\":\"n\"}");
    assert_string_equal(put->external_id, "e");
    assert_string_equal(put->email, "m");
    assert_string_equal(put->name, "n");
    for (int id = MSG_CAMPAIGN_PUT; id <= MSG_AFFILIATE_ARCHIVE; id++) {
        if (id == MSG_CAMPAIGN_ARCHIVE || id == MSG_DISCOUNT_ARCHIVE || id == MSG_COUPON_ARCHIVE ||
            id == MSG_AFFILIATE_ARCHIVE) {
            const struct msg_archive *archive = decoded((enum msg_command_id)id, "{\"id\":\"x\"}");
            assert_string_equal(archive->id, "x");
        }
    }
}

static void generate_has_defaults_and_values(void **state)
{
    (void)state;
    const struct msg_generate *generate =
        decoded(MSG_CODES_GENERATE, "{\"coupon\":\"c\",\"count\":2000000000}");
    assert_true(generate->count == 2000000000);
    assert_null(generate->pattern);
    assert_null(generate->format);
    assert_false(generate->check);
    assert_int_equal(generate->blocked_words.count, 0);
    assert_int_equal(generate->max_uses.is, MSG_ABSENT);
    assert_true(generate->active);
    assert_false(generate->allow_guessable);
    assert_int_equal(generate->priority, 4);
    generate =
        decoded(MSG_CODES_GENERATE,
                "{\"coupon\":\"c\",\"count\":1,\"format\":{\"length\":64,\"charset\":\"A-Z\","
                "\"prefix\":\"P\",\"suffix\":\"\",\"dash_every\":4},\"check\":true,"
                "\"blocked_words\":[\"ab\",\"cd\"],\"max_uses\":null,\"per_customer\":2147483647,"
                "\"active\":false,\"allow_guessable\":true,\"priority\":16}");
    assert_int_equal(generate->format->length, 64);
    assert_string_equal(generate->format->charset, "A-Z");
    assert_string_equal(generate->format->prefix, "P");
    assert_string_equal(generate->format->suffix, "");
    assert_int_equal(generate->format->dash_every, 4);
    assert_true(generate->check);
    assert_string_equal(generate->blocked_words.items[0], "ab");
    assert_int_equal(generate->max_uses.is, MSG_NULL);
    is_given(generate->per_customer, 2147483647);
    assert_false(generate->active);
    assert_true(generate->allow_guessable);
    assert_int_equal(generate->priority, 16);
    generate =
        decoded(MSG_CODES_GENERATE, "{\"coupon\":\"c\",\"count\":1,\"format\":{\"length\":1}}");
    assert_null(generate->format->charset);
    assert_null(generate->format->prefix);
    assert_int_equal(generate->format->dash_every, 0);
}

static void export_includes_descendants_unless_told_otherwise(void **state)
{
    (void)state;
    const struct msg_export *export = decoded(MSG_CODES_EXPORT, "{\"campaign\":\"s\"}");
    assert_string_equal(export->campaign, "s");
    assert_null(export->coupon);
    assert_true(export->include_descendants);
    assert_int_equal(export->format, MSG_EXPORT_CSV);
    export = decoded(MSG_REDEMPTIONS_EXPORT, "{\"campaign\":\"s\",\"include_descendants\":false}");
    assert_false(export->include_descendants);
    export = decoded(MSG_REDEMPTIONS_EXPORT, "{\"coupon\":\"c\",\"format\":\"csv\"}");
    assert_string_equal(export->coupon, "c");
    assert_null(export->campaign);
}

static void redeem_has_its_values(void **state)
{
    (void)state;
    const struct msg_redeem *redeem = decoded(
        MSG_CODE_REDEEM,
        "{\"codes\":[\"AB-CD\",\"\\u00e9\"],\"customer\":{\"email\":\"e\"},\"client_key\":\"k\","
        "\"order\":{\"id\":\"o\",\"currency\":\"USD\",\"total_minor\":0},\"on_refused\":\"all_or_"
        "nothing\"}");
    assert_int_equal(redeem->codes.count, 2);
    assert_string_equal(redeem->codes.items[0], "AB-CD");
    assert_string_equal(redeem->codes.items[1], "\xc3\xa9");
    assert_null(redeem->customer.id);
    assert_string_equal(redeem->customer.email, "e");
    assert_string_equal(redeem->client_key, "k");
    assert_string_equal(redeem->order->id, "o");
    assert_string_equal(redeem->order->currency, "USD");
    assert_int_equal(redeem->order->total_minor, 0);
    assert_int_equal(redeem->as_of.is, MSG_ABSENT);
}

static void validate_needs_no_order(void **state)
{
    (void)state;
    const struct msg_redeem *validate =
        decoded(MSG_CODE_VALIDATE, "{\"codes\":[\"A\"],\"as_of\":\"1970-01-01T00:00:01Z\"}");
    assert_null(validate->order);
    assert_null(validate->customer.id);
    assert_null(validate->customer.email);
    is_given(validate->as_of, 1000000);
}

static void release_names_a_redemption(void **state)
{
    (void)state;
    const struct msg_release *release =
        decoded(MSG_CODE_RELEASE, "{\"redemption\":{\"source\":\"s\",\"id\":\"i\"}}");
    assert_string_equal(release->redemption.source, "s");
    assert_string_equal(release->redemption.id, "i");
    assert_int_equal(release->codes.count, 0);
    release = decoded(MSG_CODE_RELEASE,
                      "{\"redemption\":{\"source\":\"s\",\"id\":\"i\"},\"codes\":[\"X\"]}");
    assert_string_equal(release->codes.items[0], "X");
}

static void internal_messages_have_their_values(void **state)
{
    (void)state;
    const struct msg_token *token =
        decoded(MSG_TOKEN, "{\"job\":\"7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a11\",\"lane\":0,"
                           "\"n\":2147483647,\"epoch\":1}");
    assert_string_equal(token->job, "7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a11");
    assert_int_equal(token->n, 2147483647);
    assert_int_equal(token->epoch, 1);
    const struct msg_snapshot_due *due =
        decoded(MSG_SNAPSHOT_DUE, "{\"campaign\":\"s\",\"due\":9007199254740991}");
    assert_true(due->due == INT64_C(9007199254740991));
    const struct msg_job_cancel *cancel =
        decoded(MSG_JOB_CANCEL, "{\"job\":\"7D0C1A52-5B1E-5F0A-9C55-2F3F7E1F0A11\"}");
    assert_string_equal(cancel->job, "7D0C1A52-5B1E-5F0A-9C55-2F3F7E1F0A11");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(campaign_has_its_defaults, begin, end),
        cmocka_unit_test_setup_teardown(campaign_has_its_values, begin, end),
        cmocka_unit_test_setup_teardown(discount_is_percent_or_amount, begin, end),
        cmocka_unit_test_setup_teardown(coupon_has_defaults_and_values, begin, end),
        cmocka_unit_test_setup_teardown(affiliate_and_archive_are_plain, begin, end),
        cmocka_unit_test_setup_teardown(generate_has_defaults_and_values, begin, end),
        cmocka_unit_test_setup_teardown(export_includes_descendants_unless_told_otherwise, begin,
                                        end),
        cmocka_unit_test_setup_teardown(redeem_has_its_values, begin, end),
        cmocka_unit_test_setup_teardown(validate_needs_no_order, begin, end),
        cmocka_unit_test_setup_teardown(release_names_a_redemption, begin, end),
        cmocka_unit_test_setup_teardown(internal_messages_have_their_values, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
