/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands of one batch do to each other, and what happens beside a batch while it is settled.
 */
#include "worker_double.h"

#include "base_buf.h"
#include "db_query.h"
#include "db_tx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 64
#define ORDER "\"order\":{\"id\":\"o\",\"currency\":\"EUR\",\"total_minor\":1000}"

static struct sent sent[MOST];
static struct answer answers[MOST];
static size_t count;
static int64_t next_offset;

static void begin(void)
{
    count = 0;
}

static struct sent *add(struct stage *stage, const char *id, const char *type, const char *data)
{
    const char *event = arena_printf(
        stage->texts,
        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"shop\",\"type\":\"promofleet.code."
        "%s.v1\",\"data\":{%s}}",
        id, type, data);

    assert_non_null(event);
    assert_true(count < MOST);
    sent[count] = (struct sent){
        .event = event, .partition = 1, .offset = next_offset, .at_us = DAY_US + next_offset};
    next_offset++;
    return &sent[count++];
}

static void redeem(struct stage *stage, const char *id, const char *codes, const char *customer)
{
    const char *data = arena_printf(stage->texts, "\"codes\":[%s]," ORDER "%s%s", codes,
                                    customer[0] != '\0' ? ",\"customer\":" : "", customer);

    assert_non_null(data);
    add(stage, id, "redeem", data);
}

static void release(struct stage *stage, const char *id, const char *of, const char *codes)
{
    const char *data =
        arena_printf(stage->texts, "\"redemption\":{\"source\":\"shop\",\"id\":\"%s\"}%s%s%s", of,
                     codes[0] != '\0' ? ",\"codes\":[" : "", codes, codes[0] != '\0' ? "]" : "");

    assert_non_null(data);
    add(stage, id, "release", data);
}

static void settle(struct stage *stage)
{
    stage_batch(stage, WAY_BOLD, sent, count, answers);
}

static bool is(const struct answer *answer, const char *type)
{
    char full[64];

    snprintf(full, sizeof(full), "promofleet.code.%s.v1", type);
    return strcmp(answer->type, full) == 0;
}

#define assert_is(answer, name)                                                                    \
    do {                                                                                           \
        if (!is((answer), (name)))                                                                 \
            fail_msg("%s %s", (answer)->type, (answer)->data);                                     \
    } while (0)
#define assert_rejected(answer, reason)                                                            \
    do {                                                                                           \
        if (!is((answer), "rejected") ||                                                           \
            strstr((answer)->data, "{\"code\":\"" reason "\"") == NULL)                            \
            fail_msg("%s %s", (answer)->type, (answer)->data);                                     \
    } while (0)
#define assert_says(answer, text)                                                                  \
    do {                                                                                           \
        if (strstr((answer)->data, (text)) == NULL)                                                \
            fail_msg("%s %s", (answer)->type, (answer)->data);                                     \
    } while (0)

#define USES(key) "select uses from code where key = '" key "'"

/* Coupon "open" in a campaign without limits; other coupons are the tests' own. */
static int set(void **state)
{
    struct stage *stage = *state;

    if (stage_reset(state) < 0)
        return -1;
    fixture_discount(stage->fx, PERCENT(.id = "d15"));
    fixture_discount(stage->fx, AMOUNT(.id = "d5", .currency = "EUR"));
    fixture_campaign(stage->fx, CAMPAIGN(.id = "root"));
    fixture_campaign(stage->fx, CAMPAIGN(.id = "free"));
    fixture_coupon(stage->fx,
                   COUPON(.id = "open", .campaign = "free", .discounts = DISCOUNTS("d15")));
    stage_codes(stage, "open", "single s2 s3", 1, 0);
    stage_codes(stage, "open", "many m2", 0, 0);
    begin();
    return 0;
}

static void three_for_one_last_use_have_one_winner(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"single\"", "");
    redeem(stage, "r2", "\"SINGLE\"", "");
    redeem(stage, "r3", "\"s-ingle\"", "");
    settle(stage);
    assert_is(&answers[0], "redeemed");
    assert_says(&answers[0], "\"uses_left\":0");
    assert_rejected(&answers[1], "code_exhausted");
    assert_rejected(&answers[2], "code_exhausted");
    assert_int_equal(fixture_int(stage->fx, USES("single")), 1);
    stage_audit(stage);
}

/* Two codes; room for one more use each time. */
static void last_use_of(struct stage *stage, const char *coupon, const char *reason)
{
    char keys[64];
    char first[64];
    char second[64];

    snprintf(keys, sizeof(keys), "%s1 %s2", coupon, coupon);
    snprintf(first, sizeof(first), "\"%s1\"", coupon);
    snprintf(second, sizeof(second), "\"%s2\"", coupon);
    stage_codes(stage, coupon, keys, 0, -1);
    begin();
    redeem(stage, "r1", first, "{\"id\":\"c\"}");
    redeem(stage, "r2", second, "{\"id\":\"c\"}");
    redeem(stage, "r3", first, "{\"id\":\"c\"}");
    settle(stage);
    assert_is(&answers[0], "redeemed");
    for (size_t i = 1; i < 3; i++) {
        assert_is(&answers[i], "rejected");
        assert_says(&answers[i], reason);
    }
    stage_audit(stage);
}

static void a_coupon_has_one_last_use(void **state)
{
    struct stage *stage = *state;

    fixture_coupon(stage->fx, COUPON(.id = "k", .campaign = "free", .discounts = DISCOUNTS("d15"),
                                     .limits = {{MSG_GIVEN, 1}, {MSG_ABSENT, 0}}));
    last_use_of(stage, "k", "\"coupon_limit\"");
}

static void a_customer_has_one_last_use_of_a_coupon(void **state)
{
    struct stage *stage = *state;

    fixture_coupon(stage->fx, COUPON(.id = "k", .campaign = "free", .discounts = DISCOUNTS("d15"),
                                     .limits = {{MSG_ABSENT, 0}, {MSG_GIVEN, 1}}));
    last_use_of(stage, "k", "\"coupon_customer_limit\"");
}

static void a_campaign_above_has_one_last_use(void **state)
{
    struct stage *stage = *state;

    fixture_campaign(stage->fx, CAMPAIGN(.id = "top", .limits = {{MSG_GIVEN, 1}, {MSG_ABSENT, 0}}));
    fixture_campaign(stage->fx, CAMPAIGN(.id = "middle", .parent = "top"));
    fixture_campaign(stage->fx, CAMPAIGN(.id = "leaf", .parent = "middle"));
    fixture_coupon(stage->fx, COUPON(.id = "k", .campaign = "leaf", .discounts = DISCOUNTS("d15")));
    last_use_of(stage, "k", "\"campaign_limit\"");
}

static void a_customer_counts_under_id_and_address(void **state)
{
    struct stage *stage = *state;

    stage_codes(stage, "open", "once", 0, 1);
    redeem(stage, "r1", "\"once\"", "{\"id\":\"c1\",\"email\":\"Ann@Example.org\"}");
    redeem(stage, "r2", "\"once\"", "{\"id\":\"c2\",\"email\":\" ANN@example.ORG\\u00a0\"}");
    redeem(stage, "r3", "\"once\"", "{\"id\":\"c1\"}");
    redeem(stage, "r4", "\"once\"", "{\"id\":\"c2\"}");
    redeem(stage, "r5", "\"once\"", "{\"email\":\"ann@example.org\"}");
    redeem(stage, "r6", "\"once\"", "{\"id\":\"ann@example.org\"}");
    redeem(stage, "r7", "\"once\"", "");
    settle(stage);
    assert_is(&answers[0], "redeemed");
    assert_rejected(&answers[1], "code_customer_limit");
    assert_rejected(&answers[2], "code_customer_limit");
    assert_is(&answers[3], "redeemed"); /* r2 took nothing under c2 */
    assert_rejected(&answers[4], "code_customer_limit");
    assert_is(&answers[5], "redeemed"); /* an id is no address */
    assert_rejected(&answers[6], "customer_required");
    stage_audit(stage);
}

/* 256 characters of four bytes, and another in the last place. */
static void the_longest_ids_are_told_apart(void **state)
{
    struct stage *stage = *state;
    CLEANUP(buf_done) struct buf one = {0};
    CLEANUP(buf_done) struct buf two = {0};

    buf_init(&one);
    buf_init(&two);
    buf_add_str(&one, "{\"id\":\"");
    for (int i = 0; i < 255; i++)
        buf_add_str(&one, "\xf0\x9d\x84\x9e");
    buf_add(&two, one.data, one.len);
    buf_add_str(&one, "\xf0\x9d\x84\x9e\"}");
    buf_add_str(&two, "\xf0\x9d\x84\x9f\"}");
    stage_codes(stage, "open", "once", 0, 1);
    redeem(stage, "r1", "\"once\"", one.data);
    redeem(stage, "r2", "\"once\"", two.data);
    redeem(stage, "r3", "\"once\"", one.data);
    settle(stage);
    assert_is(&answers[0], "redeemed");
    assert_is(&answers[1], "redeemed");
    assert_rejected(&answers[2], "code_customer_limit");
}

static void guesses_and_questions_leave_nothing(void **state)
{
    struct stage *stage = *state;
    const char *before;

    stage_codes(stage, "open", "once", 0, 1);
    before = stage_dump(stage);
    redeem(stage, "r1", "\"nobody\"", "{\"id\":\"c\"}");
    redeem(stage, "r2", "\"-\"", "{\"id\":\"c\"}");
    redeem(stage, "r3", "\"once\",\"nobody\"", "{\"id\":\"c\"}");
    redeem(stage, "r4", "\"single\",\"s ingle\"", "{\"id\":\"c\"}");
    add(stage, "v1", "validate", "\"codes\":[\"once\"],\"customer\":{\"id\":\"c\"}");
    add(stage, "v2", "validate", "\"codes\":[\"single\"]," ORDER);
    release(stage, "l1", "r99", "");
    release(stage, "l2", "r99", "\"nobody\"");
    release(stage, "l3", "l3", "\"single\"");
    settle(stage);
    assert_rejected(&answers[0], "unknown_code");
    assert_rejected(&answers[1], "bad_code");
    assert_rejected(&answers[2], "other_code_refused");
    assert_rejected(&answers[2], "unknown_code");
    assert_rejected(&answers[3], "code_repeated");
    assert_is(&answers[4], "validated");
    assert_is(&answers[5], "validated");
    assert_rejected(&answers[6], "unknown_redemption");
    assert_rejected(&answers[7], "unknown_code");
    assert_rejected(&answers[8], "unknown_redemption");
    assert_string_equal(before, stage_dump(stage));
    assert_int_equal(fixture_int(stage->fx, "select count(*) from counter"), 0);
    assert_int_equal(fixture_int(stage->fx, "select count(*) from tally"), 0);
    assert_int_equal(fixture_int(stage->fx, "select count(*) from source where name = 'shop'"), 0);
}

static void a_refused_code_takes_its_neighbours_with_it(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"s2\"", "");
    redeem(stage, "r2", "\"single\",\"s2\",\"many\"", "");
    redeem(stage, "r3", "\"single\"", "");
    settle(stage);
    assert_is(&answers[1], "rejected");
    assert_says(&answers[1], "{\"code\":\"single\",\"reasons\":[{\"code\":\"other_code_refused\","
                             "\"pointer\":\"/codes/0\"");
    assert_says(
        &answers[1],
        "{\"code\":\"s2\",\"reasons\":[{\"code\":\"code_exhausted\",\"pointer\":\"/codes/1\"");
    assert_is(&answers[2], "redeemed");
    assert_int_equal(fixture_int(stage->fx, USES("many")), 0);
    stage_audit(stage);
}

static void a_use_that_is_given_back_can_be_taken_by_the_next(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"single\"", "");
    settle(stage);
    begin();
    redeem(stage, "r2", "\"single\"", "");
    release(stage, "l1", "r1", "");
    redeem(stage, "r3", "\"single\"", "");
    redeem(stage, "r4", "\"single\"", "");
    settle(stage);
    assert_rejected(&answers[0], "code_exhausted");
    assert_is(&answers[1], "released");
    assert_is(&answers[2], "redeemed");
    assert_rejected(&answers[3], "code_exhausted");
    assert_int_equal(stage->tries, 1);
    stage_audit(stage);
}

static void a_redeem_and_its_release_may_share_a_batch(void **state)
{
    struct stage *stage = *state;

    fixture_coupon(stage->fx, COUPON(.id = "k", .campaign = "free", .discounts = DISCOUNTS("d15"),
                                     .limits = {{MSG_GIVEN, 1}, {MSG_GIVEN, 1}}));
    stage_codes(stage, "k", "k1", 1, 1);
    redeem(stage, "r1", "\"k1\"", "{\"id\":\"c\"}");
    release(stage, "l1", "r1", "");
    redeem(stage, "r2", "\"k1\"", "{\"id\":\"c\"}");
    release(stage, "l1", "r1", "");
    release(stage, "l2", "r1", "");
    settle(stage);
    assert_is(&answers[0], "redeemed");
    assert_is(&answers[1], "released");
    assert_is(&answers[2], "redeemed");
    assert_is(&answers[3], "released");
    assert_true(answers[3].repeated);
    assert_string_equal(answers[3].id, answers[1].id);
    assert_rejected(&answers[4], "already_released");
    stage_audit(stage);
}

static void a_release_that_came_first_forestalls_its_redeem(void **state)
{
    struct stage *stage = *state;

    release(stage, "l1", "r1", "\"s2\",\"single\"");
    redeem(stage, "r1", "\"single\",\"s2\"", "");
    redeem(stage, "r2", "\"single\"", "");
    release(stage, "l2", "r1", "");
    release(stage, "l3", "r1", "\"many\"");
    settle(stage);
    assert_is(&answers[0], "released");
    assert_says(&answers[0], "\"before_redeem\":true,\"codes\":[{\"code\":\"s2\"");
    assert_rejected(&answers[1], "already_released");
    assert_is(&answers[2], "redeemed");
    assert_rejected(&answers[3], "already_released");
    assert_rejected(&answers[4], "not_in_redemption");
    assert_says(&answers[4], "\"pointer\":\"/codes/0\"");
    assert_int_equal(fixture_int(stage->fx, USES("s2")), 0);
    stage_audit(stage);
}

static void codes_are_released_one_after_the_other(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"single\",\"s2\",\"many\"", "{\"id\":\"c\"}");
    release(stage, "l1", "r1", "\"S-2\"");
    release(stage, "l2", "r1", "\"s2\"");
    release(stage, "l3", "r1", "\"s2\",\"single\"");
    release(stage, "l4", "r1", "");
    release(stage, "l5", "r1", "");
    settle(stage);
    assert_is(&answers[1], "released");
    assert_says(&answers[1], "\"code\":\"s2\"");
    assert_rejected(&answers[2], "already_released");
    assert_is(&answers[3], "released");
    assert_null(strstr(answers[3].data, "s2"));
    assert_says(&answers[4], "\"code\":\"many\"");
    assert_null(strstr(answers[4].data, "single"));
    assert_rejected(&answers[5], "already_released");
    assert_int_equal(fixture_int(stage->fx, "select sum(uses) from code"), 0);
    stage_audit(stage);
}

static void a_bad_release_says_which_code(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"single\"", "");
    redeem(stage, "r2", "\"single\"", "");
    release(stage, "l1", "r1", "\"single\",\"-\"");
    release(stage, "l2", "r1", "\"single\",\"s-ingle\"");
    release(stage, "l3", "r1", "\"single\",\"s2\"");
    release(stage, "l4", "r2", "");
    settle(stage);
    assert_rejected(&answers[2], "bad_code");
    assert_says(&answers[2], "/codes/1");
    assert_rejected(&answers[3], "code_repeated");
    assert_says(&answers[3], "/codes/1");
    assert_rejected(&answers[4], "not_in_redemption");
    assert_says(&answers[4], "/codes/1");
    assert_rejected(&answers[5], "nothing_to_release");
    assert_says(&answers[5], "\"pointer\":\"/redemption\"");
    assert_int_equal(fixture_int(stage->fx, USES("single")), 1);
}

static void a_repeat_in_the_same_batch_is_marked(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"single\"", "");
    redeem(stage, "r1", "\"single\"", "");
    redeem(stage, "r1", "\"s2\"", "");
    redeem(stage, "r1", "\"nobody\"", "");
    redeem(stage, "r1", "\"single\"", "");
    settle(stage);
    assert_false(answers[0].repeated);
    assert_true(answers[1].repeated && answers[4].repeated);
    assert_string_equal(answers[1].id, answers[0].id);
    assert_string_equal(answers[4].data, answers[0].data);
    assert_int_equal(answers[4].at_us, answers[0].at_us);
    assert_rejected(&answers[2], "command_id_reused");
    assert_rejected(&answers[3], "command_id_reused");
    assert_int_equal(fixture_int(stage->fx, "select sum(uses) from code"), 1);
    stage_audit(stage);
}

/* A repeat is told what was said the first time, also when its code is no longer there. */
static void a_repeat_does_not_depend_on_the_code(void **state)
{
    struct stage *stage = *state;
    struct answer first;

    redeem(stage, "r1", "\"single\"", "");
    settle(stage);
    first = answers[0];
    fixture_exec(stage->fx, "update code set flags = 2 where key = 'single'");
    begin();
    redeem(stage, "r1", "\"single\"", "");
    redeem(stage, "r2", "\"single\"", "");
    settle(stage);
    assert_true(answers[0].repeated);
    assert_string_equal(answers[0].data, first.data);
    assert_string_equal(answers[0].id, first.id);
    assert_rejected(&answers[1], "unknown_code");
}

static void a_replay_of_what_left_no_row_has_no_effect(void **state)
{
    struct stage *stage = *state;
    const char *before;

    redeem(stage, "r1", "\"later\"", "");
    release(stage, "l1", "r2", "");
    release(stage, "l2", "r3", "\"later\"");
    settle(stage);
    assert_rejected(&answers[0], "unknown_code");
    assert_rejected(&answers[1], "unknown_redemption");
    assert_rejected(&answers[2], "unknown_code");
    stage_codes(stage, "open", "later", 0, 0);
    redeem(stage, "r2", "\"single\"", "");
    stage_batch(stage, WAY_BOLD, &sent[3], 1, &answers[3]);
    before = stage_dump(stage);
    for (size_t i = 0; i < 4; i++)
        sent[i].replayed = true;
    settle(stage);
    assert_rejected(&answers[0], "unknown_code");
    assert_rejected(&answers[1], "unknown_redemption");
    assert_rejected(&answers[2], "unknown_code");
    assert_is(&answers[3], "redeemed");
    assert_false(answers[3].repeated);
    assert_string_equal(before, stage_dump(stage));
}

static void a_release_goes_by_the_campaigns_of_its_redemption(void **state)
{
    struct stage *stage = *state;
    struct fixture *fx = stage->fx;

    fixture_campaign(fx, CAMPAIGN(.id = "was", .limits = {{MSG_GIVEN, 9}, {MSG_GIVEN, 9}}));
    fixture_campaign(fx, CAMPAIGN(.id = "now", .limits = {{MSG_GIVEN, 9}, {MSG_GIVEN, 9}}));
    fixture_campaign(fx, CAMPAIGN(.id = "leaf", .parent = "was"));
    fixture_coupon(fx, COUPON(.id = "k", .campaign = "leaf", .discounts = DISCOUNTS("d15")));
    stage_codes(stage, "k", "k1", 0, 0);
    redeem(stage, "r1", "\"k1\"", "{\"id\":\"c\",\"email\":\"c@example.org\"}");
    settle(stage);
    assert_int_equal(fixture_campaign(fx, CAMPAIGN(.id = "leaf", .parent = "now")), 1);
    begin();
    release(stage, "l1", "r1", "");
    redeem(stage, "r2", "\"k1\"", "{\"id\":\"c\"}");
    settle(stage);
    assert_says(&answers[0], "\"campaign_path\":[\"was\",\"leaf\"]");
    assert_says(&answers[1], "\"campaign_path\":[\"now\",\"leaf\"]");
    stage_audit(stage);
}

static void a_release_of_a_deleted_code_leaves_its_uses(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"single\",\"s2\"", "");
    settle(stage);
    fixture_exec(stage->fx, "update code set flags = 2 where key = 'single'");
    begin();
    release(stage, "l1", "r1", "");
    settle(stage);
    assert_is(&answers[0], "released");
    assert_int_equal(fixture_int(stage->fx, USES("single")), 1);
    assert_int_equal(fixture_int(stage->fx, USES("s2")), 0);
    stage_audit(stage);
}

static void discounts_of_several_codes_add_up_to_the_order_and_no_more(void **state)
{
    struct stage *stage = *state;

    fixture_coupon(stage->fx,
                   COUPON(.id = "all", .campaign = "free", .discounts = DISCOUNTS("d15", "d5")));
    fixture_coupon(stage->fx, COUPON(.id = "best", .campaign = "free",
                                     .discounts = DISCOUNTS("d15", "d5"), .apply = MSG_APPLY_BEST));
    stage_codes(stage, "all", "all", 0, 0);
    stage_codes(stage, "best", "best", 0, 0);
    redeem(stage, "r1", "\"many\",\"all\",\"best\",\"m2\"", "");
    settle(stage);
    /* 1000: 150, then 128 (127.5) and 500, then 222 of 500, then nothing is left. */
    assert_says(&answers[0], "\"total_minor\":150,");
    assert_says(&answers[0], "\"items\":[{\"discount\":\"d15\",\"minor\":128},"
                             "{\"discount\":\"d5\",\"minor\":500}]");
    assert_says(&answers[0], "\"items\":[{\"discount\":\"d5\",\"minor\":222}]");
    assert_says(&answers[0], "\"total_minor\":0,\"items\":[]");
    assert_says(&answers[0], "\"discount_total_minor\":1000,");
    stage_audit(stage);
}

static void the_largest_order_is_reckoned(void **state)
{
    struct stage *stage = *state;

    add(stage, "r1", "redeem",
        "\"codes\":[\"many\"],\"order\":{\"id\":\"o\",\"currency\":\"EUR\",\"total_minor\":"
        "1000000000000000}");
    add(stage, "r2", "redeem",
        "\"codes\":[\"many\"],\"order\":{\"id\":\"o\",\"currency\":\"EUR\",\"total_minor\":0}");
    settle(stage);
    assert_says(&answers[0], "\"discount_total_minor\":150000000000000,");
    assert_says(&answers[1], "\"discount_total_minor\":0,");
    stage_audit(stage);
}

static void a_window_is_asked_as_of_another_time(void **state)
{
    struct stage *stage = *state;

    fixture_coupon(stage->fx, COUPON(.id = "k", .campaign = "free", .discounts = DISCOUNTS("d15"),
                                     .starts_at = {MSG_GIVEN, DAY_US + 3600000000},
                                     .ends_at = {MSG_GIVEN, DAY_US + 7200000000}));
    stage_codes(stage, "k", "k1", 0, 0);
    add(stage, "v1", "validate", "\"codes\":[\"k1\"],\"as_of\":\"2026-01-01T00:59:59.999999Z\"");
    add(stage, "v2", "validate", "\"codes\":[\"k1\"],\"as_of\":\"2026-01-01T01:00:00Z\"");
    add(stage, "v3", "validate", "\"codes\":[\"k1\"],\"as_of\":\"2026-01-01T01:59:59.999999Z\"");
    add(stage, "v4", "validate", "\"codes\":[\"k1\"],\"as_of\":\"2026-01-01T02:00:00Z\"");
    redeem(stage, "r1", "\"k1\"", "");
    settle(stage);
    assert_rejected(&answers[0], "not_started");
    assert_says(&answers[0], "\"2026-01-01T01:00:00Z\"");
    assert_is(&answers[1], "validated");
    assert_is(&answers[2], "validated");
    assert_rejected(&answers[3], "expired");
    assert_rejected(&answers[4], "not_started");
}

/* --- beside the batch ---------------------------------------------------------------------------
 */

static void do_other(struct stage *stage, const char *sql)
{
    struct err err = {0};

    if (db_exec(stage->fx->other, sql, &err) < 0)
        fail_msg("%s: %s", err.code, err.text);
}

static void another_takes_the_last_use(struct stage *stage)
{
    do_other(stage,
             "insert into counter (scope, subject, customer, uses, most) select 2, id::text, "
             "'', 1, 1 from coupon where ext_id = 'k'");
}

static void a_use_that_another_worker_took_is_not_given_twice(void **state)
{
    struct stage *stage = *state;

    fixture_coupon(stage->fx, COUPON(.id = "k", .campaign = "free", .discounts = DISCOUNTS("d15"),
                                     .limits = {{MSG_GIVEN, 1}, {MSG_ABSENT, 0}}));
    stage_codes(stage, "k", "k1", 0, 0);
    redeem(stage, "r1", "\"k1\"", "");
    redeem(stage, "r2", "\"many\"", "");
    stage->meanwhile = another_takes_the_last_use;
    settle(stage);
    assert_int_equal(stage->tries, 2);
    assert_rejected(&answers[0], "coupon_limit");
    assert_is(&answers[1], "redeemed");
    assert_int_equal(fixture_int(stage->fx, "select uses from counter"), 1);
    assert_int_equal(fixture_int(stage->fx, USES("k1")), 0);
}

static void somebody_pauses_the_campaign(struct stage *stage)
{
    do_other(stage, "update definition_version set version = version + 1;"
                    "update campaign set status = 2, def_version = (select version from "
                    "definition_version) where ext_id = 'free'");
}

static void definitions_that_move_meanwhile_decide(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"single\"", "");
    stage->meanwhile = somebody_pauses_the_campaign;
    settle(stage);
    assert_int_equal(stage->tries, 2);
    assert_rejected(&answers[0], "campaign_inactive");
    assert_int_equal(fixture_int(stage->fx, USES("single")), 0);
}

static void a_repeat_among_new_ones_is_found_either_way(void **state)
{
    struct stage *stage = *state;

    for (int way = WAY_BOLD; way <= WAY_LOCKING; way++) {
        struct answer first;

        assert_int_equal(set(state), 0);
        redeem(stage, "r1", "\"single\"", "");
        settle(stage);
        first = answers[0];
        begin();
        redeem(stage, "r2", "\"s2\"", "");
        redeem(stage, "r1", "\"single\"", "");
        stage_batch(stage, (enum way)way, sent, count, answers);
        assert_is(&answers[0], "redeemed");
        assert_true(answers[1].repeated);
        assert_string_equal(answers[1].data, first.data);
        assert_int_equal(stage->tries, 1);
        stage_audit(stage);
    }
}

/* What the first try has written about a new publisher is gone with it. */
static void a_new_publisher_beside_a_repeat_is_kept(void **state)
{
    struct stage *stage = *state;
    const char *event;

    redeem(stage, "r1", "\"single\"", "");
    settle(stage);
    event = arena_printf(stage->texts,
                         "{\"specversion\":\"1.0\",\"id\":\"r1\",\"source\":\"till\",\"type\":"
                         "\"promofleet.code.redeem.v1\",\"data\":{\"codes\":[\"s2\"]," ORDER "}}");
    assert_non_null(event);
    begin();
    redeem(stage, "r1", "\"single\"", "");
    redeem(stage, "r1", "\"s2\"", "");
    sent[1].event = event;
    settle(stage);
    assert_true(answers[0].repeated);
    assert_is(&answers[1], "redeemed");
    assert_int_equal(fixture_int(stage->fx,
                                 "select count(*) from redemption r join source s on s.id "
                                 "= r.source_id where s.name = 'till'"),
                     1);
    stage_audit(stage);
}

/* Answers that are not stored: the same again has the same id, another answer another. */
static void an_answer_that_is_not_stored_is_known_by_what_it_says(void **state)
{
    struct stage *stage = *state;

    redeem(stage, "r1", "\"later\"", "");
    add(stage, "v1", "validate", "\"codes\":[\"later\"]");
    redeem(stage, "r1", "\"later\"", "");
    redeem(stage, "r1", "\"later\",\"-\"", "");
    settle(stage);
    assert_rejected(&answers[0], "unknown_code");
    assert_string_equal(answers[2].id, answers[0].id);
    assert_false(answers[2].repeated);
    assert_string_not_equal(answers[3].id, answers[0].id);
    stage_codes(stage, "open", "later", 0, 0);
    stage_batch(stage, WAY_BOLD, sent, 2, &answers[4]);
    assert_is(&answers[4], "redeemed");
    assert_false(answers[4].repeated);
    assert_is(&answers[5], "validated");
    assert_string_not_equal(answers[5].id, answers[1].id);
}

static void a_batch_of_too_many_codes_is_to_be_split(void **state)
{
    struct stage *stage = *state;
    static struct sent many[1400];
    static struct answer none[1400];
    CLEANUP(buf_done) struct buf codes = {0};
    struct err err = {0};

    buf_init(&codes);
    for (int i = 0; i < 30; i++)
        buf_printf(&codes, "%s\"x%d\"", i > 0 ? "," : "", i);
    redeem(stage, "r1", codes.data, "");
    for (size_t i = 0; i < 1400; i++)
        many[i] = sent[0];
    assert_int_equal(db_tx_begin(stage->fx->db, &err), 0);
    assert_int_equal(stage_try(stage, WAY_BOLD, many, 1400, none, &err), -1);
    assert_int_equal(err.kind, ERR_POISON);
    assert_string_equal(err.code, "batch_too_large");
    err_clear(&err);
    assert_int_equal(stage_try(stage, WAY_BOLD, many, 1, none, &err), 0);
    assert_int_equal(db_tx_rollback(stage->fx->db, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(three_for_one_last_use_have_one_winner, set),
        cmocka_unit_test_setup(a_coupon_has_one_last_use, set),
        cmocka_unit_test_setup(a_customer_has_one_last_use_of_a_coupon, set),
        cmocka_unit_test_setup(a_campaign_above_has_one_last_use, set),
        cmocka_unit_test_setup(a_customer_counts_under_id_and_address, set),
        cmocka_unit_test_setup(the_longest_ids_are_told_apart, set),
        cmocka_unit_test_setup(guesses_and_questions_leave_nothing, set),
        cmocka_unit_test_setup(a_refused_code_takes_its_neighbours_with_it, set),
        cmocka_unit_test_setup(a_use_that_is_given_back_can_be_taken_by_the_next, set),
        cmocka_unit_test_setup(a_redeem_and_its_release_may_share_a_batch, set),
        cmocka_unit_test_setup(a_release_that_came_first_forestalls_its_redeem, set),
        cmocka_unit_test_setup(codes_are_released_one_after_the_other, set),
        cmocka_unit_test_setup(a_bad_release_says_which_code, set),
        cmocka_unit_test_setup(a_repeat_in_the_same_batch_is_marked, set),
        cmocka_unit_test_setup(a_repeat_does_not_depend_on_the_code, set),
        cmocka_unit_test_setup(a_replay_of_what_left_no_row_has_no_effect, set),
        cmocka_unit_test_setup(a_release_goes_by_the_campaigns_of_its_redemption, set),
        cmocka_unit_test_setup(a_release_of_a_deleted_code_leaves_its_uses, set),
        cmocka_unit_test_setup(discounts_of_several_codes_add_up_to_the_order_and_no_more, set),
        cmocka_unit_test_setup(the_largest_order_is_reckoned, set),
        cmocka_unit_test_setup(a_window_is_asked_as_of_another_time, set),
        cmocka_unit_test_setup(a_use_that_another_worker_took_is_not_given_twice, set),
        cmocka_unit_test_setup(definitions_that_move_meanwhile_decide, set),
        cmocka_unit_test_setup(a_repeat_among_new_ones_is_found_either_way, set),
        cmocka_unit_test_setup(a_new_publisher_beside_a_repeat_is_kept, set),
        cmocka_unit_test_setup(an_answer_that_is_not_stored_is_known_by_what_it_says, set),
        cmocka_unit_test_setup(a_batch_of_too_many_codes_is_to_be_split, set),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
