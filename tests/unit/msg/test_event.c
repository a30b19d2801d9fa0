/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of events: from structs to JSON, and what is refused to be published.
 */
#include "msg_command.h"
#include "msg_event.h"
#include "msg_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define JOB "7d0c1a52-5b1e-5f0a-9c55-2f3f7e1f0a11"

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

static void encodes(enum msg_event_id id, const void *data, const char *expected)
{
    const char *json = NULL;
    size_t len = 0;
    struct err err = {0};
    if (msg_event_data(arena, id, data, &json, &len, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(json, expected);
    assert_int_equal(len, strlen(expected));
}

static void breaks_the_contract(enum msg_event_id id, const void *data, const char *pointer)
{
    const char *json = NULL;
    size_t len = 0;
    struct err err = {0};
    assert_int_equal(msg_event_data(arena, id, data, &json, &len, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
    assert_string_equal(err.pointer, pointer);
    assert_null(json);
}

static void every_type_is_found_under_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_EVENT_COUNT; i++) {
        const struct msg_event_type *type = msg_event_type((enum msg_event_id)i);
        assert_int_equal(type->id, i);
        assert_ptr_equal(msg_event_type_find(type->name), type);
    }
    assert_null(msg_event_type_find("promofleet.campaign.put.v1"));
    /* whatever refuses a command is an event, and ends it */
    for (int i = 0; i < MSG_COMMAND_COUNT; i++) {
        const struct msg_command_type *type = msg_command_type((enum msg_command_id)i);
        if (type->rejected == NULL)
            continue;
        const struct msg_event_type *rejected = msg_event_type_find(type->rejected);
        assert_non_null(rejected);
        assert_true(rejected->terminal);
        assert_int_equal(rejected->topic, type->events);
    }
    assert_false(msg_event_type(MSG_EVENT_JOB_ACCEPTED)->terminal);
    assert_false(msg_event_type(MSG_EVENT_JOB_PROGRESSED)->terminal);
    assert_true(msg_event_type(MSG_EVENT_JOB_CANCELLED)->terminal);
}

static void definition_event_is_encoded(void **state)
{
    (void)state;
    struct msg_definition_event event = {MSG_DEFINITION_COUPON, "c1", 7, MSG_STATUS_INACTIVE};
    encodes(MSG_EVENT_COUPON_CHANGED, &event,
            "{\"kind\":\"coupon\",\"id\":\"c1\",\"version\":7,\"status\":\"inactive\"}");
    event.version = 0;
    breaks_the_contract(MSG_EVENT_COUPON_CHANGED, &event, "/version");
    event.version = 1;
    event.id = NULL;
    breaks_the_contract(MSG_EVENT_COUPON_CHANGED, &event, "/id");
    event.id = "with space";
    breaks_the_contract(MSG_EVENT_COUPON_CHANGED, &event, "/id");
    event.id = "";
    breaks_the_contract(MSG_EVENT_COUPON_CHANGED, &event, "/id");
    event.id = "ok";
    event.status = (enum msg_definition_status)5;
    breaks_the_contract(MSG_EVENT_COUPON_CHANGED, &event, "/status");
}

static void job_event_leaves_out_what_is_not_set(void **state)
{
    (void)state;
    struct msg_job_event event = {.job = JOB, .kind = MSG_JOB_CODES_EXPORT};
    encodes(MSG_EVENT_JOB_ACCEPTED, &event,
            "{\"job\":\"" JOB "\",\"kind\":\"codes_export\",\"state\":\"running\",\"total\":0,"
            "\"done\":0}");
}

static void job_event_has_all_its_fields(void **state)
{
    (void)state;
    const char *const warnings[] = {"careful"};
    const struct msg_reason reasons[] = {{.code = "space_full", .message = "Full."}};
    struct msg_job_event event = {
        .job = JOB,
        .kind = MSG_JOB_CODES_GENERATE,
        .state = MSG_JOB_FAILED,
        .total = 10,
        .done = 9,
        .campaign = "s",
        .coupon = "c",
        .batch = msg_int_of(3),
        .pattern = "##",
        .capacity = "1024",
        .guess_odds = "102",
        .priority = msg_int_of(4),
        .rows = msg_int_of(9),
        .redrawn = msg_int_of(0),
        .parts = msg_int_of(1),
        .bytes = msg_int_of(2),
        .manifest = "m",
        .checksum = "18446744073709551615",
        .rate_per_s = msg_int_of(5),
        .eta_s = msg_int_of(6),
        .elapsed_ms = msg_int_of(7),
        .warnings = {warnings, 1},
        .reasons = {reasons, 1},
    };
    encodes(MSG_EVENT_JOB_FAILED, &event,
            "{\"job\":\"" JOB "\",\"kind\":\"codes_generate\",\"state\":\"failed\",\"total\":10,"
            "\"done\":9,\"campaign\":\"s\",\"coupon\":\"c\",\"batch\":3,\"pattern\":\"##\","
            "\"capacity\":\"1024\",\"guess_odds\":\"102\",\"priority\":4,\"rows\":9,\"redrawn\":0,"
            "\"parts\":1,\"bytes\":2,\"manifest\":\"m\",\"checksum\":\"18446744073709551615\","
            "\"rate_per_s\":5,\"eta_s\":6,\"elapsed_ms\":7,\"warnings\":[\"careful\"],"
            "\"reasons\":[{\"code\":\"space_full\",\"message\":\"Full.\"}]}");
    event.checksum = "-1";
    breaks_the_contract(MSG_EVENT_JOB_FAILED, &event, "/checksum");
    event.checksum = NULL;
    event.done = -1;
    breaks_the_contract(MSG_EVENT_JOB_FAILED, &event, "/done");
    event.done = 0;
    event.job = "7";
    breaks_the_contract(MSG_EVENT_JOB_FAILED, &event, "/job");
}

static void redeemed_is_encoded(void **state)
{
    (void)state;
    const char *const path[] = {"root", "leaf"};
    const struct msg_discount_share shares[] = {{"d1", 100}, {"d2", 0}};
    struct msg_discount_given given = {"EUR", 100, {shares, 2}};
    struct msg_code_outcome codes[] = {
        {.code = "abc",
         .coupon = "c",
         .campaign_path = {path, 2},
         .batch = msg_int_of(1),
         .units = 1,
         .discount = &given,
         .uses_left = msg_int_of(0)},
        {.code = "d",
         .coupon = "c",
         .campaign_path = {path, 1},
         .units = 1,
         .uses_left = {MSG_NULL, 0}},
    };
    struct msg_order order = {"o", "EUR", 1000};
    struct msg_redeemed redeemed = {{codes, 2}, &order, msg_int_of(100), "EUR"};
    encodes(MSG_EVENT_CODE_REDEEMED, &redeemed,
            "{\"codes\":[{\"code\":\"abc\",\"coupon\":\"c\",\"campaign_path\":[\"root\",\"leaf\"],"
            "\"batch\":1,\"units\":1,\"discount\":{\"currency\":\"EUR\",\"total_minor\":100,"
            "\"items\":[{\"discount\":\"d1\",\"minor\":100},{\"discount\":\"d2\",\"minor\":0}]},"
            "\"uses_left\":0},{\"code\":\"d\",\"coupon\":\"c\",\"campaign_path\":[\"root\"],"
            "\"units\":1,\"uses_left\":null}],\"order\":{\"id\":\"o\",\"currency\":\"EUR\","
            "\"total_minor\":1000},\"discount_total_minor\":100,\"currency\":\"EUR\"}");
    redeemed.order = NULL;
    breaks_the_contract(MSG_EVENT_CODE_REDEEMED, &redeemed, "/order");
    redeemed.discount_total_minor = (struct msg_int){MSG_ABSENT, 0};
    redeemed.currency = NULL;
    redeemed.codes.count = 1;
    given.items.count = 0;
    encodes(MSG_EVENT_CODE_VALIDATED, &redeemed,
            "{\"codes\":[{\"code\":\"abc\",\"coupon\":\"c\",\"campaign_path\":[\"root\",\"leaf\"],"
            "\"batch\":1,\"units\":1,\"discount\":{\"currency\":\"EUR\",\"total_minor\":100,"
            "\"items\":[]},\"uses_left\":0}]}");
    given.currency = "eur";
    breaks_the_contract(MSG_EVENT_CODE_VALIDATED, &redeemed, "/codes/0/discount/currency");
    given.currency = "EUR";
    codes[0].batch.is = MSG_NULL;
    breaks_the_contract(MSG_EVENT_CODE_VALIDATED, &redeemed, "/codes/0/batch");
    redeemed.codes.count = 0;
    breaks_the_contract(MSG_EVENT_CODE_VALIDATED, &redeemed, "/codes");
}

static void released_is_encoded(void **state)
{
    (void)state;
    struct msg_released released = {.redemption = {"shop", "1"}, .before_redeem = true};
    encodes(
        MSG_EVENT_CODE_RELEASED, &released,
        "{\"redemption\":{\"source\":\"shop\",\"id\":\"1\"},\"before_redeem\":true,\"codes\":[]}");
    released.before_redeem = false;
    released.order_id = "o";
    encodes(MSG_EVENT_CODE_RELEASED, &released,
            "{\"redemption\":{\"source\":\"shop\",\"id\":\"1\"},\"codes\":[],\"order_id\":\"o\"}");
}

static void refusals_are_encoded(void **state)
{
    (void)state;
    const struct msg_reason reasons[] = {
        {.code = "not_started", .message = "Later.", .next_at_us = 1500000},
        {.code = "expired", .pointer = "", .message = "", .next_at_us = -1},
    };
    const struct msg_code_refusal codes[] = {{"A", {reasons, 2}}, {"B", {NULL, 0}}};
    struct msg_code_rejected rejected = {.codes = {codes, 2}, .order_id = "o"};
    encodes(
        MSG_EVENT_CODE_REJECTED, &rejected,
        "{\"codes\":[{\"code\":\"A\",\"reasons\":[{\"code\":\"not_started\",\"message\":\"Later.\","
        "\"next_at\":\"1970-01-01T00:00:01.500Z\"},{\"code\":\"expired\",\"pointer\":\"\","
        "\"message\":\"\"}]},{\"code\":\"B\",\"reasons\":[]}],\"order_id\":\"o\"}");
    rejected.codes.count = 0;
    breaks_the_contract(MSG_EVENT_CODE_REJECTED, &rejected, "");
}

static void rejected_data_serves_every_noun(void **state)
{
    (void)state;
    const struct msg_reason reason = {
        .code = "unknown_campaign", .pointer = "/campaign", .message = "There is no \"x\"."};
    const char *json = NULL;
    size_t len = 0;
    struct err err = {0};
    static const char expected[] =
        "{\"reasons\":[{\"code\":\"unknown_campaign\",\"pointer\":\"/campaign\","
        "\"message\":\"There is no \\\"x\\\".\"}]}";
    assert_int_equal(msg_rejected_data(arena, &reason, 1, &json, &len, &err), 0);
    assert_string_equal(json, expected);
    const struct msg_rejected rejected = {{&reason, 1}};
    encodes(MSG_EVENT_JOB_REJECTED, &rejected, expected);
    const struct msg_code_rejected code_rejected = {.reasons = {&reason, 1}};
    encodes(MSG_EVENT_CODE_REJECTED, &code_rejected, expected);
    assert_int_equal(msg_rejected_data(arena, &reason, 0, &json, &len, &err), -1);
    assert_int_equal(err.kind, ERR_BUG);
}

static void snapshot_is_encoded(void **state)
{
    (void)state;
    const struct msg_tally money[] = {{"EUR", 5}, {"USD", 0}};
    const struct msg_tally refused[] = {{"expired", 2}};
    struct msg_metrics_snapshot snapshot = {
        .campaign = "s",
        .version = 1,
        .at_us = 0,
        .own = {.issued = 3, .discount_minor = {money, 2}, .refused = {refused, 1}},
    };
    encodes(
        MSG_EVENT_METRICS_SNAPSHOT, &snapshot,
        "{\"campaign\":\"s\",\"version\":1,\"at\":\"1970-01-01T00:00:00Z\",\"own\":{\"issued\":3,"
        "\"redeemed\":0,\"released\":0,\"discount_minor\":{\"EUR\":5,\"USD\":0},\"order_minor\":{},"
        "\"refused\":{\"expired\":2}},\"total\":{\"issued\":0,\"redeemed\":0,\"released\":0,"
        "\"discount_minor\":{},\"order_minor\":{},\"refused\":{}}}");
    const struct msg_tally wrong[] = {{"euro", 5}};
    snapshot.total.order_minor = (struct msg_tallies){wrong, 1};
    breaks_the_contract(MSG_EVENT_METRICS_SNAPSHOT, &snapshot, "/total/order_minor/euro");
    const struct msg_tally negative[] = {{"EUR", -1}};
    snapshot.total.order_minor = (struct msg_tallies){negative, 1};
    breaks_the_contract(MSG_EVENT_METRICS_SNAPSHOT, &snapshot, "/total/order_minor/EUR");
}

/* The sizes in the rows are those of the tables: a list of the wrong struct would show here. */
static void check_table(const struct msg_table *table)
{
    assert_true(table->count <= 64);
    for (size_t i = 0; i < table->count; i++) {
        const struct msg_field *field = &table->fields[i];
        assert_true(strlen(field->help) > 4);
        assert_true(field->offset < table->size);
        assert_true(field->min <= field->max || field->max == 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(table->fields[j].name, field->name);
        if (field->table != NULL) {
            assert_int_equal(field->item_size, field->table->size);
            check_table(field->table);
        }
    }
}

static void tables_are_sound(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_EVENT_COUNT; i++)
        check_table(msg_event_type((enum msg_event_id)i)->table);
    for (int i = 0; i < MSG_COMMAND_COUNT; i++)
        check_table(msg_command_type((enum msg_command_id)i)->table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_is_found_under_its_own_name, begin, end),
        cmocka_unit_test_setup_teardown(definition_event_is_encoded, begin, end),
        cmocka_unit_test_setup_teardown(job_event_leaves_out_what_is_not_set, begin, end),
        cmocka_unit_test_setup_teardown(job_event_has_all_its_fields, begin, end),
        cmocka_unit_test_setup_teardown(redeemed_is_encoded, begin, end),
        cmocka_unit_test_setup_teardown(released_is_encoded, begin, end),
        cmocka_unit_test_setup_teardown(refusals_are_encoded, begin, end),
        cmocka_unit_test_setup_teardown(rejected_data_serves_every_noun, begin, end),
        cmocka_unit_test_setup_teardown(snapshot_is_encoded, begin, end),
        cmocka_unit_test(tables_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
